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
	{"complaint has no report", `SELECT c.complaint_id FROM complaint c WHERE c.complaint_id > $1 AND c.origin <> 'marks'
		AND NOT EXISTS (SELECT FROM report r WHERE r.complaint_id = c.complaint_id)
		AND NOT EXISTS (SELECT FROM report_move m WHERE m.moved_from = c.complaint_id) ORDER BY c.complaint_id LIMIT $2`},
	{"clue that nobody reported came to more than its number check", `SELECT c.complaint_id FROM complaint c
		WHERE c.complaint_id > $1 AND c.origin = 'marks'
		AND (c.state = 'WATCHING' OR c.category <> '' OR c.result NOT IN ('', 'merged') AND c.result NOT LIKE 'clue\_%')
		AND NOT EXISTS (SELECT FROM report r WHERE r.complaint_id = c.complaint_id) ORDER BY c.complaint_id LIMIT $2`},
	{"complaint came from marks that nobody has written down", `SELECT c.complaint_id FROM complaint c LEFT JOIN clue k USING (complaint_id)
		WHERE c.complaint_id > $1 AND c.origin = 'marks' AND k.complaint_id IS NULL ORDER BY c.complaint_id LIMIT $2`},
	{"clue stands against a forged number", `SELECT c.complaint_id FROM complaint c
		WHERE c.complaint_id > $1 AND c.origin = 'marks' AND c.number_kind LIKE '%\_spoofed' ORDER BY c.complaint_id LIMIT $2`},
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
	{"report belongs to another complaint than it was moved to", `SELECT r.report_id FROM report_move m JOIN report r USING (report_id)
		WHERE r.report_id > $1 AND m.moved_to <> r.complaint_id
		AND NOT EXISTS (SELECT FROM report_move n WHERE n.report_id = m.report_id AND n.move_id > m.move_id)
		ORDER BY r.report_id LIMIT $2`},
	{"merged complaint lives on in one that was merged itself", `SELECT c.complaint_id FROM complaint c JOIN complaint i ON i.complaint_id = c.merged_into
		WHERE c.complaint_id > $1 AND i.merged_into IS NOT NULL ORDER BY c.complaint_id LIMIT $2`},
	{"key leads to a complaint that was merged", `SELECT c.complaint_id FROM complaint c
		WHERE c.complaint_id > $1 AND c.merged_into IS NOT NULL AND EXISTS (
			SELECT FROM complaint_alias a WHERE a.complaint_id = c.complaint_id AND a.ended_at IS NULL)
		ORDER BY c.complaint_id LIMIT $2`},
	{"part of a split complaint has a key that is not its own", `SELECT c.complaint_id FROM complaint c
		WHERE c.complaint_id > $1 AND c.part <> '' AND NOT c.forged AND c.key NOT LIKE '%#' || c.part
		ORDER BY c.complaint_id LIMIT $2`},
}
