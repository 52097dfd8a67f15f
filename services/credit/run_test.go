package credit

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
	creditv1 "quietline/proto/quietline/credit/v1"
)

// TestRun starts the service as an installation does: on an empty database, which its owner migrates.
func TestRun(t *testing.T) {
	owner, service := testkit.EmptyDB(t, "credit")
	lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Config{Database: service, MigrateDatabase: owner, Keys: t.TempDir()}, testkit.Source(t, identity.Credit), lis)
	}()
	conn, err := rpc.Dial(lis.Addr().String(), identity.Credit, testkit.Source(t, identity.Workflows))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = creditv1.NewCreditServiceClient(conn).GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: uuid.NewString()})
	if status.Code(err) != codes.NotFound {
		t.Errorf("the first call: %v", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("stopping: %v", err)
	}
}
