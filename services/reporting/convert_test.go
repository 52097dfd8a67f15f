package reporting

import (
	"testing"

	"quietline/internal/phone"
	"quietline/services/reporting/store"
)

// TestNumberOfTellsItsBasis: who acts on a province must know whether it was only inferred.
func TestNumberOfTellsItsBasis(t *testing.T) {
	for normal, want := range map[string]string{
		"19607360000": phone.BasisInferred, "13114590000": phone.BasisSegment, "01062671188": phone.BasisArea, "95588": "", "+8695588": "",
	} {
		n := phone.Parse(normal)
		c := &store.Complaint{NumberNormal: normal, NumberKind: n.GetKind(), NumberProvince: n.GetProvince()}
		for _, clear := range []bool{true, false} {
			if got := numberOf(c, "", normal, clear).GetPlaceBasis(); got != want {
				t.Errorf("%s, clear %v: %q, want %q", normal, clear, got, want)
			}
		}
	}
	moved := &store.Complaint{NumberNormal: "19607360000", NumberKind: phone.Mobile, NumberProvince: "53"} // by an older table
	if got := numberOf(moved, "", "19607360000", true).GetPlaceBasis(); got != "" {
		t.Errorf("a province of an older table: %q", got)
	}
}
