package ledger

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

const holderCode = "91110000000000000A"

// matterWorld is a world with one resource, a clock that the test sets, and the people of recalls and appeals.
type matterWorld struct {
	*world
	clock                                                atomic.Pointer[time.Time]
	resource                                             *ledgerv1.Resource
	party, stranger, centre, official, other, head, lead ledgerv1.LedgerServiceClient
}

func newMatterWorld(t *testing.T) *matterWorld {
	t.Helper()
	m := &matterWorld{}
	m.set(time.Now())
	m.world = newWorldAt(t, func() time.Time { // time goes on between two calls
		m.pass(time.Millisecond)
		return *m.clock.Load()
	})
	as := func(a *commonv1.Actor, role accessv1.Role) ledgerv1.LedgerServiceClient {
		a.Roles = []accessv1.Role{role}
		return ledgerv1.NewLedgerServiceClient(m.dial(identity.Gateway, a))
	}
	m.party = as(&commonv1.Actor{Subject: "party", Party: holderCode}, accessv1.Role_ROLE_PARTY)
	m.stranger = as(&commonv1.Actor{Subject: "stranger", Party: "91110000000000000B"}, accessv1.Role_ROLE_PARTY)
	m.centre = as(&commonv1.Actor{Subject: "operator12321", AgencyId: "centre-12321"}, accessv1.Role_ROLE_CENTRE)
	m.official = as(&commonv1.Actor{Subject: "chen", AgencyId: "ca-11"}, accessv1.Role_ROLE_CASEWORKER)
	m.head = as(&commonv1.Actor{Subject: "zhao", AgencyId: "ca-11"}, accessv1.Role_ROLE_HEAD)
	m.other = as(&commonv1.Actor{Subject: "sun", AgencyId: "ca-31"}, accessv1.Role_ROLE_CASEWORKER)
	m.lead = as(&commonv1.Actor{Subject: "lead", AgencyId: "miit"}, accessv1.Role_ROLE_LEAD)
	h := m.holder(t, "甲", holderCode).GetHolderId()
	m.pass(-time.Hour)
	r, err := m.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
		r.HolderId, r.ValidFrom = h, timestamppb.New(time.Now().Add(-48*time.Hour))
	})
	if err != nil {
		t.Fatal(err)
	}
	m.resource = r
	m.pass(time.Hour)
	return m
}

func (m *matterWorld) set(t time.Time) { m.clock.Store(&t) }

func (m *matterWorld) pass(d time.Duration) { m.set(m.clock.Load().Add(d)) }

func (m *matterWorld) state(t *testing.T) string {
	t.Helper()
	r, err := m.official.GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: m.resource.GetResourceId()})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetResource().GetState()
}

func (m *matterWorld) audited(t *testing.T) {
	t.Helper()
	a, err := m.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "violations"})
	if err != nil || len(a.GetViolations()) > 0 {
		t.Errorf("violations: %v, %v", a.GetViolations(), err)
	}
}

func (m *matterWorld) propose(t *testing.T) *ledgerv1.Recall {
	t.Helper()
	resp, err := m.official.ProposeRecall(t.Context(), &ledgerv1.ProposeRecallRequest{
		RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "transferred", Statement: "转租给他人使用",
	})
	if err != nil || resp.GetRecall().GetState() != recallProposed {
		t.Fatalf("propose: %v, %v", resp, err)
	}
	return resp.GetRecall()
}

// announce brings a recall to its notice of 30 days.
func (m *matterWorld) announce(t *testing.T, id string) *ledgerv1.Recall {
	t.Helper()
	_, err := m.workflows.AdvanceRecall(t.Context(), &ledgerv1.AdvanceRecallRequest{RequestId: uuid.NewString(), RecallId: id, State: recallReviewing})
	if err != nil {
		t.Fatal(err)
	}
	now := *m.clock.Load()
	resp, err := m.workflows.GiveRecallNotice(t.Context(), &ledgerv1.GiveRecallNoticeRequest{
		RequestId: uuid.NewString(), RecallId: id, SigningTaskId: uuid.NewString(), PublicationId: uuid.NewString(),
		NoticeTime: timestamppb.New(now), NoticeUntil: timestamppb.New(now.AddDate(0, 0, 30)),
		Clock: &commonv1.Clock{Basis: "recall_notice_30d", StatutoryDue: now.AddDate(0, 0, 30).Format(time.RFC3339), Proof: "30 cd"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetRecall()
}

func (m *matterWorld) complete(t *testing.T, id string) (*ledgerv1.Recall, error) {
	t.Helper()
	resp, err := m.workflows.CompleteRecall(t.Context(), &ledgerv1.CompleteRecallRequest{RequestId: uuid.NewString(), RecallId: id})
	return resp.GetRecall(), err
}

func TestRecall_endsTheAllocationInBothTimes(t *testing.T) {
	m := newMatterWorld(t)
	r := m.announce(t, m.propose(t).GetRecallId())
	if r.GetState() != recallNotice || r.GetFormerState() != stateActive || m.state(t) != stateNotice || r.GetClock().GetProof() == "" {
		t.Fatalf("under notice: %v, resource %s", r, m.state(t))
	}
	if _, err := m.complete(t, r.GetRecallId()); err == nil {
		t.Fatal("recalled before the notice period was over")
	}
	before := time.Now()
	m.pass(31 * 24 * time.Hour)
	done, err := m.complete(t, r.GetRecallId())
	if err != nil || done.GetState() != recallDone || m.state(t) != stateRecalled {
		t.Fatalf("%v, %v, resource %s", done, err, m.state(t))
	}
	look := func(at, known *timestamppb.Timestamp) (*ledgerv1.Resource, error) {
		resp, err := m.official.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95588", At: at, KnownAt: known})
		return resp.GetResource(), err
	}
	after := timestamppb.New(done.GetEndTime().AsTime().Add(time.Second))
	_, err = look(after, nil)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	if got, err := look(timestamppb.New(done.GetEndTime().AsTime().Add(-time.Second)), nil); err != nil || got.GetState() != stateNotice {
		t.Errorf("just before its end: %v, %v", got, err)
	}
	// what was known before stays known as of then: nobody knew of an end
	if got, err := look(after, timestamppb.New(before)); err != nil || got.GetHolder().GetCreditCode() != holderCode {
		t.Errorf("as known before: %v, %v", got, err)
	}
	m.audited(t)
	// the number is free for another holder
	other := m.holder(t, "乙", "91110000000000000B").GetHolderId()
	if _, err := m.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId = other }); err != nil {
		t.Errorf("the number is not free again: %v", err)
	}
	_, err = m.official.ProposeRecall(t.Context(), &ledgerv1.ProposeRecallRequest{
		RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "transferred", Statement: "x"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
}

func TestRecall_oneOpenPerResource(t *testing.T) {
	m := newMatterWorld(t)
	first := m.propose(t)
	if second := m.propose(t); second.GetRecallId() != first.GetRecallId() {
		t.Error("a resource has two open recalls")
	}
	if _, err := m.workflows.AdvanceRecall(t.Context(), &ledgerv1.AdvanceRecallRequest{
		RequestId: uuid.NewString(), RecallId: first.GetRecallId(), State: recallReviewing}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		resp, err := m.workflows.AdvanceRecall(t.Context(), &ledgerv1.AdvanceRecallRequest{
			RequestId: uuid.NewString(), RecallId: first.GetRecallId(), State: recallRejected, TaskId: uuid.NewString(), ReasonCode: "facts"})
		if err != nil || resp.GetRecall().GetState() != recallRejected {
			t.Fatalf("%v, %v", resp, err)
		}
	}
	if m.state(t) != stateActive {
		t.Errorf("a recall that was not approved left the resource %s", m.state(t))
	}
	if again := m.propose(t); again.GetRecallId() == first.GetRecallId() {
		t.Error("a rejected recall is open")
	}
	m.audited(t)
}

func TestRecall_refused(t *testing.T) {
	m := newMatterWorld(t)
	propose := func(c ledgerv1.LedgerServiceClient, code string) error {
		_, err := c.ProposeRecall(t.Context(), &ledgerv1.ProposeRecallRequest{
			RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: code, Statement: "x"})
		return err
	}
	wantReason(t, propose(m.other, "transferred"), commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	wantReason(t, propose(m.worker, "transferred"), commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY) // samr-11 administers no numbers
	wantReason(t, propose(m.operator, "transferred"), commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
	err := propose(m.official, "whim")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	if !strings.Contains(err.Error(), "purpose_changed") {
		t.Errorf("the refusal does not say for what: %v", err)
	}
	r := m.propose(t)
	_, err = m.workflows.GiveRecallNotice(t.Context(), &ledgerv1.GiveRecallNoticeRequest{
		RequestId: uuid.NewString(), RecallId: r.GetRecallId(), SigningTaskId: uuid.NewString(), PublicationId: uuid.NewString(),
		NoticeTime: timestamppb.Now(), NoticeUntil: timestamppb.New(time.Now().Add(time.Hour)), Clock: &commonv1.Clock{Proof: "x"}})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // nobody reviewed it
}

func TestRecall_objection(t *testing.T) {
	m := newMatterWorld(t)
	if _, err := m.operator.WarnResource(t.Context(), m.warning(byContract)); err != nil {
		t.Fatal(err)
	}
	object := func(c ledgerv1.LedgerServiceClient, id string) (*ledgerv1.ObjectToRecallResponse, error) {
		return c.ObjectToRecall(t.Context(), &ledgerv1.ObjectToRecallRequest{RequestId: uuid.NewString(), RecallId: id, Text: "并未转租"})
	}
	id := m.propose(t).GetRecallId()
	_, err := object(m.party, id)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) // nothing was served yet
	m.announce(t, id)
	_, err = object(m.stranger, id)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = object(m.official, id)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
	first, err := object(m.party, id)
	if err != nil || !first.GetObjected() {
		t.Fatalf("%v, %v", first, err)
	}
	if again, err := object(m.party, id); err != nil || again.GetObjected() || again.GetObjection().GetObjectionId() != first.GetObjection().GetObjectionId() {
		t.Fatalf("%v, %v", again, err)
	}
	m.pass(31 * 24 * time.Hour)
	if r, err := m.complete(t, id); err != nil || r.GetState() != recallNotice {
		t.Fatalf("recalled over an open objection: %v, %v", r, err)
	}
	// while it is announced, the operator takes the number out of service: abandoning the recall does not lift that
	if _, err := m.operator.SuspendResource(t.Context(), m.suspension(byContract, "")); err != nil || m.state(t) != stateNotice {
		t.Fatalf("%v, %s", err, m.state(t))
	}
	decide := &ledgerv1.DecideObjectionRequest{
		RequestId: uuid.NewString(), RecallId: id, ObjectionId: first.GetObjection().GetObjectionId(), Upheld: true, TaskId: uuid.NewString(),
		ReasonCode: "not_transferred", Reply: "经核实未转租"}
	for range 2 {
		resp, err := m.workflows.DecideObjection(t.Context(), decide)
		if err != nil || resp.GetRecall().GetState() != recallDropped {
			t.Fatalf("%v, %v", resp, err)
		}
		decide.RequestId = uuid.NewString()
	}
	if m.state(t) != stateSuspended {
		t.Errorf("after the recall was abandoned the resource is %s", m.state(t))
	}
	_, err = object(m.party, id)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	got, err := m.party.GetRecall(t.Context(), &ledgerv1.GetRecallRequest{RecallId: id})
	if err != nil || got.GetRecall().GetObjections()[0].GetReply() != "经核实未转租" || strings.Contains(got.GetRecall().GetProposedBy(), "chen") {
		t.Errorf("the holder reads %v, %v", got, err)
	}
	m.audited(t)
}

func TestRecall_whoMaySee(t *testing.T) {
	m := newMatterWorld(t)
	id := m.propose(t).GetRecallId()
	sees := func(c ledgerv1.LedgerServiceClient) bool {
		t.Helper()
		list, err := c.ListRecalls(t.Context(), &ledgerv1.ListRecallsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.GetRecall(t.Context(), &ledgerv1.GetRecallRequest{RecallId: id})
		if (err == nil) != (len(list.GetRecalls()) == 1) {
			t.Errorf("list and row differ: %v, %v", list, err)
		}
		return err == nil
	}
	for name, c := range map[string]struct {
		who           ledgerv1.LedgerServiceClient
		before, after bool
	}{
		"its administration": {m.official, true, true}, "the head": {m.head, true, true}, "the lead": {m.lead, true, true},
		"the holder": {m.party, false, true}, "another firm": {m.stranger, false, false}, "who gives access": {m.operator, false, true}, "another province": {m.other, false, false},
		"another authority": {m.worker, false, false}, "another operator": {m.elsewhere, false, false},
		"a caseworker of the lead ministry": {m.as("miit", accessv1.Role_ROLE_CASEWORKER), true, true},
		"a caseworker of who gives access":  {m.as("cmcc-11", accessv1.Role_ROLE_CASEWORKER), false, true},
	} {
		if got := sees(c.who); got != c.before {
			t.Errorf("before the notice %s sees it: %v", name, got)
		}
		defer func() {
			if got := sees(c.who); got != c.after {
				t.Errorf("under notice %s sees it: %v", name, got)
			}
		}()
	}
	m.announce(t, id)
	unstarted, err := m.workflows.ListUnstartedMatters(t.Context(), &ledgerv1.ListUnstartedMattersRequest{Kind: kindRecall})
	if err != nil || len(unstarted.GetIds()) != 0 {
		t.Errorf("unstarted: %v, %v", unstarted, err)
	}
}
