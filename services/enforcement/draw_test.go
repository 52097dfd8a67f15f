package enforcement

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"quietline/internal/pg"
	"quietline/internal/testkit"
	"quietline/services/enforcement/store"
)

// try makes a document as a step of the procedure does, and reads it back.
func (w *partyWorld) try(t *testing.T, d drawing) (string, error) {
	t.Helper()
	var html []byte
	err := pg.Tx(t.Context(), w.db, func(tx pgx.Tx) error {
		q := store.New(tx)
		id, err := w.s.compose(t.Context(), q, d)
		if err == nil {
			html, err = w.s.content(t.Context(), q, id)
		}
		return err
	})
	return string(html), err
}

// investigating writes that a case is investigated past the steps, which are tested elsewhere.
func (w *partyWorld) investigating(t *testing.T, caseID string) {
	t.Helper()
	tx, err := testkit.Owner(t, w.db).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"SET LOCAL session_replication_role = replica",
		"UPDATE enforcement_case SET state = 'INVESTIGATING' WHERE case_id = '" + caseID + "'",
	} {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}
