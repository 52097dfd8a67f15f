package identity_test

import (
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/testing/protocmp"

	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

func TestWorkloads_areTheCallersOfTheRules(t *testing.T) {
	for n := range accessv1.Caller_name {
		c := accessv1.Caller(n)
		if c == accessv1.Caller_CALLER_UNSPECIFIED {
			continue
		}
		w := identity.WorkloadOfCaller(c)
		got, err := identity.WorkloadOf(identity.ID(w))
		if err != nil || got.Caller() != c {
			t.Errorf("%v -> %q -> %v, %v", c, w, got.Caller(), err)
		}
	}
	for _, id := range []string{
		"spiffe://quietline.internal/intruder", "spiffe://quietline.internal/unspecified", "spiffe://quietline.internal",
		"spiffe://elsewhere.example/gateway", "spiffe://quietline.internal/a/gateway",
	} {
		if w, err := identity.WorkloadOf(spiffeid.RequireFromString(id)); err == nil {
			t.Errorf("%s is taken for %q", id, w)
		}
	}
}

func TestCA_survivesRestartAndGuardsItsKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	first, err := identity.LoadOrCreateCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(dir, "ca-key.pem")); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("key: %v, %v", st.Mode(), err)
	}
	second, err := identity.LoadOrCreateCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	src, err := second.Source(identity.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	verify(t, src, first, identity.Ledger)

	if err := os.Remove(filepath.Join(dir, "ca-key.pem")); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.LoadOrCreateCA(dir); err == nil {
		t.Error("a lost key made a new authority silently")
	}
}

func TestCASource_isShortLived(t *testing.T) {
	ca, err := identity.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	src, err := ca.Source(identity.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	cert := verify(t, src, ca, identity.Gateway)
	if left := time.Until(cert.NotAfter); left > time.Hour {
		t.Errorf("valid for %v", left)
	}
}

// verify checks src's certificate against the authority ca, by way of another source of it.
func verify(t *testing.T, src identity.Source, ca *identity.CA, want identity.Workload) *x509.Certificate {
	t.Helper()
	svid, err := src.GetX509SVID()
	if err != nil {
		t.Fatal(err)
	}
	other, err := ca.Source(identity.Credit)
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := x509svid.Verify(svid.Certificates, other)
	if err != nil || id != identity.ID(want) {
		t.Fatalf("verified %v, %v", id, err)
	}
	return svid.Certificates[0]
}

func TestFromFiles_followsChangesAndKeepsTheLastGoodIdentity(t *testing.T) {
	dir := t.TempDir()
	src := identity.FromFiles(dir)
	if _, err := src.GetX509SVID(); err == nil {
		t.Fatal("an empty directory gave an identity")
	}
	ca, err := identity.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	if err := ca.WriteFiles(identity.Ledger, dir); err != nil {
		t.Fatal(err)
	}
	first := verify(t, src, ca, identity.Ledger)

	if err := ca.WriteFiles(identity.Ledger, dir); err != nil {
		t.Fatal(err)
	}
	renewed := await(t, func() bool { return verify(t, src, ca, identity.Ledger).SerialNumber.Cmp(first.SerialNumber) != 0 })
	if !renewed {
		t.Fatal("the new certificate is not taken up")
	}
	second := verify(t, src, ca, identity.Ledger)

	if err := os.WriteFile(filepath.Join(dir, "svid.pem"), []byte("half of a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	kept := !await(t, func() bool { return verify(t, src, ca, identity.Ledger).SerialNumber.Cmp(second.SerialNumber) != 0 })
	if !kept {
		t.Error("a broken file changed the identity")
	}
}

// await asks until it is so, or for long enough that files have been looked at again.
func await(t *testing.T, so func() bool) bool {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2500 * time.Millisecond); time.Now().Before(end); <-tick.C {
		if so() {
			return true
		}
	}
	return false
}

func TestActor_travelsAndReplacesWhatStandsThere(t *testing.T) {
	want := &commonv1.Actor{Subject: "s", AgencyId: "a", Roles: []accessv1.Role{accessv1.Role_ROLE_HEAD}}
	ctx := metadata.AppendToOutgoingContext(t.Context(), identity.ActorKey, "forged", "other", "kept")
	ctx, err := identity.Send(identity.WithActor(ctx, want))
	if err != nil {
		t.Fatal(err)
	}
	md, _ := metadata.FromOutgoingContext(ctx)
	if got := md.Get("other"); len(got) != 1 || got[0] != "kept" {
		t.Errorf("other metadata: %v", got)
	}
	got, err := identity.Received(metadata.NewIncomingContext(context.Background(), md))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestReceived_refusesNonsense(t *testing.T) {
	for name, md := range map[string]metadata.MD{
		"garbage":    metadata.Pairs(identity.ActorKey, "\xff\xff\xff"),
		"two actors": metadata.Pairs(identity.ActorKey, "", identity.ActorKey, ""),
	} {
		if a, err := identity.Received(metadata.NewIncomingContext(t.Context(), md)); err == nil {
			t.Errorf("%s: %v", name, a)
		}
	}
}

func TestActorOf_isAnonymousWhenNobodyWasSet(t *testing.T) {
	a := identity.ActorOf(t.Context())
	if a.GetSubject() != identity.AnonymousSubject || !identity.HasRole(a, accessv1.Role_ROLE_PUBLIC) || identity.HasRole(a, accessv1.Role_ROLE_HEAD) {
		t.Errorf("got %v", a)
	}
	head := &commonv1.Actor{Roles: []accessv1.Role{accessv1.Role_ROLE_HEAD}}
	if !identity.HasRole(head, accessv1.Role_ROLE_PUBLIC) || !identity.HasRole(head, accessv1.Role_ROLE_CENTRE, accessv1.Role_ROLE_HEAD) || identity.HasRole(head) {
		t.Error("roles of a head")
	}
}
