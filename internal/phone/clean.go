package phone

import (
	"strings"
	"unicode/utf8"
)

// maxRaw bounds what is looked at; no displayed number is longer.
const maxRaw = 200

// written is a number without its decoration.
type written struct {
	plus   bool
	digits string
	// other is true when something stands there that belongs to no number.
	other bool
	// blank is true when nothing stands there at all.
	blank bool
}

// clean takes off everything that people put between digits. What follows 转 or "ext" is an extension and dropped.
func clean(raw string) written {
	w := written{blank: true}
	if len(raw) > maxRaw {
		return written{other: true}
	}
	buf := make([]byte, 0, len(raw))
	for i, r := range raw {
		switch {
		case r >= '0' && r <= '9':
			buf = append(buf, byte(r))
			w.blank = false
		case r >= '０' && r <= '９':
			buf = append(buf, byte(r-'０')+'0')
			w.blank = false
		case r == '+' || r == '＋':
			w.blank = false
			if len(buf) > 0 || w.plus {
				w.other = true
			}
			w.plus = true
		case isSeparator(r):
		default:
			w.blank = false
			if len(buf) >= 5 && isExtension(raw[i:]) {
				w.digits = string(buf)
				return w
			}
			w.other = true
		}
	}
	w.digits = string(buf)
	return w
}

// isSeparator knows what may stand between the digits of one number.
func isSeparator(r rune) bool {
	switch r {
	case ' ', '\t', '-', '.', '(', ')', '[', ']', '/', '·', '（', '）', '－', '．', '　', '\u00a0', '\u2010', '\u2011',
		'\u2012', '\u2013', '\u2014', '\u200b', '\u202a', '\u202c', '\u202d', '\u2060', '\ufeff', '【', '】', '〔', '〕':
		return true
	}
	return false
}

func isExtension(rest string) bool {
	for _, mark := range []string{"转", "轉", "分机"} {
		if strings.HasPrefix(rest, mark) {
			return true
		}
	}
	return len(rest) >= 3 && strings.EqualFold(rest[:3], "ext")
}

// valid makes text fit for protos and PostgreSQL; displayed numbers are kept for ever otherwise as they came.
func valid(raw string) string {
	if !utf8.ValidString(raw) {
		raw = strings.ToValidUTF8(raw, "\ufffd")
	}
	return strings.ReplaceAll(raw, "\x00", "\ufffd")
}
