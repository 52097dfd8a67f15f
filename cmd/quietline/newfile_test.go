package main

import (
	"os"
	"path/filepath"
	"testing"

	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// TestAFileStaysUntilTheNewOneIsWhole: what fails on the way leaves the old file and nothing beside it.
func TestAFileStaysUntilTheNewOneIsWhole(t *testing.T) {
	for _, form := range []string{"out.csv", "out.xlsx"} {
		dir := t.TempDir()
		name := filepath.Join(dir, form)
		if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, whole := range []bool{false, true} {
			out, err := newTable(name, ',')
			if err != nil {
				t.Fatal(err)
			}
			if err := out.write([]string{"号码"}); err != nil {
				t.Fatal(err)
			}
			if whole {
				err = out.close()
			}
			out.discard()
			got, readErr := os.ReadFile(name) //nolint:gosec // the test's own
			if err != nil || readErr != nil || (string(got) == "old") == whole {
				t.Errorf("%s, whole %v: %q %v %v", form, whole, got, err, readErr)
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("%s, whole %v: %v", form, whole, left)
			}
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", form, info, err)
		}
	}
}

func TestMissingHasNoLine(t *testing.T) {
	for want, d := range map[string]*ledgerv1.LoadDifference{
		"missing 4008000001":                  {Fate: "missing", FirstNumber: "4008000001"},
		"line 3: conflict 4008000001 overlap": {Line: 3, Fate: "conflict", FirstNumber: "4008000001", Reason: "overlap"},
	} {
		if got := shownAs(d); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
