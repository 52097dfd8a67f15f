package enforcement

import (
	"strings"
	"testing"
	"time"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/testkit"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/enforcement/store"
)

func lawDay(s string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, s+" 12:00:00", calendar.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

func lawDetail(code, kind string, yuan int64) *assignmentv1.PenaltyDetail {
	d := &assignmentv1.PenaltyDetail{Kind: kind, CatalogueCode: code}
	if yuan > 0 {
		d.Amount = &commonv1.Money{Fen: yuan * 100}
	}
	return d
}

// The catalogue as it is shipped, on real PostgreSQL: who, what, how much.
func TestMeasure(t *testing.T) {
	q := store.New(testkit.DB(t, "enforcement", store.Migrations))
	marketing := circumstances{act: "marketing_without_consent", role: "caller", subject: subjectFirm}
	with := func(change func(*circumstances)) circumstances {
		c := marketing
		change(&c)
		return c
	}
	sublet := circumstances{act: "resource_sublet", role: "caller", subject: subjectFirm}
	spoof := circumstances{act: "false_caller_not_blocked", role: "access_operator", subject: subjectOperator}
	for name, tc := range map[string]struct {
		agency, profile string
		facts           circumstances
		detail          *assignmentv1.PenaltyDetail
		at              string
		want            string // part of the refusal; empty passes
		low, high       int64  // in yuan, of the law
		bandLow, bandUp int64  // of the benchmark
		outside         bool
	}{
		"消保法 56 without gains, light: 30% of 500,000": {
			agency: "samr-44", facts: with(func(c *circumstances) { c.mitigated = true }), detail: lawDetail("consumer_56", "fine", 20_000),
			low: 0, high: 500_000, bandLow: 0, bandUp: 150_000,
		},
		"消保法 56 without gains, ordinary: 150,000 to 350,000": {
			agency: "samr-44", facts: marketing, detail: lawDetail("consumer_56", "fine", 20_000),
			low: 0, high: 500_000, bandLow: 150_000, bandUp: 350_000, outside: true,
		},
		"消保法 56, a natural person: three tenths of the span": {
			agency: "samr-44", facts: with(func(c *circumstances) { c.subject = subjectPerson }), detail: lawDetail("consumer_56", "fine", 50_000),
			low: 0, high: 500_000, bandLow: 45_000, bandUp: 105_000,
		},
		"消保法 56, 30,000 gains: one to ten times, heavy when serious": {
			agency: "samr-44", facts: with(func(c *circumstances) { c.gains, c.serious = 3_000_000, true }), detail: lawDetail("consumer_56", "fine", 250_000),
			low: 30_000, high: 300_000, bandLow: 219_000, bandUp: 300_000,
		},
		"消保法 56, ten times and a yuan": {
			agency: "samr-44", facts: with(func(c *circumstances) { c.gains = 3_000_000 }), detail: lawDetail("consumer_56", "fine", 300_001),
			want: "outside 1 to 10 times the illegal gains of 30000 yuan",
		},
		"消保法 56, half a million and a yuan": {
			agency: "samr-44", facts: marketing, detail: lawDetail("consumer_56", "fine", 500_001), want: "0 yuan to 500000 yuan",
		},
		"confiscation is of the gains": {
			agency: "samr-44", facts: with(func(c *circumstances) { c.gains = 3_000_000 }), detail: lawDetail("consumer_56", "confiscation", 29_000),
			want: "exactly the gains of 30000 yuan",
		},
		"no gains, no confiscation": {agency: "samr-44", facts: marketing, detail: lawDetail("consumer_56", "confiscation", 1), want: "no illegal gains"},
		"another ministry in its sector": {
			agency: "nfra-44", facts: with(func(c *circumstances) { c.mitigated = true }), detail: lawDetail("consumer_56", "fine", 20_000),
			low: 0, high: 500_000, bandLow: 0, bandUp: 150_000,
		},
		"but not the business licence": {
			agency: "nfra-44", facts: with(func(c *circumstances) { c.serious = true }), detail: lawDetail("consumer_56", "revocation", 0),
			want: "may not impose a revocation by 消费者权益保护法 第五十六条 (行政处罚法 第十七条); who may: samr",
		},
		"closure only when serious": {agency: "samr-44", facts: marketing, detail: lawDetail("consumer_56", "closure", 0), want: "permits no closure"},
		"广告法 62 is for the advertiser": {
			agency: "samr-44", facts: marketing, detail: lawDetail("advertising_62", "fine", 10_000), want: "not for a firm in the role caller",
		},
		"广告法 62: 5,000 to 30,000, ordinary 12,500 to 22,500": {
			agency: "samr-44", facts: with(func(c *circumstances) { c.role = "advertiser" }),
			detail: &assignmentv1.PenaltyDetail{Kind: "fine", Amount: &commonv1.Money{Fen: 2_000_000}, Basis: "《广告法》第62条"},
			low:    5_000, high: 30_000, bandLow: 12_500, bandUp: 22_500,
		},
		"广告法 62 is not the telecom administration's": {
			agency: "ca-44", facts: with(func(c *circumstances) { c.role = "advertiser" }), detail: lawDetail("advertising_62", "fine", 20_000),
			want: "ca-44 may not impose a fine",
		},
		"电信条例 69 without gains: 100,000 to 1,000,000": {
			agency: "ca-44", facts: sublet, detail: lawDetail("telecom_69", "fine", 400_000), low: 100_000, high: 1_000_000, bandLow: 370_000, bandUp: 730_000,
		},
		"电信条例 69, gains below 50,000: still the amounts": {
			agency: "ca-44", facts: circumstances{act: "resource_sublet", role: "caller", subject: subjectFirm, gains: 4_999_900},
			detail: lawDetail("telecom_69", "fine", 400_000), low: 100_000, high: 1_000_000, bandLow: 370_000, bandUp: 730_000,
		},
		"电信条例 69, gains of 50,000: three to five times": {
			agency: "ca-44", facts: circumstances{act: "resource_sublet", role: "caller", subject: subjectFirm, gains: 5_000_000},
			detail: lawDetail("telecom_69", "fine", 200_000), low: 150_000, high: 250_000, bandLow: 180_000, bandUp: 220_000,
		},
		"电信条例 69 is not the market regulator's": {agency: "samr-44", facts: sublet, detail: lawDetail("telecom_69", "fine", 400_000), want: "who may: ca, miit"},
		"电信条例 69 is not for unwanted marketing": {
			agency: "ca-44", facts: marketing, detail: lawDetail("telecom_69", "fine", 400_000), want: "is not for the act marketing_without_consent",
		},
		"反诈法 39, ordinary": {
			agency: "ca-44", facts: spoof, detail: lawDetail("anti_fraud_39", "fine", 200_000), low: 50_000, high: 500_000, bandLow: 185_000, bandUp: 365_000,
		},
		"反诈法 39, serious has a range of its own": {
			agency: "ca-44", facts: circumstances{act: spoof.act, role: spoof.role, subject: spoof.subject, serious: true},
			detail: lawDetail("anti_fraud_39", "fine", 2_000_000), low: 500_000, high: 5_000_000, bandLow: 1_850_000, bandUp: 3_650_000,
		},
		"治安管理处罚法 is the police's": {
			agency: "ca-44", facts: circumstances{act: "malicious_calls", role: "caller", subject: subjectPerson},
			detail: lawDetail("public_security_2026", "fine", 300), want: "who may: mps",
		},
		"治安管理处罚法 as it was": {
			agency: "mps-44", at: "2025-12-31", facts: circumstances{act: "malicious_calls", role: "caller", subject: subjectPerson},
			detail: lawDetail("public_security_42", "fine", 75), low: 0, high: 500, bandLow: 45, bandUp: 105,
		},
		"治安管理处罚法 2012 is out of force": {
			agency: "mps-44", facts: circumstances{act: "malicious_calls", role: "caller", subject: subjectPerson},
			detail: lawDetail("public_security_42", "fine", 75), want: "no row public_security_42 in force: no penalty without law (行政处罚法 第三十八条)",
		},
		"no such law": {
			agency: "samr-44", facts: marketing, want: "no penalty without law (行政处罚法 第三十八条)",
			detail: &assignmentv1.PenaltyDetail{Kind: "fine", Amount: &commonv1.Money{Fen: 100}, Basis: "文明行为促进条例第一条"},
		},
		"the draft is no law": {agency: "ca-44", facts: marketing, detail: lawDetail("draft_2020", "fine", 20_000), want: "is a draft and no law"},
		"nor by its name": {
			agency: "ca-44", facts: marketing, want: "is a draft and no law",
			detail: &assignmentv1.PenaltyDetail{Kind: "fine", Amount: &commonv1.Money{Fen: 2_000_000}, Basis: "《通信短信息和语音呼叫服务管理规定》"},
		},
		"nor beside a law": {
			agency: "samr-44", facts: marketing, want: "is a draft and no law",
			detail: &assignmentv1.PenaltyDetail{Kind: "warning", CatalogueCode: "consumer_56", Basis: "消费者权益保护法第五十六条、通信短信息和语音呼叫服务管理规定(征求意见稿)"},
		},
		"the draft in a rehearsal": {
			agency: "ca-44", profile: rehearsing, facts: marketing, detail: lawDetail("draft_2020", "fine", 20_000),
			low: 10_000, high: 30_000, bandLow: 16_000, bandUp: 24_000,
		},
		"the draft is for service providers": {
			agency: "ca-44", profile: rehearsing, facts: with(func(c *circumstances) { c.role = "advertiser" }), detail: lawDetail("draft_2020", "fine", 20_000),
			want: "not for a firm in the role advertiser",
		},
		"revocation by the draft when egregious": {
			agency: "ca-44", profile: rehearsing, facts: with(func(c *circumstances) { c.egregious = true }), detail: lawDetail("draft_2020", "revocation", 0),
		},
		"not when only serious": {
			agency: "ca-44", profile: rehearsing, facts: with(func(c *circumstances) { c.serious = true }), detail: lawDetail("draft_2020", "revocation", 0),
			want: "permits no revocation",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := &law{agency: tc.agency, profile: tc.profile, facts: tc.facts}
			at := lawDay("2026-11-20")
			if tc.at != "" {
				at = lawDay(tc.at)
			}
			if err := l.read(t.Context(), q, at); err != nil {
				t.Fatal(err)
			}
			m, err := l.measure(tc.detail)
			if tc.want != "" {
				if err == nil || !strings.Contains(errs.Text(err), tc.want) {
					t.Fatalf("got %v, want %q", err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, want := m.span, (span{tc.low * 100, tc.high * 100}); got != want {
				t.Errorf("the law permits %v, want %v", got, want)
			}
			if got, want := m.band.span, (span{tc.bandLow * 100, tc.bandUp * 100}); got != want || m.outside != tc.outside {
				t.Errorf("band %v (outside: %v), want %v (%v)", got, m.outside, want, tc.outside)
			}
		})
	}
}

// Terms of 行政处罚法 36 worked out by hand: 2 or 5 years from the end of the act, to the end of the same day.
func TestLimitation(t *testing.T) {
	at := func(s string) *time.Time { d := lawDay(s); return &d }
	for name, tc := range map[string]struct {
		l                limitation
		barred, doubtful bool
	}{
		"on the last day":                  {limitation{end: at("2024-03-10"), discovery: lawDay("2026-03-10")}, false, false},
		"a day late":                       {limitation{end: at("2024-03-10"), discovery: lawDay("2026-03-11")}, true, false},
		"a day late, disputed":             {limitation{end: at("2024-03-10"), discovery: lawDay("2026-03-11"), disputed: true}, false, true},
		"leap day, last day":               {limitation{end: at("2024-02-29"), discovery: lawDay("2026-02-28")}, false, false},
		"leap day, a day late":             {limitation{end: at("2024-02-29"), discovery: lawDay("2026-03-01")}, true, false},
		"grave, after four years":          {limitation{end: at("2022-01-05"), discovery: lawDay("2026-01-05"), grave: true}, false, false},
		"grave, after five years":          {limitation{end: at("2021-11-05"), discovery: lawDay("2026-11-06"), grave: true}, true, false},
		"it goes on":                       {limitation{end: at("2020-01-01"), continues: true, discovery: lawDay("2026-01-01")}, false, true},
		"the end is not known":             {limitation{discovery: lawDay("2026-01-01")}, false, true},
		"discovered while it was going on": {limitation{end: at("2026-02-01"), discovery: lawDay("2026-01-05")}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := tc.l.judge()
			if err != nil {
				t.Fatal(err)
			}
			if v.barred != tc.barred || v.doubtful != tc.doubtful || !strings.Contains(v.words, "第三十六条") {
				t.Errorf("got %+v", v)
			}
		})
	}
}

// The first report that was later substantiated discovers the act, whichever complaint it is of; the last call ends it.
func TestDiscoveryOf(t *testing.T) {
	at := func(s string) *time.Time { d := lawDay(s); return &d }
	rows := []store.CaseDiscovery{
		{DiscoveryTime: at("2026-03-01"), DiscoveryBasis: "second", ActEndTime: at("2026-02-27")},
		{DiscoveryTime: at("2026-02-01"), DiscoveryBasis: "first", ActEndTime: at("2026-01-30")},
		{DiscoveryBasis: "nothing known"},
	}
	got := discoveryOf(rows, lawDay("2026-04-01"))
	if !got.discovery.Equal(lawDay("2026-02-01")) || got.basis != "first" || !got.end.Equal(lawDay("2026-02-27")) {
		t.Errorf("got %+v", got)
	}
	if got := discoveryOf(nil, lawDay("2026-04-01")); !got.discovery.Equal(lawDay("2026-04-01")) || got.end != nil {
		t.Errorf("without reports: %+v", got)
	}
}

func TestCites(t *testing.T) {
	for n, want := range map[int]string{2: "二", 10: "十", 12: "十二", 39: "三十九", 62: "六十二", 100: "一百", 104: "一百零四", 110: "一百一十", 123: "一百二十三"} {
		if got := chinese(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	ad := store.Penalty{Law: "广告法", Article: "第六十二条"}
	for basis, want := range map[string]bool{
		"广告法第六十二条": true, "《中华人民共和国广告法》 第六十二条第一款": true, "广告法 62": true, "广告法第六条": false, "电信条例第六十二条": false, "": false,
	} {
		if _, got := cites(basis, ad); got != want {
			t.Errorf("%q cites it: %v", basis, got)
		}
	}
}

func TestWeigh(t *testing.T) {
	base := store.ListFinesRow{AmountFen: 2_000_000, BandLowFen: 1_000_000, BandHighFen: 3_000_000, Median: 1_500_000, Alike: 7, Grade: gradeOrdinary}
	for name, tc := range map[string]struct {
		change  func(*store.ListFinesRow)
		outlier bool
		words   string
	}{
		"alike":        {func(*store.ListFinesRow) {}, false, "罚款 20000 元 在裁量档次之内,与同类 7 件相当(中位数 15000 元)"},
		"few":          {func(r *store.ListFinesRow) { r.Alike, r.Median = 2, 100 }, false, "罚款 20000 元 在裁量档次之内;同类仅 2 件,不足以比较"},
		"unpublished":  {func(r *store.ListFinesRow) { r.Grade, r.Alike = "", 3 }, false, "罚款 20000 元 在法定幅度之内,该部门没有公布的裁量基准;同类仅 3 件,不足以比较"},
		"over":         {func(r *store.ListFinesRow) { r.BandHighFen = 1_900_050 }, true, "罚款 20000 元:高于裁量档次上限 19000.5 元"},
		"under":        {func(r *store.ListFinesRow) { r.BandLowFen, r.Reason = 2_100_000, "配合调查" }, true, "罚款 20000 元:低于裁量档次下限 21000 元;理由:配合调查"},
		"far above":    {func(r *store.ListFinesRow) { r.Median = 500_000 }, true, "罚款 20000 元:同类 7 件的中位数为 5000 元,本件为其 4.0 倍"},
		"far below":    {func(r *store.ListFinesRow) { r.Median = 8_000_000 }, true, "罚款 20000 元:同类 7 件的中位数为 80000 元,本件仅为其 0.2 倍"},
		"just twofold": {func(r *store.ListFinesRow) { r.Median = 1_000_000 }, false, "罚款 20000 元 在裁量档次之内,与同类 7 件相当(中位数 10000 元)"},
	} {
		r := base
		tc.change(&r)
		if outlier, words := weigh(r); outlier != tc.outlier || words != tc.words {
			t.Errorf("%s: %v %s", name, outlier, words)
		}
	}
}
