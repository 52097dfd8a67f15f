package calendar_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quietline/internal/calendar"
)

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, calendar.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

func TestDue(t *testing.T) {
	tests := []struct{ name, basis, from, want, proof string }{
		{"across the national holiday", "bounce_5wd", "2026-09-28 10:00", "2026-10-10",
			"5 wd from 2026-09-28: 9-29, 9-30, [10-1 to 10-7 holiday], 10-8, 10-9, 10-10 (worked Saturday)"},
		{"a worked Sunday counts", "accept_1wd", "2026-09-19 09:00", "2026-09-20", "1 wd from 2026-09-19: 9-20 (worked Sunday)"},
		{"a weekend does not", "accept_1wd", "2026-11-20 23:59", "2026-11-23", "1 wd from 2026-11-20: [11-21 to 11-22 weekend], 11-23"},
		{"the day belongs to Shanghai", "preserve_same_day", "2026-11-20 00:30", "2026-11-20", "0 cd from 2026-11-20: 11-20"},
		{"spring festival of 2026", "number_check_3wd", "2026-02-13 12:00", "2026-02-25",
			"3 wd from 2026-02-13: 2-14 (worked Saturday), [2-15 to 2-23 holiday], 2-24, 2-25"},
		{"spring festival of 2025", "number_check_3wd", "2025-01-24 12:00", "2025-02-05",
			"3 wd from 2025-01-24: [1-25 weekend], 1-26 (worked Sunday), 1-27, [1-28 to 2-4 holiday], 2-5"},
		{"days run through", "police_3d", "2026-09-30 12:00", "2026-10-03", "3 cd from 2026-09-30: 10-3"},
		{"a reporter's term rolls", "supplement_15d", "2026-09-18 12:00", "2026-10-08",
			"15 cd from 2026-09-18: [10-3 to 10-7 holiday], 10-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := calendar.Due(tt.basis, at(tt.from), calendar.Statutory)
			if err != nil {
				t.Fatal(err)
			}
			if want := at(tt.want + " 23:59").Add(59 * time.Second); !d.Due.Equal(want) || !d.Statutory.Equal(want) {
				t.Errorf("due %v, statutory %v, want %v", d.Due, d.Statutory, want)
			}
			if d.Proof != tt.proof {
				t.Errorf("proof %q\nwant  %q", d.Proof, tt.proof)
			}
			if d.Provisional || d.EscalateEvery <= 0 || d.Source == "" {
				t.Errorf("provisional %v, escalate %v, source %q", d.Provisional, d.EscalateEvery, d.Source)
			}
		})
	}
}

func TestDueIsProvisionalBeyondTheNotices(t *testing.T) {
	d, err := calendar.Due("fact_check_15wd", at("2026-12-20 10:00"), calendar.Statutory)
	if err != nil {
		t.Fatal(err)
	}
	if !d.Provisional || !strings.Contains(d.Proof, "2027 is not loaded") || !strings.Contains(d.Proof, "[2027-01-01 to 1-3 holiday]") {
		t.Errorf("provisional %v, proof %q", d.Provisional, d.Proof)
	}
	if _, certain := calendar.IsWorkday(at("2027-03-01 10:00")); certain {
		t.Error("2027 is taken for certain")
	}
}

func TestDueInRehearsal(t *testing.T) {
	from := at("2026-09-28 10:00")
	for basis, want := range map[string]time.Duration{
		"fact_check_15wd": 150 * time.Second, "watch_30d": 30 * time.Second, "statement_5wd": 5 * time.Second,
		"preserve_same_day": 10 * time.Second, "supplement_15d": 15 * time.Second, "case_90d": 900 * time.Second,
		"hearing_notice_7wd": -7 * time.Second, "transfer_24h": 10 * time.Second,
	} {
		d, err := calendar.Due(basis, from, calendar.Rehearsal)
		if err != nil {
			t.Fatal(err)
		}
		s, err := calendar.Due(basis, from, calendar.Statutory)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Due.Sub(from); got != want {
			t.Errorf("%s: %v, want %v", basis, got, want)
		}
		if !d.Statutory.Equal(s.Due) {
			t.Errorf("%s: the statutory date is %v, want %v", basis, d.Statutory, s.Due)
		}
	}
}

func TestDueRefusesWhatIsNotInTheTable(t *testing.T) {
	if _, err := calendar.Due("tomorrow", at("2026-09-28 10:00"), calendar.Statutory); err == nil {
		t.Error("unknown basis accepted")
	}
	if _, err := calendar.Due("accept_1wd", at("2026-09-28 10:00"), "fast"); err == nil {
		t.Error("unknown profile accepted")
	}
}

func TestDueNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		basis := rapid.SampledFrom(calendar.Bases()).Draw(t, "basis")
		from := at("2026-04-01 00:00").Add(time.Duration(rapid.IntRange(0, 4*365*24*60).Draw(t, "minutes")) * time.Minute)
		later := from.Add(time.Duration(rapid.IntRange(0, 30*24*60).Draw(t, "more")) * time.Minute)
		a, err := calendar.Due(basis, from, calendar.Statutory)
		if err != nil {
			t.Fatal(err)
		}
		b, err := calendar.Due(basis, later, calendar.Statutory)
		if err != nil {
			t.Fatal(err)
		}
		ahead := strings.Contains(a.Proof, " before ") // a term that lies before its event
		if a.Due.Before(from) == !ahead || b.Due.Before(a.Due) {
			t.Fatalf("%s: from %v due %v, from %v due %v", basis, from, a.Due, later, b.Due)
		}
	})
}

func TestAddWorkdays(t *testing.T) {
	if got, want := calendar.AddWorkdays(at("2026-09-30 10:00"), 1), at("2026-10-08 23:59").Add(59*time.Second); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for s, want := range map[string]bool{"2024-02-04": true, "2024-02-12": false, "2025-10-08": false, "2026-01-04": true, "2026-11-21": false} {
		if got, _ := calendar.IsWorkday(at(s + " 12:00")); got != want {
			t.Errorf("%s: working day %v", s, got)
		}
	}
}
