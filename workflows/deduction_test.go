package workflows

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

func (f fakeLedger) ListScoredAppeals(_ context.Context, req *ledgerv1.ListScoredAppealsRequest, _ ...grpc.CallOption) (*ledgerv1.ListScoredAppealsResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.cards = req.GetMonth() + ":"
	return &ledgerv1.ListScoredAppealsResponse{Appeals: []*ledgerv1.ScoredAppeal{{AppealId: id(601), OperatorId: "cmcc-44", State: "FILED", Filed: true}}}, nil
}

func (f fakeDisclosure) FreezeAppeals(_ context.Context, req *disclosurev1.FreezeAppealsRequest, _ ...grpc.CallOption) (*disclosurev1.FreezeAppealsResponse, error) {
	return once(f.w, req, func() (*disclosurev1.FreezeAppealsResponse, error) {
		for range req.GetAppeals() {
			f.w.cards += " appeal,"
		}
		return &disclosurev1.FreezeAppealsResponse{}, nil
	})
}

func (f fakeDisclosure) RecordScorecards(_ context.Context, req *disclosurev1.RecordScorecardsRequest, _ ...grpc.CallOption) (*disclosurev1.RecordScorecardsResponse, error) {
	return once(f.w, req, func() (*disclosurev1.RecordScorecardsResponse, error) {
		f.w.cards += " operators:"
		for _, o := range req.GetOperators() {
			f.w.cards += " " + o.GetOperatorId() + " over " + o.GetAdministrationId()
		}
		return &disclosurev1.RecordScorecardsResponse{}, nil
	})
}

// foundOut is reporting with what was found of each complaint.
type foundOut struct {
	fakeReporting
	of map[string]*reportingv1.GetFactsResponse
}

func (f foundOut) GetFacts(_ context.Context, req *reportingv1.GetFactsRequest, _ ...grpc.CallOption) (*reportingv1.GetFactsResponse, error) {
	return f.of[req.GetComplaintId()], nil
}

// namesDecider is assignment as it names who decided.
type namesDecider struct {
	fakeAssignment
	by string
}

func (f namesDecider) GetTask(ctx context.Context, req *assignmentv1.GetTaskRequest, o ...grpc.CallOption) (*assignmentv1.GetTaskResponse, error) {
	resp, err := f.fakeAssignment.GetTask(ctx, req, o...)
	if d := resp.GetDecision(); d != nil && d.GetDecidedBy() == "" {
		d.DecidedBy = f.by
	}
	return resp, err
}

// With the answer to an appeal goes what it was caused by: the complaint, also where it was merged since, what was found
// of it, and who must not decide on a deduction.
func TestAppeal_saysWhatCausedIt(t *testing.T) {
	p := newAppealPlay(t, func(m *matters) { m.appeal.DispositionTaskId = id(952) })
	p.w.tasks = append(p.w.tasks, &assignmentv1.Task{
		TaskId: id(952), Step: "sign", SubjectKind: "complaint", SubjectId: id(1), Round: 2, AgencyId: "nfra-44", State: "DONE"})
	p.w.decisions = append(p.w.decisions, &assignmentv1.RecordDecisionRequest{Decision: &assignmentv1.Decision{TaskId: id(952), DecidedBy: "sun"}})
	p.acts.Reporting = foundOut{fakeReporting{w: p.w}, map[string]*reportingv1.GetFactsResponse{
		id(1): {Complaint: &reportingv1.Complaint{MergedIntoComplaintId: id(2)}, Substantiated: 1, Checked: 1},
		id(2): {Complaint: &reportingv1.Complaint{Forged: true}, Substantiated: 2, Checked: 4},
	}}
	p.acts.Assignment = namesDecider{fakeAssignment{w: p.w}, "wu"}
	p.replies["appeal_review"] = []reply{{outcome: dismissed, reason: "x", detail: answeredInWords, by: "wu"}}
	p.runAppeal()
	want := &ledgerv1.AppealCause{
		ComplaintId: id(1), Round: 2, Forged: true, Substantiated: 3, Checked: 5, OperatorId: "cmcc-44", AdministrationId: "ca-44",
		AnsweredBy: "wu", Excluded: []string{"sun"},
	}
	if diff := cmp.Diff(want, p.w.matters.cause, protocmp.Transform()); diff != "" {
		t.Errorf("cause -want +got\n%s", diff)
	}
}

// An operator's measure of its own has no complaint behind it.
func TestAppeal_withoutAComplaint(t *testing.T) {
	p := newAppealPlay(t, func(m *matters) { m.appeal.Nature, m.orderedBy = "operator_measure", "liu@cmcc-44" })
	p.runAppeal()
	if p.w.matters.cause != nil {
		t.Errorf("cause %v", p.w.matters.cause)
	}
}
