package rpc_test

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"quietline/internal/identity"
	"quietline/internal/rpc"
	"quietline/internal/testkit"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// listen serves l on a loopback port as the workload w until the test ends or stop is called.
func listen(t *testing.T, w identity.Workload, l *ledger) (addr string, stop func() error) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return lis.Addr().String(), serveOn(t, lis, w, l)
}

func serveOn(t *testing.T, lis net.Listener, w identity.Workload, l *ledger) (stop func() error) {
	t.Helper()
	s := rpc.NewServer(testkit.Source(t, w))
	l.register(s)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- rpc.Serve(ctx, lis, s) }()
	t.Cleanup(cancel)
	return func() error { cancel(); return <-done }
}

func dial(t *testing.T, addr string, w identity.Workload, src identity.Source, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := rpc.Dial(addr, w, src, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestMTLS(t *testing.T) {
	addr, _ := listen(t, identity.Ledger, &ledger{})
	workflows := testkit.Source(t, identity.Workflows)
	t.Run("lets a workload in", func(t *testing.T) {
		if err := lookup(t.Context(), dial(t, addr, identity.Ledger, workflows), "95588"); err != nil {
			t.Error(err)
		}
	})
	t.Run("refuses a server that is another workload", func(t *testing.T) {
		err := lookup(t.Context(), dial(t, addr, identity.Credit, workflows), "95588")
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "unexpected ID") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refuses a client of another authority", func(t *testing.T) {
		foreign, err := identity.NewCA()
		if err != nil {
			t.Fatal(err)
		}
		src, err := foreign.Source(identity.Workflows)
		if err != nil {
			t.Fatal(err)
		}
		if err := lookup(t.Context(), dial(t, addr, identity.Ledger, src), "95588"); status.Code(err) != codes.Unavailable {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refuses a workload that the mesh does not know", func(t *testing.T) {
		err := lookup(t.Context(), dial(t, addr, identity.Ledger, testkit.Source(t, "intruder")), "95588")
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("got %v", err)
		}
	})
	for name, creds := range map[string]credentials.TransportCredentials{
		"plain text":     insecure.NewCredentials(),
		"no certificate": credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}), //nolint:gosec // the client is the one refused here
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(creds))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := lookup(ctx, conn, "95588"); status.Code(err) != codes.Unavailable {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestServe_refusesToStartWithoutRules(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := rpc.NewServer(testkit.Source(t, identity.Ledger))
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "quietline.unruled.v1.UnruledService", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Do"}}}, struct{}{})
	if err := rpc.Serve(t.Context(), lis, s); err == nil || !strings.Contains(err.Error(), "UnruledService") {
		t.Errorf("got %v", err)
	}
}

func TestServe_finishesWhatItBegan(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	addr, stop := listen(t, identity.Ledger, &ledger{seen: func(context.Context) { close(begun); <-finish }})
	answer := make(chan error, 1)
	conn := dial(t, addr, identity.Ledger, testkit.Source(t, identity.Workflows))
	go func() { answer <- lookup(t.Context(), conn, "95588") }()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a call in progress: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(finish)
	if err := <-answer; err != nil {
		t.Errorf("the call was cut off: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestDial_waitsForAServerThatIsNotThereYet(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := lis.Addr().String()
	if err := lis.Close(); err != nil {
		t.Fatal(err)
	}
	conn := dial(t, addr, identity.Ledger, testkit.Source(t, identity.Workflows), rpc.WaitForReady())
	answer := make(chan error, 1)
	go func() {
		_, err := ledgerv1.NewLedgerServiceClient(conn).SuspendResource(t.Context(), validSuspend()) // no retries here
		answer <- err
	}()
	if lis, err = net.Listen("tcp", addr); err != nil {
		t.Fatal(err)
	}
	serveOn(t, lis, identity.Ledger, &ledger{})
	if err := <-answer; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestDial_repeatsReadsWhileTheServerIsAway(t *testing.T) {
	calls := 0
	l := &ledger{fail: status.Error(codes.Unavailable, "away")}
	l.seen = func(context.Context) {
		if calls++; calls == 3 {
			l.fail = nil
		}
	}
	addr, _ := listen(t, identity.Ledger, l)
	conn := dial(t, addr, identity.Ledger, testkit.Source(t, identity.Workflows))
	if err := lookup(t.Context(), conn, "95588"); err != nil || calls != 3 {
		t.Errorf("%d calls, %v", calls, err)
	}
	calls, l.fail = 10, status.Error(codes.Unavailable, "away")
	_, err := ledgerv1.NewLedgerServiceClient(conn).SuspendResource(t.Context(), validSuspend())
	if status.Code(err) != codes.Unavailable || calls != 11 {
		t.Errorf("a write was sent %d times, %v", calls-10, err)
	}
}
