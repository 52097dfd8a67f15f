// Package client connects command-line tools to the gateway, over gRPC with a bearer token.
//
// Tools are clients of the gateway like any other: they use the generated gRPC stubs on the connection that
// [Dial] returns and know no service's address.
package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

const maxMessage = 16 << 20

// Dial connects to the gateway at a URL such as http://127.0.0.1:8080 or https://quietline.example. token is asked
// before each call and may be nil, or answer "", to call as the public. Without TLS only this machine is dialled: a
// token sent in clear is a token given away.
func Dial(gateway string, token func(context.Context) (string, error)) (*grpc.ClientConn, error) {
	target, err := url.Parse(gateway)
	if err != nil || target.Host == "" || (target.Path != "" && target.Path != "/") {
		return nil, fmt.Errorf("gateway %q: want a URL such as http://127.0.0.1:8080", gateway)
	}
	options := []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 20 * time.Second}),
	}
	port := "443"
	switch target.Scheme {
	case "https":
		options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})))
	case "http":
		if !loopback(target.Hostname()) {
			return nil, fmt.Errorf("gateway %q: without https only this machine can be called", gateway)
		}
		port = "80"
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	default:
		return nil, fmt.Errorf("gateway %q: want http or https", gateway)
	}
	if target.Port() != "" {
		port = target.Port()
	}
	if token != nil {
		options = append(options, grpc.WithPerRPCCredentials(bearer{token: token, clear: target.Scheme == "http"}))
	}
	return grpc.NewClient(net.JoinHostPort(target.Hostname(), port), options...)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// Fixed is a token source of one given token.
func Fixed(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

type bearer struct {
	token func(context.Context) (string, error)
	clear bool // to this machine without TLS
}

// GetRequestMetadata puts the token into a call.
func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b.token(ctx)
	if err != nil {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return nil, status.FromContextError(err).Err()
		}
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	if token == "" {
		return nil, nil
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity allows a connection in clear to this machine alone.
func (b bearer) RequireTransportSecurity() bool { return !b.clear }
