package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/testkit"
	"quietline/services/ledger/store"
)

// An installation of the first release keeps its history: every resource is afterwards in the state that it was in before.
func TestMigrate_fromTheFirstRelease(t *testing.T) {
	owner, _ := testkit.EmptyDB(t, "ledger")
	db, _ := testkit.MigratedTo(t, owner, store.Migrations, 1)
	_, err := db.ExecContext(t.Context(), `
		INSERT INTO holder (holder_id, name, created_by) VALUES ('00000000-0000-7000-8000-000000000001', '甲', 'x');
		INSERT INTO resource SELECT format('00000000-0000-7000-8000-00000000010%s', n)::uuid FROM generate_series(1, 3) n;
		INSERT INTO allocation (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose, access_operator_id, valid_from, created_by)
		SELECT gen_random_uuid(), resource_id, '00000000-0000-7000-8000-000000000001', 'national', 5, 95500 + n, 95500 + n, '11', 'inbound', 'cmcc', '2026-01-01', 'x'
		  FROM (SELECT resource_id, row_number() OVER (ORDER BY resource_id) AS n FROM resource) r;
		INSERT INTO resource_event (resource_id, event, effect_time, done_by) SELECT resource_id, 'allocated', '2026-01-01', 'x' FROM resource;
		INSERT INTO resource_event (resource_id, event, reason_code, basis, nature, task_id, prior_notice, remedy, effect_time, done_by)
		SELECT resource_id, 'suspended', 'x', 'x', 'administrative_order', gen_random_uuid(), 'x', 'x', '2026-02-01', 'x' FROM resource WHERE resource_id::text !~ '1$';
		INSERT INTO resource_event (resource_id, event, effect_time, done_by) SELECT resource_id, 'resumed', '2026-03-01', 'x' FROM resource WHERE resource_id::text ~ '3$'`)
	if err != nil {
		t.Fatal(err)
	}
	if err := pg.Migrate(t.Context(), owner, store.Migrations, string(identity.Ledger)); err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(t.Context(), `SELECT right(resource_id::text, 1) || ' ' || event || ' ' || coalesce(state, '') FROM resource_event ORDER BY resource_id, event_id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
	}
	want := []string{"1 allocated ACTIVE", "2 allocated ACTIVE", "2 suspended SUSPENDED", "3 allocated ACTIVE", "3 suspended SUSPENDED", "3 resumed ACTIVE"}
	if diff := cmp.Diff(want, got); diff != "" || rows.Err() != nil {
		t.Errorf("%v (-want +got):\n%s", rows.Err(), diff)
	}
}
