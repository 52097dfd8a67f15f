package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"quietline/internal/calendar"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

const (
	// benchMarkRows are in a request, as `quietline marks import` sends them.
	benchMarkRows = 10_000

	// benchMarkDay requests state a day: a million rows, more than a large marking app has.
	benchMarkDay = 100

	// benchMarkClients are sources that send at the same time.
	benchMarkClients = 4
)

// benchMarks compares ImportMarks, through the gateway, with COPY by one connection of the very rows that were stored by
// it, in the order in which they came, into a logged table with the same columns and the same key. COPY gets its rows
// ready-made; ImportMarks reads the numbers, merges the rows with what is on record, and looks whether any number is past
// the threshold.
func benchMarks(ctx context.Context, b *bench) error {
	err := b.mesh.own(ctx, "reporting", `CREATE TABLE bench_mark (LIKE mark INCLUDING ALL)`,
		`CREATE TABLE bench_mark_order (LIKE mark)`)
	if err != nil {
		return err
	}
	copier, err := pgx.Connect(ctx, b.mesh.stack.OwnerURL("reporting"))
	if err != nil {
		return err
	}
	defer copier.Close(context.WithoutCancel(ctx))
	each := b.cmd.Marks / b.cmd.Rounds / benchMarkRows * benchMarkRows
	var ours, base []float64
	for round := range b.cmd.Rounds {
		if round > 0 && b.late() {
			b.note("marks: %d rounds only, the time was up", round)
			break
		}
		job := benchJob{Kind: "marks", First: round * each / benchMarkRows, Count: each / benchMarkRows, Clients: benchMarkClients}
		mine, err := b.measured("marks", true, func() (benchResult, error) { return b.load(ctx, job) })
		if err != nil {
			return err
		}
		rows, err := marksAsTheyCame(ctx, copier, job)
		if err != nil {
			return err
		}
		theirs, err := b.measured("marks", false, func() (benchResult, error) {
			began := time.Now()
			tag, err := copier.PgConn().CopyFrom(ctx, bytes.NewReader(rows), `COPY bench_mark FROM STDIN (FORMAT binary)`)
			return benchResult{Done: int(tag.RowsAffected()), Seconds: time.Since(began).Seconds()}, err
		})
		if err != nil {
			return err
		}
		ours, base = append(ours, mine.perSecond()), append(base, theirs.perSecond())
		b.say("marks, round %d: ours %.0f/s, baseline %.0f/s", round+1, ours[round], base[round])
	}
	b.compared(fmt.Sprintf("(e) marks, %d rows in requests of %d", each*len(ours), benchMarkRows), ours, base, 0.30)
	return nil
}

// marksAsTheyCame are the rows of a round in COPY's binary form, in the order in which they were sent.
func marksAsTheyCame(ctx context.Context, conn *pgx.Conn, job benchJob) ([]byte, error) {
	if _, err := conn.Exec(ctx, `TRUNCATE bench_mark_order`); err != nil {
		return nil, err
	}
	for request := job.First; request < job.First+job.Count; request++ {
		seen := map[string]bool{}
		var rows [][]any
		for _, r := range madeUpMarks(request) {
			if day, err := time.Parse(time.DateOnly, r.GetDay()); err == nil && !seen[r.GetNumber()+r.GetLabel()] {
				seen[r.GetNumber()+r.GetLabel()] = true
				rows = append(rows, []any{r.GetNumber(), day, "cmcc", r.GetLabel(), r.GetCount(), time.Now()})
			}
		}
		_, err := conn.CopyFrom(ctx, pgx.Identifier{"bench_mark_order"}, []string{"number", "day", "source", "label", "count", "stated_at"}, pgx.CopyFromRows(rows))
		if err != nil {
			return nil, err
		}
	}
	var rows bytes.Buffer
	_, err := conn.PgConn().CopyTo(ctx, &rows, `COPY bench_mark_order TO STDOUT (FORMAT binary)`)
	return rows.Bytes(), err
}

// importMarks sends requests of made-up marks through the gateway.
func importMarks(ctx context.Context, job benchJob) (benchResult, error) {
	conns, err := senders(job, "OPERATOR", "cmcc")
	if err != nil {
		return benchResult{}, err
	}
	defer conns.close()
	requests := make([]*reportingv1.ImportMarksRequest, job.Count) // made up beforehand: what is measured is their import
	for i := range requests {
		requests[i] = &reportingv1.ImportMarksRequest{RequestId: uuid.NewString(), Rows: madeUpMarks(job.First + i)}
	}
	var stored atomic.Int64
	job.First = 0
	result, err := pound(ctx, job, func(ctx context.Context, client, number int) error {
		response, err := reportingv1.NewReportingServiceClient(conns.of(client)).ImportMarks(ctx, requests[number-1])
		stored.Add(int64(response.GetStored()))
		return err
	})
	result.Done = int(stored.Load())
	return result, err
}

// madeUpMarks is one request of a day: numbers in no order, most of them marked by few, with the labels as they are
// shared out on a real day (ordinary harassment more than half, fraud a fifth, advertising next). Requests have no row in
// common.
func madeUpMarks(request int) []*reportingv1.MarkRow {
	random := rand.New(rand.NewPCG(uint64(request), 7)) //nolint:gosec // made up, and the same each time
	labels := []string{"骚扰电话", "骚扰电话", "骚扰电话", "骚扰电话", "骚扰电话", "诈骗电话", "诈骗电话", "广告推销", "广告推销", "房产中介"}
	day := time.Now().In(calendar.Shanghai).AddDate(0, 0, -1-request/benchMarkDay).Format(time.DateOnly)
	rows := make([]*reportingv1.MarkRow, benchMarkRows)
	for i := range rows {
		rows[i] = &reportingv1.MarkRow{
			Number: fmt.Sprintf("170%08d", random.IntN(200_000)*benchMarkDay+request%benchMarkDay), Day: day, Label: labels[random.IntN(len(labels))], Count: 1 + int64(random.ExpFloat64()*2),
		}
	}
	return rows
}
