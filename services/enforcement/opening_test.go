package enforcement

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

func headsOpen(t *testing.T, f *file) {
	t.Helper()
	_, err := testkit.Owner(t, f.db).Exec(t.Context(), `INSERT INTO opening_policy (agency_id, wanted, source, to_confirm, valid_from)
		VALUES ('samr', true, '市场监督管理行政处罚程序规定 第十八条', true, '2021-07-15')`)
	if err != nil {
		t.Fatal(err)
	}
}

// Where the agency's policy says so its head opens the case, and the ninety days begin with that.
func TestTheHeadOpensACase(t *testing.T) {
	f := newFile(t, nil)
	if f.task(stepAppoint) == nil {
		t.Error("by default the signed handling has opened it")
	}
	headsOpen(t, f)
	f.open(func(r *enforcementv1.OpenCaseRequest) { r.Act = "calls_after_refusal" })
	f.effects()
	if task := f.task(stepOpen); task.GetRole() != accessv1.Role_ROLE_HEAD || task.GetBasis() != "open_15wd" || f.task(stepAppoint) != nil {
		t.Fatalf("the plan: %v", f.plan())
	}
	f.sound()
	f.guards(f.forge(investigating, stepAppoint, "appointed", "head"), "第四十二条")
	f.refuses(f.step(stepAppoint, "appointed", officersNamed("officer-1", "officer-2")), "")
	f.later(9 * day)
	f.must(stepOpen, outOpened, nil)
	if due := f.get().GetCase().GetDecisionDue().AsTime().Format(time.DateOnly); due != "2026-06-09" {
		t.Errorf("ninety days from the opening on 2026-03-11: %s", due)
	}
	f.guards(f.forge(opened, stepOpen, outOpened, "head"), "第五十四条")
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	f.wants(investigating)
	f.sound()
}

// A case that the head does not open ends, and the reporters are told.
func TestACaseThatIsNotOpened(t *testing.T) {
	f := newFile(t, nil)
	f.guards(f.forge(closed, stepOpen, outNotOpened, "head"), "第五十四条") // the default has no such step
	headsOpen(t, f)
	f.open(func(r *enforcementv1.OpenCaseRequest) { r.Act = "calls_after_refusal" })
	f.effects()
	f.refuses(f.step(stepOpen, outNotOpened, nil), "reason_code")
	f.must(stepOpen, outNotOpened, &assignmentv1.CaseStepDetail{Basis: "违法行为轻微"})
	f.wants(closed)
	for _, e := range f.plan().GetEffects() {
		if e.GetKind() == effTell && e.GetFacts()["outcome"] != "no_penalty" {
			t.Errorf("told: %v", e)
		}
	}
	if kinds := strings.Join(f.effects(), " "); kinds != effTell {
		t.Errorf("effects: %s", kinds)
	}
	if p := f.plan(); !p.GetEnded() || p.GetOutcome() != "no_penalty" || f.running() != "" {
		t.Errorf("at the end: %v, %s", p, f.running())
	}
	f.sound()
}

// While the police have a case the party hears nothing of it before they agree; what it writes by itself is taken in.
func TestThePoliceAgreeToService(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	if err := f.request(stepApprove); err != nil {
		t.Fatal(err)
	}
	drawn, err := f.officer().DrawDocument(t.Context(), &enforcementv1.DrawDocumentRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Kind: docReminder, Facts: &enforcementv1.DocumentFacts{Facts: "收到多件举报", Orders: []string{"请规范营销电话行为"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.must(stepApprove, outApproved, &assignmentv1.CaseStepDetail{AgencyId: "mps-11"})
	f.must(stepSend, "sent", &assignmentv1.CaseStepDetail{ReceiptNo: "公移〔2026〕1号"})
	f.wants(stateTransferred)
	_, err = f.partyAs(firm).ConsentToElectronicDelivery(t.Context(), &enforcementv1.ConsentToElectronicDeliveryRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Address: "legal@example.com",
	})
	if err != nil {
		t.Errorf("the party consents to electronic delivery: %v", err)
	}
	serve := func() error {
		_, err := f.officer().RecordDelivery(t.Context(), &enforcementv1.RecordDeliveryRequest{
			RequestId: uuid.NewString(), DocumentId: drawn.GetDocument().GetDocumentId(), Method: "direct", Served: true, ServedTime: timestamppb.New(f.now),
		})
		return err
	}
	wantArticle(t, serve(), "第九条、第十条")
	agree := func(agency string) error {
		_, err := f.as("policeman", agency, accessv1.Role_ROLE_CASEWORKER).AgreeToService(t.Context(), &enforcementv1.AgreeToServiceRequest{
			RequestId: uuid.NewString(), CaseId: f.id, DocumentNo: "公函〔2026〕3号",
		})
		f.later(time.Minute)
		return err
	}
	wantReason(t, agree("mps-44"), commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	wantReason(t, agree("samr-11"), commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	f.guards(f.forge(stateTransferred, logAgreed, "", "officer-1"), "第二十七条")
	for range 2 {
		if err := agree("mps-11"); err != nil {
			t.Fatal(err)
		}
	}
	if err := serve(); err != nil {
		t.Errorf("the police agree: %v", err)
	}
	f.sound()
}

// With a case its clocks end: nobody is late in it any more, but the party's time for remedies goes on.
func TestClocksEndWithTheirCase(t *testing.T) {
	f := newFile(t, telecom)
	f.proposed(largeFine(50_000_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actHearingRequest)
	f.must(stepAnnounce, "announced", hearingAt(f.now.AddDate(0, 0, 14), "chair"))
	if strings.Contains(f.running(), basisHearingNotice) {
		t.Errorf("the hearing is announced: %s", f.running())
	}
	agency := f.get().GetCase().GetAgencyId()
	_, err := f.as("officer-1", agency, accessv1.Role_ROLE_CASEWORKER).RequestCaseStep(t.Context(), &enforcementv1.RequestCaseStepRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Step: stepApprove, Reason: "涉嫌犯罪",
	})
	if err != nil {
		t.Fatal(err)
	}
	f.later(time.Minute)
	f.must(stepApprove, outApproved, &assignmentv1.CaseStepDetail{AgencyId: "mps-11"})
	f.must(stepSend, "sent", &assignmentv1.CaseStepDetail{ReceiptNo: "公移〔2026〕1号"})
	f.effects()
	f.must(stepPolice, outAccepted, nil)
	f.must(stepPoliceEnd, outCrime, nil)
	f.wants(closed)
	f.now = f.now.AddDate(1, 0, 0)
	late, err := f.as("officer-1", agency, accessv1.Role_ROLE_CASEWORKER).ForecastClocks(t.Context(), &enforcementv1.ForecastClocksRequest{Days: 30})
	if err != nil || len(late.GetClocks()) != 0 || f.running() != "" {
		t.Errorf("of a closed case: %v, %v, %s", late, err, f.running())
	}
	f.sound()
	g := newFile(t, nil)
	g.delivered(yuanFine(600_000))
	g.must(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 600_000}, ReceiptNo: "P-1"})
	if got := g.running(); got != basisReconsider+" "+basisLitigate && got != basisLitigate+" "+basisReconsider {
		t.Errorf("the party's time for remedies: %s", got)
	}
	g.sound()
}
