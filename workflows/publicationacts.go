package workflows

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/phone"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Kinds of publications that are proposed, and that a step of a case serves by.
const (
	kindExposure      = "exposure"
	kindCircular      = "circular"
	kindServiceNotice = "service_notice"
)

// proposing is what a person proposes to publish.
type proposing struct {
	*caseworkv1.ProposePublicationRequest
	id, agency, by string
}

// propose enters a proposal with what the owners confirm of its basis, or says all that it lacks.
func (a *Activities) propose(ctx context.Context, p proposing) (*disclosurev1.RecordProposalResponse, error) {
	basis := &disclosurev1.PublicationBasis{
		PartyId: p.GetPartyId(), MeasureId: p.GetMeasureId(), CaseId: p.GetCaseId(), ComplaintId: p.GetComplaintId(), DocumentId: p.GetDocumentId(),
	}
	if p.GetComplaintId() != "" {
		basis.ComplaintRound = max(p.GetComplaintRound(), 1)
	}
	proven, gate, err := a.prove(ctx, p.agency, basis)
	if err != nil {
		return nil, err
	}
	if err := required(proven.GetParty() != nil || p.GetPartyId() == "" && p.GetKind() == kindCircular, "party_id",
		"must be a party that enforcement knows"); err != nil {
		return nil, err
	}
	if err := a.holdsCodes(ctx, p.GetCodes(), proven.GetParty()); err != nil {
		return nil, err
	}
	agency, err := a.agency(ctx, p.agency)
	if err != nil {
		return nil, err
	}
	req, err := rekeyed(&disclosurev1.RecordProposalRequest{
		ProposalId: p.id, Gate: gate, Basis: basis, ProposedBy: p.by, Publication: &disclosurev1.Publication{
			Kind: p.GetKind(), Title: agency.GetName() + p.GetTitle(), Summary: p.GetSummary(), AgencyId: p.agency, AgencyName: agency.GetName(),
			PartyName: publicName(proven.GetParty()), CreditCode: proven.GetParty().GetCreditCode(), Codes: p.GetCodes(), RegionCodes: regionOf(agency),
		},
	})
	if err != nil {
		return nil, err
	}
	return a.Disclosure.RecordProposal(ctx, req)
}

// prove asks the owners what is on record of a basis. When a party went on is the last call that was found true, by the
// finding that enforcement confirms.
func (a *Activities) prove(ctx context.Context, agency string, b *disclosurev1.PublicationBasis) (*enforcementv1.ProvePublicationResponse, *disclosurev1.Gate, error) {
	proven, err := a.proveBasis(ctx, agency, b)
	if err != nil {
		return nil, nil, err
	}
	gate := &disclosurev1.Gate{
		Person: proven.GetParty().GetPerson(), WarnedTime: proven.GetWarnedTime(), NoticeTime: proven.GetInformedTime(),
	}
	if proven.GetFoundTime() != nil {
		gate.ContinuedTime, err = a.lastTrueCall(ctx, b.GetComplaintId())
	}
	return proven, gate, err
}

func (a *Activities) proveBasis(ctx context.Context, agency string, b *disclosurev1.PublicationBasis) (*enforcementv1.ProvePublicationResponse, error) {
	return a.Enforcement.ProvePublication(ctx, &enforcementv1.ProvePublicationRequest{
		AgencyId: agency, PartyId: b.GetPartyId(), MeasureId: b.GetMeasureId(), CaseId: b.GetCaseId(), ComplaintId: b.GetComplaintId(),
		ComplaintRound: b.GetComplaintRound(), DocumentId: b.GetDocumentId(),
	})
}

// lastTrueCall is when the last call of a complaint came that was found true; nil when none was.
func (a *Activities) lastTrueCall(ctx context.Context, complaint string) (*timestamppb.Timestamp, error) {
	f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: complaint, MaxReports: maxNamed})
	if err = unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND); err != nil {
		return nil, err
	}
	var last *timestamppb.Timestamp
	for _, r := range f.GetReports() {
		at := r.GetReport().GetCallTime()
		if r.GetReport().GetFinding() != substantiated || r.GetReport().GetWithdrawn() || at == nil {
			continue
		}
		if last == nil || at.AsTime().After(last.AsTime()) {
			last = at
		}
	}
	return last, nil
}

// holdsCodes refuses codes that the party does not hold by the ledger: a code is the name of who holds it.
func (a *Activities) holdsCodes(ctx context.Context, named []string, party *enforcementv1.Party) error {
	for _, code := range named {
		n := phone.Parse(code)
		held := &ledgerv1.WhoHeldResponse{}
		if slices.Contains(publicCodes, n.GetKind()) && party.GetCreditCode() != "" {
			var err error
			held, err = a.Ledger.WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: n.GetNormal(), Scheme: schemeOf(n, "")})
			if err = unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD); err != nil {
				return err
			}
		}
		if held.GetResource().GetHolder().GetCreditCode() != party.GetCreditCode() || party.GetCreditCode() == "" {
			return errs.Field("codes", "must be codes of the 95, 96, 400 or 1010 ranges that the party holds by the ledger")
		}
	}
	return nil
}

// BeginPublication reads what the workflow needs to know of its proposal.
func (a *Activities) BeginPublication(ctx context.Context, in *caseworkv1.PublicationInput) (*caseworkv1.PublicationFacts, error) {
	resp, err := a.Disclosure.GetProposal(ctx, &disclosurev1.GetProposalRequest{ProposalId: in.GetProposalId()})
	if err != nil {
		return nil, err
	}
	p := resp.GetProposal()
	return &caseworkv1.PublicationFacts{
		Current: p.GetState() == "PROPOSED", AgencyId: p.GetPublication().GetAgencyId(), ProposedBy: subjectOf(p.GetProposedBy()),
		Kind: p.GetPublication().GetKind(),
	}, nil
}

// checkRelease asks the owners again whether what a proposal rests on stands: nobody signs what has fallen.
func (a *Activities) checkRelease(ctx context.Context, proposal string) error {
	_, gate, err := a.provenAgain(ctx, proposal)
	if err != nil {
		return err
	}
	resp, err := a.Disclosure.CheckProposal(ctx, &disclosurev1.CheckProposalRequest{ProposalId: proposal, Gate: gate})
	if err != nil {
		return err
	}
	return notPassed(resp.GetMissing())
}

func (a *Activities) provenAgain(ctx context.Context, proposal string) (*disclosurev1.PublicationProposal, *disclosurev1.Gate, error) {
	resp, err := a.Disclosure.GetProposal(ctx, &disclosurev1.GetProposalRequest{ProposalId: proposal})
	if err != nil {
		return nil, nil, err
	}
	p := resp.GetProposal()
	_, gate, err := a.prove(ctx, p.GetPublication().GetAgencyId(), p.GetBasis())
	return p, gate, err
}

// notPassed is the answer to a person: all that is missing, with the articles.
func notPassed(missing []*disclosurev1.MissingCondition) error {
	if len(missing) == 0 {
		return nil
	}
	var words []string
	for _, m := range missing {
		words = append(words, m.GetCode()+": "+m.GetWords()+" ("+m.GetArticle()+")")
	}
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED,
		"the gate is not passed: %s", strings.Join(words, "; "))
}

// ReleasePublication makes a signed proposal public, once what it rests on is confirmed again. What fell in this moment is
// withheld.
func (a *Activities) ReleasePublication(ctx context.Context, r releasing) (*caseworkv1.PublicationReleased, error) {
	p, gate, err := a.provenAgain(ctx, r.ProposalID)
	if err != nil {
		return nil, err
	}
	if p.GetState() == "PUBLISHED" { // by a try that broke off
		return &caseworkv1.PublicationReleased{State: p.GetState()}, nil
	}
	gate.DecidedTime = r.Signed
	req, err := rekeyed(&disclosurev1.ReleaseProposalRequest{
		RequestId: r.Request, ProposalId: r.ProposalID, Gate: gate, ReviewedBy: r.ReviewedBy, SignedBy: r.SignedBy,
	})
	if err != nil {
		return nil, err
	}
	resp, err := a.Disclosure.ReleaseProposal(ctx, req)
	return &caseworkv1.PublicationReleased{State: resp.GetProposal().GetState()}, err
}

// ReturnPublication sends a proposal back.
func (a *Activities) ReturnPublication(ctx context.Context, r returning) error {
	req, err := rekeyed(&disclosurev1.ReturnProposalRequest{RequestId: r.Request, ProposalId: r.ProposalID, Reason: r.Reason, ReturnedBy: r.By})
	if err != nil {
		return err
	}
	_, err = a.Disclosure.ReturnProposal(ctx, req)
	return err
}

// proposalsUnstarted starts the workflows of proposals that nobody started.
func (a *Activities) proposalsUnstarted(ctx context.Context, older *durationpb.Duration, begin func(func(context.Context) (bool, error)) error) error {
	for token, more := "", true; more; more = token != "" {
		page, err := a.Disclosure.ListUnstartedProposals(ctx, &disclosurev1.ListUnstartedProposalsRequest{PageSize: 500, PageToken: token, OlderThan: older})
		if err != nil {
			return err
		}
		for _, id := range page.GetProposalIds() {
			if err := begin(func(ctx context.Context) (bool, error) { return a.runs.StartPublication(ctx, id) }); err != nil {
				return err
			}
		}
		token = page.GetNextPageToken()
	}
	return nil
}

// fallenWords is what the public reads of an item whose basis fell.
const fallenWords = "公示所依据的决定、措施或者核查结论已被撤销"

// withdrawUnfounded takes back what is public on a basis that its owner no longer confirms, whatever became of it: a case
// that was reversed, a finding that was overturned (行政处罚法 48).
func (a *Activities) withdrawUnfounded(ctx context.Context) error {
	for token, more := "", true; more; more = token != "" {
		page, err := a.Disclosure.ListFounded(ctx, &disclosurev1.ListFoundedRequest{PageSize: 500, PageToken: token})
		if err != nil {
			return err
		}
		for _, item := range page.GetItems() {
			if err := a.withdrawIfFallen(ctx, item); err != nil {
				return err
			}
		}
		token = page.GetNextPageToken()
	}
	return nil
}

func (a *Activities) withdrawIfFallen(ctx context.Context, item *disclosurev1.FoundedPublication) error {
	proven, err := a.proveBasis(ctx, item.GetAgencyId(), item.GetBasis())
	if err != nil || Founded(item, proven) {
		return err
	}
	since := proven.GetReverseTime()
	if since == nil {
		since = timestamppb.New(a.now())
	}
	req, err := rekeyed(&disclosurev1.WithdrawByCaseRequest{
		CaseId: item.GetCaseId(), Kind: item.GetKind(), Cause: causeRevoked, CauseTime: since, Reason: fallenWords,
	})
	if err != nil {
		return err
	}
	_, err = a.Disclosure.WithdrawByCase(ctx, req)
	return err
}

// Founded says whether an item that is public still rests on what its owner confirms; fsck asks it, too.
func Founded(item *disclosurev1.FoundedPublication, proven *enforcementv1.ProvePublicationResponse) bool {
	switch {
	case proven.GetReverseTime() != nil:
		return false
	case item.GetKind() == kindExposure:
		return proven.GetWarnedTime() != nil && proven.GetFoundTime() != nil
	case item.GetKind() == kindServiceNotice:
		return proven.GetCaseNo() != "" && proven.GetFailedServiceTime() != nil
	}
	return item.GetBasis().GetPartyId() == "" || proven.GetInformedTime() != nil
}
