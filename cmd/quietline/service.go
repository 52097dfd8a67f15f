package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

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

// service runs one target of the mesh by itself; its flags are the target's own configuration.
type service[Config any] struct {
	workload
	Config Config `embed:""`
}

// Run runs the target until ctx ends.
func (s service[Config]) Run(ctx context.Context, command *kong.Context) error {
	name := command.Selected().Name
	if name == "serve" { // of a command that does other things, too
		name = command.Selected().Parent.Name
	}
	return s.run(ctx, name, func(ctx context.Context, src identity.Source) error {
		switch config := any(s.Config).(type) {
		case reporting.Config:
			return reporting.Run(ctx, config, src, nil)
		case assignment.Config:
			return assignment.Run(ctx, config, src, nil)
		case ledger.Config:
			return ledger.Run(ctx, config, src, nil)
		case credit.Config:
			return credit.Run(ctx, config, src, nil)
		case enforcement.Config:
			return enforcement.Run(ctx, config, src, nil)
		case disclosure.Config:
			return disclosure.Run(ctx, config, src, nil)
		case workflows.Config:
			return workflows.Run(ctx, config, src, nil)
		case gateway.Config:
			return gateway.Run(ctx, config, src, nil, gateway.Deps{})
		default:
			return fmt.Errorf("no target takes a %T", config)
		}
	})
}

// frame is what the RPC library writes before a refusal's own words, once per wrapping.
var frame = regexp.MustCompile(`rpc error: code = \w+ desc = `)

// sentence is an error as the operator reads it: a refusal's own words, without the RPC library's frame.
func sentence(err error) string { return frame.ReplaceAllString(err.Error(), "") }
