package format

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"quietline/internal/table"
)

// Reasons why a row waits for a person.
const (
	ReasonNumber   = "number unusable (号码无法使用)"
	ReasonRange    = "last number below the first or of another length (号段首尾不符)"
	ReasonTime     = "date unreadable (日期无法识别)"
	ReasonOrder    = "ends before it begins (失效时间早于生效时间)"
	ReasonCode     = "no unified social credit code (统一社会信用代码无效)"
	ReasonProvince = "no province (省份无法识别)"
	ReasonScheme   = "no scheme of numbers (号码方案无法识别)"
	ReasonMissing  = "empty (未填写)"
	ReasonTooLong  = "too long (内容过长)"
	ReasonControl  = "control characters (含控制字符)"
	ReasonEncoding = "broken encoding (编码错误)"
	ReasonColumns  = "wrong number of columns (列数不符)"
	ReasonQuotes   = "quotes do not match (引号不配对)"
	wholeRow       = "row"
	maxDigits      = 18
	maxListed      = 100
	oldestYear     = 1990
)

// Row is what a row states: each field that the file has, in its normal form; an empty text is a statement, too.
type Row map[string]string

// Problem says why a row is unusable. It never repeats a value.
type Problem struct {
	// Field in the sender's words; "row" for the row as a whole.
	Field string
	// Reason in words.
	Reason string
}

// Block is the numbers of a row, which together with the scheme say what it is about.
func (r Row) Block() (scheme, first, last string) { return r[Scheme], r[First], r[Last] }

// Time reads a date field; false when the row has none.
func (r Row) Time(name string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, r[name])
	return t, err == nil
}

// List is a field of several texts.
func (r Row) List(name string) []string {
	if r[name] == "" {
		return []string{}
	}
	return strings.Split(r[name], "; ")
}

// Numbers are the permitted callers.
func (r Row) Numbers() []string { return strings.Fields(r[Callers]) }

// Parse reads one raw row, with or without its line end. With a problem the row has what could be read.
func (h *Header) Parse(raw []byte) (Row, *Problem) {
	if len(raw) >= table.MaxRow {
		return nil, &Problem{wholeRow, ReasonTooLong}
	}
	line, clean := h.format.Encodings.Decode(raw, h.Encoding)
	cells, matched := table.Cells(line, h.format.Comma(), make([]string, 0, h.Width+1))
	switch {
	case !clean:
		return nil, &Problem{h.broken(cells), ReasonEncoding}
	case !matched:
		return nil, &Problem{wholeRow, ReasonQuotes}
	case len(cells) != h.Width:
		return nil, &Problem{wholeRow, ReasonColumns}
	}
	p := parser{f: h.format, row: maps.Clone(h.format.Constant)}
	if p.row == nil {
		p.row = Row{}
	}
	p.about = h.about(cells)
	for i := range h.format.Columns {
		if at := h.At[i]; at >= 0 {
			p.read(&h.format.Columns[i], cells[at])
		}
	}
	p.finish()
	return p.row, p.problem
}

// broken is the first column whose cell breaks the encoding.
func (h *Header) broken(cells []string) string {
	for i, c := range h.format.Columns {
		if at := h.At[i]; at >= 0 && at < len(cells) && len(cells) == h.Width && strings.ContainsRune(cells[at], utf8.RuneError) {
			return c.Name
		}
	}
	return wholeRow
}

type parser struct {
	f       *Format
	row     Row
	about   string // what the row is about decides which cells it needs
	problem *Problem
}

// refuse keeps the first problem.
func (p *parser) refuse(name, reason string) {
	if p.problem == nil {
		p.problem = &Problem{name, reason}
	}
}

func (p *parser) read(c *Column, cell string) {
	cell = strings.TrimSpace(table.Bare(cell))
	switch {
	case c.Required && cell == "" && p.about == AboutNumber:
		p.refuse(c.Name, ReasonMissing)
		return
	case strings.ContainsFunc(cell, func(r rune) bool { return r < ' ' || r == 0x7F }):
		p.refuse(c.Name, ReasonControl)
		return
	case len(cell) > c.Max && utf8.RuneCountInString(cell) > c.Max:
		p.refuse(c.Name, ReasonTooLong)
		return
	case c.Field == "":
		return
	}
	if m, ok := p.f.Values[c.Field]; ok && fields[c.Field].kind != provinces {
		cell = m.of(cell)
	}
	if c.Field == Range {
		p.numbers(c.Name, cell)
		return
	}
	value, reason := p.normal(fields[c.Field].kind, cell)
	if reason != "" {
		p.refuse(c.Name, reason)
		return
	}
	p.row[c.Field] = value
}

var provinceCode = regexp.MustCompile(`^[0-9]{2}$`)

// normal is a cell in the form in which cells are compared.
func (p *parser) normal(k kind, cell string) (value, reason string) {
	if cell == "" {
		return "", ""
	}
	switch k {
	case digits:
		return number(cell)
	case code:
		cell = strings.ToUpper(fold(cell))
		if !IsCreditCode(cell) {
			return "", ReasonCode
		}
	case list:
		return p.list(cell)
	case names:
		return p.names(cell), ""
	case date:
		return p.date(cell)
	case province:
		if !provinceCode.MatchString(cell) {
			return "", ReasonProvince
		}
	case provinces:
		return p.provinces(cell)
	case count:
		return counted(cell)
	case yesNo:
		if cell != yes && cell != no {
			return "", ReasonYesNo
		}
	case text:
	}
	return cell, ""
}

// number takes the marks out that people set into numbers; what is left must be digits.
func number(cell string) (value, reason string) {
	out := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -()（）·.‐–—", r) {
			return -1
		}
		return r
	}, fold(cell))
	if len(out) < 3 || len(out) > maxDigits || strings.Trim(out, "0123456789") != "" {
		return "", ReasonNumber
	}
	return out, ""
}

// fold turns full-width digits, letters and marks into their plain forms.
func fold(cell string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case r == '　', r == '\u00a0':
			return ' '
		}
		return r
	}, cell)
}

func (p *parser) between(r rune) bool { return strings.ContainsRune(p.f.Between, r) }

func (p *parser) list(cell string) (value, reason string) {
	var out []string
	for _, part := range strings.FieldsFunc(cell, p.between) {
		n, reason := number(strings.TrimSpace(part))
		if reason != "" {
			return "", reason
		}
		out = append(out, n)
	}
	if len(out) > maxListed {
		return "", ReasonTooLong
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " "), ""
}

// names are texts in a list; a space may be part of a name.
func (p *parser) names(cell string) string {
	var out []string
	for _, part := range strings.FieldsFunc(cell, func(r rune) bool { return r != ' ' && p.between(r) }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), "; ")
}

func (p *parser) date(cell string) (value, reason string) {
	for _, form := range p.f.TimeForms {
		t, err := time.ParseInLocation(form, cell, p.f.zone)
		if err == nil && t.Year() >= oldestYear {
			return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano), ""
		}
	}
	return "", ReasonTime
}

// numbers reads both ends of a block out of one cell: 4008000000-4008000999, 4008000000~0999, or one number.
func (p *parser) numbers(name, cell string) {
	first, last, two := strings.Cut(fold(cell), "~")
	for _, mark := range []string{"至", "—", "–", "-"} {
		if two {
			break
		}
		first, last, two = strings.Cut(fold(cell), mark)
	}
	from, reason := number(first)
	if reason != "" {
		p.refuse(name, reason)
		return
	}
	p.row[First], p.row[Last] = from, from
	if !two {
		return
	}
	last = strings.TrimSpace(last)
	if short := len(from) - len(last); short > 0 {
		last = from[:short] + last
	}
	to, reason := number(last)
	if reason != "" {
		p.refuse(name, reason)
		return
	}
	p.row[Last] = to
}

// finish checks the fields against each other.
func (p *parser) finish() {
	if p.problem != nil {
		return
	}
	r, f := p.row, p.f
	if r[About] = p.about; p.about == AboutNumber {
		delete(r, About)
	}
	p.complete()
	if p.about != AboutLicence {
		p.finishNumbers()
	}
	from, begins := r.Time(From)
	to, ends := r.Time(To)
	if begins && ends && !to.After(from) {
		p.refuse(f.NameOf(To), ReasonOrder)
	}
}

// finishNumbers puts the ends of a block in their form.
func (p *parser) finishNumbers() {
	r, f := p.row, p.f
	if r[Scheme] == "" {
		r[Scheme] = "national"
	}
	if r[First] == "" {
		p.refuse(f.NameOf(First), ReasonNumber)
		return
	}
	if r[Last] == "" {
		r[Last] = r[First]
	}
	if len(r[Last]) != len(r[First]) || r[Last] < r[First] {
		p.refuse(f.NameOf(Last), ReasonRange)
	}
}

// Write makes the cells of a row, harmless for spreadsheets. What it writes Parse reads again.
func (f *Format) Write(r Row) []string {
	out := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		out[i] = table.Inert(f.cell(c.Field, r))
	}
	return out
}

func (f *Format) cell(name string, r Row) string {
	value := r[name]
	switch {
	case name == Range && r[Last] != r[First]:
		return r[First] + "-" + r[Last]
	case name == Range:
		return r[First]
	case value == "":
		return ""
	}
	first, _ := utf8.DecodeRuneInString(f.Between)
	switch fields[name].kind {
	case date:
		t, ok := r.Time(name)
		if !ok {
			return ""
		}
		return t.In(f.zone).Format(f.TimeForms[0])
	case list:
		return strings.Join(strings.Fields(value), string(first))
	case names:
		if first == ' ' {
			return value
		}
		return strings.ReplaceAll(value, "; ", string(first))
	case provinces:
		return f.provinceNames(name, value, string(first))
	default:
	}
	if m, ok := f.Values[name]; ok {
		return m.word(value)
	}
	return value
}
