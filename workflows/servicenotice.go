package workflows

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// servedWords are the documents that steps serve (文书).
var servedWords = map[string]string{"serve_notice": "行政处罚事先告知书", "deliver": "行政处罚决定文书", "demand": "行政决定履行催告书"}

// byPublicNotice says whether a step serves by public notice.
func byPublicNotice(s *enforcementv1.CaseStep) bool {
	return s.GetDetail().GetCaseStep().GetMethod() == methodPublic && servedWords[s.GetStep()] != "" &&
		slices.Contains([]string{served, delivered}, s.GetOutcome())
}

// checkNotice asks whether the notice by which a step serves may become public: what no gate lets become public is not served
// by being public, and the refusal is the answer to the person (行政处罚法 61; 民事诉讼法 95). Nothing is public before the
// decision is on record: what is refused after this must leave no notice behind.
func (a *Activities) checkNotice(ctx context.Context, caseID string, s *enforcementv1.CaseStep, since time.Time) error {
	req, err := a.noticeOf(ctx, caseID, s, since)
	if err != nil {
		return err
	}
	req.CheckOnly = true
	resp, err := a.Disclosure.Publish(ctx, req)
	if err != nil {
		return err
	}
	return notPassed(resp.GetMissing())
}

// noticeOf is the notice by which a step serves, one per step.
func (a *Activities) noticeOf(ctx context.Context, caseID string, s *enforcementv1.CaseStep, since time.Time) (*disclosurev1.PublishRequest, error) {
	resp, err := a.Enforcement.GetCase(ctx, &enforcementv1.GetCaseRequest{CaseId: caseID})
	if err != nil {
		return nil, err
	}
	c := resp.GetCase()
	proven, err := a.proveBasis(ctx, c.GetAgencyId(), &disclosurev1.PublicationBasis{CaseId: caseID})
	if err != nil {
		return nil, err
	}
	agency, err := a.agency(ctx, c.GetAgencyId())
	if err != nil {
		return nil, err
	}
	number := proven.GetCaseNo() // a document that the step itself makes has no number of its own yet
	decided := timestamppb.New(since)
	if s.GetStep() != "serve_notice" && c.GetDecision().GetDecidedTime() != nil {
		decided = c.GetDecision().GetDecidedTime()
	}
	if s.GetStep() == "deliver" {
		number = orElse(proven.GetDecisionNo(), number)
	}
	return rekeyed(&disclosurev1.PublishRequest{
		TaskId: s.GetTaskId(), Publication: &disclosurev1.Publication{
			Kind: kindServiceNotice, Title: agency.GetName() + "公告送达 " + servedWords[s.GetStep()] + " " + number,
			PartyName: publicName(c.GetParty()), CreditCode: c.GetParty().GetCreditCode(), AgencyId: c.GetAgencyId(), AgencyName: agency.GetName(),
			CaseId: caseID, DecisionNo: number, RegionCodes: regionOf(agency),
			Summary: "其他方式无法送达,现依法公告送达。自公告发布之日起经过三十日视为送达。请到公示单位领取" + servedWords[s.GetStep()] + "。",
		},
		Gate: &disclosurev1.Gate{DecidedTime: decided, Person: c.GetParty().GetPerson(), FailedServiceTime: proven.GetFailedServiceTime()},
	})
}

// public is how far after a decision its notice is public at once, by two clocks.
const public = time.Minute

// published is a step as it is recorded: one that serves by public notice counts from when the notice was published, whatever
// was said of it. What the gate refuses in this moment is served by nothing, and the case's owner notes that.
func (a *Activities) published(ctx context.Context, caseID string, s *enforcementv1.CaseStep) (*enforcementv1.CaseStep, error) {
	if !byPublicNotice(s) {
		return s, nil
	}
	req, err := a.noticeOf(ctx, caseID, s, s.GetDecidedTime().AsTime())
	if err != nil {
		return nil, err
	}
	resp, err := a.Disclosure.Publish(ctx, req)
	if err = unless(err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED); err != nil {
		return nil, err
	}
	out := proto.CloneOf(s)
	words, at := out.GetDetail().GetCaseStep(), resp.GetPublication().GetPublishTime()
	switch decided := s.GetDecidedTime().AsTime().Truncate(time.Microsecond); { // as the owner's clock has it
	case at == nil:
		words.Method, words.ServedTime = "", nil
	case at.AsTime().After(decided.Add(public)): // the mesh was away: nothing was served before it was public
		out.DecidedTime, words.ServedTime = at, at
	default: // nothing is served after it is recorded
		words.ServedTime = timestamppb.New(earlier(at.AsTime(), decided))
	}
	return out, nil
}
