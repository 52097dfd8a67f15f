package enforcement

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/testkit"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// elements are what the law names for each kind of document, as a reader looks for it. The party, the number, the authority
// with the place of its seal and the date are asked of every kind.
var elements = map[string]struct {
	law   string
	words []string
}{
	docNotice: {"行政处罚法 第四十四条、第四十五条、第六十三条", []string{
		"事实甲", "理由丙", "依据丁", "20000.00 元（人民币贰万元整）", "没收违法所得 123.45 元", "内容戊",
		"有权进行陈述和申辩", "五个工作日内", "不因陈述、申辩而给予更重的处罚", "有权要求听证", "听证不收取费用", "有权申请回避"}},
	docHearing: {"行政处罚法 第六十四条", []string{"2026年9月16日10时00分", "地点辛", "主持壬", "委托一至二人代理", "有权申请回避", "公开举行"}},
	docDecision: {"行政处罚法 第五十九条", []string{
		"事实甲", "证据乙", "申辩己", "依据丁", "20000.00 元（人民币贰万元整）", "内容戊", "十五日内", "银行庚", "加处罚款",
		"六十日内向工业和信息化部申请行政复议", "六个月内", "本机关所在地有管辖权的人民法院", "不停止执行"}},
	docOnspot: {"行政处罚法 第五十二条;行政复议法 第二十三条", []string{
		"事实甲", "依据丁", "20000.00 元（人民币贰万元整）", "当场处罚的时间", "地点：", "陈述、申辩", "十五日内", "银行庚",
		"六十日内先向工业和信息化部申请行政复议", "自收到复议决定书之日起十五日内", "本机关所在地有管辖权的人民法院", "执法人员签名", "已向当事人出示执法证件"}},
	docNoPenalty: {"行政处罚法 第三十三条、第五十七条", []string{"事实甲", "事由寅", "不予行政处罚", "六十日内", "六个月内"}},
	docTransfer: {"行政执法机关移送涉嫌犯罪案件的规定 第六条、第八条", []string{
		"公安癸：", "事实甲", "依据丁", "清单子", "经本机关负责人批准", "三日内作出是否立案的决定", "抄送同级人民检察院"}},
	docDemand: {"行政强制法 第三十五条、第三十六条、第五十四条", []string{
		"文号丑", "2026年9月16日前", "1.00 元（人民币壹元整）", "银行庚", "有权进行陈述和申辩", "十日", "申请人民法院强制执行"}},
	docReminder:      {"工作方案", []string{"事实甲", "内容戊", "不是行政处罚"}},
	docOrder:         {"行政处罚法 第二十八条", []string{"事实甲", "依据丁", "2026年9月16日前改正", "内容戊", "六十日内", "六个月内"}},
	docConsentDemand: {"行政处罚法 第五十五条", []string{"2026年6月至2026年8月", "2026年9月16日前", "整体记录"}},
	docPublication:   {"行政处罚法 第四十八条", []string{"文号丑", "事实甲", "依据丁", "20000.00 元（人民币贰万元整）", "处罚机关"}},
	docReceipt:       {"行政处罚法 第六十一条;民事诉讼法 第八十七条", []string{"文书卯", "号辰", "直接送达", "签收巳", "2026年9月16日10时00分"}},
}

// fullNumber is a subscriber's number, with nothing masked.
var fullNumber = regexp.MustCompile(`(^|[^0-9])1[3-9][0-9]{9}([^0-9]|$)`)

// TestWhatTheLawNamesStandsInEveryDocument: of each kind, for an organisation and for a natural person, every element that
// the law names is there, whom it names is by name, and neither an account, a reporter nor a subscriber's number is.
func TestWhatTheLawNamesStandsInEveryDocument(t *testing.T) {
	if len(elements) != len(needs) {
		t.Fatalf("the elements of %d kinds of %d", len(elements), len(needs))
	}
	w := newPartyWorld(t)
	const complaint = "01a20000-0000-7000-8000-0000000000cc"
	parties := map[string]*enforcementv1.Party{
		"organisation": {Role: "caller", Name: "甲公司", CreditCode: firm}, "person": {Role: "caller", Name: "欧阳某某", Person: true},
	}
	for who, party := range parties {
		caseID := w.open(t, func(r *enforcementv1.OpenCaseRequest) { r.Party, r.ComplaintId = party, complaint }).GetCaseId()
		w.staffed(t, caseID)
		for kind, want := range elements {
			html := w.drawn(t, drawing{Kind: kind, CaseID: caseID, By: "hao@ca-11", Facts: whole(), Receipt: &receiptFacts{
				Name: "文书卯", No: "号辰", Method: "direct", Signer: "签收巳", Served: openedOn, Signed: openedOn,
			}})
			words := append([]string{"北京市通信管理局", "2026年9月16日", "（印章）", "〔2026〕", "京通管"}, want.words...)
			switch public := kind == docPublication; {
			case public && party.GetPerson():
				words = append(words, "自然人（姓名依法不予公开）")
			default:
				words = append(words, party.GetName())
			}
			if kind != docPublication && kind != docReceipt {
				words = append(words, "郝某（执法证号 京A001）", "于某（执法证号 京A002）", "承办部门：执法处；地址：某区某路一号；电话：010-00000000")
			}
			if kind == docDecision || kind == docOnspot || kind == docNoPenalty {
				words = append(words, "地址：某市某街二号", map[bool]string{true: "当事人（姓名）：", false: "当事人（名称）："}[party.GetPerson()])
			}
			for _, text := range words {
				if !strings.Contains(html, text) {
					t.Errorf("%s of a %s lacks %q (%s):\n%s", kind, who, text, want.law, html)
				}
			}
			bad := []string{"hao", "@ca-11", complaint, "举报人"}
			if kind == docPublication {
				bad = append(bad, "郝某", "于某", "某市某街二号", "欧阳")
			}
			if party.GetPerson() {
				bad = append(bad, "统一社会信用代码")
			}
			for _, text := range bad {
				if strings.Contains(html, text) {
					t.Errorf("%s of a %s holds %q", kind, who, text)
				}
			}
			if n := fullNumber.FindString(html); n != "" {
				t.Errorf("%s of a %s holds a subscriber's number", kind, who)
			}
		}
	}
}

// staffed gives a case two officers with names, an address of its party and an office that is known.
func (w *partyWorld) staffed(t *testing.T, caseID string) {
	t.Helper()
	sealed, err := w.s.sealAddress(&assignmentv1.CaseProposal{PartyAddress: "某市某街二号"}, caseID, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO case_officer (case_id, subject, agency_id, qualification_no, name, appoint_time)
			VALUES ($1, 'hao@ca-11', 'ca-11', '京A001', '郝某', now()), ($1, 'yu@ca-11', 'ca-11', '京A002', '于某', now())`,
	} {
		if _, err := w.db.Exec(t.Context(), statement, caseID); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.db.Exec(t.Context(), `INSERT INTO case_proposal (case_id, seq, kind, proposed_by, hearing_due, legal_due, discuss_due, address_sealed)
		VALUES ($1, 1, 'proposed', 'hao@ca-11', false, false, false, $2)`, caseID, sealed)
	if err != nil {
		t.Fatal(err)
	}
	w.putOffice(t, nil)
}

func (w *partyWorld) putOffice(t *testing.T, change func(*enforcementv1.Office)) {
	t.Helper()
	*w.at = w.at.Add(time.Millisecond)
	got, err := w.head.GetOffice(t.Context(), &enforcementv1.GetOfficeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	o := got.GetOffice()
	o.Address, o.Telephone, o.Department = "某区某路一号", "010-00000000", "执法处"
	if change != nil {
		change(o)
	}
	put, err := w.head.PutOffice(t.Context(), &enforcementv1.PutOfficeRequest{RequestId: id(), Office: o})
	if err != nil || put.GetOffice().GetToConfirm() {
		t.Fatalf("office: %v, %v", put, err)
	}
}

// TestAnOfficeSaysHowItIsReached: until it does, a document sends the party to the agency itself; then it says so, with the
// new word in its numbers, which is nobody else's.
func TestAnOfficeSaysHowItIsReached(t *testing.T) {
	w := newPartyWorld(t)
	caseID := w.open(t, nil).GetCaseId()
	before := w.drawn(t, drawing{Kind: docReminder, CaseID: caseID, By: "a@ca-11", Facts: whole()})
	if !strings.Contains(before, "联系方式见本机关公示") || !strings.Contains(before, "京通管提示〔2026〕1号") {
		t.Errorf("before: %s", before)
	}
	w.putOffice(t, func(o *enforcementv1.Office) { o.Short = "京通信" })
	after := w.drawn(t, drawing{Kind: docReminder, CaseID: caseID, By: "a@ca-11", Facts: whole()})
	if !strings.Contains(after, "电话：010-00000000") || !strings.Contains(after, "京通信提示〔2026〕2号") {
		t.Errorf("after: %s", after)
	}
	try := func(change func(*enforcementv1.Office)) error {
		o := &enforcementv1.Office{Name: "甲局", Short: "京甲", ReviewBody: "乙", Court: "丙"}
		change(o)
		_, err := w.head.PutOffice(t.Context(), &enforcementv1.PutOfficeRequest{RequestId: id(), Office: o})
		return err
	}
	wantReason(t, try(func(o *enforcementv1.Office) { o.Short = "京市监" }), commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS)
	for _, alike := range []string{"京市监 ", "京\u200b市监", "京 市监", "京市监〔"} {
		wantReason(t, try(func(o *enforcementv1.Office) { o.Short = alike }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	}
	wantReason(t, try(func(o *enforcementv1.Office) { o.Court = " " }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	wantReason(t, try(func(o *enforcementv1.Office) { o.Telephone = "13900000000" }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	if _, err := w.worker.PutOffice(t.Context(), &enforcementv1.PutOfficeRequest{RequestId: id(), Office: &enforcementv1.Office{}}); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED) {
		t.Errorf("a caseworker puts an office: %v", err)
	}
	var broken int
	if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM party_violation").Scan(&broken); err != nil || broken != 0 {
		t.Errorf("%d violations, %v", broken, err)
	}
	for _, gap := range []string{"UPDATE document_number SET last = last + 1", "UPDATE case_number SET last = last + 1"} { // a number that nothing has
		if _, err := testkit.Owner(t, w.db).Exec(t.Context(), gap); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM party_violation WHERE what LIKE 'numbers of%'").Scan(&broken); err != nil || broken != 2 {
		t.Errorf("%d gaps, %v", broken, err)
	}
}

// TestThePartysAddressIsSealed: it stands on the documents, is shown to the case's agency alone, and is nowhere in clear.
func TestThePartysAddressIsSealed(t *testing.T) {
	f := newFile(t, nil)
	const address = "某市某街二号"
	p := yuanFine(600_000)
	p.PartyAddress = address
	f.proposed(p)
	clear := func() (n int) {
		err := f.db.QueryRow(t.Context(), "SELECT count(*) FROM case_proposal x WHERE x::text LIKE '%' || $1 || '%'", address).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	reads := func(when string) {
		t.Helper()
		for who, want := range map[enforcementv1.EnforcementServiceClient]string{f.officer(): address, f.flows: masked} {
			got, err := who.GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: f.id})
			if err != nil || got.GetProposal().GetPartyAddress() != want {
				t.Errorf("%s: %q, %v, want %q", when, got.GetProposal().GetPartyAddress(), err, want)
			}
		}
	}
	if clear() != 0 {
		t.Error("the address stands in clear")
	}
	reads("as proposed")
	owner := testkit.Owner(t, f.db)
	if _, err := owner.Exec(t.Context(), `ALTER TABLE case_proposal DROP CONSTRAINT case_proposal_address`); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.Exec(t.Context(), `UPDATE case_proposal SET address_sealed = NULL, detail = jsonb_set(detail, '{partyAddress}', to_jsonb($1::text))`, address); err != nil {
		t.Fatal(err)
	}
	for range 2 { // every start looks
		if err := sealAddresses(t.Context(), owner.Config().ConnString(), f.server.keys); err != nil {
			t.Fatal(err)
		}
	}
	if clear() != 0 {
		t.Error("an address of before stands in clear after the start")
	}
	reads("after the start")
	f.must(stepNotice, "served", servedVia("direct"))
	party := f.partyAs(firm)
	if html := f.html(t, party, f.served(t, party, docNotice)); !strings.Contains(html, "地址："+address) || !strings.Contains(html, "某officer-1（执法证号 ZF-officer-1）") {
		t.Errorf("the notice: %s", html)
	}
	bad := yuanFine(600_000)
	bad.PartyAddress = "某街二号,电话13900007788"
	if err := checkProposal(bad); err == nil {
		t.Error("an address with a subscriber's number is taken")
	}
	f.sound()
}

// TestAPartyObjectsByTheNameItReads: documents name officers by name and certificate, so objections do.
func TestAPartyObjectsByTheNameItReads(t *testing.T) {
	f := appointed(t)
	m, err := matterOf(t.Context(), store.New(f.db), f.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{"officer-2", "officer-2@samr-11", "某officer-2", "ZF-officer-2", "某officer-2（执法证号 ZF-officer-2）"} {
		if got := m.officerMeant(said); got != "officer-2" {
			t.Errorf("%s is %s", said, got)
		}
	}
	if got := m.officerMeant("别人"); got != "别人" {
		t.Errorf("somebody else is %s", got)
	}
}

// TestAHearingNamesItsChair: by the name that was announced.
func TestAHearingNamesItsChair(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(graveFine())
	f.must(stepNotice, "served", servedVia("direct"))
	party := f.partyAs(firm)
	if _, err := party.RequestHearing(t.Context(), &enforcementv1.RequestHearingRequest{RequestId: id(), CaseId: f.id}); err != nil {
		t.Fatal(err)
	}
	at := f.now.AddDate(0, 0, 20)
	f.refuses(f.step(stepAnnounce, "announced", &assignmentv1.CaseStepDetail{HearingTime: timestamppb.New(at), HearingPlace: "听证室", Chair: "chair"}), "第六十四条")
	f.refuses(f.step(stepAnnounce, "announced", &assignmentv1.CaseStepDetail{HearingTime: timestamppb.New(at), HearingPlace: "听证室", Chair: "chair", ChairName: "chair@samr-11"}), "第六十四条")
	f.must(stepAnnounce, "announced", hearingAt(at, "chair"))
	var html []byte
	r, err := f.officer().ListCaseDocuments(t.Context(), &enforcementv1.ListCaseDocumentsRequest{CaseId: f.id})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.GetDocuments() {
		if d.GetKind() == docHearing {
			got, err := f.officer().GetCaseDocument(t.Context(), &enforcementv1.GetCaseDocumentRequest{DocumentId: d.GetDocumentId()})
			if err != nil {
				t.Fatal(err)
			}
			html = got.GetHtml()
		}
	}
	if !strings.Contains(string(html), "某主持人（非本案调查人员）") {
		t.Errorf("the notice of the hearing: %s", html)
	}
}
