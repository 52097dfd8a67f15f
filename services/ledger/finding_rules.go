package ledger

import (
	"slices"
	"strings"

	"quietline/internal/phone"
	"quietline/services/ledger/store"
)

// Kinds of findings that a complaint shows; the others come from campaigns and self-inspection.
const (
	purposeDiffers     = "purpose_differs"
	callerNotPermitted = "caller_not_permitted"
)

// Sources and states of findings.
const (
	byComplaint = "complaint"

	findingOpen      = "OPEN"
	findingRectified = "RECTIFIED"
	findingConfirmed = "CONFIRMED"
	findingDismissed = "DISMISSED"
	findingClosed    = "CLOSED" // the line was closed: nothing is left to be put right
)

// observation is what a substantiated complaint showed of a number.
type observation struct{ number, category, sector string }

// deviation is a difference between declared and observed.
type deviation struct{ kind, declared, observed string }

// compare holds what was observed against what is declared. Who declared no caller numbers is held to its purpose alone.
func compare(o observation, a store.Allocation, p store.Purpose) []deviation {
	var found []deviation
	marketing := o.category == "commercial"
	if !p.CallsOut || marketing && !p.Markets {
		seen := "outbound_calls"
		if marketing {
			seen = "outbound_marketing"
		}
		if o.sector != "" {
			seen += "/" + o.sector
		}
		found = append(found, deviation{purposeDiffers, a.Purpose, seen})
	}
	area := phone.AreaCode(digitsOf(a.Digits, a.FirstNumber)) // callers of the line's own area may be listed without it
	shown := func(c string) bool { return c == o.number || local(c) && area != "" && area+c == o.number }
	if len(a.PermittedCallers) > 0 && !slices.ContainsFunc(a.PermittedCallers, shown) {
		found = append(found, deviation{callerNotPermitted, strings.Join(a.PermittedCallers, " "), o.number})
	}
	return found
}

// decidable says whether a finding goes from a state to another: what is confirmed can still be put right, what is put right
// or dismissed is over.
func decidable(from, to string) bool {
	return from == findingOpen || from == findingConfirmed && (to == findingRectified || to == findingClosed)
}
