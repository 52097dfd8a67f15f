// Package credit owns the credit lists 信用名单: the bad list 不良名单 and the dishonest list 失信名单 of telecom business.
//
// A listing rests on a ground of the policy and on the decision of a case. Its severity and its ends are fixed when it is
// entered, by the policy as of the decision (信用修复管理办法): nobody is listed for ever. Its state follows from the time:
//
//	LISTED -> EXPIRED     at its latest end, by itself
//	LISTED -> WITHDRAWN   when its ground fell away; the row stays, with the reason
//
// Invariants, held by the database: one listing per firm, list, ground and case; no listing longer than its severity
// allows; listings and withdrawals are only ever added to.
package credit
