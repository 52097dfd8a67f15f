package ledger

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"quietline/internal/calendar"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/phone"
	"quietline/internal/rpc"
	"quietline/internal/tell"
	creditv1 "quietline/proto/quietline/credit/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
	"quietline/services/ledger/portability"
	"quietline/services/ledger/store"
)

// Config is what the service needs to run.
type Config struct {
	Listen          string `help:"Address to serve gRPC on." env:"QUIETLINE_LEDGER_LISTEN" default:"127.0.0.1:7503"`
	Database        string `help:"URL of the ledger's database, as role ledger." env:"QUIETLINE_LEDGER_DATABASE" required:""`
	Casework        string `help:"Address of the casework service, which is told of recalls and appeals after their commit; empty leaves them to its sweep." env:"QUIETLINE_LEDGER_CASEWORK"`
	Policy          string `help:"Folder with the deadlines and holidays of the programme, over the built-in ones; watched while running." env:"QUIETLINE_LEDGER_POLICY" type:"path"`
	Portability     string `help:"Table of ported numbers (携号转网): CSV with number, operator_id, from and to; read anew when it changes. Empty: only what operators have answered is known." env:"QUIETLINE_LEDGER_PORTABILITY" type:"path"`
	Places          string `help:"Table of mobile segments (号段归属地表) that goes before the built-in place data: CSV with prefix, province, city." env:"QUIETLINE_PLACES" type:"path"`
	Credit          string `help:"Address of the credit lists." env:"QUIETLINE_LEDGER_CREDIT" required:""`
	Formats         string `help:"Folder of further mapping files of ledger files, over the built-in ones." env:"QUIETLINE_LEDGER_FORMATS" type:"path"`
	Profile         string `help:"Clock of the deadlines of audit campaigns." env:"QUIETLINE_LEDGER_PROFILE" enum:"statutory,rehearsal" default:"statutory"`
	MigrateDatabase string `help:"URL of the same database as its owner, for migrations; without it, that of --database." env:"QUIETLINE_LEDGER_MIGRATE_DATABASE"`
}

// Run migrates the database and serves until ctx ends. Without a listener it listens on cfg.Listen.
func Run(ctx context.Context, cfg Config, src identity.Source, lis net.Listener) error {
	if err := calendar.Load(cfg.Policy); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if err := phone.LoadPlacesFile(cfg.Places); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	ports, err := sourceOf(cfg.Portability)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	db, err := pg.Start(ctx, cfg.MigrateDatabase, cfg.Database, store.Migrations, string(identity.Ledger))
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer db.Close()
	credit, err := rpc.Dial(cfg.Credit, identity.Credit, src)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer func() { _ = credit.Close() }()
	s := rpc.NewServer(src)
	server := New(db, creditv1.NewCreditServiceClient(credit), time.Now)
	server.ports = ports
	server.profile = cmp.Or(cfg.Profile, calendar.Statutory)
	if server.formats, err = format.Load(cfg.Formats); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	go pg.MaintainDaily(ctx, db, server.ClearLoads)
	teller, hangUp, err := tell.Dial(ctx, cfg.Casework, src)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer hangUp()
	server.tell = teller
	ledgerv1.RegisterLedgerServiceServer(s, server)
	return rpc.ListenAndServe(ctx, lis, cfg.Listen, s)
}

// sourceOf is the portability source that is configured.
func sourceOf(file string) (portability.Source, error) {
	if file == "" {
		return portability.None{}, nil
	}
	return portability.Open(file)
}
