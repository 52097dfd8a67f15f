package disclosure

import "slices"

// resale is the kind of mobile numbers of resale operators; its segments have a table of their own.
const resale = "mobile_resale"

// Units and what they are called.
const (
	inReports    = "reports"
	inComplaints = "complaints"
	inNumbers    = "numbers"
	inMarks      = "marks"
	inTasks      = "tasks"
	inMeasures   = "measures"
	inPenalties  = "penalties"
)

var unitNames = map[string]string{
	inReports: "件次(举报)", inComplaints: "件(事项)", inNumbers: "个(号码)", inMarks: "次(标记)", inTasks: "件(任务)", inMeasures: "项(措施)",
	inPenalties: "件(处罚决定)",
}

// Shares and spans.
const (
	exclusive = "exclusive" // each is counted in one row: shares add to 100.0 %
	multi     = "multi"     // one may be in several rows or columns
	cohort    = "cohort"    // what began in the month, as it stands at the cut
	period    = "period"    // what happened in the month
)

// Date bases.
const (
	byTakenIn  = "收到日期(北京时间)"
	byBegan    = "事项形成日期(北京时间)"
	byFirst    = "当月首次被举报日期(北京时间)"
	byMarked   = "标记日期(北京时间)"
	byTaskDay  = "任务下达、办结、到期日期(北京时间)"
	byActDay   = "措施下达、完成日期(北京时间)"
	byDecision = "决定日期(北京时间)"
)

// thresholdUnit is of what there must be enough behind a public figure of a table. Who reported is reporting's alone to know:
// tasks, measures and penalties are of their complaints or cases, and marks are of nobody.
func (t *table) thresholdUnit() string {
	switch {
	case t.unit == inMarks:
		return "marks"
	case t.from.owner == "reporting":
		return "reporters"
	default:
		return "matters"
	}
}

// source is where an owner keeps the figures of a table.
type source struct{ owner, unit, axis string }

// column is a further figure of each row.
type column struct {
	code, title string
	decimals    int32
	kind        columnKind
	within      []string  // what each row's figure is a part of: columns before it, "" for the row itself
	joint       *relation // how its sum hangs together with another table
	summed      bool      // its sum may be known from another table
	bounds      string    // the column that is at most what this one leaves of the row, where nothing was left from before
}

type columnKind int

const (
	counted   columnKind = iota // a column of the owner's
	median                      // of minutes, in tenths of a day
	perUsers                    // for each 10,000 users, in hundredths
	sumOfYuan                   // of the amounts in fen
)

// table is how a table is made.
type table struct {
	axis, title, unit, dateBasis, region, span, share string

	from       source
	main       string // the owner's column that rows count; empty: the count itself
	vocabulary string
	columns    []column
	shape      shape
	like       string // the table whose rows the public edition has as well
}

// tableOf is the table of an axis.
func tableOf(axis string) *table {
	return &tables[slices.IndexFunc(tables, func(t table) bool { return t.axis == axis })]
}

type shape int

const (
	flat     shape = iota // rows add to the total
	kinds                 // the same, and one row has a table beneath it
	segments              // that table
	loose                 // rows that add to nothing: too small ones are left out
)

var taskColumns = []column{
	{code: "decided", title: "办结", summed: true, bounds: "bounced"}, {code: "bounced", title: "退回", summed: true}, {code: "overdue", title: "逾期", summed: true},
	{code: "median_days", title: "办理天数中位数", decimals: 1, kind: median},
}

// tables are the tables of a digest in their order.
var tables = []table{
	{axis: "total", title: "举报总量", unit: inReports, dateBasis: byTakenIn, span: cohort, share: multi, from: source{"reporting", inReports, "total"}, vocabulary: "total", shape: loose},
	{axis: "category", title: "按类别", unit: inReports, dateBasis: byTakenIn, span: cohort, share: exclusive, from: source{"reporting", inReports, "category"}, vocabulary: "category"},
	{axis: "sector", title: "按行业", unit: inReports, dateBasis: byTakenIn, span: cohort, share: exclusive, from: source{"reporting", inReports, "sector"}, vocabulary: "sector"},
	{axis: "method", title: "按拨打方式", unit: inReports, dateBasis: byTakenIn, span: cohort, share: exclusive, from: source{"reporting", inReports, "method"}, vocabulary: "method"},
	{axis: "number_kind", title: "按号码类型", unit: inReports, dateBasis: byTakenIn, span: cohort, share: exclusive, from: source{"reporting", inReports, "number_kind"}, vocabulary: "number_kind", shape: kinds},
	{axis: "segment", title: "移动转售号段(170、171等)", unit: inReports, dateBasis: byTakenIn, span: cohort, share: exclusive, from: source{"reporting", inReports, "number_kind"}, vocabulary: "segment", shape: segments},
	{axis: "operator_allocated", title: "按号段分配企业", unit: inReports, dateBasis: byTakenIn, span: cohort, share: exclusive, from: source{"reporting", inReports, "operator_allocated"}, vocabulary: "operator",
		columns: []column{{code: "per_10k_users", title: "每万用户举报件次", decimals: 2, kind: perUsers}}},
	{axis: "operator_serving", title: "按实际服务企业", unit: inReports, dateBasis: byTakenIn, span: cohort, share: exclusive, from: source{"reporting", inReports, "operator_serving"}, vocabulary: "operator",
		columns: []column{{code: "per_10k_users", title: "每万用户举报件次", decimals: 2, kind: perUsers}}},
	{axis: "hour", title: "按来电时段", unit: inReports, dateBasis: byTakenIn, span: cohort, share: exclusive, from: source{"reporting", inReports, "hour"}, vocabulary: "hour"},
	{axis: "reporter_region", title: "按举报人所在地", unit: inReports, dateBasis: byTakenIn, region: "reporter", span: cohort, share: exclusive, from: source{"reporting", inReports, "reporter_region"}, vocabulary: "region"},
	{axis: "number_region", title: "按号码归属地", unit: inReports, dateBasis: byTakenIn, region: "number", span: cohort, share: exclusive, from: source{"reporting", inReports, "number_region"}, vocabulary: "region"},
	{axis: "channel", title: "按举报渠道", unit: inReports, dateBasis: byTakenIn, span: cohort, share: exclusive, from: source{"reporting", inReports, "channel"}, vocabulary: "channel"},
	{axis: "relapse", title: "回潮", unit: inReports, dateBasis: byTakenIn, span: cohort, share: exclusive, from: source{"reporting", inReports, "relapse"}, vocabulary: "relapse"},
	{axis: "number", title: "被举报号码按类型", unit: inNumbers, dateBasis: byFirst, span: cohort, share: exclusive, from: source{"reporting", inNumbers, "number_kind"}, vocabulary: "number_kind", shape: kinds, like: "number_kind"},
	{axis: "complaint_category", title: "事项按类别", unit: inComplaints, dateBasis: byBegan, span: cohort, share: exclusive, from: source{"reporting", inComplaints, "category"}, vocabulary: "category"},
	{axis: "complaint_outcome", title: "事项办理结果", unit: inComplaints, dateBasis: byBegan, span: cohort, share: exclusive, from: source{"reporting", inComplaints, "outcome"}, vocabulary: "outcome"},
	{axis: "complaint_origin", title: "事项来源", unit: inComplaints, dateBasis: byBegan, span: cohort, share: exclusive, from: source{"reporting", inComplaints, "origin"}, vocabulary: "origin"},
	{axis: "complaint_relapse", title: "事项重新办理", unit: inComplaints, dateBasis: byBegan, span: cohort, share: exclusive, from: source{"reporting", inComplaints, "relapse"}, vocabulary: "complaint_relapse"},
	{axis: "agency", title: "各主办单位办理情况", unit: inComplaints, dateBasis: byBegan, span: cohort, share: exclusive, from: source{"reporting", inComplaints, "agency"}, vocabulary: "agency",
		columns: []column{
			{code: "accepted", title: "受理", within: []string{""}, joint: ofAccepted},
			{code: "verified", title: "核查", within: []string{"", "accepted"}, joint: ofVerified},
			{code: "substantiated", title: "属实", within: []string{"", "accepted", "verified"}, joint: ofSubstantiated},
			{code: "handled", title: "处置", within: []string{"", "accepted"}, joint: ofHandled},
			{code: "fed_back", title: "反馈", within: []string{""}, joint: ofAny},
			{code: "disclosed", title: "公示", within: []string{"", "accepted", "handled"}, joint: ofDisclosed},
			{code: "reopened", title: "重新办理", within: []string{""}, joint: ofReopened},
		}},
	{axis: "agency_tasks", title: "各单位任务办理情况", unit: inTasks, dateBasis: byTaskDay, span: period, share: exclusive, from: source{"assignment", inTasks, "agency"}, main: "opened", vocabulary: "agency", columns: taskColumns},
	{axis: "step_tasks", title: "各环节任务办理情况", unit: inTasks, dateBasis: byTaskDay, span: period, share: exclusive, from: source{"assignment", inTasks, "step"}, main: "opened", vocabulary: "step", columns: taskColumns},
	{axis: "measure", title: "处置措施", unit: inMeasures, dateBasis: byActDay, span: period, share: exclusive, from: source{"enforcement", inMeasures, "measure"}, main: "ordered", vocabulary: "measure",
		columns: []column{{code: "done", title: "完成", within: []string{""}}, {code: "failed", title: "未完成", within: []string{""}}}},
	{axis: "penalty", title: "处罚决定", unit: inPenalties, dateBasis: byDecision, span: period, share: exclusive, from: source{"enforcement", inPenalties, "penalty"}, vocabulary: "penalty",
		columns: []column{{code: "amount", title: "金额(元)", decimals: 2, kind: sumOfYuan}}},
	{axis: "mark_label", title: "标记按类型", unit: inMarks, dateBasis: byMarked, span: period, share: exclusive, from: source{"reporting", inMarks, "mark_label"}, vocabulary: "mark_label"},
	{axis: "mark_source", title: "标记按来源", unit: inMarks, dateBasis: byMarked, span: period, share: exclusive, from: source{"reporting", inMarks, "mark_source"}, vocabulary: "mark_source"},
}
