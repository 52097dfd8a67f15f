package enforcement

import accessv1 "quietline/proto/quietline/access/v1"

// States beside those of case_rules.go. A state names the last stage that was reached.
const (
	stateStatement   = "STATEMENT"
	stateHearing     = "HEARING"
	stateLegal       = "LEGAL_REVIEW"
	stateDiscussion  = "DISCUSSION"
	stateDelivered   = "DELIVERED"
	statePerforming  = "PERFORMING"
	statePerformed   = "PERFORMED"
	stateDemanded    = "DEMANDED"
	stateEnforced    = "ENFORCED"
	stateTransferred = "TRANSFERRED"
	stateNoPenalty   = "NO_PENALTY"
	stateReversed    = "REVERSED"
)

// states are all states of a case, for filters.
var states = []string{opened, investigating, noticeServed, stateStatement, stateHearing, stateLegal, stateDiscussion, decided, stateDelivered,
	statePerforming, statePerformed, stateDemanded, stateEnforced, closed, stateTransferred, stateNoPenalty, stateReversed}

// Steps that people decide.
const (
	stepOpen        = "case_open"
	stepAppoint     = "appoint"
	stepInvestigate = "investigate"
	stepReview      = "case_review"
	stepNotice      = "serve_notice"
	stepAnswer      = "answer_statement"
	stepAnnounce    = "announce_hearing"
	stepHold        = "hold_hearing"
	stepLegal       = "legal_review"
	stepDiscuss     = "discuss"
	stepSign        = "case_sign"
	stepOnspot      = "onspot"
	stepDeliver     = "deliver"
	stepConfirm     = "confirm_performance"
	stepParts       = "instalments_sign"
	stepDemand      = "demand"
	stepCourt       = "apply_court"
	stepCourtResult = "court_result"
	stepApprove     = "transfer_approve"
	stepSend        = "transfer_send"
	stepPolice      = "police_decide"
	stepPoliceEnd   = "police_result"
	stepExtend      = "extend_sign"
	stepReverse     = "reverse"
	stepDesignate   = "designate_case"
	stepRestore     = "restore"
)

// Lines of the log that no task wrote.
const (
	logOpen             = "open"
	logRequest          = "request"
	logRecuse           = "recuse"
	logDispute          = "dispute"
	logStatement        = "statement"
	logWaiver           = "waiver"
	logHearingRequest   = "hearing_request"
	logHearingWaiver    = "hearing_waiver"
	logHearingWithdrawn = "hearing_withdrawn"
	logPayment          = "payment"
	logRemit            = "remit"
	logAgreed           = "police_agreed"
	logRemedy           = "remedy"
	logWithdrawn        = "withdrawn"
	logLate             = "late"
	logBefore           = "before"
)

// Outcomes that the rules look at.
const (
	outReturned  = "returned"
	outAdopted   = "adopted"
	outOrdinary  = "ordinary"
	outInTime    = "in_time"
	outProposed  = "proposed"
	outNoPenalty = "no_penalty"
	outSimple    = "simplified"
	outTransfer  = "transfer"
	outApproved  = "approved"
	outHeld      = "held"
	outPassed    = "passed"
	outAgreed    = "agreed"
	outSigned    = "signed"
	outDelivered = "delivered"
	outPerformed = "performed"
	outUnpaid    = "unperformed"
	outApplied   = "applied"
	outAccepted  = "accepted"
	outReversed  = "reversed"
	outRefused   = "refused"
	outFailed    = "not_delivered"
	outNotTaken  = "not_applied"
	outCrime     = "crime"
	outOpened    = "opened"
	outNotOpened = "not_opened"
	outParts     = "instalments"
	outRestored  = "restored"
)

// Kinds of effects.
const (
	effBegin      = "begin"
	effTell       = "tell_complaints"
	effList       = "list_party"
	effPublish    = "publish"
	effUnlist     = "withdraw_listing"
	effUnpublish  = "withdraw_publication"
	effRestore    = "restore_resource"
	effProcurator = "copy_procuratorate"
)

// way is what a step is: who decides it, what may come of it, and what its term is.
type way struct {
	role     accessv1.Role
	outcomes []string
	basis    string
	article  string
}

const (
	caseworker = accessv1.Role_ROLE_CASEWORKER
	reviewer   = accessv1.Role_ROLE_REVIEWER
	head       = accessv1.Role_ROLE_HEAD
	operator   = accessv1.Role_ROLE_OPERATOR
)

// ways are the steps of the procedure.
var ways = map[string]way{
	stepOpen:        {head, []string{outOpened, outNotOpened}, "open_15wd", "行政处罚法 第五十四条"},
	stepAppoint:     {head, []string{"appointed"}, "appoint_3wd", "行政处罚法 第四十二条"},
	stepInvestigate: {caseworker, []string{outProposed, outNoPenalty, outSimple, outTransfer}, "case_90d", "行政处罚法 第五十四条"},
	stepReview:      {reviewer, []string{outApproved, outReturned}, "review_3wd", "行政处罚法 第五十七条"},
	stepNotice:      {caseworker, []string{"served"}, "serve_7wd", "行政处罚法 第四十四条"},
	stepAnswer:      {caseworker, []string{outAdopted, "not_adopted"}, "answer_5wd", "行政处罚法 第四十五条"},
	stepAnnounce:    {reviewer, []string{"announced"}, "announce_hearing_5wd", "行政处罚法 第六十四条"},
	stepHold:        {reviewer, []string{outHeld, "abandoned"}, "hearing_20wd", "行政处罚法 第六十四条"},
	stepLegal:       {reviewer, []string{outPassed, outReturned}, "legal_review_5wd", "行政处罚法 第五十八条"},
	stepDiscuss:     {head, []string{outAgreed, outReturned}, "discuss_5wd", "行政处罚法 第五十七条"},
	stepSign:        {head, []string{outSigned, outReturned}, "sign_3wd", "行政处罚法 第五十七条"},
	stepOnspot:      {caseworker, []string{outDelivered, outOrdinary}, "onspot_same_day", "行政处罚法 第五十一条、第五十二条"},
	stepDeliver:     {caseworker, []string{outDelivered, outFailed}, "deliver_7wd", "行政处罚法 第六十一条"},
	stepConfirm:     {caseworker, []string{outPerformed, outUnpaid, outParts}, "confirm_performance_3wd", "行政处罚法 第六十六条、第六十七条"},
	stepParts:       {head, []string{outApproved, outRefused}, "sign_3wd", "行政处罚法 第六十六条"},
	stepDemand:      {caseworker, []string{"served"}, "demand_serve_5wd", "行政强制法 第五十四条"},
	stepCourt:       {head, []string{outApplied, outNotTaken}, "court_3m", "行政强制法 第五十三条"},
	stepCourtResult: {caseworker, []string{"enforced", "terminated"}, "court_result_6m", "行政处罚法 第七十二条"},
	stepApprove:     {head, []string{outApproved, outRefused}, "transfer_3d", "行政处罚法 第二十七条"},
	stepSend:        {caseworker, []string{"sent"}, "transfer_24h", "行政处罚法 第二十七条"},
	stepPolice:      {caseworker, []string{outAccepted, outReturned}, "police_3d", "行政执法机关移送涉嫌犯罪案件的规定 第八条"},
	stepPoliceEnd:   {caseworker, []string{outCrime, outReturned}, "police_result_60d", "行政处罚法 第二十七条"},
	stepExtend:      {head, []string{"extended", outRefused}, "sign_3wd", "行政处罚法 第六十条"},
	stepReverse:     {head, []string{outReversed, "maintained"}, "reverse_5wd", "行政处罚法 第七十五条"},
	stepRestore:     {operator, []string{outRestored, "nothing_to_restore"}, "restore_1wd", "行政处罚法 第四十八条"},
	stepDesignate:   {reviewer, []string{"designated"}, "designate_7wd", "行政处罚法 第二十五条"},
}
