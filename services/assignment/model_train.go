package assignment

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

const (
	// modelSeed orders the samples of a training.
	modelSeed = 20180701
	// reportsOfOne complaint are learned from at most.
	reportsOfOne = 20
)

// confirmed is what decisions have confirmed so far.
type confirmed struct {
	learned   []sample
	held      []sample
	threshold float64
}

// TrainModel learns a candidate from confirmed decisions. What it learns follows from them alone: the same decisions give
// the same model.
func (s *Server) TrainModel(ctx context.Context, req *assignmentv1.TrainModelRequest) (*assignmentv1.TrainModelResponse, error) {
	known, err := s.confirmed(ctx)
	if err != nil {
		return nil, err
	}
	if len(known.learned) == 0 {
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"there is nothing to learn from: no decision has confirmed what a classified report is about (%d are held back)", len(known.held))
	}
	_, current, err := s.classifier(ctx)
	if err != nil {
		return nil, err
	}
	m := train(ctx.Done(), append(s.words.samples(s.hash), known.learned...), modelSeed, s.hash)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	weights, err := m.encode()
	if err != nil {
		return nil, err
	}
	e, err := protojson.Marshal(s.words.evaluate(m, known.held, known.threshold))
	if err != nil {
		return nil, fmt.Errorf("evaluation: %w", err)
	}
	baseline, err := protojson.Marshal(s.words.evaluate(current.model, known.held, known.threshold))
	if err != nil {
		return nil, fmt.Errorf("evaluation: %w", err)
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.TrainModelResponse, error) {
		q := store.New(tx)
		row := store.InsertModelParams{
			LexiconVersion: s.words.version, Seed: modelSeed, TrainedOn: int32(len(known.learned)), HeldBack: int32(len(known.held)),
			Weights: weights, Evaluation: e, Baseline: baseline, CreatedBy: identity.ActorOf(ctx).GetSubject(), CreatedTime: s.now(),
		}
		if current.id != 0 {
			row.BaselineID = &current.id
		}
		id, err := q.InsertModel(ctx, row)
		if err != nil {
			return nil, fmt.Errorf("write model: %w", err)
		}
		trained, err := s.modelByID(ctx, q, id, current.id)
		return &assignmentv1.TrainModelResponse{Model: trained}, err
	})
}

// confirmed reads features and decisions, and tells those to learn from and those to evaluate on apart.
func (s *Server) confirmed(ctx context.Context) (*confirmed, error) {
	most, err := s.policy(ctx, s.db, "model_max_reports", s.now())
	if err != nil {
		return nil, err
	}
	threshold, _, err := s.classifier(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.directory(ctx, s.now())
	if err != nil {
		return nil, err
	}
	q := store.New(s.db)
	decisions, err := q.ConfirmingDecisions(ctx, int32(most))
	if err != nil {
		return nil, fmt.Errorf("confirming decisions: %w", err)
	}
	byComplaint := map[string][]store.ConfirmingDecisionsRow{}
	var complaints []string
	for _, d := range decisions {
		if byComplaint[d.SubjectID] == nil {
			complaints = append(complaints, d.SubjectID)
		}
		byComplaint[d.SubjectID] = append(byComplaint[d.SubjectID], d)
	}
	rows, err := q.FeaturesOf(ctx, store.FeaturesOfParams{ComplaintIds: complaints, Each: reportsOfOne, N: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("kept features: %w", err)
	}
	known := &confirmed{threshold: threshold}
	labels := map[string][]label{}
	for i := range rows {
		r := &rows[i]
		if _, done := labels[r.ComplaintID]; !done {
			if labels[r.ComplaintID], err = labelsOf(byComplaint[r.ComplaintID], v); err != nil {
				return nil, err
			}
		}
		labelled, ok, err := sampleOf(r, labels[r.ComplaintID], threshold)
		switch {
		case err != nil:
			return nil, err
		case !ok:
		case heldBack(labelled.group):
			known.held = append(known.held, labelled)
		default:
			known.learned = append(known.learned, labelled)
		}
	}
	return known, nil
}

// evaluate answers from kept features as Classify does from texts. Without a model the lexicon's scores decide.
func (l *lexicon) evaluate(m *model, samples []sample, threshold float64) *assignmentv1.Evaluation {
	outcomes := make([]outcome, len(samples))
	for i, s := range samples {
		d := l.decideFeatures(s.features)
		if m != nil {
			d, _ = m.decideFeatures(s.features, &l.learnedCosts)
		}
		o := outcome{saidSector: d.sector, saidCategory: d.category, below: d.confidence < threshold}
		if s.sector != none {
			o.sector = sectorOrder[s.sector]
		}
		if s.category != none {
			o.category = categoryOrder[s.category]
		}
		o.judge()
		outcomes[i] = o
	}
	return figures(outcomes, false)
}

// decideFeatures is the lexicon's answer from its scores.
func (l *lexicon) decideFeatures(f *features) decision {
	r := &reading{}
	for i, d := range f.dense {
		if i < numSectors {
			r.sector[i] = float64(d) * denseUnit
		} else {
			r.category[i-numSectors] = float64(d) * denseUnit
		}
	}
	return l.decide(r, nil)
}

// samples are the rows that come with the lexicon: made up, for matters that decisions are few about.
func (l *lexicon) samples(hash hasher) []sample {
	samples := make([]sample, 0, len(l.training))
	for i, row := range l.training {
		samples = append(samples, sample{
			id: fmt.Sprintf("0-own-%06d", i), features: hash.features(l.read(row.Item)), // before any report's
			sector: placeOf(sectorOrder, row.Sector), category: placeOf(categoryOrder, row.Category), own: true,
		})
	}
	return slices.Clip(samples)
}
