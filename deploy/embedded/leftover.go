package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// running names one process for good: numbers are used again, start times are
// not, within one boot.
type running struct {
	Pid   int    `json:"pid"`
	Start string `json:"start"` // clock ticks since boot
	Boot  string `json:"boot"`
}

// writeRecord notes a child that was just started.
func writeRecord(path string, pid int) error {
	start, _, ok := procStat(pid)
	if !ok {
		return nil // already gone: nothing that could be left over
	}
	raw, err := json.Marshal(running{Pid: pid, Start: start, Boot: bootID()})
	if err != nil {
		return fmt.Errorf("record of process %d: %w", pid, err)
	}
	return writeFile(path, append(raw, '\n'), 0o600)
}

// stopLeftover finds the child of an earlier run that outlived it, and stops it.
// A process is ours only if number, start time and boot are the recorded ones and
// its command line names our data directory.
func stopLeftover(record, mark string, steps []step) error {
	raw, err := os.ReadFile(record)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("record of an earlier run: %w", err)
	}
	var r running
	if json.Unmarshal(raw, &r) != nil || r.Boot != bootID() || !r.alive() || !commandNames(r.Pid, mark) {
		return removeRecord(record) // torn, of an earlier boot, gone, or a stranger with the same number
	}
	if err := r.stop(steps); err != nil {
		return err
	}
	return removeRecord(record)
}

// alive reports whether exactly this process still runs. A zombie does not: in a
// container nobody may ever collect it.
func (r running) alive() bool {
	start, state, ok := procStat(r.Pid)
	return ok && state != "Z" && state != "X" && start == r.Start
}

// stop asks step by step and kills at the end.
func (r running) stop(steps []step) error {
	for _, s := range append(slices.Clone(steps), step{syscall.SIGKILL, 10 * time.Second}) {
		err := syscall.Kill(r.Pid, s.signal)
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("process %d is left over from an earlier run and cannot be stopped: %w", r.Pid, err)
		}
		for end := time.Now().Add(s.grace); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if !r.alive() {
				return nil
			}
		}
	}
	return fmt.Errorf("process %d is left over from an earlier run and does not end", r.Pid)
}

// find names the process that has this number now.
func find(pid int) running {
	start, _, _ := procStat(pid)
	return running{Pid: pid, Start: start, Boot: bootID()}
}

// endOrphans waits until no process works in a cluster any more: sessions end by
// themselves when they notice that their server is gone. A stuck one is killed.
func endOrphans(cluster string) error {
	end := time.Now().Add(5 * time.Second)
	for {
		orphans := workingIn(cluster)
		if len(orphans) == 0 {
			return nil
		}
		if time.Now().After(end) {
			for _, r := range orphans {
				if err := r.stop(nil); err != nil {
					return err
				}
			}
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// workingIn finds the live processes whose working directory is dir: PostgreSQL
// and its sessions work in their cluster.
func workingIn(dir string) []running {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is well formed
	var found []running
	for _, link := range links {
		if at, err := os.Readlink(link); err != nil || at != dir {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if r := find(pid); err == nil && r.alive() {
			found = append(found, r)
		}
	}
	return found
}

// commandNames reports whether one argument of the process is exactly mark.
func commandNames(pid int, mark string) bool {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return err == nil && slices.Contains(strings.Split(string(raw), "\x00"), mark)
}

// procStat reads start time and state of a process. The command's name, in
// brackets, may hold blanks and brackets itself: count from the last bracket.
func procStat(pid int) (start, state string, ok bool) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", "", false
	}
	_, rest, found := strings.Cut(string(raw[max(0, strings.LastIndex(string(raw), ")")):]), ") ")
	fields := strings.Fields(rest)
	if !found || len(fields) < 20 {
		return "", "", false
	}
	return fields[19], fields[0], true
}

// bootID is another one after each boot.
func bootID() string {
	raw, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(raw))
}
