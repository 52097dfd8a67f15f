package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// benchCmd measures the mesh against baselines that do next to nothing else than what cannot be left out, on the same
// PostgreSQL, the same Temporal and the same machine.
//
// The mesh and the baselines run in this process, each behind its own port. The load comes from a child process, one
// for each round, so that the processor time and the memory of this process are the mesh's own. Rounds of ours and of
// the baseline take turns, so that what else the machine does meets both; medians are compared.
type benchCmd struct {
	Only       string        `help:"Run one part only: filing, lookup, import, marks, feed or casework." enum:",filing,lookup,import,marks,feed,casework" default:""`
	Rounds     int           `help:"Rounds of ours and of the baseline." default:"5"`
	Span       time.Duration `help:"How long a round of filing or looking up takes." default:"4s"`
	Reports    int           `help:"Reports to import, over all rounds." default:"100000"`
	Marks      int           `help:"Marks to import, over all rounds." default:"1000000"`
	Complaints int           `help:"Complaints from filing to feedback, over all rounds." default:"1000"`
	Limit      time.Duration `help:"No round begins after its part's share of this." default:"10m"`
	Profile    string        `help:"Write processor profiles of this process, in rounds of ours, to this folder." type:"path"`
}

// benchPart is a part of the bench. Its share of the time is counted from the beginning of the whole.
type benchPart struct {
	name  string
	share float64
	run   func(ctx context.Context, b *bench) error
}

// The first parts work with starts of workflows paused, in a mesh of their own: what they file would otherwise be what
// the last part waits for. Filing comes first, while the memory of this process is what serving needs.
var (
	benchPaused = []benchPart{
		{"filing", 0.15, benchFiling},
		{"lookup", 0.28, benchLookup},
		{"import", 0.46, benchImport},
		{"marks", 0.52, benchMarks},
		{"feed", 0.55, benchFeed},
	}
	benchFlowing = []benchPart{{"casework", 0.92, benchCasework}}
)

// bench is a run of the whole.
type bench struct {
	cmd   benchCmd
	began time.Time
	mesh  *benchMesh
	share float64 // of the time, by which the part that runs begins no more rounds
	rows  []benchRow
	spent []benchSpent
	notes []string
}

// Run measures and prints the table. What is measured is no error, whatever it is.
func (c benchCmd) Run(ctx context.Context) error {
	if c.Rounds < 1 || c.Span <= 0 || c.Reports < c.Rounds || c.Complaints < 1 {
		return errors.New("bench: there must be something to measure")
	}
	b := &bench{cmd: c, began: time.Now()}
	for _, half := range []struct {
		parts []benchPart
		rate  float64
	}{{benchPaused, 0}, {benchFlowing, benchStartRate}} {
		parts := slices.DeleteFunc(slices.Clone(half.parts), func(p benchPart) bool { return c.Only != "" && c.Only != p.name })
		if len(parts) == 0 {
			continue
		}
		if err := b.half(ctx, parts, half.rate); err != nil {
			return err
		}
	}
	b.report(os.Stdout)
	return nil
}

// half runs some parts in a mesh of their own, which lives in a temporary data directory with all that the baselines
// keep. A part that fails leaves a note and does not cost the others their table.
func (b *bench) half(ctx context.Context, parts []benchPart, startRate float64) (err error) {
	b.say("bringing up a mesh of its own")
	if b.mesh, err = startBenchMesh(ctx, startRate); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.mesh.stop()) }()
	if startRate == 0 {
		b.atRest(ctx)
	}
	for _, p := range parts {
		b.say("%s", p.name)
		b.share = p.share
		if err := p.run(ctx, b); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			b.note("%s was cut short: %s", p.name, sentence(err))
		}
	}
	return nil
}

// atRest measures the memory of a mesh that has just come up and has nothing to do.
func (b *bench) atRest(ctx context.Context) {
	select {
	case <-time.After(5 * time.Second): // its own starting work is over
	case <-ctx.Done():
		return
	}
	b.memory("memory at rest", residentMB())
}

func (b *bench) memory(what string, mb float64) {
	b.rows = append(b.rows, benchRow{what: what, ours: fmt.Sprintf("%.0f MB", mb), aim: "< 300 MB", met: mb < 300})
}

// rounds has ours and the baseline take turns and tells each figure. Which comes first changes from round to round.
func (b *bench) rounds(part string, once func(round int, ours bool) (float64, error)) (ours, base []float64, err error) {
	for round := range b.cmd.Rounds {
		if round > 0 && b.late() {
			b.note("%s: %d rounds only, the time was up", part, round)
			break
		}
		for _, mine := range []bool{round%2 == 0, round%2 != 0} {
			figure, err := once(round, mine)
			if err != nil {
				return ours, base, err
			}
			if mine {
				ours = append(ours, figure)
			} else {
				base = append(base, figure)
			}
		}
		b.say("%s, round %d: ours %.0f/s, baseline %.0f/s", part, round+1, ours[round], base[round])
	}
	return ours, base, nil
}

// late says whether the time of the part that runs is up.
func (b *bench) late() bool { return time.Since(b.began) > time.Duration(b.share*float64(b.cmd.Limit)) }

// compared adds the row of a comparison.
func (b *bench) compared(what string, ours, base []float64, aim float64) {
	var ratios []float64 // of each round by itself: what else the machine did then met both
	for i := range min(len(ours), len(base)) {
		ratios = append(ratios, ours[i]/max(base[i], 1))
	}
	ratio := median(ratios)
	b.rows = append(b.rows, benchRow{
		what: what, ours: perSecond(ours), base: perSecond(base),
		ratio: fmt.Sprintf("%.2f", ratio), aim: fmt.Sprintf("≥ %.2f", aim), met: ratio >= aim,
	})
}

// measured runs a round and counts the processor time that each process takes meanwhile.
func (b *bench) measured(part string, ours bool, round func() (benchResult, error)) (benchResult, error) {
	stop, err := b.profile(part, ours)
	if err != nil {
		return benchResult{}, err
	}
	before, began := processorTime(), time.Now()
	result, err := round()
	if err = errors.Join(err, stop()); err != nil {
		return result, err
	}
	if result.Failed > 0 {
		b.note("%s, %s: %d calls failed: %s", part, whose(ours), result.Failed, result.Error)
	}
	used := processorTime().minus(before)
	used[loadProcess] += result.CPU
	b.spend(part, ours, result, used, time.Since(began))
	return result, nil
}

func whose(ours bool) string {
	if ours {
		return "ours"
	}
	return "baseline"
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%5.0f s  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

func (b *bench) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	b.say("%s", text)
	if !slices.Contains(b.notes, text) {
		b.notes = append(b.notes, text)
	}
}

// benchDir makes a place for a data directory; PostgreSQL's own user passes through it.
func benchDir() (string, error) {
	dir, err := os.MkdirTemp("", "quietline-bench-")
	if err == nil {
		err = os.Chmod(dir, 0o711) //nolint:gosec // to pass through, not to look around
	}
	return filepath.Join(dir, "data"), err
}
