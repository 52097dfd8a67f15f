package workflows

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/errs"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

type fakeReporting struct {
	reportingv1.ReportingServiceClient
	w *world
}

func (f fakeReporting) BeginRound(_ context.Context, req *reportingv1.BeginRoundRequest, _ ...grpc.CallOption) (*reportingv1.BeginRoundResponse, error) {
	return &reportingv1.BeginRoundResponse{
		Current: f.w.current, UnverifiedOnly: f.w.unverified, ToLead: f.w.toLead, FirstCallTime: f.w.firstCall(),
	}, nil
}

func (f fakeReporting) GetFacts(_ context.Context, req *reportingv1.GetFactsRequest, _ ...grpc.CallOption) (*reportingv1.GetFactsResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	resp := &reportingv1.GetFactsResponse{
		Complaint: &reportingv1.Complaint{Number: f.w.number, Round: f.w.round, State: "OPEN", ReportCount: int32(len(f.w.reports))},
		Reports:   f.w.reports, Supplemented: f.w.supplemented, AllWithdrawn: f.w.withdrawn, Clue: f.w.clue,
		ReportersOperatorId: f.w.reportersAt, FirstCallTime: f.w.firstCall(),
	}
	if len(f.w.findings) > 0 {
		resp.Unchecked = f.w.unchecked
	}
	f.w.chosen(req, resp)
	return resp, nil
}

func (f fakeReporting) AdvanceComplaint(_ context.Context, req *reportingv1.AdvanceComplaintRequest, _ ...grpc.CallOption) (*reportingv1.AdvanceComplaintResponse, error) {
	return once(f.w, req, func() (*reportingv1.AdvanceComplaintResponse, error) {
		f.w.advances = append(f.w.advances, req)
		if f.w.newRound && f.w.watched != nil {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "another round")
		}
		return &reportingv1.AdvanceComplaintResponse{AllWithdrawn: f.w.withdrawn}, nil
	})
}

func (f fakeReporting) RecordClassification(_ context.Context, req *reportingv1.RecordClassificationRequest, _ ...grpc.CallOption) (*reportingv1.RecordClassificationResponse, error) {
	return once(f.w, req, func() (*reportingv1.RecordClassificationResponse, error) {
		f.w.classified = append(f.w.classified, req)
		return &reportingv1.RecordClassificationResponse{
			Category: orElse(req.GetCategory(), f.w.category), Sector: orElse(req.GetSector(), f.w.sector),
			Confidence: f.w.confidence, OtherSectors: f.w.otherSectors,
		}, nil
	})
}

func (f fakeReporting) RecordFindings(_ context.Context, req *reportingv1.RecordFindingsRequest, _ ...grpc.CallOption) (*reportingv1.RecordFindingsResponse, error) {
	return once(f.w, req, func() (*reportingv1.RecordFindingsResponse, error) {
		if len(f.w.findings) > 0 {
			f.w.unchecked = 0
		}
		f.w.findings = append(f.w.findings, req.GetFindings()...)
		return &reportingv1.RecordFindingsResponse{}, nil
	})
}

func (f fakeReporting) GiveFeedback(_ context.Context, req *reportingv1.GiveFeedbackRequest, _ ...grpc.CallOption) (*reportingv1.GiveFeedbackResponse, error) {
	return once(f.w, req, func() (*reportingv1.GiveFeedbackResponse, error) {
		f.w.feedback = append(f.w.feedback, req.GetStage()+":"+req.GetCode())
		if req.GetStage() == supplementDue {
			f.w.supplemented = f.w.answersAtOnce // what came before is no answer
		}
		return &reportingv1.GiveFeedbackResponse{}, nil
	})
}

func (f fakeReporting) StartWatching(_ context.Context, req *reportingv1.StartWatchingRequest, _ ...grpc.CallOption) (*reportingv1.StartWatchingResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if f.w.joins > 0 {
		f.w.joins--
		return &reportingv1.StartWatchingResponse{}, nil
	}
	f.w.watched = req
	return &reportingv1.StartWatchingResponse{Watching: true}, nil
}

func (f fakeReporting) CloseComplaint(_ context.Context, req *reportingv1.CloseComplaintRequest, _ ...grpc.CallOption) (*reportingv1.CloseComplaintResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if f.w.closeJoins > 0 {
		f.w.closeJoins--
		reason := commonv1.ErrorReason_ERROR_REASON_FEEDBACK_MISSING
		if req.GetResult() == withdrawn || req.GetResult() == notAccepted {
			reason = commonv1.ErrorReason_ERROR_REASON_WRONG_STATE
			f.w.withdrawn = false
		}
		return nil, errs.New(codes.FailedPrecondition, reason, "somebody joined")
	}
	for _, t := range f.w.tasks {
		if t.GetState() == "OPEN" && f.w.watched != nil {
			return nil, fmt.Errorf("closed with the task %s open", t.GetStep())
		}
	}
	if f.w.newRound {
		return &reportingv1.CloseComplaintResponse{}, nil
	}
	f.w.closed = req.GetResult()
	return &reportingv1.CloseComplaintResponse{Closed: true}, nil
}

func (f fakeReporting) ListUnstarted(_ context.Context, req *reportingv1.ListUnstartedRequest, _ ...grpc.CallOption) (*reportingv1.ListUnstartedResponse, error) {
	if req.GetPageToken() == "" {
		return &reportingv1.ListUnstartedResponse{Complaints: []*reportingv1.Unstarted{{ComplaintId: id(1), Round: 1}}, NextPageToken: "more"}, nil
	}
	return &reportingv1.ListUnstartedResponse{Complaints: []*reportingv1.Unstarted{{ComplaintId: id(2), Round: 3}}}, nil
}

type fakeEnforcement struct {
	enforcementv1.EnforcementServiceClient
	w *world
}

var catalogue = []*enforcementv1.Measure{
	{Code: "warn_holder", Executor: "self"},
	{Code: "warn_on_record", Executor: "self", LedgerAction: "warn", Nature: "administrative_order", Basis: "工作方案"},
	{Code: "rectify_order", Executor: "self", Weighs: true},
	{Code: "suspend_number", Executor: "operator", Weighs: true, LedgerAction: "suspend", Nature: "administrative_order", Basis: "电信条例"},
	{Code: "mark_risk", Executor: "operator", Nature: "operator_measure"},
}

func (f fakeEnforcement) ListMeasures(context.Context, *enforcementv1.ListMeasuresRequest, ...grpc.CallOption) (*enforcementv1.ListMeasuresResponse, error) {
	return &enforcementv1.ListMeasuresResponse{Measures: catalogue}, nil
}

func (f fakeEnforcement) CheckMeasures(context.Context, *enforcementv1.CheckMeasuresRequest, ...grpc.CallOption) (*enforcementv1.CheckMeasuresResponse, error) {
	return &enforcementv1.CheckMeasuresResponse{}, nil
}

func (f fakeEnforcement) RecordFinding(_ context.Context, req *enforcementv1.RecordFindingRequest, _ ...grpc.CallOption) (*enforcementv1.RecordFindingResponse, error) {
	return once(f.w, req, func() (*enforcementv1.RecordFindingResponse, error) {
		f.w.found = append(f.w.found, req)
		return &enforcementv1.RecordFindingResponse{}, nil
	})
}

func (f fakeEnforcement) RecordMeasure(_ context.Context, req *enforcementv1.RecordMeasureRequest, _ ...grpc.CallOption) (*enforcementv1.RecordMeasureResponse, error) {
	return once(f.w, req, func() (*enforcementv1.RecordMeasureResponse, error) {
		f.w.measures = append(f.w.measures, req)
		return &enforcementv1.RecordMeasureResponse{}, nil
	})
}

func (f fakeEnforcement) OpenCase(_ context.Context, req *enforcementv1.OpenCaseRequest, _ ...grpc.CallOption) (*enforcementv1.OpenCaseResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.opened = append(f.w.opened, req)
	return &enforcementv1.OpenCaseResponse{CaseId: id(500 + len(f.w.opened)), Opened: true, EndedOutcome: f.w.endedOutcome}, nil
}

func (f fakeEnforcement) GetCase(_ context.Context, req *enforcementv1.GetCaseRequest, _ ...grpc.CallOption) (*enforcementv1.GetCaseResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return &enforcementv1.GetCaseResponse{Case: &enforcementv1.Case{
		CaseId: req.GetCaseId(), AgencyId: "nfra-44", State: "OPENED", Decision: f.w.decided,
		Party: &enforcementv1.Party{Name: "某公司", CreditCode: "91440000000000000X"},
	}}, nil
}

func (f fakeEnforcement) AdvanceCase(_ context.Context, req *enforcementv1.AdvanceCaseRequest, _ ...grpc.CallOption) (*enforcementv1.AdvanceCaseResponse, error) {
	return once(f.w, req, func() (*enforcementv1.AdvanceCaseResponse, error) {
		f.w.caseStates = append(f.w.caseStates, req.GetState())
		if req.GetState() == "NOTICE_SERVED" {
			f.w.notices = append(f.w.notices, req.GetTaskId())
		}
		return &enforcementv1.AdvanceCaseResponse{}, nil
	})
}

func (f fakeEnforcement) DecideCase(_ context.Context, req *enforcementv1.DecideCaseRequest, _ ...grpc.CallOption) (*enforcementv1.DecideCaseResponse, error) {
	return once(f.w, req, func() (*enforcementv1.DecideCaseResponse, error) {
		f.w.decided = req.GetDecision()
		f.w.caseStates = append(f.w.caseStates, "DECIDED")
		return &enforcementv1.DecideCaseResponse{}, nil
	})
}

func (f fakeEnforcement) CloseCase(context.Context, *enforcementv1.CloseCaseRequest, ...grpc.CallOption) (*enforcementv1.CloseCaseResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.caseStates = append(f.w.caseStates, "CLOSED")
	outcome := "penalty"
	if f.w.decided.GetPenalty().GetKind() == "none" {
		outcome = "no_penalty"
	}
	return &enforcementv1.CloseCaseResponse{Complaints: f.w.caseComplaint, Outcome: outcome}, nil
}

func (f fakeEnforcement) ListUnstarted(context.Context, *enforcementv1.ListUnstartedRequest, ...grpc.CallOption) (*enforcementv1.ListUnstartedResponse, error) {
	return &enforcementv1.ListUnstartedResponse{CaseIds: []string{id(3)}}, nil
}

type fakeDisclosure struct {
	disclosurev1.DisclosureServiceClient
	w *world
}

func (f fakeDisclosure) Publish(_ context.Context, req *disclosurev1.PublishRequest, _ ...grpc.CallOption) (*disclosurev1.PublishResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.published = append(f.w.published, req)
	if req.GetPublication().GetKind() == kindServiceNotice {
		if f.w.exposed.refused {
			f.w.exposed.refused = false
			return &disclosurev1.PublishResponse{Missing: []*disclosurev1.MissingCondition{{Code: "natural_person", Words: "x", Article: "y"}}}, nil
		}
		return &disclosurev1.PublishResponse{Publication: &disclosurev1.Publication{PublicationId: id(701), PublishTime: f.w.clock()}}, nil
	}
	if !f.w.publishes {
		return &disclosurev1.PublishResponse{NotPublishedBecause: "no_social_impact"}, nil
	}
	return &disclosurev1.PublishResponse{Publication: &disclosurev1.Publication{PublicationId: id(700), PublishTime: f.w.clock()}}, nil
}

// fakeRuns stands in for Temporal's side: what is started and told.
type fakeRuns struct{ w *world }

func (f fakeRuns) StartCase(_ context.Context, id string) (bool, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.started = append(f.w.started, caseID(id))
	return true, nil
}

func (f fakeRuns) Decide(_ context.Context, workflowID, _ string, in *caseworkv1.DecideInput) (*caseworkv1.DecideResponse, error) {
	if workflowID == "" {
		return nil, status.Error(codes.Unavailable, "away")
	}
	f.w.retold = append(f.w.retold, in)
	return &caseworkv1.DecideResponse{}, nil
}

func (f fakeRuns) StartComplaint(_ context.Context, id string, round int32) (bool, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.started = append(f.w.started, complaintID(id, round))
	return true, nil
}

func (f fakeRuns) Signal(_ context.Context, workflowID, name string, _ any) error {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.signals = append(f.w.signals, workflowID+" "+name)
	return nil
}
