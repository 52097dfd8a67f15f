package assignment

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// PromoteModel puts a version in force. It is held against what is in force on the reports held back by now; one that does
// worse is refused, with the figures.
func (s *Server) PromoteModel(ctx context.Context, req *assignmentv1.PromoteModelRequest) (*assignmentv1.PromoteModelResponse, error) {
	id, err := modelID(req.GetVersion())
	if err != nil {
		return nil, err
	}
	known, err := s.confirmed(ctx)
	if err != nil {
		return nil, err
	}
	least, err := s.policy(ctx, s.db, "model_min_held_back", s.now())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.PromoteModelResponse, error) {
		q := store.New(tx)
		stack, err := lockActs(ctx, q)
		if err != nil {
			return nil, err
		}
		row, err := q.GetModel(ctx, id)
		if err != nil {
			return nil, errs.NotFound(err, "there is no model %s", req.GetVersion())
		}
		if row.LexiconVersion != s.words.version {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
				"model %s was trained on lexicon %s; %s is in force: train a new one", req.GetVersion(), row.LexiconVersion, s.words.version)
		}
		if stack.top().id == id {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "model %s is in force already", req.GetVersion())
		}
		candidate, current, err := s.compare(ctx, q, known, id, stack.inUse(s.words.version))
		if err != nil {
			return nil, err
		}
		if err := mayPromote(versionOf(id), candidate, current, int32(least)); err != nil {
			return nil, err
		}
		if err := s.act(ctx, q, "promoted", &id, candidate, current, req.GetReason()); err != nil {
			return nil, err
		}
		m, err := s.modelByID(ctx, q, id, id)
		return &assignmentv1.PromoteModelResponse{Model: m}, err
	})
}

// compare evaluates two versions on the reports held back.
func (s *Server) compare(ctx context.Context, q *store.Queries, known *confirmed, a, b int64) (_, _ *assignmentv1.Evaluation, err error) {
	var figures [2]*assignmentv1.Evaluation
	for i, id := range []int64{a, b} {
		f := &inForce{}
		if id != 0 {
			raw, err := q.ModelWeights(ctx, id)
			if err != nil {
				return nil, nil, fmt.Errorf("model %d: %w", id, err)
			}
			if f.model, err = decodeModel(raw, s.hash); err != nil {
				return nil, nil, fmt.Errorf("model %d: %w", id, err)
			}
		}
		figures[i] = s.words.evaluate(f.model, known.held, known.threshold)
	}
	return figures[0], figures[1], nil
}

// mayPromote is the gate: enough was held back, and on it the candidate is no worse in any figure that counts.
func mayPromote(version string, candidate, current *assignmentv1.Evaluation, least int32) error {
	refuse := func(format string, args ...any) error {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, format, args...)
	}
	if candidate.GetRows() < least {
		return refuse("model %s cannot be judged: %d confirmed reports are held back, the policy asks for %d", version, candidate.GetRows(), least)
	}
	for _, f := range []struct {
		name     string
		new, old float64
	}{
		{"sector accuracy", candidate.GetSectorAccuracy(), current.GetSectorAccuracy()},
		{"category accuracy", candidate.GetCategoryAccuracy(), current.GetCategoryAccuracy()},
		{"criminal recall", candidate.GetCriminalRecall(), current.GetCriminalRecall()},
	} {
		if f.new < f.old {
			return refuse("model %s does worse than what is in force on the %d reports held back: %s %.1f %%, now %.1f %%",
				version, candidate.GetRows(), f.name, 100*f.new, 100*f.old)
		}
	}
	return nil
}

// RollBackModel puts back in force what was before the current model, the newest of this lexicon.
func (s *Server) RollBackModel(ctx context.Context, req *assignmentv1.RollBackModelRequest) (*assignmentv1.RollBackModelResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.RollBackModelResponse, error) {
		q := store.New(tx)
		stack, err := lockActs(ctx, q)
		if err != nil {
			return nil, err
		}
		if len(stack) == 0 {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
				"no model is in force: the lexicon decides alone")
		}
		before := stack.before(s.words.version)
		var id *int64
		if before != 0 {
			id = &before
		}
		nothing := &assignmentv1.Evaluation{}
		if err := s.act(ctx, q, "rolled_back", id, nothing, nothing, req.GetReason()); err != nil || id == nil {
			return &assignmentv1.RollBackModelResponse{}, err
		}
		m, err := s.modelByID(ctx, q, before, before)
		return &assignmentv1.RollBackModelResponse{Model: m}, err
	})
}

func (s *Server) act(ctx context.Context, q *store.Queries, act string, id *int64, e, baseline *assignmentv1.Evaluation, reason string) error {
	evaluation, err := protojson.Marshal(e)
	if err != nil {
		return fmt.Errorf("evaluation: %w", err)
	}
	before, err := protojson.Marshal(baseline)
	if err != nil {
		return fmt.Errorf("evaluation: %w", err)
	}
	err = q.InsertModelAct(ctx, store.InsertModelActParams{
		Act: act, ModelID: id, Evaluation: evaluation, Baseline: before, Reason: reason,
		ActedBy: identity.ActorOf(ctx).GetSubject(), ActTime: s.now(),
	})
	if err != nil {
		return fmt.Errorf("%s model: %w", act, err)
	}
	return nil
}

// GetModel returns a version with its evaluation, or the one in force.
func (s *Server) GetModel(ctx context.Context, req *assignmentv1.GetModelRequest) (*assignmentv1.GetModelResponse, error) {
	q := store.New(s.db)
	stack, err := acts(ctx, q)
	if err != nil {
		return nil, err
	}
	current := stack.inUse(s.words.version)
	id := current
	if req.GetVersion() != "" {
		if id, err = modelID(req.GetVersion()); err != nil {
			return nil, err
		}
	}
	if id == 0 {
		return &assignmentv1.GetModelResponse{}, nil
	}
	m, err := s.modelByID(ctx, q, id, current)
	return &assignmentv1.GetModelResponse{Model: m}, err
}

func (s *Server) modelByID(ctx context.Context, q *store.Queries, id, current int64) (*assignmentv1.Model, error) {
	row, err := q.GetModel(ctx, id)
	if err != nil {
		return nil, errs.NotFound(err, "there is no model %s", versionOf(id))
	}
	return modelOf(&row, current)
}

// ListModels lists the versions, newest first.
func (s *Server) ListModels(ctx context.Context, req *assignmentv1.ListModelsRequest) (*assignmentv1.ListModelsResponse, error) {
	const newest = "9223372036854775807"
	before, err := pg.DecodeToken(req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	if before == nil {
		before = []string{newest}
	}
	id, err := strconv.ParseInt(before[0], 10, 64)
	if err != nil {
		return nil, errs.Field("page_token", "is not one of this list")
	}
	q, n := store.New(s.db), pg.PageSize(req.GetPageSize())
	stack, err := acts(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := q.ListModels(ctx, store.ListModelsParams{Before: id, N: n})
	if err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	resp := &assignmentv1.ListModelsResponse{}
	for _, r := range rows {
		row := store.GetModelRow(r)
		m, err := modelOf(&row, stack.inUse(s.words.version))
		if err != nil {
			return nil, err
		}
		resp.Models = append(resp.Models, m)
	}
	if len(rows) == int(n) {
		resp.NextPageToken = pg.EncodeToken(strconv.FormatInt(rows[n-1].ModelID, 10))
	}
	return resp, nil
}

func modelOf(r *store.GetModelRow, current int64) (*assignmentv1.Model, error) {
	m := &assignmentv1.Model{
		Version: versionOf(r.ModelID), State: "candidate", LexiconVersion: r.LexiconVersion, CreateTime: timestamppb.New(r.CreatedTime),
		CreatedBy: r.CreatedBy, TrainedOn: r.TrainedOn, HeldBack: r.HeldBack,
		Evaluation: &assignmentv1.Evaluation{}, Baseline: &assignmentv1.Evaluation{},
	}
	if r.BaselineID != nil {
		m.BaselineVersion = versionOf(*r.BaselineID)
	}
	if r.PromotedTime.After(time.Unix(0, 0)) {
		m.State, m.PromoteTime = "former", timestamppb.New(r.PromotedTime)
	}
	if r.ModelID == current {
		m.State = "current"
	}
	err := errors.Join(protojson.Unmarshal(r.Evaluation, m.GetEvaluation()), protojson.Unmarshal(r.Baseline, m.GetBaseline()))
	if err != nil {
		return nil, fmt.Errorf("evaluation of %s: %w", m.GetVersion(), err)
	}
	return m, nil
}

// modelID reads a version's name.
func modelID(version string) (int64, error) {
	digits, ok := strings.CutPrefix(version, "m")
	id, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || id < 1 {
		return 0, errs.Field("version", "must be a model's, such as m12")
	}
	return id, nil
}
