package workflows

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/phone"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

func (w *world) firstCall() *timestamppb.Timestamp {
	if w.called.IsZero() {
		return nil
	}
	return timestamppb.New(w.called)
}

// GetServingOperator answers as the ledger does: its own entry, else what it was told, else the segment.
func (f fakeLedger) GetServingOperator(_ context.Context, req *ledgerv1.GetServingOperatorRequest, _ ...grpc.CallOption) (*ledgerv1.GetServingOperatorResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.ledgerAsked++
	n := f.w.number
	resp := &ledgerv1.GetServingOperatorResponse{AllocatedCarrier: n.GetAllocatedCarrier(), Source: ledgerv1.ServingSource_SERVING_SOURCE_UNKNOWN}
	if n.GetAllocatedCarrier() != "" {
		resp.Source, resp.OperatorId = ledgerv1.ServingSource_SERVING_SOURCE_SEGMENT, n.GetAllocatedCarrier()+"-"+n.GetProvince()
	}
	for _, p := range f.w.portings {
		if p.GetNumber() == req.GetNumber() && !p.GetAt().AsTime().After(req.GetAt().AsTime()) {
			resp.Source, resp.OperatorId = ledgerv1.ServingSource_SERVING_SOURCE_PORTABILITY, p.GetOperatorId()
		}
	}
	if f.w.resource != nil {
		resp.Source, resp.OperatorId = ledgerv1.ServingSource_SERVING_SOURCE_LEDGER_ACCESS, f.w.resource.GetAccessOperatorId()
	}
	return resp, nil
}

func (f fakeLedger) RecordPorting(_ context.Context, req *ledgerv1.RecordPortingRequest, _ ...grpc.CallOption) (*ledgerv1.RecordPortingResponse, error) {
	return once(f.w, req, func() (*ledgerv1.RecordPortingResponse, error) {
		if f.w.refusePorting {
			return nil, errs.Field("number", "no")
		}
		f.w.portings = append(f.w.portings, req)
		return &ledgerv1.RecordPortingResponse{}, nil
	})
}

var mobileOf138 = commonv1.Number{Displayed: "13800001234", Normal: "13800001234", Kind: phone.Mobile, Province: "44", AllocatedCarrier: "cmcc"}

// "Ported to" re-routes and is no bounce; the next complaint about the number goes to the right operator at once, and its
// tasks say how that is known.
func TestComplaint_portingIsLearned(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.w.number, p.w.resource, p.w.called = &mobileOf138, nil, time.Date(2026, 10, 15, 2, 0, 0, 0, time.UTC)
	p.replies["number_check"] = []reply{portedTo("ctcc"), portedTo("cucc"), {outcome: found}}
	p.run()
	p.want("tasks", p.tasks(), "preserve@cmcc-44 number_check@cmcc-44 number_check@ctcc number_check@cucc fact_check@nfra-44 handle@nfra-44")
	p.want("source", p.w.tasks[1].GetFacts()["serving_source"], "segment")
	if len(p.w.designating) != 0 {
		t.Errorf("%d bounces", len(p.w.designating))
	}
	if len(p.w.portings) != 2 || !p.w.portings[1].GetAt().AsTime().Equal(p.w.called) || p.w.portings[1].GetNumber() != "13800001234" {
		t.Fatalf("the ledger was told %v", p.w.portings)
	}

	next := newPlay(t, complaintID(id(1), 1))
	next.w.number, next.w.resource, next.w.called = &mobileOf138, nil, p.w.called.Add(time.Hour)
	next.w.portings = p.w.portings
	next.run()
	next.want("tasks", next.tasks(), "preserve@cucc number_check@cucc fact_check@nfra-44 handle@nfra-44")
	next.want("source", next.w.tasks[1].GetFacts()["serving_source"], "portability")

	before := newPlay(t, complaintID(id(1), 1)) // a call before what the answer was about says nothing
	before.w.number, before.w.resource, before.w.called = &mobileOf138, nil, p.w.called.Add(-time.Hour)
	before.w.portings = p.w.portings
	before.run()
	before.want("tasks", before.tasks(), "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44")
}

// "Ported to" about a merged number is learned of that number, from its own first call on.
func TestRecord_portingOfMergedNumber(t *testing.T) {
	w := newWorld()
	of, first := proto.CloneOf(&mobileOf138), time.Date(2026, 9, 20, 2, 0, 0, 0, time.UTC)
	of.Normal = "13800005678"
	a := w.activities()
	a.Reporting = withNumbers{fakeReporting{w: w}, &[]*reportingv1.MergedNumber{{Number: of, FirstCallTime: timestamppb.New(first), ReportId: id(951)}}}
	err := a.learnPorting(t.Context(), recording{
		Task:     &assignmentv1.Task{SubjectKind: "complaint", SubjectId: id(1), Step: "number_check", Facts: map[string]string{factReport: id(951)}},
		Decision: &assignmentv1.Decision{RequestKey: "1", Outcome: ported, Detail: &assignmentv1.DecisionDetail{PortedTo: "ctcc"}},
	})
	if err != nil || len(w.portings) != 1 || w.portings[0].GetNumber() != "13800005678" || !w.portings[0].GetAt().AsTime().Equal(first) {
		t.Errorf("the ledger was told %v, %v", w.portings, err)
	}
}

// A province that was only inferred decides nobody's competence; one by area code or place data does.
func TestComplaint_inferredPlaceIsNoRegion(t *testing.T) {
	for basis, want := range map[string]string{phone.BasisInferred: "", phone.BasisSegment: "44", phone.BasisArea: "44"} {
		p := newPlay(t, complaintID(id(1), 1))
		n := proto.CloneOf(&mobileOf138)
		n.PlaceBasis = basis
		p.w.number, p.w.resource = n, nil
		p.run()
		if len(p.w.routes) == 0 {
			t.Fatal("no route was asked for")
		}
		for _, r := range p.w.routes {
			if r.GetNumberProvince() != want {
				t.Errorf("by %s: routed for province %q, want %q", basis, r.GetNumberProvince(), want)
			}
		}
	}
}

// A porting that the ledger does not take keeps nobody from deciding.
func TestRecord_refusedPorting(t *testing.T) {
	w := newWorld()
	w.number, w.refusePorting, w.called = &mobileOf138, true, time.Date(2026, 10, 15, 2, 0, 0, 0, time.UTC)
	w.tasks = []*assignmentv1.Task{{TaskId: id(800), State: "OPEN"}}
	r := deciding(stepNumberCheck, ported, nil, &assignmentv1.DecisionDetail{PortedTo: "ctcc"})
	r.Task.AgencyId = "cmcc-44"
	if _, err := w.activities().Record(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if len(w.decisions) != 1 || len(w.portings) != 0 {
		t.Errorf("%d decisions, %d portings", len(w.decisions), len(w.portings))
	}
}

// Nobody asks the ledger about a number that is forged by its form: whoever holds the code it imitates is not concerned.
func TestComplaint_forgedNumberHasNoHolder(t *testing.T) {
	for _, displayed := range []string{"+8695588", "008695588", "0095588", "86 95588", "+8610086", "+86110"} {
		p := newPlay(t, complaintID(id(1), 1))
		p.w.number = phone.Parse(displayed)
		p.w.resource.Holder.AgencyId = "cmcc-44"
		p.run()
		if !phone.Forged(p.w.number.GetKind()) || p.w.number.GetReason() == "" {
			t.Fatalf("%s is %s", displayed, p.w.number.GetKind())
		}
		p.want("closed", p.w.closed, forged)
		if p.w.ledgerAsked > 0 {
			t.Errorf("%s: the ledger was asked %d times", displayed, p.w.ledgerAsked)
		}
		for _, task := range p.w.tasks {
			if f := task.GetFacts(); f["resource_id"] != "" || f[factParty] != "" {
				t.Errorf("%s: the task %s names the holder: %v", displayed, task.GetStep(), f)
			}
		}
		for _, r := range p.w.routes {
			if r.GetPartyAgencyId() != "" || r.GetHolderId() != "" || r.GetHolderSector() != "" {
				t.Errorf("%s: routed by the true holder: %v", displayed, r)
			}
		}
		if n := len(p.w.findings) + len(p.w.measures) + len(p.w.suspended) + len(p.w.opened) + len(p.w.listed) + len(p.w.published) + len(p.w.portings); n > 0 {
			t.Errorf("%s: %d effects on somebody", displayed, n)
		}
	}
}
