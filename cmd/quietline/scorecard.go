package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// scorecardCmd prints an operator's scorecard.
type scorecardCmd struct {
	remote
	Operator string `arg:"" help:"Operator, e.g. cmcc-44." placeholder:"OPERATOR"`
	Period   string `arg:"" help:"Month YYYY-MM or quarter YYYY-Qn." placeholder:"PERIOD"`
	Version  int32  `help:"Version; the newest by default."`
	As       string `help:"Account that asks: the operator, its administration, or who sees all." default:"LEAD@miit"`
	JSON     bool   `help:"Print one JSON object." name:"json"`
}

// Run prints the card.
func (c scorecardCmd) Run(ctx context.Context) error {
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	resp, err := disclosurev1.NewDisclosureServiceClient(conn).GetScorecard(ctx, &disclosurev1.GetScorecardRequest{
		OperatorId: c.Operator, Period: c.Period, Version: c.Version,
	})
	if err != nil {
		return fmt.Errorf("scorecard: %w", err)
	}
	if c.JSON {
		raw, err := protojson.Marshal(resp.GetScorecard())
		if err != nil {
			return err
		}
		fmt.Println(string(raw))
		return nil
	}
	return printScorecard(resp.GetScorecard())
}

func printScorecard(s *disclosurev1.Scorecard) error {
	fmt.Printf("%s (%s) %s, version %d, decided on by %s\n", s.GetName(), s.GetOperatorId(), s.GetPeriod(), s.GetVersion(), s.GetAdministrationId())
	fmt.Printf("complaints %d, checked %d, substantiated %d%s; handled %d, repeated %d%s, reopened %d\n", s.GetComplaints(), s.GetChecked(),
		s.GetSubstantiated(), inPercent(s.SubstantiatedPerMille), s.GetHandled(), s.GetRepeated(), inPercent(s.RepeatedPerMille), s.GetReopened())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "step\tasked\tanswered\tsent back\toverdue\tmedian")
	for _, x := range s.GetSteps() {
		name, median := x.GetStep(), "-"
		if !x.GetScored() {
			name += " (no score)"
		}
		if x.MedianMinutes != nil {
			median = (time.Duration(x.GetMedianMinutes()) * time.Minute).String()
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\n", name, x.GetAsked(), x.GetAnswered(), x.GetBounced(), x.GetOverdue(), median)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("appeals %d, upheld %d, deducted %d: %d count\nsha256 %s\n", s.GetAppeals(), s.GetUpheld(), s.GetDeducted(), s.GetAppealsCounted(), s.GetHash())
	return nil
}

func inPercent(perMille *int32) string {
	if perMille == nil {
		return ""
	}
	return fmt.Sprintf(" (%d.%d %%)", *perMille/10, *perMille%10)
}
