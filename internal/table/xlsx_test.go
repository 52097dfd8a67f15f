package table

import (
	"archive/zip"
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// TestDatesOfAWorkbook: date cells come in the order year, month, day, whatever form the sheet gives them.
func TestDatesOfAWorkbook(t *testing.T) {
	f := excelize.NewFile()
	day, noon := time.Date(2026, 10, 9, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 9, 12, 30, 0, 0, time.UTC)
	cells := []any{day, noon, 46304, 46304, "2026/10/9"}
	if err := f.SetSheetRow("Sheet1", "A1", &cells); err != nil {
		t.Fatal(err)
	}
	for cell, form := range map[string]int{"C1": 14, "D1": 31} { // short date, and 年月日 of a Chinese spreadsheet
		style, err := f.NewStyle(&excelize.Style{NumFmt: form})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellStyle("Sheet1", cell, cell, style); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := f.Write(&file); err != nil {
		t.Fatal(err)
	}
	for row, err := range XLSX(&file) {
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff("2026-10-09,2026-10-09 12:30,2026-10-09,2026年10月9日,2026/10/9", string(row.Raw)); d != "" {
			t.Error(d)
		}
	}
}

// TestALargePartIsNotParsed: a small file that unpacks to one enormous text costs the time to measure it and no memory.
func TestALargePartIsNotParsed(t *testing.T) {
	for name, size := range map[string]int{"one text": 64 << 20, "a part": maxPart + 1} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			book := packed(t, &file, size, name == "a part")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			failed := false
			for _, err := range XLSX(book) {
				failed = failed || err != nil
			}
			runtime.ReadMemStats(&after)
			if !failed {
				t.Error("read")
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
				t.Errorf("%d MB for %d KB", used>>20, file.Len()>>10)
			}
		})
	}
}

// packed is a workbook whose shared texts unpack to a size, as one text or as many.
func packed(t *testing.T, file *bytes.Buffer, size int, many bool) io.Reader {
	t.Helper()
	f := excelize.NewFile()
	if err := f.SetCellValue("Sheet1", "A1", "号码"); err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if err := f.Write(&plain); err != nil {
		t.Fatal(err)
	}
	in, err := zip.NewReader(bytes.NewReader(plain.Bytes()), int64(plain.Len()))
	if err != nil {
		t.Fatal(err)
	}
	out := zip.NewWriter(file)
	for _, part := range in.File {
		if part.Name == "xl/sharedStrings.xml" {
			continue
		}
		if err := out.Copy(part); err != nil {
			t.Fatal(err)
		}
	}
	w, err := out.Create("xl/sharedStrings.xml")
	if err != nil {
		t.Fatal(err)
	}
	chunk := strings.Repeat("x", 1<<20)
	if many {
		chunk = strings.Repeat("<si><t>xx</t></si>", 1<<20/18)
	}
	for written := 0; written < size; written += len(chunk) {
		if _, err := io.WriteString(w, chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(file.Bytes())
}
