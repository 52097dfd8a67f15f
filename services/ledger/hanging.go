package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"

	"quietline/internal/errs"
	"quietline/services/ledger/store"
)

// cutToAllocations cuts what hangs on resources - sublets, accesses, contracts, seats - to the time for which they are
// allocated now. Whoever enters allocations in the place of others calls it afterwards: what was true within the time that is
// left stays on record, and nothing goes on without an allocation.
func cutToAllocations(ctx context.Context, q *store.Queries, resources []string, reason, by string) error {
	let, err := q.WithSublets(ctx, resources)
	if err != nil {
		return err
	}
	for _, resource := range let {
		if err := cutSublets(ctx, q, resource, reason, by); err != nil {
			return err
		}
	}
	if err := q.CutAccesses(ctx, store.CutAccessesParams{Resources: resources, Reason: reason, CreatedBy: by}); err != nil {
		return err
	}
	if err := q.CutContracts(ctx, store.CutContractsParams{Resources: resources, Reason: reason, CreatedBy: by}); err != nil {
		return err
	}
	return q.CutSeats(ctx, store.CutSeatsParams{Resources: resources, Reason: reason, CreatedBy: by})
}

// cutSublets closes the sublets that rest on their resource for a part of their time only, or not at all, and enters those
// parts.
func cutSublets(ctx context.Context, q *store.Queries, resource, reason, by string) error {
	rows, known, err := lettable(ctx, q, resource)
	if err != nil {
		return err
	}
	var parts []store.InsertSubletParams
	rest := fitted(rows, known)
	for _, x := range known {
		stays := rest[x.SubletID]
		if len(stays) == 1 && stays[0].from.Equal(x.ValidFrom) && within(x.ValidFrom, x.ValidTo, stays[0].from, stays[0].to) {
			continue
		}
		if _, err := q.CloseSublet(ctx, x.SubletID); err != nil {
			return err
		}
		for _, s := range stays {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			parts = append(parts, store.InsertSubletParams{
				SubletID: id.String(), ResourceID: x.ResourceID, LessorID: x.LessorID, LesseeID: x.LesseeID, Digits: x.Digits,
				FirstNumber: x.FirstNumber, LastNumber: x.LastNumber, Purpose: x.Purpose, Document: x.Document,
				ValidFrom: s.from, ValidTo: s.to, Corrects: &x.SubletID, Reason: reason, CreatedBy: by,
			})
		}
	}
	for _, p := range parts {
		if _, err := q.InsertSublet(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// lasting sees that what hangs on a resource does not go on longer than that is allocated, whoever has it. Left open, it goes
// on as long.
func lasting(ctx context.Context, q *store.Queries, resource string, e *entry) error {
	rows, err := q.AllocationsFrom(ctx, store.AllocationsFromParams{ResourceID: resource, At: time.Time{}})
	if err != nil {
		return err
	}
	var all []stay
	for _, a := range rows {
		all = append(all, stay{a.ValidFrom, a.ValidTo})
	}
	for _, s := range joined(all) {
		switch {
		case !in(e.from, s.from, s.to):
		case e.to == nil:
			e.to = s.to
		case !within(e.from, e.to, s.from, s.to):
			return errs.Field("valid_to", "the resource is not allocated for that long")
		}
	}
	return nil
}
