package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"connectrpc.com/connect/v2"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"quietline/internal/access"
	accessv1 "quietline/proto/quietline/access/v1"

	// The services that the gateway knows are those whose descriptors the binary carries.
	_ "quietline/proto/quietline/assignment/v1"
	_ "quietline/proto/quietline/casework/v1"
	_ "quietline/proto/quietline/credit/v1"
	_ "quietline/proto/quietline/disclosure/v1"
	_ "quietline/proto/quietline/enforcement/v1"
	_ "quietline/proto/quietline/ledger/v1"
	_ "quietline/proto/quietline/reporting/v1"
)

// servedBy names the workloads that serve another package than their own name.
var servedBy = map[string]string{"casework": "workflows"}

// withSecret are the calls of the public that present a receipt's secret: guessing must be slow.
var withSecret = map[string]bool{
	"TrackReport": true, "WithdrawReport": true, "SupplementReport": true, "AnswerFollowUp": true,
}

// method is one RPC, as the gateway needs it. It is a method descriptor, which Connect expects as a spec's schema.
type method struct {
	protoreflect.MethodDescriptor

	procedure     string // "/quietline.ledger.v1.LedgerService/WhoHeld"
	input, output protoreflect.MessageType
	roles         []accessv1.Role // who may call; none: closed
	secret        bool            // presents a receipt's secret
	polls         bool            // may wait for something new
	conn          grpc.ClientConnInterface
	local         answerer // answers here; no conn
}

// answerer answers an RPC of the gateway's own.
type answerer func(ctx context.Context, request proto.Message) (proto.Message, error)

// service is one gRPC service of the mesh.
type service struct {
	name     string // "quietline.ledger.v1.LedgerService"
	workload string // "ledger"
	methods  []*method
}

// open says whether any of its RPCs is open to people or outside systems.
func (s service) open() bool {
	return slices.ContainsFunc(s.methods, func(m *method) bool { return len(m.roles) > 0 })
}

// Workloads lists the backends that the gateway needs a connection to.
func Workloads() ([]string, error) {
	all, err := services(protoregistry.GlobalFiles)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range all {
		if !slices.Contains(names, s.workload) {
			names = append(names, s.workload)
		}
	}
	slices.Sort(names)
	return names, nil
}

// services finds every service of packages quietline.<owner>.<version>.
func services(files *protoregistry.Files) ([]service, error) {
	var all []service
	var errs []error
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		owner, ok := ownerOf(file.Package())
		if !ok {
			return true
		}
		for i := range file.Services().Len() {
			s, err := newService(file.Services().Get(i), owner)
			all, errs = append(all, s), append(errs, err)
		}
		return true
	})
	slices.SortFunc(all, func(a, b service) int { return strings.Compare(a.name, b.name) })
	return all, errors.Join(errs...)
}

func ownerOf(pkg protoreflect.FullName) (workload string, ok bool) {
	parts := strings.Split(string(pkg), ".")
	if len(parts) != 3 || parts[0] != "quietline" {
		return "", false
	}
	if other, ok := servedBy[parts[1]]; ok {
		return other, true
	}
	return parts[1], true
}

func newService(desc protoreflect.ServiceDescriptor, workload string) (service, error) {
	s := service{name: string(desc.FullName()), workload: workload}
	for i := range desc.Methods().Len() {
		m, err := newMethod(desc.Methods().Get(i))
		if err != nil {
			return s, err
		}
		s.methods = append(s.methods, m)
	}
	return s, nil
}

func newMethod(desc protoreflect.MethodDescriptor) (*method, error) {
	m := &method{
		MethodDescriptor: desc,
		procedure:        fmt.Sprintf("/%s/%s", desc.Parent().FullName(), desc.Name()),
		roles:            access.RuleOf(desc).GetRoles(),
		polls:            desc.Input().Fields().ByName("max_wait") != nil,
		secret:           withSecret[string(desc.Name())],
	}
	if desc.IsStreamingClient() || desc.IsStreamingServer() {
		return nil, fmt.Errorf("%s streams: the mesh has unary RPCs only", m.procedure)
	}
	var err error
	if m.input, err = protoregistry.GlobalTypes.FindMessageByName(desc.Input().FullName()); err != nil {
		return nil, fmt.Errorf("%s: %w", m.procedure, err)
	}
	if m.output, err = protoregistry.GlobalTypes.FindMessageByName(desc.Output().FullName()); err != nil {
		return nil, fmt.Errorf("%s: %w", m.procedure, err)
	}
	return m, nil
}

// spec is the RPC as Connect sees it. The idempotency level stays unknown: Connect offers HTTP GET for methods
// without side effects, and GET would write what is asked for, telephone numbers among it, into URLs.
func (m *method) spec() connect.Spec {
	return connect.Spec{StreamType: connect.StreamTypeUnary, Procedure: m.procedure, Schema: m}
}
