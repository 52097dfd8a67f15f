package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
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

// TestUp_survivesKills kills the mesh at three places of a day's way in three manners, and finds nothing lost.
func TestUp_survivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL and Temporal")
	}
	data, listen := meshDir(t), freeAddress(t)
	p := startUp(t, data, listen)
	_, first := p.sendSample(t)
	p.kill(t, func(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }) // `up` alone, right after the last answer

	p = startUp(t, data, listen)
	if _, again := p.sendSample(t); again.Duplicate != first.Accepted+first.Duplicate || again.Accepted != 0 {
		t.Fatalf("after the kill: %+v, before it: %+v", again, first)
	}
	p.driveUntil(t, 40)
	p.kill(t, func(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }) // its whole process group

	p = startUp(t, data, listen)
	p.driveUntil(t, 150)
	p.kill(t, killTree) // PostgreSQL and Temporal too: the machine is gone

	p = startUp(t, data, listen)
	p.driveToEnd(t)
	status, err := readStatus(t.Context(), p.as(t, "LEAD@miit"))
	if err != nil {
		t.Fatal(err)
	}
	if status.Reports != int64(first.Accepted) || status.Complaints.live() != 0 || status.TasksOpen != 0 {
		t.Fatalf("the end differs: %+v", status)
	}
	p.checkFsck(t)
	p.interrupt(t)
}

// driveUntil plays the people until so many more decisions are made, and returns in the middle of it.
func (p *process) driveUntil(t *testing.T, decisions int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d := newDriver(driveCmd{remote: p.remote, Seed: 2, Quiet: true})
	defer d.close()
	await(t, "decisions", 2*time.Minute, func() (bool, error) {
		done, err := d.round(ctx)
		return done || d.decided >= decisions, err
	})
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
	for _, field := range strings.Fields(string(raw)) {
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
	dir, err := os.MkdirTemp("", "quietline-up-")
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
