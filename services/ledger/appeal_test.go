package ledger

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

func (m *matterWorld) warning(nature string) *ledgerv1.WarnResourceRequest {
	return &ledgerv1.WarnResourceRequest{
		RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "too_many_calls", Basis: "合同第七条",
		Nature: nature, PriorNotice: "已电话告知", Remedy: "十五日内可申诉",
	}
}

func (m *matterWorld) suspension(nature, task string) *ledgerv1.SuspendResourceRequest {
	return &ledgerv1.SuspendResourceRequest{
		RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "harassment", Basis: "合同第八条",
		Nature: nature, PriorNotice: "未告知:危害持续", Remedy: "可申诉", TaskId: task,
	}
}

// restriction is the newest that the holder reads.
func (m *matterWorld) restriction(t *testing.T) *ledgerv1.Restriction {
	t.Helper()
	resp, err := m.party.ListRestrictions(t.Context(), &ledgerv1.ListRestrictionsRequest{PageSize: 1})
	if err != nil || len(resp.GetRestrictions()) != 1 {
		t.Fatalf("restrictions: %v, %v", resp, err)
	}
	return resp.GetRestrictions()[0]
}

func (m *matterWorld) appeal(t *testing.T, c ledgerv1.LedgerServiceClient, event int64, reference string) (*ledgerv1.AppealRestrictionResponse, error) {
	t.Helper()
	return c.AppealRestriction(t.Context(), &ledgerv1.AppealRestrictionRequest{
		RequestId: uuid.NewString(), EventId: event, Statement: "号码有误", Reference: reference,
	})
}

// answer takes an appeal to its answer.
func (m *matterWorld) answer(t *testing.T, id string, upheld bool) *ledgerv1.DecideAppealResponse {
	t.Helper()
	_, err := m.workflows.AdvanceAppeal(t.Context(), &ledgerv1.AdvanceAppealRequest{
		RequestId: uuid.NewString(), AppealId: id, State: appealReviewing, AgencyId: "nfra-11", ExecutorAgencyId: "cmcc"})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := m.workflows.DecideAppeal(t.Context(), &ledgerv1.DecideAppealRequest{
		RequestId: uuid.NewString(), AppealId: id, Upheld: upheld, TaskId: uuid.NewString(), ReasonCode: "wrong_number", Reply: "经核实有误"})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// Contract and law are told apart: nobody does what is the other's to do.
func TestRestrict_byContractOrByLaw(t *testing.T) {
	m := newMatterWorld(t)
	warn := func(c ledgerv1.LedgerServiceClient, nature string) error {
		_, err := c.WarnResource(t.Context(), m.warning(nature))
		return err
	}
	err := warn(m.operator, byLaw)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	if !strings.Contains(err.Error(), "行政处罚法") {
		t.Errorf("the refusal names no law: %v", err)
	}
	wantReason(t, warn(m.official, byContract), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	wantReason(t, warn(m.other, byLaw), commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	wantReason(t, warn(m.worker, byLaw), commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	_, err = m.operator.SuspendResource(t.Context(), m.suspension(byContract, uuid.NewString()))
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) // a task's order is entered by its workflow
	_, err = m.official.SuspendResource(t.Context(), m.suspension(byLaw, ""))
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED) // an order needs its signatures
	for _, nature := range []string{byContract, byLaw} {
		c := m.operator
		if nature == byLaw {
			c = m.official
		}
		for range 2 { // the same ground twice is one warning
			if err := warn(c, nature); err != nil || m.state(t) != stateWarned {
				t.Fatalf("%v, %s", err, m.state(t))
			}
		}
	}
	list, err := m.party.ListRestrictions(t.Context(), &ledgerv1.ListRestrictionsRequest{})
	if err != nil || len(list.GetRestrictions()) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	for _, r := range list.GetRestrictions() {
		if e := r.GetEvent(); e.GetRemedy() == "" || e.GetPriorNotice() == "" || strings.Contains(e.GetDoneBy(), "@") {
			t.Errorf("the holder reads %v", e)
		}
	}
	if list, err := m.stranger.ListRestrictions(t.Context(), &ledgerv1.ListRestrictionsRequest{}); err != nil || len(list.GetRestrictions()) != 0 {
		t.Errorf("another firm reads %v, %v", list, err)
	}
}

// An operator lifts what it did by its contract, and no order.
func TestResume_ofOnesOwn(t *testing.T) {
	m := newMatterWorld(t)
	resume := func() error {
		_, err := m.operator.ResumeResource(t.Context(), &ledgerv1.ResumeResourceRequest{
			RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "rectified", Basis: "合同第八条"})
		return err
	}
	if _, err := m.operator.SuspendResource(t.Context(), m.suspension(byContract, "")); err != nil {
		t.Fatal(err)
	}
	if err := resume(); err != nil || m.state(t) != stateActive {
		t.Fatalf("%v, %s", err, m.state(t))
	}
	if _, err := m.workflows.SuspendResource(t.Context(), m.suspension(byLaw, uuid.NewString())); err != nil {
		t.Fatal(err)
	}
	wantReason(t, resume(), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	elsewhere := ledgerv1.NewLedgerServiceClient(m.dial(identity.Gateway, &commonv1.Actor{
		Subject: "wu", AgencyId: "ca-31", Roles: []accessv1.Role{accessv1.Role_ROLE_REGISTRAR}}))
	_, err := elsewhere.ResumeResource(t.Context(), &ledgerv1.ResumeResourceRequest{
		RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "x", Basis: "x"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	if m.state(t) != stateSuspended {
		t.Errorf("the operator lifted an order: %s", m.state(t))
	}
}

func TestAppeal_upheldRestoresAndCorrects(t *testing.T) {
	m := newMatterWorld(t)
	if _, err := m.operator.WarnResource(t.Context(), m.warning(byContract)); err != nil {
		t.Fatal(err)
	}
	task := uuid.NewString()
	if _, err := m.workflows.SuspendResource(t.Context(), m.suspension(byLaw, task)); err != nil {
		t.Fatal(err)
	}
	m.pass(time.Hour)
	event := m.restriction(t).GetEvent()
	filed, err := m.appeal(t, m.party, event.GetEventId(), "")
	if err != nil || !filed.GetFiled() {
		t.Fatalf("%v, %v", filed, err)
	}
	a := filed.GetAppeal()
	if a.GetDispositionTaskId() != task || a.GetClock().GetBasis() != "appeal_30d" || a.GetClock().GetProof() == "" || a.GetAppellant() != "holder" {
		t.Errorf("appeal %v", a)
	}
	if again, err := m.appeal(t, m.party, event.GetEventId(), ""); err != nil || again.GetFiled() || again.GetAppeal().GetAppealId() != a.GetAppealId() {
		t.Fatalf("%v, %v", again, err)
	}
	if unstarted, err := m.workflows.ListUnstartedMatters(t.Context(), &ledgerv1.ListUnstartedMattersRequest{Kind: kindAppeal}); err != nil || len(unstarted.GetIds()) != 1 {
		t.Errorf("unstarted: %v, %v", unstarted, err)
	}
	decided := m.answer(t, a.GetAppealId(), true)
	if !decided.GetRestore() || m.state(t) != stateWarned { // the warning stands
		t.Errorf("upheld: %v, resource %s", decided, m.state(t))
	}
	if _, err := m.workflows.AdvanceAppeal(t.Context(), &ledgerv1.AdvanceAppealRequest{
		RequestId: uuid.NewString(), AppealId: a.GetAppealId(), State: appealRestored, TaskId: uuid.NewString()}); err != nil {
		t.Fatal(err)
	}
	got, err := m.party.GetAppeal(t.Context(), &ledgerv1.GetAppealRequest{AppealId: a.GetAppealId()})
	if err != nil || got.GetAppeal().GetState() != appealRestored || got.GetAppeal().GetReply() == "" || got.GetAppeal().GetCorrectingEventId() == 0 || got.GetOrderedBy() != "" {
		t.Errorf("the appellant reads %v, %v", got, err)
	}
	if r := m.restriction(t); !r.GetCorrected() || r.GetAppealId() != a.GetAppealId() {
		t.Errorf("the record: %v", r)
	}
	// history is not rewritten: at the time the number was out of service, and the record says that it was wrong
	history, err := m.official.GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: m.resource.GetResourceId()})
	if err != nil {
		t.Fatal(err)
	}
	last := history.GetEvents()[len(history.GetEvents())-1]
	if last.GetEvent() != corrected || last.GetCorrectsEventId() != event.GetEventId() || last.GetState() != stateWarned {
		t.Errorf("the last event: %v", last)
	}
	_, err = m.appeal(t, m.party, event.GetEventId(), "")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	m.audited(t)
}

// What one agency ordered falls; what another ordered stands.
func TestAppeal_liftsItsOwnGroundOnly(t *testing.T) {
	m := newMatterWorld(t)
	for _, task := range []string{uuid.NewString(), uuid.NewString()} {
		if _, err := m.workflows.SuspendResource(t.Context(), m.suspension(byLaw, task)); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range []string{stateSuspended, stateActive} {
		var event int64
		list, err := m.party.ListRestrictions(t.Context(), &ledgerv1.ListRestrictionsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.GetRestrictions() {
			if !r.GetCorrected() {
				event = r.GetEvent().GetEventId()
			}
		}
		filed, err := m.appeal(t, m.party, event, "")
		if err != nil {
			t.Fatal(err)
		}
		decided := m.answer(t, filed.GetAppeal().GetAppealId(), true)
		if m.state(t) != want || decided.GetRestore() != (want == stateActive) {
			t.Errorf("after appeal %d the resource is %s, restore %v", n+1, m.state(t), decided.GetRestore())
		}
	}
}

func TestAppeal_ofASubscriber(t *testing.T) {
	m := newMatterWorld(t)
	if _, err := m.operator.SuspendResource(t.Context(), m.suspension(byContract, "")); err != nil {
		t.Fatal(err)
	}
	event := m.restriction(t).GetEvent().GetEventId()
	_, err := m.appeal(t, m.stranger, event, "")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = m.appeal(t, m.centre, event, "")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	_, err = m.appeal(t, m.official, event, "")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
	filed, err := m.appeal(t, m.centre, event, "SS-2026-0001")
	if err != nil || filed.GetAppeal().GetClock().GetBasis() != "appeal_operator_15d" || filed.GetAppeal().GetAppellant() != "subscriber" {
		t.Fatalf("%v, %v", filed, err)
	}
	id := filed.GetAppeal().GetAppealId()
	sees := func(c ledgerv1.LedgerServiceClient) *ledgerv1.Appeal {
		resp, _ := c.GetAppeal(t.Context(), &ledgerv1.GetAppealRequest{AppealId: id})
		return resp.GetAppeal()
	}
	if sees(m.centre).GetReference() == "" || sees(m.lead) == nil || sees(m.lead).GetReference() != "" || sees(m.stranger) != nil || sees(m.party) != nil || sees(m.other) != nil {
		t.Error("who sees a subscriber's appeal")
	}
	if m.answer(t, id, false).GetRestore() || m.state(t) != stateSuspended {
		t.Errorf("dismissed, and the resource is %s", m.state(t))
	}
	if got := sees(m.centre); got.GetState() != appealDismissed || got.GetReply() == "" || !strings.Contains(got.GetRemedy(), "申诉") {
		t.Errorf("the centre reads %v", got)
	}
	_, err = m.appeal(t, m.centre, event, "SS-2026-0001")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // this subscriber has its answer
	if other, err := m.appeal(t, m.centre, event, "SS-2026-0002"); err != nil || !other.GetFiled() {
		t.Errorf("another subscriber: %v, %v", other, err)
	}
	m.audited(t)
}

// An appeal that waits beyond its term is found by the audit.
func TestAudit_overdue(t *testing.T) {
	m := newMatterWorld(t)
	if _, err := m.operator.SuspendResource(t.Context(), m.suspension(byContract, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.appeal(t, m.party, m.restriction(t).GetEvent().GetEventId(), ""); err != nil {
		t.Fatal(err)
	}
	recall := m.announce(t, m.propose(t).GetRecallId())
	m.audited(t)
	m.pass(40 * 24 * time.Hour)
	a, err := m.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "violations"})
	if err != nil || len(a.GetViolations()) != 2 || !strings.Contains(strings.Join(a.GetViolations(), " "), recall.GetRecallId()) {
		t.Errorf("violations: %v, %v", a.GetViolations(), err)
	}
	for what, n := range map[string]int{"recalls": 1, "appeals": 1} {
		a, err := m.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: what})
		if err != nil || len(a.GetRecalls())+len(a.GetAppeals()) != n {
			t.Errorf("%s: %v, %v", what, a, err)
		}
	}
}
