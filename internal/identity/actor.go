package identity

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// ActorKey is the metadata key that carries the serialized commonv1.Actor.
const ActorKey = "x-quietline-actor-bin"

// AnonymousSubject is the subject of the public.
const AnonymousSubject = "anonymous"

type (
	actorKey  struct{}
	callerKey struct{}
)

// WithActor sets who acts. Outgoing calls of the mesh's clients carry it. The actor must not be changed afterwards.
func WithActor(ctx context.Context, a *commonv1.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf is who acts: never nil, an anonymous member of the public when nobody was set. It must not be changed.
func ActorOf(ctx context.Context) *commonv1.Actor {
	if a, ok := actorIn(ctx); ok {
		return a
	}
	return Anonymous()
}

// HasActor says whether somebody was set with WithActor.
func HasActor(ctx context.Context) bool {
	_, ok := actorIn(ctx)
	return ok
}

func actorIn(ctx context.Context) (*commonv1.Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(*commonv1.Actor)
	return a, ok && a != nil
}

// Anonymous is the actor without a token.
func Anonymous() *commonv1.Actor {
	return &commonv1.Actor{Subject: AnonymousSubject, Roles: []accessv1.Role{accessv1.Role_ROLE_PUBLIC}}
}

// System is the mesh itself, acting for no person.
func System(w Workload) *commonv1.Actor {
	return &commonv1.Actor{Subject: string(w), Roles: []accessv1.Role{accessv1.Role_ROLE_SYSTEM}}
}

// HasRole says whether the actor holds one of the roles. Everyone holds PUBLIC.
func HasRole(a *commonv1.Actor, roles ...accessv1.Role) bool {
	for _, r := range roles {
		if r == accessv1.Role_ROLE_PUBLIC || slices.Contains(a.GetRoles(), r) {
			return true
		}
	}
	return false
}

// WithCaller sets the workload that called; the server's chain does, from the mTLS certificate.
func WithCaller(ctx context.Context, c accessv1.Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf is the workload that called, from its mTLS certificate; UNSPECIFIED outside a call.
func CallerOf(ctx context.Context) accessv1.Caller {
	c, _ := ctx.Value(callerKey{}).(accessv1.Caller)
	return c
}

// Send puts the actor, when one was set, into the metadata of outgoing calls in place of any that stands there.
func Send(ctx context.Context) (context.Context, error) {
	a, ok := actorIn(ctx)
	if !ok {
		return ctx, nil
	}
	raw, err := proto.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("actor: %w", err)
	}
	md, ok := metadata.FromOutgoingContext(ctx)
	if !ok {
		return metadata.NewOutgoingContext(ctx, metadata.Pairs(ActorKey, string(raw))), nil
	}
	md.Set(ActorKey, string(raw)) // FromOutgoingContext returned a copy
	return metadata.NewOutgoingContext(ctx, md), nil
}

// Received is the actor in the metadata of an incoming call, nil when there is none. Whether to believe it is the
// caller's business.
func Received(ctx context.Context) (*commonv1.Actor, error) {
	values := metadata.ValueFromIncomingContext(ctx, ActorKey)
	switch len(values) {
	case 0:
		return nil, nil
	case 1:
		a := &commonv1.Actor{}
		if err := proto.Unmarshal([]byte(values[0]), a); err != nil {
			return nil, fmt.Errorf("actor metadata: %w", err)
		}
		return a, nil
	default:
		return nil, fmt.Errorf("actor metadata: %d actors", len(values))
	}
}
