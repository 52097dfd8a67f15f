package enforcement

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// What a trial of the procedure by a new user found.

func appointed(t *testing.T) *file {
	t.Helper()
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	return f
}

// Nobody is punished without evidence, nor for what has not happened yet.
func TestAProposalRestsOnEvidence(t *testing.T) {
	f := appointed(t)
	fine := func() *enforcementv1.CaseStep {
		return f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	}
	wantArticle(t, f.tryBare(fine()), "第四十六条")
	checked, err := f.officer().CheckDecision(t.Context(), &enforcementv1.CheckDecisionRequest{CaseId: f.id})
	if err != nil || checked.GetReady() || !strings.Contains(checked.String(), "no evidence of the case") {
		t.Errorf("%v, %v", checked, err)
	}
	f.proved()
	tomorrow := fine()
	tomorrow.Detail.CaseStep.Proposal.ActEndTime = timestamppb.New(f.now.Add(24 * time.Hour))
	wantArticle(t, f.tryBare(tomorrow), "第三十六条")
	if err := f.tryBare(fine()); err != nil {
		t.Error(err)
	}
	f.sound()
}

// Two officers are two people with a certificate each, of the agency that has the case.
func TestOfficersAreTwoPeople(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	pair := func(a, noA, b, noB string) *enforcementv1.CaseStep {
		return f.step(stepAppoint, "appointed", &assignmentv1.CaseStepDetail{Officers: []*assignmentv1.AppointedOfficer{
			{Subject: a, QualificationNo: noA, Name: "张某"}, {Subject: b, QualificationNo: noB, Name: "李某"}}})
	}
	f.refuses(pair("zhang", "ZF-1", "li", "ZF-1"), "第四十二条")
	f.refuses(pair("zhang", "ZF-1", "zhang", "ZF-2"), "第四十二条")
	f.refuses(pair("zhang@samr-11", "ZF-1", "li@ca-11", "ZF-2"), "samr-11")
	if err := f.try(pair("zhang@samr-11", "ZF-1", "li", "ZF-2")); err != nil {
		t.Fatal(err)
	}
	stranger := f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	f.refuses(stranger, "RequestCaseStep appoint")
}

// A case is extended once, by thirty days, on a basis in words; both dates are kept.
func TestAnExtensionIsWhatTheRuleAllows(t *testing.T) {
	f := appointed(t)
	if _, err := f.officer().RequestCaseStep(t.Context(), &enforcementv1.RequestCaseStepRequest{RequestId: id(), CaseId: f.id, Step: stepExtend, Reason: "案情复杂"}); err != nil {
		t.Fatal(err)
	}
	was := dueTime(t, f)
	f.refuses(f.step(stepExtend, "extended", &assignmentv1.CaseStepDetail{Basis: "第六十四条", ExtendDays: 200}), "第六十条")
	f.refuses(f.step(stepExtend, "extended", &assignmentv1.CaseStepDetail{Basis: "  ", ExtendDays: 30}), "第六十条")
	f.must(stepExtend, "extended", &assignmentv1.CaseStepDetail{Basis: "市场监督管理行政处罚程序规定 第六十四条"})
	for _, k := range f.get().GetClocks() {
		if k.GetClock().GetBasis() != basisDecision {
			continue
		}
		x := k.GetExtensions()
		if len(x) != 1 || x[0].GetDays() != 30 || !x[0].GetBeforeDue().AsTime().Equal(was) {
			t.Errorf("extension %v, want 30 days after %s", x, was)
		}
	}
}

func dueTime(t *testing.T, f *file) time.Time {
	t.Helper()
	for _, k := range f.get().GetClocks() {
		if k.GetClock().GetBasis() == basisDecision {
			return k.GetDueTime().AsTime()
		}
	}
	t.Fatal("no clock of the decision")
	return time.Time{}
}

// More than is owed is not taken.
func TestNoOverpayment(t *testing.T) {
	f := decidedFile(t)
	f.must(stepDeliver, outDelivered, servedVia("direct"))
	wantArticle(t, f.pay(600_001, "P-1", f.now), "600000 fen")
	f.refuses(f.step(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 700_000}, ReceiptNo: "P-2"}), "600000 fen")
	if err := f.pay(600_000, "P-3", f.now); err != nil {
		t.Error(err)
	}
}

func decidedFile(t *testing.T) *file {
	t.Helper()
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.now = f.plan().GetUntil().AsTime()
	f.reviewed()
	f.must(stepSign, outSigned, nil)
	return f
}

// The decision tells of all that the party said, also to a notice before the last.
func TestTheDecisionTellsTheWholeDefence(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actStatement)
	f.now = f.plan().GetUntil().AsTime()
	f.must(stepAnswer, outAdopted, &assignmentv1.CaseStepDetail{Basis: "整改属实", Mended: []string{"penalty"}})
	f.proposed(yuanFine(500_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.now = f.plan().GetUntil().AsTime()
	f.reviewed()
	f.must(stepSign, outSigned, nil)
	f.must(stepDeliver, outDelivered, servedVia("direct"))
	party := f.partyAs(firm)
	html := f.html(t, party, f.served(t, party, docDecision))
	for _, want := range []string{"当事人于2026年3月2日提出陈述、申辩。", "予以采纳", "理由：整改属实。", "当事人在期限内未提出陈述、申辩。"} {
		if !strings.Contains(html, want) {
			t.Errorf("lacks %q:\n%s", want, html)
		}
	}
	if n := strings.Count(html, "送达行政处罚事先告知书"); n != 2 {
		t.Errorf("%d notices are told of", n)
	}
}

// What is decided on the spot says so, and no more; its receipt is drawn.
func TestTheDocumentOnTheSpot(t *testing.T) {
	f := appointed(t)
	p := yuanFine(10_000)
	p.Penalties[0].ListParty, p.Penalties[0].Publish, p.PartyAddress = false, false, "某路一号"
	p.Penalties[0].Kind, p.Penalties[0].Amount, p.Penalties[0].CatalogueCode, p.Penalties[0].Basis = "warning", nil, "consumer_56", "消费者权益保护法 第五十六条"
	f.must(stepInvestigate, outSimple, &assignmentv1.CaseStepDetail{Proposal: p})
	f.must(stepOnspot, outDelivered, &assignmentv1.CaseStepDetail{StatementHeard: true, HearingPlace: "某路一号大厅", Participants: []string{"officer-1", "officer-2"}})
	party := f.partyAs(firm)
	html := f.html(t, party, f.served(t, party, docOnspot))
	for _, want := range []string{"当场行政处罚决定书", "当罚〔2026〕1号", "执法人员签名", "ZF-officer-1", "ZF-officer-2", "地点：某路一号大厅", "时间：2026年3月2日", "地址：某路一号", "《消费者权益保护法》第五十六条"} {
		if !strings.Contains(html, want) {
			t.Errorf("lacks %q:\n%s", want, html)
		}
	}
	for _, bad := range []string{"期限内未提出", "事先告知书"} {
		if strings.Contains(html, bad) {
			t.Errorf("holds %q", bad)
		}
	}
	var receipts int
	if err := f.db.QueryRow(t.Context(), "SELECT count(*) FROM case_document WHERE case_id = $1 AND kind = 'receipt'", f.id).Scan(&receipts); err != nil || receipts != 1 {
		t.Errorf("%d receipts, %v", receipts, err)
	}
	f.sound()
}

func TestLawMarks(t *testing.T) {
	for text, want := range map[string]string{
		"广告法 第六十二条": "《广告法》第六十二条",
		"消费者权益保护法 第二十九条、广告法 第四十三条": "《消费者权益保护法》第二十九条、《广告法》第四十三条",
		"《广告法》第六十二条":               "《广告法》第六十二条",
		"依据丁":                      "依据丁",
	} {
		if got := lawMarks(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestViolated(t *testing.T) {
	t.Parallel()
	const want = "当事人的上述行为违反了《消费者权益保护法》第二十九条、《广告法》第四十三条的规定。"
	if got := lawMarks(violated("消费者权益保护法 第二十九条、广告法 第四十三条")); got != want {
		t.Errorf("the reasons of a decision: %s, want %s", got, want)
	}
	if got, want := lawMarks(violated("")), "当事人的上述行为违反了有关法律、法规的规定。"; got != want {
		t.Errorf("the reasons without provisions: %s, want %s", got, want)
	}
}
