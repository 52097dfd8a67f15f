package disclosure

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/disclosure/store"
)

// Units that owners count for scorecards.
const (
	inAccess          = "access_complaints"
	inOperatorTasks   = "operator_tasks"
	inOperatorMinutes = "operator_minutes"
)

const (
	allSteps  = "all"
	traceback = "traceback" // a duty in a matter that is nobody's score
	// overAll decides where the directory names no administration over an operator any more.
	overAll = "miit"
)

// scoring is the cards of a period while they are made.
type scoring struct {
	period  string
	sources []string
	cards   map[string]*card
}

// card is an operator's.
type card struct {
	store.InsertScorecardParams
	steps   map[string]*cardStep
	appeals []string // as they are hashed
}

type cardStep struct {
	store.InsertScorecardStepParams
	minutes map[int64]int64
}

func (m *scoring) card(operator string) *card {
	c := m.cards[operator]
	if c == nil {
		c = &card{steps: map[string]*cardStep{}}
		c.OperatorID, c.Name, c.AdministrationID = operator, operator, overAll
		m.cards[operator] = c
	}
	return c
}

func (c *card) step(name string) *cardStep {
	s := c.steps[name]
	if s == nil {
		s = &cardStep{minutes: map[int64]int64{}}
		s.OperatorID, s.Step, s.Scored = c.OperatorID, name, name != traceback
		c.steps[name] = s
	}
	return s
}

// count takes in a frozen count, if it is one of operators.
func (m *scoring) count(owner string, n *commonv1.DayCount) {
	operator, step, _ := strings.Cut(n.GetKey(), "/")
	switch {
	case owner == "reporting" && n.GetUnit() == inAccess:
		m.card(operator).complaint(n.GetColumn(), n.GetCount())
	case owner != "assignment":
	case n.GetUnit() == inOperatorTasks:
		m.card(operator).step(step).task(n.GetColumn(), n.GetCount())
	case n.GetUnit() == inOperatorMinutes:
		m.card(operator).step(step).minutes[n.GetBucket()] += n.GetCount()
	}
}

func (c *card) complaint(column string, n int64) {
	at := map[string]*int64{
		"": &c.Complaints, "checked": &c.Checked, "substantiated": &c.Substantiated, "handled": &c.Handled, "repeated": &c.Repeated, "reopened": &c.Reopened,
	}[column]
	if at != nil {
		*at += n
	}
}

func (s *cardStep) task(column string, n int64) {
	at := map[string]*int64{"asked": &s.Asked, "answered": &s.Answered, "bounced": &s.Bounced, "overdue": &s.Overdue}[column]
	if at != nil {
		*at += n
	}
}

// appeal takes in an appeal as it was frozen for a month.
func (m *scoring) appeal(a store.ScorecardAppeal) {
	c := m.card(a.OperatorID)
	if a.Filed {
		c.Appeals++
		if a.State == "UPHELD" || a.State == "RESTORED" {
			c.Upheld++
		}
	}
	c.Deducted += int64(a.Effect)
	id := ""
	if a.DeductionID != nil {
		id = *a.DeductionID
	}
	c.appeals = append(c.appeals, fmt.Sprintf("appeal\t%s\t%t\t%s\t%s\t%s\t%d", a.AppealID, a.Filed, a.State, id, a.DeductionState, a.Effect))
}

// finish adds up what is scored and hashes every card, and the hashes.
func (m *scoring) finish() ([]*card, string) {
	all := sha256.New()
	var out []*card
	for _, operator := range slices.Sorted(maps.Keys(m.cards)) {
		c := m.cards[operator]
		c.total()
		c.Hash = c.hash(m)
		_, _ = fmt.Fprintf(all, "%s\t%s\n", operator, c.Hash)
		out = append(out, c)
	}
	_, _ = fmt.Fprintf(all, "%s\t%s\n", m.period, strings.Join(m.sources, "\t"))
	return out, hex.EncodeToString(all.Sum(nil))
}

func (c *card) total() {
	if len(c.steps) == 0 {
		return
	}
	scored := slices.DeleteFunc(slices.Collect(maps.Values(c.steps)), func(s *cardStep) bool { return !s.Scored })
	if len(scored) > 0 {
		sum := c.step(allSteps)
		for _, s := range scored {
			sum.Asked, sum.Answered = sum.Asked+s.Asked, sum.Answered+s.Answered
			sum.Bounced, sum.Overdue = sum.Bounced+s.Bounced, sum.Overdue+s.Overdue
			for v, n := range s.minutes {
				sum.minutes[v] += n
			}
		}
	}
	for _, s := range c.steps {
		s.MedianMinutes = medianOf(s.minutes)
	}
}

// medianOf is the median of a distribution; of an even number the lower one, nil of none.
func medianOf(counts map[int64]int64) *int64 {
	var all, below int64
	for _, n := range counts {
		all += n
	}
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		if below += counts[v]; below >= (all+1)/2 {
			return &v
		}
	}
	return nil
}

// hash is over every figure of a card, what it was made from, and the appeals behind it, line by line. The names are not in
// it: the directory may correct them.
func (c *card) hash(m *scoring) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "scorecard\t%s\t%s\n", m.period, c.OperatorID)
	for _, s := range m.sources {
		_, _ = fmt.Fprintf(h, "source\t%s\n", s)
	}
	_, _ = fmt.Fprintf(h, "complaints\t%d\t%d\t%d\t%d\t%d\t%d\n", c.Complaints, c.Checked, c.Substantiated, c.Handled, c.Repeated, c.Reopened)
	for _, name := range slices.Sorted(maps.Keys(c.steps)) {
		s := c.steps[name]
		median := "-"
		if s.MedianMinutes != nil {
			median = fmt.Sprint(*s.MedianMinutes)
		}
		_, _ = fmt.Fprintf(h, "step\t%s\t%t\t%d\t%d\t%d\t%d\t%s\n", name, s.Scored, s.Asked, s.Answered, s.Bounced, s.Overdue, median)
	}
	_, _ = fmt.Fprintf(h, "appeals\t%d\t%d\t%d\n", c.Appeals, c.Upheld, c.Deducted)
	for _, a := range c.appeals {
		_, _ = fmt.Fprintln(h, a)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// quarterOf is the quarter of a month, YYYY-MM, and the months of that.
func quarterOf(month string) (quarter string, months []string) {
	var year, mon int
	_, _ = fmt.Sscanf(month, "%d-%d", &year, &mon) // the database holds it to the form
	q := (mon + 2) / 3
	for n := 3*q - 2; n <= 3*q; n++ {
		months = append(months, fmt.Sprintf("%04d-%02d", year, n))
	}
	return fmt.Sprintf("%04d-Q%d", year, q), months
}
