package workflows

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/rpc"
	"quietline/internal/seal"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

const (
	batchAtOnce = 32 // decisions of a batch that are under way at once
	askAtOnce   = 16 // questions to Temporal at once
)

// Server implements caseworkv1.CaseworkServiceServer.
type Server struct {
	caseworkv1.UnsafeCaseworkServiceServer // a missing RPC does not compile

	client     *Client
	acts       *Activities // what it asks the owners
	assignment assignmentv1.AssignmentServiceClient
	disclosure disclosurev1.DisclosureServiceClient
	starts     *starts
	keys       *seal.Keys
	profile    string
	now        func() time.Time
	taken      *taken
}

// NewServer makes a Server.
func NewServer(c *Client, a *Activities, s *starts, keys *seal.Keys) *Server {
	return &Server{
		client: c, acts: a, assignment: a.Assignment, disclosure: a.Disclosure, starts: s, keys: keys, profile: c.profile, now: time.Now,
		taken: newTaken(a.Assignment),
	}
}

// Decide decides a task. The answer means that the row is written.
func (s *Server) Decide(ctx context.Context, req *caseworkv1.DecideRequest) (*caseworkv1.DecideResponse, error) {
	actor := identity.ActorOf(ctx)
	in, err := s.decideInput(req, actor)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		known, err := s.assignment.GetTask(ctx, &assignmentv1.GetTaskRequest{TaskId: req.GetTaskId()})
		if err != nil {
			return nil, err
		}
		if known.GetTask().GetState() != "OPEN" {
			return repeated(known, in.GetDecision())
		}
		if err := mayDecide(known.GetTask(), actor, s.now()); err != nil {
			return nil, err
		}
		resp, err := s.client.Decide(ctx, known.GetTask().GetWorkflowId(), updateOf(in.GetDecision()), in)
		if err == nil {
			s.taken.add(req.GetTaskId())
			return resp, nil
		}
		if !elsewhere(err) {
			return nil, fromTemporal(err)
		}
		// The run says that the task is not open, its row that it is: either it was decided a moment ago, which the row
		// will tell, or the run is being taken over by another worker and will know the task again.
		if err := s.pause(ctx, try); err != nil {
			return nil, err
		}
	}
}

// mayDecide: the task's agency, in the task's role, and nobody else has it in hand.
func mayDecide(t *assignmentv1.Task, actor *commonv1.Actor, now time.Time) error {
	switch {
	case t.GetAgencyId() != actor.GetAgencyId():
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY, "the task belongs to another agency")
	case !identity.HasRole(actor, t.GetRole()):
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED,
			"the step %s is for the role %s", t.GetStep(), t.GetRole().String()[len("ROLE_"):])
	case t.GetClaimedBy() != "" && t.GetClaimedBy() != actor.GetSubject() && now.Before(t.GetClaimedUntil().AsTime()):
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_TASK_CLAIMED, "the task is claimed by another person")
	}
	return nil
}

// repeated answers for a task that is not open any more: the same request has its answer in the decision's row.
func repeated(known *assignmentv1.GetTaskResponse, asked *assignmentv1.Decision) (*caseworkv1.DecideResponse, error) {
	d := known.GetDecision()
	switch {
	case d.GetRequestKey() != asked.GetRequestKey():
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN,
			"the task is %s", known.GetTask().GetState())
	case !bytes.Equal(d.GetRequestHash(), asked.GetRequestHash()):
		return nil, errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED,
			"the request ID was used for another decision")
	}
	return &caseworkv1.DecideResponse{TaskId: d.GetTaskId(), Outcome: d.GetOutcome(), DecidedTime: d.GetDecidedTime()}, nil
}

// decideInput is a request as the workflow gets it. Its hash is keyed: what a person wrote cannot be guessed from it.
func (s *Server) decideInput(req *caseworkv1.DecideRequest, actor *commonv1.Actor) (*caseworkv1.DecideInput, error) {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("decide: %w", err)
	}
	return &caseworkv1.DecideInput{Actor: actor, Decision: &assignmentv1.Decision{
		TaskId: req.GetTaskId(), Outcome: req.GetOutcome(), ReasonCode: req.GetReasonCode(), Note: req.GetNote(),
		Detail: req.GetDetail(), RequestKey: actor.GetSubject() + "/" + req.GetRequestId(),
		RequestHash: s.keys.Index("decision", string(raw)), DecidedBy: actor.GetSubject(),
	}}, nil
}

// updateOf is the ID of the update for a decision: the same request is one update, another content is another one, which
// the workflow or the decision's row will refuse.
func updateOf(d *assignmentv1.Decision) string {
	return d.GetRequestKey() + "/" + hex.EncodeToString(d.GetRequestHash())
}

// elsewhere says whether run and row do not agree on whether the task is open.
func elsewhere(err error) bool {
	return gone(err) || isRefusal(err, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN)
}

// pause waits a little, and gives up after a few times.
func (s *Server) pause(ctx context.Context, try int) error {
	const tries, first = 6, 50 * time.Millisecond
	if try >= tries {
		return errs.New(codes.Unavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE,
			"the task's workflow does not know it yet; the same request may be sent again")
	}
	return pause(ctx, first<<try)
}

// BatchDecide decides many tasks; each has a result of its own, also when it is malformed.
func (s *Server) BatchDecide(ctx context.Context, req *caseworkv1.BatchDecideRequest) (*caseworkv1.BatchDecideResponse, error) {
	results := make([]*caseworkv1.DecideResult, len(req.GetDecisions()))
	group := new(errgroup.Group)
	group.SetLimit(batchAtOnce)
	for i, d := range req.GetDecisions() {
		group.Go(func() error {
			results[i] = s.result(ctx, d)
			return nil
		})
	}
	return &caseworkv1.BatchDecideResponse{Results: results}, group.Wait()
}

func (s *Server) result(ctx context.Context, d *caseworkv1.DecideRequest) *caseworkv1.DecideResult {
	out := &caseworkv1.DecideResult{TaskId: d.GetTaskId()}
	resp, err := s.decideValid(ctx, d)
	if err == nil {
		out.Response = resp
		return out
	}
	if refusal, ok := errs.Refusal(err); ok {
		out.Reason, out.Message = errs.Name(errs.Reason(err)), refusal.Message()
		return out
	}
	// What happened is not the caller's to know; that the decision may be sent again is.
	out.Reason = errs.Name(commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE)
	out.Message = "not decided now; the same decision may be sent again"
	return out
}

// decideValid is Decide for what no interceptor has looked at.
func (s *Server) decideValid(ctx context.Context, d *caseworkv1.DecideRequest) (*caseworkv1.DecideResponse, error) {
	if err := rpc.Validate(d); err != nil {
		return nil, err
	}
	return s.Decide(ctx, d)
}

// BuildDigest drafts the digest of a month and returns when it is written. Whose agency may is disclosure's policy.
func (s *Server) BuildDigest(ctx context.Context, req *caseworkv1.BuildDigestRequest) (*caseworkv1.BuildDigestResponse, error) {
	actor, agency := identity.ActorOf(ctx).GetSubject(), identity.ActorOf(ctx).GetAgencyId()
	if _, err := s.disclosure.CheckDigestDraft(ctx, &disclosurev1.CheckDigestDraftRequest{AgencyId: agency, Month: req.GetMonth()}); err != nil {
		return nil, err
	}
	id := derived("digest/" + actor + "/" + req.GetRequestId())
	err := s.client.BuildDigest(ctx, &caseworkv1.DigestInput{
		DigestId: id, Month: req.GetMonth(), Note: req.GetNote(), DraftedBy: actor, DraftedByAgency: agency,
	})
	if err != nil {
		return nil, err
	}
	return &caseworkv1.BuildDigestResponse{DigestId: id}, nil
}

// ProposePublication enters a proposal whose basis its owner confirms, and starts its workflow; should that fail, the sweep
// starts it.
func (s *Server) ProposePublication(ctx context.Context, req *caseworkv1.ProposePublicationRequest) (*caseworkv1.ProposePublicationResponse, error) {
	actor := identity.ActorOf(ctx)
	id := derived("publication/" + actor.GetSubject() + "/" + req.GetRequestId())
	entered, err := s.acts.propose(ctx, proposing{
		ProposePublicationRequest: req, id: id, agency: actor.GetAgencyId(), by: actor.GetSubject() + "@" + actor.GetAgencyId(),
	})
	if err == nil {
		err = notPassed(entered.GetMissing())
	}
	if err != nil {
		return nil, err
	}
	if b := entered.GetProposal().GetBasis(); b.GetPartyId() != req.GetPartyId() || b.GetMeasureId() != req.GetMeasureId() ||
		b.GetCaseId() != req.GetCaseId() || b.GetComplaintId() != req.GetComplaintId() || entered.GetProposal().GetPublication().GetKind() != req.GetKind() {
		return nil, errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED, "the request ID was used for another proposal")
	}
	if _, err := s.client.StartPublication(ctx, id); err != nil {
		slog.WarnContext(ctx, "a proposal is not started; the sweep will start it", slog.Any("error", err))
	}
	return &caseworkv1.ProposePublicationResponse{ProposalId: id}, nil
}

// Start starts the workflows of committed rows, as many as the rate allows now; the sweep starts the others.
func (s *Server) Start(ctx context.Context, req *caseworkv1.StartRequest) (*caseworkv1.StartResponse, error) {
	var started atomic.Int32
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(s.starts.most)
	for _, item := range req.GetItems() {
		if !s.starts.limit.Allow() {
			break
		}
		group.Go(func() error {
			if err := s.startOne(gctx, req.GetKind(), item); err != nil {
				return err
			}
			started.Add(1)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return &caseworkv1.StartResponse{Started: started.Load()}, nil
}

func (s *Server) startOne(ctx context.Context, kind string, item *caseworkv1.Startable) error {
	var err error
	switch kind {
	case "case":
		_, err = s.client.StartCase(ctx, item.GetId())
	case "recall":
		_, err = s.client.StartRecall(ctx, item.GetId())
	case "appeal":
		_, err = s.client.StartAppeal(ctx, item.GetId())
	case "rectification":
		_, err = s.client.StartRectification(ctx, item.GetId())
	case "listing":
		_, err = s.client.StartListing(ctx, item.GetId())
	case "repair":
		_, err = s.client.StartRepair(ctx, item.GetId())
	default:
		_, err = s.client.StartComplaint(ctx, item.GetId(), item.GetRound())
	}
	return err
}

// Nudge tells a complaint's workflow that facts changed.
func (s *Server) Nudge(ctx context.Context, req *caseworkv1.NudgeRequest) (*caseworkv1.NudgeResponse, error) {
	if err := s.client.Signal(ctx, complaintID(req.GetComplaintId(), req.GetRound()), signalNudge, nil); err != nil {
		return nil, err
	}
	return &caseworkv1.NudgeResponse{}, nil
}

// NudgeSubject tells the workflow of a recall or an appeal that its row changed.
func (s *Server) NudgeSubject(ctx context.Context, req *caseworkv1.NudgeSubjectRequest) (*caseworkv1.NudgeSubjectResponse, error) {
	if err := s.client.Signal(ctx, req.GetKind()+"/"+req.GetId(), signalNudge, nil); err != nil {
		return nil, err
	}
	return &caseworkv1.NudgeSubjectResponse{}, nil
}

// GetStatus says whether the engine serves.
func (s *Server) GetStatus(ctx context.Context, _ *caseworkv1.GetStatusRequest) (*caseworkv1.GetStatusResponse, error) {
	return &caseworkv1.GetStatusResponse{Serving: s.client.Serving(ctx), Profile: s.profile}, nil
}

// CheckRunning says which of the workflows do not run, and which do not get on.
func (s *Server) CheckRunning(ctx context.Context, req *caseworkv1.CheckRunningRequest) (*caseworkv1.CheckRunningResponse, error) {
	running, stuck := make([]bool, len(req.GetWorkflowIds())), make([]bool, len(req.GetWorkflowIds()))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(askAtOnce)
	for i, id := range req.GetWorkflowIds() {
		group.Go(func() error {
			var err error
			running[i], stuck[i], err = s.client.Running(gctx, id)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	resp := &caseworkv1.CheckRunningResponse{}
	for i, id := range req.GetWorkflowIds() {
		if !running[i] {
			resp.NotRunning = append(resp.NotRunning, id)
		}
		if stuck[i] {
			resp.Stuck = append(resp.Stuck, id)
		}
	}
	return resp, nil
}
