package credit

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

// viewer is who reads: a party sees its own, staff what stands and the proposals of their own agency. An operator, who
// gives access, learns of the telecom lists whether a firm stands on them and what for, and what the public may read.
type viewer struct {
	all      bool // the mesh itself, and the lead
	operator bool
	ledger   bool // the ledger's allocation rules
	agency   string
	party    string
}

func viewerOf(ctx context.Context) viewer {
	a := identity.ActorOf(ctx)
	switch {
	case identity.CallerOf(ctx) == accessv1.Caller_CALLER_LEDGER: // who allocates needs no more than an operator, as of any time
		return viewer{operator: true, ledger: true, agency: orNobody("")}
	case identity.CallerOf(ctx) != accessv1.Caller_CALLER_GATEWAY:
		return viewer{all: true}
	case identity.HasRole(a, accessv1.Role_ROLE_PARTY):
		return viewer{party: orNobody(a.GetParty())}
	case identity.HasRole(a, accessv1.Role_ROLE_OPERATOR):
		return viewer{operator: true, agency: orNobody(a.GetAgencyId())}
	case identity.HasRole(a, accessv1.Role_ROLE_LEAD), identity.HasRole(a, accessv1.Role_ROLE_AUDITOR):
		return viewer{all: true, agency: a.GetAgencyId()}
	}
	return viewer{agency: orNobody(a.GetAgencyId())}
}

// orNobody keeps an empty name from meaning everybody.
func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

// sees says whether an entry exists for a viewer.
func (v viewer) sees(l store.Listing) bool {
	switch {
	case v.all:
		return true
	case v.operator: // what has ended is no longer shared or used (信用修复管理办法)
		return l.List != creditRecord && (l.State == listed || l.State == repairRequested)
	case v.party != "":
		return l.CreditCode == v.party && (l.ListedTime != nil || l.NoticeTime != nil)
	}
	return l.ListedTime != nil || l.AgencyID == v.agency
}

// knows says whether a viewer reads who decided and what was written.
func (v viewer) knows(l store.Listing) bool {
	return v.all || !v.operator && v.agency != "" && v.agency == l.AgencyID
}

// forOperator is an entry for who gives access: that it stands and what for, and the published fields once they are public.
func forOperator(l store.Listing, at time.Time) *creditv1.Listing {
	out := &creditv1.Listing{
		ListingId: l.ListingID, List: l.List, Ground: l.Ground, GroundName: l.GroundName, Severity: l.Severity, State: stateAt(at, l),
	}
	if l.PublishFrom != nil && !l.PublishFrom.After(at) && stands(at, l) {
		out.PartyName, out.CreditCode, out.Licence, out.AgencyId = l.PartyName, l.CreditCode, l.Licence, l.AgencyID
		out.DecidedTime, out.LatestEnd, out.PublishFrom, out.PublicationId = stamp(l.DecidedTime), stamp(l.LatestEnd), stamp(l.PublishFrom), text(l.PublicationID)
	}
	return out
}

// proto is an entry as of a time.
func proto(l store.Listing, at time.Time, v viewer) *creditv1.Listing {
	if v.operator {
		return forOperator(l, at)
	}
	out := &creditv1.Listing{
		ListingId: l.ListingID, List: l.List, PartyName: l.PartyName, CreditCode: l.CreditCode, Licence: l.Licence, Ground: l.Ground,
		AgencyId: l.AgencyID, Severity: l.Severity, State: stateAt(at, l), GroundName: l.GroundName, Sector: l.Sector, Outcome: l.Outcome,
		DecidedTime: stamp(l.DecidedTime), StartTime: stamp(l.ListedTime), EarliestEnd: stamp(l.EarliestEnd), LatestEnd: stamp(l.LatestEnd),
		StatutoryEarliestEnd: stamp(l.StatutoryEarliest), StatutoryLatestEnd: stamp(l.StatutoryLatest), Proof: text(l.EndsProof),
		EntryDue: stamp(l.EntryDue), Late: l.EntryDue != nil && l.ListedTime != nil && l.ListedTime.After(*l.EntryDue),
		EndTime: stamp(l.EndTime), LiftDue: stamp(l.LiftDue), PublicationId: text(l.PublicationID), PublishFrom: stamp(l.PublishFrom),
		ObjectionUntil: stamp(l.ObjectionUntil), NoticeTime: stamp(l.NoticeTime), CaseId: text(l.CaseID), RestsOn: text(l.RestsOn),
		ToConfirm:          l.EndsToConfirm != nil && *l.EndsToConfirm,
		PenaltyPublicUntil: stamp(l.PenaltyPublicUntil), PenaltyPublicBecause: text(l.PenaltyPublicBecause),
		PenaltyUnpublishTime: stamp(l.PenaltyUnpublishTime),
	}
	if out.GetState() == withdrawn {
		out.WithdrawnReason = l.StateReason
	}
	if v.knows(l) {
		for _, by := range []string{l.ProposedBy, text(l.ReviewedBy), text(l.SignedBy)} {
			if by != "" {
				out.DecidedBy = append(out.DecidedBy, by)
			}
		}
	}
	return out
}

func stamp(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func get(ctx context.Context, q *store.Queries, id string, at time.Time) (*creditv1.Listing, error) {
	row, err := q.GetListing(ctx, id)
	if err != nil {
		return nil, noListing(err)
	}
	return proto(row, at, viewerOf(ctx)), nil
}

func noListing(err error) error { return errs.NotFound(err, "no such listing") }

// doneBy is who acts, as it stands on record.
func doneBy(ctx context.Context) string {
	a := identity.ActorOf(ctx)
	if a.GetAgencyId() == "" {
		return a.GetSubject()
	}
	return a.GetSubject() + "@" + a.GetAgencyId()
}
