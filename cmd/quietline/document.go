package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// documentCmd fetches a document of a case as it was made, ready to print.
type documentCmd struct {
	remote

	As  string `help:"Demo account: CASEWORKER@AGENCY of the case, or PARTY@ and a credit code or case." required:""`
	Out string `help:"Write the HTML to this file instead of the standard output." type:"path"`
	ID  string `arg:"" name:"document" help:"Document (文书标识)."`
}

// Run fetches the document, holds it against its hash and writes it.
func (c documentCmd) Run(ctx context.Context) error {
	html, sum, err := c.fetch(ctx)
	if err != nil {
		return err
	}
	if got := sha256.Sum256(html); hex.EncodeToString(got[:]) != sum {
		return errors.New("the document does not have its hash")
	}
	if c.Out == "" {
		_, err = os.Stdout.Write(html)
		return err
	}
	file, err := createBeside(c.Out)
	if err != nil {
		return err
	}
	defer file.discard()
	if _, err := file.Write(html); err != nil {
		return err
	}
	if err := file.keep(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: %d bytes, SHA-256 %s\n", c.Out, len(html), sum)
	return nil
}

func (c documentCmd) fetch(ctx context.Context) (html []byte, sum string, err error) {
	conn, err := c.dial(c.As)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = conn.Close() }()
	cases := enforcementv1.NewEnforcementServiceClient(conn)
	role, _, err := splitAccount(c.As)
	if err != nil {
		return nil, "", err
	}
	if role == "PARTY" {
		r, err := cases.GetServedDocument(ctx, &enforcementv1.GetServedDocumentRequest{DocumentId: c.ID})
		return r.GetHtml(), r.GetDocument().GetSha256(), err
	}
	r, err := cases.GetCaseDocument(ctx, &enforcementv1.GetCaseDocumentRequest{DocumentId: c.ID})
	if err == nil && len(r.GetHtml()) == 0 {
		err = errors.New("the content is shown to the agency of the case only")
	}
	return r.GetHtml(), r.GetDocument().GetSha256(), err
}
