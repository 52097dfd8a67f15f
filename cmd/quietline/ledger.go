package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/table"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger"
	"quietline/services/ledger/format"
)

// ledgerCmd runs the ledger, or works with it by files.
type ledgerCmd struct {
	Serve   service[ledger.Config] `cmd:"" default:"withargs" help:"Run the number-resource ledger (台账); the word itself may be left out."`
	Load    ledgerLoadCmd          `cmd:"" help:"Hold an operator's ledger file against the ledger, and apply it."`
	Changes ledgerChangesCmd       `cmd:"" help:"Write what the ledger came to know in a month, in the form that load takes."`
}

// maxBatch bounds the bytes of the rows in one request.
const maxBatch = 4 << 20

// ledgerLoadCmd sends a ledger file, shows in what it differs, and applies it when told to.
//
// The same file sent again is the same load until it is applied or discarded; rows that were refused are repaired in the
// file and sent again under their lines with --load.
type ledgerLoadCmd struct {
	remote
	Format     string `help:"Format of the file, a mapping file of the ledger, such as ledger or voice-lines." required:""`
	Formats    string `help:"Folder of further mapping files, as the ledger has it." env:"QUIETLINE_LEDGER_FORMATS" type:"path"`
	As         string `help:"Account that sends: an OPERATOR for its own part of the ledger, a REGISTRAR for any." default:"REGISTRAR@miit"`
	Operator   string `help:"Access operator whose part of the ledger the file states, so that what it does not name is missing; an operator's own by default."`
	AsOf       string `help:"Day from which the file holds where a row has no date; by default now." placeholder:"2026-11-01"`
	Load       string `help:"Go on with a load: its rows are replaced by those of the file." placeholder:"ID"`
	Out        string `help:"Write the whole report to this CSV file." type:"path"`
	Apply      bool   `help:"Apply what the report shows. Rows in conflict and unusable ones stay out."`
	EndMissing bool   `help:"With --apply: end what the ledger has and the file does not name; needs --reason."`
	Reason     string `help:"Why missing resources end, for the history."`
	File       string `arg:"" help:"CSV file (UTF-8 or GB18030) or workbook (.xlsx)." type:"existingfile"`
}

// Run sends the file, prints the report and applies it.
func (c ledgerLoadCmd) Run(ctx context.Context) error {
	as, err := ledgerFormat(c.Format, c.Formats)
	if err != nil {
		return err
	}
	if c.Out != "" && sameFile(c.Out, c.File) {
		return errors.New("--out is the file to load; the report goes elsewhere")
	}
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	client := ledgerv1.NewLedgerServiceClient(conn)
	id, err := c.stage(ctx, client, as)
	if err != nil {
		return err
	}
	var load *ledgerv1.Load
	err = insistFor(ctx, wholeFile, func(ctx context.Context) error {
		resp, err := client.CompareLoad(ctx, &ledgerv1.CompareLoadRequest{RequestId: uuid.NewString(), LoadId: id})
		load = resp.GetLoad()
		return err
	})
	if err != nil {
		return err
	}
	if err := c.show(ctx, client, load); err != nil {
		return err
	}
	if !c.Apply {
		return nil
	}
	apply := &ledgerv1.ApplyLoadRequest{
		RequestId: uuid.NewString(), LoadId: id, Version: load.GetVersion(), EndMissing: c.EndMissing, Reason: c.Reason,
	}
	if err := insistFor(ctx, wholeFile, func(ctx context.Context) error { _, err := client.ApplyLoad(ctx, apply); return err }); err != nil {
		return err
	}
	fmt.Println("applied")
	return nil
}

func ledgerFormat(name, folder string) (*format.Format, error) {
	known, err := format.Load(folder)
	if err != nil {
		return nil, err
	}
	if f, ok := known[name]; ok {
		return f, nil
	}
	return nil, fmt.Errorf("--format %s: there is %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}

// rowsOf reads a file's raw rows, of a text or a workbook.
func rowsOf(file *os.File, comma byte) iter.Seq2[table.RawRow, error] {
	if strings.EqualFold(filepath.Ext(file.Name()), ".xlsx") {
		return table.XLSX(file)
	}
	return table.Rows(file, comma)
}

// stage begins the load, or goes on with one, and sends all rows.
func (c ledgerLoadCmd) stage(ctx context.Context, client ledgerv1.LedgerServiceClient, as *format.Format) (id string, err error) {
	file, err := os.Open(c.File)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	batch := &ledgerv1.AddLoadRowsRequest{}
	size, begun := 0, false
	flush := func() error {
		if len(batch.GetRows()) == 0 {
			return nil
		}
		batch.RequestId, batch.LoadId = uuid.NewString(), id
		err := insist(ctx, func(ctx context.Context) error { _, err := client.AddLoadRows(ctx, batch); return err })
		batch.Rows, size = batch.GetRows()[:0], 0
		return err
	}
	for row, err := range rowsOf(file, as.Comma()) {
		if err != nil {
			return "", err
		}
		if !begun {
			begun = true
			if id, err = c.begin(ctx, client, row.Raw, hex.EncodeToString(sum.Sum(nil))); err != nil {
				return "", err
			}
			continue
		}
		batch.Rows = append(batch.Rows, &ledgerv1.LoadRow{Line: int32(row.Line), Raw: row.Raw}) //nolint:gosec // bounded by table.MaxRows
		if size += len(row.Raw); len(batch.GetRows()) == batchRows || size > maxBatch {
			if err := flush(); err != nil {
				return "", err
			}
		}
	}
	if !begun {
		return "", errors.New("the file is empty")
	}
	return id, flush()
}

func (c ledgerLoadCmd) begin(ctx context.Context, client ledgerv1.LedgerServiceClient, header []byte, sum string) (id string, err error) {
	if c.Load != "" {
		return c.Load, nil
	}
	req := &ledgerv1.LoadLedgerRequest{
		RequestId: uuid.NewString(), Format: c.Format, Header: header, FileName: filepath.Base(c.File), FileSha256: sum, AccessOperatorId: c.Operator,
	}
	if c.AsOf != "" {
		day, err := time.ParseInLocation(time.DateOnly, c.AsOf, calendar.Shanghai)
		if err != nil {
			return "", fmt.Errorf("--as-of: %q is no day", c.AsOf)
		}
		req.AsOf = timestamppb.New(day)
	}
	err = insist(ctx, func(ctx context.Context) error {
		resp, err := client.LoadLedger(ctx, req)
		id = resp.GetLoad().GetLoadId()
		return err
	})
	return id, err
}

// shown is how many differences are printed; the file of --out has all.
const shown = 20

// show prints the counts and the first differences, and writes all of them to the file.
func (c ledgerLoadCmd) show(ctx context.Context, client ledgerv1.LedgerServiceClient, l *ledgerv1.Load) error {
	n := l.GetCounts()
	fmt.Printf("load %s: %d rows: %d new, %d changed, %d unchanged, %d in conflict, %d unusable; %d missing from the file\n",
		l.GetLoadId(), n.GetRows(), n.GetNew(), n.GetChanged(), n.GetUnchanged(), n.GetConflict(), n.GetRejected(), n.GetMissing())
	out, err := newReport(c.Out)
	if err != nil {
		return err
	}
	defer out.file.discard()
	printed := 0
	req := &ledgerv1.GetLoadDifferenceRequest{LoadId: l.GetLoadId(), PageSize: 500}
	for {
		var page *ledgerv1.GetLoadDifferenceResponse
		err := insist(ctx, func(ctx context.Context) (err error) { page, err = client.GetLoadDifference(ctx, req); return err })
		if err != nil {
			return err
		}
		for _, d := range page.GetDifferences() {
			if printed++; printed <= shown {
				fmt.Println("  " + shownAs(d))
			}
			if err := out.write(d); err != nil {
				return err
			}
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" || c.Out == "" && printed >= shown {
			return out.close()
		}
	}
}

// shownAs is a difference in one line of text; what is missing has no line in the file.
func shownAs(d *ledgerv1.LoadDifference) string {
	text := strings.TrimSpace(fmt.Sprintf("%s %s %s", d.GetFate(), strings.TrimSpace(d.GetAbout()+" "+d.GetFirstNumber()), told(d)))
	if d.GetLine() == 0 {
		return text
	}
	return fmt.Sprintf("line %d: %s", d.GetLine(), text)
}

func told(d *ledgerv1.LoadDifference) string {
	parts := []string{}
	if d.GetReason() != "" {
		parts = append(parts, strings.TrimSpace(d.GetField()+" "+d.GetReason()))
	}
	for _, f := range d.GetChanges() {
		parts = append(parts, fmt.Sprintf("%s: %q → %q", f.GetField(), f.GetOldValue(), f.GetNewValue()))
	}
	return strings.Join(parts, "; ")
}

// report is the CSV file of the differences; without a name it is nothing.
type report struct {
	file *newFile
	csv  *csv.Writer
}

func newReport(name string) (*report, error) {
	if name == "" {
		return &report{}, nil
	}
	file, err := createBeside(name)
	if err != nil {
		return nil, err
	}
	r := &report{file: file, csv: csv.NewWriter(file)}
	return r, r.csv.Write([]string{"line", "fate", "resource_id", "scheme", "first_number", "last_number", "effect_time", "field", "reason", "changes", "about"})
}

func (r *report) write(d *ledgerv1.LoadDifference) error {
	if r.csv == nil {
		return nil
	}
	effect := ""
	if t := d.GetEffectTime(); t != nil {
		effect = t.AsTime().In(calendar.Shanghai).Format(time.DateTime)
	}
	changes := make([]string, len(d.GetChanges()))
	for i, f := range d.GetChanges() {
		changes[i] = f.GetField() + ": " + f.GetOldValue() + " → " + f.GetNewValue()
	}
	return r.csv.Write([]string{
		strconv.Itoa(int(d.GetLine())), d.GetFate(), d.GetResourceId(), d.GetScheme(), d.GetFirstNumber(), d.GetLastNumber(), effect,
		table.Inert(d.GetField()), table.Inert(d.GetReason()), table.Inert(strings.Join(changes, "; ")), d.GetAbout(),
	})
}

func (r *report) close() error {
	if r.csv == nil {
		return nil
	}
	r.csv.Flush()
	if err := r.csv.Error(); err != nil {
		return err
	}
	return r.file.keep()
}

// How long one call may take: most are short, but a whole file is compared and applied in one.
const (
	shortCall = time.Minute
	wholeFile = 20 * time.Minute
)

// insist calls until the mesh has answered: everything sent here may be sent any number of times.
func insist(ctx context.Context, call func(context.Context) error) error {
	return insistFor(ctx, shortCall, call)
}

func insistFor(ctx context.Context, each time.Duration, call func(context.Context) error) error {
	giveUp := time.Now().Add(patience)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		bounded, cancel := context.WithTimeout(ctx, each)
		err := call(bounded)
		cancel()
		if err == nil || !passing(err) || time.Now().After(giveUp) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
