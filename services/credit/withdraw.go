package credit

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

// basisLift is how long an agency may take to lift its measure after the end of an entry.
const basisLift = "lift_3wd"

// ending is how an entry ends.
type ending struct {
	state, reason, article, by, taskID string
	at, end                            time.Time
}

// end ends an entry. Its measures must be lifted within the term; an application for its repair that is open has lost its
// object, and is returned so that its workflow is told after the commit.
func (s *Server) end(ctx context.Context, q *store.Queries, l store.Listing, e ending) (mootRepair string, err error) {
	due, err := calendar.Due(basisLift, e.end, s.profile)
	if err != nil {
		return "", err
	}
	err = q.EndListing(ctx, store.EndListingParams{
		ListingID: l.ListingID, State: e.state, At: e.at, By: e.by, Reason: e.reason, Article: e.article, TaskID: some(e.taskID),
		EndTime: &e.end, LiftDue: &due.Due, LiftStatutory: &due.Statutory, LiftProof: &due.Proof, LiftProvisional: &due.Provisional,
	})
	if err != nil {
		return "", err
	}
	r, err := q.OpenRepair(ctx, l.ListingID)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return r.RepairID, q.DecideRepair(ctx, store.DecideRepairParams{RepairID: r.RepairID, State: repairMoot, DecideTime: &e.at, ReasonCode: "entry_ended"})
}

// told tells the workflows of rows that changed, after the commit.
func (s *Server) told(kind string, ids ...string) {
	for _, id := range ids {
		if id != "" {
			s.tell.Nudge(kind, id)
		}
	}
}

// WithdrawListing takes an entry back; who listed withdraws. Withdrawing again keeps the first reason.
func (s *Server) WithdrawListing(ctx context.Context, req *creditv1.WithdrawListingRequest) (*creditv1.WithdrawListingResponse, error) {
	var moot []string
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.WithdrawListingResponse, error) {
		q, now := store.New(tx), s.now()
		l, err := q.LockListing(ctx, req.GetListingId())
		if err != nil {
			return nil, noListing(err)
		}
		if err := mayWithdraw(ctx, l.AgencyID); err != nil {
			return nil, err
		}
		switch state := stateAt(now, l); state {
		case withdrawn:
		case listed, repairRequested:
			moot, err = s.takeBack(ctx, q, l, ending{state: withdrawn, reason: req.GetReason(), by: doneBy(ctx), at: now, end: now})
			if err != nil {
				return nil, err
			}
		default:
			return nil, wrongState("the listing is %s: there is nothing to withdraw", state)
		}
		out, err := get(ctx, q, req.GetListingId(), now)
		if err != nil {
			return nil, err
		}
		return &creditv1.WithdrawListingResponse{Listing: out}, nil
	})
	s.told(kindRepair, moot...)
	return resp, err
}

// takeBack ends an entry and what rests on it: without the first, the others have no ground.
func (s *Server) takeBack(ctx context.Context, q *store.Queries, l store.Listing, e ending) (moot []string, err error) {
	for open := []store.Listing{l}; len(open) > 0; open = open[1:] {
		id, err := s.end(ctx, q, open[0], e)
		if err != nil {
			return nil, err
		}
		moot = append(moot, id)
		on, err := q.ListingsOn(ctx, &open[0].ListingID)
		if err != nil {
			return nil, err
		}
		for _, o := range on {
			if o, err = q.LockListing(ctx, o.ListingID); err != nil {
				return nil, err
			}
			if o.State != withdrawn {
				open = append(open, o)
			}
		}
	}
	return moot, nil
}

// mayWithdraw holds 谁认定、谁修复: a person withdraws what the own agency listed.
func mayWithdraw(ctx context.Context, agencyID string) error {
	if identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS || identity.ActorOf(ctx).GetAgencyId() == agencyID {
		return nil
	}
	return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
		"only %s, which listed the party, may withdraw the listing", agencyID)
}

// WithdrawByCase takes back all that rests on a case, also what has ended and what rests on an entry of it: the decision
// was reversed, and nothing of it counts.
func (s *Server) WithdrawByCase(ctx context.Context, req *creditv1.WithdrawByCaseRequest) (*creditv1.WithdrawByCaseResponse, error) {
	var moot []string
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.WithdrawByCaseResponse, error) {
		q, now, resp := store.New(tx), s.now(), &creditv1.WithdrawByCaseResponse{}
		rows, err := q.ListingsOfCase(ctx, &req.CaseId)
		if err != nil {
			return nil, err
		}
		for _, l := range rows {
			if l, err = q.LockListing(ctx, l.ListingID); err != nil {
				return nil, err
			}
			if l.State != withdrawn {
				ended := ending{
					state: withdrawn, reason: req.GetReason(), article: "行政处罚法 第四十八条", by: doneBy(ctx), at: now, end: now,
				}
				id, err := s.end(ctx, q, l, ended)
				if err != nil {
					return nil, err
				}
				moot = append(moot, id)
			}
			out, err := get(ctx, q, l.ListingID, now)
			if err != nil {
				return nil, err
			}
			resp.Listings = append(resp.Listings, out)
		}
		return resp, nil
	})
	s.told(kindRepair, moot...)
	return resp, err
}

// ExpireListings ends what has reached its latest end, so that those who follow hear of it.
func (s *Server) ExpireListings(ctx context.Context, req *creditv1.ExpireListingsRequest) (*creditv1.ExpireListingsResponse, error) {
	const usual = 100
	limit := req.GetLimit()
	if limit == 0 {
		limit = usual
	}
	var moot []string
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.ExpireListingsResponse, error) {
		q, now, resp := store.New(tx), s.now(), &creditv1.ExpireListingsResponse{}
		ids, err := q.ListingsToEnd(ctx, store.ListingsToEndParams{At: &now, N: limit})
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			l, err := q.LockListing(ctx, id)
			if err != nil {
				return nil, err
			}
			if l.State != listed && l.State != repairRequested {
				continue // ended otherwise while we waited for its row
			}
			left, err := s.end(ctx, q, l, ending{
				state: expired, article: "信用修复管理办法: 期满自动停止公示", by: doneBy(ctx), at: now, end: *l.LatestEnd,
			})
			if err != nil {
				return nil, err
			}
			moot = append(moot, left)
			resp.Expired++
		}
		resp.More = len(ids) == int(limit)
		return resp, nil
	})
	s.told(kindRepair, moot...)
	return resp, err
}
