package enforcement

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// partyAs is the party of the file's case at the gateway.
func (f *file) partyAs(binding string) enforcementv1.EnforcementServiceClient {
	f.t.Helper()
	dial := testkit.Serve(f.t, identity.Enforcement, func(s *grpc.Server) { enforcementv1.RegisterEnforcementServiceServer(s, f.server) })
	return enforcementv1.NewEnforcementServiceClient(dial(identity.Gateway, &commonv1.Actor{
		Subject: "party", Party: binding, Roles: []accessv1.Role{accessv1.Role_ROLE_PARTY},
	}))
}

// noticed brings the case to a served notice of a fine.
func noticed(t *testing.T, fen int64) (*file, enforcementv1.EnforcementServiceClient) {
	t.Helper()
	f := newFile(t, nil)
	f.proposed(yuanFine(fen))
	f.must(stepNotice, "served", servedVia("direct"))
	return f, f.partyAs(firm)
}

// grave is a fine for which the law grants a hearing.
const grave = 20_000_000

// graveFine is a proposal of it within its band.
func graveFine() *assignmentv1.CaseProposal {
	p := yuanFine(grave)
	p.Penalties[0].Basis, p.Penalties[0].CatalogueCode = "消费者权益保护法 第五十六条", "consumer_56"
	return p
}

func (f *file) served(t *testing.T, p enforcementv1.EnforcementServiceClient, kind string) *enforcementv1.ServedDocument {
	t.Helper()
	r, err := p.ListServed(t.Context(), &enforcementv1.ListServedRequest{CaseId: f.id})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.GetDocuments() {
		if d.GetKind() == kind {
			return d
		}
	}
	t.Fatalf("no %s was served: %v", kind, r.GetDocuments())
	return nil
}

func (f *file) html(t *testing.T, p enforcementv1.EnforcementServiceClient, d *enforcementv1.ServedDocument) string {
	t.Helper()
	r, err := p.GetServedDocument(t.Context(), &enforcementv1.GetServedDocumentRequest{DocumentId: d.GetDocumentId()})
	if err != nil {
		t.Fatal(err)
	}
	return string(r.GetHtml())
}

// TestThePartyFromNoticeToDecision: what the party reads and writes on the straight way, and what the log makes of it.
func TestThePartyFromNoticeToDecision(t *testing.T) {
	f, party := noticed(t, 600_000)
	notice := f.served(t, party, docNotice)
	// five working days after Monday 2 March 2026 end with Monday 9 March
	if due := notice.GetStatementDue().AsTime(); !due.Equal(time.Date(2026, 3, 9, 15, 59, 59, 0, time.UTC)) || notice.GetHearingDue() != nil {
		t.Errorf("terms: %v, %v", due, notice.GetHearingDue())
	}
	text := f.html(t, party, notice)
	for _, want := range []string{"当事人未经同意拨打营销电话", "6000.00 元（人民币陆仟元整）", "《广告法》第六十二条", "即2026年3月9日前", "ZF-officer-1", "外呼系统日志", "不属于", "北京市市场监督管理局"} {
		if !strings.Contains(text, want) {
			t.Errorf("the notice lacks %q", want)
		}
	}
	f.later(time.Hour)
	if _, err := party.AcknowledgeDelivery(t.Context(), &enforcementv1.AcknowledgeDeliveryRequest{RequestId: id(), DocumentId: notice.GetDocumentId(), Signer: "王五"}); err != nil {
		t.Fatal(err)
	}
	statement, err := party.SubmitStatement(t.Context(), &enforcementv1.SubmitStatementRequest{RequestId: id(), CaseId: f.id, Text: "已取得同意"})
	if err != nil || statement.GetFiling().GetLate() || !statement.GetFiling().GetDueTime().AsTime().Equal(notice.GetStatementDue().AsTime()) {
		t.Fatalf("statement: %v, %v", statement, err)
	}
	_, err = party.RequestHearing(t.Context(), &enforcementv1.RequestHearingRequest{RequestId: id(), CaseId: f.id})
	wantArticle(t, err, "第六十三条")
	_, err = party.WaiveStatement(t.Context(), &enforcementv1.WaiveStatementRequest{RequestId: id(), CaseId: f.id, Waived: "statement"})
	if err != nil {
		t.Fatal(err)
	}
	f.later(time.Minute)
	f.must(stepAnswer, "not_adopted", nil)
	f.reviewed()
	f.must(stepSign, outSigned, nil)
	if r, _ := party.ListServed(t.Context(), &enforcementv1.ListServedRequest{}); len(r.GetDocuments()) != 1 {
		t.Errorf("a decision that was not delivered is not served: %v", r.GetDocuments())
	}
	f.must(stepDeliver, outFailed, servedVia("mail"))
	f.must(stepDeliver, outDelivered, servedVia("direct"))
	decision := f.html(t, party, f.served(t, party, docDecision))
	for _, want := range []string{"当事人于2026年3月2日提出陈述、申辩。", "书面放弃陈述、申辩", "地址：未登记", "外呼系统日志", "不予采纳", "京市监罚决〔2026〕1号", "人民币陆仟元整"} {
		if !strings.Contains(decision, want) {
			t.Errorf("the decision lacks %q:\n%s", want, decision)
		}
	}
	f.later(9 * 24 * time.Hour)
	late, err := party.SubmitStatement(t.Context(), &enforcementv1.SubmitStatementRequest{RequestId: id(), CaseId: f.id, Text: "再说一次"})
	if err != nil || !late.GetFiling().GetLate() {
		t.Errorf("a late statement is kept and marked: %v, %v", late, err)
	}
	f.sound()
}

func wantArticle(t *testing.T, err error, article string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), article) {
		t.Fatalf("got %v, want a refusal by %s", err, article)
	}
}

// TestAHearingIsAskedForInTime: where the notice offers one, within five working days, once, and it may be withdrawn.
func TestAHearingIsAskedForInTime(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(graveFine())
	f.must(stepNotice, "served", servedVia("direct"))
	party := f.partyAs(firm)
	notice := f.served(t, party, docNotice)
	if notice.GetHearingDue() == nil || !strings.Contains(f.html(t, party, notice), "有权要求听证") {
		t.Fatalf("the notice tells of the hearing: %v", notice)
	}
	ask := func() (*enforcementv1.RequestHearingResponse, error) {
		return party.RequestHearing(t.Context(), &enforcementv1.RequestHearingRequest{RequestId: id(), CaseId: f.id, Text: "要求听证"})
	}
	first, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ask(); err != nil || again.GetFiling().GetFilingId() != first.GetFiling().GetFilingId() {
		t.Errorf("asked twice is one request: %v, %v", again, err)
	}
	f.later(time.Hour)
	took, err := party.WithdrawHearingRequest(t.Context(), &enforcementv1.WithdrawHearingRequestRequest{RequestId: id(), CaseId: f.id})
	if err != nil || took.GetFiling().GetEndTime() == nil {
		t.Errorf("withdrawn: %v, %v", took, err)
	}
	_, err = party.WithdrawHearingRequest(t.Context(), &enforcementv1.WithdrawHearingRequestRequest{RequestId: id(), CaseId: f.id})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	f.now = notice.GetHearingDue().AsTime().Add(time.Second)
	_, err = ask()
	wantArticle(t, err, "第六十四条")
	// on paper it came in time, and the caseworker enters it the day after
	officer := f.as("officer-1", "samr-11", accessv1.Role_ROLE_CASEWORKER)
	onPaper, err := officer.RequestHearing(t.Context(), &enforcementv1.RequestHearingRequest{
		RequestId: id(), CaseId: f.id, Text: "要求听证", Paper: &enforcementv1.PaperFiling{ReceivedTime: notice.GetHearingDue()},
	})
	if err != nil || onPaper.GetFiling().GetChannel() != channelPaper {
		t.Errorf("on paper, in time: %v, %v", onPaper, err)
	}
	f.sound()
}

// TestAPersonSeesTheOneCase: bound to the case, and by nothing else; and the name stands in what was served.
func TestAPersonSeesTheOneCase(t *testing.T) {
	f := newFile(t, func(r *enforcementv1.OpenCaseRequest) {
		r.Party = &enforcementv1.Party{Role: "advertiser", Name: "张三丰", Person: true}
	})
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	if text := f.html(t, f.partyAs(f.id), f.served(t, f.partyAs(f.id), docNotice)); !strings.Contains(text, "张三丰") {
		t.Error("the notice does not name its party")
	}
	for _, other := range []string{firm, "张三丰", id()} {
		if r, err := f.partyAs(other).ListServed(t.Context(), &enforcementv1.ListServedRequest{}); err != nil || len(r.GetDocuments()) != 0 {
			t.Errorf("%s sees %v, %v", other, r, err)
		}
	}
	var plain int
	err := testkit.Owner(t, f.db).QueryRow(t.Context(),
		"SELECT count(*) FROM case_document WHERE position(convert_to('张三丰', 'UTF8') IN content_sealed) > 0").Scan(&plain)
	if err != nil || plain != 0 {
		t.Errorf("a person's name at rest in clear: %d, %v", plain, err)
	}
}

// TestServingKeepsToTheWaysOfTheLaw: refused before anything is written, with the article.
func TestServingKeepsToTheWaysOfTheLaw(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.refuses(f.step(stepNotice, "served", servedVia("electronic")), "第六十一条")
	f.refuses(f.step(stepNotice, "served", servedVia("public_notice")), "第九十五条")
	officer := f.as("officer-1", "samr-11", accessv1.Role_ROLE_CASEWORKER)
	paper := &enforcementv1.PaperFiling{ReceivedTime: timestamppb.New(f.now)}
	_, err := officer.ConsentToElectronicDelivery(t.Context(), &enforcementv1.ConsentToElectronicDeliveryRequest{
		RequestId: id(), CaseId: f.id, Address: "firm@example.org", Paper: paper,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.later(time.Minute)
	f.must(stepNotice, "served", servedVia("electronic"))
	if d := f.served(t, f.partyAs(firm), docNotice); d.GetMethod() != electronic {
		t.Errorf("served %s", d.GetMethod())
	}
	f.sound()
}

// TestFindingsThatSingleOutAReporterAreNotProposed: the notice would be made of them.
func TestFindingsThatSingleOutAReporterAreNotProposed(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	for _, said := range []string{"向13900007788拨打", "2026年2月3日14:05拨打", "通话35秒"} {
		p := yuanFine(600_000)
		p.Findings = said
		err := f.try(f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: p}))
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	}
}

// TestNothingSubstantiatedIsNotTold: a party that nothing was served on never learns that there was a case.
func TestNothingSubstantiatedIsNotTold(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	f.must(stepInvestigate, outNoPenalty, &assignmentv1.CaseStepDetail{Proposal: &assignmentv1.CaseProposal{
		NoPenaltyGround: notEstablished, ActEndTime: timestamppb.New(monday.AddDate(0, -1, 0)), Findings: "举报内容无法核实",
	}})
	f.must(stepReview, outApproved, nil)
	f.reviewed()
	f.must(stepSign, outSigned, nil)
	if f.task(stepDeliver) != nil {
		f.must(stepDeliver, outDelivered, servedVia("direct"))
	}
	if r, err := f.partyAs(firm).ListServed(t.Context(), &enforcementv1.ListServedRequest{}); err != nil || len(r.GetDocuments()) != 0 {
		t.Errorf("the party is told: %v, %v", r, err)
	}
	_, err := f.partyAs(firm).SubmitStatement(t.Context(), &enforcementv1.SubmitStatementRequest{RequestId: id(), CaseId: f.id, Text: "?"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	f.sound()
}
