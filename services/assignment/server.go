package assignment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"quietline/internal/pg"
	"quietline/internal/seal"
	"quietline/services/assignment/store"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// Server implements assignmentv1.AssignmentServiceServer.
type Server struct {
	assignmentv1.UnsafeAssignmentServiceServer // a missing RPC does not compile

	db      *pgxpool.Pool
	keys    *seal.Keys // of names of natural persons
	now     func() time.Time
	words   *lexicon
	hash    hasher                    // of features, under the service's key
	learned atomic.Pointer[inForce]   // good while its model is the database's
	current atomic.Pointer[directory] // good while its revision is the database's
	tables  sync.Map                  // version -> *table; versions never change
}

// New makes the service on its database; keys seal the names of natural persons. The lexicon's files are BuiltinLexicon or
// ones of the same form.
func New(ctx context.Context, db *pgxpool.Pool, keys *seal.Keys, lexicon fs.FS, now func() time.Time) (*Server, error) {
	words, err := loadLexicon(lexicon)
	if err != nil {
		return nil, err
	}
	s := &Server{db: db, keys: keys, now: now, words: words, hash: hashUnder(keys)}
	v, err := s.directory(ctx, now())
	if err != nil {
		return nil, err
	}
	if err := v.check(); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	return s, nil
}

// directory is the directory as of a time, never older than the last change that was committed.
func (s *Server) directory(ctx context.Context, at time.Time) (view, error) {
	revision, err := store.New(s.db).DirectoryRevision(ctx)
	if err != nil {
		return view{}, fmt.Errorf("directory revision: %w", err)
	}
	d, err := s.directoryOf(ctx, revision)
	if err != nil {
		return view{}, err
	}
	return d.at(at), nil
}

// recent is the directory as this process last read it, for checks on the hot path; what it does not know is looked
// for again.
func (s *Server) recent(ctx context.Context, id string) (view, error) {
	if d := s.current.Load(); d != nil && d.knows(id) {
		return d.at(s.now()), nil
	}
	return s.directory(ctx, s.now())
}

func (s *Server) directoryOf(ctx context.Context, revision int64) (*directory, error) {
	if d := s.current.Load(); d != nil && d.revision >= revision {
		return d, nil
	}
	var d *directory
	// One snapshot, so that rows and revision belong together.
	err := pgx.BeginTxFunc(ctx, s.db, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var err error
		d, err = readDirectory(ctx, store.New(tx))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	s.current.Store(d)
	return d, nil
}

// readDirectory reads the directory with its revision; the caller sees to it that both are of one snapshot.
func readDirectory(ctx context.Context, q *store.Queries) (*directory, error) {
	revision, err := q.DirectoryRevision(ctx)
	if err != nil {
		return nil, fmt.Errorf("directory revision: %w", err)
	}
	rows, err := q.Directory(ctx)
	if err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	agencies := make([]agency, len(rows))
	for i := range rows {
		agencies[i] = agencyOf(&rows[i])
	}
	return newDirectory(revision, agencies), nil
}

// table is the decision table in force at a time with the directory of that time.
func (s *Server) table(ctx context.Context, at time.Time) (*table, view, error) {
	q := store.New(s.db)
	in, err := q.RoutingVersion(ctx, at)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, view{}, noTable(at)
	}
	if err != nil {
		return nil, view{}, fmt.Errorf("routing version: %w", err)
	}
	d, err := s.directoryOf(ctx, in.Revision)
	if err != nil {
		return nil, view{}, err
	}
	if t, ok := s.tables.Load(in.Version); ok {
		compiled, _ := t.(*table)
		return compiled, d.at(at), nil
	}
	rules, err := rulesOfVersion(ctx, q, in.Version)
	if err != nil {
		return nil, view{}, err
	}
	t, err := compileTable(in.Version, rules, d, costInForce)
	if err != nil {
		return nil, view{}, fmt.Errorf("routing table %s: %w", in.Version, err)
	}
	s.tables.Store(in.Version, t)
	return t, d.at(at), nil
}

// policy is a programme's value in force at a time.
func (s *Server) policy(ctx context.Context, db store.DBTX, name string, at time.Time) (float64, error) {
	value, err := store.New(db).Policy(ctx, store.PolicyParams{Name: name, At: at})
	if err != nil {
		return 0, fmt.Errorf("policy %s: %w", name, err)
	}
	return value, nil
}

// policyMinutes is a policy that is a span in minutes.
func (s *Server) policyMinutes(ctx context.Context, db store.DBTX, name string, at time.Time) (time.Duration, error) {
	minutes, err := s.policy(ctx, db, name, at)
	return time.Duration(minutes * float64(time.Minute)), err
}

// MaintainDaily keeps the database tidy until ctx ends.
func (s *Server) MaintainDaily(ctx context.Context) {
	pg.MaintainDaily(ctx, s.db, s.trimChanges, s.trimFeatures)
}

// trimChanges deletes changes older than 90 days from the feed, some at a time.
func (s *Server) trimChanges(ctx context.Context) error {
	for {
		gone, err := store.New(s.db).TrimChanges(ctx)
		if err != nil {
			return fmt.Errorf("trim the feed of changes: %w", err)
		}
		if gone == 0 {
			return nil
		}
	}
}
