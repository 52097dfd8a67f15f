package ledger

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// ProposeRecall proposes to take a resource back, or returns its open recall.
func (s *Server) ProposeRecall(ctx context.Context, req *ledgerv1.ProposeRecallRequest) (*ledgerv1.ProposeRecallResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.ProposeRecallResponse, error) {
		q, now, actor := store.New(tx), s.now(), identity.ActorOf(ctx)
		if err := q.LockKey(ctx, "resource/"+req.GetResourceId()); err != nil {
			return nil, err
		}
		held, err := heldNow(ctx, q, req.GetResourceId(), now)
		if err != nil {
			return nil, err
		}
		if err := mustAdminister(actor, held); err != nil {
			return nil, err
		}
		open, err := q.OpenRecallOf(ctx, req.GetResourceId())
		if err == nil {
			return &ledgerv1.ProposeRecallResponse{Recall: recallProto(open, nil, true)}, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return nil, err
		}
		ground, err := s.ground(ctx, q, req.GetReasonCode())
		if err != nil {
			return nil, err
		}
		history, err := q.HistoryOf(ctx, req.GetResourceId())
		if err != nil {
			return nil, err
		}
		if ground.AfterRestriction && !restrictedBefore(history) {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
				"for %s (%s) only what was warned or suspended before is taken back (电信条例 3; %s)", ground.Code, ground.Name, ground.Basis)
		}
		if err := takes(conditionOf(history), recallNoticed); err != nil {
			return nil, err
		}
		if !held.InForce {
			return nil, wrongState("the resource is allocated to nobody now: there is nothing to take back")
		}
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		err = q.InsertRecall(ctx, store.InsertRecallParams{
			RecallID: id.String(), ResourceID: req.GetResourceId(), HolderID: held.HolderID, AccessOperatorID: held.AccessOperatorID,
			AgencyID: actor.GetAgencyId(), ReasonCode: ground.Code, Basis: ground.Basis, Statement: req.GetStatement(),
			ProposedBy: actor.GetSubject(), ProposeTime: now,
		})
		if err != nil {
			return nil, err
		}
		row, err := q.LockRecall(ctx, id.String())
		return &ledgerv1.ProposeRecallResponse{Recall: recallProto(row, nil, true), Proposed: true}, err
	})
	if err == nil && resp.GetRecall().GetState() == recallProposed {
		s.tell.Start(kindRecall, resp.GetRecall().GetRecallId())
	}
	return resp, err
}

// ground is the policy row for which a resource may be taken back.
func (s *Server) ground(ctx context.Context, q *store.Queries, code string) (store.RecallGround, error) {
	ground, err := q.RecallGround(ctx, store.RecallGroundParams{Code: code, At: s.now()})
	if !errors.Is(err, pgx.ErrNoRows) {
		return ground, err
	}
	known, err := q.RecallGrounds(ctx, s.now())
	if err != nil {
		return ground, err
	}
	return ground, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
		"the policy takes no resource back for %q; it knows %s", code, strings.Join(known, ", "))
}

// GetRecall returns a recall with its objections and its resource.
func (s *Server) GetRecall(ctx context.Context, req *ledgerv1.GetRecallRequest) (*ledgerv1.GetRecallResponse, error) {
	q, v := store.New(s.db), viewerOf(ctx)
	id := req.GetRecallId()
	rows, err := q.ListRecalls(ctx, store.ListRecallsParams{
		RecallID: &id, SeesAll: v.all, Party: v.party, AgencyID: v.agency, LeadMinistry: leadMinistry, PageSize: 1,
	})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errs.NotFound(pgx.ErrNoRows, "no such recall")
	}
	objections, err := q.ObjectionsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	held, err := q.HeldAt(ctx, store.HeldAtParams{ResourceID: rows[0].ResourceID, At: rows[0].ProposeTime})
	if err != nil {
		return nil, err
	}
	return &ledgerv1.GetRecallResponse{Recall: recallProto(rows[0], objections, v.inside(rows[0].AgencyID)), Resource: takenFrom(held)}, nil
}

// ListRecalls lists recalls, newest first.
func (s *Server) ListRecalls(ctx context.Context, req *ledgerv1.ListRecallsRequest) (*ledgerv1.ListRecallsResponse, error) {
	v := viewerOf(ctx)
	recalls, next, err := s.recalls(ctx, store.ListRecallsParams{
		ResourceID: orNil(req.GetResourceId()), State: req.GetState(), SeesAll: v.all, Party: v.party, AgencyID: v.agency, LeadMinistry: leadMinistry,
		PageSize: pg.PageSize(req.GetPageSize()),
	}, req.GetPageToken(), v)
	return &ledgerv1.ListRecallsResponse{Recalls: recalls, NextPageToken: next}, err
}

func (s *Server) recalls(ctx context.Context, arg store.ListRecallsParams, token string, v viewer) ([]*ledgerv1.Recall, string, error) {
	before, id, ok, err := pg.DecodeTimeToken(token)
	if err != nil {
		return nil, "", err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := store.New(s.db).ListRecalls(ctx, arg)
	if err != nil {
		return nil, "", err
	}
	var out []*ledgerv1.Recall
	for _, r := range rows {
		out = append(out, recallProto(r, nil, v.inside(r.AgencyID)))
	}
	next := ""
	if len(rows) == int(arg.PageSize) {
		next = pg.TimeToken(rows[len(rows)-1].ProposeTime, rows[len(rows)-1].RecallID)
	}
	return out, next, nil
}

// ObjectToRecall takes the holder's objection within the notice period, or returns the one that is open.
func (s *Server) ObjectToRecall(ctx context.Context, req *ledgerv1.ObjectToRecallRequest) (*ledgerv1.ObjectToRecallResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.ObjectToRecallResponse, error) {
		q, now := store.New(tx), s.now()
		r, err := q.LockRecall(ctx, req.GetRecallId())
		if err != nil {
			return nil, errs.NotFound(err, "no such recall")
		}
		holder, err := q.HolderByID(ctx, r.HolderID)
		if err != nil {
			return nil, err
		}
		party := identity.ActorOf(ctx).GetParty()
		if r.NoticeTime == nil || party == "" || holder.CreditCode != party {
			return nil, errs.NotFound(pgx.ErrNoRows, "no such recall") // nothing was served on this party
		}
		open, err := q.OpenObjectionOf(ctx, r.RecallID)
		if err == nil {
			return &ledgerv1.ObjectToRecallResponse{Objection: objectionProto(open)}, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return nil, err
		}
		if err := objectable(r, now); err != nil {
			return nil, err
		}
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		err = q.InsertObjection(ctx, store.InsertObjectionParams{
			ObjectionID: id.String(), RecallID: r.RecallID, Text: req.GetText(), ObjectedBy: identity.ActorOf(ctx).GetSubject(), ObjectTime: now,
		})
		if err != nil {
			return nil, err
		}
		open, err = q.OpenObjectionOf(ctx, r.RecallID)
		return &ledgerv1.ObjectToRecallResponse{Objection: objectionProto(open), Objected: true}, err
	})
	if err == nil && resp.GetObjection().GetState() == objectionOpen {
		s.tell.Nudge(kindRecall, req.GetRecallId())
	}
	return resp, err
}
