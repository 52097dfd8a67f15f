package workflows

import (
	"testing"

	"go.temporal.io/sdk/client"

	caseworkv1 "quietline/proto/quietline/casework/v1"
)

// testRealSweep is a sweep on a real Temporal that may start nothing: whoever is at work in other tests is left alone.
func testRealSweep(t *testing.T, g *realTemporal) {
	w := newWorld()
	x := &town{t: t, g: g, w: w, mesh: NewClient(g.client, Rehearsal)}
	x.worker = newWorker(g.client, newActivities(w.owners(), x.mesh, newStarts(-1)), nil)
	if err := x.worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.worker.Stop)
	const once = sweepID + "-once"
	run, err := g.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: once, TaskQueue: TaskQueue}, Sweep, Rehearsal)
	if err != nil {
		t.Fatal(err)
	}
	swept := &caseworkv1.Swept{}
	if err := run.Get(t.Context(), swept); err != nil || swept.GetStarted()+swept.GetExisting() > 0 {
		t.Errorf("swept %v, %v", swept, err)
	}
	x.keep("sweep", once)
}
