package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// classified runs the command on a file and gives its answers by id.
func classified(t *testing.T, c classifyCmd, content string) (map[string][]string, error) {
	t.Helper()
	dir := t.TempDir()
	c.File, c.Out = filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.csv")
	if err := os.WriteFile(c.File, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	ran := c.Run(t.Context())
	f, err := os.Open(c.Out)
	if err != nil {
		return nil, ran
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		return nil, ran
	}
	if got := strings.Join(rows[0], ","); got != "id,category,sector,confidence,why" {
		t.Errorf("header %s", got)
	}
	answers := map[string][]string{}
	for _, r := range rows[1:] {
		answers[r[0]] = r
	}
	return answers, ran
}

func TestClassify_readsWhatSpreadsheetsWrite(t *testing.T) {
	plain := "类型说明,text,id,number,company,type\r\nx,\"低息贷款,当天放款\",a,95588,,\r\ny,推销车险续保,b,,某某财产保险,保险推销\r\n"
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"plain": plain, "byte order mark": "\xef\xbb\xbf" + plain, "GB18030": gb} {
		got, err := classified(t, classifyCmd{}, content)
		if err != nil || len(got) != 2 || got["a"][2] != "loans" || got["a"][1] != "commercial" || got["b"][2] != "insurance" {
			t.Errorf("%s: %v (%v)", name, got, err)
		}
		if err == nil && (!strings.Contains(got["a"][4], "word:贷款") || !strings.Contains(got["a"][4], "number_of:中国工商银行")) {
			t.Errorf("%s: %q does not tell the evidence", name, got["a"][4])
		}
	}
}

// A bad row is named with its line, answered as such, and costs no other.
func TestClassify_badRowsLoseNothing(t *testing.T) {
	got, err := classified(t, classifyCmd{}, "id,text\na,推销贷款\nb,one,two\nc,\nd,你好\ne,\"推销保险\nf,推销贷款\n")
	if err == nil || !strings.Contains(err.Error(), "2 rows") {
		t.Errorf("error %v", err)
	}
	if len(got) != 6 || got["a"][2] != "loans" || got["f"][2] != "loans" {
		t.Errorf("answers %v", got)
	}
	if r := got["b"]; !strings.Contains(r[4], "line 3: 3 fields, the header has 2") {
		t.Errorf("bad row answered %v", r)
	}
	if r := got["e"]; !strings.Contains(r[4], "line 6: quotes do not match") {
		t.Errorf("bad row answered %v", r)
	}
	for _, id := range []string{"c", "d"} {
		if r := got[id]; r[1] != "unknown" || r[2] != "unknown" || !strings.Contains(r[4], "for a person to decide") {
			t.Errorf("%s: %v", id, r)
		}
	}
	for name, content := range map[string]string{"empty": "", "no text": "id,words\na,x\n", "twice": "id,text,text\na,x,y\n"} {
		if _, err := classified(t, classifyCmd{}, content); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What was learned is on top of the lexicon, kept in a file, and the same afterwards.
func TestClassify_learns(t *testing.T) {
	dir := t.TempDir()
	learn, model := filepath.Join(dir, "learn.csv"), filepath.Join(dir, "model")
	rows := "id,text,sector,category\n" + strings.Repeat("a,噗噜噗噜嘟嘟啵,travel,commercial\n", 30)
	if err := os.WriteFile(learn, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (classifyCmd{Learn: []string{learn}, Model: model}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	const asked = "id,text\nx,又是噗噜噗噜嘟嘟啵\ny,低息贷款当天放款\n"
	first, err := classified(t, classifyCmd{Learn: []string{learn}}, asked)
	if err != nil {
		t.Fatal(err)
	}
	again, err := classified(t, classifyCmd{Model: model}, asked)
	if err != nil {
		t.Fatal(err)
	}
	for id, sector := range map[string]string{"x": "travel", "y": "loans"} {
		if first[id][2] != sector || strings.Join(first[id], ",") != strings.Join(again[id], ",") {
			t.Errorf("%s: %v, from the file %v, want %s", id, first[id], again[id], sector)
		}
	}
	bad := filepath.Join(dir, "bad.csv")
	if err := os.WriteFile(bad, []byte("id,text,sector,category\na,x,nonsense,commercial\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (classifyCmd{Learn: []string{bad}}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("an unknown sector is learned: %v", err)
	}
}
