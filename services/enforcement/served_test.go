package enforcement

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// servedThen is a service at another time than its record.
func servedThen(method string, at time.Time) *assignmentv1.CaseStepDetail {
	return &assignmentv1.CaseStepDetail{Method: method, ServedTime: timestamppb.New(at)}
}

// Nothing is served before there is something to serve: a notice with a date of weeks ago would take the party's time away.
func TestServiceIsNotBackdated(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	before := f.now.Add(-2 * time.Minute) // its proposal was approved a minute ago
	f.refuses(f.step(stepNotice, "served", servedThen("direct", f.now.AddDate(0, 0, -20))), "第四十四条")
	f.refuses(f.step(stepNotice, "served", servedThen("direct", before)), "第四十四条")
	f.refuses(f.step(stepNotice, "served", servedThen("direct", f.now.Add(time.Minute))), "第四十四条")
	f.guards(f.forge(noticeServed, stepNotice, "served", "officer-1", "task_id", "gen_random_uuid()", "method", "'direct'", "served_time", "timestamptz '2026-02-01'"), "第四十五条")
	f.guards(f.forge(noticeServed, stepNotice, "served", "officer-1", "task_id", "gen_random_uuid()", "method", "'direct'", "served_time", "timestamptz '2027-02-01'"), "第四十五条")
	f.guards(f.forge(noticeServed, stepNotice, "served", "officer-1", "task_id", "gen_random_uuid()", "method", "'public_notice'"), "第四十五条")
	f.must(stepNotice, "served", servedThen("direct", f.now.Add(-time.Second)))
	f.refuses(f.step(stepSign, outSigned, nil), "第四十五条")
	f.partyMust(actWaiver)
	f.signed()
	f.refuses(f.step(stepDeliver, outDelivered, servedThen("direct", f.now.AddDate(0, 0, -60))), "第六十一条")
	f.guards(f.forge(stateDelivered, stepDeliver, outDelivered, "officer-1", "method", "'direct'", "served_time", "timestamptz '2026-01-01'"), "第六十一条")
	f.must(stepDeliver, outDelivered, servedVia("direct"))
	f.now = f.now.AddDate(0, 0, 40)
	f.must(stepConfirm, outUnpaid, nil)
	f.refuses(f.step(stepDemand, "served", servedThen("direct", f.now.AddDate(0, 0, -20))), "行政强制法 第五十四条")
	f.guards(f.forge(stateDemanded, stepDemand, "served", "officer-1", "method", "'direct'", "served_time", "timestamptz '2026-01-01'"), "行政强制法 第五十四条")
	f.must(stepDemand, "served", servedVia("direct"))
	f.sound()
}

// A fine that was taken back bars no new one for the same act (行政处罚法 29), though its case is closed then.
func TestAFineTakenBackBarsNone(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	first := f.id
	f.open(func(r *enforcementv1.OpenCaseRequest) { r.Act = "calls_after_refusal" })
	second := f.id
	_, err := f.officer().LinkActs(t.Context(), &enforcementv1.LinkActsRequest{RequestId: uuid.NewString(), CaseId: second, OtherCaseId: first, Reason: "同一行为"})
	if err != nil {
		t.Fatal(err)
	}
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	f.refuses(f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)}), "第二十九条")
	f.id = first
	f.remedyMust("litigation", "filed")
	f.remedyMust("litigation", "revoked")
	f.effects()
	f.wants(closed)
	f.id = second
	f.must(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	var standing int
	err = f.db.QueryRow(t.Context(), "SELECT count(*) FROM decided_fine WHERE case_id = $1", first).Scan(&standing)
	if err != nil || standing != 0 {
		t.Errorf("a fine that was taken back counts among those that stand: %d, %v", standing, err)
	}
	f.sound()
}

// A fine that was changed to a warning bars none either.
func TestAFineChangedAwayBarsNone(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	fined := func() (n int) {
		t.Helper()
		if err := f.db.QueryRow(t.Context(), "SELECT coalesce(sum(amount_fen), 0) FROM decided_fine WHERE case_id = $1", f.id).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	f.remedyMust(litigation, "filed")
	if _, err := f.change(litigation, fineOf(500_000)); err != nil || fined() != 500_000 {
		t.Errorf("changed to 5000 yuan: %d, %v", fined(), err)
	}
	f.effects()
	f.remedyMust(reconsideration, "filed")
	if _, err := f.change(reconsideration, &assignmentv1.PenaltyDetail{Kind: "warning", Basis: "广告法 第六十二条"}); err != nil || fined() != 0 {
		t.Errorf("changed to a warning: %d, %v", fined(), err)
	}
	f.effects()
	f.must(stepConfirm, outPerformed, nil)
	f.wants(closed)
	f.sound()
}

// What is published counts as served thirty days later: until then no term runs and nothing follows from the decision.
func TestPublicNoticeTakesItsTime(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actWaiver)
	f.signed()
	f.must(stepDeliver, outFailed, servedVia("direct"))
	published := f.now
	f.must(stepDeliver, outDelivered, servedVia("public_notice"))
	f.wants(statePerforming)
	want, err := calendar.Due(basisPublicNotice, published, calendar.Statutory)
	if err != nil {
		t.Fatal(err)
	}
	if want.Due.Sub(published) < 29*24*time.Hour {
		t.Fatalf("a public notice of %s is over at %s", published, want.Due)
	}
	for _, b := range []string{basisPerform, basisReconsider, basisLitigate} {
		var from time.Time
		err := f.db.QueryRow(t.Context(), "SELECT start_time FROM case_clock WHERE case_id = $1 AND basis = $2", f.id, b).Scan(&from)
		if err != nil || !from.Equal(want.Due) {
			t.Errorf("%s runs from %s, want %s (%v)", b, from, want.Due, err)
		}
	}
	p := f.plan()
	if len(p.GetEffects()) != 0 || p.GetUntil() == nil || p.GetUntil().AsTime().After(want.Due) || p.GetEnded() {
		t.Errorf("before the notice is over: %v until %s", p.GetEffects(), p.GetUntil().AsTime())
	}
	f.now = want.Due
	if got := strings.Join(append(f.effects(), f.effects()...), " "); got != "list_party publish tell_complaints" {
		t.Errorf("when it is over: %s", got)
	}
	f.sound()
}

// Who was heard on a warning on the spot is not fined because it objected, nor is one more penalty added (行政处罚法 45).
func TestNeverHarsherAfterADefence(t *testing.T) {
	warning := &assignmentv1.PenaltyDetail{Kind: "warning", Basis: "消费者权益保护法 第五十六条", CatalogueCode: "consumer_56"}
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	p := &assignmentv1.CaseProposal{Penalties: []*assignmentv1.PenaltyDetail{warning}, ActEndTime: timestamppb.New(monday.AddDate(0, -1, 0)), Findings: "x"}
	f.must(stepInvestigate, outSimple, &assignmentv1.CaseStepDetail{Proposal: p})
	f.must(stepOnspot, outOrdinary, &assignmentv1.CaseStepDetail{StatementHeard: true})
	f.refuses(f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)}), "第四十五条")
	f.must(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: p})

	var fined, both, milder weight
	fined.add("fine", 100)
	both.add("warning", 0)
	both.add("fine", 100)
	milder.add("warning", 0)
	if !both.harsherThan(fined) || milder.harsherThan(fined) || fined.harsherThan(fined) {
		t.Error("a warning beside the fine is harsher; a warning in its place is not")
	}
}

// A waiver on paper ends the party's time: it has the scan of what the party signed, and no investigator enters it.
func TestAWaiverOnPaper(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	paper := &enforcementv1.PaperFiling{ReceivedTime: timestamppb.New(f.now)}
	clerk := f.as("clerk", "samr-11", accessv1.Role_ROLE_CASEWORKER)
	waive := func(by enforcementv1.EnforcementServiceClient, files ...string) error {
		_, err := by.WaiveStatement(t.Context(), &enforcementv1.WaiveStatementRequest{
			RequestId: uuid.NewString(), CaseId: f.id, Waived: "statement", Paper: paper, FileIds: files})
		return err
	}
	file, err := clerk.PutPartyFile(t.Context(), &enforcementv1.PutPartyFileRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Name: "放弃声明.pdf", MediaType: "application/pdf", Content: []byte("%PDF"), Paper: paper})
	if err != nil {
		t.Fatal(err)
	}
	scan := file.GetFile().GetFileId()
	for name, err := range map[string]error{
		"no file": waive(clerk), "a file of no case": waive(clerk, uuid.NewString()), "an officer of the case": waive(f.officer(), scan),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	f.refuses(f.step(stepSign, outSigned, nil), "第四十五条")
	if err := waive(clerk, scan); err != nil {
		t.Fatal(err)
	}
	f.later(time.Minute)
	f.signed()
	f.sound()
}
