package workflows

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A task whose term was extended while it was open is the same task, and goes to its superior by its new date only; and
// one that was extended is decided before it like any other.
func TestComplaint_waitsForTheExtendedDate(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration
		want  string
	}{
		"decided in time":      {30 * 24 * time.Hour, ""},
		"after the new date":   {46 * 24 * time.Hour, "fact_check/1@45"},
		"long after that, too": {90 * 24 * time.Hour, "fact_check/1@45 fact_check/2@47"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t, complaintID(id(1), 1))
			late := usual["fact_check"]
			late.after = c.after
			p.replies["fact_check"] = []reply{late}
			var began time.Time
			var told []string
			p.w.notBefore = func(step string, level int32) time.Time {
				if step != "fact_check" {
					return time.Time{}
				}
				if began.IsZero() { // asked first by its old date: it is to end on the 45th day
					var err error
					if began, err = time.Parse(time.RFC3339, p.w.tasks[2].GetClock().GetStart()); err != nil {
						t.Error(err)
					}
				}
				now, until := p.env.Now(), began.AddDate(0, 0, 45+2*int(level-1))
				if now.Before(until) {
					return until
				}
				told = append(told, fmt.Sprintf("%s/%d@%d", step, level, int(now.Sub(began).Hours()/24)))
				return time.Time{}
			}
			p.run()
			p.want("told", strings.Join(told, " "), c.want)
			if got := strings.Count(p.tasks()+" ", "fact_check@"); got != 1 {
				t.Errorf("%d tasks for one fact check", got)
			}
			p.want("closed", p.w.closed, "measures")
		})
	}
}
