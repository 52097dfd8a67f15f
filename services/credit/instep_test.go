package credit

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	creditv1 "quietline/proto/quietline/credit/v1"
)

// repaired is an entry of a case that was repaired.
func (w *world) repaired(t *testing.T) *creditv1.Listing {
	t.Helper()
	l := w.punished(t, uuid.NewString(), "2026-04-20 09:00", "fine")
	w.set(at("2026-07-20 00:00"))
	r, err := w.apply(t, w.as("boss", "", firm, party), l.GetListingId())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.decideRepair(t, r.GetRepairId(), "sun@ca-11", true); err != nil {
		t.Fatal(err)
	}
	return l
}

// work are the IDs of what is to be published or to be taken down.
func (w *world) work(t *testing.T) string {
	t.Helper()
	resp, err := w.flows.ListPublicationWork(t.Context(), &creditv1.ListPublicationWorkRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, l := range resp.GetListings() {
		ids = append(ids, l.GetListingId())
	}
	return strings.Join(ids, " ")
}

// A repair is not over before the penalty's own publication has ended, or it is on record why not and until when.
func TestTheRepairTakesThePenaltyFromTheRegister(t *testing.T) {
	w := newWorld(t)
	id := w.repaired(t).GetListingId()
	if got := w.work(t); got != id {
		t.Fatalf("to do: %s", got)
	}
	record := func(req *creditv1.RecordListingPublicationRequest) {
		t.Helper()
		req.RequestId, req.ListingId = uuid.NewString(), id
		if _, err := w.flows.RecordListingPublication(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	until := at("2026-10-20 00:00")
	for _, because := range []string{"公示满六个月方可提前停止", "again"} {
		record(&creditv1.RecordListingPublicationRequest{PenaltyPublicBecause: because, PenaltyPublicUntil: timestamppb.New(until)})
	}
	resp, err := w.au.Audit(t.Context(), &creditv1.AuditRequest{What: "repaired"})
	if err != nil || len(resp.GetListings()) != 1 {
		t.Fatalf("%v, %v", resp, err)
	}
	l := resp.GetListings()[0]
	if l.GetListingId() != id || l.GetPenaltyPublicBecause() != "公示满六个月方可提前停止" || !l.GetPenaltyPublicUntil().AsTime().Equal(until) {
		t.Errorf("the refusal is not on the entry: %v", l)
	}
	if got := w.work(t); got != "" {
		t.Errorf("tried again before its time: %s", got)
	}
	w.set(until)
	if got := w.work(t); got != id {
		t.Errorf("not tried again: %s", got)
	}
	record(&creditv1.RecordListingPublicationRequest{PenaltyWithdrawn: true})
	if got := w.work(t); got != "" {
		t.Errorf("done, and still to do: %s", got)
	}
	_, err = w.flows.RecordListingPublication(t.Context(), &creditv1.RecordListingPublicationRequest{
		RequestId: uuid.NewString(), ListingId: id, PenaltyPublicBecause: "without a date",
	})
	if err == nil {
		t.Error("kept without a date")
	}
}

// What ended by time or was withdrawn is listed for its workflow until nobody punishes on it any more.
func TestEveryEndHasItsMeasuresLifted(t *testing.T) {
	for _, end := range []string{"expired", "withdrawn"} {
		w := newWorld(t)
		l, err := w.list(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		samr := w.as("wang", "samr-11", "", worker)
		m, err := samr.RecordJointMeasure(t.Context(), &creditv1.RecordJointMeasureRequest{
			RequestId: uuid.NewString(), ListingId: l.GetListingId(), Measure: "列为重点检查对象", Basis: "政府采购法 第二十二条",
		})
		if err != nil {
			t.Fatal(err)
		}
		unstarted := func() int {
			resp, err := w.flows.ListUnstartedMatters(t.Context(), &creditv1.ListUnstartedMattersRequest{Kind: kindListing})
			if err != nil {
				t.Fatal(err)
			}
			return len(resp.GetIds())
		}
		if unstarted() != 0 {
			t.Error("it stands")
		}
		if end == "expired" {
			w.set(at("2027-04-21 00:00"))
			_, err = w.flows.ExpireListings(t.Context(), &creditv1.ExpireListingsRequest{RequestId: uuid.NewString()})
		} else {
			_, err = w.flows.WithdrawByCase(t.Context(), &creditv1.WithdrawByCaseRequest{RequestId: uuid.NewString(), CaseId: l.GetCaseId(), Reason: "x"})
		}
		if err != nil || unstarted() != 1 {
			t.Errorf("%s: nobody is to lift, %v", end, err)
		}
		_, err = samr.RecordLifting(t.Context(), &creditv1.RecordLiftingRequest{RequestId: uuid.NewString(), MeasureId: m.GetMeasure().GetMeasureId(), Reason: "x"})
		if err != nil || unstarted() != 0 {
			t.Errorf("%s: lifted, %v", end, err)
		}
	}
}

// A credit record is no list for joint punishment, and no business of the operators who follow the telecom lists.
func TestACreditRecordIsNoJointPunishment(t *testing.T) {
	w := newWorld(t)
	r := w.record(t, uuid.NewString())
	w.punished(t, uuid.NewString(), "2026-04-20 09:00", "fine")
	_, err := w.as("wang", "samr-11", "", worker).RecordJointMeasure(t.Context(), &creditv1.RecordJointMeasureRequest{
		RequestId: uuid.NewString(), ListingId: r.GetListingId(), Measure: "限制参加政府采购", Basis: "政府采购法 第二十二条",
	})
	wantReason(t, err, policyRefuses)
	if err == nil || !strings.Contains(err.Error(), "消费者权益保护法 第五十六条") {
		t.Errorf("no article: %v", err)
	}
	if _, err := w.db.Exec(t.Context(), `INSERT INTO joint_measure (measure_id, listing_id, agency_id, measure, basis, begin_time, recorded_by)
		VALUES (gen_random_uuid(), $1, 'samr-11', 'x', 'y', now(), 'z')`, r.GetListingId()); err == nil {
		t.Error("written past the service")
	}
	resp, err := w.operator.ListListingChanges(t.Context(), &creditv1.ListListingChangesRequest{})
	if err != nil || len(resp.GetChanges()) != 1 || resp.GetChanges()[0].GetList() != badList {
		t.Errorf("an operator hears of %v, %v", resp, err)
	}
	if got := w.changes(t, ""); len(got) != 2 {
		t.Errorf("an authority hears of %v", got)
	}
}

// What was withdrawn is no entry, whoever asks again; a firm is entered anew by a new decision only.
func TestWhatWasWithdrawnIsNotEnteredAgain(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	record := func() error {
		_, err := w.flows.RecordCredit(t.Context(), &creditv1.RecordCreditRequest{
			RequestId: uuid.NewString(), PartyName: "乙公司", CreditCode: firm, CaseId: l.GetCaseId(), AgencyId: "samr-11", Sector: "samr",
			DecidedTime: timestamppb.New(at("2026-04-20 09:00")), Penalties: []*creditv1.Penalty{{Kind: "fine"}},
		})
		return err
	}
	if err := record(); err != nil {
		t.Fatal(err)
	}
	_, err = w.flows.WithdrawByCase(t.Context(), &creditv1.WithdrawByCaseRequest{RequestId: uuid.NewString(), CaseId: l.GetCaseId(), Reason: "reversed"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.list(t, nil)
	wantReason(t, err, policyRefuses)
	_, err = w.list(t, func(r *creditv1.ListPartyRequest) { r.List, r.Ground = "", "" })
	wantReason(t, err, policyRefuses)
	wantReason(t, record(), policyRefuses)
	if _, err := w.list(t, func(r *creditv1.ListPartyRequest) { r.CaseId = uuid.NewString() }); err != nil {
		t.Errorf("a new decision: %v", err)
	}
}

// Several broken rules of one entry survive the border of a page.
func TestViolationsOfOneEntryAcrossPages(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	samr := w.as("wang", "samr-11", "", worker)
	for _, m := range []string{"a", "b", "c"} {
		_, err := samr.RecordJointMeasure(t.Context(), &creditv1.RecordJointMeasureRequest{
			RequestId: uuid.NewString(), ListingId: l.GetListingId(), Measure: m, Basis: "政府采购法 第二十二条",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.set(w.clock.Load().AddDate(3, 0, 0).Add(time.Hour))
	if _, err := w.flows.ExpireListings(t.Context(), &creditv1.ExpireListingsRequest{RequestId: uuid.NewString()}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for token, more := "", true; more; more = token != "" {
		resp, err := w.au.Audit(t.Context(), &creditv1.AuditRequest{What: "violations", PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range resp.GetViolations() {
			seen[v] = true
		}
		token = resp.GetNextPageToken()
	}
	if len(seen) != 3 {
		t.Errorf("%d of 3: %v", len(seen), seen)
	}
}

// A decision of a case that was changed enters the firm anew, once, and counts from its own date.
func TestChangedDecisionIsEnteredAnew(t *testing.T) {
	w := newWorld(t)
	caseID := uuid.NewString()
	enter := func(decided string) (*creditv1.Listing, error) {
		return w.list(t, func(r *creditv1.ListPartyRequest) {
			r.CaseId, r.List, r.Ground, r.DecidedTime = caseID, "", "", timestamppb.New(at(decided))
			r.Penalties = []*creditv1.Penalty{{Kind: "fine"}}
		})
	}
	first, err := enter("2026-04-20 09:00")
	if err != nil {
		t.Fatal(err)
	}
	w.record(t, caseID)
	if _, err := w.flows.WithdrawByCase(t.Context(), &creditv1.WithdrawByCaseRequest{RequestId: uuid.NewString(), CaseId: caseID, Reason: "复议变更"}); err != nil {
		t.Fatal(err)
	}
	_, err = enter("2026-04-20 09:00")
	wantReason(t, err, policyRefuses)
	anew, err := enter("2026-04-29 09:00")
	if err != nil || anew.GetListingId() == first.GetListingId() || lastDay(anew.GetLatestEnd()) != "2027-04-29" {
		t.Fatalf("%v, %v", anew, err)
	}
	again, err := enter("2026-04-29 09:00")
	if err != nil || again.GetListingId() != anew.GetListingId() {
		t.Errorf("entered twice: %v, %v", again, err)
	}
	if v := w.violations(t); len(v) != 0 {
		t.Errorf("violations: %v", v)
	}
}
