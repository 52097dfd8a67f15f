package enforcement

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// First to open has it; another claims it; the common superior decides.
func TestJurisdiction(t *testing.T) {
	f := newFile(t, nil)
	first := f.id
	f.open(func(r *enforcementv1.OpenCaseRequest) { r.AgencyId = "ca-11" })
	if f.id != first || f.get().GetCase().GetAgencyId() != "samr-11" {
		t.Fatalf("another case for the same party and act: %s", f.id)
	}
	f.effects()
	other := f.as("reviewer-ca", "ca-11", accessv1.Role_ROLE_REVIEWER)
	claim := func(c enforcementv1.EnforcementServiceClient) error {
		_, err := c.DisputeJurisdiction(t.Context(), &enforcementv1.DisputeJurisdictionRequest{RequestId: uuid.NewString(), CaseId: f.id, Reason: "属电信业务"})
		f.later(time.Minute)
		return err
	}
	if err := claim(f.as("reviewer", "samr-11", accessv1.Role_ROLE_REVIEWER)); err == nil {
		t.Error("claimed what it has")
	}
	if err := claim(other); err != nil {
		t.Fatal(err)
	}
	if err := claim(other); err == nil {
		t.Error("claimed twice")
	}
	task := f.task(stepDesignate)
	if task.GetAgencyId() != "" || len(task.GetSuperiorOf()) != 2 {
		t.Fatalf("who decides: %v", task)
	}
	f.refuses(f.step(stepDesignate, "designated", &assignmentv1.CaseStepDetail{AgencyId: "mps-11"}), "第二十五条")
	f.must(stepDesignate, "designated", &assignmentv1.CaseStepDetail{AgencyId: "ca-11"})
	if got := f.get().GetCase().GetAgencyId(); got != "ca-11" || f.task(stepAppoint).GetAgencyId() != "ca-11" {
		t.Errorf("the case is %s's", got)
	}
	if err := claim(f.as("reviewer", "samr-11", accessv1.Role_ROLE_REVIEWER)); err == nil {
		t.Error("disputed after it was decided")
	}
}

// Evidence: hash and chain.
func TestEvidence(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	hash := strings.Repeat("c", 64)
	added, err := f.officer().AddCaseEvidence(t.Context(), &enforcementv1.AddCaseEvidenceRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Kind: "electronic", Title: "外呼系统日志", Sha256: hash, FromHolder: "当事人机房", ToHolder: "officer-1", Registered: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	id := added.GetEvidence().GetEvidenceId()
	if k := added.GetEvidence().GetClock(); k.GetDueTime().AsTime().Format("2006-01-02") != "2026-03-11" {
		t.Errorf("seven working days from Monday 2026-03-02: %v", k)
	}
	move := func(req *enforcementv1.MoveCaseEvidenceRequest) (*enforcementv1.CaseEvidence, error) {
		req.RequestId, req.EvidenceId = uuid.NewString(), id
		r, err := f.officer().MoveCaseEvidence(t.Context(), req)
		return r.GetEvidence(), err
	}
	if _, err := move(&enforcementv1.MoveCaseEvidenceRequest{Act: "moved", ToHolder: "实验室", Sha256: strings.Repeat("d", 64)}); err == nil {
		t.Error("what changed was handed on")
	}
	if _, err := move(&enforcementv1.MoveCaseEvidenceRequest{Act: "moved", ToHolder: "实验室", Sha256: hash}); err != nil {
		t.Fatal(err)
	}
	if _, err := move(&enforcementv1.MoveCaseEvidenceRequest{Act: "registration_decided", Sha256: hash}); err == nil {
		t.Error("decided without a decision")
	}
	e, err := move(&enforcementv1.MoveCaseEvidenceRequest{Act: "registration_decided", RegistrationDecision: "used", Sha256: hash})
	if err != nil || e.GetRegistrationDecision() != "used" || e.GetClock().GetMetTime() == nil || len(e.GetCustody()) != 3 {
		t.Fatalf("decided: %v, %v", e, err)
	}
	if c := e.GetCustody()[2]; c.GetFromHolder() != "实验室" {
		t.Errorf("the chain: %v", e.GetCustody())
	}
	if _, err := f.as("x", "ca-11", accessv1.Role_ROLE_CASEWORKER).ListCaseEvidence(t.Context(), &enforcementv1.ListCaseEvidenceRequest{CaseId: f.id}); err == nil {
		t.Error("another agency sees it")
	}
	f.sound()
}

// A decision that was right when it was taken is noted when the case has moved on before it is recorded.
func TestALateRecord(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	f.must(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	review := f.step(stepReview, outApproved, nil)
	if _, err := f.flows.CheckCaseStep(t.Context(), &enforcementv1.CheckCaseStepRequest{CaseId: f.id, Step: review}); err != nil {
		t.Fatal(err)
	}
	f.later(time.Minute)
	if err := f.request(stepApprove); err != nil {
		t.Fatal(err)
	}
	f.must(stepApprove, outApproved, &assignmentv1.CaseStepDetail{AgencyId: "mps-11"})
	f.must(stepSend, "sent", &assignmentv1.CaseStepDetail{ReceiptNo: "1"})
	for range 2 { // told twice
		_, err := f.flows.RecordCaseStep(t.Context(), &enforcementv1.RecordCaseStepRequest{RequestId: uuid.NewString(), CaseId: f.id, Step: review})
		if err != nil {
			t.Fatal(err)
		}
	}
	f.wants(stateTransferred)
	notes := 0
	for _, e := range f.get().GetEvents() {
		if e.GetStep() == logLate {
			notes++
		}
	}
	if notes != 1 {
		t.Errorf("%d notes of the late decision", notes)
	}
	f.sound()
}
