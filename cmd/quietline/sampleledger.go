package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/deploy/sample"
	"quietline/internal/calendar"
	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// sampleRow is a row of the sample ledger with what became of it.
type sampleRow struct {
	cells    map[string]string
	from     *timestamppb.Timestamp
	holder   string
	resource string
}

// loadLedger enters the holders of the sample with their licences, then what they hold, then what hangs on that. What is
// allocated already stays as it is.
func loadLedger(ctx context.Context, at remote) error {
	conn, err := at.dial("REGISTRAR@miit")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	rows, err := sampleRows()
	if err != nil {
		return err
	}
	service := ledgerv1.NewLedgerServiceClient(conn)
	holders := map[string]string{} // by credit code
	for _, enter := range []func(context.Context, ledgerv1.LedgerServiceClient, *sampleRow) error{enterHolder, enterResource, enterBeside} {
		for _, row := range rows {
			if err := enter(ctx, service, row); err != nil {
				return fmt.Errorf("%s: %w", row.cells["first_number"], err)
			}
			holders[row.cells["credit_code"]] = row.holder
		}
	}
	for _, row := range rows {
		if err := enterSublet(ctx, service, row, holders[row.cells["sublet_to"]]); err != nil {
			return fmt.Errorf("%s: %w", row.cells["first_number"], err)
		}
	}
	return nil
}

func sampleRows() ([]*sampleRow, error) {
	lines, err := csv.NewReader(bytes.NewReader(sample.Ledger)).ReadAll()
	if err != nil {
		return nil, err
	}
	var rows []*sampleRow
	for _, cells := range lines[1:] {
		row := &sampleRow{cells: map[string]string{}}
		for i, name := range lines[0] {
			row.cells[name] = cells[i]
		}
		from, err := time.ParseInLocation(time.DateOnly, row.cells["valid_from"], calendar.Shanghai)
		if err != nil {
			return nil, err
		}
		row.from = timestamppb.New(from)
		rows = append(rows, row)
	}
	return rows, nil
}

// request is the same for the same row and deed, so that a sample that was loaded half is loaded to the end.
func (r *sampleRow) request(what string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("sample/"+what+"/"+r.cells["first_number"])).String()
}

func enterHolder(ctx context.Context, service ledgerv1.LedgerServiceClient, row *sampleRow) error {
	holder, err := service.RegisterHolder(ctx, &ledgerv1.RegisterHolderRequest{
		RequestId: row.request("holder"),
		Holder: &ledgerv1.Holder{
			Name: row.cells["holder"], CreditCode: row.cells["credit_code"], Licence: row.cells["licence"], Sector: row.cells["sector"],
		},
	})
	if err != nil || row.cells["licence"] == "" {
		row.holder = holder.GetHolder().GetHolderId()
		return err
	}
	row.holder = holder.GetHolder().GetHolderId()
	_, err = service.RecordLicence(ctx, &ledgerv1.RecordLicenceRequest{
		RequestId: row.request("licence"),
		Licence: &ledgerv1.Licence{
			HolderId: row.holder, Number: row.cells["licence"], Kinds: strings.Fields(row.cells["licence_kinds"]),
			Provinces: strings.Fields(row.cells["licence_provinces"]), Document: "样例许可证", ValidFrom: row.from,
		},
	})
	return unlessThere(err)
}

func enterResource(ctx context.Context, service ledgerv1.LedgerServiceClient, row *sampleRow) error {
	resp, err := service.AllocateResource(ctx, &ledgerv1.AllocateResourceRequest{
		RequestId: row.request("resource"), HolderId: row.holder, Scheme: row.cells["scheme"],
		FirstNumber: row.cells["first_number"], LastNumber: row.cells["last_number"], AccessProvince: row.cells["access_province"],
		Purpose: row.cells["purpose"], PermittedCallers: strings.Fields(row.cells["permitted_callers"]),
		AccessOperatorId: row.cells["access_operator"], ValidFrom: row.from, Basis: row.cells["basis"], Evidence: []string{"样例资质审查材料"},
	})
	row.resource = resp.GetResource().GetResourceId()
	return unlessThere(err)
}

// enterBeside enters further places of access and the contract.
func enterBeside(ctx context.Context, service ledgerv1.LedgerServiceClient, row *sampleRow) error {
	if row.resource == "" { // it was there already
		return nil
	}
	for place := range strings.FieldsSeq(row.cells["further_access"]) {
		province, operator, _ := strings.Cut(place, ":")
		_, err := service.RecordAccess(ctx, &ledgerv1.RecordAccessRequest{
			RequestId: row.request("access/" + place),
			Access:    &ledgerv1.Access{ResourceId: row.resource, Province: province, OperatorId: operator, ValidFrom: row.from},
		})
		if err != nil {
			return err
		}
	}
	limit, unit, ok := strings.Cut(row.cells["call_limit"], " ")
	if !ok {
		return nil
	}
	most, err := strconv.ParseInt(limit, 10, 32)
	if err != nil {
		return err
	}
	_, err = service.RecordContract(ctx, &ledgerv1.RecordContractRequest{
		RequestId: row.request("contract"),
		Contract: &ledgerv1.Contract{
			ResourceId: row.resource, OperatorId: row.cells["access_operator"], Number: "样例合同" + row.cells["first_number"],
			CallLimit: int32(most), LimitUnit: unit, ComplaintClauses: "举报属实的暂停服务并限期整改", HandlingClauses: "配合拦截和核查", ValidFrom: row.from,
		},
	})
	return err
}

func enterSublet(ctx context.Context, service ledgerv1.LedgerServiceClient, row *sampleRow, lessee string) error {
	if row.resource == "" || lessee == "" {
		return nil
	}
	_, err := service.DeclareSublet(ctx, &ledgerv1.DeclareSubletRequest{
		RequestId: row.request("sublet"),
		Sublet: &ledgerv1.Sublet{
			ResourceId: row.resource, Lessee: &ledgerv1.Holder{HolderId: lessee}, Purpose: row.cells["purpose"],
			Document: "样例转租备案", ValidFrom: row.from,
		},
	})
	return err
}

// unlessThere forgives what is on record already.
func unlessThere(err error) error {
	for _, there := range []commonv1.ErrorReason{commonv1.ErrorReason_ERROR_REASON_ALLOCATION_OVERLAPS, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS} {
		if errs.Is(err, there) {
			return nil
		}
	}
	return err
}
