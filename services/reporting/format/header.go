package format

import (
	"fmt"
	"strings"
)

// Header is the header row of one file, matched with its format. It is safe for concurrent use.
type Header struct {
	format   *Format
	encoding string // "": each row says itself
	width    int    // cells in a row
	at       []int  // cell of each column of the format; -1 when the file has not got it
}

// Header reads a raw header row: it finds the encoding and where each column stands. Columns the format does not know are
// left alone; a missing required one is an error that names it.
func (f *Format) Header(raw []byte) (*Header, error) {
	if len(raw) > MaxHeader {
		return nil, fmt.Errorf("header: longer than %d bytes", MaxHeader)
	}
	encoding, ok := f.encodingOf(raw)
	if !ok {
		return nil, fmt.Errorf("header: the file is in %s, format %s wants %s", encoding, f.Name, strings.Join(f.Encodings, " or "))
	}
	text, ok := f.decode(raw, encoding)
	if !ok {
		return nil, fmt.Errorf("header: the row breaks its encoding")
	}
	names, ok := splitCells(strings.TrimPrefix(text, "\ufeff"), f.Comma(), nil)
	if !ok || len(names) > maxColumns {
		return nil, fmt.Errorf("header: the row is not well formed or has more than %d columns", maxColumns)
	}
	places := make(map[string]int, len(names))
	for i, name := range names {
		name = strings.TrimSpace(name)
		if _, twice := places[name]; twice && name != "" {
			return nil, fmt.Errorf("header: column %q is there twice", name)
		}
		places[name] = i
	}
	h := &Header{format: f, encoding: encoding, width: len(names), at: make([]int, len(f.Columns))}
	for i, c := range f.Columns {
		place, ok := places[c.Name]
		switch {
		case ok:
			h.at[i] = place
		case c.Required:
			return nil, fmt.Errorf("header: column %q is missing", c.Name)
		default:
			h.at[i] = -1
		}
	}
	return h, nil
}

// Format is the format the header belongs to.
func (h *Header) Format() *Format { return h.format }
