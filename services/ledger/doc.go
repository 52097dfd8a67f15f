// Package ledger owns the number-resource ledger (码号资源台账): holders, resources and what happened to them.
//
// A resource is a code, a number block or a voice line with its four ledger fields: holder 使用主体, access location
// 接入位置, purpose 资源用途 and the caller numbers it may send 允许传送的主叫号码, and with the operator that gave it
// access. Beside it stand further access by place, the contract with its limit of calls, the holder's licences with their
// scope, the declared sub-holders 转租, the seats on its lines, and for whom an outsourced call centre calls 自营/外包.
//
// The responsibility of 谁接入谁负责 follows the time of the call, so the ledger has two times (it is bitemporal): valid, when
// something held, and known, when the ledger said so. WhoHeld answers as of both, in one statement. A row is never changed:
// a correction closes what was known, once, at that moment, and enters what is right, with the reason.
//
//	        said on 1 March: held from January on, by A
//	known   ─────────────────────────────┐
//	        corrected on 5 May:          └──────────────  held from January on, by B
//	asked "who held it in February, as known in April": A; "as known now": B
//
// Invariants, all of them held by the database:
//   - no number is allocated twice at the same valid and known time, and a resource is one thing at a time;
//   - a number is let by nobody to two, and to nobody by two: the sublets of a number make one chain;
//   - nothing in two times is changed but its known time, once;
//   - what happened to a resource is only ever added to;
//   - a purpose changes by a decision (电信条例 28); a correction and an approval have their reasons;
//   - a suspension names its ground, basis, nature, notice and remedy.
//
// What may be allocated is policy, as data (table allocation_policy, judged by judge): no subscriber numbers for a call
// centre's outbound business, nothing without the licence that it needs or beyond its scope, the bad list only with a
// reasoned approval, the dishonest list not at all, vetting documents of new users. The credit lists are asked of their
// owner; when it cannot be asked nothing is allocated.
//
// The state of a resource at a time is that of its last event until then that says one (state_rules.go):
//
//	allocated ─> ACTIVE <──> WARNED         (warned, resumed)
//	               │ ▲          │
//	               ▼ └──────────▼
//	            SUSPENDED <─────┘           (suspended, resumed)
//	               │
//	  any of them ─┴─> RECALL_NOTICE ─> RECALLED   (recall_noticed, recall_abandoned, recalled)
//	               └─> ENDED                       (ended: the end of an allocation)
//
// purpose_changed and allocation_corrected leave the state as it is. The first three states are the standing of a resource;
// the others lie over it, so that what happens while a recall is announced is not lost when the recall is abandoned.
//
// A warning or suspension is an operator's measure by its contract or an administration's order by law; nobody does what is
// the other's to do, an order takes its signatures, and nobody lifts what another did. A further ground is added to the first. An appeal 申诉 that is upheld
// adds the event corrected: the history keeps the act, its state is again what it would be without it, and what another
// ground ordered stands; so does what falls with the decision of its case (takeback.go). Each appellant has an appeal of its own, and another officer than those who had a part in the act
// decides it. A recall 收回 is proposed, reviewed and signed by three people, announced to the public, and carried
// out after its term, unless an objection stands; with it the allocation ends in both times:
//
//	recall  PROPOSED ─> REVIEWING ─> NOTICE ─> RECALLED
//	                        │           └────> ABANDONED   (an objection stands)
//	                        └────────────────> REJECTED    (sent back)
//	appeal  FILED ─> REVIEWING ─> UPHELD ─> RESTORED
//	                     └──────> DISMISSED
//
// A number has one form, whoever sends it: its scheme 号码方案 is a function of it. A 96 code is one of the province that gives
// it out, every other number is national, a landline with its area code. The database holds that form, so that a number that is
// allocated twice meets itself, and a complaint finds what it is about.
//
// Findings 问题 hold what was observed against what is declared, once per resource, source and kind:
//
//	OPEN ─> RECTIFIED 已整改
//	     ─> CONFIRMED 属实 ─> RECTIFIED, or CLOSED 随线路关停 with its line
//	     ─> DISMISSED 不属实
//
// A load 台账报送 is a file of one sender, held against the ledger before anything of it is written. A row is about the
// allocation of its numbers that begins or holds when it says. What each row would write is written down to the letter, so
// overlaps are found as the ledger would find them, and applying a load is copying it, all or nothing, through the same
// constraints; the rules of allocation are those of AllocateResource. Rows about licences, contracts and sublets are judged by
// entering them and taking that back, as they rest on each other and on the numbers of the same file. An operator loads what it gives access to; purpose and
// holder change by a registrar's document only; suspensions and recalls are not carried by files. A month's changes come out
// in the columns of a load, and what was staged is cleared after its retention (table load_retention):
//
//	OPEN <─> COMPARED ─> APPLIED      (a row sent again opens it; a ledger that moved refuses it: compare again)
//	  └──────────┴─────> DISCARDED
//
// A campaign 清查 draws a sample out of the population as it was true and known at a time: the rank of a resource follows from
// the seed and its identifier alone, so the sample can be drawn again and is when the ledger is audited. Its items:
//
//	PENDING ─> CONFORMING
//	   └─────> FOUND ─> RECTIFIED      (no finding is left open)
//	              └───> CLOSED         (关停, after the term: event closed with its grounds, then ended)
//
// Prefix is not operator 携号转网: who serves a number at a time is the access operator of the ledger, else who it was ported
// to, else, by plan, the owner of its segment. Portings are known from a table (package portability) and from what operators
// answered when they were asked about a call (table porting, append-only): of both, what is known of the time closest before
// the call holds. A resold number has two operators, the reseller and its host. A forged number has none.
package ledger
