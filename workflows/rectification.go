package workflows

import (
	"context"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// Rectification follows what an audit campaign found on a resource (清查整改) until it is put right, or the line is closed or
// given back: who gives it access has it put right in the term of the findings, and who inspected it looks. The closing of a
// line after its term is the inspecting agency's own act, by three people.
//
//	audit_rectify (the operator) ── rectified ──> audit_accept (the inspector) ── confirmed ──> findings rectified
//	      ^                └ not_rectified: nothing more to wait for     └── returned
//	      └──────────────────────────────────────────────────────────────────┘
func Rectification(ctx workflow.Context, in *caseworkv1.RectificationInput) error {
	ctx = workflow.WithLocalActivityOptions(ctx, locally)
	r := &rectification{in: in, known: &caseworkv1.RectificationFacts{}}
	r.workflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	r.profile = in.GetProfile()
	r.subject = &assignmentv1.Task{SubjectKind: "rectification", SubjectId: in.GetItemId()}
	script, stop := workflow.WithCancel(ctx)
	r.stop = stop
	r.attend = r.look
	if err := r.open(ctx); err != nil {
		return err
	}
	r.look(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for told := workflow.GetSignalChannel(ctx, signalNudge); ; {
			told.Receive(ctx, nil)
			r.look(ctx)
		}
	})
	if r.known.GetCurrent() {
		if err := r.run(script); err != nil && r.known.GetCurrent() {
			return err
		}
	}
	r.close(ctx, "not_needed")
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// rectification is what the script knows of its item: IDs and codes.
type rectification struct {
	desk
	in    *caseworkv1.RectificationInput
	known *caseworkv1.RectificationFacts
	stop  workflow.CancelFunc
}

// look asks how it stands, and stops the script when nothing is left to be put right.
func (r *rectification) look(ctx workflow.Context) {
	now := &caseworkv1.RectificationFacts{}
	perform(ctx, now, act.FollowRectification, r.request(), r.in)
	if r.known = now; !now.GetCurrent() {
		r.stop()
	}
}

// run is the script.
func (r *rectification) run(ctx workflow.Context) error {
	for {
		o := r.order(stepAuditRectify, r.known.GetOperatorId())
		o.due, o.law = r.known.GetDueTime(), r.known.GetStatutoryDue()
		d, err := r.ask(ctx, o)
		if err != nil {
			return err
		}
		if d.GetOutcome() == notRectified { // what follows is the inspector's: the term runs on
			return r.over(ctx)
		}
		o = r.order(stepAuditAccept, r.known.GetInspectorId())
		o.excluded = []string{d.by.GetSubject()}
		if d, err = r.ask(ctx, o); err != nil {
			return err
		}
		if d.GetOutcome() == confirmed {
			perform(ctx, nil, act.AcceptRectification, acceptance{FindingIDs: r.known.GetFindingIds(), TaskID: d.GetTaskId(), By: d.by})
			return nil
		}
	}
}

// over waits until nothing is left to be put right. Who gives a line back tells nobody: so it looks by itself, too.
func (r *rectification) over(ctx workflow.Context) error {
	const again = 7 * 24 * time.Hour
	for r.known.GetCurrent() {
		_, err := within(ctx, workflow.Now(ctx).Add(again), func() bool { return !r.known.GetCurrent() })
		if err != nil {
			return err
		}
		r.look(ctx)
	}
	return nil
}

func (r *rectification) order(s step, agency string) order {
	return order{step: s, agencyID: agency, facts: map[string]string{
		"resource_id": r.known.GetResourceId(), "campaign_id": r.known.GetCampaignId(), "found": strings.Join(r.known.GetKinds(), " "),
	}}
}

// acceptance says that findings are put right.
type acceptance struct {
	FindingIDs []string
	TaskID     string
	By         *commonv1.Actor
}

// FollowRectification reads what the workflow needs to know of its item, and says that it is followed.
func (a *Activities) FollowRectification(ctx context.Context, request string, in *caseworkv1.RectificationInput) (*caseworkv1.RectificationFacts, error) {
	resp, err := a.Ledger.FollowRectification(ctx, &ledgerv1.FollowRectificationRequest{RequestId: request, ItemId: in.GetItemId()})
	if err != nil {
		return nil, err
	}
	i := resp.GetItem()
	out := &caseworkv1.RectificationFacts{
		Current: i.GetState() == "FOUND", CampaignId: i.GetCampaignId(), ResourceId: i.GetResource().GetResourceId(), InspectorId: i.GetInspectorAgencyId(),
	}
	if out.OperatorId, err = a.operator(ctx, i.GetResource().GetAccessOperatorId()); err != nil {
		return nil, err
	}
	out.OperatorId = orElse(out.GetOperatorId(), out.GetInspectorId())
	for _, f := range i.GetFindings() {
		if s := f.GetFinding().GetState(); s != "OPEN" && s != "CONFIRMED" {
			continue
		}
		out.Kinds, out.FindingIds = append(out.Kinds, f.GetFinding().GetKind()), append(out.FindingIds, f.GetFinding().GetFindingId())
		if due := f.GetFinding().GetDueTime(); out.GetDueTime() == nil || due.AsTime().After(out.GetDueTime().AsTime()) {
			out.DueTime = due
			if law, err := time.Parse(time.RFC3339, f.GetClock().GetStatutoryDue()); err == nil {
				out.StatutoryDue = timestamppb.New(law)
			}
		}
	}
	return out, nil
}

// AcceptRectification has the findings rectified, as the inspector who confirmed it. Those that are settled meanwhile stay so.
func (a *Activities) AcceptRectification(ctx context.Context, w acceptance) error {
	for _, id := range w.FindingIDs {
		_, err := a.Ledger.RectifyFinding(identity.WithActor(ctx, w.By), &ledgerv1.RectifyFindingRequest{
			RequestId: derived(w.TaskID + "/rectify/" + id), FindingId: id, Reason: "整改验收合格", Document: w.TaskID,
		})
		if err = unless(err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE); err != nil {
			return err
		}
	}
	return nil
}
