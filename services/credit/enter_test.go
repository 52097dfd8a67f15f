package credit

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
)

// punished lists by what the penalties say.
func (w *world) punished(t *testing.T, caseID, decided string, kinds ...string) *creditv1.Listing {
	t.Helper()
	l, err := w.list(t, func(r *creditv1.ListPartyRequest) {
		r.List, r.Ground, r.CaseId, r.DecidedTime = "", "", caseID, timestamppb.New(at(decided))
		for _, k := range kinds {
			r.Penalties = append(r.Penalties, &creditv1.Penalty{Kind: k, Amount: &commonv1.Money{Fen: 2000000}})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestThePenaltySaysWhichList(t *testing.T) {
	w := newWorld(t)
	first := uuid.NewString()
	a := w.punished(t, first, "2026-04-20 09:00", "fine", "confiscation")
	if a.GetList() != badList || a.GetSeverity() != "general" || !a.GetPublishFrom().AsTime().Equal(at("2026-07-01 00:00")) {
		t.Errorf("a fine: %v", a)
	}
	if b := w.punished(t, first, "2026-04-20 09:00", "fine", "confiscation"); b.GetListingId() != a.GetListingId() {
		t.Errorf("the same case again: %v", b)
	}
	if m := w.punished(t, uuid.NewString(), "2026-04-21 09:00", "warning"); m.GetSeverity() != "minor" || m.GetPublishFrom() != nil {
		t.Errorf("a warning is minor and not published: %v", m)
	}
	d := w.punished(t, uuid.NewString(), "2026-04-22 09:00", "closure")
	if d.GetList() != dishonestList || d.GetGround() != "repeated_serious" || d.GetRestsOn() == "" || !d.GetToConfirm() {
		t.Errorf("closure after an entry within three years: %v", d)
	}
	if !d.GetLatestEnd().AsTime().Equal(at("2029-04-22 00:00")) {
		t.Errorf("latest end %v: %s", d.GetLatestEnd().AsTime(), d.GetProof())
	}
	check, err := w.at.CheckParty(t.Context(), &creditv1.CheckPartyRequest{CreditCode: firm})
	if err != nil || !check.GetFocusedSupervision() || len(check.GetListings()) != 3 {
		t.Errorf("%v, %v", check, err)
	}
}

func TestRevocationGoesStraightToTheDishonestList(t *testing.T) {
	w := newWorld(t)
	l := w.punished(t, uuid.NewString(), "2026-04-20 09:00", "revocation", "fine")
	if l.GetList() != dishonestList || l.GetGround() != "licence_revoked" || l.GetSeverity() != "serious" {
		t.Errorf("%v", l)
	}
}

func TestLateEntryIsWrittenDownAsLate(t *testing.T) {
	w := newWorld(t)
	l := w.punished(t, uuid.NewString(), "2026-03-20 09:00", "fine")
	if !l.GetLate() || !l.GetEntryDue().AsTime().Before(at("2026-04-20 00:00")) {
		t.Errorf("%v", l)
	}
	late, err := w.au.Audit(t.Context(), &creditv1.AuditRequest{What: "late"})
	if err != nil || len(late.GetListings()) != 1 || len(w.violations(t)) != 0 {
		t.Errorf("%v, %v", late, err)
	}
}

func (w *world) record(t *testing.T, caseID string) *creditv1.Listing {
	t.Helper()
	resp, err := w.flows.RecordCredit(t.Context(), &creditv1.RecordCreditRequest{
		RequestId: uuid.NewString(), PartyName: "乙公司", CreditCode: firm, CaseId: caseID, AgencyId: "samr-11", Sector: "samr",
		DecidedTime: timestamppb.New(at("2026-04-20 09:00")), Penalties: []*creditv1.Penalty{{Kind: "fine"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetRecord()
}

func TestAnAdvertiserGetsACreditRecordAndNoListing(t *testing.T) {
	w := newWorld(t)
	id := uuid.NewString()
	r := w.record(t, id)
	if again := w.record(t, id); again.GetListingId() != r.GetListingId() || r.GetList() != creditRecord || r.GetSector() != "samr" {
		t.Errorf("%v, %v", r, again)
	}
	check, err := w.at.CheckParty(t.Context(), &creditv1.CheckPartyRequest{CreditCode: firm})
	if err != nil || check.GetFocusedSupervision() || len(check.GetListings()) != 0 || len(check.GetRecords()) != 1 {
		t.Errorf("%v, %v", check, err)
	}
	lists, err := w.at.ListListings(t.Context(), &creditv1.ListListingsRequest{})
	if err != nil || len(lists.GetListings()) != 0 {
		t.Errorf("both lists: %v, %v", lists, err)
	}
	records, err := w.at.ListListings(t.Context(), &creditv1.ListListingsRequest{List: creditRecord, CreditCode: firm})
	if err != nil || len(records.GetListings()) != 1 {
		t.Errorf("records: %v, %v", records, err)
	}
}

func TestAReversalWithdrawsEverywhere(t *testing.T) {
	w := newWorld(t)
	id := uuid.NewString()
	a := w.punished(t, id, "2026-04-20 09:00", "fine")
	w.record(t, id)
	rests := w.punished(t, uuid.NewString(), "2026-04-21 09:00", "closure") // on the first
	if _, err := w.apply(t, w.as("party", "", firm, party), a.GetListingId()); err == nil {
		t.Error("repair before its time")
	}
	for range 2 {
		resp, err := w.flows.WithdrawByCase(t.Context(), &creditv1.WithdrawByCaseRequest{
			RequestId: uuid.NewString(), CaseId: id, Reason: "处罚决定被撤销",
		})
		if err != nil || len(resp.GetListings()) != 3 {
			t.Fatalf("%v, %v", resp, err)
		}
		for _, l := range resp.GetListings() {
			if l.GetState() != withdrawn || l.GetWithdrawnReason() != "处罚决定被撤销" || l.GetLiftDue() == nil {
				t.Errorf("%v", l)
			}
		}
	}
	if got := w.state(t, rests.GetListingId()); got != withdrawn {
		t.Errorf("what rested on it is %s", got)
	}
	if got := w.changes(t, ""); !slices.Equal(got, []string{"bad LISTED", "credit_record LISTED", "dishonest LISTED",
		"bad WITHDRAWN", "credit_record WITHDRAWN", "dishonest WITHDRAWN"}) {
		t.Errorf("told: %v", got)
	}
	if v := w.violations(t); len(v) != 0 {
		t.Error(v)
	}
}

func TestAReversalTakesBackWhatHasEnded(t *testing.T) {
	w := newWorld(t)
	id := uuid.NewString()
	l := w.punished(t, id, "2026-04-20 09:00", "fine")
	w.set(at("2027-04-21 00:00"))
	for _, want := range []int32{1, 0} {
		resp, err := w.flows.ExpireListings(t.Context(), &creditv1.ExpireListingsRequest{RequestId: uuid.NewString()})
		if err != nil || resp.GetExpired() != want {
			t.Fatalf("%v, %v", resp, err)
		}
	}
	if _, err := w.flows.WithdrawByCase(t.Context(), &creditv1.WithdrawByCaseRequest{RequestId: uuid.NewString(), CaseId: id, Reason: "撤销"}); err != nil {
		t.Fatal(err)
	}
	if got := w.changes(t, ""); !slices.Equal(got, []string{"bad LISTED", "bad EXPIRED", "bad WITHDRAWN"}) {
		t.Errorf("told: %v", got)
	}
	got, err := w.head.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: l.GetListingId()})
	if err != nil {
		t.Fatal(err)
	}
	var log []string
	for _, e := range got.GetEvents() {
		log = append(log, e.GetToState())
	}
	if want := "PROPOSED LISTED EXPIRED WITHDRAWN"; strings.Join(log, " ") != want || !got.GetListing().GetEndTime().AsTime().Equal(at("2027-04-20 00:00")) {
		t.Errorf("log %v, ended %v", log, got.GetListing().GetEndTime().AsTime())
	}
}

func TestTheQuarterPublishesSixFields(t *testing.T) {
	w := newWorld(t)
	w.punished(t, uuid.NewString(), "2026-04-20 09:00", "fine")
	w.punished(t, uuid.NewString(), "2026-04-21 09:00", "warning") // minor: not published
	gone := w.punished(t, uuid.NewString(), "2026-04-22 09:00", "fine")
	if _, err := w.head.WithdrawListing(t.Context(), &creditv1.WithdrawListingRequest{RequestId: uuid.NewString(), ListingId: gone.GetListingId(), Reason: "x"}); err != nil {
		t.Fatal(err)
	}
	q, err := w.at.ListQuarter(t.Context(), &creditv1.ListQuarterRequest{Year: 2026, Quarter: 2, List: badList})
	if err != nil || len(q.GetRows()) != 1 || q.GetStanding() != 1 || !q.GetPublishFrom().AsTime().Equal(at("2026-07-01 00:00")) {
		t.Fatalf("%v, %v", q, err)
	}
	want := "经营者名称,统一社会信用代码,许可证编号,处理日期,列入事由,列入单位\n甲公司," + firm + ",B2-20260001,2026-04-20,监督检查中发现违法违规行为并受到行政处罚,ca-11\n"
	if q.GetCsv() != want {
		t.Errorf("%q", q.GetCsv())
	}
	work := func() []*creditv1.Listing {
		resp, err := w.flows.ListPublicationWork(t.Context(), &creditv1.ListPublicationWorkRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetListings()
	}
	if got := work(); len(got) != 0 {
		t.Errorf("before the quarter is over: %v", got)
	}
	w.set(at("2026-07-01 08:00"))
	due := work()
	if len(due) != 1 {
		t.Fatalf("after the quarter: %v", due)
	}
	note := func(id string, back bool) {
		t.Helper()
		_, err := w.flows.RecordListingPublication(t.Context(), &creditv1.RecordListingPublicationRequest{
			RequestId: uuid.NewString(), ListingId: due[0].GetListingId(), PublicationId: id, Withdrawn: back,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	note("p1", false)
	if got := work(); len(got) != 0 {
		t.Errorf("published: %v", got)
	}
	w.set(at("2027-04-21 00:00"))
	if _, err := w.flows.ExpireListings(t.Context(), &creditv1.ExpireListingsRequest{RequestId: uuid.NewString()}); err != nil {
		t.Fatal(err)
	}
	if got := work(); len(got) != 1 || got[0].GetPublicationId() != "p1" {
		t.Errorf("it is to be taken down: %v", got)
	}
	note("p1", true)
	if got := work(); len(got) != 0 {
		t.Errorf("taken down: %v", got)
	}
}
