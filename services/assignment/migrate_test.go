package assignment

import (
	"testing"
	"time"

	"quietline/internal/pg"
	"quietline/internal/testkit"
	"quietline/services/assignment/store"
)

// An installation of the first release keeps what it loaded and how it routed: the second table begins when it is migrated, and
// not at all where it has a table of its own.
func TestMigrate_fromTheFirstRelease(t *testing.T) {
	const (
		aTask = `INSERT INTO task (task_id, subject_kind, subject_id, workflow_id, step, agency_id, role, outcomes, due_time, open_time)
			VALUES (gen_random_uuid(), 'complaint', gen_random_uuid(), 'x', 'fact_check', 'nfra-44', 'CASEWORKER', '{concluded}', now(), now())`
		ownTable = `INSERT INTO routing_table (version, valid_from, loaded_by) VALUES ('2026-1', '2026-03-01', 'somebody');
			INSERT INTO routing_rule (version, ordinal, rule_id, condition, lead) VALUES ('2026-1', 1, 'rest', 'true', 'samr')`
		ownAgency = `INSERT INTO agency (agency_id, valid, name, kind, assignable, source) VALUES ('mot', tstzrange('2020-01-01', NULL), '交通运输部', 'ministry', true, 'x')`
		force     = `SELECT t.version || ' ' || (SELECT count(*) FROM routing_rule r WHERE r.version = t.version) FROM routing_table t
			WHERE t.valid_from <= $1::timestamptz ORDER BY valid_from DESC LIMIT 1`
	)
	for name, tc := range map[string]struct {
		before, at, want string
	}{
		"an empty one":          {"SELECT 1", "2026-10-02", "2026-1 29"},
		"what was routed stays": {aTask, time.Now().Add(-time.Hour).Format(time.RFC3339), "2018-1 14"},
		"from now on":           {aTask, "2126-10-02", "2026-1 29"},
		"a table of its own":    {ownTable, "2126-10-02", "2026-1 1"},
		"an agency of its own":  {ownAgency, "2026-10-02", "2026-1 29"},
	} {
		t.Run(name, func(t *testing.T) {
			owner, _ := testkit.EmptyDB(t, Role)
			db, p := testkit.MigratedTo(t, owner, store.Migrations, 3)
			if _, err := db.ExecContext(t.Context(), tc.before); err != nil {
				t.Fatal(err)
			}
			if err := pg.Migrate(t.Context(), owner, store.Migrations, Role); err != nil {
				t.Fatal(err)
			}
			var got string
			if err := db.QueryRowContext(t.Context(), force, tc.at).Scan(&got); err != nil || got != tc.want {
				t.Errorf("in force: %q, %v, want %q", got, err, tc.want)
			}
			var mot int
			if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM agency WHERE agency_id ~ '^mot(-|$)'").Scan(&mot); err != nil || mot != 32 {
				t.Errorf("%d rows of the ministry of transport and its bodies (%v), want 32", mot, err)
			}
			if _, err := p.DownTo(t.Context(), 4); err != nil { // and the way back
				t.Error(err)
			}
		})
	}
}
