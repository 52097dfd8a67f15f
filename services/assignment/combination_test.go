package assignment

import (
	"slices"
	"strings"
	"testing"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// What words say together, and what takes it away again.
func TestClassify_combinations(t *testing.T) {
	l := lexiconOf(t)
	for _, tc := range []struct{ name, text, category string }{
		{"points for cash", "您的积分可换现金,请点击 http://a.example 领取", criminal},
		{"points for goods", "您的积分可在积分商城兑换礼品,退订回T", commercial},
		{"an account to pay to", "钱转到6222020000000000018,李芳", criminal},
		{"a flight that is off, with money back", "您乘坐的航班已取消,请联系客服改签并领取补偿", criminal},
		{"a fee before a loan", "贷款已审批,请先交解冻费", criminal},
		{"a loan without a fee", "无抵押贷款,不收任何费用,当天放款", commercial},
		{"a warning against fraud is none", "警方提示:谨防电信诈骗,不要向陌生人转账", ""},
		{"who says he is who warns", "自称反诈中心的人让我转账到安全账户", criminal},
		{"a shop for mahjong tables", "麻将机专卖,特价批发", commercial},
		{"a mahjong table that cheats", "麻将机控制器,想要什么牌就来什么牌", criminal},
		{"another script in between", "領到的東西請進來看看,这里说话的人很多,说过的话也很长,还会给您讲", criminal},
	} {
		got := l.classify(&assignmentv1.ClassifyItem{Text: tc.text}, nil)
		if got.GetCategory() != tc.category {
			t.Errorf("%s: %q, want %q; %q", tc.name, got.GetCategory(), tc.category, got.GetWhy())
		}
	}
	why := l.classify(&assignmentv1.ClassifyItem{Text: "警方提示:谨防电信诈骗,不要向陌生人转账"}, nil).GetWhy()
	if !slices.ContainsFunc(why, func(w string) bool { return strings.HasPrefix(w, "words:谨防+转账 -> other/criminal -") }) {
		t.Errorf("%q does not tell what takes the suspicion away", why)
	}
}

// Where missing one costs more, less evidence is enough to say it first; it is no surer for that.
func TestBest_costs(t *testing.T) {
	scores := []float64{4, 0, 3}
	if first, _, _ := best(categoryOrder, scores, []float64{1, 1, 1}); first != commercial {
		t.Errorf("without costs it is %s", first)
	}
	first, second, sure := best(categoryOrder, scores, []float64{1, 1, 2})
	if first != criminal || second != commercial || sure >= 0.5 {
		t.Errorf("got %s, then %s, sure %v", first, second, sure)
	}
}

// Messages as they are sent, made up from general knowledge of what is sent: half of them look like crime and are none.
func TestClassify_messages(t *testing.T) {
	c := classifierOf(t)
	said, right, crimes, caught := 0, 0, 0, 0
	for _, r := range fixturesOf(t, "testdata/messages.csv") {
		got := c.Classify(r.Item).GetCategory()
		said, right = said+count(got == criminal), right+count(got == criminal && r.Category == criminal)
		crimes, caught = crimes+count(r.Category == criminal), caught+count(got == criminal && r.Category == criminal)
	}
	if crimes < 50 || share(caught, crimes) < 0.93 || share(right, said) < 0.85 {
		t.Errorf("of %d crimes %d are found, of %d said %d are", crimes, caught, said, right)
	}
}

func TestNormalise_accounts(t *testing.T) {
	l := lexiconOf(t)
	for text, want := range map[string]string{
		"6222020000000000018": string(markAccount), "6222-0200-0000-0000-018": string(markAccount), "62220200": "62220200",
		"1234567890123456": "1234567890123456", "13900000000": string(markTelephone),
	} {
		if got := string(l.normalise(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
