package enforcement

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// discovered keeps what a complaint says of the act that its case is about: when it was discovered, from when to when it
// was seen, and by which numbers, of which only a keyed index is kept.
func (s *Server) discovered(ctx context.Context, q *store.Queries, caseID string, req *enforcementv1.OpenCaseRequest) error {
	d := store.AddDiscoveryParams{
		CaseID: caseID, ComplaintID: req.GetComplaintId(), DiscoveryBasis: req.GetDiscoveryBasis(), NumberKeys: [][]byte{},
		DiscoveryTime: optionalTime(req.GetDiscoveryTime()), ActBeginTime: optionalTime(req.GetActBeginTime()), ActEndTime: optionalTime(req.GetActEndTime()),
	}
	if d.ActBeginTime != nil && d.ActEndTime != nil && d.ActEndTime.Before(*d.ActBeginTime) {
		return errs.Field("act_end_time", "must not be before act_begin_time")
	}
	for _, n := range req.GetNumbers() {
		d.NumberKeys = append(d.NumberKeys, s.keys.Index("enforcement/number", n))
	}
	return q.AddDiscovery(ctx, d)
}

func optionalTime(t *timestamppb.Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	at := t.AsTime()
	return &at
}
