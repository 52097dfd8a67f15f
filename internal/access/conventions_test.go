package access_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"quietline/internal/access"
	accessv1 "quietline/proto/quietline/access/v1"
	_ "quietline/proto/quietline/assignment/v1"
	_ "quietline/proto/quietline/casework/v1"
	_ "quietline/proto/quietline/common/v1"
	_ "quietline/proto/quietline/credit/v1"
	_ "quietline/proto/quietline/disclosure/v1"
	_ "quietline/proto/quietline/enforcement/v1"
	_ "quietline/proto/quietline/reporting/v1"
)

// TestConventions holds every RPC of the mesh to what callers and this code count on. That everything is commented is
// held by buf lint.
func TestConventions(t *testing.T) {
	services := map[string]bool{}
	for m := range access.Methods() {
		services[string(m.Parent().FullName())] = true
		t.Run(string(m.Parent().Name()+"/"+m.Name()), func(t *testing.T) {
			checkRule(t, m)
			checkNames(t, m)
			level := access.Level(m)
			reads := level == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
			// An RPC marked IDEMPOTENT is so by its nature, and says in its comment why.
			if level == descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN {
				checkCommand(t, m)
			}
			// Lists are named List and a plural; ListParty, a command, lists a party.
			if reads && strings.HasPrefix(string(m.Name()), "List") {
				checkList(t, m)
			}
		})
	}
	if len(services) != 7 {
		t.Errorf("%d services are linked into this test, not 7: %v", len(services), services)
	}
}

func checkRule(t *testing.T, m protoreflect.MethodDescriptor) {
	rule := access.RuleOf(m)
	if len(rule.GetCallers()) == 0 {
		t.Error("has no rule that names a caller")
	}
	if slices.Contains(rule.GetCallers(), 0) || slices.Contains(rule.GetRoles(), 0) {
		t.Error("has a rule that names UNSPECIFIED")
	}
	throughGateway := slices.Contains(rule.GetCallers(), accessv1.Caller_CALLER_GATEWAY)
	if throughGateway != (len(rule.GetRoles()) > 0) {
		t.Error("must name the gateway and roles, or neither")
	}
	own := "CALLER_" + strings.ToUpper(strings.Split(string(m.FullName()), ".")[1])
	for _, c := range rule.GetCallers() {
		if c.String() == own {
			t.Errorf("names its own workload %s as a caller", own)
		}
	}
}

func checkNames(t *testing.T, m protoreflect.MethodDescriptor) {
	if want := m.Name() + "Request"; m.Input().Name() != want {
		t.Errorf("takes %s, not %s", m.Input().Name(), want)
	}
	if want := m.Name() + "Response"; m.Output().Name() != want {
		t.Errorf("answers %s, not %s", m.Output().Name(), want)
	}
	if m.IsStreamingClient() || m.IsStreamingServer() {
		t.Error("streams; feeds are unary long polls")
	}
}

// checkCommand: a command may be sent twice, so it carries a request ID.
func checkCommand(t *testing.T, m protoreflect.MethodDescriptor) {
	f := m.Input().Fields().ByNumber(1)
	if f == nil || f.Name() != "request_id" || f.Kind() != protoreflect.StringKind || f.IsList() {
		t.Error("is a command whose field 1 is no string request_id")
	}
}

// checkList: every list is bounded and can be gone on with.
func checkList(t *testing.T, m protoreflect.MethodDescriptor) {
	need := map[protoreflect.Name]protoreflect.Kind{"page_size": protoreflect.Int32Kind, "page_token": protoreflect.StringKind}
	if m.Input().Fields().ByName("after_cursor") != nil { // change feeds
		need = map[protoreflect.Name]protoreflect.Kind{"after_cursor": protoreflect.StringKind, "max_wait": protoreflect.MessageKind}
	}
	for name, kind := range need {
		if f := m.Input().Fields().ByName(name); f == nil || f.Kind() != kind {
			t.Errorf("has no %v %s", kind, name)
		}
	}
}
