package reporting

import (
	"context"
	"fmt"
	"sync"
	"time"

	"quietline/services/reporting/store"
)

// policyAge is how soon a changed figure of the policy table is noticed.
const policyAge = 10 * time.Second

// policies holds the policy table, read now and then instead of with every report.
type policies struct {
	mu   sync.Mutex
	rows []store.PolicyRowsRow
	read time.Time
}

// policy gives the figures as of a time.
func (s *Server) policy(ctx context.Context, at time.Time) (figures, error) {
	s.policies.mu.Lock()
	defer s.policies.mu.Unlock()
	if time.Since(s.policies.read) > policyAge {
		rows, err := store.New(s.db).PolicyRows(ctx)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		s.policies.rows, s.policies.read = rows, time.Now()
	}
	f := make(figures, len(s.policies.rows))
	for _, r := range s.policies.rows {
		if !at.Before(r.Since) && at.Before(r.Until) {
			f[r.Code] = r.Value
		}
	}
	return f, nil
}

// figures are policy values by code. A code without a row in force is 0, the strictest.
type figures map[string]int64

func (f figures) seconds(code string) time.Duration { return time.Duration(f[code]) * time.Second }

func (f figures) days(code string) time.Duration { return time.Duration(f[code]) * 24 * time.Hour }

func (f figures) limits() limits {
	return limits{skew: f.seconds("clock_skew_seconds"), oldest: f.days("call_age_days")}
}

func (f figures) relapses() relapsePolicy {
	return relapsePolicy{threshold: int32(f["relapse_threshold"]), reopenings: int32(f["reopen_limit"])}
}
