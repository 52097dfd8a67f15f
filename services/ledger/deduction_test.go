package ledger

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"quietline/internal/calendar"
	"quietline/internal/identity"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// suspendedAndAppealed is an appeal of a subscriber against a suspension that a complaint led to, under review.
func (m *matterWorld) suspendedAndAppealed(t *testing.T) *ledgerv1.Appeal {
	t.Helper()
	if m.state(t) != stateSuspended {
		if _, err := m.workflows.SuspendResource(t.Context(), m.suspension(byLaw, uuid.NewString())); err != nil {
			t.Fatal(err)
		}
	}
	m.pass(time.Minute)
	filed, err := m.appeal(t, m.centre, m.restriction(t).GetEvent().GetEventId(), "SS-"+uuid.NewString()[:8])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.workflows.AdvanceAppeal(t.Context(), &ledgerv1.AdvanceAppealRequest{
		RequestId: uuid.NewString(), AppealId: filed.GetAppeal().GetAppealId(), State: appealReviewing, AgencyId: "ca-11", ExecutorAgencyId: "cmcc-11",
	}); err != nil {
		t.Fatal(err)
	}
	return filed.GetAppeal()
}

// answerWith answers an appeal that a complaint is behind.
func (m *matterWorld) answerWith(t *testing.T, id string, upheld bool, change func(*ledgerv1.AppealCause)) {
	t.Helper()
	cause := &ledgerv1.AppealCause{
		ComplaintId: uuid.NewString(), Round: 1, Substantiated: 2, Checked: 3, OperatorId: "cmcc-11", AdministrationId: "ca-11",
		AnsweredBy: "answers", Excluded: []string{"proposed", "signed"},
	}
	if change != nil {
		change(cause)
	}
	if _, err := m.workflows.DecideAppeal(t.Context(), &ledgerv1.DecideAppealRequest{
		RequestId: uuid.NewString(), AppealId: id, Upheld: upheld, TaskId: uuid.NewString(), ReasonCode: "checked", Reply: "已核实", Cause: cause,
	}); err != nil {
		t.Fatal(err)
	}
}

func (m *matterWorld) person(subject, agency string, role accessv1.Role) ledgerv1.LedgerServiceClient {
	return ledgerv1.NewLedgerServiceClient(m.dial(identity.Gateway, &commonv1.Actor{Subject: subject, AgencyId: agency, Roles: []accessv1.Role{role}}))
}

func (m *matterWorld) officer(subject string) ledgerv1.LedgerServiceClient {
	return m.person(subject, "ca-11", accessv1.Role_ROLE_REVIEWER)
}

func deductionsOf(t *testing.T, c ledgerv1.LedgerServiceClient) []*ledgerv1.Deduction {
	t.Helper()
	resp, err := c.ListDeductions(t.Context(), &ledgerv1.ListDeductionsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetDeductions()
}

func contest(t *testing.T, c ledgerv1.LedgerServiceClient, id string) error {
	t.Helper()
	_, err := c.ContestDeduction(t.Context(), &ledgerv1.ContestDeductionRequest{
		RequestId: uuid.NewString(), DeductionId: id, Reason: "与事实不符", EvidenceIds: []string{uuid.NewString()}})
	return err
}

func decide(t *testing.T, c ledgerv1.LedgerServiceClient, id string, granted bool) (*ledgerv1.Deduction, error) {
	t.Helper()
	resp, err := c.DecideDeduction(t.Context(), &ledgerv1.DecideDeductionRequest{
		RequestId: uuid.NewString(), DeductionId: id, Granted: granted, Reason: "经核"})
	return resp.GetDeduction(), err
}

// scored is what the scorecards of a month count.
func (m *matterWorld) scored(t *testing.T, at time.Time) map[string]*ledgerv1.ScoredAppeal {
	t.Helper()
	resp, err := m.workflows.ListScoredAppeals(t.Context(), &ledgerv1.ListScoredAppealsRequest{Month: at.In(calendar.Shanghai).Format("2006-01")})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*ledgerv1.ScoredAppeal{}
	for _, a := range resp.GetAppeals() {
		out[a.GetAppealId()] = a
	}
	return out
}

// An appeal that is dismissed over a true report is proposed to be deducted; both sides contest it once, and whoever had
// to do with it does not decide. What was decided counts in the month in which it was decided.
func TestDeduction_contestedByBothSides(t *testing.T) {
	m := newMatterWorld(t)
	p := m.suspendedAndAppealed(t)
	m.answerWith(t, p.GetAppealId(), false, nil)
	own, branch := m.person("li", "cmcc", accessv1.Role_ROLE_OPERATOR), m.person("ma", "cmcc-11", accessv1.Role_ROLE_OPERATOR)
	list := deductionsOf(t, branch)
	if len(list) != 1 || len(deductionsOf(t, own)) != 1 {
		t.Fatalf("the operator reads %v", list)
	}
	d := list[0]
	if d.GetState() != deductionProposed || d.GetSubstantiated() != 2 || d.GetDispositionTaskId() != p.GetDispositionTaskId() ||
		d.GetDispositionTaskId() == "" || d.GetComplaintId() == "" || len(d.GetActs()) != 1 {
		t.Errorf("proposed: %v", d)
	}
	for name, c := range map[string]ledgerv1.LedgerServiceClient{
		"another operator": m.person("x", "ctcc-11", accessv1.Role_ROLE_OPERATOR), "another administration": m.other,
	} {
		if len(deductionsOf(t, c)) != 0 {
			t.Errorf("%s reads the deduction", name)
		}
		wantReason(t, contest(t, c, d.GetDeductionId()), commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	}
	wantReason(t, contest(t, m.lead, d.GetDeductionId()), commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)

	for _, part := range []string{"answers", "proposed", "signed"} {
		_, err := decide(t, m.officer(part), d.GetDeductionId(), true)
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON)
	}
	_, err := decide(t, m.person("ma", "cmcc-11", accessv1.Role_ROLE_OPERATOR), d.GetDeductionId(), true)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)

	if err := contest(t, m.officer("qian"), d.GetDeductionId()); err != nil {
		t.Fatal(err)
	}
	_, err = decide(t, m.officer("qian"), d.GetDeductionId(), false)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON)
	wantReason(t, contest(t, m.officer("wu"), d.GetDeductionId()), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // its side has
	granted := *m.clock.Load()
	if d, err = decide(t, m.officer("wu"), d.GetDeductionId(), true); err != nil || !d.GetDeducted() || d.GetState() != "GRANTED" {
		t.Fatalf("%v, %v", d, err)
	}
	if got := m.scored(t, granted)[p.GetAppealId()]; got.GetEffect() != 1 || !got.GetFiled() || got.GetOperatorId() != "cmcc-11" {
		t.Errorf("counted %v", got)
	}
	_, err = decide(t, m.officer("zhou"), d.GetDeductionId(), false)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // only when contested

	m.pass(62 * 24 * time.Hour)
	if err := contest(t, branch, d.GetDeductionId()); err != nil {
		t.Fatal(err)
	}
	wantReason(t, contest(t, own, d.GetDeductionId()), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	_, err = decide(t, m.officer("wu"), d.GetDeductionId(), true)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON)
	if d, err = decide(t, m.officer("zhou"), d.GetDeductionId(), false); err != nil || d.GetDeducted() || d.GetState() != "REFUSED" {
		t.Fatalf("%v, %v", d, err)
	}
	later := *m.clock.Load()
	if got := m.scored(t, later)[p.GetAppealId()]; got.GetEffect() != -1 || got.GetFiled() {
		t.Errorf("taken back: %v", got)
	}
	if got := m.scored(t, granted)[p.GetAppealId()]; got.GetEffect() != 1 {
		t.Errorf("the month before counts %v now", got)
	}
	var acts []string
	for _, a := range d.GetActs() {
		acts = append(acts, a.GetSide()+" "+a.GetAct())
	}
	if len(acts) != 5 || acts[0] != "mesh proposed" || acts[3] != "operator contested" {
		t.Errorf("history %v", acts)
	}
	m.audited(t)
}

// What is no ground for a deduction leaves none; of a forged number nothing is counted at all.
func TestDeduction_onlyOfTrueReports(t *testing.T) {
	m := newMatterWorld(t)
	untrue, forged := m.suspendedAndAppealed(t), m.suspendedAndAppealed(t)
	m.answerWith(t, untrue.GetAppealId(), false, func(c *ledgerv1.AppealCause) { c.Substantiated = 0 })
	m.answerWith(t, forged.GetAppealId(), false, func(c *ledgerv1.AppealCause) { c.Forged = true })
	if got := deductionsOf(t, m.officer("wu")); len(got) != 0 {
		t.Errorf("proposed %v", got)
	}
	scored := m.scored(t, *m.clock.Load())
	if scored[untrue.GetAppealId()] == nil || scored[forged.GetAppealId()] != nil {
		t.Errorf("counted %v", scored)
	}
	m.audited(t)
}

// The appellant's side keeps its remedy: when the disposition falls on another's appeal, so does what was deducted.
func TestDeduction_lapsesWithTheDisposition(t *testing.T) {
	m := newMatterWorld(t)
	first := m.suspendedAndAppealed(t)
	m.answerWith(t, first.GetAppealId(), false, nil)
	d := deductionsOf(t, m.officer("wu"))[0]
	if _, err := decide(t, m.officer("wu"), d.GetDeductionId(), true); err != nil {
		t.Fatal(err)
	}
	second := m.suspendedAndAppealed(t)
	m.answerWith(t, second.GetAppealId(), true, nil)
	d = deductionsOf(t, m.officer("wu"))[0]
	if d.GetState() != deductionLapsed || d.GetDeducted() {
		t.Fatalf("%v", d)
	}
	wantReason(t, contest(t, m.officer("zhou"), d.GetDeductionId()), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	if got := m.scored(t, *m.clock.Load())[first.GetAppealId()]; got.GetEffect() != 0 {
		t.Errorf("counted %v", got)
	}
	m.audited(t)
}

// The audit finds what was written past the service.
func TestDeduction_audit(t *testing.T) {
	m := newMatterWorld(t)
	p := m.suspendedAndAppealed(t)
	m.answerWith(t, p.GetAppealId(), false, nil)
	d := deductionsOf(t, m.officer("wu"))[0]
	owner := testkit.Owner(t, m.db)
	for _, sql := range []string{
		"UPDATE deduction SET state = 'GRANTED', effect = 1",
		"INSERT INTO deduction_act (deduction_id, act, side, done_by, agency_id, reason, effect, act_time) SELECT deduction_id, 'granted', 'administration', 'answers', 'ca-31', 'x', 1, now() FROM deduction",
	} {
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	a, err := m.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "violations"})
	if err != nil || len(a.GetViolations()) != 2 {
		t.Errorf("of %s: %v, %v", d.GetDeductionId(), a.GetViolations(), err)
	}
	if _, err := m.db.Exec(t.Context(), "UPDATE deduction_act SET reason = 'y'"); err == nil {
		t.Error("the history of a deduction can be changed")
	}
}
