package assignment

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"

	"quietline/internal/calendar"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/rpc"
	"quietline/internal/seal"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// Role is the database role that the running service connects as.
const Role = "assignment"

// Config is what the service needs to know.
type Config struct {
	Listen          string        `help:"Address to serve gRPC on." env:"QUIETLINE_ASSIGNMENT_LISTEN" default:"127.0.0.1:7502"`
	Database        string        `help:"PostgreSQL URL of the service's own role." env:"QUIETLINE_ASSIGNMENT_DATABASE" required:""`
	MigrateDatabase string        `help:"PostgreSQL URL of the database's owner, for migrations. Empty: as Database." env:"QUIETLINE_ASSIGNMENT_MIGRATE_DATABASE"`
	CountEvery      time.Duration `help:"How often days are counted for the digest." env:"QUIETLINE_ASSIGNMENT_COUNT_EVERY" default:"10m"`
	Keys            string        `help:"Directory of the keysets that seal names of natural persons; made when absent." env:"QUIETLINE_ASSIGNMENT_KEYS" required:"" type:"path"`
	Policy          string        `help:"Folder with the deadlines and holidays of the programme, over the built-in ones; watched while running." env:"QUIETLINE_ASSIGNMENT_POLICY" type:"path"`
	Lexicon         string        `help:"Directory with the classifier's lexicon. Empty: the built-in one." env:"QUIETLINE_ASSIGNMENT_LEXICON" type:"path"`
}

// Run migrates the database and serves until ctx ends. A nil listener means Listen.
func Run(ctx context.Context, cfg Config, src identity.Source, lis net.Listener) (err error) {
	defer func() {
		if err != nil && lis != nil {
			_ = lis.Close() // again when serving failed: harmless
		}
	}()
	if err := calendar.Load(cfg.Policy); err != nil {
		return fmt.Errorf("assignment: %w", err)
	}
	keys, err := seal.Open(cfg.Keys)
	if err != nil {
		return fmt.Errorf("assignment: %w", err)
	}
	db, err := pg.Start(ctx, cfg.MigrateDatabase, cfg.Database, store.Migrations, Role)
	if err != nil {
		return fmt.Errorf("assignment: %w", err)
	}
	defer db.Close()
	if err := sealAddresses(ctx, cmp.Or(cfg.MigrateDatabase, cfg.Database), keys); err != nil {
		return fmt.Errorf("assignment: addresses of before: %w", err)
	}
	s, err := New(ctx, db, keys, cfg.lexicon(), time.Now)
	if err != nil {
		return fmt.Errorf("assignment: %w", err)
	}
	go s.MaintainDaily(ctx)
	go s.book().Keep(ctx, cfg.CountEvery)
	server := rpc.NewServer(src)
	s.Register(server)
	return rpc.ListenAndServe(ctx, lis, cfg.Listen, server)
}

// Register puts the service on a server.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	assignmentv1.RegisterAssignmentServiceServer(r, s)
}

func (c *Config) lexicon() fs.FS {
	if c.Lexicon == "" {
		return BuiltinLexicon()
	}
	return os.DirFS(c.Lexicon)
}
