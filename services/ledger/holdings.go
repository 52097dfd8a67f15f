package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// entry is what every row in two times has: an identifier, a valid time, the row that it replaces and why, who enters it.
type entry struct {
	id       string
	from     time.Time
	to       *time.Time
	corrects *string
	closed   bool // what it replaces was closed before: it stands in its place beside another
	reason   string
	by       string
}

// record is a request that enters a row.
type record interface {
	GetCorrects() string
	GetReason() string
}

func (s *Server) entry(ctx context.Context, req record, from, to *timestamppb.Timestamp) (entry, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return entry{}, err
	}
	e := entry{id: id.String(), from: s.now(), to: timeOf(to), reason: req.GetReason(), by: doneBy(identity.ActorOf(ctx))}
	if t := timeOf(from); t != nil {
		e.from = *t
	}
	if e.corrects, err = optionalID("corrects", req.GetCorrects()); err != nil {
		return e, err
	}
	if (e.corrects == nil) != (e.reason == "") {
		return e, errs.Field("reason", "a row that replaces another says why, and only such a row")
	}
	return e, checkSpan(e.from, e.to)
}

// replaced explains what kept a row from being closed.
func replaced(err error) error {
	return errs.NotFound(err, "no such row of the ledger, or it was replaced already")
}

// recorded explains what kept a row from being entered.
func recorded(err error, what string) error {
	if pg.Code(err) == "23P01" {
		return errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS,
			"%s is on record for that time already; a row that is wrong, or is to end, is named in corrects", what)
	}
	return err
}

// other is the refusal of a row that replaces one of something else.
func other(what string) error {
	return errs.Field("corrects", "must be a row of the same %s", what)
}

// allocatedAt is the row of a resource that holds at a time, under the lock of the resource.
func allocatedAt(ctx context.Context, q *store.Queries, resource string, at time.Time) (store.Allocation, error) {
	if uuid.Validate(resource) != nil {
		return store.Allocation{}, errs.Field("resource_id", "must be a UUID")
	}
	if err := q.LockKey(ctx, "resource/"+resource); err != nil {
		return store.Allocation{}, err
	}
	row, err := q.AllocationAt(ctx, store.AllocationAtParams{ResourceID: resource, At: at})
	return row, errs.NotFound(err, "no such resource, or it is not allocated at that time")
}

// RecordLicence enters a licence, or replaces one.
func (s *Server) RecordLicence(ctx context.Context, req *ledgerv1.RecordLicenceRequest) (*ledgerv1.RecordLicenceResponse, error) {
	in := req.GetLicence()
	if uuid.Validate(in.GetHolderId()) != nil {
		return nil, errs.Field("licence.holder_id", "must be a UUID")
	}
	e, err := s.entry(ctx, req, in.GetValidFrom(), in.GetValidTo())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.RecordLicenceResponse, error) {
		row, err := enterLicence(ctx, store.New(tx), in, e)
		if err != nil {
			return nil, err
		}
		return &ledgerv1.RecordLicenceResponse{Licence: licenceProto(row)}, nil
	})
}

func enterLicence(ctx context.Context, q *store.Queries, in *ledgerv1.Licence, e entry) (row store.Licence, err error) {
	if _, err := q.HolderByID(ctx, in.GetHolderId()); err != nil {
		return row, errs.NotFound(err, "no such holder")
	}
	if e.corrects != nil && !e.closed {
		if old, err := q.CloseLicence(ctx, *e.corrects); err != nil {
			return row, replaced(err)
		} else if old.HolderID != in.GetHolderId() {
			return row, other("holder")
		}
	}
	row, err = q.InsertLicence(ctx, store.InsertLicenceParams{
		LicenceID: e.id, HolderID: in.GetHolderId(), Number: in.GetNumber(), Kinds: in.GetKinds(), Provinces: in.GetProvinces(),
		Outbound: in.GetOutbound(), Document: in.GetDocument(), ValidFrom: e.from, ValidTo: e.to,
		Corrects: e.corrects, Reason: e.reason, CreatedBy: e.by,
	})
	return row, recorded(err, "a licence of this number")
}

// RecordContract enters a contract, or replaces one.
func (s *Server) RecordContract(ctx context.Context, req *ledgerv1.RecordContractRequest) (*ledgerv1.RecordContractResponse, error) {
	in := req.GetContract()
	e, err := s.entry(ctx, req, in.GetValidFrom(), in.GetValidTo())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.RecordContractResponse, error) {
		row, err := enterContract(ctx, store.New(tx), in, e)
		if err != nil {
			return nil, err
		}
		return &ledgerv1.RecordContractResponse{Contract: contractProto(row)}, nil
	})
}

func enterContract(ctx context.Context, q *store.Queries, in *ledgerv1.Contract, e entry) (row store.Contract, err error) {
	if _, err := allocatedAt(ctx, q, in.GetResourceId(), e.from); err != nil {
		return row, err
	}
	if err := lasting(ctx, q, in.GetResourceId(), &e); err != nil {
		return row, err
	}
	if e.corrects != nil && !e.closed {
		if old, err := q.CloseContract(ctx, *e.corrects); err != nil {
			return row, replaced(err)
		} else if old.ResourceID != in.GetResourceId() {
			return row, other("resource")
		}
	}
	row, err = q.InsertContract(ctx, store.InsertContractParams{
		ContractID: e.id, ResourceID: in.GetResourceId(), OperatorID: in.GetOperatorId(), Number: in.GetNumber(),
		CallLimit: in.GetCallLimit(), LimitUnit: in.GetLimitUnit(), ComplaintClauses: in.GetComplaintClauses(),
		HandlingClauses: in.GetHandlingClauses(), ValidFrom: e.from, ValidTo: e.to,
		Corrects: e.corrects, Reason: e.reason, CreatedBy: e.by,
	})
	return row, recorded(err, "a contract of this resource with this operator")
}

// RecordAccess enters a further access, or replaces one. A licence must reach as far as the access.
func (s *Server) RecordAccess(ctx context.Context, req *ledgerv1.RecordAccessRequest) (*ledgerv1.RecordAccessResponse, error) {
	in := req.GetAccess()
	e, err := s.entry(ctx, req, in.GetValidFrom(), in.GetValidTo())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.RecordAccessResponse, error) {
		q := store.New(tx)
		a, err := allocatedAt(ctx, q, in.GetResourceId(), e.from)
		if err != nil {
			return nil, err
		}
		if err := lasting(ctx, q, in.GetResourceId(), &e); err != nil {
			return nil, err
		}
		if err := s.replaceAccess(ctx, q, a, in, e); err != nil {
			return nil, err
		}
		if in.GetProvince() == a.AccessProvince && in.GetOperatorId() == a.AccessOperatorID {
			return nil, recordedAccess()
		}
		row, err := q.InsertAccess(ctx, store.InsertAccessParams{
			AccessID: e.id, ResourceID: in.GetResourceId(), Province: in.GetProvince(), OperatorID: in.GetOperatorId(),
			Location: in.GetLocation(), ValidFrom: e.from, ValidTo: e.to, Corrects: e.corrects, Reason: e.reason, CreatedBy: e.by,
		})
		if err != nil {
			return nil, recorded(err, "this operator's access at this place")
		}
		return &ledgerv1.RecordAccessResponse{Access: accessProto(row)}, nil
	})
}

// replaceAccess takes out the access that is replaced. A place that none was recorded for, and time that it was not recorded
// for, must be within a licence.
func (s *Server) replaceAccess(ctx context.Context, q *store.Queries, a store.Allocation, in *ledgerv1.Access, e entry) error {
	if e.corrects != nil {
		old, err := q.CloseAccess(ctx, *e.corrects)
		switch {
		case err != nil:
			return replaced(err)
		case old.ResourceID != in.GetResourceId():
			return other("resource")
		case old.Province == in.GetProvince() && within(e.from, e.to, old.ValidFrom, old.ValidTo):
			return nil
		}
	}
	return s.reaches(ctx, q, a, in.GetProvince(), e.from)
}

func recordedAccess() error {
	return errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS,
		"that is the access which the allocation itself names")
}

// reaches holds a further place against the licences of the holder, as its allocation was.
func (s *Server) reaches(ctx context.Context, q *store.Queries, a store.Allocation, province string, at time.Time) error {
	licences, err := q.LicencesOf(ctx, store.LicencesOfParams{HolderID: a.HolderID, At: at})
	if err != nil {
		return err
	}
	policy, err := q.ListPolicy(ctx, s.now())
	if err != nil {
		return err
	}
	d := draftOf(a)
	return judge(application{
		numberKinds: kindsOf(d.Scheme, d.First, d.Last), purpose: d.Purpose, operation: d.Operation, province: province, licences: licences,
	}, policy)
}

func licenceProto(r store.Licence) *ledgerv1.Licence {
	return &ledgerv1.Licence{
		LicenceId: r.LicenceID, HolderId: r.HolderID, Number: r.Number, Kinds: r.Kinds, Provinces: r.Provinces,
		Outbound: r.Outbound, Document: r.Document, ValidFrom: timestamppb.New(r.ValidFrom), ValidTo: timeProto(r.ValidTo),
	}
}

func contractProto(r store.Contract) *ledgerv1.Contract {
	return &ledgerv1.Contract{
		ContractId: r.ContractID, ResourceId: r.ResourceID, OperatorId: r.OperatorID, Number: r.Number, CallLimit: r.CallLimit,
		LimitUnit: r.LimitUnit, ComplaintClauses: r.ComplaintClauses, HandlingClauses: r.HandlingClauses,
		ValidFrom: timestamppb.New(r.ValidFrom), ValidTo: timeProto(r.ValidTo),
	}
}

func accessProto(r store.Access) *ledgerv1.Access {
	return &ledgerv1.Access{
		AccessId: r.AccessID, ResourceId: r.ResourceID, Province: r.Province, OperatorId: r.OperatorID, Location: r.Location,
		ValidFrom: timestamppb.New(r.ValidFrom), ValidTo: timeProto(r.ValidTo),
	}
}
