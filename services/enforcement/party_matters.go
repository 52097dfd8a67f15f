package enforcement

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
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// ConsentToElectronicDelivery takes the party's signed confirmation; one that is in force stays (行政处罚法 61).
func (s *Server) ConsentToElectronicDelivery(ctx context.Context, req *enforcementv1.ConsentToElectronicDeliveryRequest) (*enforcementv1.ConsentToElectronicDeliveryResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.ConsentToElectronicDeliveryResponse, error) {
		q := store.New(tx)
		f, err := s.filer(ctx, q, req.GetCaseId(), req.GetPaper())
		if err != nil {
			return nil, err
		}
		known, err := q.ConsentInForce(ctx, f.c.CaseID)
		id := known.ConsentID
		if errors.Is(err, pgx.ErrNoRows) {
			var sealed []byte
			if id, sealed, err = s.newFiling(req.GetAddress()); err != nil {
				return nil, err
			}
			err = q.InsertConsent(ctx, store.InsertConsentParams{
				ConsentID: id, CaseID: f.c.CaseID, GivenTime: f.at, AddressSealed: sealed, Channel: f.channel, ReceivedBy: f.by,
			})
		}
		if err != nil {
			return nil, err
		}
		out, err := s.filed(ctx, q, f.c.CaseID, "delivery_consent", id)
		return &enforcementv1.ConsentToElectronicDeliveryResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}

// RevokeElectronicDelivery ends the consent for the future; what was delivered stays delivered.
func (s *Server) RevokeElectronicDelivery(ctx context.Context, req *enforcementv1.RevokeElectronicDeliveryRequest) (*enforcementv1.RevokeElectronicDeliveryResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RevokeElectronicDeliveryResponse, error) {
		q := store.New(tx)
		f, err := s.filer(ctx, q, req.GetCaseId(), req.GetPaper())
		if err != nil {
			return nil, err
		}
		known, err := q.ConsentInForce(ctx, f.c.CaseID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, wrongState("there is no consent to electronic delivery in force")
		}
		if err != nil {
			return nil, err
		}
		later, err := q.ElectronicSince(ctx, store.ElectronicSinceParams{CaseID: f.c.CaseID, At: f.at})
		if err != nil {
			return nil, err
		}
		if f.at.Before(known.GivenTime) || later {
			return nil, errs.Field("paper.received_time", "must not be before what was delivered by the consent")
		}
		err = q.RevokeConsent(ctx, store.RevokeConsentParams{
			ConsentID: known.ConsentID, RevokedTime: &f.at, RevokedChannel: &f.channel, RevokedBy: &f.by,
		})
		if err != nil {
			return nil, err
		}
		out, err := s.filed(ctx, q, f.c.CaseID, "delivery_consent", known.ConsentID)
		return &enforcementv1.RevokeElectronicDeliveryResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}

// ObjectToOfficer asks for the recusal of an officer (行政处罚法 43).
func (s *Server) ObjectToOfficer(ctx context.Context, req *enforcementv1.ObjectToOfficerRequest) (*enforcementv1.ObjectToOfficerResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.ObjectToOfficerResponse, error) {
		q := store.New(tx)
		f, err := s.filer(ctx, q, req.GetCaseId(), req.GetPaper())
		if err != nil {
			return nil, err
		}
		id, sealed, err := s.newFiling(req.GetText())
		if err != nil {
			return nil, err
		}
		err = q.InsertObjectionToOfficer(ctx, store.InsertObjectionToOfficerParams{
			ObjectionID: id, CaseID: f.c.CaseID, Officer: req.GetOfficer(), Ground: req.GetGround(), TextSealed: sealed,
			ObjectedTime: f.at, Channel: f.channel, ReceivedBy: f.by,
		})
		if err != nil {
			return nil, err
		}
		if err := attach(ctx, q, f, id, req.GetFileIds()); err != nil {
			return nil, err
		}
		out, err := s.filed(ctx, q, f.c.CaseID, "objection", id)
		return &enforcementv1.ObjectToOfficerResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}

// DecideObjection answers it, by the head of the agency; nobody decides an objection to himself.
func (s *Server) DecideObjection(ctx context.Context, req *enforcementv1.DecideObjectionRequest) (*enforcementv1.DecideObjectionResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.DecideObjectionResponse, error) {
		q, now, actor := store.New(tx), s.now(), identity.ActorOf(ctx)
		o, err := q.LockObjection(ctx, store.LockObjectionParams{ObjectionID: req.GetFilingId(), AgencyID: actor.GetAgencyId()})
		if err != nil {
			return nil, errs.NotFound(err, "no such objection")
		}
		if o.Officer == actor.GetSubject() || o.Officer == doneBy(ctx) {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON,
				"who is objected to does not decide it (行政处罚法 第四十三条)")
		}
		if o.Decision != nil {
			return nil, wrongState("the objection is decided already")
		}
		decision, who, why := "refused", doneBy(ctx), req.GetReason()
		if req.GetGranted() {
			decision = "granted"
		}
		err = q.DecideObjection(ctx, store.DecideObjectionParams{
			ObjectionID: o.ObjectionID, Decision: &decision, DecisionReason: &why, DecidedBy: &who, DecidedTime: &now,
		})
		if err != nil {
			return nil, err
		}
		if req.GetGranted() {
			if err := s.recuseObjected(ctx, q, o.CaseID, o.Officer, why); err != nil {
				return nil, err
			}
		}
		out, err := s.filed(ctx, q, o.CaseID, "objection", o.ObjectionID)
		return &enforcementv1.DecideObjectionResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}

// ReportPayment takes what the party says it paid, with the receipt. What was paid the agency confirms.
func (s *Server) ReportPayment(ctx context.Context, req *enforcementv1.ReportPaymentRequest) (*enforcementv1.ReportPaymentResponse, error) {
	day, err := time.ParseInLocation(time.DateOnly, req.GetPaidOn(), calendar.Shanghai)
	if err != nil || day.After(s.now()) {
		return nil, errs.Field("paid_on", "must be a day that has come")
	}
	if req.GetAmount().GetFen() <= 0 {
		return nil, errs.Field("amount.fen", "must be positive")
	}
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.ReportPaymentResponse, error) {
		q := store.New(tx)
		f, err := s.filer(ctx, q, req.GetCaseId(), req.GetPaper())
		if err != nil {
			return nil, err
		}
		id, _, err := s.newFiling("")
		if err != nil {
			return nil, err
		}
		err = q.InsertPaymentClaim(ctx, store.InsertPaymentClaimParams{
			ClaimID: id, CaseID: f.c.CaseID, AmountFen: req.GetAmount().GetFen(), PaidOn: dateOf(day), ReceivedTime: f.at,
			Channel: f.channel, ReceivedBy: f.by,
		})
		if err != nil {
			return nil, err
		}
		if err := attach(ctx, q, f, id, req.GetFileIds()); err != nil {
			return nil, err
		}
		out, err := s.filed(ctx, q, f.c.CaseID, "payment", id)
		return &enforcementv1.ReportPaymentResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}
