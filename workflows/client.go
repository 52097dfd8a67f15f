package workflows

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	caseworkv1 "quietline/proto/quietline/casework/v1"
)

// TaskQueue is where the mesh's workers wait.
const TaskQueue = "casework"

// complaintID is the workflow of a round of a complaint.
func complaintID(id string, round int32) string { return fmt.Sprintf("complaint/%s/%d", id, round) }

func caseID(id string) string { return "case/" + id }

func recallID(id string) string { return "recall/" + id }

func appealID(id string) string { return "appeal/" + id }

func rectificationID(id string) string { return "rectification/" + id }

func listingID(id string) string { return "listing/" + id }

func repairID(id string) string { return "repair/" + id }

func publicationID(id string) string { return "publication/" + id }

func digestID(id string) string { return "digest/" + id }

// Client starts the mesh's workflows and talks to them, with their types.
type Client struct {
	temporal client.Client
	profile  string
	working  atomic.Bool // the worker of this process has started
}

// NewClient makes a client for workflows of a profile.
func NewClient(c client.Client, profile string) *Client {
	return &Client{temporal: c, profile: profile}
}

// StartComplaint starts a round's workflow, and says whether it is new. A round has one workflow ever.
func (c *Client) StartComplaint(ctx context.Context, id string, round int32) (bool, error) {
	return c.start(ctx, complaintID(id, round), Complaint, &caseworkv1.ComplaintInput{ComplaintId: id, Round: round, Profile: c.profile})
}

// StartCase starts a case's workflow, and says whether it is new. One that is reversed after its end has another run.
func (c *Client) StartCase(ctx context.Context, id string) (bool, error) {
	return c.start(ctx, caseID(id), Case, &caseworkv1.CaseInput{CaseId: id, Profile: c.profile})
}

// StartRecall starts a recall's workflow, and says whether it is new.
func (c *Client) StartRecall(ctx context.Context, id string) (bool, error) {
	return c.start(ctx, recallID(id), Recall, &caseworkv1.RecallInput{RecallId: id, Profile: c.profile})
}

// StartAppeal starts an appeal's workflow, and says whether it is new.
func (c *Client) StartAppeal(ctx context.Context, id string) (bool, error) {
	return c.start(ctx, appealID(id), Appeal, &caseworkv1.AppealInput{AppealId: id, Profile: c.profile})
}

// StartRectification starts the workflow of a resource on which a campaign found something, and says whether it is new.
func (c *Client) StartRectification(ctx context.Context, id string) (bool, error) {
	return c.start(ctx, rectificationID(id), Rectification, &caseworkv1.RectificationInput{ItemId: id, Profile: c.profile})
}

// StartListing starts the workflow of a proposed listing, and says whether it is new.
func (c *Client) StartListing(ctx context.Context, id string) (bool, error) {
	return c.start(ctx, listingID(id), Listing, &caseworkv1.ListingInput{ListingId: id, Profile: c.profile})
}

// StartRepair starts the workflow of an application for repair, and says whether it is new.
func (c *Client) StartRepair(ctx context.Context, id string) (bool, error) {
	return c.start(ctx, repairID(id), Repair, &caseworkv1.RepairInput{RepairId: id, Profile: c.profile})
}

// StartPublication starts the workflow of a proposed publication, and says whether it is new.
func (c *Client) StartPublication(ctx context.Context, id string) (bool, error) {
	return c.start(ctx, publicationID(id), Publication, &caseworkv1.PublicationInput{ProposalId: id, Profile: c.profile})
}

// BuildDigest runs a digest's workflow to its end.
func (c *Client) BuildDigest(ctx context.Context, in *caseworkv1.DigestInput) error {
	id := digestID(in.GetDigestId())
	if _, err := c.start(ctx, id, Digest, in); err != nil {
		return err
	}
	return fromTemporal(c.temporal.GetWorkflow(ctx, id, "").Get(ctx, nil))
}

func (c *Client) start(ctx context.Context, id string, workflow any, in any) (bool, error) {
	again := enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	switch in.(type) {
	case *caseworkv1.CaseInput, *caseworkv1.ListingInput: // a run of a case or an entry that has ended looks, and ends
		again = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	_, err := c.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: TaskQueue,
		WorkflowIDReusePolicy:                    again,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		EnableEagerStart:                         true, // the worker is in this process: no trip through matching
	}, workflow, in)
	if _, ok := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); ok {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("start %s: %w", id, fromTemporal(err))
	}
	return true, nil
}

// Decide has a workflow take a decision. It returns when the decision is written. The same update ID is one decision.
func (c *Client) Decide(ctx context.Context, workflowID, updateID string, in *caseworkv1.DecideInput) (*caseworkv1.DecideResponse, error) {
	handle, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: updateID, WorkflowID: workflowID, UpdateName: updateDecide, WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{in},
	})
	if err != nil {
		return nil, err
	}
	resp := &caseworkv1.DecideResponse{}
	if err := handle.Get(ctx, resp); err != nil {
		return nil, err
	}
	return resp, nil
}

// Signal tells a workflow something. One that is over needs no telling.
func (c *Client) Signal(ctx context.Context, workflowID, name string, arg any) error {
	err := c.temporal.SignalWorkflow(ctx, workflowID, "", name, arg)
	if gone(err) {
		return nil
	}
	return fromTemporal(err)
}

// stuckAfter failed attempts at the same workflow task, waiting no longer helps: somebody must mend the cause.
const stuckAfter = 3

// Running says whether a workflow has an open run, and whether that run is stuck.
func (c *Client) Running(ctx context.Context, workflowID string) (running, stuck bool, err error) {
	d, err := c.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if gone(err) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fromTemporal(err)
	}
	running = d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	return running, d.GetPendingWorkflowTask().GetAttempt() > stuckAfter, nil
}

// Serving says whether our worker runs and Temporal answers.
func (c *Client) Serving(ctx context.Context) bool {
	if !c.working.Load() {
		return false
	}
	_, err := c.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err == nil
}

// scheduleSweep makes the schedule of the sweep, or brings it up to date.
func (c *Client) scheduleSweep(ctx context.Context, pace pace) error {
	spec := client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: pace.every}}}
	schedules := c.temporal.ScheduleClient()
	_, err := schedules.Create(ctx, client.ScheduleOptions{
		ID: sweepID, Spec: spec, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: pace.every,
		Action: &client.ScheduleWorkflowAction{
			ID: sweepID, Workflow: Sweep, TaskQueue: TaskQueue, Args: []any{c.profile}, WorkflowRunTimeout: 2 * sweepTime,
		},
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	return schedules.GetHandle(ctx, sweepID).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			s := in.Description.Schedule
			s.Spec = &spec
			if action, ok := s.Action.(*client.ScheduleWorkflowAction); ok {
				action.Args = []any{c.profile}
			}
			return &client.ScheduleUpdate{Schedule: &s}, nil
		},
	})
}
