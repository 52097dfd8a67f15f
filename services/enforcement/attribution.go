package enforcement

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// AttributeCaller attributes what a natural person did as a caller to the firm that employed or instructed the person: the
// case is against the firm from then on, and measured as a firm's. Without that evidence a caller stays an individual,
// within the bands for individuals.
func (s *Server) AttributeCaller(ctx context.Context, req *enforcementv1.AttributeCallerRequest) (*enforcementv1.AttributeCallerResponse, error) {
	principal := &enforcementv1.Party{
		Role: roleCaller, Name: req.GetPrincipal().GetName(), CreditCode: req.GetPrincipal().GetCreditCode(), Person: req.GetPrincipal().GetPerson(),
	}
	if err := checkParty(principal); err != nil {
		return nil, err
	}
	if principal.GetPerson() || principal.GetCreditCode() == "" {
		return nil, errs.Field("principal", "must be a firm with its credit code")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.AttributeCallerResponse, error) {
		q := store.New(tx)
		c, err := s.attributable(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		if err := ownEvidence(ctx, q, c.CaseID, "evidence_ids", req.GetEvidenceIds()); err != nil {
			return nil, err
		}
		id, err := s.party(ctx, q, &enforcementv1.OpenCaseRequest{Party: principal})
		if err != nil {
			return nil, err
		}
		if err := unsued(ctx, q, id, c.Act); err != nil {
			return nil, err
		}
		if err := s.attribute(ctx, q, req, c, id); err != nil {
			return nil, err
		}
		principal.PartyId = id
		return &enforcementv1.AttributeCallerResponse{Principal: principal}, nil
	})
}

// attributable is a case of the actor's agency against a natural person as caller, of which no notice was served.
func (s *Server) attributable(ctx context.Context, q *store.Queries, id string) (store.EnforcementCase, error) {
	c, err := q.LockCase(ctx, id)
	if err == nil && c.AgencyID != identity.ActorOf(ctx).GetAgencyId() {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return c, errs.NotFound(err, "no such case")
	}
	party, err := q.PartyOf(ctx, c.PartyID)
	switch {
	case err != nil:
		return c, err
	case !party.Person || c.PartyRole != roleCaller:
		return c, wrongState("only a natural person's calls are attributed to a principal")
	case c.State != opened && c.State != investigating || c.NoticeTime != nil:
		return c, wrongState("the notice names the party: attribute before it is served (行政处罚法 第四十四条)")
	}
	return c, nil
}

// unsued refuses a principal that has an open case for the act already: one party, one act, one case.
func unsued(ctx context.Context, q *store.Queries, party, act string) error {
	other, err := q.LockOpenCase(ctx, store.LockOpenCaseParams{PartyID: party, Act: act})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS,
		"the principal has an open case %s for the act; this one ends as not established against the person (行政处罚法 第二十五条、第二十九条)", other)
}

func (s *Server) attribute(ctx context.Context, q *store.Queries, req *enforcementv1.AttributeCallerRequest, c store.EnforcementCase, principal string) error {
	id, by, at, err := s.entry(ctx)
	if err != nil {
		return err
	}
	err = q.AddAttribution(ctx, store.AddAttributionParams{
		AttributionID: id, CaseID: c.CaseID, PersonPartyID: c.PartyID, PrincipalID: principal, Relation: req.GetRelation(),
		EvidenceIds: req.GetEvidenceIds(), Reason: req.GetReason(), DecidedBy: by.GetSubject(), AgencyID: by.GetAgencyId(), DecidedTime: at,
	})
	if err != nil {
		return err
	}
	attached, err := q.ComplaintsOf(ctx, c.CaseID)
	if err != nil {
		return err
	}
	for _, a := range attached { // the person stays in the chain, beside the principal
		edge, _, _, err := s.entry(ctx)
		if err != nil {
			return err
		}
		err = errors.Join(
			q.AddChainParty(ctx, store.AddChainPartyParams{
				ChainPartyID: edge, ComplaintID: a.ComplaintID, PartyID: c.PartyID, Role: c.PartyRole, Reason: req.GetReason(),
				RecordedBy: by.GetSubject(), AgencyID: by.GetAgencyId(), RecordedTime: at,
			}),
			q.AddChainEdge(ctx, store.AddChainEdgeParams{
				ChainEdgeID: edge, ComplaintID: a.ComplaintID, FromPartyID: c.PartyID, ToPartyID: principal, Kind: "on_behalf_of",
				Reason: req.GetRelation() + ": " + req.GetReason(), RecordedBy: by.GetSubject(), AgencyID: by.GetAgencyId(), RecordedTime: at,
			}),
			q.AddNotPursued(ctx, store.AddNotPursuedParams{
				NotPursuedID: edge, ComplaintID: a.ComplaintID, PartyID: c.PartyID, ReasonCode: "attributed", Reason: "职务或受托行为,由单位承担",
				DecidedBy: by.GetSubject(), AgencyID: by.GetAgencyId(), DecidedTime: at,
			}),
		)
		if err != nil {
			return err
		}
	}
	return q.Attribute(ctx, store.AttributeParams{PartyID: principal, CaseID: c.CaseID})
}
