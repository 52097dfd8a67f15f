package workflows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// What became of a penalty in the credit lists, as the case records it.
const (
	resultListed   = "listed"   // on a telecom list
	resultRecorded = "recorded" // in the credit record of the deciding sector
	resultPerson   = "natural_person"
	resultNoFine   = "no_penalty"
)

// groundOverdue is the ground of the dishonest list for a penalty that is not performed (逾期不履行行政处罚决定).
const groundOverdue = "penalty_overdue"

// listFor enters a penalty where it belongs: a licensed telecom operator that its authority punished comes onto the lists
// (许可管理办法 42), every other firm into the credit record of the sector that decided (消费者权益保护法 56). A natural
// person is on no list. The ledger says who is licensed; that a policy refuses is an answer, not a failure.
func (a *Activities) listFor(ctx context.Context, c *enforcementv1.Case, ground string) (effect, error) {
	penalties := penaltiesOf(c)
	switch {
	case c.GetParty().GetPerson() || c.GetParty().GetCreditCode() == "":
		return effect{result: resultPerson}, nil
	case len(penalties) == 0 || decidedTime(c) == nil:
		return effect{result: resultNoFine}, nil
	}
	licence, err := a.licence(ctx, c.GetParty().GetCreditCode(), decidedTime(c))
	if err != nil {
		return effect{}, err
	}
	telecom := isTelecom(c.GetAgencyId())
	if licence == "" || !telecom {
		if ground == groundOverdue {
			return effect{result: resultRecorded}, nil // the penalty stands in the record already
		}
		return a.recordFor(ctx, c, penalties)
	}
	req := &creditv1.ListPartyRequest{
		PartyName: c.GetParty().GetName(), CreditCode: c.GetParty().GetCreditCode(), Licence: licence, CaseId: c.GetCaseId(),
		DecidedTime: decidedTime(c), AgencyId: c.GetAgencyId(), Penalties: penalties, Simplified: c.GetProcedure() == simplified,
		Outcome: outcomeInWords(c), DecidedBy: decidersOf(c),
	}
	if ground == groundOverdue {
		req.List, req.Ground = "dishonest", groundOverdue
	}
	if req, err = rekeyed(req); err != nil {
		return effect{}, err
	}
	resp, err := a.Credit.ListParty(ctx, req)
	if err != nil {
		return answered(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	}
	return effect{target: resp.GetListing().GetListingId(), result: resultListed}, nil
}

func (a *Activities) recordFor(ctx context.Context, c *enforcementv1.Case, penalties []*creditv1.Penalty) (effect, error) {
	sector, err := a.lineOf(ctx, c.GetAgencyId())
	if err != nil {
		return effect{}, err
	}
	req, err := rekeyed(&creditv1.RecordCreditRequest{
		PartyName: c.GetParty().GetName(), CreditCode: c.GetParty().GetCreditCode(), CaseId: c.GetCaseId(),
		DecidedTime: decidedTime(c), AgencyId: c.GetAgencyId(), Sector: sector, Penalties: penalties,
		Simplified: c.GetProcedure() == simplified, Outcome: outcomeInWords(c), DecidedBy: decidersOf(c),
	})
	if err != nil {
		return effect{}, err
	}
	resp, err := a.Credit.RecordCredit(ctx, req)
	if err != nil {
		return answered(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	}
	return effect{target: resp.GetRecord().GetListingId(), result: resultRecorded}, nil
}

// licence is the number of a firm's licence of telecom business in force then; empty when it has none.
func (a *Activities) licence(ctx context.Context, creditCode string, at *timestamppb.Timestamp) (string, error) {
	resp, err := a.Ledger.ListLicences(ctx, &ledgerv1.ListLicencesRequest{CreditCode: creditCode, At: at})
	if err != nil {
		return "", err
	}
	if len(resp.GetLicences()) > 0 {
		return resp.GetLicences()[0].GetNumber(), nil
	}
	return "", nil
}

// isTelecom says whether an agency is a telecom authority: the ministry or the administration of a province.
func isTelecom(agencyID string) bool {
	return agencyID == leadMinistry || strings.HasPrefix(agencyID, "ca-")
}

// lineOf is the sector of a deciding agency: the ministry at the top of its line of command.
func (a *Activities) lineOf(ctx context.Context, agencyID string) (string, error) {
	const levels = 4
	for range levels {
		agency, err := a.agency(ctx, agencyID)
		if err != nil || agency.GetSuperiorId() == "" {
			return agencyID, err
		}
		agencyID = agency.GetSuperiorId()
	}
	return agencyID, nil
}

func penaltiesOf(c *enforcementv1.Case) []*creditv1.Penalty {
	all := c.GetPenalties()
	if len(all) == 0 && c.GetDecision().GetPenalty() != nil {
		all = []*assignmentv1.PenaltyDetail{c.GetDecision().GetPenalty()}
	}
	var out []*creditv1.Penalty
	for _, p := range all {
		if p.GetKind() != "none" && p.GetKind() != "" {
			out = append(out, &creditv1.Penalty{Kind: p.GetKind(), Amount: p.GetAmount()})
		}
	}
	return out
}

func outcomeInWords(c *enforcementv1.Case) string {
	var words []string
	for _, p := range c.GetPenalties() {
		words = append(words, penaltyInWords(p))
	}
	if len(words) == 0 {
		words = append(words, penaltyInWords(c.GetDecision().GetPenalty()))
	}
	const most = 160 // characters; the owner takes 500 bytes
	out := []rune(c.GetCaseNo() + " " + strings.Join(words, ";"))
	return string(out[:min(len(out), most)])
}

func decidersOf(c *enforcementv1.Case) []string {
	d := c.GetDecision()
	return []string{d.GetProposedBy(), d.GetReviewedBy(), d.GetSignedBy()}
}

// publishLists publishes entries whose quarter is over, and withdraws the publications of those that have ended.
func (a *Activities) publishLists(ctx context.Context) error {
	var failed error
	for token, more := "", true; more; more = token != "" {
		page, err := a.Credit.ListPublicationWork(ctx, &creditv1.ListPublicationWorkRequest{PageSize: 500, PageToken: token})
		if err != nil {
			return err
		}
		for _, l := range page.GetListings() {
			if l.GetEndTime() != nil {
				err = a.takeDown(ctx, l)
			} else {
				err = a.publishEntry(ctx, l)
			}
			if err != nil { // one that fails keeps no other waiting
				failed = errors.Join(failed, fmt.Errorf("publication of listing %s: %w", l.GetListingId(), err))
			}
		}
		token = page.GetNextPageToken()
	}
	return failed
}

// kindListing is the publication of an entry (名单公布).
const kindListing = "listing"

// publicationLive is the state of a publication that the public reads.
const publicationLive = "LIVE"

var listNames = map[string]string{"bad": "电信业务经营不良名单", "dishonest": "电信业务经营失信名单"}

// publishEntry publishes an entry in its six fields, and records what came of it.
func (a *Activities) publishEntry(ctx context.Context, l *creditv1.Listing) error {
	gate := &disclosurev1.Gate{
		NoticeTime: l.GetNoticeTime(), DecidedTime: l.GetDecidedTime(), DeliveredTime: l.GetStartTime(), PenaltyKind: l.GetList(),
	}
	if l.GetCaseId() != "" {
		c, err := a.Enforcement.GetCase(ctx, &enforcementv1.GetCaseRequest{CaseId: l.GetCaseId()})
		if err != nil {
			return err
		}
		gate.NoticeTime, gate.DeliveredTime = c.GetCase().GetNoticeTime(), c.GetCase().GetDeliverTime()
	}
	agency, err := a.agency(ctx, l.GetAgencyId())
	if err != nil {
		return err
	}
	req, err := rekeyed(&disclosurev1.PublishRequest{Publication: publicEntry(l, agency), Gate: gate})
	if err != nil {
		return err
	}
	resp, err := a.Disclosure.Publish(ctx, req)
	because := resp.GetNotPublishedBecause()
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED) {
		err, because = nil, "gate_not_passed"
	}
	if err != nil {
		return err
	}
	id := resp.GetPublication().GetPublicationId()
	if id == "" {
		because = orElse(because, "not_published")
	} else {
		because = ""
	}
	_, err = a.Credit.RecordListingPublication(ctx, &creditv1.RecordListingPublicationRequest{
		RequestId: derived(l.GetListingId() + "/published/" + id), ListingId: l.GetListingId(), PublicationId: id, NotPublishedBecause: because,
	})
	return err
}

// publicEntry is an entry as the public reads it: the six fields of the notice of March 2018.
func publicEntry(l *creditv1.Listing, agency *assignmentv1.Agency) *disclosurev1.Publication {
	list := listNames[l.GetList()]
	out := &disclosurev1.Publication{
		Kind: kindListing, Title: agency.GetName() + list + " " + l.GetPartyName(), PartyName: l.GetPartyName(), CreditCode: l.GetCreditCode(),
		AgencyId: l.GetAgencyId(), AgencyName: agency.GetName(), CaseId: l.GetListingId(), LicenceNo: l.GetLicence(), Ground: l.GetGroundName(),
		Summary: fmt.Sprintf("经营者名称:%s;统一社会信用代码:%s;许可证编号:%s;处理日期:%s;列入事由:%s;列入单位:%s", l.GetPartyName(),
			l.GetCreditCode(), l.GetLicence(), l.GetDecidedTime().AsTime().In(calendar.Shanghai).Format(time.DateOnly), l.GetGroundName(), agency.GetName()),
		Terms: []*disclosurev1.TakeDownTerm{{
			Basis: "credit_entry", Class: l.GetSeverity(), EarliestTime: l.GetEarliestEnd(), EndTime: l.GetLatestEnd(),
		}},
	}
	if p := agency.GetProvince(); p != "" {
		out.RegionCodes = []string{p}
	}
	return out
}

// takeDown ends what is still public of an entry that has ended: its own publication and, after a repair, its penalty's.
func (a *Activities) takeDown(ctx context.Context, l *creditv1.Listing) error {
	var since *timestamppb.Timestamp
	if l.GetState() == "WITHDRAWN" && l.GetCaseId() != "" {
		c, err := a.Enforcement.GetCase(ctx, &enforcementv1.GetCaseRequest{CaseId: l.GetCaseId()})
		if err != nil {
			return err
		}
		since = c.GetCase().GetReverseTime()
	}
	if err := a.unpublish(ctx, l, since); err != nil {
		return err
	}
	return a.unpublishPenalty(ctx, l)
}

// unpublishPenalty ends the publication of the penalty behind a repaired entry: publishing, sharing and using stop in step
// (信用修复管理办法). Where another basis of the publication forbids it for now, the entry says so with the date, and the
// sweep tries again then.
func (a *Activities) unpublishPenalty(ctx context.Context, l *creditv1.Listing) error {
	if l.GetState() != "REMOVED" || l.GetCaseId() == "" || l.GetPenaltyUnpublishTime() != nil {
		return nil
	}
	req, err := rekeyed(&disclosurev1.WithdrawByCaseRequest{
		CaseId: l.GetCaseId(), Kind: kindPenalty, Cause: "repaired", CauseTime: l.GetEndTime(), Reason: "信用修复,停止公示",
	})
	if err != nil {
		return err
	}
	_, err = a.Disclosure.WithdrawByCase(ctx, req)
	record := &creditv1.RecordListingPublicationRequest{ListingId: l.GetListingId(), PenaltyWithdrawn: true}
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) {
		var until *timestamppb.Timestamp
		because := errs.Text(err)
		if until, err = a.penaltyUntil(ctx, l.GetCaseId()); until != nil {
			record.PenaltyWithdrawn, record.PenaltyPublicBecause, record.PenaltyPublicUntil = false, because, until
		}
	}
	if err != nil {
		return err
	}
	if record, err = rekeyed(record); err != nil {
		return err
	}
	_, err = a.Credit.RecordListingPublication(ctx, record)
	return err
}

// penaltyUntil is when the last of a publication's bases lets a repair end it, at the latest when it comes down by itself;
// nil once it has come down: there is nothing left to end.
func (a *Activities) penaltyUntil(ctx context.Context, caseID string) (*timestamppb.Timestamp, error) {
	resp, err := a.Disclosure.GetPublication(ctx, &disclosurev1.GetPublicationRequest{Kind: kindPenalty, CaseId: caseID})
	if err != nil {
		return nil, err
	}
	p := resp.GetPublication()
	if p.GetState() != publicationLive {
		return nil, nil
	}
	var until time.Time
	for _, t := range p.GetTerms() {
		if t.GetEarliestTime() == nil {
			return p.GetTakeDownTime(), nil
		}
		if earliest := t.GetEarliestTime().AsTime(); earliest.After(until) {
			until = earliest
		}
	}
	if until.IsZero() || until.After(p.GetTakeDownTime().AsTime()) {
		return p.GetTakeDownTime(), nil
	}
	return timestamppb.New(until), nil
}

// unpublish ends the publication of an entry that has ended (停止公示). What reaches its latest end is taken down by itself;
// after a repair, or when its ground fell away, it is withdrawn. since is when the ground fell; nil: with the entry's end.
func (a *Activities) unpublish(ctx context.Context, l *creditv1.Listing, since *timestamppb.Timestamp) error {
	if l.GetPublicationId() == "" {
		return nil
	}
	if l.GetState() != "EXPIRED" {
		cause, words := "repaired", "信用修复,停止公示"
		if l.GetState() == "WITHDRAWN" {
			cause, words = "revoked", "列入依据已被撤销,撤回名单公示"
		}
		if since == nil {
			since = l.GetEndTime()
		}
		req, err := rekeyed(&disclosurev1.WithdrawByCaseRequest{
			CaseId: l.GetListingId(), Kind: kindListing, Cause: cause, CauseTime: since, Reason: words,
		})
		if err != nil {
			return err
		}
		if _, err := a.Disclosure.WithdrawByCase(ctx, req); err != nil {
			return err
		}
	}
	_, err := a.Credit.RecordListingPublication(ctx, &creditv1.RecordListingPublicationRequest{
		RequestId: derived(l.GetListingId() + "/unpublished"), ListingId: l.GetListingId(), PublicationId: l.GetPublicationId(), Withdrawn: true,
	})
	return err
}

// endLists ends the entries that have reached their latest end, and brings what is public in line with the lists.
func (a *Activities) endLists(ctx context.Context) error {
	for more := true; more; {
		now := a.now().UTC().Format(time.RFC3339Nano)
		resp, err := a.Credit.ExpireListings(ctx, &creditv1.ExpireListingsRequest{RequestId: derived("expire/" + now)})
		if err != nil {
			return err
		}
		more = resp.GetMore()
	}
	return a.publishLists(ctx)
}

// listsUnstarted starts the workflows of proposals and applications that nobody started.
func (a *Activities) listsUnstarted(ctx context.Context, older *durationpb.Duration, begin func(func(context.Context) (bool, error)) error) error {
	for _, of := range []struct {
		kind  string
		start func(context.Context, string) (bool, error)
	}{{"listing", a.runs.StartListing}, {"repair", a.runs.StartRepair}} {
		for token, more := "", true; more; more = token != "" {
			page, err := a.Credit.ListUnstartedMatters(ctx, &creditv1.ListUnstartedMattersRequest{
				Kind: of.kind, PageSize: 500, PageToken: token, OlderThan: older,
			})
			if err != nil {
				return err
			}
			for _, id := range page.GetIds() {
				if err := begin(func(ctx context.Context) (bool, error) { return of.start(ctx, id) }); err != nil {
					return err
				}
			}
			token = page.GetNextPageToken()
		}
	}
	return nil
}
