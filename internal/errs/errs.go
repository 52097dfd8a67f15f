// Package errs is the one vocabulary of refusals.
//
// A refusal is what a caller did wrong or what stands against the deed, said in the caller's terms. It is a gRPC status
// with a google.rpc.ErrorInfo whose reason comes from the proto enum ErrorReason, and a google.rpc.LocalizedMessage that says
// the same in Chinese (package words), for parties and the public. Everything else is unexpected: wrap it
// with fmt.Errorf and return it; the server logs it and sends only a reference.
//
// A refusal's message MUST NOT hold personal data: it is shown, logged and kept in workflow histories.
package errs

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"quietline/internal/words"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Domain stands in every ErrorInfo of the mesh.
const Domain = "quietline"

const prefix = "ERROR_REASON_"

// New makes a refusal.
func New(code codes.Code, reason commonv1.ErrorReason, format string, args ...any) error {
	return build(code, reason, fmt.Sprintf(format, args...), words.Of(reason, format, args...), nil)
}

// Field refuses a request for one of its fields. The text says what the field must be and never repeats its value.
func Field(path, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	message := text
	if path != "" {
		message = path + ": " + text
	}
	return build(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD, message, words.OfField(path, format, args...),
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: path, Description: text}}})
}

func build(code codes.Code, reason commonv1.ErrorReason, message, chinese string, bad *errdetails.BadRequest) error {
	details := []protoadapt.MessageV1{
		&errdetails.ErrorInfo{Reason: Name(reason), Domain: Domain},
		&errdetails.LocalizedMessage{Locale: words.Locale, Message: strings.ToValidUTF8(chinese, "\uFFFD")},
	}
	if bad != nil {
		details = append(details, bad)
	}
	// strings.ToValidUTF8: a message that is not UTF-8 would make the status itself unsendable.
	st, err := status.New(code, strings.ToValidUTF8(message, "\uFFFD")).WithDetails(details...)
	if err != nil { // only for codes.OK, which is a bug of the caller
		panic(fmt.Sprintf("errs: %v", err))
	}
	return st.Err()
}

// Name is a reason as it stands in ErrorInfo: the enum's name without its prefix.
func Name(reason commonv1.ErrorReason) string {
	return strings.TrimPrefix(reason.String(), prefix)
}

// Reason is the reason of a refusal, here or behind an RPC; UNSPECIFIED when err is none.
func Reason(err error) commonv1.ErrorReason {
	if info := info(err); info != nil {
		return commonv1.ErrorReason(commonv1.ErrorReason_value[prefix+info.GetReason()])
	}
	return commonv1.ErrorReason_ERROR_REASON_UNSPECIFIED
}

// Is says whether err is a refusal for this reason.
func Is(err error, reason commonv1.ErrorReason) bool {
	return err != nil && Reason(err) == reason
}

// Refusal is the status of a refusal inside err, with its own message (text added by wrapping is left out), and false
// when err is no refusal of the mesh.
func Refusal(err error) (*status.Status, bool) {
	var carrier interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &carrier) || info(err) == nil {
		return nil, false
	}
	return carrier.GRPCStatus(), true
}

// NotFound turns "no rows" into a NOT_FOUND refusal and wraps any other error.
func NotFound(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, format, args...)
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}

// Chinese is what a refusal says to who reads Chinese; empty when err is no refusal of the mesh.
func Chinese(err error) string {
	if st, ok := Refusal(err); ok {
		for _, d := range st.Details() {
			if m, ok := d.(*errdetails.LocalizedMessage); ok && m.GetLocale() == words.Locale {
				return m.GetMessage()
			}
		}
	}
	return ""
}

// Text is the message of a refusal, or of any gRPC status, without the code; for showing to people.
func Text(err error) string {
	if st, ok := Refusal(err); ok {
		return st.Message()
	}
	return status.Convert(err).Message()
}

func info(err error) *errdetails.ErrorInfo {
	var carrier interface{ GRPCStatus() *status.Status }
	if err == nil || !errors.As(err, &carrier) {
		return nil
	}
	for _, d := range carrier.GRPCStatus().Details() {
		if i, ok := d.(*errdetails.ErrorInfo); ok && i.GetDomain() == Domain {
			return i
		}
	}
	return nil
}
