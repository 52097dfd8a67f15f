package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/deploy/embedded"
)

// largeMark says in the data directory how many resources its ledger was filled with.
const largeMark = "large.filled"

// The ledger of the bench, set-wise: of each resource two allocations one after the other, the first of them corrected
// once, so three rows; its history; where it enters the network; its contract; for every second one a sublet; licences and
// holders. $1 is the number of resources. Identifiers grow with time, as the ledger's own do.
//
// The first four fifths are blocks of ten 400 numbers, the others single codes of eight digits.
var largeRows = []struct{ table, sql string }{
	{"holder", `INSERT INTO holder (holder_id, name, credit_code, licence, sector, created_by)
		SELECT pg_temp.id(1, i), '静线样例测速' || i || '有限公司', '91000000' || lpad(i::text, 10, '0'), 'B2-' || i,
		       (ARRAY['loans','insurance','real_estate','retail','education','telecom','other'])[1 + i % 7], 'bench'
		  FROM generate_series(0, greatest($1::bigint / 10, 1) - 1) i`},
	{"licence", `INSERT INTO licence (licence_id, holder_id, number, kinds, provinces, outbound, document, valid_from, created_by, known_from)
		SELECT pg_temp.id(2, i), pg_temp.id(1, i), 'B2-' || i, '{B24}', '{00}', true, '样例许可证', '2020-01-01+08', 'bench', '2020-01-01+08'
		  FROM generate_series(0, greatest($1::bigint / 10, 1) - 1) i`},
	{"resource", `INSERT INTO resource (resource_id) SELECT pg_temp.id(3, i) FROM generate_series(0, $1::bigint - 1) i`},
	// what was first known, and known wrongly until 2023-07
	{"allocation", largeAllocation("4", "i + 7", "'2023-01-01+08'", "'2025-01-01+08'", "'2023-01-01+08'", "'2023-07-01+08'", "NULL")},
	// what is right for that time
	{"allocation", largeAllocation("5", "i + 3", "'2023-01-01+08'", "'2025-01-01+08'", "'2023-07-01+08'", "NULL", "pg_temp.id(4, i)")},
	// what holds today
	{"allocation", largeAllocation("6", "i", "'2025-01-01+08'", "NULL", "'2025-01-01+08'", "NULL", "NULL")},
	{"resource_event", `INSERT INTO resource_event (resource_id, event, basis, effect_time, recorded_time, done_by)
		SELECT pg_temp.id(3, i), 'allocated', '样例核配文件', '2023-01-01+08', '2023-01-01+08', 'bench' FROM generate_series(0, $1::bigint - 1) i`},
	{"resource_event", `INSERT INTO resource_event (resource_id, event, reason_code, basis, nature, prior_notice, remedy, effect_time, recorded_time, done_by)
		SELECT pg_temp.id(3, i), 'warned', 'bench', '合同第八条', 'operator_measure', '已告知', '可申诉', '2024-03-01+08', '2024-03-01+08', 'bench'
		  FROM generate_series(0, $1::bigint - 1) i`},
	{"resource_event", `INSERT INTO resource_event (resource_id, event, reason_code, basis, effect_time, recorded_time, done_by)
		SELECT pg_temp.id(3, i), 'resumed', 'bench', '整改完成', day, day, 'bench'
		  FROM generate_series(0, $1::bigint - 1) i, unnest('{2024-04-01+08,2025-07-01+08}'::timestamptz[]) day`},
	{"access", `INSERT INTO access (access_id, resource_id, province, operator_id, location, valid_from, created_by, known_from)
		SELECT pg_temp.id(7, i), pg_temp.id(3, i), pg_temp.province(i + 5), (ARRAY['cmcc','ctcc','cucc'])[1 + i % 3] || '-' || pg_temp.province(i + 5),
		       '样例局', '2025-01-01+08', 'bench', '2025-01-01+08'
		  FROM generate_series(0, $1::bigint - 1) i`},
	{"contract", `INSERT INTO contract (contract_id, resource_id, operator_id, number, call_limit, limit_unit, complaint_clauses, handling_clauses,
		       valid_from, created_by, known_from)
		SELECT pg_temp.id(8, i), pg_temp.id(3, i), (ARRAY['ctcc','cucc','cmcc'])[1 + i % 3] || '-' || pg_temp.province(i), 'HT-' || i, 100,
		       'per_number_day', '第八条', '第九条', '2025-01-01+08', 'bench', '2025-01-01+08'
		  FROM generate_series(0, $1::bigint - 1) i`},
	{"sublet", `INSERT INTO sublet (sublet_id, resource_id, lessor_id, lessee_id, digits, first_number, last_number, purpose, document,
		       valid_from, created_by, known_from)
		SELECT pg_temp.id(9, i), pg_temp.id(3, i), pg_temp.holder(i, $1), pg_temp.holder(i + 1, $1), pg_temp.digits(i, $1), pg_temp.first(i, $1),
		       pg_temp.last(i, $1), 'customer_service', '转租批复', '2025-01-01+08', 'bench', '2025-01-01+08'
		  FROM generate_series(0, $1::bigint - 1, 2) i`},
}

func largeAllocation(kind, holder, from, to, knownFrom, knownTo, corrects string) string {
	return `INSERT INTO allocation (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose,
		       permitted_callers, access_operator_id, basis, valid_from, valid_to, known_from, known_to, corrects, reason, created_by)
		SELECT pg_temp.id(` + kind + `, i), pg_temp.id(3, i), pg_temp.holder(` + holder + `, $1), 'national', pg_temp.digits(i, $1), pg_temp.first(i, $1),
		       pg_temp.last(i, $1), pg_temp.province(i), 'customer_service', ARRAY[pg_temp.first(i, $1)::text],
		       (ARRAY['ctcc','cucc','cmcc'])[1 + i % 3] || '-' || pg_temp.province(i), '样例核配文件',
		       ` + from + `, ` + to + `, ` + knownFrom + `, ` + knownTo + `, ` + corrects + `, '样例', 'bench'
		  FROM generate_series(0, $1::bigint - 1) i`
}

// largeHelp are the functions that the rows are made with.
const largeHelp = `
	CREATE FUNCTION pg_temp.id(kind int, i bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
		$$ SELECT (lpad(to_hex(i), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(kind), 12, '0'))::uuid $$;
	CREATE FUNCTION pg_temp.holder(i bigint, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
		$$ SELECT pg_temp.id(1, i % greatest(n / 10, 1)) $$;
	CREATE FUNCTION pg_temp.digits(i bigint, n bigint) RETURNS smallint LANGUAGE sql IMMUTABLE AS
		$$ SELECT (CASE WHEN i < n * 4 / 5 THEN 10 ELSE 8 END)::smallint $$;
	CREATE FUNCTION pg_temp.first(i bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
		$$ SELECT CASE WHEN i < n * 4 / 5 THEN 4000000000 + i * 10 ELSE 95000000 + i - n * 4 / 5 END $$;
	CREATE FUNCTION pg_temp.last(i bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
		$$ SELECT CASE WHEN i < n * 4 / 5 THEN 4000000009 + i * 10 ELSE 95000000 + i - n * 4 / 5 END $$;
	CREATE FUNCTION pg_temp.province(i bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
		$$ SELECT (ARRAY['11','12','13','31','32','33','37','41','42','43','44','45','50','51','61'])[1 + i % 15] $$;`

// largeKeyed is the baseline's table: today's answer of each first number, under its number.
var largeKeyed = []string{
	`DROP TABLE IF EXISTS bench_resource`,
	benchTable,
	`INSERT INTO bench_resource SELECT lpad(a.first_number::text, a.digits, '0'), a.resource_id, a.scheme, lpad(a.first_number::text, a.digits, '0'),
		lpad(a.last_number::text, a.digits, '0'), h.holder_id, h.name, h.credit_code, h.licence, h.sector, h.agency_id, a.access_province, a.purpose,
		a.permitted_callers, a.access_operator_id, 'ACTIVE', a.valid_from
		FROM allocation a JOIN holder h ON h.holder_id = a.holder_id WHERE a.known_to IS NULL AND a.valid_to IS NULL`,
	`GRANT SELECT ON bench_resource TO ledger`,
}

// fillLarge fills an empty ledger once. Indexes and exclusion constraints are taken off and made again behind: made at once
// they check all rows as well, in a fraction of the time.
func fillLarge(ctx context.Context, data embedded.Dirs, url string, resources int) (err error) {
	filled, err := os.ReadFile(data.Path(largeMark))
	if err == nil {
		if strings.TrimSpace(string(filled)) != strconv.Itoa(resources) {
			return fmt.Errorf("%s has a ledger of %s resources: name another --dir", data.Root, strings.TrimSpace(string(filled)))
		}
		return nil
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	begun := time.Now()
	for _, s := range []string{"SET synchronous_commit = off", "SET maintenance_work_mem = '1GB'", "SET max_parallel_maintenance_workers = 1", largeHelp} {
		if _, err := conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	again, err := takeOff(ctx, tx)
	if err != nil {
		return err
	}
	for _, part := range largeRows {
		tag, err := tx.Exec(ctx, part.sql, resources)
		if err != nil {
			return fmt.Errorf("%s: %w", part.table, err)
		}
		fmt.Printf("  %-14s %9d rows  %v\n", part.table, tag.RowsAffected(), time.Since(begun).Round(time.Second))
	}
	for _, s := range append(again, largeKeyed...) {
		if _, err := tx.Exec(ctx, s); err != nil {
			return fmt.Errorf("%.80s: %w", s, err)
		}
	}
	fmt.Printf("  %-31s %v\n", "indexes and constraints", time.Since(begun).Round(time.Second))
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return err
	}
	fmt.Printf("  %-31s %v\n", "vacuumed and analysed", time.Since(begun).Round(time.Second))
	return os.WriteFile(data.Path(largeMark), []byte(strconv.Itoa(resources)), 0o600)
}

// takeOff drops what is made faster at once, and says how it is made again.
func takeOff(ctx context.Context, tx pgx.Tx) (again []string, err error) {
	rows, err := tx.Query(ctx, `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
			format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
		FROM pg_constraint WHERE contype = 'x' AND conrelid::regclass::text = ANY ($1)
		UNION ALL SELECT format('DROP INDEX %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
		FROM pg_index i WHERE i.indrelid::regclass::text = ANY ($1)
		AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)`,
		[]string{"allocation", "access", "contract", "sublet", "licence", "resource_event"})
	if err != nil {
		return nil, err
	}
	var drop []string
	for rows.Next() {
		var off, on string
		if err := rows.Scan(&off, &on); err != nil {
			return nil, err
		}
		drop, again = append(drop, off), append(again, on)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, s := range drop {
		if _, err := tx.Exec(ctx, s); err != nil {
			return nil, err
		}
	}
	return again, nil
}
