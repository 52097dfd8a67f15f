package credit

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

// listingRow is what every query of listings returns; the rows of the others convert to it.
type listingRow store.GetListingRow

// proto is the listing as of a time.
func (r listingRow) proto(at time.Time) *creditv1.Listing {
	l := r.Listing
	out := &creditv1.Listing{
		ListingId:   l.ListingID,
		List:        l.List,
		PartyName:   l.PartyName,
		CreditCode:  l.CreditCode,
		Licence:     l.Licence,
		Ground:      l.Ground,
		CaseId:      l.CaseID,
		DecidedTime: timestamppb.New(l.DecidedTime),
		AgencyId:    l.AgencyID,
		Severity:    l.Severity,
		StartTime:   timestamppb.New(l.ListedTime),
		EarliestEnd: timestamppb.New(l.EarliestEnd),
		LatestEnd:   timestamppb.New(l.LatestEnd),
		State:       stateAt(at, l.LatestEnd, r.WithdrawnTime),
	}
	if out.GetState() == withdrawn && r.Reason != nil {
		out.WithdrawnReason = *r.Reason
	}
	return out
}

func get(ctx context.Context, q *store.Queries, id string, at time.Time) (*creditv1.Listing, error) {
	row, err := q.GetListing(ctx, id)
	if err != nil {
		return nil, errs.NotFound(err, "no such listing")
	}
	return listingRow(row).proto(at), nil
}

// doneBy is who acts, as it stands on record.
func doneBy(ctx context.Context) string {
	a := identity.ActorOf(ctx)
	if a.GetAgencyId() == "" {
		return a.GetSubject()
	}
	return a.GetSubject() + "@" + a.GetAgencyId()
}
