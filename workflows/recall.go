package workflows

import (
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// Recall takes a resource back (收回码号资源): three people decide on the notice, the public reads it, the holder may object
// for its term, and only then it is carried out.
//
//	recall_review ──> recall_sign ──> public notice ──> term over, no objection open ──> recalled
//	     └── returned ────┴──> rejected      │ ^
//	                                         v └── dismissed
//	                                  decide_objection ── upheld ──> abandoned
func Recall(ctx workflow.Context, in *caseworkv1.RecallInput) error {
	ctx = workflow.WithLocalActivityOptions(ctx, locally)
	r := &recall{in: in, known: &caseworkv1.RecallFacts{}}
	r.workflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	r.profile = in.GetProfile()
	r.subject = &assignmentv1.Task{SubjectKind: "recall", SubjectId: in.GetRecallId()}
	r.listen(ctx)
	if err := r.open(ctx); err != nil {
		return err
	}
	perform(ctx, r.known, act.BeginRecall, in)
	if r.known.GetCurrent() {
		if err := r.run(ctx); err != nil {
			return err
		}
	}
	r.close(ctx, "not_needed")
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// recall is what the script knows of its recall: IDs and codes.
type recall struct {
	desk
	in     *caseworkv1.RecallInput
	known  *caseworkv1.RecallFacts
	nudges int // how often it was told that its row changed
}

// listen counts what it is told. A signal that is lost costs time only: the end of the term looks for itself.
func (r *recall) listen(ctx workflow.Context) {
	told := workflow.GetSignalChannel(ctx, signalNudge)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for told.Receive(ctx, nil) {
			r.nudges++
		}
	})
}

// run is the script.
func (r *recall) run(ctx workflow.Context) error {
	r.later(&ledgerv1.AdvanceRecallRequest{RequestId: r.request(), RecallId: r.in.GetRecallId(), State: "REVIEWING"})
	by := []string{r.known.GetProposedBy()}
	for _, s := range []step{stepRecallReview, stepRecallSign} {
		d, err := r.ask(ctx, r.order(s, by))
		if err != nil {
			return err
		}
		if d.GetOutcome() == returned {
			r.later(&ledgerv1.AdvanceRecallRequest{
				RequestId: r.request(), RecallId: r.in.GetRecallId(), State: "REJECTED", TaskId: d.GetTaskId(), ReasonCode: d.GetReasonCode(),
			})
			r.flush(ctx)
			return nil
		}
		by = append(by, d.by.GetSubject())
		if s.name == stepRecallSign.name {
			return r.announce(ctx, d, by)
		}
	}
	return nil
}

// announce publishes the signed notice and waits its term out. Nobody who decided on it answers an objection.
func (r *recall) announce(ctx workflow.Context, signature *decision, by []string) error {
	seen, given := r.nudges, &caseworkv1.NoticeGiven{}
	perform(ctx, given, act.GiveRecallNotice, givingNotice{
		RecallID: r.in.GetRecallId(), SigningTaskID: signature.GetTaskId(), Signed: signature.recorded.GetDecidedTime(), Profile: r.profile,
	})
	for given.GetUntilTime() != nil { // else there is nothing left to take back
		told, err := within(ctx, given.GetUntilTime().AsTime(), func() bool { return r.nudges > seen })
		if err != nil {
			return err
		}
		seen = r.nudges
		look := &caseworkv1.RecallLook{}
		perform(ctx, look, act.GoOnWithRecall, goingOn{Request: r.request(), RecallID: r.in.GetRecallId(), Over: !told})
		switch {
		case look.GetObjectionId() != "":
			ended, err := r.objection(ctx, look.GetObjectionId(), given.GetPublicationId(), by)
			if err != nil || ended {
				return err
			}
		case look.GetState() != "NOTICE":
			return nil
		}
	}
	return nil
}

// objection has an objection decided; one that stands ends the recall.
func (r *recall) objection(ctx workflow.Context, id, publication string, by []string) (ended bool, err error) {
	o := r.order(stepDecideObjection, by)
	o.facts["objection_id"], o.facts["publication_id"] = id, publication
	d, err := r.ask(ctx, o)
	if err != nil {
		return false, err
	}
	ended = d.GetOutcome() == upheld
	perform(ctx, nil, act.AnswerObjection, answering{
		Publication: publication,
		Request: &ledgerv1.DecideObjectionRequest{
			RequestId: r.request(), RecallId: r.in.GetRecallId(), ObjectionId: id, Upheld: ended, TaskId: d.GetTaskId(),
			ReasonCode: d.GetReasonCode(), Reply: d.GetDetail().GetReply(),
		},
	})
	return ended, nil
}

// order is a step of the recall, for another person than those who decided before.
func (r *recall) order(s step, before []string) order {
	return order{step: s, agencyID: r.known.GetAgencyId(), excluded: append([]string{}, before...), facts: map[string]string{
		"resource_id": r.known.GetResourceId(), "ground": r.known.GetReasonCode(),
	}}
}

// givingNotice publishes a notice.
type givingNotice struct {
	RecallID      string
	SigningTaskID string
	Signed        *timestamppb.Timestamp
	Profile       string
}

// goingOn looks at a recall under notice; when its term is over it is carried out.
type goingOn struct {
	Request  string
	RecallID string
	Over     bool
}

// answering writes the answer to an objection; the notice falls with the recall.
type answering struct {
	Request     *ledgerv1.DecideObjectionRequest
	Publication string
}
