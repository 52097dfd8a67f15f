package enforcement

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"quietline/internal/calendar"
	"quietline/services/enforcement/store"
)

// Terms of a case, rows of the deadline table.
const (
	basisDecision       = "case_90d"
	basisExtension      = "case_extend_30d"
	basisStatement      = "statement_5wd"
	basisHearingRequest = "hearing_request_5wd"
	basisHearingNotice  = "hearing_notice_7wd"
	basisDeliver        = "deliver_7wd"
	basisPublicNotice   = "service_notice_30d"
	basisPerform        = "perform_15d"
	basisDemand         = "demand_10d"
	basisCourt          = "court_3m"
	basisReconsider     = "reconsider_60d"
	basisLitigate       = "litigate_6m"
	basisLitigateAfter  = "litigate_15d"
	basisWithdraw       = "withdraw_3wd"
	basisRegistration   = "evidence_registration_7wd"
)

// What may happen to a clock.
const (
	actMet       = "met"
	actCancelled = "cancelled"
	actPaused    = "paused"
	actResumed   = "resumed"
	actExtended  = "extended"
)

// start computes a clock once and stores it as a fact, with what it takes to go on with it.
func (s *Server) start(ctx context.Context, q *store.Queries, caseID, basis string, seq int32, subject string, from time.Time, profile string) error {
	d, err := dueOf(basis, from, profile)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	kept, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return q.InsertClock(ctx, store.InsertClockParams{
		ClockID: id.String(), CaseID: caseID, Basis: basis, Source: d.Source, Profile: profile, EventSeq: seq, SubjectID: subject,
		StartTime: from, DueTime: d.Due, StatutoryDue: d.Statutory, Proof: d.Proof, Provisional: d.Provisional, Reckoning: kept,
	})
}

// dueOf computes a term. A minimum notice ends before what it announces, in every profile.
func dueOf(basis string, from time.Time, profile string) (calendar.Deadline, error) {
	d, err := calendar.Due(basis, from, profile)
	if err != nil {
		return d, fmt.Errorf("clock of the case: %w", err)
	}
	if basis == basisHearingNotice && d.Due.After(from) {
		d.Due = from.Add(from.Sub(d.Due))
	}
	return d, nil
}

// clockAct is something that happens to a clock.
type clockAct struct {
	kind, reason, basis, signedBy string
	days                          int32
	at                            time.Time
}

// enter writes an act. What the clock was before stays in the rows before.
func (s *Server) enterAct(ctx context.Context, q *store.Queries, k *store.ClocksOfRow, a clockAct, d calendar.Deadline) error {
	kept, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return q.InsertClockAct(ctx, store.InsertClockActParams{
		ClockID: k.ClockID, N: k.Acts + 1, Kind: a.kind, ActTime: a.at, Reason: a.reason, Basis: a.basis, Days: a.days, SignedBy: a.signedBy,
		DueTime: d.Due, StatutoryDue: d.Statutory, Proof: d.Proof, Provisional: d.Provisional, Reckoning: kept,
	})
}

func deadlineOf(k *store.ClocksOfRow) (calendar.Deadline, error) {
	var d calendar.Deadline
	if err := json.Unmarshal(k.Reckoning, &d); err != nil {
		return d, fmt.Errorf("clock %s: %w", k.ClockID, err)
	}
	return d, nil
}

// meet says that what a clock waited for is done.
func (s *Server) meet(ctx context.Context, q *store.Queries, m *matter, basis string, at time.Time) error {
	k := m.clock(basis, 0)
	if k == nil || m.acted(k.ClockID, actMet) != nil || m.acted(k.ClockID, actCancelled) != nil {
		return nil
	}
	d, err := deadlineOf(k)
	if err != nil {
		return err
	}
	return s.enterAct(ctx, q, k, clockAct{kind: actMet, at: at}, d)
}

// endTerms says of every term of the party that still counts what became of it.
func (s *Server) endTerms(ctx context.Context, q *store.Queries, m *matter, kind string, at time.Time, bases ...string) error {
	for i := range m.clocks {
		k := &m.clocks[i]
		if !slices.Contains(bases, k.Basis) || m.acted(k.ClockID, actMet) != nil || m.acted(k.ClockID, actCancelled) != nil {
			continue
		}
		d, err := deadlineOf(k)
		if err != nil {
			return err
		}
		if err := s.enterAct(ctx, q, k, clockAct{kind: kind, at: at}, d); err != nil {
			return err
		}
	}
	return nil
}

// remedyBases are the terms in which the party may have the decision looked at by others; they outlive the case.
var remedyBases = []string{basisReconsider, basisLitigate, basisLitigateAfter}

// endClocks ends the clocks of a case that still run: those of the bases, or where none is named all that end with the case.
func (s *Server) endClocks(ctx context.Context, q *store.Queries, caseID, kind, reason string, at time.Time, bases ...string) error {
	arg := store.EndClocksParams{Kind: kind, At: at, Reason: reason, CaseID: caseID, Kept: []string{}, Bases: bases}
	if len(bases) == 0 {
		arg.Bases, arg.Kept = []string{}, append([]string{basisWithdraw}, remedyBases...)
	}
	return q.EndClocks(ctx, arg)
}

// pause stops the clock of the decision: while the case is with the police it does not count.
func (s *Server) pause(ctx context.Context, q *store.Queries, m *matter, reason string, at time.Time) error {
	k := m.clock(basisDecision, 0)
	if k == nil || m.paused(k.ClockID) {
		return nil
	}
	d, err := deadlineOf(k)
	if err != nil {
		return err
	}
	return s.enterAct(ctx, q, k, clockAct{kind: actPaused, reason: reason, at: at}, d)
}

// resume has the clock of the decision go on.
func (s *Server) resume(ctx context.Context, q *store.Queries, m *matter, at time.Time) error {
	k := m.clock(basisDecision, 0)
	if k == nil || !m.paused(k.ClockID) {
		return nil
	}
	var from time.Time
	reason := ""
	for _, a := range m.clockActs {
		if a.ClockID == k.ClockID && a.Kind == actPaused {
			from, reason = a.ActTime, a.Reason
		}
	}
	d, err := deadlineOf(k)
	if err != nil {
		return err
	}
	paused, err := d.Paused(from, at, reason)
	if _, late := errors.AsType[calendar.Refusal](err); late {
		paused, err = d, nil // it had run out before: there is nothing to put off
	}
	if err != nil {
		return err
	}
	return s.enterAct(ctx, q, k, clockAct{kind: actResumed, reason: reason, at: at}, paused)
}

// extended is the clock of the decision after an extension; its refusal says why there is none (行政处罚法 60).
func (m *matter) extended(at time.Time) (*store.ClocksOfRow, calendar.Deadline, error) {
	k := m.clock(basisDecision, 0)
	if k == nil {
		return nil, calendar.Deadline{}, wrongState("行政处罚法 第六十条: the case has no clock to extend")
	}
	d, err := deadlineOf(k)
	if err != nil {
		return nil, d, err
	}
	longer, err := d.Extended(basisExtension, at)
	if no, is := errors.AsType[calendar.Refusal](err); is {
		return nil, d, refused("行政处罚法 第六十条: %s", no.Error())
	}
	return k, longer, err
}
