package phone

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxRaw bounds what is looked at, in bytes; what stands behind it is not part of a number that was displayed.
	maxRaw = 512
	// maxGroups bounds how many groups of digits are tried as parts of what stands there.
	maxGroups = 16
)

// A run is digits with nothing but separators between them.
type run struct {
	plus   bool
	digits string
	groups []int  // where each group of digits ends
	marked []bool // whether more than a space stands before each group: a dash, a bracket
}

// written is a text taken apart.
type written struct {
	text  string // as it stands, without spaces around it
	runs  []run
	words bool // something stands there that belongs to no number
	last  bool // nothing of that kind stands behind the last run
}

// scan finds the digits in a text. What people put between the digits of a number joins them; an extension is left out;
// anything else ends a run.
func scan(raw string) written {
	w := written{text: trim(raw)}
	s := scanner{w: &w}
	for i, r := range w.text {
		s.look(r, w.text[i:])
		s.before = r
	}
	s.end()
	return w
}

// trim takes off what nobody sees, and what is too long.
func trim(raw string) string {
	// what is not valid grows when it is replaced
	return strings.TrimFunc(head(valid(head(raw))), unseen)
}

// head cuts a text at its bound, between two characters.
func head(s string) string {
	if len(s) <= maxRaw {
		return s
	}
	n := maxRaw
	for n > maxRaw-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func unseen(r rune) bool {
	return unicode.IsSpace(r) || r != utf8.RuneError && (unicode.Is(unicode.Cf, r) || unicode.IsControl(r))
}

type scanner struct {
	w         *written
	buf       []byte
	groups    []int
	marked    []bool
	plus      bool
	gap       bool // a separator stands before the next digit
	mark      bool // and it is more than a space
	extension bool // digits from here on are an extension
	before    rune // what was read last
	skip      int  // characters that are a time
	numerals  int  // characters that are digits in Chinese numerals
}

// look passes over times and reads Chinese numerals; everything else is next's.
func (s *scanner) look(r rune, rest string) {
	if s.skip > 0 {
		s.skip--
		return
	}
	if n := s.time(r, rest); n > 0 {
		s.end()
		s.skip, s.w.words, s.w.last = n-1, true, false
		return
	}
	if s.numerals == 0 {
		s.numerals = s.spelled(r, rest)
	}
	if s.numerals > 0 {
		s.numerals--
		r = '0' + rune(numeralOf(r))
	}
	s.next(r, rest)
}

func (s *scanner) next(r rune, rest string) {
	if d, ok := digitOf(r); ok {
		if s.extension {
			return
		}
		if s.gap && len(s.buf) > 0 {
			s.groups, s.marked = append(s.groups, len(s.buf)), append(s.marked, s.mark)
		}
		s.gap, s.mark, s.buf, s.w.last = false, false, append(s.buf, d), true
		return
	}
	switch {
	case r == '+' || r == '＋' || r == '﹢':
		if len(s.buf) > 0 {
			s.end()
		}
		s.plus, s.extension = true, false
	case joins(r):
		s.gap, s.mark = true, s.mark || !blank(r)
	case lists(r):
		s.end()
	case s.marksExtension(r, rest):
		s.end()
		s.extension = true
	case s.extension && strings.ContainsRune("机:：.tTnN", r): // the rest of 分机, of ext. and extn
	default:
		s.w.words, s.w.last = true, false
		s.end()
	}
}

// end closes the run.
func (s *scanner) end() {
	if len(s.buf) > 0 {
		s.w.runs = append(s.w.runs, run{plus: s.plus, digits: string(s.buf), groups: append(s.groups, len(s.buf)), marked: append([]bool{false}, s.marked...)})
	}
	s.buf, s.groups, s.marked, s.plus, s.gap, s.mark, s.extension = nil, nil, nil, false, false, false, false
}

// digitOf reads ASCII, full-width and any other decimal digit.
func digitOf(r rune) (byte, bool) {
	switch {
	case r >= '0' && r <= '9':
		return byte(r), true
	case r < 0x80:
		return 0, false
	case r >= '０' && r <= '９':
		return byte(r-'０') + '0', true
	}
	for _, x := range unicode.Nd.R16 { // decimal digits stand in runs of ten, in order
		if rune(x.Lo) <= r && r <= rune(x.Hi) {
			return byte(r-rune(x.Lo))%10 + '0', true
		}
	}
	for _, x := range unicode.Nd.R32 {
		if rune(x.Lo) <= r && r <= rune(x.Hi) {
			return byte(r-rune(x.Lo))%10 + '0', true
		}
	}
	return 0, false
}

// joins knows what may stand between the digits of one number: spaces, dashes, dots, brackets, quotes and what nobody sees.
func joins(r rune) bool {
	switch r {
	case ' ', '-', '.', '(', ')', '[', ']', '{', '}', '<', '>', '\'', '"', '`', '_', '~', '=', '·', '・', '•', '．', '。', '−', '＿', '～', '＝', '＇', '＂':
		return true
	}
	if r < 0x80 {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}
	return r != utf8.RuneError && (unicode.In(r, unicode.Pd, unicode.Ps, unicode.Pe, unicode.Pi, unicode.Pf, unicode.Cf) || unseen(r))
}

// blank knows separators that say nothing: spaces, quotes and what nobody sees.
func blank(r rune) bool { return strings.ContainsRune("'\"`＇＂", r) || unseen(r) }

// lists knows what stands between two numbers.
func lists(r rune) bool { return strings.ContainsRune(",;/|\\、，；／｜", r) }

// marksExtension knows what stands before an extension; 0571-85022088转8001.
func (s *scanner) marksExtension(r rune, rest string) bool {
	if len(s.buf) < 5 {
		return false
	}
	switch r {
	case '转', '轉', '#', '＃':
		return true
	case '分', '内':
		return strings.HasPrefix(rest, "分机") || strings.HasPrefix(rest, "内线")
	case 'x', 'X', '×':
		return len(s.buf) >= 7
	case 'e', 'E', 'ｅ':
		return len(rest) >= 3 && strings.EqualFold(rest[:3], "ext")
	}
	return false
}

// valid makes text fit for protos and PostgreSQL; displayed numbers are kept for ever otherwise as they came.
func valid(raw string) string {
	if !utf8.ValidString(raw) {
		raw = strings.ToValidUTF8(raw, "\ufffd")
	}
	if strings.IndexByte(raw, 0) < 0 {
		return raw
	}
	return strings.ReplaceAll(raw, "\x00", "\ufffd")
}
