package embedded

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// superuser is the cluster's first role; only this package uses it.
const superuser = "postgres"

//go:embed postgresql.conf
var postgresConf []byte

// clientAuth lets passwords in over the socket and nobody over a network.
const clientAuth = "# Written by quietline at each start.\nlocal all all scram-sha-256\n"

// postgres is the private cluster.
type postgres struct {
	bin     binaries
	as      account
	cluster string // its data directory
	sockets string // runtime directory that holds the socket
	secret  string // superuser's password
	proc    *process
}

// Fast shutdown breaks connections and writes a checkpoint; immediate leaves the
// work to recovery at the next start.
var postgresSteps = []step{{syscall.SIGINT, 30 * time.Second}, {syscall.SIGQUIT, 10 * time.Second}}

// startPostgres makes the cluster if there is none and starts it.
func startPostgres(ctx context.Context, d Dirs, binDir string) (*postgres, error) {
	p := &postgres{cluster: d.Path("postgres")}
	var err error
	if p.bin, err = findPostgres(binDir, p.cluster); err != nil {
		return nil, err
	}
	if p.as, err = chooseAccount(p.cluster); err != nil {
		return nil, err
	}
	if err = p.as.canEnter(d.Root); err != nil {
		return nil, err
	}
	if err = p.password(d.Path("secrets", superuser)); err != nil {
		return nil, err
	}
	if p.sockets, err = runtimeDir(p.cluster, p.as); err != nil {
		return nil, err
	}
	if err = p.initialise(); err != nil {
		return nil, err
	}
	if err = p.clearStalePid(); err != nil {
		return nil, err
	}
	return p, p.launch(ctx, d)
}

// password reads the superuser's password; for a new cluster it is generated, and
// kept before the cluster has it, since nothing else could open the cluster again.
func (p *postgres) password(path string) error {
	password, known, err := secret(path)
	if err != nil {
		return err
	}
	if known {
		p.secret = password
		return nil
	}
	if _, err := os.Stat(p.cluster); err == nil {
		return fmt.Errorf("%s is missing: it holds the password of the cluster in %s", path, p.cluster)
	}
	p.secret = newSecret()
	return keepSecret(path, p.secret)
}

// initialise makes the cluster, under another name until it is complete.
func (p *postgres) initialise() error {
	_, err := os.Stat(p.cluster)
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fresh := p.cluster + ".new"
	if err := os.RemoveAll(fresh); err != nil { // of a start that was cut short
		return fmt.Errorf("remove a half-made cluster: %w", err)
	}
	if err := errors.Join(os.Mkdir(fresh, 0o700), p.as.own(fresh)); err != nil {
		return fmt.Errorf("make the cluster: %w", err)
	}
	password := filepath.Join(p.sockets, "password") // a place that the account can read
	if err := errors.Join(writeFile(password, []byte(p.secret+"\n"), 0o600), p.as.own(password)); err != nil {
		return fmt.Errorf("make the cluster: %w", err)
	}
	defer os.Remove(password)
	cmd := p.as.run(p.bin.path("initdb"), "-D", fresh, "-U", superuser, "--pwfile", password,
		"--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--data-checksums")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	if err := os.Rename(fresh, p.cluster); err != nil {
		return fmt.Errorf("make the cluster: %w", err)
	}
	return nil
}

// configure writes the settings; local.conf in the cluster's folder has the last
// word and is never touched.
func (p *postgres) configure() error {
	conf := append(append([]byte{}, postgresConf...), fmt.Appendf(nil,
		"unix_socket_directories = '%s'\ninclude 'local.conf'\n", strings.ReplaceAll(p.sockets, "'", "''"))...)
	local := filepath.Join(p.cluster, "local.conf")
	if _, err := os.Stat(local); errors.Is(err, os.ErrNotExist) {
		if err := errors.Join(writeFile(local, []byte("# Settings of your own; they win over postgresql.conf.\n"), 0o600), p.as.own(local)); err != nil {
			return fmt.Errorf("configure PostgreSQL: %w", err)
		}
	}
	for name, content := range map[string][]byte{"postgresql.conf": conf, "pg_hba.conf": []byte(clientAuth)} {
		path := filepath.Join(p.cluster, name)
		if err := errors.Join(writeFile(path, content, 0o600), p.as.own(path)); err != nil {
			return fmt.Errorf("configure PostgreSQL: %w", err)
		}
	}
	return nil
}

// clearStalePid deals with what a run that ended by force left behind. If that
// server still runs it is stopped; if its number now belongs to a stranger, or to
// a zombie, PostgreSQL would refuse to start, so its pid and socket files go. With
// them goes PostgreSQL's own check that no orphaned session still writes to the
// cluster, so that is waited for here.
func (p *postgres) clearStalePid() error {
	path := filepath.Join(p.cluster, "postmaster.pid")
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read postmaster.pid: %w", err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	if pid, err := strconv.Atoi(first); err == nil && commandNames(pid, p.cluster) {
		if r := find(pid); r.alive() {
			if err := r.stop(postgresSteps); err != nil {
				return err
			}
		}
	}
	if err := endOrphans(p.cluster); err != nil {
		return err
	}
	stale, err := filepath.Glob(filepath.Join(p.sockets, ".s.PGSQL.*"))
	if err != nil {
		return fmt.Errorf("sockets in %s: %w", p.sockets, err)
	}
	for _, file := range append(stale, path) {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove a stale file: %w", err)
		}
	}
	return nil
}

// launch starts the server and waits until it answers.
func (p *postgres) launch(ctx context.Context, d Dirs) error {
	if err := p.configure(); err != nil {
		return err
	}
	p.proc = postgresProcess(d)
	p.proc.command = p.as.command(p.bin.path("postgres"), "-D", p.cluster)
	if err := p.proc.start(); err != nil {
		return err
	}
	err := poll(ctx, p.proc, recoveryLimit, func(ctx context.Context) error {
		return ping(ctx, p.url(superuser, p.secret))
	})
	if err != nil {
		return errors.Join(err, p.stop(context.WithoutCancel(ctx)))
	}
	return nil
}

// stop ends the server and removes its runtime folder.
func (p *postgres) stop(ctx context.Context) error {
	return errors.Join(p.proc.stop(ctx), os.RemoveAll(p.sockets))
}

// recoveryLimit is how long PostgreSQL may take to replay its log after a crash.
const recoveryLimit = 5 * time.Minute

func ping(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// awaitDatabase waits until a database answers.
func awaitDatabase(ctx context.Context, databaseURL string) error {
	ctx, cancel := context.WithTimeout(ctx, recoveryLimit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ping(ctx, databaseURL)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("its database does not answer: %w", err)
		case <-tick.C:
		}
	}
}

func postgresProcess(d Dirs) *process {
	return &process{
		name: "PostgreSQL", orphan: syscall.SIGINT, steps: postgresSteps,
		record: d.Path("run", "postgres.json"), log: d.Path("log", "postgres.log"),
	}
}

// url is how a role reaches the cluster, at its administrative database.
func (p *postgres) url(role, password string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, password), Path: "/postgres",
		RawQuery: url.Values{"host": {p.sockets}, "port": {"5432"}, "sslmode": {"disable"}}.Encode(),
	}
	return u.String()
}

// runtimeDir makes the folder for the cluster's socket: a short path, the same at
// each start, private to the account. Somebody else's folder of that name is
// refused: /tmp is open to all.
func runtimeDir(cluster string, as account) (string, error) {
	base := os.Getenv("XDG_RUNTIME_DIR")
	if as.cred != nil || base == "" || len(base) > 60 {
		base = "/tmp"
	}
	if info, err := os.Stat("/run"); as.cred != nil && err == nil && info.IsDir() {
		base = "/run"
	}
	sum := sha256.Sum256([]byte(cluster))
	dir := filepath.Join(base, "quietline-"+hex.EncodeToString(sum[:6]))
	if err := os.Mkdir(dir, 0o700); err == nil {
		return dir, as.own(dir)
	} else if !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make the runtime folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("runtime folder: %w", err)
	}
	owner, _ := ownerOf(dir)
	if !info.IsDir() || info.Mode().Perm() != 0o700 || owner != as.uid && owner != uint32(os.Geteuid()) {
		return "", fmt.Errorf("%s exists and is not a private folder of user %s: remove it", dir, as.name)
	}
	return dir, as.own(dir)
}

// poll asks until the answer is nil, the child has ended, or time is up.
func poll(ctx context.Context, p *process, limit time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended():
			return p.died()
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w; its last words in %s:\n%s", p.name, err, p.log, tail(p.log, 12))
		case <-tick.C:
		}
	}
}
