package enforcement

import (
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// deed is a decision on a step, with what it is judged by: the case as it was known then, and the task it decides.
type deed struct {
	*enforcementv1.CaseStep
	m    *matter
	task planned
	at   time.Time
}

func (d deed) words() *assignmentv1.CaseStepDetail { return d.GetDetail().GetCaseStep() }

// judge refuses what the law or the plan does not allow, with the article. It looks at facts as of the decision's time.
func judge(m *matter, st *enforcementv1.CaseStep, at time.Time) (deed, error) {
	d := deed{CaseStep: st, m: m.asOf(at, anchorOf(st.GetKey())), at: at}
	way, known := ways[st.GetStep()]
	if !known {
		return d, errs.Field("step", "must be a step of cases")
	}
	found := false
	for _, t := range planOf(d.m, at).tasks {
		if t.step == st.GetStep() && (st.GetKey() == "" || st.GetKey() == t.key()) {
			d.task, found = t, true
		}
	}
	if !found {
		return d, notNow(d.m, st.GetStep(), at)
	}
	if !slices.Contains(d.task.outcomes, st.GetOutcome()) {
		return d, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_OUTCOME_NOT_ALLOWED,
			"%s: %s is no outcome of %s now", way.article, st.GetOutcome(), st.GetStep())
	}
	if err := d.people(); err != nil {
		return d, err
	}
	if check := checks[st.GetStep()]; check != nil {
		return d, check(d)
	}
	return d, nil
}

// people refuses who must not decide the step.
func (d deed) people() error {
	who, step := d.GetActorSubject(), d.GetStep()
	switch {
	case d.task.agency != "" && d.GetActorAgency() != d.task.agency:
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY, "the step is another agency's")
	case d.m.recused(who, d.at):
		return samePerson("行政处罚法 第四十三条: a recused officer decides no step of the case")
	case investigates[step] && !slices.Contains(d.task.only, who):
		return samePerson("行政处罚法 第四十二条: only an appointed officer of the case takes this step; a head appoints another by RequestCaseStep appoint")
	case step == stepHold && !slices.Contains(d.task.only, who):
		return samePerson("行政处罚法 第六十四条: the hearing is held by the chair who was announced")
	case notByOfficers[step] && d.m.investigated(who):
		return samePerson("%s: who investigates the case must not take this step", ways[step].article)
	case step == stepOnspot && slices.Contains(d.task.excluded, who):
		return samePerson("行政处罚法 第四十二条、第五十一条: two officers punish on the spot: who proposed it does not decide it")
	case slices.Contains(d.task.excluded, who):
		return samePerson("行政处罚法 第五十七条: proposal, review and signature are three people's")
	}
	return nil
}

// checks are what each step needs besides.
var checks = map[string]func(deed) error{
	stepAppoint:     checkAppoint,
	stepInvestigate: checkInvestigate,
	stepNotice:      checkNotice,
	stepAnnounce:    checkAnnounce,
	stepHold:        checkHold,
	stepLegal:       checkLegal,
	stepDiscuss:     checkDiscuss,
	stepSign:        checkSign,
	stepOnspot:      checkOnspot,
	stepDeliver:     checkDeliver,
	stepConfirm:     checkConfirm,
	stepParts:       checkParts,
	stepDemand:      checkDemand,
	stepCourt:       checkCourt,
	stepOpen:        checkOpen,
	stepApprove:     checkApprove,
	stepSend:        checkSend,
	stepExtend:      checkExtend,
	stepReverse:     checkReverse,
	stepDesignate:   checkDesignate,
}

func checkAppoint(d deed) error {
	if err := checkOfficers(d.m, d.words().GetOfficers()); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range d.m.inOffice(d.at) {
		seen[s] = true
	}
	for _, o := range d.words().GetOfficers() {
		if d.m.recused(o.GetSubject(), d.at) {
			return samePerson("行政处罚法 第四十三条: who was recused is not appointed again")
		}
		if d.m.judged(o.GetSubject()) {
			return samePerson("行政处罚法 第五十七条、第六十四条: who reviewed the case or chairs its hearing does not investigate it")
		}
		seen[o.GetSubject()] = true
	}
	if len(seen) < minOfficers {
		return errs.Field("detail.case_step.officers", "must bring the case to two qualified officers at least (行政处罚法 第四十二条)")
	}
	return nil
}

func checkInvestigate(d deed) error {
	p := d.words().GetProposal()
	switch d.GetOutcome() {
	case outTransfer:
		return nil
	case outNoPenalty:
		if p.GetNoPenaltyGround() == "" || len(p.GetPenalties()) > 0 {
			return errs.Field("detail.case_step.proposal.no_penalty_ground", "must say why nobody is punished, and nothing beside (行政处罚法 第三十二条、第三十三条、第三十六条、第五十七条)")
		}
		return nil
	}
	if len(proposedPenalties(d.CaseStep)) == 0 || p.GetNoPenaltyGround() != "" {
		return errs.Field("detail.case_step.proposal.penalties", "must say what is proposed (行政处罚法 第四十四条)")
	}
	kinds := map[string]bool{}
	for _, x := range proposedPenalties(d.CaseStep) {
		if x.GetKind() == noPenalty || kinds[x.GetKind()] {
			return errs.Field("detail.case_step.proposal.penalties", "must be penalties, each kind once (行政处罚法 第九条)")
		}
		kinds[x.GetKind()] = true
		if err := checkPenalty(x, x.GetAmount().GetFen()); err != nil {
			return err
		}
		if d.GetOutcome() == outSimple && x.GetKind() != "warning" && x.GetKind() != "fine" {
			return refused("行政处罚法 第五十一条: the simplified procedure is for a warning or a small fine only")
		}
	}
	if d.GetOutcome() == outSimple && d.m.seqOf(stepOnspot, 0, outOrdinary) != 0 {
		return refused("行政处罚法 第五十一条: the case goes by the ordinary procedure already")
	}
	return notHarsher(d.m, proposedPenalties(d.CaseStep))
}

// proposedPenalties are those of the proposal; the single one of before means one.
func proposedPenalties(st *enforcementv1.CaseStep) []*assignmentv1.PenaltyDetail {
	if list := st.GetDetail().GetCaseStep().GetProposal().GetPenalties(); len(list) > 0 {
		return list
	}
	if p := st.GetDetail().GetPenalty(); p != nil {
		return []*assignmentv1.PenaltyDetail{p}
	}
	return nil
}

// harshness orders the kinds of penalty (行政处罚法 9).
var harshness = map[string]int{"warning": 1, "criticism": 2, "fine": 3, "confiscation": 4, "closure": 5, "revocation": 6}

// notHarsher: after the party defended itself, nothing harsher than it was told of (行政处罚法 45).
func notHarsher(m *matter, now []*assignmentv1.PenaltyDetail) error {
	told := int32(0)
	for _, p := range m.proposals {
		notice, onspot := m.seqOf(stepNotice, p.Seq), m.last(stepOnspot, p.Seq, outOrdinary)
		heard := notice != 0 && m.seqOf(logStatement, p.Seq)+m.seqOf(logHearingRequest, p.Seq) != 0
		if heard || p.Kind == outSimple && onspot != nil && onspot.StatementHeard {
			told = p.Seq
		}
	}
	if told == 0 {
		return nil
	}
	var was, is weight
	for _, p := range m.punished(told) {
		was.add(p.Kind, p.AmountFen)
	}
	for _, p := range now {
		is.add(p.GetKind(), p.GetAmount().GetFen())
	}
	if is.harsherThan(was) {
		return refused("行政处罚法 第四十五条: a penalty must not be harsher because the party defended itself")
	}
	return nil
}

// weight is how harsh penalties are together.
type weight struct {
	fine, confiscation int64
	kinds              []int
}

func (w *weight) add(kind string, fen int64) {
	switch kind {
	case "fine":
		w.fine += fen
	case "confiscation":
		w.confiscation += fen
	}
	w.kinds = append(w.kinds, harshness[kind])
	slices.SortFunc(w.kinds, func(a, b int) int { return b - a })
}

// harsherThan: more money of a kind, one more kind of penalty, or a harsher one in the place of another.
func (w *weight) harsherThan(o weight) bool {
	if w.fine > o.fine || w.confiscation > o.confiscation || len(w.kinds) > len(o.kinds) {
		return true
	}
	for i, k := range w.kinds {
		if k > o.kinds[i] {
			return true
		}
	}
	return false
}

func checkNotice(d deed) error {
	return needsMethod(d, d.m.seqOf(stepReview, d.m.proposal().Seq, outApproved))
}

// needsMethod: how and when it was served, not before the line of the log that what is served rests on: nothing was there
// to be served then, and the party's time would be shortened (行政处罚法 44, 45, 61, 62; 行政强制法 54).
func needsMethod(d deed, rests int32) error {
	article := ways[d.GetStep()].article
	if d.words().GetMethod() == "" {
		return errs.Field("detail.case_step.method", "must say how it was served (%s)", article)
	}
	t := d.words().GetServedTime()
	switch {
	case t == nil:
	case t.AsTime().After(d.at):
		return errs.Field("detail.case_step.served_time", "must not be in the future (%s)", article)
	case t.AsTime().Before(d.m.timeOf(rests)):
		return errs.Field("detail.case_step.served_time", "must not be before %s, when there was nothing to serve yet (%s)",
			d.m.timeOf(rests).UTC().Format(time.RFC3339), article)
	}
	return nil
}

func checkLegal(d deed) error {
	if d.GetOutcome() == outPassed && d.words().GetQualificationNo() == "" {
		return errs.Field("detail.case_step.qualification_no", "must be the legal qualification of the reviewer (行政处罚法 第五十八条)")
	}
	return nil
}

const minParticipants = 3

func checkDiscuss(d deed) error {
	different := slices.Compact(slices.Sorted(slices.Values(d.words().GetParticipants())))
	if d.GetOutcome() == outAgreed && len(different) < minParticipants {
		return errs.Field("detail.case_step.participants", "must be three people at least (行政处罚法 第五十七条)")
	}
	if slices.ContainsFunc(different, d.m.investigated) {
		return samePerson("行政处罚法 第五十七条: who investigates the case does not take part in deciding it")
	}
	return nil
}

func checkSign(d deed) error {
	if d.GetOutcome() != outSigned {
		return nil
	}
	if missing := lacks(d.m, d.at); len(missing) > 0 {
		return missing[0].refusal()
	}
	return nil
}

func checkOnspot(d deed) error {
	if d.GetOutcome() == outOrdinary {
		return nil
	}
	if !d.words().GetStatementHeard() {
		return errs.Field("detail.case_step.statement_heard", "must be true: the party is told and heard on the spot too (行政处罚法 第四十四条、第四十五条)")
	}
	second := func(s string) bool { return s != d.GetActorSubject() && slices.Contains(d.m.inOffice(d.at), s) }
	if !slices.ContainsFunc(d.words().GetParticipants(), second) {
		return errs.Field("detail.case_step.participants", "must name the second officer who was there (行政处罚法 第四十二条、第五十二条)")
	}
	return nil
}

func checkDeliver(d deed) error {
	if err := needsMethod(d, d.m.seqOf(stepSign, 0, outSigned)); err != nil || d.GetOutcome() == outFailed {
		return err
	}
	switch d.words().GetMethod() {
	case "electronic":
		if d.words().GetConsentDocumentId() == "" {
			return refused("行政处罚法 第六十一条: electronic delivery needs the signed consent of the party")
		}
	case "public_notice":
		if d.m.seqOf(stepDeliver, 0, outFailed) == 0 {
			return refused("行政处罚法 第六十一条: public notice is for what could not be delivered otherwise")
		}
	case "onspot":
		return errs.Field("detail.case_step.method", "is of the simplified procedure (行政处罚法 第五十二条)")
	}
	return nil
}

// lack is one thing that a decision lacks.
type lack struct{ article, what string }

func (l lack) refusal() error { return wrongState("%s: %s", l.article, l.what) }

// lacks is everything that a decision lacks now, in the order of the procedure.
func lacks(m *matter, at time.Time) []lack {
	var out []lack
	need := func(missing bool, article, what string) {
		if missing {
			out = append(out, lack{article, what})
		}
	}
	need(!undecided(m.State), "行政处罚法 第五十四条", "the case is "+m.State)
	need(len(m.inOffice(at)) < minOfficers, "行政处罚法 第四十二条", "two qualified officers at least")
	need(m.transfer() != nil, "行政处罚法 第二十七条", "a transfer to the police was proposed and is not decided")
	p := m.proposal()
	if p == nil {
		need(true, "行政处罚法 第五十四条、第五十七条", "a proposal at the end of the investigation")
		need(true, "行政处罚法 第四十四条、第四十五条、第六十二条", "a notice of what is proposed, served before the decision")
		return out
	}
	need(m.seqOf(stepReview, p.Seq, outApproved) == 0, "行政处罚法 第五十七条", "the review of the proposal")
	if p.Kind == outProposed {
		out = append(out, m.lacksHearingOut(p, at)...)
	}
	if p.Kind != outSimple {
		held := m.seqOf(stepHold, p.Seq, outHeld)
		need(m.legalDue(p) && m.seqOf(stepLegal, max(p.Seq, held), outPassed) == 0, "行政处罚法 第五十八条", "legal review")
		need(p.DiscussDue && m.seqOf(stepDiscuss, p.Seq, outAgreed) == 0, "行政处罚法 第五十七条", "collective discussion")
	}
	return out
}

// lacksHearingOut is what the party still has to be given.
func (m *matter) lacksHearingOut(p *store.CaseProposal, at time.Time) []lack {
	notice := m.seqOf(stepNotice, p.Seq, "served")
	if notice == 0 {
		return []lack{{"行政处罚法 第四十四条、第四十五条、第六十二条", "a notice of what is proposed, served before the decision"}}
	}
	var out []lack
	if k := m.clock(basisStatement, notice); k != nil && !over(k, at) && m.seqOf(logWaiver, notice) == 0 {
		out = append(out, lack{"行政处罚法 第四十五条", "the term for a statement, until " + k.DueTime.UTC().Format(time.RFC3339) + ", or its waiver"})
	}
	if m.unanswered(notice) != 0 {
		out = append(out, lack{"行政处罚法 第四十五条", "an answer to the statement of the party"})
	}
	switch wait := m.partysTime(p, notice, at); {
	case m.asked(notice) != 0:
		out = append(out, lack{"行政处罚法 第六十三条、第六十四条", "the hearing that the party rightly asked for"})
	case len(out) == 0 && wait != nil:
		out = append(out, lack{"行政处罚法 第六十四条", "the term in which a hearing may be asked for, until " + wait.UTC().Format(time.RFC3339)})
	}
	return out
}

// notNow says why a step is not open, with the article that orders it.
func notNow(m *matter, step string, at time.Time) error {
	article := ways[step].article
	switch step {
	case stepSign:
		if missing := lacks(m, at); len(missing) > 0 {
			return missing[0].refusal()
		}
	case stepDeliver:
		return wrongState("行政处罚法 第六十一条: there is no decision to deliver: the case is %s", m.State)
	case stepCourt:
		return m.courtNotNow(at)
	case stepOnspot:
		return wrongState("行政处罚法 第五十一条: nothing was proposed for the simplified procedure")
	}
	return wrongState("%s: %s is not open: the case is %s", article, step, m.State)
}

func (m *matter) courtNotNow(at time.Time) error {
	demand := m.entered(stateDemanded)
	if m.State != stateDemanded || demand == 0 {
		return wrongState("行政强制法 第五十四条: the court is asked after a demand; the case is %s", m.State)
	}
	if k := m.clock(basisDemand, demand); k != nil && !over(k, at) {
		return wrongState("行政强制法 第五十四条: ten days after the demand are over at %s", k.DueTime.UTC().Format(time.RFC3339))
	}
	return wrongState("行政强制法 第五十三条: the time for reconsideration and suit is not over, or one of them runs")
}

func samePerson(format string, args ...any) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON, format, args...)
}
