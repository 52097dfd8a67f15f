package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"quietline/internal/pg"
	"quietline/internal/testkit"
	"quietline/services/ledger/store"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func day(n int) time.Time { return epoch.AddDate(0, 0, n) }

// version is what one act wrote into the ledger, as the test remembers it.
type version struct {
	allocation, resource string
	first, last          int64
	from, to             time.Time // valid
	known, closed        time.Time
}

// TestHistoryEqualsItsReplay writes random allocations, corrections and suspensions and then asks as of random times:
// nothing ever overlaps, and every answer is what reading the log from its beginning gives.
func TestHistoryEqualsItsReplay(t *testing.T) {
	db := testkit.DB(t, "ledger", store.Migrations)
	rapid.Check(t, func(rt *rapid.T) {
		scheme := uuid.NewString()[:8] // each run has numbers of its own
		m := &machine{t: rt, db: db, scheme: scheme, holder: newHolder(t, db)}
		for range rapid.IntRange(1, 12).Draw(rt, "acts") {
			switch rapid.IntRange(0, 3).Draw(rt, "act") {
			case 0, 1:
				m.allocate()
			case 2:
				m.correct()
			case 3:
				m.happen()
			}
		}
		for range 12 {
			m.ask()
		}
		overlaps, err := store.New(db).AuditOverlaps(t.Context(), store.AuditOverlapsParams{After: firstID, PageSize: 10})
		if err != nil || len(overlaps) > 0 {
			rt.Fatalf("overlaps: %v, %v", overlaps, err)
		}
	})
}

type event struct {
	resource, event string
	effect, known   time.Time
}

type machine struct {
	t              *rapid.T
	db             *pgxpool.Pool
	scheme, holder string
	versions       []*version
	events         []event
}

func newHolder(t *testing.T, db *pgxpool.Pool) string {
	id := uuid.NewString()
	if err := store.New(db).InsertHolder(t.Context(), store.InsertHolderParams{HolderID: id, Name: "甲", CreatedBy: "test"}); err != nil {
		t.Fatal(err)
	}
	return id
}

func (m *machine) draw(resource string) *version {
	first := rapid.Int64Range(95000, 95020).Draw(m.t, "first")
	from := rapid.IntRange(0, 20).Draw(m.t, "from")
	return &version{
		allocation: uuid.NewString(), resource: resource,
		first: first, last: first + rapid.Int64Range(0, 5).Draw(m.t, "size"),
		from: day(from), to: day(from + rapid.IntRange(1, 10).Draw(m.t, "days")),
	}
}

func (m *machine) insert(ctx context.Context, tx pgx.Tx, v *version) error {
	err := store.New(tx).InsertAllocation(ctx, store.InsertAllocationParams{
		AllocationID: v.allocation, ResourceID: v.resource, HolderID: m.holder, Scheme: m.scheme, Digits: 5,
		FirstNumber: v.first, LastNumber: v.last, AccessProvince: "11", Purpose: "test", PermittedCallers: []string{},
		AccessOperatorID: "cmcc", ValidFrom: v.from, ValidTo: &v.to, CreatedBy: "test",
	})
	if err != nil {
		return err
	}
	return tx.QueryRow(ctx, "SELECT now()").Scan(&v.known)
}

// write runs fn in a transaction and says whether the database took it; only overlaps may be refused.
func (m *machine) write(fn func(ctx context.Context, tx pgx.Tx) error) bool {
	ctx := context.Background()
	err := pgx.BeginFunc(ctx, m.db, func(tx pgx.Tx) error { return fn(ctx, tx) })
	if pg.Code(err) == "23P01" {
		return false
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return true
}

func (m *machine) allocate() {
	v := m.draw(uuid.NewString())
	took := m.write(func(ctx context.Context, tx pgx.Tx) error {
		if err := store.New(tx).InsertResource(ctx, v.resource); err != nil {
			return err
		}
		return m.insert(ctx, tx, v)
	})
	if took != !m.overlaps(v, nil) {
		m.t.Fatalf("took %v: %v", took, v)
	}
	if took {
		m.versions = append(m.versions, v)
	}
}

// correct says that a row was wrong: it closes it and enters what is right in its place.
func (m *machine) correct() {
	if len(m.versions) == 0 {
		return
	}
	old := rapid.SampledFrom(m.versions).Draw(m.t, "wrong")
	if !old.closed.IsZero() {
		return
	}
	v := m.draw(old.resource)
	took := m.write(func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE allocation SET known_to = now() WHERE allocation_id = $1", old.allocation); err != nil {
			return err
		}
		return m.insert(ctx, tx, v)
	})
	if took != !m.overlaps(v, old) {
		m.t.Fatalf("took %v: %v", took, v)
	}
	if took {
		old.closed = v.known
		m.versions = append(m.versions, v)
	}
}

func (m *machine) happen() {
	if len(m.versions) == 0 {
		return
	}
	e := event{
		resource: rapid.SampledFrom(m.versions).Draw(m.t, "of").resource,
		event:    rapid.SampledFrom([]string{allocated, resumed, recalled}).Draw(m.t, "event"),
		effect:   day(rapid.IntRange(0, 30).Draw(m.t, "effect")),
	}
	m.write(func(ctx context.Context, tx pgx.Tx) error {
		if err := store.New(tx).InsertEvent(ctx, store.InsertEventParams{
			ResourceID: e.resource, Event: e.event, EffectTime: e.effect, DoneBy: "test",
		}); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT now()").Scan(&e.known)
	})
	m.events = append(m.events, e)
}

// overlaps says what the exclusion constraints must: whether v meets an open row, other than the one that it corrects.
func (m *machine) overlaps(v, corrected *version) bool {
	for _, o := range m.versions {
		sameTime := o.closed.IsZero() && o.from.Before(v.to) && v.from.Before(o.to)
		if o != corrected && sameTime && (o.resource == v.resource || (o.first <= v.last && v.first <= o.last)) {
			return true
		}
	}
	return false
}

// ask compares an answer with the replay.
func (m *machine) ask() {
	number := rapid.Int64Range(94999, 95030).Draw(m.t, "number")
	at := day(rapid.IntRange(-1, 32).Draw(m.t, "at"))
	var known *time.Time
	times := []time.Time{time.Now().Add(time.Hour)}
	for _, v := range m.versions {
		times = append(times, v.known)
	}
	if k := rapid.SampledFrom(times).Draw(m.t, "known"); rapid.Bool().Draw(m.t, "as known") {
		known = &k
	}
	row, err := store.New(m.db).LookupNumber(context.Background(), store.LookupNumberParams{
		Scheme: m.scheme, Digits: 5, Number: number, At: at, KnownAt: known,
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		m.t.Fatal(err)
	}
	resource, last := m.replay(number, at, known)
	if row.ResourceID != resource || (resource != "" && row.Event != last) {
		m.t.Fatalf("%d at %v known %v: the ledger says %q %q, the log %q %q", number, at, known, row.ResourceID, row.Event, resource, last)
	}
}

func (m *machine) replay(number int64, at time.Time, known *time.Time) (resource, last string) {
	knew := func(t time.Time) bool { return known == nil || !t.After(*known) }
	for _, v := range m.versions {
		open := v.closed.IsZero() || !knew(v.closed)
		if knew(v.known) && open && !at.Before(v.from) && at.Before(v.to) && v.first <= number && number <= v.last {
			resource = v.resource
		}
	}
	last = allocated
	var effect time.Time
	for _, e := range m.events { // in the order of entry, so that of two at the same time the later one stands
		if e.resource == resource && knew(e.known) && !e.effect.After(at) && !e.effect.Before(effect) {
			last, effect = e.event, e.effect
		}
	}
	return resource, last
}

// TestTheDatabaseRefuses tries as the service's own role what must never happen.
func TestTheDatabaseRefuses(t *testing.T) {
	db := testkit.DB(t, "ledger", store.Migrations)
	ctx := t.Context()
	resource, allocation := uuid.NewString(), uuid.NewString()
	q := store.New(db)
	if err := q.InsertResource(ctx, resource); err != nil {
		t.Fatal(err)
	}
	err := q.InsertAllocation(ctx, store.InsertAllocationParams{
		AllocationID: allocation, ResourceID: resource, HolderID: newHolder(t, db), Scheme: National, Digits: 5,
		FirstNumber: 95588, LastNumber: 95588, AccessProvince: "11", Purpose: "test", PermittedCallers: []string{},
		AccessOperatorID: "cmcc", ValidFrom: epoch, CreatedBy: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, sql, code string }{
		{"change of the holder", "UPDATE allocation SET holder_id = gen_random_uuid()", "42501"},
		{"change of the valid time", "UPDATE allocation SET valid_to = now()", "42501"},
		{"closing in the past", "UPDATE allocation SET known_to = now() - interval '1 microsecond'", "23001"},
		{"closing in the future", "UPDATE allocation SET known_to = 'infinity'", "23001"},
		{"deletion", "DELETE FROM allocation", "42501"},
		{"deletion of history", "DELETE FROM resource_event", "42501"},
		{"change of history", "UPDATE resource_event SET event = 'resumed'", "42501"},
		{"entry in the past", "INSERT INTO resource_event (resource_id, event, effect_time, recorded_time, done_by) VALUES ('" + resource + "', 'resumed', now(), now(), 'x')", "42501"},
		{"suspension without ground", "INSERT INTO resource_event (resource_id, event, effect_time, done_by) VALUES ('" + resource + "', 'suspended', now(), 'x')", "23514"},
		{"number too long", "INSERT INTO allocation (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose, access_operator_id, valid_from, created_by) SELECT gen_random_uuid(), resource_id, holder_id, scheme, 5, 100000, 100000, '11', 'x', 'x', now(), 'x' FROM allocation", "23514"},
	} {
		if _, err := db.Exec(ctx, c.sql); pg.Code(err) != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := db.Exec(ctx, "UPDATE allocation SET known_to = now()"); err != nil {
		t.Errorf("a correction is refused: %v", err)
	}
	if _, err := db.Exec(ctx, "UPDATE allocation SET known_to = now()"); pg.Code(err) != "23001" {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := testkit.Owner(t, db).Exec(ctx, "UPDATE allocation SET purpose = 'other'"); pg.Code(err) != "23001" {
		t.Errorf("not even the owner changes an allocation: %v", err)
	}
}
