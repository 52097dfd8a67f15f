package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// caseFirm is the party of the one case below; no other test names it.
var caseFirm = &assignmentv1.PartyDetail{Role: "caller", Name: "静线样例己电话营销有限公司", CreditCode: "91000000DEMNDEMN77"}

// script is what the people decide at each step of a complaint that goes all the way; its case they decide as the people of
// a rehearsal do that takes the straight way.
var script = map[string]*caseworkv1.DecideRequest{
	"assign":       {Outcome: "assigned", Detail: &assignmentv1.DecisionDetail{Category: "commercial", Sector: "loans"}},
	"preserve":     {Outcome: "preserved"},
	"number_check": {Outcome: "found"},
	"fact_check": {Outcome: "concluded", Detail: &assignmentv1.DecisionDetail{
		Findings: []*assignmentv1.FindingDetail{{Result: "substantiated", ReasonCode: "no_consent_shown"}},
		Parties:  []*assignmentv1.PartyDetail{caseFirm},
	}},
	"handle": {Outcome: "case", Detail: &assignmentv1.DecisionDetail{}},
}

// TestMesh_fromReportToPenalty follows one report through verification and a case with three signatures to the
// public register and to what its reporter reads.
func TestMesh_fromReportToPenalty(t *testing.T) {
	m := theMesh(t)
	filed := m.fileAsCentre(t, "17000000781")
	complaint := m.complaintOf(t, filed)
	steps := m.play(t, complaint)
	want := []string{
		"preserve", "number_check", "fact_check", "handle", "appoint", "investigate", "case_review", "serve_notice", "case_sign", "deliver",
		"confirm_performance",
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(steps))); diff != "" {
		t.Fatalf("steps (-want +got):\n%s", diff)
	}
	m.checkPenalty(t)
	m.checkTimeline(t, filed)
}

func (m *testMesh) fileAsCentre(t *testing.T, reported string) *reportingv1.FileReportResponse {
	t.Helper()
	r, err := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321")).FileReport(t.Context(), &reportingv1.FileReportRequest{
		RequestId: uuid.NewString(), SenderNo: "CASE-" + uuid.NewString()[:8], Channel: "web", ReporterNumber: "13900000009",
		DisplayedNumber: reported, CallTime: timestamppb.New(yesterday()), ReportedType: "贷款理财", ReporterProvince: "44",
		Text: "推销无抵押贷款,额度三十万,当天放款,利息低",
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// play decides the tasks of a complaint and of its case by the script until the complaint is watched and no task is left.
func (m *testMesh) play(t *testing.T, complaint string) (steps []string) {
	t.Helper()
	lead := m.as(t, "LEAD@miit")
	tasks, cases := assignmentv1.NewAssignmentServiceClient(lead), enforcementv1.NewEnforcementServiceClient(lead)
	await(t, "the end of the matter", 2*time.Minute, func() (bool, error) {
		subjects := []string{complaint}
		attached, err := cases.ListCases(t.Context(), &enforcementv1.ListCasesRequest{ComplaintId: complaint})
		if err != nil {
			return false, err
		}
		closed := len(attached.GetCases()) == 1
		for _, c := range attached.GetCases() {
			subjects = append(subjects, c.GetCaseId())
			closed = closed && c.GetState() == "CLOSED"
		}
		open := 0
		for _, subject := range subjects {
			r, err := tasks.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: subject})
			if err != nil {
				return false, err
			}
			for _, task := range r.GetTasks() {
				open++
				m.decideByScript(t, task)
				steps = append(steps, task.GetStep())
			}
		}
		return closed && open == 0, nil
	})
	return steps
}

func (m *testMesh) decideByScript(t *testing.T, task *assignmentv1.Task) {
	t.Helper()
	line := script[task.GetStep()]
	if task.GetSubjectKind() == "case" {
		line = m.straight(t, task)
	}
	if line == nil {
		t.Fatalf("the script knows no step %s", task.GetStep())
	}
	account := strings.TrimPrefix(task.GetRole().String(), "ROLE_") + "@" + task.GetAgencyId()
	_, err := caseworkv1.NewCaseworkServiceClient(m.as(t, account)).Decide(t.Context(), &caseworkv1.DecideRequest{
		RequestId: uuid.NewSHA1(uuid.NameSpaceOID, []byte("script/"+task.GetTaskId())).String(),
		TaskId:    task.GetTaskId(), Outcome: line.GetOutcome(), ReasonCode: line.GetReasonCode(), Detail: line.GetDetail(),
	})
	if err != nil {
		t.Fatalf("%s by %s: %v", task.GetStep(), account, err)
	}
}

// straight is what a case worker of a rehearsal decides at a step of a case.
func (m *testMesh) straight(t *testing.T, task *assignmentv1.Task) *caseworkv1.DecideRequest {
	t.Helper()
	service := enforcementv1.NewEnforcementServiceClient(m.as(t, "CASEWORKER@"+task.GetAgencyId()))
	file, err := service.GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: task.GetSubjectId()})
	if err != nil {
		t.Fatal(err)
	}
	v := &caseView{GetCaseResponse: file, way: wayStraight, read: time.Now()}
	if err := v.lookAtSuspects(t.Context(), service); err != nil {
		t.Fatal(err)
	}
	if task.GetStep() == "investigate" {
		s, err := service.SuggestPenalties(t.Context(), &enforcementv1.SuggestPenaltiesRequest{CaseId: task.GetSubjectId(), Profile: "rehearsal", Mitigated: true})
		if err != nil {
			t.Fatal(err)
		}
		v.suggested = s.GetSuggestions()
		if err := prove(t.Context(), service, v, uuid.NewString()); err != nil {
			t.Fatal(err)
		}
	}
	return people{}.decideCase(task, v, 0)
}

// checkPenalty looks for the fine where the public and the agencies look.
func (m *testMesh) checkPenalty(t *testing.T) {
	t.Helper()
	r, err := disclosurev1.NewDisclosureServiceClient(m.as(t, "")).ListPublications(t.Context(), &disclosurev1.ListPublicationsRequest{Kind: "penalty"})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(r.GetPublications(), func(p *disclosurev1.Publication) bool { return p.GetCreditCode() == caseFirm.GetCreditCode() })
	if at < 0 {
		t.Fatalf("no publication of the fine among %d", len(r.GetPublications()))
	}
	p := r.GetPublications()[at]
	if !strings.Contains(p.GetSummary(), "罚款") || p.GetState() != "LIVE" || !p.GetTakeDownTime().AsTime().After(time.Now()) {
		t.Errorf("publication: %v", p)
	}
	m.checkRegister(t, p)
	listed, err := creditv1.NewCreditServiceClient(m.as(t, "OPERATOR@cmcc")).CheckParty(t.Context(), &creditv1.CheckPartyRequest{CreditCode: caseFirm.GetCreditCode()})
	if err != nil {
		t.Fatal(err)
	}
	if len(listed.GetListings()) != 0 { // its penalty is none of a telecom operator's: 许可管理办法 42 lists licensees
		t.Errorf("a firm without a licence stands on the telecom lists: %v", listed.GetListings())
	}
	decided, err := enforcementv1.NewEnforcementServiceClient(m.as(t, "LEAD@miit")).GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: p.GetCaseId()})
	if err != nil {
		t.Fatal(err)
	}
	d := decided.GetCase().GetDecision()
	people := map[string]bool{d.GetProposedBy(): true, d.GetReviewedBy(): true, d.GetSignedBy(): true}
	if len(people) != 3 || people[""] {
		t.Errorf("proposed, reviewed and signed by %v", people)
	}
}

// checkTimeline reads what the reporter reads: every stage in its order, the offices, never a number or a party.
func (m *testMesh) checkTimeline(t *testing.T, filed *reportingv1.FileReportResponse) {
	t.Helper()
	public := reportingv1.NewReportingServiceClient(m.as(t, ""))
	want := []string{"received", "accept", "assign", "number_check", "fact_check", "handle", "feedback", "disclose", "watch"}
	var r *reportingv1.TrackReportResponse
	var stages []string
	await(t, "the watching", m.patience(), func() (_ bool, err error) { // the case tells its complaint when it has ended
		r, err = public.TrackReport(t.Context(), &reportingv1.TrackReportRequest{Receipt: filed.GetReceipt(), Secret: filed.GetSecret()})
		stages = nil
		for _, e := range r.GetEntries() {
			stages = append(stages, e.GetStage())
		}
		return len(stages) >= len(want), err
	})
	if !slices.Equal(stages[:len(want)], want) {
		t.Errorf("timeline %v, want %v", stages, want)
	}
	if shown := fmt.Sprint(r); strings.Contains(shown, "17000000781") || strings.Contains(shown, caseFirm.GetName()) {
		t.Error("the timeline shows a number or a party")
	}
}
