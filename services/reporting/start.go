package reporting

import (
	"context"
	"log/slog"
	"time"

	caseworkv1 "quietline/proto/quietline/casework/v1"
)

const (
	startQueue = 20_000                 // rounds that wait to be asked for; more are left to the sweep
	startTick  = 100 * time.Millisecond // how often the allowance grows
	startMost  = 500                    // items of one call
	startCall  = 5 * time.Second        // a call's deadline: casework may be away
)

// starter asks casework to start rounds, after their commit, at a bounded rate and without anyone waiting for it. What it
// drops, because the queue is full, the rate is 0 or casework is away, is found by casework's sweep.
type starter struct {
	casework caseworkv1.CaseworkServiceClient
	rate     int // rounds a second
	rounds   chan round
	nudges   chan round
}

// newStarter makes a starter; a rate of 0 asks for nothing.
func newStarter(casework caseworkv1.CaseworkServiceClient, rate int) *starter {
	return &starter{casework: casework, rate: rate, rounds: make(chan round, startQueue), nudges: make(chan round, startMost)}
}

// start takes rounds on, and tells the round before one that re-opens that it is over. It never blocks.
func (s *starter) start(rounds ...round) {
	if s == nil {
		return
	}
	var begun []round
	for _, r := range rounds {
		switch {
		case r.joined:
			s.nudge(r)
			continue
		case r.number > 1:
			s.nudge(round{complaintID: r.complaintID, number: r.number - 1})
		}
		begun = append(begun, r)
	}
	if s.rate <= 0 {
		return
	}
	for _, r := range begun {
		select {
		case s.rounds <- r:
		default:
			return
		}
	}
}

// nudge tells a round's workflow that facts changed. It never blocks; a lost nudge costs time, never truth.
func (s *starter) nudge(r round) {
	if s == nil {
		return
	}
	select {
	case s.nudges <- r:
	default:
	}
}

// run asks until ctx ends.
func (s *starter) run(ctx context.Context) {
	tick := time.NewTicker(startTick)
	defer tick.Stop()
	allowed := 0.0
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-s.nudges:
			s.sendNudge(ctx, r)
		case <-tick.C:
			allowed = min(allowed+float64(s.rate)*startTick.Seconds(), float64(max(s.rate, 1)))
			if items := s.take(min(int(allowed), startMost)); len(items) > 0 {
				allowed -= float64(len(items))
				s.send(ctx, items)
			}
		}
	}
}

func (s *starter) take(n int) []*caseworkv1.Startable {
	var items []*caseworkv1.Startable
	for len(items) < n {
		select {
		case r := <-s.rounds:
			items = append(items, &caseworkv1.Startable{Id: r.complaintID, Round: r.number})
		default:
			return items
		}
	}
	return items
}

func (s *starter) send(ctx context.Context, items []*caseworkv1.Startable) {
	ctx, cancel := context.WithTimeout(ctx, startCall)
	defer cancel()
	if _, err := s.casework.Start(ctx, &caseworkv1.StartRequest{Kind: "complaint", Items: items}); err != nil && ctx.Err() == nil {
		slog.DebugContext(ctx, "casework was not asked; its sweep will find them", slog.Int("rounds", len(items)), slog.Any("error", err))
	}
}

func (s *starter) sendNudge(ctx context.Context, r round) {
	ctx, cancel := context.WithTimeout(ctx, startCall)
	defer cancel()
	if _, err := s.casework.Nudge(ctx, &caseworkv1.NudgeRequest{ComplaintId: r.complaintID, Round: r.number}); err != nil && ctx.Err() == nil {
		slog.DebugContext(ctx, "workflow was not nudged", slog.Any("error", err))
	}
}
