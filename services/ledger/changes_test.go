package ledger

import (
	"strings"
	"testing"
	"time"

	"quietline/internal/table"
	accessv1 "quietline/proto/quietline/access/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
)

// monthFile is the changes of a month as a file in the ledger's own form.
func (w *world) monthFile(t *testing.T, month string, pageSize int32) string {
	t.Helper()
	f := builtInFormats()["ledger"]
	rows := []string{string(table.Row(f.Names(), ','))}
	req := &ledgerv1.ListLedgerChangesRequest{Month: month, PageSize: pageSize}
	for {
		resp, err := w.registrar.ListLedgerChanges(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range resp.GetChanges() {
			rows = append(rows, string(table.Row(f.Write(format.Row(c.GetFields())), ',')))
		}
		if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
			return strings.Join(rows, "\n") + "\n"
		}
	}
}

// TestChangesReproduceTheLedger carries a ledger and then what changed in it to another one by files.
func TestChangesReproduceTheLedger(t *testing.T) {
	now := time.Now()
	month := now.In(shanghai).Format("2006-01")
	here, there := newWorld(t), newWorld(t)
	ctx := t.Context()
	l := here.loaded(ctx, t, ledgerOfMonth, "", now)
	if _, err := here.apply(ctx, l, false); err != nil {
		t.Fatal(err)
	}
	carry := func() {
		file := here.monthFile(t, month, 2)
		l := there.loaded(ctx, t, file, "", time.Now())
		if c := l.GetCounts(); c.GetRejected()+c.GetConflict() > 0 {
			t.Fatalf("%v\n%s\n%s", c, file, there.report(ctx, t, l))
		}
		if _, err := there.apply(ctx, l, false); err != nil {
			t.Fatal(err)
		}
		// again there is nothing left to do
		l = there.loaded(ctx, t, here.monthFile(t, month, 500)+"\n", "", time.Now())
		if c := l.GetCounts(); c.GetNew()+c.GetChanged()+c.GetConflict() > 0 {
			t.Errorf("%v\n%s", c, there.report(ctx, t, l))
		}
	}
	carry()
	yesterday := now.AddDate(0, 0, -1).In(shanghai).Format("2006-01-02")
	operator := as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk")
	l = here.loaded(ctx, t, strings.Join([]string{loadHead,
		"全国,4008000100,,静线样例乙网络科技有限公司,91000000DEMNDEMN02,,telecom,北京,客户服务,95012345,cmcc-11," + yesterday + ",,核配〔2025〕2号,",
		"全国,4008000300,,静线样例丁教育咨询有限公司,91000000DEMNDEMN04,,education,11,客户服务,4008000300,cmcc-11,2025-03-01," + yesterday + ",核配〔2025〕4号,",
		"全国,4008000600,4008000699,=静线样例辛旅行社有限公司,91000000DEMNDEMN08,,travel,北京,客户服务,,cmcc-11," + yesterday + ",,核配〔2026〕8号,营业执照、承诺书",
	}, "\n"), "", now)
	if _, err := here.apply(ctx, l, false); err != nil {
		t.Fatalf("%v\n%s", err, here.report(ctx, t, l))
	}
	carry()
	for _, number := range []string{"4008000000", "4008000050", "4008000100", "4008000300", "4008000600", "4008000650", "4009000000"} {
		want, got := here.held(ctx, t, number), there.held(ctx, t, number)
		if got != want {
			t.Errorf("%s: %s there, %s here", number, got, want)
		}
	}
	if got := here.held(ctx, t, "4008000300"); got != "nobody" {
		t.Errorf("it did not end: %s", got)
	}
	file := here.monthFile(t, month, 500)
	if !strings.Contains(file, ",'=静线") || strings.Contains(file, ",=静线") {
		t.Errorf("a formula stands in\n%s", file)
	}
	// an operator takes out its own part only
	resp, err := here.registrar.ListLedgerChanges(operator, &ledgerv1.ListLedgerChangesRequest{Month: month, PageSize: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range resp.GetChanges() {
		if c.GetFields()[format.Operator] != "cmcc-11" {
			t.Errorf("the operator sees %v", c)
		}
	}
	noViolations(t, there)
}
