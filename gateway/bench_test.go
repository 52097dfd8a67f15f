package gateway

import (
	"testing"

	"google.golang.org/grpc"

	"quietline/internal/identity"
	"quietline/internal/rpc"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// BenchmarkForward holds a call through the gateway against the same call straight to the service over mTLS.
func BenchmarkForward(b *testing.B) {
	m := mesh(b, Config{TokenRate: 1e9, TokenBurst: 1e9})
	token := m.token(b, "CENTRE", "12321")
	src, err := m.ca.Source(identity.Gateway)
	if err != nil {
		b.Fatal(err)
	}
	direct, err := rpc.Dial(m.backends[string(identity.Reporting)], identity.Reporting, src)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = direct.Close() }()
	ctx := identity.WithActor(b.Context(), identity.Anonymous())
	for name, conn := range map[string]*grpc.ClientConn{"direct": direct, "gateway": m.dial(b, token)} {
		caller := reportingv1.NewReportingServiceClient(conn)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := caller.FileReport(ctx, report("hello")); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
