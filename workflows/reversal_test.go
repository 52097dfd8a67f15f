package workflows

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// ResumeResource answers by what stands in the resource's identifier.
func (f fakeLedger) ResumeResource(_ context.Context, req *ledgerv1.ResumeResourceRequest, _ ...grpc.CallOption) (*ledgerv1.ResumeResourceResponse, error) {
	if req.GetResourceId() == id(905) {
		return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no such resource")
	}
	return once(f.w, req, func() (*ledgerv1.ResumeResourceResponse, error) {
		f.w.planner.lifted = append(f.w.planner.lifted, req)
		state := map[string]string{id(902): "SUSPENDED", id(903): "ENDED"}[req.GetResourceId()]
		return &ledgerv1.ResumeResourceResponse{
			TakenBack: req.GetResourceId() != id(904), Resource: &ledgerv1.Resource{State: orElse(state, "ACTIVE")},
		}, nil
	})
}

func (f fakeReporting) TellReversal(_ context.Context, req *reportingv1.TellReversalRequest, _ ...grpc.CallOption) (*reportingv1.TellReversalResponse, error) {
	return once(f.w, req, func() (*reportingv1.TellReversalResponse, error) {
		f.w.planner.taken = append(f.w.planner.taken, req)
		return &reportingv1.TellReversalResponse{Told: 1}, nil
	})
}

func (f fakeReporting) KeepDisclosure(_ context.Context, req *reportingv1.KeepDisclosureRequest, _ ...grpc.CallOption) (*reportingv1.KeepDisclosureResponse, error) {
	return once(f.w, req, func() (*reportingv1.KeepDisclosureResponse, error) {
		f.w.planner.kept = append(f.w.planner.kept, req.GetComplaintId()+" "+req.GetDisclosure())
		return &reportingv1.KeepDisclosureResponse{Kept: true}, nil
	})
}

// A publication reaches the complaints of its case that are at their end; where nothing was published there is nothing to keep.
func TestCase_publicationReachesClosedComplaints(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.w.planner = &planner{complaints: []*enforcementv1.AttachedComplaint{{ComplaintId: id(1), Round: 1}, {ComplaintId: id(2), Round: 3}}}
	p.runCase(func(o *planner) *enforcementv1.CasePlan {
		plan := &enforcementv1.CasePlan{Ended: len(o.effects) > 0, Complaints: o.complaints}
		for n, disclosure := range []string{"case_published:7", "warning_only"} {
			if !plan.GetEnded() {
				plan.Effects = append(plan.Effects, &enforcementv1.PlannedEffect{
					Key: effectTell + strings.Repeat("/", n), Kind: effectTell, Facts: map[string]string{"outcome": "penalty", "disclosure": disclosure},
				})
			}
		}
		return plan
	})
	p.want("kept", strings.Join(p.w.planner.kept, ", "), id(1)+" case_published:7, "+id(2)+" case_published:7")
}

// A reversal reaches the ledger, by the order that fell and the agency that gave it, and the reporters, whether or not a
// workflow of their complaint runs.
func TestCase_reversalReachesLedgerAndReporters(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.w.planner = &planner{complaints: []*enforcementv1.AttachedComplaint{{ComplaintId: id(1), Round: 1}, {ComplaintId: id(2), Round: 3}}}
	p.runCase(func(o *planner) *enforcementv1.CasePlan {
		plan := &enforcementv1.CasePlan{Ended: len(o.effects) > 0, Complaints: o.complaints}
		if plan.GetEnded() {
			return plan
		}
		for n, resource := range []string{id(901), id(902), id(903), id(904), id(905), ""} {
			facts := map[string]string{"resource_id": resource, "task_id": id(910 + n), "agency_id": "ca-44"}
			plan.Effects = append(plan.Effects, &enforcementv1.PlannedEffect{Key: effectRestore + "/9" + strings.Repeat("/", n), Kind: effectRestore, Facts: facts})
		}
		plan.Effects = append(plan.Effects, &enforcementv1.PlannedEffect{
			Key: "tell_complaints/9", Kind: effectTell, Facts: map[string]string{"outcome": reversal, "withdrawn": "case_published:7"},
		})
		return plan
	})
	p.want("effects", strings.Join(p.w.planner.effects, " "), "restore_resource:restored restore_resource:restricted_otherwise "+
		"restore_resource:nothing_there restore_resource:nothing_there restore_resource:refused:NOT_FOUND restore_resource:nothing_there tell_complaints:done")
	if r := p.w.planner.lifted[0]; r.GetTaskId() != id(910) || r.GetAgencyId() != "ca-44" || r.GetReasonCode() != decisionWasReversed || !strings.Contains(r.GetBasis(), id(501)) {
		t.Errorf("lifted by %v", r)
	}
	if told := p.w.planner.taken; len(told) != 2 || told[1].GetComplaintId() != id(2) || told[1].GetRound() != 3 || told[0].GetDisclosure() != "case_published:7" ||
		told[0].GetOffice() != "name of nfra-44" {
		t.Errorf("told: %v", told)
	}
	p.want("signals", strings.Join(p.w.signals, ", "), complaintID(id(1), 1)+" CaseEnded, "+complaintID(id(2), 3)+" CaseEnded")
}

// A complaint that is watched has the publication no more when the decision of its case is taken back.
func TestComplaint_caseReversedLater(t *testing.T) {
	c := &complaint{}
	c.caseEnded(&caseworkv1.CaseEnded{CaseId: id(501), Outcome: "penalty", Disclosure: "case_published:7"})
	c.caseEnded(&caseworkv1.CaseEnded{CaseId: id(501), Outcome: reversal})
	c.caseEnded(&caseworkv1.CaseEnded{CaseId: id(502), Outcome: "no_penalty", Disclosure: ""})
	if got := c.disclosure(onlyCase); len(c.endedCases) != 2 || got != caseReversed {
		t.Errorf("%d cases, disclosed %q", len(c.endedCases), got)
	}
}

// Each change of a decision, and its fall, takes the listing back by a request of its own; the same again is the same.
func TestDelist_eachTime(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	c := &enforcementv1.Case{CaseId: id(501)}
	takes := func(want int) {
		t.Helper()
		for range 2 {
			if _, err := p.acts.delist(t.Context(), c); err != nil || len(p.w.lists.withdrawn) != want {
				t.Errorf("%d withdrawals, want %d: %v", len(p.w.lists.withdrawn), want, err)
			}
		}
	}
	c.ChangeTime = timestamppb.New(monday)
	takes(1)
	c.ChangeTime = timestamppb.New(monday.Add(time.Hour))
	takes(2)
	c.ReverseTime = timestamppb.New(monday.Add(2 * time.Hour))
	takes(3)
}
