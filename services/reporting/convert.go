package reporting

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// stamp is a time that may be absent.
func stamp(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}

// numberOf is the number of a complaint, or a report's own where that is another.
func numberOf(c *store.Complaint, own, displayed string, clear bool) *commonv1.Number {
	n := &commonv1.Number{
		Displayed: displayed, Normal: c.NumberNormal, Kind: c.NumberKind, Province: c.NumberProvince,
		AllocatedCarrier: c.NumberCarrier, Reason: c.NumberReason,
	}
	if own != "" {
		n = phone.Parse(own)
		n.Displayed = displayed
	} else if p := phone.Parse(n.GetNormal()); p.GetKind() == n.GetKind() {
		n.City, n.Organization, n.Resale = p.GetCity(), p.GetOrganization(), p.GetResale()
		if p.GetProvince() == n.GetProvince() {
			n.PlaceBasis = p.GetPlaceBasis()
		}
	}
	if !clear {
		n.Normal = phone.Mask(n.GetNormal())
		n.Displayed = n.GetNormal() // as displayed it would tell what the mask hides
		n.City = ""                 // and so would the city, which has few of a segment's blocks
	}
	return n
}

func complaintOf(c *store.Complaint, reports int32, parties []store.ComplaintParty, clear bool) *reportingv1.Complaint {
	m := &reportingv1.Complaint{
		ComplaintId: c.ComplaintID, State: c.State, Round: c.Round, Stage: c.Stage, Number: numberOf(c, "", c.Displayed, clear),
		ReportCount: reports, Category: c.Category, Sector: c.Sector, DueTime: stamp(c.DueTime),
		ReceivedTime: timestamppb.New(c.CreatedAt), WatchUntil: stamp(c.WatchUntil), ClosedTime: stamp(c.ClosedTime),
		Result: c.Result, Forged: c.Forged, RegionSource: c.RegionSource, Disclosure: c.Disclosure, Origin: c.Origin,
	}
	m.HolderId = c.Holder
	if c.MergedInto != nil {
		m.MergedIntoComplaintId = *c.MergedInto
	}
	if c.PreviousComplaintID != nil {
		m.PreviousComplaintId = *c.PreviousComplaintID
	}
	for _, p := range parties {
		m.Participations = append(m.Participations, &reportingv1.Participation{
			AgencyId: p.AgencyID, Part: p.Part, SinceTime: timestamppb.New(p.SinceTime), UntilTime: stamp(p.UntilTime),
		})
	}
	return m
}

func reportOf(r *store.Report, c *store.Complaint, clear bool) *reportingv1.Report {
	m := &reportingv1.Report{
		ReportId: r.ReportID, Receipt: r.Receipt, ComplaintId: r.ComplaintID, Sender: r.Sender, SenderNo: r.SenderNo,
		Channel: r.Channel, Number: numberOf(c, r.NumberNormal, r.Displayed, clear), CallTime: timestamppb.New(r.CallTime),
		DurationSeconds: r.DurationSeconds, Method: r.Method, ReportedType: r.ReportedType, Company: r.Company,
		ReporterProvince: r.ReporterProvince, Consent: reportingv1.Consent(r.Consent), Verified: r.Verified,
		FiledTime: timestamppb.New(r.FiledTime), ReceivedTime: timestamppb.New(r.CreatedAt), Stage: c.Stage,
		Finding: r.Finding, Withdrawn: r.WithdrawnAt != nil, Category: r.Category, Sector: r.Sector,
	}
	if r.SameCallAs != nil {
		m.SameCallAs = *r.SameCallAs
	}
	return m
}

func quarantinedOf(e store.EntryByIDRow) *reportingv1.Quarantined {
	m := &reportingv1.Quarantined{
		QuarantineId: e.QuarantineID, Sender: e.Sender, SenderNo: e.SenderNo, Fate: fates[e.Fate], Field: e.Field, Reason: e.Reason,
		State: e.State, ReceivedTime: timestamppb.New(e.CreatedAt),
	}
	if e.ReportID != nil {
		m.ReportId = *e.ReportID
	}
	return m
}
