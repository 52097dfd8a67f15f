package issuer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Token asks the issuer at gatewayURL for a token of the demo account role@agency, with the secret of dataDir.
// An empty subject is "<role>@<agency>"; of the role PARTY the agency is the credit code or case it is bound to.
func Token(ctx context.Context, dataDir, gatewayURL, role, agency, subject string) (string, error) {
	source, err := Source(dataDir, gatewayURL, role, agency, subject)
	if err != nil {
		return "", err
	}
	return source(ctx)
}

// Source is [Token] for a process that lives longer than a token: it keeps the token and renews it in time.
func Source(dataDir, gatewayURL, role, agency, subject string) (func(context.Context) (string, error), error) {
	scope, err := scopeOf(role, agency, subject)
	if err != nil {
		return nil, err
	}
	secret, err := os.ReadFile(SecretFile(dataDir))
	if err != nil {
		return nil, fmt.Errorf("no demo accounts in %s (has `quietline up` run there?): %w", dataDir, err)
	}
	config := &clientcredentials.Config{
		ClientID:     ClientID,
		ClientSecret: strings.TrimSpace(string(secret)),
		TokenURL:     strings.TrimSuffix(gatewayURL, "/") + Path + "/token",
		Scopes:       strings.Fields(scope),
		AuthStyle:    oauth2.AuthStyleInHeader,
	}
	var (
		mu   sync.Mutex
		last *oauth2.Token
	)
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if last.Valid() && time.Until(last.Expiry) > time.Minute {
			return last.AccessToken, nil
		}
		ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Timeout: 10 * time.Second})
		token, err := config.Token(ctx)
		if err != nil {
			return "", explain(err)
		}
		last = token
		return token.AccessToken, nil
	}, nil
}

// explain says why no token was given, without the request that asked for it.
func explain(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("the identity provider refused: %s %s", refused.ErrorCode, refused.ErrorDescription)
	}
	return fmt.Errorf("ask the identity provider for a token: %w", err)
}
