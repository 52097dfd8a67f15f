package enforcement

import (
	"context"
	"log/slog"
	"time"

	caseworkv1 "quietline/proto/quietline/casework/v1"
)

// kindCase is the kind of subject that workflows drive for enforcement.
const kindCase = "case"

const (
	tellMost = 1000            // calls that may wait; what is more is left to the sweep
	tellCall = 5 * time.Second // a call's deadline: casework may be away
)

// teller tells casework, after the commit, of cases that are to start or have changed, without anyone waiting for it. What
// it drops the sweep starts, and the workflow looks up itself. The nil teller tells nobody.
type teller struct {
	casework caseworkv1.CaseworkServiceClient
	calls    chan func(context.Context) error
}

func newTeller(casework caseworkv1.CaseworkServiceClient) *teller {
	return &teller{casework: casework, calls: make(chan func(context.Context) error, tellMost)}
}

// start has the workflow of a case started.
func (t *teller) start(id string) {
	t.put(func(ctx context.Context) error {
		_, err := t.casework.Start(ctx, &caseworkv1.StartRequest{Kind: kindCase, Items: []*caseworkv1.Startable{{Id: id, Round: 1}}})
		return err
	})
}

// nudge has the workflow of a case look at it again.
func (t *teller) nudge(id string) {
	t.put(func(ctx context.Context) error {
		_, err := t.casework.NudgeSubject(ctx, &caseworkv1.NudgeSubjectRequest{Kind: kindCase, Id: id})
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
		slog.DebugContext(ctx, "casework was not told; it looks again by itself", slog.Any("error", err))
	}
}

// nudgeCase has the workflow of a case look at it again, after a commit.
func (s *Server) nudgeCase(caseID string) { s.tell.nudge(caseID) }
