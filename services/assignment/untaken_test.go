package assignment

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// A decision is listed until its workflow has confirmed it, with all that it takes to tell it again.
func TestListUntaken(t *testing.T) {
	w := newWorld(t)
	flows := w.workflows(nil)
	untaken := func() []*assignmentv1.UntakenDecision {
		t.Helper()
		r, err := flows.ListUntaken(t.Context(), &assignmentv1.ListUntakenRequest{PageSize: 1, OlderThan: durationpb.New(3 * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		all := r.GetDecisions()
		for r.GetNextPageToken() != "" {
			r, err = flows.ListUntaken(t.Context(), &assignmentv1.ListUntakenRequest{
				PageSize: 1, PageToken: r.GetNextPageToken(), OlderThan: durationpb.New(3 * time.Second),
			})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r.GetDecisions()...)
		}
		return all
	}
	var tasks []string
	for range 2 {
		task := w.open(t, w.newTask("nfra-44")).GetTaskId()
		req := decide(task, "concluded")
		req.Decision.RequestKey, req.Decision.RequestHash = "anna/"+task, []byte("hash")
		req.Decision.Detail = &assignmentv1.DecisionDetail{Parties: []*assignmentv1.PartyDetail{{Role: "caller", Name: "张三", Person: true}}}
		if _, err := w.workflows(caseworker("anna", "nfra-44")).RecordDecision(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		tasks = append(tasks, task)
	}
	if got := untaken(); len(got) != 0 {
		t.Fatalf("%d decisions of this moment are listed: their updates are still under way", len(got))
	}
	w.pass(time.Minute)
	got := untaken()
	if len(got) != 2 {
		t.Fatalf("%d decisions, want 2", len(got))
	}
	first := got[0]
	if d := first.GetDecision(); d.GetDecidedBy() != "anna" || d.GetRequestKey() == "" || string(d.GetRequestHash()) != "hash" ||
		d.GetDetail().GetParties()[0].GetName() != "张三" || first.GetAgencyId() != "nfra-44" || first.GetWorkflowId() == "" || first.GetRole() == 0 {
		t.Errorf("not all that it takes: %v", first)
	}
	for range 2 { // twice is once
		if _, err := flows.TakeDecisions(t.Context(), &assignmentv1.TakeDecisionsRequest{TaskIds: []string{first.GetDecision().GetTaskId()}}); err != nil {
			t.Fatal(err)
		}
	}
	if left := untaken(); len(left) != 1 || left[0].GetDecision().GetTaskId() == first.GetDecision().GetTaskId() || !slices.Contains(tasks, left[0].GetDecision().GetTaskId()) {
		t.Errorf("left: %v", left)
	}
}
