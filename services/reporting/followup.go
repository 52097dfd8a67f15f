package reporting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

func supplementPlace(id string) []byte { return []byte("supplement.sealed/" + id) }

// WithdrawReport takes a report back. It stays on record, counts no more and gets no further feedback. Withdrawing twice
// is a no-op.
func (s *Server) WithdrawReport(ctx context.Context, req *reportingv1.WithdrawReportRequest) (*reportingv1.WithdrawReportResponse, error) {
	r, err := s.byReceipt(ctx, s.db, req.GetReceipt(), req.GetSecret())
	if err != nil {
		return nil, err
	}
	at := s.clock()
	var live *round
	resp, err := pg.Once(ctx, s.db, withoutSecret(req), func(tx pgx.Tx) (*reportingv1.WithdrawReportResponse, error) {
		live = nil // a transaction may run twice
		r, c, err := lockReport(ctx, tx, r.ComplaintID, req.GetReceipt())
		if err != nil {
			return nil, err
		}
		if r.WithdrawnAt != nil {
			return &reportingv1.WithdrawReportResponse{WithdrawnTime: timestamppb.New(*r.WithdrawnAt)}, nil
		}
		if c.State == stateClosed || r.Round < c.Round {
			return nil, closed()
		}
		if err := withdraw(ctx, tx, r, c, at); err != nil {
			return nil, err
		}
		if c.State == stateOpen {
			live = &round{complaintID: c.ComplaintID, number: c.Round}
		}
		return &reportingv1.WithdrawReportResponse{WithdrawnTime: timestamppb.New(at)}, nil
	})
	if err == nil && live != nil {
		s.starter.nudge(*live)
	}
	return resp, err
}

func withdraw(ctx context.Context, tx pgx.Tx, r store.ReportByReceiptRow, c store.Complaint, at time.Time) error {
	q := store.New(tx)
	if err := q.WithdrawReport(ctx, store.WithdrawReportParams{ReportID: r.ReportID, At: &at}); err != nil {
		return fmt.Errorf("withdraw: %w", err)
	}
	// a relapse that is taken back counts no more toward the threshold
	if c.State == stateWatching && r.Relapse && r.Verified && r.SameCallAs == nil && c.RelapseCount > 0 {
		err := q.SetRelapses(ctx, store.SetRelapsesParams{ComplaintID: c.ComplaintID, RelapseCount: c.RelapseCount - 1})
		if err != nil {
			return fmt.Errorf("withdraw: %w", err)
		}
	}
	if err := tell(ctx, tx, []string{r.ReportID}, feedbackResult, resultWithdrawn, at); err != nil {
		return err
	}
	return record(ctx, tx, c.ComplaintID, c.Round, "withdrawn", "", r.ReportID, at)
}

// SupplementReport adds text and evidence to a report, and tells the workflow that it came.
func (s *Server) SupplementReport(ctx context.Context, req *reportingv1.SupplementReportRequest) (*reportingv1.SupplementReportResponse, error) {
	r, err := s.byReceipt(ctx, s.db, req.GetReceipt(), req.GetSecret())
	if err != nil {
		return nil, err
	}
	if req.GetText() == "" && len(req.GetEvidenceIds()) == 0 {
		return nil, errs.Field("text", "must be given, or evidence_ids")
	}
	id, at := newID().String(), s.clock()
	sealed, err := s.keys.Seal([]byte(req.GetText()), supplementPlace(id))
	if err != nil {
		return nil, err
	}
	var live *round
	resp, err := pg.Once(ctx, s.db, withoutSecret(req), func(tx pgx.Tx) (*reportingv1.SupplementReportResponse, error) {
		live = nil
		r, c, err := lockReport(ctx, tx, r.ComplaintID, req.GetReceipt())
		if err != nil {
			return nil, err
		}
		if r.WithdrawnAt != nil || c.State == stateClosed || r.Round < c.Round {
			return nil, closed()
		}
		err = store.New(tx).AddSupplement(ctx, store.AddSupplementParams{
			SupplementID: id, ReportID: r.ReportID, ComplaintID: c.ComplaintID, Round: c.Round, Sealed: sealed, CreatedAt: at,
		})
		if err != nil {
			return nil, fmt.Errorf("supplement: %w", err)
		}
		if req.GetText() != "" { // it may say what the report is about
			if err := store.New(tx).Unclassify(ctx, r.ReportID); err != nil {
				return nil, fmt.Errorf("supplement: %w", err)
			}
		}
		if ids := req.GetEvidenceIds(); len(ids) > 0 {
			if err := attach(ctx, tx, r.ReportID, c.ComplaintID, ids, req.GetRequestId(), at); err != nil {
				return nil, err
			}
		}
		if c.State == stateOpen {
			live = &round{complaintID: c.ComplaintID, number: c.Round}
		}
		return &reportingv1.SupplementReportResponse{SupplementedTime: timestamppb.New(at)}, nil
	})
	if err == nil && live != nil {
		s.starter.nudge(*live)
	}
	return resp, err
}

// AnswerFollowUp records whether the calls stopped. "No" re-opens the complaint while it is watched, within the limit of
// re-openings; from a reporter whom nobody verified it is kept with the report and counts toward nothing. The first answer
// of a round stands.
func (s *Server) AnswerFollowUp(ctx context.Context, req *reportingv1.AnswerFollowUpRequest) (*reportingv1.AnswerFollowUpResponse, error) {
	r, err := s.byReceipt(ctx, s.db, req.GetReceipt(), req.GetSecret())
	if err != nil {
		return nil, err
	}
	at := s.clock()
	policy, err := s.policy(ctx, at)
	if err != nil {
		return nil, err
	}
	var begun *round
	resp, err := pg.Once(ctx, s.db, withoutSecret(req), func(tx pgx.Tx) (*reportingv1.AnswerFollowUpResponse, error) {
		begun = nil
		r, c, err := lockReport(ctx, tx, r.ComplaintID, req.GetReceipt())
		if err != nil {
			return nil, err
		}
		if before, err := answered(ctx, tx, r, req.GetStopped()); before != nil || err != nil {
			return before, err
		}
		if c.State != stateWatching || r.Round < c.Round || r.WithdrawnAt != nil {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
				"the report is not being watched now, so nothing is asked (未处于回访期)")
		}
		if !req.GetStopped() && r.Verified {
			if begun, err = reopen(ctx, tx, c, []string{r.ReportID}, policy.relapses(), "follow_up", at); err != nil {
				return nil, err
			}
		}
		err = store.New(tx).AddFollowUp(ctx, store.AddFollowUpParams{
			ReportID: r.ReportID, Round: r.Round, Stopped: req.GetStopped(), Reopened: begun != nil, CreatedAt: at,
		})
		if err != nil {
			return nil, fmt.Errorf("follow-up: %w", err)
		}
		return followed(r, req.GetStopped(), begun != nil), nil
	})
	if err == nil && begun != nil {
		s.starter.start(*begun)
	}
	return resp, err
}

// followed is what a reporter is told of an answer. That one has no effect is said, and what would have.
func followed(r store.ReportByReceiptRow, stopped, reopened bool) *reportingv1.AnswerFollowUpResponse {
	resp := &reportingv1.AnswerFollowUpResponse{Reopened: reopened, Counts: r.Verified}
	switch {
	case !r.Verified:
		resp.Text = "您的答复已记录。由于举报人号码未经验证，该答复不计入回访统计，也不会重新启动办理；请通过12321客服渠道验证后再次举报。"
	case stopped:
		resp.Text = "感谢您的答复，已记录骚扰停止。"
	case reopened:
		resp.Text = "您的答复已记录，该事项将重新办理。"
	default:
		resp.Text = "您的答复已记录。该事项重新办理次数已达上限；如仍有来电，请再次举报。"
	}
	return resp
}

// answered finds an answer given before in the round: nil when there is none, a refusal when it was another.
func answered(ctx context.Context, tx pgx.Tx, r store.ReportByReceiptRow, stopped bool) (*reportingv1.AnswerFollowUpResponse, error) {
	f, err := store.New(tx).FollowUpOf(ctx, store.FollowUpOfParams{ReportID: r.ReportID, Round: r.Round})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("follow-up: %w", err)
	}
	if f.Stopped != stopped {
		return nil, errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS,
			"the question was answered before; file a new report when calls go on (已答复)")
	}
	return followed(r, f.Stopped, f.Reopened), nil
}

// lockReport locks the complaint of a proved receipt and reads the report again, for nobody changes it then.
func lockReport(ctx context.Context, tx pgx.Tx, complaintID, receipt string) (store.ReportByReceiptRow, store.Complaint, error) {
	q := store.New(tx)
	for {
		c, err := q.LockComplaint(ctx, complaintID)
		if err != nil {
			return store.ReportByReceiptRow{}, c, fmt.Errorf("lock complaint: %w", err)
		}
		r, err := q.ReportByReceipt(ctx, spoken(receipt))
		if err != nil {
			return r, c, fmt.Errorf("report: %w", err)
		}
		if r.ComplaintID == c.ComplaintID {
			return r, c, nil
		}
		complaintID = r.ComplaintID // it was moved while we waited
	}
}

func closed() error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_CLOSED, "the report is closed (已办结)")
}

// withoutSecret is a request as it may be remembered: the receipt is proved before, and the secret is stored nowhere.
func withoutSecret[T pg.Request](req T) T {
	clone := proto.Clone(req).(T) //nolint:forcetypeassert // a clone has the type of its original
	m := clone.ProtoReflect()
	m.Clear(m.Descriptor().Fields().ByName("secret"))
	return clone
}
