package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// rekeyed binds the request ID of a write to what is written. A workflow task whose worker died is worked again, perhaps
// at another time and with the decisions of people in another order: the same write then repeats itself, and another
// write at the same place is a write of its own, not a request ID used twice.
func rekeyed[M proto.Message](deed M) (M, error) {
	field := deed.ProtoReflect().Descriptor().Fields().ByName("request_id")
	if field == nil {
		return deed, nil
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(deed)
	if err != nil {
		return deed, fmt.Errorf("request ID: %w", err)
	}
	sum := sha256.Sum256(raw)
	out := proto.CloneOf(deed)
	out.ProtoReflect().Set(field, protoreflect.ValueOfString(derived(hex.EncodeToString(sum[:]))))
	return out, nil
}
