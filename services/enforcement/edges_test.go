package enforcement

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/pg"
	"quietline/internal/testkit"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

func (f *file) pay(fen int64, receipt string, at time.Time) error {
	_, err := f.officer().RecordPayment(f.t.Context(), &enforcementv1.RecordPaymentRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Amount: &commonv1.Money{Fen: fen}, ReceiptNo: receipt, PaidTime: timestamppb.New(at),
	})
	return err
}

// A suspected crime goes to the police, and to no other authority.
func TestATransferGoesToThePolice(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	f.must(stepInvestigate, outTransfer, nil)
	for _, to := range []string{"", "ca-11", "samr-11", "miit", "mpsx-11"} {
		f.refuses(f.step(stepApprove, outApproved, &assignmentv1.CaseStepDetail{AgencyId: to}), "第二十七条")
	}
	f.must(stepApprove, outApproved, &assignmentv1.CaseStepDetail{AgencyId: "mps-11"})
}

// Evidence of another case, or of none, proves nothing in this one.
func TestEvidenceOfTheCaseOnly(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	add := func() string {
		r, err := f.officer().AddCaseEvidence(t.Context(), &enforcementv1.AddCaseEvidenceRequest{
			RequestId: uuid.NewString(), CaseId: f.id, Kind: "documentary", Title: "通话记录", Sha256: strings.Repeat("c", 64), FromHolder: "甲公司", ToHolder: "officer-1",
		})
		if err != nil {
			t.Fatal(err)
		}
		return r.GetEvidence().GetEvidenceId()
	}
	first := f.id
	f.open(func(r *enforcementv1.OpenCaseRequest) {
		r.Party.Name, r.Party.CreditCode = "乙公司", "91110105MA00000B8Y"
	})
	foreign := add()
	f.id = first
	with := func(ids ...string) *assignmentv1.CaseStepDetail {
		p := yuanFine(600_000)
		p.EvidenceIds = ids
		return &assignmentv1.CaseStepDetail{Proposal: p}
	}
	own := add()
	for _, bad := range []string{uuid.NewString(), foreign} {
		f.refuses(f.step(stepInvestigate, outProposed, with(own, bad)), "第四十六条")
	}
	f.must(stepInvestigate, outProposed, with(own, strings.ToUpper(own)))
}

// Who investigates takes no part in the collective discussion, neither as its head nor as one of it.
func TestADiscussionWithoutOfficers(t *testing.T) {
	f := newFile(t, nil)
	p := yuanFine(600_000)
	p.ComplexOrMajor = true
	f.proposed(p)
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actWaiver)
	if f.task(stepLegal) != nil {
		f.must(stepLegal, outPassed, &assignmentv1.CaseStepDetail{QualificationNo: "A2020"})
	}
	with := func(names ...string) *enforcementv1.CaseStep {
		return f.step(stepDiscuss, outAgreed, &assignmentv1.CaseStepDetail{Participants: names, RecordHash: strings.Repeat("a", 64)})
	}
	f.refuses(with("officer-1", "head-2", "head-3"), "第五十七条")
	officer := with("head", "head-2", "head-3")
	officer.ActorSubject = "officer-2"
	f.refuses(officer, "第五十七条")
	f.guards(f.forge(stateDiscussion, stepDiscuss, outAgreed, "officer-2"), "第五十七条")
	f.guards(f.forge(stateDiscussion, stepDiscuss, outAgreed, "head", "participants", "'{head,head-2,officer-1}'"), "第五十七条")
	f.must(stepDiscuss, outAgreed, with("head", "head-2", "head-3").GetDetail().GetCaseStep())
	if err := f.request(stepAppoint); err != nil {
		t.Fatal(err)
	}
	f.refuses(f.step(stepAppoint, "appointed", officersNamed("head-3")), "第五十七条")
}

// A payment is of a day on which something was owed, and that has come.
func TestTheDayOfAPayment(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	paid := func(at time.Time) *enforcementv1.CaseStep {
		return f.step(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 600_000}, ReceiptNo: "P-1", ServedTime: timestamppb.New(at)})
	}
	f.later(24 * time.Hour)
	for _, at := range []time.Time{f.now.AddDate(2, 0, 0), f.now.AddDate(0, 0, -30)} {
		f.refuses(paid(at), "第六十七条")
		if err := f.pay(600_000, "P-1", at); err == nil || !strings.Contains(err.Error(), "第六十七条") {
			t.Errorf("paid at %s: %v", at, err)
		}
	}
	if err := f.try(paid(f.now.Add(-time.Hour))); err != nil {
		t.Fatal(err)
	}
	f.wants(closed)
	f.sound()
}

// Whether a late day that has only begun counts is policy, to be confirmed: it does not until the row says so.
func TestALateDayThatHasBegun(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	for _, k := range f.get().GetClocks() {
		if k.GetClock().GetBasis() == basisPerform {
			f.now = k.GetDueTime().AsTime().Add(23 * time.Hour)
		}
	}
	if d := f.get().GetDebt(); d.GetLateDays() != 0 || d.GetAddition().GetFen() != 0 {
		t.Errorf("after 23 hours: %v", d)
	}
	if _, err := testkit.Owner(t, f.db).Exec(t.Context(), "UPDATE case_policy SET amount_fen = 1 WHERE code = 'late_day_begun' AND to_confirm"); err != nil {
		t.Fatal(err)
	}
	if d := f.get().GetDebt(); d.GetLateDays() != 1 || d.GetAddition().GetFen() != 18_000 {
		t.Errorf("after 23 hours, begun days counted: %v", d)
	}
}

// What the service's own role cannot write either: lines of the future, acts of the party that it did not take, a second
// clock for a term, another party once it was told.
func TestTheGuardsOfFacts(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	for _, act := range []string{actStatement, actWaiver, actHearingWaiver, actHearingRequest, actHearingWithdrawn} {
		f.guards(f.forge(noticeServed, act, "", "party"), "第四十五条")
		f.guards(f.forge(noticeServed, act, "", "party", "note", "gen_random_uuid()::text"), "第四十五条")
	}
	exec := func(sql string) error {
		_, err := f.db.Exec(t.Context(), sql, f.id)
		return err
	}
	shorter := exec(`INSERT INTO case_clock SELECT gen_random_uuid(), case_id, basis, source, profile, event_seq, 'x', start_time, start_time,
		statutory_due, proof, provisional, reckoning FROM case_clock WHERE case_id = $1 AND basis = 'statement_5wd'`)
	if pg.Constraint(shorter) != "case_clock_one" {
		t.Errorf("a second, shorter clock: %v", shorter)
	}
	other := `WITH p AS (INSERT INTO party (party_id, party_key, person, name) VALUES (gen_random_uuid(), 'zz', false, 'B') RETURNING party_id)
		UPDATE enforcement_case SET party_id = (SELECT party_id FROM p) WHERE case_id = $1`
	f.guards(exec(other), "第四十四条")
	// the tests make their own time; by the database's own there are no lines of the future
	if _, err := testkit.Owner(t, f.db).Exec(t.Context(), "UPDATE case_clock_skew SET most = '5 minutes'"); err != nil {
		t.Fatal(err)
	}
	f.now = time.Now().Add(time.Hour)
	f.guards(f.forge(noticeServed, stepExtend, "extended", "head"), "第五十四条")
	f.now = time.Now()
	if err := f.forge(noticeServed, logLate, "", "head"); err != nil {
		t.Errorf("a line of now: %v", err)
	}
	if err := exec("UPDATE case_clock_skew SET most = '1 year' WHERE $1::uuid IS NOT NULL"); pg.Code(err) != "42501" {
		t.Errorf("the service sets the clock: %v", err)
	}
}

// A decision is of now at the latest, whatever its time says.
func TestADecisionOfTheFuture(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	st := f.step(stepSign, outSigned, nil)
	st.DecidedTime = timestamppb.New(f.now.AddDate(0, 1, 0))
	f.refuses(st, "第四十五条")
	f.wants(noticeServed)
}
