package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"quietline/gateway/issuer"
	"quietline/internal/identity"
	"quietline/internal/obs"
	"quietline/internal/rpc"
)

// Deps is what the gateway is given by the process it runs in.
type Deps struct {
	// Backends are connections by workload. Those that are not given are dialled at Config.Backends.
	Backends map[string]*grpc.ClientConn
	// Checks must pass beside the backends' health for /healthz to be 200. An error's text is shown there.
	Checks []func(ctx context.Context) error
}

// Run serves the edge until ctx ends, then lets running calls finish. lis may be nil: then it listens on cfg.Listen.
func Run(ctx context.Context, cfg Config, src identity.Source, lis net.Listener, deps Deps) error {
	cfg = cfg.withDefaults()
	if lis == nil {
		var err error
		if lis, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen); err != nil {
			return fmt.Errorf("listen on %s: %w", cfg.Listen, err)
		}
	}
	defer func() { _ = lis.Close() }()
	if err := cfg.Check(lis.Addr()); err != nil {
		return err
	}
	deps, hangUp, err := dialBackends(cfg, src, deps)
	defer hangUp()
	if err != nil {
		return err
	}
	if engine := deps.Backends[string(identity.Workflows)]; engine != nil {
		deps.Checks = append(slices.Clone(deps.Checks), engineServes(engine))
	}
	handler, err := newHandler(ctx, cfg, lis.Addr(), deps)
	if err != nil {
		return err
	}
	stopMetrics, err := serveMetrics(ctx, cfg.Metrics)
	if err != nil {
		return err
	}
	defer stopMetrics()
	server := newHTTPServer(cfg, handler)
	if cfg.TLSCert != "" {
		certificate := &certificate{certFile: cfg.TLSCert, keyFile: cfg.TLSKey}
		if _, err := certificate.get(nil); err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get}
		return serve(ctx, cfg, server, func() error { return server.ServeTLS(lis, "", "") })
	}
	return serve(ctx, cfg, server, func() error { return server.Serve(lis) })
}

// newHandler decides on issuers, the demo accounts among them, and builds the handler.
func newHandler(ctx context.Context, cfg Config, addr net.Addr, deps Deps) (http.Handler, error) {
	issuers, err := cfg.issuers(addr)
	if err != nil {
		return nil, err
	}
	var demo *issuer.Provider
	switch {
	case cfg.demo(addr):
		if demo, err = issuer.Open(cfg.Demo, cfg.url(addr)); err != nil {
			return nil, fmt.Errorf("demo accounts: %w", err)
		}
	case cfg.Demo != "":
		slog.WarnContext(ctx, "demo accounts are off: the gateway can be reached from elsewhere, or uses TLS")
	}
	if len(issuers) == 0 {
		slog.WarnContext(ctx, "no issuer is configured: only the public can call")
	}
	return newGateway(ctx, cfg, issuers, demo, deps)
}

// dialBackends connects to what was not given. hangUp closes what was dialled here.
func dialBackends(cfg Config, src identity.Source, deps Deps) (_ Deps, hangUp func(), _ error) {
	conns := map[string]*grpc.ClientConn{}
	maps.Copy(conns, deps.Backends)
	var dialled []*grpc.ClientConn
	hangUp = func() {
		for _, conn := range dialled {
			_ = conn.Close()
		}
	}
	for name, addr := range cfg.Backends {
		if _, given := conns[name]; given {
			continue
		}
		conn, err := rpc.Dial(addr, identity.Workload(name), src)
		if err != nil {
			return deps, hangUp, fmt.Errorf("dial %s: %w", name, err)
		}
		conns[name] = conn
		dialled = append(dialled, conn)
	}
	deps.Backends = conns
	return deps, hangUp, nil
}

// newHTTPServer serves HTTP/1.1 and HTTP/2, in clear by prior knowledge. Read and write timeouts stand behind the
// per-call deadline and catch clients that send or read drop by drop.
func newHTTPServer(cfg Config, handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       cfg.CallTimeout + 5*time.Second,
		WriteTimeout:      cfg.CallTimeout + 10*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 250, SendPingTimeout: 30 * time.Second},
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
}

// serve runs the server until ctx ends; then running calls have cfg.Drain to finish.
func serve(ctx context.Context, cfg Config, server *http.Server, start func() error) error {
	// Calls must outlive the signal to stop, so they do not inherit ctx; they end when the drain does.
	base, endCalls := context.WithCancel(context.WithoutCancel(ctx))
	defer endCalls()
	server.BaseContext = func(net.Listener) context.Context { return base }
	failed := make(chan error, 1)
	go func() { failed <- start() }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(base, cfg.Drain)
	defer cancel()
	err := server.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		slog.WarnContext(base, "some calls did not finish in time and were cut off")
		endCalls()
		err = server.Close()
	}
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// serveMetrics serves /metrics on a listener of its own, when one is asked for.
func serveMetrics(ctx context.Context, addr string) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics on %s: %w", addr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", obs.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute}
	go func() { _ = server.Serve(lis) }()
	return func() { _ = server.Close() }, nil
}

// certificate is read again when its file changes, so that it can be renewed without a restart.
type certificate struct {
	certFile, keyFile string

	mu      sync.Mutex
	checked time.Time
	changed time.Time
	loaded  *tls.Certificate
}

const certificateChecked = 30 * time.Second

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded != nil && time.Since(c.checked) < certificateChecked {
		return c.loaded, nil
	}
	c.checked = time.Now()
	info, err := os.Stat(c.certFile)
	if err == nil && c.loaded != nil && info.ModTime().Equal(c.changed) {
		return c.loaded, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(c.certFile, c.keyFile); err == nil {
			c.loaded, c.changed = &pair, info.ModTime()
		}
	}
	if c.loaded != nil { // an unreadable renewal does not take the old one away
		return c.loaded, nil
	}
	return nil, err
}
