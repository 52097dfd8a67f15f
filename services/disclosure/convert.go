package disclosure

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// publicationRow is what every query of publications returns; the rows of the others convert to it.
type publicationRow store.GetPublicationRow

// proto is the publication as of a time: what it says while it is live, afterwards its tombstone.
func (r publicationRow) proto(at time.Time) *disclosurev1.Publication {
	p := r.Publication
	out := &disclosurev1.Publication{
		PublicationId: p.PublicationID,
		Kind:          p.Kind,
		AgencyId:      p.AgencyID,
		PublishTime:   timestamppb.New(p.PublishTime),
		TakeDownTime:  timestamppb.New(p.TakeDownTime),
		State:         stateAt(at, p.TakeDownTime, r.WithdrawnTime),
	}
	if p.CaseID != nil {
		out.CaseId = *p.CaseID
	}
	switch out.GetState() {
	case live:
		out.Title, out.PartyName, out.CreditCode, out.Summary = p.Title, p.PartyName, p.CreditCode, p.Summary
	case withdrawn:
		out.WithdrawnReason = *r.Reason
	}
	return out
}

func get(ctx context.Context, q *store.Queries, id string, at time.Time) (*disclosurev1.Publication, error) {
	row, err := q.GetPublication(ctx, id)
	if err != nil {
		return nil, errs.NotFound(err, "no such publication")
	}
	return publicationRow(row).proto(at), nil
}

// digestProto is a digest: for those inside with all its figures, for the public with the hidden ones in one sum.
func digestProto(ctx context.Context, q *store.Queries, d store.Digest, inside bool) (*disclosurev1.Digest, error) {
	rows, err := q.DigestRows(ctx, d.DigestID)
	if err != nil {
		return nil, err
	}
	out := &disclosurev1.Digest{
		DigestId: d.DigestID, Month: d.Month, Version: d.Version, Title: d.Title, Total: d.Total,
		CutHash: d.CutHash, Rounding: d.Rounding, BuildTime: timestamppb.New(d.BuildTime),
	}
	var table *disclosurev1.DigestTable
	var hidden *disclosurev1.DigestRow
	for _, r := range rows { // by axis, the largest first
		if table == nil || table.GetAxis() != r.Axis {
			closeTable(table, hidden)
			table, hidden = &disclosurev1.DigestTable{Axis: r.Axis}, nil
			out.Tables = append(out.Tables, table)
		}
		switch {
		case inside:
			table.Rows = append(table.Rows, &disclosurev1.DigestRow{Key: r.Key, Reports: r.Reports, PerMille: r.PerMille, Reporters: r.Reporters})
		case r.Suppressed:
			if hidden == nil {
				hidden = &disclosurev1.DigestRow{Key: hiddenKey}
			}
			hidden.Reports += r.Reports
			hidden.PerMille += r.PerMille
		default:
			table.Rows = append(table.Rows, &disclosurev1.DigestRow{Key: r.Key, Reports: r.Reports, PerMille: r.PerMille})
		}
	}
	closeTable(table, hidden)
	return out, nil
}

// closeTable puts the sum of what is hidden at a table's end.
func closeTable(t *disclosurev1.DigestTable, hidden *disclosurev1.DigestRow) {
	if t != nil && hidden != nil {
		t.Rows = append(t.Rows, hidden)
	}
}

func timeOf(t *timestamppb.Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	v := t.AsTime().Truncate(time.Microsecond)
	return &v
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// doneBy is who acts, as it stands on record.
func doneBy(ctx context.Context) string {
	a := identity.ActorOf(ctx)
	if a.GetAgencyId() == "" {
		return a.GetSubject()
	}
	return a.GetSubject() + "@" + a.GetAgencyId()
}
