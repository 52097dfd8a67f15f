package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	"quietline/internal/rpc"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
)

const (
	// benchFollowers wait for changes of the lists at the same time.
	benchFollowers = 50
	// benchChanges are made, one after another.
	benchChanges = 200
	// benchFeedAim is when every follower has a change at the latest.
	benchFeedAim = time.Second
)

// benchFeed measures how long it takes from the call that lists a firm until each of many waiting followers has the change,
// the write included; between two changes, how long a bare NOTIFY takes from one connection to another, its write included.
func benchFeed(ctx context.Context, b *bench) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	bare, err := newNotifier(ctx, b.mesh.stack.OwnerURL("credit"))
	if err != nil {
		return err
	}
	defer bare.close()
	heard := make(chan string, benchFollowers*2)
	var following sync.WaitGroup
	defer following.Wait()
	defer stop()
	for range benchFollowers {
		service, err := b.lists(identity.Gateway, &commonv1.Actor{Subject: "bench", AgencyId: "nfra", Roles: []accessv1.Role{accessv1.Role_ROLE_CASEWORKER}})
		if err != nil {
			return err
		}
		following.Go(func() { follow(ctx, service, heard) })
	}
	writer, err := b.lists(identity.Workflows, nil)
	if err != nil {
		return err
	}
	var ours, base []time.Duration
	for n := range benchChanges {
		took, err := oneChange(ctx, writer, heard, n)
		if err != nil {
			return err
		}
		plain, err := bare.roundTrip(ctx)
		if err != nil {
			return err
		}
		if n >= benchChanges/10 { // the first ones warm up
			ours, base = append(ours, took...), append(base, plain)
		}
	}
	b.latency(fmt.Sprintf("(f) list change to %d waiting", benchFollowers), ours, base, benchFeedAim)
	return nil
}

// lists is a client of the credit lists over a connection of its own.
func (b *bench) lists(as identity.Workload, actor *commonv1.Actor) (creditv1.CreditServiceClient, error) {
	src, err := b.mesh.stack.CA.Source(as)
	if err != nil {
		return nil, err
	}
	withActor := grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if actor != nil {
			ctx = identity.WithActor(ctx, actor)
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	})
	conn, err := rpc.Dial(b.mesh.addrs[identity.Credit], identity.Credit, src, withActor)
	if err != nil {
		return nil, err
	}
	b.mesh.atEnd(conn.Close)
	return creditv1.NewCreditServiceClient(conn), nil
}

// follow tells of every change that it has got, until ctx ends.
func follow(ctx context.Context, service creditv1.CreditServiceClient, heard chan<- string) {
	cursor := ""
	for ctx.Err() == nil {
		resp, err := service.ListListingChanges(ctx, &creditv1.ListListingChangesRequest{AfterCursor: cursor, MaxWait: durationpb.New(30 * time.Second)})
		if err != nil {
			continue
		}
		cursor = resp.GetNextCursor()
		for _, c := range resp.GetChanges() {
			select {
			case heard <- c.GetListingId():
			case <-ctx.Done():
			}
		}
	}
}

// oneChange lists a firm and waits until every follower has it.
func oneChange(ctx context.Context, writer creditv1.CreditServiceClient, heard <-chan string, n int) ([]time.Duration, error) {
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	resp, err := writer.ListParty(ctx, &creditv1.ListPartyRequest{
		RequestId: uuid.NewString(), PartyName: "静线样例测速有限公司", CreditCode: fmt.Sprintf("91000000QLFEED%04d", n), Licence: "B2-BENCH",
		CaseId: uuid.NewString(), DecidedTime: timestamppb.New(began.Add(-time.Hour)), AgencyId: "ca-11", Penalties: []*creditv1.Penalty{{Kind: "fine"}},
	})
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for len(took) < benchFollowers {
		select {
		case id := <-heard:
			if id == resp.GetListing().GetListingId() {
				took = append(took, time.Since(began))
			}
		case <-ctx.Done():
			return nil, errors.New("a follower did not hear of a change")
		}
	}
	return took, nil
}

// notifier is the baseline: two connections to the same database.
type notifier struct{ from, to *pgx.Conn }

func newNotifier(ctx context.Context, url string) (*notifier, error) {
	from, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	to, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, errors.Join(err, from.Close(ctx))
	}
	_, err = to.Exec(ctx, `LISTEN bench_feed`)
	return &notifier{from, to}, err
}

func (n *notifier) close() {
	_ = n.from.Close(context.Background())
	_ = n.to.Close(context.Background())
}

func (n *notifier) roundTrip(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	if _, err := n.from.Exec(ctx, `SELECT pg_notify('bench_feed', '')`); err != nil {
		return 0, err
	}
	_, err := n.to.WaitForNotification(ctx)
	return time.Since(began), err
}

// latency adds the row of two distributions.
func (b *bench) latency(what string, ours, base []time.Duration, aim time.Duration) {
	at := func(all []time.Duration, share float64) time.Duration {
		slices.Sort(all)
		return all[min(int(share*float64(len(all))), len(all)-1)]
	}
	words := func(all []time.Duration) string {
		return fmt.Sprintf("p50 %.1f p99 %.1f ms", at(all, 0.5).Seconds()*1000, at(all, 0.99).Seconds()*1000)
	}
	b.rows = append(b.rows, benchRow{
		what: what, ours: words(ours), base: words(base), ratio: fmt.Sprintf("%.1f x", at(ours, 0.5).Seconds()/max(at(base, 0.5).Seconds(), 1e-9)),
		aim: fmt.Sprintf("p99 < %s", aim), met: at(ours, 0.99) < aim,
	})
}
