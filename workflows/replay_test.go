package workflows

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Today's code still replays yesterday's runs. The histories are recorded from real runs of invented matters
// (go test -run TestTemporal ./workflows -record) and never edited.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "histories", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	missing := registered{}
	register(missing)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			history, err := client.HistoryFromJSON(bytes.NewReader(raw), client.HistoryJSONOptions{})
			if err != nil {
				t.Fatal(err)
			}
			delete(missing, history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName())
			// Identifiers of tasks and requests follow from the workflow's, so it must be the one of that run.
			started := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
			err = replayer(t).ReplayWorkflowHistoryWithOptions(nil, history, worker.ReplayWorkflowHistoryOptions{
				OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()},
			})
			if err != nil {
				t.Error(err)
			}
			if strings.Contains(string(raw), sealed) {
				t.Error("the history is sealed: replaying it would need the key")
			}
		})
	}
	for name := range missing {
		t.Errorf("workflow %s has no recorded history: record a run of it (-run TestTemporal -record)", name)
	}
}

// registered are the names of the workflows.
type registered map[string]bool

// RegisterWorkflowWithOptions takes a name down.
func (r registered) RegisterWorkflowWithOptions(_ any, options workflow.RegisterOptions) {
	r[options.Name] = true
}

func replayer(t *testing.T) worker.WorkflowReplayer {
	t.Helper()
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	register(r)
	return r
}
