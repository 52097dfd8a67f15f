// Package persons finds in words what singles out a person: subscribers' numbers and identity numbers, however they are
// written. Codes of firms and services, amounts, dates and numbers of documents are none.
package persons

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"quietline/internal/phone"
)

var (
	mobileDigits = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
	// a credit code is no subscriber's number, whatever digits it has (GB 32100-2015)
	codeToken = regexp.MustCompile(`^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$`)
)

const (
	longestNumber = 18 // digits of an identity number; a telephone number with its prefixes is shorter
	widestGap     = 3  // signs between two groups of one number
)

// Named says whether words name a person by a number.
func Named(text string) bool { return Mask(text) != text }

// Mask masks subscribers' numbers and identity numbers in words that others read: whoever wrote them may have named what no
// page shows, with spaces, hyphens and brackets, in wide digits or Chinese numerals, or with the prefix of the country.
func Mask(text string) string {
	w := fold(text)
	var out strings.Builder
	done, local := 0, -1 // runes of the text that are written; the last group of the local number before
	for i := 0; i < len(w.groups); i++ {
		mask, last := w.person(i)
		if mask == "" {
			if mask, last = w.local(i, local); mask == "" {
				continue
			}
			local = last
		}
		from, to := w.span(i, last)
		out.WriteString(string(w.text[done:max(done, from)]))
		out.WriteString(mask)
		done, i = to, last
	}
	out.WriteString(string(w.text[done:]))
	return out.String()
}

// scanned is a text and the same as NFKC reads it, sign by sign: what is not masked stays as it was written.
type scanned struct {
	text    []rune
	folded  []rune // in capitals, Chinese numerals as digits
	numeral []bool // of each folded sign whether it was a Chinese numeral
	from    []int  // of each folded sign its rune in the text
	groups  []digitRun
}

// digitRun is a run of digits in the folded text, the sign behind it excluded. An X that ends an identity number belongs to it.
type digitRun struct{ start, end int }

func fold(text string) *scanned {
	w := &scanned{text: []rune(text)}
	for i, r := range w.text {
		for _, f := range norm.NFKC.String(string(r)) {
			digit, numeral := numerals[f]
			if !numeral {
				digit = unicode.ToUpper(f)
			}
			w.folded, w.numeral, w.from = append(w.folded, digit), append(w.numeral, numeral), append(w.from, i)
		}
	}
	identifiers := w.identifiers()
	for i := 0; i < len(w.folded); i++ {
		start := i
		for i < len(w.folded) && isDigit(w.folded[i]) && w.numeral[i] == w.numeral[start] {
			i++
		}
		if i == start {
			continue
		}
		if !w.inCode(start, i) && !identifiers[start] {
			w.groups = append(w.groups, digitRun{start, i})
		}
		i-- // what ends a run may begin the next
	}
	return w
}

// numerals are the digits that Chinese writes as signs, those of accounts and of spoken numbers included.
var numerals = map[rune]rune{
	'〇': '0', '零': '0', '○': '0', '洞': '0', '一': '1', '壹': '1', '幺': '1', '二': '2', '贰': '2', '三': '3', '叁': '3', '四': '4', '肆': '4',
	'五': '5', '伍': '5', '六': '6', '陆': '6', '七': '7', '柒': '7', '拐': '7', '八': '8', '捌': '8', '九': '9', '玖': '9',
}

// uuids are identifiers of the mesh, whose digits are nobody's.
var uuids = regexp.MustCompile(`(?i)[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}`)

// WithoutUUIDs is a text without the identifiers in it.
func WithoutUUIDs(text string) string { return uuids.ReplaceAllString(text, "") }

// hashes are digests of files, in hexadecimal signs; their digits are nobody's either.
var (
	hexRun     = regexp.MustCompile(`[0-9A-Z]{32,}`)
	hashes     = regexp.MustCompile(`^([0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{64}|[0-9A-F]{128})$`)
	hexLetters = regexp.MustCompile(`([A-F][0-9]*){4}`) // digits alone are no hash
)

// identifiers are the places of the folded text that are in one, or in a hash.
func (w *scanned) identifiers() map[int]bool {
	in := map[int]bool{}
	ascii := strings.Map(func(r rune) rune { // a byte a sign, so that places stay
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, string(w.folded))
	found := uuids.FindAllStringIndex(ascii, -1)
	for _, at := range hexRun.FindAllStringIndex(ascii, -1) {
		if run := ascii[at[0]:at[1]]; hashes.MatchString(run) && hexLetters.MatchString(run) && !slices.Contains(w.numeral[at[0]:at[1]], true) {
			found = append(found, at)
		}
	}
	for _, at := range found {
		for i := at[0]; i < at[1]; i++ {
			in[i] = true
		}
	}
	return in
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// inCode says whether digits stand in a credit code as it is written, in capitals.
func (w *scanned) inCode(start, end int) bool {
	alnum := func(i int) bool {
		return !w.numeral[i] && (isDigit(w.folded[i]) || 'A' <= w.folded[i] && w.folded[i] <= 'Z')
	}
	for start > 0 && alnum(start-1) {
		start--
	}
	for end < len(w.folded) && alnum(end) {
		end++
	}
	token := string(w.folded[start:end])
	return codeToken.MatchString(token) && !IsID(token) && string(w.text[w.from[start]:w.from[end-1]+1]) == token
}

// person is what stands in place of a person's number that begins with a group, and its last group; empty: there is none.
// The longest reading counts.
func (w *scanned) person(first int) (mask string, last int) {
	for i := first; i < len(w.groups); i++ {
		g := w.groups[i]
		if i > first && !w.joined(w.groups[i-1], g) {
			break
		}
		digits := w.digits(first, i)
		if len(digits) > longestNumber {
			break
		}
		if m := w.masked(first, digits, g.end); m != "" {
			mask, last = m, i
		}
	}
	return mask, last
}

// digits are those of some groups in a row.
func (w *scanned) digits(first, last int) string {
	var out strings.Builder
	for _, g := range w.groups[first : last+1] {
		out.WriteString(string(w.folded[g.start:g.end]))
	}
	return out.String()
}

// joined says whether two groups may be of one number: only spaces, hyphens, brackets, points and what is not seen between.
func (w *scanned) joined(a, b digitRun) bool {
	if b.start-a.end > widestGap {
		return false
	}
	for _, r := range w.folded[a.end:b.start] {
		if !unicode.IsSpace(r) && !unicode.Is(unicode.Pd, r) && !unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune("()[]{}_.·−ー", r) {
			return false
		}
	}
	return true
}

// masked is what stands for digits that are a person's number; empty when they are none.
func (w *scanned) masked(first int, digits string, end int) string {
	id := digits
	if len(digits) == 17 && end < len(w.folded) && w.folded[end] == 'X' {
		id += "X"
	}
	if IsID(id) || isOldID(id) && !w.follows(first, registered) {
		return id[:6] + strings.Repeat("*", len(id)-6)
	}
	national, abroad := strings.CutPrefix(strings.TrimPrefix(digits, "00"), "86")
	for _, d := range []string{digits, national} {
		if d = strings.TrimPrefix(d, "0"); mobileDigits.MatchString(d) {
			return phone.Mask(d)
		}
	}
	if !abroad {
		national = digits
	} else if !strings.HasPrefix(national, "0") {
		national = "0" + national
	}
	if strings.HasPrefix(national, "0") && len(national) >= 10 && len(national) <= 12 && phone.Parse(national).GetKind() == phone.Landline &&
		!w.dated(first) {
		return phone.Mask(national)
	}
	return ""
}

// dated says whether a group is the month of a date: 2026-01-02.
func (w *scanned) dated(i int) bool {
	g := w.groups[i]
	return i > 0 && g.end-g.start == 2 && w.groups[i-1].end-w.groups[i-1].start == 4 && g.start-w.groups[i-1].end == 1
}

// span is from where to where a number stands in the text, with the plus or the bracket that it begins with.
func (w *scanned) span(first, last int) (from, to int) {
	start, end := w.groups[first].start, w.groups[last].end
	if end < len(w.folded) && w.folded[end] == 'X' {
		end++
	}
	inside := string(w.folded[start:end])
	if start > 0 && (w.folded[start-1] == '+' || w.folded[start-1] == '(' && strings.Contains(inside, ")")) {
		start--
	}
	return w.from[start], w.from[end-1] + 1
}

// local is what stands in place of a subscriber's number without its area code: seven or eight digits that words before them,
// or the number of that kind before them, say are a telephone number. Dates and counts are none.
func (w *scanned) local(first, before int) (mask string, last int) {
	if !w.follows(first, telephone) && (before < 0 || before+1 != first || !w.listed(w.groups[before], w.groups[first])) {
		return "", first
	}
	for i := first; i < len(w.groups) && (i == first || w.joined(w.groups[i-1], w.groups[i])); i++ {
		digits := w.digits(first, i)
		if len(digits) > longestLocal {
			break
		}
		_, err := time.Parse("20060102", digits)
		if len(digits) >= shortestLocal && '2' <= digits[0] && digits[0] <= '8' && err != nil && !w.counted(w.groups[i].end) {
			mask, last = digits[:2]+strings.Repeat("*", len(digits)-4)+digits[len(digits)-2:], i
		}
	}
	return mask, last
}

const (
	shortestLocal = 7
	longestLocal  = 8
	nearby        = 3 // signs between a word and its number: 电话是:
)

var (
	telephone  = []string{"电话", "座机", "固话", "来电", "致电", "拨打", "联系", "联系人", "联系方式", "传真", "回电", "手机", "TEL", "PHONE", "号码"}
	registered = []string{"注册号", "单号", "编号", "文号", "账号", "帐号", "卡号"}
	counters   = "元万亿次件个条户人分秒天页%"
	uncounted  = []string{"分机", "次日", "个人", "人工", "户主", "户名", "天天", "分别"} // behind a telephone number as well
)

// follows says whether one of some words stands before a group, with little between.
func (w *scanned) follows(i int, words []string) bool {
	end := w.groups[i].start
	before := string(w.folded[max(0, end-nearby-4):end])
	for _, word := range words {
		at := strings.LastIndex(before, word)
		if at < 0 {
			continue
		}
		if between := []rune(before[at+len(word):]); len(between) <= nearby && !slices.ContainsFunc(between, func(r rune) bool {
			return isDigit(r) || unicode.Is(unicode.Han, r) && !strings.ContainsRune("是为有人方式码号", r)
		}) {
			return true
		}
	}
	return false
}

// listed says whether two groups are of one list: 62300000、62300001.
func (w *scanned) listed(a, b digitRun) bool {
	between := strings.TrimSpace(string(w.folded[a.end:b.start]))
	return slices.Contains([]string{"、", ",", "/", ";", "和", "或", "及"}, between)
}

// counted says whether what follows a number says that it counts something.
func (w *scanned) counted(end int) bool {
	rest := strings.TrimSpace(string(w.folded[end:min(end+3, len(w.folded))]))
	return rest != "" && strings.ContainsRune(counters, []rune(rest)[0]) &&
		!slices.ContainsFunc(uncounted, func(word string) bool { return strings.HasPrefix(rest, word) })
}
