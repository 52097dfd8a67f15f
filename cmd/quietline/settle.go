package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// settleCmd settles the provisional dates of a year with every owner of clocks, once its holiday notice is loaded.
type settleCmd struct {
	remote
	Year int32  `arg:"" help:"Year whose holiday notice is loaded."`
	As   string `help:"Account that settles: LEAD or ADMIN." default:"LEAD@miit"`
}

// settled is what one call has settled; next is the token of the next call.
type settled struct {
	dates int
	still int32
	next  string
}

// Run settles and prints how many dates of each owner were settled, and how many wait for another notice.
func (c settleCmd) Run(ctx context.Context) error {
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "clocks of\tsettled\tstill provisional"); err != nil {
		return err
	}
	for _, owner := range owners(conn, c.Year) {
		dates, still, err := settleAll(ctx, owner.settle)
		if err != nil {
			return fmt.Errorf("settle the clocks of %s: %w", owner.name, err)
		}
		if _, err := fmt.Fprintf(w, "%s\t%d\t%d\n", owner.name, dates, still); err != nil {
			return err
		}
	}
	return w.Flush()
}

// settleAll calls until nothing is left: what is settled stays so, should a later call fail.
func settleAll(ctx context.Context, settle func(ctx context.Context, request, token string) (settled, error)) (dates int, still int32, err error) {
	for token, more := "", true; more; more = token != "" {
		done, err := settle(ctx, uuid.NewString(), token)
		if err != nil {
			return dates, still, err
		}
		dates, still, token = dates+done.dates, still+done.still, done.next
	}
	return dates, still, nil
}

type clockOwner struct {
	name   string
	settle func(ctx context.Context, request, token string) (settled, error)
}

func owners(conn grpc.ClientConnInterface, year int32) []clockOwner {
	tasks, cases := assignmentv1.NewAssignmentServiceClient(conn), enforcementv1.NewEnforcementServiceClient(conn)
	lists, ledger := creditv1.NewCreditServiceClient(conn), ledgerv1.NewLedgerServiceClient(conn)
	return []clockOwner{
		{"tasks", func(ctx context.Context, request, token string) (settled, error) {
			r, err := tasks.SettleProvisional(ctx, &assignmentv1.SettleProvisionalRequest{RequestId: request, Year: year, PageToken: token})
			return settled{len(r.GetSettled()), r.GetStillProvisional(), r.GetNextPageToken()}, err
		}},
		{"cases", func(ctx context.Context, request, token string) (settled, error) {
			r, err := cases.SettleProvisionalClocks(ctx, &enforcementv1.SettleProvisionalClocksRequest{RequestId: request, Year: year, PageToken: token})
			return settled{len(r.GetSettled()), r.GetStillProvisional(), r.GetNextPageToken()}, err
		}},
		{"credit lists", func(ctx context.Context, request, token string) (settled, error) {
			r, err := lists.SettleProvisionalTerms(ctx, &creditv1.SettleProvisionalTermsRequest{RequestId: request, Year: year, PageToken: token})
			return settled{len(r.GetSettled()), r.GetStillProvisional(), r.GetNextPageToken()}, err
		}},
		{"ledger", func(ctx context.Context, request, token string) (settled, error) {
			r, err := ledger.SettleProvisionalTerms(ctx, &ledgerv1.SettleProvisionalTermsRequest{RequestId: request, Year: year, PageToken: token})
			return settled{len(r.GetSettled()), r.GetStillProvisional(), r.GetNextPageToken()}, err
		}},
	}
}
