package routefile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// facts is an example as a file has it: facts by their names in RouteRequest.
type facts map[string]any

// request is the example as the service takes it.
func (f facts) request() (*assignmentv1.RouteRequest, error) {
	if len(f) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("example: %w", err)
	}
	req := &assignmentv1.RouteRequest{}
	if err := protojson.Unmarshal(raw, req); err != nil {
		return nil, fmt.Errorf("example: must be facts such as sector: loans (%w)", err)
	}
	return req, nil
}

// factsOf are the facts of an example that are set.
func factsOf(req *assignmentv1.RouteRequest) facts {
	if req == nil {
		return nil
	}
	f := facts{}
	req.ProtoReflect().Range(func(d protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case d.IsList():
			var list []string
			for i := range v.List().Len() {
				list = append(list, v.List().Get(i).String())
			}
			f[string(d.Name())] = list
		case d.Message() == nil: // the time of an example is when it is tried
			f[string(d.Name())] = v.Interface()
		}
		return true
	})
	return f
}

// words is an example in one cell: sector=loans other_sectors=travel+funds.
func (f facts) words() string {
	var words []string
	for name, value := range f {
		text := fmt.Sprint(value)
		if list, ok := value.([]string); ok {
			text = strings.Join(list, "+")
		}
		words = append(words, name+"="+text)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// factsIn reads an example from a cell.
func factsIn(cell string) (facts, error) {
	f := facts{}
	descriptors := (&assignmentv1.RouteRequest{}).ProtoReflect().Descriptor().Fields()
	for word := range strings.FieldsSeq(cell) {
		name, value, ok := strings.Cut(word, "=")
		d := descriptors.ByName(protoreflect.Name(name))
		if !ok || d == nil {
			return nil, fmt.Errorf("example: %q is no fact such as sector=loans", word)
		}
		f[name] = value
		switch {
		case d.IsList():
			f[name] = strings.Split(value, "+")
		case d.Kind() == protoreflect.BoolKind:
			is, err := strconv.ParseBool(value)
			if err != nil {
				return nil, fmt.Errorf("example: %s is true or false", name)
			}
			f[name] = is
		}
	}
	return f, nil
}
