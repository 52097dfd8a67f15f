package workflows

import (
	"slices"
	"testing"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// A worker goes and another takes over between two decisions: nothing is lost, nothing done twice.
func testRealTakeOver(t *testing.T, g *realTemporal) {
	x := g.town(t)
	x.start(id(5), 1)
	for _, step := range []string{"number_check", "fact_check", "handle"} {
		x.until(id(5), nil, func() bool {
			return slices.ContainsFunc(x.open(id(5)), func(t *assignmentv1.Task) bool { return t.GetStep() == step })
		})
		x.worker.Stop()
		x.worker = newWorker(g.client, newActivities(x.w.owners(), x.mesh, newStarts(1000)), nil)
		if err := x.worker.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(x.worker.Stop)
	}
	x.until(id(5), nil, x.watching)
	if got, want := len(x.w.decisions), 4; got != want {
		t.Errorf("%d decisions, want %d", got, want)
	}
}
