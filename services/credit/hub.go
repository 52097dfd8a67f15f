package credit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"quietline/services/credit/store"
)

const (
	kept       = 1000                   // changes that the hub keeps for those who wait
	hubBeat    = time.Second            // it looks for itself so often, should a notice be lost
	hubAgain   = 500 * time.Millisecond // before it listens anew
	feedAlone  = 250 * time.Millisecond // how often a reader looks while the hub does not listen
	feedBeside = 2 * time.Second        // and while it does
)

// hub listens for all who wait for changes: one connection and one query a change, however many they are. A change becomes
// visible in the order of its ID, so what the hub has read last is what there is.
type hub struct {
	db *pgxpool.Pool

	mu      sync.Mutex
	live    bool
	changes []store.ListingChange // the last, in order
	from    int64                 // it has all after this
	last    int64
	news    chan struct{} // closed when something came
}

func newHub(db *pgxpool.Pool) *hub { return &hub{db: db, news: make(chan struct{})} }

// after are the changes after an ID, when the hub has them all.
func (h *hub) after(id int64, n int) ([]store.ListingChange, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.live || id < h.from {
		return nil, false
	}
	for i, c := range h.changes {
		if c.ChangeID > id {
			return h.changes[i:min(i+n, len(h.changes))], true
		}
	}
	return nil, true
}

// wake is closed when there is more than what is known now.
func (h *hub) wake() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.news
}

func (h *hub) interval() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.live {
		return feedBeside
	}
	return feedAlone
}

// run listens until ctx ends; while it cannot, readers look for themselves.
func (h *hub) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := h.listen(ctx)
		h.mu.Lock()
		h.live = false
		close(h.news) // whoever waits looks, and from now on oftener
		h.news = make(chan struct{})
		h.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
		slog.WarnContext(ctx, "the feed of the lists does not listen for the moment", slog.Any("error", err))
		select {
		case <-ctx.Done():
		case <-time.After(hubAgain):
		}
	}
}

func (h *hub) listen(ctx context.Context) error {
	pooled, err := h.db.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack() // it listens: nobody else is to have it
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN listing_change"); err != nil {
		return err
	}
	q := store.New(conn)
	last, err := q.LastChange(ctx)
	if err != nil {
		return err
	}
	h.begin(last)
	for {
		beat, cancel := context.WithTimeout(ctx, hubBeat)
		_, err := conn.WaitForNotification(beat)
		cancel()
		if err != nil && (ctx.Err() != nil || conn.IsClosed()) {
			return err
		}
		if err := h.read(ctx, q); err != nil {
			return err
		}
	}
}

func (h *hub) begin(last int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live, h.changes, h.from, h.last = true, nil, last, last
}

// read takes what is new and wakes whoever waits.
func (h *hub) read(ctx context.Context, q *store.Queries) error {
	for {
		rows, err := q.ChangesAfter(ctx, store.ChangesAfterParams{After: h.last, N: kept})
		if err != nil || len(rows) == 0 {
			return err
		}
		h.mu.Lock()
		// a new slice: readers may still go through the old one
		h.changes = append(append([]store.ListingChange(nil), h.changes...), rows...)
		if over := len(h.changes) - kept; over > 0 {
			h.from = h.changes[over-1].ChangeID
			h.changes = h.changes[over:]
		}
		h.last = rows[len(rows)-1].ChangeID
		close(h.news)
		h.news = make(chan struct{})
		h.mu.Unlock()
	}
}
