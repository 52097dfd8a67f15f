package workflows

import (
	"context"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/phone"
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
		Current: began.GetCurrent(), FirstCallTime: began.GetFirstCallTime(),
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
	t.MergedNumbers = int32(len(f.GetMergedNumbers())) //nolint:gosec // few
	if t.PreserverIds, err = a.carriers(ctx, f); err != nil {
		return nil, err
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
	t.NumberKind, t.NumberProvince = number.GetKind(), phone.SureProvince(number)
	t.ReportersProvince = mostReporters(f.GetReports())
	t.Forged = spoofed(number.GetKind()) || f.GetComplaint().GetForged()
	var err error
	if t.ReportersOperatorId, err = a.operator(ctx, f.GetReportersOperatorId()); err != nil {
		return err
	}
	sector, named, code := "", "", ""
	if !t.GetForged() { // a forged number says nothing about its true holder
		holder, err := a.lookUp(ctx, number, t)
		if err != nil {
			return err
		}
		sector, named, code = holder.GetSector(), holder.GetName(), serviceCode(number)
		holderFacts(holder, t)
		if err := a.serving(ctx, number, t); err != nil {
			return err
		}
	}
	q := classifying{
		place: id + "/classify", complaintID: in.GetComplaintId(), round: in.GetRound(), numberKind: t.GetNumberKind(), holderSector: sector,
		holderName: named, number: code,
	}
	if err := a.classify(ctx, q, f.GetReports(), t); err != nil {
		return err
	}
	who := routing{ToLead: t.GetToLead(), Request: routeFacts(t, t.GetCategory(), t.GetSector())}
	if t.GetConfident() { // what it is asked before that is no route of the complaint
		who.Place, who.ComplaintID, who.Round = id+"/route", in.GetComplaintId(), in.GetRound()
	}
	route, err := a.Route(ctx, who)
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

// resource asks the ledger whose number it was at a call; nil: no entry, the normal case for mobiles.
func (a *Activities) resource(ctx context.Context, n *commonv1.Number, at *timestamppb.Timestamp, reporters string) (*ledgerv1.Resource, error) {
	if !digits(n.GetNormal()) {
		return nil, nil
	}
	req := &ledgerv1.WhoHeldRequest{Number: n.GetNormal(), At: at, Scheme: schemeOf(n, reporters)}
	if code, _, ok := phone.Local96(n.GetNormal()); ok { // with its area code only as shown
		req.Number = code
	}
	resp, err := a.Ledger.WhoHeld(ctx, req)
	// no number that the ledger could have: a 96 code of nobody knows which province
	return resp.GetResource(), unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
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
