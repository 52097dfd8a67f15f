package workflows

import (
	"go.temporal.io/sdk/workflow"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
)

// Repair decides an application for the repair of an entry (信用修复): the agency that listed decides, by another person
// (谁认定谁修复). Granted, the entry is removed, its publication ends, and every agency that punishes lifts its measure.
//
//	repair_review ──┬── granted ──> removed ──> lift_measure per measure
//	                └── refused ──> the entry stands
func Repair(ctx workflow.Context, in *caseworkv1.RepairInput) error {
	ctx = workflow.WithLocalActivityOptions(ctx, locally)
	r := &repair{in: in, known: &caseworkv1.RepairFacts{}}
	r.workflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	r.profile = in.GetProfile()
	r.subject = &assignmentv1.Task{SubjectKind: "repair", SubjectId: in.GetRepairId()}
	r.nudges = counted(ctx)
	if err := r.open(ctx); err != nil {
		return err
	}
	perform(ctx, r.known, act.BeginRepair, in)
	if r.known.GetCurrent() {
		if err := r.run(ctx); err != nil {
			return err
		}
	}
	r.close(ctx, "not_needed")
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// repair is what the script knows of its application: IDs and codes.
type repair struct {
	desk
	in     *caseworkv1.RepairInput
	known  *caseworkv1.RepairFacts
	nudges *int
}

// run is the script. An entry that ends meanwhile takes the object from its repair: whoever ends it tells us.
func (r *repair) run(ctx workflow.Context) error {
	asked, stop := workflow.WithCancel(ctx)
	over := false
	workflow.Go(ctx, func(ctx workflow.Context) {
		for seen := 0; workflow.Await(ctx, func() bool { return over || *r.nudges > seen }) == nil && !over; {
			seen = *r.nudges
			now := &caseworkv1.RepairFacts{}
			if perform(ctx, now, act.BeginRepair, r.in); !now.GetCurrent() {
				stop()
				return
			}
		}
	})
	d, err := r.ask(asked, r.order(stepRepairReview))
	over = true
	if err != nil {
		return ctx.Err() // the entry has ended: there is nothing to decide any more
	}
	ended := &caseworkv1.RepairEnded{}
	perform(ctx, ended, act.DecideRepair, &creditv1.DecideRepairRequest{
		RequestId: r.request(), RepairId: r.in.GetRepairId(), Granted: d.GetOutcome() == granted, TaskId: d.GetTaskId(),
		DecidedBy: signatureOf(d), ReasonCode: d.GetReasonCode(), Reply: d.GetDetail().GetReply(),
	})
	return r.lift(ctx, r.known.GetListingId(), ended.GetMeasures())
}

// lift has every agency lift its measure, all at once.
func (d *desk) lift(ctx workflow.Context, listingID string, measures []*caseworkv1.RepairMeasure) error {
	group := workflow.NewWaitGroup(ctx)
	var failed error
	for _, m := range measures {
		o := order{step: stepLiftMeasure, agencyID: m.GetAgencyId(), facts: map[string]string{
			"listing_id": listingID, "measure_id": m.GetMeasureId(),
		}}
		t := d.plan(ctx, o)
		group.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer group.Done()
			if _, err := d.lifted(ctx, t, m); err != nil {
				failed = err
			}
		})
	}
	group.Wait(ctx)
	return failed
}

func (d *desk) lifted(ctx workflow.Context, t *task, m *caseworkv1.RepairMeasure) (*decision, error) {
	d.flush(ctx)
	done, err := d.await(ctx, t)
	if err != nil {
		return nil, err
	}
	d.later(&creditv1.RecordLiftingRequest{
		RequestId: d.request(), MeasureId: m.GetMeasureId(), Reason: "task " + done.GetTaskId(),
	})
	d.flush(ctx)
	return done, nil
}

// order is a step of the repair, for none of those who had a part in the entry.
func (r *repair) order(s step) order {
	return order{step: s, agencyID: r.known.GetAgencyId(), excluded: append([]string{}, r.known.GetExcluded()...), facts: map[string]string{
		"listing_id": r.known.GetListingId(), "list": r.known.GetList(),
	}}
}
