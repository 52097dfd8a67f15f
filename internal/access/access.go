// Package access reads who may call an RPC from the option next to it in the proto, and decides by it.
//
// There is one rule per RPC and no default: a service with an RPC without a rule does not start. The rule names
// workloads (known by mTLS) and, for calls through the gateway, roles of people and outside systems. Whether an actor
// may see or change one row is no access rule but a WHERE clause of the owner.
package access

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Policy is the rules of a server's RPCs by their full method names ("/package.Service/Method").
type Policy struct {
	rules map[string]*accessv1.Rule
}

// Load reads the rules of the services that a server offers. An RPC whose rule is missing or names nobody is an error.
func Load(info map[string]grpc.ServiceInfo) (*Policy, error) {
	p := &Policy{rules: map[string]*accessv1.Rule{}}
	var problems []error
	for name, svc := range info {
		if Exempt(name) {
			continue
		}
		desc, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		sd, ok := desc.(protoreflect.ServiceDescriptor)
		if err != nil || !ok {
			problems = append(problems, fmt.Errorf("%s: no descriptor, so no access rules", name))
			continue
		}
		for _, m := range svc.Methods {
			full := "/" + name + "/" + m.Name
			rule := RuleOf(sd.Methods().ByName(protoreflect.Name(m.Name)))
			if err := check(rule); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", full, err))
				continue
			}
			p.rules[full] = rule
		}
	}
	if len(problems) > 0 {
		slices.SortFunc(problems, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
		return nil, fmt.Errorf("access rules: %w", errors.Join(problems...))
	}
	return p, nil
}

func check(rule *accessv1.Rule) error {
	switch {
	case rule == nil:
		return errors.New("has no access rule")
	case len(rule.GetCallers()) == 0:
		return errors.New("has an access rule without callers")
	case slices.Contains(rule.GetCallers(), accessv1.Caller_CALLER_UNSPECIFIED),
		slices.Contains(rule.GetRoles(), accessv1.Role_ROLE_UNSPECIFIED):
		return errors.New("has an access rule that names UNSPECIFIED")
	case len(rule.GetRoles()) > 0 && !slices.Contains(rule.GetCallers(), accessv1.Caller_CALLER_GATEWAY):
		return errors.New("has an access rule with roles that does not let the gateway in")
	}
	return nil
}

// Exempt says whether a service needs no rules: health and reflection, open to every member of the mesh.
func Exempt(service string) bool {
	return service == "grpc.health.v1.Health" || strings.HasPrefix(service, "grpc.reflection.")
}

// RuleOf is the rule that stands next to an RPC, nil when there is none.
func RuleOf(m protoreflect.MethodDescriptor) *accessv1.Rule {
	if m == nil || !proto.HasExtension(m.Options(), accessv1.E_Rule) {
		return nil
	}
	rule, _ := proto.GetExtension(m.Options(), accessv1.E_Rule).(*accessv1.Rule)
	return rule
}

// Rule is the rule of a full method name, nil when the policy does not know it.
func (p *Policy) Rule(method string) *accessv1.Rule { return p.rules[method] }

// Allow decides a call. What has no rule is refused.
func (p *Policy) Allow(method string, caller accessv1.Caller, actor *commonv1.Actor) error {
	return Allow(p.rules[method], caller, actor)
}

// Allow decides a call by its rule: the workload must be named, and through the gateway a role of the actor as well.
func Allow(rule *accessv1.Rule, caller accessv1.Caller, actor *commonv1.Actor) error {
	if caller == accessv1.Caller_CALLER_UNSPECIFIED || !slices.Contains(rule.GetCallers(), caller) {
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED,
			"the workload %s may not call this", workload(caller))
	}
	if caller == accessv1.Caller_CALLER_GATEWAY && !identity.HasRole(actor, rule.GetRoles()...) {
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED,
			"%s", roleMessage(rule))
	}
	return nil
}

func workload(c accessv1.Caller) string {
	if w := identity.WorkloadOfCaller(c); w != "" {
		return string(w)
	}
	return "(unknown)"
}

func roleMessage(rule *accessv1.Rule) string {
	if len(rule.GetRoles()) == 0 {
		return "no person may call this"
	}
	names := make([]string, len(rule.GetRoles()))
	for i, r := range rule.GetRoles() {
		names[i] = strings.TrimPrefix(r.String(), "ROLE_")
	}
	return "this needs one of the roles " + strings.Join(names, ", ")
}

// Row is one RPC in the access matrix.
type Row struct {
	Service string // full name, such as quietline.ledger.v1.LedgerService
	Method  string
	Callers []accessv1.Caller
	Roles   []accessv1.Role
	Reads   bool // no side effects
}

// Matrix is the access rules of all services of the mesh that are linked in, sorted.
func Matrix() []Row {
	var rows []Row
	for m := range Methods() {
		rule := RuleOf(m)
		rows = append(rows, Row{
			Service: string(m.Parent().FullName()),
			Method:  string(m.Name()),
			Callers: rule.GetCallers(),
			Roles:   rule.GetRoles(),
			Reads:   Level(m) == descriptorpb.MethodOptions_NO_SIDE_EFFECTS,
		})
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Method, b.Method))
	})
	return rows
}

// Methods yields the RPCs of all services of the mesh that are linked in.
func Methods() func(yield func(protoreflect.MethodDescriptor) bool) {
	return func(yield func(protoreflect.MethodDescriptor) bool) {
		protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
			if !strings.HasPrefix(string(f.Package()), "quietline.") {
				return true
			}
			for i := range f.Services().Len() {
				methods := f.Services().Get(i).Methods()
				for j := range methods.Len() {
					if !yield(methods.Get(j)) {
						return false
					}
				}
			}
			return true
		})
	}
}

// Level is how often an RPC may be sent: clients repeat those without side effects and idempotent ones.
func Level(m protoreflect.MethodDescriptor) descriptorpb.MethodOptions_IdempotencyLevel {
	opts, _ := m.Options().(*descriptorpb.MethodOptions)
	return opts.GetIdempotencyLevel()
}
