package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/uuid"

	"quietline/internal/table"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// itemHead are the columns of a sample; result and text are the holder's or operator's to fill in and to send back.
var itemHead = []string{
	"item_id", "first_number", "last_number", "kind", "holder", "credit_code", "access_operator", "inspector", "state", "declaration", "overdue",
	"finding", "found", "finding_state", "rectify_until", "result", "text",
}

// campaignItemsCmd writes a sample, a line for each finding, so that it can be filled in and returned.
type campaignItemsCmd struct {
	campaignAs
	State     string `help:"Only this state: PENDING, CONFORMING, FOUND, RECTIFIED, CLOSED or ENDED."`
	Inspector string `help:"Only what this agency inspects."`
	Overdue   bool   `help:"Only what is overdue."`
	Out       string `help:"CSV file or workbook (.xlsx) to write; by default CSV to the standard output." type:"path"`
	Campaign  string `arg:"" help:"Campaign."`
}

// Run writes the file.
func (c campaignItemsCmd) Run(ctx context.Context) error {
	out, err := newTable(c.Out, ',')
	if err != nil {
		return err
	}
	defer out.discard()
	if err := out.write(itemHead); err != nil {
		return err
	}
	n := 0
	err = pages(func(token string) (next string, err error) {
		var got *ledgerv1.ListCampaignItemsResponse
		err = c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) (err error) {
			got, err = client.ListCampaignItems(ctx, &ledgerv1.ListCampaignItemsRequest{
				CampaignId: c.Campaign, InspectorAgencyId: c.Inspector, State: c.State, Overdue: c.Overdue, PageSize: 500, PageToken: token,
			})
			return err
		})
		for _, i := range got.GetItems() {
			n++
			for _, cells := range itemCells(i) {
				if err := out.write(cells); err != nil {
					return "", err
				}
			}
		}
		return got.GetNextPageToken(), err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d resources\n", n)
	return out.close()
}

// itemCells are the lines of an item: one for each finding, else one.
func itemCells(i *ledgerv1.CampaignItem) [][]string {
	r := i.GetResource()
	head := []string{
		i.GetItemId(), r.GetFirstNumber(), r.GetLastNumber(), i.GetKind(), table.Inert(r.GetHolder().GetName()), r.GetHolder().GetCreditCode(),
		r.GetAccessOperatorId(), i.GetInspectorAgencyId(), i.GetState(), i.GetDeclaration(), strings.Join(i.GetOverdue(), " "),
	}
	if len(i.GetFindings()) == 0 {
		return [][]string{append(head, "", "", "", "", "", "")}
	}
	var lines [][]string
	for _, f := range i.GetFindings() {
		lines = append(lines, append(append([]string{}, head...), f.GetFinding().GetFindingId(),
			table.Inert(f.GetFinding().GetKind()+": "+f.GetFinding().GetObserved()), f.GetFinding().GetState(), until(f.GetClock()), "", ""))
	}
	return lines
}

// campaignReturnCmd sends a return. Rows without a result say nothing; of several rows of one item the first that says
// something counts.
type campaignReturnCmd struct {
	campaignAs
	Statement string `help:"Statement as a whole (自查说明)." required:""`
	SignedBy  string `help:"Name of who signs for the firm." required:""`
	Campaign  string `arg:"" help:"Campaign."`
	File      string `arg:"" help:"CSV file with item_id, result (conforming, to_rectify, rectified; 合规, 待整改, 已整改) and text, as items writes it." type:"existingfile"`
}

// mostDeclared is the bound of one return.
const mostDeclared = 1000

var declaredWords = map[string]string{"合规": "conforming", "待整改": "to_rectify", "已整改": "rectified"}

// Run sends it.
func (c campaignReturnCmd) Run(ctx context.Context) error {
	all, err := c.read()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("%s: no row has a result", c.File)
	}
	for from := 0; from < len(all); from += mostDeclared {
		req := &ledgerv1.SubmitSelfInspectionRequest{
			RequestId: uuid.NewString(), CampaignId: c.Campaign, Statement: c.Statement, SignedBy: c.SignedBy,
			Declarations: all[from:min(from+mostDeclared, len(all))],
		}
		err := c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) error {
			got, err := client.SubmitSelfInspection(ctx, req)
			if err != nil {
				return err
			}
			late := ""
			if got.GetLate() {
				late = ", late"
			}
			fmt.Printf("return %s: %d resources%s\n", got.GetReturnId(), len(req.GetDeclarations()), late)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c campaignReturnCmd) read() ([]*ledgerv1.Declaration, error) {
	file, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	rows := csv.NewReader(file)
	rows.FieldsPerRecord = -1
	all, err := rows.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	if len(all) == 0 {
		return nil, errors.New("the file is empty")
	}
	at := map[string]int{}
	for i, name := range all[0] {
		at[strings.TrimPrefix(strings.TrimSpace(name), "\ufeff")] = i
	}
	for _, name := range []string{"item_id", "result"} { // others but text are passed over
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("%s: there is no column %s", c.File, name)
		}
	}
	return declarations(all[1:], at), nil
}

func declarations(rows [][]string, at map[string]int) []*ledgerv1.Declaration {
	cell := func(row []string, name string) string {
		if i, ok := at[name]; ok && i < len(row) {
			return strings.TrimSpace(table.Bare(row[i]))
		}
		return ""
	}
	var out []*ledgerv1.Declaration
	said := map[string]bool{}
	for _, row := range rows {
		d := &ledgerv1.Declaration{ItemId: cell(row, "item_id"), Result: cell(row, "result"), Text: cell(row, "text")}
		if d.GetResult() == "" || said[d.GetItemId()] {
			continue
		}
		said[d.GetItemId()] = true
		d.Result = or(declaredWords[d.GetResult()], d.GetResult())
		out = append(out, d)
	}
	return out
}
