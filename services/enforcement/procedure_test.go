package enforcement

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	"quietline/internal/seal"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// file is a case under test with the people of its agency and a clock that the test moves.
type file struct {
	t       *testing.T
	db      *pgxpool.Pool
	server  *Server
	now     time.Time
	flows   enforcementv1.EnforcementServiceClient
	as      func(subject, agency string, roles ...accessv1.Role) enforcementv1.EnforcementServiceClient
	id      string
	profile string
}

// monday is when the cases of the tests begin: a working day without a holiday near.
var monday = time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)

func newFile(t *testing.T, change func(*enforcementv1.OpenCaseRequest)) *file {
	t.Helper()
	keys, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &file{t: t, db: testkit.DB(t, "enforcement", store.Migrations), now: monday, profile: "statutory"}
	ownTime(t, f.db)
	f.server = New(f.db, keys, func() time.Time { return f.now })
	dial := testkit.Serve(t, identity.Enforcement, func(s *grpc.Server) { enforcementv1.RegisterEnforcementServiceServer(s, f.server) })
	f.flows = enforcementv1.NewEnforcementServiceClient(dial(identity.Workflows, identity.System(identity.Workflows)))
	f.as = func(subject, agency string, roles ...accessv1.Role) enforcementv1.EnforcementServiceClient {
		return enforcementv1.NewEnforcementServiceClient(dial(identity.Gateway, &commonv1.Actor{Subject: subject, AgencyId: agency, Roles: roles}))
	}
	f.open(change)
	return f
}

// ownTime lets a test make its own time: the database takes what its clock has not seen yet.
func ownTime(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	if _, err := testkit.Owner(t, db).Exec(t.Context(), "UPDATE case_clock_skew SET most = '100 years'"); err != nil {
		t.Fatal(err)
	}
}

func (f *file) open(change func(*enforcementv1.OpenCaseRequest)) {
	f.t.Helper()
	req := &enforcementv1.OpenCaseRequest{
		RequestId: uuid.NewString(), AgencyId: "samr-11", Act: "marketing_without_consent", ComplaintId: uuid.NewString(), ComplaintRound: 1,
		Party: &enforcementv1.Party{Role: "advertiser", Name: "甲公司", CreditCode: firm},
	}
	if change != nil {
		change(req)
	}
	resp, err := f.flows.OpenCase(f.t.Context(), req)
	if err != nil {
		f.t.Fatal(err)
	}
	f.id = resp.GetCaseId()
}

// later moves the clock.
func (f *file) later(d time.Duration) { f.now = f.now.Add(d) }

func (f *file) plan() *enforcementv1.CasePlan {
	f.t.Helper()
	r, err := f.flows.PlanCase(f.t.Context(), &enforcementv1.PlanCaseRequest{CaseId: f.id, Profile: f.profile})
	if err != nil {
		f.t.Fatal(err)
	}
	return r.GetPlan()
}

// effects carries out what the plan has to do, and returns the kinds.
func (f *file) effects() []string {
	f.t.Helper()
	var kinds []string
	for planned := f.plan().GetEffects(); len(planned) > 0; planned = f.plan().GetEffects() {
		for _, e := range planned {
			_, err := f.flows.RecordCaseEffect(f.t.Context(), &enforcementv1.RecordCaseEffectRequest{
				RequestId: uuid.NewString(), CaseId: f.id, Key: e.GetKey(), Kind: e.GetKind(), TargetId: "made-by-" + e.GetKind(), Result: "done",
			})
			if err != nil {
				f.t.Fatal(err)
			}
			if kinds = append(kinds, e.GetKind()); e.GetFacts()["outcome"] == "penalty" && e.GetFacts()["disclosure"] == "" {
				f.t.Error("reporters are told of a penalty, and not what was published of it")
			}
		}
	}
	return kinds
}

func (f *file) task(step string) *enforcementv1.PlannedTask {
	for _, t := range f.plan().GetTasks() {
		if t.GetStep() == step {
			return t
		}
	}
	return nil
}

// who decides a step unless a test says otherwise.
var deciders = map[string]string{
	stepOpen: "head", stepAppoint: "head", stepInvestigate: "officer-1", stepReview: "reviewer", stepNotice: "officer-1", stepAnswer: "officer-1", stepAnnounce: "reviewer",
	stepHold: "chair", stepLegal: "lawyer", stepDiscuss: "head-2", stepSign: "head", stepOnspot: "officer-2", stepDeliver: "officer-1",
	stepConfirm: "officer-1", stepParts: "head", stepDemand: "officer-1", stepCourt: "head", stepCourtResult: "officer-1", stepApprove: "head", stepSend: "officer-1",
	stepPolice: "policeman", stepPoliceEnd: "policeman", stepExtend: "head", stepReverse: "head", stepDesignate: "superior",
}

// step is a decision on a step, as its usual decider takes it now.
func (f *file) step(step, outcome string, w *assignmentv1.CaseStepDetail) *enforcementv1.CaseStep {
	st := &enforcementv1.CaseStep{
		Step: step, TaskId: uuid.NewString(), Outcome: outcome, ActorSubject: deciders[step], ActorAgency: "samr-11",
		DecidedTime: timestamppb.New(f.now), Detail: &assignmentv1.DecisionDetail{CaseStep: w},
	}
	if t := f.task(step); t != nil {
		st.Key = t.GetKey()
		if t.GetAgencyId() != "" {
			st.ActorAgency = t.GetAgencyId()
		}
	}
	return st
}

// proved puts a piece of evidence on file where there is none: without it no penalty is proposed.
func (f *file) proved() {
	f.t.Helper()
	clerk := f.as("clerk", f.get().GetCase().GetAgencyId(), accessv1.Role_ROLE_CASEWORKER)
	listed, err := clerk.ListCaseEvidence(f.t.Context(), &enforcementv1.ListCaseEvidenceRequest{CaseId: f.id})
	if err != nil || len(listed.GetEvidence()) > 0 {
		return
	}
	_, err = clerk.AddCaseEvidence(f.t.Context(), &enforcementv1.AddCaseEvidenceRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Kind: "electronic", Title: "外呼系统日志", Sha256: strings.Repeat("e", 64), FromHolder: "甲公司", ToHolder: "officer-1",
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// try checks and records a decision; what is to be proved is proved.
func (f *file) try(st *enforcementv1.CaseStep) error {
	if st.GetStep() == stepInvestigate && st.GetOutcome() == outProposed {
		f.proved()
	}
	return f.tryBare(st)
}

func (f *file) tryBare(st *enforcementv1.CaseStep) error {
	_, err := f.flows.CheckCaseStep(f.t.Context(), &enforcementv1.CheckCaseStepRequest{CaseId: f.id, Step: st, Profile: f.profile})
	if err != nil {
		return err
	}
	_, err = f.flows.RecordCaseStep(f.t.Context(), &enforcementv1.RecordCaseStepRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Step: st, Profile: f.profile,
	})
	if err != nil {
		f.t.Fatalf("%s %s was checked and is refused: %v", st.GetStep(), st.GetOutcome(), err)
	}
	var late string
	err = f.db.QueryRow(f.t.Context(), "SELECT coalesce(max(note), '') FROM case_event WHERE case_id = $1 AND step = 'late' AND task_id = $2", f.id, st.GetTaskId()).Scan(&late)
	if err != nil || late != "" {
		f.t.Fatalf("%s %s was checked and only noted: %s, %v", st.GetStep(), st.GetOutcome(), late, err)
	}
	return nil
}

func (f *file) must(step, outcome string, w *assignmentv1.CaseStepDetail) {
	f.t.Helper()
	if err := f.try(f.step(step, outcome, w)); err != nil {
		f.t.Fatalf("%s %s: %v", step, outcome, err)
	}
	f.later(time.Minute)
}

// refuses wants a refusal that names an article.
func (f *file) refuses(st *enforcementv1.CaseStep, article string) {
	f.t.Helper()
	err := f.try(st)
	if err == nil || !strings.Contains(err.Error(), article) {
		f.t.Fatalf("%s %s: %v, want a refusal by %s", st.GetStep(), st.GetOutcome(), err, article)
	}
}

func (f *file) state() string {
	f.t.Helper()
	return f.get().GetCase().GetState()
}

func (f *file) get() *enforcementv1.GetCaseResponse {
	f.t.Helper()
	r, err := f.flows.GetCase(f.t.Context(), &enforcementv1.GetCaseRequest{CaseId: f.id})
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func (f *file) wants(state string) {
	f.t.Helper()
	if got := f.state(); got != state {
		f.t.Fatalf("the case is %s, want %s", got, state)
	}
}

// sound wants that no invariant is broken.
func (f *file) sound() {
	f.t.Helper()
	rows, err := store.New(testkit.Owner(f.t, f.db)).AuditViolations(context.Background(), store.AuditViolationsParams{After: firstID, PageSize: 100})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, r := range rows {
		f.t.Errorf("violation: %s %s", r.ID, r.What)
	}
}

func yuanFine(fen int64) *assignmentv1.CaseProposal {
	return &assignmentv1.CaseProposal{
		Penalties: []*assignmentv1.PenaltyDetail{{Kind: "fine", Amount: &commonv1.Money{Fen: fen}, Basis: "广告法 第六十二条", CatalogueCode: "advertising_62",
			ListParty: true, Publish: true}},
		ActEndTime: timestamppb.New(monday.AddDate(0, -1, 0)), Findings: "当事人未经同意拨打营销电话", BandReason: "有违法前例",
	}
}

func officersNamed(names ...string) *assignmentv1.CaseStepDetail {
	w := &assignmentv1.CaseStepDetail{}
	for _, n := range names {
		w.Officers = append(w.Officers, &assignmentv1.AppointedOfficer{Subject: n, QualificationNo: "ZF-" + n, Name: "某" + strings.ReplaceAll(n, "@", "-")})
	}
	return w
}

func servedVia(method string) *assignmentv1.CaseStepDetail {
	return &assignmentv1.CaseStepDetail{Method: method}
}

// proposed brings the case to an approved proposal.
func (f *file) proposed(p *assignmentv1.CaseProposal) {
	f.t.Helper()
	f.effects()
	if f.state() == opened {
		f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	}
	f.must(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: p})
	f.must(stepReview, outApproved, nil)
}

// reviewed takes legal review and discussion where they are due.
func (f *file) reviewed() {
	f.t.Helper()
	if f.task(stepLegal) != nil {
		f.must(stepLegal, outPassed, &assignmentv1.CaseStepDetail{QualificationNo: "A2020"})
	}
	if f.task(stepDiscuss) != nil {
		f.must(stepDiscuss, outAgreed, &assignmentv1.CaseStepDetail{Participants: []string{"head", "head-2", "head-3"}, RecordHash: strings.Repeat("a", 64)})
	}
}

func TestTheStraightWay(t *testing.T) {
	f := newFile(t, nil)
	if got := f.effects(); len(got) != 1 || got[0] != effBegin {
		t.Fatalf("effects at first: %v", got)
	}
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	f.must(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	f.must(stepReview, outApproved, nil)
	f.must(stepNotice, "served", servedVia("direct"))
	f.wants(noticeServed)
	if p := f.plan(); len(p.GetTasks()) != 0 || p.GetUntil() == nil {
		t.Fatalf("in the party's time: %v", p)
	}
	f.refuses(f.step(stepSign, outSigned, nil), "第四十五条")
	f.now = f.plan().GetUntil().AsTime()
	f.reviewed()
	f.must(stepSign, outSigned, nil)
	f.wants(decided)
	f.must(stepDeliver, outDelivered, servedVia("direct"))
	f.wants(statePerforming)
	if got := f.effects(); strings.Join(got, " ") != "list_party publish tell_complaints" {
		t.Fatalf("effects after delivery: %v", got)
	}
	f.refuses(f.step(stepConfirm, outPerformed, nil), "第六十七条")
	f.must(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 600_000}, ReceiptNo: "P-1"})
	f.wants(closed)
	if p := f.plan(); !p.GetEnded() || p.GetOutcome() != "penalty" {
		t.Fatalf("at the end: %v", p)
	}
	f.sound()
}
