// Package testkit gives tests the real thing: a private PostgreSQL, databases cloned from a migrated template, and
// connections through the real chain over real mTLS.
//
// One PostgreSQL serves all test processes of a user that run at the same time. Who uses it holds a shared lock on a
// file, which the kernel lets go when the process ends, however it ends; a watcher stops the server and removes its
// data when nobody holds the lock any more.
package testkit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const superuser = "postgres"

// server is the running PostgreSQL as this process uses it.
type server struct {
	dir string // holds data/, the socket, locks and the log
	bin string
	use *os.File // shared lock; never closed, the kernel does at exit
}

var shared = sync.OnceValues(start)

// PostgresURL is a superuser's URL of the test server, for tests that make databases and roles themselves.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return instance(t).url(superuser, "postgres")
}

func instance(t testing.TB) *server {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return s
}

func (s *server) url(role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database,
		RawQuery: url.Values{"host": {s.dir}, "sslmode": {"disable"}}.Encode()}
	return u.String()
}

func start() (*server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	// The path is short because a socket's may have 107 bytes.
	s := &server{bin: bin, dir: filepath.Join(os.TempDir(), "quietline-test-"+strconv.Itoa(os.Getuid()))}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	gate, err := lockFile(filepath.Join(s.dir, "gate.lock"), syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer gate.Close()
	if s.use, err = lockFile(filepath.Join(s.dir, "use.lock"), syscall.LOCK_SH); err != nil {
		return nil, err
	}
	if s.answers() == nil {
		return s, nil
	}
	if err := s.launch(); err != nil {
		return nil, err
	}
	return s, nil
}

func lockFile(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

func (s *server) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) //nolint:forbidigo // the server is shared by tests, whichever asks
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url(superuser, "postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// launch makes a new cluster and starts it, without any care for durability.
func (s *server) launch() error {
	cred, owner, err := unprivileged()
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	_ = s.run(cred, "pg_ctl", "-D", data, "-m", "immediate", "stop") // left over by a crash of the machine
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	if cred != nil {
		if err := os.Chown(s.dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return err
		}
	}
	if err := s.run(cred, "initdb", "-D", data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"); err != nil {
		return fmt.Errorf("initdb as %s in %s: %w", owner, s.dir, err)
	}
	settings := fmt.Sprintf("-c listen_addresses= -c unix_socket_directories=%s -c max_connections=300 "+
		"-c shared_buffers=64MB -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal "+
		"-c max_wal_senders=0 -c autovacuum_naptime=10min", s.dir)
	if err := s.run(cred, "pg_ctl", "-D", data, "-w", "-t", "60", "-l", filepath.Join(s.dir, "log"), "-o", settings, "start"); err != nil {
		return fmt.Errorf("start PostgreSQL in %s: %w", s.dir, err)
	}
	return s.watch(cred)
}

// watch leaves a process behind that stops the server once nobody uses it. It waits a little between looks, so that a
// run of several packages keeps one server.
func (s *server) watch(cred *syscall.Credential) error {
	// Stopping and removing both happen under the lock: who comes in between waits for it.
	const script = `while sleep 10; do
		flock -n -x use.lock sh -c '"$0" -D data -m immediate stop; rm -rf data log' "$0" && exit
	done`
	cmd := exec.Command("/bin/sh", "-c", script, filepath.Join(s.bin, "pg_ctl"))
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: cred}
	if cred != nil { // it needs to open the lock file
		if err := os.Chown(filepath.Join(s.dir, "use.lock"), int(cred.Uid), int(cred.Gid)); err != nil {
			return err
		}
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("watch PostgreSQL: %w", err)
	}
	return cmd.Process.Release()
}

func (s *server) run(cred *syscall.Credential, name string, args ...string) error {
	out, err := os.CreateTemp("", "quietline-test-*.out") // a file: the server would keep a pipe open
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: cred}
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

// unprivileged is who runs PostgreSQL, which refuses to run as root.
func unprivileged() (*syscall.Credential, string, error) {
	if os.Getuid() != 0 {
		return nil, "this user", nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, "", err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, name, nil
	}
	return nil, "", errors.New("running as root, and there is no user postgres or nobody to run PostgreSQL")
}

// binaries finds the newest PostgreSQL of the machine.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := fs.Glob(os.DirFS("/"), "usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("no PostgreSQL: install it (Debian: apt-get install postgresql) or put initdb on the PATH")
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return "/" + filepath.Dir(found[len(found)-1]), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}
