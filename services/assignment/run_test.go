package assignment

import (
	"context"
	"net"
	"testing"

	"quietline/internal/identity"
	"quietline/internal/testkit"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// From an empty database to an answer over the network, twice: the second start finds its data and loads nothing again.
func TestRun(t *testing.T) {
	owner, service := testkit.EmptyDB(t, Role)
	cfg := Config{Database: service, MigrateDatabase: owner, Keys: t.TempDir()}
	for _, start := range []string{"first", "again"} {
		t.Run(start, func(t *testing.T) {
			conn := testkit.Running(t, identity.Assignment, identity.Gateway, func(ctx context.Context, src identity.Source, lis net.Listener) error {
				return Run(ctx, cfg, src, lis)
			})
			resp, err := assignmentv1.NewAssignmentServiceClient(conn).ListAgencies(t.Context(), &assignmentv1.ListAgenciesRequest{Kind: "operator"})
			if err != nil || len(resp.GetAgencies()) != 4 {
				t.Errorf("%d operators, %v", len(resp.GetAgencies()), err)
			}
		})
	}
}

func TestRun_withoutLexicon(t *testing.T) {
	owner, service := testkit.EmptyDB(t, Role)
	cfg := Config{Database: service, MigrateDatabase: owner, Keys: t.TempDir(), Lexicon: t.TempDir()}
	if err := Run(t.Context(), cfg, testkit.Source(t, identity.Assignment), nil); err == nil {
		t.Error("started with an empty lexicon")
	}
}
