package workflows

import (
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
)

// Listing enters a firm on a list for a ground that is no decision of a case (列入名单): a missing annual report, a finding of
// supervision. The party is heard, and three people decide.
//
//	listing_review ──> listing_notify ──> term over, no objection open ──> listing_sign ──> listed
//	     └── returned ──> withdrawn            │ ^                              └── returned ──> withdrawn
//	                                           v └── dismissed
//	                                 listing_objection ── upheld ──> withdrawn
//
// An entry that has expired or was withdrawn while others still punish on it has another run: lift_measure per measure.
func Listing(ctx workflow.Context, in *caseworkv1.ListingInput) error {
	ctx = workflow.WithLocalActivityOptions(ctx, locally)
	l := &listing{in: in, known: &caseworkv1.ListingFacts{}}
	l.workflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	l.profile = in.GetProfile()
	l.subject = &assignmentv1.Task{SubjectKind: "listing", SubjectId: in.GetListingId()}
	l.nudges = counted(ctx)
	if err := l.open(ctx); err != nil {
		return err
	}
	perform(ctx, l.known, act.BeginListing, in)
	if l.known.GetCurrent() {
		if err := l.run(ctx); err != nil {
			return err
		}
	} else if measures := l.known.GetMeasures(); len(measures) > 0 { // a run after the entry's end, with tasks of its own
		l.seed = l.workflowID + "/" + workflow.GetInfo(ctx).OriginalRunID
		if err := l.lift(ctx, in.GetListingId(), measures); err != nil {
			return err
		}
	}
	l.close(ctx, "not_needed")
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// listing is what the script knows of its entry: IDs and codes.
type listing struct {
	desk
	in     *caseworkv1.ListingInput
	known  *caseworkv1.ListingFacts
	nudges *int
}

// counted counts what a workflow is told. A signal that is lost costs time only.
func counted(ctx workflow.Context) *int {
	n, told := new(int), workflow.GetSignalChannel(ctx, signalNudge)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for told.Receive(ctx, nil) {
			*n++
		}
	})
	return n
}

// run is the script.
func (l *listing) run(ctx workflow.Context) error {
	review, err := l.ask(ctx, l.order(stepListingReview, l.known.GetProposedBy()))
	if err != nil {
		return err
	}
	if review.GetOutcome() == returned {
		return l.withdraw(ctx, review)
	}
	notice, err := l.ask(ctx, l.order(stepListingNotify))
	if err != nil {
		return err
	}
	by := []string{l.known.GetProposedBy(), review.by.GetSubject()}
	ended, err := l.hear(ctx, notice, by)
	if err != nil || ended {
		return err
	}
	signature, err := l.ask(ctx, l.order(stepListingSign, by...))
	if err != nil {
		return err
	}
	if signature.GetOutcome() == returned {
		return l.withdraw(ctx, signature)
	}
	l.later(&creditv1.AdvanceListingRequest{
		RequestId: l.request(), ListingId: l.in.GetListingId(), State: "LISTED", TaskId: signature.GetTaskId(),
		ReviewedBy: signatureOf(review), SignedBy: signatureOf(signature), DecidedTime: signature.recorded.GetDecidedTime(),
	})
	l.flush(ctx)
	return nil
}

// hear gives the party its term after the notice and has what it says answered. Who reviewed does not answer.
func (l *listing) hear(ctx workflow.Context, notice *decision, by []string) (ended bool, err error) {
	seen, look := *l.nudges, &caseworkv1.ListingLook{}
	perform(ctx, look, act.NotifyListing, notifying{
		Request: l.request(), ListingID: l.in.GetListingId(), TaskID: notice.GetTaskId(), Served: notice.recorded.GetDecidedTime(), Profile: l.profile,
	})
	for {
		over, err := l.term(ctx, look, &seen)
		if err != nil {
			return true, err
		}
		look = &caseworkv1.ListingLook{}
		perform(ctx, look, act.LookAtListing, l.in)
		switch {
		case look.GetState() != "NOTIFIED":
			return true, nil
		case look.GetObjectionId() != "":
			if ended, err := l.objection(ctx, look.GetObjectionId(), by); ended || err != nil {
				return true, err
			}
		case over && !look.GetUntilTime().AsTime().After(workflow.Now(ctx)): // else a later date was settled meanwhile
			return false, nil
		}
	}
}

// term waits for the end of the party's term, or for news of the entry.
func (l *listing) term(ctx workflow.Context, look *caseworkv1.ListingLook, seen *int) (over bool, err error) {
	told, err := within(ctx, look.GetUntilTime().AsTime(), func() bool { return *l.nudges > *seen })
	*seen = *l.nudges
	return !told, err
}

// objection has what the party says answered; what stands ends the proposal.
func (l *listing) objection(ctx workflow.Context, id string, by []string) (ended bool, err error) {
	o := l.order(stepListingObjection, by...)
	o.facts["objection_id"] = id
	d, err := l.ask(ctx, o)
	if err != nil {
		return true, err
	}
	ended = d.GetOutcome() == upheld
	l.later(&creditv1.AnswerListingObjectionRequest{
		RequestId: l.request(), ObjectionId: id, Upheld: ended, TaskId: d.GetTaskId(), ReasonCode: d.GetReasonCode(),
		Reply: d.GetDetail().GetReply(), DecidedBy: signatureOf(d),
	})
	l.flush(ctx)
	return ended, nil
}

func (l *listing) withdraw(ctx workflow.Context, d *decision) error {
	l.later(&creditv1.AdvanceListingRequest{
		RequestId: l.request(), ListingId: l.in.GetListingId(), State: "WITHDRAWN", TaskId: d.GetTaskId(), Reason: d.GetReasonCode(),
	})
	l.flush(ctx)
	return nil
}

// order is a step of the entry, for another person than those who decided before.
func (l *listing) order(s step, before ...string) order {
	return order{step: s, agencyID: l.known.GetAgencyId(), excluded: append([]string{}, before...), facts: map[string]string{
		"ground": l.known.GetGround(), "list": l.known.GetList(),
	}}
}

// notifying writes that a proposed entry was notified; the party's term runs from the service.
type notifying struct {
	Request   string
	ListingID string
	TaskID    string
	Served    *timestamppb.Timestamp
	Profile   string
}
