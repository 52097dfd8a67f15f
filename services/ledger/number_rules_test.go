package ledger

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/testkit"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ scheme, first, last, want string }{
		{"", "0571-88880003", "", "national 057188880003"},
		{National, "057188880003", "", "national 057188880003"},
		{"0571", "88880003", "", "national 057188880003"},
		{"0571", "057188880003", "", "national 057188880003"},
		{"0571", "0571-88880003", "88880009", "national 057188880003-057188880009"},
		{"", "0571-88880003", "88880009", "national 057188880003-057188880009"},
		{"", "0571-88880003", "0571-88880009", "national 057188880003-057188880009"},
		{"", "95588", "", "national 95588"},
		{National, "4008000000", "4008000999", "national 4008000000-4008000999"},
		{National, "138-0000-0000", "", "national 13800000000"},
		{National, "095588", "", "national 095588"}, // forged, not the bank's
		{"53", "96533", "", "53 96533"},
		{"0871", "96533", "", "53 96533"},
		{"", "0871-96533", "", "53 96533"},
		{"53", "087196533", "", "53 96533"},
		{"021", "96123", "", "31 96123"},
	} {
		n, err := canonical(c.scheme, c.first, c.last)
		got := n.scheme + " " + n.first()
		if n.to != n.from {
			got += "-" + n.last()
		}
		if err != nil || got != c.want {
			t.Errorf("%q %s %s: %s (%v), want %s", c.scheme, c.first, c.last, got, err, c.want)
		}
		again, err := canonical(n.scheme, n.first(), n.last())
		if err != nil || again != n {
			t.Errorf("%+v again: %+v (%v)", n, again, err)
		}
	}
	for _, c := range [][3]string{
		{"0571", "95588", ""}, {"xx", "95588", ""}, {"0571", "4008000000", ""}, {"0571", "075588880003", ""}, {"0571", "075596123", ""},
		{National, "88880003", ""}, {"", "88880003", ""}, {"33", "88880003", ""}, {"0999x", "88880003", ""}, {"", "96533", ""},
		{National, "96533", ""}, {"99", "96533", ""}, {"44", "087196533", ""}, {"0571", "13800000000", ""},
		{"", "95999", "96001"}, {"", "057188880003", "075588880009"}, {"53", "95999", "96001"},
	} {
		if n, err := canonical(c[0], c[1], c[2]); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
			t.Errorf("%v: %+v, %v", c, n, err)
		}
	}
}

// TestOneNumberOneHolder: no spelling of its scheme gives a number away twice, or past the rules of its kind.
func TestOneNumberOneHolder(t *testing.T) {
	w := newWorld(t)
	h := w.holder(t, "甲", "").GetHolderId()
	give := func(scheme, number string) error {
		_, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
			r.HolderId, r.Scheme, r.FirstNumber, r.AccessProvince, r.AccessOperatorId = h, scheme, number, "33", "cmcc-33"
		})
		return err
	}
	for _, scheme := range []string{National, "0571", "xx", ""} {
		if err := give(scheme, "95202101"); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES && errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
			t.Errorf("an unlicensed code under %q: %v", scheme, err)
		}
	}
	for i, as := range [][2]string{{"0571", "88880003"}, {National, "057188880003"}, {"", "0571-88880003"}, {"0571", "057188880003"}} {
		err := give(as[0], as[1])
		if i == 0 && err != nil || i > 0 && errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_ALLOCATION_OVERLAPS {
			t.Errorf("%v: %v", as, err)
		}
		held, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Scheme: as[0], Number: strings.ReplaceAll(as[1], "-", "")})
		if err != nil || held.GetResource().GetFirstNumber() != "057188880003" || held.GetResource().GetScheme() != National {
			t.Errorf("%v: %v, %v", as, held.GetResource(), err)
		}
	}
	served, err := w.worker.GetServingOperator(t.Context(), &ledgerv1.GetServingOperatorRequest{Number: "057188880003"})
	if err != nil || served.GetOperatorId() != "cmcc-33" {
		t.Errorf("served by %v, %v", served, err)
	}
	if err := give("53", "96533"); err != nil {
		t.Fatal(err)
	}
	wantReason(t, give("0871", "96533"), commonv1.ErrorReason_ERROR_REASON_ALLOCATION_OVERLAPS)
	for _, by := range []*ledgerv1.GetServingOperatorRequest{{Number: "087196533"}, {Number: "96533", Scheme: "0871"}, {Number: "96533", Scheme: "53"}} {
		if got, err := w.worker.GetServingOperator(t.Context(), by); err != nil || got.GetOperatorId() != "cmcc-33" {
			t.Errorf("%v: %v, %v", by, got, err)
		}
	}
}

// TestImpossibleAllocations: what the plan, the directory's form or the calendar does not have is not allocated.
func TestImpossibleAllocations(t *testing.T) {
	w := newWorld(t)
	firm := w.holder(t, "甲", "91110000000000000A").GetHolderId()
	const field, policy = commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES
	for _, c := range []struct {
		name   string
		want   commonv1.ErrorReason
		change func(*ledgerv1.AllocateResourceRequest)
	}{
		{"public number", policy, func(r *ledgerv1.AllocateResourceRequest) { r.FirstNumber = "12321" }},
		{"no number", field, func(r *ledgerv1.AllocateResourceRequest) { r.FirstNumber = "953001234567" }},
		{"forged", field, func(r *ledgerv1.AllocateResourceRequest) { r.FirstNumber = "095588" }},
		{"over another kind", field, func(r *ledgerv1.AllocateResourceRequest) { r.FirstNumber, r.LastNumber = "95399", "95500" }},
		{"too wide", field, func(r *ledgerv1.AllocateResourceRequest) {
			r.FirstNumber, r.LastNumber = "100000", "999999"
		}},
		{"operator", field, func(r *ledgerv1.AllocateResourceRequest) { r.AccessOperatorId = "zzz" }},
		{"branch", field, func(r *ledgerv1.AllocateResourceRequest) { r.AccessOperatorId = "cmcc-99" }},
		{"caller", field, func(r *ledgerv1.AllocateResourceRequest) { r.PermittedCallers = []string{"95588", "999999"} }},
		{"caller in words", field, func(r *ledgerv1.AllocateResourceRequest) { r.PermittedCallers = []string{"any"} }},
		{"end", field, func(r *ledgerv1.AllocateResourceRequest) {
			r.ValidFrom, r.ValidTo = &timestamppb.Timestamp{Seconds: 2}, &timestamppb.Timestamp{Seconds: 1}
		}},
	} {
		_, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId = firm; c.change(r) })
		if errs.Reason(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	body := w.holder(t, "某机构", "11110000000000000A").GetHolderId()
	if _, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId, r.FirstNumber = body, "12321" }); err != nil {
		t.Errorf("a public body: %v", err)
	}
	_, err := w.registrar.AllocateResource(t.Context(), &ledgerv1.AllocateResourceRequest{
		RequestId: "00000000-0000-4000-8000-000000000001", HolderId: firm, Scheme: National, FirstNumber: "95566", AccessProvince: "31",
		Purpose: "customer_service", AccessOperatorId: "cmcc-31", Evidence: []string{"x"},
	})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
}

// TestAuditFindsOddSchemes: a row of the first release that is under no scheme of its number is told, until it is replaced.
func TestAuditFindsOddSchemes(t *testing.T) {
	w := newWorld(t)
	h := w.holder(t, "甲", "").GetHolderId()
	r, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId, r.FirstNumber = h, "01062345678" })
	if err != nil {
		t.Fatal(err)
	}
	owner := testkit.Owner(t, w.db)
	if _, err := owner.Exec(t.Context(), `
		ALTER TABLE allocation DROP CONSTRAINT allocation_scheme_of_number;
		ALTER TABLE allocation DISABLE TRIGGER allocation_only_corrected;
		UPDATE allocation SET scheme = '010', digits = 8, first_number = 62345678, last_number = 62345678;
		ALTER TABLE allocation ENABLE TRIGGER allocation_only_corrected;
		ALTER TABLE allocation ADD CONSTRAINT allocation_scheme_of_number CHECK (known_to IS NOT NULL OR canonical_scheme(scheme, digits, first_number, last_number)) NOT VALID`); err != nil {
		t.Fatal(err)
	}
	violations := func() []string {
		resp, err := w.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "violations"})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetViolations()
	}
	if got := violations(); !slices.ContainsFunc(got, func(v string) bool { return strings.Contains(v, r.GetAllocationId()) }) {
		t.Errorf("violations: %v", got)
	}
	_, err = w.ministry.CorrectAllocation(t.Context(), &ledgerv1.CorrectAllocationRequest{
		RequestId: "00000000-0000-4000-8000-000000000002", AllocationId: r.GetAllocationId(), Reason: "its form",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := violations(); len(got) > 0 {
		t.Errorf("violations after the correction: %v", got)
	}
}
