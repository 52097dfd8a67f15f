package workflows

// Outcomes of the steps of a case beyond those that other steps have too.
const (
	opened       = "opened"
	notOpened    = "not_opened"
	appointed    = "appointed"
	simplified   = "simplified"
	transfer     = "transfer"
	adopted      = "adopted"
	notAdopted   = "not_adopted"
	announced    = "announced"
	hearingHeld  = "held"
	abandoned    = "abandoned"
	passed       = "passed"
	agreed       = "agreed"
	performed    = "performed"
	unperformed  = "unperformed"
	instalments  = "instalments"
	applied      = "applied"
	notApplied   = "not_applied"
	enforced     = "enforced"
	terminated   = "terminated"
	refused      = "refused"
	sent         = "sent"
	crime        = "crime"
	extended     = "extended"
	reversal     = "reversed"
	maintained   = "maintained"
	methodPublic = "public_notice"
)

// caseSteps are the steps that a case's owner plans. What it plans says agency, role, outcomes and basis itself; the rows
// are what people and tests look a step up in.
var caseSteps = []step{
	{"case_open", ofCase, roleHead, []string{opened, notOpened}, "open_15wd", "", ""},
	{"appoint", ofCase, roleHead, []string{appointed}, "appoint_3wd", "", ""}, // 行政处罚法 42
	{"answer_statement", ofCase, roleWorker, []string{adopted, notAdopted}, "answer_5wd", "", ""},
	{"announce_hearing", ofCase, roleReview, []string{announced}, "announce_hearing_5wd", "", ""}, // 行政处罚法 64
	{"hold_hearing", ofCase, roleReview, []string{hearingHeld, abandoned}, "hearing_20wd", "", ""},
	{"legal_review", ofCase, roleReview, []string{passed, returned}, "legal_review_5wd", "", ""}, // 行政处罚法 58
	{"discuss", ofCase, roleHead, []string{agreed, returned}, "discuss_5wd", "", ""},             // 行政处罚法 57
	{"onspot", ofCase, roleWorker, []string{delivered}, "onspot_same_day", "", ""},               // 行政处罚法 51, 52
	{"confirm_performance", ofCase, roleWorker, []string{performed, unperformed, instalments}, "confirm_performance_3wd", "", ""},
	{"instalments_sign", ofCase, roleHead, []string{approved, refused}, "sign_3wd", "", ""}, // 行政处罚法 66
	{"demand", ofCase, roleWorker, []string{served}, "demand_serve_5wd", "", ""},            // 行政强制法 54
	{"apply_court", ofCase, roleHead, []string{applied, notApplied}, "court_3m", "", ""},    // 行政强制法 53
	{"court_result", ofCase, roleWorker, []string{enforced, terminated}, "court_result_6m", "", ""},
	{"transfer_approve", ofCase, roleHead, []string{approved, refused}, "transfer_3d", "", ""},
	{"transfer_send", ofCase, roleWorker, []string{sent}, "transfer_24h", "", ""},
	{"police_decide", ofPolice, roleWorker, []string{accepted, returned}, "police_3d", "", ""},
	{"police_result", ofPolice, roleWorker, []string{crime, returned}, "police_result_60d", "", ""},
	{"extend_sign", ofCase, roleHead, []string{extended, refused}, "sign_3wd", "", ""}, // 行政处罚法 60
	{"reverse", ofCase, roleHead, []string{reversal, maintained}, "reverse_5wd", "", ""},
	{"designate_case", ofSuperior, roleHead, []string{designated}, "designate_7wd", "", ""}, // 行政处罚法 25
}
