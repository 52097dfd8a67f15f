package reporting

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

const reasonForTest = "两家公司先后使用"

// said is a report filed and the receipt to it.
type said struct{ id, receipt, secret string }

func (m *mesh) file(t *testing.T, number, reporter string, call time.Time) said {
	t.Helper()
	req := typed(number, call)
	req.ReporterNumber = reporter
	resp := must[*reportingv1.FileReportResponse](t)(m.as(citizen).FileReport(t.Context(), req))
	return said{resp.GetReportId(), resp.GetReceipt(), resp.GetSecret()}
}

// complaintOf is the complaint that a report belongs to.
func (m *mesh) complaintOf(t *testing.T, report string) *reportingv1.Complaint {
	t.Helper()
	r := must[*reportingv1.GetReportResponse](t)(m.as(centre).GetReport(t.Context(), &reportingv1.GetReportRequest{ReportId: report}))
	c := must[*reportingv1.GetComplaintResponse](t)(m.as(centre).GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: r.GetReport().GetComplaintId()}))
	return c.GetComplaint()
}

func (m *mesh) begin(t *testing.T, c *reportingv1.Complaint) {
	t.Helper()
	must[*reportingv1.BeginRoundResponse](t)(m.workflows().BeginRound(t.Context(), &reportingv1.BeginRoundRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(),
	}))
}

func (m *mesh) lead(t *testing.T, c *reportingv1.Complaint, agency string) {
	t.Helper()
	must[*reportingv1.AdvanceComplaintResponse](t)(m.workflows().AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(), Stage: "fact_check", Office: agency,
		Participations: []*reportingv1.Participation{{AgencyId: agency, Part: "lead"}},
	}))
}

func (m *mesh) find(t *testing.T, c *reportingv1.Complaint, reports ...string) {
	t.Helper()
	must[*reportingv1.RecordFindingsResponse](t)(m.workflows().RecordFindings(t.Context(), &reportingv1.RecordFindingsRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(),
		Findings: []*reportingv1.Finding{{Result: "substantiated", ReportIds: reports}},
	}))
}

func (m *mesh) watch(t *testing.T, c *reportingv1.Complaint) {
	t.Helper()
	must[*reportingv1.GiveFeedbackResponse](t)(m.workflows().GiveFeedback(t.Context(), &reportingv1.GiveFeedbackRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(), Stage: "result", Code: "measures",
	}))
	w := must[*reportingv1.StartWatchingResponse](t)(m.workflows().StartWatching(t.Context(), &reportingv1.StartWatchingRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(), Result: "measures",
		UntilTime: timestamppb.New(m.time.AddDate(0, 0, 30)), HandledTime: timestamppb.New(m.time),
	}))
	if !w.GetWatching() {
		t.Fatal("not watching")
	}
}

func (m *mesh) close(t *testing.T, c *reportingv1.Complaint) {
	t.Helper()
	must[*reportingv1.CloseComplaintResponse](t)(m.workflows().CloseComplaint(t.Context(), &reportingv1.CloseComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: c.GetRound(), Result: "measures",
	}))
}

func split(c *reportingv1.Complaint, reports ...string) *reportingv1.SplitComplaintRequest {
	return &reportingv1.SplitComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Reason: reasonForTest,
		Groups: []*reportingv1.SplitGroup{{ReportIds: reports}},
	}
}

func merge(into *reportingv1.Complaint, from ...*reportingv1.Complaint) *reportingv1.MergeComplaintsRequest {
	req := &reportingv1.MergeComplaintsRequest{RequestId: uuid.NewString(), IntoComplaintId: into.GetComplaintId(), Reason: "同一公司的多个号码"}
	for _, c := range from {
		req.FromComplaintIds = append(req.FromComplaintIds, c.GetComplaintId())
	}
	return req
}

func refused(t *testing.T, err error, reason commonv1.ErrorReason) {
	t.Helper()
	if !errs.Is(err, reason) {
		t.Errorf("got %v, want a refusal %v", err, reason)
	}
}

// The centre takes reports out of what is assigned: they are a complaint of their own, which waits for its own workflow; what
// their reporters were told stays, and their receipts show the new complaint.
func TestSplitByPerson(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	one, two := m.file(t, "95001234", "13900000001", day), m.file(t, "95001234", "13900000002", day.Add(time.Hour))
	c := m.complaintOf(t, one.id)
	m.begin(t, c)
	m.lead(t, c, "nfra-44")
	must[*reportingv1.GiveFeedbackResponse](t)(m.workflows().GiveFeedback(t.Context(), &reportingv1.GiveFeedbackRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: 1, Stage: "accepted",
	}))
	_, err := m.as(actor("other", "samr-44", roleCaseworker)).SplitComplaint(t.Context(), split(c, two.id))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = m.as(centre).SplitComplaint(t.Context(), split(c, one.id, two.id))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // one at least stays
	req := split(c, two.id)
	resp := must[*reportingv1.SplitComplaintResponse](t)(m.as(centre).SplitComplaint(t.Context(), req))
	again := must[*reportingv1.SplitComplaintResponse](t)(m.as(centre).SplitComplaint(t.Context(), req))
	if len(resp.GetParts()) != 1 || resp.GetKept() != 1 || again.GetParts()[0].GetComplaintId() != resp.GetParts()[0].GetComplaintId() {
		t.Fatalf("split: %v, then %v", resp, again)
	}
	part := m.complaintOf(t, two.id)
	if part.GetComplaintId() != resp.GetParts()[0].GetComplaintId() || part.GetState() != "RECEIVED" || part.GetRound() != 1 || part.GetReportCount() != 1 {
		t.Errorf("part: %v", part)
	}
	waiting := must[*reportingv1.ListUnstartedResponse](t)(m.workflows().ListUnstarted(t.Context(), &reportingv1.ListUnstartedRequest{}))
	if len(waiting.GetComplaints()) != 1 || waiting.GetComplaints()[0].GetComplaintId() != part.GetComplaintId() {
		t.Errorf("the sweep is to start %v", waiting.GetComplaints())
	}
	seen := must[*reportingv1.TrackReportResponse](t)(m.as(citizen).TrackReport(t.Context(), &reportingv1.TrackReportRequest{Receipt: two.receipt, Secret: two.secret}))
	if seen.GetStage() != "accept" || seen.GetOffice() != "" {
		t.Errorf("the moved report is tracked as %v", seen)
	}
	if n := m.count(t, `SELECT count(*) FROM feedback WHERE report_id = $1 AND stage IN ('accepted', 'moved')`, two.id); n != 2 {
		t.Errorf("%d feedbacks of the moved report, want that it was accepted and that it moved", n)
	}
	// what is reported later joins the main part, and what was checked stays
	if late := m.file(t, "95001234", "13900000003", day); m.complaintOf(t, late.id).GetComplaintId() != c.GetComplaintId() {
		t.Error("a later report did not join the main part")
	}
	m.find(t, c, one.id)
	_, err = m.as(centre).SplitComplaint(t.Context(), split(c, one.id))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)

	history := must[*reportingv1.ListComplaintHistoryResponse](t)(m.as(centre).ListComplaintHistory(t.Context(), &reportingv1.ListComplaintHistoryRequest{ComplaintId: c.GetComplaintId()}))
	var h *reportingv1.ComplaintHistory
	for _, e := range history.GetEntries() {
		if e.GetWhat() == "split" {
			h = e
		}
	}
	if h.GetFrom() != c.GetComplaintId() || h.GetTo() != part.GetComplaintId() || h.GetWhy() != reasonForTest || h.GetActor() != "clerk" {
		t.Errorf("history: %v", h)
	}
	links := must[*reportingv1.GetComplaintResponse](t)(m.as(centre).GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: c.GetComplaintId()}))
	if len(links.GetLinks()) != 1 || links.GetLinks()[0].GetKind() != "split" {
		t.Errorf("links: %v", links.GetLinks())
	}
	m.sound(t)
}

// The same call told through two channels is one call: linked, counted once, both receipts hold; a split does not part them.
func TestSameCallStaysTogether(t *testing.T) {
	m := start(t)
	call := noon.Add(-3 * time.Hour)
	first := m.file(t, "95001234", "13900000001", call)
	results := send(t, m.as(centre), line("S1", "13900000009", "95001234", "10:00:00"), line("S2", "13900000009", "95001234", "10:01:30"))
	other := m.count(t, `SELECT count(*) FROM report WHERE same_call_as IS NOT NULL`)
	if fatesOf(results) != "AA" || other != 1 {
		t.Fatalf("fates %s, %d told twice", fatesOf(results), other)
	}
	c := m.complaintOf(t, first.id)
	var twin string
	if err := m.owner.QueryRow(t.Context(), `SELECT report_id FROM report WHERE same_call_as IS NOT NULL`).Scan(&twin); err != nil {
		t.Fatal(err)
	}
	resp := must[*reportingv1.SplitComplaintResponse](t)(m.as(centre).SplitComplaint(t.Context(), split(c, twin)))
	if resp.GetParts()[0].GetMoved() != 2 || resp.GetKept() != 1 {
		t.Errorf("split: %v", resp)
	}
	for _, r := range results {
		must[*reportingv1.TrackReportResponse](t)(m.as(citizen).TrackReport(t.Context(), &reportingv1.TrackReportRequest{Receipt: r.GetReceipt(), Secret: r.GetSecret()}))
	}
	tally := must[*reportingv1.TallyReportsResponse](t)(m.workflows().TallyReports(t.Context(), &reportingv1.TallyReportsRequest{
		FromTime: timestamppb.New(noon.Add(-time.Hour)), ToTime: timestamppb.New(noon.Add(time.Hour)),
	}))
	if tally.GetTotal() != 1 { // the citizen's is not verified and is counted apart
		t.Errorf("%d reports counted, want 1", tally.GetTotal())
	}
	m.sound(t)
}

// byHolder is a split as the workflows ask for it.
func byHolder(c *reportingv1.Complaint, kept string, groups ...*reportingv1.SplitGroup) *reportingv1.SplitComplaintRequest {
	return &reportingv1.SplitComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), KeptHolderId: kept, Groups: groups, Reason: "通话时间对应不同使用主体",
	}
}

// Calls in the times of two holders are two complaints; a later report joins the one of its call's time, and when that is
// closed the next one has a link to it.
func TestSplitByHolder(t *testing.T) {
	m := start(t)
	change := noon.Add(-48 * time.Hour)
	before, after := m.file(t, "95001234", "13900000001", change.Add(-time.Hour)), m.file(t, "95001234", "13900000002", change.Add(time.Hour))
	c := m.complaintOf(t, after.id)
	older, newer := uuid.NewString(), uuid.NewString()
	_, err := m.as(centre).SplitComplaint(t.Context(), byHolder(c, newer, &reportingv1.SplitGroup{HolderId: older}))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) // who held it is for the ledger to say
	group := &reportingv1.SplitGroup{ReportIds: []string{before.id}, HolderId: older, HeldUntilTime: timestamppb.New(change)}
	resp := must[*reportingv1.SplitComplaintResponse](t)(m.workflows().SplitComplaint(t.Context(), byHolder(c, newer, group)))
	if len(resp.GetParts()) != 1 || resp.GetParts()[0].GetJoined() {
		t.Fatalf("split: %v", resp)
	}
	// sent again as another request it changes nothing
	again := must[*reportingv1.SplitComplaintResponse](t)(m.workflows().SplitComplaint(t.Context(), byHolder(c, newer, group)))
	if len(again.GetParts()) != 0 {
		t.Errorf("split again: %v", again)
	}
	part := m.complaintOf(t, before.id)
	if part.GetHolderId() != older || m.complaintOf(t, after.id).GetHolderId() != newer {
		t.Errorf("holders: %v", part)
	}
	late := m.file(t, "95001234", "13900000003", change.Add(-2*time.Hour))
	if m.complaintOf(t, late.id).GetComplaintId() != part.GetComplaintId() {
		t.Error("a later report of the holder's time did not join his part")
	}
	results := send(t, m.as(centre), line("H1", "13900000007", "95001234", "10:00:00")) // 19 November, after the change
	if m.count(t, `SELECT count(*) FROM report WHERE receipt = $1 AND complaint_id = $2`, results[0].GetReceipt(), c.GetComplaintId()) != 1 {
		t.Error("a row of a batch did not join the part of its call's time")
	}
	batch := send(t, m.as(centre), on17th(line("H2", "13900000008", "95001234", "10:00:00")))
	if m.count(t, `SELECT count(*) FROM report WHERE receipt = $1 AND complaint_id = $2`, batch[0].GetReceipt(), part.GetComplaintId()) != 1 {
		t.Error("a row of a batch did not join the older holder's part")
	}
	m.begin(t, part)
	m.find(t, part)
	m.watch(t, part)
	m.close(t, part)
	// the older holder's part is over: what comes in is the main part's until the ledger is asked again
	stray := m.file(t, "95001234", "13900000004", change.Add(-3*time.Hour))
	if m.complaintOf(t, stray.id).GetComplaintId() != c.GetComplaintId() {
		t.Error("a report of a closed part did not join the main part")
	}
	group = &reportingv1.SplitGroup{HolderId: older, HeldUntilTime: timestamppb.New(change)}
	resp = must[*reportingv1.SplitComplaintResponse](t)(m.workflows().SplitComplaint(t.Context(), byHolder(c, newer, group)))
	next := m.complaintOf(t, stray.id)
	if len(resp.GetParts()) != 1 || next.GetPreviousComplaintId() != part.GetComplaintId() {
		t.Errorf("the next part: %v, %v", resp, next)
	}
	m.sound(t)
}

// on17th moves a row's call to 17 November, before the change of holders.
func on17th(row string) string {
	return row[:len("H2,12321网站,13900000008,95001234,2026-11-")] + "17" + row[len("H2,12321网站,13900000008,95001234,2026-11-19"):]
}

// Complaints of several numbers become one: reports, receipts and later reports follow; the merged one is closed and its
// workflow told; a forged number stays apart.
func TestMerge(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	one, two := m.file(t, "95001234", "13900000001", day), m.file(t, "95005678", "13900000002", day)
	forged := m.file(t, "+8695588", "13900000003", day)
	into, from := m.complaintOf(t, one.id), m.complaintOf(t, two.id)
	m.begin(t, into)
	m.begin(t, from)
	m.lead(t, into, "nfra-44")
	m.lead(t, from, "samr-44")
	_, err := m.as(actor("worker", "nfra-44", roleCaseworker)).MergeComplaints(t.Context(), merge(into, from))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = m.as(centre).MergeComplaints(t.Context(), merge(into, m.complaintOf(t, forged.id)))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	resp := must[*reportingv1.MergeComplaintsResponse](t)(m.as(centre).MergeComplaints(t.Context(), merge(into, from)))
	if resp.GetMoved() != 1 || resp.GetMerged() != 1 {
		t.Fatalf("merge: %v", resp)
	}
	gone := must[*reportingv1.GetComplaintResponse](t)(m.as(centre).GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: from.GetComplaintId()})).GetComplaint()
	if gone.GetState() != "CLOSED" || gone.GetResult() != "merged" || gone.GetMergedIntoComplaintId() != into.GetComplaintId() {
		t.Errorf("merged: %v", gone)
	}
	seen := must[*reportingv1.TrackReportResponse](t)(m.as(citizen).TrackReport(t.Context(), &reportingv1.TrackReportRequest{Receipt: two.receipt, Secret: two.secret}))
	if seen.GetStage() != "fact_check" || seen.GetOffice() != "nfra-44" {
		t.Errorf("the merged report is tracked as %v", seen)
	}
	// it is still about the number that was reported
	r := must[*reportingv1.GetReportResponse](t)(m.as(centre).GetReport(t.Context(), &reportingv1.GetReportRequest{ReportId: two.id}))
	if r.GetReport().GetNumber().GetNormal() != "95005678" {
		t.Errorf("number of the merged report: %v", r.GetReport().GetNumber())
	}
	later := m.file(t, "95005678", "13900000001", day.Add(time.Minute)) // who called one number was called by the other: two calls
	if m.complaintOf(t, later.id).GetComplaintId() != into.GetComplaintId() {
		t.Error("a later report of the merged number did not join")
	}
	send(t, m.as(centre), line("M1", "13900000006", "95005678", "10:00:00"), line("M2", "13900000006", "95001234", "10:00:30"))
	if n := m.count(t, `SELECT count(*) FROM report WHERE complaint_id = $1`, into.GetComplaintId()); n != 5 {
		t.Errorf("%d reports, want 5", n)
	}
	if n := m.count(t, `SELECT count(*) FROM report WHERE same_call_as IS NOT NULL`); n != 0 {
		t.Errorf("%d reports of different numbers are taken for the same call", n)
	}
	ended := must[*reportingv1.ListUnstartedResponse](t)(m.workflows().ListUnstarted(t.Context(), &reportingv1.ListUnstartedRequest{})).GetEnded()
	if len(ended) != 1 || ended[0].GetComplaintId() != from.GetComplaintId() {
		t.Errorf("workflows to be told: %v", ended)
	}
	_, err = m.as(centre).MergeComplaints(t.Context(), merge(from, into))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_CLOSED)
	// the agency that led it takes part in what it has become
	must[*reportingv1.GetComplaintResponse](t)(m.as(actor("w", "samr-44", roleCaseworker)).GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: into.GetComplaintId()}))
	m.sound(t)

	// the main number proves forged: the others are their own matter again
	must[*reportingv1.AdvanceComplaintResponse](t)(m.workflows().AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: into.GetComplaintId(), Round: 1, Stage: "number_check", Forged: true,
	}))
	own := m.complaintOf(t, two.id)
	if own.GetForged() || own.GetComplaintId() == into.GetComplaintId() || own.GetNumber().GetNormal() != "95005678" || own.GetReportCount() != 3 {
		t.Errorf("the genuine number's complaint: %v", own)
	}
	m.sound(t)
}

// After closing, the number's next complaint has a link to the one before; people make and take back links of their own.
func TestLinks(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	one := m.file(t, "95001234", "13900000001", day)
	old := m.complaintOf(t, one.id)
	m.begin(t, old)
	m.find(t, old)
	m.watch(t, old)
	m.close(t, old)
	next := m.complaintOf(t, m.file(t, "95001234", "13900000002", day).id)
	get := func() []*reportingv1.ComplaintLink {
		return must[*reportingv1.GetComplaintResponse](t)(m.as(centre).GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: next.GetComplaintId()})).GetLinks()
	}
	if l := get(); len(l) != 1 || l[0].GetKind() != "successor" || l[0].GetOtherComplaintId() != old.GetComplaintId() {
		t.Fatalf("links: %v", l)
	}
	_, err := m.as(centre).UnlinkComplaints(t.Context(), &reportingv1.UnlinkComplaintsRequest{RequestId: uuid.NewString(), LinkId: get()[0].GetLinkId(), Reason: "误"})
	if err == nil {
		t.Error("a reason of one character was taken")
	}
	_, err = m.as(centre).UnlinkComplaints(t.Context(), &reportingv1.UnlinkComplaintsRequest{RequestId: uuid.NewString(), LinkId: get()[0].GetLinkId(), Reason: "误关联"})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)

	other := m.complaintOf(t, m.file(t, "95005678", "13900000002", day).id)
	req := &reportingv1.LinkComplaintsRequest{
		RequestId: uuid.NewString(), ComplaintId: next.GetComplaintId(), OtherComplaintId: other.GetComplaintId(), Kind: "same_party", Reason: "同一外呼团队",
	}
	l := must[*reportingv1.LinkComplaintsResponse](t)(m.as(centre).LinkComplaints(t.Context(), req)).GetLink()
	req.RequestId = uuid.NewString()
	if same := must[*reportingv1.LinkComplaintsResponse](t)(m.as(centre).LinkComplaints(t.Context(), req)).GetLink(); same.GetLinkId() != l.GetLinkId() {
		t.Error("the same link was made twice")
	}
	_, err = m.as(actor("w", "samr-44", roleCaseworker)).LinkComplaints(t.Context(), req)
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	must[*reportingv1.UnlinkComplaintsResponse](t)(m.as(centre).UnlinkComplaints(t.Context(), &reportingv1.UnlinkComplaintsRequest{RequestId: uuid.NewString(), LinkId: l.GetLinkId(), Reason: "误关联"}))
	if n := len(get()); n != 1 {
		t.Errorf("%d links stand, want 1", n)
	}
	if n := m.count(t, `SELECT count(*) FROM complaint_link`); n != 3 {
		t.Errorf("%d rows of links, want that all are kept", n)
	}
	m.sound(t)
}

// What a complaint is about is the say of those who are verified, each call once: neither a flood of unverified reports
// nor the same call told twice makes another agency a co-agency.
func TestMajorityCountsCallsOnceAndTheUnverifiedApart(t *testing.T) {
	m := start(t)
	web := m.file(t, "95001234", "13900000001", noon.Add(-time.Hour))
	send(t, m.as(centre), line("V1", "13900000002", "95001234", "10:00:00"), line("V2", "13900000002", "95001234", "10:01:00"),
		line("V3", "13900000003", "95001234", "11:00:00"))
	c := m.complaintOf(t, web.id)
	m.begin(t, c)
	req := &reportingv1.RecordClassificationRequest{RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: 1}
	for _, id := range m.reportsOf(t, c) {
		sector := "loans"
		if id == web.id {
			sector = "education"
		}
		if n := m.count(t, `SELECT count(*) FROM report WHERE report_id = $1 AND sender_no = 'V2'`, id); n == 1 {
			sector = "retail"
		}
		req.Reports = append(req.Reports, &reportingv1.ReportClass{ReportId: id, Category: "commercial", Sector: sector, Confidence: 0.9})
	}
	got := must[*reportingv1.RecordClassificationResponse](t)(m.workflows().RecordClassification(t.Context(), req))
	if got.GetSector() != "loans" || len(got.GetOtherSectors()) != 0 {
		t.Errorf("the complaint is about %v", got)
	}
}
