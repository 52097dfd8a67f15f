package enforcement

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// Kinds of documents (文书种类), rows of document_kind.
const (
	docNotice        = "notice"
	docHearing       = "hearing_notice"
	docDecision      = "decision"
	docOnspot        = "onspot_decision"
	docNoPenalty     = "no_penalty"
	docReceipt       = "receipt"
	docTransfer      = "transfer"
	docDemand        = "demand"
	docReminder      = "reminder"
	docOrder         = "order"
	docConsentDemand = "consent_demand"
	docPublication   = "publication"
)

// notEstablished is the ground of no penalty when nothing was found.
const notEstablished = "not_established"

// drawing is a document to be made.
type drawing struct {
	Kind, CaseID string
	TaskID       string // whose decision makes it; the same task makes it once
	By           string // subject@agency
	Facts        *enforcementv1.DocumentFacts
	CorrectsID   string
	GroundCode   string // of no penalty: nothing substantiated is never told to a party that knows of nothing
	Receipt      *receiptFacts
	Set          *setting
}

// setting is what a document of the procedure says of its own making: where and when it was handed over, until when the
// party has time.
type setting struct {
	Place                string
	Time                 time.Time
	StatementBy, Perform time.Time // the last moments of the terms; zero when they are not known yet
}

// unknownAddress is what a document says of an address that is not on file (行政处罚法 59).
const unknownAddress = "未登记"

// receiptFacts is what a 送达回证 says.
type receiptFacts struct {
	Name, No, Method, Signer string
	Server                   string // who handed it over, by name; empty when nobody did
	Served, Signed           time.Time
}

// compose makes a document in the caller's transaction: from the template in force, with the next number of the agency, kind
// and year, and keeps it sealed, byte for byte, with its hash.
func (s *Server) compose(ctx context.Context, q *store.Queries, d drawing) (string, error) {
	c, err := q.CaseByID(ctx, d.CaseID)
	if err != nil {
		return "", errs.NotFound(err, "no such case")
	}
	if d.TaskID != "" {
		id, err := q.DocumentOfTask(ctx, store.DocumentOfTaskParams{CaseID: d.CaseID, Kind: d.Kind, TaskID: d.TaskID})
		if err == nil || !errors.Is(err, pgx.ErrNoRows) {
			return id, err
		}
	}
	now := s.now()
	sh, kind, err := s.sheet(ctx, q, c, d, now)
	if err != nil {
		return "", err
	}
	n, err := q.NextDocumentNumber(ctx, store.NextDocumentNumberParams{AgencyID: c.AgencyID, Kind: d.Kind, Year: yearOf(now)})
	if err != nil {
		return "", err
	}
	sh.No = fmt.Sprintf("%s%s〔%d〕%d号", sh.short, kind.Word, yearOf(now), n)
	form, err := s.templateFor(ctx, q, d.Kind, c.AgencyID, now)
	if err != nil {
		return "", err
	}
	html, err := form.render(sh)
	if err != nil {
		return "", err
	}
	forParty, err := s.forParty(ctx, q, kind, d)
	if err != nil {
		return "", err
	}
	return s.keep(ctx, q, d, html, store.InsertDocumentParams{
		CaseID: c.CaseID, PartyID: c.PartyID, AgencyID: c.AgencyID, Kind: d.Kind, DocumentNo: sh.No, TemplateVersion: form.version,
		TemplateSha256: form.sum[:], ForParty: forParty, HearingGranted: d.Kind == docNotice && d.Facts.GetHearingGranted(), DrawnTime: now,
	})
}

func (s *Server) keep(ctx context.Context, q *store.Queries, d drawing, html []byte, arg store.InsertDocumentParams) (string, error) {
	next, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(html)
	arg.DocumentID, arg.Sha256, arg.SizeBytes, arg.DrawnBy = next.String(), sum[:], int32(len(html)), d.By //nolint:gosec // bounded by maxDocument
	if arg.ContentSealed, err = s.keys.Seal(html, documentPlace(arg.DocumentID)); err != nil {
		return "", err
	}
	if d.TaskID != "" {
		arg.TaskID = &d.TaskID
	}
	if d.CorrectsID != "" {
		arg.CorrectsID = &d.CorrectsID
	}
	return arg.DocumentID, q.InsertDocument(ctx, arg)
}

// forParty says whether a document may be served. Where nothing was substantiated, the party hears nothing unless it was
// told of the matter before.
func (s *Server) forParty(ctx context.Context, q *store.Queries, kind store.DocumentKind, d drawing) (bool, error) {
	if d.Kind != docNoPenalty || d.GroundCode != notEstablished {
		return kind.ForParty, nil
	}
	return q.ServedBefore(ctx, d.CaseID)
}

// sheet is the document's content: what the case knows and what the facts say.
func (s *Server) sheet(ctx context.Context, q *store.Queries, c store.EnforcementCase, d drawing, now time.Time) (*sheet, store.DocumentKind, error) {
	kind, err := q.DocumentKind(ctx, d.Kind)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, kind, errs.Field("kind", "must be a kind of documents")
	}
	if err != nil {
		return nil, kind, err
	}
	if d.Facts == nil {
		d.Facts = &enforcementv1.DocumentFacts{}
	}
	party, err := q.CasePartyOf(ctx, c.CaseID)
	if err != nil {
		return nil, kind, err
	}
	if err := checkFacts(d.Kind, d.Facts, kind.ForParty || d.Kind == docPublication, party.CreditCode); err != nil {
		return nil, kind, err
	}
	office, err := q.OfficeOf(ctx, store.OfficeOfParams{AgencyID: c.AgencyID, At: now})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, kind, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"table office does not say how %s signs its documents", c.AgencyID)
	}
	if err != nil {
		return nil, kind, err
	}
	sh := &sheet{
		Kind: kind.Name, Date: dayWords(now), CaseNo: c.CaseNo, Role: roleWords[c.PartyRole], short: office.Short,
		Office: office.Name, ReviewBody: office.ReviewBody, Court: office.Court, Contact: contactOf(office),
		CreditCode: party.CreditCode, Person: party.Person,
	}
	if sh.Party, err = s.partyName(party); err != nil {
		return nil, kind, err
	}
	if d.Kind == docPublication && party.Person {
		sh.Party = "自然人（姓名依法不予公开）" // 行政处罚法 50: what names a person is not for the public
	}
	if sh.Act, err = q.ActName(ctx, store.ActNameParams{Code: c.Act, At: now}); errors.Is(err, pgx.ErrNoRows) {
		sh.Act, err = "违反骚扰电话管理规定", nil
	}
	if err != nil {
		return nil, kind, err
	}
	if d.CorrectsID != "" {
		old, err := q.DocumentForAgency(ctx, store.DocumentForAgencyParams{DocumentID: d.CorrectsID, AgencyID: c.AgencyID})
		if err != nil {
			return nil, kind, errs.NotFound(err, "no such document to correct")
		}
		if old.CaseDocument.CaseID != c.CaseID || old.CaseDocument.Kind != d.Kind {
			return nil, kind, errs.Field("corrects_id", "must be a document of the same case and kind")
		}
		sh.Corrects = old.CaseDocument.DocumentNo
	}
	if d.Kind == docPublication { // the public learns neither where the party lives nor who handled the case
		return sh, kind, sh.fill(d)
	}
	if err := s.people(ctx, q, c, sh, now); err != nil {
		return nil, kind, err
	}
	if sh.Address == "" && d.Kind != docNotice {
		sh.Address = unknownAddress
	}
	return sh, kind, sh.fill(d)
}

// people writes the party's address and the officers in office, who are for the party and the case's agency alone.
func (s *Server) people(ctx context.Context, q *store.Queries, c store.EnforcementCase, sh *sheet, now time.Time) error {
	var err error
	if sh.Address, err = s.addressOf(ctx, q, c.CaseID); err != nil {
		return err
	}
	officers, err := q.OfficersOf(ctx, c.CaseID)
	sh.Officers = (&matter{EnforcementCase: c, officers: officers}).officersOf(now)
	return err
}

func (s *Server) partyName(p store.Party) (string, error) {
	if p.Name != nil {
		return *p.Name, nil
	}
	plain, err := s.keys.Unseal(p.NameSealed, nameOf(p.PartyID))
	if err != nil {
		return "", fmt.Errorf("name of party %s: %w", p.PartyID, err)
	}
	return string(plain), nil
}

// documentPlace is the place that a document's bytes are bound to.
func documentPlace(id string) []byte { return []byte("enforcement/document/" + id) }

// content opens a document and holds it against its hash.
func (s *Server) content(ctx context.Context, q *store.Queries, id string) ([]byte, error) {
	row, err := q.DocumentContent(ctx, id)
	if err != nil {
		return nil, err
	}
	html, err := s.keys.Unseal(row.ContentSealed, documentPlace(id))
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", id, err)
	}
	if sum := sha256.Sum256(html); !bytes.Equal(sum[:], row.Sha256) {
		return nil, fmt.Errorf("document %s does not have its hash", id)
	}
	return html, nil
}
