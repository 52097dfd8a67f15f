package enforcement

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"quietline/internal/errs"
	"quietline/internal/phone"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// What the party or the public reads must not single out a reporter: no subscriber's number, no time of day, no duration
// (process of the reported side). Texts come from people, so they are read as a person would read them: full-width digits,
// spaces and hyphens between digits, and Chinese digits count.

var (
	digitRun  = regexp.MustCompile(`\+?[0-9](?:[ \-–—.·()_/]{0,2}[0-9]){6,}`)
	clockTime = regexp.MustCompile(`[0-9]{1,2}\s*[::时点]\s*[0-9]{1,2}\s*(?:[::分][0-9]{0,2}|秒|$|[^0-9])|[0-9]{1,2}\s*点(?:半|整|钟)|[0-9]{1,2}时许?(?:[^段候期间代]|$)`)
	duration  = regexp.MustCompile(`[0-9]+\s*(?:秒|分钟)|(?:通话|呼叫|响铃)时长[^0-9]{0,6}[0-9]`)
)

// chineseDigits are digits as they are said, and the one of telephone numbers.
var chineseDigits = strings.NewReplacer("〇", "0", "零", "0", "一", "1", "幺", "1", "二", "2", "三", "3", "四", "4", "五", "5",
	"六", "6", "七", "7", "八", "8", "九", "9")

// singlesOut says what in a text would single out a reporter; empty when nothing does.
func singlesOut(text string) string {
	plain := norm.NFKC.String(text)
	if clockTime.MatchString(plain) {
		return "a time of day"
	}
	if duration.MatchString(plain) {
		return "a duration"
	}
	for _, read := range []string{plain, chineseDigits.Replace(plain)} {
		if slices.ContainsFunc(digitRun.FindAllString(read, -1), subscriber) {
			return "a subscriber's telephone number"
		}
	}
	return ""
}

// subscriber says whether a run of digits is, or holds, a number that a reporter may have: a mobile or a landline number.
// Service numbers (95, 96, 400, 10, 12) are the reported side's and may be named.
func subscriber(run string) bool {
	var digits strings.Builder
	for _, r := range run {
		if r >= '0' && r <= '9' {
			digits.WriteRune(r)
		}
	}
	all := digits.String()
	switch phone.Parse(all).GetKind() {
	case "mobile", "landline":
		return true
	}
	const mobile = 11
	for at := 0; at+mobile <= len(all); at++ { // a number with something before or behind it
		part := all[at : at+mobile]
		if part[0] == '1' && part[1] >= '3' && phone.Parse(part).GetKind() == "mobile" {
			return true
		}
	}
	return false
}

// checkOpenTexts refuses facts that may not be told to the party or the public. The party's own credit code may stand in them.
func checkOpenTexts(f *enforcementv1.DocumentFacts, creditCode string) error {
	texts := []struct {
		field string
		lines []string
	}{
		{"facts", []string{f.GetFacts()}}, {"evidence", f.GetEvidence()}, {"reasons", []string{f.GetReasons()}},
		{"basis", f.GetBasis()}, {"orders", f.GetOrders()}, {"defence", []string{f.GetDefence()}}, {"ground", []string{f.GetGround()}},
	}
	for _, t := range texts {
		for _, line := range t.lines {
			if creditCode != "" {
				line = strings.ReplaceAll(line, creditCode, "")
			}
			if what := singlesOut(line); what != "" {
				return errs.Field("facts."+t.field, "holds %s: what the party or the public reads must not single out a reporter "+
					"(不得含有可识别举报人的号码、具体时刻或者通话时长)", what)
			}
		}
	}
	return nil
}

// outside is what no template may hold: scripts, forms, and anything that is loaded from elsewhere.
var outside = regexp.MustCompile(`(?i)<\s*(script|link|iframe|frame|object|embed|img|form|base|meta|style|svg|audio|video)|\b(src|href|srcset|action)\s*=|url\s*\(|@import|javascript:|\son[a-z]+\s*=|\{\{-?\s*(define|block)\b`)
