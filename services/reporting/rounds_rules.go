package reporting

// States of a complaint; doc.go draws them.
const (
	stateReceived = "RECEIVED"
	stateOpen     = "OPEN"
	stateWatching = "WATCHING"
	stateClosed   = "CLOSED"
)

// Stages of a complaint. While OPEN it may be at any but the last two.
const (
	stageAccept = "accept"
	stageWatch  = "watch"
	stageClosed = "closed"
)

var stages = []string{
	stageAccept, "assign", "number_check", "fact_check", "handle", "feedback", "disclose", stageWatch, stageClosed,
}

var parts = []string{"lead", "co", "verifier", "preserver", "executor", "superior"}

const criminal = "criminal"

var categories = []string{"", "commercial", "malicious", criminal}

var findingResults = []string{"substantiated", "not_substantiated", "no_evidence"}

// originMarks is a complaint that marks opened.
const originMarks = "marks"

// Results of a complaint that was never handled.
const (
	resultWithdrawn   = "withdrawn"
	resultNotAccepted = "not_accepted"
)

// substantiatedResults are what a complaint comes to of which some reports were substantiated. The others of its reports
// are told their own finding.
var substantiatedResults = []string{"measures", "case", "case_no_penalty", "no_measure"}

// relapsePolicy is when a watched complaint re-opens.
type relapsePolicy struct {
	threshold  int32 // verified reports of calls after the handling
	reopenings int32 // ordinary ones; one more goes to the lead ministry, and after that there is none
}

// reopening says whether a complaint that was re-opened so often may be again, and whether that goes to the lead ministry.
func (p relapsePolicy) reopening(reopened int32) (allowed, toLead bool) {
	return reopened <= p.reopenings, reopened == p.reopenings
}

// relapsed says whether so many relapses re-open a complaint.
func (p relapsePolicy) relapsed(count, reopened int32) bool {
	allowed, _ := p.reopening(reopened)
	return allowed && count > 0 && count >= p.threshold
}
