package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/deploy/embedded"
	"quietline/deploy/sample"
	"quietline/internal/calendar"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// sampleMark says that the sample was offered to this data directory: it is loaded once, into an empty mesh.
const sampleMark = "sample.loaded"

func (c upCmd) sample(ctx context.Context, m *mesh, data embedded.Dirs) error {
	if _, err := os.Stat(data.Path(sampleMark)); err == nil || !c.Sample || c.mesh().Gateway.Demo == "" {
		return nil
	}
	at := remote{Gateway: m.URL, Data: data.Root}
	if err := loadLedger(ctx, at); err != nil {
		return fmt.Errorf("load the sample ledger: %w", err)
	}
	conn, err := at.dial("CENTRE@" + sample.Sender)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	day, err := formatNamed(sample.Format, "")
	if err != nil {
		return err
	}
	counts, err := send(ctx, reportingv1.NewReportingServiceClient(conn), day, bytes.NewReader(sample.Day),
		func(*reportingv1.RowResult) error { return nil })
	if err != nil {
		return fmt.Errorf("load the sample day: %w", err)
	}
	fmt.Printf("  sample day: %d rows, %d accepted, %d duplicate, %d conflict, %d quarantined\n",
		counts.Rows, counts.Accepted, counts.Duplicate, counts.Conflict, counts.Quarantined)
	return os.WriteFile(data.Path(sampleMark), nil, 0o600)
}

// loadLedger allocates the resources of the sample's holders. What is allocated already stays as it is.
func loadLedger(ctx context.Context, at remote) error {
	conn, err := at.dial("REGISTRAR@miit")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	rows, err := csv.NewReader(bytes.NewReader(sample.Ledger)).ReadAll()
	if err != nil {
		return err
	}
	for _, cells := range rows[1:] {
		row := map[string]string{}
		for i, name := range rows[0] {
			row[name] = cells[i]
		}
		if err := allocate(ctx, conn, row); err != nil {
			return fmt.Errorf("%s: %w", row["first_number"], err)
		}
	}
	return nil
}

func allocate(ctx context.Context, conn grpc.ClientConnInterface, row map[string]string) error {
	service := ledgerv1.NewLedgerServiceClient(conn)
	requestID := func(what string) string {
		return uuid.NewSHA1(uuid.NameSpaceOID, []byte("sample/"+what+"/"+row["first_number"])).String()
	}
	holder, err := service.RegisterHolder(ctx, &ledgerv1.RegisterHolderRequest{
		RequestId: requestID("holder"),
		Holder: &ledgerv1.Holder{
			Name: row["holder"], CreditCode: row["credit_code"], Licence: row["licence"], Sector: row["sector"],
		},
	})
	if err != nil {
		return err
	}
	from, err := time.ParseInLocation(time.DateOnly, row["valid_from"], calendar.Shanghai)
	if err != nil {
		return err
	}
	_, err = service.AllocateResource(ctx, &ledgerv1.AllocateResourceRequest{
		RequestId: requestID("resource"), HolderId: holder.GetHolder().GetHolderId(), Scheme: row["scheme"],
		FirstNumber: row["first_number"], LastNumber: row["last_number"], AccessProvince: row["access_province"],
		Purpose: row["purpose"], PermittedCallers: strings.Fields(row["permitted_callers"]),
		AccessOperatorId: row["access_operator"], ValidFrom: timestamppb.New(from), Basis: row["basis"],
	})
	if status.Code(err) == codes.AlreadyExists {
		return nil
	}
	return err
}
