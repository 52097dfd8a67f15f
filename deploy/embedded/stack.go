package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"quietline/internal/identity"
)

// Config is what `quietline up` is told about the ground that it stands on.
type Config struct {
	Data        string `help:"Data directory; everything the mesh keeps is in it." default:".quietline" env:"QUIETLINE_DATA" type:"path"`
	Database    string `help:"Use this PostgreSQL instead of a private one: a URL of a user who may create roles and databases." placeholder:"URL" env:"QUIETLINE_DATABASE"`
	Temporal    string `help:"Use this Temporal server instead of a private one; TEMPORAL_TLS_* and TEMPORAL_API_KEY apply." placeholder:"HOST:PORT" env:"QUIETLINE_TEMPORAL"`
	PostgresBin string `help:"Folder of PostgreSQL's server programs; found by itself if empty." placeholder:"DIR" env:"QUIETLINE_POSTGRES_BIN"`
	TemporalBin string `help:"Folder of temporal-server and temporal-sql-tool; beside this program if empty." placeholder:"DIR" env:"QUIETLINE_TEMPORAL_BIN"`

	// Progress is told each step as it is done; nil: nobody is.
	Progress func(done string, took time.Duration) `kong:"-"`
}

// Stack is what the services stand on, running.
type Stack struct {
	Dirs Dirs
	CA   *identity.CA

	cfg       Config
	unlock    func()
	postgres  *postgres // nil: an outer one
	temporal  *temporal // nil: an outer one
	cluster   cluster
	passwords map[string]string
	failed    chan error

	background context.CancelFunc
	tasks      sync.WaitGroup
	stopOnce   sync.Once
	stopErr    error
}

// Start brings everything up, and returns when all of it answers. When it fails,
// or ctx ends, nothing is left running.
func Start(ctx context.Context, cfg Config) (*Stack, error) {
	s := &Stack{cfg: cfg, failed: make(chan error, 2), background: func() {}}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// StartDatabase is Start without Temporal, for what needs a database only.
func StartDatabase(ctx context.Context, cfg Config) (*Stack, error) {
	cfg.Temporal = "none" // and no databases for it
	s := &Stack{cfg: cfg, failed: make(chan error, 2), background: func() {}}
	err := s.prepare()
	if err == nil {
		err = s.startDatabase(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	s.watch()
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	if err := s.prepare(); err != nil {
		return err
	}
	if err := s.startDatabase(ctx); err != nil {
		return err
	}
	if err := s.startTemporal(ctx); err != nil {
		return err
	}
	s.watch()
	return nil
}

// prepare takes the data directory and ends what an earlier run left in it.
func (s *Stack) prepare() error {
	var err error
	if s.Dirs, s.unlock, err = openDirs(s.cfg.Data); err != nil {
		return err
	}
	if err = stopLeftovers(s.Dirs); err != nil {
		return err
	}
	s.CA, err = identity.LoadOrCreateCA(s.Dirs.Path("ca"))
	return err
}

// stopLeftovers ends what outlived an earlier run, in the order of a proper stop.
func stopLeftovers(d Dirs) error {
	t := temporalProcess(d)
	if err := stopLeftover(t.record, (&temporal{dirs: d}).configFile(), t.steps); err != nil {
		return err
	}
	p := postgresProcess(d)
	return stopLeftover(p.record, d.Path("postgres"), p.steps)
}

// startDatabase starts the private cluster, if none is named, and makes what is
// missing in it.
func (s *Stack) startDatabase(ctx context.Context) error {
	begin := time.Now()
	admin := s.cfg.Database
	if admin == "" {
		p, err := startPostgres(ctx, s.Dirs, s.cfg.PostgresBin)
		if err != nil {
			return err
		}
		s.postgres = p
		admin = p.url(superuser, p.secret)
		s.progress("PostgreSQL", begin)
	}
	begin = time.Now()
	u, err := url.Parse(admin)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return errors.New("--database must be a URL like postgres://USER:PASSWORD@HOST:5432/postgres")
	}
	s.cluster = cluster{admin: u, private: s.postgres != nil, secrets: s.Dirs.Path("secrets")}
	if s.passwords, err = s.cluster.provision(ctx, databases(s.cfg.Temporal == "")); err != nil {
		return err
	}
	s.progress("databases and roles", begin)
	return nil
}

// startTemporal starts the private server, if none is named, and waits until it
// serves the namespace.
func (s *Stack) startTemporal(ctx context.Context) error {
	begin := time.Now()
	if s.cfg.Temporal == "" {
		bin, err := s.temporalBin()
		if err != nil {
			return err
		}
		s.temporal, err = startTemporal(ctx, s.Dirs, bin, s.CA, s.url("temporal", "temporal"), s.url("temporal", "temporal_visibility"))
		if err != nil {
			return err
		}
	}
	if err := s.awaitTemporal(ctx); err != nil {
		return err
	}
	s.progress("Temporal", begin)
	return nil
}

func (s *Stack) awaitTemporal(ctx context.Context) error {
	options, err := s.Temporal(identity.Workflows)
	if err != nil {
		return err
	}
	c, err := client.NewLazyClient(options)
	if err != nil {
		return fmt.Errorf("client of Temporal: %w", err)
	}
	defer c.Close()
	ask := func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return serveNamespace(ctx, c)
	}
	if s.temporal == nil {
		if err := ask(ctx); err != nil {
			return fmt.Errorf("Temporal at %s: %w", options.HostPort, err)
		}
		return nil
	}
	return poll(ctx, s.temporal.proc, time.Minute, ask)
}

func (s *Stack) temporalBin() (string, error) {
	if s.cfg.TemporalBin != "" {
		return filepath.Abs(s.cfg.TemporalBin)
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the folder of this program: %w", err)
	}
	return filepath.Dir(self), nil
}

func (s *Stack) progress(done string, begin time.Time) {
	if s.cfg.Progress != nil {
		s.cfg.Progress(done, time.Since(begin))
	}
}

// watch keeps the children running and their surroundings tidy until Stop.
func (s *Stack) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	s.background = cancel
	s.tasks.Go(func() { boundLogs(ctx, s.Dirs.Path("log")) })
	if s.postgres != nil {
		s.tasks.Go(func() { s.postgres.proc.supervise(s.failed) })
	}
	if s.temporal != nil {
		s.tasks.Go(func() { s.temporal.proc.supervise(s.failed) })
		s.tasks.Go(func() { s.temporal.certs.keepFresh(ctx) })
	}
}

// Failed tells of a server that keeps dying and was given up: stop the mesh.
func (s *Stack) Failed() <-chan error { return s.failed }

// DatabaseURL is how a service reaches its database, as the role it works with.
func (s *Stack) DatabaseURL(service string) string { return s.url(service, service) }

// OwnerURL is how a service's migrations reach its database, as the role that
// owns the tables.
func (s *Stack) OwnerURL(service string) string { return s.url(service+"_owner", service) }

func (s *Stack) url(role, database string) string {
	return s.cluster.url(role, s.passwords[role], database)
}

// Temporal is how a workload reaches the Temporal server. An outer server is
// reached as Temporal's own environment variables and files say.
func (s *Stack) Temporal(w identity.Workload) (client.Options, error) {
	if s.temporal == nil {
		return outerTemporal(s.cfg.Temporal)
	}
	src, err := s.CA.Source(w)
	if err != nil {
		return client.Options{}, err
	}
	return client.Options{
		HostPort: s.temporal.address(), Namespace: Namespace,
		// on one machine compressing costs more than it saves, and payloads are ciphertext
		ConnectionOptions: client.ConnectionOptions{TLS: temporalTLS(src), GrpcCompression: &client.GrpcCompressionNone{}},
	}, nil
}

// Stop ends both servers, Temporal first, and gives the data directory back. When
// ctx ends it hurries, but still stops them. A second call does nothing.
func (s *Stack) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		s.background()
		if s.temporal != nil && s.temporal.proc != nil {
			s.stopErr = s.temporal.proc.stop(ctx)
		}
		if s.postgres != nil && s.postgres.proc != nil {
			s.stopErr = errors.Join(s.stopErr, s.postgres.stop(ctx))
		}
		s.tasks.Wait()
		if s.unlock != nil {
			s.unlock()
		}
	})
	return s.stopErr
}
