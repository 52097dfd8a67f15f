package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// TestKnownTimeStays: an answer that was given while a writing was under way is given again after it, by the known_time that
// came with it.
func TestKnownTimeStays(t *testing.T) {
	w := newWorld(t)
	if _, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
		r.HolderId, r.FirstNumber, r.PermittedCallers = w.holder(t, "甲", "").GetHolderId(), "4008000001", nil
	}); err != nil {
		t.Fatal(err)
	}
	ask := func(known *timestamppb.Timestamp, at *timestamppb.Timestamp) *ledgerv1.WhoHeldResponse {
		t.Helper()
		got, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "4008000001", At: at, KnownAt: known})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	tx, err := w.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var asked time.Time
	if err := tx.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&asked); err != nil { // the transaction has begun
		t.Fatal(err)
	}
	at := timestamppb.Now()
	before := ask(timestamppb.New(asked.Add(time.Hour)), at)
	if before.GetKnownTime() == nil || !before.GetKnownTime().AsTime().Before(asked) {
		t.Errorf("known_time %v while a writing is under way since %v", before.GetKnownTime().AsTime(), asked)
	}
	if _, err := tx.Exec(t.Context(), `WITH closed AS (UPDATE allocation SET known_to = now() WHERE known_to IS NULL RETURNING *)
		INSERT INTO allocation (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose,
		       permitted_callers, access_operator_id, basis, valid_from, created_by, corrects, reason)
		SELECT gen_random_uuid(), resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose,
		       permitted_callers, access_operator_id, '另一文件', valid_from, 'x', allocation_id, 'x' FROM closed`); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, ask(before.GetKnownTime(), at), protocmp.Transform()); diff != "" {
		t.Errorf("asked again: %s", diff)
	}
	now := ask(nil, at)
	if now.GetResource().GetBasis() != "另一文件" || now.GetKnownTime() != nil {
		t.Errorf("all that is known: %v", now)
	}
	var later time.Time
	if err := w.db.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&later); err != nil {
		t.Fatal(err)
	}
	if got := ask(timestamppb.New(later), at); !got.GetKnownTime().AsTime().Equal(later) {
		t.Errorf("known_time %v of a time that is settled, %v", got.GetKnownTime().AsTime(), later)
	}
}
