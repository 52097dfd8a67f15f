package enforcement

import (
	"cmp"
	"slices"
	"time"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// Kinds of remedies, and facts of them that the rules look at.
const (
	reconsideration = "reconsideration"
	litigation      = "litigation"
	remedyFiled     = "filed"
	remedyAccepted  = "accepted"
	remedyChanged   = "changed"
)

// procedureOnspot is the procedure of what was punished on the spot.
const procedureOnspot = "simplified"

// counting are the facts of remedies that count: of those in time, and of late ones that were accepted.
func (m *matter) counting() []store.RemediesOfRow {
	accepted := map[string]bool{}
	for _, r := range m.remedies {
		accepted[r.RemedyID] = accepted[r.RemedyID] || r.Fact == remedyAccepted
	}
	return upTo(m.remedies, func(r store.RemediesOfRow) bool { return r.LateReason == "" || accepted[r.RemedyID] })
}

// mayRecordRemedy: what others decided stands in a document that has a number; and who investigated the case does not record
// that its decision fell or asks for less, as he takes no part in taking it back (行政复议法 75; 行政诉讼法 70, 77).
func (m *matter) mayRecordRemedy(req *enforcementv1.RecordRemedyRequest, by string) error {
	fact := req.GetFact()
	switch {
	case endsRemedy[fact] && fact != "withdrawn" && blank(req.GetDocumentNo()):
		return errs.Field("document_no", "must be the number of the decision or the judgment (行政复议法 第七十五条、行政诉讼法 第七十条、第七十七条)")
	case (reverses[fact] || fact == remedyChanged) && m.investigated(by):
		return samePerson("行政处罚法 第五十七条、第七十五条: who investigated the case does not record that its decision fell or was changed")
	}
	return nil
}

// opensSuit are the outcomes of a reconsideration after which the suit has fifteen days; what was punished on the spot is
// reconsidered first, so that the refusal opens the suit too (行政诉讼法 45; 行政复议法 23, 34).
func (m *matter) opensSuit() []string {
	if m.Procedure == procedureOnspot {
		return []string{"upheld", remedyChanged, outRefused}
	}
	return []string{"upheld", remedyChanged}
}

// mayBeSued: what was punished on the spot is reconsidered before it is sued (行政复议法 23).
func (m *matter) mayBeSued() error {
	if m.Procedure != procedureOnspot || slices.ContainsFunc(m.counting(), func(r store.RemediesOfRow) bool { return r.Kind == reconsideration }) {
		return nil
	}
	return refused("行政复议法 第二十三条: against a decision on the spot reconsideration is applied for first")
}

// remedyTerm is the clock in which a remedy is filed: for a suit the fifteen days after a reconsideration, else the six
// months; nil while a reconsideration runs, whose end sets the term (行政复议法 20; 行政诉讼法 45, 46).
func (m *matter) remedyTerm(kind string) *store.ClocksOfRow {
	if kind == reconsideration {
		return m.clock(basisReconsider, 0)
	}
	if r, _ := m.runs(reconsideration); r.id != "" && !r.idle {
		return nil
	}
	if k := m.clock(basisLitigateAfter, 0); k != nil {
		return k
	}
	return m.clock(basisLitigate, 0)
}

// missed says which last day was missed, and why; empty when it was not.
func missed(k *store.ClocksOfRow, at time.Time, reason string) string {
	if !at.After(k.DueTime) {
		return ""
	}
	article := map[string]string{basisReconsider: "行政复议法 第二十条", basisLitigateAfter: "行政诉讼法 第四十五条", basisLitigate: "行政诉讼法 第四十六条"}[k.Basis]
	words := article + ": the last day was " + onDay(k.DueTime) + ", it was filed on " + onDay(at)
	if reason != "" {
		words += "; " + reason
	}
	return words
}

// changeable: a change says what the decision is, in kinds of penalty with their basis, and is not harsher (行政复议法 63;
// 行政诉讼法 77).
func changeable(was []store.CasePenalty, now []*assignmentv1.PenaltyDetail, kind string) error {
	var before, after weight
	for _, p := range was {
		before.add(p.Kind, p.AmountFen)
	}
	kinds := map[string]bool{}
	for _, p := range now {
		if harshness[p.GetKind()] == 0 || kinds[p.GetKind()] {
			return errs.Field("changed", "must be penalties, each kind once (行政处罚法 第九条); what is taken away wholly is revoked")
		}
		kinds[p.GetKind()] = true
		if err := checkPenalty(p, p.GetAmount().GetFen()); err != nil {
			return err
		}
		after.add(p.GetKind(), p.GetAmount().GetFen())
	}
	if !after.harsherThan(before) {
		return nil
	}
	if kind == litigation {
		return refused("行政诉讼法 第七十七条: a judgment that changes a penalty does not make it harsher")
	}
	return refused("行政复议法 第六十三条: a change in reconsideration is no less favourable to the applicant")
}

// afterRemedy is the state that a fact leads to. A demand of an amount that was changed is made anew, unless the court was
// asked already (行政强制法 54).
func (m *matter) afterRemedy(fact string) string {
	fell := reverses[fact] || fact == remedyChanged && m.Procedure == logBefore
	switch {
	case fell && m.State != stateReversed && m.ReverseTime == nil:
		return stateReversed
	case fact == remedyChanged && m.State == stateDemanded && m.last(stepCourt, m.entered(stateDemanded), outApplied) == nil:
		return statePerforming
	}
	return m.State
}

// remediesOver is when all time for remedies is over: the last term that the party has not used, or the end of the last
// remedy. While one runs it is not known.
func (m *matter) remediesOver() time.Time {
	var end time.Time
	for _, k := range m.clocks {
		term := k.Basis == basisReconsider || k.Basis == basisLitigate || k.Basis == basisLitigateAfter
		if term && m.acted(k.ClockID, actMet) == nil && m.acted(k.ClockID, actCancelled) == nil {
			end = later(end, k.DueTime)
		}
	}
	for _, r := range m.counting() {
		if endsRemedy[r.Fact] {
			end = later(end, r.FactTime)
		}
	}
	return end
}

// courtClock is the clock of the three months that runs; nil when none does.
func (m *matter) courtClock() *store.ClocksOfRow {
	k := m.clock(basisCourt, 0)
	if k == nil || m.acted(k.ClockID, actMet) != nil || m.acted(k.ClockID, actCancelled) != nil {
		return nil
	}
	return k
}

// checkCourt: within the three months, neither before nor after (行政强制法 53).
func checkCourt(d deed) error {
	if d.GetOutcome() != outApplied {
		return nil
	}
	k := d.m.courtClock()
	switch {
	case k == nil || k.StartTime.After(d.at):
		return wrongState("行政强制法 第五十三条: the three months in which the court may be asked have not begun")
	case over(k, d.at):
		return refused("行政强制法 第五十三条: the court could be asked until %s (%s)", k.DueTime.UTC().Format(time.RFC3339), k.Proof)
	}
	return nil
}

// profile is the one under which the clocks of the case are computed.
func (m *matter) profile(otherwise string) string {
	if len(m.clocks) > 0 {
		return cmp.Or(m.clocks[0].Profile, otherwise)
	}
	return otherwise
}

func (m *matter) remediesProto() []*enforcementv1.CaseRemedy {
	out := remediesProto(m.remedies)
	seqs := map[string]int32{}
	for _, r := range m.remedies {
		if r.Fact == remedyChanged {
			seqs[r.RemedyID] = r.EventSeq
		}
	}
	for _, r := range out {
		for _, p := range m.changes {
			if seq, changed := seqs[r.GetRemedyId()]; changed && p.Seq == seq {
				r.Changed = append(r.Changed, decidedPenalty(p))
			}
		}
	}
	return out
}
