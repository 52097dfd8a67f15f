package table

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"
)

// TestGB18030KeepsQuotesAndLineEnds holds the reason why rows may be split before they are decoded.
func TestGB18030KeepsQuotesAndLineEnds(t *testing.T) {
	enc := simplifiedchinese.GB18030.NewEncoder()
	for r := rune(0x80); r <= 0x10FFFF; r++ {
		if r >= 0xD800 && r <= 0xDFFF {
			continue
		}
		b, err := enc.String(string(r))
		if err == nil && strings.ContainsAny(b, "\",;\t\r\n") {
			t.Fatalf("%U is % x", r, b)
		}
	}
}

func split(t testing.TB, s string) (rows []string, lines []int) {
	for row, err := range Rows(strings.NewReader(s), ',') {
		if err != nil {
			t.Fatalf("%v", err)
		}
		rows, lines = append(rows, string(row.Raw)), append(lines, row.Line)
	}
	return rows, lines
}

func TestRows(t *testing.T) {
	long := strings.Repeat("x", MaxRow)
	for name, tt := range map[string]struct {
		in    string
		rows  []string
		lines []int
	}{
		"LF":                       {"a,b\nc,d\n", []string{"a,b", "c,d"}, []int{1, 2}},
		"CRLF, no last line end":   {"a,b\r\nc,d", []string{"a,b", "c,d"}, []int{1, 2}},
		"empty lines":              {"a\n\n\r\nb\n", []string{"a", "b"}, []int{1, 4}},
		"quoted line ends":         {"a,\"1\r\n2\"\"\n3\",b\nc\n", []string{"a,\"1\r\n2\"\"\n3\",b", "c"}, []int{1, 4}},
		"a quote inside a cell":    {"5\" tall,\"x\"\nb\n", []string{"5\" tall,\"x\"", "b"}, []int{1, 2}},
		"a quote never closed":     {"a,\"b\nc,d\ne,f\n", []string{"a,\"b", "c,d", "e,f"}, []int{1, 2, 3}},
		"a quote closed by chance": {"a,\"b\nc,d\ne,\"f\"\n", []string{"a,\"b", "c,d", "e,\"f\""}, []int{1, 2, 3}},
		"a row too long":           {"a\n" + long + long + "\nb\n", []string{"a", long, "b"}, []int{1, 2, 3}},
		"nothing":                  {"", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			rows, lines := split(t, tt.in)
			if d := cmp.Diff(tt.rows, rows); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.lines, lines); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestRowIsReadAgain writes random cells and reads them.
func TestRowIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.StringMatching(`[a"',=+\-@\n 甲乙]{0,12}`), 2, 6).Draw(t, "cells")
		inert := make([]string, len(want))
		for i, c := range want {
			inert[i] = Inert(c)
			if inert[i] != "" && strings.ContainsAny(inert[i][:1], "=+-@\t\r") {
				t.Fatalf("%q is a formula", inert[i])
			}
			if Bare(inert[i]) != c {
				t.Fatalf("%q became %q", c, Bare(inert[i]))
			}
		}
		got, ok := Cells(string(Row(want, ',')), ',', nil)
		if !ok || !cmp.Equal(want, got) {
			t.Fatalf("%q became %q", want, got)
		}
	})
}

func TestWorkbook(t *testing.T) {
	f := excelize.NewFile()
	for cell, value := range map[string]any{
		"A1": "起始号码", "B1": "使用主体", "C1": "备注",
		"A2": 4008000000, "B2": "甲，\"乙\"", // a number as people type it, and no third cell
		"A4": "123456789012345678", "B4": "=1+1", "C4": 951234567890, // an empty row before
	} {
		if err := f.SetCellValue("Sheet1", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := f.Write(&file); err != nil {
		t.Fatal(err)
	}
	var got []string
	for row, err := range XLSX(&file) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(row.Raw))
	}
	want := []string{`起始号码,使用主体,备注`, `4008000000,"甲，""乙""",`, `123456789012345678,=1+1,951234567890`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWorkbookIsReadAgain(t *testing.T) {
	w, err := NewWorkbook()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"号码,说明", "0951,=SUM(A1)", "x,\"a\nb\""}
	for _, raw := range want {
		cells, _ := Cells(raw, ',', nil)
		if err := w.Write(cells); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := w.Save(&file); err != nil {
		t.Fatal(err)
	}
	var got []string
	for row, err := range XLSX(&file) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(row.Raw))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestNoWorkbook(t *testing.T) {
	for _, in := range []string{"", "a,b\n1,2\n", "PK\x03\x04 and no more"} {
		failed := false
		for _, err := range XLSX(strings.NewReader(in)) {
			failed = failed || err != nil
		}
		if !failed {
			t.Errorf("%q was taken for a workbook", in)
		}
	}
}
