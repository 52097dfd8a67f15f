package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/token/jwt"
)

const (
	// ClientID is the one client of the issuer.
	ClientID = "demo"
	// Audience is the audience of every token.
	Audience = "quietline"
	// Path is where the gateway mounts the issuer.
	Path = "/issuer"

	lifespan    = time.Hour
	maxFormSize = 16 << 10
)

// Provider issues tokens for the demo accounts.
type Provider struct {
	url   string
	key   *jose.JSONWebKey
	oauth fosite.OAuth2Provider
}

// Open loads the key and the secret of dataDir, making them on first use, and returns the provider whose
// address is gatewayURL + [Path].
func Open(dataDir, gatewayURL string) (*Provider, error) {
	key, err := openKey(dataDir)
	if err != nil {
		return nil, err
	}
	secret, err := openSecret(dataDir)
	if err != nil {
		return nil, err
	}
	p := &Provider{url: gatewayURL + Path, key: key}
	p.oauth = newOAuth(p.url, key, secret)
	return p, nil
}

// URL is the issuer's identifier, the "iss" of its tokens.
func (p *Provider) URL() string { return p.url }

func newOAuth(url string, key *jose.JSONWebKey, secret string) fosite.OAuth2Provider {
	config := &fosite.Config{
		AccessTokenLifespan:      lifespan,
		AccessTokenIssuer:        url,
		TokenURL:                 url + "/token",
		JWTScopeClaimKey:         jwt.JWTScopeFieldString,
		ScopeStrategy:            func(_ []string, scope string) bool { return validScope(scope) },
		AudienceMatchingStrategy: fosite.ExactAudienceMatchingStrategy,
		ClientSecretsHasher:      digest{},
	}
	config.TokenEndpointHandlers.Append(&oauth2.ClientCredentialsGrantHandler{
		HandleHelper: &oauth2.HandleHelper{
			AccessTokenStrategy: &oauth2.DefaultJWTStrategy{
				Signer: &jwt.DefaultSigner{GetPrivateKey: func(context.Context) (any, error) { return key, nil }},
				Config: config,
			},
			AccessTokenStorage: accounts{},
			Config:             config,
		},
		Config: config,
	})
	return fosite.NewOAuth2Provider(accounts{secret: digestOf([]byte(secret))}, config)
}

// Handler serves the issuer's three endpoints below [Path].
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET "+Path+"/keys", p.keys)
	mux.HandleFunc("POST "+Path+"/token", p.token)
	return mux
}

func (p *Provider) discovery(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, r, map[string]any{
		"issuer":                                p.url,
		"token_endpoint":                        p.url + "/token",
		"jwks_uri":                              p.url + "/keys",
		"grant_types_supported":                 []string{string(fosite.GrantTypeClientCredentials)},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"response_types_supported":              []string{"none"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{p.key.Algorithm},
		"claims_supported":                      []string{"sub", "agency", "roles", "party"},
	})
}

func (p *Provider) keys(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, r, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.key.Public()}})
}

// token answers a client credentials request. The account is read from the granted scopes.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	r.Body = http.MaxBytesReader(w, r.Body, maxFormSize)
	session := &oauth2.JWTSession{JWTClaims: &jwt.JWTClaims{}, JWTHeader: &jwt.Headers{}}
	request, err := p.oauth.NewAccessRequest(ctx, r, session)
	if err != nil {
		p.oauth.WriteAccessError(ctx, w, request, err)
		return
	}
	who, err := accountOf(request.GetRequestedScopes())
	if err != nil {
		p.oauth.WriteAccessError(ctx, w, request, fosite.ErrInvalidScope.WithHint(err.Error()))
		return
	}
	session.JWTClaims.Subject = who.subject
	session.JWTClaims.Extra = who.claims()
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	request.GrantAudience(Audience)
	response, err := p.oauth.NewAccessResponse(ctx, request)
	if err != nil {
		slog.ErrorContext(ctx, "issuer could not sign a token", slog.Any("error", err))
		p.oauth.WriteAccessError(ctx, w, request, err)
		return
	}
	p.oauth.WriteAccessResponse(ctx, w, request, response)
}

func writeJSON(w http.ResponseWriter, r *http.Request, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		slog.DebugContext(r.Context(), "issuer could not answer", slog.Any("error", err))
	}
}

// accounts is the issuer's storage: one client, and nothing kept of the tokens, which speak for themselves.
type accounts struct{ secret []byte }

var errNotStored = errors.New("tokens are not stored")

// GetClient returns the demo client.
func (a accounts) GetClient(_ context.Context, id string) (fosite.Client, error) {
	if id != ClientID {
		return nil, fosite.ErrNotFound
	}
	return &fosite.DefaultClient{
		ID:         ClientID,
		Secret:     a.secret,
		GrantTypes: []string{string(fosite.GrantTypeClientCredentials)},
		Audience:   []string{Audience},
	}, nil
}

// ClientAssertionJWTValid refuses: the demo client has a secret and no key.
func (accounts) ClientAssertionJWTValid(context.Context, string) error {
	return fosite.ErrInvalidClient
}

// SetClientAssertionJWT refuses, as [accounts.ClientAssertionJWTValid].
func (accounts) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return fosite.ErrInvalidClient
}

// CreateAccessTokenSession keeps nothing.
func (accounts) CreateAccessTokenSession(context.Context, string, fosite.Requester) error { return nil }

// GetAccessTokenSession finds nothing.
func (accounts) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fmt.Errorf("look up token: %w", errNotStored)
}

// DeleteAccessTokenSession has nothing to delete.
func (accounts) DeleteAccessTokenSession(context.Context, string) error { return nil }
