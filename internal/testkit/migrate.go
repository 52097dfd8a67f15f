package testkit

import (
	"database/sql"
	"embed"
	"io/fs"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that goose migrates by
	"github.com/pressly/goose/v3"
)

// MigratedTo brings an empty database to a version of before, as its owner: what is migrated further shows what becomes of
// the rows of then.
func MigratedTo(t *testing.T, ownerURL string, files embed.FS, version int64) (*sql.DB, *goose.Provider) {
	t.Helper()
	db, err := sql.Open("pgx", ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	migrations, err := fs.Sub(files, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return db, p
}
