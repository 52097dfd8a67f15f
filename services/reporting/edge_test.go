package reporting

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// edge is the service with an assignment service that knows a few tasks.
type edge struct {
	*mesh
	t     *testing.T
	tasks *taskBook
}

// taskBook is an assignment service that knows a few tasks.
type taskBook struct {
	assignmentv1.AssignmentServiceClient
	tasks map[string]*assignmentv1.Task
}

func (b *taskBook) GetTask(_ context.Context, req *assignmentv1.GetTaskRequest, _ ...grpc.CallOption) (*assignmentv1.GetTaskResponse, error) {
	task, ok := b.tasks[req.GetTaskId()]
	if !ok {
		return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "there is no such task")
	}
	return &assignmentv1.GetTaskResponse{Task: task}, nil
}

func newEdge(t *testing.T) *edge {
	t.Helper()
	e := &edge{t: t, mesh: start(t), tasks: &taskBook{tasks: map[string]*assignmentv1.Task{}}}
	e.assignment = e.tasks
	return e
}

var (
	operator = actor("li", "cmcc-44", accessv1.Role_ROLE_OPERATOR)
	stranger = actor("zhao", "cucc-11", accessv1.Role_ROLE_OPERATOR)
)

const (
	reporterNumber = "13900000001"
	calledNumber   = "13900000002"
)

// file files one report about a number.
func (e *edge) file(a *commonv1.Actor, number string) *reportingv1.FileReportResponse {
	e.t.Helper()
	resp, err := e.as(a).FileReport(e.t.Context(), &reportingv1.FileReportRequest{
		RequestId: uuid.NewString(), Channel: "web", ReporterNumber: reporterNumber, CalledNumber: calledNumber, DisplayedNumber: number,
		CallTime: timestamppb.New(e.time.Add(-time.Hour)), Text: "推销贷款", ReportedType: "贷款理财",
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return resp
}

func (e *edge) complaintOf(reportID string) (id string) {
	e.t.Helper()
	if err := e.owner.QueryRow(e.t.Context(), "SELECT complaint_id FROM report WHERE report_id = $1", reportID).Scan(&id); err != nil {
		e.t.Fatal(err)
	}
	return id
}

func wantReason(t *testing.T, err error, want commonv1.ErrorReason) {
	t.Helper()
	if errs.Reason(err) != want {
		t.Fatalf("got %v (%v), want %v", errs.Reason(err), err, want)
	}
}

// begin opens a complaint's round; handle goes on to a stage; watch ends the handling.
func (e *edge) begin(complaint string, round int32) {
	e.t.Helper()
	must[*reportingv1.BeginRoundResponse](e.t)(e.workflows().BeginRound(e.t.Context(), &reportingv1.BeginRoundRequest{
		RequestId: uuid.NewString(), ComplaintId: complaint, Round: round}))
}

func (e *edge) advance(complaint string, round int32, stage, office string, agencies ...string) {
	e.t.Helper()
	req := &reportingv1.AdvanceComplaintRequest{RequestId: uuid.NewString(), ComplaintId: complaint, Round: round, Stage: stage, Office: office,
		DueTime: timestamppb.New(e.time.Add(24 * time.Hour))}
	for _, a := range agencies {
		req.Participations = append(req.Participations, &reportingv1.Participation{AgencyId: a, Part: "lead", SinceTime: timestamppb.New(e.time)})
	}
	must[*reportingv1.AdvanceComplaintResponse](e.t)(e.workflows().AdvanceComplaint(e.t.Context(), req))
}

func (e *edge) watch(complaint string, round int32) {
	e.t.Helper()
	e.feedback(complaint, round, "result", "measures")
	resp := must[*reportingv1.StartWatchingResponse](e.t)(e.workflows().StartWatching(e.t.Context(), &reportingv1.StartWatchingRequest{
		RequestId: uuid.NewString(), ComplaintId: complaint, Round: round, Result: "measures",
		UntilTime: timestamppb.New(e.time.Add(30 * 24 * time.Hour)), HandledTime: timestamppb.New(e.time)}))
	if !resp.GetWatching() {
		e.t.Fatal("not watching")
	}
}

func (e *edge) feedback(complaint string, round int32, stage, code string) {
	e.t.Helper()
	must[*reportingv1.GiveFeedbackResponse](e.t)(e.workflows().GiveFeedback(e.t.Context(), &reportingv1.GiveFeedbackRequest{
		RequestId: uuid.NewString(), ComplaintId: complaint, Round: round, Stage: stage, Code: code}))
}

func TestTrackReport(t *testing.T) {
	e := newEdge(t)
	r := e.file(citizen, "13114590000")
	track := func(receipt, secret string) (*reportingv1.TrackReportResponse, error) {
		return e.as(citizen).TrackReport(t.Context(), &reportingv1.TrackReportRequest{Receipt: receipt, Secret: secret})
	}
	got := must[*reportingv1.TrackReportResponse](t)(track(r.GetReceipt(), r.GetSecret()))
	if got.GetStage() != stageAccept || len(got.GetEntries()) == 0 || got.GetEntries()[0].GetTitle() != "已接收" {
		t.Errorf("just filed: %v", got)
	}

	// as somebody copies it from paper
	must[*reportingv1.TrackReportResponse](t)(track(" "+strings.ToLower(r.GetReceipt())+" ", strings.ToLower(r.GetSecret())))

	complaint := e.complaintOf(r.GetReportId())
	e.begin(complaint, 1)
	e.advance(complaint, 1, "fact_check", "广东省通信管理局", "ca-44")
	got = must[*reportingv1.TrackReportResponse](t)(track(r.GetReceipt(), r.GetSecret()))
	if got.GetStage() != "fact_check" || got.GetTitle() != "事实核查" || got.GetOffice() != "广东省通信管理局" || got.GetDueTime() == nil {
		t.Errorf("at the fact check: %v", got)
	}
	if text := got.String(); strings.Contains(text, "13114590000") || strings.Contains(text, reporterNumber) || strings.Contains(text, calledNumber) {
		t.Error("a number is told")
	}
	e.watch(complaint, 1)
	got = must[*reportingv1.TrackReportResponse](t)(track(r.GetReceipt(), r.GetSecret()))
	if !got.GetWatching() || got.GetResult() == "" {
		t.Errorf("watching: %v", got)
	}

	_, wrong := track(r.GetReceipt(), "0000000000")
	_, unknown := track("QL2610150000000Z", r.GetSecret())
	wantReason(t, wrong, commonv1.ErrorReason_ERROR_REASON_RECEIPT_NOT_FOUND)
	if d := cmp.Diff(status.Convert(wrong).Proto(), status.Convert(unknown).Proto(), protocmp.Transform()); d != "" {
		t.Errorf("the answers differ: %s", d)
	}
}

func TestWithdrawReport(t *testing.T) {
	e := newEdge(t)
	r := e.file(citizen, "13114590000")
	complaint := e.complaintOf(r.GetReportId())
	req := &reportingv1.WithdrawReportRequest{RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: "WRONG00000"}
	_, err := e.as(citizen).WithdrawReport(t.Context(), req)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_RECEIPT_NOT_FOUND)

	req.Secret = r.GetSecret()
	first := must[*reportingv1.WithdrawReportResponse](t)(e.as(citizen).WithdrawReport(t.Context(), req))
	again := must[*reportingv1.WithdrawReportResponse](t)(e.as(citizen).WithdrawReport(t.Context(), req))
	req.RequestId = uuid.NewString()
	third := must[*reportingv1.WithdrawReportResponse](t)(e.as(citizen).WithdrawReport(t.Context(), req))
	for _, other := range []*reportingv1.WithdrawReportResponse{again, third} {
		if d := cmp.Diff(first, other, protocmp.Transform()); d != "" {
			t.Error(d)
		}
	}
	if n := e.count(t, "SELECT count(*) FROM complaint_history WHERE complaint_id = $1 AND what = 'withdrawn'", complaint); n != 1 {
		t.Errorf("%d lines of history", n)
	}
	got := must[*reportingv1.TrackReportResponse](t)(e.as(citizen).TrackReport(t.Context(), &reportingv1.TrackReportRequest{Receipt: r.GetReceipt(), Secret: r.GetSecret()}))
	if got.GetStage() != stageWithdrawn || got.GetResult() == "" {
		t.Errorf("tracked: %v", got)
	}
	facts := must[*reportingv1.GetFactsResponse](t)(e.workflows().GetFacts(t.Context(), &reportingv1.GetFactsRequest{ComplaintId: complaint}))
	if !facts.GetAllWithdrawn() {
		t.Error("the workflow does not see it")
	}
	_, err = e.as(citizen).SupplementReport(t.Context(), &reportingv1.SupplementReportRequest{RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: r.GetSecret(), Text: "x"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_CLOSED)
}

func TestSupplementReport(t *testing.T) {
	e := newEdge(t)
	r := e.file(citizen, "13114590000")
	complaint := e.complaintOf(r.GetReportId())
	e.begin(complaint, 1)
	e.feedback(complaint, 1, "supplement_asked", "")
	e.time = e.time.Add(time.Hour)
	put := func() string {
		t.Helper()
		return must[*reportingv1.PutEvidenceResponse](t)(e.as(citizen).PutEvidence(t.Context(), &reportingv1.PutEvidenceRequest{
			RequestId: uuid.NewString(), Kind: "screenshot", MediaType: "image/png", Content: []byte("png")})).GetEvidence().GetEvidenceId()
	}
	req := &reportingv1.SupplementReportRequest{RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: r.GetSecret()}
	_, err := e.as(citizen).SupplementReport(t.Context(), req)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)

	req.Text, req.EvidenceIds = "对方自称某贷款公司 canary-text", []string{put()}
	must[*reportingv1.SupplementReportResponse](t)(e.as(citizen).SupplementReport(t.Context(), req))
	must[*reportingv1.SupplementReportResponse](t)(e.as(citizen).SupplementReport(t.Context(), req)) // the same request
	if n := e.count(t, "SELECT count(*) FROM supplement WHERE complaint_id = $1", complaint); n != 1 {
		t.Errorf("%d supplements", n)
	}
	if n := e.count(t, "SELECT count(*) FROM supplement WHERE position('canary-text' IN encode(sealed, 'escape')) > 0"); n != 0 {
		t.Error("the text is readable in the database")
	}
	if n := e.count(t, "SELECT count(*) FROM evidence WHERE complaint_id = $1", complaint); n != 1 {
		t.Errorf("%d files bound to the complaint", n)
	}
	facts := must[*reportingv1.GetFactsResponse](t)(e.workflows().GetFacts(t.Context(), &reportingv1.GetFactsRequest{ComplaintId: complaint}))
	if !facts.GetSupplemented() {
		t.Error("the workflow does not see it")
	}
	req.RequestId = uuid.NewString() // evidence is handed in once
	_, err = e.as(citizen).SupplementReport(t.Context(), req)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	if n := e.count(t, "SELECT count(*) FROM supplement WHERE complaint_id = $1", complaint); n != 1 {
		t.Error("a refused supplement was kept")
	}
}

func TestAnswerFollowUpReopensAtMostThreeTimes(t *testing.T) {
	e := newEdge(t)
	r := e.file(centre, "13114590000")
	complaint := e.complaintOf(r.GetReportId())
	answer := func(stopped bool) (*reportingv1.AnswerFollowUpResponse, error) {
		return e.as(citizen).AnswerFollowUp(t.Context(), &reportingv1.AnswerFollowUpRequest{
			RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: r.GetSecret(), Stopped: &stopped})
	}
	_, err := answer(false)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)

	for round := int32(1); round <= 4; round++ {
		e.begin(complaint, round)
		e.watch(complaint, round)
		resp := must[*reportingv1.AnswerFollowUpResponse](t)(answer(false))
		if want := round < 4; resp.GetReopened() != want {
			t.Fatalf("round %d: re-opened %v", round, resp.GetReopened())
		}
	}
	if n := e.count(t, "SELECT count(*) FROM complaint WHERE complaint_id = $1 AND to_lead AND reopened = 3", complaint); n != 1 {
		t.Error("the last re-opening did not go to the lead ministry")
	}
	_, err = e.as(citizen).AnswerFollowUp(t.Context(), &reportingv1.AnswerFollowUpRequest{
		RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: r.GetSecret()})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) // no answer is no "it goes on"

	// the first answer of a round stands
	if resp := must[*reportingv1.AnswerFollowUpResponse](t)(answer(false)); resp.GetReopened() {
		t.Error("re-opened by a second answer")
	}
	_, err = answer(true)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS)
}
