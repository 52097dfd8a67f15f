package ledger

import (
	"context"
	"net"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/identity"
	"quietline/internal/rpc"
	"quietline/internal/testkit"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// TestRun starts the service as an installation does: on an empty database, which its owner migrates.
func TestRun(t *testing.T) {
	owner, service := testkit.EmptyDB(t, "ledger")
	lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Config{Database: service, MigrateDatabase: owner, Credit: "127.0.0.1:1"}, testkit.Source(t, identity.Ledger), lis)
	}()
	conn, err := rpc.Dial(lis.Addr().String(), identity.Ledger, testkit.Source(t, identity.Workflows))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = ledgerv1.NewLedgerServiceClient(conn).GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: uuid.NewString()})
	if status.Code(err) != codes.NotFound {
		t.Errorf("the first call: %v", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("stopping: %v", err)
	}
}
