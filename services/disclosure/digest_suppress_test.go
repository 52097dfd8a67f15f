package disclosure

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// Whoever knows the rule knows that a figure in the row of the small ones is of fewer than ten people, and where each reported
// once that bounds it. It still does not follow: which keys have no reports at all nobody knows.
func TestPublic_knowingTheRuleDoesNotHelp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, at := &madeUp{}, source{"reporting", inReports, "sector"}
		person, sizes := 0, rapid.SliceOfN(rapid.IntRange(1, 14), 1, 8).Draw(t, "sizes")
		for i, n := range sizes {
			m.add(at, fmt.Sprintf("s%d", i), "", int64(n), crowdOf(person+1, person+n))
			person += n
		}
		m.add(at, "large", "", 100, crowdOf(person+1, person+100))
		making := m.making()
		d, sheets := making.edition("2026-10", 1)
		s := &system{}
		attack(t, s, d, membersOf(making, sheets))
		for i, n := range sizes {
			if n < leastPeople {
				s.atMost(leastPeople-1, fmt.Sprintf("sector/s%d", i))
			}
		}
		for name, is := range making.secrets() {
			low, high, open, ok := s.bounds(name)
			if !ok || open || low.Cmp(big.NewRat(is, 1)) > 0 || high.Cmp(big.NewRat(is, 1)) < 0 {
				t.Fatalf("%s = %d: %v to %v", name, is, low, high)
			}
			if new(big.Rat).Sub(high, low).Cmp(big.NewRat(leastPeople-2, 1)) < 0 {
				t.Fatalf("%s = %d follows to within %s to %s", name, is, low.RatString(), high.RatString())
			}
		}
	})
}

// Two versions of the same counts, of which other people stand behind some, tell together no more than each.
func TestPublic_versionsTogetherTellNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := page(t)
		one := first.making()
		d1, sheets1 := one.edition("2026-10", 1)
		second := &madeUp{}
		for _, r := range first.rows { // the same counts, other people
			people := crowdOf(1, int(min(r.GetCount(), int64(rapid.IntRange(1, 14).Draw(t, "people")))))
			if r.GetReporters() > 14 {
				people = crowdOf(1, int(r.GetReporters()))
			}
			second.add(source{r.owner, r.GetUnit(), r.GetAxis()}, r.GetKey(), r.GetColumn(), r.GetCount(), people)
		}
		two := second.making()
		told := &earlier{joined: map[string][][]string{}, untold: map[string]map[string]bool{}}
		for _, table := range d1.GetTables() {
			told.take(withMembers(table, sheets1[table.GetAxis()]))
		}
		two.before, two.untold = told.joined, told.untold
		d2, sheets2 := two.edition("2026-10", 2)
		s := &system{}
		attack(t, s, d1, membersOf(one, sheets1))
		secrets := one.secrets()
		later := two.secrets()
		for name := range secrets { // the goals are of one version only; a column's figure that many stand behind by then may be told
			_, still := later[name]
			if strings.HasPrefix(name, "agency/") && !still || strings.HasPrefix(name, "category_finding/") {
				delete(secrets, name)
			}
		}
		d2.Indicators = nil
		attack(t, s, d2, membersOf(two, sheets2))
		one.structure(s)
		for axis, sheet := range sheets2 {
			for _, r := range sheet.rows {
				if len(r.members) == 1 {
					delete(secrets, axis+"/"+r.members[0])
					delete(secrets, map[string]string{"segment": "number_kind/mobile/"}[axis]+r.members[0])
				}
			}
		}
		hold(t, s, one, secrets)
	})
}

// withMembers is a table with what its rows stand for, as it is kept.
func withMembers(t *disclosurev1.DigestTable, s *sheet) *disclosurev1.DigestTable {
	t = proto.CloneOf(t)
	for i, r := range t.GetRows() {
		r.Members = s.rows[i].members
	}
	return t
}

// Where several people stand behind a complaint a figure of few complaints may be of many people, and is told. What is of
// few people still does not follow.
func TestPublic_severalBehindAComplaint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		up := &madeUp{}
		up.agencies(t, 120, 4)
		m := up.making()
		d, sheets := m.edition("2026-10", 1)
		s := &system{}
		attack(t, s, d, membersOf(m, sheets))
		m.structure(s)
		for name, is := range m.secrets() {
			if _, ok := s.names[name]; !ok || !strings.HasPrefix(name, "agency/") {
				continue
			}
			low, high, open, ok := s.bounds(name)
			if !ok || !open && low.Cmp(high) == 0 {
				t.Fatalf("%s = %d: %v to %v", name, is, low, high)
			}
		}
	})
}

// A kind of number that has segments beneath it takes a small one in only when nothing else can, and then its segments are
// not told: their sum would tell the small one.
func TestPublic_segmentsDoNotTellWhatTheirSumHides(t *testing.T) {
	at := source{"reporting", inReports, "number_kind"}
	m := &madeUp{}
	m.add(at, "landline", "", 3, crowdOf(1, 3))
	m.add(at, "mobile/170", "", 40, crowdOf(4, 43))
	m.add(at, "mobile/171", "", 60, crowdOf(44, 103))
	_, sheets := m.making().edition("2026-10", 1)
	if rows := sheets["number_kind"].rows; len(rows) != 1 || rows[0].count != 103 {
		t.Errorf("kinds: %+v", rows)
	}
	if s := sheets["segment"]; len(s.rows) != 0 || s.total != nil {
		t.Errorf("segments: %+v", s.rows)
	}
	m.add(at, "mobile", "", 500, crowdOf(200, 700))
	_, sheets = m.making().edition("2026-10", 1)
	if s := sheets["segment"]; len(s.rows) != 2 || *s.total != 100 {
		t.Errorf("segments: %+v", s.rows)
	}
	if rows := sheets["number_kind"].rows; len(rows) != 2 || rows[0].key != "mobile+others" || rows[0].count != 503 {
		t.Errorf("kinds: %+v", rows)
	}
}

// One small figure among large ones hides none of them: the smallest says that it has the small one in it.
func TestGrouped_hidesNothingLarge(t *testing.T) {
	m, at := &madeUp{}, source{"reporting", inReports, "sector"}
	m.add(at, "a", "", 2, crowdOf(1, 2))
	for i, key := range []string{"b", "c", "d"} {
		m.add(at, key, "", int64(50_000*(i+1)), crowdOf(10, 60))
	}
	_, sheets := m.making().edition("2026-10", 1)
	var got []string
	for _, r := range sheets["sector"].rows {
		got = append(got, fmt.Sprintf("%s=%d", r.key, r.count))
	}
	if want := "d=150000 c=100000 b+others=50002"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	m.add(at, "e", "", 8, crowdOf(100, 107))
	_, sheets = m.making().edition("2026-10", 1)
	if r := sheets["sector"].rows[3]; r.key != othersKey || r.count != 10 {
		t.Errorf("two small ones together: %+v", r)
	}
}

// What is done with, of as many tasks as were given, does not tell how few were sent back: in the month in which the counts
// begin nothing was left from before, and at its end nothing need be open.
func TestPublic_tasksDoneTellNoneSentBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, at := &madeUp{}, source{"assignment", inTasks, "agency"}
		matter := 0
		add := func(key, column string, n int) {
			m.add(at, key, column, int64(n), crowdOf(matter+1, matter+n))
		}
		for i := range rapid.IntRange(2, 6).Draw(t, "agencies") {
			key := fmt.Sprint("a", i)
			decided, bounced, open := rapid.IntRange(10, 40).Draw(t, "decided"), rapid.IntRange(0, 14).Draw(t, "bounced"), rapid.IntRange(0, 12).Draw(t, "open")
			add(key, "opened", decided+bounced+open)
			add(key, "decided", decided)
			matter += decided
			add(key, "bounced", bounced)
			matter += bounced + open
		}
		d, _ := m.making().edition("2026-10", 1)
		for _, table := range d.GetTables() {
			if table.GetAxis() != "agency_tasks" {
				continue
			}
			for _, r := range table.GetRows() {
				done, back := r.GetValues()[0], r.GetValues()[1]
				if room := r.GetReports() - done.GetValue(); back.GetHidden() && !done.GetHidden() && room < leastPeople {
					t.Fatalf("%s: of %d %d are done with, so that at most %d were sent back", r.GetKey(), r.GetReports(), done.GetValue(), room)
				}
			}
		}
	})
}
