package reporting

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

func TestFeedbackFeedIsOfTheOwnSender(t *testing.T) {
	e := newEdge(t)
	mine, other := e.file(centre, "13114590000"), e.file(operator, "13114590001")
	for _, r := range []*reportingv1.FileReportResponse{mine, other} {
		complaint := e.complaintOf(r.GetReportId())
		e.begin(complaint, 1)
		e.feedback(complaint, 1, "accepted", "")
		e.feedback(complaint, 1, "assigned", "")
	}
	list := func(cursor string, size int32, wait time.Duration) *reportingv1.ListFeedbackResponse {
		t.Helper()
		return must[*reportingv1.ListFeedbackResponse](t)(e.as(centre).ListFeedback(t.Context(), &reportingv1.ListFeedbackRequest{
			AfterCursor: cursor, PageSize: size, MaxWait: durationpb.New(wait)}))
	}
	// rows show once every transaction that began before them has ended, so the poll may have to wait
	var got []*reportingv1.Feedback
	end := ""
	for len(got) < 2 {
		page := list(end, 1, 20*time.Second)
		if len(page.GetFeedback()) != 1 {
			t.Fatalf("page: %v", page)
		}
		got, end = append(got, page.GetFeedback()...), page.GetNextCursor()
	}
	if got[0].GetReceipt() != mine.GetReceipt() || got[0].GetStage() != "accepted" || got[1].GetStage() != "assigned" || got[0].GetText() == "" {
		t.Fatalf("feed: %v", got)
	}

	// a poll at the end waits for what comes
	came := make(chan *reportingv1.ListFeedbackResponse, 1)
	go func() {
		resp, err := e.as(centre).ListFeedback(t.Context(), &reportingv1.ListFeedbackRequest{AfterCursor: end, MaxWait: durationpb.New(20 * time.Second)})
		if err != nil {
			t.Error(err)
		}
		came <- resp
	}()
	e.feedback(e.complaintOf(mine.GetReportId()), 1, "checked", "substantiated")
	if page := <-came; len(page.GetFeedback()) != 1 || page.GetFeedback()[0].GetStage() != "checked" {
		t.Errorf("long poll: %v", page)
	}

	// acknowledging is for the own sender, once
	ids := []string{got[0].GetFeedbackId(), got[1].GetFeedbackId()}
	ack := func(a *commonv1.Actor) int32 {
		t.Helper()
		return must[*reportingv1.AcknowledgeFeedbackResponse](t)(e.as(a).AcknowledgeFeedback(t.Context(), &reportingv1.AcknowledgeFeedbackRequest{
			RequestId: uuid.NewString(), FeedbackIds: ids})).GetAcknowledged()
	}
	if n := ack(operator); n != 0 {
		t.Errorf("another sender acknowledged %d", n)
	}
	if n := ack(centre); n != 2 {
		t.Errorf("acknowledged %d", n)
	}
	if n := ack(centre); n != 0 {
		t.Errorf("acknowledged %d again", n)
	}
	_, err := e.as(centre).ListFeedback(t.Context(), &reportingv1.ListFeedbackRequest{AfterCursor: "rubbish"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR)
	_, err = e.as(actor("nobody", "", accessv1.Role_ROLE_OPERATOR)).ListFeedback(t.Context(), &reportingv1.ListFeedbackRequest{})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
}

func TestEvidence(t *testing.T) {
	e := newEdge(t)
	r := e.file(centre, "13114590000")
	complaint := e.complaintOf(r.GetReportId())
	e.begin(complaint, 1)
	e.advance(complaint, 1, "number_check", "", "cmcc-44")
	content := bytes.Repeat([]byte("call record of "+calledNumber+"\n"), 100_000)
	req := &reportingv1.PutEvidenceRequest{
		RequestId: uuid.NewString(), Kind: "call_record", MediaType: "text/csv", Content: content, ComplaintId: complaint}
	_, err := e.as(stranger).PutEvidence(t.Context(), req)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)

	put := must[*reportingv1.PutEvidenceResponse](t)(e.as(operator).PutEvidence(t.Context(), req)).GetEvidence()
	again := must[*reportingv1.PutEvidenceResponse](t)(e.as(operator).PutEvidence(t.Context(), req)).GetEvidence()
	if d := cmp.Diff(put, again, protocmp.Transform()); d != "" {
		t.Error(d)
	}
	if put.GetAgencyId() != "cmcc-44" || put.GetSizeBytes() != int64(len(content)) || !put.GetHoldUntil().AsTime().After(e.time.AddDate(2, 0, 0)) {
		t.Errorf("described as %v", put)
	}
	get := func(a *commonv1.Actor) (*reportingv1.GetEvidenceResponse, error) {
		return e.as(a).GetEvidence(t.Context(), &reportingv1.GetEvidenceRequest{RequestId: uuid.NewString(), EvidenceId: put.GetEvidenceId(), Purpose: "核查"})
	}
	for _, a := range []*commonv1.Actor{operator, centre} {
		if got := must[*reportingv1.GetEvidenceResponse](t)(get(a)); !bytes.Equal(got.GetContent(), content) {
			t.Error("the content changed")
		}
	}
	_, err = get(stranger)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	if n := e.count(t, "SELECT count(*) FROM evidence_log WHERE evidence_id = $1", put.GetEvidenceId()); n != 3 { // put, read, read
		t.Errorf("%d lines in the custody log", n)
	}
	if n := e.count(t, "SELECT count(*) FROM request WHERE length(response) > 10000"); n != 0 {
		t.Error("the content is remembered with the response")
	}

	// another file under the same request changes nothing
	req.Content = []byte("other")
	_, err = e.as(operator).PutEvidence(t.Context(), req)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)
	if got := must[*reportingv1.GetEvidenceResponse](t)(get(operator)); !bytes.Equal(got.GetContent(), content) {
		t.Error("the content was replaced")
	}
	req.RequestId, req.MediaType = uuid.NewString(), "rubbish"
	_, err = e.as(operator).PutEvidence(t.Context(), req)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	e.nothingInClear(calledNumber)
}

func TestRevealCalledNumber(t *testing.T) {
	e := newEdge(t)
	r := e.file(citizen, "13114590000")
	complaint := e.complaintOf(r.GetReportId())
	task := func(change func(*assignmentv1.Task)) string {
		id := uuid.NewString()
		e.tasks.tasks[id] = &assignmentv1.Task{TaskId: id, SubjectKind: "complaint", SubjectId: complaint, AgencyId: "cmcc-44", Step: "number_check", State: "OPEN"}
		change(e.tasks.tasks[id])
		return id
	}
	reveal := func(a *commonv1.Actor, task, request string) (*reportingv1.RevealCalledNumberResponse, error) {
		return e.as(a).RevealCalledNumber(t.Context(), &reportingv1.RevealCalledNumberRequest{
			RequestId: request, ReportId: r.GetReportId(), TaskId: task, Purpose: "核查通话记录"})
	}
	for name, tt := range map[string]struct {
		actor  *commonv1.Actor
		change func(*assignmentv1.Task)
		want   commonv1.ErrorReason
	}{
		"another agency":    {stranger, func(*assignmentv1.Task) {}, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY},
		"another complaint": {operator, func(x *assignmentv1.Task) { x.SubjectId = uuid.NewString() }, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY},
		"a closed task":     {operator, func(x *assignmentv1.Task) { x.State = "DONE" }, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN},
		"no check":          {operator, func(x *assignmentv1.Task) { x.Step = "sign" }, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := reveal(tt.actor, task(tt.change), uuid.NewString())
			wantReason(t, err, tt.want)
		})
	}
	_, err := reveal(operator, uuid.NewString(), uuid.NewString())
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	if n := e.count(t, "SELECT count(*) FROM reveal"); n != 0 {
		t.Errorf("%d reveals on record", n)
	}

	open, request := task(func(*assignmentv1.Task) {}), uuid.NewString()
	for range 2 { // the repeat counts once
		got := must[*reportingv1.RevealCalledNumberResponse](t)(reveal(operator, open, request))
		if got.GetCalledNumber() != calledNumber || got.GetRemaining() != 19 {
			t.Errorf("remaining %d", got.GetRemaining())
		}
	}
	for i := range 19 {
		if got := must[*reportingv1.RevealCalledNumberResponse](t)(reveal(operator, open, uuid.NewString())); got.GetRemaining() != int32(18-i) {
			t.Fatalf("remaining %d", got.GetRemaining())
		}
	}
	_, err = reveal(operator, open, uuid.NewString())
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_QUOTA_EXCEEDED)
	if n := e.count(t, "SELECT count(*) FROM reveal WHERE agency_id = 'cmcc-44' AND subject = 'li' AND task_id = $1", open); n != 20 {
		t.Errorf("%d reveals on record", n)
	}
	e.nothingInClear(calledNumber)
	e.nothingInClear(reporterNumber)
}

// nothingInClear searches every table for a text.
func (e *edge) nothingInClear(secret string) {
	e.t.Helper()
	rows, err := e.owner.Query(e.t.Context(), "SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
	if err != nil {
		e.t.Fatal(err)
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			e.t.Fatal(err)
		}
		tables = append(tables, name)
	}
	for _, name := range tables {
		// a row as text shows bytea in hex
		n := e.count(e.t, fmt.Sprintf("SELECT count(*) FROM %s t WHERE t::text LIKE '%%' || $1 || '%%' OR t::text LIKE '%%' || encode(convert_to($1, 'UTF8'), 'hex') || '%%'", name), secret)
		if n > 0 {
			e.t.Errorf("%s has it in clear", name)
		}
	}
}

// TestEvidenceFilesAreSealed looks at a folder as run.go opens it.
func TestEvidenceFilesAreSealed(t *testing.T) {
	e := newEdge(t)
	dir := filepath.Join(t.TempDir(), "evidence")
	bucket, err := openBlob(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })
	e.evidence = bucket
	put := must[*reportingv1.PutEvidenceResponse](t)(e.as(centre).PutEvidence(t.Context(), &reportingv1.PutEvidenceRequest{
		RequestId: uuid.NewString(), Kind: "document", MediaType: "text/plain", Content: []byte("canary " + calledNumber)})).GetEvidence()
	var files []string
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files = append(files, path)
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte("canary")) {
			t.Errorf("%s is readable", d.Name())
		}
		return err
	})
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	get := func() error {
		_, err := e.as(centre).GetEvidence(t.Context(), &reportingv1.GetEvidenceRequest{
			RequestId: uuid.NewString(), EvidenceId: put.GetEvidenceId(), Purpose: "核查"})
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	// a changed file is never given out
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	if err := os.WriteFile(files[0], raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := get(); status.Code(err) != codes.Internal {
		t.Errorf("a changed file: %v", err)
	}
}
