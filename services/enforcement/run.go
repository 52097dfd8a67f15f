package enforcement

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
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// Config is what the service needs to run.
type Config struct {
	Listen          string `help:"Address to serve gRPC on." env:"QUIETLINE_ENFORCEMENT_LISTEN" default:"127.0.0.1:7505"`
	Database        string `help:"URL of enforcement's database, as role enforcement." env:"QUIETLINE_ENFORCEMENT_DATABASE" required:""`
	MigrateDatabase string `help:"URL of the same database as its owner, for migrations; without it, that of --database." env:"QUIETLINE_ENFORCEMENT_MIGRATE_DATABASE"`
	Policy          string `help:"Folder with the deadlines and holidays of the programme, over the built-in ones; watched while running." env:"QUIETLINE_ENFORCEMENT_POLICY" type:"path"`
	Keys            string `help:"Directory of the keysets that seal names of natural persons; made when absent." env:"QUIETLINE_ENFORCEMENT_KEYS" required:""`
}

// Run migrates the database and serves until ctx ends. Without a listener it listens on cfg.Listen.
func Run(ctx context.Context, cfg Config, src identity.Source, lis net.Listener) error {
	if err := calendar.Load(cfg.Policy); err != nil {
		return fmt.Errorf("enforcement: %w", err)
	}
	keys, err := seal.Open(cfg.Keys)
	if err != nil {
		return fmt.Errorf("enforcement: %w", err)
	}
	if err := pg.Migrate(ctx, cmp.Or(cfg.MigrateDatabase, cfg.Database), store.Migrations, string(identity.Enforcement)); err != nil {
		return fmt.Errorf("enforcement: %w", err)
	}
	db, err := pg.Open(ctx, cfg.Database)
	if err != nil {
		return fmt.Errorf("enforcement: %w", err)
	}
	defer db.Close()
	go pg.MaintainDaily(ctx, db)
	if lis == nil {
		if lis, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen); err != nil {
			return fmt.Errorf("enforcement: %w", err)
		}
	}
	s := rpc.NewServer(src)
	enforcementv1.RegisterEnforcementServiceServer(s, New(db, keys, time.Now))
	return rpc.Serve(ctx, lis, s)
}
