package ledger

import (
	"context"
	"time"

	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// auditRecalls pages through all recalls, for who joins them with the decisions and publications that they name.
func (s *Server) auditRecalls(ctx context.Context, token string, size int32) (*ledgerv1.AuditResponse, error) {
	recalls, next, err := s.recalls(ctx, store.ListRecallsParams{SeesAll: true, PageSize: size}, token, viewer{engine: true, all: true})
	return &ledgerv1.AuditResponse{Recalls: recalls, NextPageToken: next}, err
}

// auditAppeals pages through all appeals.
func (s *Server) auditAppeals(ctx context.Context, token string, size int32) (*ledgerv1.AuditResponse, error) {
	appeals, next, err := s.appeals(ctx, store.ListAppealsParams{SeesAll: true, PageSize: size}, token, viewer{engine: true, all: true})
	return &ledgerv1.AuditResponse{Appeals: appeals, NextPageToken: next}, err
}

// brokenRecalls are sentences about recalls and appeals that contradict their rules.
func (s *Server) brokenRecalls(ctx context.Context, q *store.Queries, size int32) ([]string, error) {
	const patience = 24 * time.Hour // of a recall past its notice period
	now := s.now()
	rows, err := q.AuditRecalls(ctx, store.AuditRecallsParams{At: now, Late: now.Add(-patience), PageSize: size})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows {
		out = append(out, r.ID+": "+r.What)
	}
	return out, nil
}
