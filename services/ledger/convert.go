package ledger

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// resourceOf is a row of the ledger with its holder, for whom it calls, and the state of the resource.
func resourceOf(a store.Allocation, h store.Holder, p *ledgerv1.Holder, state string) *ledgerv1.Resource {
	return &ledgerv1.Resource{
		ResourceId:       a.ResourceID,
		Scheme:           a.Scheme,
		FirstNumber:      digitsOf(a.Digits, a.FirstNumber),
		LastNumber:       digitsOf(a.Digits, a.LastNumber),
		Holder:           holderProto(h),
		AccessProvince:   a.AccessProvince,
		Purpose:          a.Purpose,
		PermittedCallers: a.PermittedCallers,
		AccessOperatorId: a.AccessOperatorID,
		State:            state,
		ValidFrom:        timestamppb.New(a.ValidFrom),
		ValidTo:          timeProto(a.ValidTo),
		AllocationId:     a.AllocationID,
		KnownFrom:        timestamppb.New(a.KnownFrom),
		Operation:        a.Operation,
		Principal:        p,
		Basis:            a.Basis,
	}
}

// principal is for whom an outsourced call centre calls; nil where there is none.
func principal(a store.Allocation, name, creditCode *string) *ledgerv1.Holder {
	if a.PrincipalHolderID == nil || name == nil || creditCode == nil {
		return nil
	}
	return &ledgerv1.Holder{HolderId: *a.PrincipalHolderID, Name: *name, CreditCode: *creditCode}
}

func holderProto(h store.Holder) *ledgerv1.Holder {
	return &ledgerv1.Holder{
		HolderId:   h.HolderID,
		Name:       h.Name,
		CreditCode: h.CreditCode,
		Licence:    h.Licence,
		Sector:     h.Sector,
		AgencyId:   h.AgencyID,
	}
}

func eventProto(e store.ResourceEvent) *ledgerv1.ResourceEvent {
	out := &ledgerv1.ResourceEvent{
		Event:       e.Event,
		ReasonCode:  e.ReasonCode,
		Basis:       e.Basis,
		Nature:      e.Nature,
		PriorNotice: e.PriorNotice,
		Remedy:      e.Remedy,
		EffectTime:  timestamppb.New(e.EffectTime),
		DoneBy:      e.DoneBy,
		EventId:     e.EventID,
		TaskId:      text(e.TaskID),
		State:       text(e.State),
		RecallId:    text(e.RecallID),
		AppealId:    text(e.AppealID),
	}
	if e.CorrectsEventID != nil {
		out.CorrectsEventId = *e.CorrectsEventID
	}
	return out
}

func timeProto(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}

func timeOf(t *timestamppb.Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	v := t.AsTime().Truncate(time.Microsecond)
	return &v
}

// doneBy is who acts, as it stands in the history.
func doneBy(a *commonv1.Actor) string {
	if a.GetAgencyId() == "" {
		return a.GetSubject()
	}
	return a.GetSubject() + "@" + a.GetAgencyId()
}
