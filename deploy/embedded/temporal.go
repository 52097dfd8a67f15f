package embedded

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"quietline/internal/identity"
)

//go:embed temporal.yaml
var temporalConfig string

//go:embed temporal-dynamic.yaml
var temporalDynamic []byte

// Temporal's own pools. Shards, task queues and timers share the first one.
const (
	historyShards         = 4
	defaultConnections    = 24
	visibilityConnections = 6
)

var temporalTemplate = template.Must(template.New("temporal.yaml").
	Funcs(template.FuncMap{"q": strconv.Quote}).Parse(temporalConfig))

// temporalSteps: nothing in Temporal is lost by a kill, so it is not waited for long.
var temporalSteps = []step{{syscall.SIGTERM, 10 * time.Second}}

// temporal is the private server.
type temporal struct {
	bin   string // folder of its programs
	dirs  Dirs
	ports []int
	certs *certificate
	proc  *process
}

// sqlStore is one of its databases in the words of its configuration.
type sqlStore struct {
	Name, Address, User, Password string
	Attributes                    map[string]string
	Connections                   int
}

func newSQLStore(databaseURL string, connections int) (sqlStore, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return sqlStore{}, fmt.Errorf("database of Temporal: %w", err)
	}
	s := sqlStore{
		Name: strings.TrimPrefix(u.Path, "/"), Address: u.Host, User: u.User.Username(),
		Attributes: map[string]string{}, Connections: connections,
	}
	s.Password, _ = u.User.Password()
	for k, v := range u.Query() {
		s.Attributes[k] = v[0]
	}
	if u.Port() == "" { // its tools insist on host:port; attributes override both
		s.Address = net.JoinHostPort(cmpOr(u.Hostname(), "localhost"), cmpOr(s.Attributes["port"], "5432"))
	}
	return s, nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// startTemporal brings the schema up to date, starts the server, and returns when
// it serves the namespace.
func startTemporal(ctx context.Context, d Dirs, binDir string, ca *identity.CA, defaultURL, visibilityURL string) (*temporal, error) {
	t := &temporal{bin: binDir, dirs: d}
	for _, program := range []string{"temporal-server", "temporal-sql-tool"} {
		if _, err := os.Stat(filepath.Join(binDir, program)); err != nil {
			return nil, fmt.Errorf("%s is missing in %s: build it with `make build`, or use a running Temporal with --temporal", program, binDir)
		}
	}
	stores := [2]sqlStore{}
	var err error
	if stores[0], err = newSQLStore(defaultURL, defaultConnections); err != nil {
		return nil, err
	}
	if stores[1], err = newSQLStore(visibilityURL, visibilityConnections); err != nil {
		return nil, err
	}
	if err := t.updateSchemas(ctx, stores); err != nil {
		return nil, err
	}
	if err := forgetMembers(ctx, defaultURL); err != nil {
		return nil, err
	}
	if t.certs, err = newCertificate(ca, d.Path("temporal")); err != nil {
		return nil, err
	}
	if t.ports, err = freePorts(d.Path("temporal", "ports.json"), 8); err != nil {
		return nil, err
	}
	if err := t.configure(stores); err != nil {
		return nil, err
	}
	t.proc = temporalProcess(d)
	t.proc.command = func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(binDir, "temporal-server"), "--config-file", t.configFile(), "--allow-no-auth", "start")
		cmd.Dir = d.Path("temporal")
		cmd.Env = []string{"PATH=/usr/bin:/bin", "TZ=UTC", "HOME=" + d.Path("temporal")}
		return cmd
	}
	t.proc.await = func(ctx context.Context) error { return awaitDatabase(ctx, defaultURL) }
	return t, t.proc.start()
}

func temporalProcess(d Dirs) *process {
	return &process{
		name: "Temporal", orphan: syscall.SIGKILL, steps: temporalSteps,
		record: d.Path("run", "temporal.json"), log: d.Path("log", "temporal.log"),
	}
}

func (t *temporal) configFile() string { return t.dirs.Path("temporal", "config.yaml") }

func (t *temporal) address() string { return "127.0.0.1:" + strconv.Itoa(t.ports[0]) }

// updateSchemas lets Temporal's own tool set up and update both databases. Both
// commands leave alone what is there already.
func (t *temporal) updateSchemas(ctx context.Context, stores [2]sqlStore) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, schema := range []string{"postgresql/v12/temporal", "postgresql/v12/visibility"} {
		group.Go(func() error {
			for _, args := range [][]string{{"setup-schema", "--version", "0.0"}, {"update-schema", "--schema-name", schema}} {
				if err := t.sqlTool(ctx, stores[i], args...); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// sqlTool runs Temporal's tool on one database; the password goes by the
// environment, which other users cannot read.
func (t *temporal) sqlTool(ctx context.Context, s sqlStore, args ...string) error {
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return fmt.Errorf("address of Temporal's database: %w", err)
	}
	attributes := url.Values{}
	for k, v := range s.Attributes {
		attributes.Set(k, v)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(t.bin, "temporal-sql-tool"), append([]string{
		"--plugin", "postgres12_pgx", "--endpoint", host, "--port", port, "--user", s.User,
		"--database", s.Name, "--connect-attributes", attributes.Encode(),
	}, args...)...)
	cmd.Env = []string{"SQL_PASSWORD=" + s.Password, "PATH=/usr/bin:/bin"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("temporal-sql-tool %s on %s: %w\n%s", args[0], s.Name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// forgetMembers clears the list of servers that share the databases. There is one
// only, and it is not running: its old addresses would be waited for.
func forgetMembers(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect to Temporal's database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "DELETE FROM cluster_membership"); err != nil {
		return fmt.Errorf("clear Temporal's membership: %w", err)
	}
	return nil
}

// configure writes both configuration files.
func (t *temporal) configure(stores [2]sqlStore) error {
	dynamic := t.dirs.Path("temporal", "dynamic.yaml")
	var config bytes.Buffer
	err := temporalTemplate.Execute(&config, map[string]any{
		"Shards": historyShards, "Default": stores[0], "Visibility": stores[1], "Ports": t.ports, "Dynamic": dynamic,
		"Certificate": t.certs.certificate(), "Key": t.certs.key(), "Authority": t.certs.authority(), "ServerName": temporalServerName,
	})
	err = errors.Join(err, writeFile(t.configFile(), config.Bytes(), 0o600), writeFile(dynamic, temporalDynamic, 0o600))
	if err != nil {
		return fmt.Errorf("configure Temporal: %w", err)
	}
	return nil
}
