package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The processes that a bench keeps apart, as they stand in its table.
const (
	meshProcess     = "mesh"
	loadProcess     = "load"
	meshBackends    = "PostgreSQL for the mesh"
	temporalServer  = "Temporal"
	temporalBackend = "PostgreSQL for Temporal"
	otherPostgres   = "PostgreSQL's own"
)

var processNames = []string{meshProcess, loadProcess, meshBackends, temporalServer, temporalBackend, otherPostgres}

// processorUse is processor time in seconds by process.
type processorUse map[string]float64

func (u processorUse) minus(before processorUse) processorUse {
	rest := processorUse{}
	for name, seconds := range u {
		rest[name] = max(seconds-before[name], 0)
	}
	return rest
}

func (u processorUse) add(more processorUse) {
	for name, seconds := range more {
		u[name] += seconds
	}
}

// tick is the unit of times in /proc/PID/stat, the same on every Linux.
const tick = 10 * time.Millisecond

// processorTime is what this process and its servers have used so far, from /proc. PostgreSQL has a process for each
// connection, whose title names role and database; what ended ones used counts as its own.
func processorTime() processorUse {
	used := processorUse{meshProcess: ownTime()}
	for _, server := range childrenOf(os.Getpid()) {
		switch server.name {
		case "temporal-server":
			used[temporalServer] += server.own
		case "postgres":
			used[otherPostgres] += server.own + server.ended
			for _, backend := range childrenOf(server.pid) {
				used[backendOf(backend.pid)] += backend.own
			}
		}
	}
	return used
}

func ownTime() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}

// backendOf tells from a PostgreSQL process' title whom it works for, as in "postgres: reporting reporting [local] idle".
func backendOf(pid int) string {
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	words := strings.Fields(string(bytes.Trim(title, "\x00")))
	switch {
	case err != nil || len(words) < 4 || !strings.Contains(string(title), "[local]"):
		return otherPostgres
	case words[1] == "temporal":
		return temporalBackend
	}
	return meshBackends
}

// proc is a line of /proc/PID/stat: its own time and that of its ended children, in seconds.
type proc struct {
	pid, parent int
	name        string
	own, ended  float64
}

func childrenOf(parent int) []proc {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var children []proc
	for _, path := range stats {
		raw, err := os.ReadFile(path) //nolint:gosec // of the kernel
		if err != nil {
			continue // ended meanwhile
		}
		if p, ok := readProc(string(raw)); ok && p.parent == parent {
			children = append(children, p)
		}
	}
	return children
}

// readProc reads "PID (name) state parent ...", see proc(5): utime to cstime are fields 14 to 17.
func readProc(line string) (proc, bool) {
	before, after, ok := strings.Cut(line, " (")
	end := strings.LastIndex(after, ") ")
	if !ok || end < 0 {
		return proc{}, false
	}
	fields := strings.Fields(after[end+2:])
	if len(fields) < 15 {
		return proc{}, false
	}
	number := func(text string) int {
		n, _ := strconv.Atoi(text) // the kernel writes numbers
		return n
	}
	seconds := func(a, b string) float64 { return float64(number(a)+number(b)) * tick.Seconds() }
	return proc{
		pid: number(before), parent: number(fields[1]), name: after[:end],
		own: seconds(fields[11], fields[12]), ended: seconds(fields[13], fields[14]),
	}, true
}

// residentMB is the memory of this process that is in use: without PostgreSQL, Temporal and the load.
func residentMB() float64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return float64(pages*os.Getpagesize()) / (1 << 20)
}

// peakOf is the most of something while a function runs.
func peakOf(figure func() float64, during func() error) (float64, error) {
	stop, peak := make(chan struct{}), make(chan float64)
	go func() {
		most := figure()
		beat := time.NewTicker(50 * time.Millisecond)
		defer beat.Stop()
		for {
			select {
			case <-beat.C:
				most = max(most, figure())
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	err := during()
	close(stop)
	return <-peak, err
}
