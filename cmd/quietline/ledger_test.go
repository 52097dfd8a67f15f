package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	ledgerv1 "quietline/proto/quietline/ledger/v1"

	"quietline/internal/calendar"
)

// TestALedgerFileThroughTheMesh loads an operator's file in GB18030, takes the month's changes out as a workbook and loads
// that: it changes nothing.
func TestALedgerFileThroughTheMesh(t *testing.T) {
	m := theMesh(t)
	dir := t.TempDir()
	file, out, book := filepath.Join(dir, "专线.csv"), filepath.Join(dir, "report.csv"), filepath.Join(dir, "changes.xlsx")
	text, err := simplifiedchinese.GB18030.NewEncoder().String(strings.Join([]string{
		"专线号码,客户名称,社会信用代码,所属行业,接入地,业务用途,允许透传主叫,接入单位,资质材料,开通日期,备注",
		"4006660000-4006660009,静线样例卯呼叫服务有限公司,91000000DEMNDEMN81,电信,贵州省,客服,4006660000,ctcc-52,营业执照,,=1+1",
		"4006660010,静线样例卯呼叫服务有限公司,91000000DEMNDEMN81,电信,贵州省,客服,4006660010,cmcc-52,营业执照,2025/3/1,",
		"4006660020,静线样例卯呼叫服务有限公司,91000000DEMNDEMN81,电信,天上,客服,,ctcc-52,营业执照,2025/3/1,",
	}, "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	load := ledgerLoadCmd{remote: m.remote, Format: "voice-lines", As: "OPERATOR@ctcc-52", Out: out, Apply: true, File: file}
	if err := load.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n2,new,", "\n3,conflict,", "\n4,rejected,", "谁接入谁负责"} {
		if !strings.Contains(string(report), want) {
			t.Errorf("the report has no %q:\n%s", want, report)
		}
	}
	changes := ledgerChangesCmd{remote: m.remote, Month: time.Now().In(calendar.Shanghai).Format("2006-01"), Format: "ledger", As: "OPERATOR@ctcc-52", Out: book}
	if err := changes.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := ledgerLoadCmd{remote: m.remote, Format: "ledger", As: "OPERATOR@ctcc-52", File: book}
	if err := again.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	ledger := ledgerv1.NewLedgerServiceClient(m.as(t, "OPERATOR@ctcc-52"))
	list, err := ledger.ListLoads(t.Context(), &ledgerv1.ListLoadsRequest{})
	if err != nil || len(list.GetLoads()) != 2 {
		t.Fatalf("%v %v", list, err)
	}
	if c := list.GetLoads()[0].GetCounts(); c.GetUnchanged() != 1 || c.GetRows() != 1 {
		t.Errorf("the month's changes: %v", c)
	}
	held, err := ledger.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "4006660005"})
	if err != nil || held.GetResource().GetHolder().GetName() != "静线样例卯呼叫服务有限公司" {
		t.Errorf("%v %v", held, err)
	}
}
