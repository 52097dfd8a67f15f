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
// The substantive law is data with valid time (catalogue_rules.go, law.go): acts 违法行为, the catalogue of penalties 处罚目录
// with who may impose what and how far, published discretion bands 裁量基准, what makes hearing, legal review and discussion
// due, who may take which measure. What a lawyer has yet to confirm stands in the row. Rules on top of it:
//   - a penalty stands on a row for its act, party and body, within its range (38, 17); outside the band with a reason (34);
//   - a draft is cited in a rehearsal only;
//   - cases that an officer linked are one act, and one of them is fined (29); what may be one act is looked at before notice;
//   - the limitation runs from the end of the act to its discovery, which is stored with its basis (36);
//   - a person's calls are a firm's only by evidence of employment or mandate; responsible persons are sealed, looks recorded;
//   - a substantiated finding stands on the daily list until something follows from it.
//
// A firm is known by its credit code, else by its name. A natural person is known by name only, and a name is not enough
// to say that two are one: so a person's cases meet only within one complaint. Names of natural persons are sealed at
// rest, never stored in an answer, and shown only to the agency whose case it is. An agency sees its own cases; people with
// the role LEAD see all only as the lead ministry's.
package enforcement
