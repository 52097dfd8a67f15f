package embedded

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// kill -9 of `up` alone: the kernel ends the servers, nobody has to come and clean
// up; the next start works.
func TestKill_alone(t *testing.T) {
	data := dataDir(t)
	u := startHelper(t, data)
	u.expect(t, "ready")
	servers := []running{find(recorded(t, data, "postgres")), find(recorded(t, data, "temporal"))}
	if err := u.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = u.cmd.Wait()
	for _, r := range servers {
		awaitEnd(t, r)
	}
	u = startHelper(t, data)
	u.expect(t, "ready")
	stopHelper(t, u, data)
}

// kill -9 of its whole process group, and a new start at once, while the old
// servers are still ending: nothing is left over and nothing doubled.
func TestKill_groupAndStartAtOnce(t *testing.T) {
	data := dataDir(t)
	u := startHelper(t, data)
	u.expect(t, "ready")
	if err := syscall.Kill(-u.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = u.cmd.Wait()
	u = startHelper(t, data)
	u.expect(t, "ready")
	for _, server := range []string{"postgres", "temporal"} {
		if got := runningOn(t, filepath.Join(data, server)); len(got) != 1 {
			t.Errorf("%s runs %d times: %q", server, len(got), got)
		}
	}
	stopHelper(t, u, data)
}

func TestKill_whileItStarts(t *testing.T) {
	data := dataDir(t)
	u := startHelper(t, data)
	awaitFile(t, filepath.Join(data, "postgres", "postmaster.pid"))
	if err := u.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = u.cmd.Wait()
	u = startHelper(t, data)
	u.expect(t, "ready")
	stopHelper(t, u, data)
}

// What outlived its parent is stopped, even if it will not listen.
func TestStopLeftover_stopsSurvivors(t *testing.T) {
	for name, script := range map[string]string{
		"gentle":   "echo up; read forever",
		"stubborn": "trap '' TERM; echo up; while :; do read forever; done",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			child := exec.Command("/bin/sh", "-c", script, "sh", dir)
			in, err := child.StdinPipe() // kept open: the child reads until it is stopped
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := out.Read(make([]byte, 3)); err != nil { // its trap is set
				t.Fatal(err)
			}
			record := filepath.Join(dir, "record")
			if err := writeRecord(record, child.Process.Pid); err != nil {
				t.Fatal(err)
			}
			if err := stopLeftover(record, dir, []step{{syscall.SIGTERM, 100 * time.Millisecond}}); err != nil {
				t.Fatal(err)
			}
			if find(child.Process.Pid).alive() {
				t.Error("the survivor still runs")
			}
			_ = child.Wait()
		})
	}
}

// A record may name a number that now belongs to a stranger, who must live.
func TestStopLeftover_sparesStrangers(t *testing.T) {
	self := find(os.Getpid())
	for name, r := range map[string]running{
		"other start time": {Pid: self.Pid, Start: "1", Boot: self.Boot},
		"other boot":       {Pid: self.Pid, Start: self.Start, Boot: "another"},
		"other command":    self,
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			record := filepath.Join(t.TempDir(), "record")
			if err := os.WriteFile(record, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := stopLeftover(record, "/not/on/our/command/line", []step{{syscall.SIGTERM, 0}}); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(record); err == nil {
				t.Error("the stale record is still there")
			}
		})
	}
}

func stopHelper(t *testing.T, u *up, data string) {
	t.Helper()
	if err := u.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	u.expect(t, "stopped")
	if err := u.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if left := runningOn(t, data); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
}

func recorded(t *testing.T, data, name string) int {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, "run", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r running
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return r.Pid
}
