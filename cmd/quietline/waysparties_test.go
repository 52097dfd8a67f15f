package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// paidAndClosed says whether somebody was fined, and paid.
func paidAndClosed(v *caseView) bool {
	return v.GetCase().GetState() == stateClosed && v.events("confirm_performance", "performed") > 0 && len(v.GetCase().GetPenalties()) > 0
}

// reportedCode is a code that the licensed operator of Guangdong holds, and a report about it.
type reportedCode struct{ number, receipt, secret string }

// fileCodes allocates codes to a licensed operator and reports each.
func (m *testMesh) fileCodes(t *testing.T, d *driver) (out []reportedCode) {
	t.Helper()
	const agency, many = "ca-44", 5
	if err := d.license(t.Context(), agency); err != nil {
		t.Fatal(err)
	}
	ledger, firm := ledgerv1.NewLedgerServiceClient(m.as(t, "REGISTRAR@"+agency)), licensee(agency)
	h, err := ledger.RegisterHolder(t.Context(), &ledgerv1.RegisterHolderRequest{RequestId: uuid.NewString(), Holder: &ledgerv1.Holder{
		Name: firm.GetName(), CreditCode: firm.GetCreditCode(), Sector: "telecom",
	}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range many {
		number := fmt.Sprintf("400920790%d", n)
		_, err := ledger.AllocateResource(t.Context(), &ledgerv1.AllocateResourceRequest{
			RequestId: uuid.NewString(), HolderId: h.GetHolder().GetHolderId(), Scheme: "national", FirstNumber: number, AccessProvince: "44",
			Purpose: "customer_service", AccessOperatorId: "cmcc-44", Basis: "样例核配文件", Evidence: []string{"样例审查材料"},
			ValidFrom: timestamppb.New(time.Now().AddDate(0, -1, 0)),
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321")).FileReport(t.Context(), &reportingv1.FileReportRequest{
			RequestId: uuid.NewString(), SenderNo: fmt.Sprintf("CODE-%03d", n), Channel: "phone", ReporterNumber: fmt.Sprintf("1390001%04d", n),
			DisplayedNumber: number, CallTime: timestamppb.New(yesterday()), ReportedType: "电信业务", ReporterProvince: "44",
			Text: "推销宽带套餐,手机流量套餐升级,自称运营商客服",
		})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, reportedCode{number, r.GetReceipt(), r.GetSecret()})
	}
	return out
}

// publicEntry is what is public of the entry of the licensee's case; nil before.
func (m *testMesh) publicEntry(t *testing.T, d *driver) *disclosurev1.Publication {
	t.Helper()
	for _, v := range d.cases.byCase {
		if id := v.listing.GetPublicationId(); id != "" {
			p, err := disclosurev1.NewDisclosureServiceClient(m.as(t, "")).GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{PublicationId: id})
			if err != nil {
				t.Fatal(err)
			}
			return p.GetPublication()
		}
	}
	return nil
}

// checkLicensee: the penalty of a licensed operator by its communications administration brings it onto the bad list within
// thirty days, the public reads the six fields and every subscriber the change; when the decision falls all of it is taken back.
// Nobody else's penalty makes a telecom entry.
func (m *testMesh) checkLicensee(t *testing.T, views []*caseView, public *disclosurev1.Publication) {
	t.Helper()
	firm := licensee("ca-44")
	if public.GetState() != "LIVE" || public.GetPartyName() != firm.GetName() || public.GetCreditCode() != firm.GetCreditCode() ||
		public.GetLicenceNo() != "B2-44-DRIVE" || public.GetGround() == "" || public.GetAgencyName() == "" || !strings.Contains(public.GetSummary(), "处理日期") {
		t.Errorf("the public read %v", public)
	}
	subscriber := creditv1.NewCreditServiceClient(m.as(t, "CASEWORKER@samr-44"))
	listed, err := creditv1.NewCreditServiceClient(m.as(t, "LEAD@miit")).ListListings(t.Context(), &creditv1.ListListingsRequest{PageSize: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range listed.GetListings() {
		if l.GetCreditCode() != firm.GetCreditCode() {
			t.Errorf("a telecom entry of who is no licensed operator: %v", l)
		}
	}
	for _, v := range views {
		if !taken[wayLicensee](v) {
			continue
		}
		i := slices.IndexFunc(listed.GetListings(), func(l *creditv1.Listing) bool { return l.GetCaseId() == v.id() })
		if i < 0 {
			t.Fatalf("case %s made no entry: %v", v.id(), listed.GetListings())
		}
		l := listed.GetListings()[i]
		if entered := l.GetStartTime().AsTime(); l.GetList() != "bad" || l.GetState() != "WITHDRAWN" || entered.After(l.GetEntryDue().AsTime()) {
			t.Errorf("entry: %v", l)
		}
		m.followsTo(t, subscriber, l.GetListingId(), "LISTED")
		m.followsTo(t, subscriber, l.GetListingId(), "WITHDRAWN")
		p, err := disclosurev1.NewDisclosureServiceClient(m.as(t, "")).GetPublication(t.Context(),
			&disclosurev1.GetPublicationRequest{PublicationId: public.GetPublicationId()})
		if err != nil || p.GetPublication().GetState() != "WITHDRAWN" {
			t.Errorf("the entry's publication after the reversal: %v, %v", p, err)
		}
		return
	}
}

// checkPersons: who calls without evidence of employment stays an individual, within the bands for individuals and the limit of
// the simplified procedure, and is on no public page.
func (m *testMesh) checkPersons(t *testing.T, views []*caseView) {
	t.Helper()
	const simplifiedMost, bandMost = 200 * yuan, 150_000 * yuan // 行政处罚法 51; 30 % of the span of 消费者权益保护法 56
	disclosed := disclosurev1.NewDisclosureServiceClient(m.as(t, ""))
	for _, v := range views {
		if !v.GetCase().GetParty().GetPerson() || !paidAndClosed(v) {
			continue
		}
		most := int64(bandMost)
		if v.GetCase().GetProcedure() == "simplified" {
			most = simplifiedMost
		}
		if fine := v.GetCase().GetPenalties()[0].GetAmount().GetFen(); fine <= 0 || fine > most {
			t.Errorf("case %s: a person is fined %d fen, %d at most", v.id(), fine, most)
		}
		_, err := disclosed.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{Kind: "penalty", CaseId: v.id()})
		if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) {
			t.Errorf("case %s of a person is public: %v", v.id(), err)
		}
	}
}

// checkCodes: what was suspended on the finding of a decision that fell is back in the ledger by the act of who ordered it, the
// operator has restored the service, and the reporters read of the reversal; other orders stand. Dismissed appeals are deducted
// and contested by both sides.
func (m *testMesh) checkCodes(t *testing.T, views []*caseView, reported []reportedCode) {
	t.Helper()
	restored := slices.ContainsFunc(views, func(v *caseView) bool { return taken[wayLicensee](v) && v.events("restore", "restored") > 0 })
	if !restored {
		t.Error("no operator restored a service after a reversal")
	}
	ledger := ledgerv1.NewLedgerServiceClient(m.as(t, "CASEWORKER@ca-44"))
	back, told := 0, 0
	for _, c := range reported {
		held, err := ledger.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: c.number})
		if err != nil {
			t.Fatal(err)
		}
		r, err := ledger.GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: held.GetResource().GetResourceId()})
		if err != nil {
			t.Fatal(err)
		}
		if e := r.GetEvents()[len(r.GetEvents())-1]; e.GetReasonCode() == "decision_reversed" {
			if back++; e.GetState() != "ACTIVE" || !strings.HasSuffix(e.GetDoneBy(), "ca-44") {
				t.Errorf("%s after the reversal: %v", c.number, e)
			}
		}
		track, err := reportingv1.NewReportingServiceClient(m.as(t, "")).TrackReport(t.Context(), &reportingv1.TrackReportRequest{Receipt: c.receipt, Secret: c.secret})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(track.GetResult(), "撤销") {
			told++
		}
	}
	if back == 0 || told == 0 {
		t.Errorf("%d codes are back by the reversal, %d reporters read of it", back, told)
	}
	m.checkDeductions(t)
}

func (m *testMesh) checkDeductions(t *testing.T) {
	t.Helper()
	r, err := ledgerv1.NewLedgerServiceClient(m.as(t, "LEAD@miit")).ListDeductions(t.Context(), &ledgerv1.ListDeductionsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	granted, contested := 0, 0
	for _, x := range r.GetDeductions() {
		for _, a := range x.GetActs() {
			switch a.GetAct() {
			case "granted":
				granted++
			case "contested":
				contested++
			}
		}
		if x.GetComplaintId() == "" || x.GetDispositionTaskId() == "" || x.GetSubstantiated() == 0 {
			t.Errorf("a deduction without what caused it: %v", x)
		}
	}
	if granted == 0 || contested == 0 {
		t.Errorf("%d deductions granted, %d contested: %v", granted, contested, r.GetDeductions())
	}
}
