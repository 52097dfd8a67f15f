package credit

import (
	"context"
	"time"

	"github.com/google/uuid"

	"quietline/internal/pg"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

// Audit returns live entries, entries past their 30 days, what is under way, or what should not be.
func (s *Server) Audit(ctx context.Context, req *creditv1.AuditRequest) (*creditv1.AuditResponse, error) {
	size := int32(pg.MaxPageSize)
	if req.GetPageSize() > 0 {
		size = pg.PageSize(req.GetPageSize())
	}
	now := s.now()
	if req.GetWhat() == "listings" {
		arg := store.ListListingsParams{List: "*", SeesAll: true, LiveAt: &now, PageSize: size}
		listings, next, err := s.page(ctx, arg, req.GetPageToken())
		return &creditv1.AuditResponse{Listings: listings, NextPageToken: next}, err
	}
	q := store.New(s.db)
	if req.GetWhat() == "violations" {
		return violations(ctx, q, now, req.GetPageToken(), size)
	}
	after, err := idToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	resp, last := &creditv1.AuditResponse{}, ""
	if req.GetWhat() == "repairs" {
		resp.RepairIds, err = q.ReviewedRepairs(ctx, store.ReviewedRepairsParams{After: after, PageSize: size})
		if n := len(resp.GetRepairIds()); n > 0 {
			last = resp.GetRepairIds()[n-1]
		}
		return nextPage(resp, len(resp.GetRepairIds()), size, last), err
	}
	rows, err := auditRows(ctx, q, req.GetWhat(), now, after, size)
	for _, l := range rows {
		resp.Listings, last = append(resp.Listings, proto(l, now, viewerOf(ctx))), l.ListingID
	}
	return nextPage(resp, len(rows), size, last), err
}

// violations are paged by what is broken too: one row may break several rules.
func violations(ctx context.Context, q *store.Queries, now time.Time, token string, size int32) (*creditv1.AuditResponse, error) {
	parts, err := pg.DecodeToken(token, 2)
	if err != nil {
		return nil, err
	}
	if parts == nil {
		parts = []string{firstID, ""}
	}
	if uuid.Validate(parts[0]) != nil {
		return nil, badToken()
	}
	rows, err := q.AuditViolations(ctx, store.AuditViolationsParams{At: &now, After: parts[0], AfterWhat: parts[1], PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &creditv1.AuditResponse{}
	for _, r := range rows {
		resp.Violations = append(resp.Violations, r.ID+": "+r.What)
	}
	if len(rows) == int(size) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.EncodeToken(last.ID, last.What)
	}
	return resp, nil
}

func auditRows(ctx context.Context, q *store.Queries, what string, now time.Time, after string, size int32) ([]store.Listing, error) {
	switch what {
	case "late":
		return q.LateListings(ctx, store.LateListingsParams{At: &now, After: after, PageSize: size})
	case "repaired":
		return q.RepairedListings(ctx, store.RepairedListingsParams{After: after, PageSize: size})
	}
	return q.OpenProposals(ctx, store.OpenProposalsParams{After: after, PageSize: size})
}

func nextPage(resp *creditv1.AuditResponse, n int, size int32, last string) *creditv1.AuditResponse {
	if n == int(size) {
		resp.NextPageToken = pg.EncodeToken(last)
	}
	return resp
}

// ListUnstartedMatters lists rows whose workflow has not begun, for the sweep.
func (s *Server) ListUnstartedMatters(ctx context.Context, req *creditv1.ListUnstartedMattersRequest) (*creditv1.ListUnstartedMattersResponse, error) {
	after, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !ok {
		id = firstID
	}
	arg := store.UnstartedListingsParams{
		Until: s.now().Add(-req.GetOlderThan().AsDuration()), AfterTime: after, AfterID: id, PageSize: pg.PageSize(req.GetPageSize()),
	}
	var rows []store.UnstartedListingsRow
	q := store.New(s.db)
	if req.GetKind() == kindListing {
		rows, err = q.UnstartedListings(ctx, arg)
	} else {
		var repairs []store.UnstartedRepairsRow
		repairs, err = q.UnstartedRepairs(ctx, store.UnstartedRepairsParams(arg))
		for _, r := range repairs {
			rows = append(rows, store.UnstartedListingsRow(r))
		}
	}
	if err != nil {
		return nil, err
	}
	resp := &creditv1.ListUnstartedMattersResponse{}
	for _, r := range rows {
		resp.Ids = append(resp.Ids, r.ID)
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(last.At, last.ID)
	}
	return resp, nil
}
