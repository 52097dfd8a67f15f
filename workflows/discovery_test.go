package workflows

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// The first report that was substantiated discovers the act, also when it was filed after one that was not; the calls of
// the substantiated ones are the act's span.
func TestDiscovered(t *testing.T) {
	day := func(n int) *timestamppb.Timestamp {
		return timestamppb.New(time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC))
	}
	report := func(filed, call int, finding string) *reportingv1.ReportFacts {
		return &reportingv1.ReportFacts{Report: &reportingv1.Report{FiledTime: day(filed), CallTime: day(call), Finding: finding}}
	}
	f := &reportingv1.GetFactsResponse{
		Complaint: &reportingv1.Complaint{Number: &commonv1.Number{Normal: "95202101", Kind: "code95_callcentre"}},
		Reports:   []*reportingv1.ReportFacts{report(2, 1, notSubstantiated), report(9, 8, substantiated), report(5, 4, substantiated), report(7, 3, substantiated)},
	}
	req := &enforcementv1.OpenCaseRequest{}
	tellDiscovery(req, f)
	if !req.GetDiscoveryTime().AsTime().Equal(day(5).AsTime()) || req.GetDiscoveryBasis() == "" ||
		!req.GetActBeginTime().AsTime().Equal(day(3).AsTime()) || !req.GetActEndTime().AsTime().Equal(day(8).AsTime()) {
		t.Errorf("discovered: %v", req)
	}
	if !slices.Equal(req.GetNumbers(), []string{"95202101"}) {
		t.Errorf("numbers: %v", req.GetNumbers())
	}
	f.Complaint.Forged = true
	forgedOne := &enforcementv1.OpenCaseRequest{}
	if tellDiscovery(forgedOne, f); len(forgedOne.GetNumbers()) != 0 {
		t.Error("a forged number stands for its holder")
	}
}

// What is substantiated is told to enforcement with the agency that leads.
func TestFound(t *testing.T) {
	w := newWorld()
	a := w.activities()
	a.Reporting = facts{known: &reportingv1.GetFactsResponse{Complaint: &reportingv1.Complaint{
		Category: criminal, Number: &commonv1.Number{Normal: "95202101"},
		Participations: []*reportingv1.Participation{
			{AgencyId: "ca-44", Part: "co"}, {AgencyId: "moe-44", Part: "lead", UntilTime: timestamppb.Now()}, {AgencyId: "nfra-44", Part: "lead"},
		},
	}}}
	for _, result := range []string{notSubstantiated, substantiated} {
		err := a.observe(t.Context(), &reportingv1.RecordFindingsRequest{RequestId: "r", ComplaintId: "c", Round: 2, Findings: []*reportingv1.Finding{{Result: result}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(w.found) != 1 || w.found[0].GetAgencyId() != "nfra-44" || w.found[0].GetRound() != 2 || w.found[0].GetSettled() != "" {
		t.Errorf("told: %v", w.found)
	}
}
