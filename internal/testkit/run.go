package testkit

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"

	"quietline/internal/identity"
	"quietline/internal/rpc"
)

// Running starts a service as an installation does, by its own Run, and connects to it as caller. The service stops with
// the test, which fails when it does not stop in order.
func Running(t testing.TB, w, caller identity.Workload, run func(context.Context, identity.Source, net.Listener) error) *grpc.ClientConn {
	t.Helper()
	lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, Source(t, w), lis) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("%s stopping: %v", w, err)
		}
	})
	conn, err := rpc.Dial(lis.Addr().String(), w, Source(t, caller))
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
