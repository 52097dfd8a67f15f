package disclosure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/testkit"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// every kind that may be about a party, and those that need a decision
var (
	allKinds = []string{penalty, listing, exposure, circular, recallNotice, recall, serviceNotice, digestKind}
	decided  = []string{penalty, listing, circular, recallNotice, recall, serviceNotice, digestKind}
)

// publisherOf is who may publish a kind.
func publisherOf(kind string) (id, name string) {
	if kind == digestKind {
		return "miit", "工业和信息化部"
	}
	return "ca-11", "北京市通信管理局"
}

// ask asks for a publication of a kind that passes, and spoils it.
func (w *world) ask(t *testing.T, kind string, spoil func(*disclosurev1.PublishRequest)) (*disclosurev1.PublishResponse, error) {
	t.Helper()
	return w.publish(t, func(r *disclosurev1.PublishRequest) {
		p := r.GetPublication()
		p.Kind, p.CaseId = kind, uuid.NewString()
		p.AgencyId, p.AgencyName = publisherOf(kind)
		p.Title = p.GetAgencyName() + "公示"
		if kind == digestKind {
			p.PartyName, p.CreditCode = "", ""
		}
		if kind == listing {
			r.Gate.PenaltyKind = "bad"
		}
		if spoil != nil {
			spoil(r)
		}
	})
}

func missingCodes(missing []*disclosurev1.MissingCondition) []string {
	out := []string{}
	for _, m := range missing {
		out = append(out, m.GetCode())
	}
	return out
}

// TestGate spoils one condition after the other of every kind that has it: nothing is published, and the answer names what
// is missing, in words and with its article.
func TestGate(t *testing.T) {
	w := newWorld(t)
	early, future := timestamppb.New(at("2026-01-01 00:00")), timestamppb.New(at("2026-06-01 00:00"))
	type spoil func(*disclosurev1.PublishRequest)
	of := func(change func(*disclosurev1.Gate)) spoil {
		return func(r *disclosurev1.PublishRequest) { change(r.GetGate()) }
	}
	for _, c := range []struct {
		name  string
		kinds []string
		spoil spoil
		want  string // empty: an error that names fatal
		fatal string
	}{
		{"natural person", allKinds, of(func(g *disclosurev1.Gate) { g.Person = true }), "natural_person", ""},
		{"mere warning", []string{penalty}, of(func(g *disclosurev1.Gate) { g.PenaltyKind = "warning" }), "warning_only", ""},
		{"no penalty", []string{penalty}, of(func(g *disclosurev1.Gate) { g.PenaltyKind = "none" }), "", "no_penalty"},
		{"no kind", []string{penalty}, of(func(g *disclosurev1.Gate) { g.PenaltyKind = "" }), "", "no_penalty"},
		{"no amount", []string{penalty}, of(func(g *disclosurev1.Gate) { g.AmountFen = 0 }), "no_amount", ""},
		{"no impact", []string{penalty}, of(func(g *disclosurev1.Gate) { g.SocialImpact = false }), "no_social_impact", ""},
		{"no notice", []string{penalty, listing, recall}, of(func(g *disclosurev1.Gate) { g.NoticeTime = nil }), "no_notice", ""},
		{"notice after the decision", []string{penalty, listing, recall}, of(func(g *disclosurev1.Gate) { g.NoticeTime = g.GetDeliveredTime() }), "no_notice", ""},
		{"notice with the decision", []string{recall}, of(func(g *disclosurev1.Gate) { g.NoticeTime = g.GetDecidedTime() }), "no_notice", ""},
		{"party not informed", []string{circular}, of(func(g *disclosurev1.Gate) { g.NoticeTime = nil }), "party_not_informed", ""},
		{"not delivered", []string{penalty, listing}, of(func(g *disclosurev1.Gate) { g.DeliveredTime = nil }), "not_delivered", ""},
		{"delivered before the decision", []string{penalty, listing}, of(func(g *disclosurev1.Gate) { g.DeliveredTime = early }), "not_delivered", ""},
		{"no decision", decided, of(func(g *disclosurev1.Gate) { g.DecidedTime = nil }), "", "no_decision"},
		{"to come", allKinds, of(func(g *disclosurev1.Gate) { g.DeliveredTime = future }), "", "in_future"},
		{"no warning", []string{exposure}, of(func(g *disclosurev1.Gate) { g.WarnedTime = nil }), "no_warning", ""},
		{"stopped when warned", []string{exposure}, of(func(g *disclosurev1.Gate) { g.ContinuedTime = early }), "no_continuation", ""},
		{"nothing else tried", []string{serviceNotice}, of(func(g *disclosurev1.Gate) { g.FailedServiceTime = nil }), "no_failed_service", ""},
		{"which document", []string{serviceNotice}, func(r *disclosurev1.PublishRequest) { r.Publication.DecisionNo = "" }, "no_document_no", ""},
		{"no licence", []string{listing}, func(r *disclosurev1.PublishRequest) { r.Publication.LicenceNo = "" }, "no_licence", ""},
		{"no ground", []string{listing}, func(r *disclosurev1.PublishRequest) { r.Publication.Ground = "" }, "no_ground", ""},
		{"no credit code", []string{listing}, func(r *disclosurev1.PublishRequest) { r.Publication.CreditCode = "" }, "no_credit_code", ""},
		{"agency not named", allKinds, func(r *disclosurev1.PublishRequest) { r.Publication.Title = "公示" }, "agency_not_named", ""},
		{"not its list", []string{listing, recall, recallNotice, digestKind}, func(r *disclosurev1.PublishRequest) { r.Publication.AgencyId = "samr" }, "publisher_not_entitled", ""},
		{"long ago", []string{penalty, listing}, of(func(g *disclosurev1.Gate) {
			g.NoticeTime, g.DecidedTime = timestamppb.New(at("2024-01-01 00:00")), timestamppb.New(at("2024-02-01 00:00"))
		}), "term_over", ""},
	} {
		for _, kind := range c.kinds {
			resp, err := w.ask(t, kind, c.spoil)
			if c.fatal != "" {
				if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED) || !strings.Contains(err.Error(), c.fatal) {
					t.Errorf("%s, %s: %v, %v", c.name, kind, resp, err)
				}
				continue
			}
			if err != nil || resp.GetPublication() != nil || resp.GetNotPublishedBecause() != c.want || len(resp.GetMissing()) != 1 ||
				resp.GetMissing()[0].GetWords() == "" || resp.GetMissing()[0].GetArticle() == "" {
				t.Errorf("%s, %s: %v, %v", c.name, kind, resp, err)
			}
		}
	}
	for _, kind := range allKinds { // and unspoilt they all pass
		if resp, err := w.ask(t, kind, nil); err != nil || resp.GetPublication().GetState() != live {
			t.Errorf("%s: %v, %v", kind, resp, err)
		}
	}
	w.clean(t)
}

// All that is missing is named at once, and stays to be seen for the agency until the item is published.
func TestGate_allMissingAndListed(t *testing.T) {
	w := newWorld(t)
	id := uuid.NewString()
	resp, err := w.ask(t, penalty, func(r *disclosurev1.PublishRequest) {
		r.Publication.CaseId, r.Publication.Title = id, "行政处罚"
		r.Gate.NoticeTime, r.Gate.DeliveredTime, r.Gate.SocialImpact = nil, nil, false
	})
	want := []string{"no_social_impact", "no_notice", "not_delivered", "agency_not_named"}
	if diff := cmp.Diff(want, missingCodes(resp.GetMissing())); err != nil || diff != "" {
		t.Fatalf("%v: %s", err, diff)
	}
	list := func(c disclosurev1.DisclosureServiceClient) []*disclosurev1.Withheld {
		resp, err := c.ListWithheld(t.Context(), &disclosurev1.ListWithheldRequest{CaseId: id})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetWithheld()
	}
	if got := list(w.head); len(got) != 1 || cmp.Diff(want, missingCodes(got[0].GetMissing())) != "" || got[0].GetMissing()[1].GetArticle() == "" {
		t.Errorf("the agency sees %v", got)
	}
	if got := list(w.au); len(got) != 1 {
		t.Errorf("the auditor sees %v", got)
	}
	if got := list(w.other); len(got) != 0 {
		t.Errorf("another agency sees %v", got)
	}
	if _, err := w.ask(t, penalty, func(r *disclosurev1.PublishRequest) { r.Publication.CaseId = id }); err != nil {
		t.Fatal(err)
	}
	if got := list(w.head); len(got) != 0 {
		t.Errorf("still withheld: %v", got)
	}
}

// A rule, which is data, may let persons be shown; by surname then, and without their numbers.
func TestGate_personByRule(t *testing.T) {
	w := newWorld(t)
	ask := func() (*disclosurev1.PublishResponse, error) {
		return w.ask(t, penalty, func(r *disclosurev1.PublishRequest) {
			r.Publication.PartyName, r.Publication.CreditCode = "张三丰", "11010519491231002X"
			r.Publication.Title, r.Publication.Summary, r.Publication.Ground = "北京市通信管理局对张三丰的处罚", "张三丰拨打骚扰电话", "张三丰骚扰"
		})
	}
	if resp, err := ask(); err != nil || resp.GetNotPublishedBecause() != "natural_person" {
		t.Fatalf("an identity number passes as a credit code: %v, %v", resp, err)
	}
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), `INSERT INTO publication_person_policy (kind, source, to_confirm, valid_from)
		VALUES ('penalty', '规则一', true, '2020-01-01')`); err != nil {
		t.Fatal(err)
	}
	resp, err := ask()
	if p := resp.GetPublication(); err != nil || p.GetPartyName() != "张某" || p.GetCreditCode() != "" || strings.Contains(p.String(), "三丰") {
		t.Errorf("%v, %v", resp, err)
	}
	w.clean(t)
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), "UPDATE publication_person_policy SET valid_from = '2026-05-02'"); err != nil {
		t.Fatal(err)
	}
	if got := w.violations(t); len(got) != 1 || !strings.Contains(got[0], "natural person without a rule") {
		t.Errorf("without its rule: %v", got)
	}
}

// clean fails when anything broke an invariant.
func (w *world) clean(t *testing.T) {
	t.Helper()
	if got := w.violations(t); len(got) != 0 {
		t.Errorf("violations: %v", got)
	}
}

func (w *world) violations(t *testing.T) []string {
	t.Helper()
	audit, err := w.au.Audit(t.Context(), &disclosurev1.AuditRequest{What: "violations"})
	if err != nil {
		t.Fatal(err)
	}
	return audit.GetViolations()
}
