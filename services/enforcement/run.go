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
	"quietline/internal/tell"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// Config is what the service needs to run.
type Config struct {
	Listen          string        `help:"Address to serve gRPC on." env:"QUIETLINE_ENFORCEMENT_LISTEN" default:"127.0.0.1:7505"`
	Database        string        `help:"URL of enforcement's database, as role enforcement." env:"QUIETLINE_ENFORCEMENT_DATABASE" required:""`
	MigrateDatabase string        `help:"URL of the same database as its owner, for migrations; without it, that of --database." env:"QUIETLINE_ENFORCEMENT_MIGRATE_DATABASE"`
	CountEvery      time.Duration `help:"How often days are counted for the digest." env:"QUIETLINE_ENFORCEMENT_COUNT_EVERY" default:"10m"`
	Policy          string        `help:"Folder with the deadlines and holidays of the programme, over the built-in ones; watched while running." env:"QUIETLINE_ENFORCEMENT_POLICY" type:"path"`
	Casework        string        `help:"Address of the casework service, which is told of cases that changed after their commit; empty leaves them to its sweep." env:"QUIETLINE_ENFORCEMENT_CASEWORK"`
	Profile         string        `help:"Clock of the terms of parties." env:"QUIETLINE_ENFORCEMENT_PROFILE" enum:"statutory,rehearsal" default:"statutory"`
	Keys            string        `help:"Directory of the keysets that seal names of natural persons; made when absent." env:"QUIETLINE_ENFORCEMENT_KEYS" required:""`
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
	db, err := pg.Start(ctx, cfg.MigrateDatabase, cfg.Database, store.Migrations, string(identity.Enforcement))
	if err != nil {
		return fmt.Errorf("enforcement: %w", err)
	}
	defer db.Close()
	if err := sealAddresses(ctx, cmp.Or(cfg.MigrateDatabase, cfg.Database), keys); err != nil {
		return fmt.Errorf("enforcement: addresses of before: %w", err)
	}
	go pg.MaintainDaily(ctx, db)
	s := rpc.NewServer(src)
	service := New(db, keys, time.Now)
	service.profile = cmp.Or(cfg.Profile, calendar.Statutory)
	teller, hangUp, err := tell.Dial(ctx, cfg.Casework, src)
	if err != nil {
		return fmt.Errorf("enforcement: %w", err)
	}
	defer hangUp()
	service.tell = teller
	go service.settleDemands(ctx)
	go service.countDays(ctx)
	go service.book().Keep(ctx, cfg.CountEvery)
	enforcementv1.RegisterEnforcementServiceServer(s, service)
	return rpc.ListenAndServe(ctx, lis, cfg.Listen, s)
}
