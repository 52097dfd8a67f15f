package disclosure

import (
	"testing"
	"time"

	"google.golang.org/grpc"

	"quietline/internal/identity"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// Who may have a digest drafted and who sees its internal edition is a row of the policy of publishers: another row, another
// agency, without a build.
func TestDigestKeepers_areData(t *testing.T) {
	w := newWorld(t)
	const month = "2026-04"
	may := func(agency string) error {
		_, err := w.flows.CheckDigestDraft(t.Context(), &disclosurev1.CheckDigestDraftRequest{AgencyId: agency, Month: month})
		return err
	}
	draft := func(agency string) error {
		_, err := w.draft(t, month, aMonth(month, 100), func(r *disclosurev1.RecordDigestRequest) { r.DraftedByAgency, r.Note = agency, "x" })
		return err
	}
	dial := testkit.Serve(t, identity.Disclosure, func(s *grpc.Server) {
		disclosurev1.RegisterDisclosureServiceServer(s, New(w.db, func() time.Time { return *w.clock.Load() }))
	})
	sees := func(agency string, role accessv1.Role) bool {
		c := disclosurev1.NewDisclosureServiceClient(dial(identity.Gateway, &commonv1.Actor{Subject: "x", AgencyId: agency, Roles: []accessv1.Role{role}}))
		_, err := c.GetDigest(t.Context(), &disclosurev1.GetDigestRequest{Month: month})
		return err == nil
	}
	for _, agency := range []string{"miit", "centre-12321"} {
		if err := may(agency); err != nil {
			t.Errorf("%s: %v", agency, err)
		}
	}
	for _, agency := range []string{"samr", "cmcc", ""} {
		wantReason(t, may(agency), commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
		wantReason(t, draft(agency), commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	}
	if err := draft("miit"); err != nil {
		t.Fatal(err)
	}
	if sees("samr", accessv1.Role_ROLE_LEAD) || sees("samr", accessv1.Role_ROLE_STATISTICIAN) || !sees("miit", accessv1.Role_ROLE_LEAD) {
		t.Error("who sees a draft is not who keeps digests")
	}
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), `INSERT INTO publisher_policy (kind, agency, source, to_confirm, valid_from)
		VALUES ('digest', 'samr', 'x', true, '2026-01-01')`); err != nil {
		t.Fatal(err)
	}
	if err := may("samr"); err != nil {
		t.Error(err)
	}
	if err := draft("samr"); err != nil {
		t.Error(err)
	}
	if !sees("samr", accessv1.Role_ROLE_LEAD) {
		t.Error("a keeper does not see the draft")
	}
	_, err := w.flows.CheckDigestDraft(t.Context(), &disclosurev1.CheckDigestDraftRequest{AgencyId: "miit", Month: "2026-05"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	w.soundCards(t)
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), "UPDATE publisher_policy SET valid_to = '2026-02-01' WHERE agency = 'samr'"); err != nil {
		t.Fatal(err)
	}
	a, err := w.au.Audit(t.Context(), &disclosurev1.AuditRequest{What: "violations"})
	if err != nil || len(a.GetViolations()) != 1 {
		t.Errorf("drafted by who was not entitled: %v, %v", a.GetViolations(), err)
	}
}
