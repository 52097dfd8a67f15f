package enforcement

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"quietline/internal/pg"
	"quietline/internal/testkit"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/enforcement/store"
)

// forge writes a line of the log as the service's own role, past all rules of the service.
func (f *file) forge(to, step, outcome, subject string, extra ...string) error {
	f.t.Helper()
	columns, values := "", ""
	for i := 0; i+1 < len(extra); i += 2 {
		columns += ", " + extra[i]
		values += ", " + extra[i+1]
	}
	_, err := f.db.Exec(f.t.Context(), fmt.Sprintf(`INSERT INTO case_event (case_id, seq, from_state, to_state, step, outcome, subject, agency_id,
		event_time%s) SELECT c.case_id, (SELECT max(seq) + 1 FROM case_event e WHERE e.case_id = c.case_id), c.state, $2, $3, $4, $5, c.agency_id, $6%s
		FROM enforcement_case c WHERE c.case_id = $1`, columns, values), f.id, to, step, outcome, subject, f.now)
	return err
}

// forgeDecision tries to sign with a decision of its own making, in one transaction.
func (f *file) forgeDecision(step, signer, procedure string) error {
	f.t.Helper()
	tx, err := f.db.Begin(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(f.t.Context()) }()
	task := uuid.NewString()
	_, err = tx.Exec(f.t.Context(), `INSERT INTO case_decision (case_id, penalty_kind, amount_fen, basis, list_party, publish, proposed_by, reviewed_by,
		signed_by, signing_task_id, notice_time, decided_time, procedure, proposal_seq)
		SELECT p.case_id, 'fine', 600000, 'x', false, false, p.proposed_by, 'reviewer@samr-11', $2 || '@samr-11', $3, $4, $4, $5, p.seq
		FROM case_proposal p WHERE p.case_id = $1 ORDER BY p.seq DESC LIMIT 1`, f.id, signer, task, f.now, procedure)
	if err != nil {
		return err
	}
	_, err = tx.Exec(f.t.Context(), `INSERT INTO case_event (case_id, seq, from_state, to_state, step, outcome, subject, agency_id, event_time, task_id)
		SELECT c.case_id, (SELECT max(seq) + 1 FROM case_event e WHERE e.case_id = c.case_id), c.state, 'DECIDED', $2, 'signed', $3, c.agency_id, $4, $5
		FROM enforcement_case c WHERE c.case_id = $1`, f.id, step, signer, f.now, task)
	if err != nil {
		return err
	}
	return tx.Commit(f.t.Context())
}

func (f *file) guards(err error, article string) {
	f.t.Helper()
	if pg.Code(err) != codeRefused || !strings.Contains(err.Error(), article) {
		f.t.Errorf("the database says %v, want its refusal by %s", err, article)
	}
}

// TestTheGuards tries each forbidden thing as the service's role, without asking the service.
func TestTheGuards(t *testing.T) {
	f := newFile(t, nil)
	f.guards(f.forge(investigating, stepAppoint, "appointed", "head"), "第四十二条") // no officers
	f.guards(f.forge(decided, stepSign, outSigned, "head"), "第五十四条")            // no edge
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	f.guards(f.forge(investigating, stepInvestigate, outProposed, "nobody"), "第四十二条")
	f.guards(f.forge(noticeServed, stepNotice, "served", "officer-1"), "第四十四条") // nothing proposed
	f.must(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	f.guards(f.forge(noticeServed, stepNotice, "served", "officer-1"), "第四十四条") // nothing reviewed
	f.guards(f.forge(investigating, stepReview, outApproved, "officer-2"), "第五十七条")
	f.must(stepReview, outApproved, nil)
	f.guards(f.forgeDecision(stepSign, "head", "ordinary"), "第五十四条") // no notice: no edge from the investigation
	f.guards(f.forgeDecision(stepOnspot, "officer-1", "simplified"), "第五十四条")
	f.must(stepNotice, "served", servedVia("direct"))
	f.guards(f.forgeDecision(stepOnspot, "officer-1", "simplified"), "第五十一条")
	f.guards(f.forgeDecision(stepSign, "head", "ordinary"), "第四十五条") // its time
	f.partyMust(actStatement)
	f.partyMust(actWaiver)
	f.guards(f.forgeDecision(stepSign, "head", "ordinary"), "第四十五条") // not answered
	f.must(stepAnswer, "not_adopted", nil)
	f.guards(f.forgeDecision(stepSign, "officer-2", "ordinary"), "第五十七条")
	f.guards(f.forge(stateHearing, stepAnnounce, "announced", "reviewer", "chair", "'officer-2'"), "第六十四条")
	f.guards(f.forge(stateHearing, stepAnnounce, "announced", "reviewer", "chair", "'chair'", "hearing_time", "now()"), "第六十四条")
	f.guards(f.forge(stateTransferred, stepSend, "sent", "officer-1", "receipt_no", "'1'", "other_agency_id", "'mps-11'"), "第二十七条")
	f.reviewed()
	f.must(stepSign, outSigned, nil)
	f.guards(f.forge(stateDelivered, stepDeliver, outDelivered, "officer-1"), "第六十一条")
	f.guards(f.forge(stateDelivered, stepDeliver, outDelivered, "officer-1", "method", "'electronic'"), "第六十一条")
	f.guards(f.forge(stateDelivered, stepDeliver, outDelivered, "officer-1", "method", "'public_notice'"), "第六十一条")
	f.guards(f.forge(closed, stepDeliver, outDelivered, "officer-1"), "第五十四条")
	f.guards(f.forge(stateReversed, logRemedy, "revoked", "officer-1"), "第四十八条")
	f.must(stepDeliver, outDelivered, servedVia("direct"))
	f.guards(f.forge(statePerformed, stepConfirm, outPerformed, "officer-1"), "第六十七条")
	f.guards(f.forge(statePerforming, stepConfirm, outUnpaid, "officer-1"), "第六十七条")
	f.guards(f.forge(stateDemanded, stepDemand, "served", "officer-1"), "行政强制法 第五十四条")
	f.guards(f.forge(closed, stepConfirm, outPerformed, "officer-1"), "第五十四条")
	f.effects()
	f.remedyMust("litigation", "filed")
	f.remedyMust("litigation", "revoked")
	f.guards(f.forge(closed, logWithdrawn, "", ""), "第四十八条")
	for _, c := range []string{
		"UPDATE case_event SET outcome = 'x'", "DELETE FROM case_event", "UPDATE enforcement_case SET state = 'CLOSED'", "UPDATE case_clock SET due_time = now()",
		"UPDATE case_proposal SET hearing_due = false", "DELETE FROM case_recusal", "UPDATE case_edge SET step = 'x'", "DELETE FROM case_custody",
	} {
		if _, err := f.db.Exec(t.Context(), c); pg.Code(err) != "42501" {
			t.Errorf("%s: %v", c, err)
		}
	}
	f.effects()
	f.sound()
}

// A legal review and a discussion that are due cannot be left out, whoever writes.
func TestTheGuardsOfReviews(t *testing.T) {
	f := newFile(t, nil)
	p := yuanFine(600_000)
	p.MajorPublicInterest, p.ComplexOrMajor = true, true
	f.proposed(p)
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actWaiver)
	f.refuses(f.step(stepSign, outSigned, nil), "第五十八条")
	f.guards(f.forgeDecision(stepSign, "head", "ordinary"), "第五十八条")
	f.must(stepLegal, outPassed, &assignmentv1.CaseStepDetail{QualificationNo: "A2020"})
	f.refuses(f.step(stepSign, outSigned, nil), "第五十七条")
	f.guards(f.forgeDecision(stepSign, "head", "ordinary"), "第五十七条")
	f.refuses(f.step(stepDiscuss, outAgreed, &assignmentv1.CaseStepDetail{Participants: []string{"head", "head-2"}}), "第五十七条")
	f.reviewed()
	f.must(stepSign, outSigned, nil)
	f.sound()
}

// A decision whose log was never written is not kept.
func TestADecisionWithoutItsLine(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	_, err := f.db.Exec(t.Context(), `INSERT INTO case_decision (case_id, penalty_kind, amount_fen, basis, list_party, publish, proposed_by, reviewed_by,
		signed_by, signing_task_id, notice_time, decided_time) VALUES ($1, 'fine', 1, 'x', false, false, 'a@x', 'b@x', 'c@x', gen_random_uuid(), now(), now())`, f.id)
	f.guards(err, "第五十七条")
}

// What the guards forbid the audit finds too, when it is there all the same.
func TestTheAuditTrustsNoGuard(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	owner := testkit.Owner(t, f.db)
	found := func() string {
		rows, err := store.New(owner).AuditViolations(t.Context(), store.AuditViolationsParams{After: firstID, PageSize: 100})
		if err != nil {
			t.Fatal(err)
		}
		all := ""
		for _, r := range rows {
			all += r.What + "; "
		}
		return all
	}
	for _, c := range []struct{ sql, finds string }{
		{"UPDATE enforcement_case SET state = 'CLOSED', close_time = now()", "money unpaid"},
		{"UPDATE case_event SET step = 'x' WHERE step = 'waiver'", "term for a statement"},
		{"UPDATE case_proposal SET legal_due = true; UPDATE case_event SET step = 'y' WHERE step = 'legal_review'", "legal review"},
		{"UPDATE case_proposal SET discuss_due = true; UPDATE case_event SET step = 'z' WHERE step = 'discuss'", "discussion"},
		{"INSERT INTO case_recusal SELECT case_id, subject, 'x', 'x', '2020-01-01' FROM case_officer LIMIT 1", "recusal"},
		{"UPDATE case_event SET from_state = 'OPENED' WHERE seq = 4", "gap"},
		{"DELETE FROM case_clock_act; DELETE FROM case_clock WHERE basis = 'case_90d'", "clock"},
		{"UPDATE case_decision SET reviewed_by = 'officer-2@samr-11'", "officer of the case"},
	} {
		if _, err := owner.Exec(t.Context(), c.sql); err != nil {
			t.Fatalf("%s: %v", c.sql, err)
		}
		if all := found(); !strings.Contains(all, c.finds) {
			t.Errorf("%s is not found: %s", c.sql, all)
		}
	}
}
