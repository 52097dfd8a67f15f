package ledger

import (
	"context"
	"fmt"

	"quietline/internal/pg"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// Audit returns the tasks that live suspensions name, or what the database should have refused, asked again without
// trusting it.
func (s *Server) Audit(ctx context.Context, req *ledgerv1.AuditRequest) (*ledgerv1.AuditResponse, error) {
	size := int32(pg.MaxPageSize)
	if req.GetPageSize() > 0 {
		size = pg.PageSize(req.GetPageSize())
	}
	switch req.GetWhat() {
	case "recalls":
		return s.auditRecalls(ctx, req.GetPageToken(), size)
	case "appeals":
		return s.auditAppeals(ctx, req.GetPageToken(), size)
	}
	after, err := afterID(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if req.GetWhat() == "suspensions" {
		return s.suspensions(ctx, after, size)
	}
	return s.violations(ctx, after, size)
}

func (s *Server) suspensions(ctx context.Context, after string, size int32) (*ledgerv1.AuditResponse, error) {
	rows, err := store.New(s.db).AuditSuspensions(ctx, store.AuditSuspensionsParams{After: after, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.AuditResponse{}
	for _, r := range rows {
		if r.TaskID != nil {
			resp.TaskIds = append(resp.TaskIds, *r.TaskID)
		}
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[size-1].ResourceID)
	}
	return resp, nil
}

// violations pages through overlaps; what is wrong with resources, of which there should be none, comes on the first page.
func (s *Server) violations(ctx context.Context, after string, size int32) (*ledgerv1.AuditResponse, error) {
	q := store.New(s.db)
	resp := &ledgerv1.AuditResponse{}
	overlaps, err := q.AuditOverlaps(ctx, store.AuditOverlapsParams{After: after, PageSize: size})
	if err != nil {
		return nil, err
	}
	for _, o := range overlaps {
		resp.Violations = append(resp.Violations, fmt.Sprintf("allocations %s and %s overlap", o.AllocationID, o.OtherID))
	}
	if len(overlaps) == int(size) {
		resp.NextPageToken = pg.EncodeToken(overlaps[size-1].AllocationID)
	}
	if after != firstID {
		return resp, nil
	}
	broken, err := s.brokenRecalls(ctx, q, size)
	if err != nil {
		return nil, err
	}
	resp.Violations = append(resp.Violations, broken...)
	deductions, err := q.AuditDeductions(ctx, size)
	if err != nil {
		return nil, err
	}
	for _, d := range deductions {
		resp.Violations = append(resp.Violations, d.ID+": "+d.What)
	}
	campaigns, err := s.brokenCampaigns(ctx, q, size)
	if err != nil {
		return nil, err
	}
	resp.Violations = append(resp.Violations, campaigns...)
	loose, err := s.brokenRows(ctx, q, size)
	if err != nil {
		return nil, err
	}
	resp.Violations = append(resp.Violations, loose...)
	loads, err := brokenLoads(ctx, q, size)
	if err != nil {
		return nil, err
	}
	resp.Violations = append(resp.Violations, loads...)
	bare, err := q.AuditUnallocated(ctx, store.AuditUnallocatedParams{After: firstID, PageSize: size})
	if err != nil {
		return nil, err
	}
	for _, id := range bare {
		resp.Violations = append(resp.Violations, fmt.Sprintf("resource %s has no allocation or no event that began it", id))
	}
	return resp, nil
}

// brokenRows are sublets, rows and findings that contradict what they hang on.
func (s *Server) brokenRows(ctx context.Context, q *store.Queries, size int32) ([]string, error) {
	var broken []string
	early, err := q.AuditPortings(ctx, size)
	if err != nil {
		return nil, err
	}
	for _, id := range early {
		broken = append(broken, fmt.Sprintf("answer %d on a ported number is about a call that had not been made", id))
	}
	chains, err := q.AuditChains(ctx, store.AuditChainsParams{After: firstID, PageSize: size})
	if err != nil {
		return nil, err
	}
	for _, id := range chains {
		broken = append(broken, fmt.Sprintf("sublet %s is by somebody who neither held the numbers nor had them let to it", id))
	}
	hanging, err := q.AuditHanging(ctx, size)
	if err != nil {
		return nil, err
	}
	for _, x := range hanging {
		broken = append(broken, fmt.Sprintf("%s %s goes on while its resource is not allocated", x.What, x.ID))
	}
	odd, err := q.AuditSchemes(ctx, store.AuditSchemesParams{After: firstID, PageSize: size})
	if err != nil {
		return nil, err
	}
	for _, id := range odd {
		broken = append(broken, fmt.Sprintf("allocation %s has another scheme than its numbers: nobody finds it; correct it", id))
	}
	lost, err := q.AuditVersions(ctx, store.AuditVersionsParams{After: firstID, PageSize: size})
	if err != nil {
		return nil, err
	}
	for _, id := range lost {
		broken = append(broken, fmt.Sprintf("resource %s was corrected and nothing was entered in its place", id))
	}
	findings, err := q.AuditFindings(ctx, store.AuditFindingsParams{After: firstID, PageSize: size})
	if err != nil {
		return nil, err
	}
	for _, id := range findings {
		broken = append(broken, fmt.Sprintf("finding %s is in another state than its last act says", id))
	}
	return broken, nil
}

// brokenLoads are rows of applied files that the ledger does not have, and staged rows that outlived their retention.
func brokenLoads(ctx context.Context, q *store.Queries, size int32) ([]string, error) {
	var broken []string
	lost, err := q.AuditLoadEntries(ctx, size)
	if err != nil {
		return nil, err
	}
	for _, r := range lost {
		broken = append(broken, fmt.Sprintf("load %s was applied and what its line %d enters is not in the ledger", r.LoadID, r.Line))
	}
	left, err := q.AuditUncleared(ctx)
	if err == nil && left > 0 {
		broken = append(broken, fmt.Sprintf("what was staged for %d loads is kept for longer than its retention", left))
	}
	return broken, err
}
