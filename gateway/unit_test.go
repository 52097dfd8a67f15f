package gateway

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quietline/gateway/issuer"
	"quietline/internal/identity"
)

func TestConfig_safeListening(t *testing.T) {
	loop := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	anywhere := &net.TCPAddr{IP: net.IPv4zero, Port: 8080}
	for _, c := range []struct {
		name     string
		cfg      Config
		addr     net.Addr
		ok, demo bool
	}{
		{"loopback", Config{Demo: "d"}, loop, true, true},
		{"IPv6 loopback", Config{Demo: "d"}, &net.TCPAddr{IP: net.IPv6loopback, Port: 1}, true, true},
		{"loopback without demo", Config{}, loop, true, false},
		{"everywhere in clear", Config{Demo: "d"}, anywhere, false, false},
		{"everywhere with TLS", Config{Demo: "d", TLSCert: "c", TLSKey: "k"}, anywhere, true, false},
		{"everywhere behind a proxy", Config{Demo: "d", BehindProxy: true}, anywhere, true, false},
		{"loopback behind a proxy", Config{Demo: "d", BehindProxy: true}, loop, true, false},
		{"certificate without key", Config{TLSCert: "c"}, loop, false, false},
	} {
		if err := c.cfg.Check(c.addr); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := c.cfg.demo(c.addr); got != c.demo {
			t.Errorf("%s: demo accounts %v, want %v", c.name, got, c.demo)
		}
	}
}

func TestRun_refusesToStart(t *testing.T) {
	ca, err := identity.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	src, err := ca.Source(identity.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	taken := listen(t)
	defer func() { _ = taken.Close() }()
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"no backends":   {Config{Listen: "127.0.0.1:0"}, "no address for reporting"},
		"taken port":    {Config{Listen: taken.Addr().String()}, "listen on"},
		"others, clear": {Config{Listen: "0.0.0.0:0"}, "needs --tls-cert"},
		"no issuers":    {Config{Listen: "127.0.0.1:0", Issuers: filepath.Join(t.TempDir(), "none")}, "read issuers"},
	} {
		if err := Run(t.Context(), c.cfg, src, nil, Deps{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestAddressOf(t *testing.T) {
	for _, c := range []struct {
		remote    string
		forwarded []string
		proxy     bool
		want      string
	}{
		{"192.0.2.7:1234", nil, false, "192.0.2.7"},
		{"192.0.2.7:1234", []string{"198.51.100.1"}, false, "192.0.2.7"},
		{"10.0.0.1:1", []string{"203.0.113.9, 198.51.100.1"}, true, "198.51.100.1"},
		{"10.0.0.1:1", []string{"203.0.113.9", "198.51.100.2"}, true, "198.51.100.2"},
		{"10.0.0.1:1", nil, true, "10.0.0.1"},
		{"[2001:db8:1:2:3:4:5:6]:1", nil, false, "2001:db8:1:2::/64"},
		{"[::ffff:192.0.2.7]:1", nil, false, "192.0.2.7"},
		{"10.0.0.1:1", []string{"nonsense"}, true, "unknown"},
	} {
		if got := addressOf(c.remote, c.forwarded, c.proxy); got != c.want {
			t.Errorf("addressOf(%s, %v, %v) = %s, want %s", c.remote, c.forwarded, c.proxy, got, c.want)
		}
	}
}

func TestBuckets(t *testing.T) {
	now := time.Unix(0, 0)
	b := newBuckets(2, 3, func() time.Time { return now })
	for range 3 {
		if _, ok := b.take("a"); !ok {
			t.Fatal("the burst is not given")
		}
	}
	if wait, ok := b.take("a"); ok || wait != 500*time.Millisecond {
		t.Errorf("fourth call: %v %v", wait, ok)
	}
	if _, ok := b.take("b"); !ok {
		t.Error("another caller pays for the first")
	}
	now = now.Add(500 * time.Millisecond)
	if _, ok := b.take("a"); !ok {
		t.Error("a refusal cost a token")
	}
}

func TestLRU_forgetsTheOldest(t *testing.T) {
	l := newLRU[string, int](2)
	l.put("a", 1)
	l.put("b", 2)
	l.get("a")
	l.put("c", 3)
	if _, ok := l.get("b"); ok {
		t.Error("b is still there")
	}
	if v, ok := l.get("a"); !ok || v != 1 {
		t.Error("a is gone")
	}
}

func TestServices_everyWorkloadIsKnown(t *testing.T) {
	names, err := Workloads()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if identity.Workload(name).Caller() == 0 {
			t.Errorf("%q is no workload of the mesh", name)
		}
	}
	if len(names) != 7 {
		t.Errorf("workloads = %v, want 7", names)
	}
}

func TestIssuer_secretsAndAccounts(t *testing.T) {
	dir := t.TempDir()
	p, err := issuer.Open(dir, "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.Open(dir, "http://127.0.0.1:1"); err != nil {
		t.Errorf("open again: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "secrets", "*"))
	if err != nil || len(files) != 2 {
		t.Errorf("secrets = %v, %v", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file, info.Mode(), err)
		}
	}
	if p.URL() != "http://127.0.0.1:1/issuer" {
		t.Errorf("URL = %s", p.URL())
	}
	for _, c := range []struct{ role, agency, subject string }{
		{"PUBLIC", "miit", ""}, {"SYSTEM", "miit", ""}, {"KING", "miit", ""}, {"HEAD", "", ""}, {"HEAD", "a b", ""}, {"HEAD", "miit", "a b"},
	} {
		if _, err := issuer.Source(dir, "http://127.0.0.1:1", c.role, c.agency, c.subject); err == nil {
			t.Errorf("account %v is accepted", c)
		}
	}
	if _, err := issuer.Source(t.TempDir(), "http://127.0.0.1:1", "HEAD", "miit", ""); err == nil || !strings.Contains(err.Error(), "no demo accounts") {
		t.Errorf("without a secret: %v", err)
	}
}

func TestIssuer_refuses(t *testing.T) {
	m := mesh(t, Config{})
	for _, role := range issuer.Roles() {
		if m.token(t, role, "miit") == "" {
			t.Errorf("no token for %s", role)
		}
	}
	if err := os.WriteFile(issuer.SecretFile(m.data), []byte("wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.Token(t.Context(), m.data, m.url, "HEAD", "miit", ""); err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("wrong secret: %v", err)
	}
	for _, body := range []string{"", "grant_type=password", "grant_type=client_credentials&client_id=demo", strings.Repeat("a=b&", 10_000)} {
		got := m.post(t, "/issuer/token", body, "Content-Type", "application/x-www-form-urlencoded")
		if got.status < 400 || got.status >= 500 {
			t.Errorf("token request %.40q = %d %s", body, got.status, got.body)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := issuer.Token(ctx, m.data, m.url, "HEAD", "miit", ""); err == nil {
		t.Error("a token for nobody who waits")
	}
}
