package workflows

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "quietline/proto/quietline/casework/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
)

// testRealListing brings a proposed entry through its notice, where the party speaks, to its end.
func testRealListing(t *testing.T, x *town, n int, answer reply, name string) {
	subject := id(n)
	x.w.lists = lists{entry: anEntry(), licences: map[string]string{"91440000000000000X": "B2-1"}}
	x.w.lists.entry.ListingId = subject
	x.begin("listing", subject)
	replies := map[string]reply{"listing_objection": answer}
	x.until(subject, replies, func() bool {
		x.w.mu.Lock()
		defer x.w.mu.Unlock()
		return x.w.lists.entry.GetState() == "NOTIFIED"
	})
	x.w.objectToListing(802)
	if _, err := x.server.NudgeSubject(t.Context(), &caseworkv1.NudgeSubjectRequest{Kind: "listing", Id: subject}); err != nil {
		t.Fatal(err)
	}
	x.until(subject, replies, x.over(listingID(subject)))
	if got, want := x.w.lists.entry.GetState(), map[string]string{upheld: "WITHDRAWN", dismissed: "LISTED"}[answer.outcome]; got != want {
		t.Errorf("the entry is %s, want %s", got, want)
	}
	x.events(listingID(subject))
	x.keep(name, listingID(subject))
}

// testRealLifting is the second run of an entry: it was withdrawn while others still punish on it.
func testRealLifting(t *testing.T, x *town) {
	subject := id(624)
	x.w.lists = lists{entry: anEntry(), measures: []*creditv1.JointMeasure{
		{MeasureId: id(740), AgencyId: "samr-44"}, {MeasureId: id(741), AgencyId: "nfra-44"},
	}}
	x.w.lists.entry.ListingId, x.w.lists.entry.State = subject, "WITHDRAWN"
	x.begin("listing", subject)
	x.until(subject, map[string]reply{"lift_measure": {outcome: lifted}}, x.over(listingID(subject)))
	for _, want := range []string{"lifted:" + id(740), "lifted:" + id(741)} {
		if !slices.Contains(x.w.lists.states, want) {
			t.Errorf("%v, want %s", x.w.lists.states, want)
		}
	}
	x.events(listingID(subject))
	x.keep("listing-lifted", listingID(subject))
}

// testRealRepair decides an application; what is granted is lifted by those who punish.
func testRealRepair(t *testing.T, x *town, n int, answer reply, name string) {
	subject := id(n)
	x.w.lists = lists{
		entry:    anEntry(),
		repair:   &creditv1.Repair{RepairId: subject, ListingId: id(720), State: "FILED", AgencyId: "ca-44", ApplyTime: timestamppb.Now()},
		measures: []*creditv1.JointMeasure{{MeasureId: id(740), AgencyId: "samr-44"}},
	}
	x.begin("repair", subject)
	x.until(subject, map[string]reply{"repair_review": answer}, x.over(repairID(subject)))
	if got, want := x.w.lists.repair.GetState(), map[string]string{granted: "GRANTED", refused: "REFUSED"}[answer.outcome]; got != want {
		t.Errorf("the application is %s, want %s", got, want)
	}
	x.events(repairID(subject))
	x.keep(name, repairID(subject))
}

// testRealLists are proposed entries and applications on a real Temporal.
func testRealLists(t *testing.T, g *realTemporal) {
	words := func(outcome string) reply {
		return reply{outcome: outcome, reason: "facts_stand", detail: answeredInWords}
	}
	t.Run("listed", func(t *testing.T) { testRealListing(t, g.town(t), 620, words(dismissed), "listing-listed") })
	t.Run("granted", func(t *testing.T) { testRealRepair(t, g.town(t), 621, words(granted), "repair-granted") })
	t.Run("lifted", func(t *testing.T) { testRealLifting(t, g.town(t)) })
	if *record {
		t.Run("withdrawn", func(t *testing.T) { testRealListing(t, g.town(t), 622, words(upheld), "listing-withdrawn") })
		t.Run("refused", func(t *testing.T) { testRealRepair(t, g.town(t), 623, words(refused), "repair-refused") })
	}
}
