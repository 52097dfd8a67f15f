package workflows

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// anItem is a resource on which a campaign found two things.
func anItem(id string) *ledgerv1.CampaignItem {
	found := func(n int, kind string, days int) *ledgerv1.CampaignFinding {
		due := time.Now().AddDate(0, 0, days)
		return &ledgerv1.CampaignFinding{
			Finding: &ledgerv1.Finding{FindingId: derived(id + kind), Kind: kind, State: "OPEN", DueTime: timestamppb.New(due)},
			Clock:   &commonv1.Clock{StatutoryDue: due.UTC().Format(time.RFC3339)},
		}
	}
	return &ledgerv1.CampaignItem{
		ItemId: id, State: "FOUND", InspectorAgencyId: "ca-44", Resource: &ledgerv1.Resource{ResourceId: id, AccessOperatorId: "cmcc-44"},
		Findings: []*ledgerv1.CampaignFinding{found(1, "purpose_differs", 30), found(2, "caller_not_permitted", 15)},
	}
}

func (f fakeLedger) FollowRectification(context.Context, *ledgerv1.FollowRectificationRequest, ...grpc.CallOption) (*ledgerv1.FollowRectificationResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return &ledgerv1.FollowRectificationResponse{Item: proto.CloneOf(f.w.matters.item)}, nil
}

func (f fakeLedger) RectifyFinding(ctx context.Context, req *ledgerv1.RectifyFindingRequest, _ ...grpc.CallOption) (*ledgerv1.RectifyFindingResponse, error) {
	return once(f.w, req, func() (*ledgerv1.RectifyFindingResponse, error) {
		i, open := f.w.matters.item, 0
		for _, x := range i.GetFindings() {
			if x.GetFinding().GetFindingId() == req.GetFindingId() {
				x.Finding.State = "RECTIFIED " + identity.ActorOf(ctx).GetAgencyId()
			}
			if x.GetFinding().GetState() == "OPEN" {
				open++
			}
		}
		if open == 0 {
			i.State = "RECTIFIED"
		}
		return &ledgerv1.RectifyFindingResponse{Item: proto.CloneOf(i)}, nil
	})
}

func TestRectification(t *testing.T) {
	for name, c := range map[string]struct {
		replies map[string][]reply
		ends    string // the line's state, changed while the first task is open
		tasks   string
		state   string
	}{
		"put right":                    {nil, "", "audit_rectify@cmcc-44 audit_accept@ca-44", "RECTIFIED"},
		"not good enough":              {map[string][]reply{"audit_accept": {{outcome: returned, reason: "still_calls"}, {outcome: confirmed}}}, "", "audit_rectify@cmcc-44 audit_accept@ca-44 audit_rectify@cmcc-44 audit_accept@ca-44", "RECTIFIED"},
		"the line is closed":           {map[string][]reply{"audit_rectify": {{outcome: rectified, after: 1000 * time.Hour}}}, "CLOSED", "audit_rectify@cmcc-44", "CLOSED"},
		"over before":                  {nil, "ENDED", "", "ENDED"},
		"not to be put right":          {map[string][]reply{"audit_rectify": {{outcome: notRectified, reason: "line_given_up"}}}, "later", "audit_rectify@cmcc-44", "CLOSED"},
		"given back, and nobody tells": {map[string][]reply{"audit_rectify": {{outcome: notRectified, reason: "line_given_up"}}}, "silently", "audit_rectify@cmcc-44", "ENDED"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t, rectificationID(id(602)))
			p.w.matters.item = anItem(id(602))
			if c.replies != nil {
				p.replies = c.replies
			}
			change := func(state string) {
				p.w.mu.Lock()
				p.w.matters.item.State = state
				p.w.mu.Unlock()
			}
			closed := func() { change("CLOSED"); p.env.SignalWorkflow(signalNudge, nil) }
			switch c.ends {
			case "ENDED":
				change("ENDED")
			case "CLOSED":
				p.env.RegisterDelayedCallback(closed, time.Hour)
			case "silently":
				p.env.RegisterDelayedCallback(func() { change("ENDED") }, 2000*time.Hour)
			case "later":
				p.env.RegisterDelayedCallback(closed, 2000*time.Hour)
			}
			p.env.ExecuteWorkflow(Rectification, &caseworkv1.RectificationInput{ItemId: id(602), Profile: Statutory})
			p.ended()
			p.want("tasks", p.tasks(), c.tasks)
			p.want("state", p.w.matters.item.GetState(), c.state)
			if c.state == "RECTIFIED" {
				for _, f := range p.w.matters.item.GetFindings() {
					p.want("rectified by the inspector", f.GetFinding().GetState(), "RECTIFIED ca-44")
				}
			}
		})
	}
}
