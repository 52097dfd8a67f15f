package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// campaignCmd runs audit campaigns (清查): a sample is drawn, holders and operators return their self-inspection, the
// administrations inspect, and lines that are not put right in time are closed by three people.
type campaignCmd struct {
	Open    campaignOpenCmd    `cmd:"" help:"Open a campaign and draw its sample: the same seed over the same ledger draws the same."`
	List    campaignListCmd    `cmd:"" help:"List the campaigns, newest first."`
	Show    campaignShowCmd    `cmd:"" help:"Show a campaign with its progress by agency."`
	Items   campaignItemsCmd   `cmd:"" help:"List the resources of a sample with what was found and until when it is to be put right."`
	Return  campaignReturnCmd  `cmd:"" help:"Send a self-inspection return (自查整改报告) from a CSV file."`
	Inspect campaignInspectCmd `cmd:"" help:"Say what an inspection found on a resource."`
	Rectify campaignRectifyCmd `cmd:"" help:"Say that a finding is put right."`
	Propose campaignProposeCmd `cmd:"" help:"Propose to close a line whose findings were not put right in time."`
	Review  campaignReviewCmd  `cmd:"" help:"Approve or return a proposed closing."`
	Sign    campaignSignCmd    `cmd:"" help:"Sign an approved closing: the line is closed."`
	End     campaignEndCmd     `cmd:"" help:"End a campaign with what it came to."`
}

// campaignAs is an account that works on campaigns.
type campaignAs struct {
	remote
	As string `help:"Account that acts." default:"REGISTRAR@miit" placeholder:"ROLE@AGENCY"`
}

// call dials, does, and hangs up.
func (c campaignAs) call(ctx context.Context, do func(ctx context.Context, client ledgerv1.LedgerServiceClient) error) error {
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	client := ledgerv1.NewLedgerServiceClient(conn)
	return insist(ctx, func(ctx context.Context) error { return do(ctx, client) })
}

type campaignOpenCmd struct {
	campaignAs
	Name      string   `help:"Name." required:""`
	Basis     string   `help:"Legal or programme basis." required:""`
	Size      int32    `help:"How many resources to draw."`
	Percent   int32    `help:"Share to draw, in hundredths."`
	Seed      string   `help:"Seed; by default drawn at random and shown."`
	AsOf      string   `help:"Day of the population; by default now." placeholder:"2026-11-01"`
	Priority  bool     `help:"Only holders of the sectors that the plan names."`
	Kinds     []string `help:"Only these kinds of number."`
	Sectors   []string `help:"Only holders of these sectors."`
	Operators []string `help:"Only the access of these operators."`
	Provinces []string `help:"Only access in these provinces."`
	Purposes  []string `help:"Only these purposes."`
}

// Run opens it.
func (c campaignOpenCmd) Run(ctx context.Context) error {
	req := &ledgerv1.OpenCampaignRequest{
		RequestId: uuid.NewString(), Name: c.Name, Basis: c.Basis, SampleSize: c.Size, SamplePercent: c.Percent, Seed: c.Seed,
		Population: &ledgerv1.Population{
			Kinds: c.Kinds, Sectors: c.Sectors, Priority: c.Priority, AccessOperatorIds: c.Operators, Provinces: c.Provinces, Purposes: c.Purposes,
		},
	}
	if c.AsOf != "" {
		day, err := time.ParseInLocation(time.DateOnly, c.AsOf, calendar.Shanghai)
		if err != nil {
			return fmt.Errorf("--as-of: %q is no day", c.AsOf)
		}
		req.AsOf = timestamppb.New(day)
	}
	return c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) error {
		got, err := client.OpenCampaign(ctx, req)
		if err != nil {
			return err
		}
		printCampaign(got.GetCampaign())
		return nil
	})
}

func printCampaign(c *ledgerv1.Campaign) {
	fmt.Printf("%s  %s  %s, %s\n    %d drawn of %d, seed %s; sample %s\n    returns until %s, inspection until %s\n",
		c.GetCampaignId(), c.GetState(), c.GetName(), c.GetBasis(), c.GetSampleCount(), c.GetPopulationCount(), c.GetSeed(), c.GetSampleSha256(),
		until(c.GetReturnClock()), until(c.GetInspectionClock()))
	if c.GetConclusion() != "" {
		fmt.Printf("    %s\n", c.GetConclusion())
	}
}

// until is the statutory end of a term.
func until(c *commonv1.Clock) string {
	t, err := time.Parse(time.RFC3339, c.GetStatutoryDue())
	if err != nil {
		return c.GetStatutoryDue()
	}
	day := t.In(calendar.Shanghai).Format("2006-01-02 15:04")
	if c.GetProvisional() {
		day += " (provisional)"
	}
	return day
}

type campaignListCmd struct{ campaignAs }

// Run lists them.
func (c campaignListCmd) Run(ctx context.Context) error {
	return pages(func(token string) (next string, err error) {
		err = c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) error {
			got, err := client.ListCampaigns(ctx, &ledgerv1.ListCampaignsRequest{PageToken: token})
			if err != nil {
				return err
			}
			next = got.GetNextPageToken()
			for _, one := range got.GetCampaigns() {
				printCampaign(one)
			}
			return nil
		})
		return next, err
	})
}

type campaignShowCmd struct {
	campaignAs
	Again    bool   `help:"Draw the sample again and say whether it is the same."`
	Campaign string `arg:"" help:"Campaign."`
}

// Run shows it.
func (c campaignShowCmd) Run(ctx context.Context) error {
	return c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) error {
		got, err := client.GetCampaign(ctx, &ledgerv1.GetCampaignRequest{CampaignId: c.Campaign, DrawAgain: c.Again})
		if err != nil {
			return err
		}
		printCampaign(got.GetCampaign())
		if got.SameSample != nil {
			fmt.Printf("    drawn again it is the same: %v\n", got.GetSameSample())
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprint(out, "agency\tsampled\treturned\tinspected\tconforming\tfindings\trectified\tclosed\toverdue\n")
		for _, p := range got.GetProgress() {
			fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", p.GetAgencyId(), p.GetSampled(), p.GetReturned(), p.GetInspected(),
				p.GetConforming(), p.GetFindings(), p.GetRectified(), p.GetClosed(), p.GetOverdue())
		}
		return out.Flush()
	})
}

type campaignInspectCmd struct {
	campaignAs
	Found []string `help:"KIND=WHAT of each thing found, such as purpose_differs=营销外呼; none means conforming." sep:"none" placeholder:"KIND=WHAT"`
	Note  string   `help:"What the inspector wrote."`
	Item  string   `arg:"" help:"Item."`
}

// Run records the inspection.
func (c campaignInspectCmd) Run(ctx context.Context) error {
	req := &ledgerv1.RecordInspectionRequest{RequestId: uuid.NewString(), ItemId: c.Item, Note: c.Note}
	for _, text := range c.Found {
		kind, what, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("--found %s: must be KIND=WHAT", text)
		}
		req.Findings = append(req.Findings, &ledgerv1.Observation{Kind: kind, Observed: what})
	}
	return c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) error {
		got, err := client.RecordInspection(ctx, req)
		return printItem(got.GetItem(), err)
	})
}

func printItem(i *ledgerv1.CampaignItem, err error) error {
	if err != nil {
		return err
	}
	fmt.Printf("%s  %s  %s\n", i.GetItemId(), i.GetState(), i.GetResource().GetFirstNumber())
	for _, f := range i.GetFindings() {
		fmt.Printf("    %s  %s  %s: %q → %q, until %s\n", f.GetFinding().GetFindingId(), f.GetFinding().GetState(), f.GetFinding().GetKind(),
			f.GetFinding().GetDeclared(), f.GetFinding().GetObserved(), until(f.GetClock()))
	}
	if c := i.GetClosing(); c != nil {
		fmt.Printf("    closing: proposed by %s, %s by %s, signed by %s\n", c.GetProposedBy(), or(c.GetReview(), "to review"), or(c.GetReviewedBy(), "-"), or(c.GetSignedBy(), "-"))
	}
	return nil
}

type campaignRectifyCmd struct {
	campaignAs
	Reason   string `help:"How, as the inspector saw it." required:""`
	Document string `help:"Document."`
	Finding  string `arg:"" help:"Finding."`
}

// Run records it.
func (c campaignRectifyCmd) Run(ctx context.Context) error {
	req := &ledgerv1.RectifyFindingRequest{RequestId: uuid.NewString(), FindingId: c.Finding, Reason: c.Reason, Document: c.Document}
	return c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) error {
		got, err := client.RectifyFinding(ctx, req)
		return printItem(got.GetItem(), err)
	})
}

type campaignProposeCmd struct {
	campaignAs
	Basis       string `help:"Basis." required:""`
	PriorNotice string `help:"Prior notice given, or why not." required:""`
	Remedy      string `help:"Remedy told to the holder." required:""`
	Item        string `arg:"" help:"Item."`
}

// Run proposes.
func (c campaignProposeCmd) Run(ctx context.Context) error {
	req := &ledgerv1.ProposeClosingRequest{RequestId: uuid.NewString(), ItemId: c.Item, Basis: c.Basis, PriorNotice: c.PriorNotice, Remedy: c.Remedy}
	return c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) error {
		got, err := client.ProposeClosing(ctx, req)
		return printItem(got.GetItem(), err)
	})
}

type campaignReviewCmd struct {
	campaignAs
	Return string `help:"Return it, for this reason; without it is approved."`
	Item   string `arg:"" help:"Item."`
}

// Run reviews.
func (c campaignReviewCmd) Run(ctx context.Context) error {
	req := &ledgerv1.ReviewClosingRequest{RequestId: uuid.NewString(), ItemId: c.Item, Approved: c.Return == "", Reason: c.Return}
	return c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) error {
		got, err := client.ReviewClosing(ctx, req)
		return printItem(got.GetItem(), err)
	})
}

type campaignSignCmd struct {
	campaignAs
	Item string `arg:"" help:"Item."`
}

// Run signs.
func (c campaignSignCmd) Run(ctx context.Context) error {
	req := &ledgerv1.CloseNonConformingRequest{RequestId: uuid.NewString(), ItemId: c.Item}
	return c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) error {
		got, err := client.CloseNonConforming(ctx, req)
		return printItem(got.GetItem(), err)
	})
}

type campaignEndCmd struct {
	campaignAs
	Conclusion string `help:"What it came to, for the circular." required:""`
	Campaign   string `arg:"" help:"Campaign."`
}

// Run ends it.
func (c campaignEndCmd) Run(ctx context.Context) error {
	req := &ledgerv1.CloseCampaignRequest{RequestId: uuid.NewString(), CampaignId: c.Campaign, Conclusion: c.Conclusion}
	return c.call(ctx, func(ctx context.Context, client ledgerv1.LedgerServiceClient) error {
		got, err := client.CloseCampaign(ctx, req)
		if err == nil {
			printCampaign(got.GetCampaign())
		}
		return err
	})
}
