package workflows

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// openingCases attaches a complaint to a case per party. Names of persons are in it, sealed like every payload.
type openingCases struct {
	ComplaintID string
	Round       int32
	AgencyID    string
	Act         string
	Parties     []*assignmentv1.PartyDetail
	Requests    []string // one request ID each
}

// OpenCases opens the cases, or finds those that are open, and starts their workflows; what fails to start here the sweep
// starts.
func (a *Activities) OpenCases(ctx context.Context, q openingCases) (*caseworkv1.OpenedCases, error) {
	out := &caseworkv1.OpenedCases{}
	facts, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: q.ComplaintID, MaxReports: maxNamed})
	if err != nil {
		return nil, err
	}
	for i, p := range q.Parties {
		req := &enforcementv1.OpenCaseRequest{
			RequestId: q.Requests[i], AgencyId: q.AgencyID, Act: q.Act, ComplaintId: q.ComplaintID, ComplaintRound: q.Round,
			Party: &enforcementv1.Party{Role: p.GetRole(), Name: p.GetName(), CreditCode: p.GetCreditCode(), Person: p.GetPerson()},
		}
		tellDiscovery(req, facts)
		if req, err = rekeyed(req); err != nil { // reports may join between two tries
			return nil, err
		}
		resp, err := a.Enforcement.OpenCase(ctx, req)
		if err != nil {
			return nil, err
		}
		if resp.GetEndedOutcome() == "" {
			if _, err := a.runs.StartCase(ctx, resp.GetCaseId()); err != nil {
				return nil, err
			}
		}
		out.Cases = append(out.Cases, &caseworkv1.OpenedCase{CaseId: resp.GetCaseId(), EndedOutcome: resp.GetEndedOutcome()})
	}
	return out, nil
}

// BeginCase reads what the workflow needs to know of its case.
func (a *Activities) BeginCase(ctx context.Context, in *caseworkv1.CaseInput) (*caseworkv1.CaseFacts, error) {
	resp, err := a.Enforcement.GetCase(ctx, &enforcementv1.GetCaseRequest{CaseId: in.GetCaseId()})
	if err != nil {
		return nil, err
	}
	c := resp.GetCase()
	return &caseworkv1.CaseFacts{
		Current: c.GetState() != "DECIDED" && c.GetState() != "CLOSED", AgencyId: c.GetAgencyId(),
		OpenTime: c.GetOpenTime(), Person: c.GetParty().GetPerson(),
	}, nil
}

// finishing ends a decided case.
type finishing struct {
	CaseID    string
	Delivered *timestamppb.Timestamp
}

// FinishCase lists and publishes what the decision says, closes the case and tells its complaints. The party's name is
// read here and stays here.
func (a *Activities) FinishCase(ctx context.Context, f finishing) (*caseworkv1.CaseClosed, error) {
	resp, err := a.Enforcement.GetCase(ctx, &enforcementv1.GetCaseRequest{CaseId: f.CaseID})
	if err != nil {
		return nil, err
	}
	c := resp.GetCase()
	if _, err := a.listFor(ctx, c, ""); err != nil {
		return nil, err
	}
	disclosure, err := a.publish(ctx, c, f.Delivered)
	if err != nil {
		return nil, err
	}
	ended, err := a.Enforcement.CloseCase(ctx, &enforcementv1.CloseCaseRequest{RequestId: derived(f.CaseID + "/close"), CaseId: f.CaseID})
	if err != nil {
		return nil, err
	}
	signal := &caseworkv1.CaseEnded{CaseId: f.CaseID, Outcome: ended.GetOutcome(), Disclosure: disclosure}
	for _, attached := range ended.GetComplaints() {
		// A complaint that is closed needs no signal.
		if err := a.runs.Signal(ctx, complaintID(attached.GetComplaintId(), attached.GetRound()), signalCaseEnded, signal); err != nil {
			return nil, err
		}
	}
	return &caseworkv1.CaseClosed{Outcome: ended.GetOutcome(), Disclosure: disclosure}, nil
}

// publish asks for the publication of a penalty and returns what came of it, or why nothing did.
func (a *Activities) publish(ctx context.Context, c *enforcementv1.Case, deliveredTime *timestamppb.Timestamp) (string, error) {
	if c.GetDecision().GetPenalty().GetKind() == "none" {
		return "no_penalty_decision", nil
	}
	req, err := a.penaltyPublication(ctx, c, deliveredTime)
	if err != nil {
		return "", err
	}
	resp, err := a.Disclosure.Publish(ctx, req)
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED) {
		return "gate_not_passed", nil
	}
	if err != nil {
		return "", err
	}
	if id := resp.GetPublication().GetPublicationId(); id != "" {
		return casePublished + id, nil
	}
	return orElse(resp.GetNotPublishedBecause(), "not_published"), nil
}

// publicName is a firm's name; a natural person is never named.
func publicName(p *enforcementv1.Party) string {
	if p.GetPerson() {
		return ""
	}
	return p.GetName()
}

// penaltyNames are the kinds of penalty as decisions write them (行政处罚法 9).
var penaltyNames = map[string]string{
	"warning": "警告", "criticism": "通报批评", "fine": "罚款", "confiscation": "没收违法所得", "closure": "责令停产停业",
	"revocation": "吊销许可证件",
}

// penaltyInWords is a penalty as the public reads it, with its amount in yuan.
func penaltyInWords(p *assignmentv1.PenaltyDetail) string {
	words := orElse(penaltyNames[p.GetKind()], p.GetKind())
	if fen := p.GetAmount().GetFen(); fen > 0 {
		words += fmt.Sprintf("%d.%02d元", fen/100, fen%100)
	}
	return words + ",依据:" + p.GetBasis()
}
