package assignment

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

func agencyOf(r *store.DirectoryRow) agency {
	a := agency{
		id: r.AgencyID, name: r.Name, nameEn: r.NameEn, kind: r.Kind, superior: str(r.SuperiorID), province: str(r.Province),
		sectors: r.Sectors, assignable: r.Assignable, successor: str(r.SuccessorID), source: r.Source,
		from: r.Valid.Lower.Time,
	}
	if r.Valid.UpperType != pgtype.Unbounded {
		to := r.Valid.Upper.Time
		a.to = &to
	}
	return a
}

func (a *agency) proto() *assignmentv1.Agency {
	return &assignmentv1.Agency{
		AgencyId: a.id, Name: a.name, NameEn: a.nameEn, Kind: a.kind, SuperiorId: a.superior, Province: a.province,
		Sectors: a.sectors, Assignable: a.assignable, ValidFrom: timestamppb.New(a.from), ValidTo: stamp(a.to),
		SuccessorId: a.successor, Source: a.source,
	}
}

// taskOf is a task as of a time: a claim that has run out is none.
func taskOf(r *store.Task, at time.Time) (*assignmentv1.Task, error) {
	t := &assignmentv1.Task{
		TaskId: r.TaskID, SubjectKind: r.SubjectKind, SubjectId: r.SubjectID, WorkflowId: r.WorkflowID, Round: r.Round,
		Step: r.Step, AgencyId: r.AgencyID, Role: roleOf(r.Role), Outcomes: r.Outcomes, DueTime: timestamppb.New(r.DueTime),
		Clock: &commonv1.Clock{
			Basis: r.ClockBasis, StatutoryDue: r.ClockStatutoryDue, Proof: r.ClockProof, Provisional: r.ClockProvisional,
			Source: r.ClockSource, Profile: r.ClockProfile, Start: rfc(r.ClockStart), Term: r.ClockTerm, Counted: rfc(r.ClockCounted),
			EscalateSeconds: r.ClockEscalateSeconds, PausedSince: rfc(r.ClockPausedSince), PausedFor: r.ClockPausedFor,
		},
		RecordingsUntil: stamp(r.RecordingsUntil), State: r.State, EscalationLevel: int32(r.EscalationLevel),
		OpenTime: timestamppb.New(r.OpenTime), CloseTime: stamp(r.CloseTime), Outcome: r.Outcome,
	}
	if claimed(r, at) {
		t.ClaimedBy, t.ClaimedUntil = *r.ClaimedBy, timestamppb.New(*r.ClaimedUntil)
	}
	if err := json.Unmarshal(r.Facts, &t.Facts); err != nil {
		return nil, fmt.Errorf("facts of task %s: %w", r.TaskID, err)
	}
	return t, nil
}

func tasksOf(rows []store.Task, at time.Time) ([]*assignmentv1.Task, error) {
	tasks := make([]*assignmentv1.Task, len(rows))
	for i := range rows {
		var err error
		if tasks[i], err = taskOf(&rows[i], at); err != nil {
			return nil, err
		}
	}
	return tasks, nil
}

func openParams(t *assignmentv1.Task, now time.Time, actor string) (store.OpenTaskParams, error) {
	facts := t.GetFacts()
	if facts == nil {
		facts = map[string]string{}
	}
	raw, err := json.Marshal(facts)
	if err != nil {
		return store.OpenTaskParams{}, fmt.Errorf("facts: %w", err)
	}
	p := store.OpenTaskParams{
		TaskID: t.GetTaskId(), SubjectKind: t.GetSubjectKind(), SubjectID: t.GetSubjectId(), WorkflowID: t.GetWorkflowId(),
		Round: t.GetRound(), Step: t.GetStep(), AgencyID: t.GetAgencyId(), Role: roleName(t.GetRole()), Outcomes: t.GetOutcomes(),
		DueTime: t.GetDueTime().AsTime(), ClockBasis: t.GetClock().GetBasis(), ClockStatutoryDue: t.GetClock().GetStatutoryDue(),
		ClockProof: t.GetClock().GetProof(), ClockProvisional: t.GetClock().GetProvisional(), Facts: raw, OpenTime: now, Actor: actor,
	}
	clock := t.GetClock()
	p.ClockSource, p.ClockProfile, p.ClockTerm, p.ClockEscalateSeconds = clock.GetSource(), clock.GetProfile(), clock.GetTerm(), clock.GetEscalateSeconds()
	if p.ClockStart, err = clockTime("start", clock.GetStart()); err != nil {
		return p, err
	}
	if p.ClockCounted, err = clockTime("counted", clock.GetCounted()); err != nil {
		return p, err
	}
	if t.GetRecordingsUntil() != nil {
		until := t.GetRecordingsUntil().AsTime()
		p.RecordingsUntil = &until
	}
	return p, nil
}

// clockTime reads a time of a clock; nil when it says none.
func clockTime(field, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, errs.Field("task.clock."+field, "%q is no time", text)
	}
	return &t, nil
}

func decisionOf(r *store.Decision) (*assignmentv1.Decision, error) {
	d := &assignmentv1.Decision{
		TaskId: r.TaskID, Outcome: r.Outcome, ReasonCode: r.ReasonCode, Note: r.Note, DecidedBy: r.DecidedBy,
		DecidedTime: timestamppb.New(r.DecidedTime), RequestKey: r.RequestKey, RequestHash: r.RequestHash, Detail: &assignmentv1.DecisionDetail{},
	}
	if err := protojson.Unmarshal(r.Detail, d.Detail); err != nil {
		return nil, fmt.Errorf("detail of decision %s: %w", r.TaskID, err)
	}
	return d, nil
}

// changeOf is a task as it was after a change.
func changeOf(r *store.ListChangesRow) (*assignmentv1.TaskChange, error) {
	then := r.Task
	then.State, then.Outcome, then.EscalationLevel = r.ThenState, r.ThenOutcome, r.ThenEscalationLevel
	then.ClaimedBy, then.ClaimedUntil, then.CloseTime = r.ThenClaimedBy, r.ThenClaimedUntil, r.ThenCloseTime
	t, err := taskOf(&then, r.ChangeTime)
	if err != nil {
		return nil, err
	}
	return &assignmentv1.TaskChange{Change: r.Change, Task: t, ChangeTime: timestamppb.New(r.ChangeTime)}, nil
}

func roleName(r accessv1.Role) string { return strings.TrimPrefix(r.String(), "ROLE_") }

func roleOf(name string) accessv1.Role { return accessv1.Role(accessv1.Role_value["ROLE_"+name]) }

func stamp(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
