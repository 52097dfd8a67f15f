package credit

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quietline/internal/calendar"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, calendar.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

func term(low, high int) (store.SeverityTerm, store.ListPolicy) {
	return store.SeverityTerm{Severity: "general", MinMonths: int32(low), MaxMonths: int32(high), Source: "order 36"},
		store.ListPolicy{List: "bad", Months: 36, Source: "article 42"}
}

func TestEndsOf(t *testing.T) {
	for _, c := range []struct {
		decided          string
		min, max         int
		earliest, latest string
	}{
		{"2026-03-10 15:00", 3, 12, "2026-06-10 00:00", "2027-03-10 00:00"},
		{"2026-11-30 09:00", 3, 12, "2027-02-28 00:00", "2027-11-30 00:00"},
		{"2028-02-29 00:00", 12, 36, "2029-02-28 00:00", "2031-02-28 00:00"},
		{"2026-12-31 23:59", 0, 3, "2026-12-31 23:59", "2027-03-31 00:00"},
	} {
		class, list := term(c.min, c.max)
		e := endsOf(at(c.decided), at(c.decided), class, list, calendar.Statutory)
		if !e.earliest.Equal(at(c.earliest)) || !e.latest.Equal(at(c.latest)) {
			t.Errorf("%s: %v, %v", c.decided, e.earliest.In(calendar.Shanghai), e.latest.In(calendar.Shanghai))
		}
		if !strings.Contains(e.proof, c.latest[:10]) || !strings.Contains(e.proof, "order 36") || !strings.Contains(e.proof, "article 42") {
			t.Errorf("proof: %s", e.proof)
		}
	}
}

func TestEndsOf_theListsOwnTermComesFirst(t *testing.T) {
	class, list := term(12, 36)
	list.Months = 12
	e := endsOf(at("2026-05-06 10:00"), at("2026-05-06 10:00"), class, list, calendar.Statutory)
	if !e.latest.Equal(at("2027-05-06 00:00")) {
		t.Errorf("%v: %s", e.latest, e.proof)
	}
}

func TestEndsOf_rehearsal(t *testing.T) {
	class, list := term(3, 12)
	entered := at("2026-05-08 12:00")
	e := endsOf(at("2026-05-06 10:00"), entered, class, list, calendar.Rehearsal)
	if took := e.latest.Sub(entered); took < 364*time.Second || took > 366*time.Second {
		t.Errorf("a year lasts %v", took)
	}
	if !e.statutoryLatest.Equal(at("2027-05-06 00:00")) {
		t.Errorf("statutory: %v", e.statutoryLatest)
	}
}

func TestEndsNeverExceedTheirMonths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		decided := at("2020-01-01 00:00").Add(time.Duration(rapid.Int64Range(0, 20*366*24*60).Draw(t, "minutes")) * time.Minute)
		low := rapid.IntRange(0, 36).Draw(t, "min")
		high := rapid.IntRange(max(low, 1), 36).Draw(t, "max")
		class, list := term(low, high)
		e := endsOf(decided, decided, class, list, calendar.Statutory)
		if e.earliest.Before(decided) || e.latest.Before(e.earliest) || e.latest.After(decided.In(calendar.Shanghai).AddDate(0, high, 0)) {
			t.Fatalf("%v, %d to %d months: %+v", decided, low, high, e)
		}
	})
}

func TestStateAt(t *testing.T) {
	end := at("2027-01-01 00:00")
	for _, c := range []struct {
		at, state, want string
	}{
		{"2026-05-01 00:00", listed, listed},
		{"2026-12-31 23:59", repairRequested, repairRequested},
		{"2027-01-01 00:00", listed, expired},
		{"2028-06-01 00:00", withdrawn, withdrawn},
		{"2026-06-01 00:00", proposed, proposed},
	} {
		if got := stateAt(at(c.at), store.Listing{State: c.state, LatestEnd: &end}); got != c.want {
			t.Errorf("at %s: %s, want %s", c.at, got, c.want)
		}
	}
}

func TestSeverityOf(t *testing.T) {
	policy := []store.PenaltySeverity{
		{PenaltyKind: "fine", Severity: "general"}, {PenaltyKind: "fine", FromFen: 1000, Severity: "serious"},
		{PenaltyKind: "fine", Simplified: true, Severity: "minor"}, {PenaltyKind: "warning", Severity: "minor"},
	}
	fine := func(fen int64) *creditv1.Penalty {
		return &creditv1.Penalty{Kind: "fine", Amount: &commonv1.Money{Fen: fen}}
	}
	for _, c := range []struct {
		penalties  []*creditv1.Penalty
		simplified bool
		want       string
	}{
		{[]*creditv1.Penalty{{Kind: "warning"}}, false, "minor"},
		{[]*creditv1.Penalty{{Kind: "warning"}, fine(10)}, false, "general"},
		{[]*creditv1.Penalty{fine(10), {Kind: "warning"}}, false, "general"},
		{[]*creditv1.Penalty{fine(1000)}, false, "serious"},
		{[]*creditv1.Penalty{fine(10)}, true, "minor"},
		{[]*creditv1.Penalty{{Kind: "warning"}}, true, "minor"},
		{[]*creditv1.Penalty{{Kind: "detention"}}, false, ""},
		{nil, false, ""},
	} {
		if got := severityOf(c.penalties, c.simplified, policy); got != c.want {
			t.Errorf("%v: %s, want %s", c.penalties, got, c.want)
		}
	}
}

func TestNextQuarter(t *testing.T) {
	for from, want := range map[string]string{
		"2026-01-01 00:00": "2026-04-01 00:00", "2026-05-06 10:00": "2026-07-01 00:00", "2026-12-31 23:59": "2027-01-01 00:00",
	} {
		if got := nextQuarter(at(from)); !got.Equal(at(want)) {
			t.Errorf("after %s: %v, want %s", from, got.In(calendar.Shanghai), want)
		}
	}
}
