package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// caseScript is a case as it was driven before its owner planned it: one way from the investigation to the delivery. Runs
// from then go on by it; the file goes with the last of them.
func caseScript(ctx workflow.Context, in *caseworkv1.CaseInput) error {
	k := &scriptedCase{in: in, known: &caseworkv1.CaseFacts{}}
	k.workflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	k.profile = in.GetProfile()
	k.subject = &assignmentv1.Task{SubjectKind: "case", SubjectId: in.GetCaseId()}
	if err := k.open(ctx); err != nil {
		return err
	}
	perform(ctx, k.known, act.BeginCase, in)
	if k.known.GetCurrent() {
		if err := k.run(ctx); err != nil {
			return err
		}
	}
	k.close(ctx, "not_needed")
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// scriptedCase is what the script knows of its case: IDs and codes.
type scriptedCase struct {
	desk
	in    *caseworkv1.CaseInput
	known *caseworkv1.CaseFacts
}

// run is the script.
func (k *scriptedCase) run(ctx workflow.Context) error {
	k.advance("INVESTIGATING", "")
	for {
		proposal, err := k.ask(ctx, k.order(stepInvestigate.without(simplified).without(transfer)))
		if err != nil {
			return err
		}
		review, err := k.ask(ctx, k.order(stepCaseReview, proposal))
		if err != nil {
			return err
		}
		if review.GetOutcome() == returned {
			continue
		}
		if proposal.GetOutcome() == proposed { // no penalty without a hearing: 行政处罚法 44, 45, 62
			if err := k.notify(ctx); err != nil {
				return err
			}
		}
		signature, err := k.ask(ctx, k.order(stepCaseSign, proposal, review))
		if err != nil {
			return err
		}
		if signature.GetOutcome() == returned {
			continue
		}
		k.decide(proposal, review, signature)
		return k.finish(ctx, proposal)
	}
}

// notify serves the notice and gives the party its time for a statement.
func (k *scriptedCase) notify(ctx workflow.Context) error {
	notice, err := k.ask(ctx, k.order(stepServeNotice))
	if err != nil {
		return err
	}
	k.advance("NOTICE_SERVED", notice.GetTaskId())
	k.flush(ctx)
	_, err = within(ctx, until(ctx, basisStatement, k.profile), func() bool { return false })
	return err
}

// decide queues the signed decision.
func (k *scriptedCase) decide(proposal, review, signature *decision) {
	penalty := proposal.GetDetail().GetPenalty()
	if proposal.GetOutcome() == noPenalty {
		penalty = &assignmentv1.PenaltyDetail{Kind: "none"}
	}
	k.later(&enforcementv1.DecideCaseRequest{RequestId: k.request(), CaseId: k.in.GetCaseId(), Decision: &enforcementv1.CaseDecision{
		Penalty: penalty, ProposedBy: signatureOf(proposal), ReviewedBy: signatureOf(review), SignedBy: signatureOf(signature),
		SigningTaskId: signature.GetTaskId(), DecidedTime: signature.recorded.GetDecidedTime(),
	}})
}

// finish delivers a penalty, lists and publishes what is to be, closes the case and tells its complaints.
func (k *scriptedCase) finish(ctx workflow.Context, proposal *decision) error {
	var deliveredTime *timestamppb.Timestamp
	if proposal.GetOutcome() == proposed {
		d, err := k.ask(ctx, k.order(stepDeliver))
		if err != nil {
			return err
		}
		deliveredTime = d.recorded.GetDecidedTime()
	}
	k.flush(ctx)
	closed := &caseworkv1.CaseClosed{}
	perform(ctx, closed, act.FinishCase, finishing{CaseID: k.in.GetCaseId(), Delivered: deliveredTime})
	return nil
}

// order is a step of the case. Who decided a step before it must not decide this one.
func (k *scriptedCase) order(s step, before ...*decision) order {
	o := order{step: s, agencyID: k.known.GetAgencyId(), facts: map[string]string{"person": fmt.Sprint(k.known.GetPerson())}}
	for _, d := range before {
		o.excluded = append(o.excluded, d.by.GetSubject())
	}
	return o
}

func (k *scriptedCase) advance(state, taskID string) {
	k.later(&enforcementv1.AdvanceCaseRequest{RequestId: k.request(), CaseId: k.in.GetCaseId(), State: state, TaskId: taskID})
}

// signatureOf is who decided, as the file names them.
func signatureOf(d *decision) string { return d.by.GetSubject() + "@" + d.by.GetAgencyId() }
