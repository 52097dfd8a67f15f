package enforcement

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// matter is all that the rules of the procedure know of a case. They look at nothing else.
type matter struct {
	store.EnforcementCase
	person      bool
	events      []store.CaseEvent
	officers    []store.OfficersOfRow
	proposals   []store.CaseProposal
	penalties   []store.CasePenalty
	clocks      []store.ClocksOfRow
	clockActs   []store.CaseClockAct
	effects     []store.CaseEffect
	payments    []store.CasePayment
	instalments []store.CaseInstalment
	remedies    []store.RemediesOfRow
	changes     []store.CasePenalty // what a remedy made of the decision, each time anew
	remissions  []store.CaseRemission
	evidence    []store.EvidenceTitlesRow
	restricted  []store.MeasureRecord // numbers, on the same finding; read when the decision was taken back
	begunDay    bool                  // a late day that has begun counts
}

// matterOf reads a case for the rules.
func matterOf(ctx context.Context, q *store.Queries, id string) (*matter, error) {
	m := &matter{}
	steps := []func() error{
		func() (err error) { m.EnforcementCase, err = q.CaseByID(ctx, id); return },
		func() (err error) { m.person, err = q.CasePerson(ctx, id); return },
		func() (err error) { m.events, err = q.EventsOf(ctx, id); return },
		func() (err error) { m.officers, err = q.OfficersOf(ctx, id); return },
		func() (err error) { m.proposals, err = q.ProposalsOf(ctx, id); return },
		func() (err error) { m.penalties, err = q.PenaltiesOf(ctx, id); return },
		func() (err error) { m.clocks, err = q.ClocksOf(ctx, id); return },
		func() (err error) { m.clockActs, err = q.ClockActsOf(ctx, id); return },
		func() (err error) { m.effects, err = q.EffectsOf(ctx, id); return },
		func() (err error) { m.payments, err = q.PaymentsOf(ctx, id); return },
		func() (err error) { m.instalments, err = q.InstalmentsOf(ctx, id); return },
		func() (err error) { m.remedies, err = q.RemediesOf(ctx, id); return },
		func() (err error) { m.remissions, err = q.RemissionsOf(ctx, id); return },
		func() error { return m.readChanges(ctx, q) },
		func() (err error) { m.evidence, err = q.EvidenceTitles(ctx, id); return },
		func() (err error) {
			if m.DeliverTime != nil {
				m.begunDay, err = q.LateDayBegun(ctx, id)
			}
			return err
		},
		func() (err error) {
			if m.ReverseTime != nil {
				m.restricted, err = q.RestrictionsOf(ctx, id)
			}
			return err
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *matter) readChanges(ctx context.Context, q *store.Queries) error {
	rows, err := q.ChangesOf(ctx, m.CaseID)
	for _, r := range rows {
		m.changes = append(m.changes, store.CasePenalty(r))
	}
	return err
}

// asOf is the matter as it was known at a time: the log is cut before its first line that came later, so that a decision
// is judged by what its decider could know. The lines up to anchor were known whatever the clocks say: the task that was
// decided came from them.
func (m *matter) asOf(at time.Time, anchor int32) *matter {
	was := *m
	was.officers = officersAsOf(m.officers, at)
	i := slices.IndexFunc(m.events, func(e store.CaseEvent) bool { return e.Seq > anchor && e.EventTime.After(at) })
	if i < 0 {
		return &was
	}
	was.events = m.events[:i]
	if i > 0 {
		was.State = m.events[i-1].ToState
	} else {
		was.State = m.events[i].FromState
	}
	known := was.next()
	was.proposals = upTo(m.proposals, func(p store.CaseProposal) bool { return p.Seq < known })
	was.clocks = upTo(m.clocks, func(k store.ClocksOfRow) bool { return k.EventSeq < known })
	was.clockActs = upTo(m.clockActs, func(a store.CaseClockAct) bool { return !a.ActTime.After(at) })
	was.payments = upTo(m.payments, func(p store.CasePayment) bool { return p.EventSeq < known })
	was.instalments = upTo(m.instalments, func(i store.CaseInstalment) bool { return i.Seq < known })
	was.remedies = upTo(m.remedies, func(r store.RemediesOfRow) bool { return r.EventSeq < known })
	was.changes = upTo(m.changes, func(p store.CasePenalty) bool { return p.Seq < known })
	was.remissions = upTo(m.remissions, func(r store.CaseRemission) bool { return r.Seq < known })
	return &was
}

// officersAsOf are those who were appointed by then; who was recused later was in office.
func officersAsOf(all []store.OfficersOfRow, at time.Time) []store.OfficersOfRow {
	out := upTo(all, func(o store.OfficersOfRow) bool { return !o.AppointTime.After(at) })
	for i := range out {
		if out[i].RecuseTime != nil && out[i].RecuseTime.After(at) {
			out[i].RecuseTime = nil
		}
	}
	return out
}

// decidedAt is when a step was decided by the clock of its owner, neither before the line of the log that its task came
// from nor in the future: the clocks of two services differ.
func (m *matter) decidedAt(st *enforcementv1.CaseStep, now time.Time) time.Time {
	at := now
	if t := st.GetDecidedTime(); t != nil {
		at = earlier(t.AsTime().UTC().Truncate(time.Microsecond), now)
	}
	if anchor := anchorOf(st.GetKey()); anchor > 0 {
		at = later(at, m.timeOf(anchor))
	}
	return at
}

// anchorOf is the event that a key of the plan was made of; 0 when there is no key.
func anchorOf(key string) int32 {
	_, n, _ := strings.Cut(key, "/")
	n, _, _ = strings.Cut(n, "/")
	anchor, err := strconv.ParseInt(n, 10, 32)
	if err != nil {
		return 0
	}
	return int32(anchor)
}

// upTo are the items that a time knew, in their order.
func upTo[T any](items []T, known func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(items), func(t T) bool { return !known(t) })
}

// last is the last event of a step after a number of the log, nil when there is none. No outcomes mean any.
func (m *matter) last(step string, after int32, outcomes ...string) *store.CaseEvent {
	for i := len(m.events) - 1; i >= 0 && m.events[i].Seq > after; i-- {
		e := &m.events[i]
		if e.Step == step && (len(outcomes) == 0 || slices.Contains(outcomes, e.Outcome)) {
			return e
		}
	}
	return nil
}

// seqOf is the number of the last event of a step after a number; 0 when there is none.
func (m *matter) seqOf(step string, after int32, outcomes ...string) int32 {
	if e := m.last(step, after, outcomes...); e != nil {
		return e.Seq
	}
	return 0
}

// next is the number of the next line of the log.
func (m *matter) next() int32 {
	if n := len(m.events); n > 0 {
		return m.events[n-1].Seq + 1
	}
	return 1
}

// proposal is the one that the case goes on with: the last, unless it was sent back since; nil when there is none.
func (m *matter) proposal() *store.CaseProposal {
	if len(m.proposals) == 0 {
		return nil
	}
	p := &m.proposals[len(m.proposals)-1]
	if m.sentBack() > p.Seq {
		return nil
	}
	return p
}

// sentBack is the number of the last event that made the case be investigated again.
func (m *matter) sentBack() int32 {
	var seq int32
	claimant := ""
	for _, e := range m.events {
		if e.Step == logDispute {
			claimant = e.OtherAgencyID
		}
		back := e.Outcome == outReturned || e.Step == stepAnswer && e.Outcome == outAdopted || e.Step == stepOnspot && e.Outcome == outOrdinary ||
			e.Step == stepDesignate && e.OtherAgencyID == claimant // another agency investigates for itself
		if back {
			seq = e.Seq
		}
	}
	return seq
}

// punished are the penalties of a proposal.
func (m *matter) punished(seq int32) []store.CasePenalty {
	return upTo(m.penalties, func(p store.CasePenalty) bool { return p.Seq == seq })
}

// inOffice are the officers of the case's agency who were not recused.
func (m *matter) inOffice(at time.Time) []string {
	var out []string
	for _, o := range m.officers {
		if o.AgencyID == m.AgencyID && (o.RecuseTime == nil || o.RecuseTime.After(at)) {
			out = append(out, o.Subject)
		}
	}
	return out
}

// investigated says whether somebody is, or was, an officer of the case.
func (m *matter) investigated(subject string) bool {
	return slices.ContainsFunc(m.officers, func(o store.OfficersOfRow) bool { return o.Subject == subject })
}

// judged says whether somebody took, or took part in, a step that no officer may take, or is to chair the hearing.
func (m *matter) judged(subject string) bool {
	return slices.ContainsFunc(m.events, func(e store.CaseEvent) bool {
		return e.Subject == subject && notByOfficers[e.Step] || e.Step == stepAnnounce && e.Chair == subject ||
			e.Step == stepDiscuss && slices.Contains(e.Participants, subject)
	})
}

// recused says whether somebody had to step back.
func (m *matter) recused(subject string, at time.Time) bool {
	return slices.ContainsFunc(m.officers, func(o store.OfficersOfRow) bool {
		return o.Subject == subject && o.RecuseTime != nil && !o.RecuseTime.After(at)
	})
}

// clock is the last clock of a basis that started with or after an event; nil when there is none.
func (m *matter) clock(basis string, from int32) *store.ClocksOfRow {
	var found *store.ClocksOfRow
	for i := range m.clocks {
		if k := &m.clocks[i]; k.Basis == basis && k.EventSeq >= from && (found == nil || k.EventSeq >= found.EventSeq) {
			found = k
		}
	}
	return found
}

// firstClock is the first clock of a basis; nil when there is none.
func (m *matter) firstClock(basis string) *store.ClocksOfRow {
	var found *store.ClocksOfRow
	for i := range m.clocks {
		if k := &m.clocks[i]; k.Basis == basis && (found == nil || k.EventSeq < found.EventSeq) {
			found = k
		}
	}
	return found
}

// over says whether a clock has run out at a time.
func over(k *store.ClocksOfRow, at time.Time) bool { return k != nil && !k.DueTime.After(at) }

// acted says whether something happened to a clock, and when.
func (m *matter) acted(clockID, kind string) *time.Time {
	for _, a := range m.clockActs {
		if a.ClockID == clockID && a.Kind == kind {
			return &a.ActTime
		}
	}
	return nil
}

// paused says whether a clock stands still.
func (m *matter) paused(clockID string) bool {
	kind := ""
	for _, a := range m.clockActs {
		if a.ClockID == clockID && (a.Kind == actPaused || a.Kind == actResumed) {
			kind = a.Kind
		}
	}
	return kind == actPaused
}

// did is the effect of a kind that made something and is on record; nil when there is none.
func (m *matter) did(kind string) *store.CaseEffect {
	for i := len(m.effects) - 1; i >= 0; i-- {
		if m.effects[i].Kind == kind {
			return &m.effects[i]
		}
	}
	return nil
}

// done says whether an effect is on record.
func (m *matter) done(key string) bool {
	return slices.ContainsFunc(m.effects, func(e store.CaseEffect) bool { return e.Key == key })
}
