package credit

import (
	"strings"
	"testing"

	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/testkit"
	"quietline/services/credit/store"
)

// An installation from before keeps its entries: a licensee's stands, an advertiser's moves to the credit record, what was
// withdrawn stays so, and whoever follows hears of all of it.
func TestMigrate_fromBefore(t *testing.T) {
	owner, _ := testkit.EmptyDB(t, "credit")
	db, p := testkit.MigratedTo(t, owner, store.Migrations, 1)
	_, err := db.ExecContext(t.Context(), `
		INSERT INTO listing (listing_id, list, ground, party_name, credit_code, licence, case_id, agency_id, severity, decided_time, earliest_end,
		                     latest_end, listed_time, listed_by)
		SELECT format('00000000-0000-7000-8000-00000000000%s', n)::uuid, 'bad', 'supervision_penalty', '甲', '91110000000000000A',
		       CASE n WHEN 2 THEN '' ELSE 'B2-1' END, gen_random_uuid(), 'ca-11', 'general', now() - interval '10 days', now() + interval '2 months',
		       now() - interval '10 days' + interval '1 year', now() - interval '9 days', 'workflows' FROM generate_series(1, 3) n;
		INSERT INTO listing_withdrawal (listing_id, reason, withdrawn_by, withdrawn_time)
		VALUES ('00000000-0000-7000-8000-000000000003', 'revoked', 'x', now())`)
	if err != nil {
		t.Fatal(err)
	}
	if err := pg.Migrate(t.Context(), owner, store.Migrations, string(identity.Credit)); err != nil {
		t.Fatal(err)
	}
	one := func(query string) (out string) {
		if err := db.QueryRowContext(t.Context(), query).Scan(&out); err != nil {
			t.Fatal(query, err)
		}
		return out
	}
	for query, want := range map[string]string{
		`SELECT string_agg(list || ' ' || state, ', ' ORDER BY list, licence, state) FROM listing`:   "bad WITHDRAWN, bad LISTED, bad WITHDRAWN, credit_record LISTED",
		`SELECT state_reason FROM listing WHERE listing_id = '00000000-0000-7000-8000-000000000003'`: "revoked",
		`SELECT count(*)::text FROM violation`:                                                       "0",
		`SELECT count(*)::text FROM listing_change`:                                                  "6",
	} {
		if got := one(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := one(`SELECT coalesce(string_agg(what, '; '), '') FROM violation`); strings.Contains(got, ";") {
		t.Error(got)
	}
	if _, err := p.DownTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got := one(`SELECT count(*)::text FROM listing_withdrawal`); got != "2" {
		t.Errorf("back again: %s withdrawals", got)
	}
}
