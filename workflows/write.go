package workflows

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// writing is what of some deeds is written to the complaint.
type writing struct {
	request *reportingv1.WriteRoundRequest
	opens   bool   // tasks are opened with it, so that it matters whether anybody still reports the complaint
	fixed   []bool // of each write: its request ID follows from a task's, and stays when the content changes between two tries
}

// laterDeed is a deed that is done when the complaint is written.
type laterDeed struct {
	name string
	do   func(context.Context) error
}

// sort takes deeds apart: what is written to their complaint, and everything else.
func (a *Activities) sort(ctx context.Context, deeds []proto.Message, out *caseworkv1.Performed) (writing, []laterDeed, error) {
	var w writing
	var rest []laterDeed
	for _, deed := range deeds {
		name := string(deed.ProtoReflect().Descriptor().Name())
		if write := roundWrite(deed); write != nil {
			w.add(write, false)
			if m, ok := deed.(*reportingv1.RecordFindingsRequest); ok {
				rest = append(rest, laterDeed{name, func(ctx context.Context) error { return a.observeOnce(ctx, m) }})
			}
			continue
		}
		s, ok := deed.(*caseworkv1.StepTask)
		if !ok {
			rest = append(rest, laterDeed{name, func(ctx context.Context) error { return a.deed(ctx, deed) }})
			continue
		}
		t, err := a.readyTask(ctx, s)
		if err != nil {
			return w, nil, fmt.Errorf("%s: %w", name, err)
		}
		if t.advance != nil {
			w.add(&reportingv1.RoundWrite{Write: &reportingv1.RoundWrite_Advance{Advance: t.advance}}, true)
			w.opens = true
		}
		rest = append(rest, laterDeed{name, func(ctx context.Context) error { return a.openTask(ctx, t, out) }})
	}
	return w, rest, nil
}

// roundWrite is a deed that the complaint's owner writes; nil for all others.
func roundWrite(deed proto.Message) *reportingv1.RoundWrite {
	switch m := deed.(type) {
	case *reportingv1.AdvanceComplaintRequest:
		return &reportingv1.RoundWrite{Write: &reportingv1.RoundWrite_Advance{Advance: m}}
	case *reportingv1.GiveFeedbackRequest:
		return &reportingv1.RoundWrite{Write: &reportingv1.RoundWrite_Feedback{Feedback: m}}
	case *reportingv1.RecordClassificationRequest:
		return &reportingv1.RoundWrite{Write: &reportingv1.RoundWrite_Classification{Classification: m}}
	case *reportingv1.RecordFindingsRequest:
		return &reportingv1.RoundWrite{Write: &reportingv1.RoundWrite_Findings{Findings: m}}
	case *reportingv1.StartWatchingRequest:
		return &reportingv1.RoundWrite{Write: &reportingv1.RoundWrite_Watching{Watching: m}}
	}
	return nil
}

// of is what a write was made of.
func of(w *reportingv1.RoundWrite) roundDeed {
	switch m := w.GetWrite().(type) {
	case *reportingv1.RoundWrite_Advance:
		return m.Advance
	case *reportingv1.RoundWrite_Feedback:
		return m.Feedback
	case *reportingv1.RoundWrite_Classification:
		return m.Classification
	case *reportingv1.RoundWrite_Findings:
		return m.Findings
	default:
		return w.GetWatching()
	}
}

// roundDeed is what every write names.
type roundDeed interface {
	proto.Message
	GetComplaintId() string
	GetRound() int32
}

// add adds a write. All writes of a desk are to its own complaint and round.
func (w *writing) add(write *reportingv1.RoundWrite, fixed bool) {
	if w.request == nil {
		w.request = &reportingv1.WriteRoundRequest{ComplaintId: of(write).GetComplaintId(), Round: of(write).GetRound()}
	}
	w.request.Writes, w.fixed = append(w.request.GetWrites(), write), append(w.fixed, fixed)
}

// writeAll writes to the complaint in one. When its owner refuses any of it, each is written by itself: then what may be
// left out is, and the rest stands.
func (a *Activities) writeAll(ctx context.Context, w writing, out *caseworkv1.Performed) error {
	if len(w.request.GetWrites()) > 1 {
		resp, err := a.writeRound(ctx, w.request)
		if err == nil {
			out.AllWithdrawn = w.opens && resp.GetAllWithdrawn()
		}
		if err == nil || !final[status.Code(err)] {
			return err
		}
	}
	for i, write := range w.request.GetWrites() {
		if err := a.writeOne(ctx, of(write), w.fixed[i], out); err != nil {
			return fmt.Errorf("%s: %w", of(write).ProtoReflect().Descriptor().Name(), err)
		}
	}
	return nil
}

func (a *Activities) writeRound(ctx context.Context, req *reportingv1.WriteRoundRequest) (*reportingv1.WriteRoundResponse, error) {
	req, err := rekeyed(req)
	if err != nil {
		return nil, err
	}
	return a.Reporting.WriteRound(ctx, req)
}

// writeOne does one write of its own.
func (a *Activities) writeOne(ctx context.Context, deed roundDeed, fixed bool, out *caseworkv1.Performed) (err error) {
	if !fixed {
		if deed, err = rekeyed(deed); err != nil {
			return err
		}
	}
	switch m := deed.(type) {
	case *reportingv1.AdvanceComplaintRequest:
		var resp *reportingv1.AdvanceComplaintResponse
		resp, err = a.Reporting.AdvanceComplaint(ctx, m)
		if fixed { // the directory or the calendar changed between two tries: the first one stands
			out.AllWithdrawn = out.GetAllWithdrawn() || resp.GetAllWithdrawn()
			err = unless(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)
		}
		// A case may end, or what runs beside the script be asked, while the complaint is watched and a new round has begun:
		// nothing is left to write, and that round is told.
		if superseded(err) && !merged(err) {
			err = nil
		}
	case *reportingv1.GiveFeedbackRequest:
		_, err = a.Reporting.GiveFeedback(ctx, m)
	case *reportingv1.RecordClassificationRequest:
		_, err = a.Reporting.RecordClassification(ctx, m)
	case *reportingv1.RecordFindingsRequest:
		_, err = a.Reporting.RecordFindings(ctx, m)
	}
	return a.moot(ctx, deed.GetComplaintId(), deed.GetRound(), err)
}

// observeOnce tells the ledger of findings that are written; not when the complaint was merged meanwhile.
func (a *Activities) observeOnce(ctx context.Context, m *reportingv1.RecordFindingsRequest) error {
	m, err := rekeyed(m)
	if err != nil {
		return err
	}
	return a.moot(ctx, m.GetComplaintId(), m.GetRound(), a.observe(ctx, m))
}

// readyingTask is a task that is ready to be opened, with what is written to its complaint: where it is now, who takes
// part and until when.
type readyingTask struct {
	task    *assignmentv1.Task
	due     calendar.Deadline
	advance *reportingv1.AdvanceComplaintRequest // nil: the complaint stays where it is
}

func (a *Activities) readyTask(ctx context.Context, s *caseworkv1.StepTask) (*readyingTask, error) {
	basis, due, err := dueOf(s)
	if err != nil {
		return nil, err
	}
	agency, err := a.agency(ctx, s.GetTask().GetAgencyId())
	if err != nil {
		return nil, err
	}
	if s.GetTask().GetStep() == stepFactCheck.name { // what joined meanwhile is checked with the rest
		if _, err := a.classifyLate(ctx, s.GetTask().GetTaskId(), s.GetTask().GetSubjectId(), s.GetTask().GetRound()); err != nil {
			return nil, err
		}
	}
	t := proto.CloneOf(s.GetTask())
	t.DueTime = timestamppb.New(due.Due)
	t.Clock = &commonv1.Clock{
		Basis: basis, StatutoryDue: due.Statutory.Format(time.RFC3339), Proof: due.Proof, Provisional: due.Provisional,
		Source: due.Source, Profile: due.Profile, Start: due.Start.Format(time.RFC3339), Term: due.Term,
		Counted: due.Counted.Format(time.RFC3339), EscalateSeconds: int64(due.EscalateEvery / time.Second),
	}
	if err := tellBounceTerm(t, s); err != nil {
		return nil, err
	}
	if t.GetRole() == roleOperator && !isOperator(agency) {
		t.Role = roleWorker // a provincial administration stands in for an operator
	}
	r := &readyingTask{task: t, due: due}
	if s.GetStage() == "" {
		return r, nil
	}
	r.advance = &reportingv1.AdvanceComplaintRequest{
		RequestId: derived(t.GetTaskId() + "/advance"), ComplaintId: t.GetSubjectId(), Round: t.GetRound(),
		Stage: s.GetStage(), Office: agency.GetName(), DueTime: t.GetDueTime(),
		Participations: []*reportingv1.Participation{{AgencyId: t.GetAgencyId(), Part: s.GetPart(), SinceTime: s.GetFromTime()}},
	}
	if s.GetOfficeHidden() {
		r.advance.Office = ""
	}
	return r, nil
}

// openTask opens a task.
func (a *Activities) openTask(ctx context.Context, t *readyingTask, out *caseworkv1.Performed) error {
	_, err := a.Assignment.OpenTask(ctx, &assignmentv1.OpenTaskRequest{RequestId: derived(t.task.GetTaskId() + "/open"), Task: t.task})
	// Its identifier is the workflow's: it is open already, and the directory or the calendar changed between two tries.
	if err = unless(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED); err != nil {
		return err
	}
	out.Opened = append(out.Opened, &caseworkv1.OpenedTask{
		TaskId: t.task.GetTaskId(), DueTime: t.task.GetDueTime(), EscalateEvery: durationpb.New(t.due.EscalateEvery),
	})
	return nil
}
