package enforcement

import (
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// A warning and what came after it are proven by what is on record: a measure that warns, carried out, against that party as
// the body that took it named it; a finding of the agency that stands. What somebody else names, another measure, or a
// finding that was overturned proves nothing.
func TestProvePublication(t *testing.T) {
	c := newCourt(t)
	first, second := uuid.NewString(), uuid.NewString()
	warning, note := c.order(t, first, "caution", "samr-44"), c.order(t, first, "reminder_letter", "samr-44")
	finding := &enforcementv1.RecordFindingRequest{ComplaintId: second, Round: 1, AgencyId: "samr-44"}
	record := func(change func(*enforcementv1.RecordFindingRequest)) {
		t.Helper()
		req := proto.CloneOf(finding)
		req.RequestId = uuid.NewString()
		if change != nil {
			change(req)
		}
		if _, err := c.flows().RecordFinding(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	record(nil)
	party := &enforcementv1.Party{Role: "caller", Name: "续拨公司", CreditCode: "91110000000000000E"}
	name := func(complaint, measure string) string {
		t.Helper()
		got, err := c.worker("samr-44").RecordChainParty(t.Context(), &enforcementv1.RecordChainPartyRequest{
			RequestId: uuid.NewString(), ComplaintId: complaint, Party: party, MeasureId: measure, Reason: "笔录",
		})
		if err != nil {
			t.Fatal(err)
		}
		return got.GetPartyId()
	}
	id := name(first, "")
	prove := func(change func(*enforcementv1.ProvePublicationRequest)) *enforcementv1.ProvePublicationResponse {
		t.Helper()
		req := &enforcementv1.ProvePublicationRequest{AgencyId: "samr-44", PartyId: id, MeasureId: warning, ComplaintId: second, ComplaintRound: 1}
		if change != nil {
			change(req)
		}
		got, err := c.flows().ProvePublication(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := prove(nil); got.GetParty().GetName() != "续拨公司" || got.GetWarnedTime() != nil || got.GetFoundTime() != nil {
		t.Errorf("named for neither: %v", got)
	}
	name(first, warning)
	name(first, note)
	name(second, "")
	if got := prove(nil); got.GetWarnedTime() == nil || got.GetWarnedBy() != "caution" || got.GetFoundTime() == nil {
		t.Errorf("on record: %v", got)
	}
	for what, change := range map[string]func(*enforcementv1.ProvePublicationRequest){
		"another measure": func(r *enforcementv1.ProvePublicationRequest) { r.MeasureId = note },
		"nobody's":        func(r *enforcementv1.ProvePublicationRequest) { r.MeasureId = uuid.NewString() },
		"another party":   func(r *enforcementv1.ProvePublicationRequest) { r.PartyId = uuid.NewString() },
	} {
		if got := prove(change); got.GetWarnedTime() != nil {
			t.Errorf("%s warns: %v", what, got)
		}
	}
	for what, change := range map[string]func(*enforcementv1.ProvePublicationRequest){
		"another agency": func(r *enforcementv1.ProvePublicationRequest) { r.AgencyId = "samr-11" },
		"another round":  func(r *enforcementv1.ProvePublicationRequest) { r.ComplaintRound = 2 },
		"no finding":     func(r *enforcementv1.ProvePublicationRequest) { r.ComplaintId = first },
	} {
		if got := prove(change); got.GetFoundTime() != nil {
			t.Errorf("%s finds: %v", what, got)
		}
	}
	taken, err := c.worker("samr-44").ListTakenMeasures(t.Context(), &enforcementv1.ListTakenMeasuresRequest{ComplaintId: first})
	if err != nil || len(taken.GetMeasures()) != 2 {
		t.Fatalf("%v, %v", taken, err)
	}
	for _, m := range taken.GetMeasures() {
		if m.GetWarns() != (m.GetMeasureId() == warning) || m.GetPartyId() != id || m.GetState() != done {
			t.Errorf("taken: %v", m)
		}
	}
	_, err = c.worker("samr-31").ListTakenMeasures(t.Context(), &enforcementv1.ListTakenMeasuresRequest{ComplaintId: first})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	record(func(r *enforcementv1.RecordFindingRequest) { r.Settled = "overturned" })
	if got := prove(nil); got.GetFoundTime() != nil || got.GetWarnedTime() == nil {
		t.Errorf("overturned: %v", got)
	}
	_, err = c.as("samr-44", accessv1.Role_ROLE_HEAD).ProvePublication(t.Context(), &enforcementv1.ProvePublicationRequest{AgencyId: "samr-44"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
}

// A case proves that another way of service failed, until its decision is taken back; the served notice that its party was
// informed, to its agency only.
func TestProvePublication_ofCase(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	prove := func(agency, document string) *enforcementv1.ProvePublicationResponse {
		t.Helper()
		got, err := f.flows.ProvePublication(t.Context(), &enforcementv1.ProvePublicationRequest{AgencyId: agency, CaseId: f.id, DocumentId: document})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	notice := f.served(t, f.partyAs(firm), docNotice).GetDocumentId()
	if got := prove("samr-11", notice); got.GetCaseNo() == "" || got.GetInformedTime() == nil || got.GetFailedServiceTime() != nil {
		t.Errorf("a notice was served: %v", got)
	}
	if got := prove("samr-44", notice); got.GetCaseNo() != "" || got.GetInformedTime() != nil {
		t.Errorf("to another agency: %v", got)
	}
	f.partyMust(actWaiver)
	f.signed()
	f.must(stepDeliver, outFailed, servedVia("direct"))
	if got := prove("samr-11", ""); got.GetFailedServiceTime() == nil || got.GetDecisionNo() == "" || got.GetReverseTime() != nil {
		t.Errorf("nobody was met: %v", got)
	}
}

// A decision that warned proves a warning as long as it warns: not when a reconsideration changed that.
func TestProvePublication_changed(t *testing.T) {
	f := newFile(t, nil)
	both := yuanFine(600_000)
	both.Penalties[0].CatalogueCode, both.Penalties[0].Basis = "consumer_56", "消费者权益保护法 第五十六条"
	both.Penalties = append(both.Penalties, &assignmentv1.PenaltyDetail{Kind: "warning", Basis: "消费者权益保护法 第五十六条", CatalogueCode: "consumer_56"})
	f.delivered(both)
	warned := func() bool {
		t.Helper()
		got, err := f.flows.ProvePublication(t.Context(), &enforcementv1.ProvePublicationRequest{AgencyId: "samr-11", CaseId: f.id})
		if err != nil {
			t.Fatal(err)
		}
		return got.GetWarnedTime() != nil
	}
	if !warned() {
		t.Error("a warning was delivered")
	}
	f.remedyMust(reconsideration, "filed")
	f.remedyMust(reconsideration, "accepted")
	if _, err := f.change(reconsideration, fineOf(300_000)); err != nil {
		t.Fatal(err)
	}
	if warned() {
		t.Error("the warning was changed away")
	}
}
