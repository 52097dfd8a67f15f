package workflows

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// WriteRound does all of the writes or none, once.
func (f fakeReporting) WriteRound(ctx context.Context, req *reportingv1.WriteRoundRequest, _ ...grpc.CallOption) (*reportingv1.WriteRoundResponse, error) {
	f.w.mu.Lock()
	raw, _ := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	was, again := f.w.requests[req.GetRequestId()]
	refused := f.w.newRound && f.w.watched != nil
	if !again && !refused {
		f.w.requests[req.GetRequestId()] = string(raw)
	}
	f.w.mu.Unlock()
	switch {
	case again && was != string(raw):
		return nil, errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED, "another request")
	case again:
		return &reportingv1.WriteRoundResponse{AllWithdrawn: f.w.withdrawn, Watching: f.w.watched != nil}, nil
	case refused:
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "another round")
	}
	resp := &reportingv1.WriteRoundResponse{}
	for i, w := range req.GetWrites() {
		id := derived(fmt.Sprintf("%s/%d", req.GetRequestId(), i)) // the keys of the writes are not looked at
		var err error
		switch m := proto.CloneOf(w).GetWrite().(type) {
		case *reportingv1.RoundWrite_Advance:
			m.Advance.RequestId = id
			_, err = f.AdvanceComplaint(ctx, m.Advance)
		case *reportingv1.RoundWrite_Feedback:
			m.Feedback.RequestId = id
			_, err = f.GiveFeedback(ctx, m.Feedback)
		case *reportingv1.RoundWrite_Classification:
			m.Classification.RequestId = id
			_, err = f.RecordClassification(ctx, m.Classification)
		case *reportingv1.RoundWrite_Findings:
			m.Findings.RequestId = id
			_, err = f.RecordFindings(ctx, m.Findings)
		case *reportingv1.RoundWrite_Watching:
			m.Watching.RequestId = id
			var watching *reportingv1.StartWatchingResponse
			watching, err = f.StartWatching(ctx, m.Watching)
			resp.Watching = watching.GetWatching()
		}
		if err != nil {
			return nil, err
		}
	}
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	resp.AllWithdrawn = f.w.withdrawn
	return resp, nil
}
