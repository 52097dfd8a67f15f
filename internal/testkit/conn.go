package testkit

import (
	"context"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"quietline/internal/identity"
	"quietline/internal/rpc"
	commonv1 "quietline/proto/quietline/common/v1"
)

var authority = sync.OnceValues(identity.NewCA)

// CA is the authority that all identities of this test process come from.
func CA(t testing.TB) *identity.CA {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return ca
}

// Source is a workload's identity from CA.
func Source(t testing.TB, w identity.Workload) identity.Source {
	t.Helper()
	src, err := CA(t).Source(w)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return src
}

// Conn serves what register registers as the workload w, with the real chain and over real mTLS but without a network,
// and connects to it as caller. Calls act as actor unless their context has another; nil sends none.
func Conn(t testing.TB, w identity.Workload, register func(*grpc.Server), caller identity.Workload, actor *commonv1.Actor) *grpc.ClientConn {
	t.Helper()
	return Serve(t, w, register)(caller, actor)
}

// Serve is Conn for several callers of one server: it gives back what connects to it.
func Serve(t testing.TB, w identity.Workload, register func(*grpc.Server)) func(identity.Workload, *commonv1.Actor) *grpc.ClientConn {
	t.Helper()
	s := rpc.NewServer(Source(t, w))
	register(s)
	lis := bufconn.Listen(1 << 20)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- rpc.Serve(ctx, lis, s) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("testkit: server of %s: %v", w, err)
		}
	})
	return func(caller identity.Workload, actor *commonv1.Actor) *grpc.ClientConn {
		t.Helper()
		conn, err := rpc.Dial("passthrough:///"+string(w), w, Source(t, caller),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }),
			grpc.WithChainUnaryInterceptor(actAs(actor)))
		if err != nil {
			t.Fatalf("testkit: %v", err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
}

func actAs(actor *commonv1.Actor) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if actor != nil && !identity.HasActor(ctx) {
			ctx = identity.WithActor(ctx, actor)
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}
}
