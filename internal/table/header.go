package table

import (
	"fmt"
	"strings"
)

const (
	// MaxHeader bounds a header row in bytes.
	MaxHeader  = 8 << 10
	maxColumns = 200
)

// Column is a column that a format knows.
type Column struct {
	Name     string
	Required bool
}

// Header is where the columns of a format stand in one file.
type Header struct {
	Encoding string // "": each row says itself
	Width    int    // cells in a row
	At       []int  // cell of each column of the format; -1 when the file has not got it
}

// ReadHeader reads a raw header row: it finds the encoding and where each column stands. Columns that the format does not
// know are left alone; a missing required one is an error that names it.
func ReadHeader(raw []byte, encodings Encodings, comma byte, columns []Column) (Header, error) {
	var h Header
	if len(raw) > MaxHeader {
		return h, fmt.Errorf("header: longer than %d bytes", MaxHeader)
	}
	encoding, ok := encodings.Of(raw)
	if !ok {
		return h, fmt.Errorf("header: the file is in %s, the format wants %s", encoding, strings.Join(encodings, " or "))
	}
	text, ok := encodings.Decode(raw, encoding)
	if !ok {
		return h, fmt.Errorf("header: the row breaks its encoding")
	}
	names, ok := Cells(strings.TrimPrefix(text, "\ufeff"), comma, nil)
	if !ok || len(names) > maxColumns {
		return h, fmt.Errorf("header: the row is not well formed or has more than %d columns", maxColumns)
	}
	places := make(map[string]int, len(names))
	for i, name := range names {
		name = strings.TrimSpace(name)
		if _, twice := places[name]; twice && name != "" {
			return h, fmt.Errorf("header: column %q is there twice", name)
		}
		places[name] = i
	}
	h = Header{Encoding: encoding, Width: len(names), At: make([]int, len(columns))}
	for i, c := range columns {
		place, ok := places[c.Name]
		switch {
		case ok:
			h.At[i] = place
		case c.Required:
			return h, fmt.Errorf("header: column %q is missing", c.Name)
		default:
			h.At[i] = -1
		}
	}
	return h, nil
}
