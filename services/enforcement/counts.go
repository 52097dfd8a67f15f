package enforcement

import (
	"context"
	"errors"

	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// CutCounts brings the day aggregates up to date and names a cut.
func (s *Server) CutCounts(context.Context, *enforcementv1.CutCountsRequest) (*enforcementv1.CutCountsResponse, error) {
	return nil, errors.ErrUnsupported
}

// ListDailyCounts lists day aggregates as of a cut.
func (s *Server) ListDailyCounts(context.Context, *enforcementv1.ListDailyCountsRequest) (*enforcementv1.ListDailyCountsResponse, error) {
	return nil, errors.ErrUnsupported
}
