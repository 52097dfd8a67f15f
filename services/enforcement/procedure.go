package enforcement

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// codeRefused is what the guards of the database refuse with; its text says the article.
const codeRefused = "QL001"

// guarded turns a refusal of the database's guards into one that people read.
func guarded(err error) error {
	refusal, is := errors.AsType[*pgconn.PgError](err)
	if !is || refusal.Code != codeRefused {
		return err
	}
	return wrongState("%s", refusal.Message)
}

// PlanCase says what should be open now in a case.
func (s *Server) PlanCase(ctx context.Context, req *enforcementv1.PlanCaseRequest) (*enforcementv1.PlanCaseResponse, error) {
	q := store.New(s.db)
	m, err := matterOf(ctx, q, req.GetCaseId())
	if err != nil {
		return nil, errs.NotFound(err, "no such case")
	}
	attached, err := q.ComplaintsOf(ctx, m.CaseID)
	if err != nil {
		return nil, err
	}
	p := planOf(m, s.now())
	if err := s.suspect(ctx, q, m, p); err != nil {
		return nil, err
	}
	out := planProto(m, p)
	for _, a := range attached {
		out.Complaints = append(out.Complaints, &enforcementv1.AttachedComplaint{ComplaintId: a.ComplaintID, Round: a.Round})
	}
	return &enforcementv1.PlanCaseResponse{Plan: out}, nil
}

// suspect tells who serves a notice of other cases that may be of the same act (行政处罚法 29).
func (s *Server) suspect(ctx context.Context, q *store.Queries, m *matter, p plan) error {
	for _, t := range p.tasks {
		if t.step != stepNotice {
			continue
		}
		others, err := s.suspectedActs(ctx, q, m.CaseID)
		if err != nil {
			return err
		}
		if len(others) > 0 {
			t.facts["suspected_same_act"] = joined(others)
		}
	}
	return nil
}

func planProto(m *matter, p plan) *enforcementv1.CasePlan {
	out := &enforcementv1.CasePlan{
		State: m.State, AgencyId: m.AgencyID, Person: m.person, Until: timeProto(p.until), Ended: p.ended, Outcome: m.EffectiveOutcome,
	}
	for _, t := range p.tasks {
		w := ways[t.step]
		out.Tasks = append(out.Tasks, &enforcementv1.PlannedTask{
			Key: t.key(), Step: t.step, AgencyId: t.agency, SuperiorOf: t.superiorOf, Role: w.role, Outcomes: t.outcomes, Basis: w.basis,
			FromTime: timestamppb.New(t.from), DueTime: timeProto(t.due), StatutoryDue: timeProto(t.statutory),
			Excluded: t.excluded, Only: t.only, Facts: t.facts,
		})
	}
	for _, e := range p.effects {
		out.Effects = append(out.Effects, &enforcementv1.PlannedEffect{Key: e.key, Kind: e.kind, Facts: e.facts, DueTime: timeProto(e.due)})
	}
	return out
}

// CheckCaseStep says whether a decision may be recorded. It writes nothing.
func (s *Server) CheckCaseStep(ctx context.Context, req *enforcementv1.CheckCaseStepRequest) (*enforcementv1.CheckCaseStepResponse, error) {
	out := &enforcementv1.CheckCaseStepResponse{}
	err := pg.Tx(ctx, s.db, func(tx pgx.Tx) error {
		q := store.New(tx)
		m, err := matterOf(ctx, q, req.GetCaseId())
		if err != nil {
			return errs.NotFound(err, "no such case")
		}
		if recorded(m, req.GetStep().GetTaskId()) {
			return nil
		}
		d, err := judge(m, req.GetStep(), m.decidedAt(req.GetStep(), s.now()))
		if err != nil {
			return err
		}
		out.Warnings, err = s.judgeByLaw(ctx, q, d, s.profileOf(req.GetProfile()))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// profileOf is the profile of a request; the server's own where it names none.
func (s *Server) profileOf(profile string) string { return cmp.Or(profile, s.profile, "statutory") }

// recorded says whether a task's decision stands in the log.
func recorded(m *matter, taskID string) bool {
	return slices.ContainsFunc(m.events, func(e store.CaseEvent) bool { return e.TaskID != nil && *e.TaskID == taskID })
}

// RecordCaseStep writes a decision to the log. The same task again changes nothing.
func (s *Server) RecordCaseStep(ctx context.Context, req *enforcementv1.RecordCaseStepRequest) (*enforcementv1.RecordCaseStepResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordCaseStepResponse, error) {
		q := store.New(tx)
		m, err := s.locked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		if !recorded(m, req.GetStep().GetTaskId()) {
			if err := s.recordOrNote(ctx, tx, m, req.GetStep(), s.profileOf(req.GetProfile())); err != nil {
				return nil, err
			}
		}
		out, err := s.after(ctx, q, m.CaseID)
		return &enforcementv1.RecordCaseStepResponse{Case: out}, err
	})
	return resp, guarded(err)
}

// locked is a case for a writer: nobody else writes to it until the end of the transaction.
func (s *Server) locked(ctx context.Context, q *store.Queries, id string) (*matter, error) {
	if _, err := q.LockCase(ctx, id); err != nil {
		return nil, errs.NotFound(err, "no such case")
	}
	return matterOf(ctx, q, id)
}

// RecordCaseEffect writes what came of an effect. When all that a reversal takes back is taken back, the case is closed.
func (s *Server) RecordCaseEffect(ctx context.Context, req *enforcementv1.RecordCaseEffectRequest) (*enforcementv1.RecordCaseEffectResponse, error) {
	at := s.now()
	if t := req.GetDoneTime(); t != nil {
		at = t.AsTime()
	}
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordCaseEffectResponse, error) {
		q := store.New(tx)
		m, err := s.locked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		if err := s.recordEffect(ctx, q, m, req, at); err != nil {
			return nil, err
		}
		out, err := s.after(ctx, q, m.CaseID)
		return &enforcementv1.RecordCaseEffectResponse{Case: out}, err
	})
	return resp, guarded(err)
}

func (s *Server) recordEffect(ctx context.Context, q *store.Queries, m *matter, req *enforcementv1.RecordCaseEffectRequest, at time.Time) error {
	if m.done(req.GetKey()) {
		return nil
	}
	due := m.effectsDue()
	i := slices.IndexFunc(due, func(e effect) bool { return e.key == req.GetKey() && e.kind == req.GetKind() })
	if i < 0 && !m.wasDue(req.GetKey(), req.GetKind()) {
		return wrongState("the case has no such effect to carry out")
	}
	err := q.InsertEffect(ctx, store.InsertEffectParams{
		CaseID: m.CaseID, Key: req.GetKey(), Kind: req.GetKind(), TargetID: req.GetTargetId(), Result: req.GetResult(), DoneTime: at,
	})
	if err != nil {
		return err
	}
	m.effects = append(m.effects, store.CaseEffect{Key: req.GetKey(), Kind: req.GetKind(), TargetID: req.GetTargetId(), Result: req.GetResult(), DoneTime: at})
	if req.GetKind() == effBegin && m.Procedure == logBefore && m.State == opened {
		seq := m.next()
		if err := s.write(ctx, q, m, line{step: logOpen, to: opened, at: at}); err != nil {
			return err
		}
		return s.start(ctx, q, m.CaseID, basisDecision, seq, "", m.OpenTime, s.profileOf(""))
	}
	if m.allCorrected() && m.corrects(req.GetKey(), req.GetKind()) {
		return s.meet(ctx, q, m, basisWithdraw, at)
	}
	return s.closeReversed(ctx, q, m, at)
}

// CheckDecision lists everything that a decision still lacks.
func (s *Server) CheckDecision(ctx context.Context, req *enforcementv1.CheckDecisionRequest) (*enforcementv1.CheckDecisionResponse, error) {
	q := store.New(s.db)
	m, err := s.own(ctx, q, req.GetCaseId())
	if err != nil {
		return nil, err
	}
	out := &enforcementv1.CheckDecisionResponse{}
	for _, l := range lacks(m, s.now()) {
		out.Lacks = append(out.Lacks, &enforcementv1.DecisionLack{Article: l.article, What: l.what})
	}
	kind := outProposed
	if p := m.proposal(); p != nil {
		kind = p.Kind
	}
	for _, l := range m.lacksEvidence(kind) {
		out.Lacks = append(out.Lacks, &enforcementv1.DecisionLack{Article: l.article, What: l.what})
	}
	if p := m.proposal(); p != nil {
		out.Warnings = p.Warnings
		// what the catalogue, the act or its limitation says now
		if err := s.lawfulNow(ctx, m, p); err != nil && errs.Text(err) != "" {
			out.Lacks = append(out.Lacks, &enforcementv1.DecisionLack{Article: "行政处罚法 第三十八条", What: errs.Text(err)})
		}
	}
	others, err := s.suspectedActs(ctx, q, m.CaseID)
	for _, id := range others {
		out.Warnings = append(out.Warnings, "case "+id+" may be about the same act (行政处罚法 第二十九条)")
	}
	out.Ready = len(out.Lacks) == 0
	return out, err
}

// lawfulNow asks the substantive law about the proposal as of now.
func (s *Server) lawfulNow(ctx context.Context, m *matter, p *store.CaseProposal) error {
	if p.Kind == outNoPenalty {
		return nil
	}
	return pg.Tx(ctx, s.db, func(tx pgx.Tx) error {
		detail, err := proposalOf(p)
		if err != nil {
			return err
		}
		return s.lawful(ctx, store.New(tx), m.EnforcementCase, detail, s.profileOf(""), s.now())
	})
}

// own is a case that the caller may read: its agency's, or any for the lead.
func (s *Server) own(ctx context.Context, q *store.Queries, id string) (*matter, error) {
	if _, err := q.GetCase(ctx, store.GetCaseParams{CaseID: id, SeesAll: seesAll(ctx), AgencyID: agencyOf(ctx)}); err != nil {
		return nil, errs.NotFound(err, "no such case")
	}
	m, err := matterOf(ctx, q, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errs.NotFound(err, "no such case")
	}
	return m, err
}
