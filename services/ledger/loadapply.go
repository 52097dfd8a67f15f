package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// GetLoadDifference pages through the report, in the order of lines; missing resources come last.
func (s *Server) GetLoadDifference(ctx context.Context, req *ledgerv1.GetLoadDifferenceRequest) (*ledgerv1.GetLoadDifferenceResponse, error) {
	q, size := store.New(s.db), pg.PageSize(req.GetPageSize())
	l, err := seenLoad(ctx, q, req.GetLoadId())
	if err != nil {
		return nil, err
	}
	line, missing, err := differenceToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.GetLoadDifferenceResponse{}
	if missing == "" && req.GetFate() != fateMissing {
		rows, err := q.ListDifferences(ctx, store.ListDifferencesParams{LoadID: l.LoadID, After: line, Fate: req.GetFate(), PageSize: size})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			d, err := differenceProto(r)
			if err != nil {
				return nil, err
			}
			resp.Differences = append(resp.Differences, d)
		}
		if len(rows) == int(size) {
			resp.NextPageToken = pg.EncodeToken(strconv.Itoa(int(rows[size-1].Line)), "")
			return resp, nil
		}
	}
	if req.GetFate() != "" && req.GetFate() != fateMissing {
		return resp, nil
	}
	return resp, listMissing(ctx, q, l.LoadID, missing, size, resp)
}

// listMissing fills the page up with resources that no row names.
func listMissing(ctx context.Context, q *store.Queries, load, after string, size int32, resp *ledgerv1.GetLoadDifferenceResponse) error {
	if after == "" {
		after = firstID
	}
	left := size - int32(len(resp.GetDifferences()))
	rows, err := q.ListMissing(ctx, store.ListMissingParams{LoadID: load, After: after, PageSize: left})
	if err != nil {
		return err
	}
	for _, r := range rows {
		resp.Differences = append(resp.Differences, &ledgerv1.LoadDifference{
			Fate: fateMissing, ResourceId: r.ResourceID, Scheme: r.Scheme,
			FirstNumber: digitsOf(r.Digits, r.FirstNumber), LastNumber: digitsOf(r.Digits, r.LastNumber),
		})
	}
	if len(rows) == int(left) {
		resp.NextPageToken = pg.EncodeToken("0", rows[left-1].ResourceID)
	}
	return nil
}

func differenceToken(token string) (line int32, missing string, err error) {
	parts, err := pg.DecodeToken(token, 2)
	if err != nil || parts == nil {
		return 0, "", err
	}
	n, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil || parts[1] != "" && uuid.Validate(parts[1]) != nil {
		return 0, "", errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is not one of this list")
	}
	return int32(n), parts[1], nil
}

func differenceProto(r store.ListDifferencesRow) (*ledgerv1.LoadDifference, error) {
	var changes []fieldChange
	if err := json.Unmarshal(r.Changes, &changes); err != nil {
		return nil, err
	}
	d := &ledgerv1.LoadDifference{
		Line: r.Line, About: r.About, Fate: r.Fate, Scheme: r.Scheme, Field: r.Field, Reason: r.Reason, EffectTime: timeProto(r.EffectTime),
	}
	if r.Digits > 0 {
		d.FirstNumber, d.LastNumber = digitsOf(r.Digits, r.FirstNumber), digitsOf(r.Digits, r.LastNumber)
	}
	if r.ResourceID != nil {
		d.ResourceId = *r.ResourceID
	}
	for _, c := range changes {
		d.Changes = append(d.Changes, &ledgerv1.FieldChange{Field: c.Field, OldValue: c.Old, NewValue: c.New})
	}
	return d, nil
}

// ApplyLoad writes what the report showed, all of it or nothing. When the ledger moved under the report it is to be
// compared again.
func (s *Server) ApplyLoad(ctx context.Context, req *ledgerv1.ApplyLoadRequest) (*ledgerv1.ApplyLoadResponse, error) {
	if req.GetEndMissing() && req.GetReason() == "" {
		return nil, errs.Field("reason", "missing resources end with a reason")
	}
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.ApplyLoadResponse, error) {
		q := store.New(tx)
		l, err := lockLoad(ctx, q, req.GetLoadId(), loadCompared, loadApplied)
		if err != nil {
			return nil, err
		}
		if l.State == loadCompared {
			if err := s.apply(ctx, tx, l, req); err != nil {
				return nil, err
			}
			if l, err = q.LoadByID(ctx, store.LoadByIDParams{LoadID: l.LoadID, SeesAll: true}); err != nil {
				return nil, err
			}
		}
		p, err := loadProto(ctx, q, l)
		return &ledgerv1.ApplyLoadResponse{Load: p}, err
	})
	overlap := []string{"allocation_overlaps", "allocation_one_version", "holder_credit_code"}
	if slices.Contains(overlap, pg.Constraint(err)) || errs.Is(err, commonv1.ErrorReason_ERROR_REASON_ALLOCATION_OVERLAPS) {
		return nil, moved()
	}
	if pg.Code(err) == "53200" { // to the interceptors this passes by itself, but the same load would be as large again
		return nil, wrongState("the database has not the memory or the locks for a load of this size; load the file in parts")
	}
	return resp, err
}

func moved() error {
	return wrongState("the ledger is no longer as the report saw it; compare the load again (台账已变动, 请重新比对)")
}

// apply copies what the report wrote down into the ledger.
func (s *Server) apply(ctx context.Context, tx pgx.Tx, l store.Load, req *ledgerv1.ApplyLoadRequest) error {
	q := store.New(tx)
	if l.Version == nil || *l.Version != req.GetVersion() {
		return moved()
	}
	changed, err := q.MovedSince(ctx, l.LoadID)
	if err != nil {
		return err
	}
	rows, err := q.CountLedgerRows(ctx, l.AccessOperatorID)
	if err != nil {
		return err
	}
	if changed || rows != l.LedgerRows {
		return moved()
	}
	if err := s.sameLists(ctx, q, l); err != nil {
		return err
	}
	by := doneBy(identity.ActorOf(ctx))
	b, err := s.beside(ctx, q, l)
	if err != nil {
		return err
	}
	if err := b.applyAll(ctx, tx, req, b.asReported(ctx, q)); err != nil {
		return err
	}
	return q.SetApplied(ctx, store.SetAppliedParams{
		LoadID: l.LoadID, EndMissing: req.GetEndMissing(), Reason: req.GetReason(), AppliedAt: new(s.now()), AppliedBy: by,
	})
}

// listsAtOnce is how many firms' credit lists are asked at a time.
const listsAtOnce = 8

// sameLists asks again on which credit lists the firms of a load are: who was listed since the report gets nothing by it,
// and when nobody can be asked, nobody gets anything.
func (s *Server) sameLists(ctx context.Context, q *store.Queries, l store.Load) error {
	firms, err := q.LoadFirms(ctx, l.LoadID)
	if err != nil {
		return err
	}
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(listsAtOnce)
	for _, f := range firms {
		asking.Go(func() error {
			on, err := s.listed(ctx, f.CreditCode, s.now())
			if err == nil && *on != (lists{bad: f.Bad, dishonest: f.Dishonest}) {
				return moved()
			}
			return err
		})
	}
	return asking.Wait()
}

// basisOf is the ground of what a load's rows do, where a row names none.
func basisOf(l store.Load) string { return "台账文件 " + l.FileName }

// endRows ends what ends, with all that hangs on it, as end does with one resource.
func endRows(ctx context.Context, q *store.Queries, l store.Load, req *ledgerv1.ApplyLoadRequest, by string) error {
	n, err := q.InsertEndings(ctx, store.InsertEndingsParams{
		LoadID: l.LoadID, Basis: basisOf(l), Reason: req.GetReason(), EndMissing: req.GetEndMissing(),
	})
	if err != nil || n == 0 {
		return err
	}
	if err := q.LockEndings(ctx, l.LoadID); err != nil {
		return err
	}
	broken, err := q.BrokenEndings(ctx, l.LoadID)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return wrongState("resource %s cannot end when the file says: it is not allocated then, begins then, has ended, or its recall is announced; compare the load again", broken[0])
	}
	for _, end := range []func() (int64, error){
		func() (int64, error) {
			return q.EndLoadAllocations(ctx, store.EndLoadAllocationsParams{LoadID: l.LoadID, CreatedBy: by})
		},
		func() (int64, error) {
			return q.EndLoadSublets(ctx, store.EndLoadSubletsParams{LoadID: l.LoadID, CreatedBy: by})
		},
		func() (int64, error) {
			return q.EndLoadAccesses(ctx, store.EndLoadAccessesParams{LoadID: l.LoadID, CreatedBy: by})
		},
		func() (int64, error) {
			return q.EndLoadContracts(ctx, store.EndLoadContractsParams{LoadID: l.LoadID, CreatedBy: by})
		},
		func() (int64, error) {
			return q.EndLoadSeats(ctx, store.EndLoadSeatsParams{LoadID: l.LoadID, CreatedBy: by})
		},
	} {
		if _, err := end(); err != nil {
			return err
		}
	}
	return q.InsertEndingEvents(ctx, store.InsertEndingEventsParams{LoadID: l.LoadID, DoneBy: by})
}

// applyRows closes what is replaced, enters what stands in its place, and cuts what hangs on it. The database's own rules hold
// for every row of it.
func applyRows(ctx context.Context, q *store.Queries, l store.Load, by string) error {
	if err := q.ApplyHolders(ctx, store.ApplyHoldersParams{LoadID: l.LoadID, CreatedBy: by}); err != nil {
		return err
	}
	if _, err := q.ApplyClosings(ctx, l.LoadID); err != nil {
		return err
	}
	if err := q.ApplyResources(ctx, l.LoadID); err != nil {
		return err
	}
	if _, err := q.ApplyPieces(ctx, store.ApplyPiecesParams{LoadID: l.LoadID, CreatedBy: by}); err != nil {
		return err
	}
	if err := q.ApplyBeginnings(ctx, store.ApplyBeginningsParams{LoadID: l.LoadID, DoneBy: by}); err != nil {
		return err
	}
	if err := q.ApplyCorrections(ctx, store.ApplyCorrectionsParams{LoadID: l.LoadID, Basis: basisOf(l), DoneBy: by}); err != nil {
		return err
	}
	changed, err := q.LoadHanging(ctx, l.LoadID)
	if err != nil || len(changed) == 0 {
		return err
	}
	return cutToAllocations(ctx, q, changed, basisOf(l), by)
}
