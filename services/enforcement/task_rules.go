package enforcement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// entered is the event by which the case last came into a state.
func (m *matter) entered(state string) int32 {
	var seq int32
	for _, e := range m.events {
		if e.ToState == state && e.FromState != state {
			seq = e.Seq
		}
	}
	return seq
}

// interrupt is the last event after which whatever was open is opened anew: officers, transfers, another agency.
func (m *matter) interrupt() int32 {
	return max(m.seqOf(stepAppoint, 0), m.seqOf(stepApprove, 0, outRefused), m.seqOf(stepDesignate, 0), m.seqOf(logRecuse, 0, "too_few"),
		m.seqOf(logRequest, 0, stepAppoint), m.seqOf(logLate, 0))
}

// after is the number a key is made of: the event that made the step due, or the interruption after it.
func (m *matter) after(seq int32) int32 { return max(seq, m.interrupt()) }

// timeOf is when an event happened; the opening when there is none.
func (m *matter) timeOf(seq int32) time.Time {
	for i := range m.events {
		if m.events[i].Seq == seq {
			return m.events[i].EventTime
		}
	}
	return m.OpenTime
}

// subjectOf is who wrote an event.
func (m *matter) subjectOf(seq int32) string {
	for _, e := range m.events {
		if e.Seq == seq {
			return e.Subject
		}
	}
	return ""
}

func (m *matter) one(step string, anchor int32, from time.Time) *planned {
	t := m.task(step, anchor, from)
	return &t
}

// task is a step at the case's agency, with who must not and who alone may decide it.
func (m *matter) task(step string, anchor int32, from time.Time) planned {
	t := planned{step: step, anchor: anchor, agency: m.AgencyID, from: from, outcomes: ways[step].outcomes,
		facts: map[string]string{"state": m.State, "person": fmt.Sprint(m.person), "article": ways[step].article}}
	var officers []string
	for _, o := range m.officers {
		if o.RecuseTime != nil {
			t.excluded = append(t.excluded, o.Subject)
		} else if o.AgencyID == m.AgencyID {
			officers = append(officers, o.Subject)
		}
	}
	switch {
	case investigates[step]:
		t.only = officers
		t.facts["officers"] = strings.Join(officers, ",")
	case notByOfficers[step]:
		t.excluded = append(t.excluded, officers...)
	}
	if step == stepSign || step == stepReview || step == stepLegal {
		t.excluded = append(t.excluded, m.othersOf(step)...)
	}
	if owed := m.owed(); owed > 0 && (step == stepConfirm || step == stepDemand || step == stepCourt) {
		t.facts["owed_fen"] = strconv.FormatInt(owed, 10)
	}
	slices.Sort(t.excluded)
	t.excluded = slices.Compact(t.excluded)
	return t
}

// othersOf are who proposed and reviewed: proposal, review and signature are three people's.
func (m *matter) othersOf(step string) []string {
	var out []string
	if p := m.proposal(); p != nil {
		out = append(out, subjectOfSignature(p.ProposedBy))
		if r := m.last(stepReview, p.Seq, outApproved); r != nil && step == stepSign {
			out = append(out, r.Subject)
		}
	}
	return out
}

// Who takes part in the investigation and who must not have.
var (
	investigates  = map[string]bool{stepInvestigate: true, stepOnspot: true}
	notByOfficers = map[string]bool{stepReview: true, stepHold: true, stepLegal: true, stepDiscuss: true, stepSign: true, stepApprove: true, stepExtend: true}
)

const minOfficers = 2
