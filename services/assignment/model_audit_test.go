package assignment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"quietline/services/assignment/store"
)

func TestModelViolations(t *testing.T) {
	one, two := int64(1), int64(2)
	promoted := func(id *int64, figures string) store.AuditModelActsRow {
		return store.AuditModelActsRow{Act: "promoted", ModelID: id, Evaluation: []byte(figures), Baseline: []byte(`{"sectorAccuracy":0.5}`)}
	}
	back := func(id *int64) store.AuditModelActsRow {
		return store.AuditModelActsRow{Act: "rolled_back", ModelID: id}
	}
	const better, worse = `{"sectorAccuracy":0.9}`, `{"sectorAccuracy":0.4}`
	for _, tc := range []struct {
		name string
		log  []store.AuditModelActsRow
		want []string
	}{
		{"nothing", nil, nil},
		{"there and back", []store.AuditModelActsRow{promoted(&one, better), promoted(&two, better), back(&one), back(nil)}, nil},
		{"worse", []store.AuditModelActsRow{promoted(&one, worse)}, []string{"model m1 was put in force although it did worse than what it replaced"}},
		{"back to another", []store.AuditModelActsRow{promoted(&one, better), back(&two)}, []string{"act 0 rolled back to model 2, before it was 0"}},
	} {
		got, err := modelViolations(tc.log)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s: %s", tc.name, d)
		}
	}
}
