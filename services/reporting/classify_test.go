package reporting

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// reportsOf adds up reports like the database does.
func reportsOf(classes ...*reportingv1.ReportClass) []weight {
	var out []weight
	for _, c := range classes {
		i := slices.IndexFunc(out, func(w weight) bool { return w.category == c.GetCategory() && w.sector == c.GetSector() })
		if i < 0 {
			out = append(out, weight{category: c.GetCategory(), sector: c.GetSector()})
			i = len(out) - 1
		}
		out[i].weight += c.GetConfidence()
		out[i].squares += c.GetConfidence() * c.GetConfidence()
	}
	return out
}

func TestMajority_categoryFirst(t *testing.T) {
	r := func(category, sector string, confidence float64) *reportingv1.ReportClass {
		return &reportingv1.ReportClass{Category: category, Sector: sector, Confidence: confidence}
	}
	single := float64(float32(0.9)) // as the columns have it
	loans, insurance := r("commercial", "loans", 0.5), r("commercial", "insurance", 0.4)
	for _, tt := range []struct {
		name    string
		reports []*reportingv1.ReportClass
		want    class
	}{
		{"nothing", nil, class{}},
		{"one", []*reportingv1.ReportClass{r("commercial", "loans", 0.9)}, class{"commercial", "loans", 0.9, nil}},
		// As pairs, the criminal one would weigh most.
		{"category before sector", []*reportingv1.ReportClass{loans, insurance, r("criminal", "other", 0.8)},
			class{"commercial", "loans", 0.5, []string{"other", "insurance"}}},
		{"one sure report among many unsure ones is not sure", []*reportingv1.ReportClass{r("commercial", "loans", 0.9), r("commercial", "loans", 0.3),
			r("commercial", "loans", 0.3), r("commercial", "loans", 0.3)}, class{"commercial", "loans", 0.6, nil}},
		{"most leave the sector open", []*reportingv1.ReportClass{r("commercial", "loans", 0.8), r("commercial", "", 0.8), r("commercial", "", 0.8)},
			class{"commercial", "loans", 0.4, nil}},
		{"a fifth is no more than a fifth", []*reportingv1.ReportClass{r("commercial", "loans", 0.75), r("commercial", "insurance", 0.1875)},
			class{"commercial", "loans", 0.75, nil}},
		{"nor is it by the rounding of the columns", []*reportingv1.ReportClass{r("commercial", "loans", single), r("commercial", "loans", single),
			r("commercial", "loans", single), r("commercial", "loans", single), r("commercial", "insurance", single+1e-9)}, class{"commercial", "loans", 0.9, nil}},
		{"a little more is", []*reportingv1.ReportClass{r("commercial", "loans", 0.79), r("commercial", "insurance", 0.21)},
			class{"commercial", "loans", 0.79, []string{"insurance"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, majority(reportsOf(tt.reports...)), cmp.AllowUnexported(class{})); d != "" {
				t.Error(d)
			}
		})
	}
}

// The majority does not depend on the order of the reports, and it is never surer than its surest report.
func TestMajority_anyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reports := rapid.SliceOf(rapid.Custom(func(t *rapid.T) *reportingv1.ReportClass {
			return &reportingv1.ReportClass{
				Category: rapid.SampledFrom([]string{"commercial", "criminal"}).Draw(t, "category"),
				Sector:   rapid.SampledFrom([]string{"", "loans", "other"}).Draw(t, "sector"), Confidence: float64(rapid.IntRange(0, 4).Draw(t, "weight")) / 4,
			}
		})).Draw(t, "reports")
		one := majority(reportsOf(reports...))
		best := 0.0
		for _, r := range reports {
			best = max(best, r.GetConfidence())
		}
		slices.Reverse(reports)
		if d := cmp.Diff(one, majority(reportsOf(reports...)), cmp.AllowUnexported(class{})); d != "" {
			t.Errorf("the other way round: %s", d)
		}
		if one.confidence > best {
			t.Errorf("%v is surer than its reports: %v", one, best)
		}
	})
}

func TestRecordClassification_majority(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	send(t, c, line("T-1", "13900000001", "17000000001", "10:00:00"), line("T-2", "13900000002", "17000000001", "10:05:00"), line("T-3", "13900000003", "17000000001", "10:06:00"))
	s := m.script(t, m.only(t))
	s.begin(1)
	classes := []*reportingv1.ReportClass{{Category: "commercial", Sector: "loans", Confidence: 0.7}, {Category: "commercial", Sector: "insurance", Confidence: 0.4}, {Category: "criminal", Sector: "other", Confidence: 0.8}}
	for i, r := range s.facts().GetReports() {
		classes[i].ReportId = r.GetReport().GetReportId()
	}
	classify := func(req *reportingv1.RecordClassificationRequest) (*reportingv1.RecordClassificationResponse, *reportingv1.Complaint) {
		t.Helper()
		req.RequestId, req.ComplaintId, req.Round = uuid.NewString(), s.id, 1
		resp := must[*reportingv1.RecordClassificationResponse](t)(s.w.RecordClassification(t.Context(), req))
		return resp, s.facts().GetComplaint()
	}
	said, got := classify(&reportingv1.RecordClassificationRequest{Reports: classes})
	if got.GetCategory() != "commercial" || got.GetSector() != "loans" {
		t.Errorf("majority: %s %s", got.GetCategory(), got.GetSector())
	}
	if said.GetCategory() != "commercial" || said.GetSector() != "loans" || said.GetConfidence() != 0.7 || strings.Join(said.GetOtherSectors(), " ") != "other insurance" {
		t.Errorf("the answer is %v", said)
	}
	said, got = classify(&reportingv1.RecordClassificationRequest{Category: "malicious", Sector: "other"})
	if got.GetCategory() != "malicious" || said.GetCategory() != "malicious" || said.GetConfidence() != 1 {
		t.Errorf("a person's class: %s, answered %v", got.GetCategory(), said)
	}
}

// Only what belongs to the complaint is described; what an unverified reporter handed in is marked.
func TestGetFacts_evidence(t *testing.T) {
	e := newEdge(t)
	r, other := e.file(citizen, "13114590000"), e.file(citizen, "13114590001")
	complaint := e.complaintOf(r.GetReportId())
	e.begin(complaint, 1)
	e.begin(e.complaintOf(other.GetReportId()), 1)
	handIn := func(r *reportingv1.FileReportResponse) string {
		t.Helper()
		id := must[*reportingv1.PutEvidenceResponse](t)(e.as(citizen).PutEvidence(t.Context(), &reportingv1.PutEvidenceRequest{
			RequestId: uuid.NewString(), Kind: "screenshot", MediaType: "image/png", Content: []byte("png")})).GetEvidence().GetEvidenceId()
		must[*reportingv1.SupplementReportResponse](t)(e.as(citizen).SupplementReport(t.Context(), &reportingv1.SupplementReportRequest{
			RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: r.GetSecret(), EvidenceIds: []string{id}}))
		return id
	}
	theirs, foreign := handIn(r), handIn(other)
	ours := must[*reportingv1.PutEvidenceResponse](t)(e.as(centre).PutEvidence(t.Context(), &reportingv1.PutEvidenceRequest{
		RequestId: uuid.NewString(), Kind: "call_record", MediaType: "text/plain", Content: []byte("log"), ComplaintId: complaint})).GetEvidence().GetEvidenceId()
	verify := func(verified bool) {
		t.Helper()
		if _, err := e.owner.Exec(t.Context(), "UPDATE report SET verified = $2 WHERE report_id = $1", r.GetReportId(), verified); err != nil {
			t.Fatal(err)
		}
	}
	known := func() map[string]bool {
		t.Helper()
		facts := must[*reportingv1.GetFactsResponse](t)(e.workflows().GetFacts(t.Context(), &reportingv1.GetFactsRequest{
			ComplaintId: complaint, EvidenceIds: []string{theirs, ours, foreign, uuid.NewString()}}))
		unverified := map[string]bool{}
		for _, f := range facts.GetEvidence() {
			unverified[f.GetEvidenceId()] = f.GetUnverified()
		}
		return unverified
	}
	verify(false)
	if d := cmp.Diff(map[string]bool{theirs: true, ours: false}, known()); d != "" {
		t.Errorf("of an unverified reporter: %s", d)
	}
	verify(true)
	if d := cmp.Diff(map[string]bool{theirs: false, ours: false}, known()); d != "" {
		t.Errorf("of a verified reporter: %s", d)
	}
}
