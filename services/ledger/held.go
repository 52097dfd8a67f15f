package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// always is later than everything that the ledger will ever know: an answer by all that is known.
var always = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// nothingHeld is the answer for a number that nobody holds, and for one that the asker has no business with.
const nothingHeld = "the ledger has no entry for this number at that time"

// WhoHeld says who held a number at a time, as it was known at another. It is one statement, prepared once per connection.
func (s *Server) WhoHeld(ctx context.Context, req *ledgerv1.WhoHeldRequest) (*ledgerv1.WhoHeldResponse, error) {
	if _, ok := keyOf(req.GetNumber()); !ok {
		return nil, errs.NotFound(pgx.ErrNoRows, nothingHeld)
	}
	n, err := canonical(req.GetScheme(), req.GetNumber(), "")
	if err != nil {
		return nil, err
	}
	known, err := s.knownAt(ctx, timeOf(req.GetKnownAt()))
	if err != nil {
		return nil, err
	}
	row, err := s.held(ctx, s.asked(ctx, n, req.GetAt(), known))
	if err != nil {
		return nil, err
	}
	return answer(row, known)
}

// asked fills in what a question about a number leaves open: now, and all that is known.
func (s *Server) asked(ctx context.Context, n numbers, at *timestamppb.Timestamp, known *time.Time) store.WhoHeldParams {
	arg := store.WhoHeldParams{Scheme: n.scheme, Digits: n.from.digits, Number: n.from.value, At: s.now(), KnownAt: always}
	if t := timeOf(at); t != nil {
		arg.At = *t
	}
	if known != nil {
		arg.KnownAt = *known
	}
	arg.SeesAll, arg.AgencyID = sees(ctx)
	return arg
}

// knownAt is the time by which an answer is known, of the one that was asked for: what is being written while that is asked
// will be known from the beginning of its transaction, so nothing after the oldest of those is settled. nil is all that is
// known, which is never the same for long.
func (s *Server) knownAt(ctx context.Context, wanted *time.Time) (*time.Time, error) {
	if wanted == nil {
		return nil, nil
	}
	settled, err := settledBy(ctx, s.db)
	if err != nil || wanted.Before(settled) {
		return wanted, err
	}
	return &settled, nil
}

// answer is an answer with the time by which it is known.
func answer(row store.WhoHeldRow, known *time.Time) (*ledgerv1.WhoHeldResponse, error) {
	resp, err := heldProto(row)
	if err != nil {
		return nil, err
	}
	resp.KnownTime = timeProto(known)
	return resp, nil
}

func (s *Server) held(ctx context.Context, arg store.WhoHeldParams) (store.WhoHeldRow, error) {
	row, err := store.New(s.db).WhoHeld(ctx, arg)
	return row, errs.NotFound(err, nothingHeld)
}

// WhoHeldRange answers for every allocation that meets a range, in the order of numbers. Allocations of a time never
// overlap, so a page ends at a number.
func (s *Server) WhoHeldRange(ctx context.Context, req *ledgerv1.WhoHeldRangeRequest) (*ledgerv1.WhoHeldRangeResponse, error) {
	asked, err := canonical(req.GetScheme(), req.GetFirstNumber(), req.GetLastNumber())
	if err != nil {
		return nil, err
	}
	from, to := asked.from, asked.to
	if from, err = startOf(req.GetPageToken(), from); err != nil {
		return nil, err
	}
	known, err := s.knownAt(ctx, timeOf(req.GetKnownAt()))
	if err != nil {
		return nil, err
	}
	arg := s.asked(ctx, asked, req.GetAt(), known)
	size := pg.PageSize(req.GetPageSize())
	numbers, err := store.New(s.db).HeldFirsts(ctx, store.HeldFirstsParams{
		Scheme: arg.Scheme, Digits: arg.Digits, First: from.value, Last: to.value, At: arg.At, KnownAt: arg.KnownAt, PageSize: size,
	})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.WhoHeldRangeResponse{}
	var last int64
	for _, n := range numbers {
		arg.Number = n
		row, err := s.held(ctx, arg)
		if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) {
			last = n
			continue // not this operator's business, or corrected this moment
		}
		if err != nil {
			return nil, err
		}
		one, err := answer(row, known)
		if err != nil {
			return nil, err
		}
		resp.Holdings = append(resp.Holdings, one)
		last = row.LastNumber
	}
	if len(numbers) == int(size) && last < to.value {
		resp.NextPageToken = pg.EncodeToken(strconv.FormatInt(last+1, 10))
	}
	return resp, nil
}

// startOf is where a page begins.
func startOf(token string, from numberKey) (numberKey, error) {
	parts, err := pg.DecodeToken(token, 1)
	if err != nil || parts == nil {
		return from, err
	}
	n, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || n < from.value {
		return from, errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR,
			"the page token is not one of this list")
	}
	from.value = n
	return from, nil
}

// What the one statement brings along as JSON.
type (
	heldAccess struct {
		ID, Province, Operator, Location string
		From                             time.Time
		To                               *time.Time
	}
	heldContract struct {
		ID, Operator, Number, Unit, Complaints, Handling string
		Limit                                            int32
		From                                             time.Time
		To                                               *time.Time
	}
	heldLicence struct {
		ID, Number, Document string
		Kinds, Provinces     []string
		Outbound             bool
		From                 time.Time
		To                   *time.Time
	}
	heldSublet struct {
		ID, Lessor, Lessee, Name, Code, Sector, Purpose, Document string
		First, Last                                               int64
		Depth                                                     int
		From                                                      time.Time
		To                                                        *time.Time
	}
)

// aggregated reads a column of rows; NULL is none.
func aggregated[T any](column []byte) ([]T, error) {
	if len(column) == 0 {
		return nil, nil
	}
	var rows []T
	if err := json.Unmarshal(column, &rows); err != nil {
		return nil, fmt.Errorf("read aggregated rows: %w", err)
	}
	return rows, nil
}

// allocationOf is the row of the allocation in an answer, as far as the answer has it.
func allocationOf(r store.WhoHeldRow) store.Allocation {
	return store.Allocation{
		AllocationID: r.AllocationID, ResourceID: r.ResourceID, HolderID: r.HolderID, Scheme: r.Scheme, Digits: r.Digits,
		FirstNumber: r.FirstNumber, LastNumber: r.LastNumber, AccessProvince: r.AccessProvince, Purpose: r.Purpose,
		PermittedCallers: r.PermittedCallers, AccessOperatorID: r.AccessOperatorID, Basis: r.Basis, ValidFrom: r.ValidFrom,
		ValidTo: r.ValidTo, KnownFrom: r.KnownFrom, Operation: r.Operation, PrincipalHolderID: r.PrincipalHolderID,
	}
}

func holderIn(r store.WhoHeldRow) store.Holder {
	return store.Holder{
		HolderID: r.HolderID, Name: r.Name, CreditCode: r.CreditCode, Licence: r.Licence, Sector: r.Sector, AgencyID: r.AgencyID,
	}
}

// heldProto is an answer. The access at the location of the resource comes first.
func heldProto(row store.WhoHeldRow) (*ledgerv1.WhoHeldResponse, error) {
	a := allocationOf(row)
	resp := &ledgerv1.WhoHeldResponse{
		Resource: resourceOf(a, holderIn(row), principal(a, row.PrincipalName, row.PrincipalCode), row.State),
		Accesses: []*ledgerv1.Access{{
			ResourceId: a.ResourceID, Province: a.AccessProvince, OperatorId: a.AccessOperatorID,
			ValidFrom: timestamppb.New(a.ValidFrom), ValidTo: timeProto(a.ValidTo),
		}},
	}
	accesses, err := aggregated[heldAccess](row.Accesses)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(accesses, func(x, y heldAccess) int {
		return cmp.Or(strings.Compare(x.Province, y.Province), strings.Compare(x.Operator, y.Operator))
	})
	for _, x := range accesses {
		resp.Accesses = append(resp.Accesses, &ledgerv1.Access{
			AccessId: x.ID, ResourceId: a.ResourceID, Province: x.Province, OperatorId: x.Operator, Location: x.Location,
			ValidFrom: timestamppb.New(x.From), ValidTo: timeProto(x.To),
		})
	}
	return resp, heldBeside(row, resp)
}

// heldBeside fills in contracts, licences and the chain of sublets.
func heldBeside(row store.WhoHeldRow, resp *ledgerv1.WhoHeldResponse) error {
	a := row
	contracts, err := aggregated[heldContract](row.Contracts)
	if err != nil {
		return err
	}
	slices.SortFunc(contracts, func(x, y heldContract) int { return strings.Compare(x.Operator, y.Operator) })
	for _, c := range contracts {
		resp.Contracts = append(resp.Contracts, &ledgerv1.Contract{
			ContractId: c.ID, ResourceId: a.ResourceID, OperatorId: c.Operator, Number: c.Number, CallLimit: c.Limit, LimitUnit: c.Unit,
			ComplaintClauses: c.Complaints, HandlingClauses: c.Handling, ValidFrom: timestamppb.New(c.From), ValidTo: timeProto(c.To),
		})
	}
	licences, err := aggregated[heldLicence](row.Licences)
	if err != nil {
		return err
	}
	slices.SortFunc(licences, func(x, y heldLicence) int { return strings.Compare(x.Number, y.Number) })
	for _, l := range licences {
		resp.Licences = append(resp.Licences, &ledgerv1.Licence{
			LicenceId: l.ID, HolderId: a.HolderID, Number: l.Number, Kinds: l.Kinds, Provinces: l.Provinces, Outbound: l.Outbound,
			Document: l.Document, ValidFrom: timestamppb.New(l.From), ValidTo: timeProto(l.To),
		})
	}
	sublets, err := aggregated[heldSublet](row.Sublets)
	if err != nil {
		return err
	}
	slices.SortFunc(sublets, func(x, y heldSublet) int { return x.Depth - y.Depth })
	for _, x := range sublets {
		resp.Sublets = append(resp.Sublets, &ledgerv1.Sublet{
			SubletId: x.ID, ResourceId: a.ResourceID, LessorId: x.Lessor,
			Lessee:      &ledgerv1.Holder{HolderId: x.Lessee, Name: x.Name, CreditCode: x.Code, Sector: x.Sector},
			FirstNumber: digitsOf(a.Digits, x.First), LastNumber: digitsOf(a.Digits, x.Last), Purpose: x.Purpose, Document: x.Document,
			ValidFrom: timestamppb.New(x.From), ValidTo: timeProto(x.To),
		})
	}
	return nil
}
