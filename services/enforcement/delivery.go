package enforcement

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// Ways of delivery that have rules of their own.
const (
	electronic   = "electronic"
	publicNotice = "public_notice"
)

// transferred is the state of a case that the police have.
const transferredState = "TRANSFERRED"

// delivery is an attempt to bring a document to the party.
type delivery struct {
	DocumentID, Method string
	Served             bool // false: it was tried and did not reach the party
	Time               time.Time
	TaskID, By         string
}

// deliver writes an attempt at delivery in the caller's transaction. A document that was served stays so: the same again
// is the same delivery. A notice sets the party's terms, once (行政处罚法 44, 45, 64).
func (s *Server) deliver(ctx context.Context, q *store.Queries, d delivery, profile string) error {
	doc, err := q.DocumentForAgency(ctx, store.DocumentForAgencyParams{DocumentID: d.DocumentID, SeesAll: true})
	if err != nil {
		return errs.NotFound(err, "no such document")
	}
	if d.Served {
		_, err := q.ServedDelivery(ctx, d.DocumentID)
		if err == nil || !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
	}
	if err := s.deliverable(ctx, q, doc.CaseDocument, d); err != nil {
		return err
	}
	next, err := uuid.NewV7()
	if err != nil {
		return err
	}
	arg := store.InsertDeliveryParams{
		DeliveryID: next.String(), DocumentID: d.DocumentID, CaseID: doc.CaseDocument.CaseID, Method: d.Method, Result: "failed",
		ServedTime: d.Time, ServedBy: d.By,
	}
	if d.TaskID != "" {
		arg.TaskID = &d.TaskID
	}
	if d.Served {
		arg.Result = "served"
		if doc.CaseDocument.Kind == docNotice {
			err = terms(&arg, doc.CaseDocument.HearingGranted, cmp.Or(profile, calendar.Statutory))
		}
	}
	if err != nil {
		return err
	}
	return q.InsertDelivery(ctx, arg)
}

// terms are those that a notice sets: for the statement, and where art. 63 grants it for the request of a hearing.
func terms(arg *store.InsertDeliveryParams, hearing bool, profile string) error {
	statement, err := calendar.Due("statement_5wd", arg.ServedTime, profile)
	if err != nil {
		return err
	}
	arg.StatementDue, arg.StatementProof = &statement.Due, statement.Proof
	if !hearing {
		return nil
	}
	asked, err := calendar.Due("hearing_request_5wd", arg.ServedTime, profile)
	arg.HearingDue, arg.HearingProof = &asked.Due, asked.Proof
	return err
}

// deliverable says why a document may not be brought to the party so; the database refuses the same.
func (s *Server) deliverable(ctx context.Context, q *store.Queries, doc store.CaseDocument, d delivery) error {
	if !doc.ForParty {
		return refuse("a document of this kind is not for the party; and where nothing was substantiated it hears nothing")
	}
	c, err := q.CaseByID(ctx, doc.CaseID)
	if err != nil {
		return err
	}
	agreed := true
	if c.State == transferredState {
		agreed, err = q.PoliceAgreed(ctx, c.CaseID)
	}
	if err != nil {
		return err
	}
	if !agreed {
		return wrongState("while the police have the case nothing is served on the party (行政执法机关移送涉嫌犯罪案件的规定 第九条、第十条)")
	}
	if d.TaskID == "" && (d.Time.After(s.now()) || d.Time.Before(doc.DrawnTime)) { // a step was judged by its own rules
		return errs.Field("served_time", "must be between the making of the document and now (行政处罚法 第六十一条)")
	}
	facts, err := q.DeliveryFacts(ctx, store.DeliveryFactsParams{CaseID: doc.CaseID, At: d.Time})
	if err != nil {
		return err
	}
	return allowedWay(d.Method, facts)
}

// allowedWay refuses a way of delivery that lacks what the law wants of it.
func allowedWay(method string, facts store.DeliveryFactsRow) error {
	switch {
	case method == electronic && !facts.Consent:
		return refuse("electronic delivery needs the party's signed confirmation, in force at that time (行政处罚法 第六十一条)")
	case method == publicNotice && !facts.Failed:
		return refuse("delivery by public notice is the last resort, after another way failed (民事诉讼法 第九十五条)")
	}
	return nil
}

func refuse(text string) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, "%s", text)
}

// RecordDelivery writes an attempt at the delivery of a document of the caller's agency.
func (s *Server) RecordDelivery(ctx context.Context, req *enforcementv1.RecordDeliveryRequest) (*enforcementv1.RecordDeliveryResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordDeliveryResponse, error) {
		q := store.New(tx)
		doc, err := s.ownDocument(ctx, q, req.GetDocumentId())
		if err != nil {
			return nil, err
		}
		if steps[doc.CaseDocument.Kind] && req.GetServed() {
			return nil, wrongState("%s is served by its step of the procedure", doc.Name)
		}
		c := store.CaseOfAgencyParams{CaseID: doc.CaseDocument.CaseID, AgencyID: doc.CaseDocument.AgencyID}
		if _, err := q.CaseOfAgency(ctx, c); err != nil { // held until the end: deliveries of a case come one after the other
			return nil, errs.NotFound(err, "no such document")
		}
		err = s.deliver(ctx, q, delivery{
			DocumentID: req.GetDocumentId(), Method: req.GetMethod(), Served: req.GetServed(), Time: micro(req.GetServedTime().AsTime()), By: doneBy(ctx),
		}, s.profile)
		if err != nil {
			return nil, err
		}
		out, err := documentWithDeliveries(ctx, q, doc, false)
		return &enforcementv1.RecordDeliveryResponse{Document: out}, err
	})
	if err == nil {
		s.nudgeCase(resp.GetDocument().GetCaseId())
	}
	return resp, err
}

// steps are the kinds of documents that the procedure itself serves: their service moves the case.
var steps = map[string]bool{docNotice: true, docHearing: true, docDecision: true, docOnspot: true, docNoPenalty: true, docDemand: true, docTransfer: true}

// ownDocument is a document of the caller's agency.
func (s *Server) ownDocument(ctx context.Context, q *store.Queries, id string) (store.DocumentForAgencyRow, error) {
	doc, err := q.DocumentForAgency(ctx, store.DocumentForAgencyParams{DocumentID: id, AgencyID: identity.ActorOf(ctx).GetAgencyId()})
	return doc, errs.NotFound(err, "no such document")
}

// AcknowledgeDelivery signs the receipt of a document that was served. The receipt is a document too.
func (s *Server) AcknowledgeDelivery(ctx context.Context, req *enforcementv1.AcknowledgeDeliveryRequest) (*enforcementv1.AcknowledgeDeliveryResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.AcknowledgeDeliveryResponse, error) {
		q := store.New(tx)
		doc, err := q.DocumentForAgency(ctx, store.DocumentForAgencyParams{DocumentID: req.GetDocumentId(), SeesAll: true})
		if err != nil {
			return nil, errs.NotFound(err, "no such document")
		}
		f, err := s.filer(ctx, q, doc.CaseDocument.CaseID, req.GetPaper())
		if err != nil {
			return nil, asUnknown(err, "no such document")
		}
		v, err := q.ServedDelivery(ctx, req.GetDocumentId())
		if err == nil && doc.CaseDocument.PartyID != f.c.PartyID { // the case was another's then
			err = pgx.ErrNoRows
		}
		if err != nil {
			return nil, errs.NotFound(err, "no such document") // what was not served a party does not know of
		}
		if _, err := q.ReceiptOf(ctx, v.DeliveryID); errors.Is(err, pgx.ErrNoRows) {
			err = s.sign(ctx, q, f, doc, v, req.GetSigner())
			if err != nil {
				return nil, err
			}
		} else if err != nil {
			return nil, err
		}
		out, err := s.filed(ctx, q, f.c.CaseID, "receipt", v.DeliveryID)
		return &enforcementv1.AcknowledgeDeliveryResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}

// sign writes the receipt and makes its document.
func (s *Server) sign(ctx context.Context, q *store.Queries, f filer, doc store.DocumentForAgencyRow, v store.ServedDeliveryRow, signer string) error {
	if f.at.Before(v.ServedTime) {
		return errs.Field("paper.received_time", "must not be before the document was served")
	}
	sealed, err := s.keys.Seal([]byte(signer), filingPlace(v.DeliveryID))
	if err != nil {
		return err
	}
	err = q.InsertReceipt(ctx, store.InsertReceiptParams{
		DeliveryID: v.DeliveryID, CaseID: f.c.CaseID, SignedTime: f.at, SignerSealed: sealed, Channel: f.channel, ReceivedBy: f.by,
	})
	if err != nil {
		return err
	}
	_, err = s.compose(ctx, q, drawing{Kind: docReceipt, CaseID: f.c.CaseID, By: f.by, Receipt: &receiptFacts{
		Name: doc.Name, No: doc.CaseDocument.DocumentNo, Method: v.Method, Signer: signer, Served: v.ServedTime, Signed: f.at,
	}})
	return err
}
