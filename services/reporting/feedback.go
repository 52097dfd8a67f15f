package reporting

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

const (
	feedPageSize = 100
	feedInterval = 300 * time.Millisecond
)

// ListFeedback is the change feed of feedback for the caller's own agency as sender: in order of commit, resumable by its
// cursor, waiting for something new when asked to.
func (s *Server) ListFeedback(ctx context.Context, req *reportingv1.ListFeedbackRequest) (*reportingv1.ListFeedbackResponse, error) {
	sender, err := senderOf(ctx)
	if err != nil {
		return nil, err
	}
	after, err := pg.DecodeCursor(req.GetAfterCursor(), uuid.Nil.String())
	if err != nil {
		return nil, err
	}
	size := req.GetPageSize()
	if size == 0 {
		size = feedPageSize
	}
	rows, err := pg.LongPoll(ctx, req.GetMaxWait().AsDuration(), feedInterval, func(ctx context.Context) ([]store.FeedbackFeedRow, error) {
		return store.New(s.db).FeedbackFeed(ctx, store.FeedbackFeedParams{
			Sender: sender, AfterXid: after.Xid, AfterID: after.ID, PageSize: size,
		})
	})
	if err != nil {
		return nil, fmt.Errorf("feedback feed: %w", err)
	}
	resp := &reportingv1.ListFeedbackResponse{NextCursor: req.GetAfterCursor()}
	for _, f := range rows {
		resp.Feedback = append(resp.Feedback, &reportingv1.Feedback{
			FeedbackId: f.FeedbackID, ReportId: f.ReportID, Receipt: f.Receipt, SenderNo: f.SenderNo,
			Stage: f.Stage, Code: f.Code, Text: f.Text, GivenTime: timestamppb.New(f.CreatedAt),
		})
		resp.NextCursor = pg.Cursor{Xid: f.Xid, ID: f.FeedbackID}.String()
	}
	return resp, nil
}

// AcknowledgeFeedback marks feedback as delivered to the reporters. What belongs to another sender, or was acknowledged
// before, is passed over.
func (s *Server) AcknowledgeFeedback(ctx context.Context, req *reportingv1.AcknowledgeFeedbackRequest) (*reportingv1.AcknowledgeFeedbackResponse, error) {
	sender, err := senderOf(ctx)
	if err != nil {
		return nil, err
	}
	subject, _ := who(ctx)
	at := s.clock()
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.AcknowledgeFeedbackResponse, error) {
		n, err := store.New(tx).AcknowledgeFeedback(ctx, store.AcknowledgeFeedbackParams{
			At: &at, Subject: subject, FeedbackIds: req.GetFeedbackIds(), Sender: sender,
		})
		if err != nil {
			return nil, fmt.Errorf("acknowledge feedback: %w", err)
		}
		return &reportingv1.AcknowledgeFeedbackResponse{Acknowledged: int32(n)}, nil
	})
}

// senderOf is the sender whose reports the caller filed: its agency.
func senderOf(ctx context.Context) (string, error) {
	_, agency := who(ctx)
	if agency == "" || agency == senderPublic {
		return "", errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
			"feedback goes to the agency that sent the reports, and the account belongs to none")
	}
	return agency, nil
}
