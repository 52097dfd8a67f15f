package enforcement

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// whole is facts enough for every kind.
func whole() *enforcementv1.DocumentFacts {
	return &enforcementv1.DocumentFacts{
		Facts: "事实甲", Evidence: []string{"证据乙"}, Reasons: "理由丙", Basis: []string{"依据丁"}, Orders: []string{"内容戊"},
		Fine: &commonv1.Money{Fen: 2_000_000}, Confiscation: &commonv1.Money{Fen: 12_345}, Defence: "申辩己", Payment: "银行庚",
		PerformBy: timestamppb.New(openedOn), HearingTime: timestamppb.New(openedOn), HearingPlace: "地点辛", HearingChair: "主持壬",
		Recipient: "公安癸", Attachments: []string{"清单子"}, ReferenceNo: "文号丑", Owed: &commonv1.Money{Fen: 100}, Ground: "事由寅",
		FirstMonth: "2026-06", LastMonth: "2026-08", HearingGranted: true,
	}
}

func TestEveryKindIsDrawn(t *testing.T) {
	w := newPartyWorld(t)
	caseID := w.open(t, nil).GetCaseId()
	wants := map[string][]string{
		docNotice:        {"行政处罚事先告知书", "京通管罚告〔2026〕1号", "事实甲", "理由丙", "依据丁", "20000.00 元（人民币贰万元整）", "五个工作日", "要求听证", "甲公司", firm, "北京市通信管理局", "2026年9月16日"},
		docHearing:       {"2026年9月16日10时00分", "地点辛", "主持壬"},
		docDecision:      {"京通管罚决〔2026〕1号", "证据乙", "申辩己", "十五日内", "银行庚", "工业和信息化部", "六十日", "六个月", "123.45"},
		docOnspot:        {"当场行政处罚决定书", "京通管当罚〔2026〕1号", "执法人员签名", "当场给予", "十五日内", "银行庚", "先向工业和信息化部申请行政复议", "六十日", "第四十五条"},
		docNoPenalty:     {"事由寅", "决定不予行政处罚"},
		docTransfer:      {"公安癸", "清单子", "人民检察院"},
		docDemand:        {"文号丑", "人民币壹元整", "十日"},
		docReminder:      {"内容戊", "不是行政处罚"},
		docOrder:         {"2026年9月16日前改正", "内容戊"},
		docConsentDemand: {"2026年6月至2026年8月", "整体记录"},
		docPublication:   {"文号丑", "事实甲", "甲公司"},
		docReceipt:       {"文书卯", "号辰", "直接送达", "签收巳"},
	}
	if len(wants) != len(needs) {
		t.Fatalf("%d kinds of %d", len(wants), len(needs))
	}
	for kind, want := range wants {
		html := w.drawn(t, drawing{Kind: kind, CaseID: caseID, By: "a@ca-11", Facts: whole(), Receipt: &receiptFacts{
			Name: "文书卯", No: "号辰", Method: "direct", Signer: "签收巳", Served: openedOn, Signed: openedOn,
		}})
		for _, text := range want {
			if !strings.Contains(html, text) {
				t.Errorf("%s lacks %q:\n%s", kind, text, html)
			}
		}
		for _, bad := range []string{"http://", "https://", "<script", "<img", "ZgotmplZ", "<no value>"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s holds %q", kind, bad)
			}
		}
		if body, err := builtIn.ReadFile("template/" + kind + ".html"); err != nil {
			t.Error(err)
		} else if _, err := checkTemplate(kind, string(body)); err != nil {
			t.Errorf("the built-in template of %s: %v", kind, err)
		}
	}
}

// drawn makes a document in a transaction of its own and reads it back.
func (w *partyWorld) drawn(t *testing.T, d drawing) string {
	t.Helper()
	html, err := w.try(t, d)
	if err != nil {
		t.Fatal(err)
	}
	return html
}

// TestWhatIsMissingIsRefused: a field that the law asks for is never left out.
func TestWhatIsMissingIsRefused(t *testing.T) {
	w := newPartyWorld(t)
	caseID := w.open(t, nil).GetCaseId()
	for kind, without := range map[string]func(*enforcementv1.DocumentFacts){
		docNotice:    func(f *enforcementv1.DocumentFacts) { f.Reasons = " " },
		docHearing:   func(f *enforcementv1.DocumentFacts) { f.HearingChair = "" },
		docDecision:  func(f *enforcementv1.DocumentFacts) { f.Evidence = nil },
		docNoPenalty: func(f *enforcementv1.DocumentFacts) { f.Ground = "" },
		docTransfer:  func(f *enforcementv1.DocumentFacts) { f.Recipient = "" },
		docDemand:    func(f *enforcementv1.DocumentFacts) { f.ReferenceNo = "" },
		docOrder:     func(f *enforcementv1.DocumentFacts) { f.PerformBy = nil },
	} {
		facts := whole()
		without(facts)
		_, err := w.try(t, drawing{Kind: kind, CaseID: caseID, By: "a@ca-11", Facts: facts})
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	}
	elsewhere := w.open(t, func(r *enforcementv1.OpenCaseRequest) {
		r.AgencyId, r.Party.CreditCode = "nowhere", "91110000000000000C"
	}).GetCaseId()
	_, err := w.try(t, drawing{Kind: docNotice, CaseID: elsewhere, By: "a@nowhere", Facts: whole()})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
}

func TestTextsAreEscaped(t *testing.T) {
	w := newPartyWorld(t)
	caseID := w.open(t, func(r *enforcementv1.OpenCaseRequest) { r.Party.Name = `<b onmouseover="x">甲</b>` }).GetCaseId()
	facts := whole()
	facts.Facts = `<script>alert(1)</script>{{.Office}}`
	facts.Orders = []string{`</li><img src=x onerror=alert(1)>`}
	html := w.drawn(t, drawing{Kind: docNotice, CaseID: caseID, By: "a@ca-11", Facts: facts})
	for _, bad := range []string{"<script", "<img", "<b ", "onmouseover=\"", "北京市通信管理局</script>"} {
		if strings.Contains(html, bad) {
			t.Errorf("holds %q", bad)
		}
	}
	if !strings.Contains(html, "&lt;script&gt;") || !strings.Contains(html, "{{.Office}}") {
		t.Error("what was written is not shown as written")
	}
}

func TestNumbersRunPerAgencyKindAndYear(t *testing.T) {
	w := newPartyWorld(t)
	caseID := w.open(t, nil).GetCaseId()
	for _, want := range []string{"京通管提示〔2026〕1号", "京通管提示〔2026〕2号"} {
		if html := w.drawn(t, drawing{Kind: docReminder, CaseID: caseID, By: "a@ca-11", Facts: whole()}); !strings.Contains(html, want) {
			t.Errorf("not number %s", want)
		}
	}
	*w.at = time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC) // the new year, in Shanghai
	if html := w.drawn(t, drawing{Kind: docReminder, CaseID: caseID, By: "a@ca-11", Facts: whole()}); !strings.Contains(html, "京通管提示〔2027〕1号") {
		t.Error("the new year begins anew")
	}
}

func TestACorrectionIsANewDocument(t *testing.T) {
	w := newPartyWorld(t)
	caseID, doc := w.served(t, nil)
	before, err := w.worker.GetCaseDocument(t.Context(), &enforcementv1.GetCaseDocumentRequest{DocumentId: doc})
	if err != nil {
		t.Fatal(err)
	}
	facts := anOrder()
	facts.Orders = []string{"停止外呼"}
	next, err := w.worker.DrawDocument(t.Context(), &enforcementv1.DrawDocumentRequest{RequestId: id(), CaseId: caseID, Kind: docOrder, Facts: facts, CorrectsId: doc})
	if err != nil {
		t.Fatal(err)
	}
	html, err := w.worker.GetCaseDocument(t.Context(), &enforcementv1.GetCaseDocumentRequest{DocumentId: next.GetDocument().GetDocumentId()})
	if err != nil || !strings.Contains(string(html.GetHtml()), "更正"+before.GetDocument().GetDocumentNo()) {
		t.Errorf("%v: %s", err, html.GetHtml())
	}
	after, err := w.worker.GetCaseDocument(t.Context(), &enforcementv1.GetCaseDocumentRequest{DocumentId: doc})
	if err != nil || string(after.GetHtml()) != string(before.GetHtml()) {
		t.Errorf("what was served is not as it was served: %v", err)
	}
	_, err = w.worker.DrawDocument(t.Context(), &enforcementv1.DrawDocumentRequest{RequestId: id(), CaseId: caseID, Kind: docDecision, Facts: whole()})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) // decisions are their step's
}

func TestTemplatesAreData(t *testing.T) {
	w := newPartyWorld(t)
	caseID := w.open(t, nil).GetCaseId()
	body, err := builtIn.ReadFile("template/reminder.html")
	if err != nil {
		t.Fatal(err)
	}
	put := func(body string) (*enforcementv1.PutDocumentTemplateResponse, error) {
		return w.head.PutDocumentTemplate(t.Context(), &enforcementv1.PutDocumentTemplateRequest{RequestId: id(), Kind: docReminder, Body: body})
	}
	for name, bad := range map[string]string{
		"a script":        string(body) + "<script>x</script>",
		"a picture":       string(body) + `<img src="http://example.org/x">`,
		"a style":         string(body) + `<p style="background:url(//example.org)">`,
		"no number":       "<p>{{.Party}}{{.Facts}}{{range .Orders}}{{.}}{{end}}{{.Office}}{{.Date}}</p>",
		"no order":        strings.ReplaceAll(string(body), ".Orders", ".Basis"),
		"another head":    `{{define "head"}}x{{end}}` + string(body),
		"unknown field":   string(body) + "{{.Secret}}",
		"broken template": string(body) + "{{if}}",
	} {
		if _, err := put(bad); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) && !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) {
			t.Errorf("%s: %v", name, err)
		}
	}
	*w.at = w.at.Add(time.Minute)
	got, err := put(strings.ReplaceAll(string(body), "现提示你（单位）：", "特此提示："))
	if err != nil || got.GetTemplate().GetVersion() != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if html := w.drawn(t, drawing{Kind: docReminder, CaseID: caseID, By: "a@ca-11", Facts: whole()}); !strings.Contains(html, "特此提示：") {
		t.Error("the agency's own template is not in force")
	}
	other := w.open(t, func(r *enforcementv1.OpenCaseRequest) { r.AgencyId, r.Act = "samr-11", "resource_sublet" }).GetCaseId()
	if html := w.drawn(t, drawing{Kind: docReminder, CaseID: other, By: "a@samr-11", Facts: whole()}); strings.Contains(html, "特此提示：") {
		t.Error("it is in force for another agency")
	}
	shown, err := w.worker.PreviewDocument(t.Context(), &enforcementv1.PreviewDocumentRequest{CaseId: caseID, Kind: docReminder, Facts: whole()})
	if err != nil || !strings.Contains(string(shown.GetHtml()), "草稿") {
		t.Errorf("preview: %v", err)
	}
}

// TestNothingForThePartySinglesOutAReporter: whatever free text carries a reporter's number into a document, wherever and
// however it is written, the document is not made; and so no document of a party holds it.
func TestNothingForThePartySinglesOutAReporter(t *testing.T) {
	w := newPartyWorld(t)
	caseID := w.open(t, nil).GetCaseId()
	const canary = "13900007788"
	forms := []string{canary, "139 0000 7788", "139-0000-7788", "+86" + canary, "1 3 9 0 0 0 0 7 7 8 8", "１３９００００７７８８", "一三九零零零零七七八八", "主叫95012345被叫" + canary}
	kinds := []string{docNotice, docDecision, docNoPenalty, docDemand, docReminder, docOrder, docPublication}
	rapid.Check(t, func(rt *rapid.T) {
		facts, written := whole(), rapid.SampledFrom(forms).Draw(rt, "form")
		before, after := rapid.StringMatching(`[甲乙丙丁,。a-z ]{0,8}`).Draw(rt, "before"), rapid.StringMatching(`[戊己庚辛,。a-z ]{0,8}`).Draw(rt, "after")
		said := before + written + after
		switch rapid.IntRange(0, 6).Draw(rt, "field") {
		case 0:
			facts.Facts = said
		case 1:
			facts.Evidence = []string{"证据", said}
		case 2:
			facts.Reasons = said
		case 3:
			facts.Basis = []string{said}
		case 4:
			facts.Orders = []string{said}
		case 5:
			facts.Defence = said
		default:
			facts.Ground = said
		}
		kind := rapid.SampledFrom(kinds).Draw(rt, "kind")
		if _, err := w.try(t, drawing{Kind: kind, CaseID: caseID, By: "a@ca-11", Facts: facts}); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) {
			rt.Fatalf("%s with %q is made: %v", kind, said, err)
		}
	})
}
