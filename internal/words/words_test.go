package words

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	commonv1 "quietline/proto/quietline/common/v1"
)

var verb = regexp.MustCompile(`%[a-z]`)

// Every row says the same as its message: the same arguments in the same order, and in Chinese.
func TestRows(t *testing.T) {
	if n := strings.Count(file, "\n"); len(table()) != n {
		t.Errorf("%d rows of %d lines: one stands twice", len(table()), n)
	}
	for english, chinese := range table() {
		if !slices.Equal(verb.FindAllString(english, -1), verb.FindAllString(chinese, -1)) {
			t.Errorf("%q has other arguments: %q", english, chinese)
		}
		if !regexp.MustCompile(`\p{Han}`).MatchString(chinese) {
			t.Errorf("%q is not said in Chinese: %q", english, chinese)
		}
	}
}

func TestEveryReasonHasWords(t *testing.T) {
	for name := range commonv1.ErrorReason_value {
		if table()["reason:"+strings.TrimPrefix(name, "ERROR_REASON_")] == "" {
			t.Errorf("%s has no words", name)
		}
	}
}

func TestOf(t *testing.T) {
	const policy = commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES
	for _, c := range []struct {
		want, format string
		args         []any
	}{
		{"没有这一案件，或者您无权查看", "no such case", nil},
		{"要求听证的期限已过，截止时间为 2026-03-09（行政处罚法第六十四条）", "行政处罚法 第六十四条: a hearing could be asked for until %s", []any{"2026-03-09"}},
		{"没有这一案件，或者您无权查看", "%s", []any{"no such case"}},
		{"依规定不能办理（依据：行政处罚法 第五十八条）", "行政处罚法 第五十八条: legal review comes %s", []any{"first"}},
		{"依规定不能办理（依据：行政处罚法 第四十四条、第四十五条）", "not before the notice (行政处罚法 第四十四条、第四十五条)", nil},
		{"被举报号码无法使用", "%s", []any{"reported number unusable (被举报号码无法使用)"}},
		{"依规定不能办理", "nobody has said this in Chinese", nil},
	} {
		if got := Of(policy, c.format, c.args...); got != c.want {
			t.Errorf("%q: %q, want %q", c.format, got, c.want)
		}
	}
	if got := OfField("paid_on", "must be positive"); got != "paid_on：须大于零" {
		t.Error(got)
	}
}
