package workflows

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"quietline/internal/calendar"
	"quietline/internal/identity"
	"quietline/internal/rpc"
	"quietline/internal/seal"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Config is what the worker and its casework service need to run.
type Config struct {
	Listen      string  `help:"Address to serve gRPC on." env:"QUIETLINE_WORKFLOWS_LISTEN" default:"127.0.0.1:7507"`
	Temporal    string  `help:"Address of the Temporal frontend." env:"QUIETLINE_WORKFLOWS_TEMPORAL" default:"127.0.0.1:7233"`
	Namespace   string  `help:"Temporal namespace." env:"QUIETLINE_WORKFLOWS_NAMESPACE" default:"quietline"`
	TemporalTLS string  `help:"How to talk to Temporal: mesh (its frontend has a certificate of the mesh) or env (TEMPORAL_TLS_*, TEMPORAL_API_KEY)." env:"QUIETLINE_WORKFLOWS_TEMPORAL_TLS" enum:"mesh,env" default:"mesh"`
	Reporting   string  `help:"Where the reporting service answers." env:"QUIETLINE_WORKFLOWS_REPORTING" required:""`
	Assignment  string  `help:"Where the assignment service answers." env:"QUIETLINE_WORKFLOWS_ASSIGNMENT" required:""`
	Ledger      string  `help:"Where the ledger answers." env:"QUIETLINE_WORKFLOWS_LEDGER" required:""`
	Credit      string  `help:"Where the credit service answers." env:"QUIETLINE_WORKFLOWS_CREDIT" required:""`
	Enforcement string  `help:"Where the enforcement service answers." env:"QUIETLINE_WORKFLOWS_ENFORCEMENT" required:""`
	Disclosure  string  `help:"Where the disclosure service answers." env:"QUIETLINE_WORKFLOWS_DISCLOSURE" required:""`
	Profile     string  `help:"statutory, or rehearsal: real spans are divided." env:"QUIETLINE_WORKFLOWS_PROFILE" enum:"statutory,rehearsal" default:"statutory"`
	StartRate   float64 `help:"Workflows started in a second at most; negative starts none." env:"QUIETLINE_WORKFLOWS_START_RATE" default:"60"`
	Keys        string  `help:"Folder of the keys that payloads are sealed with; made when absent." env:"QUIETLINE_WORKFLOWS_KEYS" required:"" type:"path"`
	DigestDay   int     `help:"Day of the month on which the digest of the month before is drafted." env:"QUIETLINE_WORKFLOWS_DIGEST_DAY" default:"5"`
	DigestTime  string  `help:"Time of that day in Shanghai, 08:00 to 23:59." env:"QUIETLINE_WORKFLOWS_DIGEST_TIME" default:"09:00"`
	Policy      string  `help:"Folder with deadlines.csv, holidays.csv, fixed.csv, shares.csv of the programme, over the built-in ones; watched while running." env:"QUIETLINE_WORKFLOWS_POLICY" type:"path"`

	// Options reach Temporal in place of the three settings above: what the embedded default passes by hand.
	Options *client.Options `kong:"-"`
}

// temporalWorkload is the name of Temporal's frontend in the mesh.
const temporalWorkload identity.Workload = "temporal"

// cached workflows stay in memory between two decisions; others are rebuilt from their history.
const cached = 4096

// Run serves CaseworkService and runs the worker until ctx ends. Without a listener it listens on cfg.Listen. Temporal may
// be away at first: calls that need it are refused as UNAVAILABLE, and the worker starts once it is there.
func Run(ctx context.Context, cfg Config, src identity.Source, lis net.Listener) error {
	if lis == nil {
		var err error
		if lis, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen); err != nil {
			return fmt.Errorf("workflows: %w", err)
		}
	}
	if err := calendar.Load(cfg.Policy); err != nil {
		return errors.Join(fmt.Errorf("workflows: %w", err), lis.Close())
	}
	digest, err := newDigestDay(cfg.DigestDay, cfg.DigestTime)
	if err != nil {
		return errors.Join(fmt.Errorf("workflows: %w", err), lis.Close())
	}
	owners, hangUp, err := dial(cfg, src)
	defer hangUp()
	if err != nil {
		return errors.Join(fmt.Errorf("workflows: %w", err), lis.Close())
	}
	keys, err := seal.Open(cfg.Keys)
	if err != nil {
		return errors.Join(fmt.Errorf("workflows: %w", err), lis.Close())
	}
	c, err := dialTemporal(cfg, src, keys)
	if err != nil {
		return errors.Join(fmt.Errorf("workflows: %w", err), lis.Close())
	}
	defer c.Close()
	mesh := NewClient(c, profileOf(cfg))
	s := newStarts(startRate(cfg))
	server := rpc.NewServer(src)
	acts := newActivities(owners, mesh, s)
	casework := NewServer(mesh, acts, s, keys)
	caseworkv1.RegisterCaseworkServiceServer(server, casework)

	// The worker outlives the server: decisions under way need it to be written.
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	group := new(errgroup.Group)
	group.Go(func() error {
		defer stopWork()
		return rpc.Serve(ctx, lis, server)
	})
	group.Go(func() error {
		work(working, c, mesh, acts, digest)
		return nil
	})
	group.Go(func() error { return casework.taken.run(ctx) })
	return group.Wait()
}

func profileOf(cfg Config) string { return orElse(cfg.Profile, Statutory) }

func startRate(cfg Config) float64 {
	const fallback = 60
	if cfg.StartRate == 0 {
		return fallback
	}
	return cfg.StartRate
}

// dial connects to the owners of the facts, at their first call.
func dial(cfg Config, src identity.Source) (o Owners, hangUp func(), err error) {
	var conns []*grpc.ClientConn
	hangUp = func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}
	to := func(addr string, w identity.Workload) *grpc.ClientConn {
		conn, failed := rpc.Dial(addr, w, src, rpc.WaitForReady())
		if failed != nil {
			err = errors.Join(err, failed)
			return nil
		}
		conns = append(conns, conn)
		return conn
	}
	o = Owners{
		Reporting:   reportingv1.NewReportingServiceClient(to(cfg.Reporting, identity.Reporting)),
		Assignment:  assignmentv1.NewAssignmentServiceClient(to(cfg.Assignment, identity.Assignment)),
		Ledger:      ledgerv1.NewLedgerServiceClient(to(cfg.Ledger, identity.Ledger)),
		Credit:      creditv1.NewCreditServiceClient(to(cfg.Credit, identity.Credit)),
		Enforcement: enforcementv1.NewEnforcementServiceClient(to(cfg.Enforcement, identity.Enforcement)),
		Disclosure:  disclosurev1.NewDisclosureServiceClient(to(cfg.Disclosure, identity.Disclosure)),
	}
	return o, hangUp, err
}

// dialTemporal makes the client of Temporal, which connects when it is needed.
func dialTemporal(cfg Config, src identity.Source, keys *seal.Keys) (client.Client, error) {
	options, err := temporalOptions(cfg, src)
	if err != nil {
		return nil, err
	}
	if err := Seal(&options, keys); err != nil {
		return nil, err
	}
	return client.NewLazyClient(options)
}

// Seal makes a client of Temporal one of the workflows': payloads sealed, calls traced, logs in one place.
func Seal(options *client.Options, keys *seal.Keys) error {
	options.DataConverter, options.FailureConverter = converters(keys)
	options.Logger = log.NewStructuredLogger(slog.Default().With(slog.String("part", "temporal")))
	tracing, err := opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{DisableBaggage: true})
	if err != nil {
		return fmt.Errorf("tracing: %w", err)
	}
	options.Interceptors = append(options.Interceptors, tracing)
	return nil
}

func temporalOptions(cfg Config, src identity.Source) (client.Options, error) {
	if cfg.Options != nil {
		return *cfg.Options, nil
	}
	options := client.Options{}
	if cfg.TemporalTLS == "env" {
		var err error
		if options, err = envconfig.LoadDefaultClientOptions(); err != nil {
			return options, fmt.Errorf("settings of Temporal: %w", err)
		}
	} else {
		options.ConnectionOptions.TLS = tlsconfig.MTLSClientConfig(src, src, tlsconfig.AuthorizeID(identity.ID(temporalWorkload)))
	}
	options.HostPort, options.Namespace = cfg.Temporal, orElse(cfg.Namespace, "quietline")
	return options, nil
}

// newWorker makes a worker with all workflows and activities. failed is told when it had to give up.
func newWorker(c client.Client, a *Activities, failed func(error)) worker.Worker {
	worker.SetStickyWorkflowCacheSize(cached)
	w := worker.New(c, TaskQueue, worker.Options{
		Interceptors:                            []interceptor.WorkerInterceptor{&errorsInterceptor{}},
		MaxConcurrentWorkflowTaskPollers:        8,
		MaxConcurrentWorkflowTaskExecutionSize:  200,
		MaxConcurrentLocalActivityExecutionSize: 64,
		MaxConcurrentActivityExecutionSize:      8,
		WorkerStopTimeout:                       8 * time.Second,
		OnFatalError:                            failed,
	})
	register(w)
	w.RegisterActivity(a)
	return w
}

// register names the workflows; a replayer needs no more.
func register(r interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
}) {
	r.RegisterWorkflowWithOptions(Complaint, workflow.RegisterOptions{Name: "Complaint"})
	r.RegisterWorkflowWithOptions(Case, workflow.RegisterOptions{Name: "Case"})
	r.RegisterWorkflowWithOptions(Recall, workflow.RegisterOptions{Name: "Recall"})
	r.RegisterWorkflowWithOptions(Appeal, workflow.RegisterOptions{Name: "Appeal"})
	r.RegisterWorkflowWithOptions(Rectification, workflow.RegisterOptions{Name: "Rectification"})
	r.RegisterWorkflowWithOptions(Listing, workflow.RegisterOptions{Name: "Listing"})
	r.RegisterWorkflowWithOptions(Repair, workflow.RegisterOptions{Name: "Repair"})
	r.RegisterWorkflowWithOptions(Publication, workflow.RegisterOptions{Name: "Publication"})
	r.RegisterWorkflowWithOptions(Digest, workflow.RegisterOptions{Name: "Digest"})
	r.RegisterWorkflowWithOptions(Sweep, workflow.RegisterOptions{Name: "Sweep"})
}

// work keeps a worker running until ctx ends, then lets what it began finish.
func work(ctx context.Context, c client.Client, mesh *Client, a *Activities, digest digestDay) {
	for ctx.Err() == nil {
		failed := make(chan error, 1)
		w := newWorker(c, a, func(err error) {
			select {
			case failed <- err:
			default:
			}
		})
		// A worker that could not start, or gave up, cannot be started again: a new one takes its place.
		if err := w.Start(); err != nil {
			slog.WarnContext(ctx, "the worker waits for Temporal", slog.Any("error", err))
			_ = pause(ctx, time.Second)
			continue
		}
		mesh.working.Store(true)
		schedule(ctx, mesh, digest)
		select {
		case <-ctx.Done():
		case err := <-failed:
			slog.ErrorContext(ctx, "the worker gave up and is replaced", slog.Any("error", err))
			_ = pause(ctx, time.Second)
		}
		mesh.working.Store(false)
		w.Stop()
	}
}

// schedule sees to it that the sweep runs, and that digests are drafted.
func schedule(ctx context.Context, mesh *Client, digest digestDay) {
	for {
		err := errors.Join(mesh.scheduleSweep(ctx, paceOf(mesh.profile)), mesh.scheduleDigest(ctx, digest))
		if err == nil {
			return
		}
		slog.WarnContext(ctx, "sweep and digest are not scheduled yet", slog.Any("error", err))
		if pause(ctx, time.Second) != nil {
			return
		}
	}
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
