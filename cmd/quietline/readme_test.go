package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestREADME_showsTheAccessMatrix holds the README's table against what the protos declare.
func TestREADME_showsTheAccessMatrix(t *testing.T) {
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(raw), "<!-- quietline policy -->\n")
	table, _, closed := strings.Cut(rest, "<!-- end -->")
	if !ok || !closed {
		t.Fatal("the README has no access matrix between its marks")
	}
	if diff := cmp.Diff(matrix(), table); diff != "" {
		t.Fatalf("the README's access matrix is not `quietline policy` (-policy +README):\n%s", diff)
	}
}

// TestREADME_namesEveryCommand: a subcommand that the front door does not mention is not found.
func TestREADME_namesEveryCommand(t *testing.T) {
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"up", "import", "drive", "status", "fsck", "policy", "token", "bench"} {
		if !strings.Contains(string(raw), "quietline "+command) {
			t.Errorf("the README does not show `quietline %s`", command)
		}
	}
}
