package reporting

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file:///...

	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/phone"
	"quietline/internal/rpc"
	"quietline/internal/seal"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// Config is how the service runs.
type Config struct {
	Listen          string        `help:"Address to serve on." env:"QUIETLINE_REPORTING_LISTEN" default:"127.0.0.1:7501"`
	Database        string        `help:"URL of the database, as the role reporting." env:"QUIETLINE_REPORTING_DATABASE" required:""`
	MigrateDatabase string        `help:"URL of the database as its owner, for migrations; the other one by default." env:"QUIETLINE_REPORTING_MIGRATE_DATABASE"`
	CountEvery      time.Duration `help:"How often days are counted for the digest." env:"QUIETLINE_REPORTING_COUNT_EVERY" default:"10m"`
	Keys            string        `help:"Folder of the keysets for personal data; made when absent. Back it up apart from the database." env:"QUIETLINE_REPORTING_KEYS" required:""`
	Blob            string        `help:"Where the contents of evidence lie, sealed: file:///folder or another blob URL." env:"QUIETLINE_REPORTING_BLOB" required:""`
	Casework        string        `help:"Address of the workflows, asked to start complaints." env:"QUIETLINE_REPORTING_CASEWORK" required:""`
	Assignment      string        `help:"Address of the assignment service." env:"QUIETLINE_REPORTING_ASSIGNMENT" required:""`
	StartRate       int           `help:"Complaints a second that casework is asked to start; 0 starts none." env:"QUIETLINE_REPORTING_START_RATE" default:"40"`
	Formats         string        `help:"Folder of further mapping files of senders' formats." env:"QUIETLINE_REPORTING_FORMATS"`
	Places          string        `help:"Table of mobile segments (号段归属地表) that goes before the built-in place data: CSV with prefix, province, city." env:"QUIETLINE_PLACES" type:"path"`
}

// Run migrates the database and serves until ctx ends. A nil lis listens on cfg.Listen.
func Run(ctx context.Context, cfg Config, src identity.Source, lis net.Listener) error {
	if err := phone.LoadPlacesFile(cfg.Places); err != nil {
		return fmt.Errorf("reporting: %w", err)
	}
	keys, err := seal.Open(cfg.Keys)
	if err != nil {
		return err
	}
	evidence, err := openBlob(ctx, cfg.Blob)
	if err != nil {
		return err
	}
	defer func() { _ = evidence.Close() }()
	casework, err := rpc.Dial(cfg.Casework, identity.Workflows, src)
	if err != nil {
		return err
	}
	defer func() { _ = casework.Close() }()
	assignment, err := rpc.Dial(cfg.Assignment, identity.Assignment, src)
	if err != nil {
		return err
	}
	defer func() { _ = assignment.Close() }()
	db, err := pg.Start(ctx, cfg.MigrateDatabase, cfg.Database, store.Migrations, string(identity.Reporting))
	if err != nil {
		return err
	}
	defer db.Close()

	starter := newStarter(caseworkv1.NewCaseworkServiceClient(casework), cfg.StartRate)
	server, err := New(db, Deps{
		Keys: keys, Starter: starter, Assignment: assignmentv1.NewAssignmentServiceClient(assignment), Evidence: evidence, Formats: cfg.Formats,
	})
	if err != nil {
		return err
	}
	go pg.MaintainDaily(ctx, db, server.MaintainMarks)
	go starter.run(ctx)
	go server.book().Keep(ctx, cfg.CountEvery)
	s := rpc.NewServer(src)
	reportingv1.RegisterReportingServiceServer(s, server)
	return rpc.ListenAndServe(ctx, lis, cfg.Listen, s)
}

// openBlob opens the store of evidence; a folder is made when it is not there, for its owner only.
func openBlob(ctx context.Context, address string) (*blob.Bucket, error) {
	if u, err := url.Parse(address); err == nil && u.Scheme == "file" {
		if err := os.MkdirAll(u.Path, 0o700); err != nil {
			return nil, fmt.Errorf("evidence store: %w", err)
		}
		// files are renamed into place, so they are begun beside it: the machine's temporary folder may be another disk
		q := u.Query()
		q.Set("no_tmp_dir", "true")
		q.Set("metadata", "skip") // the row describes the file
		u.RawQuery = q.Encode()
		address = u.String()
	}
	b, err := blob.OpenBucket(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("evidence store: %w", err)
	}
	return b, nil
}
