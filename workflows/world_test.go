package workflows

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// world stands in for the six owners, in memory: plain structs with the shapes of the generated clients. It keeps what the
// workflows write and answers repeats of a request ID like the owners do.
type world struct {
	matters matters
	lists   lists
	exposed exposed
	planner *planner // of the one case
	untaken []*assignmentv1.UntakenDecision
	taken   []string
	retold  []*caseworkv1.DecideInput

	mu       sync.Mutex
	requests map[string]string // request ID -> what was sent with it

	// what the tests set
	number        *commonv1.Number
	reports       []*reportingv1.ReportFacts
	unchecked     int32 // reports that wait for a finding once the first findings are in
	joins         int   // how often StartWatching finds somebody without feedback
	closeJoins    int   // the same for CloseComplaint
	reportersAt   string
	answersAtOnce bool // a supplement is there when it has been asked for
	withdrawn     bool
	clue          bool // marks opened it, and nobody has reported it
	supplemented  bool
	current       bool // BeginRound
	round         int32
	toLead        bool
	unverified    bool
	newRound      bool // CloseComplaint finds a new round
	category      string
	sector        string
	confidence    float64
	otherSectors  []string
	unsettled     bool // the table settles no competence for marketing
	checkBasis    string
	handleBasis   string
	evidence      []*reportingv1.EvidenceFacts
	resource      *ledgerv1.Resource
	refuse        func(*assignmentv1.Decision) error
	outage        int          // next calls of RecordDecision that fail for now
	onOpen        func(string) // told of each step that is opened
	endedOutcome  string
	publishes     bool
	caseComplaint []*enforcementv1.AttachedComplaint

	// what they look at
	tasks         []*assignmentv1.Task
	decisions     []*assignmentv1.RecordDecisionRequest
	escalations   []string
	feedback      []string
	advances      []*reportingv1.AdvanceComplaintRequest
	findings      []*reportingv1.Finding
	measures      []*enforcementv1.RecordMeasureRequest
	found         []*enforcementv1.RecordFindingRequest
	suspended     []*ledgerv1.SuspendResourceRequest
	observed      []*ledgerv1.RecordObservationRequest
	opened        []*enforcementv1.OpenCaseRequest
	started       []string
	signals       []string
	watched       *reportingv1.StartWatchingRequest
	closed        string
	routes        []*assignmentv1.RouteRequest
	kept          []*assignmentv1.RouteComplaintRequest
	caseStates    []string
	notices       []string // tasks of the notices served
	decided       *enforcementv1.CaseDecision
	listed        []*creditv1.ListPartyRequest
	published     []*disclosurev1.PublishRequest
	digests       []*disclosurev1.RecordDigestRequest
	frozen        []*disclosurev1.FreezeCountsRequest
	cards         string // what scorecards were made of
	classified    []*reportingv1.RecordClassificationRequest
	designating   []*assignmentv1.DesignateRequest
	portings      []*ledgerv1.RecordPortingRequest // answers "ported to" that the ledger keeps
	ledgerAsked   int                              // questions of who holds a number
	refusePorting bool
	called        time.Time // first call; zero is not told

	notBefore func(step string, level int32) time.Time // not zero: a task that is not overdue yet
}

func newWorld() *world {
	return &world{
		requests: map[string]string{}, current: true, round: 1,
		number:  &commonv1.Number{Displayed: "95001234", Normal: "95001234", Kind: "code95_callcentre"},
		reports: []*reportingv1.ReportFacts{report(1, "推销贷款")}, category: commercial, sector: "loans", confidence: 0.9,
		resource: &ledgerv1.Resource{ResourceId: id(900), AccessOperatorId: "cmcc-44", AccessProvince: "44", Holder: &ledgerv1.Holder{HolderId: id(901)}},
	}
}

func (w *world) owners() Owners {
	return Owners{
		Reporting: fakeReporting{w: w}, Assignment: fakeAssignment{w: w}, Ledger: fakeLedger{w: w},
		Credit: fakeCredit{w: w}, Enforcement: fakeEnforcement{w: w}, Disclosure: fakeDisclosure{w: w},
	}
}

func id(n int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", n) }

func report(n int, text string) *reportingv1.ReportFacts {
	return &reportingv1.ReportFacts{Text: text, Report: &reportingv1.Report{ReportId: id(n), ReporterProvince: "11"}}
}

// once holds writes to their contract: a request ID is one request for ever; a repeat changes nothing.
func once[R any](w *world, req interface {
	proto.Message
	GetRequestId() string
}, write func() (R, error)) (R, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	raw, _ := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	var none R
	if was, ok := w.requests[req.GetRequestId()]; ok {
		if was != string(raw) {
			return none, errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED, "another request")
		}
		return none, nil
	}
	out, err := write()
	if err == nil {
		w.requests[req.GetRequestId()] = string(raw)
	}
	return out, err
}

func (w *world) task(taskID string) *assignmentv1.Task {
	i := slices.IndexFunc(w.tasks, func(t *assignmentv1.Task) bool { return t.GetTaskId() == taskID })
	if i < 0 {
		return nil
	}
	return w.tasks[i]
}

type fakeAssignment struct {
	assignmentv1.AssignmentServiceClient
	w *world
}

func (f fakeAssignment) TakeDecisions(_ context.Context, req *assignmentv1.TakeDecisionsRequest, _ ...grpc.CallOption) (*assignmentv1.TakeDecisionsResponse, error) {
	f.w.taken = append(f.w.taken, req.GetTaskIds()...)
	return &assignmentv1.TakeDecisionsResponse{}, nil
}

func (f fakeAssignment) ListUntaken(context.Context, *assignmentv1.ListUntakenRequest, ...grpc.CallOption) (*assignmentv1.ListUntakenResponse, error) {
	return &assignmentv1.ListUntakenResponse{Decisions: f.w.untaken}, nil
}

func (f fakeAssignment) GetAgency(_ context.Context, req *assignmentv1.GetAgencyRequest, _ ...grpc.CallOption) (*assignmentv1.GetAgencyResponse, error) {
	a := &assignmentv1.Agency{AgencyId: req.GetAgencyId(), Name: "name of " + req.GetAgencyId(), Assignable: true, Kind: "provincial_body", SuperiorId: "miit"}
	switch req.GetAgencyId() {
	case "cmcc", "ctcc", "cucc":
		a.Kind = "operator"
	case "cmcc-44", "cmcc-11":
		a.Kind, a.SuperiorId = "operator_branch", "cmcc"
		a.Province = strings.TrimPrefix(a.GetAgencyId(), "cmcc-")
	case "mps-44":
		a.Kind = "police"
	case "centre-12321":
		a.Kind = "centre"
	case "spc":
		a.Kind, a.Assignable = "ministry", false
	case "nowhere":
		return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no such agency")
	}
	return &assignmentv1.GetAgencyResponse{Agency: a}, nil
}

func (f fakeAssignment) ClassifyReports(_ context.Context, req *assignmentv1.ClassifyReportsRequest, _ ...grpc.CallOption) (*assignmentv1.ClassifyReportsResponse, error) {
	resp := &assignmentv1.ClassifyReportsResponse{Threshold: 0.6}
	for range req.GetReports() {
		resp.Classes = append(resp.Classes, &assignmentv1.Class{Category: f.w.category, Sector: f.w.sector, Confidence: f.w.confidence})
	}
	return resp, nil
}

func (f fakeAssignment) Route(_ context.Context, req *assignmentv1.RouteRequest, _ ...grpc.CallOption) (*assignmentv1.RouteResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.routes = append(f.w.routes, req)
	resp := &assignmentv1.RouteResponse{
		LeadAgencyId: "nfra-44", LeadName: "广东金融监管局", CoAgencyIds: []string{"ca-44"}, RegionSource: "access",
		RuleId: "a rule", Version: "1", Why: "为什么。", Settled: true, CheckBasis: f.w.checkBasis, HandleBasis: f.w.handleBasis,
	}
	if f.w.unsettled && req.GetCategory() == commercial {
		resp.LeadAgencyId, resp.LeadName, resp.Settled, resp.UnsettledReason = "centre-12321", "中心", false, "no_competent_agency"
	}
	if req.GetCategory() == criminal {
		resp.LeadAgencyId, resp.LeadName = "mps-44", "广东省公安厅"
	}
	resp.VerifierAgencyId = orElse(req.GetOperatorId(), "ca-44")
	return resp, nil
}

func (f fakeAssignment) RouteComplaint(ctx context.Context, req *assignmentv1.RouteComplaintRequest, _ ...grpc.CallOption) (*assignmentv1.RouteComplaintResponse, error) {
	route, err := f.Route(ctx, req.GetFacts())
	if err == nil {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		f.w.kept = append(f.w.kept, req)
	}
	return &assignmentv1.RouteComplaintResponse{Route: route}, err
}

func (f fakeAssignment) OpenTask(_ context.Context, req *assignmentv1.OpenTaskRequest, _ ...grpc.CallOption) (*assignmentv1.OpenTaskResponse, error) {
	return once(f.w, req, func() (*assignmentv1.OpenTaskResponse, error) {
		t := proto.CloneOf(req.GetTask())
		t.State = "OPEN"
		f.w.tasks = append(f.w.tasks, t)
		if f.w.onOpen != nil {
			f.w.onOpen(t.GetStep())
		}
		return &assignmentv1.OpenTaskResponse{Task: t}, nil
	})
}

func (f fakeAssignment) RecordDecision(ctx context.Context, req *assignmentv1.RecordDecisionRequest, _ ...grpc.CallOption) (*assignmentv1.RecordDecisionResponse, error) {
	return once(f.w, req, func() (*assignmentv1.RecordDecisionResponse, error) {
		if f.w.outage > 0 {
			f.w.outage--
			return nil, errs.New(codes.Unavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE, "away")
		}
		if slices.Contains(req.GetExcludedSubjects(), identity.ActorOf(ctx).GetSubject()) {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON, "another person must")
		}
		if f.w.refuse != nil {
			if err := f.w.refuse(req.GetDecision()); err != nil {
				return nil, err
			}
		}
		t := f.w.task(req.GetDecision().GetTaskId())
		if t.GetState() != "OPEN" {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN, "not open")
		}
		t.State, t.CloseTime = "DONE", timestamppb.Now()
		f.w.decisions = append(f.w.decisions, req)
		return &assignmentv1.RecordDecisionResponse{Task: t}, nil
	})
}

func (f fakeAssignment) CancelTask(_ context.Context, req *assignmentv1.CancelTaskRequest, _ ...grpc.CallOption) (*assignmentv1.CancelTaskResponse, error) {
	return once(f.w, req, func() (*assignmentv1.CancelTaskResponse, error) {
		t := f.w.task(req.GetTaskId())
		if t == nil {
			return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no such task")
		}
		t.State = "CANCELLED"
		return &assignmentv1.CancelTaskResponse{}, nil
	})
}

func (f fakeAssignment) EscalateTask(_ context.Context, req *assignmentv1.EscalateTaskRequest, _ ...grpc.CallOption) (*assignmentv1.EscalateTaskResponse, error) {
	return once(f.w, req, func() (*assignmentv1.EscalateTaskResponse, error) {
		step := f.w.task(req.GetTaskId()).GetStep()
		if f.w.notBefore != nil {
			if until := f.w.notBefore(step, req.GetLevel()); !until.IsZero() {
				return &assignmentv1.EscalateTaskResponse{NotBefore: timestamppb.New(until)}, nil
			}
		}
		f.w.escalations = append(f.w.escalations, fmt.Sprintf("%s/%d", step, req.GetLevel()))
		return &assignmentv1.EscalateTaskResponse{}, nil
	})
}

func (f fakeAssignment) Designate(_ context.Context, req *assignmentv1.DesignateRequest, _ ...grpc.CallOption) (*assignmentv1.DesignateResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.designating = append(f.w.designating, req)
	switch req.GetBounces() {
	case 1:
		return &assignmentv1.DesignateResponse{How: "reassigned", NextAgencyId: req.GetShouldAct()}, nil
	case 2:
		return &assignmentv1.DesignateResponse{How: "coordination_opinion", DeciderId: "miit", NextAgencyId: "miit"}, nil
	default:
		return &assignmentv1.DesignateResponse{How: "joint_meeting", NextAgencyId: "miit"}, nil
	}
}

type fakeLedger struct {
	ledgerv1.LedgerServiceClient
	w *world
}

func (f fakeLedger) WhoHeld(context.Context, *ledgerv1.WhoHeldRequest, ...grpc.CallOption) (*ledgerv1.WhoHeldResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.ledgerAsked++
	if f.w.resource == nil {
		return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no entry")
	}
	return &ledgerv1.WhoHeldResponse{Resource: f.w.resource}, nil
}

func (f fakeLedger) RecordObservation(_ context.Context, req *ledgerv1.RecordObservationRequest, _ ...grpc.CallOption) (*ledgerv1.RecordObservationResponse, error) {
	return once(f.w, req, func() (*ledgerv1.RecordObservationResponse, error) {
		f.w.observed = append(f.w.observed, req)
		return &ledgerv1.RecordObservationResponse{}, nil
	})
}

func (f fakeLedger) SuspendResource(_ context.Context, req *ledgerv1.SuspendResourceRequest, _ ...grpc.CallOption) (*ledgerv1.SuspendResourceResponse, error) {
	return once(f.w, req, func() (*ledgerv1.SuspendResourceResponse, error) {
		f.w.suspended = append(f.w.suspended, req)
		return &ledgerv1.SuspendResourceResponse{}, nil
	})
}

type fakeCredit struct {
	creditv1.CreditServiceClient
	w *world
}

func (f fakeCredit) ListParty(_ context.Context, req *creditv1.ListPartyRequest, _ ...grpc.CallOption) (*creditv1.ListPartyResponse, error) {
	return once(f.w, req, func() (*creditv1.ListPartyResponse, error) {
		f.w.listed = append(f.w.listed, req)
		return &creditv1.ListPartyResponse{}, nil
	})
}
