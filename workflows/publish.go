package workflows

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/phone"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// byWeight are the kinds of penalty from the weightiest: by it a decision of several is published (公示以最重的处罚种类为准).
var byWeight = []string{"revocation", "closure", "confiscation", "fine", "criticism", "warning"}

// publicCodes are the kinds of numbers that the public register names: codes, never subscribers' numbers.
var publicCodes = []string{
	phone.Code95Enterprise, phone.Code95CallCentre, phone.Code95Public, phone.Code96, phone.AreaCode96, phone.Code400, phone.Code1010,
}

// penaltyPublication is the request to publish what a case decided, with all that its gate asks for.
func (a *Activities) penaltyPublication(ctx context.Context, c *enforcementv1.Case, delivered *timestamppb.Timestamp) (*disclosurev1.PublishRequest, error) {
	agency, err := a.agency(ctx, c.GetAgencyId())
	if err != nil {
		return nil, err
	}
	codes, err := a.codesOf(ctx, c)
	if err != nil {
		return nil, err
	}
	penalties := c.GetPenalties()
	if len(penalties) == 0 {
		penalties = []*assignmentv1.PenaltyDetail{c.GetDecision().GetPenalty()}
	}
	kind, fen, impact, words := gravest(penalties)
	number := cmp.Or(c.GetDecision().GetDocumentNo(), c.GetCaseNo()) // cases of before documents were made have none
	req := &disclosurev1.PublishRequest{
		Publication: &disclosurev1.Publication{
			Kind: kindPenalty, Title: agency.GetName() + "行政处罚决定 " + number, PartyName: publicName(c.GetParty()),
			CreditCode: c.GetParty().GetCreditCode(), AgencyId: c.GetAgencyId(), AgencyName: agency.GetName(), CaseId: c.GetCaseId(),
			Summary: words, DecisionNo: number, Codes: codes, RegionCodes: regionOf(agency),
		},
		Gate: &disclosurev1.Gate{
			NoticeTime: c.GetNoticeTime(), DecidedTime: c.GetDecision().GetDecidedTime(), DeliveredTime: delivered,
			PenaltyKind: kind, Person: c.GetParty().GetPerson(), SocialImpact: impact,
			Simplified: c.GetProcedure() == "simplified", AmountFen: fen,
		},
	}
	return rekeyed(req)
}

// gravest is what a decision is published by: its weightiest kind, all money together, and whether it is of social impact.
func gravest(penalties []*assignmentv1.PenaltyDetail) (kind string, fen int64, impact bool, words string) {
	var all []string
	kind = "none"
	for _, p := range penalties {
		fen += p.GetAmount().GetFen()
		impact = impact || p.GetPublish()
		all = append(all, penaltyInWords(p))
		rank, best := slices.Index(byWeight, p.GetKind()), slices.Index(byWeight, kind)
		if rank >= 0 && (best < 0 || rank < best) {
			kind = p.GetKind()
		}
	}
	return kind, fen, impact, strings.Join(all, ";")
}

// codesOf are the codes of the party that the case's complaints are about: codes only, and only those that the party holds
// now by the ledger.
func (a *Activities) codesOf(ctx context.Context, c *enforcementv1.Case) ([]string, error) {
	const enough = 5
	var codes []string
	for _, id := range c.GetComplaintIds()[:min(enough, len(c.GetComplaintIds()))] {
		f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: id, MaxReports: 1})
		if err = unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND); err != nil {
			return nil, err
		}
		n := f.GetComplaint().GetNumber()
		if !slices.Contains(publicCodes, n.GetKind()) || slices.Contains(codes, n.GetNormal()) || c.GetParty().GetCreditCode() == "" {
			continue
		}
		held, err := a.Ledger.WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: n.GetNormal(), Scheme: schemeOf(n, "")})
		if err = unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD); err != nil {
			return nil, err
		}
		if held.GetResource().GetHolder().GetCreditCode() == c.GetParty().GetCreditCode() {
			codes = append(codes, n.GetNormal())
		}
	}
	return codes, nil
}
