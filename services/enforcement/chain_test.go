package enforcement

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// Four parties of one complaint: two with a case each, one with a measure, one that is not pursued. The chain is complete
// when each of them has an outcome.
func TestGetLiabilityChain(t *testing.T) {
	c := newCourt(t)
	complaint := uuid.NewString()
	caller := c.open(t, "samr-44", marketing, func(r *enforcementv1.OpenCaseRequest) { r.ComplaintId = complaint })
	c.open(t, "ca-44", "false_caller_not_blocked", func(r *enforcementv1.OpenCaseRequest) {
		r.ComplaintId = complaint
		r.Party = &enforcementv1.Party{Role: "access_operator", Name: "接入公司", CreditCode: "91110000000000000C"}
	})
	measure := c.order(t, complaint, "caution", "samr-44")
	chain := func(by enforcementv1.EnforcementServiceClient) *enforcementv1.GetLiabilityChainResponse {
		got, err := by.GetLiabilityChain(t.Context(), &enforcementv1.GetLiabilityChainRequest{ComplaintId: complaint})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	partyOf := func(id string) string {
		got, err := c.worker("samr-44").GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: id})
		if err != nil {
			t.Fatal(err)
		}
		return got.GetCase().GetParty().GetPartyId()
	}
	name := func(req *enforcementv1.RecordChainPartyRequest) string {
		req.RequestId, req.ComplaintId, req.Reason = uuid.NewString(), complaint, "笔录"
		got, err := c.worker("samr-44").RecordChainParty(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return got.GetPartyId()
	}
	advertiser := name(&enforcementv1.RecordChainPartyRequest{
		Party: &enforcementv1.Party{Role: "advertiser", Name: "楼盘公司", CreditCode: "91110000000000000D"}, MeasureId: measure,
	})
	supplier := name(&enforcementv1.RecordChainPartyRequest{
		Party: &enforcementv1.Party{Role: "data_supplier", Name: "李四", Person: true}, ToPartyId: partyOf(caller), Edge: "supplied_data_to",
	})
	got := chain(c.worker("ca-44"))
	if len(got.GetNodes()) != 4 || len(got.GetEdges()) != 1 || got.GetEdges()[0].GetFromPartyId() != supplier || got.GetComplete() {
		t.Fatalf("chain: %v", got)
	}
	node := func(r *enforcementv1.GetLiabilityChainResponse, party string) *enforcementv1.ChainNode {
		for _, n := range r.GetNodes() {
			if n.GetParty().GetPartyId() == party {
				return n
			}
		}
		return nil
	}
	if n := node(got, supplier); n.GetBranch() != branchOpen || n.GetParty().GetName() != masked {
		t.Errorf("a person whom another agency named: %v", n)
	}
	if n := node(chain(c.worker("samr-44")), supplier); n.GetParty().GetName() != "李四" {
		t.Errorf("a person whom the own agency named: %v", n)
	}
	if n := node(got, advertiser); n.GetBranch() != branchMeasure || n.GetOutcome() != branchMeasure || n.GetMeasureCode() != "caution" {
		t.Errorf("the advertiser: %v", n)
	}
	drop := &enforcementv1.RecordNotPursuedRequest{RequestId: uuid.NewString(), ComplaintId: complaint, PartyId: supplier, ReasonCode: "abroad", Reason: "在境外"}
	if _, err := c.worker("samr-44").RecordNotPursued(t.Context(), drop); err != nil {
		t.Fatal(err)
	}
	if n := node(chain(c.as("miit", accessv1.Role_ROLE_LEAD)), supplier); n.GetBranch() != branchNotPursued || n.GetReason() != "abroad: 在境外" {
		t.Errorf("not pursued: %v", n)
	}
	drop.RequestId, drop.PartyId = uuid.NewString(), partyOf(caller)
	_, err := c.worker("samr-44").RecordNotPursued(t.Context(), drop)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // a case ends by its decision
	for _, stranger := range []enforcementv1.EnforcementServiceClient{c.worker("moe-44"), c.as("samr-11", accessv1.Role_ROLE_LEAD)} {
		_, err := stranger.GetLiabilityChain(t.Context(), &enforcementv1.GetLiabilityChainRequest{ComplaintId: complaint})
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	}
}

// order records a measure that an agency took itself.
func (c *court) order(t *testing.T, complaint, code, agency string) string {
	t.Helper()
	id := uuid.NewString()
	_, err := c.flows().RecordMeasure(t.Context(), &enforcementv1.RecordMeasureRequest{
		RequestId: uuid.NewString(), MeasureId: id, ComplaintId: complaint, Round: 1, Code: code, DecidedAgencyId: agency, ExecutorAgencyId: agency,
		DecidedTaskId: uuid.NewString(), State: done,
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// evidence puts a piece of evidence on the file of a case.
func (c *court) evidence(t *testing.T, id string) string {
	t.Helper()
	got, err := c.worker("samr-44").AddCaseEvidence(t.Context(), &enforcementv1.AddCaseEvidenceRequest{
		RequestId: uuid.NewString(), CaseId: id, Kind: "documentary", Title: "劳动合同", Sha256: strings.Repeat("a", 64), FromHolder: "甲公司", ToHolder: "officer",
	})
	if err != nil {
		t.Fatal(err)
	}
	return got.GetEvidence().GetEvidenceId()
}

// Without evidence of employment a caller stays an individual; with it the case is the principal's, and measured so.
func TestAttributeCaller(t *testing.T) {
	c := newCourt(t)
	complaint := uuid.NewString()
	id := c.open(t, "samr-44", marketing, func(r *enforcementv1.OpenCaseRequest) {
		r.ComplaintId, r.Party = complaint, &enforcementv1.Party{Role: "caller", Name: "张三", Person: true}
	})
	wantText(t, c.lawful(t, id, "statutory", lightFine(60_000)), "0 yuan to 45000 yuan") // 30 % of 30 % of 500,000
	req := &enforcementv1.AttributeCallerRequest{
		RequestId: uuid.NewString(), CaseId: id, Relation: "employment", Reason: "社保与劳动合同",
		Principal: &enforcementv1.Party{Name: "甲公司", CreditCode: firm},
	}
	_, err := c.worker("samr-44").AttributeCaller(t.Context(), req)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) // no evidence
	req.EvidenceIds = []string{uuid.NewString()}
	_, err = c.worker("ca-44").AttributeCaller(t.Context(), req)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = c.worker("samr-44").AttributeCaller(t.Context(), req)
	wantText(t, err, "evidence_ids") // nobody has ever seen it
	stranger := c.open(t, "samr-44", marketing, func(r *enforcementv1.OpenCaseRequest) { r.Party.CreditCode = "91110000000000000E" })
	req.EvidenceIds = []string{c.evidence(t, stranger)}
	_, err = c.worker("samr-44").AttributeCaller(t.Context(), req)
	wantText(t, err, "evidence_ids") // it is of another case
	reasoned := lightFine(60_000)
	reasoned.BandReason = "情节恶劣"
	wantText(t, c.lawful(t, id, "statutory", reasoned), "stays an individual") // no reason makes a firm of a person
	req.EvidenceIds = []string{c.evidence(t, id)}
	got, err := c.worker("samr-44").AttributeCaller(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.lawful(t, id, "statutory", lightFine(60_000)); err != nil {
		t.Errorf("the firm's band: %v", err)
	}
	is, err := c.worker("samr-44").GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: id})
	if err != nil || is.GetCase().GetParty().GetPartyId() != got.GetPrincipal().GetPartyId() || is.GetCase().GetParty().GetCreditCode() != firm {
		t.Errorf("the case is against the principal: %v, %v", is, err)
	}
	chain, err := c.worker("samr-44").GetLiabilityChain(t.Context(), &enforcementv1.GetLiabilityChainRequest{ComplaintId: complaint})
	if err != nil || len(chain.GetNodes()) != 2 || len(chain.GetEdges()) != 1 || chain.GetEdges()[0].GetKind() != "on_behalf_of" {
		t.Errorf("the chain shows both: %v, %v", chain, err)
	}
	req.RequestId = uuid.NewString()
	_, err = c.worker("samr-44").AttributeCaller(t.Context(), req)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	second := c.open(t, "samr-44", marketing, func(r *enforcementv1.OpenCaseRequest) {
		r.Party = &enforcementv1.Party{Role: "caller", Name: "王五", Person: true}
	})
	req.RequestId, req.CaseId, req.EvidenceIds = uuid.NewString(), second, []string{c.evidence(t, second)}
	_, err = c.worker("samr-44").AttributeCaller(t.Context(), req)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS) // the principal has its case for the act
}

// Names of responsible persons are sealed, shown to the head and the lead, each look on record, and in no stored answer.
func TestResponsiblePersons(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, "samr-44", marketing, nil)
	_, err := c.worker("samr-44").RecordResponsiblePerson(t.Context(), &enforcementv1.RecordResponsiblePersonRequest{
		RequestId: uuid.NewString(), CaseId: id, Name: "赵六", Kind: "principal", Position: "总经理",
	})
	if err != nil {
		t.Fatal(err)
	}
	look := &enforcementv1.LookUpResponsiblePersonsRequest{RequestId: uuid.NewString(), CaseId: id, Purpose: "拟制决定书"}
	head := c.as("samr-44", accessv1.Role_ROLE_HEAD)
	for range 2 { // the repeat of a request is one look
		got, err := head.LookUpResponsiblePersons(t.Context(), look)
		if err != nil || len(got.GetPersons()) != 1 || got.GetPersons()[0].GetName() != "赵六" || got.GetLooks() != 0 {
			t.Fatalf("the head: %v, %v", got, err)
		}
	}
	look.RequestId = uuid.NewString()
	if got, err := c.as("miit", accessv1.Role_ROLE_LEAD).LookUpResponsiblePersons(t.Context(), look); err != nil || got.GetLooks() != 1 {
		t.Errorf("the lead: %v, %v", got, err)
	}
	for _, by := range []enforcementv1.EnforcementServiceClient{c.as("ca-44", accessv1.Role_ROLE_HEAD), c.as("ca-44", accessv1.Role_ROLE_LEAD)} {
		look.RequestId = uuid.NewString()
		_, err := by.LookUpResponsiblePersons(t.Context(), look)
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	}
	look.RequestId = uuid.NewString()
	_, err = c.worker("samr-44").LookUpResponsiblePersons(t.Context(), look)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
	var leaks int
	err = c.owner.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM responsible_person WHERE position('赵六'::bytea IN name_sealed) > 0)
		+ (SELECT count(*) FROM request WHERE position('赵六'::bytea IN response) > 0)`).Scan(&leaks)
	if err != nil || leaks != 0 {
		t.Errorf("the name is stored in clear: %d, %v", leaks, err)
	}
}

// What was substantiated is on the list until a case, a measure, a reason or another end disposes of it.
func TestListUndisposed(t *testing.T) {
	c := newCourt(t)
	find := func(agency string) string {
		id := uuid.NewString()
		c.find(t, &enforcementv1.RecordFindingRequest{ComplaintId: id, Round: 1, AgencyId: agency, FoundTime: timestamppb.New(lawDay("2026-11-17"))})
		return id
	}
	waiting, sued, measured, settled := find("samr-44"), find("samr-44"), find("samr-44"), find("samr-44")
	failed, other := find("samr-44"), find("ca-44")
	c.open(t, "samr-44", marketing, func(r *enforcementv1.OpenCaseRequest) { r.ComplaintId = sued })
	c.order(t, measured, "interview", "samr-44")
	m := c.order(t, failed, "interview", "samr-44")
	if _, err := c.owner.Exec(t.Context(), "UPDATE measure_log SET state = 'failed' WHERE measure_id = $1", m); err != nil {
		t.Fatal(err)
	}
	c.find(t, &enforcementv1.RecordFindingRequest{ComplaintId: settled, Round: 1, AgencyId: "samr-44", Settled: "no_measure"})
	list := func(by enforcementv1.EnforcementServiceClient, agency string) map[string]int32 {
		got, err := by.ListUndisposed(t.Context(), &enforcementv1.ListUndisposedRequest{AgencyId: agency})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]int32{}
		for _, f := range got.GetFindings() {
			out[f.GetComplaintId()] = f.GetDays()
		}
		if got.GetCount() != int64(len(out)) {
			t.Errorf("%d are counted, %d listed", got.GetCount(), len(out))
		}
		return out
	}
	if got := list(c.worker("samr-44"), ""); len(got) != 2 || got[waiting] != 3 || got[failed] != 3 {
		t.Errorf("the agency's: %v", got)
	}
	if got := list(c.as("miit", accessv1.Role_ROLE_LEAD), ""); len(got) != 3 {
		t.Errorf("the lead's: %v", got)
	}
	if got := list(c.as("miit", accessv1.Role_ROLE_AUDITOR), "ca-44"); len(got) != 1 || got[other] != 3 {
		t.Errorf("the auditor's of one agency: %v", got)
	}
	_, err := c.worker("samr-44").ListUndisposed(t.Context(), &enforcementv1.ListUndisposedRequest{AgencyId: "ca-44"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	for range 2 { // once a day
		if err := c.s.countDay(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.worker("samr-44").ListUndisposed(t.Context(), &enforcementv1.ListUndisposedRequest{})
	if err != nil || len(got.GetDays()) != 1 || got.GetDays()[0].GetDay() != "2026-11-20" || got.GetDays()[0].GetCount() != 2 {
		t.Errorf("the daily list: %v, %v", got.GetDays(), err)
	}
}

func (c *court) find(t *testing.T, req *enforcementv1.RecordFindingRequest) {
	t.Helper()
	for range 2 { // told twice it is one
		req.RequestId = uuid.NewString()
		if _, err := c.flows().RecordFinding(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
}

// A measure is taken by a body that the catalogue gives it to; the old codes stay in use.
func TestMeasurePowers(t *testing.T) {
	c := newCourt(t)
	q := store.New(c.s.db)
	rows, err := q.ListMeasures(t.Context(), store.ListMeasuresParams{At: time.Now(), PageSize: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range rows {
		if err := c.s.mayTake(t.Context(), q, "ca-44", []string{m.Code}); err != nil {
			t.Errorf("the telecom administration and %s: %v", m.Code, err)
		}
		if err := c.s.mayTake(t.Context(), q, "cmcc-44", []string{m.Code}); err == nil {
			t.Errorf("an operator decides %s", m.Code)
		}
	}
	for _, code := range []string{"caution", "interview", "reminder_letter", "rectify_order", "criticism", "warn_holder"} {
		if err := c.s.mayTake(t.Context(), q, "nfra-44", []string{code}); err != nil {
			t.Errorf("another ministry's body and %s: %v", code, err)
		}
	}
	_, err = c.flows().CheckMeasures(t.Context(), &enforcementv1.CheckMeasuresRequest{AgencyId: "nfra-44", Codes: []string{"interview", "suspend_number"}})
	wantText(t, err, "nfra-44 may not take the measure suspend_number; who may: ca, miit, mps")
	_, err = c.flows().RecordMeasure(t.Context(), &enforcementv1.RecordMeasureRequest{
		RequestId: uuid.NewString(), MeasureId: uuid.NewString(), ComplaintId: uuid.NewString(), Round: 1, Code: "suspend_number",
		DecidedAgencyId: "nfra-44", ExecutorAgencyId: "cmcc-44", DecidedTaskId: uuid.NewString(), State: ordered,
	})
	if errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES {
		t.Errorf("recorded by a body that may not take it: %v", err)
	}
}
