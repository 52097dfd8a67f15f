package main

import (
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"quietline/internal/calendar"
)

// deadlineCmd computes a deadline from the tables alone: what a case opened today must be decided by, or by when a hearing
// must be announced.
type deadlineCmd struct {
	Basis  string `arg:"" optional:"" help:"Code of the deadline table, e.g. case_90d or hearing_notice_7wd. Without it, the table is listed."`
	From   string `arg:"" optional:"" help:"Date, or date and time, of the event, in Asia/Shanghai; by default now."`
	Policy string `help:"Folder with deadlines and holidays over the built-in ones." type:"existingdir"`
	JSON   bool   `help:"Print one JSON object." name:"json"`
}

// Run prints the date and how it was computed.
func (c deadlineCmd) Run() error {
	if err := calendar.Load(c.Policy); err != nil {
		return err
	}
	from, err := eventTime(c.From, time.Now())
	if err != nil {
		return err
	}
	if c.Basis == "" {
		return listDeadlines(from)
	}
	d, err := calendar.Due(c.Basis, from, calendar.Statutory)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{
			"basis": d.Basis, "term": d.Term, "from": d.Start, "due": d.Due, "provisional": d.Provisional, "proof": d.Proof, "source": d.Source,
		})
	}
	fmt.Printf("%s\n%s\n%s\n", d.Due.In(calendar.Shanghai).Format("2006-01-02 15:04:05"), d.Proof, d.Source)
	for _, e := range calendar.ExtensionsOf(c.Basis, from) {
		fmt.Printf("may be extended %d times by %s: %s\n", e.Times, e.By, e.Source)
	}
	for _, p := range calendar.PausesOf(c.Basis, from) {
		fmt.Printf("stands still for %s: %s\n", p.Reason, p.Source)
	}
	return nil
}

// eventTime reads a date, or a date and time, in Shanghai.
func eventTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	for _, form := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(form, text, calendar.Shanghai); err == nil {
			return t, nil
		}
	}
	return now, fmt.Errorf("%q is no date like 2026-10-12 or 2026-10-12T09:00", text)
}

func listDeadlines(at time.Time) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	for _, code := range calendar.Bases() {
		term, err := calendar.TermOf(code, at)
		if err != nil {
			continue // not in force then
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", code, term, calendar.SourceOf(code, at)); err != nil {
			return err
		}
	}
	return w.Flush()
}
