package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/testkit"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

func (w *world) asked(t *testing.T, number string, at time.Time) *ledgerv1.WhoHeldResponse {
	t.Helper()
	got, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: number, At: timestamppb.New(at)})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestNoSubletByCorrection: what the rules refuse to let is not let by correcting another sublet either.
func TestNoSubletByCorrection(t *testing.T) {
	w := newWorld(t)
	r, hs := w.code(t)
	const listed = "91110000000000009X"
	bad := w.holder(t, "静线样例丁公司", listed)
	w.lists.set(listed, "dishonest", false)
	last := w.asked(t, "95202101", time.Now()).GetSublets()[1]
	correct := func(change func(*ledgerv1.Sublet)) error {
		x := &ledgerv1.Sublet{
			ResourceId: r.GetResourceId(), LessorId: hs[1].GetHolderId(), Lessee: hs[2], Purpose: last.GetPurpose(), Document: "批准转租文件",
			ValidFrom: last.GetValidFrom(), ValidTo: timestamppb.New(time.Now().AddDate(20, 0, 0)),
		}
		change(x)
		_, err := w.registrar.DeclareSublet(t.Context(), &ledgerv1.DeclareSubletRequest{
			RequestId: uuid.NewString(), Corrects: last.GetSubletId(), Reason: "更正", Sublet: x,
		})
		return err
	}
	wantReason(t, correct(func(x *ledgerv1.Sublet) { x.Lessee = bad }), refused)
	wantReason(t, correct(func(x *ledgerv1.Sublet) { x.Purpose = "outbound_marketing" }), refused)
	if got := w.asked(t, "95202101", time.Now()).GetSublets(); len(got) != 2 || got[1].GetLessee().GetHolderId() != hs[2].GetHolderId() {
		t.Errorf("after what was refused: %v", got)
	}
	w.lists.set(hs[2].GetCreditCode(), "dishonest", false)
	if err := correct(func(*ledgerv1.Sublet) {}); err != nil { // what a listed firm has may end
		t.Errorf("an end: %v", err)
	}
	last = w.asked(t, "95202101", time.Now()).GetSublets()[1]
	wantReason(t, correct(func(x *ledgerv1.Sublet) { x.ValidTo = timestamppb.New(time.Now().AddDate(21, 0, 0)) }), refused)
}

// TestNoAccessByCorrection: an access that was corrected reaches no further than the licence either.
func TestNoAccessByCorrection(t *testing.T) {
	w := newWorld(t)
	h := w.holder(t, "甲", "91110000000000000A")
	from := timestamppb.New(time.Now().AddDate(0, -1, 0))
	if _, err := w.registrar.RecordLicence(t.Context(), &ledgerv1.RecordLicenceRequest{RequestId: uuid.NewString(), Licence: &ledgerv1.Licence{
		HolderId: h.GetHolderId(), Number: "B2-1", Kinds: []string{"B24"}, Provinces: []string{"11", "12"}, ValidFrom: from,
	}}); err != nil {
		t.Fatal(err)
	}
	r, err := w.allocate(t, func(q *ledgerv1.AllocateResourceRequest) {
		q.HolderId, q.FirstNumber, q.Purpose, q.ValidFrom, q.PermittedCallers = h.GetHolderId(), "95202101", "inbound", from, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	record := func(province, corrects string) (*ledgerv1.Access, error) {
		req := &ledgerv1.RecordAccessRequest{RequestId: uuid.NewString(), Corrects: corrects,
			Access: &ledgerv1.Access{ResourceId: r.GetResourceId(), Province: province, OperatorId: "ctcc-44", ValidFrom: from}}
		if corrects != "" {
			req.Reason = "更正"
		}
		resp, err := w.registrar.RecordAccess(t.Context(), req)
		return resp.GetAccess(), err
	}
	_, err = record("44", "")
	wantReason(t, err, refused)
	x, err := record("12", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = record("44", x.GetAccessId())
	wantReason(t, err, refused)
	if _, err = record("12", x.GetAccessId()); err != nil {
		t.Errorf("the same again: %v", err)
	}
}

// hanging counts what hangs on a number at a time.
func (w *world) hanging(t *testing.T, number string, at time.Time) string {
	t.Helper()
	got := w.asked(t, number, at)
	seats, err := w.worker.ListSeats(t.Context(), &ledgerv1.ListSeatsRequest{ResourceId: got.GetResource().GetResourceId(), At: timestamppb.New(at)})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d sublets, %d accesses, %d contracts, %d seats", len(got.GetSublets()), len(got.GetAccesses())-1,
		len(got.GetContracts()), len(seats.GetSeats()))
}

// TestCorrectedSpanCutsWhatHangs: an allocation that turns out to be shorter keeps what hung on it, for as long as it lasts.
func TestCorrectedSpanCutsWhatHangs(t *testing.T) {
	w := newWorld(t)
	r, hs := w.code(t)
	if _, err := w.registrar.AttachSeat(t.Context(), &ledgerv1.AttachSeatRequest{RequestId: uuid.NewString(), Seat: &ledgerv1.Seat{
		HolderId: hs[0].GetHolderId(), Code: "A-1", Province: "51", ResourceId: r.GetResourceId(), ValidFrom: timestamppb.New(time.Now().AddDate(0, 0, -20)),
	}}); err != nil {
		t.Fatal(err)
	}
	id := r.GetAllocationId()
	correct := func(change func(*ledgerv1.CorrectAllocationRequest)) error {
		req := &ledgerv1.CorrectAllocationRequest{RequestId: uuid.NewString(), AllocationId: id, Reason: "漏记"}
		change(req)
		resp, err := w.registrar.CorrectAllocation(t.Context(), req)
		if err == nil {
			id = resp.GetResource().GetAllocationId()
		}
		return err
	}
	end, begin := time.Now().AddDate(1, 0, 0), time.Now().AddDate(0, 0, -25)
	if err := correct(func(c *ledgerv1.CorrectAllocationRequest) {
		c.ValidFrom, c.ValidTo = timestamppb.New(begin), timestamppb.New(end)
	}); err != nil {
		t.Fatal(err)
	}
	const all = "2 sublets, 1 accesses, 1 contracts, 1 seats"
	for _, at := range []time.Time{time.Now().AddDate(0, 0, -7), time.Now(), end.Add(-time.Hour)} {
		if got := w.hanging(t, "95202101", at); got != all {
			t.Errorf("at %v: %s", at, got)
		}
	}
	for _, x := range w.asked(t, "95202101", time.Now()).GetSublets() {
		if !x.GetValidTo().AsTime().Equal(end.Truncate(time.Microsecond)) || !x.GetValidFrom().AsTime().Equal(begin.Truncate(time.Microsecond)) {
			t.Errorf("sublet %v to %v", x.GetValidFrom().AsTime(), x.GetValidTo().AsTime())
		}
	}
	noViolations(t, w)
	// what holds now is ended, not corrected to have ended
	wantReason(t, correct(func(c *ledgerv1.CorrectAllocationRequest) { c.ValidTo = timestamppb.New(time.Now().Add(-time.Hour)) }), wrongNow)
	// and nothing new hangs on it for longer
	_, err := w.registrar.RecordAccess(t.Context(), &ledgerv1.RecordAccessRequest{RequestId: uuid.NewString(), Access: &ledgerv1.Access{
		ResourceId: r.GetResourceId(), Province: "31", OperatorId: "ctcc-31", ValidTo: timestamppb.New(end.AddDate(0, 0, 1)),
	}})
	wantReason(t, err, invalid)
	x, err := w.registrar.RecordAccess(t.Context(), &ledgerv1.RecordAccessRequest{RequestId: uuid.NewString(), Access: &ledgerv1.Access{
		ResourceId: r.GetResourceId(), Province: "31", OperatorId: "ctcc-31",
	}})
	if err != nil || !x.GetAccess().GetValidTo().AsTime().Equal(end.Truncate(time.Microsecond)) {
		t.Errorf("an access without an end: %v, %v", x, err)
	}
}

// TestAuditSeesWhatHangs: the audit finds what goes on without an allocation, whatever brought it about.
func TestAuditSeesWhatHangs(t *testing.T) {
	w := newWorld(t)
	r, hs := w.code(t)
	if _, err := w.registrar.AttachSeat(t.Context(), &ledgerv1.AttachSeatRequest{RequestId: uuid.NewString(), Seat: &ledgerv1.Seat{
		HolderId: hs[0].GetHolderId(), Code: "A-1", Province: "51", ResourceId: r.GetResourceId(),
	}}); err != nil {
		t.Fatal(err)
	}
	noViolations(t, w)
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), `WITH closed AS (
			UPDATE allocation SET known_to = now() WHERE resource_id = $1 RETURNING *)
		INSERT INTO allocation (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose,
		       permitted_callers, access_operator_id, basis, valid_from, valid_to, created_by, corrects, reason)
		SELECT gen_random_uuid(), resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose,
		       permitted_callers, access_operator_id, basis, valid_from, now() + interval '1 year', 'x', allocation_id, 'x' FROM closed`,
		r.GetResourceId()); err != nil {
		t.Fatal(err)
	}
	audit, err := w.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "violations"})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, v := range audit.GetViolations() {
		kind, _, _ := strings.Cut(v, " ")
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	if got := strings.Join(kinds, " "); got != "access contract seat sublet" { // what is let on rests on the sublet
		t.Errorf("%s: %v", got, audit.GetViolations())
	}
}
