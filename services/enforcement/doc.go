// Package enforcement owns cases 案件, their parties 当事人 and decisions, and the catalogue of measures 措施目录 with what
// came of each measure.
//
// A case is one administrative-penalty procedure against one party for one act. It outlives complaints: they attach, and
// when it ends each of them is told.
//
//	OPENED -> INVESTIGATING -> NOTICE_SERVED -> DECIDED -> CLOSED
//	                |                              ^
//	                +------ no penalty ------------+
//
// Invariants, held by the database:
//   - a party has one open case for an act; who opens first has it (行政处罚法 25);
//   - a penalty has a legal basis (38) and a notice served before it (44, 45, 62): notices add up, the last one counts;
//   - proposer, reviewer and signer are three people;
//   - notices, decisions, attachments and the log of measures are only ever added to; a measure ends once, done or failed.
//
// A firm is known by its credit code, else by its name. A natural person is known by name only, and a name is not enough
// to say that two are one: so a person's cases meet only within one complaint. Names of natural persons are sealed at
// rest, never stored in an answer, and shown only to the agency whose case it is. An agency sees its own cases; people with
// the role LEAD see all only as the lead ministry's.
package enforcement
