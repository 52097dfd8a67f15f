// Package portability says which operator a ported number (携号转网) was served by at a time. Source is what the ledger
// asks; File is the adapter for a table as the number-portability centre (号码携带业务管理系统) gives it out: a CSV file.
package portability

import (
	"context"
	"time"
)

// A Porting is who served a number from a time on.
type Porting struct {
	OperatorID string // agency_id of the directory
	Since      time.Time
	Until      time.Time // zero: it has no end yet
}

// A Source knows ported numbers. Of a number that it does not know at that time, ok is false: it was not ported, or the
// source does not reach back so far. When the last porting before that time has ended by then, p is that one, for its end.
type Source interface {
	ServedBy(ctx context.Context, number string, at time.Time) (p Porting, ok bool, err error)
}

// None is the source where there is none.
type None struct{}

// ServedBy knows nothing.
func (None) ServedBy(context.Context, string, time.Time) (Porting, bool, error) {
	return Porting{}, false, nil
}
