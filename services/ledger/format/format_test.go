package format_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"quietline/internal/table"
	"quietline/services/ledger/format"
)

func named(t testing.TB, name string, dirs ...string) *format.Format {
	t.Helper()
	m, err := format.Load(dirs...)
	if err != nil {
		t.Fatal(err)
	}
	if m[name] == nil {
		t.Fatalf("no format %s", name)
	}
	return m[name]
}

const (
	voiceHead = "序号,专线号码,区号,客户名称,社会信用代码,经营许可证编号,所属行业,接入地,业务用途,允许透传主叫,接入单位,开通日期,拆机日期,批准文号,备注"
	voiceRow  = "1,4008000000-4008000999,,静线样例甲信息咨询有限公司,91000000DEMNDEMN01,B2-20240001,信贷,北京市,客服,4008000001、400-800-0000,ctcc-11,2024/3/1,,样例核配文件,"
)

func TestVoiceLines(t *testing.T) {
	want := format.Row{
		format.Scheme: "national", format.First: "4008000000", format.Last: "4008000999", format.Holder: "静线样例甲信息咨询有限公司",
		format.CreditCode: "91000000DEMNDEMN01", format.Licence: "B2-20240001", format.Sector: "loans", format.Province: "11",
		format.Purpose: "customer_service", format.Callers: "4008000000 4008000001", format.Operator: "ctcc-11",
		format.From: "2024-02-29T16:00:00Z", format.To: "", format.Basis: "样例核配文件",
	}
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(voiceHead + "\n" + voiceRow)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"UTF-8": voiceHead + "\n" + voiceRow, "BOM, CRLF": "\ufeff" + voiceHead + "\r\n" + voiceRow + "\r\n", "GB18030": gb} {
		t.Run(name, func(t *testing.T) {
			var h *format.Header
			for raw, err := range table.Rows(strings.NewReader(file), ',') {
				if err != nil {
					t.Fatal(err)
				}
				if h == nil {
					if h, err = named(t, "voice-lines").Header(raw.Raw); err != nil {
						t.Fatal(err)
					}
					continue
				}
				row, p := h.Parse(raw.Raw)
				if p != nil {
					t.Fatalf("%+v", p)
				}
				if d := cmp.Diff(want, row); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

func TestBlocks(t *testing.T) {
	h, err := named(t, "voice-lines").Header([]byte(voiceHead))
	if err != nil {
		t.Fatal(err)
	}
	for cell, want := range map[string][2]string{
		"95012345":                  {"95012345", "95012345"},
		"９５０１２３４５":                  {"95012345", "95012345"},
		"400-800-0000":              {"", ""}, // a block of 400 to 800 and something more: ask a person
		"400 800 0000":              {"4008000000", "4008000000"},
		"4008000000~4008000099":     {"4008000000", "4008000099"},
		"4008000000至99":             {"4008000000", "4008000099"},
		"400-800-0000~400-800-0099": {"4008000000", "4008000099"},
		"4008000099-4008000000":     {"", ""},
		"12":                        {"", ""},
		"热线":                        {"", ""},
		"":                          {"", ""},
		"1234567890123456789":       {"", ""},
	} {
		row, p := h.Parse([]byte(strings.Replace(voiceRow, "4008000000-4008000999", cell, 1)))
		if (p != nil) != (want[0] == "") {
			t.Errorf("%q: problem %v", cell, p)
		}
		if p == nil && (row[format.First] != want[0] || row[format.Last] != want[1]) {
			t.Errorf("%q is %s to %s", cell, row[format.First], row[format.Last])
		}
	}
}

func TestProblems(t *testing.T) {
	f := named(t, "voice-lines")
	h, err := f.Header([]byte(voiceHead))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, cell, field, reason string }{
		"code":     {"91000000DEMNDEMN01", "91000000DEMODEMO01", "社会信用代码", format.ReasonCode}, // no letter O
		"empty":    {"静线样例甲信息咨询有限公司", " ", "客户名称", format.ReasonMissing},
		"province": {"北京市", "大西洋", "接入地", format.ReasonProvince},
		"caller":   {"400-800-0000", "随机", "允许透传主叫", format.ReasonNumber},
		"date":     {"2024/3/1", "2024/13/1", "开通日期", format.ReasonTime},
		"order":    {"2024/3/1,", "2024/3/1,2024/2/1", "拆机日期", format.ReasonOrder},
		"long":     {"样例核配文件", strings.Repeat("文", 201), "批准文号", format.ReasonTooLong},
		"control":  {"样例核配文件", "文\x01", "批准文号", format.ReasonControl},
		"columns":  {"样例核配文件", "a,b", "row", format.ReasonColumns},
		"quotes":   {"样例核配文件", `"`, "row", format.ReasonQuotes},
		"encoding": {"样例核配文件", "\xff\xfe", "批准文号", format.ReasonEncoding},
	} {
		raw := strings.Replace(voiceRow, c.old, c.cell, 1)
		if name == "order" {
			raw = strings.Replace(voiceRow, "2024/3/1,,", "2024/3/1,2024/2/1,", 1)
		}
		_, p := h.Parse([]byte(raw))
		if d := cmp.Diff(&format.Problem{Field: c.field, Reason: c.reason}, p); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestWrittenIsReadAgain: what goes out can be loaded, whatever stands in it, and no cell of it is a formula.
func TestWrittenIsReadAgain(t *testing.T) {
	f := named(t, "ledger")
	h, err := f.Header(table.Row(f.Names(), ','))
	if err != nil {
		t.Fatal(err)
	}
	anyText := rapid.StringMatching(`[=+@'" ,;、甲乙a-z0-9-]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		trimmed := func(name string) string { return strings.TrimSpace(anyText.Draw(t, name)) }
		want := format.Row{
			format.Scheme: "national", format.First: "4008000000", format.Last: "4008000099", format.Holder: "甲" + trimmed("holder"),
			format.Purpose:  rapid.SampledFrom([]string{"inbound", "customer_service", "outbound_marketing"}).Draw(t, "purpose"),
			format.Province: rapid.SampledFrom([]string{"11", "44", "65"}).Draw(t, "province"), format.Operator: "ctcc-11",
			format.Callers: rapid.SampledFrom([]string{"", "95588", "4008000000 4008000001"}).Draw(t, "callers"),
			format.From:    "2024-02-29T16:00:00Z", format.To: rapid.SampledFrom([]string{"", "2026-10-15T03:04:05.678901Z"}).Draw(t, "to"),
			format.Basis: trimmed("basis"), format.Licence: trimmed("licence"), format.Sector: trimmed("sector"), format.Reason: trimmed("reason"),
		}
		cells := f.Write(want)
		for _, c := range cells {
			if c != "" && strings.ContainsAny(c[:1], "=+-@\t\r") {
				t.Fatalf("%q is a formula", c)
			}
		}
		got, p := h.Parse(table.Row(cells, ','))
		if p != nil {
			t.Fatalf("%+v: %q", p, cells)
		}
		for name, value := range want {
			if got[name] != value {
				t.Fatalf("%s: %q became %q", name, value, got[name])
			}
		}
	})
}

func TestFormatsOfAFolder(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "own.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const own = "name: own\ntime_forms: [\"2006-01-02\"]\nencodings: [utf-8]\ndelimiter: \";\"\nconstant: {access_operator: cmcc-44}\ncolumns:\n" +
		"  - {name: tel, field: range}\n  - {name: who, field: holder}\n"
	write(own)
	h, err := named(t, "own", dir, "").Header([]byte("who;tel"))
	if err != nil {
		t.Fatal(err)
	}
	if row, p := h.Parse([]byte("甲;95588")); p != nil || row[format.First] != "95588" || row[format.Operator] != "cmcc-44" {
		t.Errorf("%+v %+v", row, p)
	}
	for name, text := range map[string]string{
		"unknown key":    own + "colour: red\n",
		"unknown field":  strings.Replace(own, "field: holder", "field: tailor", 1),
		"no holder":      strings.Replace(own, "field: holder", "max: 5", 1),
		"range and both": own + "  - {name: first, field: first_number}\n",
		"bad delimiter":  strings.Replace(own, `";"`, `"|"`, 1),
		"bad encoding":   strings.Replace(own, "utf-8", "big5", 1),
		"bad zone":       own + "time_zone: Mars/Olympus\n",
		"bad constant":   strings.Replace(own, "access_operator:", "tailor:", 1),
	} {
		write(text)
		if _, err := format.Load(dir); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(voiceRow))
	f.Add([]byte("\"\"\"\n,"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := named(t, "voice-lines").Header([]byte(voiceHead))
		if err != nil {
			t.Fatal(err)
		}
		row, p := h.Parse(raw)
		if p == nil && (row[format.First] == "" || len(row[format.First]) != len(row[format.Last])) || p != nil && (p.Field == "" || p.Reason == "") {
			t.Fatalf("row %+v, problem %+v", row, p)
		}
	})
}
