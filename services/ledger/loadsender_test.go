package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "quietline/proto/quietline/access/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// TestAnOperatorsFileLeavesThePast: what a complaint of last week would show stays as it was, whatever the file says.
func TestAnOperatorsFileLeavesThePast(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	day := func(n int) string { return now.AddDate(0, 0, n).In(shanghai).Format(time.DateOnly) }
	l := w.loaded(ctx, t, loadHead+"\n"+line("4008000001", "甲", "91000000DEMNDEMN01", "cmcc-11"), "", now.AddDate(0, -6, 0))
	if _, err := w.apply(ctx, l, false); err != nil {
		t.Fatal(err)
	}
	began := now.AddDate(0, -6, 0).In(shanghai).Format("2006-01-02 15:04:05.999999")
	operator := as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk")
	row := func(number, callers, from, to string) string {
		return fmt.Sprintf("全国,%s,,甲,91000000DEMNDEMN01,,retail,11,客户服务,%s,cmcc-11,%s,%s,核配文件,营业执照", number, callers, from, to)
	}
	atCall := func() string {
		resp, err := w.worker.WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: "4008000001", At: timestamppb.New(now.AddDate(0, 0, -3))})
		if err != nil {
			return "nobody"
		}
		return strings.Join(resp.GetResource().GetPermittedCallers(), " ")
	}
	for name, said := range map[string]string{
		"callers since last week": row("4008000001", "95012345", day(-7), ""),
		"callers from the start":  row("4008000001", "95012345", began, ""),
		"an end before the call":  row("4008000001", "4008000001", "", day(-10)),
		"another beginning":       row("4008000001", "4008000001", day(-400), ""),
	} {
		l := w.loaded(operator, t, loadHead+"\n"+said, "", now.AddDate(0, 0, -20))
		if c := l.GetCounts(); c.GetConflict() != 1 {
			t.Errorf("%s: %v\n%s", name, c, w.report(operator, t, l))
		}
		if _, err := w.apply(operator, l, false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := atCall(); got != "4008000001" {
			t.Errorf("%s: at the call %s", name, got)
		}
	}
	// what nobody has on record takes nothing away
	l = w.loaded(operator, t, loadHead+"\n"+row("4008000002", "", day(-30), ""), "", now)
	if l.GetCounts().GetNew() != 1 {
		t.Errorf("a line of last month: %s", w.report(operator, t, l))
	}
	// a registrar corrects the past
	l = w.loaded(ctx, t, loadHead+"\n"+row("4008000001", "95012346", day(-7), ""), "", now)
	if l.GetCounts().GetChanged() != 1 {
		t.Errorf("%s", w.report(ctx, t, l))
	}
	// a file of thirty days ago holds from now: before nothing is different
	l = w.loaded(operator, t, loadHead+"\n"+row("4008000001", "95012345", "", ""), "", now.AddDate(0, 0, -30))
	if _, err := w.apply(operator, l, false); err != nil || l.GetCounts().GetChanged() != 1 {
		t.Fatalf("%v\n%s", err, w.report(operator, t, l))
	}
	if got := atCall(); got != "4008000001" {
		t.Errorf("at the call %s", got)
	}
	noViolations(t, w)
}

// TestAnOperatorNeitherAllocatesCodesNorApproves: codes come from the administration, and so does an approval.
func TestAnOperatorNeitherAllocatesCodesNorApproves(t *testing.T) {
	w := newWorld(t)
	w.lists.set("91000000DEMNDEMN01", "bad", false)
	ctx := t.Context()
	operator := as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk")
	head := loadHead + ",从严审批文件,从严审批理由"
	row := func(scheme, number, code string) string {
		return strings.Replace(line(number, "甲"+code, code, "cmcc-11"), "全国", scheme, 1) + ",自己写的文件,我们觉得可以"
	}
	for _, tt := range [][3]string{
		{"全国", "95588", "91000000DEMNDEMN02"}, {"全国", "95013", "91000000DEMNDEMN03"}, {"全国", "95201234", "91000000DEMNDEMN04"},
		{"0871", "96533", "91000000DEMNDEMN05"}, {"全国", "10100000", "91000000DEMNDEMN06"}, {"全国", "12345", "91000000DEMNDEMN07"},
		{"全国", "4008000001", "91000000DEMNDEMN01"},
	} {
		l := w.loaded(operator, t, head+"\n"+row(tt[0], tt[1], tt[2]), "", time.Now())
		if l.GetCounts().GetConflict() != 1 {
			t.Errorf("%s: %v\n%s", tt[1], l.GetCounts(), w.report(operator, t, l))
		}
	}
	// a registrar's file carries the approval
	l := w.loaded(ctx, t, head+"\n"+row("全国", "4008000001", "91000000DEMNDEMN01"), "", time.Now())
	if l.GetCounts().GetNew() != 1 {
		t.Errorf("%v\n%s", l.GetCounts(), w.report(ctx, t, l))
	}
}

// TestARowThatEndsBeforeItBegins is a conflict of its own and costs the other rows nothing.
func TestARowThatEndsBeforeItBegins(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	a := line("4008000001", "甲", "91000000DEMNDEMN01", "cmcc-11")
	l := w.loaded(ctx, t, loadHead+"\n"+a, "", now.AddDate(-1, 0, 0))
	if _, err := w.apply(ctx, l, false); err != nil {
		t.Fatal(err)
	}
	f := strings.Split(a, ",")
	f[9], f[12] = "4008000002", now.AddDate(0, 0, -7).Format(time.DateOnly)
	for agency, who := range map[string]accessv1.Role{"cmcc-11": accessv1.Role_ROLE_OPERATOR, "ca-11": accessv1.Role_ROLE_REGISTRAR} {
		by := as(ctx, who, agency, "desk")
		l = w.loaded(by, t, strings.Join([]string{loadHead, strings.Join(f, ","), line("4008000009", "甲", "91000000DEMNDEMN01", "cmcc-11")}, "\n"), "", now)
		if c := l.GetCounts(); c.GetConflict() != 1 || c.GetNew() != 1 {
			t.Errorf("%v\n%s", c, w.report(by, t, l))
		}
	}
}

// TestWhoHasNoCodeIsOnNoList: a number with an enterprise behind it, and a line for calls out, wants its credit code.
func TestWhoHasNoCodeIsOnNoList(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	landline := strings.Replace(line("85000001", "失信公司", "", "cmcc-11"), "全国", "010", 1)
	landline = strings.Replace(landline, "客户服务,85000001", "客户服务,", 1)
	file := []string{loadHead,
		line("4008000001", "失信公司", "", "cmcc-11"), line("95013", "失信公司", "", "cmcc-11"), line("10100000", "失信公司", "", "cmcc-11"),
		strings.Replace(strings.Replace(landline, "85000001", "85000002", 1), "客户服务", "营销外呼", 1), landline}
	l := w.loaded(ctx, t, strings.Join(file, "\n"), "", time.Now())
	if c := l.GetCounts(); c.GetConflict() != 4 || c.GetNew() != 1 {
		t.Errorf("%v\n%s", c, w.report(ctx, t, l))
	}
}
