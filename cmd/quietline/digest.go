package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"

	"quietline/internal/digestdoc"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// digestCmd drafts a digest, releases one, or writes one to a file in the form that its name says.
type digestCmd struct {
	remote
	Month   string `arg:"" help:"Month, YYYY-MM." placeholder:"MONTH"`
	As      string `help:"Account that asks. Who drafts a digest does not release it." default:"STATISTICIAN@miit"`
	Draft   bool   `help:"Draft the next version first."`
	Note    string `help:"With --draft: what the new version corrects; a month's first version needs none."`
	Release int32  `help:"Release this version." placeholder:"VERSION"`
	Version int32  `help:"Version to write; the newest by default."`
	Public  bool   `help:"Write the public edition."`
	Out     string `help:"File to write: .csv, .xlsx, .json or .html." type:"path" placeholder:"FILE"`
}

// Run does what is asked, in that order.
func (c digestCmd) Run(ctx context.Context) error {
	write, ok := digestForms[strings.ToLower(filepath.Ext(c.Out))]
	if !ok {
		return errors.New("--out: the name of a file ending in .csv, .xlsx, .json or .html")
	}
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if c.Draft {
		_, err := caseworkv1.NewCaseworkServiceClient(conn).BuildDigest(ctx, &caseworkv1.BuildDigestRequest{RequestId: uuid.NewString(), Month: c.Month, Note: c.Note})
		if err != nil {
			return fmt.Errorf("draft: %w", err)
		}
	}
	disclosure := disclosurev1.NewDisclosureServiceClient(conn)
	if c.Release > 0 {
		_, err := disclosure.ReleaseDigest(ctx, &disclosurev1.ReleaseDigestRequest{RequestId: uuid.NewString(), Month: c.Month, Version: c.Release})
		if err != nil {
			return fmt.Errorf("release: %w", err)
		}
	}
	edition := "internal"
	if c.Public {
		edition = "public"
	}
	resp, err := disclosure.GetDigest(ctx, &disclosurev1.GetDigestRequest{Month: c.Month, Version: c.Version, Edition: edition})
	if err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	d := resp.GetDigest()
	fmt.Printf("%s, version %d, %s, %s edition: %d reports, %d tables\n", d.GetTitle(), d.GetVersion(), d.GetState(), d.GetEdition(), d.GetTotal(), len(d.GetTables()))
	if c.Out == "" {
		return nil
	}
	file, err := createBeside(c.Out)
	if err != nil {
		return err
	}
	if err := write(file, d); err != nil {
		file.discard()
		return err
	}
	return file.keep()
}

// digestForms are the files that a digest can be.
var digestForms = map[string]func(io.Writer, *disclosurev1.Digest) error{
	"":      nil,
	".csv":  digestdoc.CSV,
	".xlsx": digestdoc.XLSX,
	".html": digestdoc.HTML,
	".json": func(w io.Writer, d *disclosurev1.Digest) error {
		raw, err := protojson.MarshalOptions{Multiline: true}.Marshal(d)
		if err != nil {
			return err
		}
		_, err = w.Write(append(raw, '\n'))
		return err
	},
}
