package workflows

import (
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// Appeal drives an appeal against a warning or a suspension (申诉, 反电信网络诈骗法 32): an officer of the agency that ordered it
// who had no part in that decides in its term; upheld, the record is corrected at once, and who gave the resource access restores the
// service within one working day.
//
//	appeal_review (an authority) ──┬── dismissed
//	appeal_answer (an operator)  ──┴── upheld ──> record corrected ──> restore
func Appeal(ctx workflow.Context, in *caseworkv1.AppealInput) error {
	ctx = workflow.WithLocalActivityOptions(ctx, locally)
	p := &appeal{in: in, known: &caseworkv1.AppealFacts{}}
	p.workflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	p.profile = in.GetProfile()
	p.subject = &assignmentv1.Task{SubjectKind: "appeal", SubjectId: in.GetAppealId()}
	if err := p.open(ctx); err != nil {
		return err
	}
	perform(ctx, p.known, act.BeginAppeal, in)
	if p.known.GetCurrent() {
		if err := p.run(ctx); err != nil {
			return err
		}
	}
	p.close(ctx, "not_needed")
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// appeal is what the script knows of its appeal: IDs and codes.
type appeal struct {
	desk
	in    *caseworkv1.AppealInput
	known *caseworkv1.AppealFacts
}

// run is the script.
func (p *appeal) run(ctx workflow.Context) error {
	s := stepAppealReview
	if p.known.GetOperatorMeasure() {
		s = stepAppealAnswer
	}
	o := p.order(s, p.known.GetAgencyId())
	o.excluded = p.known.GetExcluded()
	if by := p.known.GetOrderedBy(); by != "" && len(o.excluded) == 0 { // found out before all who had a part were
		o.excluded = []string{by}
	}
	t := p.planSince(ctx, o, p.known.GetFileTime()) // the appellant's clock does not wait for ours
	p.flush(ctx)
	d, err := p.await(ctx, t)
	if err != nil {
		return err
	}
	decided := &caseworkv1.AppealDecided{}
	perform(ctx, decided, act.DecideAppeal, &ledgerv1.DecideAppealRequest{
		RequestId: p.request(), AppealId: p.in.GetAppealId(), Upheld: d.GetOutcome() == upheld, TaskId: d.GetTaskId(),
		ReasonCode: d.GetReasonCode(), Reply: d.GetDetail().GetReply(),
	})
	if !decided.GetRestore() {
		return nil
	}
	receipt, err := p.ask(ctx, p.order(stepRestore, p.known.GetExecutorAgencyId()))
	if err != nil {
		return err
	}
	p.later(&ledgerv1.AdvanceAppealRequest{
		RequestId: p.request(), AppealId: p.in.GetAppealId(), State: "RESTORED", TaskId: receipt.GetTaskId(),
	})
	p.flush(ctx)
	return nil
}

// planSince queues a task whose clock runs since something happened.
func (p *appeal) planSince(ctx workflow.Context, o order, since *timestamppb.Timestamp) *task {
	t := p.plan(ctx, o)
	if asked, ok := p.deeds[len(p.deeds)-1].(*caseworkv1.StepTask); ok && since != nil {
		asked.FromTime, t.began = since, since.AsTime()
	}
	return t
}

func (p *appeal) order(s step, agency string) order {
	return order{step: s, agencyID: agency, facts: map[string]string{
		"resource_id": p.known.GetResourceId(), "restriction": p.known.GetRestriction(),
	}}
}
