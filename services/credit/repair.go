package credit

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
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

// States of an application.
const (
	repairFiled     = "FILED"
	repairReviewing = "REVIEWING"
	repairGranted   = "GRANTED"
	repairRefused   = "REFUSED"
	repairMoot      = "MOOT"
)

// ApplyForRepair applies for the repair of an entry that stands, from its earliest end on.
func (s *Server) ApplyForRepair(ctx context.Context, req *creditv1.ApplyForRepairRequest) (*creditv1.ApplyForRepairResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.ApplyForRepairResponse, error) {
		q, now := store.New(tx), s.now()
		l, err := q.LockListing(ctx, req.GetListingId())
		if err != nil {
			return nil, noListing(err)
		}
		if err := mayAct(ctx, l); err != nil {
			return nil, err
		}
		r, err := q.OpenRepair(ctx, l.ListingID)
		if errors.Is(err, pgx.ErrNoRows) {
			r, err = s.apply(ctx, q, l, req, now)
		}
		if err != nil {
			return nil, err
		}
		out, err := s.repair(r, l, viewerOf(ctx))
		return &creditv1.ApplyForRepairResponse{Repair: out}, err
	})
	if err == nil && resp.GetRepair().GetState() == repairFiled {
		s.tell.Start(kindRepair, resp.GetRepair().GetRepairId())
	}
	return resp, err
}

func (s *Server) apply(ctx context.Context, q *store.Queries, l store.Listing, req *creditv1.ApplyForRepairRequest, now time.Time) (store.Repair, error) {
	if state := stateAt(now, l); state != listed {
		return store.Repair{}, wrongState("the entry is %s: there is nothing to repair", state)
	}
	if now.Before(*l.EarliestEnd) {
		return store.Repair{}, refused("repair may be applied for from %s on, by statute from %s (信用修复管理办法, 国家发展改革委令第36号: %s): %s",
			l.EarliestEnd.UTC().Format(time.RFC3339), day(*l.StatutoryEarliest), l.Severity, text(l.EndsProof))
	}
	id, err := uuid.NewV7()
	if err != nil {
		return store.Repair{}, err
	}
	sealed, err := s.keys.Seal([]byte(req.GetCommitment()), sealedFor("commitment", id.String()))
	if err != nil {
		return store.Repair{}, err
	}
	proofs, err := json.Marshal(req.GetProofs())
	if err != nil {
		return store.Repair{}, err
	}
	err = q.InsertRepair(ctx, store.InsertRepairParams{
		RepairID: id.String(), ListingID: l.ListingID, AppliedBy: doneBy(ctx), Proofs: proofs, CommitmentSealed: sealed, ApplyTime: now,
		OnBehalf: !identity.HasRole(identity.ActorOf(ctx), accessv1.Role_ROLE_PARTY),
	})
	if err != nil {
		return store.Repair{}, err
	}
	err = q.MoveListing(ctx, store.MoveListingParams{
		ListingID: l.ListingID, State: repairRequested, At: now, By: doneBy(ctx), Article: "信用修复管理办法",
	})
	if err != nil {
		return store.Repair{}, err
	}
	return q.OpenRepair(ctx, l.ListingID)
}

// repair is an application as a viewer reads it.
func (s *Server) repair(r store.Repair, l store.Listing, v viewer) (*creditv1.Repair, error) {
	out := &creditv1.Repair{
		RepairId: r.RepairID, ListingId: r.ListingID, State: r.State, AgencyId: l.AgencyID, OnBehalf: r.OnBehalf, ApplyTime: stamp(&r.ApplyTime),
		DueTime: stamp(r.DueTime), DecideTime: stamp(r.DecideTime), ReasonCode: r.ReasonCode, Reply: r.Reply,
	}
	if r.ClockBasis != "" {
		out.Clock = &commonv1.Clock{Basis: r.ClockBasis, StatutoryDue: r.ClockStatutory, Proof: r.ClockProof, Provisional: r.ClockProvisional}
	}
	if err := json.Unmarshal(r.Proofs, &out.Proofs); err != nil {
		return nil, err
	}
	if v.all && v.agency == "" {
		out.Excluded = excluded(r, l)
		return out, nil // a workflow's messages carry no texts
	}
	commitment, err := s.keys.Unseal(r.CommitmentSealed, sealedFor("commitment", r.RepairID))
	out.Commitment = string(commitment)
	return out, err
}

// excluded are those who had a part in the entry, and the officer who filed for the party: another person decides.
func excluded(r store.Repair, l store.Listing) []string {
	var out []string
	for _, by := range []string{l.ProposedBy, text(l.ReviewedBy), text(l.SignedBy), r.AppliedBy} {
		if by != "" && !slices.Contains(out, by) {
			out = append(out, by)
		}
	}
	return out
}

// GetRepair returns an application to its party and to the agency that decides it.
func (s *Server) GetRepair(ctx context.Context, req *creditv1.GetRepairRequest) (*creditv1.GetRepairResponse, error) {
	row, err := store.New(s.db).GetRepair(ctx, req.GetRepairId())
	if err != nil {
		return nil, errs.NotFound(err, "no such application")
	}
	v := viewerOf(ctx)
	if !v.all && v.party != row.Listing.CreditCode && v.agency != row.Listing.AgencyID {
		return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no such application")
	}
	out, err := s.repair(row.Repair, row.Listing, v)
	return &creditv1.GetRepairResponse{Repair: out}, err
}

// ListRepairs lists the applications of a party, or those that an agency decides, newest first.
func (s *Server) ListRepairs(ctx context.Context, req *creditv1.ListRepairsRequest) (*creditv1.ListRepairsResponse, error) {
	before, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	v := viewerOf(ctx)
	arg := store.ListRepairsParams{State: req.GetState(), Party: v.party, AgencyID: v.agency, PageSize: pg.PageSize(req.GetPageSize())}
	if req.GetListingId() != "" {
		if uuid.Validate(req.GetListingId()) != nil {
			return nil, errs.Field("listing_id", "must be a UUID")
		}
		arg.ListingID = &req.ListingId
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := store.New(s.db).ListRepairs(ctx, arg)
	if err != nil {
		return nil, err
	}
	resp := &creditv1.ListRepairsResponse{}
	for _, row := range rows {
		r, err := s.repair(row.Repair, row.Listing, v)
		if err != nil {
			return nil, err
		}
		resp.Repairs = append(resp.Repairs, r)
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1].Repair
		resp.NextPageToken = pg.TimeToken(last.ApplyTime, last.RepairID)
	}
	return resp, nil
}

// AdvanceRepair writes that an application is under review.
func (s *Server) AdvanceRepair(ctx context.Context, req *creditv1.AdvanceRepairRequest) (*creditv1.AdvanceRepairResponse, error) {
	due := req.GetDueTime().AsTime()
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.AdvanceRepairResponse, error) {
		q := store.New(tx)
		err := q.ReviewRepair(ctx, store.ReviewRepairParams{
			RepairID: req.GetRepairId(), DueTime: &due, ClockBasis: req.GetClock().GetBasis(), ClockStatutory: req.GetClock().GetStatutoryDue(),
			ClockProof: req.GetClock().GetProof(), ClockProvisional: req.GetClock().GetProvisional(),
		})
		if err != nil {
			return nil, err
		}
		out, err := s.reread(ctx, q, req.GetRepairId())
		return &creditv1.AdvanceRepairResponse{Repair: out}, err
	})
}

func (s *Server) reread(ctx context.Context, q *store.Queries, id string) (*creditv1.Repair, error) {
	row, err := q.GetRepair(ctx, id)
	if err != nil {
		return nil, errs.NotFound(err, "no such application")
	}
	return s.repair(row.Repair, row.Listing, viewerOf(ctx))
}

// DecideRepair writes the decision. What is granted ends the entry in the same transaction; what lost its object stays as
// it is.
func (s *Server) DecideRepair(ctx context.Context, req *creditv1.DecideRepairRequest) (*creditv1.DecideRepairResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.DecideRepairResponse, error) {
		q := store.New(tx)
		r, err := q.LockRepair(ctx, req.GetRepairId())
		if err != nil {
			return nil, errs.NotFound(err, "no such application")
		}
		if r.State == repairFiled || r.State == repairReviewing {
			if err := s.decide(ctx, q, r, req); err != nil {
				return nil, err
			}
		}
		out, err := s.reread(ctx, q, r.RepairID)
		return &creditv1.DecideRepairResponse{Repair: out}, err
	})
}

func (s *Server) decide(ctx context.Context, q *store.Queries, r store.Repair, req *creditv1.DecideRepairRequest) error {
	now := s.now()
	l, err := q.LockListing(ctx, r.ListingID)
	if err != nil {
		return err
	}
	if slices.Contains(excluded(r, l), req.GetDecidedBy()) {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON,
			"who had a part in the listing, or filed the application, does not decide on its repair")
	}
	state := map[bool]string{true: repairGranted, false: repairRefused}[req.GetGranted()]
	err = q.DecideRepair(ctx, store.DecideRepairParams{
		RepairID: r.RepairID, State: state, TaskID: &req.TaskId, DecidedBy: req.GetDecidedBy(), DecideTime: &now,
		ReasonCode: req.GetReasonCode(), Reply: req.GetReply(),
	})
	if err != nil {
		return err
	}
	if !req.GetGranted() {
		return q.MoveListing(ctx, store.MoveListingParams{
			ListingID: l.ListingID, State: listed, At: now, By: req.GetDecidedBy(), Reason: req.GetReasonCode(), Article: "信用修复管理办法", TaskID: &req.TaskId,
		})
	}
	_, err = s.end(ctx, q, l, ending{
		state: removed, reason: req.GetReasonCode(), article: "信用修复管理办法", by: req.GetDecidedBy(), taskID: req.GetTaskId(), at: now, end: now,
	})
	return err
}
