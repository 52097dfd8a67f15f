package credit

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	creditv1 "quietline/proto/quietline/credit/v1"
)

// TestNoSequenceBreaksTheLists does anything in any order, allowed or not, with firms of its own each time: nothing of it
// leaves an entry for ever, a live duplicate, or a list that its own checks find fault with.
func TestNoSequenceBreaksTheLists(t *testing.T) {
	w := newWorld(t)
	firms := 0
	rapid.Check(t, func(rt *rapid.T) {
		firms++
		code := fmt.Sprintf("9111%014d", firms)
		start := at("2026-05-01 10:00").AddDate(0, 0, firms%30)
		w.set(start)
		cases := []string{uuid.NewString(), uuid.NewString()}
		var entries, repairs []string
		pick := func(of []string) string {
			if len(of) == 0 {
				return uuid.NewString()
			}
			return rapid.SampledFrom(of).Draw(rt, "which")
		}
		do := map[string]func(){
			"list": func() {
				kind := rapid.SampledFrom([]string{"warning", "fine", "closure", "revocation"}).Draw(rt, "penalty")
				l, err := w.list(t, func(r *creditv1.ListPartyRequest) {
					r.CreditCode, r.List, r.Ground, r.CaseId = code, "", "", pick(cases)
					r.DecidedTime, r.Penalties = timestamppb.New(start.AddDate(0, 0, -3)), []*creditv1.Penalty{{Kind: kind}}
				})
				if err == nil {
					entries = append(entries, l.GetListingId())
				}
			},
			"propose": func() {
				if l, err := w.propose(t, "chen", "ca-11", code); err == nil {
					entries = append(entries, l.GetListingId())
				}
			},
			"notify": func() { _ = w.notify(t, pick(entries)) },
			"sign": func() {
				_ = w.sign(t, pick(entries), "li@ca-11", rapid.SampledFrom([]string{"li@ca-11", "zhao@ca-11"}).Draw(rt, "signer"))
			},
			"apply": func() {
				if r, err := w.apply(t, w.as("boss", "", code, party), pick(entries)); err == nil {
					repairs = append(repairs, r.GetRepairId())
				}
			},
			"decide": func() { _, _ = w.decideRepair(t, pick(repairs), "sun@ca-11", rapid.Bool().Draw(rt, "granted")) },
			"withdraw": func() {
				_, _ = w.head.WithdrawListing(t.Context(), &creditv1.WithdrawListingRequest{RequestId: uuid.NewString(), ListingId: pick(entries), Reason: "x"})
			},
			"reverse": func() {
				_, _ = w.flows.WithdrawByCase(t.Context(), &creditv1.WithdrawByCaseRequest{RequestId: uuid.NewString(), CaseId: pick(cases), Reason: "x"})
			},
			"expire": func() {
				_, _ = w.flows.ExpireListings(t.Context(), &creditv1.ExpireListingsRequest{RequestId: uuid.NewString()})
			},
			"wait": func() { w.set(w.clock.Load().AddDate(0, 0, rapid.IntRange(1, 400).Draw(rt, "days"))) },
		}
		names := []string{"list", "propose", "notify", "sign", "apply", "decide", "withdraw", "reverse", "expire", "wait", "wait"}
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			do[rapid.SampledFrom(names).Draw(rt, "step")]()
		}
		w.sound(t, rt, code)
	})
}

// sound holds the entries of a firm to the law, by a query of its own.
func (w *world) sound(t *testing.T, rt *rapid.T, code string) {
	t.Helper()
	rows, err := w.db.Query(t.Context(), `SELECT list, ground, coalesce(case_id::text, ''), state, decided_time, latest_end, severity FROM listing WHERE credit_code = $1`, code)
	if err != nil {
		rt.Fatal(err)
	}
	defer rows.Close()
	live := map[string]bool{}
	for rows.Next() {
		var list, ground, caseID, state, severity string
		var decided, latest *time.Time
		if err := rows.Scan(&list, &ground, &caseID, &state, &decided, &latest, &severity); err != nil {
			rt.Fatal(err)
		}
		if decided != nil && (latest == nil || latest.After(decided.AddDate(0, map[string]int{"minor": 3, "general": 12, "serious": 36}[severity], 0))) {
			rt.Fatalf("%s entry from %v to %v", severity, decided, latest)
		}
		if state != removed && state != expired && state != withdrawn {
			key := list + ground + caseID
			if live[key] {
				rt.Fatalf("two live entries: %s", key)
			}
			live[key] = true
		}
	}
	var broken string
	err = w.db.QueryRow(t.Context(), `SELECT coalesce(string_agg(v.what, '; '), '') FROM violation v JOIN listing l ON l.listing_id = v.id WHERE l.credit_code = $1`, code).Scan(&broken)
	if err != nil || broken != "" {
		rt.Fatalf("%s, %v", broken, err)
	}
}
