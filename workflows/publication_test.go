package workflows

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func init() {
	maps.Copy(usual, map[string]reply{"publication_review": {outcome: approved}, "publication_sign": {outcome: signed}})
}

func aProposal() *disclosurev1.PublicationProposal {
	return &disclosurev1.PublicationProposal{
		ProposalId: id(820), State: "PROPOSED", ProposedBy: "chen@samr-44", Basis: &disclosurev1.PublicationBasis{
			PartyId: id(830), MeasureId: id(831), ComplaintId: id(832), ComplaintRound: 1,
		},
		Publication: &disclosurev1.Publication{Kind: kindExposure, AgencyId: "samr-44", PartyName: "某公司"},
	}
}

func newPublicationPlay(t *testing.T) *play {
	p := newPlay(t, publicationID(id(820)))
	p.w.exposed = exposed{proposal: aProposal(), proven: provenWarning(0)}
	return p
}

func (p *play) runPublication() {
	p.t.Helper()
	p.env.ExecuteWorkflow(Publication, &caseworkv1.PublicationInput{ProposalId: id(820), Profile: Statutory})
	p.ended()
}

func TestPublication_threePeople(t *testing.T) {
	p := newPublicationPlay(t)
	p.replies = map[string][]reply{
		"publication_review": {{outcome: approved, by: "chen", refused: "SAME_PERSON"}, {outcome: approved, by: "li"}},
		"publication_sign":   {{outcome: signed, by: "chen", refused: "SAME_PERSON"}, {outcome: signed, by: "li", refused: "SAME_PERSON"}, {outcome: signed, by: "zhao"}},
	}
	p.runPublication()
	p.want("tasks", p.tasks(), "publication_review@samr-44 publication_sign@samr-44")
	got := p.w.exposed.proposal
	p.want("released", got.GetState()+" "+got.GetReviewedBy()+" "+got.GetSignedBy(), "PUBLISHED li@samr-44 zhao@samr-44")
}

func TestPublication_sentBack(t *testing.T) {
	for _, step := range []string{"publication_review", "publication_sign"} {
		p := newPublicationPlay(t)
		p.replies[step] = []reply{{outcome: returned, refused: "INVALID_FIELD"}, {outcome: returned, reason: "facts"}}
		p.runPublication()
		p.want(step, p.w.exposed.proposal.GetState()+" "+p.w.exposed.proposal.GetReason(), "RETURNED facts")
	}
}

// A warning that falls before the signature keeps everybody from signing; what is left is to send it back.
func TestPublication_basisFallsBeforeItsRelease(t *testing.T) {
	p := newPublicationPlay(t)
	p.w.onOpen = func(step string) {
		if step == "publication_sign" {
			p.w.exposed.proven.WarnedTime = nil
		}
	}
	p.replies["publication_sign"] = []reply{{outcome: signed, refused: "GATE_NOT_PASSED"}, {outcome: returned, reason: "basis_fell"}}
	p.runPublication()
	p.want("state", p.w.exposed.proposal.GetState(), "RETURNED")
}

// What a person proposes is what the owners confirm: when the party went on is the last call that was found true.
func TestPropose_factsAreProven(t *testing.T) {
	w := newWorld()
	a := newActivities(w.owners(), fakeRuns{w}, newStarts(1000))
	w.reports = nil
	for n, r := range []struct {
		finding   string
		day       int
		withdrawn bool
	}{{substantiated, 3, false}, {substantiated, 5, false}, {notSubstantiated, 9, false}, {substantiated, 12, true}} {
		call := report(n, "推销")
		call.Report.Finding, call.Report.Withdrawn, call.Report.CallTime = r.finding, r.withdrawn, timestamppb.New(monday.AddDate(0, 0, r.day))
		w.reports = append(w.reports, call)
	}
	ask := proposing{id: id(820), agency: "samr-44", by: "chen@samr-44", ProposePublicationRequest: &caseworkv1.ProposePublicationRequest{
		Kind: kindExposure, PartyId: id(830), MeasureId: id(831), ComplaintId: id(832), Title: "关于某公司的曝光", Summary: "经警示仍继续",
	}}
	_, err := a.propose(t.Context(), ask)
	if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) {
		t.Errorf("a party that nobody knows: %v", err)
	}
	w.exposed.proven = provenWarning(0)
	w.exposed.proven.WarnedTime = nil
	resp, err := a.propose(t.Context(), ask)
	if err != nil || resp.GetProposal() != nil || !strings.Contains(notPassed(resp.GetMissing()).Error(), "综合整治骚扰电话专项行动方案") {
		t.Errorf("without a warning: %v, %v", resp, err)
	}
	w.exposed.proven = provenWarning(0)
	resp, err = a.propose(t.Context(), ask)
	if err != nil || resp.GetProposal().GetPublication().GetPartyName() != "某公司" || resp.GetProposal().GetProposedBy() != "chen@samr-44" {
		t.Fatalf("%v, %v", resp, err)
	}
	if got := resp.GetProposal().GetGate().GetContinuedTime().AsTime(); !got.Equal(monday.AddDate(0, 0, 5)) {
		t.Errorf("it went on at %s", got)
	}
	ask.Codes = []string{"95001234"}
	if _, err = a.propose(t.Context(), ask); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) {
		t.Errorf("a code of somebody else: %v", err)
	}
}

// What is public on a basis that fell is withdrawn by the sweep, and proposals that nobody started are started.
func TestSweep_withdrawsWhatHasFallen(t *testing.T) {
	p := newPlay(t, sweepID)
	item := func(n int, kind string) *disclosurev1.FoundedPublication {
		return &disclosurev1.FoundedPublication{PublicationId: id(n), CaseId: id(n + 1), Kind: kind, AgencyId: "samr-44", Basis: &disclosurev1.PublicationBasis{PartyId: id(830)}}
	}
	proven := provenWarning(0)
	p.w.exposed = exposed{proposal: aProposal(), proven: proven, live: []*disclosurev1.FoundedPublication{item(840, kindExposure), item(850, kindCircular)}}
	proven.InformedTime = timestamppb.New(monday)
	older := durationpb.New(time.Minute)
	if err := p.acts.withdrawUnfounded(t.Context()); err != nil || len(p.w.matters.withdrawn) != 0 {
		t.Errorf("what stands is withdrawn: %v, %v", p.w.matters.withdrawn, err)
	}
	proven.FoundTime = nil // overturned
	if err := p.acts.withdrawUnfounded(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.want("withdrawn", strings.Join(p.w.matters.withdrawn, " "), "exposure:"+id(841)+":revoked")
	err := p.acts.proposalsUnstarted(t.Context(), older, func(start func(context.Context) (bool, error)) error {
		_, err := start(t.Context())
		return err
	})
	if err != nil || !slices.Contains(p.w.started, publicationID(id(820))) {
		t.Errorf("started %v, %v", p.w.started, err)
	}
}

func TestFounded(t *testing.T) {
	full := &enforcementv1.ProvePublicationResponse{
		CaseNo: "1", WarnedTime: timestamppb.New(monday), FoundTime: timestamppb.New(monday), InformedTime: timestamppb.New(monday), FailedServiceTime: timestamppb.New(monday),
	}
	for kind, spoil := range map[string][]func(*enforcementv1.ProvePublicationResponse){
		kindExposure: {
			func(p *enforcementv1.ProvePublicationResponse) { p.WarnedTime = nil },
			func(p *enforcementv1.ProvePublicationResponse) { p.FoundTime = nil },
		},
		kindCircular:      {func(p *enforcementv1.ProvePublicationResponse) { p.InformedTime = nil }},
		kindServiceNotice: {func(p *enforcementv1.ProvePublicationResponse) { p.FailedServiceTime = nil }},
	} {
		item := &disclosurev1.FoundedPublication{Kind: kind, Basis: &disclosurev1.PublicationBasis{PartyId: id(830)}}
		if !Founded(item, full) {
			t.Errorf("%s has fallen", kind)
		}
		for n, s := range append(spoil, func(p *enforcementv1.ProvePublicationResponse) { p.ReverseTime = timestamppb.New(monday) }) {
			less := proto.CloneOf(full)
			if s(less); Founded(item, less) {
				t.Errorf("%s stands with %d", kind, n)
			}
		}
	}
}

// A step that serves by public notice publishes first, and counts from then, whatever it said; what the gate refuses is
// answered, and the task waits on (行政处罚法 61; 民事诉讼法 95).
func TestCase_servesByPublicNotice(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.w.matters.now = p.env.Now
	p.w.planner = &planner{}
	p.w.exposed.proven = &enforcementv1.ProvePublicationResponse{CaseNo: "粤市监罚〔2026〕1号", FailedServiceTime: timestamppb.New(monday)}
	p.w.publishes = false
	said := &assignmentv1.DecisionDetail{CaseStep: &assignmentv1.CaseStepDetail{Method: methodPublic, ServedTime: timestamppb.New(monday)}}
	p.replies["deliver"] = []reply{{outcome: delivered, detail: said, refused: "GATE_NOT_PASSED"}, {outcome: delivered, detail: said}}
	p.w.exposed.refused = true
	p.runCase(straight("deliver/1"))
	p.want("steps", p.steps(), "deliver:delivered")
	var notices int
	for _, r := range p.w.published {
		if r.GetPublication().GetKind() != kindServiceNotice {
			continue
		}
		notices++
		if asked := notices < 3; r.GetCheckOnly() != asked {
			t.Errorf("request %d asks only: %v", notices, r.GetCheckOnly())
		}
		if r.GetTaskId() == "" || r.GetPublication().GetDecisionNo() != "粤市监罚〔2026〕1号" || r.GetGate().GetFailedServiceTime() == nil {
			t.Errorf("published %v", r)
		}
	}
	if notices != 3 { // refused, let pass, and public once the decision is on record
		t.Errorf("%d requests to publish the notice", notices)
	}
	if at := p.w.exposed.steps[0].GetDetail().GetCaseStep().GetServedTime().AsTime(); at.Equal(monday) {
		t.Error("served when the officer said, not when the register has it")
	}
}

// What the gate refuses when the decision is on record already was served by nothing; what becomes public long after it counts
// from then.
func TestCase_noticeAfterTheDecision(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.w.planner = &planner{}
	p.w.exposed.proven = &enforcementv1.ProvePublicationResponse{CaseNo: "粤市监罚〔2026〕1号", FailedServiceTime: timestamppb.New(monday)}
	step := &enforcementv1.CaseStep{
		Step: "deliver", Outcome: delivered, TaskId: id(502), DecidedTime: timestamppb.New(monday),
		Detail: &assignmentv1.DecisionDetail{CaseStep: &assignmentv1.CaseStepDetail{Method: methodPublic, ServedTime: timestamppb.New(monday)}},
	}
	p.w.exposed.refused = true
	got, err := p.acts.published(t.Context(), id(501), step)
	if w := got.GetDetail().GetCaseStep(); err != nil || w.GetMethod() != "" || w.GetServedTime() != nil {
		t.Errorf("refused: %v, %v", got, err)
	}
	step.DecidedTime = timestamppb.New(monday.Add(1001))
	p.w.matters.now = func() time.Time { return monday.Add(time.Second) }
	got, err = p.acts.published(t.Context(), id(501), step)
	if at := got.GetDetail().GetCaseStep().GetServedTime().AsTime(); err != nil || !at.Equal(monday.Add(1000)) { // what a row keeps of it
		t.Errorf("public at once: %v, %v", got, err)
	}
	p.w.matters.now = func() time.Time { return monday.Add(3 * time.Hour) }
	got, err = p.acts.published(t.Context(), id(501), step)
	if w := got.GetDetail().GetCaseStep(); err != nil || !w.GetServedTime().AsTime().Equal(monday.Add(3*time.Hour)) ||
		!got.GetDecidedTime().AsTime().Equal(w.GetServedTime().AsTime()) || w.GetMethod() != methodPublic {
		t.Errorf("public later: %v, %v", got, err)
	}
}
