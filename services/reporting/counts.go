package reporting

import (
	"context"
	"errors"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// CutCounts brings the day aggregates up to date and names a cut.
func (s *Server) CutCounts(context.Context, *reportingv1.CutCountsRequest) (*reportingv1.CutCountsResponse, error) {
	return nil, errors.ErrUnsupported
}

// ListDailyCounts lists day aggregates as of a cut.
func (s *Server) ListDailyCounts(context.Context, *reportingv1.ListDailyCountsRequest) (*reportingv1.ListDailyCountsResponse, error) {
	return nil, errors.ErrUnsupported
}
