package credit

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

// RecordJointMeasure records what the caller's agency does to a listed party, once per measure.
func (s *Server) RecordJointMeasure(ctx context.Context, req *creditv1.RecordJointMeasureRequest) (*creditv1.RecordJointMeasureResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.RecordJointMeasureResponse, error) {
		q, agency := store.New(tx), identity.ActorOf(ctx).GetAgencyId()
		l, err := q.LockListing(ctx, req.GetListingId())
		if err == nil && !viewerOf(ctx).sees(l) {
			err = pgx.ErrNoRows
		}
		if err != nil {
			return nil, noListing(err)
		}
		id, err := q.MeasureOf(ctx, store.MeasureOfParams{ListingID: l.ListingID, AgencyID: agency, Measure: req.GetMeasure()})
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = s.punish(ctx, q, l, req)
		}
		if err != nil {
			return nil, err
		}
		m, err := measure(ctx, q, id)
		return &creditv1.RecordJointMeasureResponse{Measure: m}, err
	})
}

func (s *Server) punish(ctx context.Context, q *store.Queries, l store.Listing, req *creditv1.RecordJointMeasureRequest) (string, error) {
	now := s.now()
	if !stands(now, l) {
		return "", wrongState("the entry is %s: nobody punishes on it any more (信用修复管理办法)", stateAt(now, l))
	}
	policy, err := q.ListInForce(ctx, store.ListInForceParams{List: l.List, At: now})
	if err != nil {
		return "", err
	}
	if !policy.Joint {
		return "", refused("no joint punishment rests on %s, for the dishonest list is what is shared for 联合惩戒 (2018年3月名单管理通知): %s", l.List, policy.Source)
	}
	begin := now
	if req.GetBeginTime() != nil {
		begin = req.GetBeginTime().AsTime()
	}
	if begin.After(now.Add(ahead)) || begin.Before(*l.ListedTime) {
		return "", errs.Field("begin_time", "must be between the entry and now")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return id.String(), q.InsertMeasure(ctx, store.InsertMeasureParams{
		MeasureID: id.String(), ListingID: l.ListingID, AgencyID: identity.ActorOf(ctx).GetAgencyId(), Measure: req.GetMeasure(),
		Basis: req.GetBasis(), BeginTime: begin, RecordedBy: doneBy(ctx),
	})
}

// RecordLifting records that an agency has lifted its measure; the first time counts.
func (s *Server) RecordLifting(ctx context.Context, req *creditv1.RecordLiftingRequest) (*creditv1.RecordLiftingResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.RecordLiftingResponse, error) {
		q := store.New(tx)
		m, err := measure(ctx, q, req.GetMeasureId())
		if err != nil {
			return nil, err
		}
		if identity.CallerOf(ctx) != accessv1.Caller_CALLER_WORKFLOWS && identity.ActorOf(ctx).GetAgencyId() != m.GetAgencyId() {
			return nil, errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
				"only %s, which punishes, lifts its measure", m.GetAgencyId())
		}
		err = q.InsertLifting(ctx, store.InsertLiftingParams{
			MeasureID: m.GetMeasureId(), Reason: req.GetReason(), LiftTime: s.now(), RecordedBy: doneBy(ctx),
		})
		if err != nil {
			return nil, err
		}
		m, err = measure(ctx, q, m.GetMeasureId())
		return &creditv1.RecordLiftingResponse{Measure: m}, err
	})
}

func measure(ctx context.Context, q *store.Queries, id string) (*creditv1.JointMeasure, error) {
	row, err := q.GetMeasure(ctx, id)
	if err != nil {
		return nil, errs.NotFound(err, "no such measure")
	}
	return measureProto(row), nil
}

func measureProto(r store.GetMeasureRow) *creditv1.JointMeasure {
	m := r.JointMeasure
	return &creditv1.JointMeasure{
		MeasureId: m.MeasureID, ListingId: m.ListingID, AgencyId: m.AgencyID, Measure: m.Measure, Basis: m.Basis, BeginTime: stamp(&m.BeginTime),
		LiftTime: stamp(r.LiftTime), LiftDue: stamp(r.LiftDue), PartyName: r.PartyName, CreditCode: r.CreditCode, ListingState: r.State,
	}
}

func measures(ctx context.Context, q *store.Queries, arg store.ListMeasuresParams) ([]*creditv1.JointMeasure, error) {
	rows, err := q.ListMeasures(ctx, arg)
	if err != nil {
		return nil, err
	}
	out := make([]*creditv1.JointMeasure, 0, len(rows))
	for _, r := range rows {
		out = append(out, measureProto(store.GetMeasureRow(r)))
	}
	return out, nil
}

// ownOr is the agency whose measures a viewer asks for: an operator's own, whatever it asks for.
func (v viewer) ownOr(asked string) string {
	if v.operator {
		return v.agency
	}
	return asked
}

// ListJointMeasures lists who punishes and who has lifted; a party reads what concerns it.
func (s *Server) ListJointMeasures(ctx context.Context, req *creditv1.ListJointMeasuresRequest) (*creditv1.ListJointMeasuresResponse, error) {
	after, err := idToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	arg := store.ListMeasuresParams{
		AgencyID: viewerOf(ctx).ownOr(req.GetAgencyId()), Live: req.GetLive(), Party: viewerOf(ctx).party, After: after, PageSize: pg.PageSize(req.GetPageSize()),
	}
	if req.GetListingId() != "" {
		if uuid.Validate(req.GetListingId()) != nil {
			return nil, errs.Field("listing_id", "must be a UUID")
		}
		arg.ListingID = &req.ListingId
	}
	rows, err := measures(ctx, store.New(s.db), arg)
	if err != nil {
		return nil, err
	}
	resp := &creditv1.ListJointMeasuresResponse{Measures: rows}
	if len(rows) == int(arg.PageSize) {
		resp.NextPageToken = pg.EncodeToken(rows[len(rows)-1].GetMeasureId())
	}
	return resp, nil
}

// ListStillPunished is the alarm: whose entry has ended, and who still punishes them past the term.
func (s *Server) ListStillPunished(ctx context.Context, req *creditv1.ListStillPunishedRequest) (*creditv1.ListStillPunishedResponse, error) {
	after, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !ok {
		after, id = time.Unix(0, 0), firstID
	}
	q, now, agency := store.New(s.db), s.now(), viewerOf(ctx).ownOr(req.GetAgencyId())
	arg := store.StillPunishedParams{At: &now, AgencyID: agency, AfterTime: after, AfterID: id, PageSize: pg.PageSize(req.GetPageSize())}
	rows, err := q.StillPunished(ctx, arg)
	if err != nil {
		return nil, err
	}
	counts, err := q.StillPunishedByAgency(ctx, store.StillPunishedByAgencyParams{At: &now, AgencyID: agency})
	if err != nil {
		return nil, err
	}
	resp := &creditv1.ListStillPunishedResponse{ByAgency: map[string]int32{}}
	for _, c := range counts {
		resp.ByAgency[c.AgencyID] = c.N
	}
	for _, r := range rows {
		resp.Measures = append(resp.Measures, measureProto(store.GetMeasureRow(r)))
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(*last.LiftDue, last.JointMeasure.MeasureID)
	}
	return resp, nil
}
