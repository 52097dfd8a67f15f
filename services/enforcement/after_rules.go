package enforcement

import (
	"time"

	"quietline/services/enforcement/store"
)

// delivery is tried until it is done (行政处罚法 61).
func (m *matter) delivery() *planned {
	signed := m.seqOf(stepSign, 0, outSigned)
	t := m.task(stepDeliver, max(signed, m.seqOf(stepDeliver, signed, outFailed)), m.timeOf(signed))
	return &t
}

// performance is checked until it is there, or is found not to come (行政处罚法 66, 67).
func (m *matter) performance() *planned {
	if u := m.seqOf(stepConfirm, 0, outUnpaid); u > m.seqOf(stepCourt, 0, outNotTaken) {
		return m.one(stepDemand, u, m.timeOf(u))
	}
	since := max(m.entered(statePerforming), m.seqOf(stepConfirm, 0, outParts))
	t := m.task(stepConfirm, since, m.timeOf(since))
	t.due = m.performDue()
	if k := m.clock(basisPerform, 0); k != nil {
		t.statutory = &k.StatutoryDue
	}
	return &t
}

// performDue is when the term for performance, or the next instalment, ends.
func (m *matter) performDue() *time.Time {
	if last := m.seqOf(stepConfirm, 0, outParts); last != 0 {
		var due *time.Time
		for i := range m.instalments {
			if x := &m.instalments[i]; x.Seq == last {
				due = &x.DueTime
			}
		}
		return due
	}
	if k := m.clock(basisPerform, 0); k != nil {
		return &k.DueTime
	}
	return nil
}

// enforcement is the court, ten days after the demand and when no remedy is open any more (行政强制法 53, 54); who pays
// meanwhile has performed.
func (m *matter) enforcement(at time.Time) (*planned, *time.Time) {
	demand := m.entered(stateDemanded)
	if m.paidAll() {
		t := m.task(stepConfirm, demand, m.timeOf(demand))
		t.outcomes = []string{outPerformed}
		return &t, nil
	}
	if a := m.last(stepCourt, demand, outApplied); a != nil {
		return m.one(stepCourtResult, a.Seq, a.EventTime), nil
	}
	if wait := m.courtFrom(demand); wait != nil && wait.After(at) {
		return nil, wait
	}
	if m.remedyOpen() {
		return nil, nil // its end is a fact that is recorded
	}
	t := m.task(stepCourt, max(demand, m.seqOf(logRemedy, demand)), m.timeOf(demand))
	if k := m.clock(basisCourt, 0); k != nil {
		t.due, t.statutory = &k.DueTime, &k.StatutoryDue
	}
	return &t, nil
}

// courtFrom is the first time at which the court may be asked.
func (m *matter) courtFrom(demand int32) *time.Time {
	var from *time.Time
	for _, k := range []*store.ClocksOfRow{m.clock(basisDemand, demand), m.clock(basisLitigate, 0)} {
		if k != nil && m.acted(k.ClockID, actCancelled) == nil && (from == nil || k.DueTime.After(*from)) {
			from = &k.DueTime
		}
	}
	return from
}
