package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/pg"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// FollowRectification puts down that a workflow follows an item, and says how that stands.
func (s *Server) FollowRectification(ctx context.Context, req *ledgerv1.FollowRectificationRequest) (*ledgerv1.FollowRectificationResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.FollowRectificationResponse, error) {
		q := store.New(tx)
		row, err := q.LockItem(ctx, req.GetItemId())
		if err != nil {
			return nil, errs.NotFound(err, "no such item")
		}
		if row.CampaignItem.FollowedAt == nil {
			if err := q.SetFollowed(ctx, store.SetFollowedParams{ItemID: row.CampaignItem.ItemID, FollowedAt: s.now()}); err != nil {
				return nil, err
			}
		}
		item, err := s.item(ctx, q, row.CampaignItem.ItemID)
		return &ledgerv1.FollowRectificationResponse{Item: item}, err
	})
}

// followed tells the workflow of an item, when something is found on it or was put right; what is not told it finds out.
func (s *Server) followed(item *ledgerv1.CampaignItem, err error) {
	switch {
	case err != nil:
	case item.GetState() == itemFound && item.GetClosing() == nil:
		s.tell.Start(kindRectification, item.GetItemId())
	case len(item.GetFindings()) > 0:
		s.tell.Nudge(kindRectification, item.GetItemId())
	}
}
