package ledger

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// What a reviewer says of a proposed closing.
const (
	closingApproved = "approved"
	closingReturned = "returned"
)

// ProposeClosing proposes to close a line whose findings were not put right in time. A proposal that was returned may be
// followed by another one.
func (s *Server) ProposeClosing(ctx context.Context, req *ledgerv1.ProposeClosingRequest) (*ledgerv1.ProposeClosingResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.ProposeClosingResponse, error) {
		q := store.New(tx)
		row, last, err := s.closing(ctx, q, req.GetItemId())
		if err != nil {
			return nil, err
		}
		if last != nil && last.Review != closingReturned {
			return nil, wrongState("the closing of this line is proposed already")
		}
		if err := s.overdue(ctx, q, row.CampaignItem); err != nil {
			return nil, err
		}
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		err = q.InsertClosing(ctx, store.InsertClosingParams{
			ClosingID: id.String(), ItemID: row.CampaignItem.ItemID, Basis: req.GetBasis(), PriorNotice: req.GetPriorNotice(),
			Remedy: req.GetRemedy(), ProposedBy: doneBy(identity.ActorOf(ctx)), ProposedAt: s.now(),
		})
		if err != nil {
			return nil, err
		}
		item, err := s.item(ctx, q, row.CampaignItem.ItemID)
		return &ledgerv1.ProposeClosingResponse{Item: item}, err
	})
}

// ReviewClosing approves or returns what another proposed.
func (s *Server) ReviewClosing(ctx context.Context, req *ledgerv1.ReviewClosingRequest) (*ledgerv1.ReviewClosingResponse, error) {
	review := closingApproved
	if !req.GetApproved() {
		review = closingReturned
		if req.GetReason() == "" {
			return nil, errs.Field("reason", "must say why the proposal is returned")
		}
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.ReviewClosingResponse, error) {
		q := store.New(tx)
		row, last, err := s.closing(ctx, q, req.GetItemId())
		if err != nil {
			return nil, err
		}
		by := doneBy(identity.ActorOf(ctx))
		switch {
		case last == nil || last.Review != "":
			return nil, wrongState("no closing of this line waits for a review")
		case last.ProposedBy == by:
			return nil, samePerson("who proposed a closing does not review it")
		}
		err = q.ReviewClosing(ctx, store.ReviewClosingParams{
			ClosingID: last.ClosingID, Review: review, Reason: req.GetReason(), ReviewedBy: by, ReviewedAt: s.now(),
		})
		if err != nil {
			return nil, err
		}
		item, err := s.item(ctx, q, row.CampaignItem.ItemID)
		return &ledgerv1.ReviewClosingResponse{Item: item}, err
	})
}

// closing locks an item that the caller's agency inspects and reads its closing as proposed last, nil for none.
func (s *Server) closing(ctx context.Context, q *store.Queries, item string) (store.LockItemRow, *store.Closing, error) {
	row, err := inspected(ctx, q, item)
	if err != nil {
		return row, nil, err
	}
	last, err := q.LastClosing(ctx, row.CampaignItem.ItemID)
	if errors.Is(err, pgx.ErrNoRows) {
		return row, nil, nil
	}
	return row, &last, err
}

// mayClose says whether somebody may sign a closing (T1-06 不符合规范的专线一律关停): the head signs what two others proposed and
// reviewed, and has not inspected the line.
func mayClose(row store.LockItemRow, c *store.Closing, by string) error {
	switch {
	case c == nil || c.Review != closingApproved || c.SignedBy != "":
		return wrongState("no approved closing of this line waits for a signature")
	case row.CampaignItem.InspectedBy == by:
		return samePerson("who inspected a line does not close it")
	case c.ProposedBy == by || c.ReviewedBy == by:
		return samePerson("proposer, reviewer and signer of a closing must be three people")
	}
	return nil
}

func samePerson(words string) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON, "%s", words)
}

// addClosings tells of each item the closing that was proposed last. Outside the agencies it is known once it is signed, and
// then by its agency.
func addClosings(ctx context.Context, q *store.Queries, items map[string]*ledgerv1.CampaignItem, ids []string, inside bool) error {
	rows, err := q.ClosingsOf(ctx, ids)
	if err != nil {
		return err
	}
	for _, c := range rows {
		if !inside && c.SignedBy == "" {
			continue
		}
		p := &ledgerv1.Closing{
			Basis: c.Basis, PriorNotice: c.PriorNotice, Remedy: c.Remedy, ProposedBy: c.ProposedBy, ReviewedBy: c.ReviewedBy,
			Review: c.Review, Reason: c.Reason, SignedBy: c.SignedBy,
		}
		if !inside {
			p.ProposedBy, p.ReviewedBy, p.SignedBy = agencyOf(c.ProposedBy), agencyOf(c.ReviewedBy), agencyOf(c.SignedBy)
		}
		items[c.ItemID].Closing = p
	}
	return nil
}
