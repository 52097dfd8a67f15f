package enforcement

import (
	"context"
	"net"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/identity"
	"quietline/internal/testkit"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// TestRun starts the service as an installation does: on an empty database, which its owner migrates.
func TestRun(t *testing.T) {
	owner, service := testkit.EmptyDB(t, "enforcement")
	cfg := Config{Database: service, MigrateDatabase: owner, Keys: t.TempDir()}
	conn := testkit.Running(t, identity.Enforcement, identity.Workflows, func(ctx context.Context, src identity.Source, lis net.Listener) error {
		return Run(ctx, cfg, src, lis)
	})
	_, err := enforcementv1.NewEnforcementServiceClient(conn).GetCase(t.Context(), &enforcementv1.GetCaseRequest{CaseId: uuid.NewString()})
	if status.Code(err) != codes.NotFound {
		t.Errorf("the first call: %v", err)
	}
}
