package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect/v2"
	"github.com/coreos/go-oidc/v3/oidc"

	"quietline/internal/identity"
	commonv1 "quietline/proto/quietline/common/v1"
)

const (
	maxToken     = 16 << 10
	rememberFor  = time.Minute // how long a verified token is taken on trust; bounds a withdrawn key's afterlife
	rememberMany = 10_000
	discoverTime = 5 * time.Second
	retryAfter   = 3 * time.Second
)

// algorithms are the signatures accepted: none that shares a secret with the issuer, and never "none".
var algorithms = []string{oidc.RS256, oidc.ES256, oidc.EdDSA}

// public is who acts without a token.
var public = identity.Anonymous()

// authenticator turns an Authorization header into an actor.
type authenticator struct {
	issuers map[string]*trusted
	now     func() time.Time

	mu       sync.Mutex
	verified *lru[[sha256.Size]byte, remembered]
}

type remembered struct {
	actor *commonv1.Actor
	until time.Time
}

func newAuthenticator(list []Issuer, now func() time.Time) (*authenticator, error) {
	a := &authenticator{
		issuers:  map[string]*trusted{},
		now:      now,
		verified: newLRU[[sha256.Size]byte, remembered](rememberMany),
	}
	for _, i := range list {
		claims, err := newClaims(i)
		if err != nil {
			return nil, fmt.Errorf("issuer %q: %w", i.URL, err)
		}
		a.issuers[i.URL] = &trusted{claims: claims, now: now}
	}
	return a, nil
}

// recall answers without asking anybody: the public for no header, the actor of a token seen lately, else nil.
func (a *authenticator) recall(headers []string) *commonv1.Actor {
	if len(headers) == 0 {
		return public
	}
	token, err := bearer(headers)
	if err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	seen, ok := a.verified.get(sha256.Sum256([]byte(token)))
	if !ok || !a.now().Before(seen.until) {
		return nil
	}
	return seen.actor
}

// verify checks a token in full. Its errors may be shown.
func (a *authenticator) verify(ctx context.Context, headers []string) (*commonv1.Actor, error) {
	token, err := bearer(headers)
	if err != nil {
		return nil, err
	}
	issuer, ok := a.issuers[unverifiedIssuer(token)]
	if !ok {
		return nil, unauthenticated("the token's issuer is not known here")
	}
	actor, expiry, err := issuer.actor(ctx, token)
	if err != nil {
		return nil, err
	}
	until := a.now().Add(rememberFor)
	if expiry.Before(until) {
		until = expiry
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.verified.put(sha256.Sum256([]byte(token)), remembered{actor: actor, until: until})
	return actor, nil
}

func unauthenticated(format string, args ...any) *connect.Error {
	return refuse(connect.CodeUnauthenticated, commonv1.ErrorReason_ERROR_REASON_UNAUTHENTICATED, format, args...)
}

func bearer(headers []string) (string, error) {
	if len(headers) != 1 {
		return "", unauthenticated("send one Authorization header")
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return "", unauthenticated("the Authorization header must be: Bearer <token>")
	}
	return token, nil
}

// unverifiedIssuer reads who a token says it is from, only to choose whose keys must prove it.
func unverifiedIssuer(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Issuer
}

// trusted is an issuer with its keys. They are asked for at the first token, so that the gateway starts while an
// identity provider is away, and so that its own can be one of them.
type trusted struct {
	*claims
	now func() time.Time

	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier
	failed   time.Time
}

func (t *trusted) actor(ctx context.Context, token string) (*commonv1.Actor, time.Time, error) {
	verifier, err := t.keys(ctx)
	if err != nil {
		return nil, time.Time{}, refuse(connect.CodeUnavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE,
			"the identity provider does not answer; try again").WithCause(err)
	}
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		if _, ok := errors.AsType[*oidc.TokenExpiredError](err); ok {
			return nil, time.Time{}, unauthenticated("the token expired; ask for a new one")
		}
		return nil, time.Time{}, unauthenticated("the token's signature, audience or time of validity is not accepted").WithCause(err)
	}
	var values map[string]any
	if err := verified.Claims(&values); err != nil {
		return nil, time.Time{}, unauthenticated("the token's claims cannot be read")
	}
	actor, err := t.claims.actor(verified.Subject, values)
	if err != nil {
		return nil, time.Time{}, unauthenticated("%s", err.Error())
	}
	return actor, verified.Expiry, nil
}

// keys discovers the issuer once, and again only some time after a failure.
func (t *trusted) keys(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.verifier != nil {
		return t.verifier, nil
	}
	if t.now().Before(t.failed.Add(retryAfter)) {
		return nil, errors.New("discovery failed a moment ago")
	}
	// The caller may go away while others wait for the same answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discoverTime)
	defer cancel()
	ctx = oidc.ClientContext(ctx, &http.Client{Timeout: discoverTime})
	provider, err := oidc.NewProvider(ctx, t.URL)
	if err != nil {
		t.failed = t.now()
		return nil, fmt.Errorf("discover issuer: %w", err)
	}
	t.verifier = provider.Verifier(&oidc.Config{
		ClientID: t.Audience, SupportedSigningAlgs: algorithms, Now: t.now,
	})
	return t.verifier, nil
}
