package enforcement

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

const (
	custodyCollected = "collected"
	custodyDecided   = "registration_decided"
	custodyReturned  = "returned"
)

// AddCaseEvidence enters evidence with its hash and the first link of its custody. Registered evidence starts the clock of
// its decision (行政处罚法 56).
func (s *Server) AddCaseEvidence(ctx context.Context, req *enforcementv1.AddCaseEvidenceRequest) (*enforcementv1.AddCaseEvidenceResponse, error) {
	now := s.now()
	collected := now
	if t := req.GetCollectTime(); t != nil {
		collected = t.AsTime()
	}
	if collected.After(now) {
		return nil, errs.Field("collect_time", "must not be in the future")
	}
	a := identity.ActorOf(ctx)
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.AddCaseEvidenceResponse, error) {
		q := store.New(tx)
		m, err := s.ownLocked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		if m.State != opened && !undecided(m.State) {
			return nil, wrongState("行政处罚法 第五十四条: evidence is collected while the case is investigated; it is %s", m.State)
		}
		if m.recused(a.GetSubject(), now) {
			return nil, samePerson("行政处罚法 第四十三条: a recused officer takes no part in the case")
		}
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		err = q.InsertEvidence(ctx, store.InsertEvidenceParams{
			EvidenceID: id.String(), CaseID: m.CaseID, Kind: req.GetKind(), Title: req.GetTitle(), Sha256: req.GetSha256(),
			Registered: req.GetRegistered(), CreatedAt: now,
		})
		if err != nil {
			return nil, err
		}
		err = q.InsertCustody(ctx, store.InsertCustodyParams{
			EvidenceID: id.String(), Seq: 1, Act: custodyCollected, FromHolder: req.GetFromHolder(), ToHolder: req.GetToHolder(),
			Actor: a.GetSubject() + "@" + a.GetAgencyId(), LinkTime: collected,
		})
		if err != nil {
			return nil, err
		}
		if req.GetRegistered() {
			err = s.start(ctx, q, m.CaseID, basisRegistration, int32(len(m.events)), id.String(), collected, s.profileOf(""))
		}
		if err != nil {
			return nil, err
		}
		out, err := s.evidence(ctx, q, id.String())
		return &enforcementv1.AddCaseEvidenceResponse{Evidence: out}, err
	})
}

// ownEvidence refuses evidence that is not on the file of the case (行政处罚法 40, 46).
func ownEvidence(ctx context.Context, q *store.Queries, caseID, field string, ids []string) error {
	known := map[string]bool{}
	for _, id := range ids {
		if uuid.Validate(id) != nil {
			return errs.Field(field, "must be evidence of the case (行政处罚法 第四十条、第四十六条)")
		}
		known[strings.ToLower(id)] = true
	}
	if len(known) == 0 {
		return nil
	}
	own, err := q.CountEvidence(ctx, store.CountEvidenceParams{CaseID: caseID, EvidenceIds: slices.Collect(maps.Keys(known))})
	if err == nil && int(own) != len(known) {
		err = errs.Field(field, "must be evidence of the case (行政处罚法 第四十条、第四十六条)")
	}
	return err
}

// MoveCaseEvidence adds a link to the custody of evidence. Who hands it on shows that it is what was collected.
func (s *Server) MoveCaseEvidence(ctx context.Context, req *enforcementv1.MoveCaseEvidenceRequest) (*enforcementv1.MoveCaseEvidenceResponse, error) {
	a := identity.ActorOf(ctx)
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.MoveCaseEvidenceResponse, error) {
		q, at := store.New(tx), s.now()
		e, err := q.EvidenceByID(ctx, req.GetEvidenceId())
		if err != nil {
			return nil, errs.NotFound(err, "no such evidence")
		}
		m, err := s.ownLocked(ctx, q, e.CaseID)
		if err != nil {
			return nil, errs.NotFound(pgx.ErrNoRows, "no such evidence")
		}
		links, err := q.CustodyOf(ctx, []string{e.EvidenceID})
		if err != nil {
			return nil, err
		}
		if err := movable(e, links, req); err != nil {
			return nil, err
		}
		last := links[len(links)-1]
		to := req.GetToHolder()
		if to == "" {
			to = last.ToHolder
		}
		err = q.InsertCustody(ctx, store.InsertCustodyParams{
			EvidenceID: e.EvidenceID, Seq: last.Seq + 1, Act: req.GetAct(), FromHolder: last.ToHolder, ToHolder: to,
			Decision: req.GetRegistrationDecision(), Actor: a.GetSubject() + "@" + a.GetAgencyId(), LinkTime: at, Reason: req.GetReason(),
		})
		if err != nil {
			return nil, err
		}
		if req.GetAct() == custodyDecided {
			if err := s.registrationDecided(ctx, q, m, e.EvidenceID, at); err != nil {
				return nil, err
			}
		}
		out, err := s.evidence(ctx, q, e.EvidenceID)
		return &enforcementv1.MoveCaseEvidenceResponse{Evidence: out}, err
	})
}

// movable refuses what breaks the chain.
func movable(e store.CaseEvidence, links []store.CaseCustody, req *enforcementv1.MoveCaseEvidenceRequest) error {
	decided := false
	for _, l := range links {
		decided = decided || l.Act == custodyDecided
		if l.Act == custodyReturned {
			return wrongState("行政处罚法 第五十六条: the evidence was returned; its chain has ended")
		}
	}
	switch {
	case req.GetSha256() != e.Sha256:
		return wrongState("行政处罚法 第四十六条: the hash is not that of the evidence that was collected")
	case (req.GetAct() == custodyDecided) != (req.GetRegistrationDecision() != ""):
		return errs.Field("registration_decision", "must stand with registration_decided, and only with it (行政处罚法 第五十六条)")
	case req.GetAct() == custodyDecided && (!e.Registered || decided):
		return wrongState("行政处罚法 第五十六条: the evidence was not registered in advance, or this is decided already")
	case req.GetAct() != custodyDecided && req.GetToHolder() == "":
		return errs.Field("to_holder", "must be given: who has it from now on")
	}
	return nil
}

// registrationDecided meets the clock of a piece of evidence.
func (s *Server) registrationDecided(ctx context.Context, q *store.Queries, m *matter, id string, at time.Time) error {
	for i := range m.clocks {
		k := &m.clocks[i]
		if k.Basis != basisRegistration || k.SubjectID != id {
			continue
		}
		d, err := deadlineOf(k)
		if err != nil {
			return err
		}
		return s.enterAct(ctx, q, k, clockAct{kind: actMet, at: at}, d)
	}
	return nil
}

// ListCaseEvidence lists the evidence of a case of the caller's agency.
func (s *Server) ListCaseEvidence(ctx context.Context, req *enforcementv1.ListCaseEvidenceRequest) (*enforcementv1.ListCaseEvidenceResponse, error) {
	after, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !ok {
		id = firstID
	}
	q := store.New(s.db)
	m, err := s.own(ctx, q, req.GetCaseId())
	if err != nil {
		return nil, err
	}
	if m.AgencyID != agencyOf(ctx) {
		return nil, errs.NotFound(pgx.ErrNoRows, "no such case")
	}
	size := pg.PageSize(req.GetPageSize())
	rows, err := q.EvidenceOf(ctx, store.EvidenceOfParams{CaseID: m.CaseID, AfterTime: after, AfterID: id, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListCaseEvidenceResponse{}
	if resp.Evidence, err = evidenceProto(ctx, q, m, s.now(), rows); err != nil {
		return nil, err
	}
	if len(rows) == int(size) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(last.CreatedAt, last.EvidenceID)
	}
	return resp, nil
}

func (s *Server) evidence(ctx context.Context, q *store.Queries, id string) (*enforcementv1.CaseEvidence, error) {
	e, err := q.EvidenceByID(ctx, id)
	if err != nil {
		return nil, err
	}
	m, err := matterOf(ctx, q, e.CaseID)
	if err != nil {
		return nil, err
	}
	out, err := evidenceProto(ctx, q, m, s.now(), []store.CaseEvidence{e})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func evidenceProto(ctx context.Context, q *store.Queries, m *matter, now time.Time, rows []store.CaseEvidence) ([]*enforcementv1.CaseEvidence, error) {
	var ids []string
	byID := map[string]*enforcementv1.CaseEvidence{}
	var out []*enforcementv1.CaseEvidence
	for _, e := range rows {
		p := &enforcementv1.CaseEvidence{
			EvidenceId: e.EvidenceID, Kind: e.Kind, Title: e.Title, Sha256: e.Sha256, Registered: e.Registered, CreateTime: timestamppb.New(e.CreatedAt),
		}
		for i := range m.clocks {
			if k := &m.clocks[i]; k.Basis == basisRegistration && k.SubjectID == e.EvidenceID {
				p.Clock = m.clockProto(k, true, now)
			}
		}
		ids, byID[e.EvidenceID], out = append(ids, e.EvidenceID), p, append(out, p)
	}
	links, err := q.CustodyOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		p := byID[l.EvidenceID]
		if l.Decision != "" {
			p.RegistrationDecision = l.Decision
		}
		p.Custody = append(p.Custody, &enforcementv1.CustodyLink{
			Seq: l.Seq, Act: l.Act, FromHolder: l.FromHolder, ToHolder: l.ToHolder, Actor: l.Actor, LinkTime: timestamppb.New(l.LinkTime), Reason: l.Reason,
		})
	}
	return out, nil
}
