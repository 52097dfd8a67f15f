package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/deploy/embedded"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/rpc"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger"
	"quietline/services/ledger/store"
)

// benchLargeCmd compares WhoHeld over a ledger of a million resources and ten million rows with a read of one row by its
// primary key in the same database: once by RPC, the whole chain included, once as plain statements. Rounds take turns,
// medians of their percentiles are compared. The ledger is made once and kept. Behind that, a digest is drafted over the
// aggregates of ten million reports, and a day of reports is counted.
type benchLargeCmd struct {
	Dir       string        `help:"Where the data is kept." default:".build/bench-large" type:"path"`
	Resources int           `help:"Resources in the ledger; some eleven rows each." default:"1000000"`
	Rounds    int           `help:"Rounds of ours and of the baseline." default:"5"`
	Span      time.Duration `help:"How long a round takes." default:"4s"`
	Clients   []int         `help:"Calls at the same time." default:"1,8"`
	Only      string        `help:"Run one part only: ledger or digest." enum:",ledger,digest" default:""`
}

// Run fills the ledger if need be and prints the table.
func (c benchLargeCmd) Run(ctx context.Context) (err error) {
	if err := os.MkdirAll(filepath.Dir(c.Dir), 0o755); err != nil { //nolint:gosec // the folder of what is built
		return err
	}
	stack, err := embedded.StartDatabase(ctx, embedded.Config{Data: c.Dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop(context.WithoutCancel(ctx))) }()
	l := &large{cmd: c, stack: stack}
	defer func() { err = errors.Join(err, l.stop()) }()
	if c.Only != "digest" {
		if err := l.serve(ctx); err != nil {
			return err
		}
		if err := fillLarge(ctx, stack.Dirs, stack.OwnerURL("ledger"), c.Resources); err != nil {
			return err
		}
		if err := l.measure(ctx); err != nil {
			return err
		}
	}
	if c.Only == "ledger" {
		return nil
	}
	return l.digest(ctx)
}

// large is the ledger with the baseline beside it, both served as in the mesh.
type large struct {
	cmd    benchLargeCmd
	stack  *embedded.Stack
	ledger string // addresses
	keyed  string
	ends   []func() error
	db     *pgxpool.Pool
}

func (l *large) stop() error {
	var errs []error
	for _, end := range l.ends {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

// serve migrates the ledger and serves it and the baseline. Nobody is asked about credit lists here.
func (l *large) serve(ctx context.Context) (err error) {
	url := l.stack.DatabaseURL("ledger")
	if err := l.serveLedger(ctx); err != nil {
		return err
	}
	if l.db, err = pg.Open(ctx, url); err != nil {
		return err
	}
	l.keyed, err = l.listen(ctx, identity.Ledger, func(ctx context.Context, src identity.Source, lis net.Listener) error {
		s := rpc.NewServer(src)
		ledgerv1.RegisterLedgerServiceServer(s, &keyed{db: l.db})
		return rpc.Serve(ctx, lis, s)
	})
	if err != nil {
		return err
	}
	return l.awaitMigrated(ctx)
}

// serveLedger serves the ledger, once.
func (l *large) serveLedger(ctx context.Context) (err error) {
	if l.ledger != "" {
		return nil
	}
	l.ledger, err = l.listen(ctx, identity.Ledger, func(ctx context.Context, src identity.Source, lis net.Listener) error {
		return ledger.Run(ctx, ledger.Config{
			Database: l.stack.DatabaseURL("ledger"), MigrateDatabase: l.stack.OwnerURL("ledger"), Credit: "127.0.0.1:1",
		}, src, lis)
	})
	return err
}

// awaitMigrated waits until the ledger answers: then its tables are there.
func (l *large) awaitMigrated(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute) // a kept ledger of an older version is migrated
	defer cancel()
	conn, err := l.dial(l.ledger, identity.Workflows, identity.Ledger)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = ledgerv1.NewLedgerServiceClient(conn).WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: "00000"}, grpc.WaitForReady(true))
	if ctx.Err() != nil {
		return err
	}
	return nil // nobody holds that number
}

func (l *large) dial(address string, as, to identity.Workload) (*grpc.ClientConn, error) {
	src, err := l.stack.CA.Source(as)
	if err != nil {
		return nil, err
	}
	return rpc.Dial(address, to, src)
}

func (l *large) listen(ctx context.Context, w identity.Workload, serve func(ctx context.Context, src identity.Source, lis net.Listener) error) (string, error) {
	src, err := l.stack.CA.Source(w)
	if err != nil {
		return "", err
	}
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- serve(serving, src, lis) }()
	l.ends = append(l.ends, func() error { cancel(); return <-done })
	return lis.Addr().String(), nil
}

// largeLevel is one way to ask, ours beside the baseline's.
type largeLevel struct {
	name       string
	ours, base func(ctx context.Context, client, number int) error
}

// measure prints p50 and p99 of each level, with their ratios.
func (l *large) measure(ctx context.Context) error {
	var rows int64
	if err := l.db.QueryRow(ctx, `SELECT (SELECT count(*) FROM allocation) + (SELECT count(*) FROM resource_event) + (SELECT count(*) FROM access)
		+ (SELECT count(*) FROM contract) + (SELECT count(*) FROM sublet) + (SELECT count(*) FROM licence) + (SELECT count(*) FROM holder)
		+ (SELECT count(*) FROM resource)`).Scan(&rows); err != nil {
		return err
	}
	fmt.Printf("\n%d resources, %d rows of the ledger; rounds of %v, medians of %d\n", l.cmd.Resources, rows, l.cmd.Span, l.cmd.Rounds)
	fmt.Printf("\n| WhoHeld | clients | ours p50 | ours p99 | by key p50 | by key p99 | ratio p50 | ratio p99 |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	ours, err := dialSeveral(func(int) (*grpc.ClientConn, error) { return l.dial(l.ledger, identity.Workflows, identity.Ledger) })
	if err != nil {
		return err
	}
	defer ours.close()
	base, err := dialSeveral(func(int) (*grpc.ClientConn, error) { return l.dial(l.keyed, identity.Workflows, identity.Ledger) })
	if err != nil {
		return err
	}
	defer base.close()
	plain := &keyed{db: l.db}
	for _, level := range []largeLevel{
		{"statement", l.statement, func(ctx context.Context, _, n int) error {
			_, err := plain.WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: l.first(n)})
			return err
		}},
		{"RPC", func(ctx context.Context, client, n int) error {
			number, at := l.question(n)
			_, err := ledgerv1.NewLedgerServiceClient(ours.of(client)).WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: digits(number, l.length(n)), At: timestamppb.New(at)})
			return err
		}, func(ctx context.Context, client, n int) error {
			_, err := ledgerv1.NewLedgerServiceClient(base.of(client)).WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: l.first(n)})
			return err
		}},
	} {
		for _, clients := range l.cmd.Clients {
			if err := l.compare(ctx, level, clients); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *large) compare(ctx context.Context, level largeLevel, clients int) error {
	var p [4][]float64 // ours p50, p99; base p50, p99
	for round := range l.cmd.Rounds {
		for side, ask := range []func(ctx context.Context, client, number int) error{level.ours, level.base} {
			r, err := pound(ctx, benchJob{Clients: clients, Span: l.cmd.Span, First: round << 24}, ask)
			if err != nil {
				return err
			}
			if r.Failed > 0 {
				return fmt.Errorf("%s: %s", level.name, r.Error)
			}
			p[2*side], p[2*side+1] = append(p[2*side], r.P50), append(p[2*side+1], r.P99)
		}
	}
	o50, o99, b50, b99 := median(p[0]), median(p[1]), median(p[2]), median(p[3])
	fmt.Printf("| %s | %d | %.3f ms | %.3f ms | %.3f ms | %.3f ms | %.2f | %.2f |\n", level.name, clients, o50, o99, b50, b99, o50/b50, o99/b99)
	return nil
}

// which is the resource that the n-th question is about: all of them come up, in no order.
func (l *large) which(n int) int64 {
	return int64(uint64(n) * 0x9E3779B97F4A7C15 >> 20 % uint64(l.cmd.Resources)) //nolint:gosec // both are positive
}

// question is a number and a time: half of them today's, the others of any day of the two years before.
func (l *large) question(n int) (number int64, at time.Time) {
	i, blocks := l.which(n), int64(l.cmd.Resources)*4/5
	number = 95000000 + i - blocks
	if i < blocks {
		number = 4000000000 + 10*i + int64(n%10)
	}
	at = time.Now()
	if n%2 == 1 {
		at = time.Date(2023, 1, 2, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n/2%720)
	}
	return number, at
}

func (l *large) length(n int) int {
	if l.which(n) < int64(l.cmd.Resources)*4/5 {
		return 10
	}
	return 8
}

// first is the key that the baseline has for the same resource.
func (l *large) first(n int) string {
	number, _ := l.question(n)
	if l.length(n) == 10 {
		number -= number % 10
	}
	return digits(number, l.length(n))
}

func digits(number int64, length int) string { return fmt.Sprintf("%0*d", length, number) }

// statement asks without a service between.
func (l *large) statement(ctx context.Context, _, n int) error {
	number, at := l.question(n)
	_, err := store.New(l.db).WhoHeld(ctx, store.WhoHeldParams{
		Scheme: ledger.National, Digits: int16(l.length(n)), Number: number, At: at, KnownAt: time.Unix(math.MaxInt32*4, 0), SeesAll: true, //nolint:gosec // 8 or 10
	})
	return err
}
