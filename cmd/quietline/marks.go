package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/table"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// marksCmd has the tools for marks (标记).
type marksCmd struct {
	Import marksImportCmd `cmd:"" help:"Send a CSV file of marks: number, day, label and count so far."`
}

// marksImportCmd states the counts of a file, as of when the file was written. A file sent twice changes nothing the second
// time, also after a corrected one, which replaces what the former stated.
type marksImportCmd struct {
	remote
	As     string    `help:"Account that sends." default:"CENTRE@centre-12321"`
	Source string    `help:"Source of the marks, such as app-360; by default the account's own agency."`
	AsOf   time.Time `help:"As of when the source counted; by default when the file was last modified, for standard input now. A newer statement on record stands." format:"2006-01-02T15:04:05Z07:00"`
	Out    string    `help:"Write the rows that cannot be used to this CSV file, with field and reason; mended it may be sent again." type:"path"`
	Batch  int       `help:"Rows in a request." default:"10000"`
	JSON   bool      `help:"Print the counts as one JSON object." name:"json"`
	File   string    `arg:"" help:"File to send, in UTF-8 or GB18030, with a header row; - is standard input." type:"existingfile"`
}

// maxMarkRows is the bound of ImportMarks.
const maxMarkRows = 20_000

// markColumns are the names that a header may give its columns.
var markColumns = [4][]string{
	{"number", "号码", "电话号码", "被标记号码"},
	{"day", "日期", "标记日期", "date"},
	{"label", "标记", "标记类型", "类型", "type"},
	{"count", "次数", "标记次数", "累计次数", "数量"},
}

// marksTally counts what became of rows.
type marksTally struct {
	Rows     int `json:"rows"`
	Stored   int `json:"stored"`
	Outdated int `json:"outdated"`
	Repeated int `json:"repeated"`
	Rejected int `json:"rejected"`
	Clues    int `json:"clues"`
}

// Run sends the file and prints what became of it.
func (c marksImportCmd) Run(ctx context.Context) error {
	if c.Batch < 1 || c.Batch > maxMarkRows {
		return fmt.Errorf("--batch must be 1 to %d", maxMarkRows)
	}
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	file, written, err := openMarks(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if c.AsOf.IsZero() {
		c.AsOf = written
	}
	if sameFile(c.File, c.Out) {
		return fmt.Errorf("--out %s is the file to be sent: name another", c.Out)
	}
	out, err := newRejects(c.Out)
	if err != nil {
		return err
	}
	counts, err := sendMarks(ctx, reportingv1.NewReportingServiceClient(conn), c, file, out.write)
	if err = errors.Join(err, out.close()); err != nil {
		return fmt.Errorf("after %d rows: %w", counts.Rows, err)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(counts)
	}
	fmt.Printf("%d rows: %d stored, %d outdated, %d repeated, %d rejected; %d clues opened\n",
		counts.Rows, counts.Stored, counts.Outdated, counts.Repeated, counts.Rejected, counts.Clues)
	return nil
}

// openMarks opens a file and says when it was written: of a pipe, now.
func openMarks(path string) (io.ReadCloser, time.Time, error) {
	if path == "-" {
		return io.NopCloser(os.Stdin), time.Now(), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, time.Time{}, errors.Join(err, file.Close())
	}
	if !info.Mode().IsRegular() {
		return file, time.Now(), nil
	}
	return file, info.ModTime(), nil
}

// markLine is a row of the file: its cells, or what keeps it from being sent.
type markLine struct {
	line  int
	row   *reportingv1.MarkRow
	cells [4]string
	field string
	why   string
}

// sendMarks states the rows of a file, batch after batch. A later batch is a later statement, so that of two rows for the
// same number, day and label the later one stands wherever they are.
func sendMarks(ctx context.Context, service reportingv1.ReportingServiceClient, c marksImportCmd, file io.Reader,
	reject func(markLine) error,
) (marksTally, error) {
	var counts marksTally
	var batch []markLine
	asOf := c.AsOf
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		request := &reportingv1.ImportMarksRequest{RequestId: uuid.NewString(), Source: c.Source, AsOf: timestamppb.New(asOf)}
		for _, l := range batch {
			request.Rows = append(request.Rows, l.row)
		}
		response, err := again(ctx, func(ctx context.Context) (*reportingv1.ImportMarksResponse, error) {
			return service.ImportMarks(ctx, request)
		})
		if err != nil {
			return err
		}
		counts.Stored += int(response.GetStored())
		counts.Outdated += int(response.GetOutdated())
		counts.Repeated += int(response.GetRepeated())
		counts.Rejected += len(response.GetRejected())
		counts.Clues += int(response.GetClues())
		for _, r := range response.GetRejected() {
			l := batch[r.GetIndex()]
			l.field, l.why = r.GetField(), r.GetReason()
			if err := reject(l); err != nil {
				return err
			}
		}
		batch, asOf = batch[:0], asOf.Add(time.Microsecond)
		return nil
	}
	for l, err := range markLines(file) {
		if err != nil {
			return counts, errors.Join(flush(), err)
		}
		counts.Rows++
		if l.why != "" {
			counts.Rejected++
			if err := reject(l); err != nil {
				return counts, err
			}
			continue
		}
		if batch = append(batch, l); len(batch) == c.Batch {
			if err := flush(); err != nil {
				return counts, err
			}
		}
	}
	return counts, flush()
}

// markLines reads the rows of a CSV file. What the mesh decides, whether a number or a day is one, is left to it.
func markLines(file io.Reader) iter.Seq2[markLine, error] {
	return func(yield func(markLine, error) bool) {
		encodings := table.Encodings{table.UTF8, table.GB18030}
		var at *[4]int
		encoding := ""
		for raw, err := range table.Rows(file, ',') {
			if err != nil {
				yield(markLine{}, err)
				return
			}
			if at == nil {
				if at, encoding, err = markHeader(raw.Raw, encodings); err != nil {
					yield(markLine{}, err)
					return
				}
				continue
			}
			if !yield(readMarkLine(raw, encodings, encoding, at), nil) {
				return
			}
		}
		if at == nil {
			yield(markLine{}, errors.New("the file is empty; its first row names the columns number, day, label and count"))
		}
	}
}

// markHeader finds the columns, by their English or Chinese names.
func markHeader(raw []byte, encodings table.Encodings) (*[4]int, string, error) {
	encoding, _ := encodings.Of(raw)
	text, _ := encodings.Decode(raw, encoding)
	names, _ := table.Cells(strings.TrimPrefix(text, "\ufeff"), ',', nil)
	at := [4]int{}
	for i, known := range markColumns {
		at[i] = slices.IndexFunc(names, func(n string) bool { return slices.Contains(known, strings.ToLower(strings.TrimSpace(n))) })
		if at[i] < 0 {
			return nil, "", fmt.Errorf("the header has no column %s (%s)", known[0], known[1])
		}
	}
	return &at, encoding, nil
}

func readMarkLine(raw table.RawRow, encodings table.Encodings, encoding string, at *[4]int) markLine {
	l := markLine{line: raw.Line}
	text, ok := encodings.Decode(raw.Raw, encoding)
	cells, well := table.Cells(text, ',', nil)
	for i, place := range at {
		if place >= len(cells) {
			well = false
			continue
		}
		l.cells[i] = table.Bare(cells[place])
	}
	switch {
	case !ok:
		l.field, l.why = "row", "breaks the encoding of the file (编码错误)"
		return l
	case !well:
		l.field, l.why = "row", "has fewer columns than the header (列数不足)"
		return l
	}
	count, err := strconv.ParseInt(strings.TrimSpace(l.cells[3]), 10, 64)
	if err != nil {
		l.field, l.why = "count", "must be a whole number (次数须为整数)"
		return l
	}
	l.row = &reportingv1.MarkRow{Number: l.cells[0], Day: strings.TrimSpace(l.cells[1]), Label: l.cells[2], Count: count}
	return l
}

// rejects is the CSV of --out, readable by its owner alone. Its first columns are those of the file, so that it can be
// mended and sent as it is.
type rejects struct {
	file *os.File
	csv  *csv.Writer
}

func newRejects(path string) (*rejects, error) {
	if path == "" {
		return &rejects{}, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	r := &rejects{file: file, csv: csv.NewWriter(file)}
	return r, r.csv.Write([]string{"number", "day", "label", "count", "line", "field", "reason"})
}

func (r *rejects) write(l markLine) error {
	if r.csv == nil {
		return nil
	}
	return r.csv.Write([]string{
		table.Inert(l.cells[0]), table.Inert(l.cells[1]), table.Inert(l.cells[2]), table.Inert(l.cells[3]), strconv.Itoa(l.line), l.field, l.why,
	})
}

func (r *rejects) close() error {
	if r.csv == nil {
		return nil
	}
	r.csv.Flush()
	return errors.Join(r.csv.Error(), r.file.Close())
}
