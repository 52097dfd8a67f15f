package workflows

import "testing"

// testRealPublications are proposals on a real Temporal.
func testRealPublications(t *testing.T, g *realTemporal) {
	t.Run("released", func(t *testing.T) {
		testRealPublication(t, g.town(t), 630, usual["publication_sign"], "publication-released")
	})
	if *record {
		t.Run("returned", func(t *testing.T) {
			testRealPublication(t, g.town(t), 631, reply{outcome: returned, reason: "facts"}, "publication-returned")
		})
	}
}

func testRealPublication(t *testing.T, x *town, n int, signs reply, name string) {
	subject := id(n)
	x.w.exposed = exposed{proposal: aProposal(), proven: provenWarning(0)}
	x.w.exposed.proposal.ProposalId = subject
	if _, err := x.mesh.StartPublication(t.Context(), subject); err != nil {
		t.Fatal(err)
	}
	x.until(subject, map[string]reply{"publication_sign": signs}, x.over(publicationID(subject)))
	if got, want := x.w.exposed.proposal.GetState(), map[string]string{signed: "PUBLISHED", returned: "RETURNED"}[signs.outcome]; got != want {
		t.Errorf("the proposal is %s, want %s", got, want)
	}
	x.events(publicationID(subject))
	x.keep(name, publicationID(subject))
}
