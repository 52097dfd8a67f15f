// Package routefile reads and writes a decision table (路由表) as a file that people edit: YAML, with version, time and reason
// at its head, or CSV, one row a rule. Both hold the same; what is not known is refused, with the place where it stands.
package routefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// Table is a decision table as a file has it. A CSV file has rules only.
type Table struct {
	Version   string
	ValidFrom time.Time
	Reason    string
	Rules     []*assignmentv1.RoutingRule
}

// Formats of a file, by the end of its name.
const (
	YAML = "yaml"
	CSV  = "csv"
)

// FormatOf is the format of a file by its name.
func FormatOf(name string) (string, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml":
		return YAML, nil
	case ".csv":
		return CSV, nil
	}
	return "", fmt.Errorf("%s: a routing table is a .yaml or a .csv file", filepath.Base(name))
}

// Read reads a table.
func Read(format string, r io.Reader) (*Table, error) {
	raw, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > most {
		return nil, errors.New("the file is larger than a routing table can be")
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // spreadsheets put it there
	if format == CSV {
		return readCSV(raw)
	}
	return readYAML(raw)
}

// most bytes of a file; a table of 500 rules needs a few hundred thousand.
const most = 4 << 20

// Write writes a table.
func Write(format string, w io.Writer, t *Table) error {
	if format == CSV {
		return writeCSV(w, t)
	}
	return writeYAML(w, t)
}
