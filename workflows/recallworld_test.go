package workflows

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// matters are the recalls and appeals of a world: one of each.
type matters struct {
	now          func() time.Time // the play's
	recall       *ledgerv1.Recall
	recalled     *ledgerv1.Resource
	recallStates []string
	appeal       *ledgerv1.Appeal
	orderedBy    string
	access       string
	restore      bool
	appealStates []string
	cause        *ledgerv1.AppealCause // of the answer
	item         *ledgerv1.CampaignItem
	withdrawn    []string
	warned       []*ledgerv1.WarnResourceRequest
	objectAtEnd  bool // an objection comes in and its signal is lost
	endsAtNotice bool // the use ends between the publication and the ledger's notice
}

func (w *world) recallOf() *ledgerv1.Recall { return proto.CloneOf(w.matters.recall) }

func (f fakeLedger) GetRecall(context.Context, *ledgerv1.GetRecallRequest, ...grpc.CallOption) (*ledgerv1.GetRecallResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return &ledgerv1.GetRecallResponse{Recall: f.w.recallOf(), Resource: f.w.matters.recalled}, nil
}

func (w *world) recallState(state string) {
	w.matters.recall.State = state
	w.matters.recallStates = append(w.matters.recallStates, state)
}

func (f fakeLedger) AdvanceRecall(_ context.Context, req *ledgerv1.AdvanceRecallRequest, _ ...grpc.CallOption) (*ledgerv1.AdvanceRecallResponse, error) {
	return once(f.w, req, func() (*ledgerv1.AdvanceRecallResponse, error) {
		f.w.recallState(req.GetState())
		return &ledgerv1.AdvanceRecallResponse{}, nil
	})
}

func (f fakeLedger) GiveRecallNotice(_ context.Context, req *ledgerv1.GiveRecallNoticeRequest, _ ...grpc.CallOption) (*ledgerv1.GiveRecallNoticeResponse, error) {
	return once(f.w, req, func() (*ledgerv1.GiveRecallNoticeResponse, error) {
		if f.w.matters.endsAtNotice {
			f.w.matters.recalled = proto.CloneOf(f.w.matters.recalled)
			f.w.matters.recalled.State = "ENDED"
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "the use of the resource has ended")
		}
		r := f.w.matters.recall
		r.NoticeTime, r.NoticeUntil, r.Clock = req.GetNoticeTime(), req.GetNoticeUntil(), req.GetClock()
		r.SigningTaskId, r.PublicationId = req.GetSigningTaskId(), req.GetPublicationId()
		f.w.recallState("NOTICE")
		return &ledgerv1.GiveRecallNoticeResponse{Recall: f.w.recallOf()}, nil
	})
}

// object enters an objection.
func (w *world) object(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.matters.recall.Objections = append(w.matters.recall.Objections, &ledgerv1.Objection{ObjectionId: id(n), State: "OPEN"})
}

func (f fakeLedger) DecideObjection(_ context.Context, req *ledgerv1.DecideObjectionRequest, _ ...grpc.CallOption) (*ledgerv1.DecideObjectionResponse, error) {
	return once(f.w, req, func() (*ledgerv1.DecideObjectionResponse, error) {
		for _, o := range f.w.matters.recall.GetObjections() {
			if o.GetObjectionId() == req.GetObjectionId() {
				o.State, o.Reply = map[bool]string{true: "UPHELD", false: "DISMISSED"}[req.GetUpheld()], req.GetReply()
			}
		}
		if req.GetUpheld() {
			f.w.recallState("ABANDONED")
		}
		return &ledgerv1.DecideObjectionResponse{}, nil
	})
}

func (f fakeLedger) CompleteRecall(_ context.Context, req *ledgerv1.CompleteRecallRequest, _ ...grpc.CallOption) (*ledgerv1.CompleteRecallResponse, error) {
	if f.w.matters.objectAtEnd {
		f.w.matters.objectAtEnd = false
		f.w.object(800)
	}
	return once(f.w, req, func() (*ledgerv1.CompleteRecallResponse, error) {
		r := f.w.matters.recall
		for _, o := range r.GetObjections() {
			if o.GetState() == "OPEN" {
				return &ledgerv1.CompleteRecallResponse{Recall: f.w.recallOf()}, nil
			}
		}
		if f.w.clock().AsTime().Before(r.GetNoticeUntil().AsTime()) {
			return nil, errs.New(codes.Unavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE, "not over yet")
		}
		r.EndTime = timestamppb.Now()
		f.w.recallState("RECALLED")
		return &ledgerv1.CompleteRecallResponse{Recall: f.w.recallOf()}, nil
	})
}

func (f fakeLedger) WarnResource(_ context.Context, req *ledgerv1.WarnResourceRequest, _ ...grpc.CallOption) (*ledgerv1.WarnResourceResponse, error) {
	return once(f.w, req, func() (*ledgerv1.WarnResourceResponse, error) {
		f.w.matters.warned = append(f.w.matters.warned, req)
		return &ledgerv1.WarnResourceResponse{}, nil
	})
}

func (f fakeLedger) GetAppeal(context.Context, *ledgerv1.GetAppealRequest, ...grpc.CallOption) (*ledgerv1.GetAppealResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return &ledgerv1.GetAppealResponse{
		Appeal: proto.CloneOf(f.w.matters.appeal), OrderedBy: f.w.matters.orderedBy, AccessOperatorId: f.w.matters.access,
	}, nil
}

func (f fakeLedger) AdvanceAppeal(_ context.Context, req *ledgerv1.AdvanceAppealRequest, _ ...grpc.CallOption) (*ledgerv1.AdvanceAppealResponse, error) {
	return once(f.w, req, func() (*ledgerv1.AdvanceAppealResponse, error) {
		text := req.GetState()
		if req.GetAgencyId() != "" {
			text += ":" + req.GetAgencyId() + "/" + req.GetExecutorAgencyId()
		}
		f.w.matters.appealStates = append(f.w.matters.appealStates, text)
		return &ledgerv1.AdvanceAppealResponse{}, nil
	})
}

func (f fakeLedger) DecideAppeal(_ context.Context, req *ledgerv1.DecideAppealRequest, _ ...grpc.CallOption) (*ledgerv1.DecideAppealResponse, error) {
	return once(f.w, req, func() (*ledgerv1.DecideAppealResponse, error) {
		f.w.matters.appealStates = append(f.w.matters.appealStates, fmt.Sprintf("upheld=%v", req.GetUpheld()))
		f.w.matters.cause = req.GetCause()
		return &ledgerv1.DecideAppealResponse{Restore: req.GetUpheld() && f.w.matters.restore}, nil
	})
}

func (f fakeLedger) ListUnstartedMatters(_ context.Context, req *ledgerv1.ListUnstartedMattersRequest, _ ...grpc.CallOption) (*ledgerv1.ListUnstartedMattersResponse, error) {
	return &ledgerv1.ListUnstartedMattersResponse{Ids: map[string][]string{"recall": {id(600)}, "appeal": {id(601)}, "rectification": {id(602)}}[req.GetKind()]}, nil
}

func (f fakeDisclosure) GetPublication(_ context.Context, req *disclosurev1.GetPublicationRequest, _ ...grpc.CallOption) (*disclosurev1.GetPublicationResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	for _, r := range f.w.published {
		if p := r.GetPublication(); p.GetKind() == req.GetKind() && p.GetCaseId() == req.GetCaseId() {
			return &disclosurev1.GetPublicationResponse{Publication: &disclosurev1.Publication{
				PublicationId: id(700), Kind: p.GetKind(), State: orElse(f.w.lists.publicIs, publicationLive),
				TakeDownTime: timestamppb.New(time.Now().Add(time.Hour)),
			}}, nil
		}
	}
	return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no such publication")
}

func (f fakeDisclosure) WithdrawPublication(_ context.Context, req *disclosurev1.WithdrawPublicationRequest, _ ...grpc.CallOption) (*disclosurev1.WithdrawPublicationResponse, error) {
	return once(f.w, req, func() (*disclosurev1.WithdrawPublicationResponse, error) {
		f.w.matters.withdrawn = append(f.w.matters.withdrawn, req.GetPublicationId())
		return &disclosurev1.WithdrawPublicationResponse{}, nil
	})
}

func (f fakeRuns) StartRecall(_ context.Context, id string) (bool, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.started = append(f.w.started, recallID(id))
	return true, nil
}

func (f fakeRuns) StartRectification(_ context.Context, id string) (bool, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.started = append(f.w.started, rectificationID(id))
	return true, nil
}

func (f fakeRuns) StartAppeal(_ context.Context, id string) (bool, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.started = append(f.w.started, appealID(id))
	return true, nil
}

// clock is when something is published: now, as the play has it.
func (w *world) clock() *timestamppb.Timestamp {
	if w.matters.now == nil {
		return timestamppb.Now()
	}
	return timestamppb.New(w.matters.now())
}
