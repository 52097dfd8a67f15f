package disclosure

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, calendar.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// passes is a gate that every kind passes on the first of May.
func passes() *disclosurev1.Gate {
	return &disclosurev1.Gate{
		NoticeTime:    timestamppb.New(at("2026-04-01 10:00")),
		DecidedTime:   timestamppb.New(at("2026-04-15 10:00")),
		DeliveredTime: timestamppb.New(at("2026-04-20 10:00")),
		WarnedTime:    timestamppb.New(at("2026-03-01 10:00")),
		PenaltyKind:   "fine", SocialImpact: true,
	}
}

func TestGate(t *testing.T) {
	all := []string{penalty, listing, exposure}
	early, future := timestamppb.New(at("2026-01-01 00:00")), timestamppb.New(at("2026-06-01 00:00"))
	for _, c := range []struct {
		name   string
		kinds  []string
		spoil  func(*disclosurev1.Gate)
		want   string
		refuse bool
	}{
		{"passes", all, func(*disclosurev1.Gate) {}, "", false},
		{"natural person", all, func(g *disclosurev1.Gate) { g.Person = true }, "natural_person", false},
		{"mere warning", all[:1], func(g *disclosurev1.Gate) { g.PenaltyKind = "warning" }, "warning_only", false},
		{"no penalty", all[:1], func(g *disclosurev1.Gate) { g.PenaltyKind = "none" }, "", true},
		{"no kind", all[:1], func(g *disclosurev1.Gate) { g.PenaltyKind = "" }, "", true},
		{"no impact", all[:1], func(g *disclosurev1.Gate) { g.SocialImpact = false }, "no_social_impact", false},
		{"listing needs no impact", all[1:2], func(g *disclosurev1.Gate) { g.SocialImpact = false }, "", false},
		{"no notice", all[:2], func(g *disclosurev1.Gate) { g.NoticeTime = nil }, "no_notice", false},
		{"notice after the decision", all[:2], func(g *disclosurev1.Gate) { g.NoticeTime = g.GetDeliveredTime() }, "no_notice", false},
		{"not delivered", all[:2], func(g *disclosurev1.Gate) { g.DeliveredTime = nil }, "not_delivered", false},
		{"delivered before the decision", all[:2], func(g *disclosurev1.Gate) { g.DeliveredTime = early }, "not_delivered", false},
		{"no decision", all[:2], func(g *disclosurev1.Gate) { g.DecidedTime = nil }, "", true},
		{"delivered in the future", all[:2], func(g *disclosurev1.Gate) { g.DeliveredTime = future }, "", true},
		{"no warning", all[2:], func(g *disclosurev1.Gate) { g.WarnedTime = nil }, "no_warning", false},
		{"exposure needs no decision", all[2:], func(g *disclosurev1.Gate) { g.DecidedTime, g.NoticeTime, g.DeliveredTime = nil, nil, nil }, "", false},
	} {
		for _, kind := range c.kinds {
			g := passes()
			c.spoil(g)
			got, err := gate(kind, g, at("2026-05-01 10:00"))
			if got != c.want || errs.Is(err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED) != c.refuse {
				t.Errorf("%s, %s: %q, %v", c.name, kind, got, err)
			}
		}
	}
}

func TestTakeDown(t *testing.T) {
	for _, c := range []struct {
		from   string
		months int
		want   string
	}{
		{"2026-05-01 10:00", 3, "2026-08-01 00:00"},
		{"2026-11-30 10:00", 3, "2027-02-28 00:00"},
		{"2028-02-29 23:00", 36, "2031-02-28 00:00"},
	} {
		if got := takeDown(at(c.from), c.months); !got.Equal(at(c.want)) {
			t.Errorf("%s: %v", c.from, got.In(calendar.Shanghai))
		}
	}
}

func drawTable(t *rapid.T) (*disclosurev1.DigestTable, int64) {
	in, total := &disclosurev1.DigestTable{Axis: "sector"}, int64(0)
	for i := range rapid.IntRange(1, 20).Draw(t, "rows") {
		reports := rapid.OneOf(rapid.Int64Range(0, 30), rapid.Int64Range(0, 1_000_000)).Draw(t, "reports")
		reporters := rapid.Int64Range(0, min(reports, 40)).Draw(t, "reporters")
		in.Rows = append(in.Rows, &disclosurev1.DigestRow{Key: fmt.Sprint("k", i), Reports: reports, Reporters: reporters})
		total += reports
	}
	return in, total
}

func TestSharesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, total := drawTable(t)
		rows, err := table(in, total, 10)
		if err != nil {
			t.Fatal(err)
		}
		var sum int32
		for _, r := range rows {
			sum += r.perMille
			if off := int64(r.perMille)*total - r.reports*1000; off <= -total || off >= total {
				t.Fatalf("%d of %d is not %d per mille", r.reports, total, r.perMille)
			}
		}
		if total > 0 && sum != 1000 {
			t.Fatalf("the shares add to %d", sum)
		}
	})
}

// TestNothingSmallCanBeWorkedOut looks at a table as the public does: every figure shown has enough reporters, and what is
// hidden is one sum of two rows or more with enough of them, unless the whole table is hidden.
func TestNothingSmallCanBeWorkedOut(t *testing.T) {
	const least = 10
	rapid.Check(t, func(t *rapid.T) {
		in, total := drawTable(t)
		rows, err := table(in, total, least)
		if err != nil {
			t.Fatal(err)
		}
		var hidden, reporters, small int64
		for _, r := range rows {
			if r.hidden {
				hidden++
				reporters += r.reporters
			}
			if r.reporters < least {
				small++
				if !r.hidden {
					t.Fatalf("shows %v", r)
				}
			}
		}
		whole := int(hidden) == len(rows)
		if hidden > 0 && (small == 0 || (!whole && (hidden < 2 || reporters < least))) {
			t.Fatalf("%d hidden with %d reporters: %v", hidden, reporters, rows)
		}
	})
}

func TestTableIsRefused(t *testing.T) {
	row := func(key string, reports, reporters int64) *disclosurev1.DigestRow {
		return &disclosurev1.DigestRow{Key: key, Reports: reports, Reporters: reporters}
	}
	for name, rows := range map[string][]*disclosurev1.DigestRow{
		"does not add up":        {row("a", 5, 5)},
		"twice":                  {row("a", 5, 5), row("a", 5, 5)},
		"unknown twice":          {row("", 5, 5), row("unknown", 5, 5)},
		"more people than calls": {row("a", 10, 11)},
		"negative":               {row("a", 11, 5), row("b", -1, 0)},
		"reserved key":           {row(hiddenKey, 10, 10)},
	} {
		if _, err := table(&disclosurev1.DigestTable{Axis: "x", Rows: rows}, 10, 10); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTitle(t *testing.T) {
	if got := titleOf("{year}年{month}月盘点", "2026-03"); got != "2026年3月盘点" {
		t.Error(got)
	}
}
