package access_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// bans say which packages may not depend on which, not even through others, and why.
var bans = []struct {
	from string // a package with all below it, or what is below a path that ends in a slash
	to   []string
	why  string
}{
	{
		from: "quietline/proto/", to: []string{"quietline/internal/", "quietline/services/", "quietline/workflows", "quietline/gateway", "quietline/cmd/"},
		why: "protos are the leaf that outside programs generate from as well",
	},
	{
		from: "quietline/internal/", to: []string{"quietline/services/", "quietline/workflows", "quietline/gateway", "quietline/cmd/"},
		why: "plumbing knows no trade, so that any service can stand on it",
	},
	{
		from: "quietline/services/", to: []string{"quietline/workflows", "quietline/gateway", "quietline/cmd/"},
		why: "a service answers whoever its rules name and does not know who drives it",
	},
	{
		from: "quietline/services/", to: []string{"go.temporal.io/"},
		why: "there is one durable engine and one place that speaks to it; filing works while it is down",
	},
	{
		from: "quietline/services/", to: []string{"connectrpc.com/"},
		why: "the edge is the gateway's; services speak gRPC over mTLS only",
	},
	{
		from: "quietline/workflows", to: []string{"quietline/services/"},
		why: "each fact has one owner, reached by its RPCs and never by its code",
	},
	{
		from: "quietline/workflows", to: []string{"quietline/gateway", "quietline/cmd/", "connectrpc.com/"},
		why: "the edge is the gateway's",
	},
	{
		from: "quietline/gateway", to: []string{"quietline/services/", "quietline/cmd/"},
		why: "the gateway forwards by descriptor and never needs a service's code",
	},
}

type goPackage struct {
	ImportPath string
	Deps       []string
}

func TestImports(t *testing.T) {
	packages := listPackages(t)
	for _, ban := range bans {
		for _, p := range packages {
			if !under(p.ImportPath, ban.from) {
				continue
			}
			for _, dep := range p.Deps {
				for _, to := range ban.to {
					if under(dep, to) {
						t.Errorf("%s depends on %s: %s", p.ImportPath, dep, ban.why)
					}
				}
			}
		}
	}
	for _, p := range packages {
		own, ok := serviceOf(p.ImportPath)
		if !ok {
			continue
		}
		for _, dep := range p.Deps {
			if other, ok := serviceOf(dep); ok && other != own {
				t.Errorf("%s depends on %s: services ask each other by RPC, where access rules hold", p.ImportPath, dep)
			}
		}
	}
}

// under says whether path is the package prefix or below it.
func under(path, prefix string) bool {
	if strings.HasSuffix(prefix, "/") {
		return strings.HasPrefix(path, prefix)
	}
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

func serviceOf(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "quietline/services/")
	name, _, _ := strings.Cut(rest, "/")
	return name, ok
}

// listPackages asks the go tool, without tests: those may use the whole mesh.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Deps", "quietline/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	var packages []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if strings.HasPrefix(p.ImportPath, "quietline/") {
			packages = append(packages, p)
		}
	}
	if len(packages) < 10 {
		t.Fatalf("go list found %d packages of the module", len(packages))
	}
	return packages
}
