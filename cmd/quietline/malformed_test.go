package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/text/encoding/simplifiedchinese"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

const fileReport = "quietline.reporting.v1.ReportingService/FileReport"

// TestMesh_malformedReportsNameTheirField: bad input is the caller's to repair, never an internal error.
func TestMesh_malformedReportsNameTheirField(t *testing.T) {
	m := theMesh(t)
	good := func(change string) string {
		fields := map[string]string{
			"requestId": fmt.Sprintf("%q", uuid.NewString()), "channel": `"web"`, "reporterNumber": `"13900000002"`,
			"displayedNumber": `"17000000992"`, "callTime": fmt.Sprintf("%q", yesterday().UTC().Format("2006-01-02T15:04:05Z")),
		}
		if name, value, ok := strings.Cut(change, "="); ok {
			fields[name] = value
		}
		var parts []string
		for name, value := range fields {
			parts = append(parts, fmt.Sprintf("%q:%s", name, value))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	for name, c := range map[string]struct {
		body, names string
	}{
		"bad JSON":              {`{"requestId": `, ""},
		"not an object":         {`[]`, ""},
		"an unknown field":      {good(`nonsense=1`), "nonsense"},
		"a wrong type":          {good(`durationSeconds="long"`), "duration_seconds"},
		"no request ID":         {good(`requestId=""`), "request_id"},
		"an empty number":       {good(`displayedNumber=""`), "displayed_number"},
		"40 digits":             {good(`displayedNumber="` + strings.Repeat("1", 40) + `"`), "displayed_number"},
		"words for a number":    {good(`displayedNumber="无号码"`), "displayed_number"},
		"a date in 2031":        {good(`callTime="2031-01-01T00:00:00Z"`), "call_time"},
		"a NUL byte":            {good(`text="a\u0000b"`), "text"},
		"a negative duration":   {good(`durationSeconds=-1`), "duration_seconds"},
		"an unknown consent":    {good(`consent=77`), "consent"},
		"a text of 5,000 words": {good(`text="` + strings.Repeat("骚扰", 5000) + `"`), "text"},
	} {
		t.Run(name, func(t *testing.T) {
			code, answer, raw := m.post(t, fileReport, "", c.body)
			message, _ := answer["message"].(string)
			if code != 400 || message == "" || !strings.Contains(message, c.names) {
				t.Fatalf("got %d %s, want 400 and a message that names %q", code, raw, c.names)
			}
		})
	}
	t.Run("10 MB of text", func(t *testing.T) {
		code, answer, raw := m.post(t, fileReport, "", good(`text="`+strings.Repeat("a", 10<<20)+`"`))
		if code != 429 && code != 413 && code != 400 || answer["message"] == nil {
			t.Fatalf("got %d %.200s", code, raw)
		}
	})
	t.Run("emoji are text", func(t *testing.T) {
		if code, _, raw := m.post(t, fileReport, "", good(`text="📞😡 天天打"`)); code != 200 {
			t.Fatalf("got %d %s", code, raw)
		}
	})
}

const header12321 = "举报编号,举报渠道,举报人号码,被举报号码,来电时间,通话时长,骚扰类型,涉及企业,举报内容,省份,城市,举报时间,同意向被举报方提供号码"

// TestMesh_badRowsCostNoGoodOnes: each row has a fate of its own.
func TestMesh_badRowsCostNoGoodOnes(t *testing.T) {
	m := theMesh(t)
	run := uuid.NewString()[:8]
	row := func(n int, number, called, text string) []byte {
		return fmt.Appendf(nil, "T-%s-%03d,12321网站,13900000003,%s,%s,10,贷款理财,,%s,广东,,2026-11-02 12:00:00,否", run, n, number, called, text)
	}
	const at = "2026-11-02 10:00:00"
	broken := append(row(5, "17000000993", at, "abc"), 0xff, 0xfe, 0x80)
	// The header says UTF-8, so a row in another encoding is broken, not guessed at.
	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes(row(9, "17000000993", at, "推销贷款"))
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]byte{
		row(1, "17000000993", at, "推销贷款"),
		row(2, "", at, "推销贷款"),
		row(3, strings.Repeat("9", 40), at, "推销贷款"),
		row(4, "17000000993", "2031-01-01 08:00:00", "推销贷款"),
		broken,
		row(6, "17000000993", "yesterday", "推销贷款"),
		row(7, "17000000993", at, "a\x00b"),
		[]byte("only,three,cells"),
		gb,
		row(10, "17000000993", at, "😡推销贷款"),
		{},
	}
	request := &reportingv1.BatchFileReportsRequest{RequestId: uuid.NewString(), Format: "12321", Header: []byte(header12321)}
	for i, raw := range rows {
		request.Rows = append(request.Rows, &reportingv1.RawRow{Line: int32(i + 2), Raw: raw}) //nolint:gosec // a dozen rows
	}
	service := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321"))
	answer, err := service.BatchFileReports(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.GetResults()) != len(rows) {
		t.Fatalf("%d results for %d rows", len(answer.GetResults()), len(rows))
	}
	for i, r := range answer.GetResults() {
		good := i == 0 || i == 9
		switch {
		case good && r.GetFate() != reportingv1.Fate_FATE_ACCEPTED:
			t.Errorf("good row %d: %v", i+1, r)
		case !good && (r.GetFate() != reportingv1.Fate_FATE_QUARANTINED || r.GetReason() == "" || r.GetQuarantineId() == ""):
			t.Errorf("bad row %d: %v", i+1, r)
		}
	}
}

func TestMesh_row1001IsRefusedAsAWhole(t *testing.T) {
	m := theMesh(t)
	request := &reportingv1.BatchFileReportsRequest{RequestId: uuid.NewString(), Format: "12321", Header: []byte(header12321)}
	for i := range 1001 {
		request.Rows = append(request.Rows, &reportingv1.RawRow{Line: int32(i), Raw: []byte("x")}) //nolint:gosec // bounded
	}
	_, err := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321")).BatchFileReports(t.Context(), request)
	if err == nil || !strings.Contains(err.Error(), "rows") {
		t.Fatalf("1,001 rows: %v", err)
	}
}
