package workflows

import (
	"context"
	"time"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// BeginListing reads what the workflow needs to know of its entry. Whose licence the ledger does not know is on no telecom
// list: its proposal ends here.
func (a *Activities) BeginListing(ctx context.Context, in *caseworkv1.ListingInput) (*caseworkv1.ListingFacts, error) {
	l, err := a.entry(ctx, in.GetListingId())
	if err != nil {
		return nil, err
	}
	out := &caseworkv1.ListingFacts{
		Current: l.GetState() == "PROPOSED", AgencyId: l.GetAgencyId(), Ground: l.GetGround(), List: l.GetList(), EntryDue: l.GetEntryDue(),
	}
	if by := l.GetDecidedBy(); len(by) > 0 {
		out.ProposedBy, out.ProposedByAgency = subjectOf(by[0]), by[0]
	}
	if s := l.GetState(); s == "EXPIRED" || s == "WITHDRAWN" {
		out.Measures, err = a.liveMeasures(ctx, l.GetListingId())
	}
	if err != nil || !out.GetCurrent() {
		return out, err
	}
	out.Current, err = a.licensed(ctx, l)
	if err != nil || out.GetCurrent() {
		return out, err
	}
	_, err = a.Credit.AdvanceListing(ctx, &creditv1.AdvanceListingRequest{
		RequestId: derived(in.GetListingId() + "/no licence"), ListingId: in.GetListingId(), State: "WITHDRAWN",
		Reason: "台账中没有该许可证, 不属于持证的电信业务经营者 (许可管理办法 第四十二条)",
	})
	return out, err
}

func (a *Activities) entry(ctx context.Context, id string) (*creditv1.Listing, error) {
	resp, err := a.Credit.GetListing(ctx, &creditv1.GetListingRequest{ListingId: id})
	return resp.GetListing(), err
}

// licensed says whether the ledger has the licence that a proposal names, of that firm and in force.
func (a *Activities) licensed(ctx context.Context, l *creditv1.Listing) (bool, error) {
	resp, err := a.Ledger.ListLicences(ctx, &ledgerv1.ListLicencesRequest{CreditCode: l.GetCreditCode()})
	for _, held := range resp.GetLicences() {
		if held.GetNumber() == l.GetLicence() {
			return true, nil
		}
	}
	return false, err
}

// NotifyListing writes that a proposed entry was notified, and until when the party is heard.
func (a *Activities) NotifyListing(ctx context.Context, n notifying) (*caseworkv1.ListingLook, error) {
	due, err := calendar.Due(basisHeard, n.Served.AsTime(), n.Profile)
	if err != nil {
		return nil, err
	}
	req, err := rekeyed(&creditv1.AdvanceListingRequest{
		RequestId: n.Request, ListingId: n.ListingID, State: "NOTIFIED", TaskId: n.TaskID, NoticeTime: n.Served, ObjectionUntil: timestamp(due.Due),
		Clock: &commonv1.Clock{
			Basis: basisHeard, StatutoryDue: due.Statutory.Format(time.RFC3339), Proof: due.Proof, Provisional: due.Provisional,
		},
	})
	if err != nil {
		return nil, err
	}
	resp, err := a.Credit.AdvanceListing(ctx, req)
	if err != nil {
		return nil, err
	}
	return &caseworkv1.ListingLook{State: resp.GetListing().GetState(), UntilTime: resp.GetListing().GetObjectionUntil()}, nil
}

// LookAtListing looks at an entry: its state, and the objection that is open.
func (a *Activities) LookAtListing(ctx context.Context, in *caseworkv1.ListingInput) (*caseworkv1.ListingLook, error) {
	resp, err := a.Credit.GetListing(ctx, &creditv1.GetListingRequest{ListingId: in.GetListingId()})
	if err != nil {
		return nil, err
	}
	l := resp.GetListing()
	out := &caseworkv1.ListingLook{State: l.GetState(), UntilTime: l.GetObjectionUntil()}
	for _, o := range resp.GetObjections() {
		if o.GetState() == "OPEN" {
			out.ObjectionId = o.GetObjectionId()
		}
	}
	return out, nil
}

// BeginRepair reads what the workflow needs to know of its application, and starts its clock.
func (a *Activities) BeginRepair(ctx context.Context, in *caseworkv1.RepairInput) (*caseworkv1.RepairFacts, error) {
	resp, err := a.Credit.GetRepair(ctx, &creditv1.GetRepairRequest{RepairId: in.GetRepairId()})
	if err != nil {
		return nil, err
	}
	r := resp.GetRepair()
	out := &caseworkv1.RepairFacts{
		Current: r.GetState() == "FILED" || r.GetState() == "REVIEWING", AgencyId: r.GetAgencyId(), ListingId: r.GetListingId(),
		ApplyTime: r.GetApplyTime(),
	}
	for _, by := range r.GetExcluded() {
		out.Excluded = append(out.Excluded, subjectOf(by))
	}
	if r.GetState() != "FILED" {
		return out, nil
	}
	due, err := calendar.Due(stepRepairReview.basis, r.GetApplyTime().AsTime(), in.GetProfile())
	if err != nil {
		return nil, err
	}
	_, err = a.Credit.AdvanceRepair(ctx, &creditv1.AdvanceRepairRequest{
		RequestId: derived(in.GetRepairId() + "/review"), RepairId: in.GetRepairId(), DueTime: timestamp(due.Due), Clock: &commonv1.Clock{
			Basis: stepRepairReview.basis, StatutoryDue: due.Statutory.Format(time.RFC3339), Proof: due.Proof, Provisional: due.Provisional,
		},
	})
	return out, unless(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)
}

// DecideRepair writes the decision. What is granted ends the publication too, and names the measures that are to be lifted.
func (a *Activities) DecideRepair(ctx context.Context, deed *creditv1.DecideRepairRequest) (*caseworkv1.RepairEnded, error) {
	req, err := rekeyed(deed)
	if err != nil {
		return nil, err
	}
	resp, err := a.Credit.DecideRepair(ctx, req)
	if err != nil {
		return nil, err
	}
	out := &caseworkv1.RepairEnded{State: resp.GetRepair().GetState()}
	if out.GetState() != "GRANTED" {
		return out, nil
	}
	l, err := a.entry(ctx, resp.GetRepair().GetListingId())
	if err != nil {
		return nil, err
	}
	if err := a.takeDown(ctx, l); err != nil {
		return nil, err
	}
	out.Measures, err = a.liveMeasures(ctx, l.GetListingId())
	return out, err
}

// liveMeasures are the joint measures on an entry that nobody has lifted.
func (a *Activities) liveMeasures(ctx context.Context, listingID string) ([]*caseworkv1.RepairMeasure, error) {
	var out []*caseworkv1.RepairMeasure
	for token, more := "", true; more; more = token != "" {
		live, err := a.Credit.ListJointMeasures(ctx, &creditv1.ListJointMeasuresRequest{
			ListingId: listingID, Live: true, PageSize: 500, PageToken: token,
		})
		if err != nil {
			return nil, err
		}
		for _, m := range live.GetMeasures() {
			out = append(out, &caseworkv1.RepairMeasure{MeasureId: m.GetMeasureId(), AgencyId: m.GetAgencyId()})
		}
		token = live.GetNextPageToken()
	}
	return out, nil
}

// lifting records that an agency has lifted its measure; one that it lifted by itself meanwhile stays as it was recorded.
func (a *Activities) lifting(ctx context.Context, m *creditv1.RecordLiftingRequest) error {
	_, err := a.Credit.RecordLifting(ctx, m)
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) {
		return nil
	}
	return err
}
