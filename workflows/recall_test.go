package workflows

import (
	"maps"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

var answeredInWords = &assignmentv1.DecisionDetail{Reply: "经核实,情况属实"}

func init() {
	maps.Copy(usual, map[string]reply{
		"recall_review": {outcome: approved}, "recall_sign": {outcome: signed},
		"decide_objection": {outcome: dismissed, reason: "facts_stand", detail: answeredInWords},
		"appeal_review":    {outcome: upheld, reason: "wrong_number", detail: answeredInWords},
		"appeal_answer":    {outcome: upheld, reason: "wrong_number", detail: answeredInWords},
		"restore":          {outcome: restored},
	})
}

// aRecall is a recall as it was proposed.
func aRecall() *ledgerv1.Recall {
	return &ledgerv1.Recall{
		RecallId: id(600), ResourceId: id(900), AgencyId: "ca-44", State: "PROPOSED", ProposedBy: "chen@ca-44@ca-44",
		ReasonCode: "transferred", Basis: "电信条例 第二十八条", Statement: "转租给他人",
	}
}

func aResource() *ledgerv1.Resource {
	return &ledgerv1.Resource{ResourceId: id(900), FirstNumber: "95001234", LastNumber: "95001234", State: "ACTIVE", AccessOperatorId: "cmcc-44",
		Holder: &ledgerv1.Holder{Name: "某公司", CreditCode: "91440000000000000X"}}
}

func newRecallPlay(t *testing.T) *play {
	p := newPlay(t, recallID(id(600)))
	p.w.publishes = true
	p.w.matters = matters{recall: aRecall(), recalled: aResource(), now: p.env.Now}
	return p
}

func (p *play) runRecall() {
	p.t.Helper()
	p.env.ExecuteWorkflow(Recall, &caseworkv1.RecallInput{RecallId: id(600), Profile: Statutory})
	p.ended()
}

func (p *play) recallStates() string { return strings.Join(p.w.matters.recallStates, " ") }

func (p *play) kinds() string {
	var out []string
	for _, r := range p.w.published {
		out = append(out, r.GetPublication().GetKind())
	}
	return strings.Join(out, " ")
}

func TestRecall_afterItsTerm(t *testing.T) {
	p := newRecallPlay(t)
	began := p.env.Now()
	p.runRecall()
	p.want("tasks", p.tasks(), "recall_review@ca-44 recall_sign@ca-44")
	p.want("states", p.recallStates(), "REVIEWING NOTICE RECALLED")
	p.want("publications", p.kinds(), "recall_notice recall")
	if took := p.env.Now().Sub(began); took < 30*24*time.Hour || took > 32*24*time.Hour {
		t.Errorf("recalled after %v, want a term of 30 days", took)
	}
	r := p.w.matters.recall
	if r.GetClock().GetBasis() != basisNotice || r.GetClock().GetProof() == "" || r.GetSigningTaskId() != p.w.tasks[1].GetTaskId() {
		t.Errorf("notice: %v", r)
	}
	notice := p.w.published[0].GetPublication()
	if !strings.Contains(notice.GetTitle(), "95001234") || notice.GetCaseId() != id(600) || notice.GetPartyName() != "某公司" {
		t.Errorf("notice: %v", notice)
	}
	if gate := p.w.published[1].GetGate(); gate.GetNoticeTime() == nil || gate.GetDecidedTime() == nil {
		t.Errorf("gate of the outcome: %v", gate)
	}
}

func TestRecall_sentBack(t *testing.T) {
	for step, want := range map[string]string{"recall_review": "recall_review@ca-44", "recall_sign": "recall_review@ca-44 recall_sign@ca-44"} {
		p := newRecallPlay(t)
		p.replies[step] = []reply{{outcome: returned, refused: "INVALID_FIELD"}, {outcome: returned, reason: "facts"}}
		p.runRecall()
		p.want("tasks", p.tasks(), want)
		p.want("states", p.recallStates(), "REVIEWING REJECTED")
		p.want("publications", p.kinds(), "")
	}
}

func TestRecall_threePeopleAndAFourth(t *testing.T) {
	p := newRecallPlay(t)
	p.replies = map[string][]reply{
		"recall_review": {{outcome: approved, by: "chen@ca-44", refused: "SAME_PERSON"}, {outcome: approved, by: "li"}},
		"recall_sign":   {{outcome: signed, by: "li", refused: "SAME_PERSON"}, {outcome: signed, by: "zhao"}},
		"decide_objection": {{outcome: dismissed, refused: "INVALID_FIELD"}, {outcome: dismissed, reason: "x", refused: "INVALID_FIELD"},
			{outcome: dismissed, reason: "x", detail: answeredInWords, by: "chen@ca-44", refused: "SAME_PERSON"},
			{outcome: dismissed, reason: "x", detail: answeredInWords, by: "li", refused: "SAME_PERSON"},
			{outcome: dismissed, reason: "x", detail: answeredInWords, by: "zhao", refused: "SAME_PERSON"},
			{outcome: dismissed, reason: "x", detail: answeredInWords, by: "sun"}},
	}
	p.objectAfter(5*24*time.Hour, 801)
	p.runRecall()
	p.want("states", p.recallStates(), "REVIEWING NOTICE RECALLED")
}

// objectAfter has the holder object and the workflow told.
func (p *play) objectAfter(after time.Duration, n int) {
	p.env.RegisterDelayedCallback(func() {
		p.w.object(n)
		p.env.SignalWorkflow(signalNudge, nil)
		p.env.SignalWorkflow(signalNudge, nil) // told twice
	}, after)
}

func TestRecall_objections(t *testing.T) {
	t.Run("dismissed twice", func(t *testing.T) {
		p := newRecallPlay(t)
		p.objectAfter(5*24*time.Hour, 801)
		p.objectAfter(20*24*time.Hour, 802)
		p.runRecall()
		p.want("tasks", p.tasks(), "recall_review@ca-44 recall_sign@ca-44 decide_objection@ca-44 decide_objection@ca-44")
		p.want("states", p.recallStates(), "REVIEWING NOTICE RECALLED")
		if got := p.w.tasks[2].GetFacts()["objection_id"]; got != id(801) {
			t.Errorf("the task is about %s", got)
		}
	})
	t.Run("upheld", func(t *testing.T) {
		p := newRecallPlay(t)
		p.replies["decide_objection"] = []reply{{outcome: upheld, reason: "not_transferred", detail: answeredInWords}}
		p.objectAfter(5*24*time.Hour, 801)
		p.runRecall()
		p.want("states", p.recallStates(), "REVIEWING NOTICE ABANDONED")
		p.want("publications", p.kinds(), "recall_notice")
		p.want("withdrawn", strings.Join(p.w.matters.withdrawn, " "), id(700))
		if reply := p.w.matters.recall.GetObjections()[0].GetReply(); reply == "" {
			t.Error("the holder is told nothing")
		}
	})
	t.Run("whose signal is lost", func(t *testing.T) {
		p := newRecallPlay(t)
		p.w.matters.objectAtEnd = true
		p.runRecall()
		p.want("tasks", p.tasks(), "recall_review@ca-44 recall_sign@ca-44 decide_objection@ca-44")
		p.want("states", p.recallStates(), "REVIEWING NOTICE RECALLED")
	})
	t.Run("decided after the term", func(t *testing.T) {
		p := newRecallPlay(t)
		late := usual["decide_objection"]
		late.after = 60 * 24 * time.Hour
		p.replies["decide_objection"] = []reply{late}
		p.objectAfter(29*24*time.Hour, 801)
		p.runRecall()
		p.want("states", p.recallStates(), "REVIEWING NOTICE RECALLED")
		p.want("escalations", strings.Join(p.w.escalations, " "), "decide_objection/1 decide_objection/2")
	})
}

func TestRecall_useEndedMeanwhile(t *testing.T) {
	p := newRecallPlay(t)
	p.w.matters.recalled.State = "ENDED"
	p.runRecall()
	p.want("states", p.recallStates(), "REVIEWING REJECTED")
	p.want("publications", p.kinds(), "")
}

// The use of a resource may end after its notice was published and before the ledger takes it, also when the try that found
// out breaks off: the recall ends and no notice of it stays public.
func TestRecall_useEndsUnderTheNotice(t *testing.T) {
	p := newRecallPlay(t)
	p.w.matters.endsAtNotice = true
	p.runRecall()
	p.want("states", p.recallStates(), "REVIEWING REJECTED")
	p.want("publications", p.kinds(), "recall_notice")
	p.want("withdrawn", strings.Join(p.w.matters.withdrawn, " "), id(700))

	again := newRecallPlay(t)
	again.w.published = append(again.w.published, p.w.published...)
	again.w.matters.recalled.State = "ENDED"
	again.runRecall()
	again.want("states", again.recallStates(), "REVIEWING REJECTED")
	again.want("withdrawn by the next try", strings.Join(again.w.matters.withdrawn, " "), id(700))
}

func TestRecall_doneAlready(t *testing.T) {
	p := newRecallPlay(t)
	p.w.matters.recall.State = "RECALLED"
	p.runRecall()
	p.want("tasks", p.tasks(), "")
}

func TestRecall_everyDeadlineEscalates(t *testing.T) {
	for _, step := range []string{"recall_review", "recall_sign"} {
		p := newRecallPlay(t)
		late := usual[step]
		late.after = 100 * 24 * time.Hour
		p.replies[step] = []reply{late}
		p.runRecall()
		p.want("escalations", strings.Join(p.w.escalations, " "), step+"/1 "+step+"/2")
	}
}

func TestPublicNumbers(t *testing.T) {
	for _, c := range [][3]string{
		{"95588", "95588", "95588"}, {"4008000000", "4008000009", "4008000000-4008000009"}, {"10101234", "", "10101234"},
		{"1085551234", "1085551299", "108555****-108555****"}, {"13800001234", "", "1380000****"}, {"12321", "", "12321"},
		{"10690123", "10690199", "10690123-10690199"}, {"106901234567", "", "106901234567"}, {"01062345678", "", "0106234****"},
	} {
		if got := publicNumbers(&ledgerv1.Resource{FirstNumber: c[0], LastNumber: c[1]}); got != c[2] {
			t.Errorf("%s: %s, want %s", c[0], got, c[2])
		}
	}
	if got := publicHolder(&ledgerv1.Holder{Name: "张三"}); strings.Contains(got, "张三") {
		t.Error("who may be a person is named")
	}
}

func newAppealPlay(t *testing.T, change func(*matters)) *play {
	p := newPlay(t, appealID(id(601)))
	p.w.matters = matters{access: "cmcc-44", orderedBy: "wang@ca-44@ca-44", restore: true, appeal: &ledgerv1.Appeal{
		AppealId: id(601), ResourceId: id(900), Restriction: "suspended", Nature: "administrative_order", State: "FILED",
		FileTime: timestamppb.New(p.env.Now()),
	}}
	if change != nil {
		change(&p.w.matters)
	}
	return p
}

func (p *play) runAppeal() {
	p.t.Helper()
	p.env.ExecuteWorkflow(Appeal, &caseworkv1.AppealInput{AppealId: id(601), Profile: Statutory})
	p.ended()
}

func (p *play) appealStates() string { return strings.Join(p.w.matters.appealStates, " ") }

func TestAppeal(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*matters)
		replies map[string][]reply
		tasks   string
		states  string
	}{
		"upheld, restored": {nil, nil, "appeal_review@ca-44 restore@cmcc-44", "REVIEWING:ca-44/cmcc-44 upheld=true RESTORED"},
		"dismissed": {nil, map[string][]reply{"appeal_review": {{outcome: dismissed, reason: "facts_stand", detail: answeredInWords}}},
			"appeal_review@ca-44", "REVIEWING:ca-44/cmcc-44 upheld=false"},
		"a warning: nothing to restore": {func(m *matters) { m.appeal.Restriction, m.restore = "warned", false }, nil,
			"appeal_review@ca-44", "REVIEWING:ca-44/cmcc-44 upheld=true"},
		"an operator's own measure": {func(m *matters) { m.appeal.Nature, m.orderedBy = "operator_measure", "liu@cmcc-44" }, nil,
			"appeal_answer@cmcc-44 restore@cmcc-44", "REVIEWING:cmcc-44/cmcc-44 upheld=true RESTORED"},
		"who gave access takes no tasks": {func(m *matters) { m.access = "nowhere" }, nil,
			"appeal_review@ca-44 restore@miit", "REVIEWING:ca-44/miit upheld=true RESTORED"},
		"who ordered it takes no tasks": {func(m *matters) { m.orderedBy = "x@spc" }, nil,
			"appeal_review@ca-44 restore@cmcc-44", "REVIEWING:ca-44/cmcc-44 upheld=true RESTORED"},
		"answered already": {func(m *matters) { m.appeal.State = "DISMISSED" }, nil, "", ""},
		"another officer": {nil, map[string][]reply{
			"appeal_review": {{outcome: upheld, reason: "x", detail: answeredInWords, by: "wang@ca-44", refused: "SAME_PERSON"}, usual["appeal_review"]},
			"restore":       {{outcome: nothingToDo, refused: "INVALID_FIELD"}, {outcome: nothingToDo, reason: "line_given_up"}},
		}, "appeal_review@ca-44 restore@cmcc-44", "REVIEWING:ca-44/cmcc-44 upheld=true RESTORED"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newAppealPlay(t, c.change)
			if c.replies != nil {
				p.replies = c.replies
			}
			p.runAppeal()
			p.want("tasks", p.tasks(), c.tasks)
			p.want("states", p.appealStates(), c.states)
		})
	}
}

// Nobody who proposed, reviewed or signed a suspension in a complaint decides on the appeal against it; who had a part in
// another complaint does.
func TestAppeal_excludesWhoHadAPart(t *testing.T) {
	p := newAppealPlay(t, func(m *matters) { m.appeal.DispositionTaskId, m.orderedBy = id(952), "workflows" })
	for n, by := range []string{"handle:zhao", "review:qian", "sign:sun", "review:li"} {
		step, who, _ := strings.Cut(by, ":")
		p.w.tasks = append(p.w.tasks, &assignmentv1.Task{
			TaskId: id(950 + n), Step: step, SubjectKind: "complaint", SubjectId: id(1 + n/3), AgencyId: "nfra-44", State: "DONE"})
		p.w.decisions = append(p.w.decisions, &assignmentv1.RecordDecisionRequest{Decision: &assignmentv1.Decision{TaskId: id(950 + n), DecidedBy: who}})
	}
	answer := reply{outcome: dismissed, reason: "x", detail: answeredInWords}
	for _, who := range []string{"zhao", "qian", "sun", "li"} {
		answer.by, answer.refused = who, "SAME_PERSON"
		if who == "li" {
			answer.refused = ""
		}
		p.replies["appeal_review"] = append(p.replies["appeal_review"], answer)
	}
	p.runAppeal()
	p.want("tasks", p.tasks(), "handle@nfra-44 review@nfra-44 sign@nfra-44 review@nfra-44 appeal_review@nfra-44")
}

// The appellant's clock runs from the filing, and every term escalates.
func TestAppeal_clocks(t *testing.T) {
	for _, step := range []string{"appeal_review", "restore"} {
		p := newAppealPlay(t, func(m *matters) {
			m.appeal.FileTime = timestamppb.New(m.appeal.GetFileTime().AsTime().Add(-10 * 24 * time.Hour))
		})
		late := usual[step]
		late.after = 100 * 24 * time.Hour
		p.replies[step] = []reply{late}
		began := p.env.Now()
		p.runAppeal()
		p.want("escalations", strings.Join(p.w.escalations, " "), step+"/1 "+step+"/2")
		if due := p.w.tasks[0].GetDueTime().AsTime(); due.After(began.Add(21 * 24 * time.Hour)) {
			t.Errorf("due %v: the clock did not run since the appeal was filed", due)
		}
		if c := p.w.tasks[0].GetClock(); c.GetBasis() != "appeal_30d" || c.GetProof() == "" {
			t.Errorf("clock %v", c)
		}
	}
}

// A holder that a complaint's measure warns is warned in the ledger, by the decision that said so.
func TestComplaint_warningStandsInTheLedger(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.replies["handle"] = []reply{{outcome: measures, detail: &assignmentv1.DecisionDetail{Measures: []*assignmentv1.MeasureDetail{{Code: "warn_on_record"}}}}}
	p.run()
	p.want("closed", p.w.closed, "measures")
	if len(p.w.matters.warned) != 1 || p.w.matters.warned[0].GetTaskId() == "" || p.w.matters.warned[0].GetResourceId() != id(900) || len(p.w.suspended) != 0 {
		t.Errorf("warned %v, suspended %v", p.w.matters.warned, p.w.suspended)
	}
}
