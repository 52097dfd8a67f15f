package calendar

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// loaded is what was read last, and what the files looked like then. A new one replaces it in one step, so that every
// computation sees one state of the rules.
type loaded struct {
	dir   string // empty: the built-in rules only
	files glance
	*rules
}

var (
	current = func() *atomic.Pointer[loaded] {
		p := &atomic.Pointer[loaded]{}
		p.Store(&loaded{rules: builtIn})
		return p
	}()
	loading sync.Mutex
)

// Load takes the rules of a policy folder over the built-in ones: deadlines.csv, holidays.csv, fixed.csv, shares.csv,
// extensions.csv, pauses.csv and parties.csv, those of them that are there. From then on the folder is watched: files that change are read anew with the next
// question, and a file that cannot be read leaves everything as it was. An empty dir goes back to the built-in rules.
//
// Put files in place by renaming; one that is written in place may be read when it is half there.
func Load(dir string) error {
	loading.Lock()
	defer loading.Unlock()
	if dir == "" {
		current.Store(&loaded{rules: builtIn})
		return nil
	}
	r, files, err := read(dir)
	if err != nil {
		return fmt.Errorf("policy %s: %w", dir, err)
	}
	current.Store(&loaded{dir: dir, files: files, rules: r})
	return nil
}

// now is the rules as they stand: read anew when the files have changed.
func now() *rules {
	l := current.Load()
	if l.dir == "" || l.files.same(look(l.dir)) {
		return l.rules
	}
	loading.Lock()
	defer loading.Unlock()
	if l = current.Load(); l.dir == "" || l.files.same(look(l.dir)) { // somebody else was faster
		return l.rules
	}
	r, files, err := read(l.dir)
	if err != nil {
		slog.Error("the policy cannot be read; what was in force stays so", slog.String("folder", l.dir), slog.Any("error", err))
		r = l.rules
	} else {
		slog.Info("the policy has changed", slog.String("folder", l.dir))
	}
	current.Store(&loaded{dir: l.dir, files: files, rules: r})
	return r
}

// read reads a folder. The files may be replaced meanwhile: then it reads again.
func read(dir string) (*rules, glance, error) {
	const tries = 3
	own, err := fs.Sub(data, "data")
	if err != nil {
		return nil, glance{}, err
	}
	for try := 1; ; try++ {
		before := look(dir)
		if before.err != nil {
			return nil, before, before.err
		}
		r, err := readRules(own, os.DirFS(dir))
		if try == tries || before.same(look(dir)) {
			return r, before, err
		}
	}
}

// glance is what the files of a folder look like from outside.
type glance struct {
	infos []fs.FileInfo // nil for one that is not there
	err   error
}

func look(dir string) (g glance) {
	if _, err := os.Stat(dir); err != nil {
		return glance{err: err}
	}
	for _, name := range files {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return glance{err: err}
		}
		g.infos = append(g.infos, info)
	}
	return g
}

func (g glance) same(h glance) bool {
	if g.err != nil || h.err != nil {
		return g.err != nil && h.err != nil && g.err.Error() == h.err.Error()
	}
	if len(g.infos) != len(h.infos) {
		return false
	}
	for i, a := range g.infos {
		b := h.infos[i]
		if (a == nil) != (b == nil) {
			return false
		}
		if a != nil && (!os.SameFile(a, b) || a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime())) {
			return false
		}
	}
	return true
}
