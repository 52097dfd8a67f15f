package reporting

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

var leadMinistry = actor("lead", leadAgency, accessv1.Role_ROLE_LEAD)

func (m *mesh) classify1(t *testing.T, c *reportingv1.Complaint, category, sector string, reports ...said) {
	t.Helper()
	req := &reportingv1.RecordClassificationRequest{RequestId: uuid.NewString(), ComplaintId: c.GetComplaintId(), Round: 1}
	for _, r := range reports {
		req.Reports = append(req.Reports, &reportingv1.ReportClass{ReportId: r.id, Category: category, Sector: sector, Confidence: 0.95})
	}
	must[*reportingv1.RecordClassificationResponse](t)(m.workflows().RecordClassification(t.Context(), req))
}

func (m *mesh) began(t *testing.T, complaintID string) time.Time {
	t.Helper()
	return must[*reportingv1.BeginRoundResponse](t)(m.workflows().BeginRound(t.Context(), &reportingv1.BeginRoundRequest{
		RequestId: uuid.NewString(), ComplaintId: complaintID, Round: 1,
	})).GetBeganTime().AsTime()
}

// A suspected crime and what is none stay apart, whichever is to be merged into the other: they are linked.
func TestMerge_crimesStayApart(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	one, two, three := m.file(t, "95001234", "13900000001", day), m.file(t, "95005678", "13900000002", day), m.file(t, "95009012", "13900000003", day)
	trade, crime, other := m.complaintOf(t, one.id), m.complaintOf(t, two.id), m.complaintOf(t, three.id)
	m.begin(t, trade)
	m.begin(t, crime)
	m.begin(t, other)
	m.classify1(t, trade, "commercial", "education", one)
	m.classify1(t, crime, "criminal", "loans", two)
	m.classify1(t, other, "criminal", "loans", three)
	for _, req := range []*reportingv1.MergeComplaintsRequest{merge(trade, crime), merge(crime, trade), merge(crime, other, trade)} {
		_, err := m.as(centre).MergeComplaints(t.Context(), req)
		refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
		if err == nil || !strings.Contains(err.Error(), "link it instead") {
			t.Errorf("the refusal does not say what to do: %v", err)
		}
	}
	if c := m.complaintOf(t, two.id); c.GetCategory() != "criminal" || c.GetComplaintId() != crime.GetComplaintId() {
		t.Errorf("the crime is now %v", c)
	}
	must[*reportingv1.MergeComplaintsResponse](t)(m.as(centre).MergeComplaints(t.Context(), merge(crime, other)))
	m.sound(t)
}

// What a person called a crime stays one when reports leave it or come, whatever the classifier makes of the rest.
func TestSplitAndMerge_crimeStaysOne(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	one, two, three := m.file(t, "95001234", "13900000001", day), m.file(t, "95001234", "13900000002", day), m.file(t, "95005678", "13900000003", day)
	c, other := m.complaintOf(t, one.id), m.complaintOf(t, three.id)
	for _, x := range []*reportingv1.Complaint{c, other} {
		m.begin(t, x)
		must[*reportingv1.RecordClassificationResponse](t)(m.workflows().RecordClassification(t.Context(), &reportingv1.RecordClassificationRequest{
			RequestId: uuid.NewString(), ComplaintId: x.GetComplaintId(), Round: 1, Category: "criminal", Sector: "loans",
			Reports: []*reportingv1.ReportClass{{ReportId: map[string]string{c.GetComplaintId(): one.id, other.GetComplaintId(): three.id}[x.GetComplaintId()],
				Category: "commercial", Sector: "loans", Confidence: 0.9}},
		}))
	}
	must[*reportingv1.MergeComplaintsResponse](t)(m.as(centre).MergeComplaints(t.Context(), merge(c, other)))
	if got := m.complaintOf(t, one.id).GetCategory(); got != "criminal" {
		t.Errorf("merged, it is %s", got)
	}
	must[*reportingv1.SplitComplaintResponse](t)(m.as(centre).SplitComplaint(t.Context(), split(c, two.id)))
	if got := m.complaintOf(t, one.id).GetCategory(); got != "criminal" {
		t.Errorf("split, it is %s", got)
	}
	m.sound(t)
}

// By holder, reports of a suspected crime do not join that holder's commercial complaint: they are one of their own.
func TestSplitByHolder_crimeStaysApart(t *testing.T) {
	m := start(t)
	change := noon.Add(-48 * time.Hour)
	before, after := m.file(t, "95001234", "13900000001", change.Add(-time.Hour)), m.file(t, "95001234", "13900000002", change.Add(time.Hour))
	older, newer := uuid.NewString(), uuid.NewString()
	c := m.complaintOf(t, after.id)
	group := func(reports ...string) *reportingv1.SplitGroup {
		return &reportingv1.SplitGroup{ReportIds: reports, HolderId: older}
	}
	must[*reportingv1.SplitComplaintResponse](t)(m.workflows().SplitComplaint(t.Context(), byHolder(c, newer, group(before.id))))
	part := m.complaintOf(t, before.id)
	m.begin(t, part)
	m.classify1(t, part, "commercial", "loans", before)
	late := m.file(t, "95001234", "13900000003", change.Add(-2*time.Hour))
	m.begin(t, c)
	m.classify1(t, c, "criminal", "loans", after, late)
	resp := must[*reportingv1.SplitComplaintResponse](t)(m.workflows().SplitComplaint(t.Context(), byHolder(c, newer, group(late.id))))
	own := m.complaintOf(t, late.id)
	if len(resp.GetParts()) != 1 || own.GetComplaintId() == part.GetComplaintId() || own.GetComplaintId() == c.GetComplaintId() || own.GetHolderId() != older {
		t.Errorf("%v: the crime's report belongs to %v", resp, own)
	}
	m.sound(t)
}

// Two holders' parts of a number are not merged by hand: the workflow would part them again.
func TestMerge_holdersStayApart(t *testing.T) {
	m := start(t)
	change := noon.Add(-48 * time.Hour)
	before, after := m.file(t, "95001234", "13900000001", change.Add(-time.Hour)), m.file(t, "95001234", "13900000002", change.Add(time.Hour))
	group := &reportingv1.SplitGroup{ReportIds: []string{before.id}, HolderId: uuid.NewString(), HeldUntilTime: timestamppb.New(change)}
	must[*reportingv1.SplitComplaintResponse](t)(m.workflows().SplitComplaint(t.Context(), byHolder(m.complaintOf(t, after.id), uuid.NewString(), group)))
	c, part := m.complaintOf(t, after.id), m.complaintOf(t, before.id)
	_, err := m.as(centre).MergeComplaints(t.Context(), merge(c, part))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	if m.complaintOf(t, before.id).GetComplaintId() != part.GetComplaintId() {
		t.Error("the older holder's report was moved to the newer one's complaint")
	}
	m.sound(t)
}

// A split starts no round anew: once assigned it is not for the lead, and the part has waited as long as its complaint.
func TestSplit_keepsTheClock(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	one, two, three := m.file(t, "95001234", "13900000001", day), m.file(t, "95001234", "13900000002", day), m.file(t, "95001234", "13900000003", day)
	c := m.complaintOf(t, one.id)
	m.begin(t, c)
	m.lead(t, c, "nfra-44")
	m.time = m.time.AddDate(0, 0, 28)
	_, err := m.as(actor("worker", "nfra-44", roleCaseworker)).SplitComplaint(t.Context(), split(c, two.id))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	_, err = m.as(actor("lead", "nfra-44", accessv1.Role_ROLE_LEAD)).SplitComplaint(t.Context(), split(c, two.id))
	if err == nil {
		t.Error("the role of another agency than the lead ministry splits")
	}
	must[*reportingv1.SplitComplaintResponse](t)(m.as(leadMinistry).SplitComplaint(t.Context(), split(c, two.id)))
	must[*reportingv1.SplitComplaintResponse](t)(m.as(centre).SplitComplaint(t.Context(), split(c, three.id)))
	for _, r := range []said{two, three} {
		part := m.complaintOf(t, r.id).GetComplaintId()
		if part == c.GetComplaintId() || !m.began(t, part).Equal(m.began(t, c.GetComplaintId())) {
			t.Errorf("the round of the part began %v, the complaint's %v", m.began(t, part), m.began(t, c.GetComplaintId()))
		}
	}
	m.sound(t)
}

// Merged into a younger one, a complaint has waited as long as before.
func TestMerge_keepsTheOlderClock(t *testing.T) {
	m := start(t)
	old := m.complaintOf(t, m.file(t, "95001234", "13900000001", noon.Add(-24*time.Hour)).id)
	since := m.began(t, old.GetComplaintId())
	m.time = m.time.AddDate(0, 0, 20)
	young := m.complaintOf(t, m.file(t, "95005678", "13900000002", m.time.Add(-time.Hour)).id)
	m.begin(t, young)
	must[*reportingv1.MergeComplaintsResponse](t)(m.as(centre).MergeComplaints(t.Context(), merge(young, old)))
	if got := m.began(t, young.GetComplaintId()); !got.Equal(since) {
		t.Errorf("the round began %v, want %v", got, since)
	}
}

// Who keeps records for a complaint may be the one reported: it learns neither why nor through whom things are done, and
// of no other complaint. Who leads it sees links to what it may see only.
func TestHistoryAndLinks_forThoseWhoConduct(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	one, two := m.complaintOf(t, m.file(t, "95001234", "13900000001", day).id), m.complaintOf(t, m.file(t, "95005678", "13900000002", day).id)
	m.begin(t, one)
	m.lead(t, one, "nfra-44")
	must[*reportingv1.AdvanceComplaintResponse](t)(m.workflows().AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: one.GetComplaintId(), Round: 1, Stage: "fact_check", Office: "nfra-44",
		Participations: []*reportingv1.Participation{{AgencyId: "callcentre-x", Part: "preserver"}},
	}))
	must[*reportingv1.LinkComplaintsResponse](t)(m.as(centre).LinkComplaints(t.Context(), &reportingv1.LinkComplaintsRequest{
		RequestId: uuid.NewString(), ComplaintId: one.GetComplaintId(), OtherComplaintId: two.GetComplaintId(), Kind: "same_campaign", Reason: "拟于周五现场检查",
	}))
	for who, want := range map[*commonv1.Actor]struct {
		links, names, why int
	}{
		actor("x", "callcentre-x", roleOperator):    {0, 0, 0},
		actor("w", "nfra-44", roleCaseworker):       {0, 0, 1},
		actor("clerk2", "centre-12321", roleCentre): {1, 1, 1},
	} {
		links := must[*reportingv1.GetComplaintResponse](t)(m.as(who).GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: one.GetComplaintId()})).GetLinks()
		history := must[*reportingv1.ListComplaintHistoryResponse](t)(m.as(who).ListComplaintHistory(t.Context(), &reportingv1.ListComplaintHistoryRequest{ComplaintId: one.GetComplaintId()})).GetEntries()
		linked := history[len(history)-1]
		if linked.GetWhat() != "linked" || len(links) != want.links || (linked.GetTo() != "") != (want.names > 0) ||
			(linked.GetWhy() != "") != (want.why > 0) || (linked.GetActor() != "") != (want.why > 0) {
			t.Errorf("%s sees %v and %v", who.GetAgencyId(), links, linked)
		}
	}
	m.begin(t, two)
	m.lead(t, two, "nfra-44") // now it leads both
	worker := m.as(actor("w", "nfra-44", roleCaseworker))
	links := must[*reportingv1.GetComplaintResponse](t)(worker.GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: one.GetComplaintId()})).GetLinks()
	history := must[*reportingv1.ListComplaintHistoryResponse](t)(worker.ListComplaintHistory(t.Context(), &reportingv1.ListComplaintHistoryRequest{ComplaintId: one.GetComplaintId()})).GetEntries()
	if len(links) != 1 || history[len(history)-1].GetTo() != two.GetComplaintId() {
		t.Errorf("who leads both sees %v and %v", links, history)
	}
}

// A link that a stranger guesses the number of is not there for him.
func TestUnlink_tellsStrangersNothing(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	one, two := m.complaintOf(t, m.file(t, "95001234", "13900000001", day).id), m.complaintOf(t, m.file(t, "95005678", "13900000002", day).id)
	l := must[*reportingv1.LinkComplaintsResponse](t)(m.as(centre).LinkComplaints(t.Context(), &reportingv1.LinkComplaintsRequest{
		RequestId: uuid.NewString(), ComplaintId: one.GetComplaintId(), OtherComplaintId: two.GetComplaintId(), Kind: "related", Reason: "同一批次",
	})).GetLink().GetLinkId()
	stranger := m.as(actor("x", "samr-44", roleCaseworker))
	for _, id := range []int64{l, l + 1000} {
		_, err := stranger.UnlinkComplaints(t.Context(), &reportingv1.UnlinkComplaintsRequest{RequestId: uuid.NewString(), LinkId: id, Reason: "误关联"})
		refused(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
		if strings.Contains(err.Error(), "complaint") {
			t.Errorf("link %d: %v", id, err)
		}
	}
}

// What ties two alike is one link, from either end; what follows upon something has a direction.
func TestLink_eitherWay(t *testing.T) {
	for kind, want := range map[string]int{"same_party": 1, "same_campaign": 1, "related": 1, "successor": 2, "relapse": 2} {
		m := start(t)
		day := noon.Add(-24 * time.Hour)
		one, two := m.complaintOf(t, m.file(t, "95001234", "13900000001", day).id), m.complaintOf(t, m.file(t, "95005678", "13900000002", day).id)
		for _, p := range [][2]string{{one.GetComplaintId(), two.GetComplaintId()}, {two.GetComplaintId(), one.GetComplaintId()}} {
			must[*reportingv1.LinkComplaintsResponse](t)(m.as(centre).LinkComplaints(t.Context(), &reportingv1.LinkComplaintsRequest{
				RequestId: uuid.NewString(), ComplaintId: p[0], OtherComplaintId: p[1], Kind: kind, Reason: reasonForTest,
			}))
		}
		if n := m.count(t, `SELECT count(*) FROM complaint_link`); n != want {
			t.Errorf("%s said from both ends: %d links, want %d", kind, n, want)
		}
	}
}
