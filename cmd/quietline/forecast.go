package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"quietline/internal/calendar"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// forecastCmd says what is overdue and what will be late, per agency.
type forecastCmd struct {
	remote
	As     string `help:"Account that asks; LEAD and AUDITOR see all agencies, others their own." default:"LEAD@miit"`
	Days   int32  `help:"Days ahead, today included; 0 is until this week's Sunday." default:"0"`
	Agency string `help:"Only this agency."`
	Tasks  int32  `help:"How many tasks to list, soonest due first." default:"20"`
	JSON   bool   `help:"Print one JSON object." name:"json"`
}

// Run prints the forecast.
func (c forecastCmd) Run(ctx context.Context) error {
	if c.Tasks < 1 || c.Tasks > 500 {
		return errors.New("--tasks: 1 to 500")
	}
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	f, err := assignmentv1.NewAssignmentServiceClient(conn).ForecastBreaches(ctx, &assignmentv1.ForecastBreachesRequest{
		Days: c.Days, AgencyId: c.Agency, PageSize: c.Tasks,
	})
	if err != nil {
		return fmt.Errorf("forecast: %w", err)
	}
	cases, err := enforcementv1.NewEnforcementServiceClient(conn).ForecastClocks(ctx, &enforcementv1.ForecastClocksRequest{Days: c.Days, AgencyId: c.Agency, PageSize: c.Tasks})
	if err != nil && status.Code(err) != codes.PermissionDenied { // who has no cases is told of tasks alone
		return fmt.Errorf("forecast of cases: %w", err)
	}
	lists, err := creditv1.NewCreditServiceClient(conn).ForecastTerms(ctx, &creditv1.ForecastTermsRequest{Days: c.Days, AgencyId: c.Agency, PageSize: c.Tasks})
	if err != nil && status.Code(err) != codes.PermissionDenied {
		return fmt.Errorf("forecast of the lists: %w", err)
	}
	matters, err := ledgerv1.NewLedgerServiceClient(conn).ForecastTerms(ctx, &ledgerv1.ForecastTermsRequest{Days: c.Days, AgencyId: c.Agency, PageSize: c.Tasks})
	if err != nil && status.Code(err) != codes.PermissionDenied {
		return fmt.Errorf("forecast of the ledger: %w", err)
	}
	if c.JSON {
		return printJSON(map[string]proto.Message{"tasks": f, "cases": cases, "lists": lists, "ledger": matters})
	}
	if err := printForecast(f, time.Now()); err != nil {
		return err
	}
	printCaseClocks(cases)
	if err := printTerms("clocks of the credit lists", lists); err != nil {
		return err
	}
	return printTerms("clocks of the ledger", matters)
}

// forecastOfTerms is what an owner forecasts of clocks beside the tasks.
type forecastOfTerms interface {
	GetTerms() []*commonv1.RunningTerm
	GetAgencies() []*commonv1.AgencyTerms
	GetNextPageToken() string
}

func printTerms(title string, f forecastOfTerms) error {
	if len(f.GetTerms()) == 0 {
		return nil
	}
	fmt.Printf("\n%s\n\n", title)
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "agency\toverdue\tdue\tprovisional"); err != nil {
		return err
	}
	for _, a := range f.GetAgencies() {
		if _, err := fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", a.GetAgencyId(), a.GetOverdue(), a.GetDue(), a.GetProvisional()); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range f.GetTerms() {
		late := ""
		if r.GetOverdue() {
			late = "  OVERDUE"
		}
		fmt.Printf("\n%s  %s  %s  %s%s\n  %s (%s)\n  %s\n", r.GetDueTime().AsTime().In(calendar.Shanghai).Format("2006-01-02 15:04"),
			r.GetAgencyId(), r.GetKind(), r.GetId(), late, r.GetClock().GetBasis(), r.GetClock().GetSource(), r.GetClock().GetProof())
	}
	if f.GetNextPageToken() != "" {
		fmt.Println("\nthere are more: --tasks")
	}
	return nil
}

// printJSON prints messages by name, as one object.
func printJSON(parts map[string]proto.Message) error {
	out := map[string]json.RawMessage{}
	for name, m := range parts {
		raw, err := protojson.Marshal(m)
		if err != nil {
			return err
		}
		out[name] = raw
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func printCaseClocks(f *enforcementv1.ForecastClocksResponse) {
	if len(f.GetClocks()) == 0 {
		return
	}
	fmt.Println("\nclocks of cases")
	for _, k := range f.GetClocks() {
		late := ""
		if k.GetOverdue() {
			late = "  OVERDUE"
		}
		clock := k.GetClock().GetClock()
		fmt.Printf("\n%s  %s  %s  case %s%s\n  %s (%s)\n  %s\n", k.GetClock().GetDueTime().AsTime().In(calendar.Shanghai).Format("2006-01-02 15:04"),
			k.GetAgencyId(), k.GetCaseNo(), k.GetCaseId(), late, clock.GetBasis(), k.GetClock().GetSource(), clock.GetProof())
	}
	if f.GetNextPageToken() != "" {
		fmt.Println("\nthere are more: --tasks")
	}
}

func printForecast(f *assignmentv1.ForecastBreachesResponse, now time.Time) error {
	const minutes = "2006-01-02 15:04"
	fmt.Printf("until %s, Asia/Shanghai\n\n", f.GetUntilTime().AsTime().In(calendar.Shanghai).Format(minutes))
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "agency\toverdue\tdue\tprovisional\tpaused"); err != nil {
		return err
	}
	for _, a := range f.GetAgencies() {
		if _, err := fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", a.GetAgencyId(), a.GetOverdue(), a.GetDue(), a.GetProvisional(), a.GetPaused()); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, t := range f.GetTasks() {
		due, late := t.GetDueTime().AsTime(), ""
		if due.Before(now) {
			late = "  OVERDUE, level " + strconv.Itoa(int(t.GetEscalationLevel()))
		}
		fmt.Printf("\n%s  %s  %s  %s %s%s\n", due.In(calendar.Shanghai).Format(minutes), t.GetAgencyId(), t.GetStep(), t.GetSubjectKind(), t.GetSubjectId(), late)
		fmt.Printf("  %s (%s)\n  %s\n", t.GetClock().GetBasis(), t.GetClock().GetSource(), t.GetClock().GetProof())
	}
	if f.GetNextPageToken() != "" {
		fmt.Println("\nthere are more: --tasks")
	}
	return nil
}
