package ledger

import (
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
)

// National is the scheme of numbers that are unique in the country.
const National = "national"

// Events and the states that they lead to.
const (
	allocated = "allocated"
	suspended = "suspended"
	resumed   = "resumed"
	recalled  = "recalled"

	stateActive    = "ACTIVE"
	stateSuspended = "SUSPENDED"
	stateRecalled  = "RECALLED"
)

// maxDigits is the longest number that the ledger holds; longer ones are dialled, never allocated.
const maxDigits = 18

// numberKey is a number as it is compared: its length and its value. Numbers of different lengths never meet.
type numberKey struct {
	digits int16
	value  int64
}

func keyOf(number string) (numberKey, bool) {
	if len(number) == 0 || len(number) > maxDigits {
		return numberKey{}, false
	}
	v, err := strconv.ParseInt(number, 10, 64)
	if err != nil || v < 0 {
		return numberKey{}, false
	}
	return numberKey{digits: int16(len(number)), value: v}, true
}

// digits writes a number out again, with the zeros in front.
func digitsOf(length int16, value int64) string {
	return fmt.Sprintf("%0*d", int(length), value)
}

// block reads the first and last number of an allocation; an empty last one means a single number.
func block(first, last string) (from, to numberKey, err error) {
	from, ok := keyOf(first)
	if !ok {
		return from, to, errs.Field("first_number", "must be 3 to %d digits", maxDigits)
	}
	if last == "" {
		return from, from, nil
	}
	to, ok = keyOf(last)
	switch {
	case !ok:
		return from, to, errs.Field("last_number", "must be 3 to %d digits", maxDigits)
	case to.digits != from.digits:
		return from, to, errs.Field("last_number", "must be as long as first_number")
	case to.value < from.value:
		return from, to, errs.Field("last_number", "must not be below first_number")
	}
	return from, to, nil
}

// stateAfter is the state that an event leads to.
func stateAfter(event string) string {
	switch event {
	case suspended:
		return stateSuspended
	case recalled:
		return stateRecalled
	default:
		return stateActive
	}
}

// eventsOf are the events that lead to a state; none for the empty state, which is every one.
func eventsOf(state string) ([]string, error) {
	switch state {
	case "":
		return []string{}, nil
	case stateActive:
		return []string{allocated, resumed}, nil
	case stateSuspended:
		return []string{suspended}, nil
	case stateRecalled:
		return []string{recalled}, nil
	}
	return nil, errs.Field("state", "must be %s, %s or %s", stateActive, stateSuspended, stateRecalled)
}

// allows says whether a resource whose last event is given takes another: act is false when there is nothing to do.
func allows(last, event string) (act bool, err error) {
	switch {
	case last == recalled:
		return false, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"the resource is recalled; nothing more can happen to it")
	case stateAfter(last) == stateAfter(event):
		return false, nil
	}
	return true, nil
}

// effectAfter keeps the history of a resource in order: an act takes effect now, yet after what came before, also when
// that was entered ahead of time or by a server whose clock is a little fast.
func effectAfter(now, last time.Time) time.Time {
	if now.After(last) {
		return now
	}
	return last.Add(time.Microsecond) // the database's precision
}
