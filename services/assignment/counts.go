package assignment

import (
	"context"
	"errors"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// CutCounts brings the day aggregates up to date and names a cut.
func (s *Server) CutCounts(context.Context, *assignmentv1.CutCountsRequest) (*assignmentv1.CutCountsResponse, error) {
	return nil, errors.ErrUnsupported
}

// ListDailyCounts lists day aggregates as of a cut.
func (s *Server) ListDailyCounts(context.Context, *assignmentv1.ListDailyCountsRequest) (*assignmentv1.ListDailyCountsResponse, error) {
	return nil, errors.ErrUnsupported
}
