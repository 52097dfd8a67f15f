package disclosure

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// world is disclosure with a clock that the test sets.
type world struct {
	db                               *pgxpool.Pool
	clock                            atomic.Pointer[time.Time]
	flows, public, head, other, stat disclosurev1.DisclosureServiceClient
	au, opstat                       disclosurev1.DisclosureServiceClient
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{db: testkit.DB(t, "disclosure", store.Migrations)}
	w.set(at("2026-05-01 10:00"))
	dial := testkit.Serve(t, identity.Disclosure, func(s *grpc.Server) {
		disclosurev1.RegisterDisclosureServiceServer(s, New(w.db, func() time.Time { return *w.clock.Load() }))
	})
	as := func(caller identity.Workload, agency string, role accessv1.Role) disclosurev1.DisclosureServiceClient {
		return disclosurev1.NewDisclosureServiceClient(dial(caller, &commonv1.Actor{
			Subject: "someone", AgencyId: agency, Roles: []accessv1.Role{role},
		}))
	}
	w.flows = threeDecide{as(identity.Workflows, "", accessv1.Role_ROLE_SYSTEM)}
	w.public = disclosurev1.NewDisclosureServiceClient(dial(identity.Gateway, nil))
	w.head = as(identity.Gateway, "ca-11", accessv1.Role_ROLE_HEAD)
	w.other = as(identity.Gateway, "ca-31", accessv1.Role_ROLE_HEAD)
	w.stat = as(identity.Gateway, "miit", accessv1.Role_ROLE_STATISTICIAN)
	w.opstat = as(identity.Gateway, "ctcc", accessv1.Role_ROLE_STATISTICIAN)
	w.au = as(identity.Gateway, "miit", accessv1.Role_ROLE_AUDITOR)
	return w
}

// threeDecide are the flows: what nobody publishes alone goes by a proposal that two others review and release, and each
// service by public notice is that of a step.
type threeDecide struct {
	disclosurev1.DisclosureServiceClient
}

func (d threeDecide) Publish(ctx context.Context, req *disclosurev1.PublishRequest, opts ...grpc.CallOption) (*disclosurev1.PublishResponse, error) {
	if req.GetPublication().GetKind() == serviceNotice && req.GetTaskId() == "" {
		req.TaskId = uuid.NewString()
	}
	if !isProposed(req.GetPublication().GetKind()) {
		return d.DisclosureServiceClient.Publish(ctx, req, opts...)
	}
	id := req.GetPublication().GetCaseId()
	if id == "" {
		id = uuid.NewString()
	}
	entered, err := d.RecordProposal(ctx, &disclosurev1.RecordProposalRequest{
		RequestId: uuid.NewString(), ProposalId: id, Publication: req.GetPublication(), Gate: req.GetGate(), ProposedBy: "wang@ca-11",
		Basis: &disclosurev1.PublicationBasis{
			PartyId: uuid.NewString(), MeasureId: uuid.NewString(), ComplaintId: uuid.NewString(), DocumentId: uuid.NewString(),
		},
	})
	if err != nil || entered.GetProposal() == nil {
		return because(entered.GetMissing()), err
	}
	done, err := d.ReleaseProposal(ctx, &disclosurev1.ReleaseProposalRequest{
		RequestId: uuid.NewString(), ProposalId: id, Gate: req.GetGate(), ReviewedBy: "li@ca-11", SignedBy: "zhao@ca-11",
	})
	if err != nil || done.GetProposal().GetPublicationId() == "" {
		return because(done.GetMissing()), err
	}
	got, err := d.GetPublication(ctx, &disclosurev1.GetPublicationRequest{PublicationId: done.GetProposal().GetPublicationId()})
	return &disclosurev1.PublishResponse{Publication: got.GetPublication()}, err
}

func because(missing []*disclosurev1.MissingCondition) *disclosurev1.PublishResponse {
	if len(missing) == 0 {
		return nil
	}
	return &disclosurev1.PublishResponse{NotPublishedBecause: missing[0].GetCode(), Missing: missing}
}

func (w *world) set(t time.Time) { w.clock.Store(&t) }

func (w *world) publish(t *testing.T, change func(*disclosurev1.PublishRequest)) (*disclosurev1.PublishResponse, error) {
	t.Helper()
	req := &disclosurev1.PublishRequest{
		RequestId: uuid.NewString(), Gate: passes(),
		Publication: &disclosurev1.Publication{
			Kind: penalty, Title: "北京市通信管理局行政处罚决定 京通罚字〔2026〕1号", PartyName: "甲呼叫中心(北京)有限公司",
			CreditCode: "91110000000000000A", AgencyId: "ca-11", AgencyName: "北京市通信管理局", Summary: "罚款200000.00元",
			CaseId: "00000000-0000-4000-8000-000000000001", DecisionNo: "京通罚字〔2026〕1号",
			RegionCodes: []string{"11"}, Codes: []string{"95013123", "4001234567"}, LicenceNo: "B2-20260001", Ground: "受到行政处罚",
		},
	}
	if change != nil {
		change(req)
	}
	return w.flows.Publish(t.Context(), req)
}

func wantReason(t *testing.T, err error, want commonv1.ErrorReason) {
	t.Helper()
	if got := errs.Reason(err); got != want {
		t.Fatalf("got %v (%v), want %v", got, err, want)
	}
}

func TestPublishedOnceAndTakenDown(t *testing.T) {
	w := newWorld(t)
	w.exceptMinor(t)
	a, err := w.publish(t, nil)
	if err != nil || a.GetPublication().GetState() != live {
		t.Fatalf("%v, %v", a, err)
	}
	b, err := w.publish(t, nil)
	if diff := cmp.Diff(a, b, protocmp.Transform()); err != nil || diff != "" {
		t.Fatalf("%v: %s", err, diff)
	}
	if got := a.GetPublication().GetTakeDownTime().AsTime(); !got.Equal(at("2027-04-15 00:00")) {
		t.Errorf("a fine is taken down at %v", got)
	}
	c, err := w.publish(t, func(r *disclosurev1.PublishRequest) {
		r.Publication.CaseId, r.Gate.PenaltyKind = uuid.NewString(), "criticism"
	})
	if err != nil || !c.GetPublication().GetTakeDownTime().AsTime().Equal(at("2026-07-15 00:00")) {
		t.Errorf("criticism: %v, %v", c, err)
	}
	count := func() int {
		resp, err := w.public.ListPublications(t.Context(), &disclosurev1.ListPublicationsRequest{Kind: penalty})
		if err != nil {
			t.Fatal(err)
		}
		return len(resp.GetPublications())
	}
	if n := count(); n != 2 {
		t.Errorf("%d live", n)
	}
	w.set(at("2026-07-15 00:00"))
	if n := count(); n != 1 {
		t.Errorf("%d live after one was taken down", n)
	}
	got, err := w.public.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{PublicationId: c.GetPublication().GetPublicationId()})
	p := got.GetPublication()
	if err != nil || p.GetState() != takenDown || p.GetPartyName()+p.GetTitle()+p.GetSummary()+p.GetCreditCode() != "" {
		t.Errorf("tombstone: %v, %v", p, err)
	}
}

func TestWhatIsNotPublished(t *testing.T) {
	w := newWorld(t)
	resp, err := w.publish(t, func(r *disclosurev1.PublishRequest) { r.Gate.Person = true })
	if err != nil || resp.GetPublication() != nil || resp.GetNotPublishedBecause() != "natural_person" {
		t.Errorf("%v, %v", resp, err)
	}
	_, err = w.publish(t, func(r *disclosurev1.PublishRequest) { r.Gate.DecidedTime = nil })
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED)
	_, err = w.publish(t, func(r *disclosurev1.PublishRequest) { r.Publication.CaseId = "" })
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	_, err = w.publish(t, func(r *disclosurev1.PublishRequest) { r.Publication.PartyName = "" })
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	_, err = w.head.Publish(t.Context(), &disclosurev1.PublishRequest{})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED)
	audit, err := w.au.Audit(t.Context(), &disclosurev1.AuditRequest{What: "publications"})
	if err != nil || len(audit.GetPublications()) != 0 {
		t.Errorf("published after all: %v, %v", audit, err)
	}
}

func TestWithdrawalLeavesATombstone(t *testing.T) {
	w := newWorld(t)
	resp, err := w.publish(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := resp.GetPublication().GetPublicationId()
	withdraw := func(c disclosurev1.DisclosureServiceClient, reason string) (*disclosurev1.Publication, error) {
		resp, err := c.WithdrawPublication(t.Context(), &disclosurev1.WithdrawPublicationRequest{
			RequestId: uuid.NewString(), PublicationId: id, Reason: reason,
		})
		return resp.GetPublication(), err
	}
	_, err = withdraw(w.other, "not mine")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	for _, reason := range []string{"the decision was revoked", "again"} {
		if _, err := withdraw(w.head, reason); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.public.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{PublicationId: id})
	p := got.GetPublication()
	if err != nil || p.GetState() != withdrawn || p.GetWithdrawnReason() != "the decision was revoked" || p.GetPartyName()+p.GetTitle() != "" {
		t.Errorf("tombstone: %v, %v", p, err)
	}
	list, err := w.public.ListPublications(t.Context(), &disclosurev1.ListPublicationsRequest{})
	if err != nil || len(list.GetPublications()) != 0 {
		t.Errorf("still listed: %v, %v", list, err)
	}
}

// TestTheDatabaseHasTheGateToo enters publications past the rule, as the service's own role.
func TestTheDatabaseHasTheGateToo(t *testing.T) {
	w := newWorld(t)
	const columns = `INSERT INTO publication (publication_id, kind, title, party_name, agency_id, agency_name, summary, published_by, case_id,
		publish_time, take_down_time, penalty_kind, social_impact, notice_time, decided_time, delivered_time, warned_time, amount_fen,
		credit_code, licence_no, ground, codes)
		VALUES (gen_random_uuid(), KIND, TITLE, 'p', AGENCY, '某局', 's', 'x', gen_random_uuid(), now(), now() + interval '1 month', PENALTY,
		IMPACT, NOTICE, now() - interval '2 days', DELIVERED, WARNED, AMOUNT, '91110000000000000A', LICENCE, 'g', CODES)`
	enter := func(changes ...string) error {
		sql := strings.NewReplacer(append(changes, "KIND", "'penalty'", "PENALTY", "'fine'", "IMPACT", "true",
			"NOTICE", "now() - interval '3 days'", "DELIVERED", "now() - interval '1 day'", "WARNED", "NULL", "AMOUNT", "100",
			"TITLE", "'某局决定'", "AGENCY", "'ca-11'", "LICENCE", "'l'", "CODES", "'{95013}'")...).Replace(columns)
		_, err := w.db.Exec(t.Context(), sql)
		return err
	}
	if err := enter(); err != nil {
		t.Fatalf("what passes is refused: %v", err)
	}
	for name, c := range map[string]struct {
		changes    []string
		constraint string
	}{
		"warning":          {[]string{"PENALTY", "'warning'"}, "publication_gate_penalty"},
		"no impact":        {[]string{"IMPACT", "false"}, "publication_gate_penalty"},
		"no notice":        {[]string{"NOTICE", "NULL"}, "publication_gate_decision"},
		"late notice":      {[]string{"NOTICE", "now()"}, "publication_gate_decision"},
		"not delivered":    {[]string{"KIND", "'listing'", "DELIVERED", "NULL"}, "publication_gate_decision"},
		"delivered early":  {[]string{"DELIVERED", "now() - interval '4 days'"}, "publication_gate_decision"},
		"exposed unwarned": {[]string{"KIND", "'exposure'"}, "publication_gate_continued"},
		"did not go on":    {[]string{"KIND", "'exposure'", "WARNED", "now() - interval '9 days'"}, "publication_gate_continued"},
		"no amount":        {[]string{"AMOUNT", "0"}, "publication_gate_amount"},
		"agency not named": {[]string{"TITLE", "'决定'"}, "publication_named"},
		"no licence":       {[]string{"KIND", "'listing'", "LICENCE", "''"}, "publication_gate_listing"},
		"not its list":     {[]string{"KIND", "'listing'", "AGENCY", "'samr'"}, "publication_gate_publisher"},
		"a mobile":         {[]string{"CODES", "'{13800138000}'"}, "publication_codes"},
	} {
		if err := enter(c.changes...); pg.Constraint(err) != c.constraint {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, sql := range []string{"UPDATE publication SET title = 'x'", "DELETE FROM publication", "UPDATE digest SET total = 1", "DELETE FROM digest_row",
		"UPDATE publication_term SET end_time = now()", "DELETE FROM publication_change", "UPDATE withdrawal_order SET cause = 'error'"} {
		if _, err := w.db.Exec(t.Context(), sql); pg.Code(err) != "42501" {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
