package workflows

import (
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
)

// Publication has two other people decide on what one proposed to expose (曝光) or to circulate (通报). Before each of their
// decisions is written, what the proposal rests on is confirmed by its owner again.
//
//	publication_review ──> publication_sign ──> released ──> PUBLISHED, or WITHHELD when its basis fell meanwhile
//	     └── returned ──> RETURNED  └── returned ──> RETURNED
func Publication(ctx workflow.Context, in *caseworkv1.PublicationInput) error {
	ctx = workflow.WithLocalActivityOptions(ctx, locally)
	p := &publication{in: in, known: &caseworkv1.PublicationFacts{}}
	p.workflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	p.profile = in.GetProfile()
	p.subject = &assignmentv1.Task{SubjectKind: "publication", SubjectId: in.GetProposalId()}
	if err := p.open(ctx); err != nil {
		return err
	}
	perform(ctx, p.known, act.BeginPublication, in)
	if p.known.GetCurrent() {
		if err := p.run(ctx); err != nil {
			return err
		}
	}
	p.close(ctx, "not_needed")
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// publication is what the script knows of its proposal: IDs and codes.
type publication struct {
	desk
	in    *caseworkv1.PublicationInput
	known *caseworkv1.PublicationFacts
}

// run is the script.
func (p *publication) run(ctx workflow.Context) error {
	review, err := p.ask(ctx, p.order(stepPublicationReview, p.known.GetProposedBy()))
	if err != nil {
		return err
	}
	if review.GetOutcome() == returned {
		p.back(ctx, review)
		return nil
	}
	signature, err := p.ask(ctx, p.order(stepPublicationSign, p.known.GetProposedBy(), review.by.GetSubject()))
	if err != nil {
		return err
	}
	if signature.GetOutcome() == returned {
		p.back(ctx, signature)
		return nil
	}
	perform(ctx, &caseworkv1.PublicationReleased{}, act.ReleasePublication, releasing{
		Request: p.request(), ProposalID: p.in.GetProposalId(), ReviewedBy: signatureOf(review), SignedBy: signatureOf(signature),
		Signed: signature.recorded.GetDecidedTime(),
	})
	return nil
}

// back sends the proposal back for good: who still wants it proposes anew.
func (p *publication) back(ctx workflow.Context, d *decision) {
	perform(ctx, nil, act.ReturnPublication, returning{
		Request: p.request(), ProposalID: p.in.GetProposalId(), Reason: d.GetReasonCode(), By: signatureOf(d),
	})
}

// order is a step of the proposal, for another person than those who decided before.
func (p *publication) order(s step, before ...string) order {
	return order{step: s, agencyID: p.known.GetAgencyId(), excluded: append([]string{}, before...), facts: map[string]string{
		"kind": p.known.GetKind(),
	}}
}

// releasing makes a proposal public that was signed.
type releasing struct {
	Request    string
	ProposalID string
	ReviewedBy string
	SignedBy   string
	Signed     *timestamppb.Timestamp
}

// returning sends a proposal back.
type returning struct {
	Request    string
	ProposalID string
	Reason     string
	By         string
}
