package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/types/descriptorpb"

	"quietline/internal/access"
	"quietline/internal/identity"
)

// defaultTimeout is the deadline of a call whose context has none.
const defaultTimeout = 10 * time.Second

// Dial makes a client of the workload w at addr (host:port or a gRPC target such as dns:///ledger:8443). Whoever
// answers there must prove to be w. Calls carry the actor of their context, end after 10 s when the context has no
// deadline (long polls after what they ask for besides), and are repeated when they may be and the server was not
// there. It connects at the first call.
func Dial(addr string, w identity.Workload, src identity.Source, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	target := addr
	if !strings.Contains(addr, "://") {
		target = "dns:///" + addr
	}
	base := []grpc.DialOption{
		grpc.WithTransportCredentials(clientCredentials(src, w)),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithFilter(notHealth))),
		grpc.WithChainUnaryInterceptor(outgoing),
		grpc.WithDefaultServiceConfig(serviceConfig()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 20 * time.Second}),
	}
	conn, err := grpc.NewClient(target, append(opts, base...)...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", w, err)
	}
	return conn, nil
}

// WaitForReady makes calls wait, within their deadline, for a server that is not there yet, so that the order in which
// services start does not matter.
func WaitForReady() grpc.DialOption {
	return grpc.WithDefaultCallOptions(grpc.WaitForReady(true))
}

func outgoing(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, err := identity.Send(ctx)
	if err != nil {
		return err
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, defaultTimeout+maxWait(req))
		defer cancel()
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}

// serviceConfig balances over all addresses of a name, and lets calls that may be sent twice be repeated while their
// server is away. Which ones may be stands next to them in the proto.
var serviceConfig = sync.OnceValue(func() string {
	type name struct {
		Service string `json:"service"`
		Method  string `json:"method"`
	}
	var names []name
	for m := range access.Methods() {
		if access.Level(m) != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN {
			names = append(names, name{string(m.Parent().FullName()), string(m.Name())})
		}
	}
	config := map[string]any{"loadBalancingConfig": []any{map[string]any{"round_robin": map[string]any{}}}}
	if len(names) > 0 {
		config["methodConfig"] = []any{map[string]any{
			"name": names,
			"retryPolicy": map[string]any{
				"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 3,
				"retryableStatusCodes": []string{"UNAVAILABLE"},
			},
		}}
	}
	raw, err := json.Marshal(config)
	if err != nil { // plain maps and strings
		panic(err)
	}
	return string(raw)
})
