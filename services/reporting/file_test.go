package reporting

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

func TestFileReport(t *testing.T) {
	m := start(t)
	c := m.as(citizen)
	req := typed("170 0000 0001", noon.Add(-time.Hour))
	first := must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), req))
	if first.GetFate() != reportingv1.Fate_FATE_ACCEPTED || first.GetJoined() || !strings.HasPrefix(first.GetReceipt(), "QL261120") || len(first.GetSecret()) != 10 {
		t.Errorf("first: %v", first)
	}
	again := must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), req))
	if diff := cmp.Diff(first, again, protocmp.Transform()); diff != "" {
		t.Errorf("the same request is answered otherwise: %s", diff)
	}
	other := proto.CloneOf(req)
	other.Text = "别的内容"
	if _, err := c.FileReport(t.Context(), other); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED {
		t.Errorf("the same request ID with other content: %v", err)
	}
	second := typed("17000000001", noon.Add(-2*time.Hour))
	second.ReporterNumber, second.Text = "13900000002", "冒充公检法诈骗"
	joined := must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), second))
	if !joined.GetJoined() || !strings.Contains(joined.GetAdvice(), "110") {
		t.Errorf("second: %v", joined)
	}
	if n := m.count(t, "SELECT count(*) FROM report WHERE NOT verified"); n != 2 {
		t.Errorf("%d unverified reports, want 2", n)
	}
	if !m.script(t, m.only(t)).begin(1).GetUnverifiedOnly() {
		t.Error("not known to be unverified only")
	}
	m.sound(t)
}

func TestFileReport_refusals(t *testing.T) {
	m := start(t)
	for field, change := range map[string]func(*reportingv1.FileReportRequest){
		"displayed_number":  func(r *reportingv1.FileReportRequest) { r.DisplayedNumber = "未知号码" },
		"reporter_number":   func(r *reportingv1.FileReportRequest) { r.ReporterNumber = "not a number" },
		"called_number":     func(r *reportingv1.FileReportRequest) { r.CalledNumber = "???" },
		"call_time":         func(r *reportingv1.FileReportRequest) { r.CallTime = timestamppb.New(noon.AddDate(4, 0, 0)) },
		"method":            func(r *reportingv1.FileReportRequest) { r.Method = "telepathy" },
		"company":           func(r *reportingv1.FileReportRequest) { r.Company = "某\x00公司" },
		"reporter_province": func(r *reportingv1.FileReportRequest) { r.ReporterProvince = "阿特兰蒂斯省" },
		"channel":           func(r *reportingv1.FileReportRequest) { r.Channel = "飞鸽传书" },
	} {
		req := typed("17000000001", noon.Add(-time.Hour))
		change(req)
		_, err := m.as(citizen).FileReport(t.Context(), req)
		if errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD || !strings.HasPrefix(errs.Text(err), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	old := typed("17000000001", noon.AddDate(-9, 0, 0))
	if _, err := m.as(citizen).FileReport(t.Context(), old); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
		t.Errorf("a call of nine years ago: %v", err)
	}
}

func TestFileReport_ofAnAgency(t *testing.T) {
	m := start(t)
	c := m.as(actor("op", "cmcc-43", roleOperator))
	req := typed("17000000001", noon.Add(-time.Hour))
	req.SenderNo = "A-1"
	first := must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), req))
	again := proto.CloneOf(req)
	again.RequestId = uuid.NewString()
	second := must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), again))
	if second.GetFate() != reportingv1.Fate_FATE_DUPLICATE || second.GetReceipt() != first.GetReceipt() || second.GetSecret() != first.GetSecret() {
		t.Errorf("same number and content: %v", second)
	}
	for range 2 {
		other := proto.CloneOf(again)
		other.RequestId, other.Text = uuid.NewString(), "别的内容"
		if got := must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), other)); got.GetFate() != reportingv1.Fate_FATE_CONFLICT || got.GetReceipt() != "" {
			t.Errorf("same number, other content: %v", got)
		}
	}
	if n := m.count(t, "SELECT count(*) FROM quarantine"); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
	m.sound(t)
}

func TestFileReport_sameCallThroughTwoChannels(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), line("T-1", "13900000001", "17000000001", "10:00:00"))
	call := time.Date(2026, 11, 19, 2, 1, 30, 0, time.UTC) // 10:01:30 in Shanghai
	web := must[*reportingv1.FileReportResponse](t)(m.as(citizen).FileReport(t.Context(), typed("17000000001", call)))
	report := must[*reportingv1.GetReportResponse](t)(m.as(centre).GetReport(t.Context(), &reportingv1.GetReportRequest{ReportId: web.GetReportId()})).GetReport()
	if report.GetSameCallAs() == "" || web.GetReceipt() == "" {
		t.Errorf("not linked: %v", report)
	}
	later := must[*reportingv1.FileReportResponse](t)(m.as(citizen).FileReport(t.Context(), typed("17000000001", call.Add(time.Hour))))
	report = must[*reportingv1.GetReportResponse](t)(m.as(centre).GetReport(t.Context(), &reportingv1.GetReportRequest{ReportId: later.GetReportId()})).GetReport()
	if report.GetSameCallAs() != "" {
		t.Error("another call is linked")
	}
	// and through batches: in one, and after the other
	send(t, m.as(centre), line("T-2", "13900000002", "17000000002", "10:00:00"), line("T-3", "13900000002", "17000000002", "10:02:00"), line("T-4", "13900000002", "17000000002", "10:05:00"))
	send(t, m.as(actor("op", "cmcc-43", roleOperator)), line("T-2", "13900000002", "17000000002", "10:01:00"))
	if n := m.count(t, "SELECT count(*) FROM report JOIN complaint USING (complaint_id) WHERE same_call_as IS NOT NULL AND key = '17000000002'"); n != 2 {
		t.Errorf("%d linked, want 2", n)
	}
	tally := must[*reportingv1.TallyReportsResponse](t)(m.workflows().TallyReports(t.Context(), &reportingv1.TallyReportsRequest{
		FromTime: timestamppb.New(noon.Add(-time.Hour)), ToTime: timestamppb.New(noon.Add(time.Hour)),
	}))
	if tally.GetTotal() != 3 || len(tally.GetByProvince()) != 1 || tally.GetByProvince()[0].GetReporters() != 2 || tally.GetCutHash() == "" {
		t.Errorf("tally: %v", tally)
	}
	m.sound(t)
}

func TestFileReport_concurrentlyOpensOneComplaint(t *testing.T) {
	m := start(t)
	c := m.as(citizen)
	const reports = 24
	opened := make([]bool, reports)
	var wg sync.WaitGroup
	for i := range reports {
		wg.Go(func() {
			req := typed("17000000001", noon.Add(-time.Hour))
			req.ReporterNumber = fmt.Sprintf("139000001%02d", i)
			resp, err := c.FileReport(t.Context(), req)
			if err != nil {
				t.Error(err)
				return
			}
			opened[i] = !resp.GetJoined()
		})
	}
	wg.Wait()
	n := 0
	for _, o := range opened {
		if o {
			n++
		}
	}
	if n != 1 || m.count(t, "SELECT count(*) FROM report") != reports {
		t.Errorf("%d opened a complaint, want 1", n)
	}
	m.sound(t)
}

// A canary as reporter's number, called number and text is nowhere in the database in clear.
func TestFileReport_personalDataIsSealed(t *testing.T) {
	m := start(t)
	req := typed("17000000001", noon.Add(-time.Hour))
	req.ReporterNumber, req.CalledNumber, req.Text = "13987654321", "13987654322", "canary-text"
	filed := must[*reportingv1.FileReportResponse](t)(m.as(citizen).FileReport(t.Context(), req))
	send(t, m.as(centre), strings.Replace(line("T-1", "13987654321", "17000000002", "10:00:00"), "您好", "canary-text", 1),
		strings.Replace(line("T-2", "13987654321", "", "10:00:00"), "您好", "canary-text", 1))
	tables, err := m.owner.Query(t.Context(), "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	for _, name := range names {
		for _, canary := range []string{"13987654321", "13987654322", "canary-text", filed.GetSecret()} {
			hexed := fmt.Sprintf("%x", canary)
			if n := m.count(t, fmt.Sprintf("SELECT count(*) FROM %q x WHERE x::text LIKE '%%%s%%' OR x::text LIKE '%%%s%%'", name, canary, hexed)); n > 0 {
				t.Errorf("%s stands in clear in %s", canary, name)
			}
		}
	}
}
