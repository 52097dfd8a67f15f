package workflows

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"quietline/internal/calendar"
	caseworkv1 "quietline/proto/quietline/casework/v1"
)

// What the programme changes while the mesh runs counts from the next round on.
func TestFiguresOfTheProgramme(t *testing.T) {
	dir := t.TempDir()
	if err := calendar.Load(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = calendar.Load("") })
	a := &Activities{now: func() time.Time { return time.Date(2026, 12, 1, 4, 0, 0, 0, time.UTC) }}
	read := func() *caseworkv1.Triage {
		f := &caseworkv1.Triage{}
		if err := a.figures(f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := read(); f.GetRecheckPercent() != 5 || f.GetMaxPorts() != 3 {
		t.Errorf("built in: %v", f)
	}
	text := "code,value,valid_from,valid_to,source\nrecheck_percent,100,2026-12-01,,trial\nmax_ports,1,2026-12-02,,trial\n"
	if err := os.WriteFile(filepath.Join(dir, "shares.csv"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f := read()
	if f.GetRecheckPercent() != 100 || f.GetMaxPorts() != 3 {
		t.Errorf("changed: %v", f)
	}
	c := &complaint{in: &caseworkv1.ComplaintInput{ComplaintId: "0198"}, known: f}
	if !c.sampled() {
		t.Error("a share of all leaves one out")
	}
	if c.known.RecheckPercent = 0; c.sampled() {
		t.Error("a share of none takes one")
	}
}
