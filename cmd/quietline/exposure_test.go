package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// exposedFirm is warned and goes on; no other test names it.
var exposedFirm = &enforcementv1.Party{Role: "caller", Name: "静线样例曝光商务服务有限公司", CreditCode: "91000000DEMXDEMX6P"}

// cautioned brings a report of a call to a finding against the firm, and to a caution of it.
func (m *testMesh) cautioned(t *testing.T, reported string, called time.Time) (complaint, agency string) {
	t.Helper()
	filed, err := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321")).FileReport(t.Context(), &reportingv1.FileReportRequest{
		RequestId: uuid.NewString(), SenderNo: "EXPOSE-" + reported, Channel: "web", ReporterNumber: "13900000017", DisplayedNumber: reported,
		CallTime: timestamppb.New(called), ReportedType: "贷款理财", ReporterProvince: "44", Text: "推销无抵押贷款,额度三十万,当天放款",
	})
	if err != nil {
		t.Fatal(err)
	}
	complaint = m.complaintOf(t, filed)
	lead := m.as(t, "LEAD@miit")
	answers := map[string]*caseworkv1.DecideRequest{
		"assign": script["assign"], "preserve": script["preserve"], "number_check": script["number_check"],
		"fact_check": {Outcome: "concluded", Detail: &assignmentv1.DecisionDetail{Findings: script["fact_check"].GetDetail().GetFindings()}},
		"handle":     {Outcome: "measures", Detail: &assignmentv1.DecisionDetail{Measures: []*assignmentv1.MeasureDetail{{Code: "caution"}}}},
	}
	await(t, "the caution", time.Minute, func() (bool, error) {
		open, err := assignmentv1.NewAssignmentServiceClient(lead).ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint})
		for _, task := range open.GetTasks() {
			line := answers[task.GetStep()]
			if task.GetStep() == "fact_check" {
				agency = task.GetAgencyId()
			}
			_, err := caseworkv1.NewCaseworkServiceClient(m.as(t, accountOf(task))).Decide(t.Context(), &caseworkv1.DecideRequest{
				RequestId: uuid.NewSHA1(uuid.NameSpaceOID, []byte("expose/"+task.GetTaskId())).String(),
				TaskId:    task.GetTaskId(), Outcome: line.GetOutcome(), Detail: line.GetDetail(),
			})
			if err != nil {
				return false, err
			}
		}
		if err != nil || agency == "" {
			return false, err
		}
		taken, err := enforcementv1.NewEnforcementServiceClient(lead).ListTakenMeasures(t.Context(), &enforcementv1.ListTakenMeasuresRequest{ComplaintId: complaint})
		if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) { // nothing is found yet
			return false, nil
		}
		return len(taken.GetMeasures()) == 1 && taken.GetMeasures()[0].GetState() == "done", err
	})
	return complaint, agency
}

// TestMesh_exposure exposes a firm that went on after it was warned: what that rests on is confirmed by its owner, three people
// decide, and the public reads it; without a warning, or without a call after it, the proposer is told what is missing.
func TestMesh_exposure(t *testing.T) {
	m := theMesh(t)
	first, agency := m.cautioned(t, "17000000921", yesterday())
	worker := m.as(t, "CASEWORKER@"+agency)
	cases, casework := enforcementv1.NewEnforcementServiceClient(worker), caseworkv1.NewCaseworkServiceClient(worker)
	taken, err := cases.ListTakenMeasures(t.Context(), &enforcementv1.ListTakenMeasuresRequest{ComplaintId: first})
	if err != nil || len(taken.GetMeasures()) != 1 || !taken.GetMeasures()[0].GetWarns() {
		t.Fatalf("%v, %v", taken, err)
	}
	measure := taken.GetMeasures()[0]
	second, again := m.cautioned(t, "17000000922", time.Now())
	if again != agency {
		t.Fatalf("the second complaint is with %s, the first with %s", again, agency)
	}
	ask := &caseworkv1.ProposePublicationRequest{
		Kind: "exposure", MeasureId: measure.GetMeasureId(), ComplaintId: second, Title: "关于" + exposedFirm.GetName() + "经警示仍拨打骚扰电话的曝光",
		Summary: "该公司经警示后仍继续拨打营销电话,现予曝光。",
	}
	propose := func(change func(*caseworkv1.ProposePublicationRequest)) (*caseworkv1.ProposePublicationResponse, error) {
		req := &caseworkv1.ProposePublicationRequest{
			RequestId: uuid.NewString(), Kind: ask.GetKind(), PartyId: ask.GetPartyId(), MeasureId: ask.GetMeasureId(), ComplaintId: ask.GetComplaintId(),
			Title: ask.GetTitle(), Summary: ask.GetSummary(),
		}
		if change != nil {
			change(req)
		}
		return casework.ProposePublication(t.Context(), req)
	}
	for complaint, of := range map[string]string{first: measure.GetMeasureId(), second: ""} {
		named, err := cases.RecordChainParty(t.Context(), &enforcementv1.RecordChainPartyRequest{
			RequestId: uuid.NewString(), ComplaintId: complaint, Party: exposedFirm, MeasureId: of, Reason: "经核查为主叫单位",
		})
		if err != nil {
			t.Fatal(err)
		}
		ask.PartyId = named.GetPartyId()
	}
	const article = "综合整治骚扰电话专项行动方案"
	for what, change := range map[string]func(*caseworkv1.ProposePublicationRequest){
		"no_warning":      func(r *caseworkv1.ProposePublicationRequest) { r.MeasureId = "" },
		"no_continuation": func(r *caseworkv1.ProposePublicationRequest) { r.ComplaintId = first },
	} {
		_, err := propose(change)
		if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED) || !strings.Contains(errs.Text(err), what) || !strings.Contains(errs.Text(err), article) {
			t.Errorf("%s: %v", what, err)
		}
	}
	proposed, err := propose(nil)
	if err != nil {
		t.Fatal(err)
	}
	id := proposed.GetProposalId()
	public := disclosurev1.NewDisclosureServiceClient(worker)
	state := func() *disclosurev1.PublicationProposal {
		r, err := public.GetProposal(t.Context(), &disclosurev1.GetProposalRequest{ProposalId: id})
		if err != nil {
			t.Fatal(err)
		}
		return r.GetProposal()
	}
	if _, body := m.read(t, "/register?name="+url.QueryEscape(exposedFirm.GetName())); strings.Contains(body, "/register/0") {
		t.Error("it is public before three people decided")
	}
	steps := m.decideUntil(t, id, map[string]string{"publication_review": "approved", "publication_sign": "signed"},
		func() (bool, error) { return state().GetState() == "PUBLISHED", nil })
	if want := []string{"publication_review@" + agency, "publication_sign@" + agency}; !slices.Equal(steps, want) {
		t.Errorf("steps %v, want %v", steps, want)
	}
	p := state()
	if people := map[string]bool{p.GetProposedBy(): true, p.GetReviewedBy(): true, p.GetSignedBy(): true}; len(people) != 3 || people[""] {
		t.Errorf("decided by %v", people)
	}
	status, body := m.read(t, "/register/"+p.GetPublicationId())
	if status != http.StatusOK || !strings.Contains(body, exposedFirm.GetName()) || !strings.Contains(body, "曝光") || strings.Contains(body, "17000000922") {
		t.Errorf("%d: %s", status, body)
	}
	if _, err := disclosurev1.NewDisclosureServiceClient(m.as(t, "HEAD@samr-31")).GetProposal(t.Context(), &disclosurev1.GetProposalRequest{ProposalId: id}); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) {
		t.Errorf("another agency reads it: %v", err)
	}
	m.noneBroken(t, p.GetPublicationId())
}
