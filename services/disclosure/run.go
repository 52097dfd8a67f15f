package disclosure

import (
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
	db, err := pg.Start(ctx, cfg.MigrateDatabase, cfg.Database, store.Migrations, string(identity.Disclosure))
	if err != nil {
		return fmt.Errorf("disclosure: %w", err)
	}
	defer db.Close()
	go pg.MaintainDaily(ctx, db)
	s, server := rpc.NewServer(src), New(db, time.Now)
	server.rehearsal = cfg.Profile == "rehearsal"
	go server.announceEnds(ctx)
	disclosurev1.RegisterDisclosureServiceServer(s, server)
	return rpc.ListenAndServe(ctx, lis, cfg.Listen, s)
}
