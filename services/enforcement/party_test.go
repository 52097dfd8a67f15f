package enforcement

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/identity"
	"quietline/internal/seal"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// partyWorld is enforcement with a clock that stands still until a test moves it, and the people around one party.
type partyWorld struct {
	*world
	s       *Server
	at      *time.Time
	head    enforcementv1.EnforcementServiceClient
	actAs   func(identity.Workload, *commonv1.Actor) *grpc.ClientConn
	dialled map[string]enforcementv1.EnforcementServiceClient
}

// opened is a Wednesday with a holiday in the second week after it.
var openedOn = time.Date(2026, 9, 16, 2, 0, 0, 0, time.UTC)

func newPartyWorld(t *testing.T) *partyWorld {
	t.Helper()
	keys, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := openedOn
	w := &partyWorld{world: &world{db: testkit.DB(t, "enforcement", store.Migrations)}, at: &at, dialled: map[string]enforcementv1.EnforcementServiceClient{}}
	ownTime(t, w.db)
	w.s = New(w.db, keys, func() time.Time { return *w.at })
	w.actAs = testkit.Serve(t, identity.Enforcement, func(g *grpc.Server) { enforcementv1.RegisterEnforcementServiceServer(g, w.s) })
	w.flows = enforcementv1.NewEnforcementServiceClient(w.actAs(identity.Workflows, &commonv1.Actor{Subject: "flows"}))
	w.worker, w.other, w.head = w.staff(accessv1.Role_ROLE_CASEWORKER, "ca-11"), w.staff(accessv1.Role_ROLE_CASEWORKER, "samr-11"), w.staff(accessv1.Role_ROLE_HEAD, "ca-11")
	return w
}

func (w *partyWorld) staff(role accessv1.Role, agency string) enforcementv1.EnforcementServiceClient {
	return enforcementv1.NewEnforcementServiceClient(w.actAs(identity.Gateway, &commonv1.Actor{
		Subject: "someone", AgencyId: agency, Roles: []accessv1.Role{role},
	}))
}

// party is a token bound to a credit code or a case.
func (w *partyWorld) party(binding string) enforcementv1.EnforcementServiceClient {
	if w.dialled[binding] == nil {
		w.dialled[binding] = enforcementv1.NewEnforcementServiceClient(w.actAs(identity.Gateway, &commonv1.Actor{
			Subject: "party@" + binding, Party: binding, Roles: []accessv1.Role{accessv1.Role_ROLE_PARTY},
		}))
	}
	return w.dialled[binding]
}

func id() string { return uuid.NewString() }

// served is a case with an order to correct that was served on its party.
func (w *partyWorld) served(t *testing.T, change func(*enforcementv1.OpenCaseRequest)) (caseID, documentID string) {
	t.Helper()
	caseID = w.open(t, change).GetCaseId()
	*w.at = w.at.Add(time.Hour)
	return caseID, w.order(t, caseID, nil)
}

func anOrder() *enforcementv1.DocumentFacts {
	return &enforcementv1.DocumentFacts{
		Facts: "经查,你单位使用95012345号码向用户拨打商业营销电话,未取得用户同意。", Basis: []string{"消费者权益保护法 第二十九条"},
		Orders: []string{"停止未经同意的外呼", "提交整改报告"}, PerformBy: timestamppb.New(openedOn.AddDate(0, 0, 15)),
	}
}

func (w *partyWorld) order(t *testing.T, caseID string, change func(*enforcementv1.DocumentFacts)) string {
	t.Helper()
	facts := anOrder()
	if change != nil {
		change(facts)
	}
	drawn, err := w.worker.DrawDocument(t.Context(), &enforcementv1.DrawDocumentRequest{RequestId: id(), CaseId: caseID, Kind: docOrder, Facts: facts})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.worker.RecordDelivery(t.Context(), &enforcementv1.RecordDeliveryRequest{
		RequestId: id(), DocumentId: drawn.GetDocument().GetDocumentId(), Method: "direct", Served: true, ServedTime: timestamppb.New(*w.at),
	})
	if err != nil || len(got.GetDocument().GetDeliveries()) != 1 {
		t.Fatalf("delivery: %v, %v", got, err)
	}
	return drawn.GetDocument().GetDocumentId()
}

func TestPartySeesWhatWasServedOnItAndNothingElse(t *testing.T) {
	w := newPartyWorld(t)
	first, doc := w.served(t, nil)
	person := w.open(t, func(r *enforcementv1.OpenCaseRequest) {
		r.Party = &enforcementv1.Party{Role: "caller", Name: "张三", Person: true}
	}).GetCaseId()
	own := w.order(t, person, nil)

	for binding, want := range map[string][]string{
		firm: {doc}, person: {own}, "91110000000000000B": nil, first: nil, id(): nil, "": nil,
	} {
		got, err := w.party(binding).ListServed(t.Context(), &enforcementv1.ListServedRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.GetDocuments()) != len(want) || len(want) == 1 && got.GetDocuments()[0].GetDocumentId() != want[0] {
			t.Errorf("%q sees %v", binding, got.GetDocuments())
		}
		for _, d := range []string{doc, own} {
			r, err := w.party(binding).GetServedDocument(t.Context(), &enforcementv1.GetServedDocumentRequest{DocumentId: d})
			if len(want) == 1 && want[0] == d {
				if sum := sha256.Sum256(r.GetHtml()); err != nil || hex.EncodeToString(sum[:]) != r.GetDocument().GetSha256() {
					t.Errorf("%q reads its document: %v, hash %s", binding, err, r.GetDocument().GetSha256())
				}
				continue
			}
			wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
		}
	}
}

// TestAnotherPartyIsToldWhatIsToldOfNothing: what exists for another and what does not exist are answered the same.
func TestAnotherPartyIsToldWhatIsToldOfNothing(t *testing.T) {
	w := newPartyWorld(t)
	known, doc := w.served(t, nil)
	stranger := w.party("91110000000000000B")
	ask := func(c enforcementv1.EnforcementServiceClient, caseID, documentID string) (texts []string) {
		_, e1 := c.SubmitStatement(t.Context(), &enforcementv1.SubmitStatementRequest{RequestId: id(), CaseId: caseID, Text: "我"})
		_, e2 := c.RequestHearing(t.Context(), &enforcementv1.RequestHearingRequest{RequestId: id(), CaseId: caseID})
		_, e3 := c.WaiveStatement(t.Context(), &enforcementv1.WaiveStatementRequest{RequestId: id(), CaseId: caseID, Waived: "statement"})
		_, e4 := c.AcknowledgeDelivery(t.Context(), &enforcementv1.AcknowledgeDeliveryRequest{RequestId: id(), DocumentId: documentID, Signer: "我"})
		_, e5 := c.ListPartyFilings(t.Context(), &enforcementv1.ListPartyFilingsRequest{CaseId: caseID})
		_, e6 := c.PutPartyFile(t.Context(), &enforcementv1.PutPartyFileRequest{RequestId: id(), CaseId: caseID, Name: "a", MediaType: "text/plain", Content: []byte("a")})
		_, e7 := c.ObjectToOfficer(t.Context(), &enforcementv1.ObjectToOfficerRequest{RequestId: id(), CaseId: caseID, Officer: "x", Ground: "other_relation", Text: "y"})
		_, e8 := c.ConsentToElectronicDelivery(t.Context(), &enforcementv1.ConsentToElectronicDeliveryRequest{RequestId: id(), CaseId: caseID, Address: "a"})
		for _, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8} {
			wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
			texts = append(texts, err.Error())
		}
		return texts
	}
	theirs, nobodys := ask(stranger, known, doc), ask(stranger, id(), id())
	for i := range theirs {
		if theirs[i] != nobodys[i] {
			t.Errorf("told apart: %q and %q", theirs[i], nobodys[i])
		}
	}
	// a case that nothing was served in is not there for its own party either
	quiet := w.open(t, func(r *enforcementv1.OpenCaseRequest) { r.Act = "calls_after_refusal" }).GetCaseId()
	ask(w.party(firm), quiet, id())
	// and another agency has no say in it
	_, err := w.other.DrawDocument(t.Context(), &enforcementv1.DrawDocumentRequest{RequestId: id(), CaseId: known, Kind: docOrder, Facts: anOrder()})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = w.other.GetCaseDocument(t.Context(), &enforcementv1.GetCaseDocumentRequest{DocumentId: doc})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}

func TestReceiptIsSignedOnce(t *testing.T) {
	w := newPartyWorld(t)
	caseID, doc := w.served(t, nil)
	*w.at = w.at.Add(time.Hour)
	req := &enforcementv1.AcknowledgeDeliveryRequest{RequestId: id(), DocumentId: doc, Signer: "王五"}
	first, err := w.party(firm).AcknowledgeDelivery(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	*w.at = w.at.Add(time.Hour)
	same, err := w.party(firm).AcknowledgeDelivery(t.Context(), req)
	if err != nil || !proto.Equal(first, same) {
		t.Errorf("the same request: %v, %v", same, err)
	}
	again, err := w.party(firm).AcknowledgeDelivery(t.Context(), &enforcementv1.AcknowledgeDeliveryRequest{RequestId: id(), DocumentId: doc, Signer: "赵六"})
	if err != nil || !again.GetFiling().GetReceivedTime().AsTime().Equal(first.GetFiling().GetReceivedTime().AsTime()) {
		t.Errorf("a second signature gives the first receipt: %v, %v", again, err)
	}
	docs, err := w.worker.ListCaseDocuments(t.Context(), &enforcementv1.ListCaseDocumentsRequest{CaseId: caseID})
	if err != nil || len(docs.GetDocuments()) != 2 || docs.GetDocuments()[0].GetKind() != docReceipt {
		t.Fatalf("the receipt is a document, once: %v, %v", docs, err)
	}
	receipt, err := w.worker.GetCaseDocument(t.Context(), &enforcementv1.GetCaseDocumentRequest{DocumentId: docs.GetDocuments()[0].GetDocumentId()})
	if err != nil || !strings.Contains(string(receipt.GetHtml()), "王五") || strings.Contains(string(receipt.GetHtml()), "赵六") {
		t.Errorf("receipt: %v, %s", err, receipt.GetHtml())
	}
}

func TestElectronicDeliveryNeedsConsentInForce(t *testing.T) {
	w := newPartyWorld(t)
	caseID, _ := w.served(t, nil)
	try := func(method string) error {
		drawn, err := w.worker.DrawDocument(t.Context(), &enforcementv1.DrawDocumentRequest{RequestId: id(), CaseId: caseID, Kind: docReminder, Facts: anOrder()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.worker.RecordDelivery(t.Context(), &enforcementv1.RecordDeliveryRequest{
			RequestId: id(), DocumentId: drawn.GetDocument().GetDocumentId(), Method: method, Served: method != "mail", ServedTime: timestamppb.New(*w.at),
		})
		return err
	}
	wantReason(t, try("electronic"), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	wantReason(t, try("public_notice"), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	_, err := w.party(firm).ConsentToElectronicDelivery(t.Context(), &enforcementv1.ConsentToElectronicDeliveryRequest{RequestId: id(), CaseId: caseID, Address: "firm@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	if err := try("electronic"); err != nil {
		t.Errorf("with consent: %v", err)
	}
	*w.at = w.at.Add(time.Hour)
	_, err = w.party(firm).RevokeElectronicDelivery(t.Context(), &enforcementv1.RevokeElectronicDeliveryRequest{RequestId: id(), CaseId: caseID})
	if err != nil {
		t.Fatal(err)
	}
	*w.at = w.at.Add(time.Hour)
	wantReason(t, try("electronic"), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	if err := try("mail"); err != nil { // it came back
		t.Fatal(err)
	}
	if err := try("public_notice"); err != nil {
		t.Errorf("the last resort, after the mail failed: %v", err)
	}
	// the database refuses what the service would not have asked
	owner := testkit.Owner(t, w.db)
	for _, sql := range []string{
		`INSERT INTO case_delivery (delivery_id, document_id, case_id, method, result, served_time, served_by)
		 SELECT gen_random_uuid(), document_id, case_id, 'electronic', 'failed', now() + interval '100 years', 'x' FROM case_document LIMIT 1`,
		`UPDATE case_document SET sha256 = sha256`, `DELETE FROM case_delivery`, `UPDATE case_statement SET late = false`,
	} {
		if _, err := w.db.Exec(t.Context(), sql); err == nil {
			t.Errorf("the database takes %s", sql)
		}
	}
	var broken int
	if err := owner.QueryRow(t.Context(), "SELECT count(*) FROM party_violation").Scan(&broken); err != nil || broken != 0 {
		t.Errorf("violations: %d, %v", broken, err)
	}
}

func TestPaperIsEnteredByTheCaseworker(t *testing.T) {
	w := newPartyWorld(t)
	caseID, _ := w.served(t, nil)
	*w.at = w.at.Add(48 * time.Hour)
	req := func(paper *enforcementv1.PaperFiling) *enforcementv1.SubmitStatementRequest {
		return &enforcementv1.SubmitStatementRequest{RequestId: id(), CaseId: caseID, Text: "不同意", Paper: paper}
	}
	_, err := w.worker.SubmitStatement(t.Context(), req(nil))
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	_, err = w.worker.SubmitStatement(t.Context(), req(&enforcementv1.PaperFiling{ReceivedTime: timestamppb.New(w.at.Add(time.Hour))}))
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	_, err = w.party(firm).SubmitStatement(t.Context(), req(&enforcementv1.PaperFiling{ReceivedTime: timestamppb.New(*w.at)}))
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	got, err := w.worker.SubmitStatement(t.Context(), req(&enforcementv1.PaperFiling{ReceivedTime: timestamppb.New(w.at.Add(-24 * time.Hour))}))
	if err != nil || got.GetFiling().GetChannel() != channelPaper || got.GetFiling().GetReceivedBy() != "someone@ca-11" {
		t.Fatalf("%v, %v", got, err)
	}
	seen, err := w.party(firm).ListPartyFilings(t.Context(), &enforcementv1.ListPartyFilingsRequest{CaseId: caseID})
	if err != nil || len(seen.GetFilings()) != 1 || seen.GetFilings()[0].GetText() != "不同意" || seen.GetFilings()[0].GetReceivedBy() != "" {
		t.Errorf("the party reads it, not who entered it: %v, %v", seen, err)
	}
}

func TestConsentRecordsAreDemandedAsAWhole(t *testing.T) {
	w := newPartyWorld(t)
	caseID, _ := w.served(t, nil)
	owner := testkit.Owner(t, w.db)
	w.investigating(t, caseID)
	demand := &enforcementv1.DemandConsentProofRequest{RequestId: id(), CaseId: caseID, FirstMonth: "2026-06", LastMonth: "2026-08", Method: "direct"}
	asked, err := w.worker.DemandConsentProof(t.Context(), demand)
	if err != nil {
		t.Fatal(err)
	}
	d := asked.GetDemand()
	// five working days after Wednesday 16 September: 17, 18, 20 (worked Sunday), 21, 22
	due, err := calendar.Due(consentBasis, *w.at, calendar.Statutory)
	if err != nil || !d.GetDueTime().AsTime().Equal(due.Due) || !strings.Contains(d.GetClock().GetProof(), "5 wd") {
		t.Errorf("term: %v (%v), want %v", d, err, due)
	}
	letter, err := w.party(firm).GetServedDocument(t.Context(), &enforcementv1.GetServedDocumentRequest{DocumentId: d.GetDocumentId()})
	if err != nil || !strings.Contains(string(letter.GetHtml()), "2026年6月") || !letter.GetDocument().GetAnswerDue().AsTime().Equal(due.Due) {
		t.Errorf("letter: %v, %v", letter.GetDocument(), err)
	}
	answer := &enforcementv1.SubmitConsentProofRequest{RequestId: id(), DemandId: d.GetDemandId(), HasRecords: true}
	_, err = w.party(firm).SubmitConsentProof(t.Context(), answer)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) // no records come without files
	file, err := w.party(firm).PutPartyFile(t.Context(), &enforcementv1.PutPartyFileRequest{
		RequestId: id(), CaseId: caseID, Name: "同意记录.csv", MediaType: "text/csv", Content: []byte("2026-06,同意"),
	})
	if err != nil {
		t.Fatal(err)
	}
	*w.at = due.Due.Add(time.Second)
	if cases, err := store.New(w.db).SettleConsentDemands(t.Context(), *w.at); err != nil || len(cases) != 1 {
		t.Fatalf("nothing came in time: %v, %v", cases, err)
	}
	answer.RequestId, answer.FileIds = id(), []string{file.GetFile().GetFileId()}
	got, err := w.party(firm).SubmitConsentProof(t.Context(), answer)
	if err != nil || !got.GetFiling().GetLate() || len(got.GetFiling().GetFileIds()) != 1 {
		t.Errorf("a late answer is kept and marked: %v, %v", got, err)
	}
	list, err := w.worker.ListConsentDemands(t.Context(), &enforcementv1.ListConsentDemandsRequest{CaseId: caseID})
	if err != nil || len(list.GetDemands()) != 1 || list.GetDemands()[0].GetState() != "UNANSWERED" {
		t.Errorf("that there was none in time stays: %v, %v", list, err)
	}
	read, err := w.worker.GetPartyFile(t.Context(), &enforcementv1.GetPartyFileRequest{RequestId: id(), FileId: file.GetFile().GetFileId(), Purpose: "核查"})
	if err != nil || string(read.GetContent()) != "2026-06,同意" || read.GetFile().GetName() != "同意记录.csv" {
		t.Errorf("file: %v, %v", read, err)
	}
	var looks int
	if err := owner.QueryRow(t.Context(), "SELECT count(*) FROM party_file_log WHERE deed = 'read' AND purpose = '核查'").Scan(&looks); err != nil || looks != 1 {
		t.Errorf("looks on record: %d, %v", looks, err)
	}
	_, err = w.other.GetPartyFile(t.Context(), &enforcementv1.GetPartyFileRequest{RequestId: id(), FileId: file.GetFile().GetFileId(), Purpose: "看看"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}

func TestObjectionIsDecidedByAnother(t *testing.T) {
	w := newPartyWorld(t)
	caseID, _ := w.served(t, nil)
	object := func(officer string) string {
		r, err := w.party(firm).ObjectToOfficer(t.Context(), &enforcementv1.ObjectToOfficerRequest{
			RequestId: id(), CaseId: caseID, Officer: officer, Ground: "direct_interest", Text: "其亲属在竞争企业任职",
		})
		if err != nil {
			t.Fatal(err)
		}
		return r.GetFiling().GetFilingId()
	}
	decide := func(filing string) (*enforcementv1.DecideObjectionResponse, error) {
		return w.head.DecideObjection(t.Context(), &enforcementv1.DecideObjectionRequest{RequestId: id(), FilingId: filing, Granted: true, Reason: "经核实属实"})
	}
	_, err := decide(object("someone"))
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON)
	other := object("li.si")
	if got, err := decide(other); err != nil || got.GetFiling().GetNote() != "granted" {
		t.Errorf("%v, %v", got, err)
	}
	_, err = decide(other)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
}

// TestWhatWasServedOnAnotherStaysAnothers: when a case gets another party, that one learns nothing of what came before it.
func TestWhatWasServedOnAnotherStaysAnothers(t *testing.T) {
	w := newPartyWorld(t)
	caseID, doc := w.served(t, func(r *enforcementv1.OpenCaseRequest) {
		r.Party = &enforcementv1.Party{Role: "caller", Name: "张三", Person: true}
	})
	person := w.party(caseID)
	_, err := person.SubmitStatement(t.Context(), &enforcementv1.SubmitStatementRequest{RequestId: id(), CaseId: caseID, Text: "是公司让我打的"})
	if err != nil {
		t.Fatal(err)
	}
	file, err := person.PutPartyFile(t.Context(), &enforcementv1.PutPartyFileRequest{RequestId: id(), CaseId: caseID, Name: "工资条", MediaType: "text/plain", Content: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	w.open(t, func(r *enforcementv1.OpenCaseRequest) { r.Act = "resource_sublet" }) // the firm is known
	_, err = testkit.Owner(t, w.db).Exec(t.Context(),
		"UPDATE enforcement_case SET party_id = (SELECT party_id FROM party WHERE credit_code = $1) WHERE case_id = $2", firm, caseID)
	if err != nil {
		t.Fatal(err)
	}
	*w.at = w.at.Add(time.Hour)
	for _, c := range []enforcementv1.EnforcementServiceClient{w.party(firm), person} {
		_, err := c.GetServedDocument(t.Context(), &enforcementv1.GetServedDocumentRequest{DocumentId: doc})
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
		_, err = c.ListPartyFilings(t.Context(), &enforcementv1.ListPartyFilingsRequest{CaseId: caseID})
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	}
	w.order(t, caseID, nil)
	filings, err := w.party(firm).ListPartyFilings(t.Context(), &enforcementv1.ListPartyFilingsRequest{CaseId: caseID})
	if err != nil || len(filings.GetFilings()) != 0 {
		t.Errorf("the firm reads what the person wrote: %v, %v", filings, err)
	}
	_, err = w.party(firm).GetPartyFile(t.Context(), &enforcementv1.GetPartyFileRequest{RequestId: id(), FileId: file.GetFile().GetFileId(), Purpose: "看"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = w.party(firm).AcknowledgeDelivery(t.Context(), &enforcementv1.AcknowledgeDeliveryRequest{RequestId: id(), DocumentId: doc, Signer: "x"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	if got, err := w.party(firm).ListServed(t.Context(), &enforcementv1.ListServedRequest{}); err != nil || len(got.GetDocuments()) != 1 {
		t.Errorf("the firm sees its own: %v, %v", got, err)
	}
}
