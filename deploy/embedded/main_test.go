package embedded

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// helperEnv makes this test program stand in for `quietline up`: it starts a
// stack in the named directory, says so, and runs until it is told to stop.
const helperEnv = "EMBEDDED_TEST_DATA"

func TestMain(m *testing.M) {
	if data := os.Getenv(helperEnv); data != "" {
		os.Exit(helper(data))
	}
	os.Exit(m.Run())
}

func helper(data string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := Start(ctx, Config{Data: data, TemporalBin: os.Getenv("EMBEDDED_TEST_BIN")})
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("ready")
	<-ctx.Done()
	if err := s.Stop(context.Background()); err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("stopped")
	return 0
}

// up is a helper process.
type up struct {
	cmd *exec.Cmd
	out *bufio.Scanner
}

func startHelper(t *testing.T, data string) *up {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+data, "EMBEDDED_TEST_BIN="+programs(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as a shell would: a group to kill
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &up{cmd: cmd, out: bufio.NewScanner(out)}
}

func (u *up) expect(t *testing.T, want string) {
	t.Helper()
	if !u.out.Scan() || u.out.Text() != want {
		t.Fatalf("helper says %q, want %q", u.out.Text(), want)
	}
}

// dataDir is an empty directory below folders that PostgreSQL's user can enter:
// t.TempDir is closed to everybody else.
func dataDir(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "quietline-test-") //nolint:usetesting // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(parent, "data")
}

// programs is where `make build` puts the Temporal programs.
func programs(t *testing.T) string {
	t.Helper()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"temporal-server", "temporal-sql-tool"} {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			t.Fatalf("%s is missing: run `make build` first (%v)", name, err)
		}
	}
	return bin
}

func start(t *testing.T, data string) *Stack {
	t.Helper()
	s, err := Start(t.Context(), Config{Data: data, TemporalBin: programs(t), Progress: func(done string, took time.Duration) {
		t.Logf("%-22s %5.2f s", done, took.Seconds())
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

func stop(t *testing.T, s *Stack) {
	t.Helper()
	begin := time.Now()
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%-22s %5.2f s", "stopped", time.Since(begin).Seconds())
}

// runningOn lists processes whose command line names the data directory.
func runningOn(t *testing.T, data string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range lines {
		raw, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(raw), data) {
			found = append(found, strings.ReplaceAll(string(raw), "\x00", " "))
		}
	}
	return found
}

// await looks until the condition holds, at most half a minute.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("in vain: %s", what)
		}
	}
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	await(t, path+" appears", func() bool { _, err := os.Stat(path); return err == nil })
}

func awaitEnd(t *testing.T, r running) {
	t.Helper()
	await(t, fmt.Sprintf("process %d ends", r.Pid), func() bool { return !r.alive() })
}
