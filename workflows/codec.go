package workflows

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"quietline/internal/seal"
)

// sealed is the encoding of a payload that only the workflows can read.
const sealed = "binary/quietline-sealed"

// place binds a ciphertext to where it may stand.
var place = []byte("temporal payload")

// codec seals every payload on its way to Temporal, so that its database and its pages hold ciphertext. Identifiers of
// workflows and updates are not payloads: no personal data may be in them.
type codec struct{ keys *seal.Keys }

// Encode implements converter.PayloadCodec.
func (c codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
		data, err := c.keys.Seal(plain, place)
		if err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
		out[i] = &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte(sealed)}, Data: data}
	}
	return out, nil
}

// Decode implements converter.PayloadCodec.
func (c codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != sealed {
			out[i] = p // the server's own, such as a schedule's
			continue
		}
		plain, err := c.keys.Unseal(p.GetData(), place)
		if err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
		out[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, out[i]); err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
	}
	return out, nil
}

// converters are how values become payloads and errors become failures; texts of errors are sealed too.
func converters(keys *seal.Keys) (converter.DataConverter, converter.FailureConverter) {
	data := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codec{keys})
	return data, temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: data, EncodeCommonAttributes: true,
	})
}
