package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"quietline/internal/pg"
	"quietline/services/ledger/store"
)

const (
	clearedAtOnce = 5000 // rows in one transaction
	clearedDaily  = 1000 // loads
)

// ClearLoads clears what was staged for loads that are through or were left lying for longer than is kept (table
// load_retention). A load that was left lying is given up with it. The loads stay on record with their counts.
func (s *Server) ClearLoads(ctx context.Context) error {
	loads, err := store.New(s.db).LoadsToClear(ctx, store.LoadsToClearParams{At: s.now(), PageSize: clearedDaily})
	if err != nil {
		return err
	}
	for _, id := range loads {
		for done := false; !done; {
			err := pg.Tx(ctx, s.db, func(tx pgx.Tx) (err error) {
				done, err = s.clearSome(ctx, store.New(tx), id)
				return err
			})
			if err != nil {
				return fmt.Errorf("clearing load %s: %w", id, err)
			}
		}
	}
	return nil
}

// clearSome clears a part of a load; done when nothing is left.
func (s *Server) clearSome(ctx context.Context, q *store.Queries, id string) (done bool, err error) {
	if _, err := q.LockToClear(ctx, store.LockToClearParams{LoadID: id, At: s.now()}); errors.Is(err, pgx.ErrNoRows) {
		return true, nil // somebody took it up again meanwhile
	} else if err != nil {
		return false, err
	}
	if err := q.AbandonLoad(ctx, id); err != nil {
		return false, err
	}
	rows, err := q.ClearSomeRows(ctx, store.ClearSomeRowsParams{LoadID: id, Rows: clearedAtOnce})
	if err != nil {
		return false, err
	}
	pieces, err := q.ClearSomePieces(ctx, store.ClearSomePiecesParams{LoadID: id, Rows: clearedAtOnce})
	if err != nil || rows == clearedAtOnce || pieces == clearedAtOnce {
		return false, err
	}
	for _, clear := range []func(context.Context, string) error{q.ClearLoadMissing, q.ClearLoadFirms, q.ClearLoadHolders, q.ClearLoadEndings} {
		if err := clear(ctx, id); err != nil {
			return false, err
		}
	}
	return true, q.SetCleared(ctx, store.SetClearedParams{LoadID: id, At: s.now()})
}
