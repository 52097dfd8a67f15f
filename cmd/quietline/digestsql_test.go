package main

// What the digest counts, said once more in SQL against the facts themselves. $1 is the month.

// monthReports are the reports of a month with what the tables need of each.
const monthReports = `SELECT r.*, c.sector AS complaint_sector, c.category AS complaint_category,
	coalesce(o.number_kind, c.number_kind) AS kind, coalesce(nullif(r.number_normal, ''), c.number_normal) AS number,
	coalesce(o.number_province, c.number_province) AS number_province, coalesce(o.number_carrier, c.number_carrier) AS carrier,
	r.verified AND r.same_call_as IS NULL AS counts,
	(SELECT p.agency_id FROM complaint_party p WHERE p.complaint_id = r.complaint_id AND p.part = 'verifier'
	  ORDER BY (p.until_time IS NULL) DESC, p.party_id DESC LIMIT 1) AS verifier
FROM report r JOIN complaint c ON c.complaint_id = r.complaint_id
LEFT JOIN LATERAL (SELECT x.number_kind, x.number_province, x.number_carrier FROM complaint x
	WHERE r.number_normal <> '' AND x.number_normal = r.number_normal LIMIT 1) o ON true
WHERE to_char(r.created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1`

// resaleNumber says whether a mobile number is of a segment for resale (移动通信转售号段).
const resaleNumber = `(kind = 'mobile' AND number ~ '^(141|162|165|167|170|171|174)')`

// operatorOfVerifier is the enterprise that a branch belongs to.
const operatorOfVerifier = `CASE WHEN verifier LIKE 'mvno-%' THEN verifier
	WHEN split_part(verifier, '-', 1) IN ('cmcc', 'ctcc', 'cucc', 'cbn') THEN split_part(verifier, '-', 1) ELSE 'unknown' END`

// reportAxes are the tables of reports, with the key of a report in each.
var reportAxes = map[string]string{
	"category":           categoryOfReport,
	"sector":             `coalesce(nullif(sector, ''), nullif(complaint_sector, ''), 'unknown')`,
	"method":             `CASE WHEN method = '' THEN 'unknown' WHEN method IN ('manual', 'recorded', 'bombing', 'one_ring') THEN method ELSE 'other' END`,
	"number_kind":        `CASE WHEN ` + resaleNumber + ` THEN 'mobile_resale' ELSE kind END`,
	"segment":            `CASE WHEN ` + resaleNumber + ` THEN left(number, 3) ELSE '' END`,
	"operator_allocated": `coalesce(nullif(carrier, ''), 'unknown')`,
	"operator_serving":   operatorOfVerifier,
	"hour":               `to_char(call_time AT TIME ZONE 'Asia/Shanghai', 'HH24')`,
	"reporter_region":    `coalesce(nullif(reporter_province, ''), 'unknown')`,
	"number_region":      `coalesce(nullif(number_province, ''), 'unknown')`,
	"channel":            `coalesce(nullif(channel, ''), 'unknown')`,
	"relapse":            `CASE WHEN relapse THEN 'relapse' ELSE 'first' END`,
}

// monthGoals are the two goals of the programme: of the marketing calls that were checked, which were in order; and how many
// calls were malicious or criminal.
const monthGoals = `WITH r AS (SELECT finding, ` + categoryOfReport + ` AS kind FROM (` + monthReports + `) r WHERE counts),
	checked AS (SELECT count(*) AS n, count(*) FILTER (WHERE finding = 'not_substantiated') AS fine FROM r
		WHERE kind = 'commercial' AND finding IN ('substantiated', 'not_substantiated'))
	SELECT 'marketing_compliance', n FROM checked
	UNION ALL SELECT 'marketing_compliance/per_mille', floor((2000 * fine + n) / (2.0 * n))::bigint FROM checked WHERE n > 0
	UNION ALL SELECT 'malicious_criminal', count(*) FROM r WHERE kind IN ('malicious', 'criminal')`

const categoryOfReport = `coalesce(nullif(category, ''), nullif(complaint_category, ''), 'unknown')`

const monthComplaints = ` FROM complaint c WHERE to_char(c.created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1`

// leader is the agency that leads a complaint, or led it last.
const leader = `(SELECT p.agency_id FROM complaint_party p WHERE p.complaint_id = c.complaint_id AND p.part = 'lead'
	ORDER BY (p.until_time IS NULL) DESC, p.party_id DESC LIMIT 1)`

// steps are the columns of agencies, each from facts that the counting does not look at: what people decided, what reporters
// were told, what stands in the register. Each asks an owner for complaints.
var steps = map[string]struct{ owner, sql string }{
	// it came to work that is done on what was accepted only; evidence is preserved before
	"accepted": {"assignment", `SELECT subject_id::text, 1 FROM task WHERE subject_kind = 'complaint' AND step NOT IN ('accept', 'preserve') AND $1 <> ''`},
	// somebody decided what the facts were
	"verified": {"assignment", `SELECT subject_id::text, 1 FROM task t JOIN decision d USING (task_id)
		WHERE t.step IN ('fact_check', 'late_check') AND d.outcome = 'concluded' AND $1 <> ''`},
	// a reporter was told that it is true
	"substantiated": {"reporting", `SELECT r.complaint_id::text, 1 FROM report r, feedback b
		WHERE r.report_id = b.report_id AND b.stage = 'checked' AND b.code = 'substantiated' AND $1 <> ''`},
	// somebody decided on measures or a case
	"handled": {"assignment", `SELECT subject_id::text, 1 FROM task t JOIN decision d USING (task_id)
		WHERE t.step = 'handle' AND d.outcome IN ('measures', 'case', 'measures_and_case') AND $1 <> ''`},
	// a reporter was told the very result that the complaint has
	"fed_back": {"reporting", `SELECT c.complaint_id::text, 1 FROM complaint c JOIN report r USING (complaint_id) JOIN feedback b USING (report_id)
		WHERE c.result NOT IN ('', 'withdrawn') AND b.code = c.result AND b.stage NOT IN ('checked', 'not_accepted') AND $1 <> ''`},
	// it was asked for a second time
	"reopened": {"reporting", `SELECT complaint_id::text, 1 FROM complaint_history WHERE round > 1 AND $1 <> ''`},
}

// penaltyCases are the cases whose penalty was published and not withdrawn again; casesOf are the complaints of cases.
const (
	penaltyCases = `SELECT case_id::text, 1 FROM publication p WHERE kind = 'penalty' AND $1 <> ''
		AND NOT EXISTS (SELECT FROM publication_withdrawal w WHERE w.publication_id = p.publication_id)`
	casesOf = `SELECT DISTINCT complaint_id::text, 1 FROM case_complaint WHERE $1 <> '' AND case_id::text = ANY ($2)`
)

// led are the complaints of a month by the agency that leads them, those named only.
const led = `SELECT ` + leader + `, count(*) FROM complaint c
	WHERE to_char(c.created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1 AND ` + leader + ` IS NOT NULL AND c.complaint_id::text = ANY ($2) GROUP BY 1`

// coarseMinutes are minutes as the digest keeps them: in two hours, half days, days.
const coarseMinutes = `CASE WHEN m < 1440 THEN m / 120 * 120 WHEN m < 14400 THEN m / 720 * 720 ELSE m / 1440 * 1440 END`

func tasksBy(key string) []string {
	opened := `to_char(t.open_time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1`
	decided := `FROM task t JOIN decision d ON d.task_id = t.task_id WHERE to_char(d.decided_time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1`
	return []string{
		`SELECT t.` + key + `, count(*) FROM task t WHERE ` + opened + ` GROUP BY 1`,
		`SELECT t.` + key + ` || '/bounced', count(*) ` + decided + ` AND d.outcome = 'bounced' GROUP BY 1`,
		`SELECT t.` + key + ` || '/decided', count(*) ` + decided + ` AND d.outcome <> 'bounced' GROUP BY 1`,
		`SELECT t.` + key + ` || '/overdue', count(*) FROM task t WHERE to_char(t.due_time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1
			AND t.due_time < now() AND (t.close_time IS NULL OR t.close_time > t.due_time) GROUP BY 1`,
		`SELECT key || '/median_days', ((percentile_disc(0.5) WITHIN GROUP (ORDER BY ` + coarseMinutes + `) * 10 + 720) / 1440)::bigint
			FROM (SELECT t.` + key + ` AS key, floor(greatest(extract(epoch FROM d.decided_time - t.open_time), 0) / 60)::bigint AS m ` + decided + `) x GROUP BY key`,
	}
}

// otherTables are all other tables: rows by key, columns by key and name.
var otherTables = map[string]struct {
	owner string
	sql   []string
}{
	"total": {"reporting", []string{`SELECT CASE WHEN same_call_as IS NOT NULL THEN 'same_call' WHEN NOT verified THEN 'unverified' ELSE 'verified' END, count(*)
		FROM (` + monthReports + `) r GROUP BY 1`}},
	"number": {"reporting", []string{`SELECT CASE WHEN ` + resaleNumber + ` THEN 'mobile_resale' ELSE kind END, count(DISTINCT number)
		FROM (` + monthReports + `) r WHERE counts GROUP BY 1`}},
	"complaint_category": {"reporting", []string{`SELECT coalesce(nullif(c.category, ''), 'unknown'), count(*)` + monthComplaints + ` GROUP BY 1`}},
	"complaint_outcome":  {"reporting", []string{`SELECT coalesce(nullif(c.result, ''), 'open'), count(*)` + monthComplaints + ` GROUP BY 1`}},
	"complaint_origin":   {"reporting", []string{`SELECT c.origin, count(*)` + monthComplaints + ` GROUP BY 1`}},
	"complaint_relapse":  {"reporting", []string{`SELECT CASE WHEN c.round > 1 THEN 'reopened' ELSE 'not_reopened' END, count(*)` + monthComplaints + ` GROUP BY 1`}},
	"agency":             {"reporting", []string{`SELECT coalesce(` + leader + `, 'none'), count(*)` + monthComplaints + ` GROUP BY 1`}},
	"agency_tasks":       {"assignment", tasksBy("agency_id")},
	"step_tasks":         {"assignment", tasksBy("step")},
	"measure": {"enforcement", []string{
		`SELECT code, count(*) FROM measure_record WHERE to_char(created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1 GROUP BY 1`,
		`SELECT r.code || '/' || l.state, count(*) FROM measure_record r, measure_log l WHERE l.measure_id = r.measure_id AND l.state IN ('done', 'failed')
			AND to_char(l.created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1 GROUP BY 1`}},
	"penalty": {"enforcement", []string{
		`SELECT penalty_kind, count(*) FROM case_decision WHERE to_char(decided_time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1 GROUP BY 1`,
		`SELECT penalty_kind || '/amount', sum(amount_fen)::bigint FROM case_decision
			WHERE to_char(decided_time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = $1 GROUP BY 1`}},
	"mark_label": {"reporting", []string{`SELECT coalesce((SELECT l.code FROM mark_label l WHERE l.label = m.label AND l.valid @> now()), 'other'), sum(m.count)::bigint
		FROM mark m WHERE to_char(m.day, 'YYYY-MM') = $1 GROUP BY 1`}},
	"mark_source": {"reporting", []string{`SELECT m.source, sum(m.count)::bigint FROM mark m WHERE to_char(m.day, 'YYYY-MM') = $1 GROUP BY 1`}},
}
