package ledger

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"

	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

func line(number, holder, code, operator string, rest ...string) string {
	cells := append([]string{"全国", number, "", holder, code, "", "retail", "11", "客户服务", number, operator}, rest...)
	for len(cells) < 15 {
		cells = append(cells, "")
	}
	if len(rest) == 0 {
		cells[13], cells[14] = "核配文件", "营业执照"
	}
	return strings.Join(cells, ",")
}

func TestApplyOnlyWhatTheReportShowed(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	operator := as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk")
	file := strings.Join([]string{loadHead, line("4008000100", "甲", "91000000DEMNDEMN01", "cmcc-11"), line("4008000200", "乙", "91000000DEMNDEMN02", "cmcc-11")}, "\n")
	l := w.loaded(operator, t, file, "", now)

	// the ledger moves: somebody else gets one of the numbers
	r, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
		r.HolderId, r.FirstNumber = w.holder(t, "丙", "91000000DEMNDEMN03").GetHolderId(), "4008000200"
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.apply(operator, l, false)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	if got := w.held(ctx, t, "4008000100"); got != "nobody" {
		t.Errorf("a part was applied: %s", got)
	}
	stale := l.GetVersion()
	if l = w.compared(operator, t, l.GetLoadId()); l.GetCounts().GetNew() != 1 || l.GetCounts().GetConflict() != 1 {
		t.Fatalf("%v\n%s", l.GetCounts(), w.report(operator, t, l))
	}
	_, err = w.registrar.ApplyLoad(operator, &ledgerv1.ApplyLoadRequest{RequestId: uuid.NewString(), LoadId: l.GetLoadId(), Version: stale})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	first, err := w.apply(operator, l, false)
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.apply(operator, l, false) // applied twice is applied once
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, second, protocmp.Transform()); d != "" {
		t.Error(d)
	}
	if got := w.held(ctx, t, "4008000200"); !strings.HasPrefix(got, "丙|") {
		t.Errorf("%s: %s", r.GetFirstNumber(), got)
	}
	noViolations(t, w)
}

func TestSentTwiceRepairedAndDiscarded(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	operator := as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk")
	file := strings.Join([]string{loadHead, line("4008000100", "甲", "9100", "cmcc-11")}, "\n")
	l := w.loaded(operator, t, file, "", now)
	again := w.loaded(operator, t, file, "", now)
	if l.GetLoadId() != again.GetLoadId() || again.GetCounts().GetRows() != 1 || again.GetCounts().GetRejected() != 1 {
		t.Fatalf("%v, %v", l, again)
	}
	repaired, err := w.registrar.AddLoadRows(operator, &ledgerv1.AddLoadRowsRequest{RequestId: uuid.NewString(), LoadId: l.GetLoadId(), Rows: []*ledgerv1.LoadRow{
		{Line: 2, Raw: []byte(line("4008000100", "甲", "91000000DEMNDEMN01", "cmcc-11"))},
	}})
	if err != nil || repaired.GetStaged() != 1 || len(repaired.GetRejected()) != 0 {
		t.Fatalf("%v %v", repaired, err)
	}
	_, err = w.apply(operator, again, false) // the report is not that of the file any more
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	if c := w.compared(operator, t, l.GetLoadId()).GetCounts(); c.GetNew() != 1 || c.GetRows() != 1 {
		t.Errorf("%v", c)
	}
	// another operator does not see it, and loads no part of the ledger but its own
	other := as(ctx, accessv1.Role_ROLE_OPERATOR, "ctcc-11", "line-desk")
	_, err = w.registrar.GetLoad(other, &ledgerv1.GetLoadRequest{LoadId: l.GetLoadId()})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = w.registrar.CompareLoad(other, &ledgerv1.CompareLoadRequest{RequestId: uuid.NewString(), LoadId: l.GetLoadId()})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = w.registrar.LoadLedger(other, &ledgerv1.LoadLedgerRequest{
		RequestId: uuid.NewString(), Format: "ledger", Header: []byte(loadHead), FileSha256: l.GetFileSha256(), AccessOperatorId: "cmcc-11",
	})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)

	gone, err := w.registrar.DiscardLoad(operator, &ledgerv1.DiscardLoadRequest{RequestId: uuid.NewString(), LoadId: l.GetLoadId()})
	if err != nil || gone.GetLoad().GetState() != loadDiscarded || gone.GetLoad().GetCounts().GetRows() != 0 {
		t.Fatalf("%v %v", gone, err)
	}
	_, err = w.registrar.CompareLoad(operator, &ledgerv1.CompareLoadRequest{RequestId: uuid.NewString(), LoadId: l.GetLoadId()})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	if fresh := w.loaded(operator, t, file, "", now); fresh.GetLoadId() == l.GetLoadId() {
		t.Error("a discarded load came back")
	}
	list, err := w.registrar.ListLoads(operator, &ledgerv1.ListLoadsRequest{PageSize: 1})
	if err != nil || len(list.GetLoads()) != 1 || list.GetNextPageToken() == "" {
		t.Errorf("%v %v", list, err)
	}
}

func TestMissingResourcesEndOnlyWhenAsked(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	operator := as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk")
	both := []string{loadHead, line("4008000100", "甲", "91000000DEMNDEMN01", "cmcc-11"), line("4008000200", "乙", "91000000DEMNDEMN02", "cmcc-11")}
	l := w.loaded(operator, t, strings.Join(both, "\n"), "", now.Add(-time.Hour))
	if _, err := w.apply(operator, l, false); err != nil {
		t.Fatal(err)
	}
	for _, end := range []bool{false, true} {
		l = w.loaded(operator, t, strings.Join(both[:2], "\n"), "", now)
		if c := l.GetCounts(); c.GetMissing() != 1 || c.GetUnchanged() != 1 {
			t.Fatalf("%v\n%s", c, w.report(operator, t, l))
		}
		_, err := w.registrar.ApplyLoad(operator, &ledgerv1.ApplyLoadRequest{RequestId: uuid.NewString(), LoadId: l.GetLoadId(), Version: l.GetVersion(), EndMissing: true})
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
		if _, err := w.apply(operator, l, end); err != nil {
			t.Fatal(err)
		}
		if got := w.held(ctx, t, "4008000200"); (got == "nobody") != end {
			t.Errorf("asked %v: %s", end, got)
		}
	}
	noViolations(t, w)
}

// TestABranchDoesNotSpeakForItsHeadOffice: what the head office gives access to is not missing from a branch's file, and a
// branch cannot load it; the head office speaks for its branches.
func TestABranchDoesNotSpeakForItsHeadOffice(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	l := w.loaded(ctx, t, strings.Join([]string{loadHead, line("4008000100", "甲", "91000000DEMNDEMN01", "cmcc"), line("4008000200", "乙", "91000000DEMNDEMN02", "cmcc-11")}, "\n"), "", now.Add(-time.Hour))
	if _, err := w.apply(ctx, l, false); err != nil {
		t.Fatal(err)
	}
	branch, head := as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk"), as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc", "line-desk")
	l = w.loaded(branch, t, strings.Join([]string{loadHead, line("4008000300", "丙", "91000000DEMNDEMN03", "cmcc")}, "\n"), "", now)
	if c := l.GetCounts(); c.GetMissing() != 1 || c.GetConflict() != 1 {
		t.Errorf("branch: %v\n%s", c, w.report(branch, t, l))
	}
	l = w.loaded(head, t, strings.Join([]string{loadHead, line("4008000300", "丙", "91000000DEMNDEMN03", "cmcc-44")}, "\n"), "", now)
	if c := l.GetCounts(); c.GetMissing() != 2 || c.GetNew() != 1 {
		t.Errorf("head office: %v\n%s", c, w.report(head, t, l))
	}
}

func TestOnlyARegistrarsDocumentChangesPurposeOrHolder(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	l := w.loaded(ctx, t, strings.Join([]string{loadHead, line("4008000100", "甲", "91000000DEMNDEMN01", "cmcc-11"), line("4008000200", "乙", "91000000DEMNDEMN02", "cmcc-11")}, "\n"), "", now.Add(-48*time.Hour))
	if _, err := w.apply(ctx, l, false); err != nil {
		t.Fatal(err)
	}
	purpose := strings.Replace(line("4008000100", "甲", "91000000DEMNDEMN01", "cmcc-11", "", "", "变更决定〔2026〕3号"), "客户服务", "呼入", 1)
	holder := line("4008000200", "丙", "91000000DEMNDEMN03", "cmcc-11", "", "", "过户批准〔2026〕4号", "营业执照")
	file := strings.Join([]string{loadHead, purpose, holder}, "\n")
	operator := as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk")
	if c := w.loaded(operator, t, file, "", now).GetCounts(); c.GetConflict() != 2 {
		t.Errorf("by the operator: %v", c)
	}
	l = w.loaded(ctx, t, file, "", now.Add(-time.Minute))
	if c := l.GetCounts(); c.GetChanged() != 2 {
		t.Fatalf("%v\n%s", c, w.report(ctx, t, l))
	}
	if _, err := w.apply(ctx, l, false); err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]string{"4008000100": "甲|inbound|", "4008000200": "丙|customer_service|"} {
		if got := w.held(ctx, t, number); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", number, got)
		}
	}
	// before the change nothing is different
	resp, err := w.worker.WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: "4008000200", At: timeProto(new(now.Add(-24 * time.Hour)))})
	if err != nil || resp.GetResource().GetHolder().GetName() != "乙" {
		t.Errorf("%v %v", resp, err)
	}
	noViolations(t, w)
}

// TestLargeLoad shows what a file of many rows costs: QUIETLINE_LARGE_LOAD=100000 go test -run TestLargeLoad -v
func TestLargeLoad(t *testing.T) {
	n := 3000
	if text := os.Getenv("QUIETLINE_LARGE_LOAD"); text != "" {
		if _, err := fmt.Sscan(text, &n); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorld(t)
	bounded, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	ctx := as(bounded, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk")
	opened, err := w.registrar.LoadLedger(ctx, &ledgerv1.LoadLedgerRequest{
		RequestId: uuid.NewString(), Format: "ledger", Header: []byte(loadHead), FileSha256: strings.Repeat("0", 64),
	})
	if err != nil {
		t.Fatal(err)
	}
	id := opened.GetLoad().GetLoadId()
	begun := time.Now()
	for from := 0; from < n; from += 1000 {
		var rows []*ledgerv1.LoadRow
		for i := from; i < min(from+1000, n); i++ {
			firm := fmt.Sprintf("91000000DEMN%06d", i/20)
			rows = append(rows, &ledgerv1.LoadRow{Line: int32(i + 2), Raw: []byte(line(fmt.Sprintf("400%07d", i), "静线样例"+firm, firm, "cmcc-11"))})
		}
		if _, err := w.registrar.AddLoadRows(ctx, &ledgerv1.AddLoadRowsRequest{RequestId: uuid.NewString(), LoadId: id, Rows: rows}); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d rows staged in %v", n, time.Since(begun).Round(time.Millisecond))
	for _, want := range []string{"new", "unchanged"} {
		begun = time.Now()
		resp, err := w.registrar.CompareLoad(ctx, &ledgerv1.CompareLoadRequest{RequestId: uuid.NewString(), LoadId: id})
		if err != nil {
			t.Fatal(err)
		}
		l := resp.GetLoad()
		t.Logf("compared in %v: %v", time.Since(begun).Round(time.Millisecond), l.GetCounts())
		if c := l.GetCounts(); want == "new" && c.GetNew() != int64(n) || want == "unchanged" && c.GetUnchanged() != int64(n) {
			t.Fatalf("%v", c)
		}
		if want == "unchanged" {
			break
		}
		begun = time.Now()
		if _, err := w.apply(ctx, l, false); err != nil {
			t.Fatal(errs.Text(err))
		}
		t.Logf("applied in %v", time.Since(begun).Round(time.Millisecond))
		if _, err := w.db.Exec(t.Context(), "UPDATE load SET state = 'COMPARED', applied_at = NULL WHERE load_id = $1", id); err != nil {
			t.Fatal(err)
		}
	}
}
