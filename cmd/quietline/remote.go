package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"

	"quietline/gateway/client"
	"quietline/gateway/issuer"
)

// defaultGateway is where the embedded default serves unless told otherwise.
const defaultGateway = "http://127.0.0.1:8080"

// remote is how a tool reaches the gateway, and as whom.
type remote struct {
	Gateway string `help:"URL of the gateway; by default where the mesh of the data directory serves." env:"QUIETLINE_GATEWAY"`
	Token   string `help:"Bearer token; @FILE reads it from a file. Without it, the demo accounts of the data directory are used." env:"QUIETLINE_TOKEN"`
	Data    string `help:"Data directory of a local mesh." default:".quietline" env:"QUIETLINE_DATA"`
}

func (r remote) url() string {
	if r.Gateway != "" {
		return r.Gateway
	}
	return or(readWhere(r.Data).Gateway, defaultGateway)
}

// dial connects as a demo account, ROLE@AGENCY, as the public when that is empty, or with the given token. Callers close the connection.
func (r remote) dial(account string) (*grpc.ClientConn, error) {
	token, err := r.tokens(account)
	if err != nil {
		return nil, err
	}
	return client.Dial(r.url(), token)
}

func (r remote) tokens(account string) (func(context.Context) (string, error), error) {
	if r.Token != "" {
		given := r.Token
		if file, ok := strings.CutPrefix(given, "@"); ok {
			raw, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("--token: %w", err)
			}
			given = strings.TrimSpace(string(raw))
		}
		return client.Fixed(given), nil
	}
	if account == "" {
		return nil, nil // the public has no token
	}
	account, n, other := strings.Cut(account, "#")
	role, agency, err := splitAccount(account)
	if err != nil {
		return nil, err
	}
	subject := ""
	if other {
		subject = strings.ToLower(role) + "-" + n + "@" + agency
	}
	return issuer.Source(r.Data, r.url(), role, agency, subject)
}

// deputy at the end of an account is another person of the same role and agency; #3 is a third.
const deputy = "#2"

func splitAccount(account string) (role, agency string, err error) {
	role, agency, ok := strings.Cut(account, "@")
	if !ok || role == "" || agency == "" {
		return "", "", errors.New("an account is ROLE@AGENCY, such as CASEWORKER@samr-44")
	}
	return strings.ToUpper(role), agency, nil
}

// tokenCmd prints a bearer token of a demo account.
type tokenCmd struct {
	remote
	As string `help:"Account: ROLE@AGENCY, or PARTY@CREDITCODE for a party; ROLE@AGENCY#2 is a second person there, for what two must do." required:"" placeholder:"ROLE@AGENCY"`
}

// Run prints the token, for Authorization headers.
func (c tokenCmd) Run(ctx context.Context) error {
	source, err := c.tokens(c.As)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	token, err := source(ctx)
	if err != nil {
		return err
	}
	fmt.Println(token)
	return nil
}
