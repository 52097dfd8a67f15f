// Package assignment owns who acts (分办): the directory of agencies 单位, classification 归类, routing 路由, and the tasks
// 待办 with their decisions 决定.
//
// # Directory
//
// An agency is rows with valid time: one row per name it bore. A body that was renamed keeps its identifier, so that
// what was assigned to it stays its own: nfra is 中国银行保险监督管理委员会 until 2023-05-18 and 国家金融监督管理总局 from
// then on. A body that another one succeeded names it in successor_id (cbrc, circ: nfra). No two rows of one agency
// overlap; the database excludes it. Identifiers speak: a ministry's body in province 44 is <ministry>-44, the lead
// ministry's is ca-44 (通信管理局), an operator's branch cmcc-44. Judicial bodies advise and are not assignable.
//
// Rows, policy values, routing tables and the lexicon are data with a source. The migrations bring the first ones;
// later rows come by PutAgency or are inserted by the database's owner, and take effect at once (directory_revision), later
// routing tables come by LoadRoutingTable, another lexicon by configuration.
//
// # Classification
//
// A report has a category, a class of the second level (taxonomy.csv), a sector, and stands on further axes: kind of number,
// method, channel, who lends and whether threats are told. The lexicon adds up weights of words in their context, a firm's
// name, whose a service number is, the kind of the number and the sector of its holder (strong) and the type that the
// reporter chose (weak). 违规催收 is conduct: who lends (持牌机构, 小额贷款公司, 无牌照) and threats go to routing, which says whose
// it is. Below the policy classify_threshold, a person of the centre decides, with the two best guesses on the task.
//
// On top of it a linear model may be in force: one softmax over sectors and one over categories, from hashed n-grams of one
// to three characters and the lexicon's scores. It learns from decisions in this service's own tables: what a person of the
// centre said, what an agency bounced and to whom, what it took and concluded, and findings; and from the made-up rows of
// training.csv. Texts stay in reporting: kept are report_feature (n-grams hashed under the service's key, scores) and the
// decisions, for feature_days. A fifth of the complaints, by their identifier, is held back from every training.
//
//	TrainModel ──▶ candidate ──PromoteModel──▶ current ──PromoteModel of another, RollBackModel──▶ former
//
// Invariants:
//   - the same item, lexicon and model give the same answer always; the same decisions and seed the same model;
//   - a version is never changed; a version that does worse on what is held back than the one in force is not promoted;
//   - what was in force when, by whom and why, is an append-only log, and its last row decides;
//   - why tells words of the lexicon, codes, and n-grams that stood in several reports, nothing of the reporter's own.
//
// # Routing
//
// A decision table is rows with a condition (CEL) over codes: category, sector, level2, lender, threats, number kind, the regions
// (access, number, reporters, the holder's registration), holder, operators, count of reports. A row names lead, co-agencies,
// verifier, the level that acts, the clocks of fact check and handling, and who owns it. Route tries the rules of the table in
// force in order; the last always matches. The region is the access location, else the number's region, else most reporters'
// region, and the answer says which. Work goes to the level that acts, the provincial body where there is one, else to the
// ministry for onward assignment. Who is itself the reported party never leads or verifies: its supervisor does. Every answer
// names assignable agencies only, and who leads is an authority, never an operator. Where a rule settles no competence the
// answer says so (settled, unsettled_reason) and names the centre, which must say who leads. Each answer explains itself in one
// sentence (why).
//
// RouteComplaint keeps what it answers: table routing has facts, row and outcome of every route, append-only. A dry run routes
// them anew by rules that are not in force and lists the differences; a lead that a person named stands whatever a table says.
// A new version is tried on matters of every sort before it is taken, must reach each of its rows by the row's example, and
// begins now or later: it is in force on every replica from its time on, without a restart. Versions are never changed; each
// says who loaded it, when, why, and in which rows it differs from the one before. A rule whose condition fails after all
// settles nothing: the centre says who leads (rule_failed); it is counted and logged.
//
// Bounces are counted from the decisions themselves, by agency and by the rule that the fact check's facts name
// (route_table, route_rule); the rules that cause most are listed for the ministry that owns them.
//
// The directory is maintained with PutAgency: a new version ends the one before at its time, nothing that was is rewritten, and
// agency_change says who did it and why. A version that would break the directory, which must route every matter, on its first
// day or any later one is refused; what is broken there without it is told.
//
// # Tasks
//
//	            ClaimTask, ReleaseTask, ReassignTask, EscalateTask
//	                  ┌───┐
//	OpenTask ──▶ OPEN ┴───┘ ──RecordDecision──▶ DONE
//	               └────────────CancelTask────▶ CANCELLED
//
// Invariants, held by constraints where SQL can and told by Audit where it cannot:
//   - a task is opened once for its ID, which the workflow derives; a repeat changes nothing;
//   - a DONE task has exactly one decision, written in the same transaction; any other has none;
//   - decisions are never changed or deleted: the service's role may not;
//   - a request decides one task, one way; the same key with another hash is refused;
//   - names of natural persons in a decision are sealed at rest and shown to the people of the deciding agency only;
//   - of two people who claim a task at the same time one gets it; a claim ends by itself;
//   - a decision is made by somebody of the task's agency who holds its role, while nobody else has it claimed, and by
//     nobody who is excluded (proposer, reviewer);
//   - an overdue task is told to its superior once per level, with a copy to the lead ministry; there is no second task;
//   - a fact check that names a rule has a kept route by that rule;
//   - every change is in the feed of every agency that sees the task, in commit order, and never passed over. The feed
//     reaches back 90 days; who was away for longer begins with ListTasks.
//
// # Clocks
//
// The clock of a task is a fact: basis, article, start, term as it was counted then, last day, proof in words. No rule that
// changes later moves it. What does is an act with its own basis, recorded with who, why and both dates (task_clock_change,
// clock_settlement; append-only), in the feed as extended, paused, resumed, settled:
//   - ExtendTask by the head, once or as often as the table of extensions says, while the term runs;
//   - PauseTask and ResumeTask for a reason that the table of pauses has: no day on which it stood counts; what stands still is
//     neither overdue nor escalated;
//   - SettleProvisional, once, when the notice of the year is loaded: a party's term only moves later by it. Closed tasks keep
//     the date by which they ended.
//
// A term that belongs to a case, whose own clock may be extended or paused, is its owner's: it is shown here, and changed there.
// Who is told of an overdue task is asked by its row: its workflow waits on for one that is not overdue, or no longer.
// Invariants: no pause and no extension shortens a term; the date of a task is that of the last act on its clock.
//
// After a bounce Designate says who acts: the first bounce goes to who should act, the second is decided by the nearest
// common superior (指定管辖) or between ministries by the lead ministry's opinion (协调意见), from the third on the joint
// meeting (联席会议) has it with the lead ministry as caretaker. Only authorities are given a matter, never the reported party.
//
// Row rights: an agency sees its own tasks and those escalated to it, the lead ministry (role LEAD of miit) all, other
// workloads of the mesh all when they act for no person.
package assignment
