package enforcement

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// States of a measure.
const (
	ordered = "ordered"
	done    = "done"
)

// ListMeasures lists the catalogue in force now, by code.
func (s *Server) ListMeasures(ctx context.Context, req *enforcementv1.ListMeasuresRequest) (*enforcementv1.ListMeasuresResponse, error) {
	after := ""
	parts, err := pg.DecodeToken(req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	if parts != nil {
		after = parts[0]
	}
	size := int32(pg.MaxPageSize)
	if req.GetPageSize() > 0 {
		size = pg.PageSize(req.GetPageSize())
	}
	rows, err := store.New(s.db).ListMeasures(ctx, store.ListMeasuresParams{After: after, At: s.now(), PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListMeasuresResponse{}
	for _, m := range rows {
		resp.Measures = append(resp.Measures, measureProto(m))
	}
	if err := s.tellPowers(ctx, resp.GetMeasures()); err != nil {
		return nil, err
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[size-1].Code)
	}
	return resp, nil
}

// RecordMeasure writes a measure as ordered, and later, or at once when the deciding agency did it itself, how it ended.
func (s *Server) RecordMeasure(ctx context.Context, req *enforcementv1.RecordMeasureRequest) (*enforcementv1.RecordMeasureResponse, error) {
	m, err := measureOf(req)
	if err != nil {
		return nil, err
	}
	receipt, err := optionalID("receipt_task_id", req.GetReceiptTaskId())
	if err != nil {
		return nil, err
	}
	if req.GetState() == done && receipt == nil && m.ExecutorAgencyID != m.DecidedAgencyID {
		return nil, errs.Field("receipt_task_id", "must be given: what another agency carries out counts only with its receipt")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordMeasureResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "measure/"+m.MeasureID); err != nil {
			return nil, err
		}
		old, err := q.MeasureRecord(ctx, m.MeasureID)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			err = s.order(ctx, q, m)
		case err == nil:
			err = continues(old, m, req.GetState())
		}
		if err != nil {
			return nil, err
		}
		err = q.InsertMeasureLog(ctx, store.InsertMeasureLogParams{MeasureID: m.MeasureID, State: req.GetState(), ReceiptTaskID: receipt})
		if err != nil {
			return nil, err
		}
		return &enforcementv1.RecordMeasureResponse{}, nil
	})
}

func measureOf(req *enforcementv1.RecordMeasureRequest) (store.InsertMeasureRecordParams, error) {
	m := store.InsertMeasureRecordParams{
		MeasureID: req.GetMeasureId(), ComplaintID: req.GetComplaintId(), Round: req.GetRound(), Code: req.GetCode(),
		DecidedAgencyID: req.GetDecidedAgencyId(), ExecutorAgencyID: req.GetExecutorAgencyId(), DecidedTaskID: req.GetDecidedTaskId(),
	}
	if m.DecidedAgencyID == "" {
		return m, errs.Field("decided_agency_id", "must be given")
	}
	if m.ExecutorAgencyID == "" {
		m.ExecutorAgencyID = m.DecidedAgencyID
	}
	var err error
	m.ResourceID, err = optionalID("resource_id", req.GetResourceId())
	return m, err
}

// order enters a measure that the catalogue has now, and gives to the body that decided it.
func (s *Server) order(ctx context.Context, q *store.Queries, m store.InsertMeasureRecordParams) error {
	_, err := q.MeasureInForce(ctx, store.MeasureInForceParams{Code: m.Code, At: s.now()})
	if errors.Is(err, pgx.ErrNoRows) {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"the catalogue of measures has no such code in force")
	}
	if err != nil {
		return err
	}
	if err := s.mayTake(ctx, q, m.DecidedAgencyID, []string{m.Code}); err != nil {
		return err
	}
	return q.InsertMeasureRecord(ctx, m)
}

// continues says whether a state may follow in the log of a known measure. What it was ordered as does not change.
func continues(old store.MeasureRecordRow, m store.InsertMeasureRecordParams, state string) error {
	if old.ComplaintID != m.ComplaintID || old.Code != m.Code || old.Round != m.Round {
		return errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS,
			"the measure is known as another one")
	}
	if old.Ended != "" && old.Ended != state && state != ordered {
		return wrongState("the measure has ended as %s", old.Ended)
	}
	return nil
}

func optionalID(path, text string) (*string, error) {
	if text == "" {
		return nil, nil
	}
	if uuid.Validate(text) != nil {
		return nil, errs.Field(path, "must be a UUID")
	}
	return &text, nil
}
