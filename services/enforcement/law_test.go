package enforcement

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/seal"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// court is enforcement as the tests of the law see it: its server, its people, its owner's hand.
type court struct {
	s     *Server
	owner *pgxpool.Pool
	dial  func(identity.Workload, *commonv1.Actor) *grpc.ClientConn
}

func newCourt(t *testing.T) *court {
	t.Helper()
	keys, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	db := testkit.DB(t, "enforcement", store.Migrations)
	ownTime(t, db)
	c := &court{s: New(db, keys, func() time.Time { return lawDay("2026-11-20") }), owner: testkit.Owner(t, db)}
	c.dial = testkit.Serve(t, identity.Enforcement, func(g *grpc.Server) { enforcementv1.RegisterEnforcementServiceServer(g, c.s) })
	return c
}

func (c *court) as(agency string, roles ...accessv1.Role) enforcementv1.EnforcementServiceClient {
	return enforcementv1.NewEnforcementServiceClient(c.dial(identity.Gateway, &commonv1.Actor{Subject: "officer-of-" + agency, AgencyId: agency, Roles: roles}))
}

func (c *court) worker(agency string) enforcementv1.EnforcementServiceClient {
	return c.as(agency, accessv1.Role_ROLE_CASEWORKER)
}

func (c *court) flows() enforcementv1.EnforcementServiceClient {
	return enforcementv1.NewEnforcementServiceClient(c.dial(identity.Workflows, &commonv1.Actor{Subject: "mesh", Roles: []accessv1.Role{accessv1.Role_ROLE_SYSTEM}}))
}

// open opens a case whose act was from 2026-10-01 to 2026-10-20 and discovered on 2026-10-21.
func (c *court) open(t *testing.T, agency, act string, change func(*enforcementv1.OpenCaseRequest)) string {
	t.Helper()
	req := &enforcementv1.OpenCaseRequest{
		RequestId: uuid.NewString(), AgencyId: agency, Act: act, ComplaintId: uuid.NewString(), ComplaintRound: 1,
		Party:         &enforcementv1.Party{Role: "caller", Name: "甲公司", CreditCode: firm},
		DiscoveryTime: timestamppb.New(lawDay("2026-10-21")), DiscoveryBasis: "首个查实举报的时间",
		ActBeginTime: timestamppb.New(lawDay("2026-10-01")), ActEndTime: timestamppb.New(lawDay("2026-10-20")),
	}
	if change != nil {
		change(req)
	}
	resp, err := c.flows().OpenCase(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetCaseId()
}

// hold runs a hook on a case in a transaction of its own.
func (c *court) hold(t *testing.T, id string, do func(ctx context.Context, q *store.Queries, row store.EnforcementCase) error) error {
	t.Helper()
	return pg.Tx(t.Context(), c.s.db, func(tx pgx.Tx) error {
		q := store.New(tx)
		row, err := q.LockCase(t.Context(), id)
		if err != nil {
			return err
		}
		return do(t.Context(), q, row)
	})
}

func (c *court) lawful(t *testing.T, id, profile string, p *assignmentv1.CaseProposal) error {
	t.Helper()
	return c.hold(t, id, func(ctx context.Context, q *store.Queries, row store.EnforcementCase) error {
		return c.s.lawful(ctx, q, row, p, profile, c.s.now())
	})
}

func (c *court) settle(t *testing.T, id string, p *assignmentv1.CaseProposal) {
	t.Helper()
	err := c.hold(t, id, func(ctx context.Context, q *store.Queries, row store.EnforcementCase) error {
		return c.s.settle(ctx, q, row, p, "statutory", c.s.now())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c *court) due(t *testing.T, id string, p *assignmentv1.CaseProposal) lawDue {
	t.Helper()
	var d lawDue
	err := c.hold(t, id, func(ctx context.Context, q *store.Queries, row store.EnforcementCase) (err error) {
		d, err = c.s.lawfulDue(ctx, q, row, p, "statutory", c.s.now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func lightFine(yuan int64) *assignmentv1.CaseProposal {
	return &assignmentv1.CaseProposal{Penalties: []*assignmentv1.PenaltyDetail{lawDetail("consumer_56", "fine", yuan)}, Mitigation: "初次违法,及时改正"}
}

func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(errs.Text(err), want) {
		t.Fatalf("got %v, want %q", err, want)
	}
}

const marketing = "marketing_without_consent"

func TestLawful_bandAndDraft(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, "ca-44", marketing, nil)
	if err := c.lawful(t, id, "statutory", lightFine(20_000)); err != nil {
		t.Errorf("within the light band: %v", err)
	}
	severe := lightFine(20_000)
	severe.Mitigation = ""
	wantText(t, c.lawful(t, id, "statutory", severe), "needs a reason, and a legal review (行政处罚法 第三十四条、第五十八条)")
	severe.BandReason = "获利极少"
	if err := c.lawful(t, id, "statutory", severe); err != nil {
		t.Errorf("outside the band with a reason: %v", err)
	}
	if d := c.due(t, id, severe); !d.LegalReview || d.Hearing || d.Discussion || len(d.Why) != 1 {
		t.Errorf("outside the band: %+v", d)
	}
	draft := &assignmentv1.CaseProposal{Penalties: []*assignmentv1.PenaltyDetail{lawDetail("draft_2020", "fine", 20_000)}}
	wantText(t, c.lawful(t, id, "statutory", draft), "is a draft and no law")
	if err := c.lawful(t, id, rehearsing, draft); err != nil {
		t.Errorf("the draft in a rehearsal: %v", err)
	}
	twice := lightFine(20_000)
	twice.Penalties = append(twice.Penalties, lawDetail("consumer_56", "fine", 10_000))
	wantText(t, c.lawful(t, id, "statutory", twice), "第二十九条")
}

func TestLawfulDue(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, "samr-44", marketing, nil)
	large := lightFine(100_000)
	if d := c.due(t, id, large); !d.Hearing || !d.Discussion || d.LegalReview {
		t.Errorf("100,000 yuan: %+v", d)
	}
	if d := c.due(t, id, lightFine(99_999)); d.Hearing || d.Discussion || d.LegalReview {
		t.Errorf("a yuan less: %+v", d)
	}
	for name, p := range map[string]*assignmentv1.CaseProposal{
		"public interest": {MajorPublicInterest: true}, "others' interests": {ThirdPartyInterest: true},
		"the act goes on": {ActContinues: true, Penalties: []*assignmentv1.PenaltyDetail{lawDetail("consumer_56", "warning", 0)}},
	} {
		if d := c.due(t, id, p); !d.LegalReview {
			t.Errorf("%s: %+v", name, d)
		}
	}
	closure := &assignmentv1.CaseProposal{Serious: true, Penalties: []*assignmentv1.PenaltyDetail{lawDetail("consumer_56", "closure", 0)}}
	if d := c.due(t, id, closure); !d.Hearing || !d.Discussion {
		t.Errorf("closure: %+v", d)
	}
	person := c.open(t, "samr-44", marketing, func(r *enforcementv1.OpenCaseRequest) {
		r.Party = &enforcementv1.Party{Role: "caller", Name: "张三", Person: true}
	})
	if d := c.due(t, person, lightFine(10_000)); !d.Hearing {
		t.Errorf("10,000 yuan of a person: %+v", d)
	}
}

func TestLawful_limitation(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, "samr-44", marketing, func(r *enforcementv1.OpenCaseRequest) {
		r.ActBeginTime, r.ActEndTime = timestamppb.New(lawDay("2024-10-01")), timestamppb.New(lawDay("2024-10-20"))
	})
	wantText(t, c.lawful(t, id, "statutory", lightFine(20_000)), "may not be punished any more: the act ended on 2024-10-20, was discovered on 2026-10-21")
	grave := lightFine(20_000)
	grave.GraveHarm = true
	if err := c.lawful(t, id, "statutory", grave); err != nil {
		t.Errorf("five years: %v", err)
	}
	disputed := lightFine(20_000)
	disputed.DiscoveryDisputed = true
	if err := c.lawful(t, id, "statutory", disputed); err != nil {
		t.Errorf("in doubt it is no refusal: %v", err)
	}
	if d := c.due(t, id, disputed); !d.LegalReview || !strings.Contains(strings.Join(d.Why, " "), "limitation in doubt") {
		t.Errorf("in doubt: %+v", d)
	}
	bare := lightFine(20_000)
	bare.DiscoverTime = timestamppb.New(lawDay("2026-10-20"))
	wantReason(t, c.lawful(t, id, "statutory", bare), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	bare.DiscoverBasis = "现场检查笔录"
	if err := c.lawful(t, id, "statutory", bare); err != nil {
		t.Errorf("found out on the last day: %v", err)
	}
	fresh := c.open(t, "samr-44", "calls_after_refusal", nil)
	wantText(t, c.lawful(t, fresh, "statutory", &assignmentv1.CaseProposal{NoPenaltyGround: "limitation"}), "has not run out")
}

// A time that no limitation can be reckoned from is refused by its field, whoever says it.
func TestTimesOfTheLimitation(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, "samr-44", marketing, nil)
	when := func(text string) *timestamppb.Timestamp {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return timestamppb.New(at)
	}
	for _, at := range []string{"0001-01-01T00:00:00Z", "1990-05-01T00:00:00Z", "2027-01-01T00:00:00Z", "9999-12-31T23:59:59Z"} {
		said := lightFine(20_000)
		said.ActEndTime = when(at)
		err := c.lawful(t, id, "statutory", said)
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
		wantText(t, err, "act_end_time")
		said = lightFine(20_000)
		said.DiscoverTime, said.DiscoverBasis = when(at), "检查笔录"
		err = c.lawful(t, id, "statutory", said)
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
		wantText(t, err, "discover_time")
		// what a report says of the end of the act is nobody's finding: it puts the limitation in doubt, and fails nothing
		told := c.open(t, "samr-44", marketing, func(r *enforcementv1.OpenCaseRequest) {
			r.Party.CreditCode = "9111000000000" + at[:4] + "K"
			r.ActBeginTime, r.ActEndTime = nil, when(at)
		})
		if err := c.lawful(t, told, "statutory", lightFine(20_000)); err != nil {
			t.Errorf("the act is said to have ended %s: %v", at, err)
		}
	}
	old := lightFine(20_000)
	old.ActEndTime = when("2020-05-01T00:00:00Z") // by the law of then
	wantText(t, c.lawful(t, id, "statutory", old), "may not be punished any more")
}

func TestSuggestPenalties(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, "ca-44", marketing, nil)
	ask := func(req *enforcementv1.SuggestPenaltiesRequest) *enforcementv1.SuggestPenaltiesResponse {
		req.CaseId = id
		got, err := c.worker("ca-44").SuggestPenalties(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := ask(&enforcementv1.SuggestPenaltiesRequest{Mitigated: true})
	i := slices.IndexFunc(got.GetSuggestions(), func(s *enforcementv1.SuggestedPenalty) bool { return s.GetKind() == "fine" })
	if s := got.GetSuggestions()[i]; s.GetCode() != "consumer_56" || !s.GetEntitled() || s.GetGrade() != gradeLight || s.GetBandHigh().GetFen() != 15_000_000 {
		t.Errorf("suggested: %v", s)
	}
	if got.GetSubject() != subjectFirm || !strings.Contains(got.GetLimitation(), "2028-10-20") {
		t.Errorf("subject and limitation: %v", got)
	}
	drafts := func(r *enforcementv1.SuggestPenaltiesResponse) bool {
		return slices.ContainsFunc(r.GetSuggestions(), func(s *enforcementv1.SuggestedPenalty) bool { return s.GetCode() == "draft_2020" })
	}
	if drafts(got) || !drafts(ask(&enforcementv1.SuggestPenaltiesRequest{Profile: rehearsing})) {
		t.Error("the draft is suggested in a rehearsal only")
	}
	serious := ask(&enforcementv1.SuggestPenaltiesRequest{Serious: true})
	i = slices.IndexFunc(serious.GetSuggestions(), func(s *enforcementv1.SuggestedPenalty) bool { return s.GetKind() == "revocation" })
	if s := serious.GetSuggestions()[i]; s.GetEntitled() || !slices.Equal(s.GetFamilies(), []string{"samr"}) || !s.GetHearing() {
		t.Errorf("the business licence: %v", s)
	}
}

func TestListPenalties_asOf(t *testing.T) {
	c := newCourt(t)
	codes := func(at time.Time) string {
		got, err := c.worker("mps-44").ListPenalties(t.Context(), &enforcementv1.ListPenaltiesRequest{At: timestamppb.New(at), Act: "malicious_calls"})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, p := range got.GetPenalties() {
			out = append(out, p.GetCode())
		}
		return strings.Join(out, " ")
	}
	if then, now := codes(lawDay("2025-12-31")), codes(lawDay("2026-01-02")); then != "draft_2020 public_security_42" || now != "draft_2020 public_security_2026" {
		t.Errorf("then %s, now %s", then, now)
	}
	page, err := c.worker("mps-44").ListPenalties(t.Context(), &enforcementv1.ListPenaltiesRequest{PageSize: 1})
	if err != nil || len(page.GetPenalties()) != 1 || page.GetNextPageToken() == "" || len(page.GetPenalties()[0].GetRanges()) == 0 {
		t.Fatalf("a page: %v, %v", page, err)
	}
	next, err := c.worker("mps-44").ListPenalties(t.Context(), &enforcementv1.ListPenaltiesRequest{PageSize: 1, PageToken: page.GetNextPageToken()})
	if err != nil || next.GetPenalties()[0].GetCode() <= page.GetPenalties()[0].GetCode() {
		t.Errorf("the next: %v, %v", next, err)
	}
}

func TestListConsistency(t *testing.T) {
	c := newCourt(t)
	agencies := []string{"samr-11", "samr-12", "samr-13", "samr-14", "samr-15", "samr-44"}
	for i, agency := range agencies {
		id := c.open(t, agency, marketing, func(r *enforcementv1.OpenCaseRequest) {
			r.Party = &enforcementv1.Party{Role: "caller", Name: "公司" + agency, CreditCode: "9111000000000000" + agency[5:]}
		})
		yuan := int64(20_000)
		if i == len(agencies)-1 {
			yuan = 100_000
		}
		c.settle(t, id, lightFine(yuan))
	}
	got, err := c.worker("samr-44").ListConsistency(t.Context(), &enforcementv1.ListConsistencyRequest{})
	if err != nil || len(got.GetFines()) != 1 {
		t.Fatalf("an agency sees its own: %v, %v", got, err)
	}
	f := got.GetFines()[0]
	if !f.GetOutlier() || f.GetWords() != "罚款 100000 元:同类 6 件的中位数为 20000 元,本件为其 5.0 倍" || f.GetAlikeInProvince() != 1 || f.GetGainsBracket() != "none" {
		t.Errorf("the outlier: %v", f)
	}
	lead := c.as("miit", accessv1.Role_ROLE_LEAD)
	seen := 0
	for token, more := "", true; more; {
		page, err := lead.ListConsistency(t.Context(), &enforcementv1.ListConsistencyRequest{PageSize: 4, PageToken: token, Act: marketing})
		if err != nil {
			t.Fatal(err)
		}
		seen += len(page.GetFines())
		token, more = page.GetNextPageToken(), page.GetNextPageToken() != ""
	}
	if seen != len(agencies) {
		t.Errorf("the lead sees %d", seen)
	}
}
