package reporting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// revealingSteps are the steps whose work needs the called number.
var revealingSteps = []string{"preserve", "number_check", "fact_check", "execute"}

// RevealCalledNumber shows the called number of a report to the agency with the open check of its complaint. Every time is
// counted and on record, the repeat of a request only once. The number itself is added to the answer afterwards and stored
// nowhere else.
func (s *Server) RevealCalledNumber(ctx context.Context, req *reportingv1.RevealCalledNumberRequest) (*reportingv1.RevealCalledNumberResponse, error) {
	report, err := store.New(s.db).SealedReport(ctx, req.GetReportId())
	if err != nil {
		return nil, errs.NotFound(err, "there is no such report for your agency")
	}
	if err := s.mayReveal(ctx, req.GetTaskId(), report); err != nil {
		return nil, err
	}
	at := s.clock()
	policy, err := s.policy(ctx, at)
	if err != nil {
		return nil, err
	}
	quota := policy["reveal_per_task"]
	subject, agency := who(ctx)
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.RevealCalledNumberResponse, error) {
		q := store.New(tx)
		if err := q.LockReveals(ctx, req.GetTaskId()); err != nil { // so that nobody counts past another
			return nil, fmt.Errorf("reveal: %w", err)
		}
		used, err := q.CountReveals(ctx, store.CountRevealsParams{TaskID: req.GetTaskId(), CreatedAt: dayStart(at)})
		if err != nil {
			return nil, fmt.Errorf("reveal: %w", err)
		}
		if used >= quota {
			return nil, errs.New(codes.ResourceExhausted, commonv1.ErrorReason_ERROR_REASON_QUOTA_EXCEEDED,
				"%d called numbers were shown for this task today, which is the limit (当日查看次数已达上限)", used)
		}
		err = q.AddReveal(ctx, store.AddRevealParams{
			RevealID: newID().String(), ReportID: req.GetReportId(), TaskID: req.GetTaskId(), AgencyID: agency, Subject: subject,
			Purpose: req.GetPurpose(), CreatedAt: at,
		})
		if err != nil {
			return nil, fmt.Errorf("reveal: %w", err)
		}
		return &reportingv1.RevealCalledNumberResponse{Remaining: int32(quota - used - 1)}, nil
	})
	if err != nil {
		return nil, err
	}
	open, err := openReport(s.keys, req.GetReportId(), report.Sealed)
	if err != nil {
		return nil, err
	}
	resp.CalledNumber = open.Called
	if resp.CalledNumber == "" { // by default the reporter's own
		resp.CalledNumber = open.Reporter
	}
	return resp, nil
}

// mayReveal checks that the task is an open check of the report's complaint with the actor's agency.
func (s *Server) mayReveal(ctx context.Context, taskID string, report store.SealedReportRow) error {
	if s.assignment == nil {
		return errs.New(codes.Unavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE, "assignment is not configured")
	}
	got, err := s.assignment.GetTask(ctx, &assignmentv1.GetTaskRequest{TaskId: taskID})
	if err != nil {
		return fmt.Errorf("task: %w", err)
	}
	_, agency := who(ctx)
	task := got.GetTask()
	switch {
	case agency == "" || task.GetAgencyId() != agency || task.GetSubjectKind() != "complaint" || task.GetSubjectId() != report.ComplaintID:
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
			"the task is not your agency's check of this report")
	case task.GetState() != "OPEN":
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN, "the task is not open (待办已结束)")
	case !slices.Contains(revealingSteps, task.GetStep()):
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"called numbers are shown for preserve, number_check, fact_check and execute only")
	case report.WithdrawnAt != nil:
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "the report was withdrawn (已撤回)")
	}
	return nil
}

// dayStart is the beginning of the day in Shanghai.
func dayStart(t time.Time) time.Time {
	y, m, d := t.In(calendar.Shanghai).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, calendar.Shanghai)
}
