// Package ledger owns the number-resource ledger (码号资源台账): holders, resources and what happened to them.
//
// A resource is a code, a number block or a voice line with its four ledger fields: holder 使用主体, access location
// 接入位置, purpose 资源用途 and the caller numbers it may send 允许传送的主叫号码, and with the operator that gave it
// access. The responsibility of 谁接入谁负责 follows the time of the call, so the ledger has two times: valid, when an
// allocation held, and known, when the ledger said so. Every answer is as of both.
//
// Invariants, all of them held by the database:
//   - no number is allocated twice at the same valid and known time;
//   - a resource is one thing at a time;
//   - an allocation is never changed; a correction closes its known time once, at that moment, and adds the right row;
//   - what happened to a resource is only ever added to;
//   - a suspension names its ground, basis, nature, notice, remedy and the task whose decision ordered it.
//
// The state of a resource at a time is that of its last event until then:
//
//	allocated -> ACTIVE <-> SUSPENDED   (suspended, resumed)
//	               |            |
//	               +-> RECALLED <+      (recalled: the end)
package ledger
