package reporting

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// filers file reports about numbers, one by one and in batches, until told to stop. The answer is how many were accepted.
func (m *mesh) filers(t *testing.T, numbers []string) (stop func() int) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	accepted, done := 0, make(chan struct{})
	took := func(n int) { mu.Lock(); accepted += n; mu.Unlock() }
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				number := numbers[i%len(numbers)]
				if w%2 == 0 {
					req := typed(number, noon.Add(-time.Duration(1+i%96)*time.Hour))
					req.ReporterNumber = fmt.Sprintf("1390%d%06d", w, i)
					if _, err := m.as(citizen).FileReport(t.Context(), req); err != nil {
						t.Error(err)
						return
					}
					took(1)
					continue
				}
				var lines []string
				for k := range numbers {
					lines = append(lines, line(fmt.Sprintf("R%d-%d-%d", w, i, k), fmt.Sprintf("1380%d%06d", w, i), numbers[k], "10:00:00"))
				}
				resp, err := m.as(centre).BatchFileReports(t.Context(), batchOf(lines...))
				if err != nil || fatesOf(resp.GetResults()) != "AAAA"[:len(lines)] {
					t.Error(err, fatesOf(resp.GetResults()))
					return
				}
				took(len(lines))
			}
		})
	}
	return func() int {
		close(done)
		wg.Wait()
		return accepted
	}
}

// all is that every accepted report belongs to one complaint and the service finds nothing wrong.
func (m *mesh) all(t *testing.T, accepted int) {
	t.Helper()
	if n := m.count(t, `SELECT count(*) FROM report r JOIN complaint c USING (complaint_id)`); n != accepted {
		t.Errorf("%d reports belong to a complaint, %d were accepted", n, accepted)
	}
	if n := m.count(t, `SELECT count(*) FROM (SELECT key FROM complaint WHERE state <> 'CLOSED' GROUP BY key HAVING count(*) > 1) k`); n != 0 {
		t.Errorf("%d keys have two live complaints", n)
	}
	m.sound(t)
}

// live is the live complaint of a number's own key; nil without one.
func (m *mesh) live(t *testing.T, number string) *reportingv1.Complaint {
	t.Helper()
	resp := must[*reportingv1.ListComplaintsResponse](t)(m.as(centre).ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{Number: number, PageSize: 500}))
	for _, c := range resp.GetComplaints() {
		if c.GetState() == "RECEIVED" || c.GetState() == "OPEN" {
			return c
		}
	}
	return nil
}

func (m *mesh) reportsOf(t *testing.T, c *reportingv1.Complaint) []string {
	t.Helper()
	resp := must[*reportingv1.ListReportsResponse](t)(m.as(centre).ListReports(t.Context(), &reportingv1.ListReportsRequest{ComplaintId: c.GetComplaintId(), PageSize: 500}))
	return idsOf(resp.GetReports(), func(r *reportingv1.Report) string { return r.GetReportId() })
}

// Complaints are split and merged while reports about them are filed: none is lost, refused or filed twice.
func TestSplitAndMergeWhileFiling(t *testing.T) {
	m := start(t)
	numbers := []string{"95001111", "95002222", "95003333"}
	for i, n := range numbers {
		m.file(t, n, fmt.Sprintf("1370000000%d", i), noon.Add(-time.Hour))
	}
	stop := m.filers(t, numbers)
	for i := range 16 {
		if c := m.live(t, numbers[i%3]); c != nil && c.GetReportCount() > 1 {
			ids := m.reportsOf(t, c)
			_, err := m.as(centre).SplitComplaint(t.Context(), split(c, ids[:max(1, min(len(ids)/2, 100))]...))
			relationRefused(t, err)
		}
		a, b := m.live(t, numbers[i%3]), m.live(t, numbers[(i+1)%3])
		if a == nil || b == nil || a.GetComplaintId() == b.GetComplaintId() {
			continue
		}
		_, err := m.as(centre).MergeComplaints(t.Context(), merge(a, b))
		relationRefused(t, err)
		if i%5 == 0 {
			older := &reportingv1.SplitGroup{HolderId: "00000000-0000-7000-8000-00000000000a", HeldUntilTime: timestamppb.New(noon.Add(-50 * time.Hour))}
			_, err := m.workflows().SplitComplaint(t.Context(), byHolder(a, "00000000-0000-7000-8000-00000000000b", older))
			relationRefused(t, err)
		}
	}
	m.all(t, stop()+len(numbers))
	if n := m.count(t, `SELECT count(*) FROM report_move`); n == 0 {
		t.Error("nothing was moved")
	}
}

// relationRefused fails for anything but a refusal that the state of the moment explains.
func relationRefused(t interface{ Error(args ...any) }, err error) {
	if err == nil {
		return
	}
	for _, r := range []commonv1.ErrorReason{
		commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, commonv1.ErrorReason_ERROR_REASON_CLOSED, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
	} {
		if errs.Is(err, r) {
			return
		}
	}
	t.Error(err)
}

// Mergers in a ring at once: one complaint of each pair lives on, and nobody waits for ever.
func TestMergersCross(t *testing.T) {
	m := start(t)
	numbers := []string{"95001111", "95002222", "95003333", "95004444"}
	for range 5 {
		for i, n := range numbers {
			m.file(t, n, fmt.Sprintf("1370000000%d", i), noon.Add(-time.Hour))
		}
		live := make([]*reportingv1.Complaint, len(numbers))
		for i, n := range numbers {
			live[i] = m.live(t, n)
		}
		var wg sync.WaitGroup
		for i := range live {
			into, from := live[i], live[(i+1)%len(live)]
			if into == nil || from == nil || into.GetComplaintId() == from.GetComplaintId() {
				continue
			}
			wg.Go(func() {
				_, err := m.as(centre).MergeComplaints(t.Context(), merge(into, from))
				relationRefused(t, err)
			})
			wg.Go(func() {
				_, err := m.as(centre).MergeComplaints(t.Context(), merge(from, into))
				relationRefused(t, err)
			})
		}
		wg.Wait()
	}
	m.all(t, 20)
	if n := m.count(t, `SELECT count(*) FROM complaint WHERE merged_into IS NOT NULL`); n == 0 {
		t.Error("nothing was merged")
	}
}

// No sequence of filing, splitting, merging, linking, withdrawing, checking, watching and closing loses a report or its
// receipt, leaves two live complaints on one key, or breaks an invariant that the service checks.
func TestNoSequenceLosesAReport(t *testing.T) {
	m := start(t)
	series, filed, until := 0, 0, time.Now().Add(10*time.Second) // as many as there is time for
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(until) {
			return
		}
		series++
		numbers := make([]string, 3)
		for i := range numbers {
			numbers[i] = fmt.Sprintf("95%03d%d", 100+series%900, i)
		}
		s := &relations{mesh: m, t: t, numbers: numbers, from: filed}
		defer func() { filed += len(s.reports) }()
		rt.Repeat(map[string]func(*rapid.T){
			"": s.holds, "file": s.file, "batch": s.batch, "split": s.split, "splitByHolder": s.splitByHolder, "merge": s.merge,
			"link": s.link, "withdraw": s.withdraw, "begin": s.begin, "finish": s.finish, "close": s.close, "forge": s.forge, "askAgain": s.reopen,
		})
		s.sound(rt)
	})
	m.all(t, filed)
	moved, merged := m.count(t, `SELECT count(*) FROM report_move`), m.count(t, `SELECT count(*) FROM complaint WHERE merged_into IS NOT NULL`)
	t.Logf("%d series of %d reports; %d were moved, %d complaints merged", series, filed, moved, merged)
	if moved == 0 || merged == 0 {
		t.Error("nothing was moved or merged")
	}
}

// relations is what the property test does to a handful of numbers.
type relations struct {
	*mesh
	t       *testing.T
	numbers []string
	reports []said
	from    int // reports of the series before
}

// refused lets refusals pass, for anybody may ask at the wrong time, and nothing else.
func (s *relations) refused(err error) {
	if _, refusal := errs.Refusal(err); err != nil && (!refusal || errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INTERNAL)) {
		s.t.Error(err)
	}
}

func (s *relations) any(rt *rapid.T, name string) *reportingv1.Complaint {
	if len(s.reports) == 0 {
		rt.Skip("nothing reported yet")
	}
	return s.complaintOf(s.t, rapid.SampledFrom(s.reports).Draw(rt, name).id)
}

func (s *relations) file(rt *rapid.T) {
	n, call := rapid.SampledFrom(s.numbers).Draw(rt, "number"), noon.Add(-time.Duration(rapid.IntRange(1, 96).Draw(rt, "hours"))*time.Hour)
	s.reports = append(s.reports, s.mesh.file(s.t, n, fmt.Sprintf("137000000%02d", rapid.IntRange(0, 5).Draw(rt, "reporter")), call))
}

func (s *relations) batch(*rapid.T) {
	var lines []string
	for i, n := range s.numbers {
		lines = append(lines, line(uuid.NewString(), fmt.Sprintf("1380000000%d", i), n, "10:00:00"))
	}
	for _, r := range send(s.t, s.as(centre), lines...) {
		var id string
		if err := s.owner.QueryRow(s.t.Context(), `SELECT report_id FROM report WHERE receipt = $1`, r.GetReceipt()).Scan(&id); err != nil {
			s.t.Fatal(err)
		}
		s.reports = append(s.reports, said{id, r.GetReceipt(), r.GetSecret()})
	}
}

func (s *relations) split(rt *rapid.T) {
	c := s.any(rt, "complaint")
	ids := s.reportsOf(s.t, c)
	_, err := s.as(centre).SplitComplaint(s.t.Context(), split(c, ids[:rapid.IntRange(1, len(ids)).Draw(rt, "reports")]...))
	s.refused(err)
}

func (s *relations) splitByHolder(rt *rapid.T) {
	c := s.any(rt, "complaint")
	change := timestamppb.New(noon.Add(-time.Duration(rapid.IntRange(1, 96).Draw(rt, "change")) * time.Hour))
	older, newer := "00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b"
	g, kept := &reportingv1.SplitGroup{HolderId: older, HeldUntilTime: change}, newer
	if rapid.Bool().Draw(rt, "newer") {
		g, kept = &reportingv1.SplitGroup{HolderId: newer, HeldFromTime: change}, older
	}
	_, err := s.workflows().SplitComplaint(s.t.Context(), byHolder(c, kept, g))
	s.refused(err)
}

func (s *relations) merge(rt *rapid.T) {
	into, from := s.any(rt, "into"), s.any(rt, "from")
	_, err := s.as(centre).MergeComplaints(s.t.Context(), merge(into, from))
	s.refused(err)
}

func (s *relations) link(rt *rapid.T) {
	a, b := s.any(rt, "one"), s.any(rt, "other")
	_, err := s.as(centre).LinkComplaints(s.t.Context(), &reportingv1.LinkComplaintsRequest{
		RequestId: uuid.NewString(), ComplaintId: a.GetComplaintId(), OtherComplaintId: b.GetComplaintId(), Kind: "related", Reason: "相关",
	})
	s.refused(err)
}

func (s *relations) withdraw(rt *rapid.T) {
	if len(s.reports) == 0 {
		rt.Skip("nothing reported yet")
	}
	r := rapid.SampledFrom(s.reports).Draw(rt, "report")
	_, err := s.as(citizen).WithdrawReport(s.t.Context(), &reportingv1.WithdrawReportRequest{RequestId: uuid.NewString(), Receipt: r.receipt, Secret: r.secret})
	s.refused(err)
}

func (s *relations) begin(rt *rapid.T) { s.mesh.begin(s.t, s.any(rt, "complaint")) }

// finish checks, tells and watches, as a workflow does.
func (s *relations) finish(rt *rapid.T) {
	c, w := s.any(rt, "complaint"), s.workflows()
	_, err := w.RecordFindings(s.t.Context(), &reportingv1.RecordFindingsRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(), Findings: []*reportingv1.Finding{{Result: "substantiated"}},
	})
	s.refused(err)
	if rapid.Bool().Draw(rt, "findings only") {
		return
	}
	_, err = w.GiveFeedback(s.t.Context(), &reportingv1.GiveFeedbackRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(), Stage: "result", Code: "measures",
	})
	s.refused(err)
	_, err = w.StartWatching(s.t.Context(), &reportingv1.StartWatchingRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(), Result: "measures",
		UntilTime: timestamppb.New(noon.AddDate(0, 0, 30)), HandledTime: timestamppb.New(noon.Add(-40 * time.Hour)),
	})
	s.refused(err)
}

func (s *relations) close(rt *rapid.T) {
	c := s.any(rt, "complaint")
	result := "measures"
	if c.GetState() != "WATCHING" {
		result = "withdrawn"
	}
	_, err := s.workflows().CloseComplaint(s.t.Context(), &reportingv1.CloseComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(), Result: result,
	})
	s.refused(err)
}

func (s *relations) forge(rt *rapid.T) {
	c := s.any(rt, "complaint")
	_, err := s.workflows().AdvanceComplaint(s.t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(), Stage: "number_check", Forged: true,
	})
	s.refused(err)
}

func (s *relations) reopen(rt *rapid.T) {
	if len(s.reports) == 0 {
		rt.Skip("nothing reported yet")
	}
	r := rapid.SampledFrom(s.reports).Draw(rt, "report")
	if s.count(s.t, `SELECT count(*) FROM report WHERE report_id = $1 AND verified`, r.id) == 0 {
		return
	}
	_, err := s.as(citizen).AnswerFollowUp(s.t.Context(), &reportingv1.AnswerFollowUpRequest{RequestId: uuid.NewString(), Receipt: r.receipt, Secret: r.secret, Stopped: new(false)})
	s.refused(err)
}

// holds is what is true after each step.
func (s *relations) holds(rt *rapid.T) {
	if n := s.count(s.t, `SELECT count(*) FROM report r JOIN complaint c USING (complaint_id)`); n != s.from+len(s.reports) {
		rt.Fatalf("%d reports belong to a complaint, %d were accepted", n, s.from+len(s.reports))
	}
	if len(s.reports) == 0 {
		return
	}
	r := rapid.SampledFrom(s.reports).Draw(rt, "receipt")
	if _, err := s.as(citizen).TrackReport(s.t.Context(), &reportingv1.TrackReportRequest{Receipt: r.receipt, Secret: r.secret}); err != nil {
		rt.Fatalf("receipt %s: %v", r.receipt, err)
	}
}

// sound is what is true after each series: all receipts hold, and the service finds nothing wrong.
func (s *relations) sound(rt *rapid.T) {
	for _, r := range s.reports {
		if _, err := s.as(citizen).TrackReport(s.t.Context(), &reportingv1.TrackReportRequest{Receipt: r.receipt, Secret: r.secret}); err != nil {
			rt.Fatalf("receipt %s: %v", r.receipt, err)
		}
	}
	resp, err := s.as(auditor).Audit(s.t.Context(), &reportingv1.AuditRequest{What: "violations"})
	if err != nil || len(resp.GetViolations()) > 0 {
		rt.Fatal(err, resp.GetViolations())
	}
}
