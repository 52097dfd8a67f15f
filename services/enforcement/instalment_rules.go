package enforcement

import (
	"context"
	"time"

	"github.com/google/uuid"

	"quietline/internal/errs"
	"quietline/services/enforcement/store"
)

// Instalments (分期缴纳, 行政处罚法 66) take three: the party applies in writing, the caseworker puts the plan to the head,
// and the head grants it. Only the last plan that was granted counts.

// plans: asked is the plan that waits for the head; 0 when none does. granted is the plan in force; 0 when there is none.
func (m *matter) plans() (asked, granted int32) {
	for _, e := range m.events {
		switch {
		case e.Step == stepConfirm && e.Outcome == outParts:
			asked = e.Seq
		case e.Step == stepParts && e.Outcome == outApproved:
			asked, granted = 0, asked
		case e.Step == stepParts:
			asked = 0
		}
	}
	return asked, granted
}

// partsOf are the parts of a plan, in order.
func (m *matter) partsOf(plan int32) []store.CaseInstalment {
	return upTo(m.instalments, func(i store.CaseInstalment) bool { return i.Seq == plan })
}

// partsLate says whether more is owed than the plan still has to come: a part that was due is not paid. What was paid
// before the plan is in none of its parts.
func (m *matter) partsLate(plan int32, owed int64, at time.Time) bool {
	var ahead int64
	for _, i := range m.partsOf(plan) {
		if i.DueTime.After(at) {
			ahead += i.AmountFen
		}
	}
	return owed > ahead
}

// daysLate are the late days of a debt. A plan stops them on the day it was asked for; they go on after its last part.
func (m *matter) daysLate(until, at time.Time) int {
	k := m.firstClock(basisPerform)
	if k == nil {
		return 0
	}
	_, plan := m.plans()
	parts := m.partsOf(plan)
	if len(parts) == 0 {
		return m.lateDays(k.DueTime, until, at)
	}
	return m.lateDays(k.DueTime, earlier(until, m.timeOf(plan)), at) + m.lateDays(parts[len(parts)-1].DueTime, until, at)
}

// checkInstalments: the party applied, and the parts come to what is owed, each later than the one before.
func checkInstalments(d deed, debt debt) error {
	if d.words().GetApplicationFileId() == "" {
		return errs.Field("detail.case_step.application_file_id", "must be the application of the party (行政处罚法 第六十六条)")
	}
	var sum int64
	last := d.at
	parts := d.words().GetInstalments()
	for _, p := range parts {
		if !p.GetDueTime().AsTime().After(last) || p.GetAmount().GetFen() <= 0 {
			return errs.Field("detail.case_step.instalments", "must be later one than the other, and more than nothing (行政处罚法 第六十六条)")
		}
		last = p.GetDueTime().AsTime()
		sum += p.GetAmount().GetFen()
	}
	if len(parts) < 2 || sum != debt.owed() {
		return errs.Field("detail.case_step.instalments", "must be two at least and come to %d fen (行政处罚法 第六十六条)", debt.owed())
	}
	return nil
}

// checkParts: a plan whose first part is due already is put to the head anew.
func checkParts(d deed) error {
	asked, _ := d.m.plans()
	if parts := d.m.partsOf(asked); d.GetOutcome() == outApproved && len(parts) > 0 && !parts[0].DueTime.After(d.at) {
		return wrongState("行政处罚法 第六十六条: the first part was due %s: refuse, and have the plan made anew", parts[0].DueTime.UTC().Format(time.RFC3339))
	}
	return nil
}

// applied: the application is on the file of the case, handed in by the party or entered from paper.
func applied(ctx context.Context, q *store.Queries, d deed) error {
	id := d.words().GetApplicationFileId()
	if uuid.Validate(id) == nil {
		if own, err := q.FileIsOfCase(ctx, store.FileIsOfCaseParams{CaseID: d.m.CaseID, FileID: id}); err != nil || own {
			return err
		}
	}
	return errs.Field("detail.case_step.application_file_id", "must be a file of the party in this case (行政处罚法 第六十六条)")
}
