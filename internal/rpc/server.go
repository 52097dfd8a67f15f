package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/stats"

	"quietline/internal/access"
	"quietline/internal/identity"
)

const (
	// MaxMessage bounds a request and a response.
	MaxMessage = 8 << 20

	// connectionAge makes clients connect again, so that renewed and revoked certificates take effect.
	connectionAge      = 10 * time.Minute
	connectionAgeGrace = 90 * time.Second // longer than the longest long poll

	// stopGrace is how long calls in progress may take when the server stops.
	stopGrace = 10 * time.Second
)

// chains finds the chain that NewServer gave a server, for Serve.
var chains sync.Map // *grpc.Server -> *chain

// NewServer makes a server with the whole chain, health and reflection. Register services on it and give it to Serve.
func NewServer(src identity.Source, opts ...grpc.ServerOption) *grpc.Server {
	c := &chain{health: health.NewServer(), stopping: make(chan struct{})}
	base := []grpc.ServerOption{
		grpc.Creds(serverCredentials(src)),
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithFilter(notHealth))),
		grpc.ChainUnaryInterceptor(c.unary),
		grpc.ChainStreamInterceptor(c.stream),
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.MaxSendMsgSize(MaxMessage),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge:      connectionAge,
			MaxConnectionAgeGrace: connectionAgeGrace,
			Time:                  time.Minute,
			Timeout:               20 * time.Second,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	}
	s := grpc.NewServer(append(base, opts...)...)
	healthv1.RegisterHealthServer(s, c.health)
	reflection.RegisterV1(s)
	c.server = s
	chains.Store(s, c)
	return s
}

func notHealth(info *stats.RPCTagInfo) bool {
	return info.FullMethodName != healthv1.Health_Check_FullMethodName
}

// Serve checks that every RPC has its access rule and compiled validation, serves until ctx ends, and then lets the
// calls in progress finish. It owns lis.
func Serve(ctx context.Context, lis net.Listener, s *grpc.Server) error {
	v, ok := chains.LoadAndDelete(s)
	if !ok {
		_ = lis.Close()
		return errors.New("rpc: the server was not made by NewServer, or has served already")
	}
	c, _ := v.(*chain)
	if err := c.prepare(); err != nil {
		_ = lis.Close()
		return err
	}
	for name := range s.GetServiceInfo() {
		if !access.Exempt(name) {
			c.health.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
		}
	}
	stopped := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		defer close(stopped)
		c.stop(ctx, s)
	})()
	// A server that was told to stop before it began has stopped as it should.
	if err := s.Serve(lis); err != nil && (ctx.Err() == nil || !errors.Is(err, grpc.ErrServerStopped)) {
		return fmt.Errorf("serve: %w", err)
	}
	if ctx.Err() != nil {
		<-stopped
	}
	return nil
}

// ListenAndServe is Serve on lis or, without one, on addr.
func ListenAndServe(ctx context.Context, lis net.Listener, addr string, s *grpc.Server) error {
	if lis == nil {
		var err error
		if lis, err = (&net.ListenConfig{}).Listen(ctx, "tcp", addr); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	return Serve(ctx, lis, s)
}

// stop says that the server is going, ends the long polls, and waits for the rest of the calls, but not for ever.
func (c *chain) stop(ctx context.Context, s *grpc.Server) {
	c.health.Shutdown()
	close(c.stopping)
	hard := time.AfterFunc(stopGrace, func() {
		slog.WarnContext(ctx, "calls were still running and are cut off", slog.Duration("after", stopGrace))
		s.Stop()
	})
	s.GracefulStop()
	hard.Stop()
}
