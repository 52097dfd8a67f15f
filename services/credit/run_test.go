package credit

import (
	"context"
	"net"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/identity"
	"quietline/internal/testkit"
	creditv1 "quietline/proto/quietline/credit/v1"
)

// TestRun starts the service as an installation does: on an empty database, which its owner migrates.
func TestRun(t *testing.T) {
	owner, service := testkit.EmptyDB(t, "credit")
	cfg := Config{Database: service, MigrateDatabase: owner, Keys: t.TempDir()}
	conn := testkit.Running(t, identity.Credit, identity.Workflows, func(ctx context.Context, src identity.Source, lis net.Listener) error {
		return Run(ctx, cfg, src, lis)
	})
	_, err := creditv1.NewCreditServiceClient(conn).GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: uuid.NewString()})
	if status.Code(err) != codes.NotFound {
		t.Errorf("the first call: %v", err)
	}
}
