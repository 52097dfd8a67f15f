package disclosure

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/persons"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// States of a proposal.
const (
	proposed  = "PROPOSED"
	released  = "PUBLISHED"
	returned  = "RETURNED"
	withheld  = "WITHHELD"
	threeOnly = "行政处罚法 第五十七条参照;拟办、审核、签发由三人分别办理"
)

// isProposed says whether three people decide on items of a kind, one by one: those that rest on no signed decision.
func isProposed(kind string) bool { return kind == exposure || kind == circular }

// RecordProposal enters a proposal that passes its gate but for the signature, or says all that it lacks.
func (s *Server) RecordProposal(ctx context.Context, req *disclosurev1.RecordProposalRequest) (*disclosurev1.RecordProposalResponse, error) {
	if !isProposed(req.GetPublication().GetKind()) {
		return nil, errs.Field("publication.kind", "must be exposure or circular")
	}
	if err := checkBasis(req.GetBasis()); err != nil {
		return nil, err
	}
	p := presentable(req.GetPublication())
	p.CaseId = req.GetProposalId()
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.RecordProposalResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, caseKey(p.GetKind(), p.GetCaseId())); err != nil {
			return nil, err
		}
		_, err := q.LockProposal(ctx, p.GetCaseId())
		if errors.Is(err, pgx.ErrNoRows) {
			err = s.propose(ctx, q, p, req)
		}
		if err != nil {
			return nil, err
		}
		out, err := s.proposal(ctx, q, p.GetCaseId())
		return &disclosurev1.RecordProposalResponse{Proposal: out}, err
	})
	if l, ok := errors.AsType[*lacking](err); ok {
		kept, err := s.withhold(ctx, p, l)
		return &disclosurev1.RecordProposalResponse{Missing: kept.GetMissing()}, err
	}
	return resp, err
}

// propose writes a proposal. That it is signed is what it still lacks, so the gate looks as if it were.
func (s *Server) propose(ctx context.Context, q *store.Queries, p *disclosurev1.Publication, req *disclosurev1.RecordProposalRequest) error {
	now := s.now()
	known, err := s.kinds.read(ctx, q)
	if err != nil {
		return err
	}
	f, _, _, err := s.pass(ctx, q, known[p.GetKind()], p, signedAt(req.GetGate(), now))
	if err != nil {
		return err
	}
	g, b := f.gate, req.GetBasis()
	return q.InsertProposal(ctx, store.InsertProposalParams{
		ProposalID: p.GetCaseId(), Kind: p.GetKind(), AgencyID: p.GetAgencyId(), AgencyName: p.GetAgencyName(), Title: p.GetTitle(),
		Summary: p.GetSummary(), PartyName: p.GetPartyName(), CreditCode: p.GetCreditCode(), RegionCodes: list(p.GetRegionCodes()),
		Codes: list(p.GetCodes()), PartyID: optional(b.GetPartyId()), MeasureID: optional(b.GetMeasureId()), CaseID: optional(b.GetCaseId()),
		ComplaintID: optional(b.GetComplaintId()), ComplaintRound: b.GetComplaintRound(), DocumentID: optional(b.GetDocumentId()),
		WarnedTime: timeOf(g.GetWarnedTime()), ContinuedTime: timeOf(g.GetContinuedTime()), NoticeTime: timeOf(g.GetNoticeTime()),
		ProposedBy: req.GetProposedBy(), ProposeTime: now,
	})
}

// signedAt is a gate as it is once somebody signs.
func signedAt(g *disclosurev1.Gate, at time.Time) *disclosurev1.Gate {
	out := proto.CloneOf(g)
	if out.GetDecidedTime() == nil {
		out.DecidedTime = timestamppb.New(at)
	}
	return out
}

// checkBasis refuses identifiers that are none.
func checkBasis(b *disclosurev1.PublicationBasis) error {
	for field, id := range map[string]string{
		"party_id": b.GetPartyId(), "measure_id": b.GetMeasureId(), "case_id": b.GetCaseId(), "complaint_id": b.GetComplaintId(),
		"document_id": b.GetDocumentId(),
	} {
		if id != "" && uuid.Validate(id) != nil {
			return errs.Field("basis."+field, "must be a UUID")
		}
	}
	return nil
}

// CheckProposal says what a proposal lacks now.
func (s *Server) CheckProposal(ctx context.Context, req *disclosurev1.CheckProposalRequest) (*disclosurev1.CheckProposalResponse, error) {
	q := store.New(s.db)
	row, err := q.GetProposal(ctx, store.GetProposalParams{ProposalID: req.GetProposalId(), SeesAll: true})
	if err != nil {
		return nil, errs.NotFound(err, "no such proposal")
	}
	if err := stillOpen(row.PublicationProposal); err != nil {
		return nil, err
	}
	l, err := s.lackOf(ctx, q, row.PublicationProposal, signedAt(req.GetGate(), s.now()))
	return &disclosurev1.CheckProposalResponse{Missing: l}, err
}

func stillOpen(r store.PublicationProposal) error {
	if r.State != proposed {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "the proposal is %s", r.State)
	}
	return nil
}

// lackOf is all that a proposal lacks by a gate.
func (s *Server) lackOf(ctx context.Context, q *store.Queries, r store.PublicationProposal, g *disclosurev1.Gate) ([]*disclosurev1.MissingCondition, error) {
	known, err := s.kinds.read(ctx, q)
	if err != nil {
		return nil, err
	}
	_, _, _, err = s.pass(ctx, q, known[r.Kind], itemOf(r), g)
	if l, ok := errors.AsType[*lacking](err); ok {
		return l.missing, nil
	}
	return nil, err
}

// ReleaseProposal makes a proposal public that three people decided on. What it rests on was confirmed again just before: a
// proposal that lacks something now is at its end, and nothing is public.
func (s *Server) ReleaseProposal(ctx context.Context, req *disclosurev1.ReleaseProposalRequest) (*disclosurev1.ReleaseProposalResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.ReleaseProposalResponse, error) {
		q := store.New(tx)
		r, err := q.LockProposal(ctx, req.GetProposalId())
		if err != nil {
			return nil, errs.NotFound(err, "no such proposal")
		}
		resp := &disclosurev1.ReleaseProposalResponse{}
		if r.State != released {
			if resp.Missing, err = s.releaseProposal(ctx, q, r, req); err != nil {
				return nil, err
			}
		}
		resp.Proposal, err = s.proposal(ctx, q, r.ProposalID)
		return resp, err
	})
}

func (s *Server) releaseProposal(ctx context.Context, q *store.Queries, r store.PublicationProposal, req *disclosurev1.ReleaseProposalRequest) ([]*disclosurev1.MissingCondition, error) {
	if err := stillOpen(r); err != nil {
		return nil, err
	}
	if err := threePeople(r.ProposedBy, req.GetReviewedBy(), req.GetSignedBy()); err != nil {
		return nil, err
	}
	if err := q.LockKey(ctx, caseKey(r.Kind, r.ProposalID)); err != nil {
		return nil, err
	}
	now, p := s.now(), itemOf(r)
	known, err := s.kinds.read(ctx, q)
	if err != nil {
		return nil, err
	}
	end := store.EndProposalParams{ProposalID: r.ProposalID, State: released, ReviewedBy: req.GetReviewedBy(), SignedBy: req.GetSignedBy(), EndTime: &now}
	f, policy, terms, err := s.pass(ctx, q, known[r.Kind], p, req.GetGate())
	if l, ok := errors.AsType[*lacking](err); ok {
		if l.fatal {
			return nil, notPassed(l.Error())
		}
		var missing []string
		for _, m := range l.missing {
			missing = append(missing, m.GetCode())
		}
		end.State, end.Reason = withheld, strings.Join(missing, " ")
		return l.missing, q.EndProposal(ctx, end)
	}
	if err != nil {
		return nil, err
	}
	if err := q.EndProposal(ctx, end); err != nil {
		return nil, err
	}
	f.proposalID, f.by = r.ProposalID, req.GetSignedBy()
	_, err = s.write(ctx, q, f, policy, terms)
	return nil, err
}

// threePeople refuses a release by fewer.
func threePeople(signatures ...string) error {
	seen := map[string]bool{}
	for _, by := range signatures {
		who := by
		if i := strings.LastIndex(by, "@"); i >= 0 {
			who = by[:i]
		}
		if seen[who] {
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON, "%s", threeOnly)
		}
		seen[who] = true
	}
	return nil
}

// ReturnProposal sends a proposal back for good.
func (s *Server) ReturnProposal(ctx context.Context, req *disclosurev1.ReturnProposalRequest) (*disclosurev1.ReturnProposalResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.ReturnProposalResponse, error) {
		q, now := store.New(tx), s.now()
		r, err := q.LockProposal(ctx, req.GetProposalId())
		if err != nil {
			return nil, errs.NotFound(err, "no such proposal")
		}
		if r.State != returned {
			if err := stillOpen(r); err != nil {
				return nil, err
			}
			err = q.EndProposal(ctx, store.EndProposalParams{
				ProposalID: r.ProposalID, State: returned, Reason: persons.Mask(req.GetReason()), ReviewedBy: req.GetReturnedBy(), EndTime: &now,
			})
			if err != nil {
				return nil, err
			}
		}
		out, err := s.proposal(ctx, q, r.ProposalID)
		return &disclosurev1.ReturnProposalResponse{Proposal: out}, err
	})
}
