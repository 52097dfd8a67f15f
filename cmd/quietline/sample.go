package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"quietline/deploy/embedded"
	"quietline/deploy/sample"
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
