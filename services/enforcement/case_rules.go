package enforcement

import (
	"fmt"
	"regexp"
	"time"

	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// States of a case.
const (
	opened        = "OPENED"
	investigating = "INVESTIGATING"
	noticeServed  = "NOTICE_SERVED"
	decided       = "DECIDED"
	closed        = "CLOSED"
)

// noPenalty is the kind of a decision that punishes nobody.
const noPenalty = "none"

// rank orders the states; a case only ever goes forward.
var rank = map[string]int{opened: 0, investigating: 1, noticeServed: 2, decided: 3, closed: 4}

var (
	creditCode = regexp.MustCompile(`^[0-9A-Z]{18}$`)
	partyRoles = map[string]bool{"advertiser": true, roleCaller: true, "data_supplier": true, "access_operator": true}
)

func checkParty(p *enforcementv1.Party) error {
	const maxName = 200
	switch {
	case p.GetName() == "" || len([]rune(p.GetName())) > maxName:
		return errs.Field("party.name", "must have 1 to %d characters", maxName)
	case !partyRoles[p.GetRole()]:
		return errs.Field("party.role", "must be advertiser, caller, data_supplier or access_operator")
	case p.GetPerson() && p.GetCreditCode() != "":
		return errs.Field("party.credit_code", "must be empty for a natural person")
	case p.GetCreditCode() != "" && !creditCode.MatchString(p.GetCreditCode()):
		return errs.Field("party.credit_code", "must be 18 digits and capital letters")
	}
	return nil
}

// caseNo is the public number of a case: the word of its office, that of cases, the year and the count.
func caseNo(short string, year int32, n int64) string {
	return fmt.Sprintf("%s%s〔%d〕%d号", short, caseWord, year, n)
}

// yearOf is the year of a case number.
func yearOf(t time.Time) int32 { return int32(t.In(calendar.Shanghai).Year()) }

// advances says whether a case in a state takes the next one: act is false when it is there already.
func advances(state, next string) (act bool, err error) {
	switch {
	case state == next:
		return false, nil
	case rank[next] == rank[state]+1:
		return true, nil
	}
	return false, wrongState("a case that is %s cannot become %s", state, next)
}

// decides says whether a case in a state may be decided so. Without a notice nobody is punished (行政处罚法 44, 45, 62).
func decides(state string, notice *time.Time, decidedTime time.Time, kind string) error {
	if state != investigating && state != noticeServed {
		return wrongState("a case that is %s cannot be decided", state)
	}
	if kind == noPenalty {
		return nil
	}
	if notice == nil || state != noticeServed {
		return wrongState("no penalty without a notice served before it")
	}
	if decidedTime.Before(*notice) {
		return wrongState("the decision must not be older than the notice")
	}
	return nil
}

// checkDecision refuses what no decision may be, whatever the case.
func checkDecision(d *enforcementv1.CaseDecision) error {
	p := d.GetPenalty()
	fen := p.GetAmount().GetFen()
	switch {
	case p == nil:
		return errs.Field("decision.penalty", "must be given")
	case d.GetProposedBy() == "" || d.GetReviewedBy() == "" || d.GetSignedBy() == "":
		return errs.Field("decision", "must name who proposed, reviewed and signed it")
	case d.GetProposedBy() == d.GetReviewedBy() || d.GetReviewedBy() == d.GetSignedBy() || d.GetProposedBy() == d.GetSignedBy():
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON,
			"proposer, reviewer and signer must be three people")
	}
	return checkPenalty(p, fen)
}

func checkPenalty(p *assignmentv1.PenaltyDetail, fen int64) error {
	money := p.GetKind() == "fine" || p.GetKind() == "confiscation"
	switch {
	case p.GetKind() != noPenalty && p.GetBasis() == "":
		return errs.Field("decision.penalty.basis", "must name the article: no penalty without law (行政处罚法 38)")
	case fen < 0 || (fen > 0 && !money):
		return errs.Field("decision.penalty.amount", "must stand with a fine or a confiscation only")
	case p.GetKind() == "fine" && fen == 0:
		return errs.Field("decision.penalty.amount", "must be given for a fine")
	case p.GetKind() == noPenalty && (p.GetListParty() || p.GetPublish()):
		return errs.Field("decision.penalty", "nothing is listed or published without a penalty")
	}
	return nil
}

// outcomeOf is what a decision means to the complaints.
func outcomeOf(kind string) string {
	if kind == noPenalty {
		return "no_penalty"
	}
	return "penalty"
}

func wrongState(format string, args ...any) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, format, args...)
}
