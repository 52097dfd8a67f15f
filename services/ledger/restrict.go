package ledger

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// Natures of what is done to a resource: by contract, or by law.
const (
	byContract = "operator_measure"
	byLaw      = "administrative_order"
)

// WarnResource warns the holder of a resource: an operator by its contract, an administration by law.
func (s *Server) WarnResource(ctx context.Context, req *ledgerv1.WarnResourceRequest) (*ledgerv1.WarnResourceResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.WarnResourceResponse, error) {
		r, err := s.restrict(ctx, store.New(tx), req.GetAgencyId(), store.AddEventParams{
			ResourceID: req.GetResourceId(), Event: warned, ReasonCode: req.GetReasonCode(), Basis: req.GetBasis(),
			Nature: req.GetNature(), TaskID: orNil(req.GetTaskId()), PriorNotice: req.GetPriorNotice(), Remedy: req.GetRemedy(),
		})
		if err != nil {
			return nil, err
		}
		return &ledgerv1.WarnResourceResponse{Resource: r}, nil
	})
}

// SuspendResource takes a resource out of service: the workflows by a signed decision, an operator by its contract.
func (s *Server) SuspendResource(ctx context.Context, req *ledgerv1.SuspendResourceRequest) (*ledgerv1.SuspendResourceResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.SuspendResourceResponse, error) {
		r, err := s.restrict(ctx, store.New(tx), req.GetAgencyId(), store.AddEventParams{
			ResourceID: req.GetResourceId(), Event: suspended, ReasonCode: req.GetReasonCode(), Basis: req.GetBasis(),
			Nature: req.GetNature(), TaskID: orNil(req.GetTaskId()), PriorNotice: req.GetPriorNotice(), Remedy: req.GetRemedy(),
		})
		if err != nil {
			return nil, err
		}
		return &ledgerv1.SuspendResourceResponse{Resource: r}, nil
	})
}

// restrict warns or suspends, once for each ground: a further ground is added, so that an appeal upheld against one does
// not lift the other. What the workflows enter is the doing of the agency that decided.
func (s *Server) restrict(ctx context.Context, q *store.Queries, decided string, e store.AddEventParams) (*ledgerv1.Resource, error) {
	e.DoneBy = doneBy(identity.ActorOf(ctx))
	if identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS && decided != "" {
		e.DoneBy = doneBy(&commonv1.Actor{Subject: string(identity.Workflows), AgencyId: decided})
	}
	if err := s.mayRestrict(ctx, q, e); err != nil {
		return nil, err
	}
	if err := q.LockKey(ctx, "resource/"+e.ResourceID); err != nil {
		return nil, err
	}
	history, err := q.HistoryOf(ctx, e.ResourceID)
	if err != nil {
		return nil, err
	}
	history = sofar(history, s.now())
	if slices.ContainsFunc(inForce(history), func(old store.ResourceEvent) bool { return sameGround(old, e) }) {
		return get(ctx, q, e.ResourceID, effectAfter(s.now(), history[len(history)-1].EffectTime))
	}
	return s.happen(ctx, q, e)
}

// mayRestrict holds who acts to the nature of the act. The workflows act on decisions that were signed.
func (s *Server) mayRestrict(ctx context.Context, q *store.Queries, e store.AddEventParams) error {
	if identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS {
		return nil
	}
	a := identity.ActorOf(ctx)
	held, err := heldNow(ctx, q, e.ResourceID, s.now())
	if err != nil {
		return err
	}
	if e.TaskID != nil {
		return errs.Field("task_id", "must be empty: what a task's decision orders is entered by its workflow")
	}
	if identity.HasRole(a, accessv1.Role_ROLE_OPERATOR) {
		switch {
		case !sameEnterprise(held.AccessOperatorID, a.GetAgencyId()):
			return errs.NotFound(pgx.ErrNoRows, "no such resource")
		case e.Nature != byContract:
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
				"an operator acts by its contract and issues no administrative order (行政处罚法 17: only an authority within its powers): nature must be %s, basis a clause of the contract", byContract)
		}
		return nil
	}
	if err := mustAdminister(a, held); err != nil {
		return err
	}
	if e.Nature != byLaw {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"an administration is no party to the contract and acts by law (电信条例 3): nature must be %s", byLaw)
	}
	return nil
}

// ResumeResource puts a warned or suspended resource back. An operator and a registrar do so while nothing but what they did
// themselves restricts it.
func (s *Server) ResumeResource(ctx context.Context, req *ledgerv1.ResumeResourceRequest) (*ledgerv1.ResumeResourceResponse, error) {
	if req.GetTaskId() != "" {
		return s.correctOf(ctx, req)
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.ResumeResourceResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "resource/"+req.GetResourceId()); err != nil {
			return nil, err
		}
		history, err := q.HistoryOf(ctx, req.GetResourceId())
		if err != nil {
			return nil, err
		}
		history = sofar(history, s.now())
		if err := s.mayResume(ctx, q, req.GetResourceId(), inForce(history)); err != nil {
			return nil, err
		}
		if len(history) > 0 && conditionOf(history).standing == stateActive {
			r, err := get(ctx, q, req.GetResourceId(), effectAfter(s.now(), history[len(history)-1].EffectTime))
			return &ledgerv1.ResumeResourceResponse{Resource: r}, err
		}
		r, err := s.happen(ctx, q, store.AddEventParams{
			ResourceID: req.GetResourceId(), Event: resumed, ReasonCode: req.GetReasonCode(), Basis: req.GetBasis(),
		})
		if err != nil {
			return nil, err
		}
		return &ledgerv1.ResumeResourceResponse{Resource: r}, nil
	})
}

func (s *Server) mayResume(ctx context.Context, q *store.Queries, resource string, restricted []store.ResourceEvent) error {
	if identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS {
		return nil
	}
	a := identity.ActorOf(ctx)
	held, err := heldNow(ctx, q, resource, s.now())
	if err != nil {
		return err
	}
	registrar := identity.HasRole(a, accessv1.Role_ROLE_REGISTRAR)
	if registrar {
		if err := mustAdminister(a, held); err != nil {
			return err
		}
	} else if !sameEnterprise(held.AccessOperatorID, a.GetAgencyId()) {
		return errs.NotFound(pgx.ErrNoRows, "no such resource")
	}
	for _, e := range restricted {
		if err := mayLift(e, a.GetAgencyId(), registrar); err != nil {
			return err
		}
	}
	return nil
}

// mayLift holds each restriction to who did it. What an agency decided that administers no numbers, or that the workflows
// entered without one, the lead ministry's registrar lifts.
func mayLift(e store.ResourceEvent, agency string, registrar bool) error {
	by := agencyOf(e.DoneBy)
	own := by == agency || agency == leadMinistry && !strings.HasPrefix(by, "ca-")
	switch {
	case !registrar && e.Nature == byContract && sameEnterprise(by, agency), registrar && e.Nature == byLaw && own:
		return nil
	case e.Nature == byContract:
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"%s restricted the resource by its contract and lifts that itself; an administration is no party to it (电信条例 3)", by)
	}
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
		"an order of %s is lifted by who gave it, or by an appeal (反电信网络诈骗法 32)", cmp.Or(by, "task "+text(e.TaskID)))
}

// happen adds an event to a resource's history, if its condition takes it, and returns the resource after it.
func (s *Server) happen(ctx context.Context, q *store.Queries, e store.AddEventParams) (*ledgerv1.Resource, error) {
	_, at, err := s.enter(ctx, q, e)
	if err != nil {
		return nil, err
	}
	return get(ctx, q, e.ResourceID, at)
}

// enter is happen for who needs the event's number and time.
func (s *Server) enter(ctx context.Context, q *store.Queries, e store.AddEventParams) (id int64, at time.Time, err error) {
	if err := q.LockKey(ctx, "resource/"+e.ResourceID); err != nil {
		return 0, at, err
	}
	history, err := q.HistoryOf(ctx, e.ResourceID)
	if err != nil {
		return 0, at, err
	}
	if len(history) == 0 {
		return 0, at, errs.NotFound(pgx.ErrNoRows, "no such resource")
	}
	history = sofar(history, s.now())
	was := conditionOf(history)
	if err := takes(was, e.Event); err != nil {
		return 0, at, err
	}
	now := was.after(e.Event)
	if e.CorrectsEventID != nil {
		now = conditionOf(history, *e.CorrectsEventID)
	}
	state := now.state()
	e.StateGiven, e.EffectTime = &state, effectAfter(s.now(), history[len(history)-1].EffectTime)
	if e.DoneBy == "" {
		e.DoneBy = doneBy(identity.ActorOf(ctx))
	}
	id, err = q.AddEvent(ctx, e)
	return id, e.EffectTime, err
}

// heldNow is who holds a resource now.
func heldNow(ctx context.Context, q *store.Queries, resource string, now time.Time) (store.HeldAtRow, error) {
	held, err := q.HeldAt(ctx, store.HeldAtParams{ResourceID: resource, At: now})
	if err != nil {
		return held, errs.NotFound(err, "no such resource")
	}
	return held, nil
}

// leadMinistry administers every resource, beside the administration of its province.
const leadMinistry = "miit"

// administers says whether an agency is an administration of telecommunications (电信管理机构, 电信条例 3) for resources
// with access in a province.
func administers(agency, province string) bool {
	return agency == leadMinistry || agency == "ca-"+province
}

func mustAdminister(a *commonv1.Actor, held store.HeldAtRow) error {
	if administers(a.GetAgencyId(), held.AccessProvince) {
		return nil
	}
	return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
		"the resource is administered by ca-%s and by %s", held.AccessProvince, leadMinistry)
}

// sameEnterprise says whether two agencies are an operator and one of its branches, or one and the same.
func sameEnterprise(x, y string) bool {
	return x != "" && y != "" && (x == y || strings.HasPrefix(x, y+"-") || strings.HasPrefix(y, x+"-"))
}

// agencyOf is the agency of who did something, subject@agency; a subject may hold an @ itself.
func agencyOf(doneBy string) string {
	if i := strings.LastIndex(doneBy, "@"); i >= 0 {
		return doneBy[i+1:]
	}
	return ""
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
