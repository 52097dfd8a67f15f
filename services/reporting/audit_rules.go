package reporting

// A check looks for one broken invariant in the service's own tables. Its query takes the last ID of the page before and
// the page size, and returns IDs in order; the sentence follows the ID.
type check struct {
	sentence string
	query    string
}

var checks = []check{
	{"report belongs to no complaint", `SELECT r.report_id FROM report r LEFT JOIN complaint c USING (complaint_id)
		WHERE r.report_id > $1 AND c.complaint_id IS NULL ORDER BY r.report_id LIMIT $2`},
	{"complaint is closed or watched though a report of it lacks its result", `SELECT c.complaint_id FROM complaint c
		WHERE c.complaint_id > $1 AND c.state IN ('CLOSED', 'WATCHING') AND EXISTS (
			SELECT FROM report r WHERE r.complaint_id = c.complaint_id AND r.withdrawn_at IS NULL AND NOT EXISTS (
				SELECT FROM feedback f WHERE f.report_id = r.report_id AND f.round = r.round AND f.stage IN ('result', 'not_accepted')))
		ORDER BY c.complaint_id LIMIT $2`},
	{"complaint lives beside another of the same key", `SELECT c.complaint_id FROM complaint c
		WHERE c.complaint_id > $1 AND c.state <> 'CLOSED' AND EXISTS (SELECT FROM complaint o
			WHERE o.key = c.key AND o.state <> 'CLOSED' AND o.complaint_id <> c.complaint_id)
		ORDER BY c.complaint_id LIMIT $2`},
	{"complaint has no report", `SELECT c.complaint_id FROM complaint c WHERE c.complaint_id > $1
		AND NOT EXISTS (SELECT FROM report r WHERE r.complaint_id = c.complaint_id) ORDER BY c.complaint_id LIMIT $2`},
	{"complaint's stage does not fit its state", `SELECT c.complaint_id FROM complaint c WHERE c.complaint_id > $1
		AND NOT (CASE c.state WHEN 'RECEIVED' THEN c.stage = 'accept' WHEN 'WATCHING' THEN c.stage = 'watch'
			WHEN 'CLOSED' THEN c.stage = 'closed' ELSE c.stage NOT IN ('watch', 'closed') END)
		ORDER BY c.complaint_id LIMIT $2`},
	{"report is of a round that its complaint has not reached", `SELECT r.report_id FROM report r JOIN complaint c USING (complaint_id)
		WHERE r.report_id > $1 AND (r.round > c.round OR r.round < 1) ORDER BY r.report_id LIMIT $2`},
	{"same call points to a report that is itself one", `SELECT r.report_id FROM report r LEFT JOIN report f ON f.report_id = r.same_call_as
		WHERE r.report_id > $1 AND r.same_call_as IS NOT NULL AND (f.report_id IS NULL OR f.same_call_as IS NOT NULL)
		ORDER BY r.report_id LIMIT $2`},
	{"conflict names no report that stands", `SELECT q.quarantine_id FROM quarantine q LEFT JOIN report r ON r.report_id = q.first_id
		WHERE q.quarantine_id > $1 AND q.fate = 'conflict' AND r.report_id IS NULL ORDER BY q.quarantine_id LIMIT $2`},
}
