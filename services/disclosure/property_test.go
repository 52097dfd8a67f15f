package disclosure

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// due is the gate once more, in other words than the service's: what a penalty, a listing or an exposure must have to
// be public.
func due(r *disclosurev1.PublishRequest, now time.Time) bool {
	p, g := r.GetPublication(), r.GetGate()
	known := func(t *timestamppb.Timestamp) bool { return t != nil && t.AsTime().Unix() > 0 }
	if g.GetPerson() || p.GetAgencyName() == "" || p.GetTitle() != p.GetAgencyName()+"公示" {
		return false
	}
	for _, t := range []*timestamppb.Timestamp{g.NoticeTime, g.DecidedTime, g.DeliveredTime, g.WarnedTime, g.ContinuedTime} {
		if known(t) && t.AsTime().Sub(now) > 5*time.Minute {
			return false
		}
	}
	if p.GetKind() == exposure {
		return known(g.WarnedTime) && known(g.ContinuedTime) && g.WarnedTime.AsTime().Before(now) && g.WarnedTime.AsTime().Before(g.ContinuedTime.AsTime())
	}
	process := known(g.NoticeTime) && known(g.DecidedTime) && known(g.DeliveredTime) &&
		!g.DecidedTime.AsTime().Before(g.NoticeTime.AsTime()) && !g.DeliveredTime.AsTime().Before(g.DecidedTime.AsTime())
	if p.GetKind() == listing {
		return process && p.GetLicenceNo() != "" && (p.GetAgencyId() == "miit" || p.GetAgencyId() == "ca-11")
	}
	// a criticism alone is a minor matter, which is in principle not published (信用修复管理办法)
	return process && g.GetSocialImpact() && slices.Contains([]string{"fine", "closure"}, g.GetPenaltyKind()) &&
		(g.GetPenaltyKind() != "fine" || g.GetAmountFen() > 0)
}

// TestNothingPassesWithoutItsGate publishes, corrects, reverses and repairs in any order and with any facts: an item is
// public exactly when its due process was complete and nothing took it back; the audit, which looks at the rows alone,
// agrees every time.
func TestNothingPassesWithoutItsGate(t *testing.T) {
	w := newWorld(t)
	cases := []string{uuid.NewString(), uuid.NewString(), uuid.NewString()}
	rapid.Check(t, func(rt *rapid.T) {
		for i := range cases {
			cases[i] = uuid.NewString()
		}
		public, barred := map[string]bool{}, map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			id := rapid.SampledFrom(cases).Draw(rt, "case")
			kind := rapid.SampledFrom([]string{penalty, listing, exposure}).Draw(rt, "kind")
			key := kind + id
			if rapid.IntRange(0, 3).Draw(rt, "step") == 0 {
				_, err := w.flows.WithdrawByCase(t.Context(), &disclosurev1.WithdrawByCaseRequest{
					RequestId: uuid.NewString(), CaseId: id, Kind: kind, Cause: rapid.SampledFrom([]string{"revoked", "illegal", "error"}).Draw(rt, "cause"),
					CauseTime: timestamppb.New(*w.clock.Load()), Reason: "撤回",
				})
				if err != nil {
					rt.Fatal(err)
				}
				public[key], barred[key] = false, true
				continue
			}
			req := drawRequest(rt, kind, id)
			resp, err := w.flows.Publish(t.Context(), req)
			allowed := due(req, *w.clock.Load()) && !barred[key] || public[key]
			if got := err == nil && resp.GetPublication().GetState() == live; got != allowed {
				rt.Fatalf("public %v, want %v: %v\n%v, %v", got, allowed, req, resp, err)
			}
			if err == nil && resp.GetPublication() == nil && len(resp.GetMissing()) == 0 {
				rt.Fatal("it does not say what is missing")
			}
			public[key] = public[key] || allowed
		}
		w.clean(t)
	})
}

func drawRequest(t *rapid.T, kind, id string) *disclosurev1.PublishRequest {
	moment := func(name string) *timestamppb.Timestamp {
		day := rapid.SampledFrom([]string{"", "2026-04-02 10:00", "2026-04-10 10:00", "2026-04-10 11:00", "2026-04-20 10:00", "2026-07-01 10:00"}).Draw(t, name)
		if day == "" {
			return nil
		}
		return timestamppb.New(at(day))
	}
	often := func(name string) bool { return rapid.IntRange(0, 4).Draw(t, name) > 0 }
	text := func(name, is string) string {
		if often(name) {
			return is
		}
		return ""
	}
	name := text("agency name", "北京市通信管理局")
	return &disclosurev1.PublishRequest{
		RequestId: uuid.NewString(),
		Publication: &disclosurev1.Publication{
			Kind: kind, Title: name + "公示", PartyName: "甲公司", CreditCode: "91110000000000000A", CaseId: id, AgencyName: name,
			AgencyId:  rapid.SampledFrom([]string{"ca-11", "miit", "samr"}).Draw(t, "agency"),
			LicenceNo: text("licence", "B2-1"), Ground: "受到行政处罚",
		},
		Gate: &disclosurev1.Gate{
			NoticeTime: moment("notice"), DecidedTime: moment("decided"), DeliveredTime: moment("delivered"), WarnedTime: moment("warned"),
			ContinuedTime: moment("continued"), SocialImpact: often("impact"), Person: !often("person"),
			PenaltyKind: rapid.SampledFrom([]string{"fine", "criticism", "closure", "warning", "none", ""}).Draw(t, "penalty"),
			AmountFen:   rapid.SampledFrom([]int64{0, 20_000_000}).Draw(t, "fen"),
		},
	}
}
