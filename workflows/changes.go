package workflows

// Change IDs of workflow.GetVersion: each stands for one change of the order or number of commands of a workflow. The way
// before it stays, with a recorded history that replays it, until no open run needs it.
const (
	// changeCaseProcedure: a case is driven by what its owner plans (case.go), no more by a script (casescript.go).
	changeCaseProcedure = "case-procedure"
)
