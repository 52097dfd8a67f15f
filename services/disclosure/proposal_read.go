package disclosure

import (
	"context"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// GetProposal returns a proposal to those who decide on it.
func (s *Server) GetProposal(ctx context.Context, req *disclosurev1.GetProposalRequest) (*disclosurev1.GetProposalResponse, error) {
	seesAll, agency := viewer(ctx)
	row, err := store.New(s.db).GetProposal(ctx, store.GetProposalParams{ProposalID: req.GetProposalId(), SeesAll: seesAll, AgencyID: agency})
	if err != nil {
		return nil, errs.NotFound(err, "no such proposal")
	}
	return &disclosurev1.GetProposalResponse{Proposal: proposalProto(row.PublicationProposal, row.PublicationID)}, nil
}

// viewer is whose proposals a caller sees: the workflows, who leads and who audits see all.
func viewer(ctx context.Context) (seesAll bool, agency string) {
	actor := identity.ActorOf(ctx)
	return identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS ||
		identity.HasRole(actor, accessv1.Role_ROLE_LEAD, accessv1.Role_ROLE_AUDITOR), actor.GetAgencyId()
}

// ListProposals lists the proposals of the caller's agency, newest first.
func (s *Server) ListProposals(ctx context.Context, req *disclosurev1.ListProposalsRequest) (*disclosurev1.ListProposalsResponse, error) {
	arg := store.ListProposalsParams{State: req.GetState(), PageSize: pg.PageSize(req.GetPageSize())}
	arg.SeesAll, arg.AgencyID = viewer(ctx)
	before, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := store.New(s.db).ListProposals(ctx, arg)
	if err != nil {
		return nil, err
	}
	resp := &disclosurev1.ListProposalsResponse{}
	for _, r := range rows {
		resp.Proposals = append(resp.Proposals, proposalProto(r.PublicationProposal, r.PublicationID))
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1].PublicationProposal
		resp.NextPageToken = pg.TimeToken(last.ProposeTime, last.ProposalID)
	}
	return resp, nil
}

// ListUnstartedProposals lists open proposals, oldest first.
func (s *Server) ListUnstartedProposals(ctx context.Context, req *disclosurev1.ListUnstartedProposalsRequest) (*disclosurev1.ListUnstartedProposalsResponse, error) {
	after, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !ok {
		id = uuid.Nil.String()
	}
	size := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ListUnstartedProposals(ctx, store.ListUnstartedProposalsParams{
		Until: s.now().Add(-req.GetOlderThan().AsDuration()), AfterTime: after, AfterID: id, PageSize: size,
	})
	if err != nil {
		return nil, err
	}
	resp := &disclosurev1.ListUnstartedProposalsResponse{}
	for _, r := range rows {
		resp.ProposalIds = append(resp.ProposalIds, r.ProposalID)
	}
	if len(rows) == int(size) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(last.ProposeTime, last.ProposalID)
	}
	return resp, nil
}

// ListFounded lists live items with the basis that must hold as long as they are public.
func (s *Server) ListFounded(ctx context.Context, req *disclosurev1.ListFoundedRequest) (*disclosurev1.ListFoundedResponse, error) {
	parts, err := pg.DecodeToken(req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	after := uuid.Nil.String()
	if parts != nil {
		if after = parts[0]; uuid.Validate(after) != nil {
			return nil, badToken()
		}
	}
	size := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ListFounded(ctx, store.ListFoundedParams{At: s.now(), After: after, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &disclosurev1.ListFoundedResponse{}
	for _, r := range rows {
		resp.Items = append(resp.Items, foundedProto(r))
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[len(rows)-1].PublicationID)
	}
	return resp, nil
}

func foundedProto(r store.ListFoundedRow) *disclosurev1.FoundedPublication {
	out := &disclosurev1.FoundedPublication{
		PublicationId: r.PublicationID, Kind: r.Kind, CaseId: text(r.CaseID), AgencyId: r.AgencyID, PublishTime: timestamppb.New(r.PublishTime),
		Basis: &disclosurev1.PublicationBasis{
			PartyId: text(r.PartyID), MeasureId: text(r.MeasureID), CaseId: text(r.BasisCaseID), ComplaintId: text(r.ComplaintID),
			DocumentId: text(r.DocumentID), TaskId: text(r.TaskID),
		},
	}
	if r.ComplaintRound != nil {
		out.Basis.ComplaintRound = *r.ComplaintRound
	}
	if r.Kind == serviceNotice {
		out.Basis.CaseId = out.GetCaseId()
	}
	if r.WarnedTime != nil {
		out.WarnedTime = timestamppb.New(*r.WarnedTime)
	}
	return out
}

// proposal reads a proposal in the caller's transaction.
func (s *Server) proposal(ctx context.Context, q *store.Queries, id string) (*disclosurev1.PublicationProposal, error) {
	row, err := q.GetProposal(ctx, store.GetProposalParams{ProposalID: id, SeesAll: true})
	if err != nil {
		return nil, errs.NotFound(err, "no such proposal")
	}
	return proposalProto(row.PublicationProposal, row.PublicationID), nil
}

// itemOf is a proposal as it would be public.
func itemOf(r store.PublicationProposal) *disclosurev1.Publication {
	return &disclosurev1.Publication{
		Kind: r.Kind, Title: r.Title, PartyName: r.PartyName, CreditCode: r.CreditCode, AgencyId: r.AgencyID, AgencyName: r.AgencyName,
		Summary: r.Summary, CaseId: r.ProposalID, RegionCodes: r.RegionCodes, Codes: r.Codes,
	}
}

func proposalProto(r store.PublicationProposal, publicationID *string) *disclosurev1.PublicationProposal {
	out := &disclosurev1.PublicationProposal{
		ProposalId: r.ProposalID, Publication: itemOf(r), State: r.State, ProposedBy: r.ProposedBy, ProposeTime: timestamppb.New(r.ProposeTime),
		ReviewedBy: r.ReviewedBy, SignedBy: r.SignedBy, PublicationId: text(publicationID), Reason: r.Reason,
		Gate: &disclosurev1.Gate{},
		Basis: &disclosurev1.PublicationBasis{
			PartyId: text(r.PartyID), MeasureId: text(r.MeasureID), CaseId: text(r.CaseID), ComplaintId: text(r.ComplaintID),
			ComplaintRound: r.ComplaintRound, DocumentId: text(r.DocumentID),
		},
	}
	if r.EndTime != nil {
		out.EndTime = timestamppb.New(*r.EndTime)
	}
	if r.WarnedTime != nil {
		out.Gate.WarnedTime = timestamppb.New(*r.WarnedTime)
	}
	if r.ContinuedTime != nil {
		out.Gate.ContinuedTime = timestamppb.New(*r.ContinuedTime)
	}
	if r.NoticeTime != nil {
		out.Gate.NoticeTime = timestamppb.New(*r.NoticeTime)
	}
	return out
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
