package calendar_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"quietline/internal/calendar"
)

const (
	deadlinesHead = "code,amount,unit,start,roll,rehearsal_seconds,escalate_days,valid_from,valid_to,source\n"
	holidaysHead  = "year,from,to,kind,name,valid_from,valid_to,source\n"
	sharesHead    = "code,value,valid_from,valid_to,source\n"

	extensionsHead = "basis,by,times,owner,valid_from,valid_to,source\n"
	pausesHead     = "basis,reason,owner,valid_from,valid_to,source\n"
	partiesHead    = "basis,party,valid_from,valid_to,source\n"
)

// put places a file as an operator should: by renaming.
func put(t *testing.T, dir, name, text string) {
	t.Helper()
	tmp := filepath.Join(t.TempDir(), "new")
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// policy is a loaded folder, empty at first.
func policy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := calendar.Load(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := calendar.Load(""); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func due(t *testing.T, basis, from string) (date string, d calendar.Deadline) {
	t.Helper()
	d, err := calendar.Due(basis, at(from), calendar.Statutory)
	if err != nil {
		t.Fatal(err)
	}
	return d.Due.In(calendar.Shanghai).Format(time.DateOnly), d
}

// A changed term counts for clocks that start from its day on, without a new start of the program, and moves no other.
func TestLoad_aChangedDeadlineMovesNoOldClock(t *testing.T) {
	dir := policy(t)
	for _, change := range []struct{ file, old, young, source string }{
		{"", "2026-11-23", "2026-12-02", "programme"},
		{"accept_1wd,4,wd,next_day,none,10,1,2026-12-01,,notice of change\n", "2026-11-23", "2026-12-07", "notice"},
		{"accept_1wd,2,wd,next_day,none,10,1,2026-12-01,,second notice\n", "2026-11-23", "2026-12-03", "second"},
	} {
		if change.file != "" {
			put(t, dir, "deadlines.csv", deadlinesHead+change.file)
		}
		old, _ := due(t, "accept_1wd", "2026-11-20 10:00")
		young, d := due(t, "accept_1wd", "2026-12-01 10:00")
		if old != change.old || young != change.young || !strings.HasPrefix(d.Source, change.source) {
			t.Errorf("%q: the old clock ends %s, the young one %s by %s", change.file, old, young, d.Source)
		}
	}
	if err := os.Remove(filepath.Join(dir, "deadlines.csv")); err != nil {
		t.Fatal(err)
	}
	if young, _ := due(t, "accept_1wd", "2026-12-01 10:00"); young != "2026-12-02" {
		t.Errorf("without the file the clock ends %s", young)
	}
}

// A notice that is loaded makes certain what starts from its day on; what began before stays provisional.
func TestLoad_aNotice(t *testing.T) {
	dir := policy(t)
	if last, d := due(t, "fact_check_15wd", "2026-12-20 10:00"); last != "2027-01-11" || !d.Provisional {
		t.Fatalf("before the notice: %s, provisional %v", last, d.Provisional)
	}
	put(t, dir, "holidays.csv", "\ufeff"+holidaysHead+"# spreadsheets write a mark in front and carriage returns\r\n"+
		"2027,2026-12-31,2027-01-03,off,元旦,2026-11-10,,notice of 2027\r\n2027,2027-01-09,2027-01-09,work,元旦,2026-11-10,,notice of 2027\r\n")
	last, d := due(t, "fact_check_15wd", "2026-12-20 10:00")
	if last != "2027-01-11" || d.Provisional || !strings.Contains(d.Proof, "[2026-12-31 to 2027-01-03 holiday]") && !strings.Contains(d.Proof, "[12-31 to 2027-01-03 holiday]") {
		t.Errorf("after the notice: %s, %+v", last, d)
	}
	if !strings.Contains(d.Proof, "1-9 (worked Saturday)") {
		t.Errorf("proof %s", d.Proof)
	}
	if _, d := due(t, "designate_7wd", "2026-11-09 10:00"); d.Provisional {
		t.Errorf("a clock that needs no notice is provisional: %s", d.Proof)
	}
	put(t, dir, "deadlines.csv", deadlinesHead+"fact_check_15wd,45,wd,next_day,none,10,2,2020-01-01,,as for a complaint\n")
	if _, d := due(t, "fact_check_15wd", "2026-11-09 10:00"); !d.Provisional {
		t.Error("a clock that started before the notice is not provisional")
	}
	if err := os.Remove(filepath.Join(dir, "deadlines.csv")); err != nil {
		t.Fatal(err)
	}
	if last, d := due(t, "case_90d", "2026-11-09 10:00"); d.Provisional || last != "2027-02-07" {
		t.Errorf("no notice can move a term of calendar days that does not roll: %s", d.Proof)
	}
	if work, certain := calendar.IsWorkday(at("2027-01-09 12:00")); !work || !certain {
		t.Errorf("2027-01-09: working day %v, certain %v", work, certain)
	}
}

func TestFigure(t *testing.T) {
	dir := policy(t)
	put(t, dir, "shares.csv", sharesHead+"recheck_percent,12,2026-12-01,2027-12-01,trial\n")
	for from, want := range map[string]int{"2026-11-30 23:59": 5, "2026-12-01 00:00": 12, "2027-12-01 00:00": 5} {
		if got, err := calendar.Figure("recheck_percent", at(from)); got != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", from, got, err, want)
		}
	}
	if got, err := calendar.Figure("max_ports", at("2026-11-30 12:00")); got != 3 || err != nil {
		t.Errorf("max_ports %d, %v", got, err)
	}
	if _, err := calendar.Figure("luck", at("2026-11-30 12:00")); err == nil {
		t.Error("there is a figure luck")
	}
	if _, err := calendar.Figure("max_ports", at("2001-01-01 12:00")); err == nil {
		t.Error("there is a figure before the programme")
	}
}

// What cannot be right is refused at the start, and changes nothing while running.
func TestLoad_refusesMistakes(t *testing.T) {
	dir := policy(t)
	good := deadlinesHead + "accept_1wd,2,wd,next_day,none,10,1,2026-12-01,,x\n"
	put(t, dir, "deadlines.csv", good)
	if young, _ := due(t, "accept_1wd", "2026-12-01 10:00"); young != "2026-12-03" {
		t.Fatalf("the clock ends %s", young)
	}
	for name, c := range map[string]struct{ file, text string }{
		"cut off":              {"deadlines.csv", strings.TrimSuffix(good, "\n")},
		"emptied":              {"deadlines.csv", ""},
		"other columns":        {"deadlines.csv", "code,amount\naccept_1wd,2\n"},
		"a column too few":     {"deadlines.csv", deadlinesHead + "accept_1wd,2,wd,next_day,none,10,1,2026-12-01,\n"},
		"unknown basis":        {"deadlines.csv", deadlinesHead + "acept_1wd,2,wd,next_day,none,10,1,2026-12-01,,x\n"},
		"no amount":            {"deadlines.csv", deadlinesHead + "accept_1wd,,wd,next_day,none,10,1,2026-12-01,,x\n"},
		"unknown unit":         {"deadlines.csv", deadlinesHead + "accept_1wd,2,weeks,next_day,none,10,1,2026-12-01,,x\n"},
		"unknown start":        {"deadlines.csv", deadlinesHead + "accept_1wd,2,wd,soon,none,10,1,2026-12-01,,x\n"},
		"never escalates":      {"deadlines.csv", deadlinesHead + "accept_1wd,2,wd,next_day,none,10,0,2026-12-01,,x\n"},
		"valid from nowhen":    {"deadlines.csv", deadlinesHead + "accept_1wd,2,wd,next_day,none,10,1,,,x\n"},
		"ends before it began": {"deadlines.csv", deadlinesHead + "accept_1wd,2,wd,next_day,none,10,1,2026-12-01,2026-11-01,x\n"},
		"no source":            {"deadlines.csv", deadlinesHead + "accept_1wd,2,wd,next_day,none,10,1,2026-12-01,,\n"},
		"two at a time":        {"deadlines.csv", good + "accept_1wd,3,wd,next_day,none,10,1,2027-01-01,,x\n"},
		"a holiday of a year":  {"holidays.csv", holidaysHead + "2027,2027-01-01,2027-12-31,off,x,2026-11-10,,x\n"},
		"a day of two kinds":   {"holidays.csv", holidaysHead + "2027,2027-01-01,2027-01-03,off,x,2026-11-10,,x\n2027,2027-01-02,2027-01-02,work,x,2026-11-10,,x\n"},
		"unknown share":        {"shares.csv", sharesHead + "luck,1,2026-11-10,,x\n"},
		"extended in hours":    {"extensions.csv", extensionsHead + "fact_check_15wd,transfer_24h,1,assignment,2026-11-10,,x\n"},
		"days by working days": {"extensions.csv", extensionsHead + "case_90d,fact_check_extend_15wd,1,enforcement,2026-11-10,,x\n"},
		"a notice extended":    {"extensions.csv", extensionsHead + "hearing_notice_7wd,fact_check_extend_15wd,1,enforcement,2026-11-10,,x\n"},
		"by nothing known":     {"extensions.csv", extensionsHead + "case_90d,for_ever,1,enforcement,2026-11-10,,x\n"},
		"extended by two":      {"extensions.csv", extensionsHead + "case_90d,case_extend_30d,1,enforcement,2026-11-10,,x\ncase_90d,case_extend_30d,2,enforcement,2026-12-10,,x\n"},
		"a notice paused":      {"pauses.csv", pausesHead + "hearing_notice_7wd,appraisal,enforcement,2026-11-10,,x\n"},
		"paused for nothing":   {"pauses.csv", pausesHead + "case_90d,,enforcement,2026-11-10,,x\n"},
		"no party's":           {"parties.csv", partiesHead + "nobodys_term,yes,2026-11-10,,x\n"},
	} {
		bad := t.TempDir()
		put(t, bad, c.file, c.text)
		if err := calendar.Load(bad); err == nil {
			t.Errorf("%s: loaded", name)
		}
		put(t, dir, c.file, c.text)
		if young, _ := due(t, "accept_1wd", "2026-12-01 10:00"); young != "2026-12-03" {
			t.Errorf("%s: the clock ends %s", name, young)
		}
		if err := os.Remove(filepath.Join(dir, c.file)); err != nil {
			t.Fatal(err)
		}
		put(t, dir, "deadlines.csv", good)
		if young, _ := due(t, "accept_1wd", "2026-12-01 10:00"); young != "2026-12-03" { // mended
			t.Errorf("%s, mended: the clock ends %s", name, young)
		}
	}
	if err := calendar.Load(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there was loaded")
	}
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if young, _ := due(t, "accept_1wd", "2026-12-01 10:00"); young != "2026-12-03" {
		t.Errorf("with the folder away the clock ends %s", young)
	}
}

// Whoever asks while files change gets an answer by the old rules or by the new ones.
func TestLoad_atOnce(t *testing.T) {
	dir := policy(t)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				d, err := calendar.Due("accept_1wd", at("2026-12-01 10:00"), calendar.Statutory)
				if last := d.Due.In(calendar.Shanghai).Format(time.DateOnly); err != nil || last != "2026-12-02" && last != "2026-12-03" {
					t.Errorf("%s, %v", last, err)
					return
				}
			}
		})
	}
	for i := range 50 {
		put(t, dir, "deadlines.csv", deadlinesHead+"accept_1wd,"+string(rune('1'+i%2))+",wd,next_day,none,10,1,2026-12-01,,x\n")
	}
	close(stop)
	wg.Wait()
}

// A folder may give more extensions, or take one away.
func TestLoad_extensions(t *testing.T) {
	dir := policy(t)
	put(t, dir, "extensions.csv", extensionsHead+"fact_check_15wd,fact_check_extend_15wd,2,assignment,2026-12-01,,notice\n"+
		"case_90d,case_extend_30d,0,enforcement,2026-12-01,,notice\n")
	if got := calendar.ExtensionsOf("fact_check_15wd", at("2026-12-02 10:00")); len(got) != 1 || got[0].Times != 2 || got[0].Source != "notice" {
		t.Errorf("%+v", got)
	}
	if got := calendar.ExtensionsOf("fact_check_15wd", at("2026-11-02 10:00")); len(got) != 1 || got[0].Times != 1 {
		t.Errorf("%+v", got)
	}
	_, err := start(t, "case_90d", "2026-11-01 10:00", calendar.Statutory).Extended("case_extend_30d", at("2026-12-02 10:00"))
	refused(t, err, "no rule extends")
	if got := calendar.PausesOf("case_90d", at("2026-11-02 10:00")); len(got) < 3 || got[0].Owner != "enforcement" {
		t.Errorf("%+v", got)
	}
	if calendar.IsParty("case_90d", at("2026-11-02 10:00")) || !calendar.IsParty("perform_15d", at("2026-11-02 10:00")) {
		t.Error("whose terms these are")
	}
}
