package disclosure

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/rpc"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// Config is what the service needs to run.
type Config struct {
	Listen          string `help:"Address to serve gRPC on." env:"QUIETLINE_DISCLOSURE_LISTEN" default:"127.0.0.1:7506"`
	Database        string `help:"URL of disclosure's database, as role disclosure." env:"QUIETLINE_DISCLOSURE_DATABASE" required:""`
	MigrateDatabase string `help:"URL of the same database as its owner, for migrations; without it, that of --database." env:"QUIETLINE_DISCLOSURE_MIGRATE_DATABASE"`
	Profile         string `help:"statutory, or rehearsal: the digest of a month that is not over may be drafted and released." env:"QUIETLINE_DISCLOSURE_PROFILE" enum:"statutory,rehearsal" default:"statutory"`
}

// Run migrates the database and serves until ctx ends. Without a listener it listens on cfg.Listen.
func Run(ctx context.Context, cfg Config, src identity.Source, lis net.Listener) error {
	if err := pg.Migrate(ctx, cmp.Or(cfg.MigrateDatabase, cfg.Database), store.Migrations, string(identity.Disclosure)); err != nil {
		return fmt.Errorf("disclosure: %w", err)
	}
	db, err := pg.Open(ctx, cfg.Database)
	if err != nil {
		return fmt.Errorf("disclosure: %w", err)
	}
	defer db.Close()
	go pg.MaintainDaily(ctx, db)
	if lis == nil {
		if lis, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen); err != nil {
			return fmt.Errorf("disclosure: %w", err)
		}
	}
	s, server := rpc.NewServer(src), New(db, time.Now)
	server.rehearsal = cfg.Profile == "rehearsal"
	go server.announceEnds(ctx)
	disclosurev1.RegisterDisclosureServiceServer(s, server)
	return rpc.Serve(ctx, lis, s)
}
