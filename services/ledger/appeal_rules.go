package ledger

import (
	"context"
	"math"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// States of an appeal, in their order:
//
//	FILED -> REVIEWING -> UPHELD -> RESTORED   (with the executor's receipt, where there is something to restore)
//	             +------> DISMISSED
const (
	appealFiled     = "FILED"
	appealReviewing = "REVIEWING"
	appealDismissed = "DISMISSED"
	appealUpheld    = "UPHELD"
	appealRestored  = "RESTORED"
)

var appealSteps = map[string][]string{
	appealFiled:     {appealReviewing},
	appealReviewing: {appealUpheld, appealDismissed},
	appealUpheld:    {appealRestored},
}

// appealGoes says whether an appeal goes on to a state; being there already is a no-op, and so is being past it.
func appealGoes(from, to string) (act bool, err error) {
	if from == to || from == appealRestored && to == appealUpheld {
		return false, nil
	}
	if slices.Contains(appealSteps[from], to) {
		return true, nil
	}
	return false, wrongState("an appeal that is %s does not become %s", from, to)
}

// viewer is what the caller may see of recalls, restrictions and appeals.
type viewer struct {
	engine bool   // the workflows
	all    bool   // the lead ministry's people with that role, auditors, the workflows
	centre bool   // takes appeals in for subscribers
	party  string // credit code of the holder itself
	agency string // agency of whoever it is
}

// inside says whether the viewer may know who in an agency did something.
func (v viewer) inside(agency string) bool { return v.all || v.agency != "" && v.agency == agency }

func viewerOf(ctx context.Context) viewer {
	a := identity.ActorOf(ctx)
	if identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS {
		return viewer{engine: true, all: true}
	}
	if identity.HasRole(a, accessv1.Role_ROLE_PARTY) {
		return viewer{party: a.GetParty()}
	}
	v := viewer{agency: a.GetAgencyId()}
	for _, r := range a.GetRoles() {
		switch r {
		case accessv1.Role_ROLE_CENTRE:
			v.centre = true
		case accessv1.Role_ROLE_LEAD, accessv1.Role_ROLE_AUDITOR:
			v.all = true
		}
	}
	return v
}

func appealProto(p store.Appeal, creditCode string, v viewer) *ledgerv1.Appeal {
	out := &ledgerv1.Appeal{
		AppealId: p.AppealID, EventId: p.EventID, Restriction: p.Restriction, ResourceId: p.ResourceID, Nature: p.Nature,
		Appellant: p.Appellant, Statement: p.Statement, FileTime: timestamppb.New(p.FileTime), State: p.State, AgencyId: p.AgencyID,
		DispositionTaskId: text(p.DispositionTaskID), DecidingTaskId: text(p.DecidingTaskID), ReasonCode: p.ReasonCode, Reply: p.Reply,
		DecidedTime: timeProto(p.DecidedTime), RestoringTaskId: text(p.RestoringTaskID), RestoredTime: timeProto(p.RestoredTime), Remedy: remedyOf(p),
		Clock: &commonv1.Clock{
			Basis: p.ClockBasis, StatutoryDue: p.ClockStatutoryDue, Proof: p.ClockProof, Provisional: p.ClockProvisional,
		},
	}
	if p.CorrectingEventID != nil {
		out.CorrectingEventId = *p.CorrectingEventID
	}
	if p.Appellant == "holder" {
		out.CreditCode = creditCode
	}
	if v.agency != "" && v.agency == p.FiledAgencyID {
		out.Reference = p.Reference
	}
	return out
}

// restrictionProto is a restriction; outside, of who did it only the agency is told.
func restrictionProto(r store.ListRestrictionsRow, inside bool) *ledgerv1.Restriction {
	by := r.DoneBy
	if !inside {
		by = agencyOf(by)
	}
	return &ledgerv1.Restriction{
		Resource: takenFrom(store.HeldAtRow{
			ResourceID: r.ResourceID, Scheme: r.Scheme, Digits: r.Digits, FirstNumber: r.FirstNumber, LastNumber: r.LastNumber,
			AccessProvince: r.AccessProvince, Purpose: r.Purpose, AccessOperatorID: r.AccessOperatorID,
			HolderID: r.HolderID, Name: r.Name, CreditCode: r.CreditCode, State: text(r.State), ValidFrom: r.ValidFrom, ValidTo: r.ValidTo,
		}),
		Event: &ledgerv1.ResourceEvent{
			EventId: r.EventID, Event: r.Event, ReasonCode: r.ReasonCode, Basis: r.Basis, Nature: r.Nature, TaskId: text(r.TaskID),
			PriorNotice: r.PriorNotice, Remedy: r.Remedy, EffectTime: timestamppb.New(r.EffectTime), DoneBy: by, State: text(r.State),
		},
		Corrected: r.Corrected, AppealId: r.AppealID,
	}
}

// beforeEvent reads the token of a page that goes back through the events.
func beforeEvent(token string) (int64, error) {
	parts, err := pg.DecodeToken(token, 1)
	if err != nil {
		return 0, err
	}
	if parts == nil {
		return math.MaxInt64, nil
	}
	id, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return 0, errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is not one of this list")
	}
	return id, nil
}
