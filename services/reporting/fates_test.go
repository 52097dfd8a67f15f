package reporting

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/text/encoding/simplifiedchinese"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/format"
)

// day is a small day with one row of every fate, and rows that repeat each other.
var day = []string{
	line("T-1", "13900000001", "17000000001", "10:00:00"),                                                 // opens
	line("T-2", "13900000002", "+86 170-0000-0001", "10:05:00"),                                           // joins, written otherwise
	line("T-1", "13900000001", "17000000001", "10:00:00"),                                                 // again
	line("T-2", "13900000002", "17000000002", "10:05:00"),                                                 // other content
	line("T-3", "13900000003", "17000000003", "99:00:00"),                                                 // no such time
	line("T-3", "13900000003", "17000000003", "99:00:00"),                                                 // again
	line("T-4", "13900000004", "", "11:00:00"),                                                            // no number
	strings.Replace(line("T-5", "13900000005", "17000000005", "11:00:00"), "2026-11-19", "2031-01-01", 1), // not yet
	line("T-6", "13900000006", strings.Repeat("7", 40), "11:00:00"),                                       // no number has 40 digits
	line("T-7", "13900000007", "95588", "12:00:00"),
}

const dayFates = "AADCQQQQQA"

func TestBatchFileReports_fates(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	first := send(t, c, day...)
	if got := fatesOf(first); got != dayFates {
		t.Fatalf("fates %s, want %s", got, dayFates)
	}
	for i, joined := range map[int]bool{0: false, 1: true, 9: false} {
		if first[i].GetJoined() != joined {
			t.Errorf("row %d: joined %v", i, first[i].GetJoined())
		}
	}
	if first[2].GetReceipt() != first[0].GetReceipt() || first[2].GetSecret() != first[0].GetSecret() || first[0].GetSecret() == "" {
		t.Error("a duplicate does not have the first receipt and secret")
	}
	if first[4].GetField() != "来电时间" || first[6].GetField() != "被举报号码" || first[4].GetQuarantineId() != first[5].GetQuarantineId() {
		t.Errorf("quarantined rows: %v %v", first[4], first[6])
	}
	entries := m.count(t, "SELECT count(*) FROM quarantine")
	if entries != 5 {
		t.Errorf("%d entries, want 5", entries)
	}
	again := send(t, c, day...)
	if got, want := fatesOf(again), "DDDCQQQQQD"; got != want {
		t.Errorf("sent again: %s, want %s", got, want)
	}
	for i := range again {
		if again[i].GetQuarantineId() != first[i].GetQuarantineId() || first[i].GetReceipt() != again[i].GetReceipt() {
			t.Errorf("row %d is another one when sent again", i)
		}
	}
	if n := m.count(t, "SELECT count(*) FROM quarantine"); n != entries {
		t.Errorf("sent again made %d new entries", n-entries)
	}
	if n := m.count(t, "SELECT count(*) FROM report"); n != 3 {
		t.Errorf("%d reports, want 3", n)
	}
	m.sound(t)
}

func TestBatchFileReports_sameRowsInGB18030(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	send(t, c, day...)
	req := batchOf(day...)
	encode := func(b []byte) []byte {
		out, err := simplifiedchinese.GB18030.NewEncoder().Bytes(b)
		if err != nil {
			t.Fatal(err)
		}
		return append(out[:len(out)-1], '\r', '\n')
	}
	req.Header = encode(req.Header)
	for _, r := range req.Rows {
		r.Raw = encode(r.Raw)
	}
	resp, err := c.BatchFileReports(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fatesOf(resp.GetResults()), "DDDCQQQQQD"; got != want {
		t.Errorf("fates %s, want %s", got, want)
	}
}

func TestBatchFileReports_correctedRowResolvesItsEntry(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	bad, good := line("T-1", "13900000001", "17000000001", "99:00:00"), line("T-1", "13900000001", "17000000001", "10:00:00")
	send(t, c, bad)
	if got := fatesOf(send(t, c, good)); got != "A" {
		t.Fatalf("corrected: %s", got)
	}
	if n := m.count(t, "SELECT count(*) FROM quarantine q JOIN report r USING (report_id) WHERE q.state = 'repaired' AND r.sender_no = 'T-1'"); n != 1 {
		t.Error("the entry is not resolved by the report")
	}
	if got := fatesOf(send(t, c, bad, good)); got != "QD" {
		t.Errorf("both again: %s, want QD", got)
	}
	// and within one batch
	bad, good = line("T-2", "13900000001", "17000000001", "99:00:00"), line("T-2", "13900000001", "17000000001", "11:00:00")
	if got := fatesOf(send(t, c, bad, good)); got != "QA" {
		t.Errorf("in one batch: %s", got)
	}
	if n := m.count(t, "SELECT count(*) FROM quarantine WHERE state = 'open'"); n != 0 {
		t.Errorf("%d entries are still open", n)
	}
	m.sound(t)
}

func TestBatchFileReports_sendersHaveTheirOwnNumbers(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), day[0])
	operator := m.as(actor("op", "cmcc-43", roleOperator))
	if got := fatesOf(send(t, operator, day[0])); got != "A" {
		t.Errorf("another sender's row: %s", got)
	}
}

func TestBatchFileReports_inParallel(t *testing.T) {
	m := start(t)
	var lines []string
	for i := range 60 {
		n := string(rune('0'+i/10)) + string(rune('0'+i%10))
		lines = append(lines, line("P-"+n, "139000000"+n, "1700000000"+string(rune('0'+i%7)), "10:"+n+":00"))
	}
	lines = append(lines, line("P-00", "13900000000", "17000000009", "10:00:00"), line("P-Q", "13900000000", "", "10:00:00"))
	reversed := make([]string, len(lines))
	for i := range lines[:60] { // the conflicting row stays behind its first
		reversed[i] = lines[59-i]
	}
	copy(reversed[60:], lines[60:])
	const senders = 6
	accepted := make([]int, senders)
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			rows := lines
			if i%2 == 1 {
				rows = reversed
			}
			resp, err := m.as(centre).BatchFileReports(t.Context(), batchOf(rows...))
			if err != nil {
				t.Error(err)
				return
			}
			accepted[i] = strings.Count(fatesOf(resp.GetResults()), "A")
			if got := fatesOf(resp.GetResults())[60:]; got != "CQ" {
				t.Errorf("last rows: %s", got)
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range accepted {
		sum += n
	}
	if sum != 60 || m.count(t, "SELECT count(*) FROM report") != 60 {
		t.Errorf("%d answers say accepted, want 60", sum)
	}
	if n := m.count(t, "SELECT count(*) FROM quarantine"); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
	if n := m.count(t, "SELECT count(*) FROM complaint"); n != 7 {
		t.Errorf("%d complaints, want 7", n)
	}
	m.sound(t)
}

func TestBatchFileReports_malformed(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	good := line("T-1", "13900000001", "17000000001", "10:00:00")
	results := send(t, c,
		good,
		"T-2,too,few",
		`T-3,"quote does not end`,
		line("T-4", "13900000004", "17000000\x0004", "10:00:00"),
		strings.Replace(line("T-5", "13900000005", "17000000005", "10:00:00"), "您好", "\xff\xfe", 1),
		line("T-6", "13900000006", "17000000006😀", "10:00:00"),
		line("T\x007", "13900000007", "17000000007", "10:00:00"),
		line(strings.Repeat("9", 3000), "13900000007", "17000000007", "10:00:00"),
		strings.Replace(line("T-8", "13900000008", "17000000008", "10:00:00"), "您好", "您好😀", 1),
		"",
	)
	got := fatesOf(results)
	if got[0] != 'A' || strings.Count(got[1:5], "Q") != 4 || strings.Count(got[6:8], "Q") != 2 || got[8] != 'A' || got[9] != 'Q' {
		t.Errorf("fates %s", got)
	}
	for i, r := range results {
		if r.GetFate() == reportingv1.Fate_FATE_QUARANTINED && (r.GetField() == "" || r.GetReason() == "" || r.GetQuarantineId() == "") {
			t.Errorf("row %d: no field, reason or entry: %v", i, r)
		}
	}
	for name, req := range map[string]*reportingv1.BatchFileReportsRequest{
		"too many":       {RequestId: uuid.NewString(), Format: "12321", Header: []byte(header), Rows: make([]*reportingv1.RawRow, 1001)},
		"unknown format": {RequestId: uuid.NewString(), Format: "nobody", Header: []byte(header), Rows: batchOf(good).Rows},
		"no such header": {RequestId: uuid.NewString(), Format: "12321", Header: []byte("a,b,c"), Rows: batchOf(good).Rows},
		"no rows":        {RequestId: uuid.NewString(), Format: "12321", Header: []byte(header)},
	} {
		for i := range req.Rows {
			if req.Rows[i] == nil {
				req.Rows[i] = &reportingv1.RawRow{Raw: []byte(good)}
			}
		}
		_, err := c.BatchFileReports(t.Context(), req)
		if errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
			t.Errorf("%s: %v", name, err)
		}
	}
	m.sound(t)
}

func TestRepairQuarantined(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	bad, good := line("T-1", "13900000001", "17000000001", "99:00:00"), line("T-1", "13900000001", "17000000001", "10:00:00")
	withheld := line("T-2", "13900000002", "", "10:00:00")
	other := line("T-1", "13900000001", "17000000009", "10:00:00")
	rows := send(t, c, bad, withheld)
	repair := func(req *reportingv1.RepairQuarantinedRequest) (*reportingv1.RepairQuarantinedResponse, error) {
		req.RequestId = uuid.NewString()
		return c.RepairQuarantined(t.Context(), req)
	}
	if _, err := repair(&reportingv1.RepairQuarantinedRequest{QuarantineId: rows[0].GetQuarantineId(), Raw: []byte(bad)}); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
		t.Errorf("a row that is as bad as before: %v", err)
	}
	moved := strings.Replace(good, "T-1", "T-9", 1)
	if _, err := repair(&reportingv1.RepairQuarantinedRequest{QuarantineId: rows[0].GetQuarantineId(), Raw: []byte(moved)}); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
		t.Errorf("another report number: %v", err)
	}
	done := must[*reportingv1.RepairQuarantinedResponse](t)(repair(&reportingv1.RepairQuarantinedRequest{QuarantineId: rows[0].GetQuarantineId(), Raw: []byte(good), Reason: "按来电记录更正"}))
	if done.GetEntry().GetState() != "repaired" || done.GetResult().GetFate() != reportingv1.Fate_FATE_ACCEPTED || done.GetResult().GetSecret() == "" {
		t.Errorf("repaired: %v", done)
	}
	if _, err := repair(&reportingv1.RepairQuarantinedRequest{QuarantineId: rows[0].GetQuarantineId(), Dismiss: true}); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_WRONG_STATE {
		t.Errorf("repaired twice: %v", err)
	}
	numberless := must[*reportingv1.RepairQuarantinedResponse](t)(repair(&reportingv1.RepairQuarantinedRequest{QuarantineId: rows[1].GetQuarantineId(), WithoutNumber: true}))
	if numberless.GetResult().GetFate() != reportingv1.Fate_FATE_ACCEPTED || numberless.GetResult().GetJoined() {
		t.Errorf("without number: %v", numberless)
	}
	conflict := send(t, c, other)
	dismissed := must[*reportingv1.RepairQuarantinedResponse](t)(repair(&reportingv1.RepairQuarantinedRequest{QuarantineId: conflict[0].GetQuarantineId(), Dismiss: true}))
	if dismissed.GetEntry().GetState() != "dismissed" {
		t.Errorf("dismissed: %v", dismissed)
	}
	if got := fatesOf(send(t, c, bad, good, withheld, other)); got != "QDQC" {
		t.Errorf("sent again: %s, want QDQC", got)
	}
	left := must[*reportingv1.ListQuarantinedResponse](t)(c.ListQuarantined(t.Context(), &reportingv1.ListQuarantinedRequest{}))
	if len(left.GetEntries()) != 0 {
		t.Errorf("still open: %v", left)
	}
	m.sound(t)
}

// What a typed report is refused for, a row is quarantined for; a row without a reporter's number is none.
func TestBatch_reportersNumber(t *testing.T) {
	m := start(t)
	results := send(t, m.as(centre), line("A1", "not a number", "17000000001", "10:00:00"), line("A2", "", "17000000001", "10:00:00"))
	if got := fatesOf(results); got != "QA" || results[0].GetField() != "举报人号码" || results[0].GetReason() != format.ReasonReporter {
		t.Errorf("fates %s, field %q, reason %q", got, results[0].GetField(), results[0].GetReason())
	}
	m.sound(t)
}
