package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// NewReport is a report as it is written, before it has a complaint.
type NewReport struct {
	ReportID         uuid.UUID
	ComplaintID      uuid.UUID
	Round            int32
	Receipt          string
	Sender           string
	SenderNo         string
	ContentHash      []byte
	Channel          string
	Displayed        string
	CallTime         time.Time
	DurationSeconds  int32
	Method           string
	ReportedType     string
	Company          string
	ReporterProvince string
	Consent          int16
	Verified         bool
	PrivacyNotice    string
	FiledTime        time.Time
	CreatedAt        time.Time
	ReporterIndex    []byte
	Sealed           []byte
	SameCallAs       *uuid.UUID
}

var reportColumns = []string{
	"report_id", "complaint_id", "round", "receipt", "sender", "sender_no", "content_hash", "channel", "displayed", "call_time",
	"duration_seconds", "method", "reported_type", "company", "reporter_province", "consent", "verified", "privacy_notice",
	"filed_time", "created_at", "reporter_index", "sealed", "same_call_as",
}

// CopyReports writes reports by COPY. A number that was sent before is an error (23505 on report_sent_once).
func CopyReports(ctx context.Context, tx pgx.Tx, reports []*NewReport) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"report"}, reportColumns, pgx.CopyFromSlice(len(reports), func(i int) ([]any, error) {
		r := reports[i]
		var same any
		if r.SameCallAs != nil {
			same = *r.SameCallAs
		}
		return []any{
			r.ReportID, r.ComplaintID, r.Round, r.Receipt, r.Sender, r.SenderNo, r.ContentHash, r.Channel, r.Displayed, r.CallTime,
			r.DurationSeconds, r.Method, r.ReportedType, r.Company, r.ReporterProvince, r.Consent, r.Verified, r.PrivacyNotice,
			r.FiledTime, r.CreatedAt, r.ReporterIndex, r.Sealed, same,
		}, nil
	}))
	return err
}

// NewComplaint is what reports of one key bring: the complaint to open, or the counts to add to the live one.
type NewComplaint struct {
	ComplaintID uuid.UUID // taken when it is opened
	Key         *string   // nil: without number
	Displayed   string
	Normal      string
	Kind        string
	Province    string
	Carrier     string
	Reason      string
	Reports     int32
	Unverified  int32
	FirstCall   time.Time
	At          time.Time
}

// Joined is the complaint that reports joined, locked.
type Joined struct {
	ComplaintID uuid.UUID
	Key         *string
	State       string
	Stage       string
	Round       int32
	Previous    *uuid.UUID
	Opened      bool // by this very transaction
}

// One statement opens what is not there and locks what is, in the order of the keys, and so cannot deadlock with
// another that does the same.
const joinSQL = `INSERT INTO complaint AS c (complaint_id, key, displayed, number_normal, number_kind, number_province,
    number_carrier, number_reason, report_count, unverified_count, first_call_time, created_at, round_time, state_time,
    updated_at, previous_complaint_id)
SELECT u.id, u.key, u.displayed, u.normal, u.kind, u.province, u.carrier, u.reason, u.reports, u.unverified, u.first_call,
    $12::timestamptz, $12, $12, $12,
    (SELECT p.complaint_id FROM complaint p WHERE p.key = u.key AND p.state = 'CLOSED' ORDER BY p.closed_time DESC LIMIT 1)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[],
    $10::integer[], $11::timestamptz[])
    AS u (id, key, displayed, normal, kind, province, carrier, reason, reports, unverified, first_call)
ORDER BY u.key
ON CONFLICT (key) WHERE state <> 'CLOSED' DO UPDATE SET
    report_count     = c.report_count + excluded.report_count,
    unverified_count = c.unverified_count + excluded.unverified_count,
    first_call_time  = least(c.first_call_time, excluded.first_call_time),
    updated_at       = excluded.updated_at
RETURNING c.complaint_id, c.key, c.state, c.stage, c.round, c.previous_complaint_id`

// JoinComplaints opens or joins the live complaint of each key and locks it.
func JoinComplaints(ctx context.Context, tx pgx.Tx, groups []*NewComplaint, at time.Time) ([]Joined, error) {
	n := len(groups)
	ids, keys, firsts := make([]uuid.UUID, n), make([]*string, n), make([]time.Time, n)
	displayed, normal, kind := make([]string, n), make([]string, n), make([]string, n)
	province, carrier, reason := make([]string, n), make([]string, n), make([]string, n)
	reports, unverified := make([]int32, n), make([]int32, n)
	for i, g := range groups {
		ids[i], keys[i], firsts[i] = g.ComplaintID, g.Key, g.FirstCall
		displayed[i], normal[i], kind[i] = g.Displayed, g.Normal, g.Kind
		province[i], carrier[i], reason[i] = g.Province, g.Carrier, g.Reason
		reports[i], unverified[i] = g.Reports, g.Unverified
	}
	rows, err := tx.Query(ctx, joinSQL, ids, keys, displayed, normal, kind, province, carrier, reason, reports, unverified, firsts, at)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanJoined)
}

func scanJoined(row pgx.CollectableRow) (j Joined, err error) {
	err = row.Scan(&j.ComplaintID, &j.Key, &j.State, &j.Stage, &j.Round, &j.Previous)
	return j, err
}

// The two statements of FileReport travel together. The second has a snapshot of its own, taken under the complaint's
// lock, so that it sees the same call told a moment ago.
const (
	joinOneSQL = `INSERT INTO complaint AS c (complaint_id, key, displayed, number_normal, number_kind, number_province,
    number_carrier, number_reason, report_count, unverified_count, first_call_time, created_at, round_time, state_time,
    updated_at, previous_complaint_id)
SELECT $1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, 1, $9::integer, $10::timestamptz,
    $11::timestamptz, $11, $11, $11,
    (SELECT p.complaint_id FROM complaint p WHERE p.key = $2 AND p.state = 'CLOSED' ORDER BY p.closed_time DESC LIMIT 1)
WHERE NOT EXISTS (SELECT FROM report WHERE sender = $12 AND sender_no = $13)
ON CONFLICT (key) WHERE state <> 'CLOSED' DO UPDATE SET
    report_count     = c.report_count + 1,
    unverified_count = c.unverified_count + excluded.unverified_count,
    first_call_time  = least(c.first_call_time, excluded.first_call_time),
    updated_at       = excluded.updated_at`

	fileOneSQL = `WITH c AS (
    SELECT complaint_id, key, state, stage, round, previous_complaint_id FROM complaint WHERE key = $23 AND state <> 'CLOSED'
), same AS (
    SELECT s.report_id FROM report s, c
    WHERE s.complaint_id IN (c.complaint_id, c.previous_complaint_id) AND s.reporter_index = $19 AND s.same_call_as IS NULL
      AND s.call_time BETWEEN $8::timestamptz - make_interval(secs => $22) AND $8::timestamptz + make_interval(secs => $22)
      AND (s.verified OR NOT $15::boolean)
    ORDER BY s.report_id LIMIT 1
), r AS (
    INSERT INTO report (report_id, complaint_id, round, receipt, sender, sender_no, content_hash, channel, displayed, call_time,
        duration_seconds, method, reported_type, company, reporter_province, consent, verified, privacy_notice, filed_time,
        created_at, reporter_index, sealed, same_call_as)
    SELECT $1::uuid, c.complaint_id, c.round, $2::text, $3::text, $4::text, $5::bytea, $6::text, $7::text, $8, $9::integer,
        $10::text, $11::text, $12::text, $13::text, $14::smallint, $15, $16::text, $17::timestamptz, $18::timestamptz,
        $19::bytea, $20::bytea, CASE WHEN $21::boolean THEN (SELECT report_id FROM same) END
    FROM c WHERE NOT EXISTS (SELECT FROM report WHERE sender = $3 AND sender_no = $4)
    ON CONFLICT ON CONSTRAINT report_sent_once DO NOTHING
    RETURNING complaint_id, same_call_as
), linked AS (
    UPDATE complaint SET linked_count = linked_count + 1 FROM r
    WHERE complaint.complaint_id = r.complaint_id AND r.same_call_as IS NOT NULL
)
SELECT c.complaint_id, c.key, c.state, c.stage, c.round, c.previous_complaint_id FROM r JOIN c USING (complaint_id)`
)

// FileOne files one report in one round trip. Without error and without complaint the number was sent before; raced
// says that it was sent in this very moment, so that the transaction must be given up and run again.
func FileOne(ctx context.Context, tx pgx.Tx, c *NewComplaint, r *NewReport, link bool, window float64) (j *Joined, raced bool, err error) {
	var counted int64
	b := &pgx.Batch{}
	b.Queue(joinOneSQL, c.ComplaintID, c.Key, c.Displayed, c.Normal, c.Kind, c.Province, c.Carrier, c.Reason, c.Unverified,
		c.FirstCall, c.At, r.Sender, r.SenderNo)
	b.Queue(fileOneSQL, r.ReportID, r.Receipt, r.Sender, r.SenderNo, r.ContentHash, r.Channel, r.Displayed, r.CallTime,
		r.DurationSeconds, r.Method, r.ReportedType, r.Company, r.ReporterProvince, r.Consent, r.Verified, r.PrivacyNotice,
		r.FiledTime, r.CreatedAt, r.ReporterIndex, r.Sealed, link, window, c.Key)
	results := tx.SendBatch(ctx, b)
	tag, err := results.Exec()
	if err == nil {
		counted = tag.RowsAffected()
		var rows pgx.Rows
		if rows, err = results.Query(); err == nil {
			var found []Joined
			if found, err = pgx.CollectRows(rows, scanJoined); len(found) == 1 {
				j = &found[0]
				j.Opened = j.ComplaintID == c.ComplaintID
			}
		}
	}
	if cerr := results.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, false, fmt.Errorf("file report: %w", err)
	}
	return j, (counted == 1) != (j != nil), nil
}

// NewEntry is a row for the quarantine.
type NewEntry struct {
	QuarantineID uuid.UUID
	SenderNo     string
	ContentHash  []byte
	Fate         string
	Field        string
	Reason       string
	FirstID      *uuid.UUID // of a conflict: the report that stands
	RepairedBy   *uuid.UUID // sent corrected within the same batch
	Line         int32
	Sealed       []byte
}

const addEntriesSQL = `INSERT INTO quarantine (quarantine_id, sender, sender_no, content_hash, fate, field, reason, first_id,
    state, report_id, resolved_by, resolved_why, resolved_at, format, header_hash, line, sealed, created_at)
SELECT u.id, $1::text, u.sender_no, u.hash, u.fate, u.field, u.reason, u.first_id,
    CASE WHEN u.repaired IS NULL THEN 'open' ELSE 'repaired' END, u.repaired,
    CASE WHEN u.repaired IS NULL THEN '' ELSE $5::text END, CASE WHEN u.repaired IS NULL THEN '' ELSE 'sent corrected' END,
    CASE WHEN u.repaired IS NULL THEN NULL ELSE $4::timestamptz END, $2::text, $3::bytea, u.line, u.sealed, $4
FROM unnest($6::uuid[], $7::text[], $8::bytea[], $9::text[], $10::text[], $11::text[], $12::uuid[], $13::uuid[],
    $14::integer[], $15::bytea[])
    AS u (id, sender_no, hash, fate, field, reason, first_id, repaired, line, sealed)
ORDER BY u.sender_no, u.hash
ON CONFLICT ON CONSTRAINT quarantine_once DO NOTHING`

// AddEntries writes quarantine entries and says how many were new.
func AddEntries(ctx context.Context, tx pgx.Tx, sender, format string, header []byte, by string, at time.Time, entries []*NewEntry) (int64, error) {
	n := len(entries)
	ids, nos, hashes := make([]uuid.UUID, n), make([]string, n), make([][]byte, n)
	fates, fields, reasons := make([]string, n), make([]string, n), make([]string, n)
	firsts, repaired := make([]*uuid.UUID, n), make([]*uuid.UUID, n)
	lines, sealed := make([]int32, n), make([][]byte, n)
	for i, e := range entries {
		ids[i], nos[i], hashes[i], fates[i], fields[i], reasons[i] = e.QuarantineID, e.SenderNo, e.ContentHash, e.Fate, e.Field, e.Reason
		firsts[i], repaired[i], lines[i], sealed[i] = e.FirstID, e.RepairedBy, e.Line, e.Sealed
	}
	tag, err := tx.Exec(ctx, addEntriesSQL, sender, format, header, at, by, ids, nos, hashes, fates, fields, reasons, firsts, repaired, lines, sealed)
	if err != nil {
		return 0, fmt.Errorf("quarantine: %w", err)
	}
	return tag.RowsAffected(), nil
}

// Add counts a report in.
func (c *NewComplaint) Add(r *NewReport) {
	c.Reports++
	if !r.Verified {
		c.Unverified++
	}
	if r.CallTime.Before(c.FirstCall) {
		c.FirstCall = r.CallTime
	}
}
