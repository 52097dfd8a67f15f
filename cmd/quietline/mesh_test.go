package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"quietline/deploy/embedded"
	"quietline/gateway"
	"quietline/internal/obs"
)

// testMesh is a whole mesh of this process: real mTLS, real PostgreSQL, real Temporal, in rehearsal.
type testMesh struct {
	*mesh
	remote
	data string
}

var shared struct {
	sync.Mutex
	mesh *testMesh
	stop func() error
}

func TestMain(m *testing.M) {
	if os.Getenv(runMain) != "" {
		main()
		return
	}
	code := m.Run()
	if shared.stop != nil {
		if err := shared.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the mesh:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// theMesh is one mesh for the tests of this package, started by the first that asks.
func theMesh(t *testing.T) *testMesh {
	t.Helper()
	if testing.Short() {
		t.Skip("starts PostgreSQL and Temporal")
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.mesh == nil {
		data, err := os.MkdirTemp("", "quietline-mesh-") //nolint:usetesting // it outlives the test that asks first
		if err == nil {
			err = os.Chmod(data, 0o711) //nolint:gosec // PostgreSQL's user passes through
		}
		if err != nil {
			t.Fatal(err)
		}
		shared.mesh, shared.stop, err = startTestMesh(data, "rehearsal")
		if err != nil {
			t.Fatal(err)
		}
	}
	return shared.mesh
}

func startTestMesh(data, profile string) (*testMesh, func() error, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		return nil, nil, err
	}
	shutdown, err := obs.Setup(context.WithoutCancel(ctx), "quietline")
	if err != nil {
		return nil, nil, err
	}
	stack, err := embedded.Start(ctx, embedded.Config{Data: data, TemporalBin: bin})
	if err != nil {
		return nil, nil, err
	}
	log, err := logTo(stack.Dirs.Path("log", "quietline.log"))
	if err != nil {
		return nil, nil, err
	}
	edge, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	m, err := startMesh(context.Background(), stack, meshConfig{
		Profile: profile, StartRate: 200, Gateway: gateway.Config{Listen: edge.Addr().String(), Demo: data, PublicRate: 1000, PublicBurst: 1000, SecretRate: 1000, SecretBurst: 1000},
	}, edge)
	if err != nil {
		return nil, nil, err
	}
	stop := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return errors.Join(m.stop(), stack.Stop(ctx), shutdown(ctx), log.Close(), os.RemoveAll(data))
	}
	if err := m.awaitHealthy(ctx); err != nil || ctx.Err() != nil {
		select {
		case broken := <-m.failed:
			err = errors.Join(err, broken)
		default:
		}
		return nil, nil, errors.Join(errors.New("the mesh did not come up"), err, stop())
	}
	return &testMesh{mesh: m, remote: remote{Gateway: m.URL, Data: data}, data: data}, stop, nil
}

// ownMesh is a mesh for one test alone, in a profile of its own.
func ownMesh(t *testing.T, profile string) *testMesh {
	t.Helper()
	if testing.Short() {
		t.Skip("starts PostgreSQL and Temporal")
	}
	data, err := os.MkdirTemp("", "quietline-own-") //nolint:usetesting // t.TempDir is closed to PostgreSQL's user
	if err == nil {
		err = os.Chmod(data, 0o711) //nolint:gosec // PostgreSQL's user passes through
	}
	if err != nil {
		t.Fatal(err)
	}
	m, stop, err := startTestMesh(data, profile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// as is a connection to the gateway with a demo account, or none for the public.
func (m *testMesh) as(t *testing.T, account string) *grpc.ClientConn {
	t.Helper()
	conn, err := m.dial(account)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// post calls an RPC as plain JSON, as curl would.
func (m *testMesh) post(t *testing.T, method, token, body string) (status int, answer map[string]any, raw string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL+"/"+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer = map[string]any{}
	_ = json.Unmarshal(read, &answer) // an answer that is no object fails the checks on it
	return res.StatusCode, answer, string(read)
}

// await polls a fact until it is true.
func await(t *testing.T, what string, limit time.Duration, fact func() (bool, error)) {
	t.Helper()
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := fact()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, limit, err)
		}
		<-tick.C
	}
}

// patience is how long a test waits for the mesh to act by itself: the sweep's turn and some load.
func (m *testMesh) patience() time.Duration { return 30 * time.Second }

func yesterday() time.Time { return time.Now().Add(-24 * time.Hour) }
