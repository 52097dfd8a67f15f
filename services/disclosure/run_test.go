package disclosure

import (
	"context"
	"net"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/identity"
	"quietline/internal/testkit"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// TestRun starts the service as an installation does: on an empty database, which its owner migrates.
func TestRun(t *testing.T) {
	owner, service := testkit.EmptyDB(t, "disclosure")
	cfg := Config{Database: service, MigrateDatabase: owner}
	conn := testkit.Running(t, identity.Disclosure, identity.Workflows, func(ctx context.Context, src identity.Source, lis net.Listener) error {
		return Run(ctx, cfg, src, lis)
	})
	_, err := disclosurev1.NewDisclosureServiceClient(conn).GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{PublicationId: uuid.NewString()})
	if status.Code(err) != codes.NotFound {
		t.Errorf("the first call: %v", err)
	}
}
