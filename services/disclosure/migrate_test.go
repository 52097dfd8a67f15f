package disclosure

import (
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// An installation of before keeps what it published, under its address, with the date on which it goes, and its
// tombstones; the feed begins with them; and nothing of it breaks a rule that came later.
func TestMigrate_keepsWhatWasPublished(t *testing.T) {
	const (
		before = `INSERT INTO publication (publication_id, kind, title, party_name, credit_code, agency_id, summary, case_id, penalty_kind,
				social_impact, notice_time, decided_time, delivered_time, warned_time, publish_time, take_down_time, published_by)
			SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, kind, '行政处罚决定', '甲公司', '', 'ca-11', '罚款', gen_random_uuid(), fine,
				true, '2026-01-01', '2026-01-02', '2026-01-03', '2026-01-01', now() - interval '1 day', now() + interval '1 year', 'x'
			  FROM (VALUES (1, 'penalty', 'fine'), (2, 'listing', ''), (3, 'exposure', ''), (4, 'recall', '')) AS x (n, kind, fine);
			INSERT INTO publication_withdrawal (publication_id, reason, withdrawn_by, withdrawn_time)
			VALUES ('00000000-0000-4000-8000-000000000002', '有误', 'x', now())`
		first, second = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	)
	owner, service := testkit.EmptyDB(t, "disclosure")
	db, p := testkit.MigratedTo(t, owner, store.Migrations, 2)
	if _, err := db.ExecContext(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if err := pg.Migrate(t.Context(), owner, store.Migrations, "disclosure"); err != nil {
		t.Fatal(err)
	}
	pool, err := pg.Open(t.Context(), service)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	dial := testkit.Serve(t, identity.Disclosure, func(s *grpc.Server) {
		disclosurev1.RegisterDisclosureServiceServer(s, New(pool, time.Now))
	})
	public := disclosurev1.NewDisclosureServiceClient(dial(identity.Gateway, nil))
	got, err := public.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{PublicationId: first})
	if q := got.GetPublication(); err != nil || q.GetState() != live || q.GetTitle() != "行政处罚决定" || len(q.GetVersions()) != 1 ||
		len(q.GetTerms()) != 1 || !q.GetTerms()[0].GetHolds() || !q.GetTerms()[0].GetEndTime().AsTime().Equal(q.GetTakeDownTime().AsTime()) {
		t.Errorf("%v, %v", got, err)
	}
	got, err = public.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{PublicationId: second})
	if q := got.GetPublication(); err != nil || q.GetState() != withdrawn || q.GetWithdrawnReason() != "有误" || q.GetPartyName() != "" {
		t.Errorf("tombstone: %v, %v", got, err)
	}
	found, err := public.SearchPublications(t.Context(), &disclosurev1.SearchPublicationsRequest{Name: "甲公"})
	if err != nil || len(found.GetPublications()) != 3 {
		t.Errorf("found: %v, %v", found, err)
	}
	as := func(role accessv1.Role) disclosurev1.DisclosureServiceClient {
		return disclosurev1.NewDisclosureServiceClient(dial(identity.Gateway, &commonv1.Actor{Subject: "a", AgencyId: "miit", Roles: []accessv1.Role{role}}))
	}
	feed, err := as(accessv1.Role_ROLE_LEAD).ListPublicationChanges(t.Context(), &disclosurev1.ListPublicationChangesRequest{MaxWait: durationpb.New(20 * time.Second)})
	if err != nil || len(feed.GetChanges()) != 5 || feed.GetChanges()[4].GetChange() != "withdrawn" {
		t.Errorf("feed: %v, %v", feed, err)
	}
	audit, err := as(accessv1.Role_ROLE_AUDITOR).Audit(t.Context(), &disclosurev1.AuditRequest{What: "violations"})
	if err != nil || len(audit.GetViolations()) != 0 {
		t.Errorf("violations: %v, %v", audit, err)
	}
	if _, err := p.DownTo(t.Context(), 2); err != nil {
		t.Errorf("and back: %v", err)
	}
}
