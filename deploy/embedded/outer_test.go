package embedded

import (
	"context"
	"path/filepath"
	"testing"

	"quietline/internal/identity"
)

// --database and --temporal point at real ones: here a bare PostgreSQL, whose
// administrator is no superuser, and the Temporal server of another stack.
func TestStart_outerDatabaseAndTemporal(t *testing.T) {
	other := start(t, dataDir(t))
	dirs, unlock, err := openDirs(dataDir(t))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	bare, err := startPostgres(t.Context(), dirs, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := bare.stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	query(t, bare.url(superuser, bare.secret), "CREATE ROLE boss LOGIN CREATEROLE CREATEDB PASSWORD 'boss'")

	files := t.TempDir()
	if err := other.CA.WriteFiles(identity.Workflows, files); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", filepath.Join(files, "svid.pem"))
	t.Setenv("TEMPORAL_TLS_CLIENT_KEY_PATH", filepath.Join(files, "key.pem"))
	t.Setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", filepath.Join(files, "bundle.pem"))
	t.Setenv("TEMPORAL_TLS_SERVER_NAME", temporalServerName)
	cfg := Config{Data: dataDir(t), Database: bare.url("boss", "boss"), Temporal: other.temporal.address()}
	for range 2 { // the second start finds roles and databases
		s, err := Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		query(t, s.OwnerURL("credit"), "CREATE TABLE IF NOT EXISTS thing (name text)")
		query(t, s.DatabaseURL("credit"), "SELECT 1::text")
		dial(t, s)
		stop(t, s)
	}

	cfg.Data = dataDir(t) // another data directory takes over, with passwords of its own
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	query(t, s.DatabaseURL("credit"), "SELECT 1::text")
	stop(t, s)
}
