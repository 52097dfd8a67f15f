package assignment

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"quietline/internal/seal"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// inForce is a version of the model that this process has read. Versions never change.
type inForce struct {
	id    int64
	model *model // nil: the lexicon alone
	// unused is the model that is in force, where it is not of this lexicon and the lexicon alone answers.
	unused int64
}

// version is the name of the model that answers; empty for the lexicon alone.
func (f *inForce) version() string { return versionOf(f.id) }

func versionOf(id int64) string {
	if id == 0 {
		return ""
	}
	return fmt.Sprintf("m%d", id)
}

// hashUnder keys the hash of n-grams, so that features outside of this installation tell nothing.
func hashUnder(keys *seal.Keys) hasher {
	return hasher(binary.LittleEndian.Uint64(keys.Index("features", "n-grams")) | 1) // 0 is the hash without a key
}

// classifier is what is in force now: the policy's threshold and the model, if it is of this lexicon.
func (s *Server) classifier(ctx context.Context) (float64, *inForce, error) {
	row, err := store.New(s.db).ClassifierInForce(ctx, s.now())
	if err != nil {
		return 0, nil, fmt.Errorf("classifier in force: %w", err)
	}
	if row.ModelID != 0 && row.LexiconVersion != s.words.version {
		return row.Threshold, s.unused(ctx, forced{row.ModelID, row.LexiconVersion}), nil
	}
	f, err := s.modelOf(ctx, store.New(s.db), row.ModelID)
	return row.Threshold, f, err
}

// modelOf reads a model, unless it is the one that was read last. 0 is the lexicon alone.
func (s *Server) modelOf(ctx context.Context, q *store.Queries, id int64) (*inForce, error) {
	if f := s.learned.Load(); f != nil && f.id == id {
		return f, nil
	}
	f := &inForce{id: id}
	if id != 0 {
		raw, err := q.ModelWeights(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("model %d: %w", id, err)
		}
		if f.model, err = decodeModel(raw, s.hash); err != nil {
			return nil, fmt.Errorf("model %d: %w", id, err)
		}
	}
	s.learned.Store(f)
	return f, nil
}

// Classify says category and sector of texts. Nothing is kept of them.
func (s *Server) Classify(ctx context.Context, req *assignmentv1.ClassifyRequest) (*assignmentv1.ClassifyResponse, error) {
	threshold, f, err := s.classifier(ctx)
	if err != nil {
		return nil, err
	}
	resp := &assignmentv1.ClassifyResponse{Threshold: threshold, Version: s.words.version, ModelVersion: f.version()}
	for _, item := range req.GetItems() {
		resp.Classes = append(resp.Classes, s.words.classify(item, f.model))
	}
	return resp, nil
}

// ClassifyReports classifies a complaint's reports and keeps their features. A report that is classified again replaces
// what was kept of it, so that the call may be repeated.
func (s *Server) ClassifyReports(ctx context.Context, req *assignmentv1.ClassifyReportsRequest) (*assignmentv1.ClassifyReportsResponse, error) {
	threshold, f, err := s.classifier(ctx)
	if err != nil {
		return nil, err
	}
	resp := &assignmentv1.ClassifyReportsResponse{Threshold: threshold, Version: s.words.version, ModelVersion: f.version()}
	kept := store.KeepFeaturesParams{ComplaintID: req.GetComplaintId(), LexiconVersion: s.words.version, At: s.now()}
	seen := map[string]bool{}
	for _, r := range req.GetReports() {
		read := s.words.read(r.GetItem())
		c := s.words.answer(r.GetItem(), read, f.model)
		resp.Classes = append(resp.Classes, c)
		if seen[r.GetReportId()] {
			continue
		}
		seen[r.GetReportId()] = true
		kept.ReportIds = append(kept.ReportIds, r.GetReportId())
		kept.Features = append(kept.Features, s.hash.features(read).encode())
		kept.Sectors = append(kept.Sectors, c.GetSector())
		kept.Categories = append(kept.Categories, c.GetCategory())
		kept.Confidences = append(kept.Confidences, float32(c.GetConfidence()))
	}
	if err := store.New(s.db).KeepFeatures(ctx, kept); err != nil {
		return nil, fmt.Errorf("keep features: %w", err)
	}
	return resp, nil
}

// trimFeatures deletes features older than the policy keeps them, some at a time.
func (s *Server) trimFeatures(ctx context.Context) error {
	days, err := s.policy(ctx, s.db, "feature_days", s.now())
	if err != nil {
		return err
	}
	before := s.now().Add(-time.Duration(days * float64(24*time.Hour)))
	for {
		gone, err := store.New(s.db).TrimFeatures(ctx, before)
		if err != nil {
			return fmt.Errorf("trim features: %w", err)
		}
		if gone == 0 {
			return nil
		}
	}
}
