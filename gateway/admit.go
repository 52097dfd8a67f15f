package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"

	"connectrpc.com/connect/v2"

	"quietline/internal/identity"
	commonv1 "quietline/proto/quietline/common/v1"
)

// recovered turns a panic into an internal error.
func recovered(next connect.ServerFunc) connect.ServerFunc {
	return func(ctx context.Context, spec connect.Spec, stream connect.ServerStream) (err error) {
		defer func() {
			if r := recover(); r != nil {
				slog.ErrorContext(ctx, "panic", slog.String("rpc", spec.Procedure),
					slog.String("type", fmt.Sprintf("%T", r)), slog.String("stack", string(debug.Stack())))
				err = unexpected(ctx, spec.Procedure, errors.New("panic"))
			}
		}()
		return next(ctx, spec, stream)
	}
}

// bounded gives every call a deadline, the caller's own if that is sooner. A long poll ends as well when the gateway
// is told to stop; other calls may finish.
func (g *gateway) bounded(next connect.ServerFunc) connect.ServerFunc {
	return func(ctx context.Context, spec connect.Spec, stream connect.ServerStream) error {
		ctx, cancel := context.WithTimeout(ctx, g.cfg.CallTimeout)
		defer cancel()
		m, ok := spec.Schema.(*method)
		if !ok || !m.polls {
			return next(ctx, spec, stream)
		}
		defer context.AfterFunc(g.stopping, cancel)()
		err := next(ctx, spec, stream)
		if err != nil && g.stopping.Err() != nil {
			return refuse(connect.CodeUnavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE,
				"the gateway is stopping; the same request may be sent again")
		}
		return err
	}
}

// admitted lets a call through to its body: who is it, how often, and may this role.
func (g *gateway) admitted(next connect.ServerFunc) connect.ServerFunc {
	return func(ctx context.Context, spec connect.Spec, stream connect.ServerStream) error {
		m, ok := spec.Schema.(*method)
		if !ok {
			return refuse(connect.CodeUnimplemented, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "there is no such method")
		}
		info, _ := connect.CallInfoForServerContext(ctx)
		address := addressOf(info.PeerAddr, info.RequestHeader().Values("X-Forwarded-For"), g.cfg.BehindProxy)
		actor, err := g.who(ctx, info.RequestHeader().Values("Authorization"), address)
		if err != nil {
			return err
		}
		if err := g.often(ctx, m, actor, address); err != nil {
			return err
		}
		if err := may(m, actor); err != nil {
			return err
		}
		return next(identity.WithActor(ctx, actor), spec, stream)
	}
}

// who finds the actor. A token not seen lately is verified, unless its address has sent too many bad ones: each
// costs a signature, and an unknown key a question to the issuer.
func (g *gateway) who(ctx context.Context, headers []string, address string) (*commonv1.Actor, error) {
	if actor := g.auth.recall(headers); actor != nil {
		return actor, nil
	}
	if g.badTokens.empty(address) {
		wait, _ := g.badTokens.take(address)
		return nil, rateLimited(ctx, wait)
	}
	actor, err := g.auth.verify(ctx, headers)
	if err != nil {
		g.badTokens.take(address)
		slog.InfoContext(ctx, "token refused", slog.String("code", connect.CodeOf(err).String()))
		return nil, err
	}
	return actor, nil
}

func (g *gateway) often(ctx context.Context, m *method, actor *commonv1.Actor, address string) error {
	calls, caller := g.tokenCalls, actor.GetSubject()
	if actor == public {
		calls, caller = g.publicCalls, address
		if m.secret {
			calls = g.secretCalls
		}
	}
	if wait, ok := calls.take(caller); !ok {
		return rateLimited(ctx, wait)
	}
	return nil
}

// may holds the actor's roles against the RPC's rule.
func may(m *method, actor *commonv1.Actor) error {
	if m.local != nil {
		return nil
	}
	if len(m.roles) == 0 {
		return refuse(connect.CodePermissionDenied, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED,
			"%s is for the mesh itself and closed to people and outside systems", m.procedure)
	}
	if identity.HasRole(actor, m.roles...) {
		return nil
	}
	if actor == public {
		return unauthenticated("%s needs a token of role %s", m.procedure, m.roleNames())
	}
	return refuse(connect.CodePermissionDenied, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED,
		"%s needs the role %s", m.procedure, m.roleNames())
}

func (m *method) roleNames() string {
	var names []string
	for _, role := range m.roles {
		names = append(names, strings.TrimPrefix(role.String(), "ROLE_"))
	}
	slices.Sort(names)
	return strings.Join(names, " or ")
}
