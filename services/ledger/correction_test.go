package ledger

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

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
