package main

import (
	"context"
	"fmt"
	"time"

	creditv1 "quietline/proto/quietline/credit/v1"
)

// checkLists counts late entries, and sees to it that what is under way in the credit lists has a workflow.
func (a *auditor) checkLists(ctx context.Context) error {
	service := creditv1.NewCreditServiceClient(a.conn)
	var running []string
	for _, what := range []string{"late", "open", "repairs", "repaired"} {
		err := pages(func(token string) (string, error) {
			r, err := service.Audit(ctx, &creditv1.AuditRequest{PageSize: auditPage, PageToken: token, What: what})
			for _, l := range r.GetListings() {
				switch {
				case what == "late":
					a.report.ListedLate++
				case what == "repaired":
					a.repaired[l.GetCaseId()] = stopsAt(l)
				case l.GetState() == "NOTIFIED": // one that is only proposed may wait for the sweep
					running = append(running, "listing/"+l.GetListingId())
				}
			}
			for _, id := range r.GetRepairIds() {
				running = append(running, "repair/"+id)
			}
			return r.GetNextPageToken(), err
		})
		if err != nil {
			return fmt.Errorf("audit credit lists (%s): %w", what, err)
		}
	}
	return a.mustRun(ctx, running)
}

// stopsAt is when the penalty of a repaired entry has to be public no longer: with the repair, or from when the basis allows
// that is on record for it.
func stopsAt(l *creditv1.Listing) time.Time {
	if until := l.GetPenaltyPublicUntil(); until != nil {
		return until.AsTime()
	}
	return l.GetEndTime().AsTime()
}
