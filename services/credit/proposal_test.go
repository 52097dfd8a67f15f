package credit

import (
	"testing"

	"github.com/google/uuid"

	"quietline/internal/pg"
	"quietline/internal/testkit"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
)

const (
	policyRefuses = commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES
	wrongStateOf  = commonv1.ErrorReason_ERROR_REASON_WRONG_STATE
	samePerson    = commonv1.ErrorReason_ERROR_REASON_SAME_PERSON
	otherAgency   = commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY
	notFound      = commonv1.ErrorReason_ERROR_REASON_NOT_FOUND
)

func TestProposal_heardThenSignedByThree(t *testing.T) {
	w := newWorld(t)
	l, err := w.propose(t, "chen", "ca-11", firm)
	if err != nil || l.GetState() != proposed || l.GetSeverity() != "minor" {
		t.Fatalf("%v, %v", l, err)
	}
	id := l.GetListingId()
	if again, err := w.propose(t, "zhou", "ca-11", firm); err != nil || again.GetListingId() != id {
		t.Errorf("proposed twice: %v, %v", again, err)
	}
	wantReason(t, w.sign(t, id, "li@ca-11", "zhao@ca-11"), wrongStateOf) // unheard
	if _, err := w.operator.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: id}); err == nil {
		t.Error("another agency reads a proposal")
	}
	mine := w.as("boss", "", firm, party)
	if _, err := mine.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: id}); err == nil {
		t.Error("the party reads what it was not notified of")
	}
	if err := w.notify(t, id); err != nil {
		t.Fatal(err)
	}
	wantReason(t, w.sign(t, id, "li@ca-11", "zhao@ca-11"), wrongStateOf) // its term runs
	w.set(at("2026-05-06 11:00"))
	wantReason(t, w.sign(t, id, "chen@ca-11", "zhao@ca-11"), samePerson)
	wantReason(t, w.sign(t, id, "li@ca-11", "li@ca-11"), samePerson)
	wantReason(t, w.sign(t, id, "li@ca-11", "chen@ca-31"), samePerson) // who changed to another agency
	if err := w.sign(t, id, "li@ca-11", "zhao@ca-11"); err != nil {
		t.Fatal(err)
	}
	got, err := w.head.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: id})
	if err != nil || got.GetListing().GetState() != listed || len(got.GetListing().GetDecidedBy()) != 3 ||
		got.GetListing().GetStatement() != "逾期未报送年报" || !got.GetListing().GetLatestEnd().AsTime().Equal(at("2026-08-06 00:00")) {
		t.Errorf("%v, %v", got, err)
	}
	if v := w.violations(t); len(v) != 0 {
		t.Error(v)
	}
}

func TestProposal_whoMayAndForWhat(t *testing.T) {
	w := newWorld(t)
	_, err := w.propose(t, "chen", "samr-11", firm)
	wantReason(t, err, policyRefuses)
	_, err = w.as("chen", "ca-11", "", worker).ProposeListing(t.Context(), &creditv1.ProposeListingRequest{
		RequestId: uuid.NewString(), List: "bad", Ground: "supervision_penalty", PartyName: "甲公司", CreditCode: firm, Licence: "x",
		GroundTime: stamp(w.clock.Load()), Statement: "x",
	})
	wantReason(t, err, policyRefuses) // it rests on a case
}

func TestProposal_objection(t *testing.T) {
	for upheld, want := range map[bool]string{true: withdrawn, false: notified} {
		w := newWorld(t)
		l, err := w.propose(t, "chen", "ca-11", firm)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.notify(t, l.GetListingId()); err != nil {
			t.Fatal(err)
		}
		say := func(code string) (*creditv1.ListingObjection, error) {
			resp, err := w.as("boss", "", code, party).ObjectToListing(t.Context(), &creditv1.ObjectToListingRequest{
				RequestId: uuid.NewString(), ListingId: l.GetListingId(), Text: "年报已报送",
			})
			return resp.GetObjection(), err
		}
		_, err = say("91110000000000000B")
		wantReason(t, err, notFound)
		o, err := say(firm)
		if err != nil || o.GetText() != "年报已报送" {
			t.Fatalf("%v, %v", o, err)
		}
		w.set(at("2026-05-06 11:00"))
		wantReason(t, w.sign(t, l.GetListingId(), "li@ca-11", "zhao@ca-11"), wrongStateOf) // it is open
		answer, err := w.flows.AnswerListingObjection(t.Context(), &creditv1.AnswerListingObjectionRequest{
			RequestId: uuid.NewString(), ObjectionId: o.GetObjectionId(), Upheld: upheld, TaskId: uuid.NewString(), ReasonCode: "x", Reply: "已核实",
			DecidedBy: "sun@ca-11",
		})
		if err != nil || answer.GetState() != want {
			t.Errorf("%v, %v", answer, err)
		}
		if got := w.changes(t, ""); len(got) != 0 {
			t.Errorf("who was never listed concerns nobody: %v", got)
		}
	}
}

// TestGuards tries what the service itself would never ask, with its own rights and with the owner's.
func TestGuards(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.propose(t, "chen", "ca-11", firm)
	if err != nil {
		t.Fatal(err)
	}
	owner := testkit.Owner(t, w.db)
	for name, c := range map[string]struct{ sql, constraint string }{
		"for ever":              {"UPDATE listing SET latest_end = 'infinity', statutory_latest = 'infinity' WHERE listing_id = $1", "listing_guard_frozen"},
		"listed unheard":        {"UPDATE listing SET state = 'LISTED' WHERE case_id IS NULL AND $1 <> ''", "listing_guard_notice"},
		"expired too early":     {"UPDATE listing SET state = 'EXPIRED', end_time = now() WHERE listing_id = $1", "listing_guard_early"},
		"removed without right": {"UPDATE listing SET state = 'REMOVED', end_time = now() WHERE listing_id = $1", "listing_guard_edge"},
		"withdrawn without why": {"UPDATE listing SET state = 'WITHDRAWN', state_reason = '', end_time = now() WHERE listing_id = $1", "listing_guard_reasoned"},
		"back to the proposal":  {"UPDATE listing SET state = 'PROPOSED' WHERE listing_id = $1", "listing_guard_edge"},
		"severity":              {"UPDATE listing SET severity = 'serious' WHERE listing_id = $1", "listing_guard_frozen"},
	} {
		if _, err := owner.Exec(t.Context(), c.sql, l.GetListingId()); pg.Constraint(err) != c.constraint {
			t.Errorf("%s: %v", name, err)
		}
	}
	// even with its guards away, no row can hold what the law forbids
	if _, err := owner.Exec(t.Context(), "ALTER TABLE listing DISABLE TRIGGER USER"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ sql, constraint string }{
		"for ever":   {"UPDATE listing SET latest_end = 'infinity' WHERE listing_id = $1", "listing_ends_bounded"},
		"ten years":  {"UPDATE listing SET latest_end = decided_time + interval '10 years' WHERE listing_id = $1", "listing_ends_bounded"},
		"no licence": {"UPDATE listing SET licence = '' WHERE listing_id = $1", "listing_licensed"},
		"one person": {"UPDATE listing SET case_id = NULL WHERE listing_id = $1", "listing_three_people"},
		"no end":     {"UPDATE listing SET latest_end = NULL WHERE listing_id = $1", "listing_whole"},
	} {
		if _, err := owner.Exec(t.Context(), c.sql, l.GetListingId()); pg.Constraint(err) != c.constraint {
			t.Errorf("%s: %v", name, err)
		}
	}
	_ = p
}
