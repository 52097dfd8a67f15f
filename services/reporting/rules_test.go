package reporting

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"quietline/internal/phone"
)

func TestKeyOf(t *testing.T) {
	tests := []struct{ number, province, want string }{
		{"+86 170-0000-0001", "43", "17000000001"},
		{"95588", "43", "95588"},
		{"+8695588", "43", "+8695588"},
		{"96533", "53", "96533@53"},
		{"96533", "", "96533@"},
		{"0871-96533", "43", "087196533"},
	}
	for _, tt := range tests {
		if got := keyOf(phone.Parse(tt.number), tt.province); got != tt.want {
			t.Errorf("key of %s from %s: %s, want %s", tt.number, tt.province, got, tt.want)
		}
	}
}

func TestCheckTimes(t *testing.T) {
	l := limits{skew: 10 * time.Minute, oldest: 30 * 24 * time.Hour}
	for name, tt := range map[string]struct {
		call, filed time.Time
		field       string
	}{
		"fine":                 {noon.Add(-time.Hour), noon, ""},
		"a clock that is fast": {noon.Add(time.Minute), noon, ""},
		"call to come":         {noon.Add(time.Hour), noon, "call_time"},
		"report to come":       {noon, noon.Add(time.Hour), "filed_time"},
		"call after report":    {noon, noon.Add(-time.Hour), "call_time"},
		"long ago":             {noon.AddDate(0, 0, -31), noon, "call_time"},
		"old file":             {noon.AddDate(-5, 0, -1), noon.AddDate(-5, 0, 0), ""},
	} {
		bad := checkTimes(tt.call, tt.filed, noon, l)
		if got := bad; (got == nil) != (tt.field == "") || got != nil && got.field != tt.field {
			t.Errorf("%s: %v", name, bad)
		}
	}
}

func TestReopening(t *testing.T) {
	p := relapsePolicy{threshold: 3, reopenings: 2}
	for reopened, want := range [][2]bool{{true, false}, {true, false}, {true, true}, {false, false}} {
		allowed, lead := p.reopening(int32(reopened))
		if allowed != want[0] || lead != want[1] {
			t.Errorf("re-opened %d times: %v %v", reopened, allowed, lead)
		}
		if got := p.relapsed(3, int32(reopened)); got != want[0] || p.relapsed(2, int32(reopened)) {
			t.Errorf("relapses after %d re-openings: %v", reopened, got)
		}
	}
	if (relapsePolicy{}).relapsed(0, 0) {
		t.Error("re-opened without a relapse")
	}
}

func TestSealedReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		want := sealedReport{text.Draw(t, "reporter"), text.Draw(t, "called"), text.Draw(t, "text"), text.Draw(t, "raw")}
		got, err := unpack(want.pack())
		if err != nil || got != want {
			t.Errorf("got %v %v, want %v", got, err, want)
		}
		packed := want.pack()
		if _, err := unpack(packed[:len(packed)/2]); err == nil && len(packed) > 4 {
			t.Error("half of it unpacks")
		}
	})
}

// Every stage of feedback has a sentence for every code.
func TestSentence(t *testing.T) {
	for _, stage := range feedbackStages {
		if sentence(stage, "", "") == "" || sentence(stage, "no such code", "") == "" {
			t.Errorf("%s has no general sentence", stage)
		}
	}
	if got := sentence("assigned", "", "湖南省通信管理局"); got != "您的举报已分送湖南省通信管理局办理。" {
		t.Error(got)
	}
}

func TestOperatorOf(t *testing.T) {
	for _, tt := range []struct{ number, province, want string }{
		{"13900000001", "44", "cmcc-44"},
		{"133 0000 0001", "11", "ctcc-11"},
		{"13114590000", "", "cucc-23"},   // the number's own province
		{"13114590000", "湖南", "cucc-23"}, // not a code
		{"073188888888", "43", ""},       // a landline tells no operator
		{"", "43", ""},
	} {
		if got := operatorOf(phone.Parse(tt.number), tt.province); got != tt.want {
			t.Errorf("%s in %q: %q, want %q", tt.number, tt.province, got, tt.want)
		}
	}
}
