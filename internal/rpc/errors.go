package rpc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/errs"
	"quietline/internal/obs"
	commonv1 "quietline/proto/quietline/common/v1"
)

// outward is what a caller may know of an error. Refusals pass with their message. Troubles that pass by themselves
// (a lost connection, a deadlock, a full disk) are told as such, so that the caller knows to send the request again.
// Everything else is logged here and leaves as a reference to that log.
func outward(ctx context.Context, err error) error {
	if st, ok := errs.Refusal(err); ok && passes(err) {
		return st.Err()
	}
	if out := passing(ctx, err); out != nil {
		slog.WarnContext(ctx, "call failed for now", slog.Any("error", loggable(err)))
		return out
	}
	slog.ErrorContext(ctx, "call failed", slog.Any("error", loggable(err)), slog.String("reference", reference(ctx)))
	return internal(ctx)
}

// passes says whether a refusal, maybe of another service that the method asked, means something to our caller; that
// another service broke does not.
func passes(err error) bool {
	reason := errs.Reason(err)
	return reason != commonv1.ErrorReason_ERROR_REASON_UNSPECIFIED && reason != commonv1.ErrorReason_ERROR_REASON_INTERNAL
}

// passing maps what may go well next time, nil for anything else.
func passing(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded):
		return unavailable(codes.DeadlineExceeded, "the call took too long; the same request may be sent again")
	case errors.Is(err, context.Canceled) || ctx.Err() != nil:
		return status.Error(codes.Canceled, "the caller went away")
	}
	if fromDB, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fromPostgres(fromDB.Code)
	}
	if lostConnection(err) {
		return unavailable(codes.Unavailable, "a dependency is not reachable now; the same request may be sent again")
	}
	if st, ok := status.FromError(err); ok {
		switch st.Code() {
		case codes.Unavailable:
			return unavailable(codes.Unavailable, "another service is not reachable now; the same request may be sent again")
		case codes.DeadlineExceeded:
			return unavailable(codes.DeadlineExceeded, "another service took too long; the same request may be sent again")
		case codes.Aborted:
			return unavailable(codes.Aborted, "another change came first; the same request may be sent again")
		}
	}
	return nil
}

func fromPostgres(code string) error {
	switch {
	case code == "40001" || code == "40P01" || code == "55P03":
		return unavailable(codes.Aborted, "another change came first; the same request may be sent again")
	case code == "53100":
		return unavailable(codes.Unavailable, "the database's disk is full; free space there, then the same request may be sent again")
	case code == "53200" || code == "53300" || strings.HasPrefix(code, "57P") || strings.HasPrefix(code, "08"):
		return unavailable(codes.Unavailable, "the database cannot answer now; the same request may be sent again")
	case code == "22021" || code == "22P05":
		// The fields' own rules should have caught it; this is the net under them.
		return errs.Field("", "a text holds a character that cannot be stored, such as NUL")
	default:
		return nil
	}
}

func lostConnection(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, puddle.ErrClosedPool)
}

func unavailable(code codes.Code, text string) error {
	return errs.New(code, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE, "%s", text)
}

func internal(ctx context.Context) error {
	return errs.New(codes.Internal, commonv1.ErrorReason_ERROR_REASON_INTERNAL, "internal error, reference %s", reference(ctx))
}

type referenceKey struct{}

// reference is the trace ID, under which the log line is found.
func reference(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		return sc.TraceID().String()
	}
	if ref, ok := ctx.Value(referenceKey{}).(string); ok {
		return ref
	}
	return uuid.NewString()
}

// withReference makes one up where no telemetry gives trace IDs, so that log and answer name the same.
func withReference(ctx context.Context) context.Context {
	if trace.SpanContextFromContext(ctx).HasTraceID() {
		return ctx
	}
	return context.WithValue(ctx, referenceKey{}, uuid.NewString())
}

// loggable leaves out what PostgreSQL quotes of the data: details always, and messages about values (class 22).
func loggable(err error) error {
	text := err.Error()
	var fromDB *pgconn.PgError
	if errors.As(err, &fromDB) && strings.HasPrefix(fromDB.Code, "22") {
		text = strings.ReplaceAll(text, fromDB.Message, "bad value")
	}
	return errors.New(obs.Scrub(text))
}
