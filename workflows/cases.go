package workflows

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
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
	for i, p := range q.Parties {
		resp, err := a.Enforcement.OpenCase(ctx, &enforcementv1.OpenCaseRequest{
			RequestId: q.Requests[i], AgencyId: q.AgencyID, Act: q.Act, ComplaintId: q.ComplaintID, ComplaintRound: q.Round,
			Party: &enforcementv1.Party{Role: p.GetRole(), Name: p.GetName(), CreditCode: p.GetCreditCode(), Person: p.GetPerson()},
		})
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
	if err := a.list(ctx, c); err != nil {
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

// ground is the policy row under which a penalty brings a firm onto the bad list.
const ground = "supervision_penalty"

// list puts a firm on the bad list when its decision says so. That a policy refuses is an answer, not a failure.
func (a *Activities) list(ctx context.Context, c *enforcementv1.Case) error {
	if !c.GetDecision().GetPenalty().GetListParty() || c.GetParty().GetCreditCode() == "" {
		return nil
	}
	_, err := a.Credit.ListParty(ctx, &creditv1.ListPartyRequest{
		RequestId: derived(c.GetCaseId() + "/list"), List: "bad", PartyName: c.GetParty().GetName(), CreditCode: c.GetParty().GetCreditCode(),
		Ground: ground, CaseId: c.GetCaseId(), DecidedTime: c.GetDecision().GetDecidedTime(), AgencyId: c.GetAgencyId(),
	})
	return unless(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS,
		commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)
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
		return "case_published:" + id, nil
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
