package enforcement

import (
	"context"
	"encoding/hex"
	"fmt"
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

// ListServed lists what was served on the party, newest first.
func (s *Server) ListServed(ctx context.Context, req *enforcementv1.ListServedRequest) (*enforcementv1.ListServedResponse, error) {
	arg := store.ListServedParams{Party: identity.ActorOf(ctx).GetParty(), PageSize: pg.PageSize(req.GetPageSize())}
	var err error
	if arg.CaseID, err = uuidField("case_id", req.GetCaseId()); err != nil {
		return nil, err
	}
	before, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := store.New(s.db).ListServed(ctx, arg)
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListServedResponse{}
	for _, r := range rows {
		resp.Documents = append(resp.Documents, servedProto(r))
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(last.ServedTime, last.DeliveryID)
	}
	return resp, nil
}

// GetServedDocument returns a document as it was served on the party.
func (s *Server) GetServedDocument(ctx context.Context, req *enforcementv1.GetServedDocumentRequest) (*enforcementv1.GetServedDocumentResponse, error) {
	q, id := store.New(s.db), req.GetDocumentId()
	rows, err := q.ListServed(ctx, store.ListServedParams{Party: identity.ActorOf(ctx).GetParty(), DocumentID: &id, PageSize: 1})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errs.NotFound(pgx.ErrNoRows, "no such document")
	}
	html, err := s.content(ctx, q, id)
	if err != nil {
		return nil, err
	}
	return &enforcementv1.GetServedDocumentResponse{Document: servedProto(rows[0]), Html: html}, nil
}

func servedProto(r store.ListServedRow) *enforcementv1.ServedDocument {
	out := &enforcementv1.ServedDocument{
		DocumentId: r.DocumentID, CaseId: r.CaseID, CaseNo: r.CaseNo, Kind: r.Kind, Name: r.Name, DocumentNo: r.DocumentNo,
		AgencyId: r.AgencyID, Method: r.Method, ServedTime: timestamppb.New(r.ServedTime), SignedTime: timeProto(r.SignedTime),
		Sha256: hex.EncodeToString(r.Sha256), SizeBytes: r.SizeBytes, StatementDue: timeProto(r.StatementDue),
		HearingDue: timeProto(r.HearingDue), AnswerDue: timeProto(r.AnswerDue), DeliveryId: r.DeliveryID,
	}
	if r.CorrectsID != nil {
		out.CorrectsId = *r.CorrectsID
	}
	return out
}

// ListPartyFilings lists what the party wrote in a case, with its texts: to the party and to the agency of the case.
func (s *Server) ListPartyFilings(ctx context.Context, req *enforcementv1.ListPartyFilingsRequest) (*enforcementv1.ListPartyFilingsResponse, error) {
	q := store.New(s.db)
	if err := sees(ctx, q, req.GetCaseId()); err != nil {
		return nil, err
	}
	arg := store.FilingsOfParams{CaseID: req.GetCaseId(), PageSize: pg.PageSize(req.GetPageSize())}
	var err error
	if arg.Since, err = since(ctx, q, req.GetCaseId()); err != nil {
		return nil, err
	}
	before, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := q.FilingsOf(ctx, arg)
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListPartyFilingsResponse{}
	for _, r := range rows {
		out := filingProto(r)
		if len(r.TextSealed) > 0 {
			plain, err := s.keys.Unseal(r.TextSealed, filingPlace(r.FilingID))
			if err != nil {
				return nil, fmt.Errorf("text of filing %s: %w", r.FilingID, err)
			}
			out.Text = string(plain)
		}
		if isParty(ctx) {
			out.ReceivedBy = ""
		}
		resp.Filings = append(resp.Filings, out)
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(last.ReceivedTime, last.FilingID)
	}
	return resp, nil
}

// sees says whether the caller may read what the party wrote: the party, and the people of the case's agency.
func sees(ctx context.Context, q *store.Queries, caseID string) error {
	arg := store.SeesCaseParams{CaseID: caseID}
	if isParty(ctx) {
		arg.Party = identity.ActorOf(ctx).GetParty()
	} else {
		arg.AgencyID = identity.ActorOf(ctx).GetAgencyId()
	}
	ok, err := q.SeesCase(ctx, arg)
	if err == nil && !ok {
		err = errs.NotFound(pgx.ErrNoRows, noCase)
	}
	return err
}

// since bounds what a party reads of a case to what was written after it knew of it; nil for an agency.
func since(ctx context.Context, q *store.Queries, caseID string) (*time.Time, error) {
	if !isParty(ctx) {
		return nil, nil //nolint:nilnil // no bound
	}
	at, err := q.PartySince(ctx, caseID)
	return &at, err
}

// uuidField reads an optional identifier.
func uuidField(field, value string) (*string, error) {
	if value == "" {
		return nil, nil //nolint:nilnil // none given is fine
	}
	if uuid.Validate(value) != nil {
		return nil, errs.Field(field, "must be a UUID")
	}
	return &value, nil
}
