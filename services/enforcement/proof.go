package enforcement

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// penaltyWarning is the penalty that is a warning by itself (行政处罚法 9).
const penaltyWarning = "warning"

// ProvePublication says what is on record of the basis of a publication. What it does not find it leaves unset: nothing is
// proven by being said.
func (s *Server) ProvePublication(ctx context.Context, req *enforcementv1.ProvePublicationRequest) (*enforcementv1.ProvePublicationResponse, error) {
	for field, id := range map[string]string{
		"party_id": req.GetPartyId(), "measure_id": req.GetMeasureId(), "case_id": req.GetCaseId(), "complaint_id": req.GetComplaintId(),
		"document_id": req.GetDocumentId(),
	} {
		if _, err := optionalID(field, id); err != nil {
			return nil, err
		}
	}
	p := proof{ProvePublicationRequest: req, q: store.New(s.db), resp: &enforcementv1.ProvePublicationResponse{}, party: req.GetPartyId()}
	for _, prove := range []func(context.Context) error{p.ofCase, p.ofParty, p.warned, p.continued, func(ctx context.Context) error { return p.informed(ctx, s.now()) }} {
		if err := prove(ctx); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, err
		}
	}
	return p.resp, nil
}

// proof gathers what is on record.
type proof struct {
	*enforcementv1.ProvePublicationRequest
	q     *store.Queries
	resp  *enforcementv1.ProvePublicationResponse
	party string // that of the request, else the case's
}

// ofCase reads the agency's case. One that is not there, or about another party, proves nothing.
func (p *proof) ofCase(ctx context.Context) error {
	if p.GetCaseId() == "" {
		return nil
	}
	c, err := p.q.ProvenCase(ctx, store.ProvenCaseParams{CaseID: p.GetCaseId(), AgencyID: p.GetAgencyId()})
	if err != nil {
		return err
	}
	if p.party = cmp.Or(p.party, c.PartyID); p.party != c.PartyID {
		return nil
	}
	p.resp.CaseNo, p.resp.DecisionNo = c.CaseNo, c.UndeliveredNo
	if c.ReverseTime != nil {
		p.resp.ReverseTime = timestamppb.New(*c.ReverseTime)
		return nil
	}
	if c.FailedTime.Unix() > 0 {
		p.resp.FailedServiceTime = timestamppb.New(c.FailedTime)
	}
	if c.Warns && p.GetMeasureId() == "" {
		p.resp.WarnedTime, p.resp.WarnedBy = timestamppb.New(*c.DeliverTime), penaltyWarning
	}
	return nil
}

func (p *proof) ofParty(ctx context.Context) error {
	if p.party == "" {
		return nil
	}
	row, err := p.q.ProvenParty(ctx, p.party)
	if err == nil {
		p.resp.Party = &enforcementv1.Party{PartyId: row.PartyID, Name: row.Name, CreditCode: row.CreditCode, Person: row.Person}
	}
	return err
}

// warned: a measure that warns, carried out, whose party the body that took it has named.
func (p *proof) warned(ctx context.Context) error {
	if p.GetMeasureId() == "" || p.party == "" {
		return nil
	}
	w, err := p.q.ProvenWarning(ctx, store.ProvenWarningParams{MeasureID: p.GetMeasureId(), PartyID: p.party})
	if err == nil {
		p.resp.WarnedTime, p.resp.WarnedBy = timestamppb.New(w.WarnedTime), w.Code
	}
	return err
}

// continued: a finding of the agency that stands.
func (p *proof) continued(ctx context.Context) error {
	if p.GetComplaintId() == "" || p.party == "" {
		return nil
	}
	at, err := p.q.ProvenContinuation(ctx, store.ProvenContinuationParams{
		ComplaintID: p.GetComplaintId(), Round: p.GetComplaintRound(), AgencyID: p.GetAgencyId(), PartyID: p.party,
	})
	if err == nil {
		p.resp.FoundTime = timestamppb.New(at)
	}
	return err
}

// informed: a document for the party that reached it.
func (p *proof) informed(ctx context.Context, now time.Time) error {
	if p.GetDocumentId() == "" || p.party == "" {
		return nil
	}
	at, err := p.q.ProvenInformed(ctx, store.ProvenInformedParams{DocumentID: p.GetDocumentId(), PartyID: p.party, AgencyID: p.GetAgencyId(), At: now})
	if err == nil {
		p.resp.InformedTime = timestamppb.New(at)
	}
	return err
}

// ListTakenMeasures lists the measures of a complaint to who has a part in it.
func (s *Server) ListTakenMeasures(ctx context.Context, req *enforcementv1.ListTakenMeasuresRequest) (*enforcementv1.ListTakenMeasuresResponse, error) {
	q, after := store.New(s.db), firstID
	if err := takesPart(ctx, q, req.GetComplaintId()); err != nil {
		return nil, err
	}
	parts, err := pg.DecodeToken(req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	if parts != nil {
		if after = parts[0]; uuid.Validate(after) != nil {
			return nil, badToken()
		}
	}
	size := pg.PageSize(req.GetPageSize())
	rows, err := q.TakenMeasures(ctx, store.TakenMeasuresParams{ComplaintID: req.GetComplaintId(), After: after, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListTakenMeasuresResponse{}
	for _, m := range rows {
		resp.Measures = append(resp.Measures, &enforcementv1.TakenMeasure{
			MeasureId: m.MeasureID, Code: m.Code, Round: m.Round, DecidedAgencyId: m.DecidedAgencyID, State: m.State,
			StateTime: timestamppb.New(m.StateTime), Warns: m.Warns, PartyId: m.PartyID,
		})
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[len(rows)-1].MeasureID)
	}
	return resp, nil
}
