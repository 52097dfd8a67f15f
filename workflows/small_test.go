package workflows

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/seal"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// The table of steps stands on the table of deadlines, and names each step and outcome once.
func TestSteps_table(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range steps {
		if seen[s.name] {
			t.Errorf("the step %s stands twice", s.name)
		}
		seen[s.name] = true
		if _, err := calendar.Due(s.basis, calendarStart, Statutory); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		if s.role == 0 || len(s.outcomes) == 0 {
			t.Errorf("%s has no role or no outcomes", s.name)
		}
		if (s.stage == "") != (s.part == "" || s.name == "preserve") {
			t.Errorf("%s: stage %q, part %q", s.name, s.stage, s.part)
		}
	}
	for _, r := range decisionRules {
		for _, o := range r.outcomes {
			if !strings.Contains(fmt.Sprint(outcomesOf(r.step)), o) {
				t.Errorf("a rule for %s of %s, which has no such outcome", o, r.step)
			}
		}
	}
	for _, basis := range []string{basisWatch, basisSupplement, basisStatement, basisBounce} {
		if _, err := calendar.Due(basis, calendarStart, Rehearsal); err != nil {
			t.Error(err)
		}
	}
}

var calendarStart = calendarTime("2026-03-02")

func outcomesOf(name string) []string {
	for _, s := range steps {
		if s.name == name {
			return s.outcomes
		}
	}
	return nil
}

// Refusals survive the way into Temporal and back; what may go well later is retried.
func TestErrors_bothWays(t *testing.T) {
	for code := codes.OK + 1; code <= codes.Unauthenticated; code++ {
		refused := errs.New(code, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON, "another person must")
		through := toApplication(fmt.Errorf("wrapped: %w", refused))
		var app *temporal.ApplicationError
		if !final[code] {
			if errors.As(through, &app) {
				t.Errorf("%s is not retried", code)
			}
			continue
		}
		if !errors.As(through, &app) || !app.NonRetryable() || app.Type() != "SAME_PERSON" {
			t.Errorf("%s becomes %v", code, through)
			continue
		}
		back := fromTemporal(fmt.Errorf("update: %w", through))
		if status.Code(back) != code || !errs.Is(back, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON) || status.Convert(back).Message() != "another person must" {
			t.Errorf("%s comes back as %v", code, back)
		}
	}
	for _, away := range []error{serviceerror.NewUnavailable("away"), serviceerror.NewWorkflowNotReady("failed task")} {
		if back := fromTemporal(away); !errs.Is(back, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE) {
			t.Errorf("%v comes back as %v", away, back)
		}
	}
	if got := reasonOf(func() *temporal.ApplicationError {
		target := &temporal.ApplicationError{}
		_ = errors.As(taskNotOpen(), &target)
		return target
	}()); got != commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN {
		t.Errorf("taskNotOpen says %v", got)
	}
	if toApplication(nil) != nil || fromTemporal(nil) != nil {
		t.Error("nil is no error")
	}
}

// Payloads and texts of failures are ciphertext at rest, and open again with the same keys only.
func TestCodec_sealsEverything(t *testing.T) {
	keys, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	data, failures := converters(keys)
	const canary = "13800001234"
	in := &caseworkv1.DecideInput{Decision: &assignmentv1.Decision{Note: canary}}
	sealed, err := data.ToPayloads(in)
	if err != nil {
		t.Fatal(err)
	}
	failure := failures.ErrorToFailure(temporal.NewNonRetryableApplicationError(canary, "SAME_PERSON", nil, canary))
	for _, at := range []string{sealed.String(), failure.String()} {
		if strings.Contains(at, canary) {
			t.Errorf("in clear: %s", at)
		}
	}
	out := &caseworkv1.DecideInput{}
	if err := data.FromPayloads(sealed, out); err != nil || out.GetDecision().GetNote() != canary {
		t.Errorf("opened as %v (%v)", out, err)
	}
	var app *temporal.ApplicationError
	if !errors.As(failures.FailureToError(failure), &app) || app.Message() != canary {
		t.Error("the failure does not open")
	}
	others, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (codec{others}).Decode(sealed.GetPayloads()); err == nil {
		t.Error("other keys open it")
	}
	plain := &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte("json/plain")}, Data: []byte(`1`)}
	same, err := codec{keys}.Decode([]*commonpb.Payload{plain})
	if err != nil || !bytes.Equal(same[0].GetData(), plain.GetData()) {
		t.Errorf("the server's own payload comes as %v (%v)", same, err)
	}
}

func TestSweep_startsWhatNobodyStarted(t *testing.T) {
	for rate, want := range map[float64]string{
		1000: complaintID(id(1), 1) + " " + complaintID(id(2), 3) + " " + caseID(id(3)) + " " + recallID(id(600)) + " " + appealID(id(601)) +
			" " + rectificationID(id(602)) + " " + listingID(id(720)) + " " + repairID(id(721)),
		-1: "", // paused
	} {
		p := newPlay(t, sweepID)
		p.acts.starts = newStarts(rate)
		p.acts.starts.most = 1 // in order
		p.env.ExecuteWorkflow(Sweep, Statutory)
		p.ended()
		p.want("started", strings.Join(p.w.started, " "), want)
	}
}

func calendarTime(day string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, day, calendar.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}
