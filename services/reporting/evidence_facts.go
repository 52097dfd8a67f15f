package reporting

import (
	"context"
	"fmt"

	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// evidenceFacts describes the evidence that a decision names, as far as it belongs to the complaint.
func evidenceFacts(ctx context.Context, q *store.Queries, req *reportingv1.GetFactsRequest) ([]*reportingv1.EvidenceFacts, error) {
	if len(req.GetEvidenceIds()) == 0 {
		return nil, nil
	}
	rows, err := q.EvidenceFacts(ctx, store.EvidenceFactsParams{ComplaintID: req.GetComplaintId(), EvidenceIds: req.GetEvidenceIds()})
	if err != nil {
		return nil, fmt.Errorf("evidence of complaint %s: %w", req.GetComplaintId(), err)
	}
	facts := make([]*reportingv1.EvidenceFacts, len(rows))
	for i, r := range rows {
		facts[i] = &reportingv1.EvidenceFacts{EvidenceId: r.EvidenceID, AgencyId: r.AgencyID, Unverified: r.Unverified}
	}
	return facts, nil
}
