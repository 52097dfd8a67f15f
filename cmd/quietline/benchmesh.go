package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"

	"quietline/deploy/embedded"
	"quietline/gateway"
	"quietline/internal/identity"
	"quietline/internal/obs"
)

const (
	// benchStartRate is more workflow starts a second than two cores manage: the rate must not be what is measured.
	benchStartRate = 200

	// benchConns is the size of the services' own pools (internal/pg); baselines have the same.
	benchConns = 16

	// unlimited is more calls a second than any gateway is asked here: what is measured is its work, not its limit.
	unlimited = 1e9
)

// benchMesh is a whole mesh of this process, with what the baselines need beside it.
type benchMesh struct {
	*mesh
	remote
	temporary string
	log       *os.File
	telemetry func(context.Context) error
	ends      []func() error // of the baselines' servers and pools, last first
}

// startBenchMesh starts all that `up` starts, as `up` does it, on an empty data directory.
func startBenchMesh(ctx context.Context, startRate float64) (_ *benchMesh, err error) {
	data, err := benchDir()
	if err != nil {
		return nil, err
	}
	b := &benchMesh{temporary: filepath.Dir(data)}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.stop())
		}
	}()
	if b.telemetry, err = obs.Setup(ctx, "quietline"); err != nil {
		return nil, err
	}
	stack, err := embedded.Start(ctx, embedded.Config{Data: data})
	if err != nil {
		return nil, err
	}
	b.mesh = &mesh{stack: stack}
	if b.log, err = logTo(stack.Dirs.Path("log", "quietline.log")); err != nil {
		return nil, err
	}
	edge, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m, err := startMesh(ctx, stack, meshConfig{Profile: "rehearsal", StartRate: startRate, Gateway: gateway.Config{
		Listen: edge.Addr().String(), Demo: data, TokenRate: unlimited, TokenBurst: unlimited,
		PublicRate: unlimited, PublicBurst: unlimited, SecretRate: unlimited, SecretBurst: unlimited,
	}}, edge)
	if err != nil {
		return nil, err
	}
	b.mesh, b.remote = m, remote{Gateway: m.URL, Data: data}
	return b, b.await(ctx)
}

func (b *benchMesh) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	healthy := make(chan error, 1)
	go func() { healthy <- b.awaitHealthy(ctx) }()
	select {
	case err := <-healthy:
		if err == nil && ctx.Err() != nil {
			err = errors.New("bench: the mesh did not come up")
		}
		return err
	case err := <-b.failed:
		return err
	}
}

// stop ends everything and removes what was kept.
func (b *benchMesh) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errs []error
	for _, v := range slices.Backward(b.ends) {
		errs = append(errs, v())
	}
	if b.mesh != nil {
		errs = append(errs, b.mesh.stop(), b.stack.Stop(ctx))
	}
	if b.log != nil {
		errs = append(errs, b.log.Close())
	}
	if b.telemetry != nil {
		errs = append(errs, b.telemetry(ctx))
	}
	return errors.Join(append(errs, os.RemoveAll(b.temporary))...)
}

func (b *benchMesh) atEnd(end func() error) { b.ends = append(b.ends, end) }

// own runs statements in a service's database as the role that owns its tables, for what baselines keep there.
func (b *benchMesh) own(ctx context.Context, service string, statements ...string) error {
	db, err := b.owner(ctx, service)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(ctx, s); err != nil {
			return fmt.Errorf("baseline in %s: %w", service, err)
		}
	}
	return nil
}

func (b *benchMesh) owner(ctx context.Context, service string) (*pgxpool.Pool, error) {
	return pgxpool.New(ctx, b.stack.OwnerURL(service))
}

// pool is a plain pool as a service's role, as large as the services' own and without their tracing.
func (b *benchMesh) pool(ctx context.Context, service string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(b.stack.DatabaseURL(service))
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = benchConns
	db, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	b.atEnd(func() error { db.Close(); return nil })
	return db, nil
}

// listen serves a baseline on a port of its own and says where.
func (b *benchMesh) listen(ctx context.Context, w identity.Workload,
	serve func(ctx context.Context, src identity.Source, lis net.Listener) error,
) (string, error) {
	src, err := b.stack.CA.Source(w)
	if err != nil {
		return "", err
	}
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- serve(serving, src, lis) }()
	b.atEnd(func() error { cancel(); return <-done })
	return lis.Addr().String(), nil
}

// serveBare serves without any chain until ctx ends.
func serveBare(ctx context.Context, s *grpc.Server, lis net.Listener) error {
	defer context.AfterFunc(ctx, s.Stop)()
	return s.Serve(lis)
}
