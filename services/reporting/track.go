package reporting

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// TrackReport tells the public how far a report is: stage, office and dates, never a number and never a party.
func (s *Server) TrackReport(ctx context.Context, req *reportingv1.TrackReportRequest) (*reportingv1.TrackReportResponse, error) {
	r, err := s.byReceipt(ctx, s.db, req.GetReceipt(), req.GetSecret())
	if err != nil {
		return nil, err
	}
	q := store.New(s.db)
	c, err := q.ComplaintFacts(ctx, r.ComplaintID)
	if err != nil {
		return nil, fmt.Errorf("track: %w", err)
	}
	t := &track{report: r, complaint: c}
	if t.entries, err = q.Timeline(ctx, store.TimelineParams{ComplaintID: c.ComplaintID, Round: r.Round}); err != nil {
		return nil, fmt.Errorf("track: %w", err)
	}
	told, err := q.ResultOf(ctx, store.ResultOfParams{ReportID: r.ReportID, Round: r.Round})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("track: %w", err)
	}
	t.result, t.code = told.Text, told.Code
	if t.reversed, err = q.ReversalOf(ctx, store.ReversalOfParams{ReportID: r.ReportID, Round: r.Round}); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("track: %w", err)
	}
	_, err = q.FollowUpOf(ctx, store.FollowUpOfParams{ReportID: r.ReportID, Round: r.Round})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("track: %w", err)
	}
	t.answered = err == nil
	return t.response(), nil
}

// byReceipt finds a report by its receipt and proves the secret. An unknown receipt and a wrong secret take the same
// way: a MAC, a comparison in constant time, and a look-up that finds nothing.
func (s *Server) byReceipt(ctx context.Context, db store.DBTX, receipt, secret string) (store.ReportByReceiptRow, error) {
	receipt = spoken(receipt)
	proved := subtle.ConstantTimeCompare([]byte(s.keys.Secret(receipt)), []byte(spoken(secret))) == 1
	if !proved {
		receipt = strings.Repeat("-", len(receipt)) // no receipt looks so
	}
	r, err := store.New(db).ReportByReceipt(ctx, receipt)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_RECEIPT_NOT_FOUND, "receipt and secret do not match (受理号或查询码有误)")
	}
	if err != nil {
		return r, fmt.Errorf("receipt: %w", err)
	}
	return r, nil
}

// spoken reads a receipt or secret as people copy it: any case, with spaces and hyphens, O for 0, I and L for 1. The
// letters QL in front of a receipt stay.
func spoken(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	s = strings.NewReplacer(" ", "", "-", "").Replace(s)
	prefix := ""
	if strings.HasPrefix(s, "QL") {
		prefix, s = s[:2], s[2:]
	}
	return prefix + strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(s)
}

func (t *track) response() *reportingv1.TrackReportResponse {
	resp := &reportingv1.TrackReportResponse{Watching: t.watching()}
	resp.Entries = append(resp.Entries, &reportingv1.StageEntry{
		Stage: stageReceived, Title: titles[stageReceived], Time: timestamppb.New(t.report.CreatedAt),
	})
	for _, e := range t.visible() {
		entry := &reportingv1.StageEntry{Stage: e.Stage, Title: titles[e.Stage], Office: e.Office, Time: timestamppb.New(e.ReachedTime)}
		if e.DueTime != nil {
			entry.DueTime = timestamppb.New(*e.DueTime)
		}
		resp.Entries = append(resp.Entries, entry)
	}
	now := t.now()
	resp.Stage, resp.Title, resp.Office = now.Stage, titles[now.Stage], now.Office
	if now.DueTime != nil {
		resp.DueTime = timestamppb.New(*now.DueTime)
	}
	resp.Result = t.told()
	t.counted(resp)
	return resp
}
