package workflows

import (
	"context"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

const malicious = "malicious" // 恶意骚扰类

// observe tells the ledger what substantiated reports showed of a number, so that it can hold it against what is declared.
// A forged number says nothing of its true holder, and of a criminal matter the holder must not hear. The number goes from
// owner to owner and into no history.
func (a *Activities) observe(ctx context.Context, m *reportingv1.RecordFindingsRequest) error {
	if !slices.ContainsFunc(m.GetFindings(), func(f *reportingv1.Finding) bool { return f.GetResult() == substantiated }) {
		return nil
	}
	f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: m.GetComplaintId(), MaxReports: maxNamed})
	if err != nil {
		return err
	}
	c := f.GetComplaint()
	if err := a.found(ctx, m, c); err != nil {
		return err
	}
	number, call := c.GetNumber(), firstSubstantiated(f.GetReports())
	marketing := c.GetCategory() == commercial
	if c.GetForged() || spoofed(number.GetKind()) || !digits(number.GetNormal()) || call == nil || !marketing && c.GetCategory() != malicious {
		return nil
	}
	req := &ledgerv1.RecordObservationRequest{
		RequestId: derived(m.GetRequestId() + "/observation"), ComplaintId: m.GetComplaintId(),
		Number: number.GetNormal(), CallTime: call, Category: c.GetCategory(), Sector: c.GetSector(),
		Scheme: schemeOf(number, mostReporters(f.GetReports())),
	}
	if code, _, ok := phone.Local96(number.GetNormal()); ok { // as in resource
		req.Number = code
	}
	_, err = a.Ledger.RecordObservation(ctx, req)
	// the facts changed between two tries: the first one stands; or it is no number that the ledger could have
	return unless(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
}

// firstSubstantiated is the first call of the reports that were found substantiated; nil when there is none.
func firstSubstantiated(reports []*reportingv1.ReportFacts) *timestamppb.Timestamp {
	var first *timestamppb.Timestamp
	for _, r := range reports {
		t := r.GetReport().GetCallTime()
		if r.GetReport().GetFinding() != substantiated || r.GetReport().GetWithdrawn() || t == nil {
			continue
		}
		if first == nil || t.AsTime().Before(first.AsTime()) {
			first = t
		}
	}
	return first
}
