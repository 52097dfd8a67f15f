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

// writes are what a round's workflow writes at its end: findings, class, a stage with an agency, result, watching.
func writes(id string, stage string) []*reportingv1.RoundWrite {
	request := uuid.NewString
	return []*reportingv1.RoundWrite{
		{Write: &reportingv1.RoundWrite_Classification{Classification: &reportingv1.RecordClassificationRequest{
			RequestId: request(), ComplaintId: id, Round: 1, Category: "commercial", Sector: "loans",
		}}},
		{Write: &reportingv1.RoundWrite_Findings{Findings: &reportingv1.RecordFindingsRequest{
			RequestId: request(), ComplaintId: id, Round: 1, Findings: []*reportingv1.Finding{{Result: "substantiated"}},
		}}},
		{Write: &reportingv1.RoundWrite_Advance{Advance: &reportingv1.AdvanceComplaintRequest{
			RequestId: request(), ComplaintId: id, Round: 1, Stage: stage, Result: "measures",
			Participations: []*reportingv1.Participation{{AgencyId: "nfra-43", Part: "lead"}},
		}}},
		{Write: &reportingv1.RoundWrite_Feedback{Feedback: &reportingv1.GiveFeedbackRequest{
			RequestId: request(), ComplaintId: id, Round: 1, Stage: "result", Code: "measures",
		}}},
		{Write: &reportingv1.RoundWrite_Watching{Watching: &reportingv1.StartWatchingRequest{
			RequestId: request(), ComplaintId: id, Round: 1, Result: "measures", UntilTime: timestamppb.New(noon.Add(720 * time.Hour)),
		}}},
	}
}

func TestWriteRound(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), line("A1", "13900000001", "17000000001", "10:00:00"), line("A2", "13900000002", "17000000001", "11:00:00"))
	id, w := m.only(t), m.workflows()
	m.script(t, id).begin(1)
	req := &reportingv1.WriteRoundRequest{RequestId: uuid.NewString(), ComplaintId: id, Round: 1, Writes: writes(id, "disclose")}
	for range 2 { // twice is once
		if resp := must[*reportingv1.WriteRoundResponse](t)(w.WriteRound(t.Context(), req)); !resp.GetWatching() || resp.GetAllWithdrawn() {
			t.Errorf("written: %v", resp)
		}
	}
	for what, query := range map[string]string{
		"the complaint":        `SELECT count(*) FROM complaint WHERE state = 'WATCHING' AND category = 'commercial' AND sector = 'loans' AND result = 'measures'`,
		"who takes part":       `SELECT count(*) FROM complaint_party WHERE agency_id = 'nfra-43' AND part = 'lead'`,
		"findings":             `SELECT count(*) / 2 FROM report WHERE finding = 'substantiated'`,
		"results":              `SELECT count(*) / 2 FROM feedback WHERE stage = 'result'`,
		"the findings' record": `SELECT count(*) FROM complaint_history WHERE what = 'findings' AND new = 'substantiated: 2'`,
		"the result's record":  `SELECT count(*) FROM complaint_history WHERE what = 'result' AND new = 'measures'`,
	} {
		if n := m.count(t, query); n != 1 {
			t.Errorf("%s: %d", what, n)
		}
	}
	m.sound(t)
}

// What is refused of one write undoes all of them.
func TestWriteRound_allOrNothing(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), line("A1", "13900000001", "17000000001", "10:00:00"), line("A2", "13900000002", "17000000002", "11:00:00"))
	var id, other string
	if err := m.owner.QueryRow(t.Context(), "SELECT min(complaint_id::text), max(complaint_id::text) FROM complaint").Scan(&id, &other); err != nil {
		t.Fatal(err)
	}
	m.script(t, id).begin(1)
	w := m.workflows()
	for what, change := range map[string]func(*reportingv1.WriteRoundRequest){
		"a stage that is none":   func(r *reportingv1.WriteRoundRequest) { r.Writes[2].GetAdvance().Stage = "somewhere" },
		"another complaint":      func(r *reportingv1.WriteRoundRequest) { r.Writes[3].GetFeedback().ComplaintId = other },
		"another round":          func(r *reportingv1.WriteRoundRequest) { r.Writes[3].GetFeedback().Round = 2 },
		"a finding that is none": func(r *reportingv1.WriteRoundRequest) { r.Writes[1].GetFindings().Findings[0].Result = "maybe" },
		"nothing":                func(r *reportingv1.WriteRoundRequest) { r.Writes[0] = &reportingv1.RoundWrite{} },
	} {
		req := &reportingv1.WriteRoundRequest{RequestId: uuid.NewString(), ComplaintId: id, Round: 1, Writes: writes(id, "disclose")}
		change(req)
		if _, err := w.WriteRound(t.Context(), req); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
			t.Errorf("%s: %v", what, err)
		}
	}
	late := &reportingv1.WriteRoundRequest{RequestId: uuid.NewString(), ComplaintId: other, Round: 1, Writes: writes(other, "disclose")}
	if _, err := w.WriteRound(t.Context(), late); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_WRONG_STATE {
		t.Errorf("a round that has not begun: %v", err)
	}
	if n := m.count(t, "SELECT count(*) FROM complaint WHERE category <> '' OR state = 'WATCHING'"); n != 0 {
		t.Errorf("%d complaints were written to", n)
	}
}
