package ledger

import (
	"context"
	"errors"
	"time"

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

// RegisterHolder enters a holder, or returns the one with the same credit code as it is already known.
func (s *Server) RegisterHolder(ctx context.Context, req *ledgerv1.RegisterHolderRequest) (*ledgerv1.RegisterHolderResponse, error) {
	in := req.GetHolder()
	if err := checkHolder(in); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.RegisterHolderResponse, error) {
		q := store.New(tx)
		if code := in.GetCreditCode(); code != "" {
			if err := q.LockKey(ctx, "holder/"+code); err != nil {
				return nil, err
			}
			h, err := q.HolderByCreditCode(ctx, code)
			if err == nil {
				return &ledgerv1.RegisterHolderResponse{Holder: holderProto(h)}, nil
			}
			if !errors.Is(err, pgx.ErrNoRows) {
				return nil, err
			}
		}
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		h := store.Holder{
			HolderID: id.String(), Name: in.GetName(), CreditCode: in.GetCreditCode(), Licence: in.GetLicence(),
			Sector: in.GetSector(), AgencyID: in.GetAgencyId(), CreatedBy: doneBy(identity.ActorOf(ctx)),
		}
		err = q.InsertHolder(ctx, store.InsertHolderParams{
			HolderID: h.HolderID, Name: h.Name, CreditCode: h.CreditCode, Licence: h.Licence,
			Sector: h.Sector, AgencyID: h.AgencyID, CreatedBy: h.CreatedBy,
		})
		if err != nil {
			return nil, err
		}
		return &ledgerv1.RegisterHolderResponse{Holder: holderProto(h)}, nil
	})
}

// AllocateResource allocates a code, a block or a line. The database refuses what overlaps.
func (s *Server) AllocateResource(ctx context.Context, req *ledgerv1.AllocateResourceRequest) (*ledgerv1.AllocateResourceResponse, error) {
	from, to, err := block(req.GetFirstNumber(), req.GetLastNumber())
	if err != nil {
		return nil, err
	}
	if err := checkScheme(req.GetScheme()); err != nil {
		return nil, err
	}
	if err := checkCallers(req.GetPermittedCallers()); err != nil {
		return nil, err
	}
	now := s.now()
	validFrom, validTo := now, timeOf(req.GetValidTo())
	if t := timeOf(req.GetValidFrom()); t != nil {
		validFrom = *t
	}
	if validTo != nil && !validTo.After(validFrom) {
		return nil, errs.Field("valid_to", "must be after valid_from")
	}
	callers := req.GetPermittedCallers()
	if callers == nil {
		callers = []string{}
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.AllocateResourceResponse, error) {
		q := store.New(tx)
		if _, err := q.HolderByID(ctx, req.GetHolderId()); err != nil {
			return nil, errs.NotFound(err, "no such holder")
		}
		resource, err1 := uuid.NewV7()
		version, err2 := uuid.NewV7()
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		who := doneBy(identity.ActorOf(ctx))
		if err := q.InsertResource(ctx, resource.String()); err != nil {
			return nil, err
		}
		err := q.InsertAllocation(ctx, store.InsertAllocationParams{
			AllocationID: version.String(), ResourceID: resource.String(), HolderID: req.GetHolderId(),
			Scheme: req.GetScheme(), Digits: from.digits, FirstNumber: from.value, LastNumber: to.value,
			AccessProvince: req.GetAccessProvince(), Purpose: req.GetPurpose(), PermittedCallers: callers,
			AccessOperatorID: req.GetAccessOperatorId(), Basis: req.GetBasis(),
			ValidFrom: validFrom, ValidTo: validTo, CreatedBy: who,
		})
		if pg.Constraint(err) == "allocation_overlaps" {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_ALLOCATION_OVERLAPS,
				"the numbers overlap an allocation that holds at the same time")
		}
		if err != nil {
			return nil, err
		}
		err = q.InsertEvent(ctx, store.InsertEventParams{
			ResourceID: resource.String(), Event: allocated, Basis: req.GetBasis(), EffectTime: validFrom, DoneBy: who,
		})
		if err != nil {
			return nil, err
		}
		r, err := get(ctx, q, resource.String(), validFrom)
		if err != nil {
			return nil, err
		}
		return &ledgerv1.AllocateResourceResponse{Resource: r}, nil
	})
}

// SuspendResource takes a resource out of service. Suspending a suspended resource is a no-op: the first ground stays.
func (s *Server) SuspendResource(ctx context.Context, req *ledgerv1.SuspendResourceRequest) (*ledgerv1.SuspendResourceResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.SuspendResourceResponse, error) {
		task := req.GetTaskId()
		r, err := s.happen(ctx, store.New(tx), store.InsertEventParams{
			ResourceID: req.GetResourceId(), Event: suspended, ReasonCode: req.GetReasonCode(), Basis: req.GetBasis(),
			Nature: req.GetNature(), TaskID: &task, PriorNotice: req.GetPriorNotice(), Remedy: req.GetRemedy(),
		})
		if err != nil {
			return nil, err
		}
		return &ledgerv1.SuspendResourceResponse{Resource: r}, nil
	})
}

// ResumeResource puts a suspended resource back into service. Resuming an active one is a no-op.
func (s *Server) ResumeResource(ctx context.Context, req *ledgerv1.ResumeResourceRequest) (*ledgerv1.ResumeResourceResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.ResumeResourceResponse, error) {
		r, err := s.happen(ctx, store.New(tx), store.InsertEventParams{
			ResourceID: req.GetResourceId(), Event: resumed, ReasonCode: req.GetReasonCode(), Basis: req.GetBasis(),
		})
		if err != nil {
			return nil, err
		}
		return &ledgerv1.ResumeResourceResponse{Resource: r}, nil
	})
}

// happen adds an event to a resource's history, if its state takes it, and returns the resource after it.
func (s *Server) happen(ctx context.Context, q *store.Queries, e store.InsertEventParams) (*ledgerv1.Resource, error) {
	if err := q.LockKey(ctx, "resource/"+e.ResourceID); err != nil {
		return nil, err
	}
	last, err := q.LastEvent(ctx, e.ResourceID)
	if err != nil {
		return nil, errs.NotFound(err, "no such resource")
	}
	act, err := allows(last.Event, e.Event)
	if err != nil {
		return nil, err
	}
	at := effectAfter(s.now(), last.EffectTime)
	if act {
		e.EffectTime, e.DoneBy = at, doneBy(identity.ActorOf(ctx))
		if err := q.InsertEvent(ctx, e); err != nil {
			return nil, err
		}
	}
	return get(ctx, q, e.ResourceID, at)
}

func get(ctx context.Context, q *store.Queries, resource string, at time.Time) (*ledgerv1.Resource, error) {
	row, err := q.GetResource(ctx, store.GetResourceParams{ResourceID: resource, At: at, SeesAll: true})
	if err != nil {
		return nil, errs.NotFound(err, "no such resource")
	}
	return resourceRow(row).proto(), nil
}
