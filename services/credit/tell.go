package credit

import (
	"context"
	"log/slog"
	"time"

	caseworkv1 "quietline/proto/quietline/casework/v1"
)

// Kinds of subjects that workflows drive for the lists.
const (
	kindListing = "listing"
	kindRepair  = "repair"
)

const (
	tellMost = 1000            // calls that may wait; what is more is left to the sweep
	tellCall = 5 * time.Second // a call's deadline: casework may be away
)

// teller tells casework, after the commit, of proposals and applications that are to start or have changed, without anyone
// waiting for it. What it drops the sweep starts, and the workflow looks up itself. The nil teller tells nobody.
type teller struct {
	casework caseworkv1.CaseworkServiceClient
	calls    chan func(context.Context) error
}

func newTeller(casework caseworkv1.CaseworkServiceClient) *teller {
	return &teller{casework: casework, calls: make(chan func(context.Context) error, tellMost)}
}

func (t *teller) start(kind, id string) {
	t.put(func(ctx context.Context) error {
		_, err := t.casework.Start(ctx, &caseworkv1.StartRequest{Kind: kind, Items: []*caseworkv1.Startable{{Id: id, Round: 1}}})
		return err
	})
}

func (t *teller) nudge(kind, id string) {
	t.put(func(ctx context.Context) error {
		_, err := t.casework.NudgeSubject(ctx, &caseworkv1.NudgeSubjectRequest{Kind: kind, Id: id})
		return err
	})
}

func (t *teller) put(call func(context.Context) error) {
	if t == nil {
		return
	}
	select {
	case t.calls <- call:
	default:
	}
}

// run tells until ctx ends.
func (t *teller) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case call := <-t.calls:
			t.tell(ctx, call)
		}
	}
}

func (t *teller) tell(ctx context.Context, call func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, tellCall)
	defer cancel()
	if err := call(ctx); err != nil && ctx.Err() == nil {
		slog.DebugContext(ctx, "casework was not told; its sweep will find it", slog.Any("error", err))
	}
}
