package disclosure

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// publicationRow is what every query of publications returns; the rows of the others convert to it.
type publicationRow store.GetPublicationRow

// proto is the publication as of a time: what it says while it is live, afterwards its tombstone, which says nothing of
// the party.
func (r publicationRow) proto(at time.Time, known map[string]store.PublicationKind, terms []store.PublicationTerm) *disclosurev1.Publication {
	p := r.Publication
	out := &disclosurev1.Publication{
		PublicationId: p.PublicationID, Kind: p.Kind, KindName: known[p.Kind].Name,
		AgencyId: p.AgencyID, AgencyName: p.AgencyName, RegisterAgencyId: p.RegisterAgencyID,
		PublishTime: timestamppb.New(p.PublishTime), TakeDownTime: timestamppb.New(p.TakeDownTime),
		State: stateAt(at, p.TakeDownTime, r.WithdrawnTime), Version: r.PublicationVersion.Version,
		UpdateTime:   timestamppb.New(r.updated(at)),
		PublishClock: clock{basis: p.PublishBasis, due: p.PublishDue, proof: p.PublishProof, provisional: p.PublishProvisional}.proto(),
	}
	if p.CaseID != nil {
		out.CaseId = *p.CaseID
	}
	for _, t := range terms {
		out.Terms = append(out.Terms, termProto(t, p.TakeDownTime))
	}
	switch out.GetState() {
	case live:
		out.Title, out.Summary = r.PublicationVersion.Title, r.PublicationVersion.Summary
		out.PartyName, out.CreditCode, out.LicenceNo = p.PartyName, p.CreditCode, p.LicenceNo
		out.DecisionNo, out.Ground, out.RegionCodes, out.Codes = p.DecisionNo, p.Ground, p.RegionCodes, p.Codes
	case withdrawn:
		out.WithdrawnReason, out.WithdrawnCause, out.WithdrawnTime = ofNobody(*r.Reason, p), *r.Cause, timestamppb.New(*r.WithdrawnTime)
		out.WithdrawClock = clock{basis: *r.Basis, due: r.DueTime, proof: *r.Proof, provisional: *r.Provisional}.proto()
	}
	return out
}

// updated is when the item last changed.
func (r publicationRow) updated(at time.Time) time.Time {
	switch {
	case r.WithdrawnTime != nil:
		return *r.WithdrawnTime
	case !r.Publication.TakeDownTime.After(at):
		return r.Publication.TakeDownTime
	}
	return r.PublicationVersion.VersionTime
}

func termProto(t store.PublicationTerm, takeDown time.Time) *disclosurev1.TakeDownTerm {
	out := &disclosurev1.TakeDownTerm{
		Basis: t.Basis, Class: t.Class, EndTime: timestamppb.New(t.EndTime), Proof: t.Proof, Source: t.Source,
		ToConfirm: t.ToConfirm, Holds: t.EndTime.Equal(takeDown),
	}
	if t.EarliestTime != nil {
		out.EarliestTime = timestamppb.New(*t.EarliestTime)
	}
	return out
}

// protos are publications with the bases of their take-down dates.
func (s *Server) protos(ctx context.Context, q *store.Queries, rows []publicationRow) ([]*disclosurev1.Publication, error) {
	known, err := s.kinds.read(ctx, q)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.Publication.PublicationID)
	}
	terms, err := q.Terms(ctx, ids)
	if err != nil {
		return nil, err
	}
	of := map[string][]store.PublicationTerm{}
	for _, t := range terms {
		of[t.PublicationID] = append(of[t.PublicationID], t)
	}
	now, out := s.now(), make([]*disclosurev1.Publication, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.proto(now, known, of[r.Publication.PublicationID]))
	}
	return out, nil
}

// get is one publication, or its tombstone; a live one with all its versions.
func (s *Server) get(ctx context.Context, q *store.Queries, id string) (*disclosurev1.Publication, error) {
	row, err := q.GetPublication(ctx, id)
	if err != nil {
		return nil, errs.NotFound(err, "no such publication")
	}
	all, err := s.protos(ctx, q, []publicationRow{publicationRow(row)})
	if err != nil {
		return nil, err
	}
	out := all[0]
	if out.GetState() != live {
		return out, nil
	}
	versions, err := q.Versions(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		out.Versions = append(out.Versions, &disclosurev1.PublicationVersion{
			Version: v.Version, Title: v.Title, Summary: v.Summary, Note: v.Note, VersionTime: timestamppb.New(v.VersionTime),
		})
	}
	return out, nil
}
