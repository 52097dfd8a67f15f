package pg

import (
	"context"
	"time"
)

// MaxWait bounds a long poll, whatever the caller asks for.
const MaxWait = time.Minute

// spare is left of the caller's deadline for the answer to travel.
const spare = 200 * time.Millisecond

type drainKey struct{}

// WithDrain gives long polls a channel whose closing ends them early, with what they have: a server that is asked to
// stop must not wait a minute for idle readers. The server's chain sets it.
func WithDrain(ctx context.Context, stopping <-chan struct{}) context.Context {
	return context.WithValue(ctx, drainKey{}, stopping)
}

// LongPoll asks fetch for rows until there are some, maxWait is over, the caller's deadline is near or the server is
// stopping; then it returns what there is, maybe nothing. It holds no connection while it waits.
func LongPoll[T any](ctx context.Context, maxWait, interval time.Duration, fetch func(ctx context.Context) ([]T, error)) ([]T, error) {
	return LongPollWoken(ctx, maxWait, func() time.Duration { return interval }, func() <-chan struct{} { return nil }, fetch)
}

// LongPollWoken is LongPoll that also asks when it is woken: wake is asked for a channel before each look, and its closing
// means that there may be news. The interval may change while it waits.
func LongPollWoken[T any](ctx context.Context, maxWait time.Duration, interval func() time.Duration, wake func() <-chan struct{},
	fetch func(ctx context.Context) ([]T, error),
) ([]T, error) {
	maxWait = min(maxWait, MaxWait)
	if deadline, ok := ctx.Deadline(); ok {
		maxWait = min(maxWait, time.Until(deadline)-spare)
	}
	stopping, _ := ctx.Value(drainKey{}).(<-chan struct{}) // nil never closes
	end := time.NewTimer(max(maxWait, 0))
	defer end.Stop()
	tick := time.NewTicker(interval())
	defer tick.Stop()
	for {
		woken := wake()
		rows, err := fetch(ctx)
		if err != nil || len(rows) > 0 || maxWait <= 0 {
			return rows, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-stopping:
			return nil, nil
		case <-end.C:
			return nil, nil
		case <-woken:
			tick.Reset(interval())
		case <-tick.C:
		}
	}
}
