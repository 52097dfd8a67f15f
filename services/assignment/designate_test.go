package assignment

import (
	"testing"

	"pgregory.net/rapid"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

func TestDesignate(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct {
		by, should, party string
		bounces           int32
		want              designation
	}{
		{"nfra-44", "samr-44", "", 1, designation{reassigned, "", "samr-44"}},
		{"nfra-44", "samr", "", 1, designation{reassigned, "", "samr-44"}},
		{"nfra", "samr", "", 1, designation{reassigned, "", "samr"}},
		{"nfra-44", "mps", "", 1, designation{reassigned, "", "mps-44"}},
		{"nfra-44", "spc", "", 1, designation{coordinationOpinion, "miit", ""}},
		{"nfra-44", "nfra-44", "", 1, designation{designated, "nfra", ""}},
		{"nfra-44", "nfra-11", "", 2, designation{designated, "nfra", ""}},
		{"cmcc-44", "cmcc-11", "", 2, designation{designated, "miit", ""}}, // no operator decides who acts
		{"ca-44", "ctcc-44", "", 2, designation{designated, "miit", ""}},
		{"nfra-44", "samr-44", "", 2, designation{coordinationOpinion, "miit", ""}},
		{"nfra-44", "samr-44", "", 3, designation{jointMeeting, "", "miit"}},
		// Who is no authority is never given a matter.
		{"nfra-44", "ctcc-44", "", 1, designation{coordinationOpinion, "miit", ""}},
		{"ca-44", "ctcc", "", 1, designation{designated, "miit", ""}},
		{"ca-44", "mvno-snail", "", 1, designation{designated, "miit", ""}},
		{"nfra-44", "centre-12321", "", 1, designation{coordinationOpinion, "miit", ""}},
		// Nor is the reported party: its provincial administration does, or what is above that.
		{"nfra-44", "cmcc-11", "cmcc-11", 1, designation{reassigned, "", "ca-11"}},
		{"nfra-44", "cmcc-11", "cmcc", 1, designation{reassigned, "", "ca-44"}},
		{"nfra-44", "samr", "samr-44", 1, designation{reassigned, "", "ca-44"}},
		{"nfra-44", "ca-44", "ca-44", 1, designation{reassigned, "", "miit"}},
		{"ca-44", "samr-44", "samr-44", 1, designation{designated, "miit", ""}}, // it bounced what would come back to it
		{"nfra-44", "nfra-11", "nfra", 2, designation{coordinationOpinion, "miit", ""}},
	} {
		got, err := w.workflows(nil).Designate(t.Context(), &assignmentv1.DesignateRequest{
			BouncedBy: tc.by, ShouldAct: tc.should, PartyAgencyId: tc.party, Bounces: tc.bounces,
		})
		if err != nil {
			t.Errorf("%v: %v", tc, err)
			continue
		}
		if d := (designation{got.GetHow(), got.GetDeciderId(), got.GetNextAgencyId()}); d != tc.want {
			t.Errorf("%s bounces to %s (party %q) for the %d. time: %v, want %v", tc.by, tc.should, tc.party, tc.bounces, d, tc.want)
		}
	}
	_, err := w.workflows(nil).Designate(t.Context(), &assignmentv1.DesignateRequest{BouncedBy: "nfra", ShouldAct: "nobody", Bounces: 1})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}

// Whoever bounces to whomever, authorities act and decide, and never the party.
func TestDesignate_alwaysToAnAuthority(t *testing.T) {
	w := newWorld(t)
	v, err := w.server.directory(t.Context(), w.clock())
	if err != nil {
		t.Fatal(err)
	}
	agencies := rapid.SampledFrom(v.d.ids)
	rapid.Check(t, func(t *rapid.T) {
		by, should, party := agencies.Draw(t, "by"), agencies.Draw(t, "should"), agencies.Draw(t, "party")
		d := v.designate(by, should, party, rapid.Int32Range(1, 4).Draw(t, "bounces"))
		if (d.decider == "") == (d.next == "") {
			t.Fatalf("%v: somebody acts or somebody decides", d)
		}
		who := d.decider + d.next
		if !v.competentToLead(who) || who != leadMinistry && v.isParty(who, party) {
			t.Fatalf("%s bounces to %s, party %s: %v", by, should, party, d)
		}
	})
}
