package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/table"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/format"
)

// batchRows is how many rows travel in one request, the bound of BatchFileReports.
const batchRows = 1000

// patience is how long an import waits for a mesh that is being restarted.
const patience = 5 * time.Minute

// importCmd sends a file of reports in batches of raw rows.
//
// Rows are sent in the order of the file, one batch at a time: which of two rows with the same number came first
// decides their fates. An import that was cut off is sent again; what was taken in before answers "duplicate".
type importCmd struct {
	remote
	Format  string `help:"Format of the file, a mapping file of the mesh, such as 12321 or ftc." required:""`
	As      string `help:"Account that sends." default:"CENTRE@centre-12321"`
	Formats string `help:"Folder of further mapping files, as the reporting service has it." env:"QUIETLINE_REPORTING_FORMATS" type:"path"`
	Out     string `help:"Write what became of each row to this CSV file." type:"path"`
	JSON    bool   `help:"Print the counts as one JSON object in the last line." name:"json"`
	File    string `arg:"" help:"File to send." type:"existingfile"`
}

// tally counts fates; joined ones are accepted ones too.
type tally struct {
	Rows        int `json:"rows"`
	Accepted    int `json:"accepted"`
	Joined      int `json:"joined"`
	Duplicate   int `json:"duplicate"`
	Conflict    int `json:"conflict"`
	Quarantined int `json:"quarantined"`
}

func (t *tally) add(r *reportingv1.RowResult) {
	t.Rows++
	switch r.GetFate() {
	case reportingv1.Fate_FATE_ACCEPTED:
		t.Accepted++
		if r.GetJoined() {
			t.Joined++
		}
	case reportingv1.Fate_FATE_DUPLICATE:
		t.Duplicate++
	case reportingv1.Fate_FATE_CONFLICT:
		t.Conflict++
	case reportingv1.Fate_FATE_QUARANTINED:
		t.Quarantined++
	}
}

// Run sends the file and prints what became of it.
func (c importCmd) Run(ctx context.Context) error {
	as, err := formatNamed(c.Format, c.Formats)
	if err != nil {
		return err
	}
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if sameFile(c.File, c.Out) {
		return fmt.Errorf("--out %s is the file to be sent: name another", c.Out)
	}
	out, err := newResultFile(c.Out)
	if err != nil {
		return err
	}
	bar := progressbar.NewOptions64(info.Size(), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription("import"), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))))
	counts, err := send(ctx, reportingv1.NewReportingServiceClient(conn), as, io.TeeReader(file, bar), out.write)
	if err = errors.Join(err, out.close(), bar.Finish()); err != nil {
		return fmt.Errorf("after %d rows: %w", counts.Rows, err)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(counts)
	}
	fmt.Printf("%d rows: %d accepted (%d joined a live complaint), %d duplicate, %d conflict, %d quarantined\n",
		counts.Rows, counts.Accepted, counts.Joined, counts.Duplicate, counts.Conflict, counts.Quarantined)
	return nil
}

// formatNamed is a format of the product or of a folder of further ones.
func formatNamed(name, folder string) (*format.Format, error) {
	known, err := format.Load(folder)
	if err != nil {
		return nil, err
	}
	if f, ok := known[name]; ok {
		return f, nil
	}
	return nil, fmt.Errorf("--format %s: there is %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}

// send files the rows of a file in order and tells each result to each.
func send(ctx context.Context, service reportingv1.ReportingServiceClient, as *format.Format, file io.Reader,
	each func(*reportingv1.RowResult) error,
) (tally, error) {
	var counts tally
	request := &reportingv1.BatchFileReportsRequest{Format: as.Name}
	flush := func() error {
		if len(request.GetRows()) == 0 {
			return nil
		}
		request.RequestId = uuid.NewString()
		response, err := fileBatch(ctx, service, request)
		if err != nil {
			return err
		}
		for _, r := range response.GetResults() {
			counts.add(r)
			if err := each(r); err != nil {
				return err
			}
		}
		request.Rows = request.GetRows()[:0]
		return nil
	}
	for row, err := range table.Rows(file, as.Comma()) {
		if err != nil {
			return counts, errors.Join(flush(), err)
		}
		if request.GetHeader() == nil {
			request.Header = row.Raw
			continue
		}
		request.Rows = append(request.Rows, &reportingv1.RawRow{Line: int32(row.Line), Raw: row.Raw})
		if len(request.GetRows()) == batchRows {
			if err := flush(); err != nil {
				return counts, err
			}
		}
	}
	return counts, flush()
}

// fileBatch sends one batch until the mesh has answered it: the same rows may be sent any number of times.
func fileBatch(ctx context.Context, service reportingv1.ReportingServiceClient, request *reportingv1.BatchFileReportsRequest,
) (*reportingv1.BatchFileReportsResponse, error) {
	return again(ctx, func(ctx context.Context) (*reportingv1.BatchFileReportsResponse, error) {
		return service.BatchFileReports(ctx, request)
	})
}

// again makes a call until the mesh has answered it, for a while.
func again[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	giveUp := time.Now().Add(patience)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		bounded, cancel := context.WithTimeout(ctx, time.Minute)
		response, err := call(bounded)
		cancel()
		if err == nil || !passing(err) || time.Now().After(giveUp) {
			return response, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return response, ctx.Err()
		}
	}
}

// passing says whether an error may go away by itself, as while the mesh starts again.
func passing(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Aborted, codes.ResourceExhausted:
		return true
	case codes.Unauthenticated: // the demo issuer is part of the mesh that starts again
		return strings.Contains(err.Error(), "connection refused")
	}
	return false
}

// resultFile is the CSV of --out; readable by its owner alone, for it has the secrets that reporters track with.
type resultFile struct {
	file *os.File
	csv  *csv.Writer
}

func newResultFile(path string) (*resultFile, error) {
	if path == "" {
		return &resultFile{}, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	r := &resultFile{file: file, csv: csv.NewWriter(file)}
	return r, r.csv.Write([]string{"line", "report_no", "fate", "field", "reason", "receipt", "secret", "joined"})
}

func (r *resultFile) write(row *reportingv1.RowResult) error {
	if r.csv == nil {
		return nil
	}
	fate := strings.ToLower(strings.TrimPrefix(row.GetFate().String(), "FATE_"))
	return r.csv.Write([]string{
		strconv.Itoa(int(row.GetLine())), inert(row.GetSenderNo()), fate, row.GetField(), row.GetReason(),
		row.GetReceipt(), row.GetSecret(), strconv.FormatBool(row.GetJoined()),
	})
}

func (r *resultFile) close() error {
	if r.csv == nil {
		return nil
	}
	r.csv.Flush()
	return errors.Join(r.csv.Error(), r.file.Close())
}

// inert keeps a cell from being taken for a formula by a spreadsheet.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
