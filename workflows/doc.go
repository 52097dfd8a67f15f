// Package workflows drives complaints (涉骚扰事项), cases (案件), recalls of number resources (收回) and appeals (申诉), and
// serves CaseworkService, through which every person decides. Temporal holds the process, the owners hold the facts, and
// task rows are what people look at.
//
// # What is where
//
//	steps.go       the table of human steps, as data
//	complaint.go   the script of a round of a complaint; preserve.go is its step 1, check.go, handle.go, conclude.go are 3, 4
//	               and 5 to 7; closing.go is how it hears of changes and ends
//	case.go        drives a case by the plan of its owner, procedure.go is what it does, casescript.go how it was before;
//	               recall.go and appeal.go are the scripts of a recall and an appeal, drawn there; rectification.go: of what
//	               a campaign found; digest.go, sweep.go: two more
//	listing.go     proposes an entry on the credit lists, repair.go repairs one; listingacts.go is what they do, listings.go what
//	               a penalty brings onto the lists, and how the sweep ends and publishes entries
//	task.go        the desk: the only place that waits for people
//	decisions.go   what a decision needs to be complete: pure rules; decisionscase.go those of a case's steps
//	clue.go        what becomes of a complaint that marks opened, until somebody reports it
//	activities.go  the only I/O; write.go is how it writes to complaints and opens tasks; triage.go, classify.go, record.go,
//	               agencies.go, ending.go, cases.go, recalls.go are more of it
//	holdings.go    a number that changed hands: complaints are split by its holders; moot.go: a complaint merged meanwhile;
//	               mergedcheck.go: the number check of what is merged into one
//	publication.go has a proposed publication decided on, publicationacts.go proves what it rests on and withdraws what has
//	               fallen; servicenotice.go publishes the notice by which a step of a case serves
//	server.go      CaseworkService; client.go: typed starts, updates and signals
//	errors.go      refusals on their way into Temporal and back; codec.go: payloads are sealed
//	run.go         configuration, worker, serving; history.go: recording and replaying of histories
//
// # A round of a complaint: complaint/<id>/<round>
//
//	triage ──> a clue (marks, no report): number_check and nothing else ──> close; reported meanwhile: triage again
//	  │
//	  ├─────> preserve (in parallel, at once; the call centre's recordings after assign; decided before closing)
//	  │
//	  ├── unsure ──> accept ──┬── not accepted ──────── somebody joined: triage again, else ──> close
//	  │               ^       └── supplement asked ─> wait ─┐
//	  │               └───────────────────────────────── once ┘
//	  ├── everything withdrawn, also later until it is checked ── the same ──────────────────> close
//	  v
//	(assign, when the classifier is unsure) ──> route ──> (assign, while nobody is competent by the table: who leads is named)
//	  │
//	  ├── criminal: transfer at once ── accepted ───────────────────────────── transferred ──┐
//	  │     │ beside it number_check or traceback, forged or not                             │
//	  │     └── returned: the administrative way, (assign,) route, what was found ──┐        │
//	  v                                                                             v        │
//	number_check ── forged by form or by the check, not in use ───> traceback ──── forged ───┤
//	  │   ^ ported to: a few times                                                           │
//	  v   └──┘                                                                               │
//	fact_check ── bounced: re-assigned, designated, joint meeting ──> fact_check             │
//	  │      └── none substantiated ─> (recheck, a share) ── not_substantiated ──────────────┤
//	  v substantiated                                        no_evidence                     │
//	handle ─> (review ─> sign, when it weighs) ─> execute, all at once ── one is done ── measures
//	  │  ^                                          └── all failed ──> handle                │
//	  │  └───────────────────────────────────────────────────────────────┘                   │
//	  └── case/<id> per party, when there are no measures ── first penalty ── case ──────────┤
//	                                                      └── none ── case_no_penalty ───────┤
//	                                                                                         v
//	       (late_check: reports that joined since) <──> result to every reporter, disclosure
//	                                                                                         │
//	              watch ── a new round began: cancel, end ── time over, nothing open ──> close
//
// # A case: case/<id>
//
// Its procedure is not drawn here: enforcement owns it and plans it (services/enforcement), and case.go does what is planned.
//
//	plan ─> effects (list, publish, tell, withdraw, restore, copy) ─> open and cancel tasks ─> wait ─> plan
//
// Before a decision on a step is written, its owner is asked whether the law lets it pass (CheckCaseStep): its refusal, with
// the article, is the answer to the person, and the task waits on. What is written then is never refused: it is judged by
// what was known when it was decided. The first effective outcome is told to the complaints, whatever the performance comes
// to. A case that is reversed after its end has another run under the same ID, with tasks of its own: it tells the reporters
// itself, whose complaints may be closed. Runs that began before
// a case was planned go on by casescript.go.
//
// # Contracts
//
//   - A workflow fails for nobody's mistake. A decision that is incomplete is refused by the update's validator and leaves
//     no trace; one that its owner refuses is answered with that refusal, and the task waits on. When a write of the mesh's
//     own is refused, that is a defect: the workflow task is tried again until the cause is mended, and each refusal is
//     logged as an error and counted (quietline_refused_writes_total).
//   - The answer to Decide means that the decision is written. The key of a decision is subject + "/" + request ID, with a
//     keyed hash of its content: as update ID while the run lives, in the decision's row for ever. One request ID is one
//     decision on one task; anything else sent with it is REQUEST_ID_REUSED.
//   - Every activity may run twice. Request IDs and task IDs follow from the workflow's ID and a counter (UUID version 5).
//   - Histories hold IDs and codes. Numbers and texts of reports are read by activities and stay there. What a person
//     writes in a decision, a note or the name of a party, is in the payloads of its update and of the activities that
//     record it and open its cases; payloads are ciphertext, and assignment and enforcement seal the names of persons.
//   - What one activity writes to the complaint is one transaction of its owner (WriteRound), before the tasks are opened.
//   - One activity carries all writes up to the next task: a decision costs nine events of history.
//   - A round that is no longer current ends, and cancels what it has open. The next round tells it so.
//   - A complaint that is merged into another is closed by its owner while its round runs. What the round still writes is
//     left out, and the round looks, cancels its tasks and ends.
//   - Signals may be lost. What they would have said is looked at when a step is opened, when one is overdue, and when the
//     watching is over.
//   - A withdrawn or refused complaint is closed first and its tasks are cancelled right after: its owner refuses to close
//     it while somebody reports it, and then nothing has been lost.
//
// # Changing a workflow
//
// Runs live for months, so every change of the order or number of commands goes through workflow.GetVersion. Its change
// IDs stand as constants in one file, changes.go. With each goes a recorded history in testdata/histories that replays the
// way before it; a way that no open run needs any more is removed with its history. Renaming steps, activities or fields of messages is such a change; texts of errors, the rules
// in decisions.go and whatever activities do inside are not. Nor is a way that only a new field of an activity's answer
// opens, such as RoutedTo.unsettled or the verdict clue: no history from before has it.
package workflows
