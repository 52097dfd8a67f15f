package disclosure

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"quietline/internal/testkit"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

func TestWithoutPersons_everyWayOfWriting(t *testing.T) {
	for text, want := range map[string]string{
		"回电+8613800138000核实":          "回电138****8000核实",
		"8613800138000":               "138****8000",
		"008613800138000":             "138****8000",
		"+86 138 0013 8000":           "138****8000",
		"138 0013 8000":               "138****8000",
		"138-0013-8000":               "138****8000",
		"138\u200b0013\u200b8000":     "138****8000",
		"13800138000":                 "138****8000",
		"tel13800138000":              "tel138****8000",
		"电话(13800138000)":             "电话(138****8000)",
		"(010)62300000":               "010****00",
		"010 62300000":                "010****00",
		"+86 10 62300000":             "010****00",
		"11010519491231002x的当事人":      "110105************的当事人",
		"110105 19491231 002X":        "110105************",
		"码号95013123、4001234567":       "码号95013123、4001234567",
		"服务号码400-123-4567,10100001":   "服务号码400-123-4567,10100001",
		"许可证B2-20260001,自2026-01-02起": "许可证B2-20260001,自2026-01-02起",
		"2026-01-02 1000000元":         "2026-01-02 1000000元",
		"91110000000000000A":          "91110000000000000A",
		"罚款20000.00元，〔2026〕1号":        "罚款20000.00元，〔2026〕1号",
	} {
		if got := withoutPersons(text); got != want {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
	}
}

// Whatever stands around a number and between its groups, it is not read on a page, and masking again changes nothing.
func TestWithoutPersons_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(t, "number")
		gap := rapid.SampledFrom([]string{"", " ", "-", "　", "－", ") ", "."}).Draw(t, "gap")
		prefix := rapid.SampledFrom([]string{"", "+86", "86", "0086", "+86 ", "86-", "0", "tel", "号码:"}).Draw(t, "prefix")
		around := rapid.StringMatching(`[,。:号的a-z〔〕]{0,4}`)
		text := around.Draw(t, "before") + "，" + prefix + number[:3] + gap + number[3:7] + gap + number[7:] + "，" + around.Draw(t, "after")
		once := withoutPersons(text)
		if strings.Contains(onlyDigits(once), number) {
			t.Fatalf("%s: %s", text, once)
		}
		if again := withoutPersons(once); again != once {
			t.Fatalf("%s, again %s", once, again)
		}
	})
}

func onlyDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if isDigit(r) {
			return r
		}
		return -1
	}, text)
}

// Every field that the public reads is masked.
func TestPublish_masksEveryField(t *testing.T) {
	w := newWorld(t)
	resp, err := w.ask(t, penalty, func(r *disclosurev1.PublishRequest) {
		p := r.Publication
		p.Title += "+8613800138000"
		p.PartyName, p.Summary, p.DecisionNo, p.LicenceNo = "张三13800138000", "138 0013 8000", "13800138000号", "B2-13800138000"
	})
	if err != nil || resp.GetPublication().GetState() != live {
		t.Fatalf("%v, %v", resp, err)
	}
	p := resp.GetPublication()
	for _, words := range []string{p.GetTitle(), p.GetPartyName(), p.GetSummary(), p.GetDecisionNo(), p.GetLicenceNo()} {
		if !strings.Contains(words, "138****8000") {
			t.Errorf("not masked: %s", words)
		}
	}
}

// exceptMinor makes the rule that minor acts with an impact on society are published.
func (w *world) exceptMinor(t *testing.T) {
	t.Helper()
	_, err := testkit.Owner(t, w.db).Exec(t.Context(), `INSERT INTO minor_exception (penalty_kind, with_impact, source, to_confirm, valid_from)
		VALUES ('', true, 'test', true, '2026-04-01T00:00:00+08:00')`)
	if err != nil {
		t.Fatal(err)
	}
}

// Minor acts are not published since the order came into force, unless a rule makes an exception.
func TestMinorIsNotPublished(t *testing.T) {
	for _, c := range []struct {
		kind       string
		simplified bool
		want       bool
	}{{"criticism", false, false}, {"fine", true, false}, {"fine", false, true}} {
		w := newWorld(t)
		ask := func() *disclosurev1.PublishResponse {
			resp, err := w.ask(t, penalty, func(r *disclosurev1.PublishRequest) {
				r.Gate.PenaltyKind, r.Gate.Simplified = c.kind, c.simplified
			})
			if err != nil {
				t.Fatal(err)
			}
			return resp
		}
		resp := ask()
		if published := resp.GetPublication() != nil; published != c.want || !published && resp.GetNotPublishedBecause() != "minor_not_published" {
			t.Errorf("%s, simplified %v: %v", c.kind, c.simplified, resp)
		}
		w.exceptMinor(t)
		if ask().GetPublication() == nil {
			t.Errorf("%s, simplified %v: no exception", c.kind, c.simplified)
		}
	}
}
