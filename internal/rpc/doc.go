// Package rpc is how workloads talk: gRPC over mTLS with SPIFFE identities, and one fixed chain before every method.
//
//	recover -> telemetry -> errors -> identity, actor -> access rule -> validation -> deadline -> the method
//
// By the time a method runs it may rely on this: the caller is a workload that the RPC's rule names, the actor (see
// package identity) is to be believed and holds a role that the rule names, the request obeys the rules in its proto,
// and the context has a deadline. What the method returns reaches the caller as it is only when it is a refusal (package
// errs); anything else is logged, and the caller gets a reference to it.
package rpc
