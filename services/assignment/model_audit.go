package assignment

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// slack is what the daily deletion may leave behind.
const slack = 48 * time.Hour

// auditModels tells what contradicts the invariants of models and features.
func (s *Server) auditModels(ctx context.Context, q *store.Queries, resp *assignmentv1.AuditResponse) error {
	acts, err := q.AuditModelActs(ctx)
	if err != nil {
		return fmt.Errorf("audit models: %w", err)
	}
	found, err := modelViolations(acts)
	if err != nil {
		return err
	}
	resp.Violations = append(resp.Violations, found...)
	days, err := s.policy(ctx, s.db, "feature_days", s.now())
	if err != nil {
		return err
	}
	old, err := q.AuditFeatures(ctx, s.now().Add(-time.Duration(days*float64(24*time.Hour))-slack))
	if err != nil {
		return fmt.Errorf("audit features: %w", err)
	}
	if old > 0 {
		resp.Violations = append(resp.Violations, fmt.Sprintf("features of %d reports or more are kept past their %g days", old, days))
	}
	return nil
}

// modelViolations replays the log of what was in force.
func modelViolations(log []store.AuditModelActsRow) ([]string, error) {
	var found []string
	var stack forceStack
	for _, a := range log {
		id := int64(0)
		if a.ModelID != nil {
			id = *a.ModelID
		}
		if a.Act == "rolled_back" {
			under, was := forceStack{}, stack
			if len(stack) > 0 {
				under = stack[:len(stack)-1]
			}
			var known bool
			if stack, known = stack.back(id); !known || skipped(was, stack) {
				found = append(found, fmt.Sprintf("act %d rolled back to model %d, before it was %d", a.ActID, id, under.top().id))
			}
			continue
		}
		stack = append(stack, forced{id, a.LexiconVersion})
		e, baseline := &assignmentv1.Evaluation{}, &assignmentv1.Evaluation{}
		if err := protojson.Unmarshal(a.Evaluation, e); err != nil {
			return nil, fmt.Errorf("evaluation of act %d: %w", a.ActID, err)
		}
		if err := protojson.Unmarshal(a.Baseline, baseline); err != nil {
			return nil, fmt.Errorf("evaluation of act %d: %w", a.ActID, err)
		}
		if mayPromote(versionOf(id), e, baseline, 0) != nil {
			found = append(found, fmt.Sprintf("model m%d was put in force although it did worse than what it replaced", id))
		}
	}
	return found, nil
}

// skipped says whether a roll-back went past a model of the lexicon of the one that it put back.
func skipped(before, after forceStack) bool {
	for i := len(after); i < len(before)-1; i++ {
		if len(after) > 0 && before[i].lexicon == after.top().lexicon && before[i].id != before.top().id {
			return true
		}
	}
	return false
}
