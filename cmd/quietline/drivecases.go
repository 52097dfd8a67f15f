package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// Ways are how cases may go: each case that the robots drive takes one of them, in the order in which cases were opened, so
// that a few dozen cases have taken every way once.
const (
	wayStraight           = "straight" // fined, paid in time
	wayAdopted            = "statement_adopted"
	wayNotAdopted         = "statement_not_adopted"
	wayHearing            = "hearing_held"
	wayHearingAbandoned   = "hearing_abandoned"
	wayLegalReturned      = "legal_review_returned"
	wayDiscussed          = "discussed"
	waySimplified         = "simplified"
	waySlight             = "slight_corrected"
	wayFirstSlight        = "first_slight"
	wayNoFault            = "no_fault"
	wayLimitation         = "limitation"
	wayNotEstablished     = "not_established"
	wayTransferred        = "transfer_accepted"
	wayTransferReturned   = "transfer_returned"
	wayInstalments        = "instalments"
	wayLate               = "late_payment"
	wayDemanded           = "demanded"
	wayCourt              = "court"
	wayWaived             = "waived"
	wayElectronic         = "electronic"
	wayPublicNotice       = "public_notice"
	wayExtended           = "extended"
	wayRecused            = "recused"
	wayReconsidered       = "reconsidered"
	wayRevoked            = "revoked"
	wayChanged            = "changed"
	wayDisputed           = "disputed"
	wayLicensee           = "licensee" // a licensed operator: listed, published, and taken back everywhere
	wayPerson             = "person"   // a natural person, who stays one
	wayPersonSmall        = "person_simplified"
	wayAttributed         = "attributed" // a natural person, whose calls were a firm's
	actMarketing          = "marketing_without_consent"
	stateClosed           = "CLOSED"
	stateInvestigating    = "INVESTIGATING"
	stateNoticeServed     = "NOTICE_SERVED"
	driveLedgersPageLimit = 500
)

// ways in the order in which cases take them: what lasts long first.
var ways = []string{
	wayLicensee, wayPerson, wayPersonSmall, wayAttributed, wayCourt, wayRevoked, wayReconsidered, wayChanged, wayDemanded, wayLate, wayHearing,
	wayHearingAbandoned, wayPublicNotice, wayInstalments,
	wayTransferred, wayTransferReturned, wayAdopted, wayNotAdopted, wayLegalReturned, wayDiscussed, wayExtended, wayRecused,
	wayDisputed, wayElectronic, wayWaived, waySimplified, waySlight, wayFirstSlight, wayNoFault, wayLimitation, wayNotEstablished,
	wayStraight,
}

// personal ways are those of natural persons.
var personal = map[string]bool{wayPerson: true, wayPersonSmall: true, wayAttributed: true}

// takenBack ways go on after the case was closed: its decision falls.
var takenBack = map[string]bool{wayRevoked: true, wayLicensee: true}

// noPenaltyWays end without a penalty, each by its ground (行政处罚法 33, 36, 57).
var noPenaltyWays = map[string]bool{waySlight: true, wayFirstSlight: true, wayNoFault: true, wayLimitation: true, wayNotEstablished: true}

// caseView is a case as its robots see it.
type caseView struct {
	*enforcementv1.GetCaseResponse
	way       string
	suggested []*enforcementv1.SuggestedPenalty
	read      time.Time
	signed    string            // by the party: its consent to electronic delivery, or its application for instalments
	suspects  []string          // cases that may be of the same act, which who serves the notice has looked at
	listing   *creditv1.Listing // what the penalty brought onto the telecom lists, of who is to be taken off them again
}

func (v *caseView) id() string { return v.GetCase().GetCaseId() }

// events are how often a step was decided so; an empty outcome is any.
func (v *caseView) events(step, outcome string) int {
	n := 0
	for _, e := range v.GetEvents() {
		if e.GetStep() == step && (outcome == "" || e.GetOutcome() == outcome) {
			n++
		}
	}
	return n
}

// looks are the views of the cases that are not closed.
type looks struct {
	byCase map[string]*caseView
	ways   map[string]string // of all cases, once given
	free   []string          // ways that no case has taken yet
	open   int
	done   map[string]bool   // acts beside the steps, by case and act
	tries  map[string]int    // of those that were refused
	signed map[string]string // what parties signed, by case
}

func newLooks() *looks {
	return &looks{byCase: map[string]*caseView{}, ways: map[string]string{}, free: slices.Clone(ways), done: map[string]bool{}, tries: map[string]int{}, signed: map[string]string{}}
}

// look reads the cases that are not closed.
func (d *driver) look(ctx context.Context) error {
	lead, err := d.desk("LEAD@miit")
	if err != nil {
		return err
	}
	var all []*enforcementv1.Case
	err = pages(func(token string) (string, error) {
		r, err := enforcementv1.NewEnforcementServiceClient(lead).ListCases(ctx,
			&enforcementv1.ListCasesRequest{PageSize: driveLedgersPageLimit, PageToken: token})
		all = append(all, r.GetCases()...)
		return r.GetNextPageToken(), err
	})
	if err != nil {
		return fmt.Errorf("cases: %w", err)
	}
	slices.SortFunc(all, func(a, b *enforcementv1.Case) int {
		if n := a.GetOpenTime().AsTime().Compare(b.GetOpenTime().AsTime()); n != 0 {
			return n
		}
		return strings.Compare(a.GetCaseId(), b.GetCaseId())
	})
	d.cases.open = 0
	for _, c := range all {
		d.cases.give(c, d.people.seed)
		if c.GetState() == stateClosed && (!takenBack[d.cases.ways[c.GetCaseId()]] || c.GetReverseTime() != nil) {
			delete(d.cases.byCase, c.GetCaseId())
			continue
		}
		d.cases.open++
		if err := d.view(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// give gives a case its way: the next that no case has taken, else one by its number.
func (l *looks) give(c *enforcementv1.Case, seed uint64) {
	if l.ways[c.GetCaseId()] != "" {
		return
	}
	for i, way := range l.free {
		if fits(way, c) {
			l.ways[c.GetCaseId()] = way
			l.free = slices.Delete(l.free, i, i+1)
			return
		}
	}
	way := ways[(uint64(len(l.ways))+seed)%uint64(len(ways))]
	if !fits(way, c) {
		way = wayNotEstablished
	}
	l.ways[c.GetCaseId()] = way
}

// fits says whether a case may go a way: only some acts are punished by every agency that may have such a case, and what is
// to be withdrawn must have been listed and published before.
func fits(way string, c *enforcementv1.Case) bool {
	party := c.GetParty()
	switch {
	case c.GetAct() != actMarketing:
		return way == wayNotEstablished || way == wayTransferred
	case party.GetPerson():
		return personal[way] || way == wayNotEstablished
	case way == wayLicensee:
		return party.GetCreditCode() != "" && party.GetCreditCode() == licensee(c.GetAgencyId()).GetCreditCode()
	}
	return !personal[way]
}

// view reads a case as its agency sees it.
func (d *driver) view(ctx context.Context, c *enforcementv1.Case) error {
	desk, err := d.desk("CASEWORKER@" + c.GetAgencyId())
	if err != nil {
		return err
	}
	service := enforcementv1.NewEnforcementServiceClient(desk)
	r, err := service.GetCase(ctx, &enforcementv1.GetCaseRequest{CaseId: c.GetCaseId()})
	if err != nil {
		return fmt.Errorf("case: %w", err)
	}
	v := &caseView{GetCaseResponse: r, way: d.cases.ways[c.GetCaseId()], read: time.Now(), signed: d.cases.signed[c.GetCaseId()]}
	if old := d.cases.byCase[c.GetCaseId()]; old != nil && old.GetCase().GetAgencyId() == c.GetAgencyId() &&
		old.GetCase().GetParty().GetPerson() == r.GetCase().GetParty().GetPerson() {
		v.suggested = old.suggested
	}
	if v.way == wayLicensee && c.GetState() == stateClosed {
		if v.listing, err = listingOf(ctx, desk, r.GetCase()); err != nil {
			return err
		}
	}
	if v.suggested == nil {
		s, err := service.SuggestPenalties(ctx, &enforcementv1.SuggestPenaltiesRequest{CaseId: c.GetCaseId(), Profile: "rehearsal", Mitigated: true})
		if err == nil {
			v.suggested = s.GetSuggestions()
		}
	}
	d.cases.byCase[c.GetCaseId()] = v
	return v.lookAtSuspects(ctx, service)
}

// lookAtSuspects looks, before the notice, at the cases that may be of the same act (行政处罚法 29).
func (v *caseView) lookAtSuspects(ctx context.Context, service enforcementv1.EnforcementServiceClient) error {
	if v.GetCase().GetState() != stateInvestigating {
		return nil
	}
	r, err := service.ListSameActs(ctx, &enforcementv1.ListSameActsRequest{CaseId: v.id()})
	if err != nil {
		return fmt.Errorf("same acts: %w", err)
	}
	for _, s := range r.GetSuspected() {
		v.suspects = append(v.suspects, s.GetOtherCaseId())
	}
	return nil
}

// caseTask decides a step of a case, or returns nil while its way has something else to come first.
func (d *driver) caseTask(t *assignmentv1.Task, refusals int) *caseworkRequest {
	v := d.cases.byCase[t.GetSubjectId()]
	if v == nil {
		v = &caseView{GetCaseResponse: &enforcementv1.GetCaseResponse{}, way: wayStraight}
	}
	return d.people.decideCase(t, v, refusals)
}

// requestFor is the request ID of an act of the robots about a case.
func (p people) requestFor(v *caseView, act string) string { return p.request(v.id(), act) }
