package enforcement

import (
	"slices"
	"strings"
	"time"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/enforcement/store"
)

// evidenceArticle is the law that wants facts to be proved before somebody is punished.
const evidenceArticle = "行政处罚法 第四十条、第四十六条、第五十四条"

// checkGrounds: what is proposed rests on evidence of the case, and on an act that has ended by now or still goes on
// (行政处罚法 36, 40, 46, 54). On the spot the officers see it themselves (51).
func checkGrounds(d deed, p *assignmentv1.CaseProposal) error {
	if t := p.GetActEndTime(); t != nil && t.AsTime().After(d.at) {
		return errs.Field("detail.case_step.proposal.act_end_time", "must not be in the future: an act that goes on has act_continues (行政处罚法 第三十六条)")
	}
	if t := p.GetDiscoverTime(); t != nil && t.AsTime().After(d.at) {
		return errs.Field("detail.case_step.proposal.discover_time", "must not be in the future (行政处罚法 第三十六条)")
	}
	if missing := d.m.lacksEvidence(d.GetOutcome()); len(missing) > 0 {
		return missing[0].refusal()
	}
	return nil
}

// lacksEvidence is what the file lacks for a proposal of a kind.
func (m *matter) lacksEvidence(kind string) []lack {
	if kind != outProposed || len(m.evidence) > 0 {
		return nil
	}
	return []lack{{evidenceArticle, "no evidence of the case is on file: add what proves the act (AddCaseEvidence)"}}
}

// checkOfficers: officers are different people, each by a certificate of their own, of the case's agency (行政处罚法 42).
func checkOfficers(m *matter, named []*assignmentv1.AppointedOfficer) error {
	const field = "detail.case_step.officers"
	subjects, holders := map[string]bool{}, map[string]string{}
	for _, o := range m.officers {
		if o.AgencyID == m.AgencyID {
			holders[o.QualificationNo] = o.Subject
		}
	}
	for _, o := range named {
		subject, no := strings.TrimSpace(o.GetSubject()), strings.TrimSpace(o.GetQualificationNo())
		_, agency, says := strings.Cut(subject, "@")
		switch {
		case subject == "" || no == "" || !isName(o.GetName()):
			return errs.Field(field, "must each have a subject, a name and the number of their certificate (行政处罚法 第四十二条)")
		case says && agency != m.AgencyID:
			return errs.Field(field, "must be officers of %s, which has the case (行政处罚法 第四十二条)", m.AgencyID)
		case subjects[subject]:
			return errs.Field(field, "must be different people (行政处罚法 第四十二条)")
		case holders[no] != "" && holders[no] != subject:
			return errs.Field(field, "must have certificates of their own: one number belongs to one officer (行政处罚法 第四十二条)")
		}
		subjects[subject], holders[no] = true, subject
	}
	return nil
}

// extensionDays is how long a case may be extended, once (行政处罚法 60; 市场监督管理行政处罚程序规定 64).
const extensionDays = 30

// checkExtension: the extension is what the rule allows, and the act says in words which it is.
func checkExtension(days int32, basis string) error {
	switch {
	case blank(basis):
		return errs.Field("detail.case_step.basis", "must name the rule that allows it, in words (行政处罚法 第六十条)")
	case days != 0 && days != extensionDays:
		return errs.Field("detail.case_step.extend_days", "must be %d: a case is extended once, by so many days (行政处罚法 第六十条)", extensionDays)
	}
	return nil
}

// checkOwed refuses more than is owed: what is paid beyond it has no decision to stand on (行政处罚法 67, 72, 74).
func checkOwed(m *matter, fen int64, at time.Time, field string) error {
	if owed := m.debtAt(at).owed(); fen > owed {
		return errs.Field(field, "must not be more than what is owed, %d fen (%s yuan, 行政处罚法 第六十七条、第七十二条)", owed, yuan(owed))
	}
	return nil
}

// officersOf are the officers in office, by the certificate that they show (行政处罚法 42, 55).
func (m *matter) officersOf(at time.Time) []string {
	in := m.inOffice(at)
	var out []string
	for _, o := range m.officers {
		if slices.Contains(in, o.Subject) {
			out = append(out, officerWords(o.Name, o.QualificationNo))
		}
	}
	return out
}

// officerMeant is the officer whom a party means: by the certificate or the name that its documents show, or by an account.
func (m *matter) officerMeant(said string) string {
	for _, is := range []func(o store.OfficersOfRow) bool{
		func(o store.OfficersOfRow) bool { return o.Subject == said || o.Subject == subjectOfSignature(said) },
		func(o store.OfficersOfRow) bool {
			return strings.TrimSpace(said) == o.QualificationNo || slices.ContainsFunc([]string{"）", ")"}, func(end string) bool { return strings.Contains(said, "执法证号 "+o.QualificationNo+end) })
		},
		func(o store.OfficersOfRow) bool { return o.Name != "" && strings.TrimSpace(said) == o.Name },
	} {
		if i := slices.IndexFunc(m.officers, is); i >= 0 {
			return m.officers[i].Subject
		}
	}
	return said
}

// officerNamed is how a document names an officer of the case who took a step; empty for anybody else.
func (m *matter) officerNamed(subject string) string {
	for _, o := range m.officers {
		if o.Subject == subject {
			return officerWords(o.Name, o.QualificationNo)
		}
	}
	return ""
}

// officerWords is how a document names an officer: by name and certificate. One who was appointed before names were asked
// for is known by the certificate alone; an account is nobody's name.
func officerWords(name, certificate string) string {
	if name == "" {
		return "执法人员（执法证号 " + certificate + "）"
	}
	return name + "（执法证号 " + certificate + "）"
}

// isName says whether a text may stand for a person on a document: an account may not.
func isName(text string) bool { return !blank(text) && !strings.ContainsAny(text, "@<>") }
