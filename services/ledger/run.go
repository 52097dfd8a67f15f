package ledger

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/rpc"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// Config is what the service needs to run.
type Config struct {
	Listen          string `help:"Address to serve gRPC on." env:"QUIETLINE_LEDGER_LISTEN" default:"127.0.0.1:7503"`
	Database        string `help:"URL of the ledger's database, as role ledger." env:"QUIETLINE_LEDGER_DATABASE" required:""`
	MigrateDatabase string `help:"URL of the same database as its owner, for migrations; without it, that of --database." env:"QUIETLINE_LEDGER_MIGRATE_DATABASE"`
}

// Run migrates the database and serves until ctx ends. Without a listener it listens on cfg.Listen.
func Run(ctx context.Context, cfg Config, src identity.Source, lis net.Listener) error {
	if err := pg.Migrate(ctx, cmp.Or(cfg.MigrateDatabase, cfg.Database), store.Migrations, string(identity.Ledger)); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	db, err := pg.Open(ctx, cfg.Database)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer db.Close()
	go pg.MaintainDaily(ctx, db)
	if lis == nil {
		if lis, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	s := rpc.NewServer(src)
	ledgerv1.RegisterLedgerServiceServer(s, New(db, time.Now))
	return rpc.Serve(ctx, lis, s)
}
