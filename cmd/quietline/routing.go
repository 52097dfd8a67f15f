package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/routefile"
)

// routingCmd keeps the decision table: what is in force, what was changed, what a change would do, and what comes back.
type routingCmd struct {
	Show    routingShowCmd    `cmd:"" help:"Write a version of the decision table as YAML or CSV, to edit it."`
	Log     routingLogCmd     `cmd:"" help:"List the versions: who loaded which, when, why, and what it changed."`
	Try     routingTryCmd     `cmd:"" help:"Say which past complaints a table would route elsewhere; nothing is changed."`
	Load    routingLoadCmd    `cmd:"" help:"Load a table; it is in force from its time on, without a restart."`
	Agency  routingAgencyCmd  `cmd:"" help:"Put versions of agencies into the directory from a file."`
	Bounces routingBouncesCmd `cmd:"" help:"Count what was sent back, by agency or by rule, and list the rules that cause it."`
}

// routingAs is an account that keeps tables.
type routingAs struct {
	remote
	As string `help:"Account that asks." default:"LEAD@miit" placeholder:"ROLE@AGENCY"`
}

func (c routingAs) service() (assignmentv1.AssignmentServiceClient, *grpc.ClientConn, error) {
	conn, err := c.dial(c.As)
	if err != nil {
		return nil, nil, err
	}
	return assignmentv1.NewAssignmentServiceClient(conn), conn, nil
}

type routingShowCmd struct {
	routingAs
	Version string `help:"Version; by default the one in force."`
	Format  string `help:"yaml or csv." enum:"yaml,csv" default:"yaml"`
}

// Run writes the table to the standard output.
func (c routingShowCmd) Run(ctx context.Context) error {
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	got, err := service.GetRoutingTable(ctx, &assignmentv1.GetRoutingTableRequest{Version: c.Version})
	if err != nil {
		return err
	}
	t := got.GetTable()
	return routefile.Write(c.Format, os.Stdout, &routefile.Table{
		Version: t.GetVersion(), ValidFrom: t.GetValidFrom().AsTime(), Reason: t.GetReason(), Rules: t.GetRules(),
	})
}

type routingLogCmd struct {
	routingAs
}

// Run lists all versions, newest first.
func (c routingLogCmd) Run(ctx context.Context) error {
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	out := bufio.NewWriter(os.Stdout)
	err = pages(func(token string) (string, error) {
		r, err := service.ListRoutingTables(ctx, &assignmentv1.ListRoutingTablesRequest{PageToken: token})
		for _, t := range r.GetTables() {
			fmt.Fprintf(out, "%s  valid from %s  loaded %s by %s (%s)  %s\n", t.GetVersion(), inShanghai(t.GetValidFrom()),
				inShanghai(t.GetLoadedTime()), t.GetLoadedBy(), or(t.GetLoadedAgencyId(), "-"), t.GetReason())
			printChanges(out, t.GetFormerVersion(), t.GetChanges())
		}
		return r.GetNextPageToken(), err
	})
	return errors.Join(err, out.Flush())
}

func printChanges(out io.Writer, former string, changes []*assignmentv1.RuleChange) {
	if former == "" {
		return
	}
	fmt.Fprintf(out, "    against %s: %d rows differ\n", former, len(changes))
	for _, c := range changes {
		fmt.Fprintf(out, "    %-8s %s %s\n", c.GetChange(), c.GetRuleId(), strings.Join(c.GetFields(), ", "))
	}
}

// routingFile is a table in a file.
type routingFile struct {
	File      string `arg:"" help:"Table: .yaml as show writes it, or .csv." type:"existingfile"`
	ValidFrom string `help:"Valid from, such as 2026-12-01; by default as the file says, else now."`
}

func (c routingFile) read() (*routefile.Table, error) {
	format, err := routefile.FormatOf(c.File)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := routefile.Read(format, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(c.File), err)
	}
	if c.ValidFrom != "" {
		if t.ValidFrom, err = routefile.ParseTime(c.ValidFrom); err != nil {
			return nil, fmt.Errorf("--valid-from: %w", err)
		}
	}
	if t.ValidFrom.IsZero() {
		t.ValidFrom = time.Now()
	}
	return t, nil
}

type routingLoadCmd struct {
	routingAs
	routingFile
	Version string `help:"Version; by default as the file says."`
	Reason  string `help:"Why, for the change log; by default as the file says."`
}

// Run loads the table and prints what it changes.
func (c routingLoadCmd) Run(ctx context.Context) error {
	t, err := c.read()
	if err != nil {
		return err
	}
	t.Version, t.Reason = or(c.Version, t.Version), or(c.Reason, t.Reason)
	if t.Version == "" || t.Reason == "" {
		return errors.New("routing load: a table needs a version and a reason, in the file or by --version and --reason")
	}
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	got, err := service.LoadRoutingTable(ctx, &assignmentv1.LoadRoutingTableRequest{
		RequestId: uuid.NewString(), Version: t.Version, ValidFrom: timestamppb.New(t.ValidFrom), Rules: t.Rules, Reason: t.Reason,
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d rules, in force from %s\n", t.Version, got.GetRules(), inShanghai(timestamppb.New(t.ValidFrom)))
	printChanges(os.Stdout, "the version before", got.GetChanges())
	return nil
}

type routingTryCmd struct {
	routingAs
	routingFile
	Since string `help:"Complaints routed from this day on; by default the last 30 days."`
	Until string `help:"Complaints routed before this day; by default until now."`
	Out   string `help:"Write every difference to this CSV file." type:"path"`
}

// Run tries the table on past complaints, page after page, and prints what would become of them.
func (c routingTryCmd) Run(ctx context.Context) error {
	t, err := c.read()
	if err != nil {
		return err
	}
	since, until, err := period(c.Since, c.Until)
	if err != nil {
		return err
	}
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	out, err := newDifferenceFile(c.Out)
	if err != nil {
		return err
	}
	sum := &assignmentv1.DryRunRoutingTableResponse{}
	flows := map[[3]string]int32{}
	otherwise := 0
	err = pages(func(token string) (string, error) {
		r, err := service.DryRunRoutingTable(ctx, &assignmentv1.DryRunRoutingTableRequest{
			Rules: t.Rules, ValidFrom: timestamppb.New(t.ValidFrom), SinceTime: since, UntilTime: until, PageSize: auditPage, PageToken: token,
		})
		if err != nil {
			return "", err
		}
		sum.Examined, sum.Named = sum.Examined+r.GetExamined(), sum.Named+r.GetNamed()
		sum.Unchanged, sum.Moved = sum.Unchanged+r.GetUnchanged(), sum.Moved+r.GetMoved()
		otherwise += len(r.GetDifferences())
		for _, f := range r.GetFlows() {
			flows[[3]string{f.GetFromAgencyId(), f.GetToAgencyId(), f.GetRuleId()}] += f.GetCount()
		}
		return r.GetNextPageToken(), out.write(r.GetDifferences())
	})
	if err = errors.Join(err, out.close()); err != nil {
		return err
	}
	fmt.Printf("%d routes tried: %d go as before, %d would go elsewhere, %d differ otherwise (co-agencies, verifier, clock), %d stay where a person put them\n",
		sum.GetExamined(), sum.GetUnchanged(), sum.GetMoved(), otherwise-int(sum.GetMoved()), sum.GetNamed())
	for _, f := range slices.SortedFunc(maps.Keys(flows), func(a, b [3]string) int {
		return cmp.Or(cmp.Compare(flows[b], flows[a]), slices.Compare(a[:], b[:]))
	}) {
		fmt.Printf("%8d  %s → %s by %s\n", flows[f], f[0], f[1], f[2])
	}
	return nil
}

// differenceFile is a CSV file of differences; none without a name.
type differenceFile struct {
	file *os.File
	csv  *csv.Writer
}

func newDifferenceFile(name string) (*differenceFile, error) {
	if name == "" {
		return &differenceFile{}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	d := &differenceFile{f, csv.NewWriter(f)}
	return d, d.csv.Write([]string{"complaint_id", "round", "routed", "differs", "from", "from_rule", "to", "to_rule", "why"})
}

func (d *differenceFile) write(differences []*assignmentv1.RouteDifference) error {
	if d.file == nil {
		return nil
	}
	for _, r := range differences {
		err := d.csv.Write([]string{
			r.GetComplaintId(), strconv.Itoa(int(r.GetRound())), inShanghai(r.GetRoutedTime()), strings.Join(r.GetFields(), " "),
			r.GetBefore().GetLeadAgencyId(), r.GetBefore().GetVersion() + "/" + r.GetBefore().GetRuleId(),
			r.GetAfter().GetLeadAgencyId(), r.GetAfter().GetRuleId(), r.GetAfter().GetWhy(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *differenceFile) close() error {
	if d.file == nil {
		return nil
	}
	d.csv.Flush()
	return errors.Join(d.csv.Error(), d.file.Close())
}

type routingBouncesCmd struct {
	routingAs
	By    string `help:"agency (who sent back), should_act (who was said to be competent), rule or reason." enum:"agency,should_act,rule,reason" default:"agency"`
	Owner string `help:"Rules of this owner; by default of all that the account may see."`
	Since string `help:"Sent back from this day on; by default the last 30 days."`
	Until string `help:"Sent back before this day; by default until now."`
}

// Run prints the counts and the rules.
func (c routingBouncesCmd) Run(ctx context.Context) error {
	since, until, err := period(c.Since, c.Until)
	if err != nil {
		return err
	}
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Printf("%8s %6s %6s %6s %8s  by %s\n", "bounces", "first", "second", "third", "of", c.By)
	err = pages(func(token string) (string, error) {
		r, err := service.ListBounceCounts(ctx, &assignmentv1.ListBounceCountsRequest{SinceTime: since, UntilTime: until, By: c.By, PageSize: auditPage, PageToken: token})
		for _, n := range r.GetCounts() {
			of := "-"
			if n.GetOpened() > 0 {
				of = strconv.FormatInt(n.GetOpened(), 10)
			}
			fmt.Printf("%8d %6d %6d %6d %8s  %s %s\n", n.GetBounces(), n.GetFirst(), n.GetSecond(), n.GetThird(), of, n.GetKey(), n.GetName())
		}
		return r.GetNextPageToken(), err
	})
	if err != nil {
		return err
	}
	fmt.Printf("\n%8s %8s  rule, its owner, who was mostly said to be competent and why\n", "bounces", "routed")
	return pages(func(token string) (string, error) {
		r, err := service.ListBouncingRules(ctx, &assignmentv1.ListBouncingRulesRequest{
			SinceTime: since, UntilTime: until, OwnerAgencyId: c.Owner, PageSize: auditPage, PageToken: token,
		})
		for _, n := range r.GetRules() {
			fmt.Printf("%8d %8d  %s/%s  %s  %s: %s\n", n.GetBounces(), n.GetRouted(), n.GetVersion(), n.GetRule().GetRuleId(),
				or(n.GetRule().GetOwnerAgencyId(), "miit"), n.GetMostlyShouldActId(), n.GetMostlyReasonCode())
		}
		return r.GetNextPageToken(), err
	})
}

// period reads two days; without them the last 30 days until now.
func period(since, until string) (from, to *timestamppb.Timestamp, err error) {
	const usual = 30 * 24 * time.Hour
	from = timestamppb.New(time.Now().Add(-usual))
	if since != "" {
		t, err := routefile.ParseTime(since)
		if err != nil {
			return nil, nil, fmt.Errorf("--since: %w", err)
		}
		from = timestamppb.New(t)
	}
	if until != "" {
		t, err := routefile.ParseTime(until)
		if err != nil {
			return nil, nil, fmt.Errorf("--until: %w", err)
		}
		to = timestamppb.New(t)
	}
	return from, to, nil
}

func inShanghai(t *timestamppb.Timestamp) string {
	return t.AsTime().In(calendar.Shanghai).Format("2006-01-02 15:04")
}
