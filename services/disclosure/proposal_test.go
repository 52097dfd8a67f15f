package disclosure

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"quietline/internal/pg"
	"quietline/internal/testkit"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// exposes is an exposure as the workflows enter it.
func exposes() *disclosurev1.RecordProposalRequest {
	g := passes()
	g.DecidedTime = nil
	return &disclosurev1.RecordProposalRequest{
		RequestId: uuid.NewString(), ProposalId: uuid.NewString(), ProposedBy: "wang@ca-11", Gate: g,
		Publication: &disclosurev1.Publication{
			Kind: exposure, Title: "北京市通信管理局曝光", PartyName: "甲呼叫中心(北京)有限公司", CreditCode: "91110000000000000A", AgencyId: "ca-11",
			AgencyName: "北京市通信管理局", Summary: "经警示仍继续,联系人13800138000",
		},
		Basis: &disclosurev1.PublicationBasis{PartyId: uuid.NewString(), MeasureId: uuid.NewString(), ComplaintId: uuid.NewString(), ComplaintRound: 1},
	}
}

func (w *world) proposes(t *testing.T, change func(*disclosurev1.RecordProposalRequest)) *disclosurev1.RecordProposalResponse {
	t.Helper()
	req := exposes()
	if change != nil {
		change(req)
	}
	resp, err := w.flows.RecordProposal(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func (w *world) releases(t *testing.T, id string, g *disclosurev1.Gate, reviewed, signed string) (*disclosurev1.ReleaseProposalResponse, error) {
	t.Helper()
	return w.flows.ReleaseProposal(t.Context(), &disclosurev1.ReleaseProposalRequest{
		RequestId: uuid.NewString(), ProposalId: id, Gate: g, ReviewedBy: reviewed, SignedBy: signed,
	})
}

// Nobody exposes alone, nor do two; what three release is public as it was proposed, and stands in the list of what must hold.
func TestProposal_threePeople(t *testing.T) {
	w := newWorld(t)
	_, err := w.flows.(threeDecide).DisclosureServiceClient.Publish(t.Context(), &disclosurev1.PublishRequest{
		RequestId: uuid.NewString(), Publication: exposes().GetPublication(), Gate: passes(),
	})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED)
	id := w.proposes(t, nil).GetProposal().GetProposalId()
	for _, pair := range [][2]string{{"wang@ca-11", "zhao@ca-11"}, {"li@ca-11", "wang@ca-31"}, {"li@ca-11", "li@ca-11"}} {
		_, err := w.releases(t, id, passes(), pair[0], pair[1])
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON)
	}
	resp, err := w.releases(t, id, passes(), "li@ca-11", "zhao@ca-11")
	if err != nil || resp.GetProposal().GetState() != released {
		t.Fatalf("%v, %v", resp, err)
	}
	if _, err := w.releases(t, id, passes(), "li@ca-11", "zhao@ca-11"); err != nil { // once more is the same
		t.Error(err)
	}
	got, err := w.public.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{PublicationId: resp.GetProposal().GetPublicationId()})
	p := got.GetPublication()
	if err != nil || p.GetState() != live || p.GetCaseId() != id || strings.Contains(p.GetSummary(), "13800138000") || p.GetTakeDownTime() == nil {
		t.Errorf("%v, %v", p, err)
	}
	_, err = w.head.CorrectPublication(t.Context(), &disclosurev1.CorrectPublicationRequest{
		RequestId: uuid.NewString(), PublicationId: p.GetPublicationId(), Title: "北京市通信管理局曝光乙公司", Summary: "乙公司", Note: "更正",
	})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED) // one person makes nothing else of it
	founded, err := w.flows.ListFounded(t.Context(), &disclosurev1.ListFoundedRequest{})
	if err != nil || len(founded.GetItems()) != 1 || founded.GetItems()[0].GetBasis().GetMeasureId() == "" || founded.GetItems()[0].GetCaseId() != id {
		t.Errorf("%v, %v", founded, err)
	}
	w.clean(t)
}

// All that is missing is answered at once, nothing is entered, and the agency sees what it asked for in vain.
func TestProposal_lacks(t *testing.T) {
	w := newWorld(t)
	var id string
	resp := w.proposes(t, func(r *disclosurev1.RecordProposalRequest) {
		id, r.Gate.WarnedTime, r.Gate.ContinuedTime, r.Publication.Title = r.GetProposalId(), nil, nil, "曝光"
	})
	if got := strings.Join(missingCodes(resp.GetMissing()), " "); got != "no_warning no_continuation agency_not_named" || resp.GetProposal() != nil {
		t.Errorf("lacks %s, %v", got, resp.GetProposal())
	}
	_, err := w.flows.GetProposal(t.Context(), &disclosurev1.GetProposalRequest{ProposalId: id})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	kept, err := w.head.ListWithheld(t.Context(), &disclosurev1.ListWithheldRequest{CaseId: id})
	if err != nil || len(kept.GetWithheld()) != 1 || kept.GetWithheld()[0].GetMissing()[0].GetArticle() == "" {
		t.Errorf("%v, %v", kept, err)
	}
	if got := w.proposes(t, func(r *disclosurev1.RecordProposalRequest) { r.Gate.Person = true }); missingCodes(got.GetMissing())[0] != "natural_person" {
		t.Errorf("a person: %v", got)
	}
}

// A basis that fell before the release leaves nothing public; a proposal ends once.
func TestProposal_basisFell(t *testing.T) {
	w := newWorld(t)
	id := w.proposes(t, nil).GetProposal().GetProposalId()
	fell := proto.CloneOf(passes())
	fell.WarnedTime = nil
	check, err := w.flows.CheckProposal(t.Context(), &disclosurev1.CheckProposalRequest{ProposalId: id, Gate: fell})
	if err != nil || len(check.GetMissing()) == 0 || check.GetMissing()[0].GetCode() != "no_warning" {
		t.Errorf("%v, %v", check, err)
	}
	resp, err := w.releases(t, id, fell, "li@ca-11", "zhao@ca-11")
	if err != nil || resp.GetProposal().GetState() != withheld || resp.GetProposal().GetPublicationId() != "" || !strings.Contains(resp.GetProposal().GetReason(), "no_warning") {
		t.Errorf("%v, %v", resp, err)
	}
	_, err = w.releases(t, id, passes(), "li@ca-11", "zhao@ca-11")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	back := w.proposes(t, nil).GetProposal().GetProposalId()
	open, err := w.flows.ListUnstartedProposals(t.Context(), &disclosurev1.ListUnstartedProposalsRequest{OlderThan: durationpb.New(0)})
	if err != nil || len(open.GetProposalIds()) != 1 || open.GetProposalIds()[0] != back {
		t.Errorf("%v, %v", open, err)
	}
	returns := &disclosurev1.ReturnProposalRequest{RequestId: uuid.NewString(), ProposalId: back, Reason: "facts", ReturnedBy: "li@ca-11"}
	if got, err := w.flows.ReturnProposal(t.Context(), returns); err != nil || got.GetProposal().GetState() != returned {
		t.Errorf("%v, %v", got, err)
	}
	_, err = w.releases(t, back, passes(), "li@ca-11", "zhao@ca-11")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	w.clean(t)
}

// A proposal is its agency's; another does not learn that there is one.
func TestProposal_whoSees(t *testing.T) {
	w := newWorld(t)
	id := w.proposes(t, nil).GetProposal().GetProposalId()
	for c, sees := range map[disclosurev1.DisclosureServiceClient]bool{w.head: true, w.au: true, w.other: false} {
		_, err := c.GetProposal(t.Context(), &disclosurev1.GetProposalRequest{ProposalId: id})
		list, err2 := c.ListProposals(t.Context(), &disclosurev1.ListProposalsRequest{State: proposed})
		if (err == nil) != sees || err2 != nil || (len(list.GetProposals()) == 1) != sees {
			t.Errorf("want seen %v: %v, %v, %v", sees, err, list, err2)
		}
	}
}

// A case may serve several documents by public notice, each step once; a reversal takes all of them back and bars more.
func TestServiceNotice_perStep(t *testing.T) {
	w := newWorld(t)
	id, task := uuid.NewString(), uuid.NewString()
	asks := false
	serve := func(task string) *disclosurev1.PublishResponse {
		resp, err := w.ask(t, serviceNotice, func(r *disclosurev1.PublishRequest) { r.Publication.CaseId, r.TaskId, r.CheckOnly = id, task, asks })
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	asks = true
	if got := serve(task); got.GetPublication() != nil || got.GetNotPublishedBecause() != "" {
		t.Errorf("only asked: %v", got)
	}
	asks = false
	if got, err := w.public.ListPublications(t.Context(), &disclosurev1.ListPublicationsRequest{}); err != nil || len(got.GetPublications()) != 0 {
		t.Errorf("public because somebody asked: %v, %v", got, err)
	}
	first, again, second := serve(task).GetPublication(), serve(task).GetPublication(), serve(uuid.NewString()).GetPublication()
	if first.GetPublicationId() != again.GetPublicationId() || first.GetPublicationId() == second.GetPublicationId() || second.GetState() != live {
		t.Errorf("%v\n%v\n%v", first, again, second)
	}
	w.clean(t)
	resp, err := w.flows.WithdrawByCase(t.Context(), &disclosurev1.WithdrawByCaseRequest{
		RequestId: uuid.NewString(), CaseId: id, Kind: serviceNotice, Cause: "revoked", CauseTime: passes().GetDeliveredTime(), Reason: "撤销",
	})
	if err != nil || len(resp.GetPublications()) != 2 || resp.GetPublications()[0].GetState() != withdrawn || resp.GetPublications()[1].GetState() != withdrawn {
		t.Errorf("%v, %v", resp, err)
	}
	for _, asks = range []bool{true, false} {
		if got := serve(uuid.NewString()); got.GetNotPublishedBecause() != "withdrawn_before" {
			t.Errorf("after the reversal: %v", got)
		}
	}
}

// Past the service, the database refuses what three people did not release, and the audit finds what got past both.
func TestProposal_theDatabaseAndTheAudit(t *testing.T) {
	w := newWorld(t)
	id := w.proposes(t, nil).GetProposal().GetProposalId()
	for sql, constraint := range map[string]string{
		"UPDATE publication_proposal SET state = 'PUBLISHED', end_time = now(), reviewed_by = 'wang@ca-31', signed_by = 'zhao@ca-11'": "publication_proposal_three",
		"UPDATE publication_proposal SET state = 'PUBLISHED', end_time = now(), reviewed_by = 'li@ca-11', signed_by = 'li@ca-12'":     "publication_proposal_three",
		`INSERT INTO publication (publication_id, kind, title, party_name, agency_id, agency_name, summary, published_by, case_id, publish_time,
			take_down_time, social_impact, warned_time, continued_time, proposal_id) SELECT gen_random_uuid(), kind, title, party_name, agency_id, agency_name,
			summary, 'zhao@ca-11', proposal_id, now(), now() + interval '1 month', false, now() - interval '2 days', now() - interval '1 day', proposal_id
			FROM publication_proposal`: "publication_gate_released",
	} {
		if _, err := w.db.Exec(t.Context(), sql); pg.Constraint(err) != constraint {
			t.Errorf("%s: %v", constraint, err)
		}
	}
	if _, err := w.releases(t, id, passes(), "li@ca-11", "zhao@ca-11"); err != nil {
		t.Fatal(err)
	}
	_, err := w.db.Exec(t.Context(), "UPDATE publication_proposal SET reason = 'x'")
	if pg.Constraint(err) != "publication_proposal_over" {
		t.Errorf("a proposal that is over moves: %v", err)
	}
	owner := testkit.Owner(t, w.db)
	for _, sql := range []string{
		"ALTER TABLE publication_proposal DISABLE TRIGGER ALL", "ALTER TABLE publication_proposal DROP CONSTRAINT publication_proposal_exposure",
		"UPDATE publication_proposal SET complaint_id = NULL",
	} {
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.violations(t); len(got) != 1 || !strings.Contains(got[0], "no finding after the warning on record") {
		t.Errorf("the audit says %v", got)
	}
}
