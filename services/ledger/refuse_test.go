package ledger

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"quietline/internal/pg"
	"quietline/internal/testkit"
	"quietline/services/ledger/store"
)

func newHolder(t *testing.T, db *pgxpool.Pool) string {
	id := uuid.NewString()
	if err := store.New(db).InsertHolder(t.Context(), store.InsertHolderParams{HolderID: id, Name: "甲", CreatedBy: "test"}); err != nil {
		t.Fatal(err)
	}
	return id
}

// TestTheDatabaseRefuses tries as the service's own role what must never happen.
func TestTheDatabaseRefuses(t *testing.T) {
	db := testkit.DB(t, "ledger", store.Migrations)
	ctx := t.Context()
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	resource, allocation := uuid.NewString(), uuid.NewString()
	q := store.New(db)
	if err := q.InsertResource(ctx, resource); err != nil {
		t.Fatal(err)
	}
	err := q.InsertAllocation(ctx, store.InsertAllocationParams{
		AllocationID: allocation, ResourceID: resource, HolderID: newHolder(t, db), Scheme: National, Digits: 5,
		FirstNumber: 95588, LastNumber: 95588, AccessProvince: "11", Purpose: "test", PermittedCallers: []string{},
		AccessOperatorID: "cmcc", Evidence: []string{}, ValidFrom: epoch, CreatedBy: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, sql, code string }{
		{"change of the holder", "UPDATE allocation SET holder_id = gen_random_uuid()", "42501"},
		{"change of the valid time", "UPDATE allocation SET valid_to = now()", "42501"},
		{"closing in the past", "UPDATE allocation SET known_to = now() - interval '1 microsecond'", "23001"},
		{"closing in the future", "UPDATE allocation SET known_to = 'infinity'", "23001"},
		{"an approval without its reason", "INSERT INTO allocation (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose, access_operator_id, valid_from, approval_document, created_by) SELECT gen_random_uuid(), resource_id, holder_id, scheme, 5, 95599, 95599, '11', 'x', 'x', now(), 'doc', 'x' FROM allocation", "23514"},
		{"a purpose changed without a decision", "INSERT INTO resource_event (resource_id, event, effect_time, done_by) VALUES ('" + resource + "', 'purpose_changed', now(), 'x')", "23514"},
		{"a sublet without approval", "INSERT INTO sublet (sublet_id, resource_id, lessor_id, lessee_id, digits, first_number, last_number, purpose, document, valid_from, created_by) SELECT gen_random_uuid(), resource_id, holder_id, gen_random_uuid(), 5, 95588, 95588, 'x', '', now(), 'x' FROM allocation", "23514"},
		{"a change of policy", "UPDATE allocation_policy SET valid_to = now()", "42501"},
		{"deletion", "DELETE FROM allocation", "42501"},
		{"deletion of history", "DELETE FROM resource_event", "42501"},
		{"change of history", "UPDATE resource_event SET event = 'resumed'", "42501"},
		{"entry in the past", "INSERT INTO resource_event (resource_id, event, effect_time, recorded_time, done_by) VALUES ('" + resource + "', 'resumed', now(), now(), 'x')", "42501"},
		{"suspension without ground", "INSERT INTO resource_event (resource_id, event, effect_time, done_by) VALUES ('" + resource + "', 'suspended', now(), 'x')", "23514"},
		{"number too long", "INSERT INTO allocation (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose, access_operator_id, valid_from, created_by) SELECT gen_random_uuid(), resource_id, holder_id, scheme, 5, 100000, 100000, '11', 'x', 'x', now(), 'x' FROM allocation", "23514"},
	} {
		if _, err := db.Exec(ctx, c.sql); pg.Code(err) != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := db.Exec(ctx, "UPDATE allocation SET known_to = now()"); err != nil {
		t.Errorf("a correction is refused: %v", err)
	}
	if _, err := db.Exec(ctx, "UPDATE allocation SET known_to = now()"); pg.Code(err) != "23001" {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := testkit.Owner(t, db).Exec(ctx, "UPDATE allocation SET purpose = 'other'"); pg.Code(err) != "23001" {
		t.Errorf("not even the owner changes an allocation: %v", err)
	}
}
