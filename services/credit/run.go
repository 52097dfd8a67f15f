package credit

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"quietline/internal/calendar"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/rpc"
	"quietline/internal/seal"
	"quietline/internal/tell"
	creditv1 "quietline/proto/quietline/credit/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/credit/store"
)

// Config is what the service needs to run.
type Config struct {
	Listen          string `help:"Address to serve gRPC on." env:"QUIETLINE_CREDIT_LISTEN" default:"127.0.0.1:7504"`
	Database        string `help:"URL of the credit lists' database, as role credit." env:"QUIETLINE_CREDIT_DATABASE" required:""`
	MigrateDatabase string `help:"URL of the same database as its owner, for migrations; without it, that of --database." env:"QUIETLINE_CREDIT_MIGRATE_DATABASE"`
	Keys            string `help:"Directory of the keysets that seal what parties and officers write; made when absent." env:"QUIETLINE_CREDIT_KEYS" required:""`
	Policy          string `help:"Folder with the deadlines and holidays of the programme, over the built-in ones; watched while running." env:"QUIETLINE_CREDIT_POLICY" type:"path"`
	Profile         string `help:"How long terms really last: statutory or rehearsal." env:"QUIETLINE_CREDIT_PROFILE" enum:"statutory,rehearsal" default:"statutory"`
	Ledger          string `help:"Where the ledger answers, which knows who holds a licence; without it, casework finds out after a proposal." env:"QUIETLINE_CREDIT_LEDGER"`
	Casework        string `help:"Where casework answers, which drives proposals and repairs; without it, its sweep finds them." env:"QUIETLINE_CREDIT_CASEWORK"`
}

// Run migrates the database and serves until ctx ends. Without a listener it listens on cfg.Listen.
func Run(ctx context.Context, cfg Config, src identity.Source, lis net.Listener) error {
	if err := calendar.Load(cfg.Policy); err != nil {
		return fmt.Errorf("credit: %w", err)
	}
	keys, err := seal.Open(cfg.Keys)
	if err != nil {
		return fmt.Errorf("credit: %w", err)
	}
	db, err := pg.Start(ctx, cfg.MigrateDatabase, cfg.Database, store.Migrations, string(identity.Credit))
	if err != nil {
		return fmt.Errorf("credit: %w", err)
	}
	defer db.Close()
	go pg.MaintainDaily(ctx, db)
	credit := New(db, keys, time.Now)
	credit.profile = cmp.Or(cfg.Profile, calendar.Statutory)
	teller, hangUp, err := tell.Dial(ctx, cfg.Casework, src)
	if err != nil {
		return fmt.Errorf("credit: %w", err)
	}
	defer hangUp()
	credit.tell = teller
	if cfg.Ledger != "" {
		conn, err := rpc.Dial(cfg.Ledger, identity.Ledger, src)
		if err != nil {
			return fmt.Errorf("credit: %w", err)
		}
		defer func() { _ = conn.Close() }()
		credit.ledger = ledgerv1.NewLedgerServiceClient(conn)
	}
	go credit.hub.run(ctx)
	s := rpc.NewServer(src)
	creditv1.RegisterCreditServiceServer(s, credit)
	return rpc.ListenAndServe(ctx, lis, cfg.Listen, s)
}
