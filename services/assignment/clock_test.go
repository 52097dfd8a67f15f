package assignment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// onClock is a task whose clock starts now, as the workflows open it.
func (w *world) onClock(t testing.TB, agency, basis, profile string) *assignmentv1.Task {
	t.Helper()
	d, err := calendar.Due(basis, w.clock(), profile)
	if err != nil {
		t.Fatal(err)
	}
	task := w.newTask(agency)
	task.DueTime = timestamppb.New(d.Due)
	task.Clock = &commonv1.Clock{
		Basis: d.Basis, StatutoryDue: d.Statutory.Format(time.RFC3339), Proof: d.Proof, Provisional: d.Provisional, Source: d.Source,
		Profile: d.Profile, Start: d.Start.Format(time.RFC3339), Term: d.Term, Counted: d.Counted.Format(time.RFC3339),
		EscalateSeconds: int64(d.EscalateEvery / time.Second),
	}
	return w.open(t, task)
}

func head(agency string) *commonv1.Actor { return person("head", agency, accessv1.Role_ROLE_HEAD) }

func dueDate(t *assignmentv1.Task) string {
	return t.GetDueTime().AsTime().In(calendar.Shanghai).Format(time.DateOnly)
}

// policyFolder is a loaded policy folder, empty at first.
func policyFolder(t *testing.T) func(name, text string) {
	t.Helper()
	dir := t.TempDir()
	if err := calendar.Load(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = calendar.Load("") })
	return func(name, text string) {
		t.Helper()
		tmp := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func extend(w *world, t testing.TB, a *commonv1.Actor, task, basis string) (*assignmentv1.Task, error) {
	resp, err := w.as(a).ExtendTask(t.Context(), &assignmentv1.ExtendTaskRequest{RequestId: newID(), TaskId: task, Basis: basis, Reason: "跨省取证"})
	return resp.GetTask(), err
}

// A fact check of the market regulators is extended once, by the head of its agency, by fifteen working days; it is
// escalated by its new date only.
func TestExtendTask(t *testing.T) {
	w := newWorld(t)
	task := w.onClock(t, "samr-44", "fact_check_15wd", calendar.Statutory) // from 2026-10-15
	if dueDate(task) != "2026-11-05" {
		t.Fatalf("due %s: %s", dueDate(task), task.GetClock().GetProof())
	}
	id := task.GetTaskId()
	_, err := extend(w, t, caseworker("c", "samr-44"), id, "")
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
	_, err = extend(w, t, head("samr-11"), id, "")
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	_, err = extend(w, t, head("samr-44"), id, "case_extend_30d")
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)

	w.pass(72 * time.Hour)
	got, err := extend(w, t, head("samr-44"), id, "")
	if err != nil {
		t.Fatal(err)
	}
	c := got.GetClock()
	if dueDate(got) != "2026-11-26" || !strings.HasPrefix(c.GetProof(), task.GetClock().GetProof()+"; extended by 15 wd (fact_check_extend_15wd): 11-6, ") {
		t.Errorf("due %s: %s", dueDate(got), c.GetProof())
	}
	if n := len(c.GetChanges()); n != 1 || c.GetChanges()[0].GetReason() != "跨省取证" || c.GetChanges()[0].GetBy() != "head" ||
		!strings.Contains(c.GetChanges()[0].GetSource(), "第二十一条") || c.GetChanges()[0].GetOldDue() == c.GetChanges()[0].GetNewDue() {
		t.Errorf("changes %v", c.GetChanges())
	}
	_, err = extend(w, t, head("samr-44"), id, "")
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)

	w.pass(20 * 24 * time.Hour) // 11-07: past the old date
	flows := w.workflows(nil)
	told, err := flows.EscalateTask(t.Context(), &assignmentv1.EscalateTaskRequest{RequestId: newID(), TaskId: id, Level: 1})
	if err != nil || told.GetSuperiorId() != "" || !told.GetNotBefore().AsTime().Equal(got.GetDueTime().AsTime()) {
		t.Errorf("before its new date it was told: %v, %v", told, err)
	}
	w.pass(20 * 24 * time.Hour)
	told, err = flows.EscalateTask(t.Context(), &assignmentv1.EscalateTaskRequest{RequestId: newID(), TaskId: id, Level: 1})
	if err != nil || told.GetSuperiorId() == "" || told.GetNotBefore() != nil {
		t.Errorf("after it it was not: %v, %v", told, err)
	}
	read, err := w.as(caseworker("c", "samr-44")).GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: id})
	if err != nil || len(read.GetTask().GetClock().GetChanges()) != 1 {
		t.Errorf("the task does not show its extension: %v, %v", read, err)
	}

	other := w.onClock(t, "samr-44", "case_90d", calendar.Statutory)
	_, err = extend(w, t, head("samr-44"), other.GetTaskId(), "")
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) // enforcement's
	if got := errs.Text(err); !strings.Contains(got, "enforcement") {
		t.Errorf("it is not said whose act it is: %s", got)
	}
	w.pass(120 * 24 * time.Hour)
	late := w.onClock(t, "samr-44", "accept_1wd", calendar.Statutory)
	_, err = extend(w, t, head("samr-44"), late.GetTaskId(), "")
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	w.sound(t)
}

// A clock that stands still is late for nobody, and goes on with the days it had.
func TestPauseTask(t *testing.T) {
	w := newWorld(t)
	id := w.onClock(t, "samr-44", "fact_check_15wd", calendar.Statutory).GetTaskId() // to 11-05
	pause := func(reason string) error {
		_, err := w.as(head("samr-44")).PauseTask(t.Context(), &assignmentv1.PauseTaskRequest{RequestId: newID(), TaskId: id, Reason: reason})
		return err
	}
	resume := func() (*assignmentv1.Task, error) {
		resp, err := w.as(head("samr-44")).ResumeTask(t.Context(), &assignmentv1.ResumeTaskRequest{RequestId: newID(), TaskId: id})
		return resp.GetTask(), err
	}
	refused(t, pause("holiday"), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	_, err := resume()
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	w.pass(24 * time.Hour) // Friday 10-16
	if err := pause("appraisal"); err != nil {
		t.Fatal(err)
	}
	refused(t, pause("appraisal"), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	_, err = extend(w, t, head("samr-44"), id, "")
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	w.pass(31 * 24 * time.Hour) // Monday 11-16
	told, err := w.workflows(nil).EscalateTask(t.Context(), &assignmentv1.EscalateTaskRequest{RequestId: newID(), TaskId: id, Level: 1})
	if err != nil || !told.GetNotBefore().AsTime().After(w.clock()) {
		t.Errorf("a clock that stands was told: %v, %v", told, err)
	}
	forecast, err := w.as(lead).ForecastBreaches(t.Context(), &assignmentv1.ForecastBreachesRequest{Days: 60})
	if err != nil || len(forecast.GetTasks()) != 0 || len(forecast.GetAgencies()) != 1 || forecast.GetAgencies()[0].GetPaused() != 1 {
		t.Errorf("forecast %v, %v", forecast, err)
	}
	got, err := resume()
	if err != nil {
		t.Fatal(err)
	}
	// 10-16 to 11-05 were fifteen working days, all lost; 11-17 is the first that counts again.
	if dueDate(got) != "2026-12-07" || !strings.HasSuffix(got.GetClock().GetProof(), "12-7") || got.GetClock().GetPausedSince() != "" {
		t.Errorf("due %s: %s", dueDate(got), got.GetClock().GetProof())
	}
	if c := got.GetClock().GetChanges(); len(c) != 1 || c[0].GetKind() != "pause" || c[0].GetReason() != "appraisal" || c[0].GetSource() == "" {
		t.Errorf("changes %v", c)
	}
	w.sound(t)
}

// A clock from before terms were stored goes on by the rule of its time; and a rule that is changed moves no stored clock.
func TestStoredClockIsNotMoved(t *testing.T) {
	w := newWorld(t)
	put := policyFolder(t)
	old := w.newTask("samr-44")
	d, err := calendar.Due("fact_check_15wd", w.clock(), calendar.Statutory)
	if err != nil {
		t.Fatal(err)
	}
	old.DueTime, old.Clock = timestamppb.New(d.Due), &commonv1.Clock{Basis: d.Basis, StatutoryDue: d.Statutory.Format(time.RFC3339), Proof: d.Proof}
	before := w.open(t, old)
	stored := w.onClock(t, "samr-44", "fact_check_15wd", calendar.Statutory)
	put("deadlines.csv", "code,amount,unit,start,roll,rehearsal_seconds,escalate_days,valid_from,valid_to,source\n"+
		"fact_check_15wd,3,wd,next_day,none,10,1,2026-10-20,,changed from that day on\n")
	w.pass(10 * 24 * time.Hour)
	for _, task := range []*assignmentv1.Task{before, stored} {
		read, err := w.as(head("samr-44")).GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: task.GetTaskId()})
		if err != nil || dueDate(read.GetTask()) != "2026-11-05" {
			t.Errorf("due %s, %v", dueDate(read.GetTask()), err)
		}
		got, err := extend(w, t, head("samr-44"), task.GetTaskId(), "")
		if err != nil || dueDate(got) != "2026-11-26" {
			t.Errorf("extended to %s, %v", dueDate(got), err)
		}
	}
}

func TestSettleProvisional(t *testing.T) {
	w := newWorld(t)
	put := policyFolder(t)
	w.pass(66 * 24 * time.Hour) // 2026-12-20
	own := w.onClock(t, "samr-44", "fact_check_15wd", calendar.Statutory)
	party := w.onClock(t, "samr-44", "perform_15d", calendar.Statutory)
	certain := w.onClock(t, "samr-44", "accept_1wd", calendar.Statutory)
	if dueDate(own) != "2027-01-11" || !own.GetClock().GetProvisional() || dueDate(party) != "2027-01-04" || certain.GetClock().GetProvisional() {
		t.Fatalf("%s, %s", own.GetClock().GetProof(), party.GetClock().GetProof())
	}
	admin := person("admin", "", accessv1.Role_ROLE_ADMIN)
	settle := func(a *commonv1.Actor) (*assignmentv1.SettleProvisionalResponse, error) {
		return w.as(a).SettleProvisional(t.Context(), &assignmentv1.SettleProvisionalRequest{RequestId: newID(), Year: 2027})
	}
	list := func(a *commonv1.Actor) (n int, can bool) {
		resp, err := w.as(a).ListProvisional(t.Context(), &assignmentv1.ListProvisionalRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range resp.GetTasks() {
			if len(p.GetYears()) != 1 || p.GetYears()[0] != 2027 {
				t.Errorf("years %v", p.GetYears())
			}
			can = p.GetCanSettle()
		}
		return len(resp.GetTasks()), can
	}
	_, err := settle(admin)
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	if n, can := list(caseworker("c", "samr-44")); n != 2 || can {
		t.Errorf("%d provisional, %v", n, can)
	}
	if n, _ := list(caseworker("c", "samr-11")); n != 0 {
		t.Errorf("%d of another agency", n)
	}
	put("holidays.csv", "year,from,to,kind,name,valid_from,valid_to,source\n2027,2027-01-01,2027-01-03,off,元旦,2026-12-20,,notice of 2027\n"+
		"2027,2027-01-02,2027-01-02,work,x,2026-11-01,2026-11-02,withdrawn\n2027,2027-01-09,2027-01-10,work,x,2026-12-20,,notice of 2027\n")
	w.pass(24 * time.Hour)
	if n, can := list(admin); n != 2 || !can {
		t.Errorf("%d provisional, %v", n, can)
	}
	_, err = settle(head("samr-44"))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
	resp, err := settle(admin)
	if err != nil || len(resp.GetSettled()) != 2 || resp.GetStillProvisional() != 0 || resp.GetNextPageToken() != "" {
		t.Fatalf("%v, %v", resp, err)
	}
	for id, want := range map[string]string{own.GetTaskId(): "2027-01-09", party.GetTaskId(): "2027-01-04", certain.GetTaskId(): dueDate(certain)} {
		read, err := w.as(caseworker("c", "samr-44")).GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: id})
		if err != nil || dueDate(read.GetTask()) != want || read.GetTask().GetClock().GetProvisional() {
			t.Errorf("%s due %s, want %s: %v %s", read.GetTask().GetClock().GetBasis(), dueDate(read.GetTask()), want, err, read.GetTask().GetClock().GetProof())
		}
	}
	if resp, err := settle(admin); err != nil || len(resp.GetSettled()) != 0 {
		t.Errorf("settled twice: %v, %v", resp, err)
	}
	var by string
	if err := testkit.Owner(t, w.db).QueryRow(t.Context(), `SELECT settled_by FROM clock_settlement WHERE task_id = $1 AND old_due > new_due`,
		own.GetTaskId()).Scan(&by); err != nil || by != "admin" {
		t.Errorf("settled by %q, %v", by, err)
	}
	w.sound(t)
}

// What will be late: overdue first, own agency or, for the lead, all; until Sunday or for some days.
func TestForecastBreaches(t *testing.T) {
	w := newWorld(t) // Thursday 2026-10-15, 09:00
	w.onClock(t, "samr-44", "fact_check_15wd", calendar.Statutory)
	soon := w.onClock(t, "samr-44", "accept_1wd", calendar.Statutory) // Friday 10-16
	w.onClock(t, "samr-11", "bounce_5wd", calendar.Statutory)         // Thursday 10-22
	w.onClock(t, "samr-11", "preserve_same_day", calendar.Statutory)
	w.pass(24 * time.Hour) // the last is overdue now
	ask := func(a *commonv1.Actor, days int32, agency string) *assignmentv1.ForecastBreachesResponse {
		resp, err := w.as(a).ForecastBreaches(t.Context(), &assignmentv1.ForecastBreachesRequest{Days: days, AgencyId: agency})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	week := ask(lead, 0, "")
	if got := week.GetUntilTime().AsTime().In(calendar.Shanghai).Format("2006-01-02 15:04"); got != "2026-10-19 00:00" {
		t.Errorf("the week ends %s", got)
	}
	if a := week.GetAgencies(); len(a) != 2 || a[0].GetAgencyId() != "samr-11" || a[0].GetOverdue() != 1 || a[0].GetDue() != 0 || a[1].GetDue() != 1 {
		t.Errorf("agencies %v", a)
	}
	if got := week.GetTasks(); len(got) != 2 || got[1].GetTaskId() != soon.GetTaskId() || got[1].GetClock().GetProof() == "" || got[1].GetClock().GetSource() == "" {
		t.Errorf("tasks %v", got)
	}
	if got := ask(lead, 60, ""); len(got.GetTasks()) != 4 {
		t.Errorf("%d in 60 days", len(got.GetTasks()))
	}
	if got := ask(caseworker("c", "samr-44"), 60, ""); len(got.GetTasks()) != 2 || len(got.GetAgencies()) != 1 {
		t.Errorf("own: %v", got.GetAgencies())
	}
	_, err := w.as(caseworker("c", "samr-44")).ForecastBreaches(t.Context(), &assignmentv1.ForecastBreachesRequest{AgencyId: "samr-11"})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	first, err := w.as(lead).ForecastBreaches(t.Context(), &assignmentv1.ForecastBreachesRequest{Days: 60, PageSize: 3})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := w.as(lead).ForecastBreaches(t.Context(), &assignmentv1.ForecastBreachesRequest{Days: 60, PageSize: 3, PageToken: first.GetNextPageToken()})
	if err != nil || len(first.GetTasks()) != 3 || len(rest.GetTasks()) != 1 || rest.GetNextPageToken() != "" {
		t.Errorf("pages of %d and %d, %v", len(first.GetTasks()), len(rest.GetTasks()), err)
	}
}

// sound says that the owner's own check finds nothing, and finds a date that nobody's act explains.
func (w *world) sound(t *testing.T) {
	t.Helper()
	check := func() []string {
		resp, err := w.as(person("auditor", "", accessv1.Role_ROLE_AUDITOR)).Audit(t.Context(), &assignmentv1.AuditRequest{What: "violations"})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetViolations()
	}
	if got := check(); len(got) != 0 {
		t.Errorf("violations %v", got)
	}
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), `UPDATE task SET due_time = due_time + interval '1 day'`); err != nil {
		t.Fatal(err)
	}
	if got := check(); len(got) == 0 || !strings.Contains(got[0], "its last") {
		t.Errorf("a moved date is not found: %v", got)
	}
}
