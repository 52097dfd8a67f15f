package enforcement

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/seal"
	"quietline/internal/testkit"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// Cases of the first releases keep their state, their notices and their decisions. One that nobody began goes by the
// procedure; one that runs ends by its old script.
func TestMigrate_casesOfBefore(t *testing.T) {
	owner, service := testkit.EmptyDB(t, "enforcement")
	db, _ := testkit.MigratedTo(t, owner, store.Migrations, 2)
	ids := map[string]string{}
	for i, state := range []string{opened, investigating, noticeServed, decided, closed} {
		ids[state] = uuid.NewString()
		_, err := db.ExecContext(t.Context(), `WITH p AS (INSERT INTO party (party_id, party_key, person, name) VALUES (gen_random_uuid(), $2, false, '甲') RETURNING party_id)
			INSERT INTO enforcement_case (case_id, case_no, agency_id, party_id, party_role, act, state, open_time, decision_due, decision_due_proof,
			decision_due_provisional, notice_time, notice_task_id, close_time)
			SELECT $1, $2, 'ca-11', party_id, 'caller', 'harassing_calls', $3, now() - interval '9 days', now(), 'x', false,
			CASE WHEN $4 >= 2 THEN now() - interval '8 days' END, CASE WHEN $4 >= 2 THEN gen_random_uuid() END, CASE WHEN $4 = 4 THEN now() END FROM p`,
			ids[state], "no-"+state, state, i)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "INSERT INTO case_complaint VALUES ($1, gen_random_uuid(), 1)", ids[state]); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range []string{
		"INSERT INTO case_notice (case_id, task_id, served_time) SELECT case_id, notice_task_id, notice_time FROM enforcement_case WHERE notice_time IS NOT NULL",
		`INSERT INTO case_decision (case_id, penalty_kind, amount_fen, basis, list_party, publish, proposed_by, reviewed_by, signed_by, signing_task_id,
			notice_time, decided_time) SELECT case_id, 'fine', 100, 'x', false, false, 'a@x', 'b@x', 'c@x', gen_random_uuid(), notice_time, now() - interval '1 day'
			FROM enforcement_case WHERE state IN ('DECIDED', 'CLOSED')`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := pg.Migrate(t.Context(), owner, store.Migrations, string(identity.Enforcement)); err != nil {
		t.Fatal(err)
	}
	for state, id := range ids {
		var got string
		if err := db.QueryRowContext(t.Context(), "SELECT state || ' ' || procedure FROM enforcement_case WHERE case_id = $1", id).Scan(&got); err != nil || got != state+" before" {
			t.Errorf("%s became %s, %v", state, got, err)
		}
		var delivered bool
		err := db.QueryRowContext(t.Context(), "SELECT deliver_time IS NOT NULL FROM enforcement_case WHERE case_id = $1", id).Scan(&delivered)
		if err != nil || delivered != (state == closed) {
			t.Errorf("%s: delivered %t, %v", state, delivered, err)
		}
	}
	pool, err := pg.Open(t.Context(), service)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	keys, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := New(pool, keys, time.Now)
	ctx := identity.WithCaller(identity.WithActor(t.Context(), identity.System(identity.Workflows)), identity.Workflows.Caller())
	endAsBefore(t, s, ids, func(id string) *enforcementv1.CasePlan {
		r, err := s.PlanCase(ctx, &enforcementv1.PlanCaseRequest{CaseId: id})
		if err != nil {
			t.Fatal(err)
		}
		return r.GetPlan()
	})
	rows, err := store.New(pool).AuditViolations(t.Context(), store.AuditViolationsParams{After: firstID, PageSize: 100})
	if err != nil || len(rows) != 0 {
		t.Errorf("violations: %v, %v", rows, err)
	}
}

// Clocks that a case of before left open when it ended are over, but for the party's time for remedies.
func TestMigrate_clocksOfEndedCases(t *testing.T) {
	owner, _ := testkit.EmptyDB(t, "enforcement")
	db, _ := testkit.MigratedTo(t, owner, store.Migrations, 17)
	ids := map[string]string{closed: uuid.NewString(), investigating: uuid.NewString()}
	for state, id := range ids {
		_, err := db.ExecContext(t.Context(), `WITH p AS (INSERT INTO party (party_id, party_key, person, name) VALUES (gen_random_uuid(), $2, false, '甲') RETURNING party_id)
			INSERT INTO enforcement_case (case_id, case_no, agency_id, party_id, party_role, act, state, open_time, decision_due, decision_due_proof,
			decision_due_provisional) SELECT $1, $2, 'ca-11', party_id, 'caller', 'x', 'OPENED', now(), now(), 'x', false FROM p`, id, state)
		if err != nil {
			t.Fatal(err)
		}
		for _, basis := range []string{basisStatement, basisLitigate} {
			_, err := db.ExecContext(t.Context(), `INSERT INTO case_clock (clock_id, case_id, basis, source, profile, event_seq, start_time, due_time,
				statutory_due, proof, provisional, reckoning) VALUES (gen_random_uuid(), $1, $2, 'x', 'statutory', 1, now(), now(), now(), 'x', false, '{}')`, id, basis)
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.ExecContext(t.Context(), "UPDATE enforcement_case SET state = $2, close_time = CASE $2 WHEN 'CLOSED' THEN now() END WHERE case_id = $1", id, state); err != nil {
			t.Fatal(err)
		}
	}
	if err := pg.Migrate(t.Context(), owner, store.Migrations, string(identity.Enforcement)); err != nil {
		t.Fatal(err)
	}
	for state, want := range map[string]string{closed: basisLitigate, investigating: basisLitigate + " " + basisStatement} {
		var got string
		err := db.QueryRowContext(t.Context(), `SELECT string_agg(basis, ' ' ORDER BY basis) FROM case_clock_now
			WHERE case_id = $1 AND met_time IS NULL AND cancel_time IS NULL`, ids[state]).Scan(&got)
		if err != nil || got != want {
			t.Errorf("clocks of a case that is %s: %s, %v", state, got, err)
		}
	}
}

// endAsBefore drives the cases on: the old ones by the writes of their script, the new one by its plan.
func endAsBefore(t *testing.T, s *Server, ids map[string]string, plan func(string) *enforcementv1.CasePlan) {
	t.Helper()
	ctx := identity.WithCaller(identity.WithActor(t.Context(), identity.System(identity.Workflows)), identity.Workflows.Caller())
	decide := fine(ids[noticeServed])
	if _, err := s.DecideCase(ctx, decide); err != nil {
		t.Errorf("a notice of before: %v", err)
	}
	for _, id := range []string{ids[noticeServed], ids[decided]} {
		if _, err := s.CloseCase(ctx, &enforcementv1.CloseCaseRequest{RequestId: uuid.NewString(), CaseId: id}); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if !plan(ids[investigating]).GetEnded() {
		t.Error("a running case of before has a plan")
	}
	effects := plan(ids[opened]).GetEffects()
	if len(effects) != 1 || effects[0].GetKind() != effBegin {
		t.Fatalf("a case that nobody began: %v", effects)
	}
	_, err := s.RecordCaseEffect(ctx, &enforcementv1.RecordCaseEffectRequest{
		RequestId: uuid.NewString(), CaseId: ids[opened], Key: effects[0].GetKey(), Kind: effBegin, Result: "done",
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := plan(ids[opened]); len(p.GetTasks()) != 1 || p.GetTasks()[0].GetStep() != stepAppoint {
		t.Errorf("it goes by the procedure now: %v", p)
	}
}
