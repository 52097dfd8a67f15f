package pg_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"quietline/internal/pg"
	"quietline/internal/testkit"
)

func TestMigrate_manyReplicasAtOnce(t *testing.T) {
	owner, service := testkit.EmptyDB(t, "credit")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := pg.Migrate(t.Context(), owner, none, "credit"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	db, err := pg.Open(t.Context(), service)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := pg.Once(t.Context(), db, newRequest(), func(pgx.Tx) (*response, error) { return &response{}, nil }); err != nil {
		t.Errorf("the service's role cannot use Once: %v", err)
	}
	if _, err := db.Exec(t.Context(), "DELETE FROM request"); err == nil {
		t.Error("the service's role may delete what was remembered")
	}
	if err := pg.Maintain(t.Context(), db); err != nil {
		t.Errorf("the service's role cannot maintain: %v", err)
	}
}

func TestMigrate_refusesADatabaseOfANewerVersion(t *testing.T) {
	owner, _ := testkit.EmptyDB(t, "credit")
	if err := pg.Migrate(t.Context(), owner, none, "credit"); err != nil {
		t.Fatal(err)
	}
	db, err := pg.Open(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(t.Context(), "INSERT INTO quietline_plumbing_version (version_id, is_applied) VALUES (99, true)"); err != nil {
		t.Fatal(err)
	}
	err = pg.Migrate(t.Context(), owner, none, "credit")
	if !errors.Is(err, pg.ErrNewerDatabase) || !strings.Contains(err.Error(), "schema 99") {
		t.Errorf("got %v", err)
	}
}

func TestMaintain_dropsWhatIsOlderThan90Days(t *testing.T) {
	db := testkit.DB(t, "credit", none)
	owner := testkit.Owner(t, db)
	_, err := owner.Exec(t.Context(), `
		CREATE TABLE request_2020_01 PARTITION OF request FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
		ALTER TABLE request_2020_01 OWNER TO credit_owner;
		DO $$ BEGIN EXECUTE format('DROP TABLE request_%s', to_char(now() + interval '2 months', 'YYYY_MM')); END $$`)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := pg.Maintain(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	var old, all int
	err = db.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE relname = 'request_2020_01'), count(*)
		FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'request'::regclass AND relkind = 'r'`).Scan(&old, &all)
	if err != nil || old != 0 || all != 3 {
		t.Errorf("%d old of %d partitions, %v", old, all, err)
	}
}
