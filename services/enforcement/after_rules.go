package enforcement

import "time"

// delivery is tried until it is done (行政处罚法 61).
func (m *matter) delivery() *planned {
	signed := m.seqOf(stepSign, 0, outSigned)
	t := m.task(stepDeliver, max(signed, m.seqOf(stepDeliver, signed, outFailed)), m.timeOf(signed))
	return &t
}

// performance is checked until it is there, or is found not to come (行政处罚法 66, 67).
func (m *matter) performance(at time.Time) *planned {
	if asked, _ := m.plans(); asked != 0 {
		t := m.task(stepParts, asked, m.timeOf(asked))
		t.excluded = append(t.excluded, m.subjectOf(asked))
		return &t
	}
	unpaid := m.seqOf(stepConfirm, 0, outUnpaid)
	if unpaid > max(m.seqOf(stepCourt, 0, outNotTaken), m.changedAt()) && !m.settled(at) {
		return m.one(stepDemand, unpaid, m.timeOf(unpaid))
	}
	since := max(m.entered(statePerforming), m.seqOf(stepParts, 0), unpaid, m.changedAt())
	t := m.task(stepConfirm, since, m.timeOf(since))
	if due := m.performDue(); due != nil { // the party's term is not the agency's: that begins when it is over
		t.from = later(t.from, *due)
	}
	return &t
}

// performDue is when the term for performance ends; with instalments, that of the last of them.
func (m *matter) performDue() *time.Time {
	if _, plan := m.plans(); plan != 0 {
		if parts := m.partsOf(plan); len(parts) > 0 {
			return &parts[len(parts)-1].DueTime
		}
	}
	if k := m.clock(basisPerform, 0); k != nil {
		return &k.DueTime
	}
	return nil
}

// settled says whether something was paid and nothing is owed, what was added for late payment included (行政处罚法 72).
func (m *matter) settled(at time.Time) bool { return len(m.payments) > 0 && m.debtAt(at).owed() == 0 }

// enforcement is the court, ten days after the demand and when no remedy is open any more (行政强制法 53, 54); who pays
// all of it meanwhile has performed.
func (m *matter) enforcement(at time.Time) (*planned, *time.Time) {
	demand := m.entered(stateDemanded)
	if m.settled(at) {
		t := m.task(stepConfirm, demand, m.timeOf(max(demand, m.seqOf(logPayment, demand))))
		t.outcomes = []string{outPerformed}
		return &t, nil
	}
	if a := m.last(stepCourt, demand, outApplied); a != nil {
		return m.one(stepCourtResult, a.Seq, a.EventTime), nil
	}
	if m.remedyOpen() {
		return nil, nil // its end is a fact that is recorded
	}
	if wait := m.courtFrom(demand); wait.After(at) {
		return nil, &wait
	}
	t := m.task(stepCourt, max(demand, m.seqOf(logRemedy, demand)), m.timeOf(demand))
	if k := m.courtClock(); k != nil {
		t.due, t.statutory = &k.DueTime, &k.StatutoryDue
	}
	return &t, nil
}

// courtFrom is the first time at which the court may be asked.
func (m *matter) courtFrom(demand int32) time.Time {
	from := m.remediesOver()
	if k := m.clock(basisDemand, demand); k != nil && m.acted(k.ClockID, actCancelled) == nil {
		from = later(from, k.DueTime)
	}
	return from
}
