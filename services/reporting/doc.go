// Package reporting takes in reports (举报件) and owns the complaints (涉骚扰事项) they make up, with their feedback,
// evidence and quarantined rows.
//
// # What is where
//
//	server.go     Server, New                        run.go          Config, Run
//	file.go       FileReport                         batch.go        BatchFileReports: parse and seal all rows before
//	intake.go     a report on its way in             fates.go        what becomes of each row, then a handful of
//	filing.go     opening and joining complaints                     statements for all of them
//	join.go       joining a watched complaint        repair.go       ListQuarantined, RepairQuarantined
//	policy.go     figures with valid time
//	rounds.go     BeginRound, StartWatching, CloseComplaint, re-opening
//	progress.go   AdvanceComplaint, RecordFindings, GiveFeedback
//	write.go      WriteRound: several of those in one
//	mark.go       ImportMarks, ListMarks (标记)       clue.go         marks past the threshold open clues (线索)
//	classify.go   RecordClassification               evidence_facts.go  evidence that a decision rests on
//	facts.go      GetFacts, ListUnstarted            read.go         GetComplaint, GetReport and their lists
//	audit.go      Audit, CountComplaints             tally.go        TallyReports
//	split.go      SplitComplaint                     merge.go        MergeComplaints
//	move.go       what both share: moving reports    separate.go     what a forged number must not keep
//	link.go       LinkComplaints, UnlinkComplaints, ListComplaintHistory
//	start.go      asking casework after the commit   convert.go      rows to messages
//	*_rules.go    pure rules: no I/O, no clock       store/          migrations, queries.sql, edge.sql, sqlc's output
//	track.go, followup.go, feedback.go, evidence.go, reveal.go: what reporters and agencies do with receipts and files
//	format/       mapping files of senders: raw rows to fields
//
// # States of a complaint
//
//	           filing                BeginRound          StartWatching           CloseComplaint
//	(nothing) ────────> RECEIVED ───────────────> OPEN ────────────────> WATCHING ─────────────> CLOSED
//	                       ^                        │                       │                      ^
//	                       │                        └── not accepted, withdrawn: CloseComplaint ───┤
//	                       └──── round + 1: relapses past the threshold, "it has not stopped" ─────┘ (from WATCHING)
//
// A complaint that marks opened (origin marks), a clue, is closed from OPEN with what its number check came to (clue_found
// and kin), unless somebody has reported the number: from then on it is like any other.
//
// RECEIVED is the backlog: the row is the outbox. After the commit casework is asked to start the round, best effort and
// never waited for; its sweep starts what is left. Filing works while casework is down.
//
// # Splitting, merging, linking
//
// A report belongs to exactly one complaint at any time; where it was before stands in report_move. It may move while
// nothing was found on it and it was not told its result: after that only links tie matters together.
//
//	split   by person: the reports named go into a complaint of their own, key "number#2"; what is filed later joins the
//	        main part. By holder of the number at the calls (the workflows ask the ledger): one complaint for each, key
//	        "number#holder", and complaint_alias leads later reports to the part whose holder held the number at their call.
//	        The part goes on in the round of the one it came from, so that what its reporters were told fits, and waits for a
//	        workflow of its own (RECEIVED). One report at least stays. The same call told twice goes as one. By person the
//	        national centre and the lead ministry split what is assigned, for a part has clocks and bounces of its own; before
//	        that also who leads it. The part's round began when the complaint's did.
//	merge   open complaints about the same conduct of the same party: reports, what was added to them, files and aliases go to
//	        the one that lives on; the others close as "merged", without feedback, for their reports live on. A report keeps
//	        its own number (report.number_normal). Later reports of a merged number follow while that one lives. A forged and
//	        a genuine number are never in one complaint: what is merged when a number proves forged is taken out again. A
//	        suspected crime is merged with its like only, and two holders' parts of a number are not merged at all. The round
//	        of the one that lives on began when the oldest of theirs did.
//	link    ties two complaints that go their own ways. Rows are only added; the next complaint of a number is linked to the
//	        one before by the database itself. complaint_history says who did all this, when and why,
//	        to those who lead, assist or oversee the matter; to those asked to verify, preserve or execute only what and when.
//
// # Invariants
//
//   - The fate of a sent row follows from (sender, sender's number, MAC of the row's decoded cells) and never from the
//     request. Sent again, every row is duplicate, conflict or quarantined as before, and nothing new is written. A row
//     once quarantined answers so for ever, even when its entry has been repaired since: the corrected row, sent again,
//     is the duplicate.
//   - At most one complaint lives per key (complaint_one_live). The key is the number's normal form; 96 codes, which
//     every province gives out anew, have their area or the reporter's province behind it; forged ones a mark before it.
//   - Whoever files holds the complaint's row lock, shared among those who file (FOR KEY SHARE); whoever moves or closes
//     it holds it alone (FOR UPDATE). Several are taken in the order of their keys. Re-opening by a report, the one thing
//     that filing changes, is serialised among those who file (FOR NO KEY UPDATE).
//   - Who splits or merges holds all complaints concerned alone, locked in the order of their keys. A report that was
//     filed for a key that leads elsewhere by then is filed again.
//   - Filing writes nothing to a live complaint: counts are taken from its reports and cannot disagree with them. Its
//     stage fits its state (complaint_stage_fits_state).
//   - A complaint is never closed or watched while a report of it, not withdrawn, lacks the result of its round. That all
//     were withdrawn, or none accepted, closes it only while that is true of whoever joined since.
//   - What all reports of a round are told is told to those that join it later, in the transaction that files them.
//   - Rows are seen by the agencies that take part in a complaint now, by the national centre and by the lead ministry; a
//     role gives no right to another agency's rows. What reporters handed in is for lead, co-agencies and centre.
//   - A mark is a source's count so far for number, day and label. The newest statement by the source's own time (as_of)
//     stands, whatever the order in which statements arrive; sent twice changes nothing. Rows are merged in the order of the
//     key. Marks are counted apart from reports, always.
//   - A clue is opened once per number while a matter of it lives, and none for a while after one was closed: looked for in a
//     transaction of its own after the marks have committed, so that of two requests that are past the threshold together at
//     least the later one finds it. Never of a forged or foreign number. Without a report nothing is found, told, measured
//     or watched.
//   - Reports nobody verified, and the same call told twice, are kept and answered like all others, and count toward no
//     threshold and no statistics.
//   - Reporters' and called numbers, texts and raw rows are stored sealed, found by keyed MAC only, and appear in no log,
//     error or remembered response. Secrets of receipts are derived after the commit and stored nowhere.
package reporting
