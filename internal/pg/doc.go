// Package pg is how services keep what they own: a pool, migrations, writes that happen at most once, pages and feeds.
//
// Each service has a database and two roles: the owner migrates, the service's own role reads and writes what the
// migrations grant it. In every database this package keeps one table of its own, request, which remembers the answers
// of writes for 90 days.
//
// The contract of Once, which is the whole idempotency story:
//   - the key is (actor and calling workload, RPC, request_id); the same key with the same request gets the first
//     answer again; with another request it is refused with REQUEST_ID_REUSED;
//   - of two at the same time, one runs and the other waits and gets its answer;
//   - only successes are remembered: a refused request may be sent again and is tried again;
//   - the function may run more than once (serialization failures), so it MUST have no effects outside its transaction;
//   - the response is stored, so it MUST NOT hold secrets: derive those after Once returned.
//
// A write whose repeat can be answered from the row that it makes may keep RequestKey there instead: the request then stays
// bound to that row for as long as the row lives. A request that made no row is not remembered.
package pg
