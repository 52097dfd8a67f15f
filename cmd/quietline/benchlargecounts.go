package main

import (
	"context"
	"fmt"
	"time"
)

// The month whose aggregates are made up, and the day whose reports are.
const (
	largeMonth   = "2026-09"
	largeDay     = "2026-10-15"
	largeReports = 200_000
)

// largeAxes are the figures of a day of reports: axis and how many keys. Each key has its share, none is small.
const largeAxes = `(VALUES ('total', 1), ('sector', 17), ('category', 4), ('category_finding', 20), ('method', 6), ('channel', 8), ('number_kind', 22),
	('operator_allocated', 14), ('operator_serving', 14), ('hour', 24), ('reporter_region', 32), ('number_region', 32), ('relapse', 2)) a (axis, keys)`

// largeCounts are the aggregates of the month, as the owners keep them: some hundred agencies, and for each what is counted of
// its complaints and tasks, with the distribution of its spans.
var largeCounts = map[string][]string{
	"reporting": {
		`INSERT INTO day_cut (cut_time) VALUES ('2026-10-03')`,
		`INSERT INTO day_count (day, unit, axis, key, col, bucket, count, reporters, witnesses, since_cut)
		 SELECT day, 'reports', axis, CASE axis WHEN 'total' THEN 'verified' WHEN 'number_kind' THEN CASE WHEN k <= 5 THEN 'mobile/16' || k ELSE 'kind-' || k END
		        WHEN 'category' THEN (ARRAY['commercial', 'malicious', 'criminal', 'unknown'])[k]
		        WHEN 'category_finding' THEN (ARRAY['commercial', 'malicious', 'criminal', 'unknown'])[1 + (k - 1) / 5] || '/' ||
		             (ARRAY['open', 'substantiated', 'not_substantiated', 'no_evidence', 'not_checked'])[1 + (k - 1) % 5]
		        ELSE axis || '-' || k END, '', 0, ` + dailyShare + `, 32, '', 1
		 FROM generate_series(date '2026-09-01', '2026-09-30', interval '1 day') day, ` + largeAxes + `, generate_series(1, keys) k`,
		`INSERT INTO day_count (day, unit, axis, key, col, bucket, count, reporters, witnesses, since_cut)
		 SELECT day, 'complaints', 'agency', 'agency-' || k, col, 0, 80, 32, '', 1
		 FROM generate_series(date '2026-09-01', '2026-09-30', interval '1 day') day, generate_series(1, 400) k,
		      unnest('{"",accepted,verified,substantiated,handled,fed_back,disclosed,reopened,-accepted,-verified,-substantiated,-handled,-fed_back,-disclosed,-reopened}'::text[]) col`,
		`INSERT INTO day_fold (scope, day, fold_time) SELECT 'reports', day, '2026-10-05' FROM generate_series(date '2026-09-01', '2026-09-30', interval '1 day') day`,
	},
	"assignment": {
		`INSERT INTO day_cut (cut_time) VALUES ('2026-10-03')`,
		`INSERT INTO day_count (day, unit, axis, key, col, bucket, count, reporters, witnesses, since_cut)
		 SELECT day, 'tasks', 'agency', 'agency-' || k, col, 0, 400, 32, '', 1
		 FROM generate_series(date '2026-09-01', '2026-09-30', interval '1 day') day, generate_series(1, 400) k, unnest('{opened,decided,bounced,overdue}'::text[]) col`,
		`INSERT INTO day_count (day, unit, axis, key, col, bucket, count, reporters, witnesses, since_cut)
		 SELECT day, 'minutes', 'agency', 'agency-' || k, '', span * 720, 20, 0, '', 1
		 FROM generate_series(date '2026-09-01', '2026-09-30', interval '1 day') day, generate_series(1, 400) k, generate_series(0, 19) span`,
		`INSERT INTO day_count (day, unit, axis, key, col, bucket, count, reporters, witnesses, since_cut)
		 SELECT day, 'tasks', 'step', 'step-' || k, col, 0, 4000, 32, '', 1
		 FROM generate_series(date '2026-09-01', '2026-09-30', interval '1 day') day, generate_series(1, 30) k, unnest('{opened,decided,bounced,overdue}'::text[]) col`,
		`INSERT INTO day_fold (scope, day, fold_time) SELECT 'tasks', day, '2026-10-05' FROM generate_series(date '2026-09-01', '2026-09-30', interval '1 day') day`,
	},
	"enforcement": {
		`INSERT INTO day_cut (cut_time) VALUES ('2026-10-03')`,
		`INSERT INTO day_count (day, unit, axis, key, col, bucket, count, reporters, witnesses, since_cut)
		 SELECT day, 'measures', 'measure', 'measure-' || k, col, 0, 300, 32, '', 1
		 FROM generate_series(date '2026-09-01', '2026-09-30', interval '1 day') day, generate_series(1, 12) k, unnest('{ordered,done,failed}'::text[]) col`,
		`INSERT INTO day_fold (scope, day, fold_time) SELECT 'acts', day, '2026-10-05' FROM generate_series(date '2026-09-01', '2026-09-30', interval '1 day') day`,
	},
}

// dailyShare gives every key of an axis its part of a day's reports, the first what is left over.
const dailyShare = `333333 / keys + CASE WHEN k = 1 THEN 333333 % keys ELSE 0 END + CASE WHEN k = 1 AND extract(day FROM day) <= 10 THEN 1 ELSE 0 END`

// largeReportRows are the reports of a day with their complaints.
var largeReportRows = []string{
	`INSERT INTO complaint (complaint_id, key, displayed, number_normal, number_kind, number_province, number_carrier, category, sector, created_at, round_time,
	        state_time, updated_at)
	 SELECT gen_random_uuid(), 'bench/' || i, '17' || lpad(i::text, 9, '0'), '17' || lpad(i::text, 9, '0'), 'mobile', '11', 'cucc', 'commercial', 'loans',
	        at, at, at, at
	 FROM generate_series(1, 20000) i, LATERAL (SELECT timestamptz '2026-10-15 00:00+08' + i * interval '4 seconds' AS at) x`,
	`INSERT INTO report (report_id, complaint_id, round, receipt, sender, sender_no, content_hash, channel, displayed, call_time, duration_seconds, method,
	        reported_type, company, reporter_province, consent, verified, privacy_notice, filed_time, created_at, reporter_index, reporter_operator, sealed,
	        category, sector, classified)
	 SELECT gen_random_uuid(), c.complaint_id, 1, 'BENCH' || row_number() OVER (), 'bench', (row_number() OVER ())::text, '\x00', 'phone', c.displayed,
	        c.created_at - interval '1 hour', 30, 'manual', '贷款理财', '', (ARRAY['11','31','44','51','32'])[1 + n % 5], 0, true, '', c.created_at, c.created_at,
	        decode(md5((random() * 150000)::int::text), 'hex'), 'cmcc', '\x00', 'commercial', (ARRAY['loans','insurance','real_estate','education'])[1 + n % 4], true
	 FROM complaint c, generate_series(1, 10) n WHERE c.key LIKE 'bench/%'`,
	`VACUUM ANALYZE complaint, report`,
}

// fill makes the aggregates and the day once.
func (d *largeDigest) fill(ctx context.Context) error {
	began := time.Now()
	var there bool
	if err := d.query(ctx, "reporting", "SELECT EXISTS (SELECT FROM day_count WHERE day = '2026-09-30') AND EXISTS (SELECT FROM report)", &there); err != nil || there {
		return err
	}
	for _, owner := range []string{"assignment", "enforcement", "reporting"} {
		for _, s := range largeCounts[owner] {
			if _, err := d.exec(ctx, owner, s); err != nil {
				return err
			}
		}
		if _, err := d.exec(ctx, owner, "VACUUM ANALYZE day_count"); err != nil {
			return err
		}
	}
	rows, err := d.exec(ctx, "reporting", largeReportRows...)
	fmt.Printf("  aggregates of a month, %d rows of a day  %v\n", rows, time.Since(began).Round(time.Second))
	return err
}
