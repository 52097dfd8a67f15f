// Package terms is what the owners of clocks beside the tasks have in common: how a stored clock is shown, and how its
// provisional date is settled once the missing holiday notice is loaded.
package terms

import (
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Row is a clock that runs, as a view of its owner has it.
type Row struct {
	Kind, ID, AgencyID, Basis string
	StartTime, Due, Statutory *time.Time
	Proof                     string
	Provisional               bool
}

// Proto is a clock as it is shown.
func (r Row) Proto(now time.Time, profile string) *commonv1.RunningTerm {
	return &commonv1.RunningTerm{
		Kind: r.Kind, Id: r.ID, AgencyId: r.AgencyID, DueTime: timestamppb.New(*r.Due), Overdue: r.Due.Before(now),
		Clock: &commonv1.Clock{
			Basis: r.Basis, Source: calendar.SourceOf(r.Basis, *r.StartTime), Profile: profile, StatutoryDue: r.Statutory.UTC().Format(time.RFC3339),
			Start: r.StartTime.UTC().Format(time.RFC3339), Proof: r.Proof, Provisional: r.Provisional,
		},
	}
}

// kept is the clock as it can go on.
func (r Row) kept(profile string) (calendar.Deadline, error) {
	return calendar.Kept(r.Basis, *r.StartTime, *r.Due, *r.Statutory, r.Proof, profile)
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
		Kind: s.Kind, Id: s.ID, Basis: s.Basis, OldDueTime: timestamppb.New(*s.Due), NewDueTime: timestamppb.New(s.New.Due),
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

// Place is where a page of clocks begins: after this one.
type Place struct {
	Due              time.Time
	Kind, ID, Agency string
}

// PlaceOf reads a page token; an empty one is the beginning.
func PlaceOf(token string) (Place, error) {
	parts, err := pg.DecodeToken(token, 4)
	if err != nil || parts == nil {
		return Place{ID: uuid.Nil.String()}, err
	}
	us, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || uuid.Validate(parts[2]) != nil {
		return Place{}, errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is not one of this list")
	}
	return Place{Due: time.UnixMicro(us).UTC(), Kind: parts[1], ID: parts[2], Agency: parts[3]}, nil
}

// Next is the token of the page after some rows; empty after the last.
func Next(rows []Row, size int) string {
	if len(rows) < size || len(rows) == 0 {
		return ""
	}
	last := rows[len(rows)-1]
	return pg.EncodeToken(strconv.FormatInt(last.Due.UnixMicro(), 10), last.Kind, last.ID, last.AgencyID)
}
