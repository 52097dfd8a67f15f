package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// draft is an allocation that is to be entered, whoever asks for it: a registrar, a correction or the load of a file.
type draft struct {
	ResourceID                       string // empty: a new one
	HolderID                         string
	Scheme, First, Last              string
	Province, OperatorID             string
	Purpose, Operation, PrincipalID  string
	Basis                            string
	ApprovalDocument, ApprovalReason string
	Callers, Evidence                []string
	ValidFrom                        time.Time
	ValidTo                          *time.Time
	By                               string
	Corrects, Reason                 string // the row that it replaces, and why
	Lists                            *lists // nil: the credit lists are asked
}

// AllocateResource allocates a code, a block or a line. The rules refuse what may not be, the database what overlaps.
func (s *Server) AllocateResource(ctx context.Context, req *ledgerv1.AllocateResourceRequest) (*ledgerv1.AllocateResourceResponse, error) {
	d := draft{
		HolderID: req.GetHolderId(), Scheme: req.GetScheme(), First: req.GetFirstNumber(), Last: req.GetLastNumber(),
		Province: req.GetAccessProvince(), OperatorID: req.GetAccessOperatorId(), Purpose: req.GetPurpose(),
		Operation: req.GetOperation(), PrincipalID: req.GetPrincipalHolderId(), Basis: req.GetBasis(),
		ApprovalDocument: req.GetApprovalDocument(), ApprovalReason: req.GetApprovalReason(),
		Callers: req.GetPermittedCallers(), Evidence: req.GetEvidence(),
		ValidFrom: s.now(), ValidTo: timeOf(req.GetValidTo()), By: doneBy(identity.ActorOf(ctx)),
	}
	if t := timeOf(req.GetValidFrom()); t != nil {
		d.ValidFrom = *t
	}
	if err := mayAllocate(identity.ActorOf(ctx), d.Province); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.AllocateResourceResponse, error) {
		row, err := s.allocate(ctx, tx, d)
		if err != nil {
			return nil, err
		}
		r, err := get(ctx, store.New(tx), row.ResourceID, row.ValidFrom)
		if err != nil {
			return nil, err
		}
		return &ledgerv1.AllocateResourceResponse{Resource: r}, nil
	})
}

// mayAllocate: an administration allocates what has its access in its own province, the lead ministry everything.
func mayAllocate(a *commonv1.Actor, province string) error {
	if administers(a.GetAgencyId(), province) {
		return nil
	}
	return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
		"access in province %s is given by ca-%s and by %s (电信条例 3)", province, province, leadMinistry)
}

// allocate enters a new resource with its first allocation, by all rules.
func (s *Server) allocate(ctx context.Context, tx pgx.Tx, d draft) (store.Allocation, error) {
	q := store.New(tx)
	if err := s.admit(ctx, q, d); err != nil {
		return store.Allocation{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return store.Allocation{}, err
	}
	d.ResourceID = id.String()
	if err := q.InsertResource(ctx, d.ResourceID); err != nil {
		return store.Allocation{}, err
	}
	row, err := s.place(ctx, q, d)
	if err != nil {
		return store.Allocation{}, err
	}
	return row, q.InsertEvent(ctx, store.InsertEventParams{
		ResourceID: d.ResourceID, Event: allocated, Basis: d.Basis, EffectTime: d.ValidFrom, DoneBy: d.By,
	})
}

// checkDraft sees that a draft is well formed.
func (s *Server) checkDraft(ctx context.Context, q *store.Queries, d draft) error {
	if _, err := canonical(d.Scheme, d.First, d.Last); err != nil {
		return err
	}
	if err := checkOperator(d.OperatorID); err != nil {
		return err
	}
	if err := checkCallers(d.Callers); err != nil {
		return err
	}
	if err := checkApproval(d); err != nil {
		return err
	}
	if _, err := purposeOf(ctx, q, d.Purpose); err != nil {
		return err
	}
	return checkSpan(d.ValidFrom, d.ValidTo)
}

func checkApproval(d draft) error {
	switch {
	case (d.ApprovalDocument == "") != (d.ApprovalReason == ""):
		return errs.Field("approval_reason", "an approval has a document and a reason")
	case (d.Operation == outsourced) != (d.PrincipalID != ""):
		return errs.Field("principal_holder_id", "an outsourced call centre has a principal, and nobody else has")
	case d.PrincipalID != "" && uuid.Validate(d.PrincipalID) != nil:
		return errs.Field("principal_holder_id", "must be a UUID")
	case d.PrincipalID != "" && d.PrincipalID == d.HolderID:
		return errs.Field("principal_holder_id", "who calls for itself is in_house")
	}
	return nil
}

// admit holds a draft against the rules of its time.
func (s *Server) admit(ctx context.Context, q *store.Queries, d draft) error {
	if err := s.checkDraft(ctx, q, d); err != nil {
		return err
	}
	h, err := q.HolderByID(ctx, d.HolderID)
	if err != nil {
		return errs.NotFound(err, "no such holder")
	}
	if d.PrincipalID != "" {
		if _, err := q.HolderByID(ctx, d.PrincipalID); err != nil {
			return errs.NotFound(err, "no such principal")
		}
	}
	a, err := s.application(ctx, q, h, d)
	if err != nil {
		return err
	}
	policy, err := q.ListPolicy(ctx, s.now())
	if err != nil {
		return err
	}
	return judge(a, policy)
}

// application reads what the rules look at.
func (s *Server) application(ctx context.Context, q *store.Queries, h store.Holder, d draft) (application, error) {
	on := d.Lists
	if on == nil {
		var err error
		if on, err = s.listed(ctx, h.CreditCode, s.now()); err != nil {
			return application{}, err
		}
	}
	licences, err := q.LicencesOf(ctx, store.LicencesOfParams{HolderID: h.HolderID, At: d.ValidFrom})
	if err != nil {
		return application{}, err
	}
	live, err := q.HoldsLive(ctx, store.HoldsLiveParams{HolderID: h.HolderID, At: s.now()})
	if err != nil {
		return application{}, err
	}
	n, err := canonical(d.Scheme, d.First, d.Last)
	if err != nil {
		return application{}, err
	}
	return application{
		numbers: &n, creditCode: h.CreditCode, operatorID: d.OperatorID,
		numberKinds: kindsOf(n.scheme, n.first(), n.last()), purpose: d.Purpose, operation: d.Operation, province: d.Province,
		newHolder: !live, lists: *on, licences: licences, approved: d.ApprovalDocument != "", evidenced: len(d.Evidence) > 0,
	}, nil
}

// listed asks on which credit lists a firm is. Nothing is allocated unasked: when the lists cannot be read, not now. Who
// has no credit code is on none.
func (s *Server) listed(ctx context.Context, creditCode string, at time.Time) (*lists, error) {
	if creditCode == "" {
		return &lists{}, nil
	}
	resp, err := s.credit.CheckParty(ctx, &creditv1.CheckPartyRequest{CreditCode: creditCode, At: timeProto(&at)})
	if err != nil {
		return nil, errs.New(codes.Unavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE,
			"the credit lists cannot be asked now, so nothing is allocated; the same request may be sent again: %s", errs.Text(err))
	}
	on := &lists{}
	for _, l := range resp.GetListings() {
		on.bad = on.bad || l.GetList() == "bad"
		on.dishonest = on.dishonest || l.GetList() == "dishonest"
	}
	return on, nil
}

// place writes the row of an allocation.
func (s *Server) place(ctx context.Context, q *store.Queries, d draft) (store.Allocation, error) {
	n, err := canonical(d.Scheme, d.First, d.Last)
	if err != nil {
		return store.Allocation{}, err
	}
	return insertAllocation(ctx, q, store.Allocation{
		ResourceID: d.ResourceID, HolderID: d.HolderID, Scheme: n.scheme, Digits: n.from.digits,
		FirstNumber: n.from.value, LastNumber: n.to.value, AccessProvince: d.Province, Purpose: d.Purpose,
		PermittedCallers: d.Callers, AccessOperatorID: d.OperatorID, Basis: d.Basis, ValidFrom: d.ValidFrom, ValidTo: d.ValidTo,
		CreatedBy: d.By, Operation: d.Operation, PrincipalHolderID: pointer(d.PrincipalID),
		ApprovalDocument: d.ApprovalDocument, ApprovalReason: d.ApprovalReason, Evidence: d.Evidence,
		Corrects: pointer(d.Corrects), Reason: d.Reason,
	})
}

// insertAllocation writes a row under a new identifier, in the one form of its numbers: rows of before that form was kept
// get it when they are replaced. The database refuses what overlaps.
func insertAllocation(ctx context.Context, q *store.Queries, row store.Allocation) (store.Allocation, error) {
	n, err := canonical(row.Scheme, digitsOf(row.Digits, row.FirstNumber), digitsOf(row.Digits, row.LastNumber))
	if err != nil {
		return row, err
	}
	row.Scheme, row.Digits, row.FirstNumber, row.LastNumber = n.scheme, n.from.digits, n.from.value, n.to.value
	id, err := uuid.NewV7()
	if err != nil {
		return row, err
	}
	row.AllocationID = id.String()
	err = q.InsertAllocation(ctx, store.InsertAllocationParams{
		AllocationID: row.AllocationID, ResourceID: row.ResourceID, HolderID: row.HolderID, Scheme: row.Scheme, Digits: row.Digits,
		FirstNumber: row.FirstNumber, LastNumber: row.LastNumber, AccessProvince: row.AccessProvince, Purpose: row.Purpose,
		PermittedCallers: list(row.PermittedCallers), AccessOperatorID: row.AccessOperatorID, Basis: row.Basis,
		Operation: row.Operation, PrincipalHolderID: row.PrincipalHolderID, ApprovalDocument: row.ApprovalDocument,
		ApprovalReason: row.ApprovalReason, Evidence: list(row.Evidence), Corrects: row.Corrects, Reason: row.Reason,
		ValidFrom: row.ValidFrom, ValidTo: row.ValidTo, CreatedBy: row.CreatedBy,
	})
	if slices.Contains([]string{"allocation_overlaps", "allocation_one_version"}, pg.Constraint(err)) {
		return row, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_ALLOCATION_OVERLAPS,
			"the numbers overlap an allocation that holds at the same time")
	}
	return row, err
}

// purposeOf is the purpose of a code; what the ledger does not know nobody can be held to.
func purposeOf(ctx context.Context, q *store.Queries, code string) (store.Purpose, error) {
	all, err := q.ListPurposes(ctx)
	if err != nil {
		return store.Purpose{}, err
	}
	var known []string
	for _, p := range all {
		if p.Purpose == code {
			return p, nil
		}
		known = append(known, p.Purpose)
	}
	return store.Purpose{}, errs.Field("purpose", "must be one of %v", known)
}

// list is a column that is never NULL.
func list(values []string) []string {
	if values == nil {
		return []string{}
	}
	return values
}

// pointer is a column that is NULL when empty.
func pointer(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
