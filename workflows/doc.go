// Package workflows drives complaints (涉骚扰事项) and cases (案件), and serves CaseworkService, through which every person
// decides. Temporal holds the process, the owners hold the facts, and task rows are what people look at.
//
// # What is where
//
//	steps.go       the table of human steps, as data
//	complaint.go   the script of a round of a complaint; check.go, handle.go, conclude.go are its steps 3, 4 and 5 to 7
//	case.go        the script of a case; digest.go, sweep.go: two more workflows
//	task.go        the desk: the only place that waits for people
//	decisions.go   what a decision needs to be complete: pure rules
//	activities.go  the only I/O; triage.go, record.go, ending.go, cases.go are more of it
//	server.go      CaseworkService; client.go: typed starts, updates and signals
//	errors.go      refusals on their way into Temporal and back; codec.go: payloads are sealed
//	run.go         configuration, worker, serving; history.go: recording and replaying of histories
//
// # A round of a complaint: complaint/<id>/<round>
//
//	triage ──> preserve (in parallel, decided before closing)
//	  │
//	  ├── unsure ──> accept ──┬── not accepted ────────────────────────────────────────> close
//	  │               ^       └── supplement asked ─> wait ─┐
//	  │               └───────────────────────────────── once ┘
//	  ├── everything withdrawn ────────────────────────────────────────────────────────> close
//	  v
//	(assign, when the classifier is unsure) ──> route
//	  │
//	  ├── forged by form ────────────────────────┐
//	  v                                          v
//	number_check ── forged, not in use ───> traceback ───────────────────── forged ──┐
//	  │   ^ ported to: at most three times                                            │
//	  v   └──┘                                                                         │
//	(transfer, when criminal) ── accepted ────────────────────────────── transferred ──┤
//	  │ returned: the administrative way                                               │
//	  v                                                                                │
//	fact_check ── bounced: re-assigned, designated, joint meeting ──> fact_check       │
//	  │      └── none substantiated ─> (recheck, a share) ── not_substantiated ────────┤
//	  v substantiated                                        no_evidence               │
//	handle ─> (review ─> sign, when it weighs) ─> execute, all at once ── measures ────┤
//	  └── case/<id> per party ── first CaseEnded, when there are no measures ── case ──┤
//	                                                                                    v
//	       (late_check: reports that joined since) <──> result to every reporter, disclosure
//	                                                                                    │
//	                          watch ── a new round began: end ── time over ──> close <──┘
//
// # A case: case/<id>
//
//	investigate ─> case_review ─┬─ penalty: serve_notice ─> time for a statement ─> case_sign ─> deliver ─┐
//	     ^              │       └─ no penalty ────────────────────────────────────> case_sign ────────────┤
//	     └── returned ──┴───────────────────────────────────────────────────────────────┘                v
//	                                                      list, publish, close, tell the attached complaints
//
// # Contracts
//
//   - A workflow fails for nobody's mistake. A decision that is incomplete is refused by the update's validator and leaves
//     no trace; one that its owner refuses is answered with that refusal, and the task waits on. When a write of the mesh's
//     own is refused, that is a defect: the workflow task is tried again until the cause is mended.
//   - The answer to Decide means that the decision is written. The key of a decision is subject + "/" + request ID: as
//     update ID while the run lives, in the decision's row for ever.
//   - Every activity may run twice. Request IDs and task IDs follow from the workflow's ID and a counter (UUID version 5).
//   - Histories hold IDs and codes. Numbers, texts and names are read by activities and stay there; what a person typed
//     as a note is sealed like every payload.
//   - One activity carries all writes up to the next task: a decision costs nine events of history.
//   - A round that is no longer current ends, and cancels what it has open.
//
// # Changing a workflow
//
// Runs live for months, so every change of the order or number of commands goes through workflow.GetVersion. Its change
// IDs stand as constants in one file, changes.go, which the first change makes; the first release starts clean. With each
// goes a recorded history in testdata/histories that replays the way before it; a way that no open run needs any more is
// removed with its history. Renaming steps, activities or fields of messages is such a change; texts of errors, the rules
// in decisions.go and whatever activities do inside are not.
package workflows
