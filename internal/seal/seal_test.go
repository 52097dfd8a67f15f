package seal_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"quietline/internal/seal"
)

const number = "13800138000"

func open(t testing.TB, dir string) *seal.Keys {
	t.Helper()
	k, err := seal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSeal_opensOnlyInItsPlace(t *testing.T) {
	dir := t.TempDir()
	sealed, err := open(t, dir).Seal([]byte(number), []byte("report.called|1"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte(number)) {
		t.Fatal("not encrypted")
	}
	again := open(t, dir) // a restart
	plain, err := again.Unseal(sealed, []byte("report.called|1"))
	if err != nil || string(plain) != number {
		t.Errorf("got %q, %v", plain, err)
	}
	if _, err := again.Unseal(sealed, []byte("report.called|2")); err == nil {
		t.Error("opened in another row")
	}
	if _, err := open(t, t.TempDir()).Unseal(sealed, []byte("report.called|1")); err == nil {
		t.Error("opened with other keys")
	}
}

func TestStream_noticesACutFile(t *testing.T) {
	k := open(t, t.TempDir())
	want := bytes.Repeat([]byte("evidence "), 300_000) // more than a segment
	var file bytes.Buffer
	w, err := k.SealStream(&file, []byte("evidence|1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(want); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	read := func(raw []byte) ([]byte, error) {
		r, err := k.UnsealStream(bytes.NewReader(raw), []byte("evidence|1"))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	if got, err := read(file.Bytes()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	if _, err := read(file.Bytes()[:file.Len()/2]); err == nil {
		t.Error("a cut file was read")
	}
}

func TestIndex_equalForEqualsOnly(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	a := k.Index("called", number)
	if len(a) != 16 || !bytes.Equal(a, open(t, dir).Index("called", number)) {
		t.Error("not stable")
	}
	for name, b := range map[string][]byte{
		"kind":     k.Index("reporter", number),
		"value":    k.Index("called", number+"0"),
		"boundary": k.Index("called1", number[1:]),
		"keys":     open(t, t.TempDir()).Index("called", number),
	} {
		if bytes.Equal(a, b) {
			t.Errorf("other %s, same index", name)
		}
	}
}

func TestSecret_canBeReadAloud(t *testing.T) {
	k := open(t, t.TempDir())
	s := k.Secret("R-1")
	if !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{10}$`).MatchString(s) {
		t.Errorf("secret %q", s)
	}
	if s != k.Secret("R-1") || s == k.Secret("R-2") {
		t.Error("not a function of the receipt")
	}
}

func TestOpen_filesAreTheOwnersOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	open(t, dir)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestOpen_atOnceGivesOneKeyset(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		wg.Go(func() {
			if k, err := seal.Open(dir); err == nil {
				got[i] = k.Secret("R-1")
			}
		})
	}
	wg.Wait()
	for _, s := range got {
		if s == "" || s != got[0] {
			t.Fatalf("secrets %v", got)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	k := open(b, b.TempDir())
	for b.Loop() {
		if _, err := k.Seal([]byte(number), []byte("report.called|0198c0de-0000-7000-8000-000000000000")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnseal(b *testing.B) {
	k := open(b, b.TempDir())
	sealed, err := k.Seal([]byte(number), nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := k.Unseal(sealed, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	k := open(b, b.TempDir())
	for b.Loop() {
		k.Index("called", number)
	}
}
