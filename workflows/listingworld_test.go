package workflows

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// lists are the credit lists of a world: one entry and one application.
type lists struct {
	forbidden  bool              // a basis keeps the penalty public after a repair
	publicIs   string            // state of the publication; empty is live
	licences   map[string]string // by credit code
	recorded   []*creditv1.RecordCreditRequest
	entry      *creditv1.Listing
	objections []*creditv1.ListingObjection
	repair     *creditv1.Repair
	measures   []*creditv1.JointMeasure
	states     []string
	work       []*creditv1.Listing
	withdrawn  []string // cases
	public     []string // what became of publications
	expired    int32
}

func (f fakeLedger) ListLicences(_ context.Context, req *ledgerv1.ListLicencesRequest, _ ...grpc.CallOption) (*ledgerv1.ListLicencesResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	out := &ledgerv1.ListLicencesResponse{}
	if n := f.w.lists.licences[req.GetCreditCode()]; n != "" {
		out.Licences = append(out.Licences, &ledgerv1.Licence{Number: n})
	}
	return out, nil
}

func (f fakeCredit) RecordCredit(_ context.Context, req *creditv1.RecordCreditRequest, _ ...grpc.CallOption) (*creditv1.RecordCreditResponse, error) {
	return once(f.w, req, func() (*creditv1.RecordCreditResponse, error) {
		f.w.lists.recorded = append(f.w.lists.recorded, req)
		return &creditv1.RecordCreditResponse{Record: &creditv1.Listing{ListingId: id(710)}}, nil
	})
}

func (f fakeCredit) GetListing(context.Context, *creditv1.GetListingRequest, ...grpc.CallOption) (*creditv1.GetListingResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	out := &creditv1.GetListingResponse{Listing: proto.CloneOf(f.w.lists.entry)}
	for _, o := range f.w.lists.objections {
		out.Objections = append(out.Objections, proto.CloneOf(o))
	}
	return out, nil
}

func (f fakeCredit) AdvanceListing(_ context.Context, req *creditv1.AdvanceListingRequest, _ ...grpc.CallOption) (*creditv1.AdvanceListingResponse, error) {
	return once(f.w, req, func() (*creditv1.AdvanceListingResponse, error) {
		l := f.w.lists.entry
		if req.GetState() == "LISTED" && f.w.clock().AsTime().Before(l.GetObjectionUntil().AsTime()) {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "not heard")
		}
		l.State = req.GetState()
		f.w.lists.states = append(f.w.lists.states, req.GetState())
		if req.GetState() == "NOTIFIED" {
			l.ObjectionUntil = req.GetObjectionUntil()
		}
		if req.GetState() == "LISTED" {
			l.DecidedBy = append(l.DecidedBy, req.GetReviewedBy(), req.GetSignedBy())
		}
		return &creditv1.AdvanceListingResponse{Listing: proto.CloneOf(l)}, nil
	})
}

// objectToListing enters what the party says.
func (w *world) objectToListing(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lists.objections = append(w.lists.objections, &creditv1.ListingObjection{ObjectionId: id(n), State: "OPEN"})
}

func (f fakeCredit) AnswerListingObjection(_ context.Context, req *creditv1.AnswerListingObjectionRequest, _ ...grpc.CallOption) (*creditv1.AnswerListingObjectionResponse, error) {
	return once(f.w, req, func() (*creditv1.AnswerListingObjectionResponse, error) {
		for _, o := range f.w.lists.objections {
			if o.GetObjectionId() == req.GetObjectionId() {
				o.State = map[bool]string{true: "UPHELD", false: "DISMISSED"}[req.GetUpheld()]
			}
		}
		if req.GetUpheld() {
			f.w.lists.entry.State = "WITHDRAWN"
			f.w.lists.states = append(f.w.lists.states, "WITHDRAWN")
		}
		return &creditv1.AnswerListingObjectionResponse{State: f.w.lists.entry.GetState()}, nil
	})
}

func (f fakeCredit) GetRepair(context.Context, *creditv1.GetRepairRequest, ...grpc.CallOption) (*creditv1.GetRepairResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return &creditv1.GetRepairResponse{Repair: proto.CloneOf(f.w.lists.repair)}, nil
}

func (f fakeCredit) AdvanceRepair(_ context.Context, req *creditv1.AdvanceRepairRequest, _ ...grpc.CallOption) (*creditv1.AdvanceRepairResponse, error) {
	return once(f.w, req, func() (*creditv1.AdvanceRepairResponse, error) {
		f.w.lists.repair.State, f.w.lists.repair.DueTime = "REVIEWING", req.GetDueTime()
		f.w.lists.states = append(f.w.lists.states, "REVIEWING")
		return &creditv1.AdvanceRepairResponse{Repair: proto.CloneOf(f.w.lists.repair)}, nil
	})
}

func (f fakeCredit) DecideRepair(_ context.Context, req *creditv1.DecideRepairRequest, _ ...grpc.CallOption) (*creditv1.DecideRepairResponse, error) {
	return once(f.w, req, func() (*creditv1.DecideRepairResponse, error) {
		r, l := f.w.lists.repair, f.w.lists.entry
		r.State = map[bool]string{true: "GRANTED", false: "REFUSED"}[req.GetGranted()]
		if req.GetGranted() {
			l.State, l.EndTime = "REMOVED", timestamppb.Now()
		}
		f.w.lists.states = append(f.w.lists.states, r.GetState())
		return &creditv1.DecideRepairResponse{Repair: proto.CloneOf(r)}, nil
	})
}

func (f fakeCredit) ListJointMeasures(context.Context, *creditv1.ListJointMeasuresRequest, ...grpc.CallOption) (*creditv1.ListJointMeasuresResponse, error) {
	return &creditv1.ListJointMeasuresResponse{Measures: f.w.lists.measures}, nil
}

func (f fakeCredit) RecordLifting(_ context.Context, req *creditv1.RecordLiftingRequest, _ ...grpc.CallOption) (*creditv1.RecordLiftingResponse, error) {
	return once(f.w, req, func() (*creditv1.RecordLiftingResponse, error) {
		f.w.lists.states = append(f.w.lists.states, "lifted:"+req.GetMeasureId())
		return &creditv1.RecordLiftingResponse{}, nil
	})
}

func (f fakeCredit) WithdrawByCase(_ context.Context, req *creditv1.WithdrawByCaseRequest, _ ...grpc.CallOption) (*creditv1.WithdrawByCaseResponse, error) {
	return once(f.w, req, func() (*creditv1.WithdrawByCaseResponse, error) {
		f.w.lists.withdrawn = append(f.w.lists.withdrawn, req.GetCaseId())
		if f.w.lists.entry == nil {
			return &creditv1.WithdrawByCaseResponse{}, nil
		}
		f.w.lists.entry.State, f.w.lists.entry.EndTime = "WITHDRAWN", timestamppb.Now()
		return &creditv1.WithdrawByCaseResponse{Listings: []*creditv1.Listing{proto.CloneOf(f.w.lists.entry)}}, nil
	})
}

func (f fakeCredit) ListPublicationWork(context.Context, *creditv1.ListPublicationWorkRequest, ...grpc.CallOption) (*creditv1.ListPublicationWorkResponse, error) {
	return &creditv1.ListPublicationWorkResponse{Listings: f.w.lists.work}, nil
}

func (f fakeCredit) RecordListingPublication(_ context.Context, req *creditv1.RecordListingPublicationRequest, _ ...grpc.CallOption) (*creditv1.RecordListingPublicationResponse, error) {
	return once(f.w, req, func() (*creditv1.RecordListingPublicationResponse, error) {
		if req.GetPenaltyWithdrawn() || req.GetPenaltyPublicBecause() != "" {
			f.w.lists.states = append(f.w.lists.states, fmt.Sprintf("penalty withdrawn=%v%s", req.GetPenaltyWithdrawn(), req.GetPenaltyPublicBecause()))
		}
		f.w.lists.public = append(f.w.lists.public, fmt.Sprintf("%s%s withdrawn=%v", req.GetPublicationId(), req.GetNotPublishedBecause(), req.GetWithdrawn()))
		return &creditv1.RecordListingPublicationResponse{}, nil
	})
}

func (f fakeCredit) ExpireListings(context.Context, *creditv1.ExpireListingsRequest, ...grpc.CallOption) (*creditv1.ExpireListingsResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.lists.expired++
	return &creditv1.ExpireListingsResponse{More: f.w.lists.expired == 1}, nil
}

func (f fakeCredit) ListUnstartedMatters(_ context.Context, req *creditv1.ListUnstartedMattersRequest, _ ...grpc.CallOption) (*creditv1.ListUnstartedMattersResponse, error) {
	return &creditv1.ListUnstartedMattersResponse{Ids: map[string][]string{"listing": {id(720)}, "repair": {id(721)}}[req.GetKind()]}, nil
}

func (f fakeDisclosure) WithdrawByCase(_ context.Context, req *disclosurev1.WithdrawByCaseRequest, _ ...grpc.CallOption) (*disclosurev1.WithdrawByCaseResponse, error) {
	return once(f.w, req, func() (*disclosurev1.WithdrawByCaseResponse, error) {
		if f.w.lists.forbidden && req.GetKind() == kindPenalty {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, "never early")
		}
		f.w.matters.withdrawn = append(f.w.matters.withdrawn, req.GetKind()+":"+req.GetCaseId()+":"+req.GetCause())
		return &disclosurev1.WithdrawByCaseResponse{}, nil
	})
}

func (f fakeRuns) StartListing(_ context.Context, id string) (bool, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.started = append(f.w.started, listingID(id))
	return true, nil
}

func (f fakeRuns) StartRepair(_ context.Context, id string) (bool, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.started = append(f.w.started, repairID(id))
	return true, nil
}
