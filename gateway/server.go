package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	connectv1 "connectrpc.com/connect"
	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connectgzip"
	"connectrpc.com/connect/v2/connecthttp"
	"connectrpc.com/grpcreflect"
	"connectrpc.com/otelconnect"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoregistry"

	"quietline/gateway/issuer"
	"quietline/internal/identity"
	"quietline/internal/obs"
)

// gateway is what the handlers share.
type gateway struct {
	cfg      Config
	auth     *authenticator
	stopping context.Context //nolint:containedctx // done when the gateway is told to stop: long polls end then

	publicCalls, secretCalls, badTokens *buckets // by address
	tokenCalls                          *buckets // by subject
}

// newGateway builds the edge's handler. deps holds a connection for each of [Workloads]; ctx ends when the gateway
// is told to stop.
func newGateway(ctx context.Context, cfg Config, issuers []Issuer, demo *issuer.Provider, deps Deps) (http.Handler, error) {
	now := time.Now
	auth, err := newAuthenticator(issuers, now)
	if err != nil {
		return nil, err
	}
	g := &gateway{
		cfg: cfg, auth: auth, stopping: ctx,
		publicCalls: newBuckets(cfg.PublicRate, cfg.PublicBurst, now),
		secretCalls: newBuckets(cfg.SecretRate, cfg.SecretBurst, now),
		badTokens:   newBuckets(cfg.SecretRate, cfg.SecretBurst, now),
		tokenCalls:  newBuckets(cfg.TokenRate, cfg.TokenBurst, now),
	}
	all, err := services(protoregistry.GlobalFiles)
	if err != nil {
		return nil, err
	}
	if err := connectAll(all, deps.Backends); err != nil {
		return nil, err
	}
	h := &health{backends: deps.Backends, checks: deps.Checks, now: now}
	server, err := g.server(all, h)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	connecthttp.Mount(mux, server,
		connecthttp.WithCodecs(edgeCodecs()...),
		connecthttp.WithCompressors(connectgzip.New()),
		connecthttp.WithCompressMinBytes(1024),
		connecthttp.WithReadMaxBytes(cfg.MaxMessage))
	g.mountReflection(mux, all)
	g.mountPages(mux, h, demo)
	newRegister(deps.Backends[string(identity.Disclosure)], cfg.PublicURL).mount(mux, g)
	newDigests(deps.Backends[string(identity.Disclosure)]).mount(mux, g)
	return http.NewCrossOriginProtection().Handler(secured(mux)), nil
}

// connectAll gives every RPC the connection of its owner.
func connectAll(all []service, backends map[string]*grpc.ClientConn) error {
	var missing []error
	for _, s := range all {
		conn, ok := backends[s.workload]
		if !ok {
			missing = append(missing, fmt.Errorf("no address for %s, which serves %s (--backends)", s.workload, s.name))
		}
		for _, m := range s.methods {
			m.conn = conn
		}
	}
	return errors.Join(missing...)
}

// server registers every RPC behind the chain.
func (g *gateway) server(all []service, h *health) (*connect.Server, error) {
	traced, err := otelconnect.NewServerInterceptor()
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	server := connect.NewServer(traced, recovered, g.bounded, g.admitted)
	for _, s := range all {
		for _, m := range s.methods {
			server.Register(connect.Method{Spec: m.spec(), Handler: g.forward(m)})
		}
	}
	check, err := h.method(all)
	if err != nil {
		return nil, err
	}
	server.Register(connect.Method{Spec: check.spec(), Handler: g.answer(check)})
	return server, nil
}

// mountReflection serves the descriptors of what is open, so that grpcurl needs no protos.
func (g *gateway) mountReflection(mux *http.ServeMux, all []service) {
	names := []string{healthService}
	for _, s := range all {
		if s.open() {
			names = append(names, s.name)
		}
	}
	reflector := grpcreflect.NewStaticReflector(names...)
	limit := connectv1.WithReadMaxBytes(64 << 10)
	for _, handler := range []func(*grpcreflect.Reflector, ...connectv1.HandlerOption) (string, http.Handler){
		grpcreflect.NewHandlerV1, grpcreflect.NewHandlerV1Alpha,
	} {
		path, h := handler(reflector, limit)
		mux.Handle("POST "+path, g.limited(h))
	}
}

// mountPages serves what is not an RPC.
func (g *gateway) mountPages(mux *http.ServeMux, h *health, demo *issuer.Provider) {
	mux.Handle("GET /healthz", h)
	mux.Handle("GET /metrics", g.onlyLoopback(obs.Handler()))
	mux.Handle("GET /{$}", landing(g.cfg.BehindProxy))
	mux.Handle("GET /static/", landing(g.cfg.BehindProxy))
	if demo != nil {
		// No limit here: demo accounts exist on loopback only, their secret cannot be guessed, and a rehearsal speaks
		// for the people of hundreds of desks.
		mux.Handle(issuer.Path+"/", demo.Handler())
	}
}

// onlyLoopback hides a path from everybody but this machine. Behind a proxy every caller looks like the proxy, so
// there it is hidden from all; --metrics gives it a listener of its own.
func (g *gateway) onlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.cfg.BehindProxy || !isLoopback(r.RemoteAddr) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
