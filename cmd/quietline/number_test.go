package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

// TestReadNumbers holds what comes out to what went in: a row for every line, the raw number exactly.
func TestReadNumbers(t *testing.T) {
	long := strings.Repeat("9", 200_000)
	for name, tt := range map[string]struct {
		in   string
		want []string // raw|kind|normal
	}{
		"nothing":          {"", nil},
		"an empty line":    {"\n", []string{"|empty|"}},
		"no end of line":   {"95588", []string{"95588|code95_enterprise|95588"}},
		"empty lines":      {"95588\n\n\n110", []string{"95588|code95_enterprise|95588", "|empty|", "|empty|", "110|public12x|110"}},
		"CRLF":             {"95588\r\n\r\n110\r\n", []string{"95588|code95_enterprise|95588", "|empty|", "110|public12x|110"}},
		"BOM":              {"\ufeff95588\n", []string{"95588|code95_enterprise|95588"}},
		"UTF-16":           {"\xff\xfe1\x001\x000\x00\r\x00\n\x005\x75", []string{"110|public12x|110", "电|text|电"}},
		"quotes, commas":   {"\"a,\"b\n", []string{"\"a,\"b|text|\"a,\"b"}},
		"spaces":           {" 131 1459 0000 \n", []string{" 131 1459 0000 |mobile|13114590000"}},
		"CR within":        {"a\rb\n", []string{"a\rb|text|a\rb"}},
		"no UTF-8":         {"\xb5\xe7 95588\n", []string{"\xb5\xe7 95588|code95_enterprise|95588"}},
		"a long line":      {long + "\n95588", []string{long + "|invalid|" + long[:512], "95588|code95_enterprise|95588"}},
		"NUL":              {"\x00", []string{"\x00|text|\ufffd"}},
		"formula":          {"=\"13114590000\"\n", []string{"=\"13114590000\"|mobile|13114590000"}},
		"forged, in words": {"来电+8695588\n", []string{"来电+8695588|code95_spoofed|+8695588"}},
	} {
		t.Run(name, func(t *testing.T) {
			rows := numberRows(t, tt.in)
			var got []string
			for _, r := range rows[1:] {
				got = append(got, strings.Join(r[:3], "|"))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %.200q, want %.200q", got, tt.want)
			}
		})
	}
}

func numberRows(t *testing.T, in string) [][]string {
	t.Helper()
	var buf bytes.Buffer
	out := bufio.NewWriter(&buf)
	_, _ = out.WriteString(numberHeader)
	if err := readNumbers(strings.NewReader(in), out); err != nil {
		t.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	// the reader makes LF of CRLF inside quotes, so a lone CR must come back as it was
	rows, err := csv.NewReader(&buf).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0], ",") + "\n"; got != numberHeader {
		t.Fatalf("header %q", got)
	}
	return rows
}

// TestNumberColumns reads one of each kind that fills the other columns.
func TestNumberColumns(t *testing.T) {
	rows := numberRows(t, "13114590000\n(0335)8000000\n17041110000\n12345\n+8695588\n14600000000\n4006800166\n"+strings.Repeat("1", maxLine+9))
	for i, want := range []string{
		"黑龙江,大庆,联通,,", "河北,秦皇岛,,,", "", ",,,政务服务便民热线,", ",,,,95 号码前不应有国际区号 +86，判为伪造主叫",
		"江苏,南京,联通,,归属地按号段分配惯例推定", ",,,,", ",,,,行过长，只读取前 1 MiB",
	} {
		if got := strings.Join(rows[i+1][3:], ","); want != "" && got != want {
			t.Errorf("%.20s: got %q, want %q", rows[i+1][0], got, want)
		}
	}
	if got := rows[3][5]; got != "联通虚拟" {
		t.Errorf("resold segment: %q", got)
	}
	if got := len(rows[8][0]); got != maxLine {
		t.Errorf("a line of %d bytes", got)
	}
}
