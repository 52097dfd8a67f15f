package disclosure

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/testkit"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// Every field that the public reads is masked.
func TestPublish_masksEveryField(t *testing.T) {
	w := newWorld(t)
	resp, err := w.ask(t, penalty, func(r *disclosurev1.PublishRequest) {
		p := r.Publication
		p.Title += "+8613800138000"
		p.PartyName, p.Summary, p.DecisionNo, p.LicenceNo = "张三13800138000", "138 0013 8000", "13800138000号", "B2-13800138000"
	})
	if err != nil || resp.GetPublication().GetState() != live {
		t.Fatalf("%v, %v", resp, err)
	}
	p := resp.GetPublication()
	for _, words := range []string{p.GetTitle(), p.GetPartyName(), p.GetSummary(), p.GetDecisionNo(), p.GetLicenceNo()} {
		if !strings.Contains(words, "138****8000") {
			t.Errorf("not masked: %s", words)
		}
	}
}

// exceptMinor makes the rule that minor acts with an impact on society are published.
func (w *world) exceptMinor(t *testing.T) {
	t.Helper()
	_, err := testkit.Owner(t, w.db).Exec(t.Context(), `INSERT INTO minor_exception (penalty_kind, with_impact, source, to_confirm, valid_from)
		VALUES ('', true, 'test', true, '2026-04-01T00:00:00+08:00')`)
	if err != nil {
		t.Fatal(err)
	}
}

// Minor acts are not published since the order came into force, unless a rule makes an exception.
func TestMinorIsNotPublished(t *testing.T) {
	for _, c := range []struct {
		kind       string
		simplified bool
		want       bool
	}{{"criticism", false, false}, {"fine", true, false}, {"fine", false, true}} {
		w := newWorld(t)
		ask := func() *disclosurev1.PublishResponse {
			resp, err := w.ask(t, penalty, func(r *disclosurev1.PublishRequest) {
				r.Gate.PenaltyKind, r.Gate.Simplified = c.kind, c.simplified
			})
			if err != nil {
				t.Fatal(err)
			}
			return resp
		}
		resp := ask()
		if published := resp.GetPublication() != nil; published != c.want || !published && resp.GetNotPublishedBecause() != "minor_not_published" {
			t.Errorf("%s, simplified %v: %v", c.kind, c.simplified, resp)
		}
		w.exceptMinor(t)
		if ask().GetPublication() == nil {
			t.Errorf("%s, simplified %v: no exception", c.kind, c.simplified)
		}
	}
}

// How serious an act is its decision fixes: one from before the order came into force is published as it was then.
func TestMinorIsJudgedByTheDecision(t *testing.T) {
	for decided, want := range map[string]bool{"2026-03-31 10:00": true, "2026-04-02 10:00": false} {
		w := newWorld(t)
		resp, err := w.ask(t, penalty, func(r *disclosurev1.PublishRequest) {
			r.Gate.PenaltyKind, r.Gate.NoticeTime, r.Gate.DecidedTime = "criticism", timestamppb.New(at("2026-03-20 10:00")), timestamppb.New(at(decided))
		})
		if err != nil || (resp.GetPublication() != nil) != want {
			t.Errorf("decided %s: %v, %v", decided, resp, err)
		}
	}
}
