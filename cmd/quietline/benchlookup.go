package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/rpc"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

const (
	// benchResources are in the ledger: enough for indexes of several levels of pages, soon entered.
	benchResources = 2000
	// benchHolders hold them.
	benchHolders = 100
)

// benchLookup compares WhoHeld with an RPC of the same kind of server, the whole chain included, that reads one row by
// its primary key: what is compared is the look-up as of a time, over holder, allocation and events. Both are called as
// the workflows call the ledger, straight over mTLS.
func benchLookup(ctx context.Context, b *bench) error {
	filled, err := b.load(ctx, benchJob{Kind: "allocate", Clients: 8, Count: benchResources})
	if err != nil {
		return err
	}
	if filled.Failed > 0 {
		return fmt.Errorf("filling the ledger: %s", filled.Error)
	}
	keyed, err := serveKeyed(ctx, b.mesh)
	if err != nil {
		return err
	}
	ours, base, err := b.rounds("lookup", func(_ int, ours bool) (float64, error) {
		job := benchJob{Kind: "lookup", Clients: benchClients, Span: b.cmd.Span, Address: keyed}
		if ours {
			job.Address = b.mesh.addrs[identity.Ledger]
		}
		result, err := b.measured("lookup", ours, func() (benchResult, error) { return b.load(ctx, job) })
		return result.perSecond(), err
	})
	b.compared(fmt.Sprintf("(d) WhoHeld, %d clients", benchClients), ours, base, 0.70)
	return err
}

// benchNumber is the number of a resource: of the 400 range, whose numbers here belong to nobody.
func benchNumber(n int) string { return fmt.Sprintf("4009%06d", n%benchResources) }

// allocateMany enters holders and resources through the gateway, as a registrar.
func allocateMany(ctx context.Context, job benchJob) (benchResult, error) {
	conns, err := senders(job, "REGISTRAR", "miit")
	if err != nil {
		return benchResult{}, err
	}
	defer conns.close()
	from := timestamppb.New(time.Now().AddDate(-1, 0, 0))
	return pound(ctx, job, func(ctx context.Context, client, number int) error {
		service := ledgerv1.NewLedgerServiceClient(conns.of(client))
		// the second time on it returns the holder with that credit code
		holder, err := service.RegisterHolder(ctx, &ledgerv1.RegisterHolderRequest{
			RequestId: uuid.NewString(), Holder: &ledgerv1.Holder{
				Name: "静线样例测速有限公司", CreditCode: fmt.Sprintf("91000000QLBENCH%03d", number%benchHolders), Licence: "B2-BENCH", Sector: "telecom",
			},
		})
		if err != nil {
			return err
		}
		_, err = service.AllocateResource(ctx, &ledgerv1.AllocateResourceRequest{
			RequestId: uuid.NewString(), HolderId: holder.GetHolder().GetHolderId(), Scheme: "national",
			FirstNumber: benchNumber(number), AccessProvince: "44", Purpose: "customer_service",
			PermittedCallers: []string{benchNumber(number)}, AccessOperatorId: "ctcc-44", ValidFrom: from, Basis: "样例核配文件",
			Evidence: []string{"样例资质审查材料"},
		})
		return err
	})
}

// lookUp looks numbers up in turn, at the ledger or at the baseline.
func lookUp(ctx context.Context, job benchJob) (benchResult, error) {
	src, err := memberOf(job.Data, identity.Workflows)
	if err != nil {
		return benchResult{}, err
	}
	conns, err := dialSeveral(func(int) (*grpc.ClientConn, error) { return rpc.Dial(job.Address, identity.Ledger, src) })
	if err != nil {
		return benchResult{}, err
	}
	defer conns.close()
	return pound(ctx, job, func(ctx context.Context, client, number int) error {
		// a step that is prime to their count walks through all of them in no order
		_, err := ledgerv1.NewLedgerServiceClient(conns.of(client)).WhoHeld(ctx,
			&ledgerv1.WhoHeldRequest{Number: benchNumber(number * 977)})
		return err
	})
}

// keyed is the baseline: the same answer from one table, by its primary key.
type keyed struct {
	ledgerv1.UnimplementedLedgerServiceServer
	db *pgxpool.Pool
}

// benchTable is the table of the baseline.
const benchTable = `CREATE TABLE bench_resource (
	number text PRIMARY KEY, resource_id uuid NOT NULL, scheme text NOT NULL, first_number text NOT NULL, last_number text NOT NULL,
	holder_id uuid NOT NULL, name text NOT NULL, credit_code text NOT NULL, licence text NOT NULL, sector text NOT NULL,
	agency_id text NOT NULL, access_province text NOT NULL, purpose text NOT NULL, permitted_callers text[] NOT NULL,
	access_operator_id text NOT NULL, state text NOT NULL, valid_from timestamptz NOT NULL)`

// serveKeyed fills its table with the ledger's own answers and serves it with the whole chain and the services' pool.
func serveKeyed(ctx context.Context, m *benchMesh) (string, error) {
	err := m.own(ctx, "ledger", benchTable,
		`GRANT SELECT ON bench_resource TO ledger`)
	if err != nil {
		return "", err
	}
	if err := copyAnswers(ctx, m); err != nil {
		return "", err
	}
	if err := m.own(ctx, "ledger", `ANALYZE`); err != nil { // both sides' tables, for the planner
		return "", err
	}
	db, err := pg.Open(ctx, m.stack.DatabaseURL("ledger"))
	if err != nil {
		return "", err
	}
	m.atEnd(func() error { db.Close(); return nil })
	return m.listen(ctx, identity.Ledger, func(ctx context.Context, src identity.Source, lis net.Listener) error {
		s := rpc.NewServer(src)
		ledgerv1.RegisterLedgerServiceServer(s, &keyed{db: db})
		return rpc.Serve(ctx, lis, s)
	})
}

func copyAnswers(ctx context.Context, m *benchMesh) error {
	src, err := m.stack.CA.Source(identity.Workflows)
	if err != nil {
		return err
	}
	conn, err := rpc.Dial(m.addrs[identity.Ledger], identity.Ledger, src)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	db, err := m.owner(ctx, "ledger")
	if err != nil {
		return err
	}
	defer db.Close()
	rows := make([][]any, 0, benchResources)
	for n := range benchResources {
		answer, err := ledgerv1.NewLedgerServiceClient(conn).WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: benchNumber(n)})
		if err != nil {
			return fmt.Errorf("resource %d: %w", n, err)
		}
		r, h := answer.GetResource(), answer.GetResource().GetHolder()
		rows = append(rows, []any{
			benchNumber(n), r.GetResourceId(), r.GetScheme(), r.GetFirstNumber(), r.GetLastNumber(), h.GetHolderId(), h.GetName(),
			h.GetCreditCode(), h.GetLicence(), h.GetSector(), h.GetAgencyId(), r.GetAccessProvince(), r.GetPurpose(),
			r.GetPermittedCallers(), r.GetAccessOperatorId(), r.GetState(), r.GetValidFrom().AsTime(),
		})
	}
	_, err = db.CopyFrom(ctx, pgx.Identifier{"bench_resource"}, []string{
		"number", "resource_id", "scheme", "first_number", "last_number", "holder_id", "name", "credit_code", "licence", "sector",
		"agency_id", "access_province", "purpose", "permitted_callers", "access_operator_id", "state", "valid_from",
	}, pgx.CopyFromRows(rows))
	return err
}

// WhoHeld reads one row.
func (k *keyed) WhoHeld(ctx context.Context, req *ledgerv1.WhoHeldRequest) (*ledgerv1.WhoHeldResponse, error) {
	h, from := &ledgerv1.Holder{}, time.Time{}
	r := &ledgerv1.Resource{Holder: h}
	err := k.db.QueryRow(ctx, `SELECT resource_id, scheme, first_number, last_number, holder_id, name, credit_code, licence, sector,
		agency_id, access_province, purpose, permitted_callers, access_operator_id, state, valid_from
		FROM bench_resource WHERE number = $1`, req.GetNumber()).Scan(
		&r.ResourceId, &r.Scheme, &r.FirstNumber, &r.LastNumber, &h.HolderId, &h.Name, &h.CreditCode, &h.Licence, &h.Sector,
		&h.AgencyId, &r.AccessProvince, &r.Purpose, &r.PermittedCallers, &r.AccessOperatorId, &r.State, &from)
	if err != nil {
		return nil, errs.NotFound(err, "no such number")
	}
	r.ValidFrom = timestamppb.New(from)
	return &ledgerv1.WhoHeldResponse{Resource: r}, nil
}
