package enforcement

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// RecordRemedy writes a fact of a reconsideration or a suit. It does not stop the performance; while it runs nothing is
// added for late payment (行政处罚法 73). What was filed late is kept and counts once it was accepted. What takes the decision
// back reverses the case (48); what changes it replaces what is owed (行政复议法 63, 行政诉讼法 77).
func (s *Server) RecordRemedy(ctx context.Context, req *enforcementv1.RecordRemedyRequest) (*enforcementv1.RecordRemedyResponse, error) {
	at := s.now()
	if t := req.GetFactTime(); t != nil {
		at = t.AsTime()
	}
	switch {
	case at.After(s.now()):
		return nil, errs.Field("fact_time", "must not be in the future")
	case (len(req.GetChanged()) > 0) != (req.GetFact() == remedyChanged):
		return nil, errs.Field("changed", "must say what the decision is from now on, with the fact changed and only then (行政复议法 第六十三条、行政诉讼法 第七十七条)")
	}
	reopened := false
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordRemedyResponse, error) {
		q := store.New(tx)
		m, err := s.ownLocked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		if err := m.mayRecordRemedy(req, identity.ActorOf(ctx).GetSubject()); err != nil {
			return nil, err
		}
		r, err := s.remedyFor(ctx, q, m, req, at)
		if err != nil {
			return nil, err
		}
		reopened = m.State == closed && (reverses[req.GetFact()] || req.GetFact() == remedyChanged)
		if err := s.remedyFact(ctx, q, m, req, r, at); err != nil {
			return nil, err
		}
		return s.remedyAnswer(ctx, q, m.CaseID, r.id)
	})
	if err != nil {
		return nil, guarded(err)
	}
	s.told(req.GetCaseId(), reopened)
	return resp, nil
}

func (s *Server) remedyAnswer(ctx context.Context, q *store.Queries, caseID, id string) (*enforcementv1.RecordRemedyResponse, error) {
	m, err := matterOf(ctx, q, caseID)
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.RecordRemedyResponse{}
	for _, r := range m.remediesProto() {
		if r.GetRemedyId() == id {
			resp.Remedy = r
		}
	}
	resp.Case, err = s.after(ctx, q, caseID)
	return resp, err
}

// remedyRow is the remedy that a fact belongs to, and the number of the fact in it. idle says that it was filed late and that
// nobody has accepted it.
type remedyRow struct {
	id   string
	n    int32
	idle bool
}

// remedyFor is the remedy that a fact belongs to; filed begins one. One of a kind runs at a time.
func (s *Server) remedyFor(ctx context.Context, q *store.Queries, m *matter, req *enforcementv1.RecordRemedyRequest, at time.Time) (remedyRow, error) {
	r, last := m.runs(req.GetKind())
	fact := req.GetFact()
	switch {
	case fact == remedyFiled && r.id == "":
		return s.fileRemedy(ctx, q, m, req, at)
	case fact == remedyFiled:
		return r, wrongState("行政处罚法 第七十三条: a %s runs already", req.GetKind())
	case r.id == "":
		return r, wrongState("行政处罚法 第七十三条: no %s runs", req.GetKind())
	case at.Before(last):
		return r, errs.Field("fact_time", "must not be before the last fact of the remedy, %s", last.UTC().Format(time.RFC3339))
	case fact == remedyAccepted:
		r.idle = false
	case r.idle && fact != "refused" && fact != "withdrawn":
		return r, wrongState("行政复议法 第二十条、行政诉讼法 第四十八条: it was filed late: that its lateness was excused is recorded first, as accepted")
	}
	return r, nil
}

// runs is the remedy of a kind that has not ended, with when its last fact happened.
func (m *matter) runs(kind string) (r remedyRow, last time.Time) {
	for _, f := range m.remedies {
		switch {
		case f.Kind != kind:
		case endsRemedy[f.Fact]:
			r = remedyRow{}
		default:
			r.idle = f.LateReason != "" && (f.Fact == remedyFiled || r.idle && f.Fact != remedyAccepted)
			r.id, r.n, last = f.RemedyID, f.N+1, f.FactTime
		}
	}
	return r, last
}

// fileRemedy begins a remedy. Its last day and whether it was missed are kept with it.
func (s *Server) fileRemedy(ctx context.Context, q *store.Queries, m *matter, req *enforcementv1.RecordRemedyRequest, at time.Time) (remedyRow, error) {
	if m.DeliverTime == nil || at.Before(*m.DeliverTime) {
		return remedyRow{}, wrongState("行政复议法 第二十条、行政诉讼法 第四十六条: the decision was not delivered before that")
	}
	if req.GetKind() == litigation {
		if err := m.mayBeSued(); err != nil {
			return remedyRow{}, err
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return remedyRow{}, err
	}
	row := store.InsertRemedyParams{RemedyID: id.String(), CaseID: m.CaseID, Kind: req.GetKind(), FileTime: at}
	k := m.remedyTerm(req.GetKind())
	if k != nil {
		row.FileDue, row.LateReason = &k.DueTime, missed(k, at, req.GetReason())
	}
	if k != nil && row.LateReason == "" {
		if err := s.meet(ctx, q, m, k.Basis, at); err != nil {
			return remedyRow{}, err
		}
	}
	return remedyRow{id: row.RemedyID, n: 1, idle: row.LateReason != ""}, q.InsertRemedy(ctx, row)
}

// remedyFact writes the fact and what follows from it.
func (s *Server) remedyFact(ctx context.Context, q *store.Queries, m *matter, req *enforcementv1.RecordRemedyRequest, r remedyRow, at time.Time) error {
	a, seq, fact := identity.ActorOf(ctx), m.next(), req.GetFact()
	err := q.InsertRemedyFact(ctx, store.InsertRemedyFactParams{
		RemedyID: r.id, N: r.n, EventSeq: seq, Fact: fact, FactTime: at, DocumentNo: req.GetDocumentNo(), RecordedBy: a.GetSubject() + "@" + a.GetAgencyId(),
	})
	if err != nil {
		return err
	}
	to := m.afterRemedy(fact)
	if fact == remedyChanged && to != stateReversed {
		if err := s.insertChange(ctx, q, m, req); err != nil {
			return err
		}
	}
	note := ""
	if r.idle {
		note = "late"
	}
	err = s.write(ctx, q, m, line{step: logRemedy, outcome: req.GetKind() + "/" + fact, to: to, at: s.now(),
		subject: a.GetSubject(), agency: a.GetAgencyId(), note: note})
	if err != nil || r.idle {
		return err
	}
	return s.followRemedy(ctx, q, m.CaseID, req, seq, at)
}

// insertChange keeps what the decision is from now on; never harsher than it was.
func (s *Server) insertChange(ctx context.Context, q *store.Queries, m *matter, req *enforcementv1.RecordRemedyRequest) error {
	if m.ReverseTime != nil || len(m.decidedPenalties()) == 0 {
		return wrongState("行政复议法 第六十三条、行政诉讼法 第七十七条: there is no penalty that a change could be made to")
	}
	if err := changeable(m.decidedPenalties(), req.GetChanged(), req.GetKind()); err != nil {
		return err
	}
	seq := m.next()
	for i, p := range req.GetChanged() {
		err := q.InsertChange(ctx, store.InsertChangeParams{
			CaseID: m.CaseID, Seq: seq, N: int32(i + 1), Kind: p.GetKind(), AmountFen: p.GetAmount().GetFen(), Basis: p.GetBasis(),
			CatalogueCode: p.GetCatalogueCode(), ListParty: p.GetListParty(), Publish: p.GetPublish(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// followRemedy ends and starts what the fact ends and starts: the terms of the other remedies, of performance, of the court.
func (s *Server) followRemedy(ctx context.Context, q *store.Queries, caseID string, req *enforcementv1.RecordRemedyRequest, seq int32, at time.Time) error {
	m, err := matterOf(ctx, q, caseID)
	if err != nil {
		return err
	}
	now, fact, suit := s.now(), req.GetFact(), req.GetKind() == litigation
	profile := m.profile(s.profileOf(""))
	end := func(why string, bases ...string) error {
		return s.endClocks(ctx, q, caseID, actCancelled, why, now, bases...)
	}
	switch {
	case m.entered(stateReversed) == seq:
		return s.takenBack(ctx, q, m, seq, now, profile)
	case m.ReverseTime != nil || m.Procedure == logBefore:
		return nil
	case !endsRemedy[fact]: // while it runs no court is asked
		return end("行政强制法 第五十三条: "+req.GetKind()+" "+fact, basisCourt)
	case suit:
		err = end("行政诉讼法: the suit has ended", basisReconsider, basisLitigate, basisLitigateAfter)
	case slices.Contains(m.opensSuit(), fact):
		err = end("行政诉讼法 第四十五条: fifteen days from the reconsideration", basisLitigate, basisLitigateAfter)
		if err == nil {
			err = s.start(ctx, q, caseID, basisLitigateAfter, seq, "", at, profile)
		}
	}
	if err == nil && fact == remedyChanged {
		err = s.followChange(ctx, q, m, seq, at, profile)
	}
	if err != nil {
		return err
	}
	if m, err = matterOf(ctx, q, caseID); err != nil || m.State != stateDemanded {
		return err
	}
	return s.startCourt(ctx, q, m, seq, now, profile)
}

// followChange: the party has its fifteen days for what it owes now (行政处罚法 67), a demand of the former amount falls, and
// what was published and listed is put right within three working days (48).
func (s *Server) followChange(ctx context.Context, q *store.Queries, m *matter, seq int32, at time.Time, profile string) error {
	if m.State == statePerforming {
		err := s.endClocks(ctx, q, m.CaseID, actCancelled, "the decision was changed", s.now(), basisPerform, basisDemand, basisCourt)
		if err != nil {
			return err
		}
		if err := s.start(ctx, q, m.CaseID, basisPerform, seq, "", at, profile); err != nil {
			return err
		}
	}
	if !m.toCorrect() {
		return nil
	}
	return s.start(ctx, q, m.CaseID, basisWithdraw, seq, "", s.now(), profile)
}

// startCourt starts the three months in which the court may be asked, from the end of all time for remedies; while one runs
// they have not begun (行政强制法 53).
func (s *Server) startCourt(ctx context.Context, q *store.Queries, m *matter, seq int32, at time.Time, profile string) error {
	err := s.endClocks(ctx, q, m.CaseID, actCancelled, "行政强制法 第五十三条: counted anew", at, basisCourt)
	if err != nil || m.remedyOpen() {
		return err
	}
	from := m.remediesOver()
	if from.IsZero() {
		from = at
	}
	return s.start(ctx, q, m.CaseID, basisCourt, seq, "", from, profile)
}
