package ledger

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// CorrectAllocation says that a row of the ledger was wrong and what is right.
func (s *Server) CorrectAllocation(ctx context.Context, req *ledgerv1.CorrectAllocationRequest) (*ledgerv1.CorrectAllocationResponse, error) {
	if _, err := optionalID("holder_id", req.GetHolderId()); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.CorrectAllocationResponse, error) {
		q := store.New(tx)
		wrong, err := q.AllocationByID(ctx, req.GetAllocationId())
		if err != nil {
			return nil, errs.NotFound(err, "no such row of the ledger")
		}
		right := rightOf(wrong, req, doneBy(identity.ActorOf(ctx)))
		for _, province := range []string{wrong.AccessProvince, right.Province} {
			if err := mayAllocate(identity.ActorOf(ctx), province); err != nil {
				return nil, err
			}
		}
		row, err := s.correct(ctx, tx, wrong.AllocationID, right)
		if err != nil {
			return nil, err
		}
		r, err := get(ctx, q, row.ResourceID, row.ValidFrom)
		if err != nil {
			return nil, err
		}
		return &ledgerv1.CorrectAllocationResponse{Resource: r}, nil
	})
}

// rightOf is a row with what a request says otherwise.
func rightOf(wrong store.Allocation, req *ledgerv1.CorrectAllocationRequest, by string) draft {
	d := draftOf(wrong)
	d.By, d.Reason = by, req.GetReason()
	d.HolderID = cmp.Or(req.GetHolderId(), d.HolderID)
	if req.GetFirstNumber() != "" {
		d.First, d.Last = req.GetFirstNumber(), req.GetFirstNumber()
		if canon, err := canonical("", d.First, ""); err == nil { // the number says of which scheme it is
			d.Scheme = canon.scheme
		}
	}
	d.Last = cmp.Or(req.GetLastNumber(), d.Last)
	d.Province = cmp.Or(req.GetAccessProvince(), d.Province)
	d.OperatorID = cmp.Or(req.GetAccessOperatorId(), d.OperatorID)
	d.Basis = cmp.Or(req.GetBasis(), d.Basis)
	if req.GetOperation() != "" {
		d.Operation, d.PrincipalID = req.GetOperation(), req.GetPrincipalHolderId()
	}
	if req.GetApprovalDocument() != "" {
		d.ApprovalDocument, d.ApprovalReason = req.GetApprovalDocument(), req.GetApprovalReason()
	}
	if len(req.GetEvidence()) > 0 {
		d.Evidence = req.GetEvidence()
	}
	if len(req.GetPermittedCallers()) > 0 || req.GetNoPermittedCallers() {
		d.Callers = req.GetPermittedCallers()
	}
	if t := timeOf(req.GetValidFrom()); t != nil {
		d.ValidFrom = *t
	}
	if t := timeOf(req.GetValidTo()); t != nil || req.GetNoEnd() {
		d.ValidTo = t
	}
	return d
}

// draftOf is a row as it could be entered again.
func draftOf(a store.Allocation) draft {
	d := draft{
		ResourceID: a.ResourceID, HolderID: a.HolderID, Scheme: a.Scheme,
		First: digitsOf(a.Digits, a.FirstNumber), Last: digitsOf(a.Digits, a.LastNumber),
		Province: a.AccessProvince, OperatorID: a.AccessOperatorID, Purpose: a.Purpose, Operation: a.Operation, Basis: a.Basis,
		ApprovalDocument: a.ApprovalDocument, ApprovalReason: a.ApprovalReason, Callers: a.PermittedCallers, Evidence: a.Evidence,
		ValidFrom: a.ValidFrom, ValidTo: a.ValidTo,
	}
	if a.PrincipalHolderID != nil {
		d.PrincipalID = *a.PrincipalHolderID
	}
	return d
}

// correct closes what was known and enters the draft in its place. What it gives beyond the wrong row passes the rules of
// allocation; a purpose changes by decision only.
func (s *Server) correct(ctx context.Context, tx pgx.Tx, wrongID string, d draft) (store.Allocation, error) {
	q := store.New(tx)
	wrong, err := s.locked(ctx, q, wrongID)
	if err != nil {
		return wrong, err
	}
	d.ResourceID, d.Corrects = wrong.ResourceID, wrong.AllocationID
	switch {
	case d.Purpose != wrong.Purpose:
		return wrong, errs.Field("purpose", "a purpose is changed by decision, not corrected (电信条例 28)")
	case d.Reason == "":
		return wrong, errs.Field("reason", "a correction says why")
	case endsNow(wrong, d, s.now()):
		return wrong, wrongState("the allocation holds now; it is not corrected to have ended: end it, with EndAllocation")
	}
	if err := s.mayGrow(ctx, q, wrong, d); err != nil {
		return wrong, err
	}
	if grows(wrong, d) {
		err = s.admit(ctx, q, d)
	} else {
		err = s.checkDraft(ctx, q, d)
	}
	if err != nil {
		return wrong, err
	}
	if _, err := q.CloseAllocation(ctx, wrongID); err != nil {
		return wrong, err
	}
	row, err := s.place(ctx, q, d)
	if err != nil {
		return row, err
	}
	if err := cutToAllocations(ctx, q, []string{row.ResourceID}, d.Reason, d.By); err != nil {
		return row, err
	}
	return row, q.InsertEvent(ctx, store.InsertEventParams{
		ResourceID: row.ResourceID, Event: allocationCorrected, Basis: d.Reason, EffectTime: s.now(), DoneBy: d.By,
	})
}

// endsNow says whether a correction would end what holds. An end is an event of its own, which asks what the resource is in.
func endsNow(wrong store.Allocation, d draft, now time.Time) bool {
	return d.ValidTo != nil && !d.ValidTo.After(now) && (wrong.ValidTo == nil || wrong.ValidTo.After(now))
}

// mayGrow sees that a correction does not bring back what has ended.
func (s *Server) mayGrow(ctx context.Context, q *store.Queries, wrong store.Allocation, d draft) error {
	if wrong.ValidTo == nil || d.ValidTo != nil && !d.ValidTo.After(*wrong.ValidTo) {
		return nil
	}
	over, err := q.HasEnded(ctx, wrong.ResourceID)
	if err != nil {
		return err
	}
	if over {
		return wrongState("the use of the resource has ended; it is allocated anew, not corrected")
	}
	return nil
}

// locked is a row that is still known, under the lock of its resource.
func (s *Server) locked(ctx context.Context, q *store.Queries, allocationID string) (store.Allocation, error) {
	row, err := q.AllocationByID(ctx, allocationID)
	if err != nil {
		return row, errs.NotFound(err, "no such row of the ledger")
	}
	if err := q.LockKey(ctx, "resource/"+row.ResourceID); err != nil {
		return row, err
	}
	if row, err = q.AllocationByID(ctx, allocationID); err != nil {
		return row, err
	}
	if row.KnownTo != nil {
		return row, wrongState("this row of the ledger was corrected already; correct the one in its place")
	}
	return row, nil
}

// EndAllocation ends an allocation with all that hangs on it.
func (s *Server) EndAllocation(ctx context.Context, req *ledgerv1.EndAllocationRequest) (*ledgerv1.EndAllocationResponse, error) {
	at := s.now()
	if t := timeOf(req.GetEndTime()); t != nil {
		at = *t
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.EndAllocationResponse, error) {
		err := s.end(ctx, tx, req.GetResourceId(), at, req.GetReason(), req.GetBasis(), doneBy(identity.ActorOf(ctx)))
		if err != nil {
			return nil, err
		}
		if now := s.now(); at.After(now) {
			at = now // it is what it is until then
		}
		r, err := get(ctx, store.New(tx), req.GetResourceId(), at)
		if err != nil {
			return nil, err
		}
		return &ledgerv1.EndAllocationResponse{Resource: r}, nil
	})
}

// end says that a resource is allocated until a time and no longer.
func (s *Server) end(ctx context.Context, tx pgx.Tx, resource string, at time.Time, reason, basis, by string) error {
	q := store.New(tx)
	if err := q.LockKey(ctx, "resource/"+resource); err != nil {
		return err
	}
	rows, err := q.AllocationsFrom(ctx, store.AllocationsFromParams{ResourceID: resource, At: at})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return wrongState("the resource is not allocated at that time")
	}
	if !rows[0].ValidFrom.Before(at) {
		return errs.Field("end_time", "must be after the allocation began; what never held is corrected")
	}
	if err := endable(ctx, q, resource, at); err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := q.CloseAllocation(ctx, row.AllocationID); err != nil {
			return err
		}
		if row.ValidFrom.Before(at) {
			if _, err := insertAllocation(ctx, q, replacing(row, row.ValidFrom, &at, reason, by)); err != nil {
				return err
			}
		}
	}
	err = endWith(ctx, q, resource, at, reason, by)
	if err != nil {
		return err
	}
	return q.InsertEvent(ctx, store.InsertEventParams{
		ResourceID: resource, Event: ended, ReasonCode: ended, Basis: cmp.Or(basis, reason), EffectTime: at, DoneBy: by,
	})
}

// endable asks the transitions whether the use of a resource may end, as it is now: also an end in the past would take a
// resource out of an announced recall. An end later than this one is brought forward by it.
func endable(ctx context.Context, q *store.Queries, resource string, at time.Time) error {
	history, err := q.HistoryOf(ctx, resource)
	if err != nil {
		return err
	}
	return takes(conditionOf(slices.DeleteFunc(history, func(e store.ResourceEvent) bool {
		return e.Event == ended && e.EffectTime.After(at)
	})), ended)
}

// endWith ends what hangs on an allocation.
func endWith(ctx context.Context, q *store.Queries, resource string, at time.Time, reason, by string) error {
	if err := q.EndSublets(ctx, store.EndSubletsParams{ResourceID: resource, At: at, Reason: reason, CreatedBy: by}); err != nil {
		return err
	}
	if err := q.EndAccesses(ctx, store.EndAccessesParams{ResourceID: resource, At: at, Reason: reason, CreatedBy: by}); err != nil {
		return err
	}
	if err := q.EndContracts(ctx, store.EndContractsParams{ResourceID: resource, At: at, Reason: reason, CreatedBy: by}); err != nil {
		return err
	}
	return q.EndSeats(ctx, store.EndSeatsParams{ResourceID: resource, At: at, Reason: reason, CreatedBy: by})
}

// replacing is a row in the place of another, for a part of its time.
func replacing(row store.Allocation, from time.Time, to *time.Time, reason, by string) store.Allocation {
	row.Corrects, row.Reason, row.CreatedBy = pointer(row.AllocationID), reason, by
	row.ValidFrom, row.ValidTo = from, to
	return row
}

// ChangePurpose changes the purpose from a time on, for as long as the ledger says that the resource is allocated.
func (s *Server) ChangePurpose(ctx context.Context, req *ledgerv1.ChangePurposeRequest) (*ledgerv1.ChangePurposeResponse, error) {
	at := s.now()
	if t := timeOf(req.GetEffectTime()); t != nil {
		at = *t
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.ChangePurposeResponse, error) {
		q := store.New(tx)
		if err := s.changePurpose(ctx, q, req, at); err != nil {
			return nil, err
		}
		r, err := get(ctx, q, req.GetResourceId(), at)
		if err != nil {
			return nil, err
		}
		return &ledgerv1.ChangePurposeResponse{Resource: r}, nil
	})
}

func (s *Server) changePurpose(ctx context.Context, q *store.Queries, req *ledgerv1.ChangePurposeRequest, at time.Time) error {
	if err := q.LockKey(ctx, "resource/"+req.GetResourceId()); err != nil {
		return err
	}
	rows, err := q.AllocationsFrom(ctx, store.AllocationsFromParams{ResourceID: req.GetResourceId(), At: at})
	if err != nil {
		return err
	}
	if len(rows) == 0 || rows[0].ValidFrom.After(at) {
		return wrongState("the resource is not allocated at that time")
	}
	d := draftOf(rows[0])
	d.Purpose, d.ValidFrom = req.GetPurpose(), at
	if err := s.admit(ctx, q, d); err != nil { // a new use is allowed as a new allocation is
		return err
	}
	by := doneBy(identity.ActorOf(ctx))
	for _, row := range rows {
		if _, err := q.CloseAllocation(ctx, row.AllocationID); err != nil {
			return err
		}
		if row.ValidFrom.Before(at) {
			if _, err := insertAllocation(ctx, q, replacing(row, row.ValidFrom, &at, req.GetReason(), by)); err != nil {
				return err
			}
			row.ValidFrom = at
		}
		row = replacing(row, row.ValidFrom, row.ValidTo, req.GetReason(), by)
		row.Purpose, row.Basis = req.GetPurpose(), req.GetDecisionDocument()
		if _, err := insertAllocation(ctx, q, row); err != nil {
			return err
		}
	}
	return q.InsertEvent(ctx, store.InsertEventParams{
		ResourceID: req.GetResourceId(), Event: purposeChanged, ReasonCode: purposeChanged, Basis: req.GetDecisionDocument(),
		EffectTime: at, DoneBy: by,
	})
}
