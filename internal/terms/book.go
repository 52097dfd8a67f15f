package terms

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Batch is how many dates one call settles.
const Batch = 200

// DB is a pool or a transaction of an owner, who has the view running_clock and the table clock_settlement.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Book is the running clocks of an owner.
type Book struct {
	DB      DB
	Now     time.Time
	Profile string   // of its clocks
	Always  []string // kinds that are forecast though they are a party's term: somebody acts when they end
}

const columns = `SELECT kind, id, agency_id, basis, start_time, due, statutory, proof, provisional FROM running_clock `

// Forecast is a page of the clocks that are over before a time, soonest first, and how many each agency has. Parties' terms
// are left out. An empty agency is all.
func (b Book) Forecast(ctx context.Context, until time.Time, agency, token string, size int32) (page []*commonv1.RunningTerm, all []*commonv1.AgencyTerms, next string, err error) {
	after, err := placeOf(token)
	if err != nil {
		return nil, nil, "", err
	}
	const which = ` WHERE due < $1 AND (NOT basis = ANY ($2) OR kind = ANY ($3)) AND ($4 = '' OR agency_id = $4)`
	args := []any{until, calendar.PartyBases(b.Now), b.Always, agency}
	rows, err := collect[Row](ctx, b.DB, columns+which+` AND (due, kind, id, agency_id) > ($5, $6, $7::uuid, $8)
		ORDER BY due, kind, id, agency_id LIMIT $9`, append(args[:4:4], after.due, after.kind, after.id, after.agency, size)...)
	if err != nil {
		return nil, nil, "", fmt.Errorf("forecast: %w", err)
	}
	counts, err := collect[agencyCount](ctx, b.DB, `SELECT agency_id, count(*) FILTER (WHERE due < $5)::int AS overdue,
		count(*) FILTER (WHERE due >= $5)::int AS due, count(*) FILTER (WHERE provisional)::int AS provisional
		FROM running_clock`+which+` GROUP BY agency_id ORDER BY agency_id LIMIT 500`, append(args[:4:4], b.Now)...)
	if err != nil {
		return nil, nil, "", fmt.Errorf("forecast by agency: %w", err)
	}
	for _, r := range rows {
		page = append(page, r.Proto(b.Now, b.Profile))
	}
	for _, c := range counts {
		all = append(all, &commonv1.AgencyTerms{AgencyId: c.AgencyID, Overdue: c.Overdue, Due: c.Due, Provisional: c.Provisional})
	}
	return page, all, nextPage(rows, int(size)), nil
}

type agencyCount struct {
	AgencyID                  string
	Overdue, Due, Provisional int32
}

// Provisional is a page of the clocks whose date is provisional, those of parties included.
func (b Book) Provisional(ctx context.Context, agency, token string, size int32) (page []*commonv1.ProvisionalTerm, next string, err error) {
	after, err := placeOf(token)
	if err != nil {
		return nil, "", err
	}
	rows, err := collect[Row](ctx, b.DB, columns+`WHERE provisional AND ($1 = '' OR agency_id = $1)
		AND (due, kind, id, agency_id) > ($2, $3, $4::uuid, $5) ORDER BY due, kind, id, agency_id LIMIT $6`,
		agency, after.due, after.kind, after.id, after.agency, size)
	if err != nil {
		return nil, "", fmt.Errorf("provisional dates: %w", err)
	}
	for _, r := range rows {
		page = append(page, r.ProvisionalProto(b.Now, b.Profile))
	}
	return page, nextPage(rows, int(size)), nil
}

// Settled is what one call settled.
type Settled struct {
	Dates []*commonv1.TermSettlement
	Still int32  // wait for another notice
	Next  string // token of the next call; empty after the last
}

// Settle settles the provisional dates that cross a year whose notice is loaded, in the transaction that the book is of: each
// once, on record; write writes the date where it belongs.
func (b Book) Settle(ctx context.Context, year int32, by, token string, write func(*Settlement) error) (*Settled, error) {
	after, err := placeOf(token)
	if err != nil {
		return nil, err
	}
	// one at a time: the table would refuse the second settlement of a date, and with it the whole call
	if _, err := collect[locked](ctx, b.DB, `SELECT pg_advisory_xact_lock(hashtextextended('settle clocks', 0))::text AS done`); err != nil {
		return nil, err
	}
	rows, err := collect[Row](ctx, b.DB, `SELECT DISTINCT ON (kind, id) kind, id, agency_id, basis, start_time, due, statutory, proof, provisional
		  FROM running_clock
		 WHERE provisional AND (kind, id) > ($1, $2::uuid)
		   AND extract(year FROM start_time AT TIME ZONE 'Asia/Shanghai') <= $3::int
		   AND extract(year FROM statutory AT TIME ZONE 'Asia/Shanghai') >= $3::int
		 ORDER BY kind, id, agency_id LIMIT $4`, after.kind, after.id, year, Batch)
	if err != nil {
		return nil, fmt.Errorf("provisional dates of %d: %w", year, err)
	}
	out := &Settled{Next: nextPage(rows, Batch)}
	for _, r := range rows {
		d, err := r.Settle(b.Now, b.Profile)
		switch {
		case err != nil:
			return nil, err
		case d == nil:
			out.Still++
			continue
		}
		if err = b.record(ctx, d, year, by); err == nil {
			err = write(d)
		}
		if err != nil {
			return nil, fmt.Errorf("settle %s %s: %w", r.Kind, r.ID, err)
		}
		out.Dates = append(out.Dates, d.Proto())
	}
	return out, nil
}

type locked struct{ Done string }

// record writes the act.
func (b Book) record(ctx context.Context, d *Settlement, year int32, by string) error {
	_, err := collect[locked](ctx, b.DB, `INSERT INTO clock_settlement (kind, id, year, old_due, new_due, old_statutory, new_statutory,
		old_proof, party, settled_by, settled_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING kind AS done`,
		d.Kind, d.ID, year, d.Due, d.New.Due, d.Statutory, d.New.Statutory, d.Proof, d.Party, by, b.Now)
	return err
}

func collect[T any](ctx context.Context, db DB, sql string, args ...any) ([]T, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

// place is where a page of clocks begins: after this one.
type place struct {
	due              time.Time
	kind, id, agency string
}

// placeOf reads a page token; an empty one is the beginning.
func placeOf(token string) (place, error) {
	parts, err := pg.DecodeToken(token, 4)
	if err != nil || parts == nil {
		return place{id: uuid.Nil.String()}, err
	}
	us, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || uuid.Validate(parts[2]) != nil {
		return place{}, errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is not one of this list")
	}
	return place{due: time.UnixMicro(us).UTC(), kind: parts[1], id: parts[2], agency: parts[3]}, nil
}

// nextPage is the token of the page after some rows; empty after the last.
func nextPage(rows []Row, size int) string {
	if len(rows) < size || len(rows) == 0 {
		return ""
	}
	last := rows[len(rows)-1]
	return pg.EncodeToken(strconv.FormatInt(last.Due.UnixMicro(), 10), last.Kind, last.ID, last.AgencyID)
}
