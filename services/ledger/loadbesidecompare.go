package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

// compareAll judges all rows: those about numbers with the licences that the file brings, and then what hangs on them.
func (j *judging) compareAll(ctx context.Context, tx pgx.Tx) error {
	if err := j.firmsBeside(ctx); err != nil {
		return err
	}
	b, err := j.s.beside(ctx, j.q, j.load)
	if err != nil {
		return err
	}
	if b.rows == 0 {
		return j.settle(ctx)
	}
	if err := j.bring(ctx, tx, b); err != nil {
		return err
	}
	if err := j.settle(ctx); err != nil {
		return err
	}
	return j.judgeBeside(ctx, tx, b)
}

// firmsBeside finds out who is named by rows that are not about numbers.
func (j *judging) firmsBeside(ctx context.Context) error {
	for after := int32(0); ; {
		rows, err := j.q.FirmsBeside(ctx, store.FirmsBesideParams{LoadID: j.load.LoadID, After: after, PageSize: judgedAtOnce})
		if err != nil || len(rows) == 0 {
			return err
		}
		said := make([]format.Row, len(rows))
		for i, r := range rows {
			if err := json.Unmarshal(r.Said, &said[i]); err != nil {
				return fmt.Errorf("load row: %w", err)
			}
		}
		if err := j.findHolders(ctx, said); err != nil {
			return err
		}
		after = rows[len(rows)-1].Line
	}
}

// undone does something and takes it back: what would be is read in it, and nothing of it stays.
func undone(ctx context.Context, tx pgx.Tx, do func(tx pgx.Tx) error) error {
	sub, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	if err := do(sub); err != nil {
		return err // the whole comparison fails with it
	}
	return sub.Rollback(ctx)
}

// bring reads which licences firms have with what the file says of them: the rules of allocation look at these.
func (j *judging) bring(ctx context.Context, tx pgx.Tx, b *besider) error {
	j.brought = map[string][]store.Licence{}
	return undone(ctx, tx, func(sub pgx.Tx) error {
		err := b.run(ctx, sub, format.AboutLicence, func(store.BesideRowsRow, difference, []string) error { return nil })
		if err != nil {
			return err
		}
		for holder := range b.entered {
			if j.brought[holder], err = store.New(sub).LicencesKnown(ctx, holder); err != nil {
				return err
			}
		}
		return nil
	})
}

// judgeBeside finds out what becomes of rows that are not about numbers when the load is applied.
func (j *judging) judgeBeside(ctx context.Context, tx pgx.Tx, b *besider) error {
	out := store.JudgeRowsParams{LoadID: j.load.LoadID}
	err := undone(ctx, tx, func(sub pgx.Tx) error {
		return b.applyAll(ctx, sub, &ledgerv1.ApplyLoadRequest{}, func(row store.BesideRowsRow, d difference, _ []string) error {
			d.ends = nil // of an allocation
			return judged(&out, row.Line, d)
		})
	})
	if err != nil {
		return err
	}
	return j.q.JudgeRows(ctx, out)
}
