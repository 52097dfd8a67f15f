package main

import (
	"context"

	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// checkFindings counts what was substantiated and nothing followed from (有案必查、查实必罚). That is an agency's work while the
// complaint is open; a complaint must not be closed with it.
func (a *auditor) checkFindings(ctx context.Context) error {
	service := enforcementv1.NewEnforcementServiceClient(a.conn)
	return pages(func(token string) (string, error) {
		r, err := service.ListUndisposed(ctx, &enforcementv1.ListUndisposedRequest{PageSize: auditPage, PageToken: token})
		for _, f := range r.GetFindings() {
			if c := a.complaints[f.GetComplaintId()]; c.GetState() == "CLOSED" && c.GetRound() == f.GetRound() {
				a.broken("complaint %s is closed but nothing followed from its substantiated finding", f.GetComplaintId())
			}
		}
		a.report.Undisposed = int(r.GetCount())
		return r.GetNextPageToken(), err
	})
}
