package credit

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"quietline/internal/errs"
	creditv1 "quietline/proto/quietline/credit/v1"
)

func TestRepair_fromTheEarliestEndByAnotherPerson(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, func(r *creditv1.ListPartyRequest) { r.DecidedBy = []string{"chen@ca-11", "li@ca-11", "zhao@ca-11"} })
	if err != nil {
		t.Fatal(err)
	}
	id, mine := l.GetListingId(), w.as("boss", "", firm, party)
	_, err = w.apply(t, mine, id)
	wantReason(t, err, policyRefuses)
	if words := errs.Text(err); !strings.Contains(words, "2026-07-20") || !strings.Contains(words, "信用修复管理办法") {
		t.Errorf("the refusal names neither date nor order: %s", words)
	}
	w.set(at("2026-07-20 00:00"))
	_, err = w.apply(t, w.as("boss", "", "91110000000000000B", party), id)
	wantReason(t, err, notFound)
	_, err = w.apply(t, w.as("x", "ca-31", "", worker), id)
	wantReason(t, err, otherAgency)
	r, err := w.apply(t, mine, id)
	if err != nil || r.GetState() != repairFiled || r.GetOnBehalf() || r.GetCommitment() != "承诺依法经营" || w.state(t, id) != repairRequested {
		t.Fatalf("%v, %v", r, err)
	}
	if again, err := w.apply(t, mine, id); err != nil || again.GetRepairId() != r.GetRepairId() {
		t.Errorf("applied twice: %v, %v", again, err)
	}
	if got := w.check(t, nil); len(got) != 1 {
		t.Errorf("it stands until it is decided: %v", got)
	}
	for _, by := range []string{"chen@ca-11", "li@ca-11", "zhao@ca-11", "boss"} {
		_, err := w.decideRepair(t, r.GetRepairId(), by, true)
		wantReason(t, err, samePerson)
	}
	got, err := w.decideRepair(t, r.GetRepairId(), "sun@ca-11", true)
	if err != nil || got.GetState() != repairGranted || w.state(t, id) != removed {
		t.Fatalf("%v, %v", got, err)
	}
	if got := w.changes(t, ""); !slices.Equal(got, []string{"bad LISTED", "bad REMOVED"}) {
		t.Errorf("told: %v", got)
	}
	if got := w.check(t, nil); len(got) != 0 {
		t.Errorf("still used: %v", got)
	}
	list, err := mine.ListRepairs(t.Context(), &creditv1.ListRepairsRequest{})
	if err != nil || len(list.GetRepairs()) != 1 || list.GetRepairs()[0].GetExcluded() != nil {
		t.Errorf("%v, %v", list, err)
	}
	if v := w.violations(t); len(v) != 0 {
		t.Error(v)
	}
}

func TestRepair_refusedAndAppliedAgainForTheParty(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.set(at("2026-08-01 10:00"))
	r, err := w.apply(t, w.as("boss", "", firm, party), l.GetListingId())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.decideRepair(t, r.GetRepairId(), "sun@ca-11", false); err != nil || w.state(t, l.GetListingId()) != listed {
		t.Fatal(err)
	}
	again, err := w.apply(t, w.as("wu", "ca-11", "", worker), l.GetListingId())
	if err != nil || !again.GetOnBehalf() || again.GetRepairId() == r.GetRepairId() {
		t.Fatalf("%v, %v", again, err)
	}
	_, err = w.decideRepair(t, again.GetRepairId(), "wu@ca-11", true) // who filed for the party
	wantReason(t, err, samePerson)
}

func TestRepair_lostItsObject(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.set(at("2027-04-19 10:00"))
	r, err := w.apply(t, w.as("boss", "", firm, party), l.GetListingId())
	if err != nil {
		t.Fatal(err)
	}
	w.set(at("2027-04-20 00:01"))
	if _, err := w.flows.ExpireListings(t.Context(), &creditv1.ExpireListingsRequest{RequestId: uuid.NewString()}); err != nil {
		t.Fatal(err)
	}
	got, err := w.decideRepair(t, r.GetRepairId(), "sun@ca-11", true)
	if err != nil || got.GetState() != repairMoot || w.state(t, l.GetListingId()) != expired {
		t.Errorf("%v, %v", got, err)
	}
	if v := w.violations(t); len(v) != 0 {
		t.Error(v)
	}
}

func TestRepair_aMissingReportOnceItIsThere(t *testing.T) {
	w := newWorld(t)
	l, err := w.propose(t, "chen", "ca-11", firm)
	if err == nil {
		err = w.notify(t, l.GetListingId())
	}
	w.set(at("2026-05-06 11:00"))
	if err == nil {
		err = w.sign(t, l.GetListingId(), "li@ca-11", "zhao@ca-11")
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.apply(t, w.as("boss", "", firm, party), l.GetListingId()) // at once: minor
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.decideRepair(t, r.GetRepairId(), "sun@ca-11", true); err != nil || w.state(t, l.GetListingId()) != removed {
		t.Error(err)
	}
	if _, err := w.propose(t, "chen", "ca-11", firm); err != nil {
		t.Errorf("next year's report: %v", err)
	}
}

func TestStillPunished(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	samr := w.as("wang", "samr-11", "", worker)
	punish := func(measure string) (*creditv1.JointMeasure, error) {
		resp, err := samr.RecordJointMeasure(t.Context(), &creditv1.RecordJointMeasureRequest{
			RequestId: uuid.NewString(), ListingId: l.GetListingId(), Measure: measure, Basis: "政府采购法 第二十二条",
		})
		return resp.GetMeasure(), err
	}
	a, err := punish("限制参加政府采购")
	if err != nil {
		t.Fatal(err)
	}
	b, err := punish("列为重点检查对象")
	if err != nil {
		t.Fatal(err)
	}
	lift := func(c creditv1.CreditServiceClient, id string) error {
		_, err := c.RecordLifting(t.Context(), &creditv1.RecordLiftingRequest{RequestId: uuid.NewString(), MeasureId: id, Reason: "名单移出"})
		return err
	}
	wantReason(t, lift(w.as("x", "mof", "", worker), a.GetMeasureId()), otherAgency)
	alarm := func() (int, int32) {
		resp, err := w.as("z", "miit", "", lead).ListStillPunished(t.Context(), &creditv1.ListStillPunishedRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return len(resp.GetMeasures()), resp.GetByAgency()["samr-11"]
	}
	if _, err := w.head.WithdrawListing(t.Context(), &creditv1.WithdrawListingRequest{RequestId: uuid.NewString(), ListingId: l.GetListingId(), Reason: "x"}); err != nil {
		t.Fatal(err)
	}
	_, err = punish("another")
	wantReason(t, err, wrongStateOf)
	if err := lift(samr, a.GetMeasureId()); err != nil {
		t.Fatal(err)
	}
	if n, _ := alarm(); n != 0 {
		t.Error("an alarm within the term")
	}
	w.set(at("2026-05-20 00:00")) // past three working days
	if n, of := alarm(); n != 1 || of != 1 {
		t.Errorf("the alarm: %d, %d", n, of)
	}
	if v := w.violations(t); len(v) != 1 || !strings.Contains(v[0], "samr-11") || !strings.Contains(v[0], b.GetMeasureId()) {
		t.Errorf("fsck: %v", v)
	}
	if err := lift(samr, b.GetMeasureId()); err != nil {
		t.Fatal(err)
	}
	if n, _ := alarm(); n != 0 || len(w.violations(t)) != 0 {
		t.Error("lifted, and still an alarm")
	}
	view, err := w.at.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: l.GetListingId()})
	if err != nil || len(view.GetMeasures()) != 2 || view.GetMeasures()[0].GetLiftTime() == nil {
		t.Errorf("%v, %v", view, err)
	}
}
