package reporting

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// A report that has no class of its own, because it joined late, has its complaint's. Withdrawn reports count: they were
// made. The same call told twice counts once, a report that nobody verified not at all.
const tallySQL = `SELECT r.report_id, r.reporter_index,
    coalesce(nullif(r.sector, ''), nullif(c.sector, ''), 'unknown'),
    coalesce(nullif(r.category, ''), nullif(c.category, ''), 'unknown'),
    c.number_kind, coalesce(nullif(r.reporter_province, ''), 'unknown')
FROM report r JOIN complaint c USING (complaint_id)
WHERE r.created_at >= $1 AND r.created_at < $2 AND r.same_call_as IS NULL AND r.verified
ORDER BY r.report_id`

// TallyReports counts the reports of a period and the people behind each figure, and hashes the cut: one statement, one
// snapshot, so that counts and hash are of the same rows.
func (s *Server) TallyReports(ctx context.Context, req *reportingv1.TallyReportsRequest) (*reportingv1.TallyReportsResponse, error) {
	rows, err := s.db.Query(ctx, tallySQL, req.GetFromTime().AsTime(), req.GetToTime().AsTime())
	if err != nil {
		return nil, fmt.Errorf("tally reports: %w", err)
	}
	var (
		id                               uuid.UUID
		reporter                         []byte
		sector, category, kind, province string
		resp                             reportingv1.TallyReportsResponse
	)
	sectors, categories, kinds, provinces := byKey{}, byKey{}, byKey{}, byKey{}
	cut := sha256.New()
	_, err = pgx.ForEachRow(rows, []any{&id, &reporter, &sector, &category, &kind, &province}, func() error {
		resp.Total++
		fmt.Fprintf(cut, "%s\t%s\t%s\t%s\t%s\n", id, sector, category, kind, province)
		sectors.add(sector, reporter)
		categories.add(category, reporter)
		kinds.add(kind, reporter)
		provinces.add(province, reporter)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tally reports: %w", err)
	}
	resp.BySector, resp.ByCategory = sectors.list(), categories.list()
	resp.ByNumberKind, resp.ByProvince = kinds.list(), provinces.list()
	resp.CutHash = hex.EncodeToString(cut.Sum(nil))
	return &resp, nil
}

// byKey counts reports and distinct reporters by key.
type byKey map[string]*counted

type counted struct {
	reports   int64
	reporters map[[16]byte]struct{}
}

func (t byKey) add(key string, reporter []byte) {
	c := t[key]
	if c == nil {
		c = &counted{reporters: map[[16]byte]struct{}{}}
		t[key] = c
	}
	c.reports++
	var index [16]byte
	copy(index[:], reporter)
	c.reporters[index] = struct{}{}
}

func (t byKey) list() []*reportingv1.Tally {
	out := make([]*reportingv1.Tally, 0, len(t))
	for _, key := range sortedKeys(t) {
		out = append(out, &reportingv1.Tally{Key: key, Reports: t[key].reports, Reporters: int64(len(t[key].reporters))})
	}
	return out
}
