package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"quietline/deploy/embedded"
	"quietline/gateway"
	"quietline/internal/identity"
	"quietline/services/assignment"
	"quietline/services/credit"
	"quietline/services/disclosure"
	"quietline/services/enforcement"
	"quietline/services/ledger"
	"quietline/services/reporting"
	"quietline/workflows"
)

// drain bounds how long each tier may take to finish what it began.
const drain = 15 * time.Second

// meshConfig is what a whole mesh in one process is told.
type meshConfig struct {
	Profile     string  // statutory or rehearsal
	StartRate   float64 // workflow starts a second; 0 starts none
	Issuers     string  // file of outer identity providers
	Portability string  // table of ported numbers; empty: none
	Places      string  // table of mobile segments; empty: none
	Gateway     gateway.Config
}

// mesh is every target in one process, each on its own loopback port with its own SPIFFE certificate: the same code
// paths as in production.
type mesh struct {
	stack  *embedded.Stack
	tiers  []*tier // in the order of start
	failed chan error
	addrs  map[identity.Workload]string
	URL    string
}

// tier is what starts together and stops together.
type tier struct {
	ctx    context.Context //nolint:containedctx // a tier is the lifetime of what runs in it
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// startMesh starts all targets on a running stack. Services listen before any of them is dialled, so order is free.
func startMesh(ctx context.Context, stack *embedded.Stack, cfg meshConfig, edge net.Listener) (*mesh, error) {
	m := &mesh{stack: stack, failed: make(chan error, 16), addrs: map[identity.Workload]string{}}
	services := m.targets(cfg)
	listeners := map[identity.Workload]net.Listener{}
	for _, t := range services {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		listeners[t.workload] = lis
		m.addrs[t.workload] = lis.Addr().String()
	}
	owners, engine := m.tier(ctx), m.tier(ctx)
	for _, t := range services {
		src, err := stack.CA.Source(t.workload)
		if err != nil {
			return nil, errors.Join(err, m.stop())
		}
		at := owners
		if t.workload == identity.Workflows {
			at = engine
		}
		m.run(at, string(t.workload), func(ctx context.Context) error { return t.run(ctx, src, listeners[t.workload]) })
	}
	src, err := stack.CA.Source(identity.Gateway)
	if err != nil {
		return nil, errors.Join(err, m.stop())
	}
	m.run(m.tier(ctx), "gateway", func(ctx context.Context) error {
		cfg.Gateway.Backends = m.backends()
		return gateway.Run(ctx, cfg.Gateway, src, edge, gateway.Deps{})
	})
	m.URL = "http://" + edge.Addr().String()
	return m, nil
}

// target is one service of the mesh and how to run it.
type target struct {
	workload identity.Workload
	run      func(ctx context.Context, src identity.Source, lis net.Listener) error
}

func (m *mesh) targets(cfg meshConfig) []target {
	data := m.stack.Dirs
	return []target{
		{identity.Reporting, func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return reporting.Run(ctx, reporting.Config{
				Database: m.stack.DatabaseURL("reporting"), MigrateDatabase: m.stack.OwnerURL("reporting"),
				Keys: data.Path("keys", "reporting"), Blob: "file://" + filepath.ToSlash(data.Path("evidence")) + "?create_dir=true&no_tmp_dir=true",
				Casework: m.addrs[identity.Workflows], Assignment: m.addrs[identity.Assignment], StartRate: int(cfg.StartRate), Places: cfg.Places,
			}, src, lis)
		}},
		{identity.Assignment, func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return assignment.Run(ctx, assignment.Config{
				Database: m.stack.DatabaseURL("assignment"), MigrateDatabase: m.stack.OwnerURL("assignment"), Keys: data.Path("keys", "assignment"),
				Policy: m.policy(),
			}, src, lis)
		}},
		{identity.Ledger, func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return ledger.Run(ctx, ledger.Config{
				Database: m.stack.DatabaseURL("ledger"), MigrateDatabase: m.stack.OwnerURL("ledger"),
				Credit: m.addrs[identity.Credit], Casework: m.addrs[identity.Workflows], Policy: m.policy(), Profile: cfg.Profile,
				Portability: cfg.Portability, Places: cfg.Places,
			}, src, lis)
		}},
		{identity.Credit, func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return credit.Run(ctx, credit.Config{
				Database: m.stack.DatabaseURL("credit"), MigrateDatabase: m.stack.OwnerURL("credit"), Keys: data.Path("keys", "credit"),
				Ledger: m.addrs[identity.Ledger], Casework: m.addrs[identity.Workflows], Policy: m.policy(), Profile: cfg.Profile,
			}, src, lis)
		}},
		{identity.Enforcement, func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return enforcement.Run(ctx, enforcement.Config{
				Database: m.stack.DatabaseURL("enforcement"), MigrateDatabase: m.stack.OwnerURL("enforcement"), Keys: data.Path("keys", "enforcement"),
				Policy: m.policy(), Casework: m.addrs[identity.Workflows], Profile: cfg.Profile,
			}, src, lis)
		}},
		{identity.Disclosure, func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return disclosure.Run(ctx, disclosure.Config{Database: m.stack.DatabaseURL("disclosure"), MigrateDatabase: m.stack.OwnerURL("disclosure"), Profile: cfg.Profile}, src, lis)
		}},
		{identity.Workflows, func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return m.runWorkflows(ctx, cfg, src, lis)
		}},
	}
}

func (m *mesh) runWorkflows(ctx context.Context, cfg meshConfig, src identity.Source, lis net.Listener) error {
	options, err := m.stack.Temporal(identity.Workflows)
	if err != nil {
		return err
	}
	return workflows.Run(ctx, workflows.Config{
		Profile: cfg.Profile, StartRate: startRate(cfg.StartRate), Keys: m.stack.Dirs.Path("keys", "workflows"),
		Options: &options, Policy: m.policy(),
		Reporting: m.addrs[identity.Reporting], Assignment: m.addrs[identity.Assignment], Ledger: m.addrs[identity.Ledger],
		Credit: m.addrs[identity.Credit], Enforcement: m.addrs[identity.Enforcement], Disclosure: m.addrs[identity.Disclosure],
	}, src, lis)
}

// policy is the folder with the programme's own deadlines, holidays and shares; empty when there is none.
func (m *mesh) policy() string {
	folder := m.stack.Dirs.Path("policy")
	if _, err := os.Stat(folder); err != nil {
		return ""
	}
	return folder
}

// startRate reads 0 as "start none", which the workflows write as a negative rate.
func startRate(rate float64) float64 {
	if rate == 0 {
		return -1
	}
	return rate
}

func (m *mesh) backends() map[string]string {
	backends := map[string]string{}
	for w, addr := range m.addrs {
		backends[string(w)] = addr
	}
	return backends
}

// tier starts the next tier; it outlives ctx's end, so that the tiers above may finish first.
func (m *mesh) tier(ctx context.Context) *tier {
	t := &tier{}
	t.ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	m.tiers = append(m.tiers, t)
	return t
}

func (m *mesh) run(t *tier, name string, serve func(context.Context) error) {
	t.wg.Go(func() {
		if err := serve(t.ctx); err != nil && t.ctx.Err() == nil {
			m.failed <- fmt.Errorf("%s: %w", name, err)
		}
	})
}

// stop ends the tiers from the edge inwards: what the gateway took in, the services still finish.
func (m *mesh) stop() error {
	var late []error
	for _, t := range slices.Backward(m.tiers) {

		t.cancel()
		done := make(chan struct{})
		go func() { t.wg.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(drain):
			late = append(late, errors.New("a tier did not stop in time; what it left undone goes on at the next start"))
		}
	}
	return errors.Join(late...)
}
