package enforcement

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// The three writes of this file end the cases that began before the procedure was complete. Their workflows go on by their
// old script; no other case can be moved by them, which the database sees to as well.

// beforeCase is a case of before, locked for a writer.
func (s *Server) beforeCase(ctx context.Context, q *store.Queries, id string) (*matter, error) {
	m, err := s.locked(ctx, q, id)
	if err == nil && m.Procedure != logBefore {
		err = wrongState("行政处罚法 第四十四条、第五十四条、第五十七条: the case goes by the procedure; only its recorded steps move it")
	}
	return m, err
}

// AdvanceCase writes that a case is investigated, or that a notice was served. Where it is already is a no-op, but a
// further notice, served by another task, is added: the last one is what the decision stands on.
func (s *Server) AdvanceCase(ctx context.Context, req *enforcementv1.AdvanceCaseRequest) (*enforcementv1.AdvanceCaseResponse, error) {
	if req.GetState() == noticeServed && uuid.Validate(req.GetTaskId()) != nil {
		return nil, errs.Field("task_id", "must name the task by which the notice was served")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.AdvanceCaseResponse, error) {
		q := store.New(tx)
		m, err := s.beforeCase(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		act, err := advances(m.State, req.GetState())
		if err != nil {
			return nil, err
		}
		l := line{step: logBefore, to: req.GetState(), at: s.now()}
		if req.GetState() == noticeServed {
			known := recorded(m, req.GetTaskId())
			act, l.outcome = !known, "served"
			l.task = &enforcementv1.CaseStep{TaskId: req.GetTaskId()}
			if err := q.AddNotice(ctx, store.AddNoticeParams{CaseID: m.CaseID, TaskID: req.GetTaskId(), ServedTime: l.at}); err != nil {
				return nil, err
			}
		}
		if act {
			err = s.write(ctx, q, m, l)
		}
		if err != nil {
			return nil, err
		}
		out, err := s.after(ctx, q, m.CaseID)
		return &enforcementv1.AdvanceCaseResponse{Case: out}, err
	})
}

// DecideCase writes the signed decision. The same signature sent again is a no-op.
func (s *Server) DecideCase(ctx context.Context, req *enforcementv1.DecideCaseRequest) (*enforcementv1.DecideCaseResponse, error) {
	d := req.GetDecision()
	if err := checkDecision(d); err != nil {
		return nil, err
	}
	if uuid.Validate(d.GetSigningTaskId()) != nil {
		return nil, errs.Field("decision.signing_task_id", "must name the task whose decision is the signature")
	}
	decidedTime := s.now()
	if d.GetDecidedTime() != nil {
		decidedTime = d.GetDecidedTime().AsTime()
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.DecideCaseResponse, error) {
		q := store.New(tx)
		m, err := s.beforeCase(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		if rank[m.State] < rank[decided] {
			if err := decides(m.State, m.NoticeTime, decidedTime, d.GetPenalty().GetKind()); err != nil {
				return nil, err
			}
			err = errors.Join(q.InsertDecision(ctx, store.InsertDecisionParams{
				CaseID: m.CaseID, PenaltyKind: d.GetPenalty().GetKind(), AmountFen: d.GetPenalty().GetAmount().GetFen(),
				Basis: d.GetPenalty().GetBasis(), ListParty: d.GetPenalty().GetListParty(), Publish: d.GetPenalty().GetPublish(),
				ProposedBy: d.GetProposedBy(), ReviewedBy: d.GetReviewedBy(), SignedBy: d.GetSignedBy(),
				SigningTaskID: d.GetSigningTaskId(), NoticeTime: m.NoticeTime, DecidedTime: decidedTime,
			}), s.write(ctx, q, m, line{step: logBefore, to: decided, outcome: outSigned, at: decidedTime,
				task: &enforcementv1.CaseStep{TaskId: d.GetSigningTaskId()}}))
		} else {
			err = sameDecision(ctx, q, m.CaseID, d)
		}
		if err != nil {
			return nil, err
		}
		out, err := s.after(ctx, q, m.CaseID)
		return &enforcementv1.DecideCaseResponse{Case: out}, err
	})
}

func sameDecision(ctx context.Context, q *store.Queries, id string, d *enforcementv1.CaseDecision) error {
	old, err := q.DecisionOf(ctx, id)
	if err != nil {
		return fmt.Errorf("decision of a decided case: %w", err)
	}
	if old.SigningTaskID != d.GetSigningTaskId() || old.PenaltyKind != d.GetPenalty().GetKind() {
		return wrongState("the case is decided already")
	}
	return nil
}

// CloseCase closes a decided case and returns what is to be told of it. Closing a closed case tells the same again.
func (s *Server) CloseCase(ctx context.Context, req *enforcementv1.CloseCaseRequest) (*enforcementv1.CloseCaseResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.CloseCaseResponse, error) {
		q := store.New(tx)
		m, err := s.beforeCase(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		act, err := advances(m.State, closed)
		if err != nil {
			return nil, err
		}
		if act {
			if err := s.write(ctx, q, m, line{step: logBefore, to: closed, at: s.now()}); err != nil {
				return nil, err
			}
		}
		d, err := q.DecisionOf(ctx, m.CaseID)
		if err != nil {
			return nil, fmt.Errorf("decision of a closed case: %w", err)
		}
		attached, err := q.ComplaintsOf(ctx, m.CaseID)
		if err != nil {
			return nil, err
		}
		resp := &enforcementv1.CloseCaseResponse{Outcome: outcomeOf(d.PenaltyKind)}
		for _, a := range attached {
			resp.Complaints = append(resp.Complaints, &enforcementv1.AttachedComplaint{ComplaintId: a.ComplaintID, Round: a.Round})
		}
		return resp, nil
	})
}
