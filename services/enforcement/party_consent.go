package enforcement

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// consentBasis is the term in which the consent records are to be shown.
const consentBasis = "consent_proof_5wd"

// DemandConsentProof demands the consent records of whole months, as a whole: the party never learns which call, and so
// who complained. The letter is made and served with it; the term runs from its service.
func (s *Server) DemandConsentProof(ctx context.Context, req *enforcementv1.DemandConsentProofRequest) (*enforcementv1.DemandConsentProofResponse, error) {
	first, last, err := s.months(req)
	if err != nil {
		return nil, err
	}
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.DemandConsentProofResponse, error) {
		q, now := store.New(tx), s.now()
		c, err := q.CaseOfAgency(ctx, store.CaseOfAgencyParams{CaseID: req.GetCaseId(), AgencyID: identity.ActorOf(ctx).GetAgencyId()})
		if err != nil {
			return nil, errs.NotFound(err, noCase)
		}
		if !investigated[c.State] {
			return nil, wrongState("evidence is demanded while a case is investigated, before its decision (行政处罚法 第五十四条、第五十五条)")
		}
		due, err := calendar.Due(consentBasis, now, cmp.Or(s.profile, calendar.Statutory))
		if err != nil {
			return nil, err
		}
		doc, err := s.compose(ctx, q, drawing{Kind: docConsentDemand, CaseID: c.CaseID, By: doneBy(ctx), Facts: &enforcementv1.DocumentFacts{
			FirstMonth: req.GetFirstMonth(), LastMonth: req.GetLastMonth(), PerformBy: timestamppb.New(due.Statutory),
		}})
		if err != nil {
			return nil, err
		}
		if err := s.deliver(ctx, q, delivery{DocumentID: doc, Method: req.GetMethod(), Served: true, Time: now, By: doneBy(ctx)}, s.profile); err != nil {
			return nil, err
		}
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		err = q.InsertConsentDemand(ctx, store.InsertConsentDemandParams{
			DemandID: id.String(), CaseID: c.CaseID, DocumentID: doc, FirstMonth: dateOf(first), LastMonth: dateOf(last), DemandedBy: doneBy(ctx),
			DemandedTime: now, Due: due.Due, DueStatutory: due.Statutory, DueProof: due.Proof, DueProvisional: due.Provisional,
		})
		if err != nil {
			return nil, err
		}
		row, err := q.ConsentDemand(ctx, id.String())
		return &enforcementv1.DemandConsentProofResponse{Demand: demandProto(store.ConsentDemandsRow{
			DemandID: row.DemandID, CaseID: row.CaseID, DocumentID: row.DocumentID, FirstMonth: row.FirstMonth, LastMonth: row.LastMonth,
			DemandedTime: row.DemandedTime, Due: row.Due, DueStatutory: row.DueStatutory, DueProof: row.DueProof, DueProvisional: row.DueProvisional,
		}, now)}, err
	})
	if err == nil {
		s.nudgeCase(req.GetCaseId())
	}
	return resp, err
}

// investigated are the states in which evidence is still taken.
var investigated = map[string]bool{
	"INVESTIGATING": true, "NOTICE_SERVED": true, "STATEMENT": true, "HEARING": true, "LEGAL_REVIEW": true, "DISCUSSION": true,
}

func (s *Server) months(req *enforcementv1.DemandConsentProofRequest) (first, last time.Time, err error) {
	first, err = time.ParseInLocation("2006-01", req.GetFirstMonth(), calendar.Shanghai)
	if err == nil {
		last, err = time.ParseInLocation("2006-01", req.GetLastMonth(), calendar.Shanghai)
	}
	switch {
	case err != nil:
		return first, last, errs.Field("first_month", "and last_month must be months")
	case last.Before(first) || last.After(s.now()):
		return first, last, errs.Field("last_month", "must not be before first_month, nor of the future")
	}
	return first, last, nil
}

// dateOf is a day of Asia/Shanghai as PostgreSQL keeps it.
func dateOf(t time.Time) pgtype.Date {
	d := t.In(calendar.Shanghai)
	return pgtype.Date{Time: time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, time.UTC), Valid: true}
}

// ListConsentDemands lists demands: to the party its own, to the people of an agency those of its cases.
func (s *Server) ListConsentDemands(ctx context.Context, req *enforcementv1.ListConsentDemandsRequest) (*enforcementv1.ListConsentDemandsResponse, error) {
	arg := store.ConsentDemandsParams{PageSize: pg.PageSize(req.GetPageSize())}
	var err error
	if arg.CaseID, err = uuidField("case_id", req.GetCaseId()); err != nil {
		return nil, err
	}
	if isParty(ctx) {
		arg.Party = identity.ActorOf(ctx).GetParty()
	} else {
		arg.AgencyID = identity.ActorOf(ctx).GetAgencyId()
	}
	before, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := store.New(s.db).ConsentDemands(ctx, arg)
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListConsentDemandsResponse{}
	for _, r := range rows {
		resp.Demands = append(resp.Demands, demandProto(r, s.now()))
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(last.DemandedTime, last.DemandID)
	}
	return resp, nil
}

func demandProto(r store.ConsentDemandsRow, now time.Time) *enforcementv1.ConsentDemand {
	out := &enforcementv1.ConsentDemand{
		DemandId: r.DemandID, CaseId: r.CaseID, DocumentId: r.DocumentID, FirstMonth: r.FirstMonth.Time.Format("2006-01"),
		LastMonth: r.LastMonth.Time.Format("2006-01"), DemandedTime: timestamppb.New(r.DemandedTime), DueTime: timestamppb.New(r.Due),
		Clock: &commonv1.Clock{
			Basis: consentBasis, StatutoryDue: r.DueStatutory.UTC().Format(time.RFC3339), Proof: r.DueProof, Provisional: r.DueProvisional,
		},
		State: "OPEN", FilingIds: r.ProofIds,
	}
	switch {
	case len(r.ProofIds) > 0 && !r.Unanswered:
		out.State = "ANSWERED"
	case r.Unanswered || now.After(r.Due):
		out.State = "UNANSWERED"
	}
	return out
}

// SubmitConsentProof answers a demand. A late answer is kept and marked; that there was none in time stays a fact.
func (s *Server) SubmitConsentProof(ctx context.Context, req *enforcementv1.SubmitConsentProofRequest) (*enforcementv1.SubmitConsentProofResponse, error) {
	switch {
	case req.GetHasRecords() && len(req.GetFileIds()) == 0:
		return nil, errs.Field("file_ids", "must hold the records")
	case !req.GetHasRecords() && blank(req.GetText()):
		return nil, errs.Field("text", "must say why there are no records")
	}
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.SubmitConsentProofResponse, error) {
		const none = "no such demand"
		q := store.New(tx)
		d, err := q.ConsentDemand(ctx, req.GetDemandId())
		if err != nil {
			return nil, errs.NotFound(err, none)
		}
		f, err := s.filer(ctx, q, d.CaseID, req.GetPaper())
		if err != nil {
			return nil, asUnknown(err, none)
		}
		if of, err := q.DemandedOf(ctx, d.DemandID); err != nil || of != f.c.PartyID { // the case was another's then
			return nil, cmp.Or(err, errs.NotFound(pgx.ErrNoRows, none))
		}
		if f.at.Before(d.DemandedTime) {
			return nil, errs.Field("paper.received_time", "must not be before the demand")
		}
		id, sealed, err := s.newFiling(req.GetText())
		if err != nil {
			return nil, err
		}
		err = q.InsertConsentProof(ctx, store.InsertConsentProofParams{
			ProofID: id, DemandID: d.DemandID, CaseID: d.CaseID, HasRecords: req.GetHasRecords(), TextSealed: sealed, AnsweredTime: f.at,
			Late: f.at.After(d.Due), Channel: f.channel, ReceivedBy: f.by,
		})
		if err != nil {
			return nil, err
		}
		if err := attach(ctx, q, f, id, req.GetFileIds()); err != nil {
			return nil, err
		}
		out, err := s.filed(ctx, q, d.CaseID, "consent_proof", id)
		return &enforcementv1.SubmitConsentProofResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}

// settleEvery is how often terms that ran out are looked for.
const settleEvery = time.Minute

// settleDemands records, until ctx ends, which demands found no answer in time, and has their cases looked at.
func (s *Server) settleDemands(ctx context.Context) {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		cases, err := store.New(s.db).SettleConsentDemands(ctx, s.now())
		if err != nil && !errors.Is(err, context.Canceled) {
			slog.WarnContext(ctx, "demands that found no answer were not recorded; the next turn tries again", slog.Any("error", err))
		}
		for _, id := range cases {
			s.nudgeCase(id)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
