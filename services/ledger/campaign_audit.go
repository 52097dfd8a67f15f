package ledger

import (
	"context"
	"fmt"

	"quietline/services/ledger/store"
)

// brokenCampaigns are sentences about campaigns and loads that are not what they say: an item without what its state
// stands on, a sample that its seed does not give, a load that the ledger does not have.
func (s *Server) brokenCampaigns(ctx context.Context, q *store.Queries, size int32) ([]string, error) {
	var broken []string
	for _, part := range []struct {
		ids   func() ([]string, error)
		words string
	}{
		{func() ([]string, error) {
			return q.AuditLoads(ctx, store.AuditLoadsParams{After: firstID, PageSize: size})
		}, "load %s is applied and the ledger has not all of its rows"},
		{func() ([]string, error) {
			return q.AuditCampaigns(ctx, store.AuditCampaignsParams{After: firstID, PageSize: size})
		}, "campaign %s has not as many items as were drawn"},
		{func() ([]string, error) {
			return q.AuditItems(ctx, store.AuditItemsParams{After: firstID, PageSize: size})
		}, "campaign item %s is in a state that its findings, its returns or the history of the resource do not bear out"},
		{func() ([]string, error) {
			return q.AuditClosings(ctx, store.AuditClosingsParams{After: firstID, PageSize: size})
		}, "campaign item %s was closed without three people, or by who inspected it"},
		{func() ([]string, error) { return q.AuditUnfollowed(ctx, size) }, "what was found on campaign item %s is followed by nobody"},
	} {
		ids, err := part.ids()
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			broken = append(broken, fmt.Sprintf(part.words, id))
		}
	}
	campaigns, err := q.CampaignsToDraw(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range campaigns {
		same, err := drawnAgain(ctx, q, c)
		if err != nil {
			return nil, err
		}
		if !same {
			broken = append(broken, fmt.Sprintf("campaign %s has another sample than its seed draws", c.CampaignID))
		}
	}
	return broken, nil
}
