package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"quietline/gateway/client"
	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// ministry is an identity provider outside the mesh.
type ministry struct {
	*httptest.Server
	key jose.JSONWebKey
}

func newMinistry(t *testing.T) *ministry {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := &ministry{key: jose.JSONWebKey{Key: private, KeyID: "k1", Algorithm: "ES256", Use: "sig"}}
	mux := http.NewServeMux()
	m.Server = httptest.NewServer(mux)
	t.Cleanup(m.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": m.URL, "jwks_uri": m.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256", "HS256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{m.key.Public()}})
	})
	return m
}

func (m *ministry) trust() Issuer {
	return Issuer{
		Name: "miit", URL: m.URL, Audience: "quietline", Agency: "miit",
		RolesClaim: "realm_access.roles", Roles: map[string]string{"handler": "CASEWORKER", "boss": "HEAD"},
	}
}

func (m *ministry) claims() map[string]any {
	return map[string]any{
		"iss": m.URL, "aud": "quietline", "sub": "zhang", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"realm_access": map[string]any{"roles": []string{"handler", "gardener"}},
	}
}

func (m *ministry) with(change map[string]any) map[string]any {
	claims := m.claims()
	maps.Copy(claims, change)
	return claims
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func unsigned(t *testing.T, claims map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(raw) + "."
}

func TestAuth_whoMayCall(t *testing.T) {
	out := newMinistry(t)
	m := mesh(t, Config{MoreIssuers: []Issuer{out.trust()}, SecretRate: 1e6, SecretBurst: 1e6, PublicRate: 1e6, PublicBurst: 1e6})
	other := newMinistry(t)
	good := sign(t, jose.ES256, out.key, out.claims())
	for _, c := range []struct {
		name    string
		headers []string
		status  int
		want    string
	}{
		{"no token", nil, http.StatusUnauthorized, "needs a token of role"},
		{"good", []string{"Bearer " + good}, http.StatusOK, ""},
		{"good, in lower case", []string{"bearer " + good}, http.StatusOK, ""},
		{"other role", []string{"Bearer " + m.token(t, "STATISTICIAN", "miit")}, http.StatusForbidden, "ROLE_NOT_ALLOWED"},
		{"no role known here", []string{"Bearer " + sign(t, jose.ES256, out.key, out.with(map[string]any{"realm_access": 1}))}, http.StatusForbidden, "ROLE_NOT_ALLOWED"},
		{"empty", []string{""}, http.StatusUnauthorized, "must be: Bearer"},
		{"password", []string{"Basic " + canary}, http.StatusUnauthorized, "must be: Bearer"},
		{"two tokens", []string{"Bearer " + good, "Bearer " + good}, http.StatusUnauthorized, "one Authorization header"},
		{"nonsense", []string{"Bearer " + canary}, http.StatusUnauthorized, "issuer is not known"},
		{"huge", []string{"Bearer " + strings.Repeat("a", 20_000)}, http.StatusUnauthorized, "must be: Bearer"},
		{"expired", []string{"Bearer " + sign(t, jose.ES256, out.key, out.with(map[string]any{"exp": time.Now().Add(-time.Second).Unix()}))}, http.StatusUnauthorized, "expired"},
		{"not yet", []string{"Bearer " + sign(t, jose.ES256, out.key, out.with(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}))}, http.StatusUnauthorized, "not accepted"},
		{"other audience", []string{"Bearer " + sign(t, jose.ES256, out.key, out.with(map[string]any{"aud": canary}))}, http.StatusUnauthorized, "not accepted"},
		{"no subject", []string{"Bearer " + sign(t, jose.ES256, out.key, out.with(map[string]any{"sub": ""}))}, http.StatusUnauthorized, "no subject"},
		{"unknown issuer", []string{"Bearer " + sign(t, jose.ES256, other.key, other.claims())}, http.StatusUnauthorized, "issuer is not known"},
		{"other's key", []string{"Bearer " + sign(t, jose.ES256, other.key, out.claims())}, http.StatusUnauthorized, "not accepted"},
		{"shared secret", []string{"Bearer " + sign(t, jose.HS256, []byte(strings.Repeat("k", 32)), out.claims())}, http.StatusUnauthorized, "not accepted"},
		{"no signature", []string{"Bearer " + unsigned(t, out.claims())}, http.StatusUnauthorized, "not accepted"},
		{"changed", []string{"Bearer " + good[:len(good)-6] + "AAAAAA"}, http.StatusUnauthorized, "not accepted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var headers []string
			for _, h := range c.headers {
				headers = append(headers, "Authorization", h)
			}
			got := m.post(t, listTasks, `{}`, headers...)
			if got.status != c.status || !strings.Contains(got.body, c.want) {
				t.Errorf("= %d %s, want %d %q", got.status, got.body, c.status, c.want)
			}
			noCanary(t, got)
			// A bad token does not fall back to the public.
			if c.status == http.StatusUnauthorized && len(headers) > 0 {
				if got := m.post(t, trackReport, `{"receipt":"QL-1","secret":"S"}`, headers...); got.status != http.StatusUnauthorized {
					t.Errorf("TrackReport with it = %d %s", got.status, got.body)
				}
			}
		})
	}
}

func TestAuth_actorComesFromTheTokenAlone(t *testing.T) {
	out := newMinistry(t)
	m := mesh(t, Config{MoreIssuers: []Issuer{out.trust()}})
	forged, err := proto.Marshal(&commonv1.Actor{Subject: "root", AgencyId: "mps", Roles: []accessv1.Role{accessv1.Role_ROLE_ADMIN}})
	if err != nil {
		t.Fatal(err)
	}
	call := func(token string) string {
		t.Helper()
		ctx := metadata.AppendToOutgoingContext(t.Context(), identity.ActorKey, string(forged))
		got, err := reportingv1.NewReportingServiceClient(m.dial(t, token)).FileReport(ctx, report(""))
		if err != nil {
			t.Fatal(err)
		}
		return got.GetAdvice()
	}
	if got, want := call(""), "anonymous||ROLE_PUBLIC"; got != want {
		t.Errorf("with a forged actor the public is %q, want %q", got, want)
	}
	for range 2 { // verified, then remembered
		if got, want := call(sign(t, jose.ES256, out.key, out.claims())), "miit/zhang|miit|ROLE_CASEWORKER"; got != want {
			t.Errorf("with a forged actor zhang is %q, want %q", got, want)
		}
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), identity.ActorKey, string(forged))
	_, err = assignmentv1.NewAssignmentServiceClient(m.dial(t, "")).ListTasks(ctx, &assignmentv1.ListTasksRequest{})
	if status.Code(err) != codes.Unauthenticated || errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_UNAUTHENTICATED {
		t.Errorf("a forged actor instead of a token: %v", err)
	}
}

func TestAuth_issuerAway(t *testing.T) {
	out := newMinistry(t)
	m := mesh(t, Config{MoreIssuers: []Issuer{out.trust()}})
	token := sign(t, jose.ES256, out.key, out.claims())
	out.Close()
	got := m.post(t, listTasks, `{}`, "Authorization", "Bearer "+token)
	if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "identity provider does not answer") || strings.Contains(got.body, out.URL) {
		t.Errorf("= %d %s", got.status, got.body)
	}
}

func TestAuth_badTokensAreLimited(t *testing.T) {
	m := mesh(t, Config{PublicRate: 1e6, PublicBurst: 1e6, SecretRate: 0.001, SecretBurst: 2})
	good := m.token(t, "CASEWORKER", "miit")
	if got := m.post(t, listTasks, `{}`, "Authorization", "Bearer "+good); got.status != http.StatusOK {
		t.Fatalf("good token = %d %s", got.status, got.body)
	}
	var last reply
	for range 3 {
		last = m.post(t, listTasks, `{}`, "Authorization", "Bearer "+good+"x")
	}
	if last.status != http.StatusTooManyRequests {
		t.Errorf("third bad token = %d %s", last.status, last.body)
	}
	if got := m.post(t, listTasks, `{}`, "Authorization", "Bearer "+good); got.status != http.StatusOK {
		t.Errorf("good token from the same address = %d %s", got.status, got.body)
	}
}

func TestClaims_actor(t *testing.T) {
	base := Issuer{
		URL: "https://id.example", Audience: "quietline", RolesClaim: "roles",
		AgencyClaim: "org", Agencies: []string{"miit", "cbirc"}, PartyClaim: "uscc",
		Roles: map[string]string{"officer": "CASEWORKER", "worker": "CASEWORKER", "party": "PARTY"},
	}
	for _, c := range []struct {
		name   string
		values map[string]any
		want   *commonv1.Actor
	}{
		{"allowed agency", map[string]any{"org": "miit", "roles": "officer worker other"},
			&commonv1.Actor{Subject: "s", AgencyId: "miit", Roles: []accessv1.Role{accessv1.Role_ROLE_CASEWORKER}}},
		{"other agency", map[string]any{"org": "mps", "roles": "officer"}, nil},
		{"no agency", map[string]any{"roles": "officer"}, nil},
		{"agency is a list", map[string]any{"org": []any{"miit"}, "roles": "officer"}, nil},
		{"party without agency", map[string]any{"uscc": "9111", "roles": []any{"party"}},
			&commonv1.Actor{Subject: "s", Party: "9111", Roles: []accessv1.Role{accessv1.Role_ROLE_PARTY}}},
		{"party and more without agency", map[string]any{"uscc": "9111", "roles": []any{"party", "officer"}}, nil},
		{"party unbound", map[string]any{"roles": []any{"party"}}, nil},
	} {
		mapped, err := newClaims(base)
		if err != nil {
			t.Fatal(err)
		}
		got, err := mapped.actor("s", c.values)
		if (err != nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got, protocmp.Transform()); c.want != nil && diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestIssuers_fileAndChecks(t *testing.T) {
	good := Issuer{URL: "https://a", Audience: "q", Agency: "miit", RolesClaim: "roles", Roles: map[string]string{"a": "HEAD"}}
	change := func(f func(*Issuer)) Issuer {
		i := good
		f(&i)
		return i
	}
	for name, i := range map[string]Issuer{
		"no audience":      change(func(i *Issuer) { i.Audience = "" }),
		"both agencies":    change(func(i *Issuer) { i.AgencyClaim = "x" }),
		"any agency":       change(func(i *Issuer) { i.Agency, i.AgencyClaim = "", "x" }),
		"unknown role":     change(func(i *Issuer) { i.Roles = map[string]string{"a": "KING"} }),
		"the mesh itself":  change(func(i *Issuer) { i.Roles = map[string]string{"a": "SYSTEM"} }),
		"the public":       change(func(i *Issuer) { i.Roles = map[string]string{"a": "PUBLIC"} }),
		"bad pattern":      change(func(i *Issuer) { i.Agency, i.AgencyClaim, i.AgencyPattern = "", "x", "(" }),
		"no roles mapping": change(func(i *Issuer) { i.Roles = nil }),
	} {
		if err := checkIssuers([]Issuer{i}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := checkIssuers([]Issuer{good}); err != nil {
		t.Error(err)
	}
	if err := checkIssuers([]Issuer{good, change(func(i *Issuer) { i.URL = "https://b" })}); err == nil {
		t.Error("two issuers without names are accepted")
	}
	path := filepath.Join(t.TempDir(), "issuers.json")
	for content, ok := range map[string]bool{
		`[{"issuer":"https://a","audience":"q","agency":"miit","roles_claim":"r","roles":{"a":"HEAD"}}]`: true,
		`[{"issuer":"https://a","audiance":"q"}]`:                                                        false,
		`{}`: false,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readIssuers(path); (err == nil) != ok {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func TestClient_keepsTokensOffTheWire(t *testing.T) {
	for url, ok := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://localhost:8080/": true, "https://quietline.example": true,
		"http://quietline.example": false, "http://10.0.0.1:80": false, "ftp://x": false, "127.0.0.1:8080": false, "https://x/path": false,
	} {
		conn, err := client.Dial(url, client.Fixed("t"))
		if (err == nil) != ok {
			t.Errorf("Dial(%s): %v", url, err)
		}
		if conn != nil {
			_ = conn.Close()
		}
	}
}
