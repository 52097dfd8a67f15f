package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"quietline/internal/phone"
	"quietline/internal/table"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment"
)

// row is one row of a file to classify.
type row struct {
	id    string
	line  int
	item  *assignmentv1.ClassifyItem
	label assignment.Labelled
	err   error // it does not read
}

// The columns of such a file, by name and in any order; all others are left alone.
var classifyColumns = []table.Column{
	{Name: "id", Required: true}, {Name: "text", Required: true}, {Name: "company"}, {Name: "type"}, {Name: "number"},
	{Name: "sector"}, {Name: "category"}, {Name: "alt_sector"}, {Name: "alt_category"},
}

const (
	columnID = iota
	columnText
	columnCompany
	columnType
	columnNumber
	columnSector
	columnCategory
	columnAltSector
	columnAltCategory
)

var classifyEncodings = table.Encodings{table.UTF8, table.GB18030}

// openInput opens a file or the standard input and says how to name it.
func openInput(file string) (io.ReadCloser, string, error) {
	if file == "-" {
		return io.NopCloser(os.Stdin), "standard input", nil
	}
	f, err := os.Open(file)
	return f, file, err
}

// eachReport gives each row under the header. A row that does not read is given with its error, and the next one follows.
func eachReport(in io.Reader, name string, each func(row) error) error {
	var header table.Header
	first := true
	for raw, err := range table.Rows(in, ',') {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if first {
			if header, err = table.ReadHeader(raw.Raw, classifyEncodings, ',', classifyColumns); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			first = false
			continue
		}
		if err := each(rowOf(header, raw, name)); err != nil {
			return err
		}
	}
	if first {
		return fmt.Errorf("%s: is empty; it needs a header with id and text", name)
	}
	return nil
}

func rowOf(h table.Header, raw table.RawRow, name string) row {
	got := row{line: raw.Line}
	text, readable := classifyEncodings.Decode(raw.Raw, h.Encoding)
	cells, wellFormed := table.Cells(text, ',', nil)
	cell := func(column int) string {
		if at := h.At[column]; at >= 0 && at < len(cells) {
			return strings.TrimSpace(cells[at])
		}
		return ""
	}
	got.id = cell(columnID)
	bad := func(format string, args ...any) row {
		got.err = fmt.Errorf("%s, line %d: %s", name, raw.Line, fmt.Sprintf(format, args...))
		return got
	}
	switch {
	case len(raw.Raw) >= table.MaxRow:
		return bad("longer than %d bytes", table.MaxRow)
	case !readable:
		return bad("the row breaks its encoding")
	case !wellFormed:
		return bad("quotes do not match")
	case len(cells) != h.Width:
		return bad("%d fields, the header has %d", len(cells), h.Width)
	}
	got.item = &assignmentv1.ClassifyItem{Text: cell(columnText), Company: cell(columnCompany), ReportedType: cell(columnType)}
	if number := cell(columnNumber); number != "" {
		n := phone.Parse(number)
		got.item.Number, got.item.NumberKind = n.GetNormal(), n.GetKind()
	}
	got.label = assignment.Labelled{
		Sector: cell(columnSector), Category: cell(columnCategory),
		AltSectors: several(cell(columnAltSector)), AltCategories: several(cell(columnAltCategory)),
	}
	return got
}

// several are alternatives in one field.
func several(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == utf8.RuneError || strings.ContainsRune("|;,/、 ", r) })
}
