package table

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Bounds of a workbook: what it may unpack to, from where on its sheet is unpacked to a file and not into memory, its rows.
const (
	maxUnpacked = 1 << 30
	maxInMemory = 16 << 20
	// MaxRows is how many rows a table may have.
	MaxRows = 1_000_000
)

// XLSX takes the first sheet of a workbook apart into raw rows, in UTF-8 with commas, as Rows does with a text file. Cells
// are what the sheet shows. Empty rows are left out; rows shorter than the header row are filled up.
func XLSX(r io.Reader) iter.Seq2[RawRow, error] {
	return func(yield func(RawRow, error) bool) {
		err := readSheet(r, func(row RawRow) bool { return yield(row, nil) })
		if err != nil {
			yield(RawRow{}, fmt.Errorf("workbook: %w", err))
		}
	}
}

func readSheet(r io.Reader, yield func(RawRow) bool) (err error) {
	f, err := excelize.OpenReader(r, excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxInMemory})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return errors.New("no sheet")
	}
	rows, err := f.Rows(sheets[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	width := 0
	for line := 1; rows.Next(); line++ {
		if line > MaxRows+1 {
			return fmt.Errorf("more than %d rows", MaxRows)
		}
		cells, err := rows.Columns()
		if err != nil {
			return err
		}
		for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" && len(cells) > width {
			cells = cells[:len(cells)-1]
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		if width == 0 {
			width = len(cells)
		}
		for len(cells) < width {
			cells = append(cells, "")
		}
		if !yield(RawRow{Line: line, Raw: bounded(Row(cells, ','))}) {
			return nil
		}
	}
	return rows.Error()
}

// bounded cuts a row off where a parser finds it too long.
func bounded(raw []byte) []byte { return raw[:min(len(raw), MaxRow)] }

// Workbook writes rows of text to a sheet, each as it comes, and never keeps more than a part of them in memory. Cells are
// texts: a spreadsheet takes none of them for a formula.
type Workbook struct {
	file   *excelize.File
	stream *excelize.StreamWriter
	row    int
}

// NewWorkbook begins a workbook with one sheet.
func NewWorkbook() (*Workbook, error) {
	f := excelize.NewFile()
	w, err := f.NewStreamWriter(f.GetSheetList()[0])
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Workbook{file: f, stream: w}, nil
}

// Write adds a row.
func (w *Workbook) Write(cells []string) error {
	w.row++
	values := make([]any, len(cells))
	for i, c := range cells {
		values[i] = c
	}
	at, err := excelize.CoordinatesToCellName(1, w.row)
	if err != nil {
		return err
	}
	return w.stream.SetRow(at, values)
}

// Save writes the workbook out and ends it.
func (w *Workbook) Save(to io.Writer) error {
	err := w.stream.Flush()
	if err == nil {
		err = w.file.Write(to)
	}
	return errors.Join(err, w.file.Close())
}
