package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// findingDraft is a finding that is to be entered.
type findingDraft struct {
	Resource           string
	Source, Ref        string // where it comes from
	Kind               string
	Declared, Observed string
	At                 time.Time // when it was observed
	By                 string
}

// find enters a finding, once per resource, source and kind. Its term is that of its kind.
func (s *Server) find(ctx context.Context, q *store.Queries, f findingDraft) (id string, fresh bool, err error) {
	kind, err := q.FindingKind(ctx, f.Kind)
	if err != nil {
		return "", false, errs.NotFound(err, "no such kind of finding")
	}
	next, err := uuid.NewV7()
	if err != nil {
		return "", false, err
	}
	id, err = q.InsertFinding(ctx, store.InsertFindingParams{
		FindingID: next.String(), ResourceID: f.Resource, Source: f.Source, SourceRef: f.Ref, Kind: f.Kind,
		Declared: f.Declared, Observed: f.Observed, ObservedTime: f.At, DueTime: s.now().AddDate(0, 0, int(kind.RectifyDays)), FoundBy: f.By,
	})
	if !errors.Is(err, pgx.ErrNoRows) {
		return id, err == nil, err
	}
	id, err = q.FindingOf(ctx, store.FindingOfParams{ResourceID: f.Resource, Source: f.Source, SourceRef: f.Ref, Kind: f.Kind})
	return id, false, err
}

// decide writes what became of a finding. The same again is a no-op.
func (s *Server) decide(ctx context.Context, q *store.Queries, id, state, reason, document, by string) error {
	f, err := q.LockFinding(ctx, id)
	if err != nil {
		return errs.NotFound(err, "no such finding")
	}
	if f.State == state {
		return nil
	}
	if !decidable(f.State, state) {
		return wrongState("the finding is %s", f.State)
	}
	if err := q.SetFindingState(ctx, store.SetFindingStateParams{FindingID: id, State: state}); err != nil {
		return err
	}
	return q.InsertFindingAct(ctx, store.InsertFindingActParams{FindingID: id, State: state, Reason: reason, Document: document, DoneBy: by})
}

// RecordObservation compares a substantiated complaint with the allocation at the time of its call. A forged number has no
// holder here: it is nobody's finding.
func (s *Server) RecordObservation(ctx context.Context, req *ledgerv1.RecordObservationRequest) (*ledgerv1.RecordObservationResponse, error) {
	if _, ok := keyOf(req.GetNumber()); !ok || phone.Forged(phone.Parse(req.GetNumber()).GetKind()) {
		return &ledgerv1.RecordObservationResponse{}, nil
	}
	n, err := canonical(req.GetScheme(), req.GetNumber(), "")
	if err != nil {
		return nil, err
	}
	arg := s.asked(ctx, n, req.GetCallTime(), nil)
	arg.SeesAll = true
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.RecordObservationResponse, error) {
		q := store.New(tx)
		resp := &ledgerv1.RecordObservationResponse{}
		row, err := q.WhoHeld(ctx, arg)
		if errors.Is(err, pgx.ErrNoRows) {
			return resp, nil
		}
		if err != nil {
			return nil, err
		}
		purpose, err := purposeOf(ctx, q, row.Purpose)
		if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) { // entered before purposes were a list
			purpose, err = store.Purpose{CallsOut: true, Markets: true}, nil
		}
		if err != nil {
			return nil, err
		}
		o := observation{number: req.GetNumber(), category: req.GetCategory(), sector: req.GetSector()}
		for _, d := range compare(o, allocationOf(row), purpose) {
			id, _, err := s.find(ctx, q, findingDraft{
				Resource: row.ResourceID, Source: byComplaint, Ref: req.GetComplaintId(), Kind: d.kind,
				Declared: d.declared, Observed: d.observed, At: arg.At, By: doneBy(identity.ActorOf(ctx)),
			})
			if err != nil {
				return nil, err
			}
			resp.FindingIds = append(resp.FindingIds, id)
		}
		return resp, nil
	})
}

// ListFindings lists findings, newest first.
func (s *Server) ListFindings(ctx context.Context, req *ledgerv1.ListFindingsRequest) (*ledgerv1.ListFindingsResponse, error) {
	resource, err := optionalID("resource_id", req.GetResourceId())
	if err != nil {
		return nil, err
	}
	before, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !ok {
		before, id = always, firstID
	}
	all, agency := sees(ctx)
	size := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ListFindings(ctx, store.ListFindingsParams{
		BeforeTime: before, BeforeID: id, ResourceID: resource, State: req.GetState(), Source: req.GetSource(), SourceRef: req.GetSourceRef(),
		SeesAll: all, AgencyID: agency, PageSize: size,
	})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.ListFindingsResponse{}
	for _, r := range rows {
		resp.Findings = append(resp.Findings, findingProto(r.Finding, r.Article, r.Reason))
	}
	if len(rows) == int(size) {
		last := rows[size-1].Finding
		resp.NextPageToken = pg.TimeToken(last.CreatedAt, last.FindingID)
	}
	return resp, nil
}

// DecideFinding says what became of a finding.
func (s *Server) DecideFinding(ctx context.Context, req *ledgerv1.DecideFindingRequest) (*ledgerv1.DecideFindingResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.DecideFindingResponse, error) {
		q := store.New(tx)
		err := s.decide(ctx, q, req.GetFindingId(), req.GetState(), req.GetReason(), req.GetDocument(), doneBy(identity.ActorOf(ctx)))
		if err != nil {
			return nil, err
		}
		f, err := q.LockFinding(ctx, req.GetFindingId())
		if err != nil {
			return nil, err
		}
		kind, err := q.FindingKind(ctx, f.Kind)
		if err != nil {
			return nil, err
		}
		return &ledgerv1.DecideFindingResponse{Finding: findingProto(f, kind.Article, req.GetReason())}, nil
	})
}

func findingProto(f store.Finding, article, reason string) *ledgerv1.Finding {
	return &ledgerv1.Finding{
		FindingId: f.FindingID, ResourceId: f.ResourceID, Source: f.Source, SourceRef: f.SourceRef, Kind: f.Kind,
		Declared: f.Declared, Observed: f.Observed, ObservedTime: timestamppb.New(f.ObservedTime), DueTime: timestamppb.New(f.DueTime),
		State: f.State, Article: article, Reason: reason,
	}
}
