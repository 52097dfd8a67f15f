package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"connectrpc.com/connect/v2"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxDepth bounds nesting; no message of ours comes near.
const maxDepth = 64

var (
	fromJSON   = protojson.UnmarshalOptions{RecursionLimit: maxDepth}
	fromBinary = proto.UnmarshalOptions{RecursionLimit: maxDepth}
	escapedNUL = []byte(`\u0000`)
)

// decode checks a request's body against the method's message and returns it in binary form. A body that is
// binary already goes on as it came.
func (m *method) decode(codec string, body []byte) ([]byte, error) {
	if codec == connect.CodecNameJSON {
		return m.decodeJSON(body)
	}
	message := m.input.New()
	if err := fromBinary.Unmarshal(body, message.Interface()); err != nil {
		if path := brokenUTF8(m.input.Descriptor(), body, 0); path != "" {
			return nil, invalid("field %s is not valid UTF-8", path)
		}
		return nil, invalid("the body is not a %s in protobuf encoding", m.input.Descriptor().FullName())
	}
	if bytes.IndexByte(body, 0) >= 0 {
		if path := fieldWithNUL(message); path != "" {
			return nil, nulIn(path)
		}
	}
	return body, nil
}

func (m *method) decodeJSON(body []byte) ([]byte, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, invalid("the body is empty; send a JSON object, {} at least")
	}
	if at := firstInvalidUTF8(body); at >= 0 {
		return nil, invalid("the body is not valid UTF-8 at byte %d", at)
	}
	message := m.input.New()
	if err := fromJSON.Unmarshal(body, message.Interface()); err != nil {
		return nil, explainJSON(m.input, body, err)
	}
	if bytes.Contains(body, escapedNUL) {
		if path := fieldWithNUL(message); path != "" {
			return nil, nulIn(path)
		}
	}
	return proto.Marshal(message.Interface())
}

// encode writes a backend's answer in the caller's codec.
func (m *method) encode(codec string, answer []byte) ([]byte, error) {
	if codec != connect.CodecNameJSON {
		return answer, nil
	}
	message := m.output.New().Interface()
	if err := proto.Unmarshal(answer, message); err != nil {
		return nil, errors.New("the answer is not of its type")
	}
	return protojson.MarshalOptions{}.Marshal(message)
}

func nulIn(path string) error {
	return invalid("field %s holds a NUL character, which no text here may", path)
}

func firstInvalidUTF8(body []byte) int {
	if utf8.Valid(body) {
		return -1
	}
	for i := 0; i < len(body); {
		r, size := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// fieldWithNUL names the first text field that holds a NUL, which PostgreSQL cannot store.
func fieldWithNUL(message protoreflect.Message) (path string) {
	message.Range(func(fd protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := string(fd.Name())
		switch {
		case fd.IsMap():
			value.Map().Range(func(key protoreflect.MapKey, item protoreflect.Value) bool {
				if fd.MapKey().Kind() == protoreflect.StringKind && hasNUL(key.String()) {
					path = name
				} else if inner, found := nulInValue(fd.MapValue(), item); found {
					path = join(name, inner)
				}
				return path == ""
			})
		case fd.IsList():
			for i := range value.List().Len() {
				if inner, found := nulInValue(fd, value.List().Get(i)); found {
					path = join(fmt.Sprintf("%s[%d]", name, i), inner)
					break
				}
			}
		default:
			if inner, found := nulInValue(fd, value); found {
				path = join(name, inner)
			}
		}
		return path == ""
	})
	return path
}

func nulInValue(fd protoreflect.FieldDescriptor, value protoreflect.Value) (inner string, found bool) {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return "", hasNUL(value.String())
	case protoreflect.MessageKind, protoreflect.GroupKind:
		inner = fieldWithNUL(value.Message())
		return inner, inner != ""
	default:
		return "", false
	}
}

func hasNUL(text string) bool {
	for i := range len(text) {
		if text[i] == 0 {
			return true
		}
	}
	return false
}

// brokenUTF8 names the first text field of a binary body that is not UTF-8; empty when that is not what is wrong.
func brokenUTF8(desc protoreflect.MessageDescriptor, body []byte, depth int) string {
	for len(body) > 0 && depth < maxDepth {
		number, kind, n := protowire.ConsumeTag(body)
		if n < 0 {
			return ""
		}
		body = body[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, body); n < 0 {
				return ""
			}
			body = body[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(body)
		if n < 0 {
			return ""
		}
		body = body[n:]
		if fd := desc.Fields().ByNumber(number); fd != nil {
			if path, broken := brokenField(fd, value, depth); broken {
				return path
			}
		}
	}
	return ""
}

func brokenField(fd protoreflect.FieldDescriptor, value []byte, depth int) (path string, broken bool) {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return string(fd.Name()), !utf8.Valid(value)
	case protoreflect.MessageKind:
		if inner := brokenUTF8(fd.Message(), value, depth+1); inner != "" {
			return join(string(fd.Name()), inner), true
		}
	}
	return "", false
}

func join(outer, inner string) string {
	if inner == "" || outer == "" {
		return outer + inner
	}
	return outer + "." + inner
}
