package workflows

import (
	"context"
	"slices"
	"strings"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// maxClassified reports of a complaint are read for its class, the newest first.
const maxClassified = 200

// Triage begins a round and has the rules look at its reports: are they to be taken, what are they about, whose number was
// it at the first call, who acts. Texts and numbers are read here and stay here; only codes go back into the workflow.
func (a *Activities) Triage(ctx context.Context, id string, in *caseworkv1.ComplaintInput) (*caseworkv1.Triage, error) {
	began, err := a.Reporting.BeginRound(ctx, &reportingv1.BeginRoundRequest{
		RequestId: derived(id + "/begin"), ComplaintId: in.GetComplaintId(), Round: in.GetRound(),
	})
	if err != nil {
		return nil, err
	}
	t := &caseworkv1.Triage{
		Current: began.GetCurrent(), FirstCallTime: began.GetFirstCallTime(), BeganTime: began.GetBeganTime(),
		ToLead: began.GetToLead(), Reopened: began.GetReopened(), UnverifiedOnly: began.GetUnverifiedOnly(),
	}
	if !began.GetCurrent() {
		return t, nil
	}
	f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: in.GetComplaintId(), MaxReports: maxClassified})
	if err != nil {
		return nil, err
	}
	t.Verdict = verdict(f)
	if t.GetVerdict() == withdrawn {
		return t, nil
	}
	return t, a.known(ctx, id, in, f, t)
}

// known fills in what number, ledger, classifier and routing table say.
func (a *Activities) known(ctx context.Context, id string, in *caseworkv1.ComplaintInput, f *reportingv1.GetFactsResponse, t *caseworkv1.Triage) error {
	number := f.GetComplaint().GetNumber()
	t.Reports = f.GetComplaint().GetReportCount()
	t.NumberKind, t.NumberProvince = number.GetKind(), number.GetProvince()
	t.ReportersProvince = mostReporters(f.GetReports())
	t.Forged = spoofed(number.GetKind()) || f.GetComplaint().GetForged()
	sector := ""
	if !t.GetForged() { // a forged number says nothing about its true holder
		holder, err := a.lookUp(ctx, number, t)
		if err != nil {
			return err
		}
		sector = holder.GetSector()
		if err := a.serving(ctx, number, t); err != nil {
			return err
		}
	}
	if err := a.classify(ctx, id, in, f, t, sector); err != nil {
		return err
	}
	if !t.GetConfident() {
		return nil
	}
	var err error
	t.Route, err = a.Route(ctx, routing{ToLead: t.GetToLead(), Request: &assignmentv1.RouteRequest{
		Category: t.GetCategory(), Sector: t.GetSector(), NumberKind: t.GetNumberKind(), AccessProvince: t.GetAccessProvince(),
		NumberProvince: t.GetNumberProvince(), ReportersProvince: t.GetReportersProvince(),
		OperatorId: t.GetServingOperatorId(), PartyAgencyId: t.GetPartyAgencyId(), OtherSectors: t.GetOtherSectors(),
	}})
	return err
}

// verdict is acceptance by rules: what says nothing at all goes to a person.
func verdict(f *reportingv1.GetFactsResponse) string {
	if f.GetAllWithdrawn() {
		return withdrawn
	}
	for _, r := range f.GetReports() {
		if !r.GetReport().GetWithdrawn() && (r.GetText() != "" || r.GetReport().GetReportedType() != "") {
			return "accept"
		}
	}
	return "unsure"
}

// lookUp asks the ledger whose number it was at the first call. No entry is the normal case for mobiles.
func (a *Activities) lookUp(ctx context.Context, n *commonv1.Number, t *caseworkv1.Triage) (*ledgerv1.Holder, error) {
	if !digits(n.GetNormal()) {
		return nil, nil
	}
	req := &ledgerv1.LookupNumberRequest{Number: n.GetNormal(), At: t.GetFirstCallTime()}
	if n.GetKind() == "code96" { // every province gives these out anew
		req.Scheme = orElse(n.GetProvince(), t.GetReportersProvince())
	}
	resp, err := a.Ledger.LookupNumber(ctx, req)
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := resp.GetResource()
	t.ResourceId, t.HolderId = r.GetResourceId(), r.GetHolder().GetHolderId()
	t.AccessProvince, t.PartyAgencyId = r.GetAccessProvince(), r.GetHolder().GetAgencyId()
	// An operator that the directory does not have, or no longer, can be given no task.
	access, err := a.agency(ctx, r.GetAccessOperatorId())
	if err == nil && access.GetAssignable() {
		t.AccessOperatorId = access.GetAgencyId()
	}
	return r.GetHolder(), err
}

// serving is the operator that serves the number: the access operator of the ledger, else the segment's owner in the
// number's province. That is by plan; the number may be ported, which its check will say.
func (a *Activities) serving(ctx context.Context, n *commonv1.Number, t *caseworkv1.Triage) error {
	t.ServingOperatorId = t.GetAccessOperatorId()
	if t.GetServingOperatorId() != "" || n.GetAllocatedCarrier() == "" {
		return nil
	}
	for _, id := range []string{n.GetAllocatedCarrier() + "-" + n.GetProvince(), n.GetAllocatedCarrier()} {
		operator, err := a.agency(ctx, strings.TrimSuffix(id, "-"))
		if err != nil {
			return err
		}
		if operator.GetAssignable() {
			t.ServingOperatorId = operator.GetAgencyId()
			return nil
		}
	}
	return nil
}

// classify has every report classified by itself and writes that down; the complaint's class is the weighted majority.
func (a *Activities) classify(ctx context.Context, id string, in *caseworkv1.ComplaintInput, f *reportingv1.GetFactsResponse, t *caseworkv1.Triage, holderSector string) error {
	req := &assignmentv1.ClassifyRequest{}
	var ids []string
	for _, r := range f.GetReports() {
		if r.GetReport().GetWithdrawn() {
			continue
		}
		ids = append(ids, r.GetReport().GetReportId())
		req.Items = append(req.Items, &assignmentv1.ClassifyItem{
			Text: r.GetText(), Company: r.GetReport().GetCompany(), ReportedType: r.GetReport().GetReportedType(),
			NumberKind: t.GetNumberKind(), HolderSector: holderSector,
		})
	}
	if len(ids) == 0 {
		return nil
	}
	resp, err := a.Assignment.Classify(ctx, req)
	if err != nil {
		return err
	}
	record := &reportingv1.RecordClassificationRequest{
		RequestId: derived(id + "/classify"), ComplaintId: in.GetComplaintId(), Round: in.GetRound(),
	}
	for i, c := range resp.GetClasses() {
		record.Reports = append(record.Reports, &reportingv1.ReportClass{
			ReportId: ids[i], Category: c.GetCategory(), Sector: c.GetSector(), Confidence: c.GetConfidence(),
		})
	}
	majority(resp, t)
	record.Category, record.Sector = t.GetCategory(), t.GetSector()
	_, err = a.Reporting.RecordClassification(ctx, record)
	// Reports that joined between two tries change what is classified; the first record stands.
	return unless(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)
}

// class adds up what reports say for one category and sector.
type class struct {
	category, sector string
	weight           float64
	best             float64
}

// majority is the class that weighs most, and the other sectors above a fifth. It is certain when its best report is.
func majority(resp *assignmentv1.ClassifyResponse, t *caseworkv1.Triage) {
	var classes []class
	total := 0.0
	for _, c := range resp.GetClasses() {
		if c.GetCategory() == "" {
			continue
		}
		total += c.GetConfidence()
		i := slices.IndexFunc(classes, func(k class) bool { return k.category == c.GetCategory() && k.sector == c.GetSector() })
		if i < 0 {
			classes = append(classes, class{category: c.GetCategory(), sector: c.GetSector()})
			i = len(classes) - 1
		}
		classes[i].weight += c.GetConfidence()
		classes[i].best = max(classes[i].best, c.GetConfidence())
	}
	if len(classes) == 0 {
		return
	}
	slices.SortStableFunc(classes, func(x, y class) int {
		if x.weight != y.weight {
			if x.weight > y.weight {
				return -1
			}
			return 1
		}
		return strings.Compare(x.category+x.sector, y.category+y.sector)
	})
	first := classes[0]
	t.Category, t.Sector = first.category, first.sector
	t.Confident = first.best >= resp.GetThreshold() && complete(first.category, first.sector)
	for _, k := range classes[1:] {
		if k.weight > total/5 && k.sector != "" && k.sector != first.sector && !slices.Contains(t.GetOtherSectors(), k.sector) {
			t.OtherSectors = append(t.OtherSectors, k.sector)
		}
	}
}

// complete says whether a class is enough to be routed by: only marketing belongs to a sector's regulator.
func complete(category, sector string) bool {
	return category != "" && (sector != "" || category != commercial)
}

// routing asks who acts.
type routing struct {
	Request *assignmentv1.RouteRequest
	Lead    string // named by a person; empty: by the table
	ToLead  bool   // beyond the limit of reopenings the lead ministry takes it
}

// Route asks the decision table who acts, and the directory who stands above.
func (a *Activities) Route(ctx context.Context, q routing) (*caseworkv1.RoutedTo, error) {
	resp, err := a.Assignment.Route(ctx, q.Request)
	if err != nil {
		return nil, err
	}
	to := &caseworkv1.RoutedTo{
		LeadAgencyId: resp.GetLeadAgencyId(), CoAgencyIds: resp.GetCoAgencyIds(), VerifierAgencyId: resp.GetVerifierAgencyId(),
		LeadName: resp.GetLeadName(), RegionSource: resp.GetRegionSource(),
	}
	if q.ToLead && q.Lead == "" && q.Request.GetCategory() != criminal {
		q.Lead = leadMinistry
	}
	if q.Lead != "" && q.Lead != to.GetLeadAgencyId() {
		to.CoAgencyIds = slices.DeleteFunc(slices.Clone(to.GetCoAgencyIds()), func(id string) bool { return id == q.Lead })
		to.LeadAgencyId, to.LeadName = q.Lead, ""
	}
	lead, err := a.agency(ctx, to.GetLeadAgencyId())
	if err != nil {
		return nil, err
	}
	to.LeadName = orElse(to.GetLeadName(), lead.GetName())
	to.SuperiorId = orElse(lead.GetSuperiorId(), leadMinistry)
	return to, nil
}

func mostReporters(reports []*reportingv1.ReportFacts) string {
	counts := map[string]int{}
	best := ""
	for _, r := range reports {
		p := r.GetReport().GetReporterProvince()
		if p == "" {
			continue
		}
		counts[p]++
		if best == "" || counts[p] > counts[best] || counts[p] == counts[best] && p < best {
			best = p
		}
	}
	return best
}

func digits(s string) bool {
	const least, most = 3, 20
	return len(s) >= least && len(s) <= most && strings.Trim(s, "0123456789") == ""
}
