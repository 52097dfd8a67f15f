package table

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Names of the encodings.
const (
	UTF8    = "utf-8"
	GB18030 = "gb18030"
)

// Encodings are those that a format allows.
type Encodings []string

var (
	utf8BOM    = []byte{0xEF, 0xBB, 0xBF}
	gb18030BOM = []byte{0x84, 0x31, 0x95, 0x33}
)

// Of finds the encoding of a header row; "" when it is ASCII only and each row must say itself.
func (e Encodings) Of(raw []byte) (string, bool) {
	switch {
	case bytes.HasPrefix(raw, utf8BOM) && utf8.Valid(raw):
		return UTF8, slices.Contains(e, UTF8)
	case isASCII(raw):
		return "", true
	case utf8.Valid(raw):
		return UTF8, slices.Contains(e, UTF8)
	}
	return GB18030, slices.Contains(e, GB18030)
}

// Decode turns a raw row into text; false when it breaks its encoding, with what could be read.
func (e Encodings) Decode(raw []byte, encoding string) (string, bool) {
	if isASCII(raw) {
		return string(raw), true
	}
	if encoding == "" {
		encoding = GB18030
		if utf8.Valid(raw) || !slices.Contains(e, GB18030) {
			encoding = UTF8
		}
	}
	if encoding == UTF8 {
		if utf8.Valid(raw) {
			return string(bytes.TrimPrefix(raw, utf8BOM)), true
		}
		return strings.ToValidUTF8(string(raw), string(utf8.RuneError)), false
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(bytes.TrimPrefix(raw, gb18030BOM))
	if err != nil {
		return strings.ToValidUTF8(string(raw), string(utf8.RuneError)), false
	}
	return string(out), !bytes.ContainsRune(out, utf8.RuneError)
}

func isASCII(raw []byte) bool {
	for _, b := range raw {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Cells takes a row apart; false when its quotes do not match. The line end is no part of the row.
func Cells(row string, comma byte, cells []string) ([]string, bool) {
	row = strings.TrimSuffix(row, "\n")
	row = strings.TrimSuffix(row, "\r")
	for {
		if strings.HasPrefix(row, `"`) {
			cell, rest, ok := quoted(row[1:])
			if !ok || rest != "" && rest[0] != comma {
				return append(cells, row), false
			}
			cells = append(cells, cell)
			if rest == "" {
				return cells, true
			}
			row = rest[1:]
			continue
		}
		i := strings.IndexByte(row, comma)
		if i < 0 {
			return append(cells, row), !strings.ContainsAny(row, "\r\n")
		}
		if strings.ContainsAny(row[:i], "\r\n") {
			return append(cells, row), false
		}
		cells = append(cells, row[:i])
		row = row[i+1:]
	}
}

// quoted reads up to the closing quote; a doubled quote stands for one.
func quoted(s string) (cell, rest string, ok bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return "", "", false
		}
		if i+1 < len(s) && s[i+1] == '"' {
			b.WriteString(s[:i+1])
			s = s[i+2:]
			continue
		}
		if b.Len() == 0 {
			return s[:i], s[i+1:], true
		}
		b.WriteString(s[:i])
		return b.String(), s[i+1:], true
	}
}
