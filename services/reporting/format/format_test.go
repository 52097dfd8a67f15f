package format_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"quietline/internal/table"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/format"
)

const (
	head = "举报编号,举报渠道,举报人号码,被举报号码,来电时间,通话时长,骚扰类型,涉及企业,举报内容,省份,城市,举报时间,同意向被举报方提供号码"
	good = "T-1,12321网站,13700000001,１３１１４５９００００,2026-10-15 10:41:00,180,其他,甲公司,\"您好，\"\"优惠\"\"，请查收\",湖南,,2026-10-15 13:30:00,是"
)

var now = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

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

func headerOf(t testing.TB, name, row string) *format.Header {
	t.Helper()
	h, err := named(t, name).Header([]byte(row))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func gb(t testing.TB, s string) []byte {
	t.Helper()
	out, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestParseGoodRow(t *testing.T) {
	want := format.Row{
		SenderNo: "T-1", Channel: "web", ReporterNumber: "13700000001", Displayed: "１３１１４５９００００",
		CallTime:  time.Date(2026, 10, 15, 2, 41, 0, 0, time.UTC),
		FiledTime: time.Date(2026, 10, 15, 5, 30, 0, 0, time.UTC), DurationSeconds: 180, ReportedType: "其他",
		Company: "甲公司", Text: `您好，"优惠"，请查收`, Province: "43", Consent: reportingv1.Consent_CONSENT_YES, Verified: true,
	}
	var canonical []byte
	for name, f := range map[string][2][]byte{
		"UTF-8":                  {[]byte(head), []byte(good)},
		"UTF-8 with BOM, CRLF":   {[]byte("\ufeff" + head + "\r\n"), []byte(good + "\r\n")},
		"GB18030":                {gb(t, head), gb(t, good)},
		"GB18030 with BOM":       {gb(t, "\ufeff"+head), gb(t, good)},
		"columns in other order": {[]byte("同意向被举报方提供号码," + strings.TrimSuffix(head, ",同意向被举报方提供号码")), []byte("是," + strings.TrimSuffix(good, ",是"))},
		"a column more":          {[]byte(head + ",备注"), []byte(good + ",急")},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := named(t, "12321").Header(f[0])
			if err != nil {
				t.Fatal(err)
			}
			row, problem := h.Parse(f[1], now)
			if problem != nil {
				t.Fatalf("%+v", problem)
			}
			if canonical == nil {
				canonical = row.Canonical
			}
			if !bytes.Equal(row.Canonical, canonical) {
				t.Errorf("canonical %q, want %q", row.Canonical, canonical)
			}
			row.Canonical = nil
			if d := cmp.Diff(want, row); d != "" {
				t.Error(d)
			}
		})
	}
}

// change is the good row with one cell replaced.
func change(column, cell string) string {
	cells := []string{"T-1", "12321网站", "13700000001", "13114590000", "2026-10-15 10:41:00", "180", "其他", "甲公司", "您好", "湖南", "", "2026-10-15 13:30:00", "是"}
	for i, name := range strings.Split(head, ",") {
		if name == column {
			cells[i] = cell
		}
	}
	return strings.Join(cells, ",")
}

func TestParseProblems(t *testing.T) {
	tests := []struct{ name, row, field, reason string }{
		{"no such date", change("来电时间", "2026-13-45 99:00:00"), "来电时间", format.ReasonCallTime},
		{"no call time", change("来电时间", ""), "来电时间", format.ReasonCallTime},
		{"a call of 2031", change("来电时间", "2031-01-01 08:00:00"), "来电时间", format.ReasonCallLater},
		{"all in 2031", strings.ReplaceAll(change("", ""), "2026-", "2031-"), "来电时间", format.ReasonCallFuture},
		{"filed in 2031", change("举报时间", "2031-01-01 08:00:00"), "举报时间", format.ReasonFiledFuture},
		{"filed never", change("举报时间", "soon"), "举报时间", format.ReasonFiledTime},
		{"no number", change("被举报号码", ""), "被举报号码", format.ReasonNumber},
		{"a withheld number", change("被举报号码", "私人号码"), "被举报号码", format.ReasonNumber},
		{"40 digits", change("被举报号码", strings.Repeat("1", 40)), "被举报号码", format.ReasonNumber},
		{"a long number", change("被举报号码", strings.Repeat("1 ", 40)), "被举报号码", format.ReasonNumber},
		{"no sender's number", change("举报编号", ""), "举报编号", format.ReasonMissing},
		{"a NUL byte", change("举报内容", "您\x00好"), "举报内容", format.ReasonControl},
		{"an escape", change("涉及企业", "\x1b[2J"), "涉及企业", format.ReasonControl},
		{"a long text", change("举报内容", strings.Repeat("长", 4001)), "举报内容", format.ReasonTooLong},
		{"a long duration", change("通话时长", "86401"), "通话时长", format.ReasonDuration},
		{"a duration in words", change("通话时长", "很久"), "通话时长", format.ReasonDuration},
		{"broken encoding", change("涉及企业", "\xff\xfe"), "涉及企业", format.ReasonEncoding},
		{"GB18030 in a UTF-8 file", change("涉及企业", string(gb(t, "公司"))), "涉及企业", format.ReasonEncoding},
		{"a cell less", strings.TrimSuffix(change("", ""), ",是"), "row", format.ReasonColumns},
		{"a cell more", change("", "") + ",是", "row", format.ReasonColumns},
		{"an open quote", change("举报内容", `"您好`), "row", format.ReasonQuotes},
		{"text behind a quote", change("举报内容", `"您"好`), "row", format.ReasonQuotes},
		{"far too long", strings.Repeat("长", 10000), "row", format.ReasonRowTooLong},
		{"nothing", "", "row", format.ReasonColumns},
	}
	h := headerOf(t, "12321", head)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, p := h.Parse([]byte(tt.row), now)
			if p == nil {
				t.Fatal("accepted")
			}
			if p.Field != tt.field || p.Reason != tt.reason {
				t.Errorf("%s: %s, want %s: %s", p.Field, p.Reason, tt.field, tt.reason)
			}
			if wantNo := "T-1"; tt.field != "row" && tt.field != "举报编号" && p.SenderNo != wantNo {
				t.Errorf("sender's number %q", p.SenderNo)
			}
			if len(p.Canonical) == 0 {
				t.Error("no content to hash")
			}
		})
	}
}

func TestParseKeepsWhatIsOdd(t *testing.T) {
	h := headerOf(t, "12321", head)
	for name, row := range map[string]string{
		"emoji":                change("举报内容", "😀骚扰"),
		"no text and no type":  strings.Replace(change("举报内容", ""), "其他", "", 1),
		"an unknown province":  change("省份", "火星"),
		"an unknown consent":   change("同意向被举报方提供号码", "也许"),
		"no duration":          change("通话时长", ""),
		"an unknown channel":   change("举报渠道", "传真"),
		"times of spreadsheet": change("来电时间", "2026/10/15 5:20"),
		"lines in a text":      change("举报内容", "\"第一行\n第二行\""),
	} {
		if _, p := h.Parse([]byte(row), now); p != nil {
			t.Errorf("%s: %s: %s", name, p.Field, p.Reason)
		}
	}
	row, _ := h.Parse([]byte(change("举报渠道", "传真")), now)
	if row.Channel != "other" {
		t.Errorf("unknown channel is %q", row.Channel)
	}
}

func TestHeaderRefusals(t *testing.T) {
	f := named(t, "12321")
	for name, raw := range map[string][]byte{
		"missing column": []byte(strings.Replace(head, "来电时间", "时间", 1)),
		"column twice":   []byte(head + ",来电时间"),
		"other file":     []byte("a,b,c"),
		"too long":       bytes.Repeat([]byte("a"), table.MaxHeader+1),
		"empty":          nil,
	} {
		if _, err := f.Header(raw); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := named(t, "ftc").Header(gb(t, head)); err == nil || !strings.Contains(err.Error(), "gb18030") {
		t.Errorf("encoding that the format does not have: %v", err)
	}
}

func TestFTCHasNumbersByHash(t *testing.T) {
	h := headerOf(t, "ftc", "Company_Phone_Number,Created_Date,Violation_Date,Consumer_City,Consumer_State,Consumer_Area_Code,Subject,Recorded_Message_Or_Robocall")
	parse := func(s string) format.Row {
		t.Helper()
		row, p := h.Parse([]byte(s), now)
		if p != nil {
			t.Fatalf("%s: %s", p.Field, p.Reason)
		}
		return row
	}
	a := parse(`2025550100,2021-07-07 00:01:41,2021-07-06 18:17:00,"Town, Old",Illinois,217,Warranties  & protection plans,Y`)
	b := parse(`2025550100,2021-07-07 00:01:41,2021-07-06 18:17:00,"Town, Old",Illinois,217,No Subject Provided,N`)
	if a.SenderNo == b.SenderNo || !strings.HasPrefix(a.SenderNo, "ftc-") {
		t.Errorf("numbers %q and %q", a.SenderNo, b.SenderNo)
	}
	if a.Method != "recorded" || b.ReportedType != "" || a.Verified {
		t.Errorf("method %q, type %q, verified %v", a.Method, b.ReportedType, a.Verified)
	}
	if want := time.Date(2021, 7, 6, 22, 17, 0, 0, time.UTC); !a.CallTime.Equal(want) {
		t.Errorf("call time %v, want %v", a.CallTime, want)
	}
	_, p := h.Parse([]byte(`,2021-07-07 00:01:41,2021-07-06 18:17:00,,,217,Other,Y`), now)
	if p == nil || p.Reason != format.ReasonNumber || p.SenderNo == "" {
		t.Errorf("an empty number gives %+v", p)
	}
}

func TestLoadTakesFormatsOfADirectory(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "own.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const own = "name: own\ntime_forms: [\"2006-01-02\"]\nencodings: [utf-8]\ndelimiter: \";\"\ncolumns:\n" +
		"  - {name: nr, field: sender_no}\n  - {name: tel, field: displayed}\n  - {name: day, field: call_time}\n"
	write(own)
	h, err := named(t, "own", dir, "").Header([]byte("day;tel;nr"))
	if err != nil {
		t.Fatal(err)
	}
	if row, p := h.Parse([]byte("2026-10-01;95588;1"), now); p != nil || row.Displayed != "95588" {
		t.Errorf("%+v %+v", row, p)
	}
	for name, text := range map[string]string{
		"unknown key":     own + "colour: red\n",
		"unknown field":   strings.Replace(own, "field: sender_no", "field: tailor", 1),
		"no call time":    strings.Replace(own, "field: call_time", "max: 5", 1),
		"bad delimiter":   strings.Replace(own, `";"`, `"|"`, 1),
		"bad encoding":    strings.Replace(own, "utf-8", "big5", 1),
		"bad zone":        own + "time_zone: Mars/Olympus\n",
		"number and hash": own + "sender_no_from: [tel]\n",
	} {
		write(text)
		if _, err := format.Load(dir); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func split(t failer, s string) (rows []string, lines []int) {
	for row, err := range table.Rows(strings.NewReader(s), ',') {
		if err != nil {
			t.Fatalf("%v", err)
		}
		rows, lines = append(rows, string(row.Raw)), append(lines, row.Line)
	}
	return rows, lines
}

type failer interface{ Fatalf(string, ...any) }

// TestSplitAndParseTellCellsApart writes random cells the way spreadsheets do and reads them again.
func TestSplitAndParseTellCellsApart(t *testing.T) {
	h := headerOf(t, "12321", head)
	texts := rapid.Custom(func(t *rapid.T) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' || r == 0x7f || r == 0xfffd {
				return -1
			}
			return r
		}, rapid.StringN(0, 200, 2000).Draw(t, "text"))
	})
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Draw(t, "text")
		cell := `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
		rows, _ := split(t, head+"\n"+change("举报内容", cell)+"\r\n"+change("举报编号", "T-2")+"\n")
		if len(rows) != 3 {
			t.Fatalf("%d rows", len(rows))
		}
		row, p := h.Parse([]byte(rows[1]), now)
		if p != nil {
			t.Fatalf("%s: %s", p.Field, p.Reason)
		}
		if row.Text != strings.TrimSpace(text) {
			t.Fatalf("read %q, want %q", row.Text, text)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good), false)
	f.Add([]byte("\"\"\"\n,"), true)
	f.Add([]byte("\x81\x30\x81"), true)
	f.Fuzz(func(t *testing.T, raw []byte, inGB bool) {
		header := []byte(head)
		if inGB {
			header = gb(t, head)
		}
		h, err := named(t, "12321").Header(header)
		if err != nil {
			t.Fatal(err)
		}
		row, p := h.Parse(raw, now)
		if p == nil && len(row.Canonical) == 0 || p != nil && (len(p.Canonical) == 0 || p.Field == "" || p.Reason == "") {
			t.Fatalf("row %+v, problem %+v", row, p)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, in := range map[string][2][]byte{
		"UTF-8": {[]byte(head), []byte(good)}, "GB18030": {gb(b, head), gb(b, good)},
	} {
		h, err := named(b, "12321").Header(in[0])
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, p := h.Parse(in[1], now); p != nil {
					b.Fatal(p.Reason)
				}
			}
		})
	}
}
