package embedded

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"quietline/internal/identity"
)

func TestStart_emptyThenAgainKeepsAll(t *testing.T) {
	data := dataDir(t)
	s := start(t, data)
	query(t, s.OwnerURL("ledger"), "CREATE TABLE thing (name text)")
	query(t, s.OwnerURL("ledger"), "INSERT INTO thing VALUES ('kept')")
	id := startWaiting(t, s)
	stop(t, s)
	if left := runningOn(t, data); len(left) > 0 {
		t.Fatalf("still running after Stop: %q", left)
	}
	strangersPid(t, data)

	s = start(t, data)
	if got := query(t, s.OwnerURL("ledger"), "SELECT name FROM thing"); got != "kept" {
		t.Errorf("the row is %q after a restart", got)
	}
	finishWaiting(t, s, id)
	stop(t, s)
	if left := runningOn(t, data); len(left) > 0 {
		t.Errorf("still running after Stop: %q", left)
	}
	assertPrivate(t, data)
}

// strangersPid leaves a postmaster.pid as a crash does, with a number that belongs
// to a stranger by now: ours.
func strangersPid(t *testing.T, data string) {
	t.Helper()
	pid := filepath.Join(data, "postgres", "postmaster.pid")
	content := strconv.Itoa(os.Getpid()) + "\n" + filepath.Join(data, "postgres") + "\n1\n5432\n\n\n"
	if err := os.WriteFile(pid, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// assertPrivate: no password, key or log can be read by others.
func assertPrivate(t *testing.T, data string) {
	t.Helper()
	for _, pattern := range []string{"secrets/*", "log/*", "ca/*key*", "temporal/config.yaml", "temporal/identity/key.pem"} {
		found, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil || len(found) == 0 {
			t.Errorf("no file %s (%v)", pattern, err)
		}
		for _, path := range found {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v (%v), want 0600", path, info.Mode(), err)
			}
		}
	}
}

// One stack serves all that can be asked of a running one: starting is what takes time.
func TestStack(t *testing.T) {
	data := dataDir(t)
	s := start(t, data)
	t.Run("each role reaches its own database only", func(t *testing.T) { ownDatabaseOnly(t, s) })
	t.Run("Temporal takes the mesh only", func(t *testing.T) { meshOnly(t, s) })
	t.Run("a second one on the same directory is refused", func(t *testing.T) {
		_, err := Start(t.Context(), Config{Data: data, TemporalBin: programs(t)})
		wantMessage(t, err, data, "in use by another quietline", "--data")
		query(t, s.DatabaseURL("ledger"), "SELECT 1::text") // the first one was left alone
	})
	t.Run("servers that die come back", func(t *testing.T) { comeBack(t, s) })
	t.Run("stops all even if hurried", func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_ = s.Stop(ended) // may say that it had to kill
		if left := runningOn(t, data); len(left) > 0 {
			t.Errorf("still running: %q", left)
		}
	})
}

func ownDatabaseOnly(t *testing.T, s *Stack) {
	t.Helper()
	for _, service := range Services {
		query(t, s.DatabaseURL(service), "SELECT 1::text")
		for _, other := range append([]string{"postgres", "template1", "temporal", "temporal_visibility"}, Services...) {
			if other == service {
				continue
			}
			for _, role := range []string{service, service + "_owner", "temporal"} {
				if role == "temporal" && strings.HasPrefix(other, "temporal") {
					continue
				}
				conn, err := pgx.Connect(t.Context(), s.url(role, other))
				if err == nil {
					conn.Close(t.Context())
					t.Errorf("role %s connects to database %s", role, other)
				}
			}
		}
	}
	conn := connect(t, s.DatabaseURL("ledger"))
	if _, err := conn.Exec(t.Context(), "CREATE TABLE mine (x int)"); err == nil {
		t.Error("a service's role may change the schema")
	}
}

// Only certificates of the mesh's authority open Temporal: not none, not one of
// another authority, on none of its ports.
func meshOnly(t *testing.T, s *Stack) {
	t.Helper()
	stranger, err := identity.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	forged, err := stranger.Source(identity.Workflows)
	if err != nil {
		t.Fatal(err)
	}
	configs := map[string]*tls.Config{
		"no certificate":      {InsecureSkipVerify: true}, // the client's own check is not what is tested
		"another authority's": tlsconfig.MTLSClientConfig(forged, forged, tlsconfig.AuthorizeAny()),
	}
	for name, config := range configs {
		config.InsecureSkipVerify, config.VerifyPeerCertificate = true, nil
		for _, port := range s.temporal.ports {
			if err := handshake(t, port, config); err == nil {
				t.Errorf("port %d takes a client with %s certificate", port, name)
			}
		}
	}
	ours, err := s.CA.Source(identity.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	if err := handshake(t, s.temporal.ports[0], temporalTLS(ours)); err != nil {
		t.Errorf("the frontend refuses the mesh's own certificate: %v", err)
	}
}

// handshake connects and reads: in TLS 1.3 the server's refusal comes after the
// client's handshake is done.
func handshake(t *testing.T, port int, config *tls.Config) error {
	t.Helper()
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	conn, err := net.Dial("tcp", (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String())
	if err != nil {
		t.Fatalf("port %d: %v", port, err)
	}
	defer conn.Close()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(t.Context()); err != nil {
		return err
	}
	if err := secure.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err = secure.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // it waits for us to speak: we are in
	}
	return err
}

// A server that dies is started again and the mesh goes on.
func comeBack(t *testing.T, s *Stack) {
	t.Helper()
	for _, p := range []*process{s.temporal.proc, s.postgres.proc} {
		before := p.cmd.Process.Pid
		ended := p.ended()
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-ended
	}
	await(t, "PostgreSQL comes back", func() bool { return ping(t.Context(), s.DatabaseURL("ledger")) == nil })
	await(t, "Temporal comes back", func() bool { return s.awaitTemporal(t.Context()) == nil })
	select {
	case err := <-s.Failed():
		t.Errorf("given up: %v", err)
	default:
	}
}

func wantMessage(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the message does not say %q: %v", part, err)
		}
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// query runs one statement and returns its first text, if it has rows.
func query(t *testing.T, url, statement string) string {
	t.Helper()
	conn := connect(t, url)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(got, " ")
}

// waiting is a workflow that waits for an answer.
func waiting(ctx workflow.Context) (string, error) {
	var answer string
	err := workflow.SetUpdateHandler(ctx, "answer", func(_ workflow.Context, word string) error { answer = word; return nil })
	if err != nil {
		return "", err
	}
	err = workflow.Await(ctx, func() bool { return answer != "" && workflow.AllHandlersFinished(ctx) })
	return answer, err
}

func dial(t *testing.T, s *Stack) client.Client {
	t.Helper()
	options, err := s.Temporal(identity.Workflows)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func startWaiting(t *testing.T, s *Stack) string {
	t.Helper()
	c := dial(t, s)
	defer c.Close()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: "test", ID: "waiting"}, waiting)
	if err != nil {
		t.Fatal(err)
	}
	return run.GetID()
}

// finishWaiting answers the workflow that was started before the restart.
func finishWaiting(t *testing.T, s *Stack, id string) {
	t.Helper()
	c := dial(t, s)
	defer c.Close()
	w := worker.New(c, "test", worker.Options{})
	w.RegisterWorkflow(waiting)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	_, err := c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: "answer", Args: []any{"yes"}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := c.GetWorkflow(t.Context(), id, "").Get(t.Context(), &got); err != nil || got != "yes" {
		t.Errorf("the workflow ended with %q, %v", got, err)
	}
}
