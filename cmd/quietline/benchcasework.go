package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

const (
	// caseworkRounds of ours and of the baseline: what is left of a round of ours must come to its end first.
	caseworkRounds = 2

	// waitingShare is one in how many complaints may be without feedback at the end of a round: those that wait for their
	// case, with its terms of law, or for the reporter's supplement. No machine shortens that.
	waitingShare = 4

	// historySample is how many histories of complaints are counted.
	historySample = 200

	// maxEvents is what a decision may cost in history events.
	maxEvents = 12
)

// benchCasework compares complaints, from filing to feedback by robots that play all agencies, with a fixed workflow in the
// same Temporal and worker process that has nothing but one Update and one local activity, with one INSERT, for each
// human decision. Both are counted in decisions a second, the starts of the workflows included.
func benchCasework(ctx context.Context, b *bench) error {
	fixed, err := newFixedWork(ctx, b.mesh)
	if err != nil {
		return err
	}
	each := max(b.cmd.Complaints/caseworkRounds, 1)
	decisions := 0 // of each workflow of the baseline, as many as ours have in the mean
	var ours, base []float64
	// The baseline's two rounds stand between those of ours: what the machine does otherwise meets both alike, and only
	// once is there a round of ours to bring to its end before the next.
	for turn, mine := range []bool{true, false, false, true} {
		if turn > 1 && b.late() {
			b.note("casework: %d of 4 turns only, the time was up", turn)
			break
		}
		if !mine {
			result, err := b.measured("casework", false, func() (benchResult, error) { return fixed.round(ctx, turn, each, decisions) })
			if err != nil {
				return err
			}
			base = append(base, result.perSecond())
			b.say("casework: baseline %.1f decisions/s, %d workflows of %d decisions", base[len(base)-1], each, decisions)
			continue
		}
		job := benchJob{Kind: "drive", First: turn * each, Count: each}
		result, err := b.measured("casework", true, func() (benchResult, error) { return b.load(ctx, job) })
		if err != nil {
			return err
		}
		ours = append(ours, result.perSecond())
		b.say("casework: ours %.1f decisions/s, %d decisions for %d complaints", ours[len(ours)-1], result.Done, result.Items)
		if turn > 0 {
			break
		}
		decisions = max((result.Done+result.Items/2)/max(result.Items, 1), 1)
		if _, err := b.load(ctx, benchJob{Kind: "settle"}); err != nil {
			return err
		}
	}
	b.compared(fmt.Sprintf("(c) decisions, %d complaints from filing to feedback, %d robots", each*len(ours), benchRobots), ours, base, 0.60)
	b.note("casework: a round of ours ends when three complaints in four have their feedback; most of the others wait for a case and its terms")
	return b.events(ctx, fixed.temporal)
}

// driveToFeedback files complaints, one report each, and decides their tasks until they have their feedback.
func driveToFeedback(ctx context.Context, job benchJob) (benchResult, error) {
	file, err := madeUpComplaints(job.First, job.Count)
	if err != nil {
		return benchResult{}, err
	}
	at := remote{Gateway: job.Gateway, Data: job.Data}
	conn, err := at.dial("CENTRE@centre-12321")
	if err != nil {
		return benchResult{}, err
	}
	defer func() { _ = conn.Close() }()
	d := newCrew(at, job.First)
	defer d.close()
	day, err := formatNamed("12321", "")
	if err != nil {
		return benchResult{}, err
	}
	lead, err := d.desk("LEAD@miit")
	if err != nil {
		return benchResult{}, err
	}
	before, err := readStatus(ctx, lead) // what a round of before has left waits on
	if err != nil {
		return benchResult{}, err
	}
	began := time.Now()
	counts, err := send(ctx, reportingv1.NewReportingServiceClient(conn), day, bytes.NewReader(file),
		func(*reportingv1.RowResult) error { return nil })
	if err != nil {
		return benchResult{}, err
	}
	last := before.Complaints.Received + before.Complaints.Open + int64(counts.Accepted/waitingShare)
	err = d.until(ctx, func(s *meshStatus, _ int) bool { return s.Complaints.Received+s.Complaints.Open <= last })
	return benchResult{
		Done: d.decided, Seconds: time.Since(began).Seconds(), Items: counts.Accepted, Failed: counts.Rows - counts.Accepted,
	}, err
}

// driveToEnd goes on until nobody is asked anything about a complaint, so that the next round has the machine to itself.
func driveToEnd(ctx context.Context, job benchJob) (benchResult, error) {
	d := newCrew(remote{Gateway: job.Gateway, Data: job.Data}, 0)
	defer d.close()
	return benchResult{}, d.until(ctx, func(s *meshStatus, open int) bool { return open == 0 && s.Complaints.Received == 0 })
}

// events counts what decisions cost in history events: all events of a sample of complaints, by their decisions.
func (b *bench) events(ctx context.Context, c client.Client) error {
	runs, err := complaintsEnded(ctx, c)
	if err != nil {
		return err
	}
	all, decisions := 0, 0
	for _, run := range runs {
		history := c.GetWorkflowHistory(ctx, run.GetExecution().GetWorkflowId(), run.GetExecution().GetRunId(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for history.HasNext() {
			event, err := history.Next()
			if err != nil {
				return err
			}
			all++
			if event.GetEventType() == enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED {
				decisions++
			}
		}
	}
	if decisions == 0 {
		return errors.New("no complaint has come to its end")
	}
	per := float64(all) / float64(decisions)
	b.rows = append(b.rows, benchRow{
		what: fmt.Sprintf("(c) history events a decision, of %d whole complaints", len(runs)), ours: fmt.Sprintf("%.1f", per),
		aim: fmt.Sprintf("≤ %d", maxEvents), met: per <= maxEvents,
	})
	b.note("casework: %.1f decisions and %.1f history events a complaint", float64(decisions)/float64(len(runs)), float64(all)/float64(len(runs)))
	return nil
}

// complaintsEnded lists complaint workflows that have run to their end.
func complaintsEnded(ctx context.Context, c client.Client) ([]*workflowpb.WorkflowExecutionInfo, error) {
	page, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: historySample, Query: `WorkflowType = 'Complaint' AND ExecutionStatus = 'Completed'`,
	})
	return page.GetExecutions(), err
}

// madeUpComplaints is a file of reports on as many numbers, so that each opens a complaint of its own.
func madeUpComplaints(first, count int) ([]byte, error) {
	return madeUpRows(first, count, func(n int) string { return fmt.Sprintf("171%08d", n) })
}
