package enforcement

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// reversedState is that of a case whose decision was taken back: it has no outcome.
const reversedState = "REVERSED"

// Branches of a liability chain: what became of a party.
const (
	branchCase       = "case"
	branchMeasure    = "measure"
	branchNotPursued = "not_pursued"
	branchOpen       = "open"
)

// GetLiabilityChain returns the parties of a complaint with their branches. Cases are nodes by themselves; other parties
// are those that officers named.
func (s *Server) GetLiabilityChain(ctx context.Context, req *enforcementv1.GetLiabilityChainRequest) (*enforcementv1.GetLiabilityChainResponse, error) {
	q := store.New(s.db)
	if err := takesPart(ctx, q, req.GetComplaintId()); err != nil {
		return nil, err
	}
	cases, err := q.ChainCases(ctx, req.GetComplaintId())
	if err != nil {
		return nil, err
	}
	named, err := q.ChainParties(ctx, req.GetComplaintId())
	if err != nil {
		return nil, err
	}
	dropped, err := q.NotPursued(ctx, req.GetComplaintId())
	if err != nil {
		return nil, err
	}
	edges, err := q.ChainEdges(ctx, req.GetComplaintId())
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.GetLiabilityChainResponse{}
	for _, c := range cases {
		n, err := s.caseNode(c, readerOf(ctx))
		if err != nil {
			return nil, err
		}
		resp.Nodes = append(resp.Nodes, n)
	}
	if err := s.namedNodes(resp, named, dropped, readerOf(ctx)); err != nil {
		return nil, err
	}
	for _, e := range edges {
		resp.Edges = append(resp.Edges, &enforcementv1.ChainEdge{
			FromPartyId: e.FromPartyID, ToPartyId: e.ToPartyID, Kind: e.Kind, Reason: e.Reason, AgencyId: e.AgencyID,
			RecordedTime: timestamppb.New(e.RecordedTime),
		})
	}
	resp.Complete = len(resp.GetNodes()) > 0 && !slices.ContainsFunc(resp.GetNodes(), func(n *enforcementv1.ChainNode) bool { return n.GetOutcome() == "" })
	return resp, nil
}

// takesPart refuses a complaint that the actor's agency has no case, measure or finding of.
func takesPart(ctx context.Context, q *store.Queries, complaint string) error {
	var (
		ok  bool
		err error
	)
	if seesAll(ctx) {
		ok, err = q.KnownComplaint(ctx, complaint)
	} else {
		ok, err = q.PartOfChain(ctx, store.PartOfChainParams{ComplaintID: complaint, AgencyID: identity.ActorOf(ctx).GetAgencyId()})
	}
	if err == nil && !ok {
		return errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "there is no such chain that your agency has a part in")
	}
	return err
}

func (s *Server) caseNode(row store.ChainCasesRow, r reader) (*enforcementv1.ChainNode, error) {
	c := row.EnforcementCase
	party, err := s.partyProto(row.Party, c, r)
	if err != nil {
		return nil, err
	}
	n := &enforcementv1.ChainNode{
		Party: party, CaseId: c.CaseID, AgencyId: c.AgencyID, Branch: branchCase, State: c.State, Act: c.Act, DueTime: timestamppb.New(c.DecisionDue),
	}
	if row.PenaltyKind != "" && c.State != reversedState {
		n.Outcome = outcomeOf(row.PenaltyKind)
	}
	return n, nil
}

// namedNodes adds the parties that no case is against. What was said of a party last counts.
func (s *Server) namedNodes(resp *enforcementv1.GetLiabilityChainResponse, named []store.ChainPartiesRow, dropped []store.NotPursued, r reader) error {
	at := map[string]*enforcementv1.ChainNode{}
	for _, n := range resp.GetNodes() {
		at[n.GetParty().GetPartyId()] = n
	}
	for _, x := range named {
		n := at[x.Party.PartyID]
		if n == nil {
			// a person who has no case here is named to the agency that recorded the node
			party, err := s.partyProto(x.Party, store.EnforcementCase{PartyRole: x.ChainParty.Role, AgencyID: x.ChainParty.AgencyID}, r)
			if err != nil {
				return err
			}
			n = &enforcementv1.ChainNode{Party: party, AgencyId: x.ChainParty.AgencyID, Branch: branchOpen}
			at[x.Party.PartyID] = n
			resp.Nodes = append(resp.Nodes, n)
		}
		if x.MeasureCode != "" && n.GetBranch() != branchCase {
			n.Branch, n.MeasureCode, n.State, n.AgencyId = branchMeasure, x.MeasureCode, x.MeasureState, x.MeasureAgencyID
			if x.MeasureState == done {
				n.Outcome = branchMeasure
			}
		}
	}
	for _, d := range dropped {
		if n := at[d.PartyID]; n != nil && n.GetBranch() != branchCase {
			n.Branch, n.Outcome, n.Reason, n.AgencyId = branchNotPursued, branchNotPursued, d.ReasonCode+": "+d.Reason, d.AgencyID
		}
	}
	return nil
}

// RecordChainParty names a party of a chain, what measure was taken against it, and how it hangs together with another.
func (s *Server) RecordChainParty(ctx context.Context, req *enforcementv1.RecordChainPartyRequest) (*enforcementv1.RecordChainPartyResponse, error) {
	if err := checkParty(req.GetParty()); err != nil {
		return nil, err
	}
	if (req.GetEdge() == "") != (req.GetToPartyId() == "") {
		return nil, errs.Field("edge", "must stand with to_party_id, and only then")
	}
	measure, err := optionalID("measure_id", req.GetMeasureId())
	if err != nil {
		return nil, err
	}
	if _, err := optionalID("to_party_id", req.GetToPartyId()); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordChainPartyResponse, error) {
		q := store.New(tx)
		if err := takesPart(ctx, q, req.GetComplaintId()); err != nil {
			return nil, err
		}
		party, err := s.party(ctx, q, &enforcementv1.OpenCaseRequest{Party: req.GetParty(), ComplaintId: req.GetComplaintId()})
		if err != nil {
			return nil, err
		}
		if err := s.nameParty(ctx, q, req, party, measure); err != nil {
			return nil, err
		}
		if req.GetEdge() != "" {
			err = s.joinParties(ctx, q, req, party)
		}
		return &enforcementv1.RecordChainPartyResponse{PartyId: party}, err
	})
}

func (s *Server) nameParty(ctx context.Context, q *store.Queries, req *enforcementv1.RecordChainPartyRequest, party string, measure *string) error {
	if measure != nil {
		known, err := q.MeasureOfComplaint(ctx, store.MeasureOfComplaintParams{MeasureID: *measure, ComplaintID: req.GetComplaintId()})
		if err != nil {
			return err
		}
		if !known {
			return errs.Field("measure_id", "must name a measure of this complaint")
		}
	}
	id, by, at, err := s.entry(ctx)
	if err != nil {
		return err
	}
	return q.AddChainParty(ctx, store.AddChainPartyParams{
		ChainPartyID: id, ComplaintID: req.GetComplaintId(), PartyID: party, Role: req.GetParty().GetRole(), MeasureID: measure,
		Reason: req.GetReason(), RecordedBy: by.GetSubject(), AgencyID: by.GetAgencyId(), RecordedTime: at,
	})
}

func (s *Server) joinParties(ctx context.Context, q *store.Queries, req *enforcementv1.RecordChainPartyRequest, party string) error {
	if party == req.GetToPartyId() {
		return errs.Field("to_party_id", "must name another party")
	}
	other, err := q.InChain(ctx, store.InChainParams{ComplaintID: req.GetComplaintId(), PartyID: req.GetToPartyId()})
	if err != nil {
		return err
	}
	if !other.Named && !other.Sued {
		return errs.Field("to_party_id", "must name a party of this chain")
	}
	id, by, at, err := s.entry(ctx)
	if err != nil {
		return err
	}
	return q.AddChainEdge(ctx, store.AddChainEdgeParams{
		ChainEdgeID: id, ComplaintID: req.GetComplaintId(), FromPartyID: party, ToPartyID: req.GetToPartyId(), Kind: req.GetEdge(),
		Reason: req.GetReason(), RecordedBy: by.GetSubject(), AgencyID: by.GetAgencyId(), RecordedTime: at,
	})
}

// RecordNotPursued says why a party of the chain is not pursued. Against whom there is a case, that is said in the case.
func (s *Server) RecordNotPursued(ctx context.Context, req *enforcementv1.RecordNotPursuedRequest) (*enforcementv1.RecordNotPursuedResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordNotPursuedResponse, error) {
		q := store.New(tx)
		if err := takesPart(ctx, q, req.GetComplaintId()); err != nil {
			return nil, err
		}
		in, err := q.InChain(ctx, store.InChainParams{ComplaintID: req.GetComplaintId(), PartyID: req.GetPartyId()})
		if err != nil {
			return nil, err
		}
		switch {
		case in.Sued:
			return nil, wrongState("a case is against the party: it ends by a decision in the case (行政处罚法 第五十七条)")
		case !in.Named:
			return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "the chain has no such party")
		}
		id, by, at, err := s.entry(ctx)
		if err != nil {
			return nil, err
		}
		return &enforcementv1.RecordNotPursuedResponse{}, q.AddNotPursued(ctx, store.AddNotPursuedParams{
			NotPursuedID: id, ComplaintID: req.GetComplaintId(), PartyID: req.GetPartyId(), ReasonCode: req.GetReasonCode(),
			Reason: req.GetReason(), DecidedBy: by.GetSubject(), AgencyID: by.GetAgencyId(), DecidedTime: at,
		})
	})
}

// entry is what every row of the record needs: an identifier, who and when.
func (s *Server) entry(ctx context.Context) (id string, by *commonv1.Actor, at time.Time, err error) {
	next, err := uuid.NewV7()
	if err != nil {
		return "", nil, time.Time{}, err
	}
	return next.String(), identity.ActorOf(ctx), s.now(), nil
}
