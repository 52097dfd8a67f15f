package ledger

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// as is somebody of an agency with a role.
func (m *matterWorld) as(agency string, role accessv1.Role) ledgerv1.LedgerServiceClient {
	return ledgerv1.NewLedgerServiceClient(m.dial(identity.Gateway, &commonv1.Actor{Subject: "someone", AgencyId: agency, Roles: []accessv1.Role{role}}))
}

// signed suspends by a decision that an agency's head signed, as the workflows enter it.
func (m *matterWorld) signed(t *testing.T, agency string) {
	t.Helper()
	c := ledgerv1.NewLedgerServiceClient(m.dial(identity.Workflows, identity.System(identity.Workflows)))
	order := m.suspension(byLaw, uuid.NewString())
	order.AgencyId = agency
	if _, err := c.SuspendResource(t.Context(), order); err != nil {
		t.Fatal(err)
	}
}

// Who has a right to appeal has it whatever others did, and nobody reads another's appeal.
func TestAppeal_eachHasItsOwn(t *testing.T) {
	m := newMatterWorld(t)
	m.signed(t, "nfra-11")
	event := m.restriction(t).GetEvent().GetEventId()
	ids := map[string]bool{}
	var first string
	for reference, c := range map[string]ledgerv1.LedgerServiceClient{
		"": m.party, "SS-1": m.centre, "SS-2": m.centre, "SS-01": m.as("centre-12381", accessv1.Role_ROLE_CENTRE),
	} {
		filed, err := m.appeal(t, c, event, reference)
		if err != nil || !filed.GetFiled() || filed.GetAppeal().GetReference() != reference {
			t.Fatalf("%q: %v, %v", reference, filed, err)
		}
		again, err := m.appeal(t, c, event, reference)
		if err != nil || again.GetFiled() || again.GetAppeal().GetAppealId() != filed.GetAppeal().GetAppealId() {
			t.Errorf("%q again: %v, %v", reference, again, err)
		}
		if ids[filed.GetAppeal().GetAppealId()] = true; reference == "SS-1" {
			first = filed.GetAppeal().GetAppealId()
		}
	}
	if own := m.restriction(t).GetAppealId(); len(ids) != 4 || own == "" || own == first {
		t.Errorf("%d appeals, the holder is shown %s", len(ids), own)
	}
	if got, err := m.party.GetAppeal(t.Context(), &ledgerv1.GetAppealRequest{AppealId: m.restriction(t).GetAppealId()}); err != nil || got.GetAppeal().GetAppellant() != "holder" {
		t.Errorf("the holder reads %v, %v", got, err)
	}
	// two of them are upheld: the record is corrected once, and the service restored once
	restored := 0
	for id := range ids {
		if m.answer(t, id, id != first).GetRestore() {
			restored++
		}
	}
	if restored != 1 || m.state(t) != stateActive {
		t.Errorf("restored %d times, the resource is %s", restored, m.state(t))
	}
	history, err := m.official.GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: m.resource.GetResourceId()})
	n := 0
	for _, e := range history.GetEvents() {
		if e.GetCorrectsEventId() == event {
			n++
		}
	}
	if err != nil || n != 1 {
		t.Errorf("corrected %d times, %v", n, err)
	}
	_, err = m.appeal(t, m.centre, event, "SS-3")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // there is nothing left to appeal against
	m.audited(t)
}

// Nobody lifts what another ordered.
func TestResume_byARegistrar(t *testing.T) {
	resume := func(m *matterWorld, agency string) error {
		_, err := m.as(agency, accessv1.Role_ROLE_REGISTRAR).ResumeResource(t.Context(), &ledgerv1.ResumeResourceRequest{
			RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "rectified", Basis: "反电信网络诈骗法 32"})
		return err
	}
	for name, c := range map[string]struct {
		by, lifts string
		taken     bool
	}{
		"its own order": {"ca-11", "ca-11", true}, "the lead ministry's order": {"miit", "ca-11", false},
		"the lead ministry, its own": {"miit", "miit", true}, "a province's order": {"ca-11", "miit", false},
		"a signed decision of another authority": {"nfra-11", "ca-11", false}, "that, by the lead ministry": {"nfra-11", "miit", true},
		"what the workflows entered": {"", "ca-11", false}, "what the workflows entered, by the lead ministry": {"", "miit", true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMatterWorld(t)
			m.signed(t, c.by)
			if err := resume(m, c.lifts); c.taken != (err == nil) || (m.state(t) == stateActive) != c.taken {
				t.Errorf("%v, %s", err, m.state(t))
			} else if !c.taken {
				wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
			}
		})
	}
	m := newMatterWorld(t)
	m.signed(t, "ca-11")
	if _, err := m.operator.SuspendResource(t.Context(), m.suspension(byContract, "")); err != nil {
		t.Fatal(err)
	}
	wantReason(t, resume(m, "ca-11"), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) // the contract is not its own
	if m.state(t) != stateSuspended {
		t.Errorf("the registrar lifted the operator's measure: %s", m.state(t))
	}
}

func TestRestrictions_whoMaySee(t *testing.T) {
	m := newMatterWorld(t)
	if _, err := m.operator.WarnResource(t.Context(), m.warning(byContract)); err != nil {
		t.Fatal(err)
	}
	m.signed(t, "nfra-11")
	for name, c := range map[string]struct {
		who   ledgerv1.LedgerServiceClient
		sees  int
		names int // of them with who did it
	}{
		"the holder": {m.party, 2, 0}, "another firm": {m.stranger, 0, 0}, "who gives access": {m.operator, 2, 1}, "another operator": {m.elsewhere, 0, 0},
		"the centre": {m.centre, 2, 0}, "its administration": {m.official, 2, 0}, "another province's": {m.other, 0, 0},
		"the lead": {m.lead, 2, 2}, "another authority": {m.worker, 0, 0}, "who ordered one": {m.as("nfra-11", accessv1.Role_ROLE_REVIEWER), 1, 1},
		"an authority whose name ends alike": {m.as("11", accessv1.Role_ROLE_REVIEWER), 0, 0},
	} {
		list, err := c.who.ListRestrictions(t.Context(), &ledgerv1.ListRestrictionsRequest{})
		named := 0
		for _, r := range list.GetRestrictions() {
			if strings.Contains(r.GetEvent().GetDoneBy(), "@") {
				named++
			}
		}
		if err != nil || len(list.GetRestrictions()) != c.sees || named != c.names {
			t.Errorf("%s reads %d, %d with who did it, want %d and %d: %v", name, len(list.GetRestrictions()), named, c.sees, c.names, err)
		}
	}
}

// The public learns of a sanction by its publication only.
func TestLookupCode_noSanctions(t *testing.T) {
	m := newMatterWorld(t)
	look := func(want string) {
		t.Helper()
		got, err := m.public.LookupCode(t.Context(), &ledgerv1.LookupCodeRequest{Code: "95588"})
		if err != nil || got.GetState() != want {
			t.Errorf("the public reads %v, %v, want %s", got.GetState(), err, want)
		}
	}
	look(stateActive)
	if _, err := m.operator.WarnResource(t.Context(), m.warning(byContract)); err != nil {
		t.Fatal(err)
	}
	look(stateActive)
	m.signed(t, "ca-11")
	look(stateActive)
	m.announce(t, m.propose(t).GetRecallId())
	look(stateNotice)
}

// A ground that wants a warning before it (经警示或暂停仍不改正) takes nothing back without one.
func TestRecall_afterAWarning(t *testing.T) {
	m := newMatterWorld(t)
	propose := func() (*ledgerv1.ProposeRecallResponse, error) {
		return m.official.ProposeRecall(t.Context(), &ledgerv1.ProposeRecallRequest{
			RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "harassment", Statement: "仍不改正"})
	}
	_, err := propose()
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	if !strings.Contains(err.Error(), "经警示或暂停仍不改正") {
		t.Errorf("the refusal does not say why: %v", err)
	}
	m.signed(t, "nfra-11")
	filed, err := m.appeal(t, m.party, m.restriction(t).GetEvent().GetEventId(), "")
	if err != nil {
		t.Fatal(err)
	}
	m.answer(t, filed.GetAppeal().GetAppealId(), true)
	_, err = propose() // what was wrong is no warning
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	if _, err := m.official.WarnResource(t.Context(), m.warning(byLaw)); err != nil {
		t.Fatal(err)
	}
	if _, err := m.as("ca-11", accessv1.Role_ROLE_REGISTRAR).ResumeResource(t.Context(), &ledgerv1.ResumeResourceRequest{
		RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "promised", Basis: "整改承诺"}); err != nil {
		t.Fatal(err)
	}
	if r, err := propose(); err != nil || !r.GetProposed() { // put back, and at it again
		t.Errorf("%v, %v", r, err)
	}
}

// What is announced to be taken back does not slip out of its recall by an end.
func TestEnd_notUnderNotice(t *testing.T) {
	m := newMatterWorld(t)
	end := func(ago time.Duration) error {
		_, err := m.registrar.EndAllocation(t.Context(), &ledgerv1.EndAllocationRequest{
			RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), Reason: "given back", EndTime: timestamppb.New(m.clock.Load().Add(-ago))})
		return err
	}
	id := m.announce(t, m.propose(t).GetRecallId()).GetRecallId()
	m.pass(time.Hour)
	for _, ago := range []time.Duration{0, 12 * time.Hour, -24 * time.Hour} {
		wantReason(t, end(ago), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	}
	if m.state(t) != stateNotice {
		t.Errorf("the resource is %s", m.state(t))
	}
	m.pass(31 * 24 * time.Hour)
	if r, err := m.complete(t, id); err != nil || r.GetState() != recallDone {
		t.Errorf("%v, %v", r, err)
	}
	m.audited(t)
}

// The audit finds what the rules keep out, should it come in another way.
func TestAudit_recallsAgainstTheRules(t *testing.T) {
	m := newMatterWorld(t)
	id := m.announce(t, m.propose(t).GetRecallId()).GetRecallId()
	_, err := testkit.Owner(t, m.db).Exec(t.Context(), "UPDATE recall SET reason_code = 'harassment'")
	if err != nil {
		t.Fatal(err)
	}
	_, err = testkit.Owner(t, m.db).Exec(t.Context(), `INSERT INTO resource_event (resource_id, event, reason_code, basis, effect_time, done_by)
		SELECT resource_id, 'ended', 'ended', 'x', notice_time + interval '1 hour', 'x' FROM recall`)
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "violations"})
	found := strings.Join(a.GetViolations(), "\n")
	if err != nil || !strings.Contains(found, "not under notice") || !strings.Contains(found, "warned or suspended before") || !strings.Contains(found, id) {
		t.Errorf("%s, %v", found, err)
	}
}
