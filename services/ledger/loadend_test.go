package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// big stages many rows and compares them.
func (w *world) big(ctx context.Context, t *testing.T, lines []string) *ledgerv1.Load {
	t.Helper()
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	resp, err := w.registrar.LoadLedger(ctx, &ledgerv1.LoadLedgerRequest{
		RequestId: uuid.NewString(), Format: "ledger", Header: []byte(lines[0]), FileName: "样例.csv", FileSha256: hex.EncodeToString(sum[:]),
	})
	if err != nil {
		t.Fatal(err)
	}
	for from := 1; from < len(lines); from += 1000 {
		req := &ledgerv1.AddLoadRowsRequest{RequestId: uuid.NewString(), LoadId: resp.GetLoad().GetLoadId()}
		for i := from; i < min(from+1000, len(lines)); i++ {
			req.Rows = append(req.Rows, &ledgerv1.LoadRow{Line: int32(i + 1), Raw: []byte(lines[i])})
		}
		if _, err := w.registrar.AddLoadRows(ctx, req); err != nil {
			t.Fatal(err)
		}
	}
	return w.compared(ctx, t, resp.GetLoad().GetLoadId())
}

// TestALoadEndsMoreThanTheLockTableHolds: as many ends as one likes take a few locks.
func TestALoadEndsMoreThanTheLockTableHolds(t *testing.T) {
	w := newWorld(t)
	bounded, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	ctx := as(bounded, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "desk")
	const n = 20000
	rows := []string{loadHead}
	for i := range n {
		rows = append(rows, line(fmt.Sprintf("400%07d", i), "静线样例", "91000000DEMNDEMN01", "cmcc-11"))
	}
	if _, err := w.apply(ctx, w.big(ctx, t, rows), false); err != nil {
		t.Fatal(err)
	}
	l := w.big(ctx, t, []string{loadHead, line("4009999999", "静线样例", "91000000DEMNDEMN01", "cmcc-11")})
	if l.GetCounts().GetMissing() != n {
		t.Fatalf("%v", l.GetCounts())
	}
	begun := time.Now()
	if _, err := w.apply(ctx, l, true); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d ended in %v", n, time.Since(begun).Round(time.Millisecond))
	if got := w.held(t.Context(), t, "4000000007"); got != "nobody" {
		t.Errorf("still held: %s", got)
	}
	noViolations(t, w)
}

// TestALoadEndsWhatHangs: an end by a row or by silence, and an allocation made shorter, leave nothing hanging.
func TestALoadEndsWhatHangs(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *world, string){
		"by a row": func(t *testing.T, w *world, code string) {
			soon := time.Now().AddDate(0, 0, 1).Format(time.DateOnly)
			w.loadAndApply(t, "全国,95202101,,静线样例甲公司,"+code+",,loans,11,呼入,95202101,cmcc,,"+soon+",test approval,", "", false)
		},
		"made shorter with another caller": func(t *testing.T, w *world, code string) {
			later := time.Now().AddDate(0, 6, 0).Format(time.DateOnly)
			w.loadAndApply(t, "全国,95202101,,静线样例甲公司,"+code+",,loans,11,呼入,95202102,cmcc,,"+later+",新文件,", "", false)
		},
		"by silence": func(t *testing.T, w *world, _ string) {
			w.loadAndApply(t, line("4008000001", "乙", "91000000DEMNDEMN02", "cmcc"), "cmcc", true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r, hs := w.code(t)
			end(t, w, hs[0].GetCreditCode())
			for _, table := range []string{"sublet", "access", "contract", "seat_line"} {
				var open int
				if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" WHERE resource_id = $1 AND known_to IS NULL AND valid_to IS NULL", r.GetResourceId()).Scan(&open); err != nil || open > 0 {
					t.Errorf("%s: %d go on, %v", table, open, err)
				}
			}
			noViolations(t, w)
		})
	}
}

func (w *world) loadAndApply(t *testing.T, row, operator string, endMissing bool) {
	t.Helper()
	ctx := as(t.Context(), accessv1.Role_ROLE_REGISTRAR, "miit", "reg")
	l := w.loaded(ctx, t, loadHead+"\n"+row, operator, time.Now())
	if l.GetCounts().GetConflict()+l.GetCounts().GetRejected() > 0 || endMissing && l.GetCounts().GetMissing() == 0 {
		t.Fatalf("%v\n%s", l.GetCounts(), w.report(ctx, t, l))
	}
	if _, err := w.apply(ctx, l, endMissing); err != nil {
		t.Fatal(err)
	}
}

// TestAFirmWhoseVettedRowFellOut is judged again without it.
func TestAFirmWhoseVettedRowFellOut(t *testing.T) {
	w := newWorld(t)
	old := w.holder(t, "老公司", "91110000000000000X")
	if _, err := w.allocate(t, func(q *ledgerv1.AllocateResourceRequest) {
		q.HolderId, q.FirstNumber, q.PermittedCallers = old.GetHolderId(), "4008000001", nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx := as(t.Context(), accessv1.Role_ROLE_OPERATOR, "cmcc-11", "desk")
	overlapping := strings.Replace(line("4008000001", "新公司", "91000000DEMNDEMN01", "cmcc-11"), "全国,4008000001,,", "全国,4008000000,4008000001,", 1)
	unvetted := func(number string) string {
		return strings.TrimSuffix(line(number, "新公司", "91000000DEMNDEMN01", "cmcc-11"), "营业执照")
	}
	file := []string{loadHead, overlapping, unvetted("4008000005"), line("4008000006", "新公司", "91000000DEMNDEMN01", "cmcc-11"), unvetted("4008000007")}
	for want, rows := range map[int64][]string{0: file[:3], 2: file} {
		l := w.loaded(ctx, t, strings.Join(rows, "\n"), "", time.Now())
		if c := l.GetCounts(); c.GetConflict() != 2 || c.GetNew() != want {
			t.Errorf("%v\n%s", c, w.report(ctx, t, l))
		}
	}
}

// TestAFirmListedSinceTheReport gets nothing by it, and nobody does while the lists cannot be asked.
func TestAFirmListedSinceTheReport(t *testing.T) {
	w := newWorld(t)
	ctx := as(t.Context(), accessv1.Role_ROLE_OPERATOR, "cmcc-11", "desk")
	l := w.loaded(ctx, t, loadHead+"\n"+line("4008000001", "公司", "91000000DEMNDEMN01", "cmcc-11"), "", time.Now())
	w.lists.set("91000000DEMNDEMN01", "dishonest", true)
	_, err := w.apply(ctx, l, false)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE)
	w.lists.set("91000000DEMNDEMN01", "dishonest", false)
	_, err = w.apply(ctx, l, false)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	if got := w.held(t.Context(), t, "4008000001"); got != "nobody" {
		t.Error(got)
	}
	l = w.compared(ctx, t, l.GetLoadId())
	if l.GetCounts().GetConflict() != 1 {
		t.Errorf("%v", l.GetCounts())
	}
	w.lists.set("91000000DEMNDEMN01", "", false)
	if _, err := w.apply(ctx, w.compared(ctx, t, l.GetLoadId()), false); err != nil {
		t.Error(err)
	}
}
