package enforcement

import (
	"time"

	"quietline/internal/calendar"
	"quietline/internal/errs"
)

// checkAnnounce: seven working days ahead at least, chaired by one who did not investigate (行政处罚法 64). The refusal
// shows the last day for the announcement.
func checkAnnounce(d deed) error {
	w := d.words()
	if w.GetHearingTime() == nil || w.GetChair() == "" || !isName(w.GetChairName()) || w.GetHearingPlace() == "" {
		return errs.Field("detail.case_step", "must have hearing_time, hearing_place, and the chair with chair_name (行政处罚法 第六十四条)")
	}
	if d.m.investigated(w.GetChair()) {
		return samePerson("行政处罚法 第六十四条: the hearing is chaired by one who did not investigate the case")
	}
	due, err := announceDue(w.GetHearingTime().AsTime(), d.profile())
	if err != nil {
		return err
	}
	if due.Due.Before(d.at) {
		return refused("行政处罚法 第六十四条: a hearing at %s had to be announced by %s (%s)",
			w.GetHearingTime().AsTime().In(calendar.Shanghai).Format("2006-01-02 15:04"),
			due.Due.In(calendar.Shanghai).Format("2006-01-02 15:04"), due.Proof)
	}
	return nil
}

// announceDue is the last moment for announcing a hearing.
func announceDue(hearing time.Time, profile string) (calendar.Deadline, error) {
	return dueOf(basisHearingNotice, hearing, profile)
}

// profile is that of the case's own clocks.
func (d deed) profile() string {
	if k := d.m.clock(basisDecision, 0); k != nil {
		return k.Profile
	}
	return calendar.Statutory
}

func checkHold(d deed) error {
	if d.GetOutcome() != outHeld {
		return nil
	}
	if d.task.hearingTime != nil && d.at.Before(*d.task.hearingTime) {
		return wrongState("行政处罚法 第六十四条: the hearing is at %s", d.task.hearingTime.In(calendar.Shanghai).Format("2006-01-02 15:04"))
	}
	if d.words().GetRecordHash() == "" {
		return errs.Field("detail.case_step.record_hash", "must be the SHA-256 of the signed record (行政处罚法 第六十四条)")
	}
	return nil
}

// checkConfirm: performed is what is paid in full; not performed is what is not when the term is over (行政处罚法 66, 67, 72).
func checkConfirm(d deed) error {
	paying := d.words().GetPaid().GetFen()
	debt := d.m.debtAt(d.at)
	debt.paid += paying
	switch {
	case paying < 0:
		return errs.Field("detail.case_step.paid", "must not be negative")
	case paying > 0 && d.words().GetReceiptNo() == "":
		return errs.Field("detail.case_step.receipt_no", "must name the receipt of the payment")
	case paying > 0 && d.m.receipted(d.words().GetReceiptNo()):
		return errs.Field("detail.case_step.receipt_no", "stands on file already: what was paid by it is counted")
	}
	if paying > 0 {
		if err := checkOwed(d.m, paying, d.at, "detail.case_step.paid"); err != nil {
			return err
		}
		if err := payable(d.m, d.paidTime(), d.at, "detail.case_step.served_time"); err != nil {
			return err
		}
	}
	switch d.GetOutcome() {
	case outPerformed:
		if debt.owed() > 0 {
			return wrongState("行政处罚法 第六十七条、第七十二条: %d fen are still owed, %d of them for late payment", debt.owed(), debt.addition)
		}
	case outUnpaid:
		return checkUnpaid(d, debt)
	case outParts:
		return checkInstalments(d, debt)
	}
	return nil
}

// paidTime is when what is confirmed was paid: served_time says it, else the time of the decision.
func (d deed) paidTime() time.Time {
	if t := d.words().GetServedTime(); t != nil {
		return t.AsTime()
	}
	return d.at
}

// payable refuses a payment of a day on which nothing was owed yet, or that has not come.
func payable(m *matter, paid, now time.Time, field string) error {
	delivered := m.timeOf(m.entered(stateDelivered))
	if m.DeliverTime != nil { // what counts as delivered later may be paid as soon as it is published
		delivered = earlier(delivered, *m.DeliverTime)
	}
	switch {
	case paid.Before(delivered):
		return errs.Field(field, "must not be before the decision was delivered: nothing was owed (行政处罚法 第六十七条)")
	case paid.After(now):
		return errs.Field(field, "must not be in the future (行政处罚法 第六十七条)")
	}
	return nil
}

func checkUnpaid(d deed, debt debt) error {
	k := d.m.clock(basisPerform, 0)
	_, plan := d.m.plans()
	switch {
	case k != nil && !over(k, d.at):
		return wrongState("行政处罚法 第六十七条: the party may pay until %s", k.DueTime.UTC().Format(time.RFC3339))
	case plan != 0 && !d.m.partsLate(plan, debt.owed(), d.at):
		return wrongState("行政处罚法 第六十六条: all instalments that are due are paid")
	case debt.fine+debt.confiscation > 0 && debt.owed() == 0:
		return wrongState("行政处罚法 第六十七条: all is paid")
	}
	return nil
}

func checkDemand(d deed) error { return needsMethod(d, d.m.seqOf(stepConfirm, 0, outUnpaid)) }

// police is the family of the agencies that a suspected crime is transferred to.
const police = "mps"

// checkApprove: a suspected crime goes to the police, and to nobody else. The directory, which the workflow asks, says
// whether the agency exists and acts.
func checkApprove(d deed) error {
	if d.GetOutcome() == outApproved && familyOf(d.words().GetAgencyId()) != police {
		return errs.Field("detail.case_step.agency_id", "must be the police agency that the case goes to (行政处罚法 第二十七条)")
	}
	return nil
}

func checkSend(d deed) error {
	if d.words().GetReceiptNo() == "" {
		return errs.Field("detail.case_step.receipt_no", "must be the receipt of the police (行政处罚法 第二十七条)")
	}
	return nil
}

func checkExtend(d deed) error {
	if d.GetOutcome() != "extended" {
		return nil
	}
	if err := checkExtension(d.words().GetExtendDays(), d.words().GetBasis()); err != nil {
		return err
	}
	_, _, err := d.m.extended(d.at)
	return err
}

func checkReverse(d deed) error {
	if d.GetOutcome() == outReversed && d.words().GetBasis() == "" {
		return errs.Field("detail.case_step.basis", "must say by what the decision is taken back (行政处罚法 第七十五条)")
	}
	return nil
}

func checkDesignate(d deed) error {
	to := d.words().GetAgencyId()
	if to != d.m.AgencyID && to != d.task.facts["claimed_by"] {
		return errs.Field("detail.case_step.agency_id", "must be one of the two agencies (行政处罚法 第二十五条)")
	}
	return nil
}
