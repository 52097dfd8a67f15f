package workflows

import (
	"context"
	"net"
	"testing"
	"time"

	"quietline/internal/identity"
	"quietline/internal/rpc"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Casework serves while Temporal is away: it says so, and what needs Temporal is refused for now.
func TestRun_temporalAway(t *testing.T) {
	lis := listen(t)
	nobody := listen(t).Addr().String() // never accepts
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	cfg := Config{
		Temporal: nobody, Keys: t.TempDir(), Profile: Rehearsal, Reporting: nobody, Assignment: nobody, Ledger: nobody,
		Credit: nobody, Enforcement: nobody, Disclosure: nobody,
	}
	go func() { ended <- Run(ctx, cfg, testkit.Source(t, identity.Workflows), lis) }()

	conn, err := rpc.Dial(lis.Addr().String(), identity.Workflows, testkit.Source(t, identity.Gateway), rpc.WaitForReady())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	lead := identity.WithActor(ctx, &commonv1.Actor{Subject: "lead", Roles: []accessv1.Role{roleLead}})
	status, err := caseworkv1.NewCaseworkServiceClient(conn).GetStatus(lead, &caseworkv1.GetStatusRequest{})
	if err != nil || status.GetServing() || status.GetProfile() != Rehearsal {
		t.Errorf("status %v (%v)", status, err)
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("does not end")
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lis.Close() })
	return lis
}
