package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connectproto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// frame is one message as bytes.
type frame struct{ data []byte }

// edgeCodec hands bodies through as they are, so that the handler decides what to parse, after it has decided
// who may call. Real messages pass too: Connect writes the details of errors with the codec called "proto".
type edgeCodec struct{ connect.Codec }

func edgeCodecs() []connect.Codec {
	return []connect.Codec{edgeCodec{connectproto.NewBinaryCodec()}, edgeCodec{connectproto.NewJSONCodec()}}
}

// UnmarshalRead reads a body.
func (c edgeCodec) UnmarshalRead(ctx context.Context, src io.Reader, msg any) error {
	f, ok := msg.(*frame)
	if !ok {
		return c.Codec.UnmarshalRead(ctx, src, msg)
	}
	if buffer, ok := src.(*bytes.Buffer); ok {
		f.data = bytes.Clone(buffer.Next(buffer.Len()))
		return nil
	}
	var err error
	f.data, err = io.ReadAll(src)
	return err
}

// MarshalWrite writes a body.
func (c edgeCodec) MarshalWrite(ctx context.Context, dst io.Writer, msg any) error {
	f, ok := msg.(*frame)
	if !ok {
		return c.Codec.MarshalWrite(ctx, dst, msg)
	}
	_, err := dst.Write(f.data)
	return err
}

// meshCodec is the same towards the services, whose side is ordinary protobuf.
type meshCodec struct{}

// Name is the content subtype that services know.
func (meshCodec) Name() string { return "proto" }

// Marshal returns a frame's bytes.
func (meshCodec) Marshal(v any) (mem.BufferSlice, error) {
	f, ok := v.(*frame)
	if !ok {
		return nil, fmt.Errorf("forward %T: not a frame", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(f.data)}, nil
}

// Unmarshal keeps an answer's bytes.
func (meshCodec) Unmarshal(data mem.BufferSlice, v any) error {
	f, ok := v.(*frame)
	if !ok {
		return fmt.Errorf("forward %T: not a frame", v)
	}
	f.data = data.Materialize()
	return nil
}

// forward is the handler of every RPC of every service.
func (g *gateway) forward(m *method) connect.ServerFunc {
	options := []grpc.CallOption{
		grpc.ForceCodecV2(meshCodec{}),
		grpc.MaxCallRecvMsgSize(2 * g.cfg.MaxMessage),
		grpc.MaxCallSendMsgSize(2 * g.cfg.MaxMessage),
	}
	return func(ctx context.Context, _ connect.Spec, stream connect.ServerStream) error {
		return g.exchange(ctx, m, stream, func(request []byte) ([]byte, error) {
			var answer frame
			if err := m.conn.Invoke(ctx, m.procedure, &frame{request}, &answer, options...); err != nil {
				return nil, relay(ctx, m.procedure, err)
			}
			return answer.data, nil
		})
	}
}

// answer is the handler of an RPC of the gateway's own.
func (g *gateway) answer(m *method) connect.ServerFunc {
	return func(ctx context.Context, _ connect.Spec, stream connect.ServerStream) error {
		return g.exchange(ctx, m, stream, func(raw []byte) ([]byte, error) {
			request := m.input.New().Interface()
			if err := proto.Unmarshal(raw, request); err != nil {
				return nil, unexpected(ctx, m.procedure, err)
			}
			response, err := m.local(ctx, request)
			if err != nil {
				return nil, err
			}
			return proto.Marshal(response)
		})
	}
}

// exchange reads and checks the request, has it answered, and sends the answer.
func (g *gateway) exchange(ctx context.Context, m *method, stream connect.ServerStream, answer func([]byte) ([]byte, error)) error {
	info, _ := connect.CallInfoForServerContext(ctx)
	var body frame
	if err := stream.Receive(&body); err != nil {
		return unread(err, g.cfg.MaxMessage)
	}
	request, err := m.decode(info.Codec, body.data)
	if err != nil {
		return err
	}
	response, err := answer(request)
	if err != nil {
		return err
	}
	if body.data, err = m.encode(info.Codec, response); err != nil {
		return unexpected(ctx, m.procedure, err)
	}
	return stream.Send(&body)
}
