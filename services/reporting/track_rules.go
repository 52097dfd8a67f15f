package reporting

import (
	"cmp"

	"quietline/internal/calendar"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// Stages that only the reporter's timeline has.
const (
	stageReceived    = "received"
	stageHandle      = "handle"
	stageTransferred = "transferred"
	stageWithdrawn   = "withdrawn"
	stageReversed    = "reversed"
)

// resultTransferred is the result of a complaint that went to the police.
const resultTransferred = "transferred"

// competentAuthority is all that is told of a criminal matter from its transfer on (有权机关).
const competentAuthority = "有权机关"

// titles are the stages in Chinese, as the public reads them.
var titles = map[string]string{
	stageReceived: "已接收", stageAccept: "受理审查", "assign": "分办", "number_check": "号码核查", "fact_check": "事实核查",
	stageHandle: "处置", "feedback": "反馈", "disclose": "公示", stageWatch: "回访观察", stageClosed: "已办结",
	stageTransferred: "已移送有权机关", stageWithdrawn: "已撤回", stageReversed: "处罚决定已撤销",
}

// track is what decides what a reporter is told.
type track struct {
	report    store.ReportByReceiptRow
	complaint store.Complaint
	entries   []store.TimelineRow // of the report's round and those before, in order
	result    string              // sentence of the result given; empty before
	code      string              // its code
	reversed  string              // sentence about the decision that was taken back since; empty when none was
	answered  bool                // the follow-up question of the round
}

// over says whether the report's round has ended and a later one, without it, goes on.
func (t *track) over() bool { return t.report.Round < t.complaint.Round }

// transferred says whether the matter is criminal and has gone to the police: from the step after the checks on.
func (t *track) transferred() bool {
	if t.complaint.Result == resultTransferred || t.code == resultTransferred {
		return true
	}
	return t.complaint.Category == "criminal" && t.handledAt() >= 0
}

// handledAt is the entry at which the handling of the report's round began, -1 when it has not.
func (t *track) handledAt() int {
	for i, e := range t.entries {
		if e.Round == t.report.Round && e.Stage == stageHandle {
			return i
		}
	}
	return -1
}

// visible are the entries that may be told. What was reached before the report came in counts from then on.
func (t *track) visible() []store.TimelineRow {
	shown := t.entries
	if t.transferred() {
		at := t.handledAt()
		if at < 0 {
			at = len(shown)
		}
		reached := t.complaint.UpdatedAt
		if at < len(shown) {
			reached = shown[at].ReachedTime
		}
		shown = append(append([]store.TimelineRow{}, shown[:at]...),
			store.TimelineRow{Stage: stageTransferred, Office: competentAuthority, ReachedTime: reached})
	}
	out := make([]store.TimelineRow, len(shown))
	for i, e := range shown {
		if e.ReachedTime.Before(t.report.CreatedAt) {
			e.ReachedTime = t.report.CreatedAt
		}
		out[i] = e
	}
	return out
}

// now is where the report stands.
func (t *track) now() store.TimelineRow {
	switch {
	case t.report.WithdrawnAt != nil:
		return store.TimelineRow{Stage: stageWithdrawn}
	case t.transferred():
		return store.TimelineRow{Stage: stageTransferred, Office: competentAuthority}
	case t.over():
		return store.TimelineRow{Stage: stageClosed}
	}
	c := t.complaint
	return store.TimelineRow{Stage: c.Stage, Office: c.Office, DueTime: c.DueTime}
}

// told is the result in words. Of a criminal matter it is that of the transfer only.
func (t *track) told() string {
	if t.transferred() && t.code != resultTransferred {
		return ""
	}
	return t.result + t.reversed
}

// watching says whether the reporter may say that it has not stopped.
func (t *track) watching() bool {
	return t.complaint.State == stateWatching && !t.over() && !t.answered && t.report.WithdrawnAt == nil && !t.transferred()
}

// counted says in which month and under which category the digest counts the report: as countDay does. A matter that went to
// the police has its category like any other, for the reporter has been told of the transfer.
func (t *track) counted(resp *reportingv1.TrackReportResponse) {
	switch {
	case t.report.SameCallAs != nil:
		resp.CountedNote = "同一来电已有举报,统计时计一次,本件不另计"
	case !t.report.Verified:
		resp.CountedNote = "未经验证的举报在统计中另计,不计入各类别"
	default:
		resp.CountedMonth = t.report.CreatedAt.In(calendar.Shanghai).Format("2006-01")
		resp.CountedCategory = cmp.Or(t.report.Category, t.complaint.Category, notKnown)
		resp.CountedNote = "计入当月举报情况盘点;类别以办理结果为准,此后变化的在更正版中体现"
	}
}
