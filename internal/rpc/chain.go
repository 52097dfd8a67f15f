package rpc

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"quietline/internal/access"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

const (
	// defaultBound is the deadline of a call that came without one.
	defaultBound = 30 * time.Second
	// shave is taken off the caller's deadline so that our answer, even a refusal, still reaches it.
	shave = 20 * time.Millisecond
)

// chain is what stands before every method of one server.
type chain struct {
	server   *grpc.Server
	health   *health.Server
	stopping chan struct{}

	once     sync.Once
	policy   *access.Policy
	notReady error
}

// prepare reads the access rules and compiles the validation of all requests, once.
func (c *chain) prepare() error {
	c.once.Do(func() {
		info := c.server.GetServiceInfo()
		if c.policy, c.notReady = access.Load(info); c.notReady == nil {
			c.notReady = warm(info)
		}
	})
	return c.notReady
}

func (c *chain) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	defer func() {
		if p := recover(); p != nil {
			resp, err = nil, panicked(ctx, p)
		}
	}()
	if access.Exempt(serviceOf(info.FullMethod)) {
		return handler(ctx, req)
	}
	resp, err = c.guarded(ctx, req, info.FullMethod, handler)
	if err != nil {
		return nil, outward(withReference(ctx), err)
	}
	return resp, nil
}

// stream serves health and reflection; the mesh's own RPCs are unary.
func (c *chain) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(ss.Context(), p)
		}
	}()
	if !access.Exempt(serviceOf(info.FullMethod)) {
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED,
			"streams have no access rules")
	}
	return handler(srv, ss)
}

func (c *chain) guarded(ctx context.Context, req any, method string, handler grpc.UnaryHandler) (any, error) {
	if err := c.prepare(); err != nil { // only before Serve could refuse to start
		return nil, err
	}
	caller, err := peerCaller(ctx)
	if err != nil {
		slog.WarnContext(ctx, "call refused", slog.Any("error", err))
		return nil, errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED,
			"the caller is not a workload of the mesh")
	}
	actor, err := believed(ctx, caller)
	if err != nil {
		return nil, err
	}
	if err := c.policy.Allow(method, caller, actor); err != nil {
		slog.WarnContext(ctx, "call refused", slog.String("caller", caller.String()), slog.Any("error", err))
		return nil, err
	}
	if err := Validate(req); err != nil {
		return nil, err
	}
	ctx = identity.WithActor(identity.WithCaller(ctx, caller), actor)
	ctx = pg.WithDrain(ctx, c.stopping)
	ctx, cancel := bounded(ctx, req)
	defer cancel()
	resp, err := handler(ctx, req)
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED) {
		// Another service refused us as a workload. That is our fault and not our caller's, so it is no refusal here.
		err = fmt.Errorf("refused by another service: %s", errs.Text(err))
	}
	return resp, err
}

// believed is who acts. Only the gateway, which verified a token, and the workflows, which act on what a person
// decided, can tell; whatever another workload says is not even read.
func believed(ctx context.Context, caller accessv1.Caller) (*commonv1.Actor, error) {
	fallback := identity.System(identity.WorkloadOfCaller(caller))
	switch caller {
	case accessv1.Caller_CALLER_GATEWAY:
		fallback = identity.Anonymous()
	case accessv1.Caller_CALLER_WORKFLOWS:
	default:
		return fallback, nil
	}
	actor, err := identity.Received(ctx)
	if err != nil {
		slog.WarnContext(ctx, "call refused", slog.Any("error", err))
		return nil, errs.New(codes.Unauthenticated, commonv1.ErrorReason_ERROR_REASON_UNAUTHENTICATED,
			"the metadata %s must hold one actor", identity.ActorKey)
	}
	if actor == nil {
		return fallback, nil
	}
	return actor, nil
}

// bounded makes sure that the call ends: a little before the caller gives up, or after 30 s (for long polls, after what
// they asked for) when the caller would wait for ever.
func bounded(ctx context.Context, req any) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, defaultBound+maxWait(req))
	}
	return context.WithDeadline(ctx, deadline.Add(-shave))
}

// maxWait is how long a long poll may wait, 0 for other requests.
func maxWait(req any) time.Duration {
	if r, ok := req.(interface{ GetMaxWait() *durationpb.Duration }); ok {
		return min(max(r.GetMaxWait().AsDuration(), 0), pg.MaxWait)
	}
	return 0
}

func serviceOf(method string) string {
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	return service
}

func panicked(ctx context.Context, p any) error {
	ctx = withReference(ctx)
	slog.ErrorContext(ctx, "panic", slog.Any("error", fmt.Errorf("%v", p)),
		slog.String("stack", string(debug.Stack())), slog.String("reference", reference(ctx)))
	return internal(ctx)
}

// Validate holds a message against the rules in its proto and refuses it with INVALID_FIELD.
func Validate(msg any) error {
	m, ok := msg.(proto.Message)
	if !ok {
		return fmt.Errorf("validate: %T is not a proto message", msg)
	}
	return validate(m)
}
