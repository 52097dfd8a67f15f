package format

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"quietline/internal/table"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Reasons why a row waits for a person.
const (
	ReasonNumber       = "reported number unusable (被举报号码无法使用)"
	ReasonCallTime     = "call time unreadable (来电时间无法识别)"
	ReasonFiledTime    = "report time unreadable (举报时间无法识别)"
	ReasonCallLater    = "call time after the report (来电时间晚于举报时间)"
	ReasonCallFuture   = "call time in the future (来电时间晚于当前时间)"
	ReasonFiledFuture  = "report time in the future (举报时间晚于当前时间)"
	ReasonReporter     = "no telephone number that can be called back (举报人号码无法回拨)"
	ReasonCalled       = "no telephone number (被叫号码不是电话号码)"
	ReasonDuration     = "duration unreadable (通话时长无法识别)"
	ReasonMissing      = "empty (未填写)"
	ReasonTooLong      = "too long (内容过长)"
	ReasonControl      = "control characters (含控制字符)"
	ReasonEncoding     = "broken encoding (编码错误)"
	ReasonColumns      = "wrong number of columns (列数不符)"
	ReasonQuotes       = "quotes do not match (引号不配对)"
	ReasonRowTooLong   = "row too long (整行过长)"
	wholeRow           = "row"
	maxNumberDigits    = 20
	maxDurationSeconds = 86400
	oldestYear         = 1990
	clockSkew          = 10 * time.Minute // a sender's clock may run ahead
)

// Row is one report as sent.
type Row struct {
	SenderNo, Channel, ReporterNumber, CalledNumber string
	// Displayed is the reported number, character for character.
	Displayed string
	// CallTime and FiledTime are UTC; FiledTime is zero when the format has none.
	CallTime, FiledTime time.Time
	DurationSeconds     int32
	Method              string
	ReportedType        string
	Company, Text       string
	// Province of the reporter, GB/T 2260 code; empty when unknown.
	Province string
	Consent  reportingv1.Consent
	Verified bool
	// Canonical is the row's content, for the hash that tells same from other content.
	Canonical []byte
}

// Problem says why a row is unusable. It never repeats a value.
type Problem struct {
	// Field in the sender's words; "row" for the row as a whole.
	Field string
	// Reason in words.
	Reason string
	// SenderNo is the sender's number where it could be read.
	SenderNo string
	// Canonical is the row's content, as of a Row; of an unreadable row its bytes.
	Canonical []byte
}

// Parse reads one raw row, with or without its line end. now bounds its times. With a problem the row has what could be
// read, for a person to go on from.
func (h *Header) Parse(raw []byte, now time.Time) (Row, *Problem) {
	if len(raw) >= table.MaxRow {
		return Row{}, &Problem{Field: wholeRow, Reason: ReasonRowTooLong, Canonical: unreadable(raw)}
	}
	text, clean := h.format.Encodings.Decode(raw, h.Encoding)
	cells, matched := table.Cells(text, h.format.Comma(), make([]string, 0, h.Width+1))
	p := &parser{h: h, now: now, cells: cells}
	switch {
	case !clean:
		return Row{}, p.broken(raw)
	case !matched:
		return Row{}, p.whole(raw, ReasonQuotes)
	case len(cells) != h.Width:
		return Row{}, p.whole(raw, ReasonColumns)
	}
	return p.row()
}

// unreadable is the canonical form of a row whose cells cannot be told apart: its bytes without the line end.
func unreadable(raw []byte) []byte {
	raw = []byte(strings.TrimRight(string(raw), "\r\n"))
	return append([]byte("raw:"), raw...)
}

// parser reads the cells of one row.
type parser struct {
	h     *Header
	now   time.Time
	cells []string

	out     Row
	problem *Problem
}

// broken names the first cell that breaks the encoding. A sender's number that is whole still counts.
func (p *parser) broken(raw []byte) *Problem {
	problem := p.whole(raw, ReasonEncoding)
	if len(p.cells) != p.h.Width {
		return problem
	}
	for i, c := range p.h.format.Columns {
		cell, ok := p.cell(i)
		if !ok {
			continue
		}
		bad := strings.ContainsRune(cell, utf8.RuneError)
		if bad && problem.Field == wholeRow {
			problem.Field = c.Name
		}
		if !bad && c.Field == fieldSenderNo && utf8.RuneCountInString(cell) <= c.Max {
			problem.SenderNo = strings.TrimSpace(cell)
		}
	}
	return problem
}

func (p *parser) whole(raw []byte, reason string) *Problem {
	return &Problem{Field: wholeRow, Reason: reason, Canonical: unreadable(raw)}
}

// cell is the cell of the i-th column of the format.
func (p *parser) cell(i int) (string, bool) {
	at := p.h.At[i]
	if at < 0 || at >= len(p.cells) {
		return "", false
	}
	return p.cells[at], true
}

func (p *parser) row() (Row, *Problem) {
	f := p.h.format
	p.out.Channel, p.out.Verified = f.Channel, f.Verified
	p.out.Canonical = p.canonical()
	if len(f.SenderNoFrom) > 0 {
		p.out.SenderNo = p.hashed()
	}
	for i := range f.Columns {
		if cell, ok := p.cell(i); ok {
			p.read(&f.Columns[i], cell)
		}
	}
	p.times()
	if p.problem != nil {
		p.problem.SenderNo, p.problem.Canonical = p.out.SenderNo, p.out.Canonical
		return p.out, p.problem
	}
	return p.out, nil
}

// canonical writes the cells in the order of the format, each with its length before it.
func (p *parser) canonical() []byte {
	size := 0
	for _, c := range p.cells {
		size += len(c) + 6
	}
	out := make([]byte, 0, size)
	for i := range p.h.format.Columns {
		cell, ok := p.cell(i)
		if !ok {
			out = append(out, '-', ',') // not the same as empty
			continue
		}
		out = strconv.AppendInt(out, int64(len(cell)), 10)
		out = append(out, ':')
		out = append(out, cell...)
		out = append(out, ',')
	}
	return out
}

// hashed is the sender's number of a format that has none.
func (p *parser) hashed() string {
	sum := sha256.New()
	for i, c := range p.h.format.Columns {
		if slices.Contains(p.h.format.SenderNoFrom, c.Name) {
			cell, _ := p.cell(i)
			sum.Write([]byte(strconv.Itoa(len(cell)) + ":" + cell + ","))
		}
	}
	return p.h.format.Name + "-" + hex.EncodeToString(sum.Sum(nil)[:16])
}

// refuse keeps the first problem.
func (p *parser) refuse(field, reason string) {
	if p.problem == nil {
		p.problem = &Problem{Field: field, Reason: reason}
	}
}

func (p *parser) read(c *Column, cell string) {
	bare := strings.TrimSpace(cell)
	if reason := p.fits(c, cell, bare); reason != "" {
		p.refuse(c.Name, reason)
		if c.Field != fieldSenderNo || reason == ReasonControl || reason == ReasonTooLong {
			return
		}
	}
	value := bare
	if m, ok := p.h.format.Values[c.Field]; ok {
		value = m.of(bare)
	}
	r := &p.out
	switch c.Field {
	case fieldSenderNo:
		r.SenderNo = value
	case fieldChannel:
		r.Channel = value
	case fieldReporter:
		r.ReporterNumber = value
	case fieldCalled:
		r.CalledNumber = value
	case fieldDisplayed:
		r.Displayed = cell
		if !numberLike(bare) {
			p.refuse(c.Name, ReasonNumber)
		}
	case fieldCallTime:
		r.CallTime = p.time(c, bare, ReasonCallTime)
	case fieldFiledTime:
		r.FiledTime = p.time(c, bare, ReasonFiledTime)
	case fieldDuration:
		r.DurationSeconds = p.duration(c, bare)
	case fieldMethod:
		r.Method = value
	case fieldType:
		r.ReportedType = value
	case fieldCompany:
		r.Company = value
	case fieldText:
		r.Text = value
	case fieldProvince:
		r.Province = value
	case fieldConsent:
		r.Consent = consentOf(value)
	}
}

// fits checks what holds for every cell: there when it must be, short enough, printable.
func (p *parser) fits(c *Column, cell, bare string) string {
	if c.Required && bare == "" {
		switch c.Field {
		case fieldDisplayed:
			return ReasonNumber
		case fieldCallTime:
			return ReasonCallTime
		case fieldFiledTime:
			return ReasonFiledTime
		}
		return ReasonMissing
	}
	for i := range len(cell) {
		b := cell[i]
		if b < ' ' && (c.Field != fieldText || b != '\n' && b != '\r' && b != '\t') || b == 0x7F {
			return ReasonControl
		}
	}
	if len(cell) > c.Max && utf8.RuneCountInString(cell) > c.Max {
		if c.Field == fieldDisplayed {
			return ReasonNumber
		}
		return ReasonTooLong
	}
	return ""
}

// numberLike says whether a displayed number has digits, and not more than any number has. What they mean is not asked here.
func numberLike(s string) bool {
	digits := 0
	for _, r := range s {
		if r >= '0' && r <= '9' || r >= '０' && r <= '９' {
			digits++
		}
	}
	return digits > 0 && digits <= maxNumberDigits
}

func (p *parser) time(c *Column, s, reason string) time.Time {
	if s == "" && !c.Required {
		return time.Time{}
	}
	for _, form := range p.h.format.TimeForms {
		t, err := time.ParseInLocation(form, s, p.h.format.zone)
		if err == nil && t.Year() >= oldestYear {
			return t.UTC()
		}
	}
	p.refuse(c.Name, reason)
	return time.Time{}
}

func (p *parser) duration(c *Column, s string) int32 {
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxDurationSeconds {
		p.refuse(c.Name, ReasonDuration)
		return 0
	}
	return int32(n)
}

// times checks the times against each other and against now.
func (p *parser) times() {
	call, filed, limit := p.out.CallTime, p.out.FiledTime, p.now.Add(clockSkew)
	f := p.h.format
	switch {
	case call.IsZero():
	case !filed.IsZero() && call.After(filed):
		p.refuse(f.NameOf(fieldCallTime), ReasonCallLater)
	case call.After(limit):
		p.refuse(f.NameOf(fieldCallTime), ReasonCallFuture)
	}
	if filed.After(limit) {
		p.refuse(f.NameOf(fieldFiledTime), ReasonFiledFuture)
	}
}

func consentOf(s string) reportingv1.Consent {
	switch s {
	case "yes":
		return reportingv1.Consent_CONSENT_YES
	case "no":
		return reportingv1.Consent_CONSENT_NO
	}
	return reportingv1.Consent_CONSENT_UNSPECIFIED
}
