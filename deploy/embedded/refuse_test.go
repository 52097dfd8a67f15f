package embedded

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever cannot work is refused before anything starts, in words that say what
// to do.

func TestStart_newerVersionRefused(t *testing.T) {
	data := dataDir(t)
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "VERSION"), []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{Data: data})
	wantMessage(t, err, data, "version 99", "versions up to 1", "newer")
}

func TestStart_foreignFolderRefused(t *testing.T) {
	data := dataDir(t)
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "thesis.tex"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{Data: data})
	wantMessage(t, err, data, "not empty", "thesis.tex", "--data")
	if entries, err := os.ReadDir(data); err != nil || len(entries) != 1 {
		t.Errorf("a refused start leaves %v, %v", entries, err)
	}
}

func TestStart_closedParentNamed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("PostgreSQL runs as ourselves unless we are root")
	}
	closed := filepath.Dir(dataDir(t))
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{Data: filepath.Join(closed, "deep", "data")})
	wantMessage(t, err, "cannot enter "+closed+":", "chmod o+x "+closed, "--data")
}

func TestStart_missingPostgreSQL(t *testing.T) {
	_, err := Start(t.Context(), Config{Data: dataDir(t), PostgresBin: t.TempDir()})
	wantMessage(t, err, "no PostgreSQL server programs")

	t.Setenv("PATH", t.TempDir())
	if _, err := findPostgres("", filepath.Join(t.TempDir(), "none")); err != nil {
		wantMessage(t, err, "PostgreSQL is not installed", "apt-get install postgresql", "--database")
	}
}

func TestFindPostgres_clusterOfAnotherRelease(t *testing.T) {
	cluster := t.TempDir()
	if err := os.WriteFile(filepath.Join(cluster, "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := findPostgres("", cluster)
	wantMessage(t, err, "made by PostgreSQL 9", "install postgresql-9")
}

func TestStart_missingTemporalPrograms(t *testing.T) {
	data := dataDir(t)
	_, err := Start(t.Context(), Config{Data: data, TemporalBin: t.TempDir()})
	wantMessage(t, err, "temporal-server is missing", "make build", "--temporal")
	if left := runningOn(t, data); len(left) > 0 {
		t.Errorf("a failed start leaves behind %q", left)
	}
}

func TestStart_wrongDatabaseURL(t *testing.T) {
	_, err := Start(t.Context(), Config{Data: dataDir(t), Database: "host=db user=me"})
	wantMessage(t, err, "--database must be a URL")
}

func TestCheckFree_fullDisk(t *testing.T) {
	err := checkFree(t.TempDir(), 1<<62)
	wantMessage(t, err, "full", "MB free", "--data")
	if err := checkFree(t.TempDir(), 1); err != nil {
		t.Error(err)
	}
}

func TestListen_takenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Listen(l.Addr().String(), "--listen")
	wantMessage(t, err, l.Addr().String(), "taken by another program", "--listen")
}

func TestRuntimeDir_strangersFolderRefused(t *testing.T) {
	cluster := filepath.Join(t.TempDir(), "cluster")
	as, err := chooseAccount(cluster)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := runtimeDir(cluster, as)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	if len(dir)+len("/.s.PGSQL.5432.lock") > 107 {
		t.Errorf("%s is too long for a socket", dir)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err = runtimeDir(cluster, as)
	wantMessage(t, err, dir, "not a private folder", "remove it")
}

func TestBoundLog_keepsTheNewest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(strings.Repeat("old\n", 100)+"new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := boundLog(path, 40); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(path + ".1")
	if err != nil || len(kept) != 40 || !strings.HasSuffix(string(kept), "new\n") {
		t.Errorf("kept %q, %v", kept, err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("the log is not empty: %v, %v", info, err)
	}
}
