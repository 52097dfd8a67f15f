package enforcement

import (
	"context"
	"encoding/hex"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// DrawDocument makes a document that no step of the procedure makes, or a correction of one that was made.
func (s *Server) DrawDocument(ctx context.Context, req *enforcementv1.DrawDocumentRequest) (*enforcementv1.DrawDocumentResponse, error) {
	corrects, err := uuidField("corrects_id", req.GetCorrectsId())
	if err != nil {
		return nil, err
	}
	if corrects == nil && !free[req.GetKind()] {
		return nil, errs.Field("kind", "must be reminder, order, or publication: other documents are made by their step of the procedure")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.DrawDocumentResponse, error) {
		q := store.New(tx)
		c, err := q.CaseOfAgency(ctx, store.CaseOfAgencyParams{CaseID: req.GetCaseId(), AgencyID: identity.ActorOf(ctx).GetAgencyId()})
		if err != nil {
			return nil, errs.NotFound(err, noCase)
		}
		id, err := s.compose(ctx, q, drawing{
			Kind: req.GetKind(), CaseID: c.CaseID, By: doneBy(ctx), Facts: req.GetFacts(), CorrectsID: req.GetCorrectsId(),
		})
		if err != nil {
			return nil, err
		}
		doc, err := s.ownDocument(ctx, q, id)
		if err != nil {
			return nil, err
		}
		out, err := documentWithDeliveries(ctx, q, doc, false)
		return &enforcementv1.DrawDocumentResponse{Document: out}, err
	})
}

// free are the kinds that are made outside the steps of the procedure.
var free = map[string]bool{docReminder: true, docOrder: true, docPublication: true}

// PreviewDocument shows what a document would be, without a number.
func (s *Server) PreviewDocument(ctx context.Context, req *enforcementv1.PreviewDocumentRequest) (*enforcementv1.PreviewDocumentResponse, error) {
	q, now := store.New(s.db), s.now()
	agency := identity.ActorOf(ctx).GetAgencyId()
	c, err := q.CaseByID(ctx, req.GetCaseId())
	if err == nil && c.AgencyID != agency {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return nil, errs.NotFound(err, noCase)
	}
	sh, _, err := s.sheet(ctx, q, c, drawing{Kind: req.GetKind(), CaseID: c.CaseID, Facts: req.GetFacts()}, now)
	if err != nil {
		return nil, err
	}
	sh.Draft = true
	f, err := s.templateFor(ctx, q, req.GetKind(), agency, now)
	if req.GetTemplateBody() != "" {
		f, err = checkTemplate(req.GetKind(), req.GetTemplateBody())
	}
	if err != nil {
		return nil, err
	}
	html, err := f.render(sh)
	return &enforcementv1.PreviewDocumentResponse{Html: html}, err
}

// GetCaseDocument returns a document as it was made; its content, in which names of persons stand, to the case's agency only.
func (s *Server) GetCaseDocument(ctx context.Context, req *enforcementv1.GetCaseDocumentRequest) (*enforcementv1.GetCaseDocumentResponse, error) {
	q, r := store.New(s.db), readerOf(ctx)
	doc, err := q.DocumentForAgency(ctx, store.DocumentForAgencyParams{
		DocumentID: req.GetDocumentId(), SeesAll: seesAll(ctx), AgencyID: identity.ActorOf(ctx).GetAgencyId(),
	})
	if err != nil {
		return nil, errs.NotFound(err, "no such document")
	}
	own := r.agency != "" && r.agency == doc.CaseDocument.AgencyID
	resp := &enforcementv1.GetCaseDocumentResponse{}
	if resp.Document, err = documentWithDeliveries(ctx, q, doc, own); err != nil {
		return nil, err
	}
	if own {
		resp.Html, err = s.content(ctx, q, doc.CaseDocument.DocumentID)
	}
	return resp, err
}

// ListCaseDocuments lists the documents of a case, newest first.
func (s *Server) ListCaseDocuments(ctx context.Context, req *enforcementv1.ListCaseDocumentsRequest) (*enforcementv1.ListCaseDocumentsResponse, error) {
	q, r := store.New(s.db), readerOf(ctx)
	arg := store.DocumentsOfCaseParams{
		CaseID: req.GetCaseId(), SeesAll: seesAll(ctx), AgencyID: identity.ActorOf(ctx).GetAgencyId(), PageSize: pg.PageSize(req.GetPageSize()),
	}
	before, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := q.DocumentsOfCase(ctx, arg)
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListCaseDocumentsResponse{}
	var ids []string
	for _, d := range rows {
		own := r.agency != "" && r.agency == d.AgencyID
		resp.Documents = append(resp.Documents, documentProto(store.CaseDocument{
			DocumentID: d.DocumentID, CaseID: d.CaseID, Kind: d.Kind, DocumentNo: d.DocumentNo, Sha256: d.Sha256, SizeBytes: d.SizeBytes,
			ForParty: d.ForParty, TemplateVersion: d.TemplateVersion, TemplateSha256: d.TemplateSha256, CorrectsID: d.CorrectsID,
			TaskID: d.TaskID, DrawnBy: d.DrawnBy, DrawnTime: d.DrawnTime,
		}, d.Name, own))
		ids = append(ids, d.DocumentID)
	}
	if err := addDeliveries(ctx, q, ids, resp.GetDocuments()); err != nil {
		return nil, err
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(last.DrawnTime, last.DocumentID)
	}
	return resp, nil
}

func documentWithDeliveries(ctx context.Context, q *store.Queries, doc store.DocumentForAgencyRow, own bool) (*enforcementv1.CaseDocument, error) {
	out := documentProto(doc.CaseDocument, doc.Name, own)
	return out, addDeliveries(ctx, q, []string{out.GetDocumentId()}, []*enforcementv1.CaseDocument{out})
}

func addDeliveries(ctx context.Context, q *store.Queries, ids []string, docs []*enforcementv1.CaseDocument) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := q.DeliveriesOf(ctx, ids)
	if err != nil {
		return err
	}
	at := map[string]*enforcementv1.CaseDocument{}
	for _, d := range docs {
		at[d.GetDocumentId()] = d
	}
	for _, r := range rows {
		d := at[r.DocumentID]
		d.Deliveries = append(d.Deliveries, &enforcementv1.CaseDelivery{
			DeliveryId: r.DeliveryID, Method: r.Method, Result: r.Result, ServedTime: timestamppb.New(r.ServedTime), SignedTime: timeProto(r.SignedTime),
		})
	}
	return nil
}

func documentProto(d store.CaseDocument, name string, own bool) *enforcementv1.CaseDocument {
	out := &enforcementv1.CaseDocument{
		DocumentId: d.DocumentID, CaseId: d.CaseID, Kind: d.Kind, Name: name, DocumentNo: d.DocumentNo, Sha256: hex.EncodeToString(d.Sha256),
		SizeBytes: d.SizeBytes, ForParty: d.ForParty, TemplateVersion: d.TemplateVersion, TemplateSha256: hex.EncodeToString(d.TemplateSha256),
		DrawnTime: timestamppb.New(d.DrawnTime),
	}
	if d.CorrectsID != nil {
		out.CorrectsId = *d.CorrectsID
	}
	if d.TaskID != nil {
		out.TaskId = *d.TaskID
	}
	if own {
		out.DrawnBy = d.DrawnBy
	}
	return out
}

// numbersOf are the numbers under which decisions went out.
func numbersOf(ctx context.Context, q *store.Queries, caseIDs []string) (map[string]string, error) {
	rows, err := q.DecisionNumbers(ctx, caseIDs)
	numbers := map[string]string{}
	for _, r := range rows {
		numbers[r.CaseID] = r.DocumentNo
	}
	return numbers, err
}

// GetDocumentTemplate returns the template in force for the caller's agency.
func (s *Server) GetDocumentTemplate(ctx context.Context, req *enforcementv1.GetDocumentTemplateRequest) (*enforcementv1.GetDocumentTemplateResponse, error) {
	if _, known := needs[req.GetKind()]; !known {
		return nil, errs.Field("kind", "must be a kind of documents")
	}
	f, err := s.templateFor(ctx, store.New(s.db), req.GetKind(), identity.ActorOf(ctx).GetAgencyId(), s.now())
	if err != nil {
		return nil, err
	}
	return &enforcementv1.GetDocumentTemplateResponse{Template: &enforcementv1.DocumentTemplate{
		Kind: req.GetKind(), Version: f.version, Body: f.body, Sha256: hex.EncodeToString(f.sum[:]),
	}}, nil
}

// PutDocumentTemplate puts a template in force for the caller's agency; the lead ministry's people with that role, for all.
func (s *Server) PutDocumentTemplate(ctx context.Context, req *enforcementv1.PutDocumentTemplateRequest) (*enforcementv1.PutDocumentTemplateResponse, error) {
	if _, known := needs[req.GetKind()]; !known {
		return nil, errs.Field("kind", "must be a kind of documents")
	}
	f, err := checkTemplate(req.GetKind(), req.GetBody())
	if err != nil {
		return nil, err
	}
	actor := identity.ActorOf(ctx)
	agency := actor.GetAgencyId()
	if !identity.HasRole(actor, accessv1.Role_ROLE_HEAD) {
		if !seesAll(ctx) {
			return nil, errs.NotFound(pgx.ErrNoRows, "only the lead ministry puts templates for all")
		}
		agency = ""
	}
	from := s.now()
	if req.GetValidFrom() != nil {
		if from = micro(req.GetValidFrom().AsTime()); from.Before(s.now()) {
			return nil, errs.Field("valid_from", "must not be in the past: what was made stays as it was")
		}
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.PutDocumentTemplateResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "template/"+req.GetKind()+"/"+agency); err != nil {
			return nil, err
		}
		version, err := q.NextTemplateVersion(ctx, store.NextTemplateVersionParams{Kind: req.GetKind(), AgencyID: agency})
		if err != nil {
			return nil, err
		}
		err = q.InsertTemplate(ctx, store.InsertTemplateParams{
			Kind: req.GetKind(), AgencyID: agency, Version: version, Body: req.GetBody(), Sha256: f.sum[:], ValidFrom: from, PutBy: doneBy(ctx),
		})
		return &enforcementv1.PutDocumentTemplateResponse{Template: &enforcementv1.DocumentTemplate{
			Kind: req.GetKind(), AgencyId: agency, Version: version, Body: req.GetBody(), Sha256: hex.EncodeToString(f.sum[:]), ValidFrom: timestamppb.New(from),
		}}, err
	})
}
