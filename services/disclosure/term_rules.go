package disclosure

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// termKey is what policies of take-down dates know an item by beside its kind: the kind of penalty, simplified where it was
// a fine on the spot (行政处罚法 51), or the list.
func termKey(p *disclosurev1.Publication, g *disclosurev1.Gate) string {
	switch {
	case p.GetKind() == penalty && g.GetSimplified() && g.GetPenaltyKind() == "fine":
		return "simplified"
	case p.GetKind() == penalty:
		return g.GetPenaltyKind()
	case p.GetKind() == listing && g.GetPenaltyKind() == "dishonest":
		return "dishonest"
	case p.GetKind() == listing: // the list with the shorter term, whatever else was said
		return "bad"
	}
	return ""
}

// termsOf computes when an item goes by each of its bases, those first that end first.
func termsOf(rows []store.TakeDownTermsRow, given []*disclosurev1.TakeDownTerm, decided *timestamppb.Timestamp, now time.Time) ([]store.InsertTermParams, error) {
	var out []store.InsertTermParams
	for _, r := range rows {
		from, event := now, "公示之日"
		if r.CountsFrom == "decided" {
			if decided == nil {
				continue
			}
			from, event = decided.AsTime(), "文书作出之日"
		}
		t := store.InsertTermParams{Basis: r.Basis, Class: r.Class, EndTime: months(from, int(r.Months)), Source: r.Source, ToConfirm: r.ToConfirm}
		t.Proof = fmt.Sprintf("自%s%s起%d个月,至%s", event, dateOf(from), r.Months, dateOf(t.EndTime))
		if r.EarliestMonths == nil {
			t.Proof += ";不得提前撤下"
		} else {
			earliest := months(from, int(*r.EarliestMonths))
			t.EarliestTime = &earliest
			t.Proof += fmt.Sprintf(";修复后最早可于%s撤下", dateOf(earliest))
		}
		out = append(out, t)
	}
	for i, g := range given {
		t, err := givenTerm(g)
		if err != nil || slices.ContainsFunc(out, func(o store.InsertTermParams) bool { return o.Basis == t.Basis }) {
			return nil, errs.Field(fmt.Sprintf("publication.terms[%d]", i), "must have a basis of its own, and an end not before its earliest")
		}
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b store.InsertTermParams) int { return a.EndTime.Compare(b.EndTime) })
	return out, nil
}

// givenTerm is a date of the keeper of a list, who computed it when it made the entry.
func givenTerm(g *disclosurev1.TakeDownTerm) (store.InsertTermParams, error) {
	end, earliest := timeOf(g.GetEndTime()), timeOf(g.GetEarliestTime())
	if end == nil || earliest != nil && earliest.After(*end) {
		return store.InsertTermParams{}, errors.New("no such term")
	}
	return store.InsertTermParams{
		Basis: cmp.Or(g.GetBasis(), "list_keeper"), Class: g.GetClass(), EarliestTime: earliest, EndTime: *end,
		Proof:     cmp.Or(g.GetProof(), "列入时由名单管理单位确定,至"+dateOf(*end)),
		Source:    cmp.Or(g.GetSource(), "信用修复管理办法(国家发展改革委令第36号):列入时确定的最长公示期"),
		ToConfirm: g.GetToConfirm(),
	}, nil
}

// months is the beginning of the same day some months later in Shanghai, or of the last of its month where there is no
// such day: never later than the months allow.
func months(from time.Time, n int) time.Time {
	y, m, d := from.In(calendar.Shanghai).Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, calendar.Shanghai)
	return time.Date(last.Year(), last.Month(), min(d, last.Day()), 0, 0, 0, 0, calendar.Shanghai).UTC()
}

func dateOf(t time.Time) string { return t.In(calendar.Shanghai).Format("2006-01-02") }

// repairable refuses to take an item down early while one of its bases does not allow it. Who keeps a list repairs its
// entries (谁认定、谁修复): of a listing nothing is checked here again.
func repairable(kind string, terms []store.PublicationTerm, now time.Time) error {
	if kind == listing {
		return nil
	}
	for _, t := range terms {
		switch {
		case t.EarliestTime == nil && t.Basis != "as_published":
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, "it is never taken down early: %s", t.Source)
		case t.EarliestTime != nil && t.EarliestTime.After(now):
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
				"it is taken down early from %s on: %s", dateOf(*t.EarliestTime), t.Source)
		}
	}
	return nil
}

// clock is a term with its proof.
type clock struct {
	basis, proof string
	due          *time.Time
	provisional  bool
}

// clockOf computes a term in working days. A basis that was not in force then sets none.
func clockOf(basis string, from time.Time) clock {
	if basis == "" {
		return clock{}
	}
	d, err := calendar.Due(basis, from, calendar.Statutory)
	if err != nil {
		return clock{}
	}
	due := d.Due.UTC()
	return clock{basis: basis, proof: d.Proof + "; " + d.Source, due: &due, provisional: d.Provisional}
}

func (c clock) proto() *commonv1.Clock {
	if c.due == nil {
		return nil
	}
	return &commonv1.Clock{Basis: c.basis, StatutoryDue: c.due.UTC().Format(time.RFC3339), Proof: c.proof, Provisional: c.provisional}
}
