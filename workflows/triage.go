package workflows

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

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
	if before := in.GetRound() - 1; before > 0 { // its run ends, and takes back what it has open
		if err := a.runs.Signal(ctx, complaintID(in.GetComplaintId(), before), signalNudge, nil); err != nil {
			return nil, err
		}
	}
	if err := a.figures(t); err != nil {
		return nil, err
	}
	f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: in.GetComplaintId(), MaxReports: maxClassified})
	if err != nil {
		return nil, err
	}
	if split, err := a.splitByHolder(ctx, id, f); err != nil || split { // then it is another complaint: from the beginning
		if err != nil {
			return nil, err
		}
		return a.Triage(ctx, id, in)
	}
	t.Verdict = verdict(f)
	if t.GetVerdict() == withdrawn {
		return t, nil
	}
	return unlessMerged(t, a.known(ctx, id, in, f, t))
}

// figures fills in what the programme's policy says now, so that the script reads it from its history.
func (a *Activities) figures(t *caseworkv1.Triage) error {
	recheck, err := calendar.Figure("recheck_percent", a.now())
	if err != nil {
		return err
	}
	ports, err := calendar.Figure("max_ports", a.now())
	t.RecheckPercent, t.MaxPorts = int32(recheck), int32(ports)
	return err
}

// known fills in what number, ledger, classifier and routing table say.
func (a *Activities) known(ctx context.Context, id string, in *caseworkv1.ComplaintInput, f *reportingv1.GetFactsResponse, t *caseworkv1.Triage) error {
	number := f.GetComplaint().GetNumber()
	t.Reports = f.GetComplaint().GetReportCount()
	t.NumberKind, t.NumberProvince = number.GetKind(), number.GetProvince()
	t.ReportersProvince = mostReporters(f.GetReports())
	t.Forged = spoofed(number.GetKind()) || f.GetComplaint().GetForged()
	var err error
	if t.ReportersOperatorId, err = a.operator(ctx, f.GetReportersOperatorId()); err != nil {
		return err
	}
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
	q := classifying{
		place: id + "/classify", complaintID: in.GetComplaintId(), round: in.GetRound(), numberKind: t.GetNumberKind(), holderSector: sector,
	}
	if err := a.classify(ctx, q, f.GetReports(), t); err != nil {
		return err
	}
	route, err := a.Route(ctx, routing{ToLead: t.GetToLead(), Request: &assignmentv1.RouteRequest{
		Category: t.GetCategory(), Sector: t.GetSector(), NumberKind: t.GetNumberKind(), AccessProvince: t.GetAccessProvince(),
		NumberProvince: t.GetNumberProvince(), ReportersProvince: t.GetReportersProvince(),
		OperatorId:    orElse(t.GetServingOperatorId(), t.GetReportersOperatorId()),
		PartyAgencyId: t.GetPartyAgencyId(), OtherSectors: t.GetOtherSectors(),
	}})
	if t.GetConfident() {
		t.Route = route
	} else { // somebody can be asked to preserve before a person has said what it is about
		t.ProvisionalVerifierId = route.GetVerifierAgencyId()
	}
	return err
}

// verdict is acceptance by rules: what says nothing at all goes to a person.
func verdict(f *reportingv1.GetFactsResponse) string {
	if f.GetClue() {
		return clue
	}
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

// resource asks the ledger whose number it was at a call; nil: no entry, the normal case for mobiles. Every province gives
// 96 codes out anew; without the number's own it is the reporters'.
func (a *Activities) resource(ctx context.Context, n *commonv1.Number, at *timestamppb.Timestamp, reporters string) (*ledgerv1.Resource, error) {
	if !digits(n.GetNormal()) {
		return nil, nil
	}
	req := &ledgerv1.LookupNumberRequest{Number: n.GetNormal(), At: at}
	if n.GetKind() == "code96" {
		req.Scheme = orElse(n.GetProvince(), reporters)
	}
	resp, err := a.Ledger.LookupNumber(ctx, req)
	return resp.GetResource(), unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}

// lookUp asks the ledger whose number it was at the first call.
func (a *Activities) lookUp(ctx context.Context, n *commonv1.Number, t *caseworkv1.Triage) (*ledgerv1.Holder, error) {
	r, err := a.resource(ctx, n, t.GetFirstCallTime(), t.GetReportersProvince())
	if err != nil || r == nil {
		return nil, err
	}
	t.ResourceId, t.HolderId = r.GetResourceId(), r.GetHolder().GetHolderId()
	t.AccessProvince, t.PartyAgencyId = r.GetAccessProvince(), r.GetHolder().GetAgencyId()
	if t.AccessOperatorId, err = a.operator(ctx, r.GetAccessOperatorId()); err != nil {
		return nil, err
	}
	holder, err := a.agency(ctx, t.GetPartyAgencyId())
	if holder.GetAssignable() {
		t.CallCentreId = holder.GetAgencyId()
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
	var err error
	t.ServingOperatorId, err = a.operator(ctx, n.GetAllocatedCarrier()+"-"+n.GetProvince())
	return err
}

// operator is an operator's branch, else the operator itself; empty when the directory has neither, or no longer: then
// nobody there can be given a task.
func (a *Activities) operator(ctx context.Context, id string) (string, error) {
	whole, _, _ := strings.Cut(id, "-")
	for _, id := range []string{strings.TrimSuffix(id, "-"), whole} {
		agency, err := a.agency(ctx, id)
		if err != nil {
			return "", err
		}
		if agency.GetAssignable() {
			return agency.GetAgencyId(), nil
		}
	}
	return "", nil
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
	// Whoever named it, the reported party never leads; the table has found who stands in for it.
	if itself, err := a.same(ctx, q.Lead, q.Request.GetPartyAgencyId()); err != nil {
		return nil, err
	} else if itself {
		q.Lead = ""
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
