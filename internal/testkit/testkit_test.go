package testkit_test

import (
	"embed"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"quietline/internal/testkit"
)

var none embed.FS

func TestDB_isTheServicesRoleInADatabaseOfItsOwn(t *testing.T) {
	a, b := testkit.DB(t, "credit", none), testkit.DB(t, "credit", none)
	var role, name string
	if err := a.QueryRow(t.Context(), "SELECT current_user, current_database()").Scan(&role, &name); err != nil || role != "credit" {
		t.Fatalf("connected as %q, %v", role, err)
	}
	if _, err := a.Exec(t.Context(), "CREATE TABLE forbidden ()"); err == nil {
		t.Error("the service's role may make tables")
	}
	if _, err := testkit.Owner(t, a).Exec(t.Context(), "CREATE TABLE only_in_a ()"); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := b.QueryRow(t.Context(), "SELECT to_regclass('only_in_a') IS NOT NULL").Scan(&there); err != nil || there {
		t.Errorf("databases are not apart: %v, %v", there, err)
	}
}

// TestDB_manyProcessesAtOnce runs this test binary several times, as go test does with packages.
func TestDB_manyProcessesAtOnce(t *testing.T) {
	if os.Getenv("QUIETLINE_TESTKIT_CHILD") != "" {
		testkit.DB(t, "disclosure", none)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestDB_manyProcessesAtOnce$")
			cmd.Env = append(os.Environ(), "QUIETLINE_TESTKIT_CHILD=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
}

func TestPostgresURL_isASuperusers(t *testing.T) {
	if url := testkit.PostgresURL(t); !strings.HasPrefix(url, "postgres://postgres@") {
		t.Errorf("got %s", url)
	}
}
