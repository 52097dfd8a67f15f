package format

import "quietline/internal/table"

// Header is the header row of one file, matched with its format. It is safe for concurrent use.
type Header struct {
	format *Format
	table.Header
}

// Header reads a raw header row: it finds the encoding and where each column stands. Columns the format does not know are
// left alone; a missing required one is an error that names it.
func (f *Format) Header(raw []byte) (*Header, error) {
	columns := make([]table.Column, len(f.Columns))
	for i, c := range f.Columns {
		columns[i] = table.Column{Name: c.Name, Required: c.Required}
	}
	h, err := table.ReadHeader(raw, f.Encodings, f.Comma(), columns)
	if err != nil {
		return nil, err
	}
	return &Header{format: f, Header: h}, nil
}

// Format is the format the header belongs to.
func (h *Header) Format() *Format { return h.format }
