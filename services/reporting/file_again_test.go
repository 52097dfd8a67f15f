package reporting

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

var mobile = actor("op", "cmcc-43", roleOperator)

// The report's own row is what a repeat is answered from, whatever has become of its complaint since.
func TestFileReport_answersARepeatFromTheReport(t *testing.T) {
	m := start(t)
	c := m.as(mobile)
	opens, joins := typed("17000000001", noon.Add(-time.Hour)), typed("17000000001", noon.Add(-2*time.Hour))
	opens.SenderNo, joins.SenderNo, joins.ReporterNumber = "A-1", "A-2", "13900000002"
	var first []*reportingv1.FileReportResponse
	for _, req := range []*reportingv1.FileReportRequest{opens, joins} {
		first = append(first, must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), req)))
	}
	s := m.script(t, m.only(t))
	s.toWatching(1, noon)
	for _, closed := range []bool{false, true} {
		if closed {
			if _, err := s.close(1); err != nil {
				t.Fatal(err)
			}
		}
		for i, req := range []*reportingv1.FileReportRequest{opens, joins} {
			again := must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), req))
			if diff := cmp.Diff(first[i], again, protocmp.Transform()); diff != "" {
				t.Errorf("repeat of report %d, closed %v: %s", i, closed, diff)
			}
		}
	}
	if n := m.count(t, "SELECT count(*) FROM request WHERE rpc LIKE '%FileReport'"); n != 0 {
		t.Errorf("%d filings are remembered twice", n)
	}
	if n := m.count(t, "SELECT count(*) FROM complaint"); n != 1 {
		t.Errorf("%d complaints, want 1", n)
	}
	m.sound(t)
}

func TestFileReport_requestUsedForAnother(t *testing.T) {
	m := start(t)
	req := typed("17000000001", noon.Add(-time.Hour))
	req.SenderNo = "A-1"
	first := must[*reportingv1.FileReportResponse](t)(m.as(mobile).FileReport(t.Context(), req))
	for what, change := range map[string]func(*reportingv1.FileReportRequest){
		"same number":        func(r *reportingv1.FileReportRequest) { r.Text = "别的内容" },
		"other number":       func(r *reportingv1.FileReportRequest) { r.SenderNo = "A-2" },
		"opens another":      func(r *reportingv1.FileReportRequest) { r.SenderNo, r.DisplayedNumber = "A-3", "17000000002" },
		"with evidence":      func(r *reportingv1.FileReportRequest) { r.SenderNo, r.EvidenceIds = "A-4", []string{uuid.NewString()} },
		"without any number": func(r *reportingv1.FileReportRequest) { r.SenderNo = "" },
	} {
		other := proto.CloneOf(req)
		change(other)
		if _, err := m.as(mobile).FileReport(t.Context(), other); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED {
			t.Errorf("%s: %v", what, err)
		}
	}
	// another sender's request is another one
	other := must[*reportingv1.FileReportResponse](t)(m.as(centre).FileReport(t.Context(), req))
	if other.GetFate() != reportingv1.Fate_FATE_ACCEPTED || other.GetReceipt() == first.GetReceipt() || !other.GetJoined() {
		t.Errorf("another sender's: %v", other)
	}
	if n := m.count(t, "SELECT count(*) FROM report"); n != 2 {
		t.Errorf("%d reports, want 2", n)
	}
	if n := m.count(t, "SELECT count(*) FROM complaint") + m.count(t, "SELECT count(*) FROM quarantine"); n != 1 {
		t.Errorf("%d complaints and entries, want 1", n)
	}
	m.sound(t)
}

// A request that made a conflict, or came second, is answered so again.
func TestFileReport_repeatsOfWhatFiledNothing(t *testing.T) {
	m := start(t)
	c := m.as(mobile)
	req := typed("17000000001", noon.Add(-time.Hour))
	req.SenderNo = "A-1"
	must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), req))
	duplicate, conflict := proto.CloneOf(req), proto.CloneOf(req)
	duplicate.RequestId, conflict.RequestId, conflict.Text = uuid.NewString(), uuid.NewString(), "别的内容"
	for range 2 {
		if got := must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), duplicate)); got.GetFate() != reportingv1.Fate_FATE_DUPLICATE {
			t.Errorf("duplicate: %v", got)
		}
		if got := must[*reportingv1.FileReportResponse](t)(c.FileReport(t.Context(), conflict)); got.GetFate() != reportingv1.Fate_FATE_CONFLICT {
			t.Errorf("conflict: %v", got)
		}
	}
	if n := m.count(t, "SELECT count(*) FROM quarantine"); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}

// Of the same request sent many times at once one files, and all get its answer. Of the same number sent in several
// requests one files, and the others are duplicates.
func TestFileReport_sameAtOnce(t *testing.T) {
	m := start(t)
	c := m.as(mobile)
	const calls = 8
	for round := range 6 {
		req := typed(fmt.Sprintf("1700000000%d", round), noon.Add(-time.Hour))
		req.SenderNo = fmt.Sprintf("A-%d", round)
		answers := make([]*reportingv1.FileReportResponse, calls)
		var wg sync.WaitGroup
		for i := range calls {
			wg.Go(func() {
				mine := proto.CloneOf(req)
				if round%2 == 1 {
					mine.RequestId = uuid.NewString()
				}
				var err error
				if answers[i], err = c.FileReport(t.Context(), mine); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		filed := 0
		for _, a := range answers {
			if a.GetFate() == reportingv1.Fate_FATE_ACCEPTED {
				filed++
			}
			if a.GetReceipt() != answers[0].GetReceipt() || a.GetJoined() {
				t.Errorf("answers differ: %v, %v", a, answers[0])
			}
		}
		if want := map[int]int{0: calls, 1: 1}[round%2]; filed != want {
			t.Errorf("round %d: %d were accepted, want %d", round, filed, want)
		}
	}
	if n := m.count(t, "SELECT count(*) FROM report"); n != 6 {
		t.Errorf("%d reports, want 6", n)
	}
	m.sound(t)
}
