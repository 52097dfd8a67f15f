package disclosure

import (
	"strings"
	"testing"

	"quietline/internal/testkit"
)

// What should not be is seen, however it came about.
func TestAudit_seesWhatIsBroken(t *testing.T) {
	w := newWorld(t)
	p := w.must(t, penalty, nil)
	owner := testkit.Owner(t, w.db)
	for sql, want := range map[string]string{
		"UPDATE publication SET take_down_time = take_down_time + interval '1 day'":                             "earliest end",
		"INSERT INTO publication_version VALUES ('" + p.GetPublicationId() + "', 3, 't', 's', 'n', 'x', now())": "without a gap",
		"DELETE FROM publication_change": "never announced",
		"ALTER TABLE publication DROP CONSTRAINT publication_gate_amount; UPDATE publication SET amount_fen = 0":                                               "a fine without amount",
		"UPDATE publisher_policy SET valid_from = '2100-01-01', valid_to = NULL WHERE kind = 'penalty'":                                                        "may not publish",
		"INSERT INTO withdrawal_order SELECT kind, case_id, 'revoked', publish_time, 'r', publish_time - interval '1 day', 'x', publish_time FROM publication": "after the term to withdraw",
	} {
		tx, err := owner.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		var seen string
		err = tx.QueryRow(t.Context(), `SELECT coalesce(string_agg(what, ' '), '') FROM (SELECT what FROM publication_violation UNION
			SELECT 'still public after the term to withdraw' FROM withdrawal_order o JOIN publication p USING (kind, case_id) WHERE o.due_time < p.publish_time) x`).Scan(&seen)
		if err != nil || !strings.Contains(seen, want) {
			t.Errorf("%s: %q, %v", want, seen, err)
		}
		_ = tx.Rollback(t.Context())
	}
}
