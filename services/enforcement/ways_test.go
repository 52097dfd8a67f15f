package enforcement

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// party acts as the role PARTY would through its own RPCs.
func (f *file) party(act string) error {
	f.t.Helper()
	err := pg.Tx(f.t.Context(), f.db, func(tx pgx.Tx) error {
		id := uuid.NewString()
		if err := f.server.partyActs(f.t.Context(), store.New(tx), f.id, act, f.now, id); err != nil {
			return err
		}
		_, err := tx.Exec(f.t.Context(), handsIn[act], id, f.id, f.now)
		return err
	})
	f.later(time.Minute)
	return err
}

// handsIn is what the party hands in with its acts.
var handsIn = map[string]string{
	actStatement: `INSERT INTO case_statement (statement_id, case_id, late, received_time, text_sealed, channel, received_by)
		VALUES ($1, $2, false, $3, '', 'electronic', 'party')`,
	actWaiver: `INSERT INTO case_waiver (waiver_id, case_id, waived, notice_time, waived_time, channel, received_by)
		SELECT $1, $2, 'statement', notice_time, $3, 'electronic', 'party' FROM enforcement_case WHERE case_id = $2`,
	actHearingWaiver: `INSERT INTO case_waiver (waiver_id, case_id, waived, notice_time, waived_time, channel, received_by)
		SELECT $1, $2, 'hearing', notice_time, $3, 'electronic', 'party' FROM enforcement_case WHERE case_id = $2`,
	actHearingRequest: `INSERT INTO case_hearing_request (hearing_request_id, case_id, notice_time, due, due_proof, asked_time, reason_sealed, channel, received_by)
		SELECT $1, $2, notice_time, $3, 'x', $3, '', 'electronic', 'party' FROM enforcement_case WHERE case_id = $2`,
}

func (f *file) partyMust(act string) {
	f.t.Helper()
	if err := f.party(act); err != nil {
		f.t.Fatalf("%s: %v", act, err)
	}
}

// telecom opens a case in which the law grants a hearing: a large fine on a licensee.
func telecom(r *enforcementv1.OpenCaseRequest) {
	r.AgencyId, r.Act = "ca-11", "resource_sublet"
	r.Party.Role = "access_operator"
}

func largeFine(fen int64) *assignmentv1.CaseProposal {
	return &assignmentv1.CaseProposal{
		Penalties:  []*assignmentv1.PenaltyDetail{{Kind: "fine", Amount: &commonv1.Money{Fen: fen}, Basis: "电信条例 第六十九条", CatalogueCode: "telecom_69", ListParty: true}},
		ActEndTime: timestamppb.New(monday.AddDate(0, -1, 0)), Findings: "当事人转租码号资源", BandReason: "有违法前例",
	}
}

func hearingAt(at time.Time, chair string) *assignmentv1.CaseStepDetail {
	return &assignmentv1.CaseStepDetail{HearingTime: timestamppb.New(at), HearingPlace: "听证室", Chair: chair, ChairName: "某主持人"}
}

func record() *assignmentv1.CaseStepDetail {
	return &assignmentv1.CaseStepDetail{RecordHash: strings.Repeat("b", 64)}
}

// signed takes what is left until the signature.
func (f *file) signed() {
	f.t.Helper()
	f.reviewed()
	f.must(stepSign, outSigned, nil)
}

// A hearing: asked for, announced seven working days ahead, chaired by another, reviewed by lawyers, then decided.
func TestAHearing(t *testing.T) {
	f := newFile(t, telecom)
	f.proposed(largeFine(50_000_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actHearingRequest)
	if err := f.party(actHearingRequest); err == nil {
		t.Error("two hearings at once")
	}
	f.refuses(f.step(stepSign, outSigned, nil), "第四十五条")
	f.refuses(f.step(stepAnnounce, "announced", hearingAt(f.now.AddDate(0, 0, 7), "chair")), "第六十四条")
	hearing := time.Date(2026, 3, 16, 2, 0, 0, 0, time.UTC)
	f.refuses(f.step(stepAnnounce, "announced", hearingAt(hearing, "officer-2")), "第六十四条")
	f.must(stepAnnounce, "announced", hearingAt(hearing, "chair"))
	f.wants(stateHearing)
	if only := f.task(stepHold).GetOnly(); len(only) != 1 || only[0] != "chair" {
		t.Errorf("who may hold the hearing: %v", only)
	}
	f.refuses(f.step(stepHold, outHeld, record()), "第六十四条") // not before its time
	f.now = hearing
	other := f.step(stepHold, outHeld, record())
	other.ActorSubject = "reviewer"
	f.refuses(other, "第六十四条")
	f.must(stepHold, outHeld, record())
	f.refuses(f.step(stepSign, outSigned, nil), "第五十八条") // always after a hearing
	officer := f.step(stepLegal, outPassed, &assignmentv1.CaseStepDetail{QualificationNo: "A1"})
	officer.ActorSubject = "officer-2"
	f.refuses(officer, "第五十八条")
	f.refuses(f.step(stepLegal, outPassed, nil), "第五十八条")
	f.signed()
	f.wants(decided)
	f.sound()
}

// The announcement of a hearing shows its last day.
func TestTheLastDayForAnnouncingAHearing(t *testing.T) {
	hearing := time.Date(2026, 10, 12, 1, 0, 0, 0, time.UTC)
	d, err := announceDue(hearing, calendar.Statutory)
	if err != nil {
		t.Fatal(err)
	}
	// counting back, both ends left out: 10-10 (a worked Saturday), 10-9, 10-8, 9-30, 9-29, 9-28, 9-24 are seven
	if got := d.Due.In(calendar.Shanghai).Format("2006-01-02"); got != "2026-09-23" {
		t.Errorf("the last day is %s: %s", got, d.Proof)
	}
}

// Where the law grants no hearing, none can be asked for; and not after its term.
func TestAHearingThatIsNotGranted(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	if err := f.party(actHearingRequest); err == nil || !strings.Contains(err.Error(), "第六十三条") {
		t.Errorf("a hearing for a small fine: %v", err)
	}
	g := newFile(t, telecom)
	g.proposed(largeFine(50_000_000))
	g.must(stepNotice, "served", servedVia("direct"))
	g.later(8 * 24 * time.Hour)
	if err := g.party(actHearingRequest); err == nil || !strings.Contains(err.Error(), "第六十四条") {
		t.Errorf("a hearing too late: %v", err)
	}
}

// A defence: answered, adopted, proposed anew, never harsher, told again.
func TestADefence(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(1_000_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actStatement)
	f.partyMust(actWaiver)
	f.refuses(f.step(stepSign, outSigned, nil), "第四十五条")
	f.must(stepAnswer, outAdopted, &assignmentv1.CaseStepDetail{Mended: []string{"penalty"}})
	f.wants(investigating)
	f.refuses(f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(1_500_000)}), "第四十五条")
	f.must(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	f.must(stepReview, outApproved, nil)
	f.refuses(f.step(stepSign, outSigned, nil), "第四十四条") // what changed is told again
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actWaiver)
	f.signed()
	f.wants(decided)
	if fine := f.get().GetCase().GetPenalties()[0].GetAmount().GetFen(); fine != 600_000 {
		t.Errorf("decided: %d", fine)
	}
	f.sound()
}

// A statement that is answered and not adopted leaves the proposal as it is.
func TestADefenceThatIsNotAdopted(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(1_000_000))
	f.must(stepNotice, "served", servedVia("mail"))
	f.partyMust(actStatement)
	if f.task(stepAnswer) != nil {
		t.Error("the party may still write: its term is not over")
	}
	f.now = f.plan().GetUntil().AsTime()
	f.must(stepAnswer, "not_adopted", nil)
	f.wants(stateStatement)
	f.signed()
	f.sound()
}

// Three people: none of them an officer of the case.
func TestThreePeople(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	stranger := f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	stranger.ActorSubject = "reviewer"
	f.refuses(stranger, "第四十二条")
	f.must(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	for _, who := range []string{"officer-1", "officer-2"} {
		own := f.step(stepReview, outApproved, nil)
		own.ActorSubject = who
		f.refuses(own, "第五十七条")
	}
	elsewhere := f.step(stepReview, outApproved, nil)
	elsewhere.ActorAgency = "ca-11"
	if err := f.try(elsewhere); err == nil {
		t.Error("another agency reviewed")
	}
	f.must(stepReview, outApproved, nil)
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actWaiver)
	f.reviewed()
	for _, who := range []string{"officer-1", "officer-2", "reviewer"} {
		own := f.step(stepSign, outSigned, nil)
		own.ActorSubject = who
		f.refuses(own, "第五十七条")
	}
	f.must(stepSign, outSigned, nil)
}

// One officer is not enough; who is recused is out of it, and another takes the place.
func TestOfficersAndRecusal(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.refuses(f.step(stepAppoint, "appointed", officersNamed("officer-1")), "第四十二条")
	f.refuses(f.step(stepAppoint, "appointed", officersNamed("officer-1", "officer-1")), "第四十二条")
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	head := f.as("head", "samr-11", accessv1.Role_ROLE_HEAD)
	recuse := func(who string) error {
		_, err := head.RecuseOfficer(f.t.Context(), &enforcementv1.RecuseOfficerRequest{RequestId: uuid.NewString(), CaseId: f.id, Subject: who, Reason: "与当事人有直接利害关系"})
		f.later(time.Minute)
		return err
	}
	if err := recuse("nobody"); err == nil {
		t.Error("recused who is no officer")
	}
	if err := recuse("officer-1"); err != nil {
		t.Fatal(err)
	}
	if f.task(stepInvestigate) != nil || f.task(stepAppoint) == nil {
		t.Fatalf("with one officer: %v", f.plan().GetTasks())
	}
	f.refuses(f.step(stepAppoint, "appointed", officersNamed("officer-1", "officer-3")), "第四十三条")
	f.must(stepAppoint, "appointed", officersNamed("officer-3"))
	gone := f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	f.refuses(gone, "第四十三条")
	gone.ActorSubject = "officer-3"
	if err := f.try(gone); err != nil {
		t.Fatal(err)
	}
	got, err := f.as("reviewer", "samr-11", accessv1.Role_ROLE_REVIEWER).GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: f.id})
	if err != nil || len(got.GetOfficers()) != 3 || got.GetOfficers()[0].GetRecuseReason() == "" {
		t.Errorf("officers: %v, %v", got.GetOfficers(), err)
	}
	lead, err := f.as("lead", "miit", accessv1.Role_ROLE_LEAD).GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: f.id})
	if err != nil || len(lead.GetOfficers()) != 0 || strings.Contains(lead.String(), "officer-") {
		t.Errorf("the lead sees officers: %v", lead.GetOfficers())
	}
	f.sound()
}

// Nobody is punished: reviewed, signed, delivered, closed, and told at the signature.
func TestNoPenalty(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	f.refuses(f.step(stepInvestigate, outNoPenalty, nil), "第三十三条")
	f.must(stepInvestigate, outNoPenalty, &assignmentv1.CaseStepDetail{Proposal: &assignmentv1.CaseProposal{NoPenaltyGround: "first_slight", Findings: "初次违法且危害后果轻微并及时改正"}})
	f.must(stepReview, outApproved, nil)
	f.signed()
	f.wants(stateNoPenalty)
	if got := f.effects(); strings.Join(got, " ") != effTell {
		t.Errorf("effects: %v", got)
	}
	f.must(stepDeliver, outDelivered, servedVia("direct"))
	f.wants(closed)
	if c := f.get().GetCase(); c.GetNoPenaltyGround() != "first_slight" || f.plan().GetOutcome() != "no_penalty" || !f.plan().GetEnded() {
		t.Errorf("at the end: %v", c)
	}
	f.sound()
}

// On the spot, within its limits.
func TestTheSimplifiedProcedure(t *testing.T) {
	f := newFile(t, func(r *enforcementv1.OpenCaseRequest) { r.Act = "marketing_without_consent" })
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	small := func(fen int64) *assignmentv1.CaseStepDetail {
		return &assignmentv1.CaseStepDetail{Proposal: &assignmentv1.CaseProposal{
			Mitigation: "及时改正,危害后果轻微",
			Penalties:  []*assignmentv1.PenaltyDetail{{Kind: "fine", Amount: &commonv1.Money{Fen: fen}, Basis: "消费者权益保护法 第五十六条", CatalogueCode: "consumer_56"}},
			ActEndTime: timestamppb.New(monday.AddDate(0, -1, 0)), Findings: "当事人未经同意发送商业信息", BandReason: "情节轻微",
		}}
	}
	f.refuses(f.step(stepInvestigate, outSimple, small(300_001)), "第五十一条")
	f.must(stepInvestigate, outSimple, small(300_000))
	f.refuses(f.step(stepSign, outSigned, nil), "")
	f.refuses(f.step(stepOnspot, outDelivered, nil), "第四十四条")
	alone := &assignmentv1.CaseStepDetail{StatementHeard: true, Method: "onspot"}
	f.refuses(f.step(stepOnspot, outDelivered, alone), "第五十二条") // the second officer is not named
	both := &assignmentv1.CaseStepDetail{StatementHeard: true, Method: "onspot", Participants: []string{"officer-1", "officer-2"}}
	own := f.step(stepOnspot, outDelivered, both)
	own.ActorSubject = "officer-1" // who proposed it
	f.refuses(own, "第五十一条")
	f.must(stepOnspot, outDelivered, both)
	f.wants(statePerforming)
	if c := f.get().GetCase(); c.GetProcedure() != "simplified" || c.GetDecision().GetReviewedBy() != "officer-2@samr-11" {
		t.Errorf("decided: %v", c)
	}
	f.sound()
}

// Accounts have an @ of their own: who proposed neither decides on the spot, nor is asked to review.
func TestSubjectsAreAccounts(t *testing.T) {
	for signature, want := range map[string]string{"wang@samr-11": "wang", "caseworker@samr-11@samr-11": "caseworker@samr-11", "wang": "wang"} {
		if got := subjectOfSignature(signature); got != want {
			t.Errorf("%s is signed by %q, want %q", signature, got, want)
		}
	}
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("a@samr-11", "b@samr-11"))
	st := f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	st.ActorSubject = "a@samr-11"
	if err := f.try(st); err != nil {
		t.Fatal(err)
	}
	if who := f.task(stepReview).GetExcluded(); !slices.Contains(who, "a@samr-11") {
		t.Errorf("the review is not for %v", who)
	}
}
