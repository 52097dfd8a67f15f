package assignment

import (
	"fmt"
	"testing"
	"time"

	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// view is the directory as of the world's now.
func (w *world) view(t testing.TB) view {
	t.Helper()
	v, err := w.server.directory(t.Context(), w.clock())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// confirm classifies a report of a new complaint and has a person of the centre say what it is about.
func (w *world) confirm(t testing.TB, text, category, sector string) {
	t.Helper()
	complaint := newID()
	_, err := w.workflows(nil).ClassifyReports(t.Context(), &assignmentv1.ClassifyReportsRequest{
		ComplaintId: complaint, Reports: []*assignmentv1.ReportItem{{ReportId: newID(), Item: &assignmentv1.ClassifyItem{Text: text}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	task := w.newTask("centre-12321")
	task.SubjectId, task.Step, task.Role, task.Outcomes = complaint, "assign", accessv1.Role_ROLE_CENTRE, []string{"assigned"}
	w.open(t, task)
	d := decide(task.GetTaskId(), "assigned")
	d.Decision.Detail = &assignmentv1.DecisionDetail{Category: category, Sector: sector}
	clerk := person("clerk", "centre-12321", accessv1.Role_ROLE_CENTRE)
	if _, err := w.workflows(clerk).RecordDecision(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// A policy's value is data: here few reports are enough to judge a model.
func (w *world) fewHeldBack(t testing.TB) {
	t.Helper()
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), `UPDATE policy SET value = 5 WHERE name = 'model_min_held_back'`); err != nil {
		t.Fatal(err)
	}
}

func TestModel_fromDecisionsToForceAndBack(t *testing.T) {
	w := newWorld(t)
	w.fewHeldBack(t)
	c := w.as(lead)
	if _, err := c.TrainModel(t.Context(), &assignmentv1.TrainModelRequest{RequestId: newID()}); err == nil {
		t.Fatal("it learned from nothing")
	} else {
		refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	}
	for i := range 60 {
		w.confirm(t, fmt.Sprintf("噗噜噗噜嘟嘟啵%d", i), commercial, "travel")
		w.confirm(t, fmt.Sprintf("叽里咕噜哇啦哇%d", i), criminal, "other")
	}
	item := &assignmentv1.ClassifyRequest{Items: []*assignmentv1.ClassifyItem{{Text: "又是噗噜噗噜嘟嘟啵"}}}
	says := func(version, sector string) {
		t.Helper()
		got, err := c.Classify(t.Context(), item)
		if err != nil {
			t.Fatal(err)
		}
		if got.GetModelVersion() != version || got.GetClasses()[0].GetSector() != sector {
			t.Errorf("model %q says %v, want %q of model %q", got.GetModelVersion(), got.GetClasses()[0], sector, version)
		}
	}
	says("", "")

	trained, err := c.TrainModel(t.Context(), &assignmentv1.TrainModelRequest{RequestId: newID()})
	if err != nil {
		t.Fatal(err)
	}
	m := trained.GetModel()
	if m.GetVersion() != "m1" || m.GetState() != "candidate" || m.GetTrainedOn()+m.GetHeldBack() != 120 || m.GetHeldBack() < 5 ||
		m.GetEvaluation().GetRows() != m.GetHeldBack() || m.GetEvaluation().GetSectorAccuracy() < 0.95 || m.GetBaseline().GetSectorAccuracy() > 0.1 {
		t.Errorf("trained %v", m)
	}
	says("", "") // a candidate decides nothing

	promote := func(version string) (*assignmentv1.PromoteModelResponse, error) {
		return c.PromoteModel(t.Context(), &assignmentv1.PromoteModelRequest{RequestId: newID(), Version: version, Reason: "better"})
	}
	if _, err := promote("m1"); err != nil {
		t.Fatal(err)
	}
	says("m1", "travel")
	_, err = promote("m1")
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	_, err = promote("m9")
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)

	worse := w.insertWorse(t)
	_, err = promote(worse)
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	says("m1", "travel")

	w.pass(time.Hour)
	if _, err := c.TrainModel(t.Context(), &assignmentv1.TrainModelRequest{RequestId: newID()}); err != nil {
		t.Fatal(err)
	}
	if _, err := promote("m3"); err != nil {
		t.Fatal(err)
	}
	says("m3", "travel")
	for _, version := range []string{"m1", ""} {
		back, err := c.RollBackModel(t.Context(), &assignmentv1.RollBackModelRequest{RequestId: newID(), Reason: "complaints about it"})
		if err != nil || back.GetModel().GetVersion() != version {
			t.Errorf("rolled back to %v (%v), want %q", back.GetModel(), err, version)
		}
	}
	says("", "")
	_, err = c.RollBackModel(t.Context(), &assignmentv1.RollBackModelRequest{RequestId: newID(), Reason: "again"})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	w.listsModels(t, map[string]string{"m1": "former", "m2": "candidate", "m3": "former"})
}

// insertWorse writes a version that says the same of everything.
func (w *world) insertWorse(t testing.TB) string {
	t.Helper()
	m := prior()
	m.bias[placeOf(sectorOrder, "retail")] = 50
	m.hash = w.server.hash
	raw, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	id, err := store.New(w.db).InsertModel(t.Context(), store.InsertModelParams{
		LexiconVersion: w.server.words.version, Seed: 1, TrainedOn: 1, HeldBack: 1, Weights: raw, Evaluation: []byte("{}"),
		Baseline: []byte("{}"), CreatedBy: "somebody", CreatedTime: w.clock(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return versionOf(id)
}

// listsModels holds the list, read a page at a time, against the states that are wanted.
func (w *world) listsModels(t testing.TB, want map[string]string) {
	t.Helper()
	states, token := map[string]string{}, ""
	for {
		page, err := w.as(lead).ListModels(t.Context(), &assignmentv1.ListModelsRequest{PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.GetModels() {
			one, err := w.as(lead).GetModel(t.Context(), &assignmentv1.GetModelRequest{Version: m.GetVersion()})
			if err != nil || one.GetModel().GetState() != m.GetState() {
				t.Errorf("model %s is %v (%v)", m.GetVersion(), one.GetModel(), err)
			}
			states[m.GetVersion()] = m.GetState()
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	for version, state := range want {
		if states[version] != state {
			t.Errorf("%s is %q, want %q", version, states[version], state)
		}
	}
	if len(states) != len(want) {
		t.Errorf("models %v", states)
	}
}

// What is kept of a report is not its text; classified again it is one row, and it goes when its time is over.
func TestClassifyReports_keepsFeatures(t *testing.T) {
	w := newWorld(t)
	complaint, report := newID(), newID()
	for _, text := range []string{"推销贷款,额度三十万", "推销贷款,额度三十万", "推销保险,补充说明"} {
		resp, err := w.workflows(nil).ClassifyReports(t.Context(), &assignmentv1.ClassifyReportsRequest{
			ComplaintId: complaint, Reports: []*assignmentv1.ReportItem{
				{ReportId: report, Item: &assignmentv1.ClassifyItem{Text: text}}, {ReportId: report, Item: &assignmentv1.ClassifyItem{Text: text}},
			},
		})
		if err != nil || len(resp.GetClasses()) != 2 {
			t.Fatalf("%v: %v", resp, err)
		}
	}
	kept := func() (n int, sector string) {
		err := w.db.QueryRow(t.Context(), `SELECT count(*), coalesce(max(sector), '') FROM report_feature`).Scan(&n, &sector)
		if err != nil {
			t.Fatal(err)
		}
		return n, sector
	}
	if n, sector := kept(); n != 1 || sector != "insurance" {
		t.Errorf("%d rows, %s", n, sector)
	}
	w.pass(731 * 24 * time.Hour)
	if err := w.server.trimFeatures(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _ := kept(); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
