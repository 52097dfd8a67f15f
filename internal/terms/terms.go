// Package terms is what the owners of clocks beside the tasks have in common: how a stored clock is shown, and how its
// provisional date is settled once the missing holiday notice is loaded.
package terms

import (
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Row is a clock that runs, as the view running_clock of its owner has it.
type Row struct {
	Kind, ID, AgencyID, Basis string
	StartTime, Due, Statutory time.Time
	Proof                     string
	Provisional               bool
}

// Proto is a clock as it is shown.
func (r Row) Proto(now time.Time, profile string) *commonv1.RunningTerm {
	return &commonv1.RunningTerm{
		Kind: r.Kind, Id: r.ID, AgencyId: r.AgencyID, DueTime: timestamppb.New(r.Due), Overdue: r.Due.Before(now),
		Clock: &commonv1.Clock{
			Basis: r.Basis, Source: calendar.SourceOf(r.Basis, r.StartTime), Profile: profile, StatutoryDue: r.Statutory.UTC().Format(time.RFC3339),
			Start: r.StartTime.UTC().Format(time.RFC3339), Proof: r.Proof, Provisional: r.Provisional,
		},
	}
}

// kept is the clock as it can go on.
func (r Row) kept(profile string) (calendar.Deadline, error) {
	return calendar.Kept(r.Basis, r.StartTime, r.Due, r.Statutory, r.Proof, profile)
}

// ProvisionalProto is a provisional clock: which notices it lacks, and whether they are there by now.
func (r Row) ProvisionalProto(now time.Time, profile string) *commonv1.ProvisionalTerm {
	out := &commonv1.ProvisionalTerm{Term: r.Proto(now, profile)}
	d, err := r.kept(profile)
	if err != nil {
		return out // its rule was rewritten since: listed all the same
	}
	for _, year := range d.Unsettled() {
		out.Years = append(out.Years, int32(year))
	}
	_, err = d.Settled(now)
	out.CanSettle = err == nil
	return out
}

// Settlement is one date that is settled.
type Settlement struct {
	Row
	New   calendar.Deadline
	Party bool // its term moves only later
}

// Settle reckons a provisional date anew; nil when it has to wait for a notice still.
func (r Row) Settle(now time.Time, profile string) (*Settlement, error) {
	before, err := r.kept(profile)
	if err != nil {
		return nil, waits(err)
	}
	after, err := before.Settled(now)
	if err != nil {
		return nil, waits(err)
	}
	return &Settlement{Row: r, New: after, Party: calendar.IsParty(r.Basis, now)}, nil
}

// waits takes what the calendar refuses for what cannot be settled yet.
func waits(err error) error {
	if _, refused := errors.AsType[calendar.Refusal](err); refused {
		return nil
	}
	return err
}

// Proto is a settled date as it is told.
func (s *Settlement) Proto() *commonv1.TermSettlement {
	return &commonv1.TermSettlement{
		Kind: s.Kind, Id: s.ID, Basis: s.Basis, OldDueTime: timestamppb.New(s.Due), NewDueTime: timestamppb.New(s.New.Due),
	}
}

// Noticed refuses to settle by a notice that is not loaded.
func Noticed(year int32, now time.Time) error {
	if calendar.Noticed(int(year), now) {
		return nil
	}
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
		"the holiday notice of %d is not loaded, so there is nothing to settle by", year)
}
