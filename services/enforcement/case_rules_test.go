package enforcement

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

func TestCasesGoForwardStepByStep(t *testing.T) {
	states := []string{opened, investigating, noticeServed, decided, closed}
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.IntRange(0, 4).Draw(t, "from"), rapid.IntRange(0, 4).Draw(t, "to")
		act, err := advances(states[from], states[to])
		if act != (to == from+1) || (err == nil) != (to == from || to == from+1) {
			t.Fatalf("%s to %s: %v, %v", states[from], states[to], act, err)
		}
	})
}

func TestDecides(t *testing.T) {
	notice := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	later := notice.Add(time.Hour)
	for _, c := range []struct {
		name, state string
		notice      *time.Time
		at          time.Time
		kind        string
		ok          bool
	}{
		{"penalty after the notice", noticeServed, &notice, later, "fine", true},
		{"penalty without a notice", investigating, nil, later, "fine", false},
		{"penalty before the notice", noticeServed, &notice, notice.Add(-time.Second), "warning", false},
		{"no penalty without a notice", investigating, nil, later, noPenalty, true},
		{"no penalty after a notice", noticeServed, &notice, later, noPenalty, true},
		{"not begun", opened, nil, later, noPenalty, false},
		{"decided", decided, &notice, later, noPenalty, false},
	} {
		if err := decides(c.state, c.notice, c.at, c.kind); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCheckDecision(t *testing.T) {
	good := func() *enforcementv1.CaseDecision {
		return &enforcementv1.CaseDecision{
			Penalty: &assignmentv1.PenaltyDetail{
				Kind: "fine", Amount: &commonv1.Money{Fen: 100_000_00}, Basis: "电信条例 69", ListParty: true, Publish: true,
			},
			ProposedBy: "a@x", ReviewedBy: "b@x", SignedBy: "c@x",
		}
	}
	if err := checkDecision(good()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil  func(*enforcementv1.CaseDecision)
		reason commonv1.ErrorReason
	}{
		"same proposer and reviewer": {func(d *enforcementv1.CaseDecision) { d.ReviewedBy = d.GetProposedBy() }, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON},
		"same reviewer and signer":   {func(d *enforcementv1.CaseDecision) { d.SignedBy = d.GetReviewedBy() }, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON},
		"same proposer and signer":   {func(d *enforcementv1.CaseDecision) { d.SignedBy = d.GetProposedBy() }, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON},
		"nobody signed":              {func(d *enforcementv1.CaseDecision) { d.SignedBy = "" }, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"no penalty at all":          {func(d *enforcementv1.CaseDecision) { d.Penalty = nil }, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"no basis":                   {func(d *enforcementv1.CaseDecision) { d.Penalty.Basis = "" }, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"fine of nothing":            {func(d *enforcementv1.CaseDecision) { d.Penalty.Amount = nil }, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"warning with an amount":     {func(d *enforcementv1.CaseDecision) { d.Penalty.Kind = "warning" }, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"listed without a penalty": {func(d *enforcementv1.CaseDecision) {
			d.Penalty = &assignmentv1.PenaltyDetail{Kind: noPenalty, ListParty: true}
		}, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
	} {
		d := good()
		c.spoil(d)
		if err := checkDecision(d); errs.Reason(err) != c.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCaseNumberBelongsToTheYearInShanghai(t *testing.T) {
	newYear := time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC)
	if got := caseNo("京通管", yearOf(newYear), 7); got != "京通管案〔2027〕7号" {
		t.Error(got)
	}
}
