package reporting

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"quietline/internal/pg"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// errRaced makes pg.Tx run the transaction again: another one wrote the same number in this moment, and is seen next time.
var errRaced = &pgconn.PgError{Code: "40001", Message: "the same report was sent twice at once"}

// known is what is on record of a sender's numbers: the reports and the quarantine entries.
type known struct {
	reports map[string]sentReport // by the sender's number
	entries map[content]sentEntry
}

// content is a row as the fates know it: the sender's number and the MAC of the content.
type content struct{ senderNo, hash string }

type sentReport struct {
	id      uuid.UUID
	receipt string
	hash    []byte
	fresh   *incoming // of this batch
}

type sentEntry struct {
	id            string
	fate          reportingv1.Fate
	field, reason string
	fresh         *store.NewEntry // of this batch
}

var fates = map[string]reportingv1.Fate{
	"quarantined": reportingv1.Fate_FATE_QUARANTINED,
	"conflict":    reportingv1.Fate_FATE_CONFLICT,
}

// lookUp reads what is on record of the rows' numbers.
func (b *batch) lookUp(ctx context.Context, tx pgx.Tx, rows []row) (*known, error) {
	nos := make([]string, 0, len(rows))
	var hashes [][]byte
	for i := range rows {
		if rows[i].senderNo == "" {
			hashes = append(hashes, rows[i].hash)
			continue
		}
		nos = append(nos, rows[i].senderNo)
	}
	k := &known{reports: make(map[string]sentReport, len(rows)), entries: map[content]sentEntry{}}
	q := store.New(tx)
	reports, err := q.SentReports(ctx, store.SentReportsParams{Sender: b.sender, SenderNos: nos})
	if err != nil {
		return nil, fmt.Errorf("look up reports: %w", err)
	}
	for _, r := range reports {
		k.reports[r.SenderNo] = sentReport{id: uuid.MustParse(r.ReportID), receipt: r.Receipt, hash: r.ContentHash}
	}
	entries, err := q.SentEntries(ctx, store.SentEntriesParams{Sender: b.sender, SenderNos: nos})
	if err != nil {
		return nil, fmt.Errorf("look up quarantine: %w", err)
	}
	if len(hashes) > 0 {
		more, err := q.UnnumberedEntries(ctx, store.UnnumberedEntriesParams{Sender: b.sender, Hashes: hashes})
		if err != nil {
			return nil, fmt.Errorf("look up quarantine: %w", err)
		}
		for _, e := range more {
			entries = append(entries, store.SentEntriesRow(e))
		}
	}
	for _, e := range entries {
		k.entries[content{e.SenderNo, string(e.ContentHash)}] = sentEntry{id: e.QuarantineID, fate: fates[e.Fate], field: e.Field, reason: e.Reason}
	}
	return k, nil
}

// decided is what becomes of the rows of a batch, before anything is written.
type decided struct {
	results  []*reportingv1.RowResult
	accepted []*incoming
	of       []*reportingv1.RowResult // results of the accepted
	entries  []*store.NewEntry
}

// decide gives each row its fate, in order: rows of one batch may repeat each other.
func (b *batch) decide(rows []row, k *known) (*decided, error) {
	d := &decided{results: make([]*reportingv1.RowResult, len(rows))}
	for i := range rows {
		row := &rows[i]
		result := &reportingv1.RowResult{Line: row.line, SenderNo: row.senderNo}
		d.results[i] = result
		if e, ok := k.entries[content{row.senderNo, string(row.hash)}]; ok { // as before, for ever
			result.Fate, result.Field, result.Reason, result.QuarantineId = e.fate, e.field, e.reason, e.id
			continue
		}
		if first, ok := k.reports[row.senderNo]; ok && row.senderNo != "" {
			if bytes.Equal(first.hash, row.hash) {
				result.Fate, result.Receipt = reportingv1.Fate_FATE_DUPLICATE, first.receipt
				continue
			}
			if err := b.quarantine(d, k, row, result, reportingv1.Fate_FATE_CONFLICT, &first.id); err != nil {
				return nil, err
			}
			continue
		}
		if row.problem != nil {
			if err := b.quarantine(d, k, row, result, reportingv1.Fate_FATE_QUARANTINED, nil); err != nil {
				return nil, err
			}
			continue
		}
		r := row.report
		r.Receipt = b.receipt(b.at) // another one each time the transaction runs
		result.Fate, result.Receipt = reportingv1.Fate_FATE_ACCEPTED, r.Receipt
		k.reports[row.senderNo] = sentReport{id: r.ReportID, receipt: r.Receipt, hash: row.hash, fresh: r}
		d.accepted, d.of = append(d.accepted, r), append(d.of, result)
	}
	return d, nil
}

const (
	conflictReason = "same number, other content: kept for a person (同一举报编号内容不同)"
	conflictField  = "sender_no"
)

// quarantine keeps a row for a person, sealed.
func (b *batch) quarantine(d *decided, k *known, row *row, result *reportingv1.RowResult, fate reportingv1.Fate, first *uuid.UUID) error {
	e := &store.NewEntry{
		QuarantineID: newID(), SenderNo: row.senderNo, ContentHash: row.hash, Fate: "quarantined", FirstID: first, Line: row.line,
	}
	if fate == reportingv1.Fate_FATE_CONFLICT {
		e.Fate, e.Field, e.Reason = "conflict", b.header.Format().NameOf(conflictField), conflictReason
	} else {
		e.Field, e.Reason = row.problem.Field, row.problem.Reason
	}
	id := e.QuarantineID.String()
	sealed, err := b.keys.Seal(row.raw, entryPlace(id))
	if err != nil {
		return err
	}
	e.Sealed = sealed
	d.entries = append(d.entries, e)
	k.entries[content{row.senderNo, string(row.hash)}] = sentEntry{id: id, fate: fate, field: e.Field, reason: e.Reason, fresh: e}
	result.Fate, result.Field, result.Reason, result.QuarantineId = fate, e.Field, e.Reason, id
	return nil
}

// file writes what became of the rows: a handful of statements, however many rows there are.
func (b *batch) file(ctx context.Context, tx pgx.Tx, rows []row) ([]*reportingv1.RowResult, []round, error) {
	k, err := b.lookUp(ctx, tx, rows)
	if err != nil {
		return nil, nil, err
	}
	d, err := b.decide(rows, k)
	if err != nil {
		return nil, nil, err
	}
	begun, err := fileReports(ctx, tx, d.accepted, d.of, b.policy, b.at)
	if err != nil {
		return nil, nil, err
	}
	if err := b.fileEntries(ctx, tx, d, k); err != nil {
		return nil, nil, err
	}
	return d.results, begun, nil
}

func (b *batch) fileEntries(ctx context.Context, tx pgx.Tx, d *decided, k *known) error {
	if err := b.resolve(ctx, tx, d, k); err != nil || len(d.entries) == 0 {
		return err
	}
	header := b.keys.Index("header", string(b.rawHeader))
	if err := store.New(tx).KeepHeader(ctx, store.KeepHeaderParams{HeaderHash: header, Header: b.rawHeader}); err != nil {
		return fmt.Errorf("keep header: %w", err)
	}
	added, err := store.AddEntries(ctx, tx, b.sender, b.header.Format().Name, header, b.by, b.at, d.entries)
	if err == nil && added != int64(len(d.entries)) {
		return errRaced
	}
	return err
}

// resolve marks open entries whose row was now sent corrected, of earlier batches and of this one.
func (b *batch) resolve(ctx context.Context, tx pgx.Tx, d *decided, k *known) error {
	var nos, ids []string
	open := map[string]bool{}
	for key, e := range k.entries {
		if e.fate == reportingv1.Fate_FATE_QUARANTINED && e.fresh == nil {
			open[key.senderNo] = true
		}
	}
	for _, r := range d.accepted {
		if open[r.SenderNo] {
			nos, ids = append(nos, r.SenderNo), append(ids, r.ReportID.String())
		}
	}
	for _, e := range d.entries {
		if r, ok := k.reports[e.SenderNo]; ok && r.fresh != nil && e.Fate == "quarantined" {
			e.RepairedBy = &r.fresh.ReportID
		}
	}
	if len(nos) == 0 {
		return nil
	}
	err := store.New(tx).ResolveEntries(ctx, store.ResolveEntriesParams{
		ReportIds: ids, SenderNos: nos, Sender: b.sender, ResolvedBy: b.by, At: &b.at,
	})
	if err != nil {
		return fmt.Errorf("resolve quarantine: %w", err)
	}
	return nil
}

// raced turns a violation that is gone the next time into one that is run again: the same report or request sent at the
// same moment, and a receipt that somebody else has.
func raced(err error) error {
	switch pg.Constraint(err) {
	case "report_sent_once", "report_receipt", "report_request":
		return errors.Join(errRaced, err)
	}
	return err
}
