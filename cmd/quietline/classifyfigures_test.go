package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// said is what a command prints on the standard output and on the standard error, which are os.Stdout and os.Stderr.
func said(t *testing.T, c classifyCmd) (out, told string, ran error) {
	t.Helper()
	files := [2]**os.File{&os.Stdout, &os.Stderr}
	var written [2]*os.File
	for i, f := range files {
		was := *f
		to, err := os.Create(filepath.Join(t.TempDir(), "said"))
		if err != nil {
			t.Fatal(err)
		}
		written[i], *f = to, to
		defer func() { *f = was }()
	}
	ran = c.Run(t.Context())
	var all [2]string
	for i, f := range written {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = string(raw)
		f.Close()
	}
	return all[0], all[1], ran
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The answers may go where the questions are; when it fails nothing of what was there is lost, and nothing is left beside it.
func TestClassify_overItsInput(t *testing.T) {
	name := file(t, "id,text\na,低息贷款当天放款\nb,推销车险续保\n")
	if err := (classifyCmd{File: name, Out: name}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil || strings.Count(string(got), "\n") != 3 || !strings.Contains(string(got), "\nb,commercial,insurance,") {
		t.Errorf("%s (%v)", got, err)
	}
	const unreadable = "id,words\na,x\n"
	name = file(t, unreadable)
	if err := (classifyCmd{File: name, Out: name}).Run(t.Context()); err == nil {
		t.Error("a file without texts is classified")
	}
	got, err = os.ReadFile(name)
	if err != nil || string(got) != unreadable {
		t.Errorf("the input is %q (%v)", got, err)
	}
	beside, err := os.ReadDir(filepath.Dir(name))
	if err != nil || len(beside) != 1 {
		t.Errorf("left behind: %v (%v)", beside, err)
	}
}

func TestClassify_idsAreNoFormulas(t *testing.T) {
	got, err := classified(t, classifyCmd{}, "id,text\n=cmd|'/c calc'!A1,推销贷款\n@x,one,two\n")
	if err == nil || got["'=cmd|'/c calc'!A1"] == nil || got["'@x"] == nil {
		t.Errorf("%v (%v)", got, err)
	}
}

// Figures are printed of what can be right or wrong, and of nothing else.
func TestClassify_evaluatesWhatIsLabelled(t *testing.T) {
	for _, content := range []string{"id,text\na,推销贷款\n", "id,text,sector,category\na,推销贷款,,\n", "id,text,alt_sector\na,推销贷款,loans\n"} {
		out, _, err := said(t, classifyCmd{Evaluate: file(t, content)})
		if err == nil || !strings.Contains(err.Error(), "sector") || out != "" {
			t.Errorf("%q is evaluated: %q (%v)", content, out, err)
		}
	}
	out, _, err := said(t, classifyCmd{Evaluate: file(t, "id,text,sector\na,推销贷款,loans\n")})
	if err != nil {
		t.Fatal(err)
	}
	figures := map[string]string{}
	for line := range strings.Lines(out) {
		if name, rest, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			figures[name] = strings.Join(strings.Fields(rest), " ")
		}
	}
	for name, want := range map[string]string{"sector": "rows strict lenient", "loans": "1 100.0 % 100.0 %", "category": "– –", "criminal recall": "– –"} {
		if figures[name] != want {
			t.Errorf("%s: %q, want %q in\n%s", name, figures[name], want, out)
		}
	}
}

// Figures on rows that were learned from are said to be no good.
func TestClassify_warnsOfLearnedRows(t *testing.T) {
	learn := file(t, "id,text,sector,category\n"+strings.Repeat("a,推销贷款,loans,commercial\n", 3))
	other := file(t, "id,text,sector,category\nb,推销贷款,loans,commercial\na,推销保险,insurance,commercial\n")
	const warning = "3 of 3 rows that are evaluated were learned from"
	if _, told, err := said(t, classifyCmd{Learn: []string{learn}, Evaluate: learn}); err != nil || !strings.Contains(told, warning) {
		t.Errorf("told %q (%v)", told, err)
	}
	if _, told, err := said(t, classifyCmd{Learn: []string{learn}, Evaluate: other}); err != nil || strings.Contains(told, "warning") {
		t.Errorf("told %q of other rows (%v)", told, err)
	}
}
