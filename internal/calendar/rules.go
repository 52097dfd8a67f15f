package calendar

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed data/*.csv
var data embed.FS

// The files of a policy. Each may lie in a policy folder, too, where its rows go before the built-in ones.
const (
	deadlinesFile  = "deadlines.csv"
	holidaysFile   = "holidays.csv"
	fixedFile      = "fixed.csv"
	sharesFile     = "shares.csv"
	extensionsFile = "extensions.csv"
	pausesFile     = "pauses.csv"
	partiesFile    = "parties.csv"
)

// files in the order in which they are read: the last three name bases of the first.
var files = []string{deadlinesFile, holidaysFile, fixedFile, sharesFile, extensionsFile, pausesFile, partiesFile}

// columns of each file. They are checked by name, so that a file of another form is refused and not misread.
var columns = map[string]string{
	deadlinesFile: "code,amount,unit,start,roll,rehearsal_seconds,escalate_days,valid_from,valid_to,source",
	holidaysFile:  "year,from,to,kind,name,valid_from,valid_to,source",
	fixedFile:     "from,to,kind,name,valid_from,valid_to,source",
	sharesFile:    "code,value,valid_from,valid_to,source",

	extensionsFile: "basis,by,times,owner,valid_from,valid_to,source",
	pausesFile:     "basis,reason,owner,valid_from,valid_to,source",
	partiesFile:    "basis,party,valid_from,valid_to,source",
}

// rules are everything that this package knows, read-only once made. Of several rows in force the last one counts.
type rules struct {
	deadlines  map[string][]version[basis]
	figures    map[string][]version[int]
	days       map[day][]version[special]
	fixed      map[day][]version[special] // of year 0, for years without notice
	notices    map[int][]version[bool]
	extensions map[string][]version[ExtensionRule]
	pauses     map[string][]version[PauseRule]
	parties    map[string][]version[bool]
}

// version is a row during its valid time. What counts for a clock is what is in force when it starts, so that no change
// of a rule moves a clock that runs.
type version[T any] struct {
	from, to time.Time // to is exclusive; zero while there is no end
	layer    int       // 0 is built in, 1 from a policy folder
	is       T
}

func (v version[T]) validAt(t time.Time) bool {
	return !t.Before(v.from) && (v.to.IsZero() || t.Before(v.to))
}

func (v version[T]) overlaps(w version[T]) bool {
	return (w.to.IsZero() || v.from.Before(w.to)) && (v.to.IsZero() || w.from.Before(v.to))
}

func inForce[T any](versions []version[T], at time.Time) (is T, ok bool) {
	for _, version := range slices.Backward(versions) {
		if version.validAt(at) {
			return version.is, true
		}
	}
	return is, false
}

// enter adds a version, unless its own file says something else for that time.
func enter[K comparable, T any](m map[K][]version[T], key K, v version[T]) error {
	for _, w := range m[key] {
		if w.layer == v.layer && v.overlaps(w) {
			return fmt.Errorf("two rows are in force for %v at a time", key)
		}
	}
	m[key] = append(m[key], v)
	return nil
}

// basis is a row of the deadline table.
type basis struct {
	term
	code         string
	rehearsalDay time.Duration
	escalateDays int
	source       string
}

// special is what a notice says about a day.
type special struct {
	year int // the notice's; 0 for a day of any year
	work bool
	name string
}

// builtIn are the rules without a policy folder.
var builtIn = mustRules()

func mustRules() *rules {
	sub, err := fs.Sub(data, "data")
	if err == nil {
		var r *rules
		if r, err = readRules(sub, nil); err == nil {
			return r
		}
	}
	panic(err) // our own files
}

// readRules reads the built-in files and those of a policy folder, if any, over them.
func readRules(own, folder fs.FS) (*rules, error) {
	r := &rules{
		deadlines: map[string][]version[basis]{}, figures: map[string][]version[int]{},
		days: map[day][]version[special]{}, fixed: map[day][]version[special]{}, notices: map[int][]version[bool]{},
		extensions: map[string][]version[ExtensionRule]{}, pauses: map[string][]version[PauseRule]{}, parties: map[string][]version[bool]{},
	}
	read := map[string]func(row, int) error{
		deadlinesFile: r.deadline, holidaysFile: r.holiday, fixedFile: r.fixedDay, sharesFile: r.figure,
		extensionsFile: r.extensionRow, pausesFile: r.pauseRow, partiesFile: r.partyRow,
	}
	for layer, from := range []fs.FS{own, folder} {
		if from == nil {
			continue
		}
		for _, name := range files {
			if err := readFile(from, name, layer, read[name]); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return r, nil
}

// row is a row of a file by column.
type row map[string]string

func readFile(from fs.FS, name string, layer int, read func(row, int) error) error {
	raw, err := fs.ReadFile(from, name)
	if errors.Is(err, fs.ErrNotExist) && layer > 0 {
		return nil
	}
	if err != nil {
		return err
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // spreadsheets put it there
	if !bytes.HasSuffix(raw, []byte("\n")) {
		return errors.New("does not end with a line feed: it may have been cut off")
	}
	c := csv.NewReader(bytes.NewReader(raw))
	c.Comment, c.TrimLeadingSpace = '#', true
	head, err := c.Read()
	if err != nil {
		return err
	}
	if got := strings.Join(head, ","); got != columns[name] {
		return fmt.Errorf("the columns are %q, not %q", got, columns[name])
	}
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		fields := row{}
		for i, column := range head {
			fields[column] = strings.TrimSpace(record[i])
		}
		if err := read(fields, layer); err != nil {
			line, _ := c.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// versionOf is a row's valid time around what it says. Every row names its source.
func versionOf[T any](r row, layer int, is T) (version[T], error) {
	v := version[T]{layer: layer, is: is}
	var err error
	if v.from, err = r.date("valid_from", ""); err != nil {
		return v, err
	}
	if r["valid_to"] != "" {
		if v.to, err = r.date("valid_to", ""); err != nil {
			return v, err
		}
		if !v.to.After(v.from) {
			return v, errors.New("valid_to is not after valid_from")
		}
	}
	if r["source"] == "" {
		return v, errors.New("source is empty")
	}
	return v, nil
}

func (r row) date(column, prefix string) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, prefix+r[column], Shanghai)
	if err != nil {
		return t, fmt.Errorf("%s: %q is no date", column, r[column])
	}
	return t, nil
}

func (r row) number(column string, least, most int) (int, error) {
	n, err := strconv.Atoi(r[column])
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s: %q is no number from %d to %d", column, r[column], least, most)
	}
	return n, nil
}

// oneOf is a column that must have one of some words.
func (r row) oneOf(column string, words ...string) (string, error) {
	if !slices.Contains(words, r[column]) {
		return "", fmt.Errorf("%s: %q is none of %s", column, r[column], strings.Join(words, ", "))
	}
	return r[column], nil
}
