package table

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Mappings reads the mapping files that come with the program, then those of the given directories; a later file of the same
// name replaces an earlier one. Empty directory names are left out.
func Mappings[F any](own fs.FS, parse func(raw []byte) (name string, f *F, err error), extraDirs ...string) (map[string]*F, error) {
	m := make(map[string]*F)
	if err := mappingsOf(own, m, parse); err != nil {
		return nil, err
	}
	for _, dir := range extraDirs {
		if dir == "" {
			continue
		}
		if err := mappingsOf(os.DirFS(dir), m, parse); err != nil {
			return nil, fmt.Errorf("formats in %s: %w", dir, err)
		}
	}
	return m, nil
}

func mappingsOf[F any](files fs.FS, into map[string]*F, parse func([]byte) (string, *F, error)) error {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if path.Ext(e.Name()) != ".yaml" {
			continue
		}
		raw, err := fs.ReadFile(files, e.Name())
		if err != nil {
			return err
		}
		name, f, err := parse(raw)
		if err != nil {
			return fmt.Errorf("format %s: %w", e.Name(), err)
		}
		into[name] = f
	}
	return nil
}

// ParseMapping reads a mapping file into a struct; what the struct does not know is refused.
func ParseMapping(raw []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	return d.Decode(into)
}

// CheckMapping refuses what no mapping file can do without, with the entry named.
func CheckMapping(name, delimiter string, timeForms []string, encodings Encodings) error {
	switch {
	case name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "":
		return fmt.Errorf("name: %q must be of a-z, 0-9, _ and -", name)
	case delimiter != "," && delimiter != ";" && delimiter != "\t":
		return errors.New("delimiter: must be comma, semicolon or tab")
	case len(timeForms) == 0:
		return errors.New("time_forms: at least one is needed")
	case len(encodings) == 0:
		return errors.New("encodings: at least one is needed")
	}
	for _, e := range encodings {
		if e != UTF8 && e != GB18030 {
			return fmt.Errorf("encodings: %q is neither utf-8 nor gb18030", e)
		}
	}
	return nil
}
