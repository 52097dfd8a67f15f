package disclosure

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"

	"quietline/internal/errs"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// Kinds of publications.
const (
	penalty  = "penalty"
	listing  = "listing"
	exposure = "exposure"
	circular = "circular"
	// of a recall of number resources, in which the notice comes before everything
	recallNotice = "recall_notice"
	recall       = "recall"
	// service of a document by public notice
	serviceNotice = "service_notice"
	digestKind    = "digest"
)

// vocabulary is what may be published at all. Only migrations change it, so it is read once.
type vocabulary struct {
	mu   sync.Mutex
	rows map[string]store.PublicationKind
}

func (v *vocabulary) read(ctx context.Context, q *store.Queries) (map[string]store.PublicationKind, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.rows != nil {
		return v.rows, nil
	}
	rows, err := q.Kinds(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]store.PublicationKind{}
	for _, r := range rows {
		known[r.Kind] = r
	}
	v.rows = known
	return known, nil
}

// kindsNamed are the kinds that a word means: a kind, or a family such as notice. Empty means all, which is no condition.
func kindsNamed(known map[string]store.PublicationKind, word string) ([]string, error) {
	if word == "" {
		return []string{}, nil
	}
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(known)) {
		if kind == word || known[kind].Family == word {
			out = append(out, kind)
		}
	}
	if out == nil {
		return nil, errs.Field("kind", "is not a kind of publication")
	}
	return out, nil
}

// checkKind refuses what is no kind, and what does not say what it is of.
func checkKind(known map[string]store.PublicationKind, p *disclosurev1.Publication) (store.PublicationKind, error) {
	kind, ok := known[p.GetKind()]
	if !ok {
		return kind, errs.Field("publication.kind", "must be one of %v", slices.Sorted(maps.Keys(known)))
	}
	if !isProposed(p.GetKind()) && uuid.Validate(p.GetCaseId()) != nil {
		return kind, errs.Field("publication.case_id", "must name the case, the recall, the listing or the digest")
	}
	if len(p.GetTerms()) > 0 && p.GetKind() != listing {
		return kind, errs.Field("publication.terms", "are the owner's; only the keeper of a list gives terms of its own")
	}
	return kind, nil
}
