package enforcement

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"quietline/internal/calendar"
)

// Words of documents: dates in Asia/Shanghai, and amounts in figures and in the capital numerals that banks and courts ask
// for (大写金额), in which no digit can be altered unseen.

func dayWords(t time.Time) string { return t.In(calendar.Shanghai).Format("2006年1月2日") }

func timeWords(t time.Time) string {
	return t.In(calendar.Shanghai).Format("2006年1月2日15时04分")
}

// lastDay is the last day of a term: one that ends at midnight ends with the day before.
func lastDay(due time.Time) string { return dayWords(due.Add(-time.Nanosecond)) }

// cited is a law with its articles as people write it, without the marks of a title.
var cited = regexp.MustCompile(`(^|[^\p{Han}]|依据|依照|根据|按照|违反了?)(\p{Han}{2,40}?(?:法|条例|规定|办法|决定|解释)) ?(第[一二三四五六七八九十百零〇]+条)`)

// lawMarks writes the titles of laws as titles: 《广告法》第六十二条.
func lawMarks(text string) string { return cited.ReplaceAllString(text, "$1《$2》$3") }

// violated says which provisions an act violated. They get their marks before the sentence, of which no word is a title's.
func violated(provisions string) string {
	return fmt.Sprintf("当事人的上述行为违反了%s的规定。", cmp.Or(lawMarks(provisions), "有关法律、法规"))
}

// monthWords reads YYYY-MM.
func monthWords(month string) (string, error) {
	t, err := time.ParseInLocation("2006-01", month, calendar.Shanghai)
	if err != nil {
		return "", err
	}
	return t.Format("2006年1月"), nil
}

// yuan is an amount in figures: 20000.00.
func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

const capitals = "零壹贰叁肆伍陆柒捌玖"

func capital(digit int64) string { return string([]rune(capitals)[digit]) }

// yuanWords is an amount in capital numerals: 人民币贰万元整.
func yuanWords(fen int64) string {
	var b strings.Builder
	b.WriteString("人民币")
	whole, jiao, rest := fen/100, fen/10%10, fen%10
	if whole > 0 || fen == 0 {
		b.WriteString(wholeWords(whole) + "元")
	}
	switch {
	case jiao == 0 && rest == 0:
		b.WriteString("整")
		return b.String()
	case jiao > 0:
		b.WriteString(capital(jiao) + "角")
	case whole > 0: // yuan and fen without jiao: the gap is said
		b.WriteString("零")
	}
	if rest > 0 {
		b.WriteString(capital(rest) + "分")
	} else {
		b.WriteString("整")
	}
	return b.String()
}

// wholeWords says a whole number in groups of four digits: 亿, 万 and what is below. A gap of zeros is said once.
func wholeWords(n int64) string {
	const group = 10_000
	if n == 0 {
		return "零"
	}
	units := []string{"", "万", "亿", "万亿"}
	out, gap := "", false
	for i, unit := range slices.Backward(units) {
		size := int64(1)
		for range i {
			size *= group
		}
		part := n / size % group
		if i == len(units)-1 {
			part = n / size
		}
		if part == 0 {
			gap = gap || out != ""
			continue
		}
		if out != "" && (gap || part < group/10) {
			out += "零"
		}
		out, gap = out+groupWords(part)+unit, false
	}
	return out
}

// groupWords says 1 to 9999.
func groupWords(n int64) string {
	out, gap := "", false
	for _, place := range []struct {
		size int64
		unit string
	}{{1000, "仟"}, {100, "佰"}, {10, "拾"}, {1, ""}} {
		digit := n / place.size % 10
		if digit == 0 {
			gap = gap || out != ""
			continue
		}
		if gap {
			out, gap = out+"零", false
		}
		out += capital(digit) + place.unit
	}
	return out
}
