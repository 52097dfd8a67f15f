package portability

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const portings = `number,operator_id,from,to
13800000001,cucc,2025-03-01,
13800000001,ctcc,2025-06-01T08:00:00+08:00,2026-01-01
13800000002,cbn,2024-01-01,
0013800000002,cucc,2024-01-01,
`

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func at(day string) time.Time {
	d, err := time.Parse(time.RFC3339, day+"T12:00:00+08:00")
	if err != nil {
		panic(err)
	}
	return d
}

func TestServedBy(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ported.csv")
	write(t, name, portings)
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ number, day, want string }{
		{"13800000001", "2025-02-28", ""}, {"13800000001", "2025-03-01", "cucc"}, {"13800000001", "2025-05-31", "cucc"},
		{"13800000001", "2025-06-01", "ctcc"}, {"13800000001", "2025-12-31", "ctcc"}, {"13800000001", "2026-01-01", ""},
		{"13800000002", "2030-01-01", "cbn"}, {"13800000003", "2025-03-01", ""}, {"", "2025-03-01", ""}, {"+8695588", "2025-03-01", ""},
	} {
		p, ok, err := f.ServedBy(t.Context(), tt.number, at(tt.day))
		if err != nil || ok != (tt.want != "") || ok && p.OperatorID != tt.want {
			t.Errorf("%s: got %q", tt.day, p.OperatorID)
		}
	}
	for day, want := range map[string]string{"2025-02-28": "0001-01-01", "2025-04-01": "0001-01-01", "2025-12-31": "2025-12-31", "2026-02-01": "2025-12-31"} {
		if p, _, _ := f.ServedBy(t.Context(), "13800000001", at(day)); p.Until.Format(time.DateOnly) != want { // midnight in Shanghai
			t.Errorf("on %s: until %s, want %s", day, p.Until, want)
		}
	}
}

// TestFileIsReadAnew replaces the file; a broken one leaves the former in force, and no number in the log.
func TestFileIsReadAnew(t *testing.T) {
	var log bytes.Buffer
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(was)
	name := filepath.Join(t.TempDir(), "ported.csv")
	write(t, name, portings)
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	served := func() string {
		p, _, _ := f.ServedBy(t.Context(), "13800000002", at("2026-05-05"))
		return p.OperatorID
	}
	write(t, name, "number,operator_id,from\n13800000002,cmcc,2026-02-02\n")
	if !f.changed() {
		t.Fatal("the change goes unseen")
	}
	f.refresh()
	if got := served(); got != "cmcc" {
		t.Fatalf("got %q", got)
	}
	write(t, name, "number,operator_id,from\n13800000002x,cucc,2026-02-02\n")
	f.refresh()
	if got := served(); got != "cmcc" {
		t.Fatalf("a broken file is in force: %q", got)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	f.refresh()
	if got := served(); got != "cmcc" {
		t.Fatalf("without the file: %q", got)
	}
	if !strings.Contains(log.String(), "row 2") || strings.Contains(log.String(), "1380000") {
		t.Errorf("log: %s", log.String())
	}
}

func TestBrokenFilesAreRefused(t *testing.T) {
	for _, text := range []string{
		"", "number,from\n", "number,operator_id,from\n138,cucc\n", "number,operator_id,from\n13800000001,,2025-01-01\n",
		"number,operator_id,from\n13800000001,cucc,yesterday\n", "number,operator_id,from,to\n13800000001,cucc,2025-01-01,2024-01-01\n",
		"number,operator_id,from\n13800000001,cucc,2025-01-01\n13800000001,ctcc,2025-01-01\n", "number,operator_id,from\n\"1,cucc,2025-01-01\n",
	} {
		_, err := read(strings.NewReader(text))
		if err == nil {
			t.Errorf("%q was read", text)
		} else if strings.Contains(err.Error(), "1380000") {
			t.Errorf("the error names a number: %v", err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing.csv")); err == nil {
		t.Error("a missing file was opened")
	}
}

// TestTableAgreesWithAWalk compares the index with reading all rows, in whatever order they come.
func TestTableAgreesWithAWalk(t *testing.T) {
	type row struct{ number, operator, day int }
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) row {
			return row{rapid.IntRange(0, 3).Draw(t, "number"), rapid.IntRange(0, 2).Draw(t, "operator"), rapid.IntRange(10, 28).Draw(t, "day")}
		}), 0, 30, func(r row) [2]int { return [2]int{r.number, r.day} }).Draw(t, "rows")
		var b strings.Builder
		b.WriteString("number,operator_id,from\n")
		for _, r := range rows {
			b.WriteString("1380000000" + string(rune('0'+r.number)) + "," + string(rune('a'+r.operator)) + ",2026-01-" + day(r.day) + "\n")
		}
		table, err := read(strings.NewReader(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		for number := range 4 {
			for d := 10; d <= 28; d++ {
				want, since := "", 0
				for _, r := range rows {
					if r.number == number && r.day <= d && r.day > since {
						want, since = string(rune('a'+r.operator)), r.day
					}
				}
				key, _ := keyOf("1380000000" + string(rune('0'+number)))
				got, _ := table.servedBy(key, uint32(at("2026-01-"+day(d)).Unix())) // none of them ends
				if got.OperatorID != want {
					t.Fatalf("number %d on day %d: got %q, want %q", number, d, got.OperatorID, want)
				}
			}
		}
	})
}

func day(d int) string { return string([]byte{byte('0' + d/10), byte('0' + d%10)}) }
