package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"connectrpc.com/connect/v2"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

const (
	healthService = "grpc.health.v1.Health"
	probeTime     = 2 * time.Second
	probeKept     = 500 * time.Millisecond // however often it is asked, the mesh is probed twice a second
)

// health asks all backends, and whatever else must serve, whether they do.
type health struct {
	backends map[string]*grpc.ClientConn // by workload
	checks   []func(context.Context) error
	now      func() time.Time

	mu     sync.Mutex
	asked  time.Time
	absent []string
}

// missing lists what does not serve.
func (h *health) missing(ctx context.Context) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now().Sub(h.asked) < probeKept {
		return h.absent
	}
	// Others share the answer, so it must not depend on whether this caller stays.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTime)
	defer cancel()
	h.absent = h.probe(ctx)
	h.asked = h.now()
	return h.absent
}

func (h *health) probe(ctx context.Context) []string {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		absent = []string{}
	)
	report := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		absent = append(absent, what)
	}
	for name, conn := range h.backends {
		wg.Go(func() {
			if !serves(ctx, conn) {
				report(name + " does not serve")
			}
		})
	}
	for _, check := range h.checks {
		wg.Go(func() {
			if err := check(ctx); err != nil {
				report(err.Error())
			}
		})
	}
	wg.Wait()
	slices.Sort(absent)
	return absent
}

// engineServes asks the casework service whether Temporal answers and a worker polls: its port alone does not say so.
func engineServes(conn grpc.ClientConnInterface) func(context.Context) error {
	return func(ctx context.Context) error {
		asker := &commonv1.Actor{Subject: "healthz", AgencyId: "quietline", Roles: []accessv1.Role{accessv1.Role_ROLE_ADMIN}}
		answer, err := caseworkv1.NewCaseworkServiceClient(conn).GetStatus(identity.WithActor(ctx, asker), &caseworkv1.GetStatusRequest{})
		if err != nil || !answer.GetServing() {
			return errors.New("Temporal or its worker does not serve")
		}
		return nil
	}
}

func serves(ctx context.Context, conn grpc.ClientConnInterface) bool {
	answer, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
	return err == nil && answer.GetStatus() == healthv1.HealthCheckResponse_SERVING
}

// ServeHTTP is GET /healthz: 200, or 503 with a list of what does not serve.
func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	absent := h.missing(r.Context())
	state, code := "serving", http.StatusOK
	if len(absent) > 0 {
		state, code = "not serving", http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(map[string]any{"status": state, "not_serving": absent}); err != nil {
		slog.DebugContext(r.Context(), "health could not be answered", slog.Any("error", err))
	}
}

// check answers grpc.health.v1.Health/Check: of the whole mesh for an empty name, else of one service.
func (h *health) check(services []service) answerer {
	return func(ctx context.Context, request proto.Message) (proto.Message, error) {
		asked, _ := request.(*healthv1.HealthCheckRequest)
		answer := &healthv1.HealthCheckResponse{Status: healthv1.HealthCheckResponse_NOT_SERVING}
		if asked.GetService() == "" {
			if len(h.missing(ctx)) == 0 {
				answer.Status = healthv1.HealthCheckResponse_SERVING
			}
			return answer, nil
		}
		at := slices.IndexFunc(services, func(s service) bool { return s.name == asked.GetService() && s.open() })
		if at < 0 {
			return nil, refuse(connect.CodeNotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "there is no such service")
		}
		ctx, cancel := context.WithTimeout(ctx, probeTime)
		defer cancel()
		if serves(ctx, h.backends[services[at].workload]) {
			answer.Status = healthv1.HealthCheckResponse_SERVING
		}
		return answer, nil
	}
}

// method is Check as the gateway offers it. Watch is a stream and not offered: clients that find it unimplemented
// ask again, or take the server for healthy.
func (h *health) method(services []service) (*method, error) {
	desc := healthv1.File_grpc_health_v1_health_proto.Services().ByName(protoreflect.Name("Health")).Methods().ByName("Check")
	m, err := newMethod(desc)
	if err != nil {
		return nil, err
	}
	m.local = h.check(services)
	return m, nil
}
