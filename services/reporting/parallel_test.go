package reporting

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Relapses filed at the same time, in batches and one by one, re-open once, and every report ends in a round with its
// feedback given or due.
func TestWatching_relapsesInParallel(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	send(t, c, line("T-0", "13900000000", "17000000001", "10:00:00"))
	s := m.script(t, m.only(t))
	s.toWatching(1, time.Date(2026, 11, 19, 3, 0, 0, 0, time.UTC))
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			if i%2 == 0 {
				_, err := c.BatchFileReports(t.Context(), batchOf(line(fmt.Sprintf("P-%d", i), fmt.Sprintf("139000001%02d", i), "17000000001", "13:00:00")))
				if err != nil {
					t.Error(err)
				}
				return
			}
			req := typed("17000000001", noon.Add(-time.Hour))
			req.SenderNo, req.ReporterNumber = fmt.Sprintf("P-%d", i), fmt.Sprintf("139000001%02d", i)
			if _, err := m.as(actor("op", "cmcc-43", roleOperator)).FileReport(t.Context(), req); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := s.facts().GetComplaint(); got.GetRound() != 2 || got.GetState() != "RECEIVED" || got.GetReportCount() != 13 {
		t.Errorf("after the relapses: %v", got)
	}
	if n := m.count(t, "SELECT count(*) FROM report WHERE round = 2"); n != 12 {
		t.Errorf("%d reports are in the new round, want 12", n)
	}
	s.toWatching(2, noon)
	m.sound(t)
}

// Who files while a complaint is closed joins it before, or opens the next.
func TestCloseComplaint_whileOthersFile(t *testing.T) {
	m := start(t)
	c := m.as(citizen)
	send(t, m.as(centre), line("T-0", "13900000000", "17000000001", "10:00:00"))
	s := m.script(t, m.only(t))
	s.toWatching(1, noon)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if i == 8 {
				_, err := s.w.CloseComplaint(t.Context(), &reportingv1.CloseComplaintRequest{RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1})
				if err != nil {
					t.Error(err)
				}
				return
			}
			req := typed("17000000001", noon.Add(-time.Hour))
			req.ReporterNumber, req.CallTime = fmt.Sprintf("139000002%02d", i), timestamppb.New(noon.Add(-time.Hour))
			if _, err := c.FileReport(t.Context(), req); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := m.count(t, "SELECT count(*) FROM report"); n != 16 {
		t.Errorf("%d reports, want 16", n)
	}
	if n := m.count(t, "SELECT count(*) FROM complaint WHERE state <> 'CLOSED'"); n > 1 {
		t.Errorf("%d live complaints", n)
	}
	if _, err := s.w.GiveFeedback(t.Context(), &reportingv1.GiveFeedbackRequest{RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1, Stage: "result"}); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_CLOSED {
		t.Errorf("feedback of a closed complaint: %v", err)
	}
	m.sound(t)
}
