package workflows

import (
	"context"
	"sync"
	"time"

	"quietline/internal/errs"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// remembered is, for a while, what every other decision would ask for again: agencies, the catalogue of measures. What is
// not known is not remembered.
type remembered[T any] struct {
	mu   sync.Mutex
	rows map[string]rememberedRow[T]
}

type rememberedRow[T any] struct {
	value T
	until time.Time
}

const rememberedFor = time.Minute

func (r *remembered[T]) get(key string, at time.Time) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row, ok := r.rows[key]
	return row.value, ok && at.Before(row.until)
}

func (r *remembered[T]) put(key string, value T, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rows == nil {
		r.rows = map[string]rememberedRow[T]{}
	}
	r.rows[key] = rememberedRow[T]{value, at.Add(rememberedFor)}
}

// measure is a measure of the catalogue.
func (a *Activities) measure(ctx context.Context, code string) (*enforcementv1.Measure, error) {
	if m, ok := a.measures.get(code, a.now()); ok {
		return m, nil
	}
	catalogue, err := a.Enforcement.ListMeasures(ctx, &enforcementv1.ListMeasuresRequest{})
	if err != nil {
		return nil, err
	}
	for _, m := range catalogue.GetMeasures() {
		a.measures.put(m.GetCode(), m, a.now())
	}
	if m, ok := a.measures.get(code, a.now()); ok {
		return m, nil
	}
	return nil, errs.Field("detail.measures", "must be codes of the catalogue of measures")
}
