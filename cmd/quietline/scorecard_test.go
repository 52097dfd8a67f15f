package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	caseworkv1 "quietline/proto/quietline/casework/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// What scorecards count, said once more in SQL against the facts. $1 is the month.

// scoredComplaints are the complaints of a month that count, with the operator that gave access last known.
const scoredComplaints = `SELECT c.*, (array_agg(a.operator_id ORDER BY a.access_id DESC))[1] AS operator FROM complaint c JOIN complaint_access a USING (complaint_id)
	WHERE to_char(c.created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1 AND NOT c.forged AND c.merged_into IS NULL
	  AND c.complaint_id IN (SELECT complaint_id FROM report WHERE verified AND same_call_as IS NULL) GROUP BY c.complaint_id`

func scoredWhere(name, condition string) string {
	return `SELECT operator || '/` + name + `', count(*) FROM (` + scoredComplaints + `) c WHERE ` + condition + ` GROUP BY operator`
}

func withReport(condition string) string {
	return `complaint_id IN (SELECT complaint_id FROM report WHERE verified AND same_call_as IS NULL AND ` + condition + `)`
}

var scoredReporting = []string{
	scoredWhere("complaints", "true"), scoredWhere("reopened", "round > 1"),
	scoredWhere("checked", withReport("finding ~ '(substantiated|no_evidence)$'")),
	scoredWhere("substantiated", withReport("finding = 'substantiated'")),
}

// scoredHandled are figures of those complaints of which somebody decided on measures or a case: $2.
var scoredHandled = []string{
	scoredWhere("handled", "complaint_id::text = ANY ($2)"), scoredWhere("repeated", "complaint_id::text = ANY ($2) AND "+withReport("relapse")),
}

// forgedMatters are complaints whose number proved forged, as assignment knows it.
const forgedMatters = `SELECT subject_id FROM task WHERE step = 'traceback' UNION
	SELECT subject_id FROM task JOIN decision d USING (task_id) WHERE step = 'number_check' AND d.outcome IN ('forged', 'not_in_use')`

func scoredTasks(column, time, condition string) string {
	return `SELECT t.agency_id || '/` + column + `/' || t.step, count(*) FROM task t LEFT JOIN decision d USING (task_id)
		WHERE t.step IN ('number_check', 'preserve', 'execute') AND t.agency_id ~ '^(cmcc|ctcc|cucc|cbn|mvno)' AND t.subject_id NOT IN (` + forgedMatters + `)
		  AND to_char(` + time + ` AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1 AND ` + condition + ` GROUP BY t.agency_id, t.step`
}

// scoredMinutes are the medians of the times of answering, in minutes as they are kept.
func scoredMinutes(step string) string {
	return `SELECT agency_id || '/minutes/' || step, 1 + percentile_disc(0.5) WITHIN GROUP (ORDER BY ` + coarseMinutes + `)
		FROM (SELECT t.agency_id, ` + step + ` AS step, floor(greatest(extract(epoch FROM d.decided_time - t.open_time), 0) / 60)::bigint AS m
		FROM task t JOIN decision d USING (task_id)
		WHERE t.step IN ('number_check', 'preserve', 'execute') AND t.agency_id ~ '^(cmcc|ctcc|cucc|cbn|mvno)' AND t.subject_id NOT IN (` + forgedMatters + `)
		  AND to_char(d.decided_time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1) x GROUP BY agency_id, step`
}

var scoredAssignment = []string{
	scoredTasks("asked", "t.open_time", "true"), scoredTasks("answered", "d.decided_time", "d.outcome <> 'bounced'"),
	scoredTasks("bounced", "d.decided_time", "d.outcome = 'bounced'"), scoredMinutes("t.step"), scoredMinutes("'all'"),
	scoredTasks("overdue", "t.due_time", "t.due_time < now() AND coalesce(t.close_time, 'infinity') > t.due_time"),
}

// checkScorecards has the month's scorecards made and holds all their figures against SQL.
func (m *testMesh) checkScorecards(t *testing.T) {
	t.Helper()
	month := time.Now().In(time.FixedZone("CST", 8*3600)).Format("2006-01")
	statistician := m.as(t, "STATISTICIAN@miit")
	await(t, "scorecards that SQL agrees with", time.Minute, func() (bool, error) { // tasks of other tests may fall due meanwhile
		_, err := caseworkv1.NewCaseworkServiceClient(statistician).BuildDigest(t.Context(),
			&caseworkv1.BuildDigestRequest{RequestId: uuid.NewString(), Month: month, Note: "考核"})
		if err != nil {
			return false, err
		}
		want := map[string]int64{}
		for _, sql := range scoredReporting {
			maps.Copy(want, m.ask(t, "reporting", sql, month))
		}
		for _, sql := range scoredAssignment {
			maps.Copy(want, m.ask(t, "assignment", sql, month))
		}
		done := m.ask(t, steps["handled"].owner, steps["handled"].sql, month)
		for _, sql := range scoredHandled {
			maps.Copy(want, m.ask(t, "reporting", sql, month, slices.Sorted(maps.Keys(done))))
		}
		for key, n := range want { // shares, rounded half up
			operator, column, _ := strings.Cut(key, "/")
			switch column {
			case "substantiated":
				want[operator+"/true share"] = (2000*n + want[operator+"/checked"]) / (2 * want[operator+"/checked"])
			case "repeated":
				want[operator+"/repeated share"] = (2000*n + want[operator+"/handled"]) / (2 * want[operator+"/handled"])
			}
		}
		got, err := m.scored(t, disclosurev1.NewDisclosureServiceClient(m.as(t, "LEAD@miit")), month)
		if err == nil && !maps.Equal(got, want) {
			err = fmt.Errorf("cards %v, SQL %v", got, want)
		}
		if err != nil {
			return false, err
		}
		complaints := 0
		for key := range got {
			if strings.HasSuffix(key, "/complaints") {
				complaints++
			}
		}
		if complaints < 2 {
			return false, fmt.Errorf("only %d operators have complaints: %v", complaints, got)
		}
		return true, nil
	})
	if forged := m.ask(t, "reporting", `SELECT 'forged', count(*) FROM complaint c WHERE forged AND to_char(created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1`, month); forged["forged"] == 0 {
		t.Error("no number of the day proved forged: nothing was left out")
	}
}

// scored are the figures of all cards that are not 0.
func (m *testMesh) scored(t *testing.T, c disclosurev1.DisclosureServiceClient, month string) (map[string]int64, error) {
	t.Helper()
	resp, err := c.ListScorecards(t.Context(), &disclosurev1.ListScorecardsRequest{Period: month, PageSize: 500})
	out := map[string]int64{}
	for _, card := range resp.GetScorecards() {
		id := card.GetOperatorId()
		for name, n := range map[string]int64{
			"complaints": card.GetComplaints(), "checked": card.GetChecked(), "substantiated": card.GetSubstantiated(),
			"handled": card.GetHandled(), "repeated": card.GetRepeated(), "reopened": card.GetReopened(),
			"true share": int64(card.GetSubstantiatedPerMille()), "repeated share": int64(card.GetRepeatedPerMille()),
		} {
			out[id+"/"+name] = n
		}
		for _, s := range card.GetSteps() {
			if s.GetScored() && s.GetStep() != "all" {
				out[id+"/asked/"+s.GetStep()], out[id+"/answered/"+s.GetStep()] = s.GetAsked(), s.GetAnswered()
				out[id+"/overdue/"+s.GetStep()], out[id+"/bounced/"+s.GetStep()] = s.GetOverdue(), s.GetBounced()
			}
			if s.MedianMinutes != nil && s.GetScored() {
				out[id+"/minutes/"+s.GetStep()] = 1 + s.GetMedianMinutes() // a median of no minutes is one as well
			}
		}
	}
	maps.DeleteFunc(out, func(_ string, n int64) bool { return n == 0 })
	return out, err
}
