// Package tell is how an owner tells casework, after its commit, that a workflow is to start or that its subject has
// changed, without anyone waiting for it.
package tell

import (
	"context"
	"log/slog"
	"time"

	"quietline/internal/identity"
	"quietline/internal/rpc"
	caseworkv1 "quietline/proto/quietline/casework/v1"
)

const (
	most     = 1000            // calls that may wait; what is more is left to the sweep
	callTime = 5 * time.Second // a call's deadline: casework may be away
)

// Teller tells casework. What it drops the sweep starts, and the workflow looks up itself. The nil Teller tells nobody.
type Teller struct {
	casework caseworkv1.CaseworkServiceClient
	calls    chan func(context.Context) error
}

// Dial makes a Teller that tells the casework at addr until ctx ends, and what closes its connection; without addr, the
// Teller that tells nobody.
func Dial(ctx context.Context, addr string, src identity.Source) (*Teller, func(), error) {
	if addr == "" {
		return nil, func() {}, nil
	}
	conn, err := rpc.Dial(addr, identity.Workflows, src)
	if err != nil {
		return nil, nil, err
	}
	t := &Teller{casework: caseworkv1.NewCaseworkServiceClient(conn), calls: make(chan func(context.Context) error, most)}
	go t.run(ctx)
	return t, func() { _ = conn.Close() }, nil
}

// Start has the workflow of a subject started.
func (t *Teller) Start(kind, id string) {
	t.put(func(ctx context.Context) error {
		_, err := t.casework.Start(ctx, &caseworkv1.StartRequest{Kind: kind, Items: []*caseworkv1.Startable{{Id: id, Round: 1}}})
		return err
	})
}

// Nudge has the workflow of a subject look at it again.
func (t *Teller) Nudge(kind, id string) {
	t.put(func(ctx context.Context) error {
		_, err := t.casework.NudgeSubject(ctx, &caseworkv1.NudgeSubjectRequest{Kind: kind, Id: id})
		return err
	})
}

func (t *Teller) put(call func(context.Context) error) {
	if t == nil {
		return
	}
	select {
	case t.calls <- call:
	default:
	}
}

// run tells until ctx ends.
func (t *Teller) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case call := <-t.calls:
			t.tell(ctx, call)
		}
	}
}

func (t *Teller) tell(ctx context.Context, call func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := call(ctx); err != nil && ctx.Err() == nil {
		slog.DebugContext(ctx, "casework was not told; it finds out by itself", slog.Any("error", err))
	}
}
