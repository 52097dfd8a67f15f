package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"quietline/deploy/embedded"
	"quietline/gateway"
	"quietline/internal/obs"
)

// upCmd runs the whole mesh on one machine.
type upCmd struct {
	embedded.Config
	Listen      string  `help:"Address of the gateway; another than loopback needs TLS or --behind-proxy and turns demo accounts off." default:"127.0.0.1:8080" env:"QUIETLINE_LISTEN"`
	Rehearsal   bool    `help:"Divide real spans: a day of a task lasts 10 s, of watching and notice periods 1 s." env:"QUIETLINE_REHEARSAL"`
	Issuer      string  `help:"JSON file with the identity providers whose tokens count, instead of demo accounts." env:"QUIETLINE_ISSUERS" type:"path"`
	TLSCert     string  `help:"PEM certificate chain of the gateway." env:"QUIETLINE_TLS_CERT" type:"path"`
	TLSKey      string  `help:"PEM private key of the gateway." env:"QUIETLINE_TLS_KEY" type:"path"`
	BehindProxy bool    `help:"A proxy in front ends TLS." env:"QUIETLINE_BEHIND_PROXY"`
	StartRate   float64 `help:"Workflow starts a second at most; 0 pauses them." default:"40" env:"QUIETLINE_START_RATE"`
	Portability string  `help:"Table of ported numbers (携号转网): CSV with number, operator_id, from and to; read anew when it changes." env:"QUIETLINE_LEDGER_PORTABILITY" type:"path"`
	Places      string  `help:"Table of mobile segments (号段归属地表): CSV with prefix, province, city." env:"QUIETLINE_PLACES" type:"path"`
	Sample      bool    `help:"Load the sample day into a new data directory." env:"QUIETLINE_SAMPLE"`
}

// Run brings everything up, serves until ctx ends, and takes everything down again in order.
func (c upCmd) Run(ctx context.Context) (err error) {
	began := time.Now()
	edge, err := embedded.Listen(c.Listen, "--listen")
	if err != nil {
		return err
	}
	defer func() { _ = edge.Close() }()
	if err := errors.Join(c.mesh().Gateway.Check(edge.Addr()), c.sameProfile()); err != nil {
		return err
	}
	shutdown, err := obs.Setup(ctx, "quietline")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shutdown(context.WithoutCancel(ctx))) }()
	c.Progress = func(done string, took time.Duration) { fmt.Printf("  %-22s %5.1f s\n", done, took.Seconds()) }
	fmt.Printf("quietline: bringing up %s\n", c.Data)
	stack, err := embedded.Start(ctx, c.Config)
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, stack.Stop(stop))
	}()
	log, err := logTo(stack.Dirs.Path("log", "quietline.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	return c.serve(ctx, stack, edge, began)
}

func (c upCmd) serve(ctx context.Context, stack *embedded.Stack, edge net.Listener, began time.Time) (err error) {
	m, err := startMesh(ctx, stack, c.mesh(), edge)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	if c.TLSCert != "" {
		m.URL = "https" + strings.TrimPrefix(m.URL, "http")
	}
	at, err := m.where()
	at.Profile = c.mesh().Profile
	if err = errors.Join(err, at.write(stack.Dirs.Root)); err != nil {
		return err
	}
	ready := make(chan error, 1)
	go func() { ready <- m.awaitHealthy(ctx) }()
	for {
		select {
		case err := <-ready:
			if ctx.Err() != nil {
				ready = nil
				continue // stopped before it served
			}
			if err != nil {
				return err
			}
			ready = nil
			fmt.Printf("  %-22s %5.1f s\n", "serving", time.Since(began).Seconds())
			if err := c.sample(ctx, m, stack.Dirs); err != nil {
				return err
			}
			c.welcome(m, stack.Dirs)
		case err := <-m.failed:
			return err
		case err := <-stack.Failed():
			return err
		case <-ctx.Done():
			fmt.Println("quietline: stopping; what is under way goes on at the next start")
			return nil
		}
	}
}

// sameProfile refuses to go on in another profile: the open clocks of a data directory are of the one it began with.
func (c upCmd) sameProfile() error {
	began := readWhere(c.Data).Profile
	if began == "" || began == c.mesh().Profile {
		return nil
	}
	return fmt.Errorf("%s was begun in the profile %s, and its clocks run in it: start it as such (--rehearsal or not), or choose another directory with --data",
		c.Data, began)
}

func (c upCmd) mesh() meshConfig {
	profile := "statutory"
	if c.Rehearsal {
		profile = "rehearsal"
	}
	demo := ""
	if c.Issuer == "" && c.TLSCert == "" && !c.BehindProxy {
		demo = c.Data
	}
	return meshConfig{Profile: profile, StartRate: c.StartRate, Portability: c.Portability, Places: c.Places, Gateway: gateway.Config{
		Listen: c.Listen, TLSCert: c.TLSCert, TLSKey: c.TLSKey, BehindProxy: c.BehindProxy, Issuers: c.Issuer, Demo: demo,
	}}
}

// awaitHealthy waits until everything serves, as /healthz sees it.
func (m *mesh) awaitHealthy(ctx context.Context) error {
	// It asks this very process, whose certificate is made out to the name that others know it by.
	via := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // see above
	defer via.CloseIdleConnections()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, _, err := healthOf(ctx, via, m.URL); err == nil && ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (c upCmd) welcome(m *mesh, data embedded.Dirs) {
	rows := [][2]string{
		{"pages and API", m.URL + "  (gRPC, gRPC-Web, Connect JSON)"},
		{"health", m.URL + "/healthz"},
		{"profile", c.mesh().Profile},
		{"data", data.Root},
		{"logs", data.Path("log")},
	}
	if c.mesh().Gateway.Demo != "" {
		rows = append(rows, [2]string{"demo accounts", "bin/quietline token --data " + data.Root + " --as ROLE@AGENCY, e.g. CASEWORKER@samr-44"})
	}
	fmt.Println("\nQuietline 静线 is up. Ctrl-C stops it; `up` again goes on where it was.")
	for _, row := range rows {
		fmt.Printf("  %-14s %s\n", row[0], row[1])
	}
}

// logTo sends the logs of all targets to a file: the terminal belongs to the operator.
func logTo(path string) (*os.File, error) {
	if err := embedded.BoundLog(path); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Clean(path), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	slog.SetDefault(slog.New(obs.NewHandler(file)))
	return file, nil
}
