package workflows

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// tellDiscovery fills in what a complaint's reports say of the act that a case is about: it was discovered by the first
// report that was substantiated later (行政处罚法 36), and lasted from the first substantiated call to the last one known.
// Numbers go from owner to owner and into no history. A forged number says nothing of who used it.
func tellDiscovery(req *enforcementv1.OpenCaseRequest, f *reportingv1.GetFactsResponse) {
	for _, r := range f.GetReports() {
		report := r.GetReport()
		if report.GetFinding() != substantiated || report.GetWithdrawn() {
			continue
		}
		filed := report.GetFiledTime()
		if filed == nil {
			filed = report.GetReceivedTime()
		}
		req.DiscoveryTime = firstOf(req.GetDiscoveryTime(), filed)
		req.ActBeginTime = firstOf(req.GetActBeginTime(), report.GetCallTime())
		req.ActEndTime = lastOf(req.GetActEndTime(), report.GetCallTime())
	}
	if req.GetDiscoveryTime() != nil {
		req.DiscoveryBasis = "首个查实举报的提交时间"
	}
	c := f.GetComplaint()
	if n := c.GetNumber(); !c.GetForged() && !spoofed(n.GetKind()) && digits(n.GetNormal()) {
		req.Numbers = append(req.Numbers, n.GetNormal())
	}
}

func firstOf(a, b *timestamppb.Timestamp) *timestamppb.Timestamp {
	if a == nil || b != nil && b.AsTime().Before(a.AsTime()) {
		return b
	}
	return a
}

func lastOf(a, b *timestamppb.Timestamp) *timestamppb.Timestamp {
	if a == nil || b != nil && b.AsTime().After(a.AsTime()) {
		return b
	}
	return a
}

// found tells enforcement that a complaint was substantiated: until a case, a measure or a reason follows it stands on the
// daily list of the agency that leads (有案必查、查实必罚).
func (a *Activities) found(ctx context.Context, m *reportingv1.RecordFindingsRequest, c *reportingv1.Complaint) error {
	_, err := a.Enforcement.RecordFinding(ctx, &enforcementv1.RecordFindingRequest{
		RequestId: derived(m.GetRequestId() + "/found"), ComplaintId: m.GetComplaintId(), Round: m.GetRound(),
		AgencyId: orElse(leadOf(c), leadMinistry), TaskId: m.GetTaskId(),
	})
	return unless(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED) // the lead changed between two tries
}

// leadOf is the agency that leads a complaint now.
func leadOf(c *reportingv1.Complaint) string {
	lead := ""
	for _, p := range c.GetParticipations() {
		if p.GetPart() == "lead" && p.GetUntilTime() == nil {
			lead = p.GetAgencyId()
		}
	}
	return lead
}

// settledBy are the results by which a substantiated finding ends without a case or a measure.
var settledBy = map[string]string{noMeasure: "no_measure", transferred: "transferred", withdrawn: "superseded"}

// settleFinding tells enforcement how a finding ended; other results than those say nothing of it.
func (a *Activities) settleFinding(ctx context.Context, id string, round int32, how string) error {
	if how == "" {
		return nil
	}
	_, err := a.Enforcement.RecordFinding(ctx, &enforcementv1.RecordFindingRequest{
		RequestId: derived(complaintID(id, round) + "/settled/" + how), ComplaintId: id, Round: round, AgencyId: leadMinistry, Settled: how,
	})
	return err
}
