package workflows

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"

	"quietline/internal/errs"
	"quietline/internal/persons"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Facts on tasks that the rules below read.
const (
	factBounces        = "bounces"
	factUnverifiedOnly = "unverified_only"
	factParties        = "parties"
	factParty          = "party_agency_id" // the agency that is itself reported
	factBounceUntil    = "bounce_until"    // a fact check may be sent back until then
	factUnsettled      = "unsettled"       // why no competence is settled: the decision must name who leads
)

// What a person may say that a matter is about; the owners of statistics and routing know no other words.
var (
	categories = []string{commercial, "malicious", criminal}
	sectors    = []string{
		"loans", "credit_card", "insurance", "securities", "funds", "real_estate", "education", "medical_maternity",
		"medical_beauty", "health_food", "recruitment", "housekeeping", "travel", "retail", "telecom", "debt_collection", "other",
	}
)

// creditCode is the form of a unified social credit code (GB 32100-2015): no I, O, S, V, Z.
var creditCode = regexp.MustCompile(`^[0-9A-HJ-NPQRTUWXY]{18}$`)

// checkDecision says whether a decision is complete: one of the task's outcomes, with what that outcome needs. It is
// pure, so that the update's validator can ask it; what needs another row is asked by the activity that records.
func checkDecision(t *assignmentv1.Task, d *assignmentv1.Decision) error {
	if t.GetStep() == stepFactCheck.name && d.GetOutcome() == bounced && bounceCount(t) >= maxBounces {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_BOUNCE_LIMIT,
			"the matter was sent back %d times and stays where the joint meeting put it", maxBounces)
	}
	if !slices.Contains(t.GetOutcomes(), d.GetOutcome()) {
		return errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_OUTCOME_NOT_ALLOWED,
			"%q is not an outcome of the step %s; it has %q", d.GetOutcome(), t.GetStep(), t.GetOutcomes())
	}
	if err := checkWords(d); err != nil {
		return err
	}
	for _, rule := range decisionRules {
		if rule.step != t.GetStep() || !slices.Contains(rule.outcomes, d.GetOutcome()) || !ruled(t, rule) {
			continue
		}
		if err := rule.check(t, d); err != nil {
			return err
		}
	}
	return checkCaseDecision(t, d)
}

// checkWords holds what every decision may carry to what its owners can take: a class of the lists, text without NUL.
func checkWords(d *assignmentv1.Decision) error {
	category, sector := d.GetDetail().GetCategory(), d.GetDetail().GetSector()
	if err := required(category == "" || slices.Contains(categories, category), "detail.category", "must be one of %q", categories); err != nil {
		return err
	}
	if err := required(sector == "" || slices.Contains(sectors, sector), "detail.sector", "must be one of %q", sectors); err != nil {
		return err
	}
	return required(!hasNUL(d.ProtoReflect()), "detail", "must not hold the character NUL")
}

// hasNUL says whether a text in a message holds the character that no database stores.
func hasNUL(m protoreflect.Message) bool {
	found := false
	_ = protorange.Range(m, func(v protopath.Values) error { // an error would be ours; there is none
		text, ok := v.Index(-1).Value.Interface().(string)
		found = found || ok && strings.ContainsRune(text, 0)
		return nil
	})
	return found
}

// decisionRule is what some outcomes of a step need.
type decisionRule struct {
	step     string
	outcomes []string
	check    func(*assignmentv1.Task, *assignmentv1.Decision) error
}

var decisionRules = []decisionRule{
	{"accept", []string{notAccepted, supplementDue}, needsReason},
	{"assign", []string{assigned}, needsSector},
	{"assign", []string{assigned}, needsLeadWhereUnsettled},
	{"number_check", []string{ported}, needsPortedTo},
	{"fact_check", []string{bounced}, needsReason},
	{"fact_check", []string{bounced}, needsShouldAct},
	{"fact_check", []string{concluded}, needsFindings},
	{"recheck", []string{overturned}, needsFindings},
	{"designate", []string{designated}, needsLead},
	{"transfer", []string{returned}, needsReason},
	{"handle", []string{measures, measuresCase}, needsMeasures},
	{"handle", []string{onlyCase, noMeasure}, needsNoMeasures},
	{"handle", []string{onlyCase, measuresCase}, needsParties},
	{"handle", []string{noMeasure}, needsReason},
	{"review", []string{returned}, needsReason},
	{"sign", []string{returned}, needsReason},
	{"execute", []string{failed}, needsReason},
	{"investigate", []string{proposed}, needsPenalty},
	{"investigate", []string{noPenalty}, needsReason},
	{"case_review", []string{returned}, needsReason},
	{"case_sign", []string{returned}, needsReason},
	{"recall_review", []string{returned}, needsReason},
	{"recall_sign", []string{returned}, needsReason},
	{"decide_objection", []string{upheld, dismissed}, needsReply},
	{"appeal_review", []string{upheld, dismissed}, needsReply},
	{"appeal_answer", []string{upheld, dismissed}, needsReply},
	{"restore", []string{nothingToDo}, needsReason},
	{"listing_review", []string{returned}, needsReason},
	{"listing_sign", []string{returned}, needsReason},
	{"listing_objection", []string{upheld, dismissed}, needsReply},
	{"repair_review", []string{granted, refused}, needsReply},
	{"publication_review", []string{returned}, needsReason},
	{"publication_sign", []string{returned}, needsReason},
}

func needsReason(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(d.GetReasonCode() != "", "reason_code", "must say why")
}

// needsReply: whoever objects or appeals is told why, in words.
func needsReply(t *assignmentv1.Task, d *assignmentv1.Decision) error {
	if err := needsReason(t, d); err != nil {
		return err
	}
	return required(d.GetDetail().GetReply() != "", "detail.reply", "must answer in words")
}

func needsSector(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	if err := required(d.GetDetail().GetCategory() != "", "detail.category", "must name the category"); err != nil {
		return err
	}
	return required(complete(d.GetDetail().GetCategory(), d.GetDetail().GetSector()), "detail.sector", "must name the sector")
}

func needsLeadWhereUnsettled(t *assignmentv1.Task, d *assignmentv1.Decision) error {
	if t.GetFacts()[factUnsettled] == "" {
		return nil
	}
	return needsLead(t, d)
}

func needsPortedTo(t *assignmentv1.Task, d *assignmentv1.Decision) error {
	who := d.GetDetail().GetPortedTo()
	return required(who != "" && who != t.GetAgencyId(), "detail.ported_to", "must name the operator that serves the number now")
}

func needsShouldAct(t *assignmentv1.Task, d *assignmentv1.Decision) error {
	who := d.GetDetail().GetShouldActAgencyId()
	return required(who != "" && who != t.GetAgencyId(), "detail.should_act_agency_id", "must name another agency that should act")
}

func needsLead(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(d.GetDetail().GetLeadAgencyId() != "", "detail.lead_agency_id", "must name the agency that leads")
}

func needsFindings(t *assignmentv1.Task, d *assignmentv1.Decision) error {
	findings := d.GetDetail().GetFindings()
	if err := required(len(findings) > 0, "detail.findings", "must hold at least one finding"); err != nil {
		return err
	}
	for i, f := range findings {
		// Whatever has no report of its own is the rest, so it can stand once and last only.
		if len(f.GetReportIds()) == 0 && i < len(findings)-1 {
			return errs.Field("detail.findings", "only the last finding may leave out its reports and mean the rest")
		}
	}
	if needsMore(t, d) {
		return required(len(d.GetDetail().GetEvidenceIds()) > 0, "detail.evidence_ids",
			"must name evidence: reports whose sender is not verified never suffice alone")
	}
	return checkParties(d)
}

// needsMore says whether a decision needs evidence: reports of unverified reporters never suffice alone.
func needsMore(t *assignmentv1.Task, d *assignmentv1.Decision) bool {
	return t.GetFacts()[factUnverifiedOnly] == "true" && verdictOf(d.GetDetail().GetFindings()) == substantiated
}

func checkParties(d *assignmentv1.Decision) error {
	for _, p := range d.GetDetail().GetParties() {
		if p.GetCreditCode() != "" && !creditCode.MatchString(p.GetCreditCode()) {
			return errs.Field("detail.parties", "a credit code has 18 digits and capital letters other than I, O, S, V, Z")
		}
		if persons.IsID(p.GetCreditCode()) { // it would stand in lists and feeds as the code of a firm
			return errs.Field("detail.parties", "an identity number is no credit code; a natural person is named as a person, without a code")
		}
		if p.GetPerson() && p.GetCreditCode() != "" {
			return errs.Field("detail.parties", "a natural person has no credit code")
		}
	}
	return nil
}

func needsMeasures(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(len(d.GetDetail().GetMeasures()) > 0, "detail.measures", "must name at least one measure of the catalogue")
}

func needsNoMeasures(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(len(d.GetDetail().GetMeasures()) == 0, "detail.measures", "must be empty with this outcome")
}

// needsParties: a case is against somebody, named by the fact check or here.
func needsParties(t *assignmentv1.Task, d *assignmentv1.Decision) error {
	if err := checkParties(d); err != nil {
		return err
	}
	known, _ := strconv.Atoi(t.GetFacts()[factParties])
	return required(known > 0 || len(suable(d.GetDetail().GetParties())) > 0, "detail.parties",
		"must name a firm with its credit code, or a person, for the case")
}

func needsPenalty(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	p := d.GetDetail().GetPenalty()
	if err := required(p != nil && p.GetKind() != "none", "detail.penalty", "must propose a penalty"); err != nil {
		return err
	}
	if err := required(p.GetBasis() != "", "detail.penalty.basis", "must name the legal basis"); err != nil {
		return err
	}
	fen := p.GetAmount().GetFen()
	if p.GetKind() == "fine" && fen <= 0 {
		return errs.Field("detail.penalty.amount", "must be more than nothing")
	}
	return required(fen == 0 || fen > 0 && (p.GetKind() == "fine" || p.GetKind() == "confiscation"),
		"detail.penalty.amount", "must stand with a fine or a confiscation only")
}

func required(ok bool, field, format string, args ...any) error {
	if ok {
		return nil
	}
	return errs.Field(field, format, args...)
}

// suable are the parties that a case can be opened against.
func suable(parties []*assignmentv1.PartyDetail) []*assignmentv1.PartyDetail {
	var out []*assignmentv1.PartyDetail
	for _, p := range parties {
		if p.GetPerson() || p.GetCreditCode() != "" {
			out = append(out, p)
		}
	}
	return out
}

// verdictOf is what findings come to for the complaint: one substantiated report is enough.
func verdictOf(findings []*assignmentv1.FindingDetail) string {
	verdict := noEvidence
	for _, f := range findings {
		switch f.GetResult() {
		case substantiated:
			return substantiated
		case notSubstantiated:
			verdict = notSubstantiated
		}
	}
	return verdict
}

func bounceCount(t *assignmentv1.Task) int {
	n, _ := strconv.Atoi(t.GetFacts()[factBounces])
	return n
}
