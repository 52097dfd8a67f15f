package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	"quietline/internal/table"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

var golden = flag.Bool("golden", false, "write what comes out as the golden files")

// as acts as somebody else through the gateway.
func as(ctx context.Context, role accessv1.Role, agency, subject string) context.Context {
	return identity.WithActor(ctx, &commonv1.Actor{Subject: subject, AgencyId: agency, Roles: []accessv1.Role{role}})
}

func holderOf(ctx context.Context, creditCode string) context.Context {
	return identity.WithActor(ctx, &commonv1.Actor{Subject: "firm", Roles: []accessv1.Role{accessv1.Role_ROLE_PARTY}, Party: creditCode})
}

const loadHead = "号码方案,起始号码,结束号码,使用主体,统一社会信用代码,许可证,行业,接入省份,资源用途,允许传送的主叫号码,接入企业,生效时间,失效时间,批准文件,资质审查材料"

// loaded stages a file and compares it.
func (w *world) loaded(ctx context.Context, t *testing.T, file string, operator string, asOf time.Time) *ledgerv1.Load {
	t.Helper()
	sum := sha256.Sum256([]byte(file))
	var load *ledgerv1.Load
	var rows []*ledgerv1.LoadRow
	for raw, err := range table.Rows(strings.NewReader(file), ',') {
		if err != nil {
			t.Fatal(err)
		}
		if load != nil {
			rows = append(rows, &ledgerv1.LoadRow{Line: int32(raw.Line), Raw: raw.Raw})
			continue
		}
		resp, err := w.registrar.LoadLedger(ctx, &ledgerv1.LoadLedgerRequest{
			RequestId: uuid.NewString(), Format: "ledger", Header: raw.Raw, FileName: "样例.csv", FileSha256: hex.EncodeToString(sum[:]),
			AccessOperatorId: operator, AsOf: timestamppb.New(asOf),
		})
		if err != nil {
			t.Fatal(err)
		}
		load = resp.GetLoad()
	}
	if _, err := w.registrar.AddLoadRows(ctx, &ledgerv1.AddLoadRowsRequest{RequestId: uuid.NewString(), LoadId: load.GetLoadId(), Rows: rows}); err != nil {
		t.Fatal(err)
	}
	return w.compared(ctx, t, load.GetLoadId())
}

func (w *world) compared(ctx context.Context, t *testing.T, id string) *ledgerv1.Load {
	t.Helper()
	resp, err := w.registrar.CompareLoad(ctx, &ledgerv1.CompareLoadRequest{RequestId: uuid.NewString(), LoadId: id})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetLoad()
}

func (w *world) apply(ctx context.Context, l *ledgerv1.Load, endMissing bool) (*ledgerv1.Load, error) {
	reason := ""
	if endMissing {
		reason = "企业台账中已不存在"
	}
	resp, err := w.registrar.ApplyLoad(ctx, &ledgerv1.ApplyLoadRequest{
		RequestId: uuid.NewString(), LoadId: l.GetLoadId(), Version: l.GetVersion(), EndMissing: endMissing, Reason: reason,
	})
	return resp.GetLoad(), err
}

// report writes the differences as people would read them.
func (w *world) report(ctx context.Context, t *testing.T, l *ledgerv1.Load) string {
	t.Helper()
	var b strings.Builder
	req := &ledgerv1.GetLoadDifferenceRequest{LoadId: l.GetLoadId(), PageSize: 3}
	for {
		resp, err := w.registrar.GetLoadDifference(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range resp.GetDifferences() {
			fmt.Fprintf(&b, "%2d %-8s %s-%s", d.GetLine(), d.GetFate(), d.GetFirstNumber(), d.GetLastNumber())
			if d.GetEffectTime() != nil {
				fmt.Fprintf(&b, " from %s", d.GetEffectTime().AsTime().In(shanghai).Format(time.DateOnly))
			}
			if d.GetReason() != "" {
				fmt.Fprintf(&b, " [%s] %s", d.GetField(), d.GetReason())
			}
			b.WriteString("\n")
			for _, c := range d.GetChanges() {
				fmt.Fprintf(&b, "      %s: %q -> %q\n", c.GetField(), c.GetOldValue(), c.GetNewValue())
			}
		}
		if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
			return b.String()
		}
	}
}

func (w *world) held(ctx context.Context, t *testing.T, number string) string {
	t.Helper()
	resp, err := w.worker.WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: number})
	if err != nil {
		return "nobody"
	}
	r := resp.GetResource()
	return strings.Join([]string{r.GetHolder().GetName(), r.GetPurpose(), strings.Join(r.GetPermittedCallers(), " "), r.GetAccessOperatorId(), r.GetAccessProvince()}, "|")
}

// ledgerOfMonth is what the tests begin with: allocated in the year before.
var ledgerOfMonth = strings.Join([]string{loadHead,
	"全国,4008000000,4008000099,静线样例甲信息咨询有限公司,91000000DEMNDEMN01,B2-1,loans,北京,客户服务,4008000001,cmcc-11,2025-03-01,,核配〔2025〕1号,营业执照",
	"全国,4008000100,,静线样例乙网络科技有限公司,91000000DEMNDEMN02,,telecom,北京,客户服务,4008000100,cmcc-11,2025-03-01,,核配〔2025〕2号,营业执照",
	"全国,4008000200,,静线样例丙房产经纪有限公司,91000000DEMNDEMN03,,real_estate,11,呼入,,cmcc-11,2025-03-01,,核配〔2025〕3号,营业执照",
	"全国,4008000300,,静线样例丁教育咨询有限公司,91000000DEMNDEMN04,,education,11,客户服务,4008000300,cmcc-11,2025-03-01,,核配〔2025〕4号,营业执照",
	"010,85000400,85000409,静线样例戊商务服务有限公司,,,housekeeping,11,客户服务,01085000400,cmcc-11,2025-03-01,,核配〔2025〕5号,营业执照",
	"全国,4008000500,,静线样例己百货有限公司,91000000DEMNDEMN06,,retail,11,客户服务,4008000500,cmcc-11,2025-03-01,,核配〔2025〕6号,营业执照",
	"全国,4009000000,,静线样例庚保险代理有限公司,91000000DEMNDEMN07,,insurance,11,客户服务,4009000000,ctcc-11,2025-03-01,,核配〔2025〕7号,营业执照",
}, "\n") + "\n"

// newMonth is the operator's file of the next month: something of everything.
var newMonth = strings.Join([]string{loadHead,
	"全国,4008000000,4008000099,静线样例甲信息咨询有限公司,91000000DEMNDEMN01,B2-1,loans,北京,客户服务,4008000001,cmcc-11,2025-03-01,,核配〔2025〕1号,",     // unchanged
	"全国,4008000100,,静线样例乙网络科技有限公司,91000000DEMNDEMN02,,telecom,北京,客户服务,4008000100、95012345,cmcc-11,,,核配〔2025〕2号,",                  // another caller
	"全国,4008000200,,静线样例丙房产经纪有限公司,91000000DEMNDEMN03,,real_estate,11,经同意外呼,,cmcc-11,2025-03-01,,,",                                // purpose
	"全国,4008000300,,静线样例丁教育咨询有限公司,91000000DEMNDEMN04,,education,11,客户服务,4008000300,cmcc-11,2025-03-01,2026-11-20,核配〔2025〕4号,",     // ends
	"全国,4008000600,4008000699,静线样例辛旅行社有限公司,91000000DEMNDEMN08,,travel,11,客户服务,4008000600,cmcc-11,2026-11-10,,核配〔2026〕8号,营业执照、承诺书", // new
	"全国,4008000650,,静线样例辛旅行社有限公司,91000000DEMNDEMN08,,travel,11,客户服务,4008000650,cmcc-11,2026-11-11,,核配〔2026〕9号,",                   // overlaps the line before
	"全国,4009000000,,静线样例辛旅行社有限公司,91000000DEMNDEMN08,,travel,11,客户服务,,cmcc-11,2026-11-11,,核配〔2026〕9号,",                             // of another operator
	"全国,4008000700,,静线样例壬商贸有限公司,91000000DEMNDEMN09,,retail,11,客户服务,,cmcc-11,2026-11-11,,核配〔2026〕10号,",                             // a new user without vetting
	"全国,4008000800,,静线样例癸咨询有限公司,91000000DEMNDEMN10,,loans,11,客户服务,,cmcc-11,2026-11-11,,核配〔2026〕11号,营业执照",                          // on the dishonest list
	"全国,13800000000,,静线样例甲信息咨询有限公司,91000000DEMNDEMN01,,loans,11,经同意外呼,,cmcc-11,2026-11-11,,核配〔2026〕12号,",                          // a subscriber number for calls out
	"全国,4008000900,,静线样例子信息有限公司,123,,loans,11,客户服务,,cmcc-11,2026-11-11,,核配〔2026〕13号,营业执照",                                         // no credit code
	"全国,40080009a0,,静线样例甲信息咨询有限公司,91000000DEMNDEMN01,,loans,11,客户服务,,cmcc-11,2026-11-11,,核配〔2026〕14号,",                            // no number
	"全国,4008000950,,静线样例甲信息咨询有限公司,91000000DEMNDEMN01,,loans,11,客户服务,,ctcc-11,2026-11-11,,核配〔2026〕15号,",                            // another's access
	"010,85000400,85000409,静线样例戊商务服务有限公司,,,housekeeping,11,客户服务,01085000400,cmcc-11,2025-03-01,,核配〔2025〕5号,",                      // unchanged, without a code
	"全国,4008000500,,静线样例丑百货有限公司,91000000DEMNDEMN11,,retail,11,客户服务,4008000500,cmcc-11,2026-11-15,,核配〔2025〕6号,营业执照",                // another holder
}, "\n") + "\n"

func TestDifferenceReport(t *testing.T) {
	now := time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)
	w := newWorldAt(t, func() time.Time { return now })
	w.lists.set("91000000DEMNDEMN10", "dishonest", false)
	ctx := t.Context()
	l := w.loaded(ctx, t, ledgerOfMonth, "", now)
	if c := l.GetCounts(); c.GetNew() != 7 || c.GetRows() != 7 {
		t.Fatalf("%v\n%s", c, w.report(ctx, t, l))
	}
	if _, err := w.apply(ctx, l, false); err != nil {
		t.Fatal(err)
	}
	operator := as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk")
	l = w.loaded(operator, t, newMonth, "", now)
	got := w.report(operator, t, l) + fmt.Sprintf("%v\n", l.GetCounts())
	got = strings.ReplaceAll(got, "\u00a0", " ")
	compareGolden(t, "difference.txt", strings.Join(strings.Fields(strings.ReplaceAll(got, "\n", " ⏎ ")), " "))
	if state := w.held(ctx, t, "4008000600"); state != "nobody" {
		t.Errorf("the report wrote something: %s", state)
	}
	applied, err := w.apply(operator, l, false)
	if err != nil || applied.GetState() != loadApplied {
		t.Fatalf("%v %v", applied, err)
	}
	now = time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC)
	for number, want := range map[string]string{
		"4008000600": "静线样例辛旅行社有限公司|customer_service|4008000600|cmcc-11|11",
		"4008000100": "静线样例乙网络科技有限公司|customer_service|4008000100 95012345|cmcc-11|11",
		"4008000200": "静线样例丙房产经纪有限公司|inbound||cmcc-11|11",
		"4008000300": "nobody", "4008000700": "nobody", "4008000800": "nobody", "13800000000": "nobody",
		"4008000500": "静线样例己百货有限公司|customer_service|4008000500|cmcc-11|11",
		"4009000000": "静线样例庚保险代理有限公司|customer_service|4009000000|ctcc-11|11",
	} {
		if got := w.held(ctx, t, number); got != want {
			t.Errorf("%s: %s, want %s", number, got, want)
		}
	}
	// the same file again changes nothing
	l = w.loaded(operator, t, newMonth, "", now.Add(time.Minute))
	if c := l.GetCounts(); c.GetNew()+c.GetChanged() != 0 || c.GetUnchanged() != 5 {
		t.Errorf("again: %v\n%s", c, w.report(operator, t, l))
	}
	noViolations(t, w)
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, " ⏎ ", "\n")
	path := filepath.Join("testdata", name)
	if *golden {
		if err := os.MkdirAll("testdata", 0o755); err != nil { //nolint:gosec // test data is for everybody
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil { //nolint:gosec // as above
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.TrimSpace(string(want)), strings.TrimSpace(got)); d != "" {
		t.Error(d)
	}
}

func noViolations(t *testing.T, w *world) {
	t.Helper()
	audit, err := w.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "violations"})
	if err != nil || len(audit.GetViolations()) > 0 {
		t.Errorf("audit: %v %v", audit, err)
	}
}
