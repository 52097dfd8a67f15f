package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is sent is not overwritten by what became of it, under whatever name it is given; and nothing is sent then.
func TestOut_isNotTheFileThatIsSent(t *testing.T) {
	dir := t.TempDir()
	name, link := filepath.Join(dir, "day.csv"), filepath.Join(dir, "same.csv")
	if err := os.WriteFile(name, []byte("number,day,label,count\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	nowhere := remote{Gateway: "http://127.0.0.1:1", Token: "x"}
	for what, err := range map[string]error{
		"import": importCmd{remote: nowhere, File: name, Format: "12321", Out: link}.Run(t.Context()),
		"marks":  marksImportCmd{remote: nowhere, File: name, Out: link, Batch: 1}.Run(t.Context()),
	} {
		if err == nil || !strings.Contains(err.Error(), "name another") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if kept, err := os.ReadFile(name); err != nil || len(kept) == 0 {
		t.Errorf("the file is left with %q, %v", kept, err)
	}
}
