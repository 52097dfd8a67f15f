package reporting

import (
	"context"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/pg"
	"quietline/internal/tally"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// book is the service's day aggregates.
func (s *Server) book() *tally.Book {
	return &tally.Book{DB: s.db, Now: s.clock, Counters: []tally.Counter{
		{Scope: "reports", Units: []string{unitReports, unitComplaints, unitNumbers}, First: firstReportDay, Count: countDay},
		{Scope: "marks", Units: []string{unitMarks}, First: firstMarkDay, Count: countMarks},
		{Scope: "access", Units: []string{unitAccess}, First: firstReportDay, Count: countAccess},
	}}
}

// CutCounts brings the day aggregates up to date and names a cut.
func (s *Server) CutCounts(ctx context.Context, req *reportingv1.CutCountsRequest) (*reportingv1.CutCountsResponse, error) {
	cut, at, err := s.book().Cut(ctx)
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(pgx.Tx) (*reportingv1.CutCountsResponse, error) {
		return &reportingv1.CutCountsResponse{Cut: cut, CutTime: timestamppb.New(at)}, nil
	})
}

// ListDailyCounts lists day aggregates as of a cut.
func (s *Server) ListDailyCounts(ctx context.Context, req *reportingv1.ListDailyCountsRequest) (*reportingv1.ListDailyCountsResponse, error) {
	counts, next, err := tally.List(ctx, s.db, req.GetMonth(), req.GetCut(), req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &reportingv1.ListDailyCountsResponse{Counts: counts, NextPageToken: next}, nil
}
