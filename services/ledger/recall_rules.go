package ledger

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// States of a recall, in their order:
//
//	PROPOSED -> REVIEWING -> NOTICE -> RECALLED
//	                |           +----> ABANDONED   (an objection stands)
//	                +----------------> REJECTED    (sent back by the reviewer or the head)
const (
	recallProposed  = "PROPOSED"
	recallReviewing = "REVIEWING"
	recallRejected  = "REJECTED"
	recallNotice    = "NOTICE"
	recallDropped   = "ABANDONED"
	recallDone      = "RECALLED"
)

// States of an objection.
const (
	objectionOpen      = "OPEN"
	objectionUpheld    = "UPHELD"
	objectionDismissed = "DISMISSED"
)

// recallSteps are the states that a recall may go on to.
var recallSteps = map[string][]string{
	recallProposed:  {recallReviewing},
	recallReviewing: {recallNotice, recallRejected},
	recallNotice:    {recallDone, recallDropped},
}

// recallGoes says whether a recall goes on to a state; being there already is a no-op.
func recallGoes(from, to string) (act bool, err error) {
	if from == to {
		return false, nil
	}
	if slices.Contains(recallSteps[from], to) {
		return true, nil
	}
	return false, wrongState("a recall that is %s does not become %s", from, to)
}

// restrictedBefore says whether a resource was ever warned or suspended, by an act that was not found wrong. Being put back
// since does not count against it: who was let off once and does it again has not mended its ways.
func restrictedBefore(history []store.ResourceEvent) bool {
	return slices.ContainsFunc(history, func(e store.ResourceEvent) bool {
		return (e.Event == warned || e.Event == suspended) && !slices.ContainsFunc(history, func(c store.ResourceEvent) bool {
			return c.CorrectsEventID != nil && *c.CorrectsEventID == e.EventID
		})
	})
}

// objectable says whether objections are taken now.
func objectable(r store.Recall, now time.Time) error {
	if r.State != recallNotice {
		return wrongState("the recall is %s; an act that is done is challenged by reconsideration within 60 days (行政复议法 20)", r.State)
	}
	if !now.Before(*r.NoticeUntil) {
		return wrongState("the notice period was over at %s", r.NoticeUntil.In(calendar.Shanghai).Format("2006-01-02 15:04:05"))
	}
	return nil
}

// recallProto is a recall; who proposed it is for those inside.
func recallProto(r store.Recall, objections []store.RecallObjection, inside bool) *ledgerv1.Recall {
	out := &ledgerv1.Recall{
		RecallId: r.RecallID, ResourceId: r.ResourceID, AgencyId: r.AgencyID, ReasonCode: r.ReasonCode, Basis: r.Basis,
		Statement: r.Statement, State: r.State, ProposedBy: r.AgencyID, ProposeTime: timestamppb.New(r.ProposeTime),
		FormerState: r.FormerState, SigningTaskId: text(r.SigningTaskID), PublicationId: text(r.PublicationID),
		NoticeTime: timeProto(r.NoticeTime), NoticeUntil: timeProto(r.NoticeUntil),
		EndTime: timeProto(r.EndTime), EndReason: r.EndReason, EndTaskId: text(r.EndTaskID),
	}
	if inside {
		out.ProposedBy = r.ProposedBy + "@" + r.AgencyID
	}
	if r.NoticeTime != nil {
		out.Clock = &commonv1.Clock{
			Basis: r.ClockBasis, StatutoryDue: r.ClockStatutoryDue, Proof: r.ClockProof, Provisional: r.ClockProvisional,
		}
	}
	for _, o := range objections {
		out.Objections = append(out.Objections, objectionProto(o))
	}
	return out
}

func objectionProto(o store.RecallObjection) *ledgerv1.Objection {
	return &ledgerv1.Objection{
		ObjectionId: o.ObjectionID, Text: o.Text, ObjectTime: timestamppb.New(o.ObjectTime), State: o.State,
		TaskId: text(o.TaskID), ReasonCode: o.ReasonCode, Reply: o.Reply, DecidedTime: timeProto(o.DecidedTime),
	}
}

// takenFrom is a resource by who held it.
func takenFrom(h store.HeldAtRow) *ledgerv1.Resource {
	return &ledgerv1.Resource{
		ResourceId: h.ResourceID, Scheme: h.Scheme, FirstNumber: digitsOf(h.Digits, h.FirstNumber), LastNumber: digitsOf(h.Digits, h.LastNumber),
		Holder:         &ledgerv1.Holder{HolderId: h.HolderID, Name: h.Name, CreditCode: h.CreditCode},
		AccessProvince: h.AccessProvince, Purpose: h.Purpose, AccessOperatorId: h.AccessOperatorID, State: h.State,
		ValidFrom: timestamppb.New(h.ValidFrom), ValidTo: timeProto(h.ValidTo),
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
