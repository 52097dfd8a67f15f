package ledger

import (
	"context"
	"net"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/identity"
	"quietline/internal/testkit"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// TestRun starts the service as an installation does: on an empty database, which its owner migrates.
func TestRun(t *testing.T) {
	owner, service := testkit.EmptyDB(t, "ledger")
	cfg := Config{Database: service, MigrateDatabase: owner, Credit: "127.0.0.1:1"}
	conn := testkit.Running(t, identity.Ledger, identity.Workflows, func(ctx context.Context, src identity.Source, lis net.Listener) error {
		return Run(ctx, cfg, src, lis)
	})
	_, err := ledgerv1.NewLedgerServiceClient(conn).GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: uuid.NewString()})
	if status.Code(err) != codes.NotFound {
		t.Errorf("the first call: %v", err)
	}
}
