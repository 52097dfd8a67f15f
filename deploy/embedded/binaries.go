package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// minPostgres is the oldest release with all that the mesh's tables use.
const minPostgres = 14

// binaries is one PostgreSQL installation.
type binaries struct {
	dir   string
	major int
}

func (b binaries) path(name string) string { return filepath.Join(b.dir, name) }

const installHint = "install it (Debian, Ubuntu: `apt-get install postgresql`; `make up` does that where it may), " +
	"name its folder with --postgres-bin, or use a running one with --database"

// findPostgres finds an installation that can run the cluster: exactly its own
// release if the cluster exists, else the newest of the machine.
func findPostgres(dir, cluster string) (binaries, error) {
	candidates := []string{dir}
	if dir == "" {
		candidates = nil
		for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin"} {
			found, _ := filepath.Glob(pattern) // fails on bad patterns only
			candidates = append(candidates, found...)
		}
		if p, err := exec.LookPath("postgres"); err == nil {
			candidates = append(candidates, filepath.Dir(p))
		}
	}
	want, err := clusterMajor(cluster)
	if err != nil {
		return binaries{}, err
	}
	var best binaries
	var seen []string
	for _, c := range candidates {
		b := binaries{dir: c, major: postgresMajor(c)}
		if b.major == 0 {
			continue
		}
		seen = append(seen, strconv.Itoa(b.major))
		if want == b.major || want == 0 && b.major >= minPostgres && b.major > best.major {
			best = b
		}
	}
	switch {
	case best.dir != "":
		return best, nil
	case len(seen) == 0 && dir != "":
		return best, fmt.Errorf("no PostgreSQL server programs (postgres, initdb) in %s", dir)
	case len(seen) == 0:
		return best, errors.New("PostgreSQL is not installed: " + installHint)
	case want != 0:
		return best, fmt.Errorf("%s was made by PostgreSQL %d, this machine has %s: install postgresql-%d, or move the data with pg_upgrade",
			cluster, want, strings.Join(seen, ", "), want)
	}
	return best, fmt.Errorf("PostgreSQL %s is too old, %d or newer is needed: %s", strings.Join(seen, ", "), minPostgres, installHint)
}

// clusterMajor is the release that made the cluster, 0 if there is none yet.
func clusterMajor(cluster string) (int, error) {
	raw, err := os.ReadFile(filepath.Join(cluster, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("version of the cluster: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0, fmt.Errorf("version of the cluster %s: %w", cluster, err)
	}
	return major, nil
}

var postgresVersion = regexp.MustCompile(`PostgreSQL\) (\d+)`)

// postgresMajor asks an installation for its release; 0 if it is not one.
func postgresMajor(dir string) int {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	m := postgresVersion.FindSubmatch(out)
	if m == nil {
		return 0
	}
	major, _ := strconv.Atoi(string(m[1])) // digits by the pattern
	return major
}
