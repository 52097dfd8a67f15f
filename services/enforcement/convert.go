package enforcement

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// masked stands in place of a natural person's name.
const masked = "***"

// reader is who reads names of natural persons: the people of the case's agency. The zero reader is nobody; answers of
// writes are made for it, because they are stored.
type reader struct{ agency string }

func readerOf(ctx context.Context) reader {
	a := identity.ActorOf(ctx)
	if identity.CallerOf(ctx) != accessv1.Caller_CALLER_GATEWAY {
		return reader{} // what the workflows read may end in a history
	}
	for _, r := range a.GetRoles() {
		switch r {
		case accessv1.Role_ROLE_CASEWORKER, accessv1.Role_ROLE_REVIEWER, accessv1.Role_ROLE_HEAD:
			return reader{agency: a.GetAgencyId()}
		}
	}
	return reader{}
}

// cases converts rows with their decisions, which one more query brings.
func (s *Server) cases(ctx context.Context, q *store.Queries, rows []store.ListCasesRow, r reader) ([]*enforcementv1.Case, error) {
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.EnforcementCase.CaseID)
	}
	found, err := q.DecisionsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	penalties, err := q.StandingPenalties(ctx, ids)
	if err != nil {
		return nil, err
	}
	changed, err := q.ChangeTimes(ctx, ids)
	if err != nil {
		return nil, err
	}
	due, err := q.DecisionDues(ctx, ids)
	if err != nil {
		return nil, err
	}
	numbers, err := numbersOf(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	decisions := map[string]store.CaseDecision{}
	for _, d := range found {
		decisions[d.CaseID] = d
	}
	dues := map[string]time.Time{}
	for _, d := range due {
		dues[d.CaseID] = d.StatutoryDue
	}
	out := make([]*enforcementv1.Case, 0, len(rows))
	for _, row := range rows {
		c := row.EnforcementCase
		party, err := s.partyProto(row.Party, c, r)
		if err != nil {
			return nil, err
		}
		is := &enforcementv1.Case{
			CaseId:       c.CaseID,
			CaseNo:       c.CaseNo,
			AgencyId:     c.AgencyID,
			Party:        party,
			Act:          c.Act,
			State:        c.State,
			ComplaintIds: row.ComplaintIds,
			OpenTime:     timestamppb.New(c.OpenTime),
			DecisionDue:  timestamppb.New(c.DecisionDue),
			NoticeTime:   timeProto(c.NoticeTime),
			CloseTime:    timeProto(c.CloseTime),
			Procedure:    c.Procedure, DeliverTime: timeProto(c.DeliverTime), ReverseTime: timeProto(c.ReverseTime),
			TransferredTo: c.TransferredTo,
		}
		if t, ok := dues[c.CaseID]; ok {
			is.DecisionDue = timestamppb.New(t)
		}
		if d, ok := decisions[c.CaseID]; ok {
			decide(is, d, penalties, changed)
			is.Decision.DocumentNo = numbers[c.CaseID]
		}
		out = append(out, is)
	}
	return out, nil
}

// decide puts the decision into a case, with all its penalties as they stand.
func decide(is *enforcementv1.Case, d store.CaseDecision, penalties []store.CaseStanding, changed []store.ChangeTimesRow) {
	is.Decision, is.NoPenaltyGround = decisionProto(d), d.NoPenaltyGround
	for _, p := range penalties {
		if p.CaseID == d.CaseID {
			is.Penalties = append(is.Penalties, decidedPenalty(store.CasePenalty(p)))
		}
	}
	for _, c := range changed {
		if c.CaseID == d.CaseID {
			is.ChangeTime = timestamppb.New(c.ChangeTime)
		}
	}
	if len(is.GetPenalties()) > 0 && is.GetChangeTime() == nil {
		is.Decision.Penalty.CatalogueCode = is.GetPenalties()[0].GetCatalogueCode()
	}
}

func decidedPenalty(p store.CasePenalty) *assignmentv1.PenaltyDetail {
	out := &assignmentv1.PenaltyDetail{Kind: p.Kind, Basis: p.Basis, CatalogueCode: p.CatalogueCode, ListParty: p.ListParty, Publish: p.Publish}
	if p.AmountFen > 0 {
		out.Amount = &commonv1.Money{Fen: p.AmountFen}
	}
	return out
}

func (s *Server) partyProto(p store.Party, c store.EnforcementCase, r reader) (*enforcementv1.Party, error) {
	out := &enforcementv1.Party{PartyId: p.PartyID, Role: c.PartyRole, CreditCode: p.CreditCode, Person: p.Person}
	switch {
	case p.Name != nil:
		out.Name = *p.Name
	case r.agency != "" && r.agency == c.AgencyID:
		plain, err := s.keys.Unseal(p.NameSealed, nameOf(p.PartyID))
		if err != nil {
			return nil, fmt.Errorf("name of party %s: %w", p.PartyID, err)
		}
		out.Name = string(plain)
	default:
		out.Name = masked
	}
	return out, nil
}

// nameOf is the place that a sealed name is bound to.
func nameOf(partyID string) []byte { return []byte("enforcement/party/" + partyID + "/name") }

func decisionProto(d store.CaseDecision) *enforcementv1.CaseDecision {
	out := &enforcementv1.CaseDecision{
		Penalty: &assignmentv1.PenaltyDetail{
			Kind: d.PenaltyKind, Basis: d.Basis, ListParty: d.ListParty, Publish: d.Publish,
		},
		ProposedBy:    d.ProposedBy,
		ReviewedBy:    d.ReviewedBy,
		SignedBy:      d.SignedBy,
		SigningTaskId: d.SigningTaskID,
		DecidedTime:   timestamppb.New(d.DecidedTime),
	}
	if d.AmountFen > 0 {
		out.Penalty.Amount = &commonv1.Money{Fen: d.AmountFen}
	}
	return out
}

func measureProto(m store.Measure) *enforcementv1.Measure {
	return &enforcementv1.Measure{
		Code: m.Code, Name: m.Name, Kind: m.Kind, Weighs: m.Weighs, Executor: m.Executor,
		LedgerAction: m.LedgerAction, Basis: m.Basis, Nature: m.Nature,
	}
}

func timeProto(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}

func badToken() error {
	return errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is not one of this list")
}
