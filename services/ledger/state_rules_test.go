package ledger

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/ledger/store"
)

// The whole machine: which event from which state, and where it leads.
func TestTransitions(t *testing.T) {
	from := map[string]condition{
		"ACTIVE": {standing: stateActive}, "WARNED": {standing: stateWarned}, "SUSPENDED": {standing: stateSuspended},
		"NOTICE": {stateActive, stateNotice}, "NOTICE+SUSPENDED": {stateSuspended, stateNotice},
		"RECALLED": {stateActive, stateRecalled}, "ENDED": {stateActive, stateEnded},
	}
	want := map[string]map[string]string{ // what is not here is refused
		warned: {"ACTIVE": "WARNED", "WARNED": "WARNED", "NOTICE": "WARNED/RECALL_NOTICE"},
		suspended: {"ACTIVE": "SUSPENDED", "WARNED": "SUSPENDED", "SUSPENDED": "SUSPENDED", "NOTICE": "SUSPENDED/RECALL_NOTICE",
			"NOTICE+SUSPENDED": "SUSPENDED/RECALL_NOTICE"},
		resumed: {"ACTIVE": "ACTIVE", "WARNED": "ACTIVE", "SUSPENDED": "ACTIVE", "NOTICE": "ACTIVE/RECALL_NOTICE",
			"NOTICE+SUSPENDED": "ACTIVE/RECALL_NOTICE"},
		recallNoticed:   {"ACTIVE": "ACTIVE/RECALL_NOTICE", "WARNED": "WARNED/RECALL_NOTICE", "SUSPENDED": "SUSPENDED/RECALL_NOTICE"},
		recallAbandoned: {"NOTICE": "ACTIVE", "NOTICE+SUSPENDED": "SUSPENDED"},
		recalled:        {"NOTICE": "ACTIVE/RECALLED", "NOTICE+SUSPENDED": "SUSPENDED/RECALLED"},
		ended:           {"ACTIVE": "ACTIVE/ENDED", "WARNED": "WARNED/ENDED", "SUSPENDED": "SUSPENDED/ENDED"},
		purposeChanged: {"ACTIVE": "ACTIVE", "WARNED": "WARNED", "SUSPENDED": "SUSPENDED", "NOTICE": "ACTIVE/RECALL_NOTICE",
			"NOTICE+SUSPENDED": "SUSPENDED/RECALL_NOTICE"},
		allocated: {},
	}
	for event, rows := range want {
		for name, c := range from {
			got := "refused"
			if err := takes(c, event); err == nil {
				after := c.after(event)
				if got = after.standing; after.over != "" {
					got += "/" + after.over
				}
			} else if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) {
				t.Errorf("%s from %s: %v", event, name, err)
			}
			wanted := rows[name]
			if wanted == "" {
				wanted = "refused"
			}
			if got != wanted {
				t.Errorf("%s from %s: %s, want %s", event, name, got, wanted)
			}
		}
	}
	if err := takes(condition{standing: stateActive}, "sold"); err == nil {
		t.Error("what is not in the table happens")
	}
}

// However a history goes on, taking a wrong act out of it leaves what it would have been without that act, and taking
// every act out leaves an active resource.
func TestConditionOf_withoutWhatWasWrong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := []string{warned, suspended, resumed, recallNoticed, recallAbandoned, purposeChanged}
		var history []store.ResourceEvent
		now := condition{standing: stateActive}
		for n := range rapid.IntRange(1, 12).Draw(t, "events") {
			event := rapid.SampledFrom(events).Draw(t, "event")
			if takes(now, event) != nil {
				continue
			}
			now = now.after(event)
			history = append(history, store.ResourceEvent{EventID: int64(n + 1), Event: event})
		}
		if got := conditionOf(history); got != now {
			t.Fatalf("replayed %v, step by step %v", got, now)
		}
		wrong := slices.IndexFunc(history, func(e store.ResourceEvent) bool { return e.Event == warned || e.Event == suspended })
		if wrong < 0 {
			return
		}
		id := history[wrong].EventID
		without := slices.Delete(slices.Clone(history), wrong, wrong+1)
		if got, want := conditionOf(history, id), conditionOf(without); got != want {
			t.Fatalf("without event %d: %v, want %v", id, got, want)
		}
		said := append(slices.Clone(history), store.ResourceEvent{EventID: 100, Event: corrected, CorrectsEventID: &id})
		if got, want := conditionOf(said), conditionOf(without); got != want {
			t.Fatalf("corrected: %v, want %v", got, want)
		}
		if slices.ContainsFunc(inForce(said), func(e store.ResourceEvent) bool { return e.EventID == id }) {
			t.Fatal("what was wrong is in force")
		}
	})
}

func TestSameEnterprise(t *testing.T) {
	for _, c := range []struct {
		x, y string
		want bool
	}{{"cmcc", "cmcc-11", true}, {"cmcc-11", "cmcc", true}, {"cmcc", "cmcc", true}, {"cmcc-11", "cmcc-1", false}, {"cmcc", "ctcc", false}, {"", "cmcc", false}} {
		if got := sameEnterprise(c.x, c.y); got != c.want {
			t.Errorf("%q and %q: %v", c.x, c.y, got)
		}
	}
	for by, want := range map[string]string{"li@ca-11": "ca-11", "li@ca-11@ca-11": "ca-11", "li": ""} {
		if got := agencyOf(by); got != want {
			t.Errorf("agency of %s: %s", by, got)
		}
	}
	if fmt.Sprint(administers("ca-11", "11"), administers("miit", "11"), administers("ca-31", "11"), administers("samr-11", "11")) != "true true false false" {
		t.Error("who administers a resource")
	}
}
