package workflows

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"quietline/internal/errs"
	"quietline/internal/obs"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// refusing is an owner that refuses what the mesh must write.
type refusing struct{ fakeReporting }

func (refusing) GiveFeedback(context.Context, *reportingv1.GiveFeedbackRequest, ...grpc.CallOption) (*reportingv1.GiveFeedbackResponse, error) {
	return nil, errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD, "stage: no such")
}

// refusingDigests refuses a second version of a digest without a note.
type refusingDigests struct{ fakeDisclosure }

func (refusingDigests) RecordDigest(context.Context, *disclosurev1.RecordDigestRequest, ...grpc.CallOption) (*disclosurev1.RecordDigestResponse, error) {
	return nil, errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD, "note: must say what changed")
}

// A refused write of the mesh's own is counted by activity and reason; a refused decision, or a refused
// digest, is an answer: it is not, and is no error in the log.
func TestErrors_refusedWritesAreCounted(t *testing.T) {
	w := newWorld()
	owners := w.owners()
	owners.Reporting = refusing{fakeReporting{w: w}}
	suite := &testsuite.WorkflowTestSuite{}
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&errorsInterceptor{}}})
	a := newActivities(owners, fakeRuns{w}, newStarts(1))
	env.RegisterActivity(a)
	if _, err := env.ExecuteActivity(a.CloseUnlessJoined, closing{Close: &reportingv1.CloseComplaintRequest{}}); err != nil {
		t.Error(err)
	}
	if _, err := env.ExecuteLocalActivity(a.Perform, []proto.Message{&reportingv1.GiveFeedbackRequest{}}); err == nil {
		t.Error("not refused")
	}
	if _, err := env.ExecuteLocalActivity(a.Record, recording{}); err == nil {
		t.Error("nothing was recorded, and nobody says so")
	}
	owners.Disclosure = refusingDigests{fakeDisclosure{w: w}}
	a = newActivities(owners, fakeRuns{w}, newStarts(1))
	env = suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&errorsInterceptor{}}})
	env.RegisterActivity(a)
	_, err := env.ExecuteActivity(a.BuildDigest, &caseworkv1.DigestInput{DigestId: id(9), Month: "2026-10"})
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Category() != temporal.ApplicationErrorCategoryBenign {
		t.Errorf("a refused digest: %v, an error of Temporal's log", err)
	}
	if back := fromTemporal(err); !errs.Is(back, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) || status.Code(back) != codes.InvalidArgument {
		t.Errorf("who asked for the digest hears %v", back)
	}
	scraped := httptest.NewRecorder()
	obs.Handler().ServeHTTP(scraped, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	var counted []string
	for line := range strings.Lines(scraped.Body.String()) {
		if strings.HasPrefix(line, "quietline_refused_writes_total{") {
			counted = append(counted, strings.TrimSpace(line))
		}
	}
	want := `quietline_refused_writes_total{activity="Perform",reason="INVALID_FIELD"} 1`
	if got := strings.Join(counted, "\n"); got != want {
		t.Errorf("counted:\n%s\nwant:\n%s", got, want)
	}
}
