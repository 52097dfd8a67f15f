package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"quietline/internal/table"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
)

// ledgerChangesCmd writes the changes of a month. Cells that a spreadsheet would take for a formula have an apostrophe
// before them, which load takes away again.
type ledgerChangesCmd struct {
	remote
	Month    string `help:"Month, in Shanghai." required:"" placeholder:"2026-10"`
	Format   string `help:"Format to write, a mapping file of the ledger." default:"ledger"`
	Formats  string `help:"Folder of further mapping files." env:"QUIETLINE_LEDGER_FORMATS" type:"path"`
	As       string `help:"Account that asks; an OPERATOR gets its own part." default:"REGISTRAR@miit"`
	Operator string `help:"Access operator; by default all that the account may see."`
	Out      string `help:"CSV file or workbook (.xlsx) to write; by default CSV to the standard output." type:"path"`
}

// Run writes the file.
func (c ledgerChangesCmd) Run(ctx context.Context) (err error) {
	as, err := ledgerFormat(c.Format, c.Formats)
	if err != nil {
		return err
	}
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	out, err := newTable(c.Out, as.Comma())
	if err != nil {
		return err
	}
	defer out.discard()
	n, err := c.write(ctx, ledgerv1.NewLedgerServiceClient(conn), as, out)
	if err != nil {
		return err
	}
	if err := out.close(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d changes\n", n)
	return nil
}

func (c ledgerChangesCmd) write(ctx context.Context, client ledgerv1.LedgerServiceClient, as *format.Format, out tableWriter) (int, error) {
	if err := out.write(as.Names()); err != nil {
		return 0, err
	}
	n, req := 0, &ledgerv1.ListLedgerChangesRequest{Month: c.Month, AccessOperatorId: c.Operator, PageSize: 500}
	for {
		var page *ledgerv1.ListLedgerChangesResponse
		err := insist(ctx, func(ctx context.Context) (err error) { page, err = client.ListLedgerChanges(ctx, req); return err })
		if err != nil {
			return n, err
		}
		for _, change := range page.GetChanges() {
			n++
			if err := out.write(as.Write(change.GetFields())); err != nil {
				return n, err
			}
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
			return n, nil
		}
	}
}

// tableWriter writes rows to a text file or a workbook. The file has its name when it is closed, and not when it is discarded.
type tableWriter struct {
	write   func(cells []string) error
	close   func() error
	discard func()
}

func newTable(name string, comma byte) (tableWriter, error) {
	if name == "" {
		return textTable(os.Stdout, comma, nil), nil
	}
	file, err := createBeside(name)
	if err != nil {
		return tableWriter{}, err
	}
	if !strings.EqualFold(filepath.Ext(name), ".xlsx") {
		return textTable(file, comma, file), nil
	}
	book, err := table.NewWorkbook()
	if err != nil {
		file.discard()
		return tableWriter{}, err
	}
	save := func() error {
		if err := book.Save(file); err != nil {
			return err
		}
		return file.keep()
	}
	return tableWriter{write: book.Write, close: save, discard: file.discard}, nil
}

// textTable writes to a file, or to an output that stays open.
func textTable(to io.Writer, comma byte, file *newFile) tableWriter {
	w := bufio.NewWriter(to)
	return tableWriter{
		write: func(cells []string) error { _, err := w.Write(append(table.Row(cells, comma), '\n')); return err },
		close: func() error {
			if err := w.Flush(); err != nil || file == nil {
				return err
			}
			return file.keep()
		},
		discard: file.discard,
	}
}
