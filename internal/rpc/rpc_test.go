package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// ledger answers with what it saw of its call, or with fail.
type ledger struct {
	ledgerv1.UnimplementedLedgerServiceServer
	seen func(ctx context.Context)
	fail error
}

func (l *ledger) WhoHeld(ctx context.Context, _ *ledgerv1.WhoHeldRequest) (*ledgerv1.WhoHeldResponse, error) {
	if l.seen != nil {
		l.seen(ctx)
	}
	return &ledgerv1.WhoHeldResponse{}, l.fail
}

func (l *ledger) SuspendResource(ctx context.Context, _ *ledgerv1.SuspendResourceRequest) (*ledgerv1.SuspendResourceResponse, error) {
	if l.seen != nil {
		l.seen(ctx)
	}
	return &ledgerv1.SuspendResourceResponse{}, l.fail
}

func (l *ledger) register(s *grpc.Server) { ledgerv1.RegisterLedgerServiceServer(s, l) }

var head = &commonv1.Actor{Subject: "h", AgencyId: "a", Roles: []accessv1.Role{accessv1.Role_ROLE_HEAD}}

func lookup(ctx context.Context, conn grpc.ClientConnInterface, number string) error {
	_, err := ledgerv1.NewLedgerServiceClient(conn).WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: number})
	return err
}

func TestCall_refusedForWhoIsNotNamed(t *testing.T) {
	serve := testkit.Serve(t, identity.Ledger, (&ledger{}).register)
	for name, c := range map[string]struct {
		caller identity.Workload
		actor  *commonv1.Actor
		want   commonv1.ErrorReason
	}{
		"workload not named":     {identity.Credit, nil, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED},
		"not even with a role":   {identity.Credit, head, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED},
		"public by the gateway":  {identity.Gateway, nil, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED},
		"role by the gateway":    {identity.Gateway, head, commonv1.ErrorReason_ERROR_REASON_UNSPECIFIED},
		"workflows need no role": {identity.Workflows, nil, commonv1.ErrorReason_ERROR_REASON_UNSPECIFIED},
	} {
		t.Run(name, func(t *testing.T) {
			err := lookup(t.Context(), serve(c.caller, c.actor), "95588")
			if errs.Reason(err) != c.want || (err == nil) != (c.want == commonv1.ErrorReason_ERROR_REASON_UNSPECIFIED) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCall_noPersonWhereTheRuleNamesNoRole(t *testing.T) {
	conn := testkit.Conn(t, identity.Ledger, (&ledger{}).register, identity.Gateway, head)
	_, err := ledgerv1.NewLedgerServiceClient(conn).CompleteRecall(t.Context(), &ledgerv1.CompleteRecallRequest{})
	if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED) {
		t.Errorf("got %v", err)
	}
}

func TestActor_believedOnlyFromGatewayAndWorkflows(t *testing.T) {
	var caller accessv1.Caller
	var actor *commonv1.Actor
	l := &ledger{seen: func(ctx context.Context) { caller, actor = identity.CallerOf(ctx), identity.ActorOf(ctx) }}
	serve := testkit.Serve(t, identity.Ledger, l.register)
	system := identity.System
	for name, c := range map[string]struct {
		caller identity.Workload
		sent   *commonv1.Actor
		want   *commonv1.Actor
	}{
		"gateway tells":              {identity.Gateway, head, head},
		"workflows tell":             {identity.Workflows, head, head},
		"workflows tell nobody":      {identity.Workflows, nil, system(identity.Workflows)},
		"assignment forges a head":   {identity.Assignment, head, system(identity.Assignment)},
		"assignment tells nobody":    {identity.Assignment, nil, system(identity.Assignment)},
		"garbage of another service": {identity.Assignment, nil, system(identity.Assignment)},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if strings.HasPrefix(name, "garbage") {
				ctx = metadata.AppendToOutgoingContext(ctx, identity.ActorKey, "\xff\xff")
			}
			if err := lookup(ctx, serve(c.caller, c.sent), "95588"); err != nil {
				t.Fatal(err)
			}
			if caller != c.caller.Caller() || !proto.Equal(actor, c.want) {
				t.Errorf("seen %v acting as %v", caller, actor)
			}
		})
	}
	t.Run("two actors by the gateway", func(t *testing.T) {
		raw, err := proto.Marshal(head)
		if err != nil {
			t.Fatal(err)
		}
		ctx := metadata.AppendToOutgoingContext(t.Context(), identity.ActorKey, string(raw), identity.ActorKey, string(raw))
		if err := lookup(ctx, serve(identity.Gateway, nil), "95588"); status.Code(err) != codes.Unauthenticated {
			t.Errorf("got %v", err)
		}
	})
}

func TestValidation_namesTheFieldAndKeepsItsValue(t *testing.T) {
	conn := testkit.Conn(t, identity.Ledger, (&ledger{}).register, identity.Gateway, head)
	const canary = "x13800138000x"
	err := lookup(t.Context(), conn, canary)
	if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) || !strings.HasPrefix(errs.Text(err), "number: ") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(fmt.Sprint(err, status.Convert(err).Details()), "13800138000") {
		t.Errorf("the value is repeated: %v", err)
	}
}

// Reasons are kept in clear and read by many: they name no subscriber, whatever the service.
func TestValidation_reasonsNameNoSubscriber(t *testing.T) {
	registrar := &commonv1.Actor{Subject: "r", AgencyId: "miit", Roles: []accessv1.Role{accessv1.Role_ROLE_REGISTRAR}}
	client := ledgerv1.NewLedgerServiceClient(testkit.Conn(t, identity.Ledger, (&ledger{}).register, identity.Gateway, registrar))
	for reason, refused := range map[string]bool{
		"用户 138 1459 0000 来电": true, "line 021-62345678 is closed": true,
		"主叫一三八一四五九零零零零": true, "座机62345678 来电": true, "身份证110105491231002": true,
		"95013888 停用": false, "task 01381234-5678-7000-8138-001380001234": false, "罚款62345678元": false, "京信管〔2026〕12号,2026-11-20 起": false, "罚款 100000 元": false,
	} {
		_, err := client.EndAllocation(t.Context(), &ledgerv1.EndAllocationRequest{
			RequestId: uuid.NewString(), ResourceId: uuid.NewString(), Reason: reason, Basis: "样例文件",
		})
		if got := errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD); got != refused {
			t.Errorf("%s: %v", reason, err)
		}
		if !refused && status.Code(err) != codes.Internal { // the service has no such method
			t.Errorf("%s did not reach the service: %v", reason, err)
		}
	}
}

func TestErrors_tellTheCallerWhatIsHisBusiness(t *testing.T) {
	var logged bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&logged, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })

	refusal := errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "the resource is recalled")
	l := &ledger{}
	conn := testkit.Conn(t, identity.Ledger, l.register, identity.Workflows, nil)
	pgErr := func(code string) error {
		return fmt.Errorf("write: %w", &pgconn.PgError{Severity: "ERROR", Code: code, Message: `bad "13800138000"`})
	}
	suspend := func() error {
		_, err := ledgerv1.NewLedgerServiceClient(conn).SuspendResource(t.Context(), validSuspend())
		return err
	}
	for name, c := range map[string]struct {
		fail error
		code codes.Code
		text string
	}{
		"refusal":             {refusal, codes.FailedPrecondition, "the resource is recalled"},
		"wrapped refusal":     {fmt.Errorf("table resource: %w", refusal), codes.FailedPrecondition, "the resource is recalled"},
		"unexpected":          {errors.New("secret detail"), codes.Internal, "internal error, reference "},
		"plain status":        {status.Error(codes.NotFound, "secret detail"), codes.Internal, "internal error, reference "},
		"unique violation":    {pgErr("23505"), codes.Internal, "internal error, reference "},
		"data exception":      {pgErr("22P02"), codes.Internal, "internal error, reference "},
		"serialization":       {pgErr("40001"), codes.Aborted, "may be sent again"},
		"deadlock":            {pgErr("40P01"), codes.Aborted, "may be sent again"},
		"disk full":           {pgErr("53100"), codes.Unavailable, "disk is full"},
		"shutting down":       {pgErr("57P01"), codes.Unavailable, "may be sent again"},
		"NUL in a text":       {pgErr("22021"), codes.InvalidArgument, "NUL"},
		"lost connection":     {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), codes.Unavailable, "may be sent again"},
		"other service away":  {status.Error(codes.Unavailable, "secret detail"), codes.Unavailable, "may be sent again"},
		"deadline":            {fmt.Errorf("read: %w", context.DeadlineExceeded), codes.DeadlineExceeded, "took too long"},
		"refused by a fellow": {errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED, "secret detail"), codes.Internal, "reference"},
		"fellow's error":      {errs.New(codes.Internal, commonv1.ErrorReason_ERROR_REASON_INTERNAL, "secret detail"), codes.Internal, "reference"},
	} {
		t.Run(name, func(t *testing.T) {
			logged.Reset()
			l.fail = c.fail
			err := suspend()
			if status.Code(err) != c.code || !strings.Contains(errs.Text(err), c.text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v", err)
			}
			if errs.Reason(err) == commonv1.ErrorReason_ERROR_REASON_UNSPECIFIED {
				t.Errorf("no reason in %v", err)
			}
			if strings.Contains(logged.String()+err.Error(), "13800138000") {
				t.Errorf("a number is told: %v, %s", err, logged.String())
			}
			if _, ref, ok := strings.Cut(errs.Text(err), "reference "); ok && !strings.Contains(logged.String(), ref) {
				t.Errorf("reference %s is not in the log %s", ref, logged.String())
			}
		})
	}
}

func validSuspend() *ledgerv1.SuspendResourceRequest {
	return &ledgerv1.SuspendResourceRequest{
		RequestId: uuid.NewString(), ResourceId: uuid.NewString(),
		ReasonCode: "r", Basis: "b", Nature: "operator_measure", TaskId: uuid.NewString(), PriorNotice: "p", Remedy: "r",
	}
}

func TestPanic_isAnInternalErrorAndTheServerLives(t *testing.T) {
	l := &ledger{seen: func(context.Context) { panic("bug") }}
	conn := testkit.Conn(t, identity.Ledger, l.register, identity.Gateway, head)
	if err := lookup(t.Context(), conn, "95588"); status.Code(err) != codes.Internal || strings.Contains(err.Error(), "bug") {
		t.Errorf("got %v", err)
	}
	l.seen = nil
	if err := lookup(t.Context(), conn, "95588"); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestDeadline_alwaysThereAndBeforeTheCallers(t *testing.T) {
	var left time.Duration
	l := &ledger{seen: func(ctx context.Context) {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
	}}
	conn := testkit.Conn(t, identity.Ledger, l.register, identity.Gateway, head)
	if err := lookup(t.Context(), conn, "95588"); err != nil || left <= 0 || left > 10*time.Second {
		t.Errorf("default: %v left, %v", left, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := lookup(ctx, conn, "95588"); err != nil || left > 5*time.Second-20*time.Millisecond {
		t.Errorf("given: %v left, %v", left, err)
	}
}

func TestHealthAndReflection_forMembersOfTheMesh(t *testing.T) {
	conn := testkit.Conn(t, identity.Ledger, (&ledger{}).register, identity.Disclosure, nil)
	for _, service := range []string{"", "quietline.ledger.v1.LedgerService"} {
		resp, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		if err != nil || resp.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", service, resp, err)
		}
	}
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}); err != nil {
		t.Fatal(err)
	}
	resp, err := stream.Recv()
	if err != nil || !strings.Contains(resp.String(), "quietline.ledger.v1.LedgerService") {
		t.Errorf("got %v, %v", resp, err)
	}
}
