package ledger

import (
	"fmt"
	"strconv"

	"quietline/internal/errs"
)

// National is the scheme of numbers that are unique in the country.
const National = "national"

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
