package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// layoutVersion is the layout of the data directory that this program writes.
const layoutVersion = 1

// minFree is what must be free on the data directory's file system at the start:
// PostgreSQL stops dead when it cannot write its log, so better not to begin.
const minFree = 500 << 20

// Dirs are the places in one data directory.
type Dirs struct{ Root string }

// Path is a place in the data directory.
func (d Dirs) Path(elem ...string) string { return filepath.Join(append([]string{d.Root}, elem...)...) }

// openDirs makes the data directory if need be, takes its lock and checks that
// this program can work with it. The returned function gives the lock back.
func openDirs(root string) (Dirs, func(), error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return Dirs{}, nil, fmt.Errorf("data directory %s: %w", root, err)
	}
	d := Dirs{Root: abs}
	if err := makeRoot(abs); err != nil {
		return d, nil, fmt.Errorf("make the data directory: %w", err)
	}
	if err := checkOwn(abs); err != nil {
		return d, nil, err
	}
	unlock, err := lock(d.Path("lock"), abs)
	if err != nil {
		return d, nil, err
	}
	err = errors.Join(checkFree(abs, minFree), checkVersion(d.Path("VERSION"), abs))
	for _, private := range []string{"secrets", "run", "temporal", "ca", "log"} {
		if err == nil {
			err = os.MkdirAll(d.Path(private), 0o700)
		}
	}
	if err != nil {
		unlock()
		return d, nil, err
	}
	return d, unlock, nil
}

// makeRoot makes a missing data directory, whatever the umask: PostgreSQL's
// unprivileged user must pass through, but not look around.
func makeRoot(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	return errors.Join(os.MkdirAll(dir, 0o711), os.Chmod(dir, 0o711))
}

// checkOwn refuses a folder that holds something else: a mistyped --data must not
// mix a mesh into somebody's files. A lock alone is of a start that was cut off.
func checkOwn(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	foreign := ""
	for _, e := range entries {
		switch e.Name() {
		case "VERSION":
			return nil
		case "lock":
		default:
			foreign = e.Name()
		}
	}
	if foreign == "" {
		return nil
	}
	return fmt.Errorf("%s is not empty (it holds %s) and is not a data directory of quietline: choose an empty or a new directory with --data", dir, foreign)
}

// lock makes two meshes on one data directory impossible. The kernel lets go of
// it when this process ends, however it ends.
func lock(path, dir string) (func(), error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock the data directory %s: %w", dir, err)
		}
		return nil, fmt.Errorf("data directory %s is in use by another quietline (process %s): stop that one, or choose another directory with --data",
			dir, strings.TrimSpace(string(holder)))
	}
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("write the lock of %s: %w", dir, err)
		}
	}
	return func() { f.Close() }, nil
}

// checkFree refuses to start on a file system that is all but full.
func checkFree(dir string, need uint64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return fmt.Errorf("free space of %s: %w", dir, err)
	}
	free := st.Bavail * uint64(st.Bsize)
	if free >= need {
		return nil
	}
	return fmt.Errorf("the file system of %s is full: %d MB free, %d MB needed to start; free some space, or choose another directory with --data",
		dir, free>>20, need>>20)
}

// checkVersion writes the layout version into a new directory and refuses one
// that a newer program has made.
func checkVersion(path, dir string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return writeFile(path, []byte(strconv.Itoa(layoutVersion)+"\n"), 0o644)
	}
	if err != nil {
		return fmt.Errorf("version of the data directory: %w", err)
	}
	found, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return fmt.Errorf("%s does not hold a version number: %s is not a data directory of quietline, or is damaged", path, dir)
	}
	if found > layoutVersion {
		return fmt.Errorf("data directory %s is of version %d, written by a newer quietline; this one knows versions up to %d: use the newer program, or choose another directory with --data",
			dir, found, layoutVersion)
	}
	return nil
}

// writeFile replaces a file as a whole: a reader, or the next start after a
// crash, sees the old content or the new.
func writeFile(path string, content []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // nothing to remove once renamed
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
