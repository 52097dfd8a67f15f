package table

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Bounds of a workbook. A sheet is read row by row and unpacked to a file from maxInMemory on, but a single text is kept whole,
// several times over: so every part of a workbook is bounded by itself and measured before any is parsed.
const (
	maxFile     = 128 << 20 // packed
	maxPart     = 256 << 20 // one part unpacked, such as the sheet or the shared texts
	maxUnpacked = 512 << 20 // all of it
	maxInMemory = 16 << 20
	maxText     = 1 << 20 // between two tags: a cell holds 32,767 characters
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
	packed, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return err
	}
	if err := measured(packed); err != nil {
		return err
	}
	f, err := excelize.OpenReader(bytes.NewReader(packed), excelize.Options{
		UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxInMemory, CultureInfo: excelize.CultureNameZhCN,
		// dates as people set them come in one form, and not in the order of the author's country
		ShortDatePattern: "yyyy-mm-dd", LongDatePattern: "yyyy-mm-dd", LongTimePattern: "hh:mm:ss",
	})
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

// measured unpacks a workbook to nowhere, and refuses what is too large: the sizes that it states may be wrong.
func measured(packed []byte) error {
	if len(packed) > maxFile {
		return fmt.Errorf("the file is larger than %d MB", maxFile>>20)
	}
	parts, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return err
	}
	total := int64(0)
	for _, part := range parts.File {
		n, err := measuredPart(part)
		if err != nil {
			return fmt.Errorf("part %.60q: %w", part.Name, err)
		}
		if total += n; total > maxUnpacked {
			return fmt.Errorf("it unpacks to more than %d MB", maxUnpacked>>20)
		}
	}
	return nil
}

func measuredPart(part *zip.File) (int64, error) {
	in, err := part.Open()
	if err != nil {
		return 0, err
	}
	text := &texts{}
	n, err := io.Copy(text, io.LimitReader(in, maxPart+1))
	if n > maxPart {
		err = fmt.Errorf("it unpacks to more than %d MB", maxPart>>20)
	}
	if strings.HasSuffix(part.Name, ".xml") && text.longest > maxText {
		err = errors.New("it holds a text longer than any cell")
	}
	return n, errors.Join(err, in.Close())
}

// texts measures the longest stretch without a tag.
type texts struct{ run, longest int }

func (t *texts) Write(p []byte) (int, error) {
	for rest := p; ; {
		i := bytes.IndexByte(rest, '<')
		if i < 0 {
			t.run += len(rest)
			t.longest = max(t.longest, t.run)
			return len(p), nil
		}
		t.longest, t.run = max(t.longest, t.run+i), 0
		rest = rest[i+1:]
	}
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
