package ledger

import (
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/ledger/store"
)

// Events of a resource's history.
const (
	allocated           = "allocated"
	warned              = "warned"               // 警示
	suspended           = "suspended"            // 暂停
	resumed             = "resumed"              // 恢复
	recallNoticed       = "recall_noticed"       // 收回公告
	recallAbandoned     = "recall_abandoned"     // 终止收回
	recalled            = "recalled"             // 收回
	purposeChanged      = "purpose_changed"      // 变更用途
	allocationCorrected = "allocation_corrected" // 更正核配
	corrected           = "corrected"            // 更正: an act that was wrong
	ended               = "ended"                // 终止使用
	closed              = "closed"               // 关停: the grounds; the ending that follows is the end
)

// States of a resource. The first three are its standing; the others lie over it.
const (
	stateActive    = "ACTIVE"
	stateWarned    = "WARNED"
	stateSuspended = "SUSPENDED"
	stateNotice    = "RECALL_NOTICE"
	stateRecalled  = "RECALLED"
	stateEnded     = "ENDED"
)

// states are all of them, for filters.
var states = []string{stateActive, stateWarned, stateSuspended, stateNotice, stateRecalled, stateEnded}

// transition is a row of the table below: in which conditions an event is taken, and where it leads. What an event does not
// say stays as it was, so a suspension while a recall is announced does not end the announcement, and when the recall is
// abandoned the resource is still suspended.
type transition struct {
	standings []string // from these; nil: from each
	overs     []string // with these above; nil: with what is no end
	standing  string   // leads to this below; empty: as before
	over      string   // leads to this above; empty: as before; nothing: the standing shows again
}

const nothing = "-"

// transitions is the whole machine: what is not in it is refused.
var transitions = map[string]transition{
	allocated:           {overs: []string{nothing}}, // begins a history and happens to none
	warned:              {standings: []string{stateActive, stateWarned}, standing: stateWarned},
	suspended:           {standing: stateSuspended},
	resumed:             {standing: stateActive},
	recallNoticed:       {overs: []string{""}, over: stateNotice},
	recallAbandoned:     {overs: []string{stateNotice}, over: nothing},
	recalled:            {overs: []string{stateNotice}, over: stateRecalled},
	purposeChanged:      {},
	allocationCorrected: {overs: []string{"", stateNotice, stateRecalled, stateEnded}}, // the record of what is over may be wrong too
	corrected:           {overs: []string{"", stateNotice, stateRecalled, stateEnded}},
	ended:               {overs: []string{""}, over: stateEnded},
	closed:              {overs: []string{""}},
}

// condition is the state of a resource in its two layers.
type condition struct{ standing, over string }

func (c condition) state() string {
	if c.over != "" {
		return c.over
	}
	return c.standing
}

// final says whether nothing more happens to a resource.
func (c condition) final() bool { return c.over == stateRecalled || c.over == stateEnded }

func (c condition) after(event string) condition {
	t := transitions[event]
	if t.standing != "" {
		c.standing = t.standing
	}
	switch t.over {
	case "":
	case nothing:
		c.over = ""
	default:
		c.over = t.over
	}
	return c
}

// conditionOf replays a history, without the acts that were found wrong: what they did is undone with everything that
// came before and after them left in force.
func conditionOf(history []store.ResourceEvent, alsoWrong ...int64) condition {
	wrong := map[int64]bool{}
	for _, id := range alsoWrong {
		wrong[id] = true
	}
	for _, e := range history {
		if e.CorrectsEventID != nil {
			wrong[*e.CorrectsEventID] = true
		}
	}
	c := condition{standing: stateActive}
	for _, e := range history {
		if !wrong[e.EventID] {
			c = c.after(e.Event)
		}
	}
	return c
}

// sofar is a history without the ends that are entered but yet to come: until its end a resource is what it is, and takes
// what any other does.
func sofar(history []store.ResourceEvent, now time.Time) []store.ResourceEvent {
	return slices.DeleteFunc(slices.Clone(history), func(e store.ResourceEvent) bool {
		return e.Event == ended && e.EffectTime.After(now)
	})
}

// takes says whether a resource in a condition takes an event.
func takes(c condition, event string) error {
	t, known := transitions[event]
	switch {
	case !known:
		return wrongState("%q is nothing that happens to a resource", event)
	case (t.standings == nil || slices.Contains(t.standings, c.standing)) &&
		(t.overs == nil && !c.final() || slices.Contains(t.overs, c.over)):
		return nil
	case c.over == stateRecalled:
		return wrongState("the resource is recalled; nothing more can happen to it")
	case c.over == stateEnded:
		return wrongState("the use of the resource has ended; nothing more can happen to it")
	}
	return wrongState("nothing that is %s can be %s", c.state(), event)
}

func wrongState(format string, args ...any) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, format, args...)
}

// inForce are the warnings and suspensions of a history that stand: nothing has put the resource back since, and they
// were not found wrong.
func inForce(history []store.ResourceEvent) []store.ResourceEvent {
	wrong := map[int64]bool{}
	for _, e := range history {
		if e.CorrectsEventID != nil {
			wrong[*e.CorrectsEventID] = true
		}
	}
	var in []store.ResourceEvent
	for _, e := range history {
		switch {
		case e.Event == resumed:
			in = nil
		case (e.Event == warned || e.Event == suspended) && !wrong[e.EventID]:
			in = append(in, e)
		}
	}
	return in
}

// sameGround says whether a restriction is one that is in force already: ordered by the same task, or, without one, by
// the same agency for the same reason.
func sameGround(old store.ResourceEvent, e store.AddEventParams) bool {
	if old.Event != e.Event {
		return false
	}
	if old.TaskID != nil || e.TaskID != nil {
		return old.TaskID != nil && e.TaskID != nil && *old.TaskID == *e.TaskID
	}
	return agencyOf(old.DoneBy) == agencyOf(e.DoneBy) && old.ReasonCode == e.ReasonCode && old.Nature == e.Nature
}

// effectAfter keeps the history of a resource in order: an act takes effect now, yet after what came before, also when
// that was entered ahead of time or by a server whose clock is a little fast.
func effectAfter(now, last time.Time) time.Time {
	if now.After(last) {
		return now
	}
	return last.Add(time.Microsecond) // the database's precision
}
