package assignment

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// What stands in a normal text for contacts: texts differ in them and mean the same, and anonymised collections have words
// in their place (placeholders.csv).
const (
	markNumber    = '\ue000' // a number
	markTelephone = '\ue001'
	markLink      = '\ue002'
	markContact   = '\ue003' // an account of a messenger
	markAccount   = '\ue004' // an account of a bank
	markNothing   = '\ue005' // a place or a name: left out
)

const (
	// simpleAtLeast is how many characters of this script stand beside each of the other for a text to be of this one.
	simpleAtLeast = 2
	// cardShortest and cardLongest are the digits of a bank card's number.
	cardShortest, cardLongest = 16, 19
)

var marks = map[string]rune{
	"number": markNumber, "telephone": markTelephone, "link": markLink, "contact": markContact, "account": markAccount,
	"place": markNothing, "name": markNothing,
}

// normaliser makes texts comparable: compatibility forms folded, lower case, other scripts, homophones and look-alikes
// replaced, contacts marked, and nothing but letters and digits, since spammers put signs between characters.
type normaliser struct {
	variants  map[rune]rune
	disguises map[rune]bool // variants that only somebody writes who hides from a reader of words
	simple    map[rune]bool // characters of this script that the other script writes differently
	tokens    []token       // longest first
}

// disguised counts the characters of a text that hide what it says.
func (n *normaliser) disguised(text string) int {
	count := 0
	for _, r := range text {
		if r >= utf8.RuneSelf && n.disguises[r] {
			count++
		}
	}
	return count
}

// mixed counts the characters of another script in a text that is written in this one: somebody's who hides words behind them.
// A text in the other script throughout has none.
func (n *normaliser) mixed(text string) int {
	other, simple := 0, 0
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
		case n.simple[r]:
			simple++
		case n.variants[r] != 0 && !n.disguises[r]:
			other++
		}
	}
	if simple < simpleAtLeast*other {
		return 0
	}
	return other
}

type token struct {
	text string
	mark rune
}

func (n *normaliser) normalise(text string) []rune {
	if !norm.NFKC.IsNormalString(text) {
		text = norm.NFKC.String(text)
	}
	out := make([]rune, 0, len(text)/2)
	for len(text) > 0 {
		if isASCIIWord(text[0]) {
			size := asciiRun(text)
			out = n.ascii(out, text[:size])
			text = text[size:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			continue
		}
		if standard, ok := n.variants[r]; ok {
			r = standard
		}
		out = append(out, unicode.ToLower(r))
	}
	return out
}

// ascii takes over a run of Latin letters, digits and the signs of links and telephone numbers.
func (n *normaliser) ascii(out []rune, run string) []rune {
	run = strings.TrimRight(run, "./:?=&_%-")
	switch {
	case isLink(run):
		return append(out, markLink)
	case isTelephone(run):
		return append(out, markTelephone)
	case isAccount(run):
		return append(out, markAccount)
	}
next:
	for i := 0; i < len(run); {
		for _, t := range n.tokens {
			if strings.HasPrefix(run[i:], t.text) {
				if t.mark != markNothing {
					out = append(out, t.mark)
				}
				i += len(t.text)
				continue next
			}
		}
		if c := run[i]; isAlphanumeric(c) {
			out = append(out, unicode.ToLower(rune(c)))
		}
		i++
	}
	return out
}

func asciiRun(s string) int {
	for i := range len(s) {
		if !isASCIIWord(s[i]) {
			return i
		}
	}
	return len(s)
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isASCIIWord(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("./:?=&_%-", c) >= 0 }

// endings are of domains that texts name without a scheme.
var endings = []string{
	".com", ".cn", ".net", ".org", ".top", ".xyz", ".cc", ".vip", ".info", ".me", ".tk", ".ly", ".co", ".app", ".site",
	".club", ".shop", ".io", ".tv", ".pw", ".la",
}

func isLink(run string) bool {
	lower := strings.ToLower(run)
	if strings.Contains(lower, "://") || strings.HasPrefix(lower, "www.") {
		return true
	}
	if !strings.Contains(lower, ".") {
		return false
	}
	host, _, _ := strings.Cut(lower, "/")
	for _, e := range endings {
		if strings.HasSuffix(host, e) && len(host) > len(e) {
			return true
		}
	}
	return false
}

// isAccount knows the form of a bank card's number.
func isAccount(run string) bool {
	digits := 0
	for i := range len(run) {
		switch c := run[i]; {
		case '0' <= c && c <= '9':
			digits++
		case c != '-':
			return false
		}
	}
	return cardShortest <= digits && digits <= cardLongest && run[0] >= '3'
}

// isTelephone knows the written forms of subscriber numbers and service codes.
func isTelephone(run string) bool {
	digits := make([]byte, 0, len(run))
	for i := range len(run) {
		switch c := run[i]; {
		case '0' <= c && c <= '9':
			digits = append(digits, c)
		case c != '-':
			return false
		}
	}
	d := string(digits)
	switch len(d) {
	case 5, 6:
		return strings.HasPrefix(d, "95") || strings.HasPrefix(d, "100")
	case 7, 8:
		return strings.HasPrefix(d, "95") || d[0] >= '2' && strings.Contains(run, "-")
	case 10:
		return strings.HasPrefix(d, "400") || strings.HasPrefix(d, "800") || d[0] == '0'
	case 11:
		return d[0] == '1' && d[1] >= '3' || d[0] == '0'
	case 12:
		return d[0] == '0'
	default:
		return false
	}
}
