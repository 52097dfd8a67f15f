package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

// benchRow is a line of the table.
type benchRow struct {
	what, ours, base, ratio, aim string
	met                          bool
}

// benchSpent is where the time of a part went: processor seconds by process, with what was done in them.
type benchSpent struct {
	part   string
	ours   bool
	ops    int
	wall   time.Duration
	used   processorUse
	p50    []float64 // milliseconds, of each round
	p99    []float64
	rounds int
}

func (b *bench) spend(part string, ours bool, r benchResult, used processorUse, wall time.Duration) {
	at := slices.IndexFunc(b.spent, func(s benchSpent) bool { return s.part == part && s.ours == ours })
	if at < 0 {
		b.spent = append(b.spent, benchSpent{part: part, ours: ours, used: processorUse{}})
		at = len(b.spent) - 1
	}
	s := &b.spent[at]
	s.ops += r.Done + r.Warm
	s.wall += wall
	s.rounds++
	s.used.add(used)
	if r.P50 > 0 {
		s.p50, s.p99 = append(s.p50, r.P50), append(s.p99, r.P99)
	}
}

// report prints the table, where the time went, and the notes, as Markdown.
func (b *bench) report(w io.Writer) {
	fmt.Fprintf(w, "\n| what | ours | baseline | ratio | aim | met |\n| --- | ---: | ---: | ---: | --- | --- |\n")
	for _, r := range b.rows {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", r.what, r.ours, cmp.Or(r.base, "–"), cmp.Or(r.ratio, "–"), r.aim, yes(r.met))
	}
	fmt.Fprintf(w, "\nMedians of the rounds, in brackets the slowest and the fastest; ratio: the median of each round's own. %d s in all.\n", int(time.Since(b.began).Seconds()))
	fmt.Fprintf(w, "\nWhere the time goes: milliseconds of processor time for each report, look-up or decision, by process.\n\n")
	fmt.Fprintf(w, "| part | all | %s | cores busy | answered in (median, 99 %%) |\n| --- | ---: |%s ---: | ---: |\n",
		strings.Join(processNames, " | "), strings.Repeat(" ---: |", len(processNames)))
	for _, s := range b.spent {
		s.print(w)
	}
	for _, note := range b.notes {
		fmt.Fprintf(w, "\n- %s", note)
	}
	fmt.Fprintln(w)
}

func (s benchSpent) print(w io.Writer) {
	per := func(seconds float64) float64 { return 1000 * seconds / float64(max(s.ops, 1)) }
	all, cells := 0.0, make([]string, len(processNames))
	for i, name := range processNames {
		all += s.used[name]
		cells[i] = fmt.Sprintf("%.3f", per(s.used[name]))
	}
	answered := "–"
	if len(s.p50) > 0 {
		answered = fmt.Sprintf("%.1f ms, %.1f ms", median(s.p50), median(s.p99))
	}
	fmt.Fprintf(w, "| %s, %s | %.3f | %s | %.1f | %s |\n", s.part, whose(s.ours), per(all), strings.Join(cells, " | "),
		all/s.wall.Seconds(), answered)
}

func yes(met bool) string {
	if met {
		return "yes"
	}
	return "no"
}

func perSecond(all []float64) string {
	if len(all) == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.0f/s (%.0f–%.0f)", median(all), slices.Min(all), slices.Max(all))
}

func median(figures []float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(figures))
	half := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[half-1] + sorted[half]) / 2
	}
	return sorted[half]
}

// profile records where this process spends its time in a round of ours, when asked to; the last round's stays.
func (b *bench) profile(part string, ours bool) (stop func() error, err error) {
	if b.cmd.Profile == "" || !ours {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(b.cmd.Profile, 0o755); err != nil { //nolint:gosec // figures for everybody
		return nil, err
	}
	file, err := os.Create(filepath.Join(b.cmd.Profile, part+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}
