package ledger

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// resourceRow is what every query of a resource returns; the rows of the others convert to it.
type resourceRow store.LookupNumberRow

func (r resourceRow) proto() *ledgerv1.Resource {
	return &ledgerv1.Resource{
		ResourceId:  r.ResourceID,
		Scheme:      r.Scheme,
		FirstNumber: digitsOf(r.Digits, r.FirstNumber),
		LastNumber:  digitsOf(r.Digits, r.LastNumber),
		Holder: &ledgerv1.Holder{
			HolderId:   r.HolderID,
			Name:       r.Name,
			CreditCode: r.CreditCode,
			Licence:    r.Licence,
			Sector:     r.Sector,
			AgencyId:   r.AgencyID,
		},
		AccessProvince:   r.AccessProvince,
		Purpose:          r.Purpose,
		PermittedCallers: r.PermittedCallers,
		AccessOperatorId: r.AccessOperatorID,
		State:            stateAfter(r.Event),
		ValidFrom:        timestamppb.New(r.ValidFrom),
		ValidTo:          timeProto(r.ValidTo),
	}
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
	}
	if e.TaskID != nil {
		out.TaskId = *e.TaskID
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
