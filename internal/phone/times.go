package phone

import (
	"strings"
	"unicode/utf8"
)

// time is how many characters a date or a time of day has that begins here, 2026-10-15 or 10:30; 0: none does.
func (s *scanner) time(r rune, rest string) int {
	if _, ok := digitOf(r); !ok || s.extension {
		return 0
	}
	if _, ok := digitOf(s.before); ok {
		return 0
	}
	if n := countOf(rest); n > 0 && (len(s.buf) == 0 || s.gap && !s.mark) {
		return n
	}
	n, date := stampOf(rest)
	if date && len(s.buf) > 0 && s.mark { // 0571-2010-10-12
		return 0
	}
	return n
}

// countOf is how many digits say how often or how long: 3次, 20秒.
func countOf(rest string) int {
	n := 0
	for i, r := range rest {
		if _, ok := digitOf(r); !ok {
			if n > 0 && (strings.ContainsRune("次回遍声秒天", r) || strings.HasPrefix(rest[i:], "分钟")) {
				return n
			}
			return 0
		}
		if n++; n > 3 {
			return 0
		}
	}
	return 0
}

// stampOf reads up to three groups of digits with one kind of mark between them.
func stampOf(rest string) (length int, date bool) {
	var values, digits [3]int
	var mark rune
	group := 0
	for _, r := range rest {
		d, ok := digitOf(r)
		switch {
		case ok && digits[group] == 4:
			return 0, false
		case ok:
			values[group], digits[group] = values[group]*10+int(d-'0'), digits[group]+1
		case group == 2 || digits[group] == 0 || !strings.ContainsRune(":：-－/／.", r) || mark != 0 && mark != r:
			return stamp(values, digits, mark, group, length, digits[group] == 0)
		default:
			mark, group = r, group+1
		}
		length++
	}
	return stamp(values, digits, mark, group, length, digits[group] == 0)
}

// stamp says whether the groups are a time; a mark behind them is none of it.
func stamp(values, digits [3]int, mark rune, last, length int, open bool) (int, bool) {
	if open {
		last, length = last-1, length-1
	}
	switch {
	case last < 1:
		return 0, false
	case mark == ':' || mark == '：':
		if digits[0] <= 2 && digits[1] == 2 && values[0] < 25 && values[1] < 60 && (last < 2 || digits[2] == 2 && values[2] < 61) {
			return length, false
		}
	case last < 2:
	case digits[0] == 4 && digits[1] <= 2 && digits[2] <= 2 && isDate(values[0], values[1], values[2]):
		return length, true
	case digits[2] == 4 && digits[0] <= 2 && digits[1] <= 2 && (mark == '/' || mark == '／') &&
		(isDate(values[2], values[0], values[1]) || isDate(values[2], values[1], values[0])):
		return length, true
	}
	return 0, false
}

func isDate(year, month, day int) bool {
	return year >= 1990 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31
}

const numerals = "〇一二三四五六七八九"

// numeralOf is the digit of a Chinese numeral; -1: it is none. 幺 is how one is spoken.
func numeralOf(r rune) int {
	switch r {
	case '零', '○':
		return 0
	case '幺':
		return 1
	}
	if i := strings.IndexRune(numerals, r); i >= 0 {
		return i / utf8.RuneLen(r)
	}
	return -1
}

// spelled is eleven where eleven Chinese numerals begin here that are a mobile, and nothing else: 一三八一四五九〇〇〇〇.
func (s *scanner) spelled(r rune, rest string) int {
	const length = 11
	if r < 0x3000 && r != '○' || numeralOf(r) != 1 || numeralOf(s.before) >= 0 {
		return 0
	}
	n := 0
	for _, r := range rest {
		if numeralOf(r) < 0 {
			break
		}
		if n++; n > length {
			return 0
		}
	}
	if n != length {
		return 0
	}
	return n
}
