package errs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
)

const closed = commonv1.ErrorReason_ERROR_REASON_CLOSED

func TestRefusal_keepsReasonAndOwnMessageWhenWrapped(t *testing.T) {
	err := fmt.Errorf("close complaint: %w", errs.New(codes.FailedPrecondition, closed, "case %s is closed", "7"))
	if got := errs.Reason(err); got != closed {
		t.Errorf("reason %v", got)
	}
	st, ok := errs.Refusal(err)
	if !ok || st.Code() != codes.FailedPrecondition || st.Message() != "case 7 is closed" {
		t.Errorf("refusal %v, %v", st, ok)
	}
	if got := errs.Text(err); got != "case 7 is closed" {
		t.Errorf("text %q", got)
	}
}

func TestRefusal_isNoneWithoutReason(t *testing.T) {
	for _, err := range []error{nil, errors.New("x"), status.Error(codes.NotFound, "from elsewhere")} {
		if _, ok := errs.Refusal(err); ok || errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_UNSPECIFIED {
			t.Errorf("%v taken for a refusal", err)
		}
	}
}

func TestNew_survivesTextThatIsNotUTF8(t *testing.T) {
	st, ok := errs.Refusal(errs.New(codes.InvalidArgument, closed, "bad \xff byte"))
	if !ok || !strings.Contains(st.Message(), "bad") {
		t.Errorf("got %v", st)
	}
}

func TestField_namesTheField(t *testing.T) {
	err := errs.Field("reports[3].number", "must be digits")
	if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) || errs.Text(err) != "reports[3].number: must be digits" {
		t.Errorf("got %v", err)
	}
}

func TestNotFound_onlyForNoRows(t *testing.T) {
	if err := errs.NotFound(pgx.ErrNoRows, "no task %d", 3); status.Code(err) != codes.NotFound || errs.Text(err) != "no task 3" {
		t.Errorf("got %v", err)
	}
	broken := errors.New("broken")
	if err := errs.NotFound(broken, "no task"); !errors.Is(err, broken) || errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) {
		t.Errorf("got %v", err)
	}
	if err := errs.NotFound(nil, "no task"); err != nil {
		t.Errorf("got %v", err)
	}
}
