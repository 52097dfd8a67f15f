package workflows

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// facts is a reporting service that knows one complaint.
type facts struct {
	reportingv1.ReportingServiceClient
	known *reportingv1.GetFactsResponse
}

func (f facts) GetFacts(context.Context, *reportingv1.GetFactsRequest, ...grpc.CallOption) (*reportingv1.GetFactsResponse, error) {
	return f.known, nil
}

// TestWhatTheLedgerIsTold: the first substantiated call of a marketing or harassing number, and nothing of forged numbers,
// criminal matters and what was not substantiated.
func TestWhatTheLedgerIsTold(t *testing.T) {
	first := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	report := func(days int, finding string, withdrawn bool) *reportingv1.ReportFacts {
		return &reportingv1.ReportFacts{Report: &reportingv1.Report{
			CallTime: timestamppb.New(first.AddDate(0, 0, days)), Finding: finding, Withdrawn: withdrawn, ReporterProvince: "33",
		}}
	}
	for _, c := range []struct {
		name   string
		result string
		change func(*reportingv1.Complaint)
		told   bool
		scheme string
	}{
		{"marketing", substantiated, func(*reportingv1.Complaint) {}, true, ""},
		{"harassment", substantiated, func(c *reportingv1.Complaint) { c.Category = malicious }, true, ""},
		{"a 96 code", substantiated, func(c *reportingv1.Complaint) { c.Number = &commonv1.Number{Normal: "96123", Kind: "code96"} }, true, "33"},
		{"not substantiated", notSubstantiated, func(*reportingv1.Complaint) {}, false, ""},
		{"criminal", substantiated, func(c *reportingv1.Complaint) { c.Category = criminal }, false, ""},
		{"found forged", substantiated, func(c *reportingv1.Complaint) { c.Forged = true }, false, ""},
		{"forged by its form", substantiated, func(c *reportingv1.Complaint) {
			c.Number = &commonv1.Number{Normal: "+8695588", Kind: "code95_spoofed"}
		}, false, ""},
	} {
		w := newWorld()
		complaint := &reportingv1.Complaint{Number: &commonv1.Number{Normal: "95202101", Kind: "code95_callcentre"}, Category: commercial, Sector: "loans"}
		c.change(complaint)
		a := w.activities()
		a.Reporting = facts{known: &reportingv1.GetFactsResponse{Complaint: complaint, Reports: []*reportingv1.ReportFacts{
			report(3, substantiated, false), report(1, substantiated, false), report(0, notSubstantiated, false), report(-1, substantiated, true),
		}}}
		err := a.observe(t.Context(), &reportingv1.RecordFindingsRequest{
			RequestId: "r", ComplaintId: "c", Findings: []*reportingv1.Finding{{Result: c.result}},
		})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if (len(w.observed) == 1) != c.told {
			t.Errorf("%s: told %v", c.name, w.observed)
			continue
		}
		if c.told && (!w.observed[0].GetCallTime().AsTime().Equal(first.AddDate(0, 0, 1)) || w.observed[0].GetScheme() != c.scheme) {
			t.Errorf("%s: told %v", c.name, w.observed[0])
		}
	}
}
