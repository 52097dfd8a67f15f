package testkit

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"quietline/internal/pg"
)

// DB is a fresh, migrated database of a service, connected to as the service's own role. It is gone after the test.
func DB(t testing.TB, service string, files embed.FS) *pgxpool.Pool {
	t.Helper()
	s := instance(t)
	ctx := t.Context()
	admin := connect(t, s, "postgres")
	template, err := s.template(ctx, admin, service, files)
	if err != nil {
		t.Fatalf("testkit: template of %s: %v", service, err)
	}
	name := "t_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	create(t, admin, name, service, template)
	t.Cleanup(func() { s.drop(t, name) })
	return open(t, s.url(service, name))
}

// Owner is a pool of the same database with a superuser's rights, for looking and meddling where the service may not.
func Owner(t testing.TB, db *pgxpool.Pool) *pgxpool.Pool {
	t.Helper()
	return open(t, instance(t).url(superuser, db.Config().ConnConfig.Database))
}

// EmptyDB is a fresh database without any tables, with its owner's URL and the URL of the service's role.
func EmptyDB(t testing.TB, service string) (ownerURL, serviceURL string) {
	t.Helper()
	s := instance(t)
	admin := connect(t, s, "postgres")
	if err := roles(t.Context(), admin, service); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	name := "t_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	create(t, admin, name, service, "template1")
	t.Cleanup(func() { s.drop(t, name) })
	return s.url(service+"_owner", name), s.url(service, name)
}

func open(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	db, err := pg.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(db.Close)
	return db
}

func connect(t testing.TB, s *server, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.url(superuser, database))
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func create(t testing.TB, admin *pgx.Conn, name, service, template string) {
	t.Helper()
	if err := createDB(t.Context(), admin, name, service, template); err != nil {
		t.Fatalf("testkit: clone: %v", err)
	}
}

func createDB(ctx context.Context, admin *pgx.Conn, name, service, template string) error {
	_, err := admin.Exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s OWNER %s",
		quote(name), quote(template), quote(service+"_owner")))
	return err
}

// drop has a context of its own: the test's has ended.
func (s *server) drop(t testing.TB, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url(superuser, "postgres"))
	if err != nil {
		t.Errorf("testkit: drop %s: %v", name, err)
		return
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
		t.Errorf("testkit: drop %s: %v", name, err)
	}
}

// template is the migrated database that tests of a service clone: made by the first, for all processes.
func (s *server) template(ctx context.Context, admin *pgx.Conn, service string, files embed.FS) (string, error) {
	sum, err := digest(files)
	if err != nil {
		return "", err
	}
	name := "tpl_" + service + "_" + sum
	lock := int64(fnv64(name))
	if _, err := admin.Exec(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
		return "", err
	}
	defer admin.Exec(ctx, "SELECT pg_advisory_unlock($1)", lock) //nolint:errcheck // the connection's end unlocks as well
	var exists bool
	if err := admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil || exists {
		return name, err
	}
	if err := roles(ctx, admin, service); err != nil {
		return "", err
	}
	// Migrated under another name first, so that a half-done template is never cloned.
	raw := name + "_new"
	if _, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(raw)); err != nil {
		return "", err
	}
	if err := createDB(ctx, admin, raw, service, "template1"); err != nil {
		return "", err
	}
	if err := pg.Migrate(ctx, s.url(service+"_owner", raw), files, service); err != nil {
		return "", err
	}
	_, err = admin.Exec(ctx, "ALTER DATABASE "+quote(raw)+" RENAME TO "+quote(name))
	return name, err
}

// roles makes a service's two roles as an installation does.
func roles(ctx context.Context, admin *pgx.Conn, service string) error {
	for _, role := range []string{service, service + "_owner"} {
		_, err := admin.Exec(ctx, "CREATE ROLE "+quote(role)+" LOGIN")
		var e *pgconn.PgError
		if errors.As(err, &e) && (e.Code == "42710" || e.Code == "23505") { // another process made it
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// digest tells templates apart: migrations that changed get a new one.
func digest(files embed.FS) (string, error) {
	h := sha256.New()
	for _, fsys := range []embed.FS{files, pg.Migrations()} {
		err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := fsys.ReadFile(path)
			fmt.Fprintf(h, "%s %d\n%s", path, len(data), data)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

func fnv64(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
