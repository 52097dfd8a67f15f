package workflows

import (
	"strings"

	accessv1 "quietline/proto/quietline/access/v1"
)

// Agencies that steps name directly; all others come from routing and the ledger.
const (
	centre       = "centre-12321" // takes reports in, decides where the rules are unsure
	leadMinistry = "miit"         // leads the programme; caretaker of what nobody takes
)

// Profiles.
const (
	Statutory = "statutory"
	Rehearsal = "rehearsal" // real spans divided, statutory dates shown beside
)

// Outcomes of the steps, as they stand on task rows and in decisions.
const (
	accepted       = "accepted"
	notAccepted    = "not_accepted"
	supplementDue  = "supplement_asked"
	urgentCriminal = "urgent_criminal"
	assigned       = "assigned"
	preserved      = "preserved"
	nothingHeld    = "nothing_held"
	found          = "found"
	notFound       = "not_found"
	ported         = "ported"
	forged         = "forged"
	reassigned     = "reassigned"
	notInUse       = "not_in_use"
	traced         = "traced"
	notTraced      = "not_traced"
	concluded      = "concluded"
	bounced        = "bounced"
	designated     = "designated"
	confirmed      = "confirmed"
	overturned     = "overturned"
	notCovered     = "not_covered"
	returned       = "returned"
	measures       = "measures"
	onlyCase       = "case"
	measuresCase   = "measures_and_case"
	noMeasure      = "no_measure"
	approved       = "approved"
	signed         = "signed"
	done           = "done"
	failed         = "failed"
	proposed       = "proposed"
	noPenalty      = "no_penalty"
	served         = "served"
	delivered      = "delivered"
	upheld         = "upheld"
	dismissed      = "dismissed"
	restored       = "restored"
	nothingToDo    = "nothing_to_restore"
	granted        = "granted"
	lifted         = "lifted"
	rectified      = "rectified"
	notRectified   = "not_rectified"
)

// Whose selectors: who acts in a step, found by the workflow when it asks.
type whose string

const (
	ofCentre    whose = "centre"
	ofPreserver whose = "preserver" // access operator, else the serving one
	ofVerifier  whose = "verifier"
	ofTracer    whose = "tracer" // the reporter's operator
	ofLead      whose = "lead"
	ofDecider   whose = "decider"  // of a bounce
	ofSuperior  whose = "superior" // of the lead
	ofPolice    whose = "police"
	ofExecutor  whose = "executor"  // of a measure
	ofCase      whose = "case"      // the case's agency
	ofRecaller  whose = "recaller"  // the administration that proposed the recall
	ofOrderer   whose = "orderer"   // who ordered what is appealed against
	ofAccess    whose = "access"    // who gave the resource access
	ofInspector whose = "inspector" // who inspected a resource in a campaign
	ofLister    whose = "lister"    // who lists, and therefore repairs (谁认定谁修复)
	ofPunisher  whose = "punisher"  // who has a measure of its own against a listed party
	ofPublisher whose = "publisher" // who exposes or circulates
)

// step is a row of the table of human steps.
type step struct {
	name     string
	agency   whose
	role     accessv1.Role
	outcomes []string
	basis    string // of the deadline, in the table of package calendar
	stage    string // written to the complaint; empty: it stays where it is
	part     string // the agency takes in the complaint from now on
}

const (
	roleCentre = accessv1.Role_ROLE_CENTRE
	roleWorker = accessv1.Role_ROLE_CASEWORKER
	roleReview = accessv1.Role_ROLE_REVIEWER
	roleHead   = accessv1.Role_ROLE_HEAD
	// roleOperator becomes CASEWORKER when the agency is no operator: a provincial administration stands in.
	roleOperator = accessv1.Role_ROLE_OPERATOR
	roleLead     = accessv1.Role_ROLE_LEAD
)

// The steps of a complaint, in their order, and those of a case, a recall and an appeal.
var (
	stepAccept = step{"accept", ofCentre, roleCentre,
		[]string{accepted, notAccepted, supplementDue, urgentCriminal}, "accept_1wd", "accept", "co"}
	stepAssign = step{"assign", ofCentre, roleCentre,
		[]string{assigned, urgentCriminal}, "assign_3wd", "assign", "co"}
	stepPreserve = step{"preserve", ofPreserver, roleOperator,
		[]string{preserved, nothingHeld}, "preserve_same_day", "", "preserver"}
	stepNumberCheck = step{"number_check", ofVerifier, roleOperator,
		[]string{found, notFound, ported, forged, reassigned, notInUse}, "number_check_3wd", "number_check", "verifier"}
	stepTraceback = step{"traceback", ofTracer, roleOperator,
		[]string{traced, notTraced}, "traceback_1wd", "number_check", "verifier"}
	stepFactCheck = step{"fact_check", ofLead, roleWorker,
		[]string{concluded, bounced}, "fact_check_15wd", "fact_check", "lead"}
	stepDesignate = step{"designate", ofDecider, roleHead, // LEAD for a coordination opinion
		[]string{designated}, "designate_7wd", "assign", "superior"}
	stepRecheck = step{"recheck", ofSuperior, roleReview,
		[]string{confirmed, overturned}, "recheck_5wd", "fact_check", "superior"}
	stepLateCheck = step{"late_check", ofLead, roleWorker,
		[]string{confirmed, notCovered}, "late_check_3wd", "fact_check", "lead"}
	stepTransfer = step{"transfer", ofPolice, roleWorker,
		[]string{accepted, returned}, "police_3d", "handle", "lead"}
	stepHandle = step{"handle", ofLead, roleWorker,
		[]string{measures, onlyCase, measuresCase, noMeasure}, "handle_15wd", "handle", "lead"}
	stepReview = step{"review", ofLead, roleReview,
		[]string{approved, returned}, "review_3wd", "handle", "lead"}
	stepSign = step{"sign", ofLead, roleHead,
		[]string{signed, returned}, "sign_3wd", "handle", "lead"}
	stepExecute = step{"execute", ofExecutor, roleOperator,
		[]string{done, failed}, "execute_5wd", "handle", "executor"}

	stepInvestigate = step{"investigate", ofCase, roleWorker,
		[]string{proposed, noPenalty, simplified, transfer}, "case_90d", "", ""} // 行政处罚法 60
	stepCaseReview = step{"case_review", ofCase, roleReview,
		[]string{approved, returned}, "review_3wd", "", ""}
	stepServeNotice = step{"serve_notice", ofCase, roleWorker,
		[]string{served}, "serve_7wd", "", ""}
	stepCaseSign = step{"case_sign", ofCase, roleHead,
		[]string{signed, returned}, "sign_3wd", "", ""}
	stepDeliver = step{"deliver", ofCase, roleWorker,
		[]string{delivered}, "deliver_7wd", "", ""} // 行政处罚法 61

	stepRecallReview = step{"recall_review", ofRecaller, roleReview,
		[]string{approved, returned}, "review_3wd", "", ""}
	stepRecallSign = step{"recall_sign", ofRecaller, roleHead,
		[]string{signed, returned}, "sign_3wd", "", ""}
	stepDecideObjection = step{"decide_objection", ofRecaller, roleReview,
		[]string{upheld, dismissed}, "objection_10wd", "", ""}
	stepAppealReview = step{"appeal_review", ofOrderer, roleReview,
		[]string{upheld, dismissed}, "appeal_30d", "", ""} // 电信条例 39
	stepAppealAnswer = step{"appeal_answer", ofOrderer, roleOperator,
		[]string{upheld, dismissed}, "appeal_operator_15d", "", ""}
	stepRestore = step{"restore", ofAccess, roleOperator,
		[]string{restored, nothingToDo}, "restore_1wd", "", ""} // 反电信网络诈骗法 32

	stepAuditRectify = step{"audit_rectify", ofAccess, roleOperator,
		[]string{rectified, notRectified}, "rectify_30d", "", ""} // its own term: that of the findings
	stepAuditAccept = step{"audit_accept", ofInspector, roleWorker,
		[]string{confirmed, returned}, "review_3wd", "", ""}

	stepListingReview = step{"listing_review", ofLister, roleReview,
		[]string{approved, returned}, "review_3wd", "", ""}
	stepListingNotify = step{"listing_notify", ofLister, roleWorker,
		[]string{served}, "serve_7wd", "", ""}
	stepListingObjection = step{"listing_objection", ofLister, roleReview,
		[]string{upheld, dismissed}, "objection_10wd", "", ""}
	stepListingSign = step{"listing_sign", ofLister, roleHead,
		[]string{signed, returned}, "sign_3wd", "", ""}
	stepRepairReview = step{"repair_review", ofLister, roleReview,
		[]string{granted, refused}, "repair_decide_10wd", "", ""} // 信用修复管理办法
	stepLiftMeasure = step{"lift_measure", ofPunisher, roleWorker,
		[]string{lifted}, "lift_3wd", "", ""} // 信用修复管理办法

	stepPublicationReview = step{"publication_review", ofPublisher, roleReview,
		[]string{approved, returned}, "review_3wd", "", ""}
	stepPublicationSign = step{"publication_sign", ofPublisher, roleHead,
		[]string{signed, returned}, "sign_3wd", "", ""}
)

// steps is the whole table, for tests and for looking a step up by its name.
var steps = append([]step{
	stepAccept, stepAssign, stepPreserve, stepNumberCheck, stepTraceback, stepFactCheck, stepDesignate, stepRecheck,
	stepLateCheck, stepTransfer, stepHandle, stepReview, stepSign, stepExecute,
	stepInvestigate, stepCaseReview, stepServeNotice, stepCaseSign, stepDeliver,
	stepRecallReview, stepRecallSign, stepDecideObjection, stepAppealReview, stepAppealAnswer, stepRestore,
	stepAuditRectify, stepAuditAccept,
	stepListingReview, stepListingNotify, stepListingObjection, stepListingSign, stepRepairReview, stepLiftMeasure,
	stepPublicationReview, stepPublicationSign,
}, caseSteps...)

// Bases of waits that are nobody's task.
const (
	basisWatch      = "watch_30d"
	basisSupplement = "supplement_15d"
	basisStatement  = "statement_5wd"
	basisBounce     = "bounce_5wd"
	basisNotice     = "recall_notice_30d"
	basisHeard      = "listing_statement_5wd"
)

// Bounds of the script.
const (
	maxLevel   = 2 // levels of escalation
	maxBounces = 3 // the third goes to the joint meeting
)

// without is the step with one outcome less.
func (s step) without(outcome string) step {
	var rest []string
	for _, o := range s.outcomes {
		if o != outcome {
			rest = append(rest, o)
		}
	}
	s.outcomes = rest
	return s
}

// by is the step done by another role.
func (s step) by(role accessv1.Role) step {
	s.role = role
	return s
}

// Categories of level 1.
const (
	commercial = "commercial"
	criminal   = "criminal"
)

// Results of a complaint that are no outcome of a step.
const (
	substantiated    = "substantiated" // of the fact check; the handling gives the result
	notSubstantiated = "not_substantiated"
	noEvidence       = "no_evidence"
	transferred      = "transferred"
	withdrawn        = "withdrawn"
	caseNoPenalty    = "case_no_penalty" // every case against its parties ended without a penalty
)

// spoofed says whether a number's kind alone shows that it is forged.
func spoofed(kind string) bool { return strings.HasSuffix(kind, "_spoofed") }
