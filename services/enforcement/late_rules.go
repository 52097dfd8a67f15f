package enforcement

import (
	"slices"
	"strings"
	"time"
)

// A step that passes its check and is noted late all the same is planned again. Once may happen: somebody else was faster.
// When it goes on, something is wrong that no decision of the same people mends: each further note doubles the time until the
// step is open again, and the audit speaks (view late_violation) from the third on.
const (
	lateBreath = 10 * time.Second
	lateMost   = 24 * time.Hour
)

// late is how often one step was noted late at the end of the log, with nothing else in between, and which one.
func (m *matter) late() (step string, n int, last time.Time) {
	for _, e := range slices.Backward(m.events) {
		of, _, _ := strings.Cut(e.Outcome, "/")
		if e.Step != logLate || step != "" && of != step {
			break
		}
		if n == 0 {
			step, last = of, e.EventTime
		}
		n++
	}
	return step, n, last
}

// brake leaves a step out that is noted late again and again, until its time has come.
func (p *plan) brake(m *matter, at time.Time) {
	step, n, last := m.late()
	if n < 2 {
		return
	}
	const doublings = 14 // 2^14 times ten seconds are more than a day
	open := last.Add(min(lateBreath<<min(n-2, doublings), lateMost))
	if !open.After(at) {
		return
	}
	was := len(p.tasks)
	p.tasks = slices.DeleteFunc(p.tasks, func(t planned) bool { return t.step == step })
	if len(p.tasks) < was {
		p.wait(&open)
	}
}
