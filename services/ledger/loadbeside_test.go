package ledger

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	accessv1 "quietline/proto/quietline/access/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

const (
	wideHead = "记录类型,起始号码,使用主体,统一社会信用代码,许可证,接入省份,资源用途,接入企业,经营方式,委托方信用代码,委托方名称,生效时间,失效时间,批准文件,资质审查材料," +
		"业务种类,业务覆盖范围,外呼承诺,合同编号,呼叫频次限制,频次单位,举报处置条款,拦截处置条款,转租承租方,承租方信用代码"
	callCentre = "号码,95012345,静线样例呼叫中心有限公司,91000000DEMNDEMN11,B2-11,北京,客户服务,cmcc-11,外包,91000000DEMNDEMN12,静线样例银行,2025-03-01,,核配〔2025〕1号,营业执照,,,,,,,,,,"
	itsLicence = "许可证,,静线样例呼叫中心有限公司,91000000DEMNDEMN11,B2-11,,,,,,,2024-01-01,,许可〔2024〕11号,,B24,全国,是,,,,,,,"
	subLicence = "许可证,,静线样例外包有限公司,91000000DEMNDEMN13,B2-13,,,,,,,2024-01-01,,,,B24,北京、天津,否,,,,,,,"
	contract   = "合同,95012345,,,,,,,,,,2025-03-01,,,,,,,HT-1,3,次/号码/日,接到举报三日内处置,关停,,"
	sublet     = "转租,95012345,,,,,客户服务,,,,,2025-06-01,,转租〔2025〕1号,,,,,,,,,,静线样例外包有限公司,91000000DEMNDEMN13"
	second     = "转租,95012345,,91000000DEMNDEMN13,,,客户服务,,,,,2025-07-01,,转租〔2025〕2号,,,,,,,,,,静线样例再租有限公司,91000000DEMNDEMN14"
	thirdsOwn  = "许可证,,静线样例再租有限公司,91000000DEMNDEMN14,B2-14,,,,,,,2024-01-01,,,,B24,全国,否,,,,,,,"
)

func wide(rows ...string) string { return wideHead + "\n" + strings.Join(rows, "\n") + "\n" }

// chainOf is what the ledger says of the code: its licence, contract, principal and who has it from whom.
func (w *world) chainOf(t *testing.T, at time.Time) string {
	t.Helper()
	h := w.asked(t, "95012345", at)
	out := []string{h.GetResource().GetHolder().GetName(), h.GetResource().GetPrincipal().GetName()}
	for _, l := range h.GetLicences() {
		out = append(out, l.GetNumber()+" "+strings.Join(l.GetKinds(), " ")+" "+strings.Join(l.GetProvinces(), " "))
	}
	for _, c := range h.GetContracts() {
		out = append(out, c.GetNumber()+" "+c.GetLimitUnit()+" "+strings.Repeat("|", int(c.GetCallLimit()))+" "+c.GetComplaintClauses())
	}
	for _, x := range h.GetSublets() {
		out = append(out, "→ "+x.GetLessee().GetName()+" "+x.GetDocument())
	}
	return strings.Join(out, "; ")
}

// TestAFileCarriesWhatHangsOnNumbers: one file brings a call centre with its licence, its code for a principal, its contract
// and a chain of sublets; a changed clause follows; a month's changes carry all of it to another ledger.
func TestAFileCarriesWhatHangsOnNumbers(t *testing.T) {
	w, there := newWorld(t), newWorld(t)
	ctx, now := t.Context(), time.Now()
	load := func(w *world, file string) (*ledgerv1.Load, string) {
		t.Helper()
		l := w.loaded(ctx, t, file, "", now)
		report := w.report(ctx, t, l)
		if _, err := w.apply(ctx, l, false); err != nil {
			t.Fatalf("%v\n%s", err, report)
		}
		return l, report
	}
	all := wide(second, sublet, contract, callCentre, itsLicence, subLicence, thirdsOwn) // in no order
	l, report := load(w, all)
	if c := l.GetCounts(); c.GetNew() != 7 {
		t.Fatalf("%v\n%s", c, report)
	}
	for _, words := range []string{`call_limit: "" -> "3"`, `licence_provinces: "" -> "11; 12"`, `complaint_clauses: "" -> "接到举报三日内处置"`} {
		if !strings.Contains(report, words) {
			t.Errorf("%q is not in the report\n%s", words, report)
		}
	}
	want := "静线样例呼叫中心有限公司; 静线样例银行; B2-11 B24 00; HT-1 per_number_day ||| 接到举报三日内处置; → 静线样例外包有限公司 转租〔2025〕1号; → 静线样例再租有限公司 转租〔2025〕2号"
	if got := w.chainOf(t, now); got != want {
		t.Errorf("%s", got)
	}
	if l, report := load(w, all+"\n"); l.GetCounts().GetUnchanged() != 7 {
		t.Errorf("sent again: %v\n%s", l.GetCounts(), report)
	}
	// a clause changes from yesterday on, and the chain ends
	day := func(days int) string { return now.AddDate(0, 0, days).In(shanghai).Format(time.DateOnly) }
	l, report = load(w, wide("合同,95012345,,,,,,,,,,"+day(-1)+",,,,,,,HT-1,5,,,,,",
		strings.Replace(second, "2025-07-01,", "2025-07-01,"+day(-1), 1)))
	if l.GetCounts().GetChanged() != 2 || !strings.Contains(report, `call_limit: "3" -> "5"`) {
		t.Fatalf("%v\n%s", l.GetCounts(), report)
	}
	want = strings.Replace(strings.Split(want, "; → 静线样例再租")[0], "|||", "|||||", 1)
	if got := w.chainOf(t, now); got != want {
		t.Errorf("%s", got)
	}
	if before := w.chainOf(t, now.AddDate(0, 0, -30)); !strings.Contains(before, " ||| ") || !strings.Contains(before, "再租") {
		t.Errorf("a month ago: %s", before)
	}
	if l, report = load(there, w.monthFile(t, now.In(shanghai).Format("2006-01"), 2)); l.GetCounts().GetConflict() > 0 || l.GetCounts().GetRejected() > 0 {
		t.Fatalf("%v\n%s", l.GetCounts(), report)
	}
	if got := there.chainOf(t, now); got != want {
		t.Errorf("carried over: %s", got)
	}
	noViolations(t, w)
	noViolations(t, there)
}

// TestRowsBesideSayWhyNot: what is refused says why; a repaired row goes through.
func TestRowsBesideSayWhyNot(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	l := w.loaded(ctx, t, wide(
		callCentre, // 2: no licence with it
		contract,   // 3: nothing is allocated then
		strings.Replace(itsLicence, "B24,全国", "B24,大西洋", 1),  // 4
		strings.Replace(contract, "3,次/号码/日", "三,次/号码/日", 1), // 5
		"合约"+strings.TrimPrefix(contract, "合同"),              // 6
		strings.Replace(contract, "HT-1", "", 1),             // 7
	), "", now)
	report := w.report(ctx, t, l)
	for _, words := range []string{
		" 2 conflict", "licence", " 3 conflict 95012345-95012345 [] the numbers are not allocated then",
		" 4 rejected - [业务覆盖范围] no province", " 5 rejected", "[呼叫频次限制]", "[记录类型] no kind of row", "[合同编号] empty",
	} {
		if !strings.Contains(report, words) {
			t.Errorf("%q is not in the report\n%s", words, report)
		}
	}
	_, err := w.registrar.AddLoadRows(ctx, &ledgerv1.AddLoadRowsRequest{RequestId: uuid.NewString(), LoadId: l.GetLoadId(), Rows: []*ledgerv1.LoadRow{{Line: 4, Raw: []byte(itsLicence)}}})
	if err != nil {
		t.Fatal(err)
	}
	l = w.compared(ctx, t, l.GetLoadId())
	if c := l.GetCounts(); c.GetNew() != 3 || c.GetRejected() != 3 {
		t.Fatalf("%v\n%s", c, w.report(ctx, t, l))
	}
	if _, err := w.apply(ctx, l, false); err != nil {
		t.Fatal(err)
	}
	if got := w.chainOf(t, now); !strings.Contains(got, "HT-1") || !strings.Contains(got, "B24 00") {
		t.Error(got)
	}
	noViolations(t, w)
}

// TestOperatorsStateTheirContracts: an operator's file carries its contracts, of now on; licences and sublets are a registrar's.
func TestOperatorsStateTheirContracts(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	l := w.loaded(ctx, t, wide(callCentre, itsLicence), "", now)
	if _, err := w.apply(ctx, l, false); err != nil {
		t.Fatalf("%v\n%s", err, w.report(ctx, t, l))
	}
	operator := as(ctx, accessv1.Role_ROLE_OPERATOR, "cmcc-11", "line-desk")
	l = w.loaded(operator, t, wide(contract, sublet, subLicence), "", now)
	if c := l.GetCounts(); c.GetNew() != 1 || c.GetConflict() != 2 {
		t.Fatalf("%v\n%s", c, w.report(operator, t, l))
	}
	if _, err := w.apply(operator, l, false); err != nil {
		t.Fatal(err)
	}
	other := as(ctx, accessv1.Role_ROLE_OPERATOR, "ctcc-11", "line-desk")
	for name, by := range map[string]struct {
		row  string
		who  string
		want int64
	}{
		"another operator": {contract, "other", 0},
		"the past":         {strings.Replace(contract, ",3,", ",9,", 1), "own", 0},
		"from now on":      {strings.Replace(strings.Replace(contract, ",3,", ",9,", 1), "2025-03-01", "", 1), "own", 1},
	} {
		who := map[string]any{"own": operator, "other": other}[by.who]
		asWho := operator
		if who == other {
			asWho = other
		}
		l := w.loaded(asWho, t, wide(by.row), "", now)
		if c := l.GetCounts(); c.GetNew()+c.GetChanged() != by.want {
			t.Errorf("%s: %v\n%s", name, c, w.report(asWho, t, l))
		}
	}
	noViolations(t, w)
}

// TestWhoGaveAccessLearnsNoMore: an operator reads of what hangs on numbers while it gives them access, and states its
// contracts of that time only.
func TestWhoGaveAccessLearnsNoMore(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	day := func(days int) string { return now.AddDate(0, 0, days).In(shanghai).Format(time.DateOnly) }
	for _, file := range []string{
		wide(callCentre, itsLicence, subLicence),
		wide(strings.NewReplacer("cmcc-11", "ctcc-11", "2025-03-01", day(-2)).Replace(callCentre)),
		wide(strings.Replace(sublet, "2025-06-01", day(-1), 1)),
	} {
		l := w.loaded(ctx, t, file, "", now)
		if _, err := w.apply(ctx, l, false); err != nil || l.GetCounts().GetConflict() > 0 {
			t.Fatalf("%v\n%s", err, w.report(ctx, t, l))
		}
	}
	for operator, want := range map[string]bool{"cmcc-11": false, "ctcc-11": true} {
		who := as(ctx, accessv1.Role_ROLE_OPERATOR, operator, "line-desk")
		resp, err := w.registrar.ListLedgerChanges(who, &ledgerv1.ListLedgerChangesRequest{Month: now.In(shanghai).Format("2006-01"), PageSize: 500})
		if err != nil {
			t.Fatal(err)
		}
		reads := false
		for _, c := range resp.GetChanges() {
			reads = reads || c.GetFields()[format.About] == format.AboutSublet
		}
		if reads != want {
			t.Errorf("%s reads of the sublet: %v", operator, reads)
		}
		l := w.loaded(who, t, wide(strings.Replace(contract, "2025-03-01", day(-1), 1)), "", now)
		if c := l.GetCounts(); c.GetNew() == 1 != want {
			t.Errorf("%s: %v\n%s", operator, c, w.report(who, t, l))
		}
	}
}

// TestStagedRowsAreCleared: what was staged goes after its retention, which is data; the loads and what they did stay.
func TestStagedRowsAreCleared(t *testing.T) {
	w := newWorld(t)
	ctx, now := t.Context(), time.Now()
	applied := w.loaded(ctx, t, wide(callCentre, itsLicence, contract), "", now)
	if _, err := w.apply(ctx, applied, false); err != nil {
		t.Fatal(err)
	}
	lying := w.loaded(ctx, t, wide(sublet), "", now)
	look := func() (states string, rows int) {
		t.Helper()
		for _, l := range []*ledgerv1.Load{applied, lying} {
			got, err := w.registrar.GetLoad(ctx, &ledgerv1.GetLoadRequest{LoadId: l.GetLoadId()})
			if err != nil || got.GetLoad().GetCounts().GetRows() != l.GetCounts().GetRows() {
				t.Errorf("%v: %v, %v", l.GetCounts(), got.GetLoad().GetCounts(), err)
			}
			states += got.GetLoad().GetState() + " "
		}
		if err := w.db.QueryRow(ctx, "SELECT (SELECT count(*) FROM load_row) + (SELECT count(*) FROM load_piece)").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return states, rows
	}
	if done, err := New(w.db, nil, time.Now).clearSome(ctx, store.New(w.db), lying.GetLoadId()); err != nil || !done {
		t.Errorf("listed, and taken up again since: %v, %v", done, err)
	}
	for _, c := range []struct {
		days   int
		states string
		rows   int
	}{{30, "APPLIED COMPARED ", 5}, {40, "APPLIED DISCARDED ", 4}, {100, "APPLIED DISCARDED ", 0}} {
		s := New(w.db, nil, func() time.Time { return now.AddDate(0, 0, c.days) })
		if err := s.ClearLoads(ctx); err != nil {
			t.Fatal(err)
		}
		if states, rows := look(); states != c.states || rows != c.rows {
			t.Errorf("after %d days: %s, %d rows", c.days, states, rows)
		}
	}
	if got := w.chainOf(t, now); !strings.Contains(got, "HT-1") {
		t.Error(got)
	}
	noViolations(t, w)
}
