package workflows

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/errs"
	"quietline/internal/obs"
	commonv1 "quietline/proto/quietline/common/v1"
)

// final are the statuses that another try cannot change. Everything else is tried again until it goes well.
var final = map[codes.Code]bool{
	codes.InvalidArgument:    true,
	codes.NotFound:           true,
	codes.FailedPrecondition: true,
	codes.AlreadyExists:      true,
	codes.PermissionDenied:   true,
	codes.Unimplemented:      true,
}

// toApplication turns a refusal into an error that Temporal carries and does not retry: its type is the reason, its
// detail the code. Any other error is returned as it is, and retried.
func toApplication(err error) error {
	if err == nil {
		return nil
	}
	if already, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return already
	}
	st := status.Convert(err)
	if own, ok := errs.Refusal(err); ok {
		st = own
	}
	if !final[st.Code()] {
		return err
	}
	return refusal(st.Code(), errs.Name(errs.Reason(err)), st.Message())
}

// refusal is a refusal as Temporal carries it.
func refusal(code codes.Code, reason, message string) error {
	return temporal.NewApplicationErrorWithOptions(message, reason,
		temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{int(code)}})
}

// fromTemporal is the way back: the refusal that an update or a workflow ended with, in the words of the mesh. What is
// only not possible now becomes UNAVAILABLE: the same request may be sent again.
func fromTemporal(err error) error {
	if err == nil {
		return nil
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.NonRetryable() {
		return refusalOf(app)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("temporal: %w", err)
	}
	if passing(err) {
		return errs.New(codes.Unavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE,
			"the workflows cannot answer now; the same request may be sent again")
	}
	return fmt.Errorf("temporal: %w", err)
}

func refusalOf(app *temporal.ApplicationError) error {
	var code int
	if err := app.Details(&code); err != nil || !final[codes.Code(code)] {
		code = int(codes.FailedPrecondition)
	}
	return errs.New(codes.Code(code), reasonOf(app), "%s", app.Message())
}

func reasonOf(app *temporal.ApplicationError) commonv1.ErrorReason {
	return commonv1.ErrorReason(commonv1.ErrorReason_value["ERROR_REASON_"+app.Type()])
}

// passing says whether Temporal may answer next time: it is away, too busy, or the run is being taken over.
func passing(err error) bool {
	var notReady *serviceerror.WorkflowNotReady
	var lost *temporal.TimeoutError
	if errors.As(err, &notReady) || errors.As(err, &lost) {
		return true
	}
	switch serviceerror.ToStatus(err).Code() {
	case codes.Unavailable, codes.ResourceExhausted, codes.Aborted, codes.DeadlineExceeded, codes.Canceled:
		return true
	}
	return false
}

// gone says whether there is no such run, or it is over.
func gone(err error) bool {
	var none *serviceerror.NotFound
	return errors.As(err, &none)
}

// isRefusal says whether an activity was refused, for one of these reasons when any are given.
func isRefusal(err error, reasons ...commonv1.ErrorReason) bool {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || !app.NonRetryable() {
		return false
	}
	for _, r := range reasons {
		if app.Type() == errs.Name(r) {
			return true
		}
	}
	return len(reasons) == 0
}

// errorsInterceptor puts toApplication behind every activity.
type errorsInterceptor struct {
	interceptor.WorkerInterceptorBase
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (*errorsInterceptor) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &activityErrors{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type activityErrors struct {
	interceptor.ActivityInboundInterceptorBase
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (a *activityErrors) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	out, err := a.Next.ExecuteActivity(ctx, in)
	err = toApplication(err)
	info := activity.GetInfo(ctx)
	switch {
	case !isRefusal(err):
	case answersPeople[info.ActivityType.Name]:
		err = expected(err)
	default:
		reason := errs.Name(reasonIn(err))
		refusedWrites.WithLabelValues(info.ActivityType.Name, reason).Inc()
		slog.ErrorContext(ctx, "an owner refuses what the mesh itself must write: a defect, and the workflow waits until it is mended",
			slog.String("workflow", info.WorkflowExecution.ID), slog.String("activity", info.ActivityType.Name),
			slog.String("reason", reason), slog.Any("error", err))
	}
	return out, err
}

// answersPeople are the activities whose refusals are answers to people: to who decides, and to who asks for a digest.
var answersPeople = map[string]bool{"Record": true, "BuildDigest": true}

// expected is a refusal that is nobody's defect: Temporal's own log does not make an error of it either.
func expected(err error) error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return err
	}
	var code int
	_ = app.Details(&code) // without it the refusal is one of state, as refusalOf has it
	return temporal.NewApplicationErrorWithOptions(app.Message(), app.Type(), temporal.ApplicationErrorOptions{
		NonRetryable: true, Details: []any{code}, Category: temporal.ApplicationErrorCategoryBenign,
	})
}

// refusedWrites counts what must never happen: above 0 a workflow is held up.
var refusedWrites = promauto.With(obs.Registry()).NewCounterVec(prometheus.CounterOpts{
	Name: "quietline_refused_writes_total",
	Help: "Writes of the mesh's own that an owner refused: a defect that holds a workflow up until it is mended.",
}, []string{"activity", "reason"})

func reasonIn(err error) commonv1.ErrorReason {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return commonv1.ErrorReason_ERROR_REASON_UNSPECIFIED
	}
	return reasonOf(app)
}
