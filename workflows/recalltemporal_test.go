package workflows

import (
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "quietline/proto/quietline/casework/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

func (x *town) begin(kind, subject string) {
	x.t.Helper()
	for range 2 { // twice is once
		resp, err := x.server.Start(x.t.Context(), &caseworkv1.StartRequest{Kind: kind, Items: []*caseworkv1.Startable{{Id: subject, Round: 1}}})
		if err != nil || resp.GetStarted() != 1 {
			x.t.Fatalf("start: %v, %v", resp, err)
		}
	}
}

func (x *town) announced() bool {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	return x.w.matters.recall.GetState() == "NOTICE"
}

// testRealRecall brings a recall to its notice, where the holder objects.
func testRealRecall(t *testing.T, x *town, n int, answer reply, name string) {
	subject := id(n)
	x.w.publishes = true
	x.w.matters = matters{recall: aRecall(), recalled: aResource()}
	x.w.matters.recall.RecallId = subject
	x.begin("recall", subject)
	replies := map[string]reply{"decide_objection": answer}
	x.until(subject, replies, x.announced)
	x.w.object(801)
	if _, err := x.server.NudgeSubject(t.Context(), &caseworkv1.NudgeSubjectRequest{Kind: "recall", Id: subject}); err != nil {
		t.Fatal(err)
	}
	x.until(subject, replies, x.over(recallID(subject)))
	if got, want := x.w.matters.recall.GetState(), map[string]string{upheld: "ABANDONED", dismissed: "RECALLED"}[answer.outcome]; got != want {
		t.Errorf("the recall is %s, want %s", got, want)
	}
	x.events(recallID(subject))
	x.keep(name, recallID(subject))
}

func testRealAppeal(t *testing.T, x *town) {
	subject := id(611)
	x.w.matters = matters{access: "cmcc-44", orderedBy: "wang@ca-44", restore: true, appeal: &ledgerv1.Appeal{
		AppealId: subject, ResourceId: id(900), Restriction: "suspended", Nature: "administrative_order", State: "FILED", FileTime: timestamppb.Now(),
	}}
	x.begin("appeal", subject)
	x.until(subject, nil, x.over(appealID(subject)))
	p := &play{t: t, w: x.w}
	p.want("states", p.appealStates(), "REVIEWING:ca-44/cmcc-44 upheld=true RESTORED")
	x.events(appealID(subject))
	x.keep("appeal-upheld", appealID(subject))
}

func testRealRectification(t *testing.T, x *town) {
	subject := id(613)
	x.w.matters = matters{item: anItem(subject)}
	x.begin("rectification", subject)
	x.until(subject, nil, x.over(rectificationID(subject)))
	if s := x.w.matters.item.GetState(); s != "RECTIFIED" {
		t.Errorf("it is %s", s)
	}
	x.events(rectificationID(subject))
	x.keep("rectification", rectificationID(subject))
}

// testRealMatters are recalls and appeals on a real Temporal. The whole term of a notice lasts half a minute in rehearsal,
// so a recall that is carried out is played only to be recorded.
func testRealMatters(t *testing.T, g *realTemporal) {
	t.Run("abandoned", func(t *testing.T) {
		testRealRecall(t, g.town(t), 610, reply{outcome: upheld, reason: "not_transferred", detail: answeredInWords}, "recall-abandoned")
	})
	t.Run("rectification", func(t *testing.T) { testRealRectification(t, g.town(t)) })
	t.Run("appeal", func(t *testing.T) { testRealAppeal(t, g.town(t)) })
	if *record {
		t.Run("recalled", func(t *testing.T) {
			testRealRecall(t, g.town(t), 612, usual["decide_objection"], "recall-carried-out")
		})
	}
}
