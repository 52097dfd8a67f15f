package enforcement

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"quietline/services/enforcement/store"
)

// A decision that a reconsideration or a suit changed stands with its new content: what was paid stays paid, the rest is
// collected. What was published is corrected in its place, or taken down where its new content is not published; what was
// listed is withdrawn and judged anew (行政复议法 63; 行政诉讼法 77; 行政处罚法 48).

// effCorrect puts a publication right.
const effCorrect = "correct_publication"

// changedAt is the line of the log that changed the decision last; 0 when it stands as signed.
func (m *matter) changedAt() int32 {
	if n := len(m.changes); n > 0 {
		return m.changes[n-1].Seq
	}
	return 0
}

// changedTo are the penalties of the last change.
func (m *matter) changedTo() []store.CasePenalty {
	c := m.changedAt()
	return upTo(m.changes, func(p store.CasePenalty) bool { return p.Seq == c })
}

// corrected is what follows from the last change.
func (m *matter) corrected(add func(string, int32, *time.Time, map[string]string)) {
	c := m.changedAt()
	if c == 0 {
		return
	}
	var due *time.Time
	if k := m.clock(basisWithdraw, c); k != nil {
		due = &k.DueTime
	}
	if e := m.did(effPublish); e != nil && e.TargetID != "" {
		add(effCorrect, c, due, map[string]string{"publication_id": e.TargetID})
	}
	if id := m.listedBefore(c); id != "" {
		add(effUnlist, c, due, map[string]string{"listing_id": id})
		add(effList, c, due, nil)
	}
}

// listedBefore is what the case brought onto the lists before a change; empty when nothing.
func (m *matter) listedBefore(c int32) string {
	for _, e := range slices.Backward(m.effects) {
		if e.Kind == effList && e.TargetID != "" && e.Key != ofChange(effList, c) {
			return e.TargetID
		}
	}
	return ""
}

// toCorrect says whether something public or listed says what was before the change.
func (m *matter) toCorrect() bool {
	found := false
	m.corrected(func(string, int32, *time.Time, map[string]string) { found = true })
	return found
}

// corrects says whether an effect is one of a change: it was under way when the decision fell.
func (m *matter) corrects(key, kind string) bool {
	return slices.ContainsFunc(m.changes, func(p store.CasePenalty) bool {
		return key == ofChange(kind, p.Seq) && slices.Contains([]string{effCorrect, effUnlist, effList}, kind)
	})
}

// allCorrected says whether everything that the last change had to put right is.
func (m *matter) allCorrected() bool {
	c := m.changedAt()
	return c != 0 && m.ReverseTime == nil && !slices.ContainsFunc(m.effectsDue(), func(e effect) bool {
		return strings.HasSuffix(e.key, ofChange("", c))
	})
}

func ofChange(kind string, c int32) string { return kind + "/" + strconv.Itoa(int(c)) }
