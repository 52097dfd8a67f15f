package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Filing is a typed report on its way in, with the complaint that it opens when its key has no live one.
type Filing struct {
	Complaint *NewComplaint
	Report    *NewReport
	Link      bool          // look for the same call told before
	Window    time.Duration // within which two accounts are of the same call
	States    []string      // of live complaints that it may join
}

// Sent is a report on record that came by the same request or under the same number.
type Sent struct {
	ReportID    uuid.UUID
	Receipt     string
	ContentHash []byte
	Joined      bool
	SameRequest bool
}

// fileSQL is one statement, so that sent by itself it is a transaction in one round trip. It files nothing, and opens
// nothing, when the number is on record, the live complaint is in another state, or somebody opened one in this moment.
// Should its number, receipt or request be written in this very moment it fails altogether: a complaint is never opened
// without its report. The complaint it joins is locked against all who would move or close it.
// Where an alias leads the key to another complaint, at the time of the call, it joins that one.
const fileSQL = `WITH led AS (
    SELECT t.key FROM complaint_alias a CROSS JOIN LATERAL (
        SELECT t.key FROM complaint t WHERE t.complaint_id = a.complaint_id AND t.state <> 'CLOSED' OFFSET 0) t
    WHERE a.key = $2 AND a.ended_at IS NULL AND a.calls @> $17::timestamptz
), live AS (
    SELECT complaint_id, state, round, previous_complaint_id, number_normal,
        CASE WHEN origin = 'marks' THEN NOT EXISTS (SELECT FROM report r WHERE r.complaint_id = complaint.complaint_id) ELSE false END AS clue
    FROM complaint
    WHERE key = coalesce((SELECT led.key FROM led), $2) AND state <> 'CLOSED' AND state = ANY ($33::text[])
      AND NOT EXISTS (SELECT FROM report WHERE sender = $13 AND sender_no = $14)
    FOR KEY SHARE
), opened AS (
    INSERT INTO complaint (complaint_id, key, displayed, number_normal, number_kind, number_province,
        number_carrier, number_reason, created_at, round_time, state_time, updated_at, previous_complaint_id)
    SELECT $1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::timestamptz, $9, $9, $9,
        (SELECT coalesce((SELECT m.complaint_id FROM complaint m WHERE m.complaint_id = p.merged_into AND m.state = 'CLOSED' AND NOT m.forged),
            p.complaint_id) FROM complaint p WHERE p.key = $2 AND p.state = 'CLOSED' ORDER BY p.closed_time DESC LIMIT 1)
    WHERE NOT EXISTS (SELECT FROM complaint WHERE key = $2 AND state <> 'CLOSED') AND NOT EXISTS (SELECT FROM led)
      AND NOT EXISTS (SELECT FROM report WHERE sender = $13 AND sender_no = $14)
    ON CONFLICT (key) WHERE state <> 'CLOSED' DO NOTHING
    RETURNING complaint_id, state, round, previous_complaint_id, number_normal, false AS clue
), c AS (
    SELECT *, true AS joined FROM live UNION ALL SELECT *, false FROM opened
), r AS (
    INSERT INTO report (report_id, complaint_id, round, receipt, sender, sender_no, content_hash, channel, displayed, call_time,
        duration_seconds, method, reported_type, company, reporter_province, consent, verified, privacy_notice, filed_time,
        created_at, reporter_index, reporter_operator, sealed, request_key, joined, number_normal, same_call_as)
    SELECT $10::uuid, c.complaint_id, c.round, $12::text, $13::text, $14::text, $15::bytea, $16::text, $3, $17::timestamptz,
        $18::integer, $19::text, $20::text, $21::text, $22::text, $23::smallint, $24::boolean, $25::text, $26::timestamptz,
        $9, $27::bytea, $28::text, $29::bytea, $11::uuid, c.joined, CASE WHEN c.number_normal = $4 THEN '' ELSE $4 END, CASE WHEN $30::boolean THEN (
            SELECT s.report_id FROM report s
            WHERE s.complaint_id IN (c.complaint_id, c.previous_complaint_id) AND s.reporter_index = $27 AND s.same_call_as IS NULL
              AND s.call_time BETWEEN $31::timestamptz AND $32::timestamptz AND (s.verified OR NOT $24)
              AND coalesce(nullif(s.number_normal, ''), (SELECT o.number_normal FROM complaint o WHERE o.complaint_id = s.complaint_id)) = $4
            ORDER BY s.report_id LIMIT 1) END
    FROM c
    RETURNING complaint_id
)
SELECT c.complaint_id, c.state, c.round, NOT c.joined, c.clue FROM r JOIN c USING (complaint_id)`

func (f *Filing) args() []any {
	c, r := f.Complaint, f.Report
	return []any{ // as bytes: a uuid.UUID would travel through its text form
		[16]byte(c.ComplaintID), c.Key, c.Displayed, c.Normal, c.Kind, c.Province, c.Carrier, c.Reason, r.CreatedAt,
		[16]byte(r.ReportID), [16]byte(r.RequestKey), r.Receipt, r.Sender, r.SenderNo, r.ContentHash, r.Channel, r.CallTime,
		r.DurationSeconds, r.Method, r.ReportedType, r.Company, r.ReporterProvince, r.Consent, r.Verified, r.PrivacyNotice,
		r.FiledTime, r.ReporterIndex, r.ReporterOperator, r.Sealed, f.Link, r.CallTime.Add(-f.Window), r.CallTime.Add(f.Window), f.States,
	}
}

// FileTyped files a typed report. Without error and without complaint nothing was filed.
func FileTyped(ctx context.Context, db DBTX, f *Filing) (*Joined, error) {
	j := &Joined{Key: f.Complaint.Key}
	err := db.QueryRow(ctx, fileSQL, f.args()...).Scan((*[16]byte)(&j.ComplaintID), &j.State, &j.Round, &j.Opened, &j.Clue)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("file report: %w", err)
	}
	return j, nil
}

// FindSent finds what is on record of a typed report: what the same request filed, else what has the same number.
func FindSent(ctx context.Context, db DBTX, r *NewReport) (*Sent, error) {
	s := &Sent{}
	err := db.QueryRow(ctx, sentSQL, [16]byte(r.RequestKey), r.Sender, r.SenderNo).
		Scan((*[16]byte)(&s.ReportID), &s.Receipt, &s.ContentHash, &s.Joined, &s.SameRequest)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look up report: %w", err)
	}
	return s, nil
}

const sentSQL = `SELECT report_id, receipt, content_hash, joined, request_key IS NOT DISTINCT FROM $1::uuid AS same FROM report
WHERE request_key = $1 OR (sender = $2 AND sender_no = $3) ORDER BY same DESC LIMIT 1`
