package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// position finds where protojson stopped; its texts quote the input, so nothing else of them is used.
var position = regexp.MustCompile(`\(line (\d+):(\d+)\)`)

// explainJSON says what is wrong with a JSON body, naming the field and never its value. It runs only after
// protojson has refused, so it may be slow: it asks protojson again, field by field, which one is to blame.
func explainJSON(message protoreflect.MessageType, body []byte, cause error) error {
	where := ""
	if at := position.FindStringSubmatch(cause.Error()); at != nil {
		where = fmt.Sprintf(" (line %s, column %s)", at[1], at[2])
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil || decoder.More() {
		return invalid("the body is not valid JSON%s", where)
	}
	if path, problem := blame(message.New(), tree, 0); problem != "" {
		if path == "" {
			return invalid("the body: %s", problem)
		}
		return invalid("field %s: %s", path, problem)
	}
	return invalid("the body is not a %s in JSON%s: a field stands twice, or two that exclude each other",
		message.Descriptor().FullName(), where)
}

// blame finds the first field that its message does not take.
func blame(message protoreflect.Message, tree any, depth int) (path, problem string) {
	object, ok := tree.(map[string]any)
	if !ok {
		return "", "a JSON object is expected"
	}
	if depth > maxDepth {
		return "", "nested too deep"
	}
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		fd := fieldOf(message.Descriptor(), key)
		if fd == nil {
			return shown(key), "there is no such field in " + string(message.Descriptor().FullName())
		}
		if inner, problem := blameField(message, fd, key, object[key], depth); problem != "" {
			return inner, problem
		}
	}
	return "", ""
}

func blameField(message protoreflect.Message, fd protoreflect.FieldDescriptor, key string, value any, depth int) (path, problem string) {
	name := string(fd.Name())
	if value == nil || accepted(message, key, value) {
		return "", ""
	}
	if !fd.IsList() {
		return blameOne(message, fd, name, value, depth)
	}
	items, ok := value.([]any)
	if !ok {
		return name, "a JSON list is expected"
	}
	for i, item := range items {
		if accepted(message, key, []any{item}) {
			continue
		}
		return blameOne(message, fd, fmt.Sprintf("%s[%d]", name, i), item, depth)
	}
	return name, expected(fd)
}

// blameOne goes into a message of ours and stops at everything else.
func blameOne(message protoreflect.Message, fd protoreflect.FieldDescriptor, name string, value any, depth int) (path, problem string) {
	if fd.Message() == nil || fd.IsMap() || fd.Message().FullName().Parent() == "google.protobuf" {
		return name, expected(fd)
	}
	element := message.NewField(fd)
	if fd.IsList() {
		element = element.List().NewElement()
	}
	inner, problem := blame(element.Message(), value, depth+1)
	if problem == "" {
		return name, expected(fd)
	}
	return join(name, inner), problem
}

// accepted asks protojson whether a message takes one field's value.
func accepted(message protoreflect.Message, key string, value any) bool {
	raw, err := json.Marshal(map[string]any{key: value})
	return err == nil && fromJSON.Unmarshal(raw, message.New().Interface()) == nil
}

func fieldOf(desc protoreflect.MessageDescriptor, key string) protoreflect.FieldDescriptor {
	if fd := desc.Fields().ByJSONName(key); fd != nil {
		return fd
	}
	return desc.Fields().ByTextName(key)
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z_0-9]{0,63}$`)

// shown is a key that a client made up, if it looks like a field's name at all: a key may be a value gone astray.
func shown(key string) string {
	if !identifier.MatchString(key) || strings.Count(key, "") > 65 {
		return "(unreadable name)"
	}
	return key
}

// expected says in words what a field takes.
func expected(fd protoreflect.FieldDescriptor) string {
	if fd.IsMap() {
		return "a JSON object with its keys and values is expected"
	}
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return "true or false is expected"
	case protoreflect.StringKind:
		return "a text in quotes is expected"
	case protoreflect.BytesKind:
		return "bytes in base64 are expected"
	case protoreflect.EnumKind:
		return "one of the names of " + string(fd.Enum().FullName()) + " is expected"
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return "a number is expected"
	case protoreflect.MessageKind, protoreflect.GroupKind:
		switch fd.Message().FullName() {
		case "google.protobuf.Timestamp":
			return `a time is expected, such as "2026-11-21T08:00:00Z"`
		case "google.protobuf.Duration":
			return `a duration is expected, such as "3.5s"`
		}
		return "a " + string(fd.Message().FullName()) + " is expected"
	default:
		return "a whole number that fits " + fd.Kind().String() + " is expected"
	}
}
