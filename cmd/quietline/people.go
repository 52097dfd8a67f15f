package main

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/google/uuid"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// people decides as the people of the agencies might: mostly one way, now and then another. The same seed and task
// give the same decision, with the same request ID, so that driving on after a crash repeats nothing.
type people struct{ seed uint64 }

// option is an outcome with its weight among a hundred.
type option struct {
	outcome string
	weight  int
}

// habits are the outcomes that people choose at each step.
var habits = map[string][]option{
	"accept":       {{"accepted", 92}, {"not_accepted", 5}, {"supplement_asked", 3}},
	"assign":       {{"assigned", 97}, {"urgent_criminal", 3}},
	"preserve":     {{"preserved", 94}, {"nothing_held", 6}},
	"number_check": {{"found", 84}, {"not_found", 5}, {"ported", 4}, {"forged", 3}, {"reassigned", 2}, {"not_in_use", 2}},
	"traceback":    {{"traced", 60}, {"not_traced", 40}},
	"fact_check":   {{"concluded", 95}, {"bounced", 5}},
	"designate":    {{"designated", 100}},
	"recheck":      {{"confirmed", 90}, {"overturned", 10}},
	"late_check":   {{"confirmed", 100}},
	"transfer":     {{"accepted", 95}, {"returned", 5}},
	"handle":       {{"measures", 60}, {"case", 26}, {"measures_and_case", 9}, {"no_measure", 5}},
	"review":       {{"approved", 95}, {"returned", 5}},
	"sign":         {{"signed", 97}, {"returned", 3}},
	"execute":      {{"done", 96}, {"failed", 4}},
	"investigate":  {{"proposed", 85}, {"no_penalty", 15}},
	"case_review":  {{"approved", 95}, {"returned", 5}},
	"serve_notice": {{"served", 100}},
	"case_sign":    {{"signed", 97}, {"returned", 3}},
	"deliver":      {{"delivered", 100}},

	"recall_review":    {{"approved", 92}, {"returned", 8}},
	"recall_sign":      {{"signed", 95}, {"returned", 5}},
	"decide_objection": {{"dismissed", 70}, {"upheld", 30}},
	"appeal_review":    {{"dismissed", 60}, {"upheld", 40}},
	"appeal_answer":    {{"upheld", 60}, {"dismissed", 40}},
	"audit_rectify":    {{"rectified", 90}, {"not_rectified", 10}},
	"audit_accept":     {{"confirmed", 80}, {"returned", 20}},
	"restore":          {{"restored", 97}, {"nothing_to_restore", 3}},

	"listing_review":    {{"approved", 92}, {"returned", 8}},
	"listing_notify":    {{"served", 100}},
	"listing_objection": {{"dismissed", 70}, {"upheld", 30}},
	"listing_sign":      {{"signed", 95}, {"returned", 5}},
	"repair_review":     {{"granted", 80}, {"refused", 20}},
	"lift_measure":      {{"lifted", 100}},

	"publication_review": {{"approved", 92}, {"returned", 8}},
	"publication_sign":   {{"signed", 95}, {"returned", 5}},
}

// firm is one of many made-up firms of the reported side; the codes have the right form (GB 32100) and belong to nobody.
func firm(n int) *assignmentv1.PartyDetail {
	const digits = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	code := fmt.Sprintf("91000000DEMF%05d", n)
	sum, weight := 0, 1
	for _, c := range code {
		sum += strings.IndexRune(digits, c) * weight
		weight = weight * 3 % len(digits)
	}
	code += string(digits[(len(digits)-sum%len(digits))%len(digits)])
	return &assignmentv1.PartyDetail{Role: "caller", Name: fmt.Sprintf("静线样例%d号商务服务有限公司", n), CreditCode: code}
}

// firms are how many there are: now and then two complaints lead to the same.
const firms = 400

// decide makes the decision on a task; after a refusal it is the usual one.
func (p people) decide(t *assignmentv1.Task, refusals int) *caseworkv1.DecideRequest {
	outcome := p.choose(t)
	if refusals > 0 {
		outcome = usual(t)
	}
	return p.made(t, outcome, p.detail(t, outcome), refusals)
}

func (p people) made(t *assignmentv1.Task, outcome string, detail *assignmentv1.DecisionDetail, refusals int) *caseworkv1.DecideRequest {
	return &caseworkv1.DecideRequest{
		RequestId:  uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "drive/%d/%s/%d", p.seed, t.GetTaskId(), refusals)).String(),
		TaskId:     t.GetTaskId(),
		Outcome:    outcome,
		ReasonCode: reasonCode(t, outcome),
		Note:       "由演练操作员作出",
		Detail:     detail,
	}
}

// roll is a number from 0 to below n that follows from seed, task and what it is for.
func (p people) roll(t *assignmentv1.Task, what string, n int) int {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d/%s/%s", p.seed, t.GetTaskId(), what)
	return int(h.Sum64() % uint64(n)) //nolint:gosec // n is small and positive
}

func (p people) choose(t *assignmentv1.Task) string {
	options := slices.DeleteFunc(slices.Clone(habits[t.GetStep()]), func(o option) bool {
		return !slices.Contains(t.GetOutcomes(), o.outcome)
	})
	total := 0
	for _, o := range options {
		total += o.weight
	}
	if total == 0 {
		return usual(t)
	}
	at := p.roll(t, "outcome", total)
	for _, o := range options {
		if at -= o.weight; at < 0 {
			return o.outcome
		}
	}
	return usual(t)
}

// usual is the first habit that the task allows.
func usual(t *assignmentv1.Task) string {
	for _, o := range habits[t.GetStep()] {
		if slices.Contains(t.GetOutcomes(), o.outcome) {
			return o.outcome
		}
	}
	return t.GetOutcomes()[0]
}

func reasonCode(t *assignmentv1.Task, outcome string) string {
	switch outcome {
	case "bounced":
		return "not_our_sector"
	case "not_accepted":
		return "out_of_scope"
	case "no_measure", "no_penalty":
		return "slight_and_corrected" // 行政处罚法 33
	case "returned":
		return "facts_unclear"
	}
	return t.GetStep() + "_" + outcome
}

func (p people) detail(t *assignmentv1.Task, outcome string) *assignmentv1.DecisionDetail {
	facts := t.GetFacts()
	switch {
	case t.GetStep() == "accept" && outcome == "accepted", outcome == "assigned":
		detail := &assignmentv1.DecisionDetail{Category: or(facts["category"], "commercial"), Sector: or(facts["sector"], "other")}
		if outcome == "assigned" && facts["unsettled"] != "" { // no competence is settled: who leads must be named
			detail.LeadAgencyId = "samr"
			if len(facts["region"]) >= 2 {
				detail.LeadAgencyId += "-" + facts["region"][:2]
			}
		}
		return detail
	case outcome == "bounced":
		return &assignmentv1.DecisionDetail{ShouldActAgencyId: p.colleague(t)}
	case outcome == "designated":
		return &assignmentv1.DecisionDetail{LeadAgencyId: or(facts["should_act"], or(facts["lead"], t.GetAgencyId()))}
	case outcome == "ported":
		return &assignmentv1.DecisionDetail{PortedTo: p.otherOperator(t)}
	case outcome == "concluded":
		return p.findings(t)
	case outcome == "overturned":
		return &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{{Result: "substantiated", ReasonCode: "recheck"}}}
	case t.GetStep() == "late_check":
		return &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{{Result: or(facts["finding"], "substantiated"), ReasonCode: "same_conduct"}}}
	case t.GetStep() == "handle":
		return p.handling(t, outcome)
	case outcome == "upheld", outcome == "dismissed", t.GetStep() == "repair_review":
		return &assignmentv1.DecisionDetail{Reply: replies[outcome]}
	case outcome == "proposed":
		return &assignmentv1.DecisionDetail{Penalty: p.penalty(t)}
	}
	return nil
}

// replies are what people answer to objections and appeals.
var replies = map[string]string{
	"granted": "已履行义务并作出信用承诺,准予修复。", "refused": "义务尚未履行完毕,不予修复。",
	"upheld": "经核实,所述属实,予以纠正。", "dismissed": "经核实,原措施事实清楚、依据充分,不予支持。",
}

func (p people) findings(t *assignmentv1.Task) *assignmentv1.DecisionDetail {
	finding := &assignmentv1.FindingDetail{Result: "substantiated", ReasonCode: "no_consent_shown"}
	switch roll := p.roll(t, "finding", 100); {
	case roll < 12:
		finding = &assignmentv1.FindingDetail{Result: "not_substantiated", ReasonCode: "consent_shown"}
	case roll < 20 || t.GetFacts()["unverified_only"] == "true":
		finding = &assignmentv1.FindingDetail{Result: "no_evidence", ReasonCode: "recording_gone"}
	}
	detail := &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{finding}}
	if finding.GetResult() == "substantiated" {
		detail.Parties = []*assignmentv1.PartyDetail{firm(p.roll(t, "firm", firms))}
	}
	return detail
}

func (p people) handling(t *assignmentv1.Task, outcome string) *assignmentv1.DecisionDetail {
	if outcome == "case" || outcome == "no_measure" {
		return &assignmentv1.DecisionDetail{}
	}
	sets := [][]string{{"warn_holder"}, {"warn_holder", "restrict_outbound"}, {"mark_risk"}, {"rectify_order"}}
	if own, _, _ := strings.Cut(t.GetAgencyId(), "-"); own == "ca" || own == "miit" || own == "mps" {
		sets = append(sets, []string{"suspend_number"}) // 电信条例 28, 反电信网络诈骗法 20
	}
	detail := &assignmentv1.DecisionDetail{}
	for _, code := range sets[p.roll(t, "measures", len(sets))] {
		detail.Measures = append(detail.Measures, &assignmentv1.MeasureDetail{Code: code})
	}
	return detail
}

func (p people) penalty(t *assignmentv1.Task) *assignmentv1.PenaltyDetail {
	if p.roll(t, "penalty", 3) == 0 {
		return &assignmentv1.PenaltyDetail{Kind: "warning", Basis: "消费者权益保护法第五十六条"}
	}
	yuan := int64(5000 + 1000*p.roll(t, "amount", 26)) // 广告法 62: 5,000 to 30,000 yuan
	return &assignmentv1.PenaltyDetail{
		Kind: "fine", Amount: &commonv1.Money{Fen: yuan * 100}, Basis: "广告法第六十二条", ListParty: true, Publish: true,
	}
}

// colleague is another agency of the same province that might be competent.
func (p people) colleague(t *assignmentv1.Task) string {
	own, province, provincial := strings.Cut(t.GetAgencyId(), "-")
	for _, other := range []string{"samr", "mofcom", "nfra"} {
		if other == own {
			continue
		}
		if provincial {
			return other + "-" + province
		}
		return other
	}
	return "miit"
}

// otherOperator is where a number was ported to: another basic operator, at the same level.
func (p people) otherOperator(t *assignmentv1.Task) string {
	own, province, branch := strings.Cut(t.GetAgencyId(), "-")
	operators := slices.DeleteFunc([]string{"cmcc", "ctcc", "cucc"}, func(o string) bool { return o == own })
	other := operators[p.roll(t, "ported", len(operators))]
	if branch && len(province) == 2 {
		return other + "-" + province
	}
	return other
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
