package enforcement

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"quietline/services/enforcement/store"
)

// effectsDue are what the mesh has to do because of the case and has not done, in order.
func (m *matter) effectsDue() []effect {
	var out []effect
	add := func(kind string, seq int32, due *time.Time, facts map[string]string) {
		e := effect{key: kind + "/" + strconv.Itoa(int(seq)) + facts[factPart], kind: kind, facts: facts, due: due}
		if !m.done(e.key) {
			out = append(out, e)
		}
	}
	if m.Procedure == logBefore {
		m.ofBefore(add)
		return out
	}
	add(effBegin, m.beginnings(), nil, nil)
	if s := m.last(stepSend, 0); s != nil {
		add(effProcurator, s.Seq, nil, map[string]string{"to_agency": s.OtherAgencyID})
	}
	reversed := m.entered(stateReversed)
	delivered := m.entered(stateDelivered)
	if delivered > reversed {
		if m.listed() {
			add(effList, delivered, nil, nil)
		}
		add(effPublish, delivered, nil, nil)
		m.corrected(add)
		// 逾期不履行行政处罚决定: the dishonest list, once the court is asked (2018年3月名单管理通知)
		if court := m.last(stepCourt, delivered, outApplied); court != nil && m.listed() {
			add(effList, court.Seq, nil, map[string]string{"ground": "penalty_overdue"})
		}
	}
	// what was published is part of the result
	if seq, outcome := m.firstEffect(); seq != 0 && (delivered <= reversed || seq != delivered || m.published(seq)) {
		add(effTell, seq, nil, map[string]string{"outcome": outcome, "disclosure": m.disclosure(seq)})
	}
	if reversed != 0 {
		m.undone(reversed, add)
	}
	return out
}

// undone is what a reversal takes back: what was listed and published, what was restricted; and all are told
// (行政处罚法 48).
func (m *matter) undone(reversed int32, add func(string, int32, *time.Time, map[string]string)) {
	var due *time.Time
	if k := m.clock(basisWithdraw, reversed); k != nil {
		due = &k.DueTime
	}
	if id := m.onLists(); id != "" {
		add(effUnlist, reversed, due, map[string]string{"listing_id": id})
	}
	if e := m.did(effPublish); e != nil && e.TargetID != "" {
		add(effUnpublish, reversed, due, map[string]string{"publication_id": e.TargetID})
	}
	m.unrestrict(reversed, due, add)
	told := map[string]string{"outcome": outReversed, "disclosure": ""}
	if e := m.did(effPublish); e != nil {
		told["withdrawn"] = e.Result // what the complaints were told of it
	}
	add(effTell, reversed, nil, told)
}

// wasDue says whether an effect was due before the decision was taken back: it was under way then, and what it made is
// withdrawn after it.
func (m *matter) wasDue(key, kind string) bool {
	if m.corrects(key, kind) {
		return true
	}
	delivered := m.entered(stateDelivered)
	if delivered == 0 || kind != effPublish && (kind != effList || !m.listed()) {
		return false
	}
	court := m.seqOf(stepCourt, delivered, outApplied)
	return key == kind+"/"+strconv.Itoa(int(delivered)) || court != 0 && kind == effList && key == kind+"/"+strconv.Itoa(int(court))
}

// beginnings numbers the runs of the case: one, and one more each time that a closed case moved again.
func (m *matter) beginnings() int32 {
	n := int32(1)
	for _, e := range m.events {
		if e.FromState == closed && (e.ToState == stateReversed || e.Step == logRequest && e.Outcome == stepReverse ||
			e.Step == logRemedy && strings.HasSuffix(e.Outcome, "/"+remedyChanged)) {
			n++
		}
	}
	return n
}

// ofBefore: a case of before that nobody began goes by this procedure; one that runs ends by its script. A closed one that
// moves again is taken back as any other, and has all its runs on record (行政处罚法 48).
func (m *matter) ofBefore(add func(string, int32, *time.Time, map[string]string)) {
	runs := m.beginnings()
	if m.State == opened || runs > 1 {
		for n := int32(1); n <= runs; n++ {
			add(effBegin, n, nil, nil)
		}
	}
	reversed := m.entered(stateReversed)
	if reversed == 0 {
		return
	}
	// its script kept no record of what it made: it is withdrawn by the case
	if m.did(effList) == nil {
		add(effUnlist, reversed, nil, nil)
	}
	if m.did(effPublish) == nil {
		add(effUnpublish, reversed, nil, nil)
	}
	m.undone(reversed, add)
}

// firstEffect is the event that gives the reporters their result: the first delivery, no penalty, or transfer.
func (m *matter) firstEffect() (int32, string) {
	for _, e := range m.events {
		switch {
		case e.FromState == e.ToState:
		case e.ToState == stateDelivered:
			return e.Seq, "penalty"
		case e.ToState == stateNoPenalty, e.Step == stepOpen && e.ToState == closed:
			return e.Seq, "no_penalty"
		case e.ToState == stateTransferred:
			return e.Seq, "transferred"
		}
	}
	return 0, ""
}

// listed says whether the decision concerns the credit lists: every penalty of a firm does. A licensed operator is listed
// whatever its officer proposed (电信业务经营许可管理办法 42), every other firm gets its credit record (消费者权益保护法 56);
// the workflow finds out which.
func (m *matter) listed() bool { return !m.person && len(m.decidedPenalties()) > 0 }

// onLists is what the case brought onto the lists last; empty when nothing.
func (m *matter) onLists() string {
	for _, e := range slices.Backward(m.effects) {
		if e.Kind == effList && e.TargetID != "" {
			return e.TargetID
		}
	}
	return ""
}

// decidedPenalties are those of the last proposal that was signed, or what a remedy made of them.
func (m *matter) decidedPenalties() []store.CasePenalty {
	if m.changedAt() != 0 {
		return m.changedTo()
	}
	if len(m.proposals) == 0 || m.entered(decided) == 0 {
		return nil
	}
	return m.punished(m.proposals[len(m.proposals)-1].Seq)
}

// published says whether it is decided by now what becomes public of a delivery.
func (m *matter) published(seq int32) bool { return m.done(publishKey(seq)) }

// disclosure is what came of the publication, as the reporters are told.
func (m *matter) disclosure(seq int32) string {
	for _, e := range m.effects {
		if e.Key == publishKey(seq) {
			return e.Result
		}
	}
	return ""
}

func publishKey(seq int32) string { return effPublish + "/" + strconv.Itoa(int(seq)) }
