package reporting

import (
	"fmt"
	"strings"
	"time"

	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/reporting/format"
)

// senderPublic sends what citizens file themselves; its numbers are the request IDs.
const senderPublic = "public"

// keyOf is what reports of the same number share. Every province gives out its own 96 codes, so those have their area
// or the reporter's province behind them; the normal form of forged numbers keeps what gives them away.
func keyOf(n *commonv1.Number, reporterProvince string) string {
	if n.GetKind() == phone.Code96 && strings.HasPrefix(n.GetNormal(), "96") {
		return n.GetNormal() + "@" + reporterProvince
	}
	return n.GetNormal()
}

// forgedKey is the key of a complaint whose number proved forged: reports about the true holder are not drawn into it.
func forgedKey(number, complaintID string, taken bool) string {
	if taken {
		return "forged:" + number + "/" + complaintID
	}
	return "forged:" + number
}

// operatorOf is the agency ID of the operator that a reporter's number was allocated to: its branch in the reporter's
// province, else in the number's; the operator itself where neither is known, empty where the number has none.
func operatorOf(n *commonv1.Number, reporterProvince string) string {
	carrier := n.GetAllocatedCarrier()
	province := reporterProvince
	if !isProvince(province) {
		province = n.GetProvince()
	}
	if carrier == "" || !isProvince(province) {
		return carrier
	}
	return carrier + "-" + province
}

// isProvince says whether a text is a GB/T 2260 code of a province; senders write all kinds of things there.
func isProvince(s string) bool {
	return len(s) == 2 && '1' <= s[0] && s[0] <= '6' && '0' <= s[1] && s[1] <= '9'
}

// fault is what makes a row unusable: which field and why, never the value.
type fault struct {
	field  string // as in format: displayed, call_time ...
	reason string
}

// checkNumbers says what is wrong with the numbers of a row besides the reported one: what a typed report is refused for.
// Whether a reporter's number must be there is for the format to say.
func checkNumbers(sent format.Row) *fault {
	switch {
	case sent.ReporterNumber != "" && !phone.Usable(phone.Parse(sent.ReporterNumber)):
		return &fault{"reporter_number", format.ReasonReporter}
	case sent.CalledNumber != "" && !phone.Usable(phone.Parse(sent.CalledNumber)):
		return &fault{"called_number", format.ReasonCalled}
	}
	return nil
}

// channels are where reports come through, as mapping files have them too (举报渠道).
var channels = []string{"web", "app", "mini_program", "phone", "operator", "agency", "police", "other"}

// limits are the policy's figures for calls.
type limits struct {
	skew   time.Duration // how far a sender's clock may run ahead
	oldest time.Duration
}

// checkTimes says what is wrong with the times of a report, nil when nothing is.
func checkTimes(call, filed, now time.Time, l limits) *fault {
	switch {
	case call.After(now.Add(l.skew)):
		return &fault{"call_time", format.ReasonCallFuture}
	case filed.After(now.Add(l.skew)):
		return &fault{"filed_time", format.ReasonFiledFuture}
	case call.After(filed.Add(l.skew)):
		return &fault{"call_time", format.ReasonCallLater}
	case call.Before(filed.Add(-l.oldest)):
		return &fault{"call_time", fmt.Sprintf("call more than %d days before the report (来电时间过早)", int(l.oldest.Hours()/24))}
	}
	return nil
}

// clean says whether a text may be stored as text: PostgreSQL takes no NUL.
func clean(texts ...string) bool {
	for _, t := range texts {
		if strings.ContainsRune(t, 0) {
			return false
		}
	}
	return true
}

// advice is what a citizen must be told at once. Fraud and threats do not wait for a workflow.
func advice(reportedType, text string) string {
	for _, word := range []string{"诈骗", "冒充", "勒索", "恐吓", "威胁", "安全账户", "转账"} {
		if strings.Contains(reportedType, word) || strings.Contains(text, word) {
			return "如您已被骗或正在受到威胁，请立即拨打110报警；涉嫌电信网络诈骗的，可拨打96110咨询。请勿转账，勿透露验证码。"
		}
	}
	return ""
}
