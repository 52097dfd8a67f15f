package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"quietline/deploy/embedded"
	"quietline/gateway"
	"quietline/gateway/issuer"
	"quietline/internal/identity"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// TestApart_servicesRunEachInItsOwnProcess runs the mesh as production does: a process a service with its identity from
// files, an outer PostgreSQL, an outer Temporal and an outer identity provider. A report becomes a task.
func TestApart_servicesRunEachInItsOwnProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL and Temporal")
	}
	a := newApart(t)
	a.start(t)
	m := &testMesh{mesh: &mesh{URL: a.gateway}, remote: remote{Gateway: a.gateway, Token: a.token(t, "CENTRE", "centre-12321")}}
	await(t, "the mesh apart is up", 90*time.Second, func() (bool, error) {
		ok, not, err := healthz(t.Context(), m.URL)
		return ok, errors.Join(err, errors.New(string(not)))
	})
	complaint := m.complaintOf(t, m.fileAsCentre(t, "17000000782"))
	m.Token = a.token(t, "LEAD", "miit")
	lead := m.as(t, "LEAD@miit")
	await(t, "a task", time.Minute, func() (bool, error) {
		r, err := assignmentv1.NewAssignmentServiceClient(lead).ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint})
		return len(r.GetTasks()) > 0, err
	})
}

// apart is what a production site has around the mesh.
type apart struct {
	stack    *embedded.Stack
	dir      string
	provider string // URL of the identity provider
	gateway  string
	addrs    map[identity.Workload]string
}

func newApart(t *testing.T) *apart {
	t.Helper()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	a := &apart{dir: meshDir(t), addrs: map[identity.Workload]string{}}
	if a.stack, err = embedded.Start(t.Context(), embedded.Config{Data: a.dir, TemporalBin: bin}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := a.stack.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	a.serveProvider(t)
	a.gateway = "http://" + freeAddress(t)
	return a
}

// serveProvider runs an OpenID provider of its own, as the agencies have theirs.
func (a *apart) serveProvider(t *testing.T) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a.provider = "http://" + lis.Addr().String()
	provider, err := issuer.Open(a.dir, a.provider)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: provider.Handler(), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(lis) }()
	t.Cleanup(func() { _ = server.Close() })
	raw, err := json.Marshal([]gateway.Issuer{{
		URL: provider.URL(), Audience: issuer.Audience, AgencyClaim: "agency", Agencies: []string{"miit", "centre-12321"},
		RolesClaim: "roles", Roles: map[string]string{"CENTRE": "CENTRE", "LEAD": "LEAD"},
	}})
	if err == nil {
		err = os.WriteFile(filepath.Join(a.dir, "issuers.json"), raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (a *apart) token(t *testing.T, role, agency string) string {
	t.Helper()
	token, err := issuer.Token(t.Context(), a.dir, a.provider, role, agency, "")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// start starts a process for each target, in no particular order.
func (a *apart) start(t *testing.T) {
	t.Helper()
	options, err := a.stack.Temporal(identity.Workflows)
	if err != nil {
		t.Fatal(err)
	}
	owners := []identity.Workload{identity.Reporting, identity.Assignment, identity.Ledger, identity.Credit, identity.Enforcement, identity.Disclosure}
	var backends, services []string
	for _, w := range append(owners, identity.Workflows) {
		a.addrs[w] = freeAddress(t)
		backends = append(backends, string(w)+"="+a.addrs[w])
		if w != identity.Workflows {
			services = append(services, "--"+string(w), a.addrs[w])
		}
	}
	a.run(t, identity.Gateway, "--listen", strings.TrimPrefix(a.gateway, "http://"), "--backends", strings.Join(backends, ";"),
		"--issuers", filepath.Join(a.dir, "issuers.json"))
	a.run(t, identity.Workflows, append(services, "--listen", a.addrs[identity.Workflows], "--temporal", options.HostPort,
		"--keys", filepath.Join(a.dir, "keys", "workflows"))...)
	for _, w := range owners {
		name := string(w)
		flags := []string{"--listen", a.addrs[w], "--database", a.stack.DatabaseURL(name), "--migrate-database", a.stack.OwnerURL(name)}
		switch w {
		case identity.Reporting:
			flags = append(flags, "--blob", "file://"+filepath.Join(a.dir, "evidence")+"?create_dir=true",
				"--casework", a.addrs[identity.Workflows], "--assignment", a.addrs[identity.Assignment])
			fallthrough
		case identity.Enforcement, identity.Assignment, identity.Credit:
			flags = append(flags, "--keys", filepath.Join(a.dir, "keys", name))
		case identity.Ledger:
			flags = append(flags, "--credit", a.addrs[identity.Credit], "--casework", a.addrs[identity.Workflows])
		}
		a.run(t, w, flags...)
	}
}

// run starts one target with the identity that its files say.
func (a *apart) run(t *testing.T, w identity.Workload, flags ...string) {
	t.Helper()
	id := filepath.Join(a.dir, "identity", string(w))
	if err := errors.Join(os.MkdirAll(id, 0o700), a.stack.CA.WriteFiles(w, id)); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{string(w), "--identity", id}, flags...)...) //nolint:gosec // ourselves
	cmd.Env = append(os.Environ(), runMain+"=1")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("%s had ended: %v", w, err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s did not end in order: %v", w, err)
		}
	})
}
