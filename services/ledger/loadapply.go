package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

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
		Line: r.Line, Fate: r.Fate, Scheme: r.Scheme, Field: r.Field, Reason: r.Reason, EffectTime: timeProto(r.EffectTime),
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
			if err := s.apply(ctx, tx, q, l, req); err != nil {
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
	return resp, err
}

func moved() error {
	return wrongState("the ledger is no longer as the report saw it; compare the load again (台账已变动, 请重新比对)")
}

// apply copies what the report wrote down into the ledger.
func (s *Server) apply(ctx context.Context, tx pgx.Tx, q *store.Queries, l store.Load, req *ledgerv1.ApplyLoadRequest) error {
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
	by := doneBy(identity.ActorOf(ctx))
	if err := s.applyRows(ctx, tx, q, l, by); err != nil {
		return err
	}
	if req.GetEndMissing() {
		missing, err := q.MissingResources(ctx, l.LoadID)
		if err != nil {
			return err
		}
		for _, resource := range missing {
			if err := s.end(ctx, tx, resource, l.AsOf, req.GetReason(), "", by); err != nil {
				return err
			}
		}
	}
	return q.SetApplied(ctx, store.SetAppliedParams{
		LoadID: l.LoadID, EndMissing: req.GetEndMissing(), Reason: req.GetReason(), AppliedAt: new(s.now()), AppliedBy: by,
	})
}

// applyRows ends what ends, closes what is replaced, and enters what stands in its place. The database's own rules hold
// for every row of it.
func (s *Server) applyRows(ctx context.Context, tx pgx.Tx, q *store.Queries, l store.Load, by string) error {
	basis := "台账文件 " + l.FileName
	endings, err := q.LoadEndings(ctx, l.LoadID)
	if err != nil {
		return err
	}
	for _, e := range endings {
		if err := s.end(ctx, tx, *e.ResourceID, *e.Ends, basis, "", by); err != nil {
			return err
		}
	}
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
	return q.ApplyCorrections(ctx, store.ApplyCorrectionsParams{LoadID: l.LoadID, Basis: basis, DoneBy: by})
}
