package workflows

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/rpc"
	"quietline/internal/seal"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

func taskOf(s step) *assignmentv1.Task {
	return &assignmentv1.Task{TaskId: id(800), Step: s.name, AgencyId: "nfra-44", Outcomes: s.outcomes, Facts: map[string]string{factParties: "1"}}
}

// A person's typo is refused at the door: the words are those of the programme's lists.
func TestCheckDecision_class(t *testing.T) {
	for _, tt := range []struct {
		category, sector string
		ok               bool
	}{
		{commercial, "loans", true}, {criminal, "", true}, {"malicious", "other", true}, {commercial, "", false}, {"", "loans", false},
		{"comercial", "loans", false}, {commercial, "loan", false}, {commercial, "suppressed", false}, {commercial, strings.Repeat("x", 40), false},
	} {
		detail := &assignmentv1.DecisionDetail{Category: tt.category, Sector: tt.sector}
		if err := checkDecision(taskOf(stepAssign), &assignmentv1.Decision{Outcome: assigned, Detail: detail}); (err == nil) != tt.ok {
			t.Errorf("assign %q %q: %v", tt.category, tt.sector, err)
		}
		// At acceptance a class may be left out, and a wrong one is as wrong.
		ok := tt.ok || tt.category == commercial && tt.sector == "" || tt.category == "" && tt.sector == "loans"
		if err := checkDecision(taskOf(stepAccept), &assignmentv1.Decision{Outcome: accepted, Detail: detail}); (err == nil) != ok {
			t.Errorf("accept %q %q: %v", tt.category, tt.sector, err)
		}
	}
	for _, d := range []*assignmentv1.Decision{
		{Outcome: failed, ReasonCode: "a\x00b"}, {Outcome: failed, ReasonCode: "a", Note: "\x00"},
		{Outcome: failed, ReasonCode: "a", Detail: &assignmentv1.DecisionDetail{Parties: []*assignmentv1.PartyDetail{{Name: "\x00"}}}},
	} {
		if err := checkDecision(taskOf(stepExecute), d); !errs.Is(err, invalid) {
			t.Errorf("NUL in %q: %v", d, err)
		}
	}
}

// The sectors are those of the classifier's lexicon and of the directory; a new one is entered here too.
func TestSectors_areTheProgrammes(t *testing.T) {
	raw, err := os.ReadFile("../services/assignment/data/lexicon.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	for _, line := range lines[1:] {
		fields := strings.Split(line, ",")
		if s := fields[1]; s != "" && !slices.Contains(sectors, s) {
			t.Errorf("the lexicon knows the sector %q", s)
		}
		if c := fields[2]; c != "" && !slices.Contains(categories, c) {
			t.Errorf("the lexicon knows the category %q", c)
		}
	}
}

// drawn is a decision as a person may send it: right words, words that are nearly right, and anything else.
func drawn(t *rapid.T, s step) *caseworkv1.DecideRequest {
	wrong := func(label string) bool { return rapid.IntRange(0, 19).Draw(t, label+" is wrong") == 7 }
	text := func(label string, known ...string) string {
		if wrong(label) {
			return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "suppressed", "a\x00b", strings.Repeat("长", 40), strings.Repeat("x", 40)})).Draw(t, label)
		}
		return rapid.SampledFrom(known).Draw(t, label)
	}
	few := func(label string) int { return rapid.IntRange(0, 2).Draw(t, label) }
	ids := func(label string) (out []string) {
		for range few(label) {
			out = append(out, text(label, id(1), id(2)))
		}
		return out
	}
	d := &assignmentv1.DecisionDetail{
		Category: text("category", append(slices.Clone(categories), "")...), Sector: text("sector", append(slices.Clone(sectors), "")...), LeadAgencyId: text("lead", "samr-44"),
		ShouldActAgencyId: text("should act", "moe-44"), PortedTo: text("ported to", "ctcc"), EvidenceIds: ids("evidence"),
		Reply: text("reply", "经核实,情况属实"),
	}
	for range few("findings") {
		d.Findings = append(d.Findings, &assignmentv1.FindingDetail{
			ReportIds: ids("reports"), Result: text("result", substantiated, notSubstantiated, noEvidence), ReasonCode: text("finding's reason", "", "seen"),
		})
	}
	for range few("parties") {
		p := &assignmentv1.PartyDetail{Role: text("role", "advertiser", "caller"), Name: text("name", "某公司"), Person: rapid.Bool().Draw(t, "person")}
		if !p.GetPerson() || wrong("person") {
			p.CreditCode = text("credit code", "", "91440000000000000X")
		}
		d.Parties = append(d.Parties, p)
	}
	for range few("measures") {
		d.Measures = append(d.Measures, &assignmentv1.MeasureDetail{Code: text("code", "warn_holder"), ExecutorAgencyId: text("executor", "cmcc-44")})
	}
	if rapid.Bool().Draw(t, "with penalty") {
		d.Penalty = &assignmentv1.PenaltyDetail{
			Kind: text("penalty", "none", "warning", "fine", "confiscation"), Basis: text("basis", "广告法 62"),
			Amount: &commonv1.Money{Fen: rapid.Int64Range(-1, 2).Draw(t, "fen")}, ListParty: rapid.Bool().Draw(t, "list"), Publish: rapid.Bool().Draw(t, "publish"),
		}
	}
	return &caseworkv1.DecideRequest{
		RequestId: uuid.NewString(), TaskId: id(800), Outcome: rapid.SampledFrom(s.outcomes).Draw(t, "outcome"),
		ReasonCode: text("reason", "not_ours"), Note: text("note", "", "有录音"), Detail: d,
	}
}

// What passes checkDecision is accepted by every owner that the script then writes it to: no person can wedge a workflow.
func TestCheckDecision_whatPassesIsAcceptedByItsOwners(t *testing.T) {
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			passed := 0
			rapid.Check(t, func(t *rapid.T) {
				req := drawn(t, s)
				if rpc.Validate(req) != nil {
					return // refused by the interceptor
				}
				d := &assignmentv1.Decision{TaskId: req.GetTaskId(), Outcome: req.GetOutcome(), ReasonCode: req.GetReasonCode(), Note: req.GetNote(), Detail: req.GetDetail()}
				if checkDecision(taskOf(s), d) != nil {
					return
				}
				passed++
				for _, m := range owed(s, d) {
					if err := acceptable(m); err != nil {
						t.Errorf("%s %s passes, and its owner refuses %v: %v", s.name, d.GetOutcome(), m, err)
					}
				}
			})
			if passed == 0 {
				t.Error("nothing passes: the test says nothing")
			}
		})
	}
}

// owed is what the script writes because of a decision, with what the decision says in it.
func owed(s step, d *assignmentv1.Decision) []proto.Message {
	detail := d.GetDetail()
	out := []proto.Message{
		&assignmentv1.RecordDecisionRequest{RequestId: id(1), Decision: d},
		&reportingv1.GiveFeedbackRequest{RequestId: id(1), ComplaintId: id(1), Round: 1, Stage: notAccepted, Code: d.GetReasonCode()},
	}
	switch {
	case s.name == stepAccept.name && d.GetOutcome() == accepted, s.name == stepAssign.name && d.GetOutcome() == assigned:
		out = append(out,
			&reportingv1.RecordClassificationRequest{RequestId: id(1), ComplaintId: id(1), Round: 1, Category: detail.GetCategory(), Sector: detail.GetSector()},
			&assignmentv1.RouteRequest{Category: detail.GetCategory(), Sector: detail.GetSector()})
	case d.GetOutcome() == concluded || d.GetOutcome() == overturned:
		f := &reportingv1.RecordFindingsRequest{RequestId: id(1), ComplaintId: id(1), Round: 1, TaskId: d.GetTaskId()}
		for _, x := range detail.GetFindings() {
			f.Findings = append(f.Findings, finding(x))
		}
		out = append(out, f)
	case d.GetOutcome() == measures || d.GetOutcome() == measuresCase:
		for _, m := range detail.GetMeasures() {
			out = append(out, &enforcementv1.RecordMeasureRequest{RequestId: id(1), MeasureId: id(1), ComplaintId: id(1), Round: 1, Code: m.GetCode(),
				DecidedAgencyId: "nfra-44", ExecutorAgencyId: m.GetExecutorAgencyId(), DecidedTaskId: id(1), State: done})
		}
	case s.name == stepRecallReview.name || s.name == stepRecallSign.name:
		out = append(out, &ledgerv1.AdvanceRecallRequest{
			RequestId: id(1), RecallId: id(1), State: "REJECTED", TaskId: d.GetTaskId(), ReasonCode: d.GetReasonCode()})
	case s.name == stepDecideObjection.name:
		out = append(out, &ledgerv1.DecideObjectionRequest{
			RequestId: id(1), RecallId: id(1), ObjectionId: id(1), TaskId: d.GetTaskId(), ReasonCode: d.GetReasonCode(), Reply: detail.GetReply()})
	case s.name == stepAppealReview.name || s.name == stepAppealAnswer.name:
		out = append(out, &ledgerv1.DecideAppealRequest{
			RequestId: id(1), AppealId: id(1), TaskId: d.GetTaskId(), ReasonCode: d.GetReasonCode(), Reply: detail.GetReply()})
	case d.GetOutcome() == proposed:
		out = append(out, &enforcementv1.DecideCaseRequest{RequestId: id(1), CaseId: id(1), Decision: &enforcementv1.CaseDecision{Penalty: detail.GetPenalty()}})
	}
	if d.GetOutcome() == onlyCase || d.GetOutcome() == measuresCase || d.GetOutcome() == concluded {
		for _, p := range suable(detail.GetParties()) {
			out = append(out, &enforcementv1.OpenCaseRequest{RequestId: id(1), AgencyId: "nfra-44", Act: actOf(commercial), ComplaintId: id(1), ComplaintRound: 1,
				Party: &enforcementv1.Party{Role: p.GetRole(), Name: p.GetName(), CreditCode: p.GetCreditCode(), Person: p.GetPerson()}})
		}
	}
	return out
}

// acceptable holds a message against the rules of its proto and against what its owner asks for besides.
func acceptable(m proto.Message) error {
	if err := rpc.Validate(m); err != nil {
		return err
	}
	if hasNUL(m.ProtoReflect()) {
		return fmt.Errorf("NUL")
	}
	switch m := m.(type) {
	case *reportingv1.RecordClassificationRequest:
		if !slices.Contains([]string{"", "commercial", "malicious", "criminal"}, m.GetCategory()) || len(m.GetSector()) > 40 {
			return fmt.Errorf("no such class")
		}
	case *reportingv1.RecordFindingsRequest:
		for _, f := range m.GetFindings() {
			if !slices.Contains([]string{"substantiated", "not_substantiated", "no_evidence"}, f.GetResult()) {
				return fmt.Errorf("no such finding")
			}
			for _, r := range f.GetReportIds() {
				if err := uuid.Validate(r); err != nil {
					return err
				}
			}
		}
	case *enforcementv1.OpenCaseRequest:
		p := m.GetParty()
		if p.GetName() == "" || utf8.RuneCountInString(p.GetName()) > 200 || p.GetPerson() == (p.GetCreditCode() != "") {
			return fmt.Errorf("no such party")
		}
	case *enforcementv1.DecideCaseRequest:
		p := m.GetDecision().GetPenalty()
		fen, money := p.GetAmount().GetFen(), p.GetKind() == "fine" || p.GetKind() == "confiscation"
		if p.GetKind() == "none" || p.GetBasis() == "" || fen < 0 || fen > 0 && !money || p.GetKind() == "fine" && fen == 0 {
			return fmt.Errorf("no such penalty")
		}
	}
	return nil
}

// A malformed decision of a batch is a result of its own; the batch itself is held to its bounds.
func TestBatchDecide_malformedItem(t *testing.T) {
	batch := &caseworkv1.BatchDecideRequest{RequestId: uuid.NewString(), Decisions: []*caseworkv1.DecideRequest{
		{RequestId: "no UUID", TaskId: id(800), Outcome: found},
		{RequestId: uuid.NewString(), TaskId: id(800)},
		{RequestId: uuid.NewString(), TaskId: id(800), Outcome: found, Detail: &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{{Result: "perhaps"}}}},
	}}
	if err := rpc.Validate(batch); err != nil {
		t.Fatalf("one item costs the batch: %v", err)
	}
	for _, n := range []int{0, 501} {
		if err := rpc.Validate(&caseworkv1.BatchDecideRequest{RequestId: uuid.NewString(), Decisions: make([]*caseworkv1.DecideRequest, n)}); err == nil {
			t.Errorf("a batch of %d", n)
		}
	}
	s := &Server{} // nobody is asked about them
	resp, err := s.BatchDecide(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range resp.GetResults() {
		if r.GetReason() != "INVALID_FIELD" || r.GetMessage() == "" || r.GetTaskId() != id(800) {
			t.Errorf("result %d: %v", i, r)
		}
	}
}

// A request ID with other content is another request, whatever differs.
func TestDecide_requestHash(t *testing.T) {
	keys, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{keys: keys}
	actor := &commonv1.Actor{Subject: "li", AgencyId: "nfra-44"}
	ctx := identity.WithActor(t.Context(), actor)
	good := &caseworkv1.DecideRequest{RequestId: uuid.NewString(), TaskId: id(800), Outcome: concluded, ReasonCode: "seen", Detail: yes}
	in, err := s.decideInput(good, identity.ActorOf(ctx))
	if err != nil {
		t.Fatal(err)
	}
	row := proto.CloneOf(in.GetDecision())
	known := &assignmentv1.GetTaskResponse{Task: &assignmentv1.Task{TaskId: id(800), State: "DONE"}, Decision: row}
	s.assignment = fixed{task: known}
	if resp, err := s.Decide(ctx, good); err != nil || resp.GetOutcome() != concluded {
		t.Errorf("the same request: %v (%v)", resp, err)
	}
	for name, change := range map[string]func(*caseworkv1.DecideRequest){
		"outcome": func(r *caseworkv1.DecideRequest) { r.Outcome = bounced },
		"reason":  func(r *caseworkv1.DecideRequest) { r.ReasonCode = "heard" },
		"note":    func(r *caseworkv1.DecideRequest) { r.Note = "and more" },
		"detail":  func(r *caseworkv1.DecideRequest) { r.Detail = no },
	} {
		other := proto.CloneOf(good)
		change(other)
		if _, err := s.Decide(ctx, other); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED) {
			t.Errorf("another %s: %v", name, err)
		}
		if changed, err := s.decideInput(other, actor); err != nil || updateOf(changed.GetDecision()) == updateOf(row) {
			t.Errorf("another %s is the same update (%v)", name, err)
		}
	}
	row.RequestKey = "li/" + uuid.NewString()
	if _, err := s.Decide(ctx, good); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN) {
		t.Errorf("decided by another request: %v", err)
	}
}

// fixed is an owner of tasks with one answer.
type fixed struct {
	assignmentv1.AssignmentServiceClient
	task *assignmentv1.GetTaskResponse
}

func (f fixed) GetTask(context.Context, *assignmentv1.GetTaskRequest, ...grpc.CallOption) (*assignmentv1.GetTaskResponse, error) {
	return f.task, nil
}

// An identity number has eighteen digits as well: as the code of a firm it would stand in lists and feeds.
func TestCheckParties_identityNumber(t *testing.T) {
	for code, ok := range map[string]bool{"91110000000000000A": true, "11010519491231002X": false, "": true} {
		err := checkParties(&assignmentv1.Decision{Detail: &assignmentv1.DecisionDetail{
			Parties: []*assignmentv1.PartyDetail{{Role: "caller", Name: "张三", CreditCode: code}},
		}})
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), code) {
			t.Errorf("%q: %v", code, err)
		}
	}
}
