package rpc

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"quietline/internal/access"
	"quietline/internal/errs"
	"quietline/internal/persons"
	"quietline/internal/phone"
)

// One validator for the process: all servers of it share the compiled rules.
var validator = sync.OnceValues(func() (protovalidate.Validator, error) { return protovalidate.New() })

// warm compiles the rules of all requests of a server, which takes long at first use and can fail, at the start.
func warm(info map[string]grpc.ServiceInfo) error {
	v, err := validator()
	if err != nil {
		return fmt.Errorf("validation: %w", err)
	}
	for name := range info {
		if access.Exempt(name) {
			continue
		}
		desc, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		if err != nil {
			return fmt.Errorf("validation of %s: %w", name, err)
		}
		sd, _ := desc.(protoreflect.ServiceDescriptor)
		for i := range sd.Methods().Len() {
			input := sd.Methods().Get(i).Input()
			mt, err := protoregistry.GlobalTypes.FindMessageByName(input.FullName())
			if err != nil {
				return fmt.Errorf("validation of %s: %w", input.FullName(), err)
			}
			// An empty message may well break its rules; only rules that do not compile are a fault.
			if err := v.Validate(mt.New().Interface()); err != nil && !isViolation(err) {
				return fmt.Errorf("validation of %s: %w", input.FullName(), err)
			}
		}
	}
	return nil
}

func isViolation(err error) bool {
	var v *protovalidate.ValidationError
	return errors.As(err, &v)
}

// maxViolations are told at once; the rest comes after those are mended.
const maxViolations = 3

func validate(m proto.Message) error {
	v, err := validator()
	if err != nil {
		return fmt.Errorf("validation: %w", err)
	}
	err = v.Validate(m)
	if err == nil {
		return checkWords(m.ProtoReflect())
	}
	var bad *protovalidate.ValidationError
	if !errors.As(err, &bad) || len(bad.Violations) == 0 {
		return fmt.Errorf("validation of %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	first := bad.Violations[0]
	path, text := protovalidate.FieldPathString(first.Proto.GetField()), violationText(first)
	for _, more := range bad.Violations[1:min(len(bad.Violations), maxViolations)] {
		text += "; " + strings.TrimPrefix(protovalidate.FieldPathString(more.Proto.GetField())+": ", ": ") + violationText(more)
	}
	return errs.Field(path, "%s", text)
}

// violationText is the rule's own message, which speaks of the rule and never of the value.
func violationText(v *protovalidate.Violation) string {
	if text := v.Proto.GetMessage(); text != "" {
		return text
	}
	return "breaks the rule " + v.Proto.GetRuleId()
}

// words are the fields of requests in which people give reasons. They are kept in clear and read by all that take part.
var words = []protoreflect.Name{"reason", "note"}

// checkWords refuses a reason that names a subscriber or the identity number of a person: whoever means a call names its report, complaint or resource. Codes
// of firms and service numbers may be named.
func checkWords(m protoreflect.Message) error {
	for _, name := range words {
		field := m.Descriptor().Fields().ByName(name)
		if field == nil || field.Kind() != protoreflect.StringKind || field.IsList() || m.Get(field).String() == "" {
			continue
		}
		text := m.Get(field).String()
		if kind := phone.Parse(persons.WithoutUUIDs(text)).GetKind(); kind == phone.Mobile || kind == phone.Landline || persons.Named(text) {
			return errs.Field(string(name), "holds a subscriber's or a person's number; name the report, the complaint or the resource instead")
		}
	}
	return nil
}
