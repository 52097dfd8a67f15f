package assignment

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// unknown are texts about two matters in words that stand in no lexicon.
func unknown(n int) []Labelled {
	var rows []Labelled
	for i := range n {
		rows = append(rows,
			Labelled{Item: &assignmentv1.ClassifyItem{Text: fmt.Sprintf("噗噜噗噜嘟嘟啵%d", i)}, Sector: "travel", Category: commercial},
			Labelled{Item: &assignmentv1.ClassifyItem{Text: fmt.Sprintf("叽里咕噜哇啦哇%d", i)}, Sector: "other", Category: criminal})
	}
	return rows
}

func TestLearn_newWords(t *testing.T) {
	c := classifierOf(t)
	item := &assignmentv1.ClassifyItem{Text: "今天又是噗噜噗噜嘟嘟啵"}
	if got := c.Classify(item); got.GetSector() != "" {
		t.Fatalf("before anything is learned: %v", got)
	}
	c.Learn(unknown(40))
	got := c.Classify(item)
	if got.GetSector() != "travel" || got.GetCategory() != commercial || got.GetConfidence() < 0.5 {
		t.Errorf("got %v", got)
	}
	if !slices.ContainsFunc(got.GetWhy(), func(w string) bool { return strings.HasPrefix(w, "learned:") }) {
		t.Errorf("%q tells no n-gram", got.GetWhy())
	}
}

// The same rows give the same model, in whatever order they come, and what is stored answers as what was learned.
func TestLearn_deterministic(t *testing.T) {
	words := lexiconOf(t)
	var samples []sample
	for i, r := range unknown(30) {
		samples = append(samples, sample{id: fmt.Sprint(1000 + i), features: hasher(7).features(words.read(r.Item)),
			sector: placeOf(sectorOrder, r.Sector), category: placeOf(categoryOrder, r.Category)})
	}
	one, err := train(nil, samples, 1, 7).encode()
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(samples)
	trained := train(nil, samples, 1, 7)
	two, err := trained.encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Error("another order of the rows gives another model")
	}
	stored, err := decodeModel(one, 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range append(unknown(5), fixtures(t)...) {
		if d := cmp.Diff(words.classify(r.Item, trained), words.classify(r.Item, stored), protocmp.Transform()); d != "" {
			t.Fatal(d)
		}
	}
	if _, err := decodeModel(one, 0); err == nil {
		t.Error("a model of an installation is read without its key")
	}
	for _, bad := range [][]byte{nil, []byte("nonsense"), one[:len(one)/2]} {
		if _, err := decodeModel(bad, 7); err == nil {
			t.Errorf("%d bytes that are no model are read", len(bad))
		}
	}
}

// A training is bounded in the n-grams that it looks at, and ends when nobody waits for it any more.
func TestTrain_isBounded(t *testing.T) {
	for _, tc := range []struct{ reports, grams, want int }{
		{1, 300, 30}, {1000, 300, 30}, {20_000, 300, 6}, {20_000, 1200, 3}, {10_000, 1200, 4}, {5, 0, 30},
	} {
		if got := epochs(slices.Repeat([]sample{{features: &features{grams: make([]uint32, tc.grams)}}}, tc.reports)); got != tc.want {
			t.Errorf("%d reports of %d n-grams: %d epochs, want %d", tc.reports, tc.grams, got, tc.want)
		}
	}
	gone := make(chan struct{})
	close(gone)
	samples := []sample{{features: &features{grams: []uint32{7}}}, {features: &features{grams: []uint32{7}}}}
	if m := train(gone, samples, 1, 7); len(m.weights) != numOutputs || slices.ContainsFunc(m.weights, func(w float32) bool { return w != 0 }) {
		t.Error("it goes on learning")
	}
}

// What stood in a single report, or in few, is not told to the readers of others: it may be somebody's name.
func TestLearn_tellsNobody(t *testing.T) {
	rows := unknown(30)
	for i := range toldFrom - 1 {
		rows[2*i].Item.Text += "欧阳锋"
	}
	c := classifierOf(t)
	c.Learn(rows)
	told := strings.Join(c.Classify(&assignmentv1.ClassifyItem{Text: "噗噜噗噜嘟嘟啵欧阳锋"}).GetWhy(), " ")
	for _, name := range []string{"欧阳", "阳锋"} {
		if strings.Contains(told, name) {
			t.Errorf("%q tells %q", told, name)
		}
	}
}

func TestFeatures(t *testing.T) {
	words := lexiconOf(t)
	rapid.Check(t, func(t *rapid.T) {
		item := &assignmentv1.ClassifyItem{Text: rapid.String().Draw(t, "text"), ReportedType: "贷款理财"}
		f := hasher(3).features(words.read(item))
		raw := f.encode()
		if len(raw) > 8192 {
			t.Fatalf("%d bytes", len(raw))
		}
		again, err := decodeFeatures(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.encode(), raw) || !slices.Equal(again.grams, f.grams) {
			t.Fatal("features are not what they were")
		}
	})
	long := hasher(3).features(words.read(&assignmentv1.ClassifyItem{Text: strings.Repeat("一二三四五六七八九十百千万亿贷款保险证券房产", 500)}))
	if n := len(long.encode()); n > 8192 {
		t.Errorf("a long text has %d bytes", n)
	}
	item := &assignmentv1.ClassifyItem{Text: "无抵押贷款"}
	if slices.Equal(hasher(1).features(words.read(item)).grams, hasher(3).features(words.read(item)).grams) {
		t.Error("another key gives the same features")
	}
}

func TestLabelsOf(t *testing.T) {
	v := newWorld(t).view(t)
	decision := func(step, agency, outcome string, day int, d *assignmentv1.DecisionDetail) store.ConfirmingDecisionsRow {
		detail, err := protojson.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return store.ConfirmingDecisionsRow{
			TaskID: newID(), Step: step, AgencyID: agency, Outcome: outcome, Detail: detail,
			DecidedTime: time.Date(2026, 10, day, 0, 0, 0, 0, time.UTC), Facts: []byte(`{"category":"commercial","sector":"loans"}`),
		}
	}
	person := func(sector string, day int) store.ConfirmingDecisionsRow {
		return decision("assign", "centre-12321", "assigned", day, &assignmentv1.DecisionDetail{Category: commercial, Sector: sector})
	}
	finding := func(result string, reports ...string) *assignmentv1.DecisionDetail {
		return &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{{Result: result, ReportIds: reports}}}
	}
	bounce := func(to string) store.ConfirmingDecisionsRow {
		return decision("fact_check", "nfra-44", "bounced", 2, &assignmentv1.DecisionDetail{ShouldActAgencyId: to})
	}
	for _, tc := range []struct {
		name      string
		decisions []store.ConfirmingDecisionsRow
		sectors   []string
		category  string
	}{
		{"nothing", nil, nil, ""},
		{"not accepted says nothing", []store.ConfirmingDecisionsRow{decision("accept", "centre-12321", "not_accepted", 1, nil)}, nil, ""},
		{"a person", []store.ConfirmingDecisionsRow{person("insurance", 1)}, []string{"insurance"}, commercial},
		{"the later person", []store.ConfirmingDecisionsRow{person("insurance", 1), person("travel", 2)}, []string{"travel"}, commercial},
		{"urgent", []store.ConfirmingDecisionsRow{decision("accept", "centre-12321", "urgent_criminal", 1, nil)}, nil, criminal},
		{"accepted and concluded", []store.ConfirmingDecisionsRow{decision("fact_check", "nfra-44", "concluded", 1, finding("no_evidence"))}, []string{"loans"}, commercial},
		{"a bounce", []store.ConfirmingDecisionsRow{bounce("mohurd-44")}, []string{"real_estate"}, commercial},
		{"a bounce to the police", []store.ConfirmingDecisionsRow{bounce("mps-44")}, nil, criminal},
		{"kept by whom it was bounced to", []store.ConfirmingDecisionsRow{bounce("moe-44"), decision("fact_check", "mohurd-44", "concluded", 3, finding("substantiated"))}, []string{"real_estate"}, commercial},
		{"findings outweigh a bounce", []store.ConfirmingDecisionsRow{bounce("moe-44"), decision("fact_check", "nfra-44", "concluded", 1, finding("substantiated"))}, []string{"loans"}, commercial},
	} {
		labels, err := labelsOf(tc.decisions, v)
		if err != nil {
			t.Fatal(err)
		}
		var got label
		if len(labels) > 0 {
			got = labels[0]
		}
		if !slices.Equal(got.sectors, tc.sectors) || got.category != tc.category {
			t.Errorf("%s: %v %q, want %v %q", tc.name, got.sectors, got.category, tc.sectors, tc.category)
		}
	}
}

func TestMayPromote(t *testing.T) {
	figures := func(rows int32, sector, category, recall float64) *assignmentv1.Evaluation {
		return &assignmentv1.Evaluation{Rows: rows, SectorAccuracy: sector, CategoryAccuracy: category, CriminalRecall: recall}
	}
	current := figures(50, 0.8, 0.9, 0.9)
	for _, tc := range []struct {
		name      string
		candidate *assignmentv1.Evaluation
		told      string
	}{
		{"better", figures(50, 0.9, 0.9, 0.95), ""},
		{"as good", figures(50, 0.8, 0.9, 0.9), ""},
		{"too little held back", figures(49, 1, 1, 1), "49 confirmed reports are held back"},
		{"worse sectors", figures(50, 0.79, 1, 1), "sector accuracy 79.0 %, now 80.0 %"},
		{"worse categories", figures(50, 1, 0.5, 1), "category accuracy 50.0 %, now 90.0 %"},
		{"misses crimes", figures(50, 1, 1, 0.85), "criminal recall 85.0 %, now 90.0 %"},
	} {
		err := mayPromote("m2", tc.candidate, current, 50)
		if tc.told == "" {
			if err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
		if err != nil && !strings.Contains(err.Error(), tc.told) {
			t.Errorf("%s: %v does not tell the figures", tc.name, err)
		}
	}
}
