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
//	classify.go   RecordClassification               evidence_facts.go  evidence that a decision rests on
//	facts.go      GetFacts, ListUnstarted            read.go         GetComplaint, GetReport and their lists
//	audit.go      Audit, CountComplaints             tally.go        TallyReports
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
// RECEIVED is the backlog: the row is the outbox. After the commit casework is asked to start the round, best effort and
// never waited for; its sweep starts what is left. Filing works while casework is down.
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
//   - Filing writes nothing to a live complaint: counts are taken from its reports and cannot disagree with them. Its
//     stage fits its state (complaint_stage_fits_state).
//   - A complaint is never closed or watched while a report of it, not withdrawn, lacks the result of its round. That all
//     were withdrawn, or none accepted, closes it only while that is true of whoever joined since.
//   - What all reports of a round are told is told to those that join it later, in the transaction that files them.
//   - Rows are seen by the agencies that take part in a complaint now, by the national centre and by the lead ministry; a
//     role gives no right to another agency's rows. What reporters handed in is for lead, co-agencies and centre.
//   - Reports nobody verified, and the same call told twice, are kept and answered like all others, and count toward no
//     threshold and no statistics.
//   - Reporters' and called numbers, texts and raw rows are stored sealed, found by keyed MAC only, and appear in no log,
//     error or remembered response. Secrets of receipts are derived after the commit and stored nowhere.
package reporting
