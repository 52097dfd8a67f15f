package assignment

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quietline/internal/testkit"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// relearned is a world where m1, m2 and m3 were put in force one after another.
func relearned(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.fewHeldBack(t)
	for i := range 60 {
		w.confirm(t, fmt.Sprintf("噗噜噗噜嘟嘟啵%d", i), commercial, "travel")
		w.confirm(t, fmt.Sprintf("叽里咕噜哇啦哇%d", i), criminal, "other")
	}
	for _, v := range []string{"m1", "m2", "m3"} {
		if _, err := w.as(lead).TrainModel(t.Context(), &assignmentv1.TrainModelRequest{RequestId: newID()}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.as(lead).PromoteModel(t.Context(), &assignmentv1.PromoteModelRequest{RequestId: newID(), Version: v, Reason: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// older makes models ones of another lexicon.
func (w *world) older(t *testing.T, models ...int64) {
	t.Helper()
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), `UPDATE model SET lexicon_version = 'older' WHERE model_id = ANY ($1)`, models); err != nil {
		t.Fatal(err)
	}
}

// model is the version that answers.
func (w *world) model(t *testing.T) string {
	t.Helper()
	got, err := w.as(lead).Classify(t.Context(), &assignmentv1.ClassifyRequest{Items: []*assignmentv1.ClassifyItem{{Text: "又是噗噜噗噜嘟嘟啵"}}})
	if err != nil {
		t.Fatal(err)
	}
	if learned := got.GetClasses()[0].GetSector() == "travel"; learned != (got.GetModelVersion() != "") {
		t.Errorf("model %q says %v", got.GetModelVersion(), got.GetClasses()[0])
	}
	if got.GetVersion() != w.server.words.version {
		t.Errorf("lexicon %s", got.GetVersion())
	}
	return got.GetModelVersion()
}

func (w *world) rollBack(t *testing.T) string {
	t.Helper()
	back, err := w.as(lead).RollBackModel(t.Context(), &assignmentv1.RollBackModelRequest{RequestId: newID(), Reason: "x"})
	if err != nil {
		t.Fatal(err)
	}
	return back.GetModel().GetVersion()
}

// A model of another lexicon answers nothing, and that is said once.
func TestModel_ofAnotherLexiconIsNotUsed(t *testing.T) {
	w := relearned(t)
	if v := w.model(t); v != "m3" {
		t.Fatalf("%q answers", v)
	}
	var told bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&told, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	w.older(t, 3)
	for range 3 {
		if v := w.model(t); v != "" {
			t.Errorf("%q answers, trained on another lexicon", v)
		}
	}
	if n := strings.Count(told.String(), "trained on another lexicon"); n != 1 {
		t.Errorf("told %d times: %s", n, told.String())
	}
	got, err := w.as(lead).GetModel(t.Context(), &assignmentv1.GetModelRequest{})
	if err != nil || got.GetModel() != nil {
		t.Errorf("in force is %v (%v)", got.GetModel(), err)
	}
	w.listsModels(t, map[string]string{"m1": "former", "m2": "former", "m3": "former"})
	_, err = w.as(lead).PromoteModel(t.Context(), &assignmentv1.PromoteModelRequest{RequestId: newID(), Version: "m3", Reason: "x"})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)

	// The next one is held against the lexicon alone, which is what answers.
	trained, err := w.as(lead).TrainModel(t.Context(), &assignmentv1.TrainModelRequest{RequestId: newID()})
	if err != nil || trained.GetModel().GetBaselineVersion() != "" || trained.GetModel().GetBaseline().GetSectorAccuracy() > 0.1 {
		t.Errorf("trained %v (%v)", trained, err)
	}
	promoted, err := w.as(lead).PromoteModel(t.Context(), &assignmentv1.PromoteModelRequest{RequestId: newID(), Version: "m4", Reason: "x"})
	if err != nil || promoted.GetModel().GetState() != "current" || w.model(t) != "m4" {
		t.Errorf("promoted %v (%v)", promoted, err)
	}
	if v := w.rollBack(t); v != "m2" || w.model(t) != "m2" {
		t.Errorf("rolled back to %q, over the one of another lexicon", v)
	}
}

func TestModel_rollsBackPastAnotherLexicon(t *testing.T) {
	w := relearned(t)
	w.older(t, 2)
	if v := w.rollBack(t); v != "m1" || w.model(t) != "m1" {
		t.Errorf("rolled back to %q, want m1", v)
	}
	if v := w.rollBack(t); v != "" || w.model(t) != "" {
		t.Errorf("rolled back to %q, want the lexicon alone", v)
	}
	audit := &assignmentv1.AuditResponse{}
	if err := w.server.auditModels(t.Context(), store.New(w.db), audit); err != nil || len(audit.GetViolations()) > 0 {
		t.Errorf("audit %v (%v)", audit.GetViolations(), err)
	}

	w = relearned(t)
	w.older(t, 1, 2)
	if v := w.rollBack(t); v != "" || w.model(t) != "" {
		t.Errorf("rolled back to %q, want the lexicon alone: all under it are of another", v)
	}
}

func TestModelViolations_skipped(t *testing.T) {
	one, two, three := int64(1), int64(2), int64(3)
	promoted := func(id *int64, lexicon string) store.AuditModelActsRow {
		return store.AuditModelActsRow{Act: "promoted", ModelID: id, LexiconVersion: lexicon, Evaluation: []byte("{}"), Baseline: []byte("{}")}
	}
	back := store.AuditModelActsRow{ActID: 4, Act: "rolled_back", ModelID: &one, LexiconVersion: "b"}
	for lexicon, want := range map[string][]string{"a": nil, "b": {"act 4 rolled back to model 1, before it was 2"}} {
		got, err := modelViolations([]store.AuditModelActsRow{promoted(&one, "b"), promoted(&two, lexicon), promoted(&three, "b"), back})
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("past one of lexicon %s: %v %s", lexicon, err, d)
		}
	}
}

// A model's file says which lexicon it was learned on.
func TestLoad_refusesAnotherLexicon(t *testing.T) {
	c := classifierOf(t)
	c.Learn(unknown(10))
	raw, err := c.Save()
	if err != nil {
		t.Fatal(err)
	}
	again := classifierOf(t)
	if err := again.Load(raw); err != nil {
		t.Fatal(err)
	}
	again.words.version = "newer"
	if err := again.Load(raw); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a model of another lexicon is loaded: %v", err)
	}
}
