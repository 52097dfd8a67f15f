package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// newFile is a file that takes its name when it is whole: until then, and when nothing comes of it, a file that had the name
// stays as it was.
type newFile struct {
	*os.File
	name string
}

// createBeside begins a file in the folder where it will stay. A link stays one: it is its file that is replaced.
func createBeside(name string) (*newFile, error) {
	if to, err := filepath.EvalSymlinks(name); err == nil {
		name = to
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() { // such as /dev/stdout
		file, err := os.OpenFile(name, os.O_WRONLY, 0) //nolint:gosec // the caller names it
		return &newFile{File: file}, err
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, err
	}
	return &newFile{File: file, name: name}, nil
}

// keep gives the file its name. A new one is readable by its owner alone: these files are of reports, marks and holders.
func (f *newFile) keep() error {
	if f.name == "" {
		return f.Close()
	}
	mode := os.FileMode(0o600)
	if info, err := os.Stat(f.name); err == nil {
		mode = info.Mode().Perm()
	}
	if err := errors.Join(f.Chmod(mode), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.File.Name()))
	}
	if err := os.Rename(f.File.Name(), f.name); err != nil {
		return errors.Join(err, os.Remove(f.File.Name()))
	}
	f.name = ""
	return nil
}

// discard takes away a file that was not kept.
func (f *newFile) discard() {
	if f == nil || f.name == "" {
		return
	}
	_, _ = f.Close(), os.Remove(f.File.Name())
}

// sameFile says whether two names are those of one file.
func sameFile(x, y string) bool {
	one, err := os.Stat(x)
	if err != nil {
		return false
	}
	other, err := os.Stat(y)
	return err == nil && os.SameFile(one, other)
}

// whole writes a file that is there when all of it is written, in place of what was there: what is read meanwhile may be
// the very same file.
func whole(name string, write func(io.Writer) error) error {
	f, err := createBeside(name)
	if err != nil {
		return err
	}
	defer f.discard()
	if err := write(f); err != nil {
		return err
	}
	return f.keep()
}
