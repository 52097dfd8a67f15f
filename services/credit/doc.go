// Package credit owns the credit lists 信用名单: the bad list 不良名单 and the dishonest list 失信名单, which are for licensed
// telecom operators only, and the credit records 信用记录 of all other parties, kept under the sector that decided.
//
// An entry rests on a ground of the policy and on the decision of a case, or it is proposed, and then the party is heard and
// three people decide. How serious it is and when it ends are fixed when it is entered, by the policy as of the decision
// (信用修复管理办法): nobody is listed for ever.
//
//	PROPOSED ──> NOTIFIED ──> LISTED <──> REPAIR_REQUESTED ──> REMOVED     repair granted by another person
//	   └─────── by a case ──────^  │              │
//	                               ├──────────────┴──────────> EXPIRED     at its latest end, by itself
//	   any state ──────────────────┴─────────────────────────> WITHDRAWN   its ground fell away; the row stays, with the reason
//
// An operator, who gives access, learns whether a firm stands on the telecom lists and what for, and reads the published
// fields once they are public; the ledger learns no more. Credit records and what has ended are no business of theirs.
//
// Whoever follows the feed is known, also who never acknowledges, and hears when an entry begins and when it ends. When it ends, its publication is withdrawn, and each
// agency lifts its own measure within the term; one that does not is named (修复后仍受惩戒).
//
// Invariants, held by the database: no entry longer than its class allows; on a telecom list nobody without a licence;
// nobody listed without a case by fewer than three people or unheard; one live entry per firm, list, ground and case; every
// move along an edge of the drawing, written to a log that the service itself cannot write.
//
//	server.go     reads; enter.go: entries that a case makes; policy.go: the policy in force; proposal.go: proposed entries
//	withdraw.go   what ends; publish.go: the quarter's publication; repair.go, measure.go: repair and joint punishment
//	feed.go       the feed and who follows it; hub.go: one listener for all who wait; audit.go: checks
//	clock.go      what is due, and the settling of provisional dates
package credit
