package store

import (
	"context"
	"fmt"
	"slices"
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
	ReporterOperator string
	Sealed           []byte
	SameCallAs       *uuid.UUID
	RequestKey       uuid.UUID // of a typed report: which request of whom filed it
	NumberNormal     string    // its own number, where that is not its complaint's
}

var reportColumns = []string{
	"report_id", "complaint_id", "round", "receipt", "sender", "sender_no", "content_hash", "channel", "displayed", "call_time",
	"duration_seconds", "method", "reported_type", "company", "reporter_province", "consent", "verified", "privacy_notice",
	"filed_time", "created_at", "reporter_index", "reporter_operator", "sealed", "same_call_as",
	"number_normal",
}

// CopyReports writes reports by COPY. A number that was sent before is an error (23505 on report_sent_once).
func CopyReports(ctx context.Context, tx pgx.Tx, reports []*NewReport) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"report"}, reportColumns, pgx.CopyFromSlice(len(reports), func(i int) ([]any, error) {
		r := reports[i]
		var same any
		if r.SameCallAs != nil {
			same = [16]byte(*r.SameCallAs)
		}
		return []any{ // as bytes: a uuid.UUID would travel through its text form
			[16]byte(r.ReportID), [16]byte(r.ComplaintID), r.Round, r.Receipt, r.Sender, r.SenderNo, r.ContentHash, r.Channel, r.Displayed, r.CallTime,
			r.DurationSeconds, r.Method, r.ReportedType, r.Company, r.ReporterProvince, r.Consent, r.Verified, r.PrivacyNotice,
			r.FiledTime, r.CreatedAt, r.ReporterIndex, r.ReporterOperator, r.Sealed, same, r.NumberNormal,
		}, nil
	}))
	return err
}

// NewComplaint is what reports open when their key has no live complaint.
type NewComplaint struct {
	ComplaintID uuid.UUID
	Key         *string // nil: without number, never joined
	JoinOnly    bool    // an alias led here: there is a live one to join
	Displayed   string
	Normal      string
	Kind        string
	Province    string
	Carrier     string
	Reason      string
}

// Joined is a complaint that reports opened or joined. Its lock is shared with others who file, and held against all who
// would move or close it.
type Joined struct {
	ComplaintID uuid.UUID
	Key         *string
	State       string
	Stage       string
	Round       int32
	Previous    *uuid.UUID
	Opened      bool // by this very transaction
	Clue        bool // marks opened it, and nobody had reported it before
}

const (
	liveSQL = `SELECT complaint_id, key, state, stage, round, previous_complaint_id,
    CASE WHEN origin = 'marks' THEN NOT EXISTS (SELECT FROM report r WHERE r.complaint_id = complaint.complaint_id) ELSE false END
FROM complaint
WHERE key = ANY ($1::text[]) AND state <> 'CLOSED' ORDER BY key FOR KEY SHARE`

	openSQL = `INSERT INTO complaint (complaint_id, key, displayed, number_normal, number_kind, number_province,
    number_carrier, number_reason, created_at, round_time, state_time, updated_at, previous_complaint_id)
SELECT u.id, u.key, u.displayed, u.normal, u.kind, u.province, u.carrier, u.reason, $9::timestamptz, $9, $9, $9,
    (SELECT coalesce((SELECT m.complaint_id FROM complaint m WHERE m.complaint_id = p.merged_into AND m.state = 'CLOSED' AND NOT m.forged),
            p.complaint_id) FROM complaint p WHERE p.key = u.key AND p.state = 'CLOSED' ORDER BY p.closed_time DESC LIMIT 1)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    AS u (id, key, displayed, normal, kind, province, carrier, reason)
ORDER BY u.key
ON CONFLICT (key) WHERE state <> 'CLOSED' DO NOTHING
RETURNING complaint_id, key, state, stage, round, previous_complaint_id, false`
)

// JoinComplaints joins the live complaint of each key, or opens it, in the order of the keys. It returns fewer than it
// was given when another transaction opened one in this moment and closed it again: then run the transaction again.
func JoinComplaints(ctx context.Context, tx pgx.Tx, wanted []*NewComplaint, at time.Time) ([]Joined, error) {
	joined, missing, err := joinLive(ctx, tx, nil, wanted)
	if err != nil || len(missing) == 0 || slices.ContainsFunc(missing, func(c *NewComplaint) bool { return c.JoinOnly }) {
		return joined, err
	}
	opened, err := open(ctx, tx, missing, at)
	if err != nil || len(opened) == len(missing) {
		return append(joined, opened...), err
	}
	// others opened them while we waited, and have committed
	left := missing[:0:0]
	mine := make(map[uuid.UUID]bool, len(opened))
	for _, j := range opened {
		mine[j.ComplaintID] = true
	}
	for _, c := range missing {
		if !mine[c.ComplaintID] {
			left = append(left, c)
		}
	}
	joined, _, err = joinLive(ctx, tx, append(joined, opened...), left)
	return joined, err
}

func joinLive(ctx context.Context, tx pgx.Tx, joined []Joined, wanted []*NewComplaint) (all []Joined, missing []*NewComplaint, err error) {
	keys := make([]string, 0, len(wanted))
	for _, c := range wanted {
		if c.Key != nil {
			keys = append(keys, *c.Key)
		}
	}
	rows, err := tx.Query(ctx, liveSQL, keys)
	if err != nil {
		return nil, nil, err
	}
	live, err := pgx.CollectRows(rows, scanJoined)
	if err != nil {
		return nil, nil, err
	}
	found := make(map[string]bool, len(live))
	for _, j := range live {
		found[*j.Key] = true
	}
	for _, c := range wanted {
		if c.Key == nil || !found[*c.Key] {
			missing = append(missing, c)
		}
	}
	return append(joined, live...), missing, nil
}

func open(ctx context.Context, tx pgx.Tx, wanted []*NewComplaint, at time.Time) ([]Joined, error) {
	n := len(wanted)
	ids, keys := make([][16]byte, n), make([]*string, n)
	displayed, normal, kind := make([]string, n), make([]string, n), make([]string, n)
	province, carrier, reason := make([]string, n), make([]string, n), make([]string, n)
	for i, c := range wanted {
		ids[i], keys[i], displayed[i], normal[i], kind[i] = c.ComplaintID, c.Key, c.Displayed, c.Normal, c.Kind
		province[i], carrier[i], reason[i] = c.Province, c.Carrier, c.Reason
	}
	rows, err := tx.Query(ctx, openSQL, ids, keys, displayed, normal, kind, province, carrier, reason, at)
	if err != nil {
		return nil, err
	}
	opened, err := pgx.CollectRows(rows, scanJoined)
	for i := range opened {
		opened[i].Opened = true
	}
	return opened, err
}

func scanJoined(row pgx.CollectableRow) (j Joined, err error) {
	err = row.Scan(&j.ComplaintID, &j.Key, &j.State, &j.Stage, &j.Round, &j.Previous, &j.Clue)
	return j, err
}

// Alias leads the reports of a key, of calls in a time, to a live complaint of another key.
type Alias struct {
	Key         string
	From, Until *time.Time // nil: without end
	To          string     // the live complaint's key
	Number      string     // and its number
}

const aliasSQL = `SELECT a.key, lower(a.calls), upper(a.calls), c.key, c.number_normal
FROM complaint_alias a CROSS JOIN LATERAL (
    SELECT t.key, t.number_normal FROM complaint t
    WHERE t.complaint_id = a.complaint_id AND t.state <> 'CLOSED' AND t.key IS NOT NULL OFFSET 0
) c
WHERE a.key = ANY ($1::text[]) AND a.ended_at IS NULL`

// Aliases finds where keys lead to.
func Aliases(ctx context.Context, tx pgx.Tx, keys []string) ([]Alias, error) {
	rows, err := tx.Query(ctx, aliasSQL, keys)
	if err != nil {
		return nil, fmt.Errorf("aliases: %w", err)
	}
	aliases, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Alias, err error) {
		err = row.Scan(&a.Key, &a.From, &a.Until, &a.To, &a.Number)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("aliases: %w", err)
	}
	return aliases, nil
}

// Leads says whether the alias is for a call at this time.
func (a *Alias) Leads(call time.Time) bool {
	return (a.From == nil || !call.Before(*a.From)) && (a.Until == nil || call.Before(*a.Until))
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
	ids, nos, hashes := make([][16]byte, n), make([]string, n), make([][]byte, n)
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
