package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/gateway/client"
	"quietline/gateway/issuer"
	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// lawCase is a case of the tests below, with who has it and whom it is against.
type lawCase struct {
	m          *testMesh
	id, agency string
	firm       *assignmentv1.PartyDetail
}

const (
	refusesByPolicy = commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES
	refusesByState  = commonv1.ErrorReason_ERROR_REASON_WRONG_STATE
	refusesPerson   = commonv1.ErrorReason_ERROR_REASON_SAME_PERSON
)

// openCase brings a report to a case against a firm.
func (m *testMesh) openCase(t *testing.T, reported, text string, against *assignmentv1.PartyDetail) *lawCase {
	t.Helper()
	filed, err := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321")).FileReport(t.Context(), &reportingv1.FileReportRequest{
		RequestId: uuid.NewString(), SenderNo: "LAW-" + reported, Channel: "web", ReporterNumber: "13900000009", DisplayedNumber: reported,
		CallTime: timestamppb.New(yesterday()), ReporterProvince: "44", Text: text,
	})
	if err != nil {
		t.Fatal(err)
	}
	complaint := m.complaintOf(t, filed)
	lead := m.as(t, "LEAD@miit")
	c := &lawCase{m: m, firm: against}
	await(t, "the case", time.Minute, func() (bool, error) {
		open, err := assignmentv1.NewAssignmentServiceClient(lead).ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint})
		for _, task := range open.GetTasks() {
			line := map[string]*caseworkv1.DecideRequest{
				"assign": script["assign"], "preserve": script["preserve"], "number_check": script["number_check"], "handle": script["handle"],
				"fact_check": {Outcome: "concluded", Detail: &assignmentv1.DecisionDetail{
					Findings: script["fact_check"].GetDetail().GetFindings(), Parties: []*assignmentv1.PartyDetail{against},
				}},
			}[task.GetStep()]
			_, err := caseworkv1.NewCaseworkServiceClient(m.as(t, accountOf(task))).Decide(t.Context(), &caseworkv1.DecideRequest{
				RequestId: uuid.NewSHA1(uuid.NameSpaceOID, []byte("law/"+task.GetTaskId())).String(),
				TaskId:    task.GetTaskId(), Outcome: line.GetOutcome(), Detail: line.GetDetail(),
			})
			if err != nil {
				return false, err
			}
		}
		if err != nil {
			return false, err
		}
		r, err := enforcementv1.NewEnforcementServiceClient(lead).ListCases(t.Context(), &enforcementv1.ListCasesRequest{ComplaintId: complaint})
		if len(r.GetCases()) > 0 {
			c.id, c.agency = r.GetCases()[0].GetCaseId(), r.GetCases()[0].GetAgencyId()
		}
		return c.id != "", err
	})
	return c
}

func accountOf(task *assignmentv1.Task) string {
	return strings.TrimPrefix(task.GetRole().String(), "ROLE_") + "@" + task.GetAgencyId()
}

// as is the service as a role of the case's agency sees it.
func (c *lawCase) as(t *testing.T, role string) enforcementv1.EnforcementServiceClient {
	t.Helper()
	return enforcementv1.NewEnforcementServiceClient(c.m.as(t, role+"@"+c.agency))
}

// asParty is the service as the reported firm sees it.
func (c *lawCase) asParty(t *testing.T) enforcementv1.EnforcementServiceClient {
	t.Helper()
	return enforcementv1.NewEnforcementServiceClient(c.m.as(t, party+"@"+c.firm.GetCreditCode()))
}

// task waits for a step of the case to be open.
func (c *lawCase) task(t *testing.T, step string) (found *assignmentv1.Task) {
	t.Helper()
	lead := assignmentv1.NewAssignmentServiceClient(c.m.as(t, "LEAD@miit"))
	await(t, "the step "+step, time.Minute, func() (bool, error) {
		r, err := lead.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: c.id, State: "OPEN"})
		i := slices.IndexFunc(r.GetTasks(), func(task *assignmentv1.Task) bool { return task.GetStep() == step })
		if i >= 0 {
			found = r.GetTasks()[i]
		}
		return i >= 0, err
	})
	return found
}

// try decides a step as somebody.
func (c *lawCase) try(t *testing.T, conn grpc.ClientConnInterface, step, outcome string, d *assignmentv1.CaseStepDetail) error {
	t.Helper()
	task := c.task(t, step)
	_, err := caseworkv1.NewCaseworkServiceClient(conn).Decide(t.Context(), &caseworkv1.DecideRequest{
		RequestId: uuid.NewString(), TaskId: task.GetTaskId(), Outcome: outcome, ReasonCode: "test", Detail: &assignmentv1.DecisionDetail{CaseStep: d},
	})
	return err
}

// do decides a step as its role, which must go well.
func (c *lawCase) do(t *testing.T, step, outcome string, d *assignmentv1.CaseStepDetail) {
	t.Helper()
	if err := c.try(t, c.m.as(t, accountOf(c.task(t, step))), step, outcome, d); err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}

// asInvestigator has somebody with another role who is the investigator himself.
func (c *lawCase) asInvestigator(t *testing.T, role string) *grpc.ClientConn {
	t.Helper()
	token, err := issuer.Source(c.m.data, c.m.URL, role, c.agency, account("caseworker", 1, c.agency))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Dial(c.m.URL, token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (c *lawCase) appoint(t *testing.T) {
	t.Helper()
	c.do(t, "appoint", "appointed", &assignmentv1.CaseStepDetail{Officers: officers(c.agency, &caseView{})})
}

// propose tries to propose a penalty.
func (c *lawCase) propose(t *testing.T, p *assignmentv1.CaseProposal) error {
	t.Helper()
	p.Findings, p.Mitigation = "经查,当事人未经同意拨打营销电话。", "初次违法,及时改正"
	officer := c.m.as(t, "CASEWORKER@"+c.agency)
	v := &caseView{GetCaseResponse: &enforcementv1.GetCaseResponse{Case: &enforcementv1.Case{CaseId: c.id, AgencyId: c.agency}}}
	request := uuid.NewSHA1(uuid.NameSpaceOID, []byte("proof/"+c.id)).String()
	if err := prove(t.Context(), enforcementv1.NewEnforcementServiceClient(officer), v, request); err != nil {
		t.Fatal(err)
	}
	return c.try(t, officer, "investigate", "proposed", &assignmentv1.CaseStepDetail{Proposal: p})
}

// ask asks for a step out of its turn.
func (c *lawCase) ask(t *testing.T, step string) error {
	t.Helper()
	_, err := c.as(t, "CASEWORKER").RequestCaseStep(t.Context(), &enforcementv1.RequestCaseStepRequest{
		RequestId: uuid.NewString(), CaseId: c.id, Step: step, Reason: "急需决定",
	})
	return err
}

func fined(code, basis string, amount int64) *assignmentv1.CaseProposal {
	return &assignmentv1.CaseProposal{Penalties: []*assignmentv1.PenaltyDetail{
		{Kind: "fine", Amount: &commonv1.Money{Fen: amount * yuan}, Basis: basis, CatalogueCode: code},
	}}
}

// consumer is the fine that every agency of the programme may impose.
func consumer() *assignmentv1.CaseProposal {
	return fined("consumer_56", "消费者权益保护法 第五十六条", 8000)
}

// refused holds an error to its reason and its article.
func wantRefused(t *testing.T, what string, err error, article string, reasons ...commonv1.ErrorReason) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: not refused", what)
		return
	}
	if !slices.ContainsFunc(reasons, func(r commonv1.ErrorReason) bool { return errs.Is(err, r) }) || !strings.Contains(err.Error(), article) {
		t.Errorf("%s: refused with %v, want %v and %s", what, err, reasons, article)
	}
}

// TestMesh_refusedByTheLaw tries, as the agency that may do everything else, what no agency may do. The mesh is no rehearsal.
func TestMesh_refusedByTheLaw(t *testing.T) {
	m := ownMesh(t, "statutory")
	first := m.openCase(t, "17000000901", "推销无抵押贷款,额度三十万,当天放款,利息低", firm(9001))
	first.appoint(t)
	t.Run("a body that is not entitled", func(t *testing.T) {
		p := consumer()
		p.Penalties[0].Kind, p.Penalties[0].Amount = "closure", nil
		wantRefused(t, "a closure by "+first.agency, first.propose(t, p), "第十七条", refusesByPolicy)
	})
	t.Run("limitation", func(t *testing.T) {
		p := consumer()
		p.ActEndTime = timestamppb.New(time.Now().AddDate(-3, 0, 0))
		wantRefused(t, "an act of three years ago", first.propose(t, p), "第三十六条", refusesByPolicy)
	})
	t.Run("alone", func(t *testing.T) { testAlone(t, first) })
	t.Run("without notice", func(t *testing.T) {
		wantRefused(t, "a signature before the notice", first.ask(t, "case_sign"), "第四十四条", refusesByState, refusesByPolicy)
		lacks(t, first, "第四十四条")
	})
	t.Run("without legal review", func(t *testing.T) { testLegalReview(t, first) })
	t.Run("signed by the investigator", func(t *testing.T) {
		err := first.try(t, first.asInvestigator(t, "HEAD"), "case_sign", "signed", nil)
		wantRefused(t, "a signature of the investigator", err, "第五十七条", refusesPerson)
		first.do(t, "case_sign", "signed", nil)
	})
	t.Run("a second fine", func(t *testing.T) { testSecondFine(t, m, first) })
	t.Run("the draft of 2020", func(t *testing.T) { testDraft(t, m) })
}

// testAlone: who investigated neither reviews nor is one officer enough.
func testAlone(t *testing.T, c *lawCase) {
	p := consumer()
	p.ThirdPartyInterest = true // legal review is due
	if err := c.propose(t, p); err != nil {
		t.Fatal(err)
	}
	err := c.try(t, c.asInvestigator(t, "REVIEWER"), "case_review", "approved", nil)
	wantRefused(t, "a review by the investigator", err, "第五十七条", refusesPerson)
	c.do(t, "case_review", "approved", nil)
}

// testLegalReview: the party waives its time, and still nothing is signed before the legal review.
func testLegalReview(t *testing.T, c *lawCase) {
	c.do(t, "serve_notice", "served", &assignmentv1.CaseStepDetail{Method: "direct"})
	await(t, "the notice", time.Minute, func() (bool, error) {
		r, err := c.as(t, "CASEWORKER").GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: c.id})
		return r.GetCase().GetState() == stateNoticeServed, err
	})
	wantRefused(t, "a signature before the defence term has run", c.ask(t, "case_sign"), "第四十五条", refusesByState, refusesByPolicy)
	_, err := c.asParty(t).WaiveStatement(t.Context(), &enforcementv1.WaiveStatementRequest{RequestId: uuid.NewString(), CaseId: c.id, Waived: "statement"})
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, "a signature without legal review", c.ask(t, "case_sign"), "第五十八条", refusesByState, refusesByPolicy)
	lacks(t, c, "第五十八条")
	wantRefused(t, "a legal review by the investigator",
		c.try(t, c.asInvestigator(t, "REVIEWER"), "legal_review", "passed", &assignmentv1.CaseStepDetail{QualificationNo: "A1"}), "第五十八条", refusesPerson)
	c.task(t, "legal_review")
	err = c.try(t, c.m.as(t, "REVIEWER@"+c.agency+"#2"), "legal_review", "passed", &assignmentv1.CaseStepDetail{QualificationNo: "A20184401"})
	if err != nil {
		t.Fatal(err)
	}
}

// lacks: the caseworker's question of what is missing is answered with the article.
func lacks(t *testing.T, c *lawCase, article string) {
	t.Helper()
	r, err := c.as(t, "CASEWORKER").CheckDecision(t.Context(), &enforcementv1.CheckDecisionRequest{CaseId: c.id})
	if err != nil || r.GetReady() || !strings.Contains(fmt.Sprint(r.GetLacks()), article) {
		t.Errorf("what lacks: %v, %v, want %s", r, err, article)
	}
}

// testSecondFine: an officer links another case to the fined act. A warning is open, a fine is not.
func testSecondFine(t *testing.T, m *testMesh, first *lawCase) {
	second := m.openCase(t, "17000000902", "推销无抵押贷款,额度三十万,当天放款,利息低", firm(9002))
	second.appoint(t)
	second.task(t, "investigate")
	_, err := second.as(t, "CASEWORKER").LinkActs(t.Context(), &enforcementv1.LinkActsRequest{
		RequestId: uuid.NewString(), CaseId: second.id, OtherCaseId: first.id, Reason: "同一外呼行为",
	})
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, "a second fine", second.propose(t, consumer()), "第二十九条", refusesByPolicy)
	warning := consumer()
	warning.Penalties[0].Kind, warning.Penalties[0].Amount = "warning", nil
	if err := second.propose(t, warning); err != nil {
		t.Errorf("a warning by another authority: %v", err)
	}
}

// testDraft: the draft rule of 2020 is no law; outside a rehearsal nobody cites it, not even who it would entitle.
func testDraft(t *testing.T, m *testMesh) {
	c := m.openCase(t, "17000000903", "推销宽带套餐升级,办理流量卡,话费优惠", firm(9003))
	c.appoint(t)
	wantRefused(t, "the draft rule, by "+c.agency, c.propose(t, fined("draft_2020", "通信短信息和语音呼叫服务管理规定 (征求意见稿, 2020)", 10_000)), "第三十八条", refusesByPolicy)
}
