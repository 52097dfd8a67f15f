package reporting

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

const today = "2026-11-20"

var (
	chinaMobile = actor("feed", "cmcc", roleOperator)
	unicom      = actor("feed", "cucc", roleOperator)
	branch      = actor("feed", "cmcc-44", roleOperator)
	analyst     = actor("analyst", "miit", accessv1.Role_ROLE_STATISTICIAN)
)

func mark(number, label string, count int64) *reportingv1.MarkRow {
	return &reportingv1.MarkRow{Number: number, Day: today, Label: label, Count: count}
}

func marksOf(rows ...*reportingv1.MarkRow) *reportingv1.ImportMarksRequest {
	return &reportingv1.ImportMarksRequest{RequestId: uuid.NewString(), Rows: rows}
}

// state sends marks and fails the test when that is refused.
func (m *mesh) state(t *testing.T, a *commonv1.Actor, rows ...*reportingv1.MarkRow) *reportingv1.ImportMarksResponse {
	t.Helper()
	return must[*reportingv1.ImportMarksResponse](t)(m.as(a).ImportMarks(t.Context(), marksOf(rows...)))
}

// marked is what is on record of a number, as its day, source, label and count.
func (m *mesh) marked(t *testing.T, number string) string {
	t.Helper()
	resp := must[*reportingv1.ListMarksResponse](t)(m.as(centre).ListMarks(t.Context(), &reportingv1.ListMarksRequest{Number: number}))
	var out []string
	for _, e := range resp.GetMarks() {
		out = append(out, fmt.Sprintf("%s %s %s %d", e.GetDay(), e.GetSource(), e.GetLabel(), e.GetCount()))
	}
	return strings.Join(out, ", ")
}

func TestImportMarks_replaces(t *testing.T) {
	m := start(t)
	req := marksOf(mark("138 0000 0001", "骚扰电话", 7), mark("13800000002", "房产中介", 3))
	first := must[*reportingv1.ImportMarksResponse](t)(m.as(chinaMobile).ImportMarks(t.Context(), req))
	again := must[*reportingv1.ImportMarksResponse](t)(m.as(chinaMobile).ImportMarks(t.Context(), req))
	if diff := cmp.Diff(first, again, protocmp.Transform()); diff != "" || first.GetStored() != 2 || first.GetSource() != "cmcc" {
		t.Errorf("first %v, sent twice: %s", first, diff)
	}
	if got := m.state(t, chinaMobile, req.GetRows()...); got.GetStored() != 2 {
		t.Errorf("the same rows in another request: %v", got)
	}
	if got, want := m.marked(t, "13800000001"), "2026-11-20 cmcc 骚扰电话 7"; got != want {
		t.Errorf("sent twice: %s, want %s", got, want)
	}
	m.time = m.time.Add(time.Minute)
	m.state(t, chinaMobile, mark("+86 13800000001", "骚扰电话", 4), mark("13800000001", "诈骗电话", 1))
	if got, want := m.marked(t, "13800000001"), "2026-11-20 cmcc 诈骗电话 1, 2026-11-20 cmcc 骚扰电话 4"; got != want {
		t.Errorf("a smaller count later: %s, want %s", got, want)
	}
	late := marksOf(mark("13800000001", "骚扰电话", 99))
	late.AsOf = timestamppb.New(m.time.Add(-time.Second))
	if got := must[*reportingv1.ImportMarksResponse](t)(m.as(chinaMobile).ImportMarks(t.Context(), late)); got.GetStored() != 0 || got.GetOutdated() != 1 {
		t.Errorf("a statement from before: %v", got)
	}
	got := m.state(t, chinaMobile, mark("13800000003", "骚扰电话", 1), mark("13800000003", " 骚扰电话 ", 5))
	if got.GetRepeated() != 1 || m.marked(t, "13800000003") != "2026-11-20 cmcc 骚扰电话 5" {
		t.Errorf("stated twice in one request: %v, %s", got, m.marked(t, "13800000003"))
	}
	if n := m.count(t, "SELECT count(*) FROM report"); n != 0 {
		t.Errorf("%d reports came of marks", n)
	}
	m.sound(t)
}

func TestImportMarks_rejectsRows(t *testing.T) {
	m := start(t)
	rows := []*reportingv1.MarkRow{
		mark("", "骚扰电话", 1), mark("未知号码", "骚扰电话", 1), mark("12", "骚扰电话", 1), mark(strings.Repeat("1", 80), "骚扰电话", 1),
		{Number: "13800000001", Day: "昨天", Label: "骚扰电话", Count: 1}, {Number: "13800000001", Day: "2026-11-21", Label: "骚扰电话", Count: 1},
		{Number: "13800000001", Day: "2020-01-01", Label: "骚扰电话", Count: 1}, mark("13800000001", " ", 1),
		mark("13800000001", strings.Repeat("长", 41), 1), mark("13800000001", "骚\n扰", 1), mark("13800000001", "骚扰电话", -1),
		mark("13800000009", "自定义标签", 2), {Number: "13800000009", Day: "20261119", Label: "骚扰电话", Count: 0},
	}
	got := m.state(t, chinaMobile, rows...)
	var fields []string
	for i, r := range got.GetRejected() {
		if int(r.GetIndex()) != i || r.GetReason() == "" || strings.Contains(r.GetReason(), "13800000001") {
			t.Errorf("rejected: %v", r)
		}
		fields = append(fields, r.GetField())
	}
	if want := "number number number number day day day label label label count"; strings.Join(fields, " ") != want || got.GetStored() != 2 {
		t.Errorf("rejected %v, stored %d, want %s and 2", fields, got.GetStored(), want)
	}
	rows[4].Day = "2026-11-19" // mended
	if got := m.state(t, chinaMobile, rows[4]); got.GetStored() != 1 || len(got.GetRejected()) != 0 {
		t.Errorf("mended: %v", got)
	}
	resp := must[*reportingv1.ListMarksResponse](t)(m.as(centre).ListMarks(t.Context(), &reportingv1.ListMarksRequest{Number: "13800000009"}))
	if e := resp.GetMarks()[0]; e.GetCode() != "other" || e.GetLabel() != "自定义标签" || resp.GetTotals().GetCounting() != 0 || resp.GetTotals().GetMarks() != 2 {
		t.Errorf("a label that nobody mapped: %v", resp)
	}
}

func TestImportMarks_sources(t *testing.T) {
	m := start(t)
	req := marksOf(mark("13800000001", "骚扰电话", 1))
	req.Source = "app-360"
	if got := must[*reportingv1.ImportMarksResponse](t)(m.as(centre).ImportMarks(t.Context(), req)); got.GetSource() != "app-360" {
		t.Errorf("the centre for an app: %v", got)
	}
	for _, foreign := range []string{"app-360", "cucc", "nobody"} {
		req := marksOf(mark("13800000001", "骚扰电话", 1))
		req.Source = foreign
		if _, err := m.as(chinaMobile).ImportMarks(t.Context(), req); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
			t.Errorf("an operator as %s: %v", foreign, err)
		}
	}
	if _, err := m.as(citizen).ImportMarks(t.Context(), marksOf(mark("13800000001", "骚扰电话", 1))); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED {
		t.Errorf("the public: %v", err)
	}
	ahead := marksOf(mark("13800000001", "骚扰电话", 1))
	ahead.AsOf = timestamppb.New(noon.Add(time.Hour))
	if _, err := m.as(chinaMobile).ImportMarks(t.Context(), ahead); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
		t.Errorf("counted in the future: %v", err)
	}
}

// Requests with rows in common from several connections wait for each other and end as the newest statement has it.
func TestImportMarks_atOnce(t *testing.T) {
	m := start(t)
	const rows, requests = 500, 8
	c := m.as(chinaMobile)
	var wg sync.WaitGroup
	failed := make([]error, requests)
	for i := range requests {
		wg.Go(func() {
			req := marksOf()
			req.AsOf = timestamppb.New(noon.Add(time.Duration(i-requests) * time.Second))
			for n := range rows {
				req.Rows = append(req.Rows, mark(fmt.Sprintf("138%08d", n), "骚扰电话", int64(i)))
			}
			if i%2 == 1 {
				slices.Reverse(req.Rows)
			}
			_, failed[i] = c.ImportMarks(t.Context(), req)
		})
	}
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		t.Fatal(err)
	}
	if n := m.count(t, "SELECT count(*) FROM mark WHERE count = $1", requests-1); n != rows {
		t.Errorf("%d of %d rows have the newest count", n, rows)
	}
}

func TestListMarks(t *testing.T) {
	m := start(t)
	for i, a := range []*commonv1.Actor{chinaMobile, unicom, branch} {
		m.state(t, a, mark("95001234", "骚扰电话", int64(i+1)), mark("95001234", "快递送餐", 10),
			&reportingv1.MarkRow{Number: "95001234", Day: "2026-10-25", Label: "推销", Count: 5},
			&reportingv1.MarkRow{Number: "95001234", Day: "2026-06-01", Label: "推销", Count: 100})
	}
	var all []string
	req := &reportingv1.ListMarksRequest{Number: "9500-1234", PageSize: 2}
	for page := 0; ; page++ {
		resp := must[*reportingv1.ListMarksResponse](t)(m.as(analyst).ListMarks(t.Context(), req))
		if (resp.GetTotals() != nil) != (page == 0) {
			t.Errorf("page %d: totals %v", page, resp.GetTotals())
		}
		if page == 0 {
			want := &reportingv1.MarkTotals{Marks: 51, Counting: 21, Days: 2, Sources: 3, ByCode: []*reportingv1.MarkTally{
				{Code: "delivery", Marks: 30}, {Code: "advertising", Marks: 15}, {Code: "harassment", Marks: 6},
			}}
			if diff := cmp.Diff(want, resp.GetTotals(), protocmp.Transform()); diff != "" {
				t.Errorf("totals: %s", diff)
			}
		}
		for _, e := range resp.GetMarks() {
			all = append(all, e.GetDay()[5:]+" "+e.GetSource()+" "+e.GetCode())
		}
		if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
	}
	want := "11-20 cmcc delivery,11-20 cmcc harassment,11-20 cmcc-44 delivery,11-20 cmcc-44 harassment,11-20 cucc delivery,11-20 cucc harassment," +
		"10-25 cmcc advertising,10-25 cmcc-44 advertising,10-25 cucc advertising"
	if got := strings.Join(all, ","); got != want {
		t.Errorf("pages:\n got  %s\n want %s", got, want)
	}
	own := must[*reportingv1.ListMarksResponse](t)(m.as(unicom).ListMarks(t.Context(), &reportingv1.ListMarksRequest{
		Number: "95001234", Since: "2026-01-01", Until: today,
	}))
	if len(own.GetMarks()) != 4 || own.GetTotals().GetSources() != 1 {
		t.Errorf("an operator sees %v", own)
	}
	for _, bad := range []*reportingv1.ListMarksRequest{
		{Number: "匿名"}, {Number: "95001234", Since: "2026-13-01"}, {Number: "95001234", Since: "2024-01-01"},
		{Number: "95001234", Since: today, Until: "2026-11-01"},
	} {
		if _, err := m.as(analyst).ListMarks(t.Context(), bad); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestMaintainMarks_dropsOldMonths(t *testing.T) {
	m := start(t)
	m.state(t, chinaMobile, mark("13800000001", "骚扰电话", 1), &reportingv1.MarkRow{Number: "13800000001", Day: "2025-03-03", Label: "骚扰电话", Count: 1})
	if _, err := m.owner.Exec(t.Context(), "UPDATE policy SET value = 100 WHERE code = 'mark_keep_days'"); err != nil {
		t.Fatal(err)
	}
	if err := m.MaintainMarks(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.policies.read = time.Time{} // look again
	if got := m.state(t, chinaMobile, &reportingv1.MarkRow{Number: "13800000001", Day: "2025-03-03", Label: "骚扰电话", Count: 1}); len(got.GetRejected()) != 1 {
		t.Errorf("a day that is kept no longer: %v", got)
	}
	if left, gone := m.count(t, "SELECT count(*) FROM mark"), m.count(t, "SELECT count(*) FROM mark_dropped WHERE month = '2025-03-01'"); left != 1 || gone != 1 {
		t.Errorf("%d rows left, %d months on record as dropped, want 1 and 1", left, gone)
	}
}

// The first marks of a month wait for nobody who reads marks.
func TestImportMarks_beginsAMonthBesideReaders(t *testing.T) {
	m := start(t)
	m.state(t, chinaMobile, mark("13800000005", "骚扰电话", 5))
	tx, err := m.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), "SELECT count(*) FROM mark"); err != nil {
		t.Fatal(err)
	}
	got := m.state(t, chinaMobile, &reportingv1.MarkRow{Number: "13800000005", Day: "2026-10-13", Label: "骚扰电话", Count: 1})
	if got.GetStored() != 1 {
		t.Errorf("stored: %v", got)
	}
}

func TestMaintainMarks_makesMonthsAhead(t *testing.T) {
	m := start(t)
	if err := m.MaintainMarks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := m.count(t, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'mark'::regclass AND inhrelid::regclass::text IN ('mark_2026_11', 'mark_2026_12')"); n != 2 {
		t.Errorf("%d months are made ahead, want this one and the next", n)
	}
}
