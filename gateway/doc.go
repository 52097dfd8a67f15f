// Package gateway is the edge of the mesh (网关): the one place where people and outside systems come in.
//
// One port speaks gRPC, gRPC-Web and Connect (JSON and binary) for every RPC of every service, and there is no
// code per RPC. A call passes, in this order,
//
//	recover → trace → deadline → who is it → how often → may this role → read the body → check it → forward
//
// so that nothing is read, inflated or parsed for a caller who may not call. The pieces, a file each:
//
//	services.go  which RPCs there are, from the descriptors that the binary carries
//	admit.go     the interceptors before the body is read
//	auth.go      bearer tokens → Actor; issuers.go what an issuer may say
//	limit.go     token buckets per address and per subject
//	decode.go    the body → checked bytes; explain.go says what is wrong with JSON
//	forward.go   bytes → the owner's grpc-go connection → bytes
//	relay.go     which errors may leave, and with what text
//	health.go    /healthz and grpc.health.v1; server.go puts it all on one mux; run.go runs it
//
// Contracts:
//   - The actor comes from a verified token alone. Request headers are never forwarded, so a client's own
//     x-quietline-actor-bin ends here. A bad token is refused and never becomes the public.
//   - RPCs whose access rule names no role are closed here, whoever asks.
//   - RPCs are POST only. Connect's GET would put telephone numbers into URLs, and URLs into access logs.
//   - Texts of errors never repeat a value of the request: they name the field.
//   - Every service checks again what is checked here; the gateway only saves it the work.
package gateway
