package enforcement

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// One act, one fine: over links of links, until unlinked; confiscation or a warning by another authority passes.
func TestLawful_secondFine(t *testing.T) {
	c := newCourt(t)
	a := c.open(t, "samr-44", marketing, nil)
	b := c.open(t, "ca-44", "calls_after_refusal", nil)
	d := c.open(t, "nfra-44", "personal_info_misuse", nil)
	c.settle(t, a, lightFine(20_000))
	if err := c.lawful(t, d, "statutory", lightFine(20_000)); err != nil {
		t.Fatalf("not linked: %v", err)
	}
	link := func(agency, x, y string) error {
		_, err := c.worker(agency).LinkActs(t.Context(), &enforcementv1.LinkActsRequest{RequestId: uuid.NewString(), CaseId: x, OtherCaseId: y, Reason: "同一批呼叫"})
		return err
	}
	wantReason(t, link("mct-44", a, b), commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	if err := link("ca-44", b, a); err != nil {
		t.Fatal(err)
	}
	if err := link("nfra-44", d, b); err != nil {
		t.Fatal(err)
	}
	wantText(t, c.lawful(t, d, "statutory", lightFine(20_000)), "one act is not fined twice (行政处罚法 第二十九条)")
	for _, kind := range []string{"warning", "confiscation"} {
		p := &assignmentv1.CaseProposal{Gains: &commonv1.Money{Fen: 500_000}, Penalties: []*assignmentv1.PenaltyDetail{lawDetail("consumer_56", kind, 0)}}
		if kind == "confiscation" {
			p.Penalties[0].Amount = p.GetGains()
		}
		if err := c.lawful(t, d, "statutory", p); err != nil {
			t.Errorf("%s by another authority: %v", kind, err)
		}
	}
	if err := c.lawful(t, a, "statutory", lightFine(20_000)); err != nil {
		t.Errorf("the fined case itself: %v", err)
	}
	_, err := c.worker("ca-44").UnlinkActs(t.Context(), &enforcementv1.UnlinkActsRequest{RequestId: uuid.NewString(), CaseId: b, OtherCaseId: a, Reason: "号码不同", Different: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.lawful(t, d, "statutory", lightFine(20_000)); err != nil {
		t.Errorf("unlinked: %v", err)
	}
	got, err := c.worker("ca-44").ListSameActs(t.Context(), &enforcementv1.ListSameActsRequest{CaseId: b})
	if err != nil || len(got.GetHistory()) != 3 || got.GetHistory()[0].GetVerdict() != differentActs || len(got.GetFinedCaseIds()) != 0 {
		t.Errorf("history: %v, %v", got, err)
	}
	if _, err := c.worker("mct-44").ListSameActs(t.Context(), &enforcementv1.ListSameActsRequest{CaseId: b}); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_NOT_FOUND {
		t.Errorf("another agency reads the links: %v", err)
	}
}

// A suspicion is shown with what is shared, and ends when an officer has judged it or looked at it.
func TestSuspectedActs(t *testing.T) {
	c := newCourt(t)
	complaint := uuid.NewString()
	a := c.open(t, "samr-44", marketing, func(r *enforcementv1.OpenCaseRequest) { r.ComplaintId, r.Numbers = complaint, []string{"95500"} })
	b := c.open(t, "ca-44", "calls_after_refusal", func(r *enforcementv1.OpenCaseRequest) { r.ComplaintId, r.Numbers = complaint, []string{"95500"} })
	later := c.open(t, "ca-44", "malicious_calls", func(r *enforcementv1.OpenCaseRequest) {
		r.ActBeginTime, r.ActEndTime = timestamppb.New(lawDay("2026-11-01")), timestamppb.New(lawDay("2026-11-02"))
	})
	c.open(t, "ca-44", marketing, func(r *enforcementv1.OpenCaseRequest) {
		r.ComplaintId, r.Party = complaint, &enforcementv1.Party{Role: "advertiser", Name: "乙公司", CreditCode: "91110000000000000B"}
	})
	got, err := c.worker("samr-44").ListSameActs(t.Context(), &enforcementv1.ListSameActsRequest{CaseId: a})
	if err != nil || len(got.GetSuspected()) != 1 || got.GetSuspected()[0].GetOtherCaseId() != b ||
		!slices.Equal(got.GetSuspected()[0].GetShared(), []string{"complaint", "number", "time"}) {
		t.Fatalf("suspected: %v, %v", got, err)
	}
	q := store.New(c.s.db)
	if ids, err := c.s.suspectedActs(t.Context(), q, later); err != nil || len(ids) != 0 {
		t.Errorf("an act of another time: %v, %v", ids, err)
	}
	if err := c.s.acknowledgeActs(t.Context(), q, a, []string{b, later}, "officer", c.s.now()); err != nil {
		t.Fatal(err)
	}
	if ids, err := c.s.suspectedActs(t.Context(), q, a); err != nil || len(ids) != 0 {
		t.Errorf("looked at: %v, %v", ids, err)
	}
}

// Two linked cases decided at the same moment: one of them is fined.
func TestLawful_secondFineAtOnce(t *testing.T) {
	c := newCourt(t)
	for range 5 {
		var ids []string
		code := "9111" + strings.ToUpper(strings.ReplaceAll(uuid.NewString(), "-", ""))[:14]
		for _, act := range []string{marketing, "calls_after_refusal"} {
			ids = append(ids, c.open(t, "samr-44", act, func(r *enforcementv1.OpenCaseRequest) { r.Party.CreditCode = code }))
		}
		_, err := c.worker("samr-44").LinkActs(t.Context(), &enforcementv1.LinkActsRequest{RequestId: uuid.NewString(), CaseId: ids[0], OtherCaseId: ids[1], Reason: "同一批呼叫"})
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		var fined atomic.Int32
		for _, id := range ids {
			group.Go(func() {
				err := c.hold(t, id, func(ctx context.Context, q *store.Queries, row store.EnforcementCase) error {
					if err := c.s.lawful(ctx, q, row, lightFine(20_000), "statutory", c.s.now()); err != nil {
						return err
					}
					return c.s.settle(ctx, q, row, lightFine(20_000), "statutory", c.s.now())
				})
				if err == nil {
					fined.Add(1)
				}
			})
		}
		group.Wait()
		if fined.Load() != 1 {
			t.Fatalf("%d fines on one act", fined.Load())
		}
	}
	var broken int
	if err := c.owner.QueryRow(t.Context(), "SELECT count(*) FROM law_violation").Scan(&broken); err != nil || broken != 0 {
		t.Errorf("violations: %d, %v", broken, err)
	}
}

// The audit finds what the rules forbid, should it stand in the tables all the same.
func TestLawViolations(t *testing.T) {
	c := newCourt(t)
	a, b := c.open(t, "ca-44", marketing, nil), c.open(t, "ca-44", "calls_after_refusal", nil)
	for _, id := range []string{a, b} {
		c.settle(t, id, lightFine(20_000))
	}
	_, err := c.owner.Exec(t.Context(), `INSERT INTO act_link (link_id, case_id, other_case_id, verdict, reason, decided_by, agency_id, decided_time)
		VALUES (gen_random_uuid(), LEAST($1::uuid, $2), GREATEST($1::uuid, $2), 'same_act', 'x', 'x', 'x', '2026-01-01')`, a, b)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.owner.Exec(t.Context(), "UPDATE penalty_assessment SET penalty_code = 'draft_2020', agency_id = 'samr-44' WHERE case_id = $1", a)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.as("miit", accessv1.Role_ROLE_AUDITOR).Audit(t.Context(), &enforcementv1.AuditRequest{What: "violations"})
	if err != nil {
		t.Fatal(err)
	}
	found := strings.Join(got.GetViolations(), "\n")
	for _, want := range []string{"a fine on an act that was fined", "penalty by a draft outside a rehearsal: draft_2020", "that the catalogue does not entitle"} {
		if !strings.Contains(found, want) {
			t.Errorf("not found: %s in %s", want, found)
		}
	}
}
