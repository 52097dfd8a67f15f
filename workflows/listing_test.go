package workflows

import (
	"maps"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

func init() {
	maps.Copy(usual, map[string]reply{
		"listing_review": {outcome: approved}, "listing_notify": {outcome: served}, "listing_sign": {outcome: signed},
		"listing_objection": {outcome: dismissed, reason: "facts_stand", detail: answeredInWords},
		"repair_review":     {outcome: granted, reason: "performed", detail: answeredInWords}, "lift_measure": {outcome: lifted},
	})
}

func anEntry() *creditv1.Listing {
	return &creditv1.Listing{
		ListingId: id(720), State: "PROPOSED", AgencyId: "ca-44", List: "bad", Ground: "annual_report_default", CreditCode: "91440000000000000X",
		Licence: "B2-1", DecidedBy: []string{"chen@ca-44"}, PartyName: "某公司",
	}
}

func newListingPlay(t *testing.T) *play {
	p := newPlay(t, listingID(id(720)))
	p.w.matters.now = p.env.Now
	p.w.lists = lists{entry: anEntry(), licences: map[string]string{"91440000000000000X": "B2-1"}}
	return p
}

func (p *play) runListing() {
	p.t.Helper()
	p.env.ExecuteWorkflow(Listing, &caseworkv1.ListingInput{ListingId: id(720), Profile: Statutory})
	p.ended()
}

func (p *play) listStates() string { return strings.Join(p.w.lists.states, " ") }

func TestListing_heardAndSignedByThree(t *testing.T) {
	p := newListingPlay(t)
	began := p.env.Now()
	p.runListing()
	p.want("tasks", p.tasks(), "listing_review@ca-44 listing_notify@ca-44 listing_sign@ca-44")
	p.want("states", p.listStates(), "NOTIFIED LISTED")
	p.want("people", strings.Join(p.w.lists.entry.GetDecidedBy(), " "), "chen@ca-44 person of listing_review@ca-44 person of listing_sign@ca-44")
	if took := p.env.Now().Sub(began); took < 5*24*time.Hour {
		t.Errorf("signed after %v: the party had no time to speak", took)
	}
}

func TestListing_noLicence(t *testing.T) {
	p := newListingPlay(t)
	p.w.lists.licences = nil
	p.runListing()
	p.want("tasks", p.tasks(), "")
	p.want("states", p.listStates(), "WITHDRAWN")
}

func TestListing_sentBack(t *testing.T) {
	for step, want := range map[string]string{"listing_review": "WITHDRAWN", "listing_sign": "NOTIFIED WITHDRAWN"} {
		p := newListingPlay(t)
		p.replies[step] = []reply{{outcome: returned, refused: "INVALID_FIELD"}, {outcome: returned, reason: "facts"}}
		p.runListing()
		p.want("states", p.listStates(), want)
	}
}

func TestListing_threePeople(t *testing.T) {
	p := newListingPlay(t)
	p.replies = map[string][]reply{
		"listing_review": {{outcome: approved, by: "chen", refused: "SAME_PERSON"}, {outcome: approved, by: "li"}},
		"listing_sign":   {{outcome: signed, by: "chen", refused: "SAME_PERSON"}, {outcome: signed, by: "li", refused: "SAME_PERSON"}, {outcome: signed, by: "zhao"}},
	}
	p.runListing()
	p.want("states", p.listStates(), "NOTIFIED LISTED")
}

func TestListing_objection(t *testing.T) {
	for outcome, want := range map[string]string{upheld: "NOTIFIED WITHDRAWN", dismissed: "NOTIFIED LISTED"} {
		p := newListingPlay(t)
		p.replies["listing_objection"] = []reply{{outcome: outcome, refused: "INVALID_FIELD"}, {outcome: outcome, reason: "x", detail: answeredInWords}}
		p.env.RegisterDelayedCallback(func() {
			p.w.objectToListing(730)
			p.env.SignalWorkflow(signalNudge, nil)
		}, 2*24*time.Hour)
		p.runListing()
		p.want("states", p.listStates(), want)
	}
}

func TestListing_objectionWhoseSignalIsLost(t *testing.T) {
	p := newListingPlay(t)
	p.env.RegisterDelayedCallback(func() { p.w.objectToListing(730) }, 2*24*time.Hour)
	p.runListing()
	p.want("tasks", p.tasks(), "listing_review@ca-44 listing_notify@ca-44 listing_objection@ca-44 listing_sign@ca-44")
}

func newRepairPlay(t *testing.T) *play {
	p := newPlay(t, repairID(id(721)))
	entry := anEntry()
	entry.State, entry.PublicationId = "REPAIR_REQUESTED", id(700)
	p.w.lists = lists{
		entry: entry,
		repair: &creditv1.Repair{RepairId: id(721), ListingId: id(720), State: "FILED", AgencyId: "ca-44", ApplyTime: timestamppb.New(p.env.Now()),
			Excluded: []string{"chen@ca-44", "li@ca-44", "zhao@ca-44"}},
		measures: []*creditv1.JointMeasure{{MeasureId: id(740), AgencyId: "samr-44"}, {MeasureId: id(741), AgencyId: "nfra-44"}},
	}
	return p
}

func (p *play) runRepair() {
	p.t.Helper()
	p.env.ExecuteWorkflow(Repair, &caseworkv1.RepairInput{RepairId: id(721), Profile: Statutory})
	p.ended()
}

func TestRepair_grantedByAnotherPerson(t *testing.T) {
	p := newRepairPlay(t)
	p.replies["repair_review"] = []reply{
		{outcome: granted, reason: "x", detail: answeredInWords, by: "zhao", refused: "SAME_PERSON"},
		{outcome: granted, reason: "x", detail: answeredInWords, by: "sun"},
	}
	p.runRepair()
	p.want("tasks", p.tasks(), "repair_review@ca-44 lift_measure@samr-44 lift_measure@nfra-44")
	p.want("unpublished", strings.Join(p.w.matters.withdrawn, " "), "listing:"+id(720)+":repaired")
	for _, want := range []string{"REVIEWING", "GRANTED", "lifted:" + id(740), "lifted:" + id(741)} {
		if !strings.Contains(p.listStates(), want) {
			t.Errorf("%s: not %s", p.listStates(), want)
		}
	}
}

// The penalty behind the entry goes from the register in the same step, or the entry says why not and until when.
func TestRepair_takesThePenaltyToo(t *testing.T) {
	for _, c := range []struct {
		forbidden bool
		public    string
	}{{false, ""}, {true, ""}, {true, "TAKEN_DOWN"}} {
		p := newRepairPlay(t)
		p.w.lists.entry.CaseId, p.w.lists.forbidden, p.w.lists.publicIs = id(40), c.forbidden, c.public
		p.w.published = append(p.w.published, &disclosurev1.PublishRequest{Publication: &disclosurev1.Publication{Kind: kindPenalty, CaseId: id(40)}})
		p.replies["repair_review"] = []reply{{outcome: granted, reason: "x", detail: answeredInWords, by: "sun"}}
		p.runRepair()
		want, public := "penalty withdrawn=true", "listing:"+id(720)+":repaired penalty:"+id(40)+":repaired"
		if c.forbidden {
			want, public = "penalty withdrawn=falsenever early", "listing:"+id(720)+":repaired"
		}
		if c.public != "" { // it came down by itself: nobody tries again
			want = "penalty withdrawn=true"
		}
		p.want("unpublished", strings.Join(p.w.matters.withdrawn, " "), public)
		if !strings.Contains(p.listStates(), want) {
			t.Errorf("%s: not %s", p.listStates(), want)
		}
	}
}

// An entry that ends by time or is withdrawn gives everybody who punishes a task to lift.
func TestListing_endedHasItsMeasuresLifted(t *testing.T) {
	for _, state := range []string{"EXPIRED", "WITHDRAWN"} {
		p := newListingPlay(t)
		p.w.lists.entry.State = state
		p.w.lists.measures = []*creditv1.JointMeasure{{MeasureId: id(740), AgencyId: "samr-44"}, {MeasureId: id(741), AgencyId: "nfra-44"}}
		p.runListing()
		p.want("tasks", p.tasks(), "lift_measure@samr-44 lift_measure@nfra-44")
		for _, want := range []string{"lifted:" + id(740), "lifted:" + id(741)} {
			if !strings.Contains(p.listStates(), want) {
				t.Errorf("%s: not %s", p.listStates(), want)
			}
		}
	}
}

func TestRepair_refused(t *testing.T) {
	p := newRepairPlay(t)
	p.replies["repair_review"] = []reply{{outcome: refused, reason: "unperformed", detail: answeredInWords}}
	p.runRepair()
	p.want("tasks", p.tasks(), "repair_review@ca-44")
	p.want("states", p.listStates(), "REVIEWING REFUSED")
}

func TestRepair_theEntryEndsMeanwhile(t *testing.T) {
	p := newRepairPlay(t)
	p.silent["repair_review"] = true
	p.env.RegisterDelayedCallback(func() {
		p.w.mu.Lock()
		p.w.lists.repair.State = "MOOT"
		p.w.mu.Unlock()
		p.env.SignalWorkflow(signalNudge, nil)
	}, time.Hour)
	p.runRepair()
	p.want("states", p.listStates(), "REVIEWING")
	if s := p.w.tasks[0].GetState(); s != "CANCELLED" {
		t.Errorf("the task is %s", s)
	}
}

// caseOf is a decided case against a firm.
func caseOf(agency, code string, penalties ...*assignmentv1.PenaltyDetail) *enforcementv1.Case {
	return &enforcementv1.Case{
		CaseId: id(501), CaseNo: "1", AgencyId: agency, Party: &enforcementv1.Party{Name: "某公司", CreditCode: code}, Penalties: penalties,
		Decision: &enforcementv1.CaseDecision{DecidedTime: timestamppb.Now(), ProposedBy: "a@x", ReviewedBy: "b@x", SignedBy: "c@x"},
	}
}

func TestListFor(t *testing.T) {
	fine := &assignmentv1.PenaltyDetail{Kind: "fine", Amount: &commonv1.Money{Fen: 100}}
	licensed, other := "91440000000000000X", "91110000000000001A"
	person := caseOf("ca-44", "")
	person.Party.Person = true
	for name, c := range map[string]struct {
		of       *enforcementv1.Case
		ground   string
		want     string
		listed   int
		recorded int
	}{
		"a licensee punished by its authority":         {caseOf("ca-44", licensed, fine), "", resultListed, 1, 0},
		"a licensee punished as an advertiser by samr": {caseOf("samr-44", licensed, fine), "", resultRecorded, 0, 1},
		"an advertiser":                      {caseOf("samr-44", other, fine), "", resultRecorded, 0, 1},
		"no licence, by the authority":       {caseOf("ca-44", other, fine), "", resultRecorded, 0, 1},
		"a person":                           {person, "", resultPerson, 0, 0},
		"nothing was imposed":                {caseOf("ca-44", licensed), "", resultNoFine, 0, 0},
		"a licensee that does not perform":   {caseOf("ca-44", licensed, fine), groundOverdue, resultListed, 1, 0},
		"an advertiser that does not either": {caseOf("samr-44", other, fine), groundOverdue, resultRecorded, 0, 0},
	} {
		w := newWorld()
		w.lists.licences = map[string]string{licensed: "B2-1"}
		a := newActivities(w.owners(), fakeRuns{w}, newStarts(1000))
		for range 2 { // twice is once
			got, err := a.listFor(t.Context(), c.of, c.ground)
			if err != nil || got.result != c.want {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
		if len(w.listed) != c.listed || len(w.lists.recorded) != c.recorded {
			t.Errorf("%s: %v, %v", name, w.listed, w.lists.recorded)
		}
		if c.ground != "" && c.listed > 0 && w.listed[0].GetList() != "dishonest" {
			t.Errorf("%s: %v", name, w.listed)
		}
	}
}

// A later end of the party's term, settled while its workflow waits, is waited for, whether or not the workflow is told.
func TestListing_termSettledMeanwhile(t *testing.T) {
	for _, told := range []bool{true, false} {
		p := newListingPlay(t)
		began := p.env.Now()
		p.env.RegisterDelayedCallback(func() {
			p.w.mu.Lock()
			p.w.lists.entry.ObjectionUntil = timestamppb.New(began.Add(20 * 24 * time.Hour))
			p.w.mu.Unlock()
			if told {
				p.env.SignalWorkflow(signalNudge, nil)
			}
		}, 2*24*time.Hour)
		p.runListing()
		p.want("states", p.listStates(), "NOTIFIED LISTED")
		if took := p.env.Now().Sub(began); took < 20*24*time.Hour {
			t.Errorf("told %v: signed after %v", told, took)
		}
	}
}

// A publication that cannot be ended keeps no other from its end.
func TestPublishLists_oneFails(t *testing.T) {
	w := newWorld()
	bad, over := anEntry(), anEntry()
	bad.ListingId, bad.State, bad.CaseId, bad.EndTime, bad.PublicationId = id(723), "REMOVED", id(41), timestamppb.Now(), id(701)
	over.State, over.EndTime, over.PublicationId, over.ListingId = "WITHDRAWN", timestamppb.Now(), id(700), id(722)
	w.lists.work, w.lists.forbidden = []*creditv1.Listing{bad, over}, true // the penalty of the first is nowhere to be found
	err := newActivities(w.owners(), fakeRuns{w}, newStarts(1000)).publishLists(t.Context())
	if err == nil || !strings.Contains(err.Error(), id(723)) || !strings.Contains(strings.Join(w.matters.withdrawn, " "), id(722)) {
		t.Errorf("%v; withdrawn %v", err, w.matters.withdrawn)
	}
}

func TestPublishLists(t *testing.T) {
	w := newWorld()
	w.publishes = true
	due, over := anEntry(), anEntry()
	due.State, due.DecidedTime = "LISTED", timestamppb.Now()
	over.State, over.EndTime, over.PublicationId, over.ListingId = "WITHDRAWN", timestamppb.Now(), id(700), id(722)
	w.lists.work = []*creditv1.Listing{due, over}
	a := newActivities(w.owners(), fakeRuns{w}, newStarts(1000))
	if err := a.endLists(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.lists.expired != 2 {
		t.Errorf("asked %d times, want until there is no more", w.lists.expired)
	}
	if got := strings.Join(w.matters.withdrawn, " "); got != "listing:"+id(722)+":revoked" {
		t.Errorf("withdrawn: %s", got)
	}
	if len(w.published) != 1 || w.published[0].GetPublication().GetCaseId() != id(720) ||
		!strings.Contains(w.published[0].GetPublication().GetSummary(), "许可证编号:B2-1") {
		t.Errorf("published: %v", w.published)
	}
	if got := strings.Join(w.lists.public, ", "); !strings.Contains(got, "withdrawn=true") || !strings.Contains(got, id(700)+" withdrawn=false") {
		t.Errorf("recorded: %s", got)
	}
}
