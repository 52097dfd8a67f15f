package disclosure

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// must publishes an item of a kind, changed as the test wants it.
func (w *world) must(t *testing.T, kind string, change func(*disclosurev1.PublishRequest)) *disclosurev1.Publication {
	t.Helper()
	resp, err := w.ask(t, kind, change)
	if err != nil || resp.GetPublication() == nil {
		t.Fatalf("%s: %v, %v", kind, resp, err)
	}
	return resp.GetPublication()
}

func (w *world) search(t *testing.T, req *disclosurev1.SearchPublicationsRequest) []string {
	t.Helper()
	var out []string
	for {
		resp, err := w.public.SearchPublications(t.Context(), req)
		if err != nil {
			t.Fatalf("%v: %v", req, err)
		}
		for _, p := range resp.GetPublications() {
			out = append(out, p.GetSummary())
		}
		if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
			return out
		}
	}
}

func TestSearch(t *testing.T) {
	w := newWorld(t)
	add := func(kind, name, credit, summary string, codes, regions []string) {
		w.must(t, kind, func(r *disclosurev1.PublishRequest) {
			p := r.GetPublication()
			p.PartyName, p.CreditCode, p.Summary, p.Codes, p.RegionCodes = name, credit, summary, codes, regions
		})
		w.set(w.clock.Load().Add(time.Hour))
	}
	add(penalty, "甲呼叫中心(北京)有限公司", "91110000000000000A", "甲1", []string{"95013123"}, []string{"110105"})
	add(listing, "甲呼叫中心(北京)有限公司", "91110000000000000A", "甲2", nil, []string{"11"})
	w.set(at("2026-05-03 10:00"))
	add(recallNotice, "乙100%科技", "91440000000000000B", "乙", []string{"4001234567"}, []string{"44"})
	add(circular, "", "", "通报", nil, []string{"11", "44"})
	for name, c := range map[string]struct {
		req  *disclosurev1.SearchPublicationsRequest
		want []string
	}{
		"all":                  {&disclosurev1.SearchPublicationsRequest{PageSize: 1}, []string{"通报", "乙", "甲2", "甲1"}},
		"two characters":       {&disclosurev1.SearchPublicationsRequest{Name: "呼叫"}, []string{"甲2", "甲1"}},
		"one":                  {&disclosurev1.SearchPublicationsRequest{Name: "乙"}, []string{"乙"}},
		"not in this order":    {&disclosurev1.SearchPublicationsRequest{Name: "中心呼叫"}, nil},
		"other parentheses":    {&disclosurev1.SearchPublicationsRequest{Name: "(北京)"}, []string{"甲2", "甲1"}},
		"a wildcard is itself": {&disclosurev1.SearchPublicationsRequest{Name: "0%科"}, []string{"乙"}},
		"and finds no more":    {&disclosurev1.SearchPublicationsRequest{Name: "甲%"}, nil},
		"credit code":          {&disclosurev1.SearchPublicationsRequest{CreditCode: "91110000000000000A", Kind: penalty}, []string{"甲1"}},
		"code":                 {&disclosurev1.SearchPublicationsRequest{Code: "400-123-4567"}, []string{"乙"}},
		"district":             {&disclosurev1.SearchPublicationsRequest{RegionCode: "110105"}, []string{"甲1"}},
		"province":             {&disclosurev1.SearchPublicationsRequest{RegionCode: "11"}, []string{"通报", "甲2", "甲1"}},
		"family":               {&disclosurev1.SearchPublicationsRequest{Kind: "notice"}, []string{"乙"}},
		"period":               {&disclosurev1.SearchPublicationsRequest{FromDate: "2026-05-01", UntilDate: "2026-05-02"}, []string{"甲2", "甲1"}},
		"by change, paged":     {&disclosurev1.SearchPublicationsRequest{ByChange: true, PageSize: 3}, []string{"通报", "乙", "甲2", "甲1"}},
	} {
		if diff := cmp.Diff(c.want, w.search(t, c.req)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for name, req := range map[string]*disclosurev1.SearchPublicationsRequest{
		"a mobile":           {Code: "13800138000"},
		"a mobile as a name": {Name: "13800138000"},
		"an identity":        {CreditCode: "11010519491231002X"},
		"a day":              {FromDate: "2026-02-30"},
		"backwards":          {FromDate: "2026-05-02", UntilDate: "2026-05-01"},
		"a kind":             {Kind: "rumour"},
	} {
		_, err := w.public.SearchPublications(t.Context(), req)
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
		if strings.Contains(err.Error(), "13800138000") {
			t.Errorf("%s is repeated: %v", name, err)
		}
	}
	_, err := w.public.SearchPublications(t.Context(), &disclosurev1.SearchPublicationsRequest{PageToken: "nonsense"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR)
}

// The bases of a take-down date are all shown with their computation; the earliest end holds.
func TestTakeDownBases(t *testing.T) {
	w := newWorld(t)
	w.exceptMinor(t)
	for _, c := range []struct {
		name   string
		kind   string
		change func(*disclosurev1.PublishRequest)
		want   map[string]string // end by basis
		holds  string
	}{
		{"a fine", penalty, nil, map[string]string{"order_36": "2027-04-15", "samr_disclosure": "2029-05-01"}, "2027-04-15"},
		{"a small one", penalty, func(r *disclosurev1.PublishRequest) { r.Gate.AmountFen = 300_000 },
			map[string]string{"order_36": "2027-04-15", "samr_disclosure": "2026-08-01"}, "2026-08-01"},
		{"on the spot", penalty, func(r *disclosurev1.PublishRequest) { r.Gate.AmountFen, r.Gate.Simplified = 200_000, true },
			map[string]string{"order_36": "2026-07-15", "samr_disclosure": "2026-08-01"}, "2026-07-15"},
		{"a huge one", penalty, func(r *disclosurev1.PublishRequest) { r.Gate.AmountFen = 100_000_000 },
			map[string]string{"order_36": "2029-04-15", "samr_disclosure": "2029-05-01"}, "2029-04-15"},
		{"revocation", penalty, func(r *disclosurev1.PublishRequest) { r.Gate.PenaltyKind = "revocation" },
			map[string]string{"order_36": "2029-04-15", "samr_disclosure": "2029-05-01"}, "2029-04-15"},
		{"a listing with the keeper's own date", listing, func(r *disclosurev1.PublishRequest) {
			r.Publication.Terms = []*disclosurev1.TakeDownTerm{{
				Basis: "annual_report", EndTime: timestamppb.New(at("2026-10-01 00:00")), Proof: "履行后移出", Source: "电信业务经营许可管理办法 第三十八条",
			}}
		}, map[string]string{"order_36": "2027-04-15", "list_rules": "2027-04-15", "annual_report": "2026-10-01"}, "2026-10-01"},
	} {
		p := w.must(t, c.kind, c.change)
		got := map[string]string{}
		for _, term := range p.GetTerms() {
			got[term.GetBasis()] = dateOf(term.GetEndTime().AsTime())
			if term.GetHolds() != (got[term.GetBasis()] == c.holds) || term.GetSource() == "" || !strings.Contains(term.GetProof(), "月") && !strings.Contains(term.GetProof(), "移出") {
				t.Errorf("%s: %v", c.name, term)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" || dateOf(p.GetTakeDownTime().AsTime()) != c.holds {
			t.Errorf("%s: taken down %v; %s", c.name, p.GetTakeDownTime().AsTime(), diff)
		}
	}
	w.clean(t)
}

// Repair ends an item early, but not before every basis allows it, and never what is never taken down early.
func TestRepairEndsEarly(t *testing.T) {
	w := newWorld(t)
	repair := func(p *disclosurev1.Publication) error {
		_, err := w.flows.WithdrawByCase(t.Context(), &disclosurev1.WithdrawByCaseRequest{
			RequestId: uuid.NewString(), CaseId: p.GetCaseId(), Kind: p.GetKind(), Cause: "repaired",
			CauseTime: timestamppb.New(*w.clock.Load()), Reason: "已修复",
		})
		return err
	}
	fine := w.must(t, penalty, nil)
	closure := w.must(t, penalty, func(r *disclosurev1.PublishRequest) { r.Gate.PenaltyKind = "closure" })
	listed := w.must(t, listing, nil)
	wantReason(t, repair(fine), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	if err := repair(listed); err != nil {
		t.Errorf("who keeps a list repairs it: %v", err)
	}
	w.set(at("2026-11-02 10:00"))
	wantReason(t, repair(closure), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	if err := repair(fine); err != nil {
		t.Errorf("after the shortest term of both: %v", err)
	}
	w.clean(t)
}

// A reversal takes back all that is public of the case, tells those who follow, and keeps the rest from ever being public.
func TestReversal(t *testing.T) {
	w := newWorld(t)
	p := w.must(t, penalty, nil)
	other := w.must(t, penalty, nil)
	w.set(at("2026-09-30 10:00"))
	req := &disclosurev1.WithdrawByCaseRequest{
		RequestId: uuid.NewString(), CaseId: p.GetCaseId(), Cause: "revoked", CauseTime: timestamppb.New(at("2026-09-29 09:00")), Reason: "复议机关撤销决定",
	}
	for range 2 {
		resp, err := w.flows.WithdrawByCase(t.Context(), req)
		if err != nil || !resp.GetBarred() || len(resp.GetPublications()) != 1 {
			t.Fatalf("%v, %v", resp, err)
		}
		got := resp.GetPublications()[0]
		if got.GetState() != withdrawn || got.GetWithdrawnCause() != "revoked" || got.GetPartyName()+got.GetTitle()+got.GetCreditCode()+got.GetSummary() != "" {
			t.Errorf("tombstone: %v", got)
		}
		clock := got.GetWithdrawClock() // over the holiday: 9-30, 10-8, 10-9
		if clock.GetBasis() != "withdraw_3wd" || clock.GetStatutoryDue() != "2026-10-09T15:59:59Z" || !strings.Contains(clock.GetProof(), "10-8") {
			t.Errorf("clock: %v", clock)
		}
		req = proto.CloneOf(req)
		req.RequestId = uuid.NewString()
	}
	// a kind that was not yet published of that case never will be
	resp, err := w.ask(t, exposure, func(r *disclosurev1.PublishRequest) { r.Publication.CaseId = p.GetCaseId() })
	if err != nil || resp.GetNotPublishedBecause() != "withdrawn_before" {
		t.Errorf("published after the reversal: %v, %v", resp, err)
	}
	never := uuid.NewString()
	none, err := w.flows.WithdrawByCase(t.Context(), &disclosurev1.WithdrawByCaseRequest{
		RequestId: uuid.NewString(), CaseId: never, Cause: "illegal", CauseTime: timestamppb.New(at("2026-09-29 09:00")), Reason: "判决确认违法",
	})
	if err != nil || !none.GetBarred() || len(none.GetPublications()) != 0 {
		t.Fatalf("%v, %v", none, err)
	}
	if resp, err := w.ask(t, penalty, func(r *disclosurev1.PublishRequest) { r.Publication.CaseId = never }); err != nil || resp.GetNotPublishedBecause() != "withdrawn_before" {
		t.Errorf("the reversal overtook the publication: %v, %v", resp, err)
	}
	if got := w.search(t, &disclosurev1.SearchPublicationsRequest{}); len(got) != 1 {
		t.Errorf("live: %v", got)
	}
	byChange, err := w.public.SearchPublications(t.Context(), &disclosurev1.SearchPublicationsRequest{ByChange: true})
	if ps := byChange.GetPublications(); err != nil || len(ps) != 2 || ps[0].GetPublicationId() != p.GetPublicationId() || ps[1].GetPublicationId() != other.GetPublicationId() {
		t.Errorf("by change: %v, %v", byChange, err)
	}
	if got := w.search(t, &disclosurev1.SearchPublicationsRequest{ByChange: true, CreditCode: "91110000000000000A"}); len(got) != 1 {
		t.Errorf("a tombstone is found by its party: %v", got)
	}
	w.clean(t)
	if _, err := w.flows.WithdrawByCase(t.Context(), &disclosurev1.WithdrawByCaseRequest{
		RequestId: uuid.NewString(), CaseId: other.GetCaseId(), Cause: "changed", CauseTime: timestamppb.New(at("2026-09-21 09:00")), Reason: "变更",
	}); err != nil {
		t.Fatal(err)
	}
	late, err := w.au.Audit(t.Context(), &disclosurev1.AuditRequest{What: "late"})
	if v := late.GetViolations(); err != nil || len(v) != 1 || !strings.Contains(v[0], "withdrawn late: due 2026-09-24") {
		t.Errorf("late: %v, %v", late, err)
	}
}

// Publications and reversals at once: whoever is first, nothing of a reversed case stays public.
func TestReversalAgainstPublication(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for range 20 {
		id := uuid.NewString()
		wg.Go(func() {
			_, err := w.ask(t, penalty, func(r *disclosurev1.PublishRequest) { r.Publication.CaseId = id })
			if err != nil {
				t.Errorf("publish: %v", err)
			}
		})
		wg.Go(func() {
			_, err := w.flows.WithdrawByCase(t.Context(), &disclosurev1.WithdrawByCaseRequest{
				RequestId: uuid.NewString(), CaseId: id, Cause: "revoked", CauseTime: timestamppb.New(*w.clock.Load()), Reason: "撤销",
			})
			if err != nil {
				t.Errorf("withdraw: %v", err)
			}
		})
	}
	wg.Wait()
	if got := w.search(t, &disclosurev1.SearchPublicationsRequest{}); len(got) != 0 {
		t.Errorf("%d are public still", len(got))
	}
	w.clean(t)
}

// The feed tells every change once and in order, waits for the next, and tells an end that came by itself.
func TestListPublicationChanges(t *testing.T) {
	w := newWorld(t)
	s := New(w.db, func() time.Time { return *w.clock.Load() })
	a := w.must(t, penalty, nil)
	b := w.must(t, circular, func(r *disclosurev1.PublishRequest) { r.Publication.PartyName = "" })
	if _, err := w.head.CorrectPublication(t.Context(), &disclosurev1.CorrectPublicationRequest{
		RequestId: uuid.NewString(), PublicationId: a.GetPublicationId(), Title: "北京市通信管理局更正", Summary: "新", Note: "笔误",
	}); err != nil {
		t.Fatal(err)
	}
	cursor := ""
	read := func(n int) []string {
		out := []string{}
		for len(out) < n {
			resp, err := w.head.ListPublicationChanges(t.Context(), &disclosurev1.ListPublicationChangesRequest{
				AfterCursor: cursor, MaxWait: durationpb.New(20 * time.Second),
			})
			if err != nil || len(resp.GetChanges()) == 0 {
				return append(out, fmt.Sprint(err))
			}
			cursor = resp.GetNextCursor()
			for _, c := range resp.GetChanges() {
				out = append(out, c.GetChange()+" "+c.GetPublication().GetState())
			}
		}
		return out
	}
	if diff := cmp.Diff([]string{"published LIVE", "published LIVE", "corrected LIVE"}, read(3)); diff != "" {
		t.Error(diff)
	}
	done := make(chan []string)
	go func() { done <- read(1) }()
	if _, err := w.head.WithdrawPublication(t.Context(), &disclosurev1.WithdrawPublicationRequest{
		RequestId: uuid.NewString(), PublicationId: a.GetPublicationId(), Reason: "有误",
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"withdrawn WITHDRAWN"}, <-done); diff != "" {
		t.Error(diff)
	}
	w.set(b.GetTakeDownTime().AsTime().Add(48 * time.Hour))
	if got := w.violations(t); len(got) != 1 || !strings.Contains(got[0], "not announced") {
		t.Errorf("an end nobody was told of: %v", got)
	}
	for range 2 {
		if err := s.AnnounceEnds(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"ended TAKEN_DOWN"}, read(1)); diff != "" {
		t.Error(diff)
	}
	w.clean(t)
	if _, err := w.public.ListPublicationChanges(t.Context(), &disclosurev1.ListPublicationChangesRequest{}); err == nil {
		t.Error("the public follows by Atom")
	}
}

// A correction is a version with its note; the address and what was said before stay. The party is not corrected.
func TestCorrectPublication(t *testing.T) {
	w := newWorld(t)
	p := w.must(t, penalty, nil)
	correct := func(c disclosurev1.DisclosureServiceClient, title, summary string) (*disclosurev1.Publication, error) {
		resp, err := c.CorrectPublication(t.Context(), &disclosurev1.CorrectPublicationRequest{
			RequestId: uuid.NewString(), Kind: penalty, CaseId: p.GetCaseId(), Title: title, Summary: summary, Note: "数额有误",
		})
		return resp.GetPublication(), err
	}
	_, err := correct(w.other, "北京市通信管理局决定", "x")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	_, err = correct(w.head, "决定", "x")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED)
	w.set(at("2026-05-05 10:00"))
	for i, want := range []int32{2, 2, 3} {
		got, err := correct(w.head, "北京市通信管理局决定", fmt.Sprint("罚款", i/2))
		if err != nil || got.GetVersion() != want || got.GetPublicationId() != p.GetPublicationId() || got.GetPartyName() != p.GetPartyName() {
			t.Fatalf("%v, %v", got, err)
		}
	}
	got, err := w.public.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{PublicationId: p.GetPublicationId()})
	v := got.GetPublication().GetVersions()
	if err != nil || len(v) != 3 || v[0].GetTitle() != p.GetTitle() || v[0].GetNote() != "" || v[1].GetNote() != "数额有误" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := w.head.WithdrawPublication(t.Context(), &disclosurev1.WithdrawPublicationRequest{RequestId: uuid.NewString(), PublicationId: p.GetPublicationId(),
		Reason: p.GetPartyName() + "(" + p.GetCreditCode() + "," + p.GetCodes()[0] + ")的数额有误"}); err != nil {
		t.Fatal(err)
	}
	_, err = correct(w.head, "北京市通信管理局决定", "再")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	got, err = w.public.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{PublicationId: p.GetPublicationId()})
	if err != nil || len(got.GetPublication().GetVersions()) != 0 || got.GetPublication().GetWithdrawnReason() != "当事人(***,***)的数额有误" {
		t.Errorf("a tombstone tells its versions or its party: %v, %v", got, err)
	}
	w.clean(t)
}

// Firms stand in the market regulator's register; the term of publication is kept with its proof, and a late one is seen.
func TestRegisterAndTerm(t *testing.T) {
	w := newWorld(t)
	p := w.must(t, penalty, nil)
	if p.GetRegisterAgencyId() != "samr" || p.GetPublishClock().GetBasis() != "publish_20wd" || p.GetPublishClock().GetStatutoryDue() != "2026-05-15T15:59:59Z" {
		t.Errorf("%v %v", p.GetRegisterAgencyId(), p.GetPublishClock())
	}
	if body := w.must(t, penalty, func(r *disclosurev1.PublishRequest) { r.Publication.CreditCode = "51110000000000000A" }); body.GetRegisterAgencyId() != "" {
		t.Errorf("an association stands in the register of firms: %v", body)
	}
	w.set(at("2026-06-01 10:00"))
	w.must(t, penalty, nil)
	late, err := w.au.Audit(t.Context(), &disclosurev1.AuditRequest{What: "late"})
	if v := late.GetViolations(); err != nil || len(v) != 1 || !strings.Contains(v[0], "published late: due 2026-05-15") {
		t.Errorf("%v, %v", late, err)
	}
	w.clean(t)
}
