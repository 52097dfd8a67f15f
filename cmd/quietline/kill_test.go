package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// runMain makes this test binary be the product: `up` in a process of its own, which can be killed.
const runMain = "QUIETLINE_TEST_RUN_MAIN"

// process is a running `quietline up`.
type process struct {
	*testMesh
	cmd *exec.Cmd
}

func startUp(t *testing.T, data, listen string) *process {
	t.Helper()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "up", "--data", data, "--listen", listen, "--rehearsal", "--temporal-bin", bin) //nolint:gosec // ourselves
	cmd.Env = append(os.Environ(), runMain+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() })
	m := &testMesh{mesh: &mesh{URL: "http://" + listen}, remote: remote{Gateway: "http://" + listen, Data: data}, data: data}
	await(t, "the mesh is up", 90*time.Second, func() (bool, error) {
		ok, not, err := healthz(t.Context(), m.URL)
		return ok, fmt.Errorf("%s %w", not, err)
	})
	return &process{testMesh: m, cmd: cmd}
}

// TestUp_survivesKills kills the mesh in the middle of an import and of the work, in three manners, and finds nothing
// lost and nothing doubled.
func TestUp_survivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL and Temporal")
	}
	data, listen := meshDir(t), freeAddress(t)
	p := startUp(t, data, listen)
	p = p.importOverAKill(t)                                                               // `up` alone dies, with the second of four batches under way
	p.workUntil(t, 40, func(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }) // its whole process group

	p = startUp(t, data, listen)
	p.workUntil(t, 60, killTree) // PostgreSQL and Temporal too: the machine is gone

	p = startUp(t, data, listen)
	if again := p.sendRows(t, func() {}); again.Duplicate != killRows || again.Accepted != 0 {
		t.Fatalf("the same file again: %+v", again)
	}
	p.driveToEnd(t)
	status, err := readStatus(t.Context(), p.as(t, "LEAD@miit"))
	if err != nil {
		t.Fatal(err)
	}
	if status.Reports != killRows || status.Complaints.live() != 0 || status.TasksOpen != 0 {
		t.Fatalf("the end differs: %+v", status)
	}
	p.checkFsck(t)
	p.interrupt(t)
}

// killRows is the size of the import: four batches, about few numbers, so that there is more to file than to decide.
const killRows = 4 * batchRows

func killFile() []byte {
	var file bytes.Buffer
	file.WriteString(header12321 + "\n")
	for i := range killRows {
		fmt.Fprintf(&file, "KILL-%05d,12321网站,1990002%04d,170000007%02d,2026-11-02 10:%02d:%02d,10,贷款理财,,推销贷款额度三十万当天放款,广东,,2026-11-02 12:00:00,否\n",
			i, i%10000, i%40, i/60%60, i%60)
	}
	return file.Bytes()
}

// sendRows imports the file; after the first batch was answered it calls between.
func (p *process) sendRows(t *testing.T, between func()) tally {
	t.Helper()
	as, err := formatNamed("12321", "")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	counts, err := send(t.Context(), reportingv1.NewReportingServiceClient(p.as(t, "CENTRE@centre-12321")), as, bytes.NewReader(killFile()),
		func(*reportingv1.RowResult) error {
			if rows++; rows == batchRows {
				between()
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// importOverAKill kills `up` with the import under way; the import waits for the mesh to be back and goes on by itself.
func (p *process) importOverAKill(t *testing.T) *process {
	t.Helper()
	first, back := p, make(chan *process, 1)
	var restart sync.WaitGroup
	counts := p.sendRows(t, func() {
		restart.Go(func() {
			first.kill(t, func(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) })
			back <- startUp(t, first.data, strings.TrimPrefix(first.URL, "http://"))
		})
	})
	restart.Wait()
	if counts.Rows != killRows || counts.Accepted+counts.Duplicate != killRows {
		t.Fatalf("import over a kill: %+v", counts)
	}
	return <-back
}

// workUntil plays the people until so many decisions are made, and kills the mesh while more are under way.
func (p *process) workUntil(t *testing.T, decisions int, how func(pid int) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	d := newDriver(driveCmd{remote: p.remote, Seed: 2, Quiet: true})
	var (
		working sync.WaitGroup
		last    atomic.Pointer[error]
	)
	working.Go(func() {
		for ctx.Err() == nil {
			if _, err := d.round(ctx); err != nil {
				last.Store(&err) // when the mesh is killed it fails: that is the point
			}
		}
	})
	await(t, "decisions", 2*time.Minute, func() (bool, error) {
		err := last.Load()
		if err == nil {
			return d.decisions() >= decisions, nil
		}
		return d.decisions() >= decisions, *err
	})
	p.kill(t, how)
	cancel()
	working.Wait()
	d.close()
}

func (p *process) kill(t *testing.T, how func(pid int) error) {
	t.Helper()
	if err := how(p.cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // killed
}

// interrupt is Ctrl-C: everything stops in order and nothing is left running.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	children := tree(p.cmd.Process.Pid)
	if len(children) < 2 {
		t.Fatalf("expected PostgreSQL and Temporal among the children, found %v", children)
	}
	if err := syscall.Kill(p.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("Ctrl-C: %v", err)
	}
	for _, pid := range children {
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

func alive(pid int) bool {
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(state), ") Z ")
}

// killTree kills a process and all that descend from it, children last, as a power cut would.
func killTree(pid int) error {
	below := tree(pid)
	err := syscall.Kill(pid, syscall.SIGKILL)
	for _, child := range below {
		_ = syscall.Kill(child, syscall.SIGKILL) // may be gone with its parent
	}
	return err
}

// tree lists the processes below one.
func tree(pid int) []int {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err == nil {
		raw = nil
		for _, task := range tasks {
			part, _ := os.ReadFile(task) //nolint:gosec // proc
			raw = append(raw, part...)
		}
	}
	var below []int
	for field := range strings.FieldsSeq(string(raw)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			continue
		}
		below = append(append(below, child), tree(child)...)
	}
	return below
}

// meshDir is a data directory that PostgreSQL's user can reach.
func meshDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "quietline-up-") //nolint:usetesting // t.TempDir is closed to PostgreSQL's user
	if err == nil {
		err = os.Chmod(dir, 0o711) //nolint:gosec // PostgreSQL's user passes through
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// freeAddress is a loopback address that is free now and stays the same over restarts.
func freeAddress(t *testing.T) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lis.Close() }()
	return lis.Addr().String()
}
