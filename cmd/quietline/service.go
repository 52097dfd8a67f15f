package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc/status"

	"quietline/gateway"
	"quietline/internal/identity"
	"quietline/internal/obs"
	"quietline/services/assignment"
	"quietline/services/credit"
	"quietline/services/disclosure"
	"quietline/services/enforcement"
	"quietline/services/ledger"
	"quietline/services/reporting"
	"quietline/workflows"
)

// workload is where a service that runs apart has its identity from.
type workload struct {
	Identity string `help:"Folder with svid.pem, key.pem and bundle.pem, or the address of a SPIFFE Workload API (unix://...)." env:"QUIETLINE_IDENTITY" required:"" placeholder:"DIR|ADDR"`
}

// run starts telemetry, takes the identity and runs one service until ctx ends.
func (w workload) run(ctx context.Context, name string, serve func(context.Context, identity.Source) error) error {
	shutdown, err := obs.Setup(ctx, name)
	if err != nil {
		return err
	}
	src, err := w.source(ctx)
	if err != nil {
		return err
	}
	err = serve(ctx, src)
	return errors.Join(err, shutdown(context.WithoutCancel(ctx)))
}

func (w workload) source(ctx context.Context) (identity.Source, error) {
	if strings.Contains(w.Identity, "://") {
		return identity.FromWorkloadAPI(ctx, w.Identity)
	}
	if _, err := os.Stat(w.Identity); err != nil {
		return nil, fmt.Errorf("--identity: %w", err)
	}
	return identity.FromFiles(w.Identity), nil
}

type reportingCmd struct {
	workload
	reporting.Config
}

// Run runs the reporting service.
func (c reportingCmd) Run(ctx context.Context) error {
	return c.run(ctx, "reporting", func(ctx context.Context, src identity.Source) error {
		return reporting.Run(ctx, c.Config, src, nil)
	})
}

type assignmentCmd struct {
	workload
	assignment.Config
}

// Run runs the assignment service.
func (c assignmentCmd) Run(ctx context.Context) error {
	return c.run(ctx, "assignment", func(ctx context.Context, src identity.Source) error {
		return assignment.Run(ctx, c.Config, src, nil)
	})
}

type ledgerCmd struct {
	workload
	ledger.Config
}

// Run runs the ledger.
func (c ledgerCmd) Run(ctx context.Context) error {
	return c.run(ctx, "ledger", func(ctx context.Context, src identity.Source) error {
		return ledger.Run(ctx, c.Config, src, nil)
	})
}

type creditCmd struct {
	workload
	credit.Config
}

// Run runs the credit lists.
func (c creditCmd) Run(ctx context.Context) error {
	return c.run(ctx, "credit", func(ctx context.Context, src identity.Source) error {
		return credit.Run(ctx, c.Config, src, nil)
	})
}

type enforcementCmd struct {
	workload
	enforcement.Config
}

// Run runs enforcement.
func (c enforcementCmd) Run(ctx context.Context) error {
	return c.run(ctx, "enforcement", func(ctx context.Context, src identity.Source) error {
		return enforcement.Run(ctx, c.Config, src, nil)
	})
}

type disclosureCmd struct {
	workload
	disclosure.Config
}

// Run runs disclosure.
func (c disclosureCmd) Run(ctx context.Context) error {
	return c.run(ctx, "disclosure", func(ctx context.Context, src identity.Source) error {
		return disclosure.Run(ctx, c.Config, src, nil)
	})
}

type workflowsCmd struct {
	workload
	workflows.Config
}

// Run runs the worker and the casework service.
func (c workflowsCmd) Run(ctx context.Context) error {
	return c.run(ctx, "workflows", func(ctx context.Context, src identity.Source) error {
		return workflows.Run(ctx, c.Config, src, nil)
	})
}

type gatewayCmd struct {
	workload
	gateway.Config
}

// Run runs the gateway.
func (c gatewayCmd) Run(ctx context.Context) error {
	return c.run(ctx, "gateway", func(ctx context.Context, src identity.Source) error {
		return gateway.Run(ctx, c.Config, src, nil, gateway.Deps{})
	})
}

// sentence is an error as the operator reads it: a refusal's own words, without the RPC library's frame.
func sentence(err error) string {
	if s, ok := status.FromError(err); ok && s.Message() != "" {
		return s.Message()
	}
	return err.Error()
}
