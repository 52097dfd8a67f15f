package enforcement

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/seal"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

const firm = "91110000000000000A"

// world is enforcement with its database, its workflows and its people.
type world struct {
	db                                  *pgxpool.Pool
	flows, worker, other, lead, led, au enforcementv1.EnforcementServiceClient
}

func newWorld(t *testing.T) *world {
	t.Helper()
	keys, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	db := testkit.DB(t, "enforcement", store.Migrations)
	dial := testkit.Serve(t, identity.Enforcement, func(s *grpc.Server) {
		enforcementv1.RegisterEnforcementServiceServer(s, New(db, keys, time.Now))
	})
	as := func(caller identity.Workload, agency string, role accessv1.Role) enforcementv1.EnforcementServiceClient {
		return enforcementv1.NewEnforcementServiceClient(dial(caller, &commonv1.Actor{
			Subject: "someone", AgencyId: agency, Roles: []accessv1.Role{role},
		}))
	}
	return &world{
		db:     db,
		flows:  as(identity.Workflows, "ca-11", accessv1.Role_ROLE_HEAD),
		worker: as(identity.Gateway, "ca-11", accessv1.Role_ROLE_CASEWORKER),
		other:  as(identity.Gateway, "samr-11", accessv1.Role_ROLE_CASEWORKER),
		lead:   as(identity.Gateway, "miit", accessv1.Role_ROLE_LEAD),
		led:    as(identity.Gateway, "samr-11", accessv1.Role_ROLE_LEAD),
		au:     as(identity.Gateway, "miit", accessv1.Role_ROLE_AUDITOR),
	}
}

func (w *world) open(t *testing.T, change func(*enforcementv1.OpenCaseRequest)) *enforcementv1.OpenCaseResponse {
	t.Helper()
	req := &enforcementv1.OpenCaseRequest{
		RequestId: uuid.NewString(), AgencyId: "ca-11", Act: "harassing_calls", ComplaintId: uuid.NewString(), ComplaintRound: 1,
		Party: &enforcementv1.Party{Role: "caller", Name: "甲公司", CreditCode: firm},
	}
	if change != nil {
		change(req)
	}
	resp, err := w.flows.OpenCase(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// before makes a new case one of the time before the procedure was complete, as the migration does.
func (w *world) before(t *testing.T, id string) {
	t.Helper()
	_, err := testkit.Owner(t, w.db).Exec(t.Context(), "UPDATE enforcement_case SET procedure = 'before' WHERE case_id = $1 AND state = 'OPENED'", id)
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) advance(t *testing.T, id, state string) *enforcementv1.Case {
	t.Helper()
	w.before(t, id)
	resp, err := w.flows.AdvanceCase(t.Context(), &enforcementv1.AdvanceCaseRequest{
		RequestId: uuid.NewString(), CaseId: id, State: state, TaskId: uuid.NewString(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetCase()
}

func fine(id string) *enforcementv1.DecideCaseRequest {
	return &enforcementv1.DecideCaseRequest{
		RequestId: uuid.NewString(), CaseId: id,
		Decision: &enforcementv1.CaseDecision{
			Penalty: &assignmentv1.PenaltyDetail{
				Kind: "fine", Amount: &commonv1.Money{Fen: 20_000_000}, Basis: "电信条例 69", ListParty: true, Publish: true,
			},
			ProposedBy: "a@ca-11", ReviewedBy: "b@ca-11", SignedBy: "c@ca-11", SigningTaskId: uuid.NewString(),
		},
	}
}

func wantReason(t *testing.T, err error, want commonv1.ErrorReason) {
	t.Helper()
	if got := errs.Reason(err); got != want {
		t.Fatalf("got %v (%v), want %v", got, err, want)
	}
}

func TestACaseFromOpeningToClosing(t *testing.T) {
	w := newWorld(t)
	first := w.open(t, nil)
	complaint := uuid.NewString()
	second := w.open(t, func(r *enforcementv1.OpenCaseRequest) { r.ComplaintId, r.AgencyId = complaint, "samr-11" })
	if !first.GetOpened() || second.GetOpened() || first.GetCaseId() != second.GetCaseId() {
		t.Fatalf("first to open has it: %v, %v", first, second)
	}
	id := first.GetCaseId()
	if got, err := w.flows.ListUnstarted(t.Context(), &enforcementv1.ListUnstartedRequest{}); err != nil || !cmp.Equal(got.GetCaseIds(), []string{id}) {
		t.Fatalf("unstarted: %v, %v", got, err)
	}
	if got, err := w.flows.ListUnstarted(t.Context(), &enforcementv1.ListUnstartedRequest{OlderThan: durationpb.New(time.Hour)}); err != nil || len(got.GetCaseIds()) != 0 {
		t.Fatalf("unstarted for an hour: %v, %v", got, err)
	}
	w.advance(t, id, investigating)
	w.advance(t, id, investigating)
	_, err := w.flows.DecideCase(t.Context(), fine(id))
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // nobody is punished without a notice
	if c := w.advance(t, id, noticeServed); c.GetNoticeTime() == nil {
		t.Fatal("no notice time")
	}
	same := fine(id)
	same.Decision.SignedBy = same.GetDecision().GetProposedBy()
	_, err = w.flows.DecideCase(t.Context(), same)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON)
	_, err = w.flows.CloseCase(t.Context(), &enforcementv1.CloseCaseRequest{RequestId: uuid.NewString(), CaseId: id})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)

	decide := fine(id)
	got, err := w.flows.DecideCase(t.Context(), decide)
	if err != nil || got.GetCase().GetState() != decided {
		t.Fatalf("decide: %v, %v", got, err)
	}
	decide.RequestId = uuid.NewString() // the same signature again
	if _, err := w.flows.DecideCase(t.Context(), decide); err != nil {
		t.Fatal(err)
	}
	_, err = w.flows.DecideCase(t.Context(), fine(id)) // another one
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)

	var told *enforcementv1.CloseCaseResponse
	for range 2 { // with two request IDs: the same is told
		told, err = w.flows.CloseCase(t.Context(), &enforcementv1.CloseCaseRequest{RequestId: uuid.NewString(), CaseId: id})
		if err != nil || told.GetOutcome() != "penalty" || len(told.GetComplaints()) != 2 {
			t.Fatalf("close: %v, %v", told, err)
		}
	}
	again := w.open(t, func(r *enforcementv1.OpenCaseRequest) { r.ComplaintId = complaint })
	if again.GetCaseId() != id || again.GetEndedOutcome() != "penalty" || again.GetOpened() {
		t.Fatalf("the complaint's own case has ended: %v", again)
	}
	next := w.open(t, nil)
	if !next.GetOpened() || next.GetCaseId() == id {
		t.Fatalf("a new complaint after the end opens a new case: %v", next)
	}
	w.checkAudit(t, id, next.GetCaseId())
}

func (w *world) checkAudit(t *testing.T, decidedID, openID string) {
	t.Helper()
	for what, want := range map[string][]string{"open_cases": {openID}, "decisions": {decidedID}} {
		got, err := w.au.Audit(t.Context(), &enforcementv1.AuditRequest{What: what})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, c := range got.GetCases() {
			ids = append(ids, c.GetCaseId())
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	got, err := w.au.Audit(t.Context(), &enforcementv1.AuditRequest{What: "violations"})
	if err != nil || len(got.GetViolations()) != 0 {
		t.Errorf("violations: %v, %v", got, err)
	}
}

func TestNoPenaltyNeedsNoNotice(t *testing.T) {
	w := newWorld(t)
	id := w.open(t, nil).GetCaseId()
	w.advance(t, id, investigating)
	req := fine(id)
	req.Decision.Penalty = &assignmentv1.PenaltyDetail{Kind: noPenalty}
	if _, err := w.flows.DecideCase(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	told, err := w.flows.CloseCase(t.Context(), &enforcementv1.CloseCaseRequest{RequestId: uuid.NewString(), CaseId: id})
	if err != nil || told.GetOutcome() != "no_penalty" {
		t.Fatalf("%v, %v", told, err)
	}
}

func TestCasesOpenedAtOnceAreOne(t *testing.T) {
	w := newWorld(t)
	const n = 12
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		ids    = map[string]int{}
		opened int
		failed []error
	)
	for range n {
		wg.Go(func() {
			resp, err := w.flows.OpenCase(t.Context(), &enforcementv1.OpenCaseRequest{
				RequestId: uuid.NewString(), AgencyId: "ca-11", Act: "harassing_calls", ComplaintId: uuid.NewString(), ComplaintRound: 1,
				Party: &enforcementv1.Party{Role: "caller", Name: "甲公司", CreditCode: firm},
			})
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, err)
			ids[resp.GetCaseId()]++
			if resp.GetOpened() {
				opened++
			}
		})
	}
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		t.Fatal(err)
	}
	if len(ids) != 1 || opened != 1 {
		t.Fatalf("%d opened: %v", opened, ids)
	}
	for id := range ids {
		got, err := w.worker.GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: id})
		if err != nil || len(got.GetCase().GetComplaintIds()) != n {
			t.Fatalf("%v, %v", got, err)
		}
	}
}

func TestPeopleAreSealedAndKeptApart(t *testing.T) {
	w := newWorld(t)
	const name = "王某某测试"
	person := func(complaint string) func(*enforcementv1.OpenCaseRequest) {
		return func(r *enforcementv1.OpenCaseRequest) {
			r.ComplaintId = complaint
			r.Party = &enforcementv1.Party{Role: "caller", Name: name, Person: true}
		}
	}
	complaint := uuid.NewString()
	a := w.open(t, person(complaint))
	if b := w.open(t, person(complaint)); b.GetCaseId() != a.GetCaseId() {
		t.Error("one complaint, one person, two cases")
	}
	if c := w.open(t, person(uuid.NewString())); c.GetCaseId() == a.GetCaseId() {
		t.Error("two people of one name became one")
	}
	c := w.advance(t, a.GetCaseId(), investigating)
	if c.GetParty().GetName() != masked {
		t.Error("the answer of a write, which is stored, names a person")
	}
	for reader, want := range map[enforcementv1.EnforcementServiceClient]string{w.worker: name, w.lead: masked, w.flows: masked} {
		got, err := reader.GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: a.GetCaseId()})
		if err != nil || got.GetCase().GetParty().GetName() != want {
			t.Errorf("got %v, %v; want %s", got.GetCase().GetParty(), err, want)
		}
	}
	dump := w.dump(t)
	if bytes.Contains(dump, []byte(name)) {
		t.Error("the name stands in clear in the database")
	}
}

// dump is everything that the service's database keeps of requests and parties.
func (w *world) dump(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, table := range []string{"party", "request"} {
		rows, err := w.db.Query(t.Context(), "SELECT "+table+"::text FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			v, err := rows.Values()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&out, v...)
		}
	}
	var raw []byte
	if err := w.db.QueryRow(t.Context(), "SELECT string_agg(response, '\\x') FROM request").Scan(&raw); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), raw...)
}

func TestRowRightsAndPages(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for i := range 5 {
		ids = append(ids, w.open(t, func(r *enforcementv1.OpenCaseRequest) { r.Act = fmt.Sprint("act", i) }).GetCaseId())
	}
	_, err := w.other.GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: ids[0]})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	list := func(c enforcementv1.EnforcementServiceClient) (got []string, numbers map[string]bool) {
		numbers = map[string]bool{}
		req := &enforcementv1.ListCasesRequest{PageSize: 2, State: opened}
		for {
			resp, err := c.ListCases(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range resp.GetCases() {
				got = append([]string{c.GetCaseId()}, got...)
				numbers[c.GetCaseNo()] = true
			}
			if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
				return got, numbers
			}
		}
	}
	for name, c := range map[string]enforcementv1.EnforcementServiceClient{"agency": w.worker, "lead": w.lead} {
		got, numbers := list(c)
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if last := fmt.Sprintf("京通管案〔%d〕5号", yearOf(time.Now())); !numbers[last] || len(numbers) != 5 {
			t.Errorf("case numbers: %v", numbers)
		}
	}
	if got, _ := list(w.other); len(got) != 0 {
		t.Errorf("another agency sees %v", got)
	}
	if got, _ := list(w.led); len(got) != 0 {
		t.Errorf("a lead role of another agency sees %v", got)
	}
	_, err = w.led.GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: ids[0]})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = w.worker.OpenCase(t.Context(), &enforcementv1.OpenCaseRequest{})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED)
}

// TestTheDatabaseRefuses tries as the service's own role what must never happen.
func TestTheDatabaseRefuses(t *testing.T) {
	w := newWorld(t)
	id := w.open(t, nil).GetCaseId()
	w.advance(t, id, investigating)
	decision := func(kind, signer, notice string) string {
		return fmt.Sprintf(`INSERT INTO case_decision (case_id, penalty_kind, amount_fen, basis, list_party, publish, proposed_by,
			reviewed_by, signed_by, signing_task_id, notice_time, decided_time)
			VALUES ('%s', '%s', 1, 'x', true, true, 'a', 'b', '%s', gen_random_uuid(), %s, now())`, id, kind, signer, notice)
	}
	for _, c := range []struct{ name, sql, code string }{
		{"penalty without notice", decision("fine", "c", "NULL"), "23514"},
		{"penalty before the notice", decision("fine", "c", "now() + interval '1 hour'"), "23514"},
		{"two people", decision("fine", "a", "now()"), "23514"},
		{"change of a decision", "UPDATE case_decision SET amount_fen = 0", "42501"},
		{"deletion", "DELETE FROM case_decision", "42501"},
		{"change of a notice", "UPDATE case_notice SET served_time = now()", "42501"},
		{"change of the agency", "UPDATE enforcement_case SET agency_id = 'x'", "42501"},
		{"notice without task", "UPDATE enforcement_case SET state = 'NOTICE_SERVED', notice_time = now()", "42501"},
		{"another state", "UPDATE enforcement_case SET state = 'DECIDED'", "42501"},
		{"second open case", "INSERT INTO enforcement_case (case_id, case_no, agency_id, party_id, party_role, act, state, open_time, decision_due, decision_due_proof, decision_due_provisional) SELECT gen_random_uuid(), 'x', 'x', party_id, party_role, act, 'OPENED', now(), now(), '', false FROM enforcement_case", "23505"},
		{"person in clear", "INSERT INTO party (party_id, party_key, person, name) VALUES (gen_random_uuid(), 'x', true, 'x')", "23514"},
	} {
		if _, err := w.db.Exec(t.Context(), c.sql); pg.Code(err) != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	before, err := w.worker.GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: id})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.GetCase().GetState(), investigating, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}
