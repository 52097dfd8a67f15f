package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/google/uuid"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// classifyCommands are classify itself, on files, and the keeping of what the mesh has learned.
type classifyCommands struct {
	File  classifyCmd      `cmd:"" default:"withargs" help:"Classify the rows of a file; the word itself may be left out."`
	Model classifyModelCmd `cmd:"" help:"Keep the learned classifier of a running mesh (模型)."`
}

// classifyModelCmd trains, looks at, promotes and rolls back versions of the classifier. People decide which version is in
// force, by its figures on reports that no version learns from.
type classifyModelCmd struct {
	List     modelListCmd     `cmd:"" help:"List the versions, newest first."`
	Show     modelShowCmd     `cmd:"" help:"Show a version with its evaluation beside that of what was in force when it was trained."`
	Train    modelTrainCmd    `cmd:"" help:"Learn a candidate from confirmed decisions and evaluate it on what is held back."`
	Promote  modelPromoteCmd  `cmd:"" help:"Put a candidate in force; one that does worse than what is in force is refused."`
	Rollback modelRollbackCmd `cmd:"" help:"Put back in force what was before: the former version, or the lexicon alone."`
}

type modelListCmd struct{ routingAs }

// Run lists all versions.
func (c modelListCmd) Run(ctx context.Context) error {
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(out, "version\tstate\ttrained\tby\tlearned from\theld back\tsector\tcategory\tcriminal recall\n")
	err = pages(func(token string) (string, error) {
		r, err := service.ListModels(ctx, &assignmentv1.ListModelsRequest{PageToken: token})
		for _, m := range r.GetModels() {
			e := m.GetEvaluation()
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%d\t%.1f %%\t%.1f %%\t%.1f %%\n", m.GetVersion(), m.GetState(), inShanghai(m.GetCreateTime()), m.GetCreatedBy(),
				m.GetTrainedOn(), m.GetHeldBack(), 100*e.GetSectorAccuracy(), 100*e.GetCategoryAccuracy(), 100*e.GetCriminalRecall())
		}
		return r.GetNextPageToken(), err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

type modelShowCmd struct {
	routingAs
	Version string `arg:"" optional:"" help:"Version, such as m12; by default the one in force."`
}

// Run prints a version.
func (c modelShowCmd) Run(ctx context.Context) error {
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	got, err := service.GetModel(ctx, &assignmentv1.GetModelRequest{Version: c.Version})
	if err != nil {
		return err
	}
	return printModel(os.Stdout, got.GetModel())
}

type modelTrainCmd struct{ routingAs }

// Run trains a candidate and prints it.
func (c modelTrainCmd) Run(ctx context.Context) error {
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	req := &assignmentv1.TrainModelRequest{RequestId: uuid.NewString()}
	return insistFor(ctx, wholeFile, func(ctx context.Context) error {
		got, err := service.TrainModel(ctx, req)
		if err != nil {
			return err
		}
		return printModel(os.Stdout, got.GetModel())
	})
}

type modelPromoteCmd struct {
	routingAs
	Version string `arg:"" help:"Candidate, such as m12."`
	Reason  string `help:"Why, for the file." required:""`
}

// Run puts a candidate in force.
func (c modelPromoteCmd) Run(ctx context.Context) error {
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	req := &assignmentv1.PromoteModelRequest{RequestId: uuid.NewString(), Version: c.Version, Reason: c.Reason}
	return insist(ctx, func(ctx context.Context) error {
		got, err := service.PromoteModel(ctx, req)
		return inForce(os.Stdout, got.GetModel(), err)
	})
}

type modelRollbackCmd struct {
	routingAs
	Reason string `help:"Why, for the file." required:""`
}

// Run takes the version in force out of it.
func (c modelRollbackCmd) Run(ctx context.Context) error {
	service, conn, err := c.service()
	if err != nil {
		return err
	}
	defer conn.Close()
	req := &assignmentv1.RollBackModelRequest{RequestId: uuid.NewString(), Reason: c.Reason}
	return insist(ctx, func(ctx context.Context) error {
		got, err := service.RollBackModel(ctx, req)
		return inForce(os.Stdout, got.GetModel(), err)
	})
}

func inForce(w io.Writer, m *assignmentv1.Model, err error) error {
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "in force: %s\n", or(m.GetVersion(), "the lexicon alone"))
	return nil
}

// printModel prints a version with both evaluations, figure beside figure.
func printModel(w io.Writer, m *assignmentv1.Model) error {
	if m == nil {
		return inForce(w, nil, nil)
	}
	fmt.Fprintf(w, "%s (%s), on lexicon %s, trained %s by %s; learned from %d reports, evaluated on %d held back\n\n", m.GetVersion(), m.GetState(),
		m.GetLexiconVersion(), inShanghai(m.GetCreateTime()), m.GetCreatedBy(), m.GetTrainedOn(), m.GetHeldBack())
	was, is := m.GetBaseline(), m.GetEvaluation()
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "\t%s\t%s\t\n", or(m.GetBaselineVersion(), "lexicon"), m.GetVersion())
	line := func(name string, was, is float64) {
		fmt.Fprintf(out, "%s\t%.1f %%\t%.1f %%\t\n", name, 100*was, 100*is)
	}
	line("sector", was.GetSectorAccuracy(), is.GetSectorAccuracy())
	line("category", was.GetCategoryAccuracy(), is.GetCategoryAccuracy())
	line("criminal recall", was.GetCriminalRecall(), is.GetCriminalRecall())
	line("below threshold", was.GetBelowThreshold(), is.GetBelowThreshold())
	before := map[string]int32{}
	for _, s := range was.GetSectors() {
		before[s.GetSector()] = s.GetRight()
	}
	for _, s := range is.GetSectors() {
		fmt.Fprintf(out, "%s\t%d/%d\t%d/%d\t\n", s.GetSector(), before[s.GetSector()], s.GetRows(), s.GetRight(), s.GetRows())
	}
	return out.Flush()
}
