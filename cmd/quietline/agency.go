package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/routefile"
)

// routingAgencyCmd changes the directory by a file.
type routingAgencyCmd struct {
	routingAs
	File   string `arg:"" help:"Versions of agencies, a CSV file with the columns agency_id, name, kind, valid_from, source, and if wanted name_en, superior_id, province, sectors (with spaces between), assignable (true or false), valid_to, successor_id." type:"existingfile"`
	Reason string `help:"Why, for the directory's history." required:""`
}

// agencyColumns are read by name; the first ones must be there.
var agencyColumns = []string{
	"agency_id", "name", "kind", "valid_from", "source", "name_en", "superior_id", "province", "sectors", "assignable", "valid_to", "successor_id",
}

const agencyNeeded = 5

// agencyLine is a version of an agency and where it stands in its file.
type agencyLine struct {
	line   int
	agency *assignmentv1.Agency
}

// Run puts one version after the other, as they stand in the file, and ends at the first that is refused. Those before it
// stand; the mended file may be put again: what was put is not put twice.
func (c routingAgencyCmd) Run(ctx context.Context) error {
	raw, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	lines, err := readAgencies(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(c.File), err)
	}
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	broken := map[string]bool{}
	for i, l := range lines {
		a := l.agency
		// The same version for the same reason is the same request.
		id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("quietline:agency\n"+c.Reason+"\n"+agencyText(a)))
		resp, err := service.PutAgency(ctx, &assignmentv1.PutAgencyRequest{RequestId: id.String(), Agency: a, Reason: c.Reason})
		if err != nil {
			return fmt.Errorf("%s: line %d, %s: %w (%d of %d versions are put)", filepath.Base(c.File), l.line, a.GetAgencyId(), err, i, len(lines))
		}
		fmt.Printf("%s  %s  from %s\n", a.GetAgencyId(), a.GetName(), inShanghai(a.GetValidFrom()))
		for _, what := range resp.GetBroken() {
			if !broken[what] {
				broken[what] = true
				fmt.Printf("    the directory does not hold anyhow: %s\n", what)
			}
		}
	}
	return nil
}

// agencyText is all that a version says.
func agencyText(a *assignmentv1.Agency) string {
	to := ""
	if a.GetValidTo() != nil {
		to = a.GetValidTo().AsTime().String()
	}
	return strings.Join([]string{
		a.GetAgencyId(), a.GetName(), a.GetNameEn(), a.GetKind(), a.GetSuperiorId(), a.GetProvince(), strings.Join(a.GetSectors(), " "),
		strconv.FormatBool(a.GetAssignable()), a.GetValidFrom().AsTime().String(), to, a.GetSuccessorId(), a.GetSource(),
	}, "\n")
}

// readAgencies reads a whole file before anything of it is put.
func readAgencies(raw []byte) ([]agencyLine, error) {
	if !bytes.HasSuffix(raw, []byte("\n")) {
		return nil, errors.New("does not end with a line feed: it may have been cut off")
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	for i, name := range head {
		if !slices.Contains(agencyColumns, name) || slices.Contains(head[:i], name) {
			return nil, fmt.Errorf("column %q is none of %s, each once", name, strings.Join(agencyColumns, ", "))
		}
	}
	for _, name := range agencyColumns[:agencyNeeded] {
		if !slices.Contains(head, name) {
			return nil, fmt.Errorf("column %q is missing", name)
		}
	}
	var lines []agencyLine
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		cells := map[string]string{}
		for i, name := range head {
			cells[name] = strings.TrimSpace(record[i])
		}
		line, _ := r.FieldPos(0)
		a, err := agencyIn(cells)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		lines = append(lines, agencyLine{line, a})
	}
}

// agencyIn is the version in a row; what the service asks of it, the service says.
func agencyIn(cells map[string]string) (*assignmentv1.Agency, error) {
	a := &assignmentv1.Agency{
		AgencyId: cells["agency_id"], Name: cells["name"], NameEn: cells["name_en"], Kind: cells["kind"], SuperiorId: cells["superior_id"],
		Province: cells["province"], Sectors: strings.Fields(cells["sectors"]), SuccessorId: cells["successor_id"], Source: cells["source"],
	}
	switch cells["assignable"] {
	case "true":
		a.Assignable = true
	case "false", "":
	default:
		return nil, fmt.Errorf("assignable is true or false, not %q", cells["assignable"])
	}
	from, err := routefile.ParseTime(cells["valid_from"])
	if err != nil {
		return nil, fmt.Errorf("valid_from: %w", err)
	}
	a.ValidFrom = timestamppb.New(from)
	if cells["valid_to"] == "" {
		return a, nil
	}
	to, err := routefile.ParseTime(cells["valid_to"])
	if err != nil {
		return nil, fmt.Errorf("valid_to: %w", err)
	}
	a.ValidTo = timestamppb.New(to)
	return a, nil
}
