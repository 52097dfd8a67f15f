package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/calendar"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// benchImport compares the import of a file with the fastest way into PostgreSQL: COPY by one connection of the very rows
// that were just imported, into a logged table with the same columns, constraints and indexes. Both tables grow round
// by round, so that both meet the same depth of indexes. COPY gets its rows ready-made; the import reads, checks,
// normalises, seals and joins them.
func benchImport(ctx context.Context, b *bench) error {
	err := b.mesh.own(ctx, "reporting",
		`CREATE TABLE bench_report (LIKE report INCLUDING ALL)`,
		`ALTER TABLE bench_report ADD FOREIGN KEY (complaint_id) REFERENCES complaint`) // LIKE leaves foreign keys out
	if err != nil {
		return err
	}
	each := b.cmd.Reports / b.cmd.Rounds
	ours, base, err := b.importRounds(ctx, each)
	b.compared(fmt.Sprintf("(b) import of %d reports", each*len(ours)), ours, base, 0.15)
	return err
}

// importRounds always imports first: the baseline copies what was imported.
func (b *bench) importRounds(ctx context.Context, each int) (ours, base []float64, err error) {
	copier, err := pgx.Connect(ctx, b.mesh.stack.OwnerURL("reporting"))
	if err != nil {
		return nil, nil, err
	}
	defer copier.Close(context.WithoutCancel(ctx))
	for round := range b.cmd.Rounds {
		if round > 0 && b.late() {
			b.note("import: %d rounds only, the time was up", round)
			break
		}
		job := benchJob{Kind: "import", First: round * each, Count: each}
		mine, err := b.measured("import", true, func() (benchResult, error) { return b.load(ctx, job) })
		if err != nil {
			return ours, base, err
		}
		rows, err := copyOut(ctx, copier, round*each, each)
		if err != nil {
			return ours, base, err
		}
		theirs, err := b.measured("import", false, func() (benchResult, error) { return copyIn(ctx, copier, rows) })
		if err != nil {
			return ours, base, err
		}
		ours, base = append(ours, mine.perSecond()), append(base, theirs.perSecond())
		b.say("import, round %d: ours %.0f/s, baseline %.0f/s", round+1, ours[round], base[round])
	}
	return ours, base, nil
}

// importRows sends one file of made-up reports, as `quietline import` does. Reading the file is part of it.
func importRows(ctx context.Context, job benchJob) (benchResult, error) {
	file, err := madeUpFile(job.First, job.Count)
	if err != nil {
		return benchResult{}, err
	}
	conn, err := remote{Gateway: job.Gateway, Data: job.Data}.dial("CENTRE@centre-12321")
	if err != nil {
		return benchResult{}, err
	}
	defer func() { _ = conn.Close() }()
	day, err := formatNamed("12321", "")
	if err != nil {
		return benchResult{}, err
	}
	began := time.Now()
	counts, err := send(ctx, reportingv1.NewReportingServiceClient(conn), day, bytes.NewReader(file),
		func(*reportingv1.RowResult) error { return nil })
	result := benchResult{Done: counts.Accepted, Failed: counts.Rows - counts.Accepted, Seconds: time.Since(began).Seconds()}
	if result.Failed > 0 {
		result.Error = fmt.Sprintf("%d duplicate, %d conflict, %d quarantined", counts.Duplicate, counts.Conflict, counts.Quarantined)
	}
	return result, err
}

// importNo numbers the made-up reports.
func importNo(number int) string { return fmt.Sprintf("IMPORT-%09d", number) }

// madeUpFile is a file in the 12321 format: the sample day's texts, and numbers as they come on a real day, where a few
// are reported by hundreds and most by one or two (five reports a number in the mean, the first with a twelfth of all).
func madeUpFile(first, count int) ([]byte, error) {
	random := rand.New(rand.NewPCG(uint64(first), 12321)) //nolint:gosec // made up, and the same each time
	numbers := rand.NewZipf(random, 1.1, 2, 40_000)
	return madeUpRows(first, count, func(int) string { return fmt.Sprintf("170%08d", numbers.Uint64()) })
}

// madeUpRows are rows of the sample day with numbers of their own, of calls within the day before yesterday.
func madeUpRows(first, count int, reported func(n int) string) ([]byte, error) {
	day, err := sampleDay()
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	if err := w.Write(day.header); err != nil {
		return nil, err
	}
	calls := time.Now().Add(-48 * time.Hour).In(calendar.Shanghai)
	for n := first; n < first+count; n++ {
		row, cells := day.rows[n%len(day.rows)], make([]string, len(day.header))
		at := calls.Add(time.Duration(n*7919%86_400) * time.Second)
		for i, name := range day.header {
			cells[i] = row[name]
			switch name {
			case "举报编号":
				cells[i] = importNo(n)
			case "举报人号码":
				cells[i] = reporterNumber(n)
			case "被举报号码":
				cells[i] = reported(n)
			case "来电时间":
				cells[i] = at.Format(time.DateTime)
			case "举报时间":
				cells[i] = at.Add(time.Hour).Format(time.DateTime)
			}
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return file.Bytes(), w.Error()
}

// copyOut takes rows that were imported into memory.
func copyOut(ctx context.Context, conn *pgx.Conn, first, count int) ([]byte, error) {
	var rows bytes.Buffer
	_, err := conn.PgConn().CopyTo(ctx, &rows, fmt.Sprintf(
		`COPY (SELECT * FROM report WHERE sender_no BETWEEN '%s' AND '%s' ORDER BY report_id) TO STDOUT (FORMAT binary)`,
		importNo(first), importNo(first+count-1)))
	return rows.Bytes(), err
}

// copyIn is the baseline. The binary format spares PostgreSQL the parsing.
func copyIn(ctx context.Context, conn *pgx.Conn, rows []byte) (benchResult, error) {
	began := time.Now()
	tag, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(rows), `COPY bench_report FROM STDIN (FORMAT binary)`)
	return benchResult{Done: int(tag.RowsAffected()), Seconds: time.Since(began).Seconds()}, err
}
