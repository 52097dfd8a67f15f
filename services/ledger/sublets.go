package ledger

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	"quietline/internal/phone"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// DeclareSublet enters a sub-holder, or replaces one. What may not be allocated to somebody may not be let to it.
func (s *Server) DeclareSublet(ctx context.Context, req *ledgerv1.DeclareSubletRequest) (*ledgerv1.DeclareSubletResponse, error) {
	in := req.GetSublet()
	if uuid.Validate(in.GetLessee().GetHolderId()) != nil {
		return nil, errs.Field("sublet.lessee.holder_id", "must be a UUID")
	}
	if _, err := optionalID("sublet.lessor_id", in.GetLessorId()); err != nil {
		return nil, err
	}
	e, err := s.entry(ctx, req, in.GetValidFrom(), in.GetValidTo())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.DeclareSubletResponse, error) {
		row, lessee, err := s.enterSublet(ctx, store.New(tx), in, e)
		if err != nil {
			return nil, err
		}
		return &ledgerv1.DeclareSubletResponse{Sublet: subletProto(row, lessee)}, nil
	})
}

func (s *Server) enterSublet(ctx context.Context, q *store.Queries, in *ledgerv1.Sublet, e entry) (row store.Sublet, lessee store.Holder, err error) {
	a, err := allocatedAt(ctx, q, in.GetResourceId(), e.from)
	if err != nil {
		return row, lessee, err
	}
	if lessee, err = q.HolderByID(ctx, in.GetLessee().GetHolderId()); err != nil {
		return row, lessee, errs.NotFound(err, "no such lessee")
	}
	x, err := subletOf(in, a, e)
	if err != nil {
		return row, lessee, err
	}
	var old *store.Sublet
	if !e.closed {
		if old, err = closeReplaced(ctx, q, x); err != nil {
			return row, lessee, err
		}
	}
	if old == nil || givesMore(*old, x) {
		if err := s.admitLessee(ctx, q, a, lessee, x); err != nil {
			return row, lessee, err
		}
	}
	if err := chained(ctx, q, old, x); err != nil {
		return row, lessee, err
	}
	row, err = q.InsertSublet(ctx, store.InsertSubletParams{
		SubletID: e.id, ResourceID: x.ResourceID, LessorID: x.LessorID, LesseeID: x.LesseeID, Digits: x.Digits,
		FirstNumber: x.FirstNumber, LastNumber: x.LastNumber, Purpose: x.Purpose, Document: x.Document,
		ValidFrom: e.from, ValidTo: e.to, Corrects: e.corrects, Reason: e.reason, CreatedBy: e.by,
	})
	return row, lessee, recorded(err, "a sublet of these numbers by this lessor or to this lessee")
}

// subletOf is what a request says, of all numbers and by the holder where it leaves that open.
func subletOf(in *ledgerv1.Sublet, a store.Allocation, e entry) (store.Sublet, error) {
	x := store.Sublet{
		SubletID: e.id, ResourceID: a.ResourceID, LessorID: in.GetLessorId(), LesseeID: in.GetLessee().GetHolderId(), Digits: a.Digits,
		FirstNumber: a.FirstNumber, LastNumber: a.LastNumber, Purpose: in.GetPurpose(), Document: in.GetDocument(),
		ValidFrom: e.from, ValidTo: e.to, Corrects: e.corrects,
	}
	if x.LessorID == "" {
		x.LessorID = a.HolderID
	}
	if in.GetFirstNumber() == "" {
		return x, nil
	}
	area := phone.AreaCode(digitsOf(a.Digits, a.FirstNumber)) // what they share with the resource need not be said
	n, err := canonical(cmp.Or(area, a.Scheme), in.GetFirstNumber(), in.GetLastNumber())
	if err != nil {
		return x, err
	}
	if n.from.digits != a.Digits {
		return x, errs.Field("sublet.first_number", "must be numbers of the resource")
	}
	x.FirstNumber, x.LastNumber = n.from.value, n.to.value
	return x, nil
}

// admitLessee holds the lessee against the rules of allocation. The approval of the sublet is its vetting and, for the bad
// list, its reasoned approval.
func (s *Server) admitLessee(ctx context.Context, q *store.Queries, a store.Allocation, lessee store.Holder, x store.Sublet) error {
	if _, err := purposeOf(ctx, q, x.Purpose); err != nil {
		return err
	}
	d := draftOf(a)
	d.Purpose, d.ValidFrom, d.Lists = x.Purpose, x.ValidFrom, nil
	d.ApprovalDocument, d.Evidence = x.Document, []string{x.Document}
	facts, err := s.application(ctx, q, lessee, d)
	if err != nil {
		return err
	}
	policy, err := q.ListPolicy(ctx, s.now())
	if err != nil {
		return err
	}
	return judge(facts, policy)
}

// closeReplaced takes out the row that is replaced; nil when none is.
func closeReplaced(ctx context.Context, q *store.Queries, x store.Sublet) (*store.Sublet, error) {
	if x.Corrects == nil {
		return nil, nil
	}
	old, err := q.CloseSublet(ctx, *x.Corrects)
	if err != nil {
		return nil, replaced(err)
	}
	if old.ResourceID != x.ResourceID {
		return nil, other("resource")
	}
	return &old, nil
}

// chained sees that the chain holds without the row that is replaced and with the new one.
func chained(ctx context.Context, q *store.Queries, old *store.Sublet, x store.Sublet) error {
	rows, known, err := lettable(ctx, q, x.ResourceID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(spans(rows), func(a store.Allocation) bool { return in(x.ValidFrom, a.ValidFrom, a.ValidTo) })
	if i < 0 {
		return errs.NotFound(pgx.ErrNoRows, "the resource is not allocated at that time")
	}
	if old != nil && hanging(known, *old, &x) {
		return wrongState("what the lessee lets on must be replaced or ended first")
	}
	return checkSublet(spans(rows)[i], known, x)
}

// lettable is what a chain hangs on, and the chain: all rows of a resource that are known now.
func lettable(ctx context.Context, q *store.Queries, resource string) ([]store.Allocation, []store.Sublet, error) {
	rows, err := q.AllocationsFrom(ctx, store.AllocationsFromParams{ResourceID: resource})
	if err != nil {
		return nil, nil, err
	}
	known, err := q.SubletsOf(ctx, store.SubletsOfParams{ResourceID: resource})
	return rows, known, err
}

func subletProto(r store.Sublet, lessee store.Holder) *ledgerv1.Sublet {
	return &ledgerv1.Sublet{
		SubletId: r.SubletID, ResourceId: r.ResourceID, LessorId: r.LessorID, Lessee: holderProto(lessee),
		FirstNumber: digitsOf(r.Digits, r.FirstNumber), LastNumber: digitsOf(r.Digits, r.LastNumber),
		Purpose: r.Purpose, Document: r.Document, ValidFrom: timestamppb.New(r.ValidFrom), ValidTo: timeProto(r.ValidTo),
	}
}
