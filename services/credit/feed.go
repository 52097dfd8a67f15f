package credit

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

const feedPage = 100

func cursorOf(id int64) string { return pg.EncodeToken("lists", strconv.FormatInt(id, 10)) }

// place in the feed that a cursor names.
func feedPlace(cursor string) (int64, error) {
	parts, err := pg.DecodeToken(cursor, 2)
	if err != nil || parts == nil {
		return 0, err
	}
	id, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || id < 0 || parts[0] != "lists" {
		return 0, badCursor()
	}
	return id, nil
}

func badCursor() error {
	return errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the cursor is not one of this feed")
}

// ListListingChanges is the feed: who was listed and who is no longer, in order. All who wait are woken by one listener.
func (s *Server) ListListingChanges(ctx context.Context, req *creditv1.ListListingChangesRequest) (*creditv1.ListListingChangesResponse, error) {
	after, err := feedPlace(req.GetAfterCursor())
	if err != nil {
		return nil, err
	}
	n := req.GetPageSize()
	if n == 0 {
		n = feedPage
	}
	telecomOnly := viewerOf(ctx).operator
	if err := s.follows(ctx, after); err != nil {
		return nil, err
	}
	rows, err := pg.LongPollWoken(ctx, req.GetMaxWait().AsDuration(), s.hub.interval, s.hub.wake, func(ctx context.Context) ([]store.ListingChange, error) {
		if rows, ok := s.hub.after(after, int(n)); ok {
			return rows, nil
		}
		return store.New(s.db).ChangesAfter(ctx, store.ChangesAfterParams{After: after, N: n})
	})
	if err != nil {
		return nil, err
	}
	resp := &creditv1.ListListingChangesResponse{NextCursor: cursorOf(after)}
	for _, c := range rows {
		resp.NextCursor = cursorOf(c.ChangeID)
		if telecomOnly && c.List == creditRecord {
			continue // an operator acts on the telecom lists; what a firm's own sector keeps of it is no business of its
		}
		if telecomOnly { // who, and what for: more it reads of the entry itself, when that is public
			c.PartyName, c.Licence, c.Reason = "", "", ""
		}
		resp.Changes = append(resp.Changes, &creditv1.ListingChange{
			Cursor: resp.GetNextCursor(), ListingId: c.ListingID, List: c.List, State: c.State, PartyName: c.PartyName, CreditCode: c.CreditCode,
			Licence: c.Licence, Ground: c.Ground, AgencyId: c.AgencyID, Reason: c.Reason, ChangeTime: stamp(&c.ChangeTime),
			LatestEnd: stamp(c.LatestEnd), LiftDue: stamp(c.LiftDue),
		})
	}
	return resp, nil
}

// follows writes who reads, and what it must have taken since it asks for what comes after. It is known before it waits.
func (s *Server) follows(ctx context.Context, after int64) error {
	agency := identity.ActorOf(ctx).GetAgencyId()
	if agency == "" {
		return nil
	}
	return store.New(s.db).Taken(ctx, store.TakenParams{AgencyID: agency, Taken: after, At: s.now()})
}

// AckListingChanges says up to where the caller's agency has taken the changes over.
func (s *Server) AckListingChanges(ctx context.Context, req *creditv1.AckListingChangesRequest) (*creditv1.AckListingChangesResponse, error) {
	acked, err := feedPlace(req.GetCursor())
	if err != nil {
		return nil, err
	}
	agency := identity.ActorOf(ctx).GetAgencyId()
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.AckListingChangesResponse, error) {
		q := store.New(tx)
		last, err := q.LastChange(ctx)
		if err != nil {
			return nil, err
		}
		if acked > last {
			return nil, badCursor()
		}
		if _, err := q.Ack(ctx, store.AckParams{AgencyID: agency, Acked: acked, At: new(s.now())}); err != nil {
			return nil, err
		}
		row, err := q.GetSubscriber(ctx, agency)
		return &creditv1.AckListingChangesResponse{Subscriber: s.subscriber(store.ListSubscribersRow(row))}, err
	})
}

func (s *Server) subscriber(r store.ListSubscribersRow) *creditv1.Subscriber {
	out := &creditv1.Subscriber{AgencyId: r.AgencyID, SinceTime: stamp(&r.CreatedAt), AckTime: stamp(r.AckedTime), Behind: r.Behind,
		ReadTime: stamp(r.TakenTime), Unread: r.Unread}
	if r.Behind > 0 {
		out.BehindAge = durationpb.New(max(s.now().Sub(r.Oldest), time.Duration(0)))
	}
	return out
}

// ListSubscribers shows how far everyone is behind.
func (s *Server) ListSubscribers(ctx context.Context, req *creditv1.ListSubscribersRequest) (*creditv1.ListSubscribersResponse, error) {
	parts, err := pg.DecodeToken(req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	after := ""
	if parts != nil {
		after = parts[0]
	}
	size := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ListSubscribers(ctx, store.ListSubscribersParams{After: after, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &creditv1.ListSubscribersResponse{}
	for _, r := range rows {
		resp.Subscribers = append(resp.Subscribers, s.subscriber(r))
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[len(rows)-1].AgencyID)
	}
	return resp, nil
}
