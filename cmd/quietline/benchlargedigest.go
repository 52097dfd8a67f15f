package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"quietline/internal/digestdoc"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/assignment"
	"quietline/services/disclosure"
	"quietline/services/enforcement"
	"quietline/services/reporting"
	"quietline/workflows"
)

// digestAim is in how long a digest over ten million reports is to be drafted from its aggregates.
const digestAim = 2 * time.Second

// largeDigest is the owners of counts and disclosure, served as in the mesh, over the aggregates of a month of ten million
// reports, and over a day of reports to count.
type largeDigest struct {
	*large
	owners workflows.Owners
	public *grpc.ClientConn // to disclosure, as the gateway has it
}

// digest measures how long a digest takes, and what counting costs.
func (l *large) digest(ctx context.Context) error {
	d := &largeDigest{large: l}
	if err := d.serveOwners(ctx); err != nil {
		return err
	}
	if err := d.fill(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute) // as the workflow's activity has: days nobody counted are counted now
	defer cancel()
	if err := d.keep(ctx); err != nil {
		return err
	}
	return d.draft(ctx)
}

// serveOwners serves the four services. Nobody is asked about tasks or workflows here.
func (d *largeDigest) serveOwners(ctx context.Context) error {
	const nobody = "127.0.0.1:1"
	keys := func(w identity.Workload) string { return d.stack.Dirs.Path("keys", string(w)) }
	role, owner := d.stack.DatabaseURL, d.stack.OwnerURL
	conns := map[identity.Workload]*grpc.ClientConn{}
	for w, run := range map[identity.Workload]func(ctx context.Context, src identity.Source, lis net.Listener) error{
		identity.Reporting: func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return reporting.Run(ctx, reporting.Config{
				Database: role("reporting"), MigrateDatabase: owner("reporting"), Keys: keys("reporting"), Casework: nobody, Assignment: nobody,
				Blob: "file://" + filepath.ToSlash(d.stack.Dirs.Path("evidence")), CountEvery: time.Hour,
			}, src, lis)
		},
		identity.Assignment: func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return assignment.Run(ctx, assignment.Config{
				Database: role("assignment"), MigrateDatabase: owner("assignment"), Keys: keys("assignment"), CountEvery: time.Hour,
			}, src, lis)
		},
		identity.Enforcement: func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return enforcement.Run(ctx, enforcement.Config{
				Database: role("enforcement"), MigrateDatabase: owner("enforcement"), Keys: keys("enforcement"), CountEvery: time.Hour,
			}, src, lis)
		},
		identity.Disclosure: func(ctx context.Context, src identity.Source, lis net.Listener) error {
			return disclosure.Run(ctx, disclosure.Config{Database: role("disclosure"), MigrateDatabase: owner("disclosure")}, src, lis)
		},
	} {
		address, err := d.listen(ctx, w, run)
		if err != nil {
			return err
		}
		if conns[w], err = d.dial(address, identity.Workflows, w); err != nil {
			return err
		}
		d.ends = append(d.ends, conns[w].Close)
		if w == identity.Disclosure {
			if d.public, err = d.dial(address, identity.Gateway, w); err != nil {
				return err
			}
			d.ends = append(d.ends, d.public.Close)
		}
	}
	if err := d.serveLedger(ctx); err != nil {
		return err
	}
	if err := d.awaitMigrated(ctx); err != nil {
		return err
	}
	numbers, err := d.dial(d.ledger, identity.Workflows, identity.Ledger)
	if err != nil {
		return err
	}
	d.ends = append(d.ends, numbers.Close)
	d.owners = workflows.Owners{
		Ledger:    ledgerv1.NewLedgerServiceClient(numbers),
		Reporting: reportingv1.NewReportingServiceClient(conns[identity.Reporting]), Assignment: assignmentv1.NewAssignmentServiceClient(conns[identity.Assignment]),
		Enforcement: enforcementv1.NewEnforcementServiceClient(conns[identity.Enforcement]), Disclosure: disclosurev1.NewDisclosureServiceClient(conns[identity.Disclosure]),
	}
	return d.awaitOwners(ctx)
}

// awaitOwners waits until everybody answers: then their tables are there.
func (d *largeDigest) awaitOwners(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	const month = "2018-07" // of which there is nothing
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, err := d.owners.Reporting.ListDailyCounts(ctx, &reportingv1.ListDailyCountsRequest{Month: month}, grpc.WaitForReady(true))
		return err
	})
	group.Go(func() error {
		_, err := d.owners.Assignment.ListDailyCounts(ctx, &assignmentv1.ListDailyCountsRequest{Month: month}, grpc.WaitForReady(true))
		return err
	})
	group.Go(func() error {
		_, err := d.owners.Enforcement.ListDailyCounts(ctx, &enforcementv1.ListDailyCountsRequest{Month: month}, grpc.WaitForReady(true))
		return err
	})
	return group.Wait()
}

// draft drafts the digest of the large month several times, each a new version, and reads it as the public.
func (d *largeDigest) draft(ctx context.Context) error {
	var drafted, read []float64
	var digest *disclosurev1.Digest
	for round := range d.cmd.Rounds {
		began := time.Now()
		err := workflows.DraftDigest(ctx, d.owners, &caseworkv1.DigestInput{
			DigestId: uuid.NewString(), Month: largeMonth, Note: fmt.Sprintf("bench, round %d", round+1), DraftedBy: "bench", DraftedByAgency: "miit",
		})
		if err != nil {
			return err
		}
		drafted = append(drafted, time.Since(began).Seconds())
		if digest, err = d.read(ctx, &read); err != nil {
			return err
		}
	}
	var rows int64
	if err := d.query(ctx, "disclosure", "SELECT sum(counts) FROM digest_page WHERE digest_id = $1", &rows, digest.GetDigestId()); err != nil {
		return err
	}
	took := median(drafted)
	fmt.Printf("\n| digest of %d reports, %d counts | median of %d | aim |\n| --- | ---: | --- |\n", digest.GetTotal(), rows, d.cmd.Rounds)
	fmt.Printf("| drafted from the aggregates of four services, frozen, both editions written | %.2f s | < %.0f s: %s |\n", took, digestAim.Seconds(),
		map[bool]string{true: "met", false: "missed"}[took < digestAim.Seconds()])
	fmt.Printf("| read and written as CSV | %.3f s | |\n", median(read))
	return nil
}

func (d *largeDigest) read(ctx context.Context, took *[]float64) (*disclosurev1.Digest, error) {
	began := time.Now()
	lead := identity.WithActor(ctx, &commonv1.Actor{Subject: "bench", AgencyId: "miit", Roles: []accessv1.Role{accessv1.Role_ROLE_STATISTICIAN}})
	resp, err := disclosurev1.NewDisclosureServiceClient(d.public).GetDigest(lead, &disclosurev1.GetDigestRequest{Month: largeMonth, Edition: "public"})
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	if err := digestdoc.CSV(&file, resp.GetDigest()); err != nil {
		return nil, err
	}
	*took = append(*took, time.Since(began).Seconds())
	return resp.GetDigest(), nil
}

// keep counts a day of reports again and again, as if something of it had changed: what keeping aggregates costs. Filing
// itself writes nothing for it.
func (d *largeDigest) keep(ctx context.Context) error {
	var took []float64
	for range d.cmd.Rounds {
		if _, err := d.exec(ctx, "reporting", "INSERT INTO day_stale (scope, day) VALUES ('reports', '"+largeDay+"')"); err != nil {
			return err
		}
		began := time.Now()
		if _, err := d.owners.Reporting.CutCounts(ctx, &reportingv1.CutCountsRequest{RequestId: uuid.NewString(), Month: largeDay[:7]}); err != nil {
			return err
		}
		took = append(took, time.Since(began).Seconds())
	}
	s := median(took)
	fmt.Printf("\nkeeping the aggregates: a day of %d reports is counted in %.2f s, %.1f µs a report, beside filing and not in it\n", largeReports, s,
		s/float64(largeReports)*1e6)
	return nil
}

func (d *largeDigest) query(ctx context.Context, service, sql string, into any, args ...any) error {
	conn, err := pgx.Connect(ctx, d.stack.OwnerURL(service))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return conn.QueryRow(ctx, sql, args...).Scan(into)
}

func (d *largeDigest) exec(ctx context.Context, service string, statements ...string) (rows int64, err error) {
	conn, err := pgx.Connect(ctx, d.stack.OwnerURL(service))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, s := range statements {
		tag, err := conn.Exec(ctx, s)
		if err != nil {
			return rows, fmt.Errorf("%.80s: %w", s, err)
		}
		rows += tag.RowsAffected()
	}
	return rows, nil
}
