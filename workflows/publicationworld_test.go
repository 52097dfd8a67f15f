package workflows

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// exposed is what a world proposes to publish, and what its owners confirm of it.
type exposed struct {
	proven   *enforcementv1.ProvePublicationResponse
	proposal *disclosurev1.PublicationProposal
	gates    []*disclosurev1.Gate // asked about
	live     []*disclosurev1.FoundedPublication
	steps    []*enforcementv1.CaseStep // recorded
	refused  bool                      // the gate lets no notice of service pass
}

func (f fakeEnforcement) ProvePublication(context.Context, *enforcementv1.ProvePublicationRequest, ...grpc.CallOption) (*enforcementv1.ProvePublicationResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if f.w.exposed.proven == nil {
		return &enforcementv1.ProvePublicationResponse{}, nil
	}
	return proto.CloneOf(f.w.exposed.proven), nil
}

// missingOf is the gate of an exposure.
func (x *exposed) missingOf(g *disclosurev1.Gate) []*disclosurev1.MissingCondition {
	x.gates = append(x.gates, g)
	if g.GetWarnedTime() == nil {
		return []*disclosurev1.MissingCondition{{Code: "no_warning", Words: "曝光前没有警示记录", Article: "综合整治骚扰电话专项行动方案"}}
	}
	return nil
}

func (f fakeDisclosure) RecordProposal(_ context.Context, req *disclosurev1.RecordProposalRequest, _ ...grpc.CallOption) (*disclosurev1.RecordProposalResponse, error) {
	return once(f.w, req, func() (*disclosurev1.RecordProposalResponse, error) {
		if missing := f.w.exposed.missingOf(req.GetGate()); missing != nil {
			return &disclosurev1.RecordProposalResponse{Missing: missing}, nil
		}
		f.w.exposed.proposal = &disclosurev1.PublicationProposal{
			ProposalId: req.GetProposalId(), Publication: req.GetPublication(), Gate: req.GetGate(), Basis: req.GetBasis(), State: "PROPOSED", ProposedBy: req.GetProposedBy(),
		}
		return &disclosurev1.RecordProposalResponse{Proposal: proto.CloneOf(f.w.exposed.proposal)}, nil
	})
}

func (f fakeDisclosure) GetProposal(context.Context, *disclosurev1.GetProposalRequest, ...grpc.CallOption) (*disclosurev1.GetProposalResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return &disclosurev1.GetProposalResponse{Proposal: proto.CloneOf(f.w.exposed.proposal)}, nil
}

func (f fakeDisclosure) CheckProposal(_ context.Context, req *disclosurev1.CheckProposalRequest, _ ...grpc.CallOption) (*disclosurev1.CheckProposalResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return &disclosurev1.CheckProposalResponse{Missing: f.w.exposed.missingOf(req.GetGate())}, nil
}

func (f fakeDisclosure) ReleaseProposal(_ context.Context, req *disclosurev1.ReleaseProposalRequest, _ ...grpc.CallOption) (*disclosurev1.ReleaseProposalResponse, error) {
	return once(f.w, req, func() (*disclosurev1.ReleaseProposalResponse, error) {
		p := f.w.exposed.proposal
		if p.GetState() != "PROPOSED" {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "it is %s", p.GetState())
		}
		p.State, p.ReviewedBy, p.SignedBy = "PUBLISHED", req.GetReviewedBy(), req.GetSignedBy()
		if f.w.exposed.missingOf(req.GetGate()) != nil {
			p.State = "WITHHELD"
		}
		return &disclosurev1.ReleaseProposalResponse{Proposal: proto.CloneOf(p)}, nil
	})
}

func (f fakeDisclosure) ReturnProposal(_ context.Context, req *disclosurev1.ReturnProposalRequest, _ ...grpc.CallOption) (*disclosurev1.ReturnProposalResponse, error) {
	return once(f.w, req, func() (*disclosurev1.ReturnProposalResponse, error) {
		f.w.exposed.proposal.State, f.w.exposed.proposal.Reason = "RETURNED", req.GetReason()
		return &disclosurev1.ReturnProposalResponse{}, nil
	})
}

func (f fakeDisclosure) ListUnstartedProposals(context.Context, *disclosurev1.ListUnstartedProposalsRequest, ...grpc.CallOption) (*disclosurev1.ListUnstartedProposalsResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	resp := &disclosurev1.ListUnstartedProposalsResponse{}
	if p := f.w.exposed.proposal; p.GetState() == "PROPOSED" {
		resp.ProposalIds = append(resp.ProposalIds, p.GetProposalId())
	}
	return resp, nil
}

func (f fakeDisclosure) ListFounded(context.Context, *disclosurev1.ListFoundedRequest, ...grpc.CallOption) (*disclosurev1.ListFoundedResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return &disclosurev1.ListFoundedResponse{Items: f.w.exposed.live}, nil
}

func (f fakeRuns) StartPublication(_ context.Context, id string) (bool, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.started = append(f.w.started, publicationID(id))
	return true, nil
}

// provenWarning is what enforcement confirms of a firm that went on after a warning.
func provenWarning(day int) *enforcementv1.ProvePublicationResponse {
	at := func(d int) *timestamppb.Timestamp { return timestamppb.New(monday.AddDate(0, 0, d)) }
	return &enforcementv1.ProvePublicationResponse{
		Party: &enforcementv1.Party{PartyId: id(830), Name: "某公司", CreditCode: "91440000000000000X"}, WarnedTime: at(day), WarnedBy: "warn_holder",
		FoundTime: at(day + 20),
	}
}
