package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"quietline/internal/phone"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment"
)

// sniffed is how much of a file its encoding is told from.
const sniffed = 64 << 10

// row is one row of a file to classify.
type row struct {
	line  int
	id    string
	item  *assignmentv1.ClassifyItem
	label assignment.Labelled
	err   error // it does not read
}

// openInput opens a file or the standard input and says how to name it.
func openInput(file string) (io.ReadCloser, string, error) {
	if file == "-" {
		return io.NopCloser(os.Stdin), "standard input", nil
	}
	f, err := os.Open(file)
	return f, file, err
}

// inUTF8 reads UTF-8, with a byte order mark or without, and GB18030, as spreadsheets write it.
func inUTF8(in io.Reader) (io.Reader, error) {
	r := bufio.NewReaderSize(in, sniffed)
	head, err := r.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, err := r.Discard(3)
		return r, err
	}
	for cut := 0; cut < utf8.UTFMax && cut <= len(head); cut++ { // the last character may be cut off
		if utf8.Valid(head[:len(head)-cut]) {
			return r, nil
		}
	}
	return simplifiedchinese.GB18030.NewDecoder().Reader(r), nil
}

// columns is where a file has what.
type columns map[string]int

func columnsOf(header []string, name string) (columns, error) {
	c := columns{}
	for i, h := range header {
		h = strings.ToLower(strings.TrimSpace(h))
		if _, twice := c[h]; twice && h != "" {
			return nil, fmt.Errorf("%s, line 1: column %q stands there twice", name, h)
		}
		c[h] = i
	}
	for _, must := range []string{"id", "text"} {
		if _, ok := c[must]; !ok {
			return nil, fmt.Errorf("%s, line 1: there is no column %q among %s", name, must, strings.Join(header, ", "))
		}
	}
	return c, nil
}

func (c columns) of(fields []string, name string) string {
	if i, ok := c[name]; ok && i < len(fields) {
		return strings.TrimSpace(fields[i])
	}
	return ""
}

// eachReport gives each row under the header. A row that does not read is given with its error, and the next one follows.
func eachReport(in io.Reader, name string, each func(row) error) error {
	in, err := inUTF8(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: is empty; it needs a header with id and text", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c, err := columnsOf(header, name)
	if err != nil {
		return err
	}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err := each(rowOf(c, header, fields, name, r, err)); err != nil {
			return err
		}
		var bad *csv.ParseError
		if err != nil && !errors.As(err, &bad) {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
}

func rowOf(c columns, header, fields []string, name string, r *csv.Reader, err error) row {
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return row{line: bad.StartLine, id: c.of(fields, "id"), err: fmt.Errorf("%s, line %d: %w", name, bad.StartLine, bad.Err)}
	}
	if err != nil {
		return row{err: fmt.Errorf("%s: %w", name, err)}
	}
	line, _ := r.FieldPos(0)
	got := row{line: line, id: c.of(fields, "id")}
	if len(fields) != len(header) {
		got.err = fmt.Errorf("%s, line %d: %d fields, the header has %d", name, line, len(fields), len(header))
		return got
	}
	got.item = &assignmentv1.ClassifyItem{Text: c.of(fields, "text"), Company: c.of(fields, "company"), ReportedType: c.of(fields, "type")}
	if raw := c.of(fields, "number"); raw != "" {
		n := phone.Parse(raw)
		got.item.Number, got.item.NumberKind = n.GetNormal(), n.GetKind()
	}
	got.label = assignment.Labelled{
		Sector: c.of(fields, "sector"), Category: c.of(fields, "category"),
		AltSectors: several(c.of(fields, "alt_sector")), AltCategories: several(c.of(fields, "alt_category")),
	}
	return got
}

// several are alternatives in one field.
func several(s string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("|;,/、 ", r) }),
		func(s string) bool { return s == "" })
}
