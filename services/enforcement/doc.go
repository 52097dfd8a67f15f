// Package enforcement owns cases 案件, their parties 当事人 and decisions, and the catalogue of measures 措施目录 with what
// came of each measure.
//
// A case is one administrative-penalty procedure against one party for one act. It outlives complaints: they attach, and
// when it ends each of them is told.
//
//	OPENED ─> INVESTIGATING ─> NOTICE_SERVED ─> STATEMENT | HEARING ─> LEGAL_REVIEW ─> DISCUSSION ─> DECIDED ─> DELIVERED
//	               │  ^                                                                                          │
//	               │  └── TRANSFERRED ─> CLOSED (a crime)                          CLOSED <── PERFORMED <── PERFORMING
//	               ├── NO_PENALTY ─> CLOSED (delivered)                               ^                       │
//	               └── on the spot: NOTICE_SERVED, DECIDED, DELIVERED at once         └── ENFORCED <── DEMANDED
//	whatever is decided ─> REVERSED ─> CLOSED, when all is taken back: lists, publications, and what the agency did to number
//	resources on the same finding, whose service the operators restore within a working day (restore_rules.go)
//	OPENED ─> CLOSED, where the head opens cases and does not open this one; DEMANDED ─> PERFORMING, when a remedy changed it
//
// A state names the last stage that was reached. Only a line of the log case_event moves a case, along the edges of
// case_edge and past the guards of the database; the rules in Go (plan_rules.go, step_rules.go, side_rules.go) ask the same
// first and say the article. planOf, a pure function, says what should be open; writer.go writes what was decided. What passed
// its check and cannot be recorded all the same is noted late, moves nothing, and is planned anew: once at once, then ever more
// seldom (late_rules.go), and from the third note on the audit speaks.
//
// Invariants, held by the database:
//   - a party has one open case for an act; who opens first has it, or whom the common superior names (行政处罚法 25);
//   - two qualified officers at least; who is recused takes no step; who investigates neither reviews, chairs nor signs (42, 43, 57, 58, 64);
//   - no decision without its notice, its time or its waiver, an answer to the statement, the hearing that was rightly asked
//     for (44, 45, 62, 63, 64), legal review where due and after a hearing (58), discussion where due (57); none harsher
//     because of the defence (45); the simplified procedure within its limits (51);
//   - electronic delivery by consent, public notice as the last resort (61); no closing before performance or enforcement
//     (66, 67, 72; 行政强制法 53, 54), or before what was published of a reversed decision is withdrawn (48);
//   - performed is what is paid with the addition for late payment, less what was remitted of it (72; 行政强制法 42, 45); the
//     court is asked within three months of the end of all time for remedies (行政强制法 53);
//   - a remedy that was filed late counts once it was accepted (行政复议法 20; 行政诉讼法 45, 46); what it changes replaces what
//     the decision asks for and is never harsher (行政复议法 63; 行政诉讼法 77);
//   - while the police have a case nothing is served before they agree; a person's act is a firm's by evidence of the case;
//   - with a case its clocks end, but for the party's time for remedies and the days for taking back what is public;
//   - clocks are facts: what happens to one later, a pause with the police, an extension with its own basis, is a row beside it;
//   - the log, notices, decisions, evidence and its custody are only ever added to; a measure ends once, done or failed.
//
// Cases of before the procedure was complete end by the writes of before.go, which move no other case.
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
// The party (party*.go, document*.go) reads what was served on it and nothing else, and answers, asks, waives, objects and
// hands in; what came on paper the caseworker enters for it. Documents are made from templates, which are data, numbered per
// agency, kind and year without a gap, by the word of the office (office.go), hashed, sealed and never changed. They name
// officers and chairs by name and certificate, never by account, and an office as it says itself that it is reached; what the
// public reads names neither them nor where a party lives. The party's address is sealed (address.go). Nothing that a party or the public reads may single out a
// reporter: a text with a subscriber's number, a time of day or a duration makes no document. While the police have a case,
// and where nothing was substantiated, nothing is served.
//
// A firm is known by its credit code, else by its name. A natural person is known by name only, and a name is not enough
// to say that two are one: so a person's cases meet only within one complaint. Names of natural persons are sealed at
// rest, never stored in an answer, and shown only to the agency whose case it is. An agency sees its own cases; people with
// the role LEAD see all only as the lead ministry's.
package enforcement
