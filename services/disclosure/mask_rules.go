package disclosure

import (
	"regexp"
	"strings"
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

// withoutPersons masks subscribers' numbers and identity numbers in words that the public reads: whoever wrote them may
// have named what no page shows, with spaces, hyphens and brackets, in wide digits, or with the prefix of the country.
func withoutPersons(text string) string {
	w := fold(text)
	var out strings.Builder
	done := 0 // runes of the text that are written
	for i := 0; i < len(w.groups); i++ {
		mask, last := w.person(i)
		if mask == "" {
			continue
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
	text   []rune
	folded []rune // in capitals
	from   []int  // of each folded sign its rune in the text
	groups []digitRun
}

// digitRun is a run of digits in the folded text, the sign behind it excluded. An X that ends an identity number belongs to it.
type digitRun struct{ start, end int }

func fold(text string) *scanned {
	w := &scanned{text: []rune(text)}
	for i, r := range w.text {
		for _, f := range norm.NFKC.String(string(r)) {
			w.folded, w.from = append(w.folded, unicode.ToUpper(f)), append(w.from, i)
		}
	}
	for i := 0; i < len(w.folded); i++ {
		start := i
		for i < len(w.folded) && isDigit(w.folded[i]) {
			i++
		}
		if i > start && !w.inCode(start, i) {
			w.groups = append(w.groups, digitRun{start, i})
		}
	}
	return w
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// inCode says whether digits stand in a credit code as it is written, in capitals.
func (w *scanned) inCode(start, end int) bool {
	alnum := func(r rune) bool { return isDigit(r) || 'A' <= r && r <= 'Z' }
	for start > 0 && alnum(w.folded[start-1]) {
		start--
	}
	for end < len(w.folded) && alnum(w.folded[end]) {
		end++
	}
	token := string(w.folded[start:end])
	return codeToken.MatchString(token) && !isPersonalID(token) && string(w.text[w.from[start]:w.from[end-1]+1]) == token
}

// person is what stands in place of a person's number that begins with a group, and its last group; empty: there is none.
// The longest reading counts.
func (w *scanned) person(first int) (mask string, last int) {
	digits := ""
	for i := first; i < len(w.groups); i++ {
		g := w.groups[i]
		if i > first && !w.joined(w.groups[i-1], g) {
			break
		}
		if digits += string(w.folded[g.start:g.end]); len(digits) > longestNumber {
			break
		}
		if m := w.masked(first, digits, g.end); m != "" {
			mask, last = m, i
		}
	}
	return mask, last
}

// joined says whether two groups may be of one number: only spaces, hyphens, brackets, points and what is not seen between.
func (w *scanned) joined(a, b digitRun) bool {
	if b.start-a.end > widestGap {
		return false
	}
	for _, r := range w.folded[a.end:b.start] {
		if !unicode.IsSpace(r) && !unicode.Is(unicode.Pd, r) && !unicode.Is(unicode.Cf, r) && !strings.ContainsRune("()[]{}_.·−ー", r) {
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
	if isPersonalID(id) {
		return id[:6] + "************"
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
