// Command quietline is the whole mesh in one binary: `up` runs all of it on one machine, a subcommand a service runs it
// apart, and the operator's tools are clients of the gateway.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"quietline/gateway"
	"quietline/services/assignment"
	"quietline/services/credit"
	"quietline/services/disclosure"
	"quietline/services/enforcement"
	"quietline/services/reporting"
	"quietline/workflows"
)

// cli lists the targets and the tools. Flags, QUIETLINE_* variables, defaults and help all come from these structs.
type cli struct {
	Up upCmd `cmd:"" help:"Run the whole mesh on this machine: services, workflows, gateway, PostgreSQL and Temporal."`

	Reporting   service[reporting.Config]   `cmd:"" group:"services" help:"Run the reporting service (举报)."`
	Assignment  service[assignment.Config]  `cmd:"" group:"services" help:"Run the assignment service (分办)."`
	Ledger      ledgerCmd                   `cmd:"" group:"services" help:"Run the number-resource ledger (台账), or work with it by files."`
	Credit      service[credit.Config]      `cmd:"" group:"services" help:"Run the credit lists (信用名单)."`
	Enforcement service[enforcement.Config] `cmd:"" group:"services" help:"Run enforcement cases (案件)."`
	Disclosure  service[disclosure.Config]  `cmd:"" group:"services" help:"Run disclosure (公示)."`
	Workflows   service[workflows.Config]   `cmd:"" group:"services" help:"Run the workflow worker and its casework service (办理)."`
	Gateway     service[gateway.Config]     `cmd:"" group:"services" help:"Run the gateway (网关)."`

	Import    importCmd        `cmd:"" group:"tools" help:"Send a file of reports."`
	Marks     marksCmd         `cmd:"" group:"tools" help:"Send marks (标记) of apps and operators."`
	Drive     driveCmd         `cmd:"" group:"tools" help:"Play the people of all agencies until no complaint is live."`
	Status    statusCmd        `cmd:"" group:"tools" help:"Say what runs and how far the complaints are."`
	Forecast  forecastCmd      `cmd:"" group:"tools" help:"Say what is overdue and what will be late this week, per agency (逾期预警)."`
	Settle    settleCmd        `cmd:"" group:"tools" help:"Settle provisional dates of a year whose holiday notice is loaded (期限确定)."`
	Digest    digestCmd        `cmd:"" group:"tools" help:"Draft, release or write the digest of a month (举报情况盘点)."`
	Scorecard scorecardCmd     `cmd:"" group:"tools" help:"Print the scorecard of an access operator for a month or quarter (接入企业考核)."`
	Deadline  deadlineCmd      `cmd:"" group:"tools" help:"Compute a deadline with its proof, without the mesh; without a basis, list them (期限计算)."`
	Fsck      fsckCmd          `cmd:"" group:"tools" help:"Check the invariants across all owners; exit 1 when one is broken."`
	Campaign  campaignCmd      `cmd:"" group:"tools" help:"Run audit campaigns of the ledger (清查): sample, returns, findings, closing of lines."`
	Classify  classifyCommands `cmd:"" group:"tools" help:"Classify texts of a file without the mesh (归类), and keep what the mesh learned."`
	Number    numberCmd        `cmd:"" group:"tools" help:"Read telephone numbers, one a line, and write what they are as CSV (号码识读)."`
	Document  documentCmd      `cmd:"" group:"tools" help:"Fetch a document of a case, ready to print (文书)."`
	Routing   routingCmd       `cmd:"" group:"tools" help:"Show, try and load the decision table (路由表), and see what is sent back."`
	Policy    policyCmd        `cmd:"" group:"tools" help:"Print the access matrix."`
	Token     tokenCmd         `cmd:"" group:"tools" help:"Print a bearer token of a demo account."`

	Bench      benchCmd      `cmd:"" hidden:"" help:"Measure the mesh against baselines in a temporary data directory; make bench."`
	BenchLarge benchLargeCmd `cmd:"" hidden:"" help:"Measure WhoHeld over a million resources; make bench-large."`
	BenchLoad  benchLoadCmd  `cmd:"" hidden:"" help:"Put load on a mesh; started by bench."`
}

func main() {
	// A second signal ends the process at once: what must survive a crash survives that too.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	var c cli
	parser := kong.Must(&c, kong.Name("quietline"),
		kong.Description("Quietline (静线): the mesh against harassing calls."),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	args, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if err := args.Run(); err != nil {
		if !errors.Is(err, errBroken) { // it is printed
			fmt.Fprintln(os.Stderr, "quietline:", sentence(err))
		}
		os.Exit(1)
	}
}
