package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connectproto"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	chinese "quietline/internal/words"
	commonv1 "quietline/proto/quietline/common/v1"
)

// domain is the ErrorInfo domain by which the mesh's own refusals are known.
const domain = "quietline"

// outgoing are the codes that may leave. The text is said where a backend's status has the code but is not one of
// the mesh's own refusals, so that a library's words stay inside.
var outgoing = map[connect.Code]string{
	connect.CodeCanceled:           "the call was canceled",
	connect.CodeInvalidArgument:    "the request is not valid",
	connect.CodeDeadlineExceeded:   "the call took longer than it may; the same request may be sent again",
	connect.CodeNotFound:           "there is no such thing",
	connect.CodeAlreadyExists:      "it is already there",
	connect.CodePermissionDenied:   "not allowed",
	connect.CodeResourceExhausted:  "too large or too often",
	connect.CodeFailedPrecondition: "the present state does not allow it",
	connect.CodeAborted:            "another call came between; the same request may be sent again",
	connect.CodeOutOfRange:         "out of range",
	connect.CodeUnimplemented:      "not offered",
	connect.CodeUnavailable:        "the service cannot be reached now; the same request may be sent again",
	connect.CodeUnauthenticated:    "not authenticated",
}

// refuse is a refusal of the gateway's own.
func refuse(code connect.Code, reason commonv1.ErrorReason, format string, args ...any) *connect.Error {
	err := withDetail(connect.Errorf(code, format, args...), &errdetails.ErrorInfo{
		Reason: strings.TrimPrefix(reason.String(), "ERROR_REASON_"),
		Domain: domain,
	})
	return withDetail(err, &errdetails.LocalizedMessage{Locale: chinese.Locale, Message: chinese.Of(reason, format, args...)})
}

func invalid(format string, args ...any) *connect.Error {
	return refuse(connect.CodeInvalidArgument, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD, format, args...)
}

func rateLimited(ctx context.Context, wait time.Duration) error {
	if info, ok := connect.CallInfoForServerContext(ctx); ok {
		info.ResponseHeader().Set("Retry-After", seconds(wait))
	}
	err := refuse(connect.CodeResourceExhausted, commonv1.ErrorReason_ERROR_REASON_RATE_LIMITED,
		"too many calls; try again in %s s", seconds(wait))
	return withDetail(err, &errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
}

func seconds(wait time.Duration) string {
	return strconv.Itoa(int(math.Ceil(wait.Seconds())))
}

func withDetail(err *connect.Error, detail proto.Message) *connect.Error {
	packed, packErr := connectproto.NewErrorDetail(detail)
	if packErr != nil {
		return err
	}
	return err.WithDetail(packed)
}

// relay turns a backend's error into what the caller may know of it.
func relay(ctx context.Context, procedure string, err error) error {
	s := status.Convert(err)
	code := connect.Code(s.Code())
	text, allowed := outgoing[code]
	if !allowed {
		return unexpected(ctx, procedure, err)
	}
	details := ownDetails(s)
	if details != nil {
		text = s.Message()
	} else {
		slog.WarnContext(ctx, "backend failed without a reason",
			slog.String("rpc", procedure), slog.String("code", s.Code().String()))
		if code == connect.CodeUnavailable {
			return refuse(code, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE, "%s", text)
		}
	}
	out := connect.NewError(code, text)
	for _, detail := range details {
		out = withDetail(out, detail)
	}
	return out
}

// ownDetails are a refusal's details that may leave, nil when the status is not a refusal of the mesh's own.
func ownDetails(s *status.Status) []proto.Message {
	var details []proto.Message
	own := false
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			own = own || d.GetDomain() == domain
			details = append(details, d)
		case *errdetails.RetryInfo:
			details = append(details, d)
		case *errdetails.LocalizedMessage:
			details = append(details, d)
		}
	}
	if !own {
		return nil
	}
	return details
}

// referred is what a service has said when it logged the cause itself.
var referred = regexp.MustCompile(`^internal error, reference ([0-9a-f-]{32,36})$`)

// unexpected logs that something broke and tells the caller the reference only. The error's text is not logged:
// a status from elsewhere may hold anything, and the service that made it has logged the cause under its trace.
func unexpected(ctx context.Context, procedure string, err error) error {
	s := status.Convert(err)
	reference := referenceOf(ctx)
	if match := referred.FindStringSubmatch(s.Message()); match != nil {
		reference = match[1]
	}
	slog.ErrorContext(ctx, "call failed",
		slog.String("rpc", procedure), slog.String("code", s.Code().String()), slog.String("reference", reference))
	return refuse(connect.CodeInternal, commonv1.ErrorReason_ERROR_REASON_INTERNAL, "internal error, reference %s", reference)
}

// referenceOf is the trace ID, or a new one where nothing is traced.
func referenceOf(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	return hex.EncodeToString(id[:])
}

// unread says why a request's body could not be read.
func unread(err error, maxMessage int) error {
	switch connect.CodeOf(err) {
	case connect.CodeResourceExhausted:
		return refuse(connect.CodeResourceExhausted, commonv1.ErrorReason_ERROR_REASON_TOO_LARGE,
			"the request is larger than %d bytes", maxMessage)
	case connect.CodeCanceled, connect.CodeDeadlineExceeded:
		return connect.NewError(connect.CodeOf(err), outgoing[connect.CodeOf(err)])
	case connect.CodeUnimplemented:
		return invalid("send exactly one message")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return invalid("the request's body ends early")
	}
	return invalid("the request's body cannot be read: its framing or compression is broken")
}
