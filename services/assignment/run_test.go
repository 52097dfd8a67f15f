package assignment

import (
	"context"
	"net"
	"testing"

	"quietline/internal/identity"
	"quietline/internal/rpc"
	"quietline/internal/testkit"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// From an empty database to an answer over the network, twice: the second start finds its data and loads nothing again.
func TestRun(t *testing.T) {
	owner, service := testkit.EmptyDB(t, Role)
	keys := t.TempDir()
	for start := range 2 {
		lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- Run(ctx, Config{Database: service, MigrateDatabase: owner, Keys: keys}, testkit.Source(t, identity.Assignment), lis)
		}()
		conn, err := rpc.Dial(lis.Addr().String(), identity.Assignment, testkit.Source(t, identity.Gateway))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := assignmentv1.NewAssignmentServiceClient(conn).ListAgencies(ctx, &assignmentv1.ListAgenciesRequest{Kind: "operator"})
		if err != nil || len(resp.GetAgencies()) != 4 {
			t.Errorf("start %d: %d operators, %v", start+1, len(resp.GetAgencies()), err)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("start %d: %v", start+1, err)
		}
		_ = conn.Close()
	}
}

func TestRun_withoutLexicon(t *testing.T) {
	owner, service := testkit.EmptyDB(t, Role)
	cfg := Config{Database: service, MigrateDatabase: owner, Keys: t.TempDir(), Lexicon: t.TempDir()}
	if err := Run(t.Context(), cfg, testkit.Source(t, identity.Assignment), nil); err == nil {
		t.Error("started with an empty lexicon")
	}
}
