package reporting

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// linksShown are as many links of a complaint as are told with it.
const linksShown = 100

// LinkComplaints ties two complaints. The same link made again is the one that stands.
func (s *Server) LinkComplaints(ctx context.Context, req *reportingv1.LinkComplaintsRequest) (*reportingv1.LinkComplaintsResponse, error) {
	if req.GetComplaintId() == req.GetOtherComplaintId() {
		return nil, errs.Field("other_complaint_id", "must be another complaint")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.LinkComplaintsResponse, error) {
		m := &moving{tx: tx, q: store.New(tx), at: s.clock(), why: req.GetReason()}
		one, other, err := m.two(ctx, req.GetComplaintId(), req.GetOtherComplaintId())
		if err != nil {
			return nil, err
		}
		if err := mayLink(ctx, m.q, one, other); err != nil {
			return nil, err
		}
		stands, err := m.q.StandingLink(ctx, store.StandingLinkParams{
			ComplaintID: one.ComplaintID, OtherComplaintID: other.ComplaintID, Kind: req.GetKind(),
		})
		if errors.Is(err, pgx.ErrNoRows) {
			stands, err = m.tie(ctx, one, other, req.GetKind())
		}
		if err != nil {
			return nil, fmt.Errorf("link: %w", err)
		}
		l, err := m.q.LinkByID(ctx, stands)
		if err != nil {
			return nil, fmt.Errorf("link: %w", err)
		}
		return &reportingv1.LinkComplaintsResponse{Link: linkOf(&l)}, nil
	})
}

// two locks two complaints, in the order of their keys: links of the same two are made one after the other.
func (m *moving) two(ctx context.Context, a, b string) (one, other *store.Complaint, err error) {
	rows, err := m.q.LockComplaints(ctx, []string{a, b})
	if err != nil {
		return nil, nil, fmt.Errorf("link: %w", err)
	}
	for i := range rows {
		if rows[i].ComplaintID == a {
			one = &rows[i]
		} else {
			other = &rows[i]
		}
	}
	for id, c := range map[string]*store.Complaint{a: one, b: other} {
		if c == nil {
			return nil, nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "complaint %s: not found", id)
		}
	}
	return one, other, nil
}

// mayLink: whoever leads one of them and sees the other, and the national centre.
func mayLink(ctx context.Context, q *store.Queries, one, other *store.Complaint) error {
	r := readerOf(ctx)
	for _, c := range []*store.Complaint{one, other} {
		_, err := q.VisibleComplaint(ctx, store.VisibleComplaintParams{
			ComplaintID: c.ComplaintID, SeesAll: r.seesAll, Sent: r.sends, AgencyID: r.agency,
		})
		if err != nil {
			return errs.NotFound(err, "complaint %s", c.ComplaintID)
		}
	}
	if mayRelate(ctx, q, other) == nil {
		return nil
	}
	return mayRelate(ctx, q, one)
}

func (m *moving) tie(ctx context.Context, one, other *store.Complaint, kind string) (int64, error) {
	subject, agency := who(ctx)
	id, err := m.q.AddLink(ctx, store.AddLinkParams{
		ComplaintID: one.ComplaintID, OtherComplaintID: other.ComplaintID, Kind: kind, Reason: m.why, Actor: subject, AgencyID: agency, CreatedAt: m.at,
	})
	if err != nil {
		return 0, err
	}
	if err := m.remember(ctx, one, "linked", "", other.ComplaintID); err != nil {
		return 0, err
	}
	return id, m.remember(ctx, other, "linked", "", one.ComplaintID)
}

// UnlinkComplaints takes a link back by a row of its own. What the mesh itself tied stays tied.
func (s *Server) UnlinkComplaints(ctx context.Context, req *reportingv1.UnlinkComplaintsRequest) (*reportingv1.UnlinkComplaintsResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.UnlinkComplaintsResponse, error) {
		m := &moving{tx: tx, q: store.New(tx), at: s.clock(), why: req.GetReason()}
		l, err := m.q.LinkByID(ctx, req.GetLinkId())
		if err != nil {
			return nil, errs.NotFound(err, "link %d", req.GetLinkId())
		}
		one, other, err := m.two(ctx, l.ComplaintID, l.OtherComplaintID)
		if err != nil {
			return nil, err
		}
		if err := mayLink(ctx, m.q, one, other); err != nil {
			if _, refused := errs.Refusal(err); refused { // a guessed number of a link tells nothing
				err = errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "link %d: not found", req.GetLinkId())
			}
			return nil, err
		}
		if l.Kind == linkSplit || l.Kind == linkMerged || l.AgencyID == "" {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
				"the mesh tied these complaints itself: that they were split, merged or followed each other stays so")
		}
		ended, err := m.q.LinkEnded(ctx, l.LinkID)
		if err != nil || ended { // taking it back twice is a no-op
			return &reportingv1.UnlinkComplaintsResponse{}, err
		}
		subject, agency := who(ctx)
		_, err = m.q.AddLink(ctx, store.AddLinkParams{
			ComplaintID: l.ComplaintID, OtherComplaintID: l.OtherComplaintID, Kind: l.Kind, Ends: &l.LinkID, Reason: m.why,
			Actor: subject, AgencyID: agency, CreatedAt: m.at,
		})
		if err != nil {
			return nil, fmt.Errorf("unlink: %w", err)
		}
		if err := m.remember(ctx, one, "unlinked", other.ComplaintID, ""); err != nil {
			return nil, err
		}
		return &reportingv1.UnlinkComplaintsResponse{}, m.remember(ctx, other, "unlinked", one.ComplaintID, "")
	})
}

// linksOf are the links of a complaint that stand, to other ones that the reader may see.
func linksOf(ctx context.Context, q *store.Queries, r reader, complaintID string) ([]*reportingv1.ComplaintLink, error) {
	rows, err := q.LinksOf(ctx, store.LinksOfParams{ComplaintID: complaintID, SeesAll: r.seesAll, Sent: r.sends, AgencyID: r.agency, Most: linksShown})
	if err != nil {
		return nil, fmt.Errorf("links: %w", err)
	}
	links := make([]*reportingv1.ComplaintLink, len(rows))
	for i := range rows {
		links[i] = linkOf(&rows[i])
	}
	return links, nil
}

func linkOf(l *store.ComplaintLink) *reportingv1.ComplaintLink {
	return &reportingv1.ComplaintLink{
		LinkId: l.LinkID, ComplaintId: l.ComplaintID, OtherComplaintId: l.OtherComplaintID, Kind: l.Kind, Reason: l.Reason,
		AgencyId: l.AgencyID, LinkedTime: timestamppb.New(l.CreatedAt),
	}
}
