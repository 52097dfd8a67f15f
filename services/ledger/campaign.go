package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// Deadline bases of a campaign, unless it names others.
const (
	returnBasis  = "self_inspection_30d"
	inspectBasis = "audit_inspection_60d"
)

const (
	mostSampled   = 100_000
	mostResources = 100_000_000
)

// OpenCampaign opens a campaign and draws its sample.
func (s *Server) OpenCampaign(ctx context.Context, req *ledgerv1.OpenCampaignRequest) (*ledgerv1.OpenCampaignResponse, error) {
	if (req.GetSampleSize() > 0) == (req.GetSamplePercent() > 0) {
		return nil, errs.Field("sample_size", "either a size or a share is drawn")
	}
	now := s.now()
	asOf := now
	if t := timeOf(req.GetAsOf()); t != nil {
		asOf = *t
	}
	if asOf.After(now) {
		return nil, errs.Field("as_of", "must not be in the future")
	}
	returns, err := s.clock("return_basis", cmp.Or(req.GetReturnBasis(), returnBasis), now)
	if err != nil {
		return nil, err
	}
	inspection, err := s.clock("inspection_basis", cmp.Or(req.GetInspectionBasis(), inspectBasis), now)
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.OpenCampaignResponse, error) {
		q := store.New(tx)
		known, err := knownBy(ctx, tx, timeOf(req.GetKnownAt()))
		if err != nil {
			return nil, err
		}
		c, err := newCampaign(ctx, req, asOf, known, returns, inspection)
		if err != nil {
			return nil, err
		}
		sample, err := draw(ctx, q, req.GetPopulation(), c)
		if err != nil {
			return nil, err
		}
		c.PopulationCount, c.PopulationSha256 = sample.population, sample.populationSum
		c.SampleCount, c.SampleSha256 = int64(len(sample.items)), sample.itemsSum
		if err := enterCampaign(ctx, q, c, sample.items); err != nil {
			return nil, err
		}
		row, err := q.CampaignByID(ctx, c.CampaignID)
		if err != nil {
			return nil, err
		}
		p, err := campaignProto(row)
		return &ledgerv1.OpenCampaignResponse{Campaign: p}, err
	})
}

// clock computes a deadline with its proof.
func (s *Server) clock(field, basis string, from time.Time) (calendar.Deadline, error) {
	d, err := calendar.Due(basis, from, s.profile)
	if err != nil {
		return d, errs.Field(field, "%v", err)
	}
	return d, nil
}

// settledBy is the latest time by which the ledger will always be known as it is now: before every transaction that may
// still write.
func settledBy(ctx context.Context, db store.DBTX) (time.Time, error) {
	var settled time.Time
	err := db.QueryRow(ctx, `SELECT least(now(), min(xact_start)) - interval '1 microsecond'
		FROM pg_stat_activity WHERE datname = current_database()`).Scan(&settled)
	return settled, err
}

// knownBy is the time by which a population is known. Only what is settled can be drawn again: a transaction that began
// before and commits later would have been known then, and nobody saw it.
func knownBy(ctx context.Context, tx pgx.Tx, wanted *time.Time) (time.Time, error) {
	settled, err := settledBy(ctx, tx)
	if err != nil || wanted == nil {
		return settled, err
	}
	if wanted.After(settled) {
		return settled, errs.Field("known_at", "must be before %s: what is written now is not settled", settled.UTC().Format(time.RFC3339Nano))
	}
	return *wanted, nil
}

func newCampaign(ctx context.Context, req *ledgerv1.OpenCampaignRequest, asOf, known time.Time, returns, inspection calendar.Deadline) (store.InsertCampaignParams, error) {
	var c store.InsertCampaignParams
	id, err := uuid.NewV7()
	if err != nil {
		return c, err
	}
	population := req.GetPopulation()
	if population == nil {
		population = &ledgerv1.Population{}
	}
	written, err := protojson.Marshal(population)
	if err != nil {
		return c, err
	}
	seed := req.GetSeed()
	if seed == "" {
		var random [16]byte
		if _, err := rand.Read(random[:]); err != nil {
			return c, err
		}
		seed = hex.EncodeToString(random[:])
	}
	a := identity.ActorOf(ctx)
	return store.InsertCampaignParams{
		CampaignID: id.String(), Name: req.GetName(), Basis: req.GetBasis(), AgencyID: a.GetAgencyId(), Population: written,
		SampleSize: req.GetSampleSize(), SamplePercent: req.GetSamplePercent(), Seed: seed, AsOf: asOf, KnownAt: known,
		ReturnBasis: cmp.Or(req.GetReturnBasis(), returnBasis), ReturnDue: returns.Due, ReturnStatutory: returns.Statutory,
		ReturnProof: returns.Proof, ReturnProvisional: returns.Provisional,
		InspectBasis: cmp.Or(req.GetInspectionBasis(), inspectBasis), InspectDue: inspection.Due, InspectStatutory: inspection.Statutory,
		InspectProof: inspection.Proof, InspectProvisional: inspection.Provisional, CreatedBy: doneBy(a),
	}, nil
}

// draw draws the sample of a campaign out of the ledger as it was known.
func draw(ctx context.Context, q *store.Queries, p *ledgerv1.Population, c store.InsertCampaignParams) (drawn, error) {
	size := int(c.SampleSize)
	if c.SamplePercent > 0 {
		size = mostSampled
	}
	d := newDrawing(c.Seed, size)
	arg := filterOf(p)
	arg.After, arg.AsOf, arg.KnownAt, arg.PageSize = firstID, c.AsOf, c.KnownAt, mostResources
	err := q.EachOfPopulation(ctx, arg, func(row store.ListPopulationRow) {
		if len(p.GetKinds()) == 0 || wanted(row, p.GetKinds()) {
			d.add(row)
		}
	})
	if err != nil {
		return drawn{}, err
	}
	if shareOf(d.population, int(c.SamplePercent)) > mostSampled {
		return drawn{}, errs.Field("sample_percent", "would draw more than %d resources", mostSampled)
	}
	return d.end(int(c.SamplePercent)), nil
}

// enterCampaign writes a campaign and its items. Each resource is inspected by the administration of its access.
func enterCampaign(ctx context.Context, q *store.Queries, c store.InsertCampaignParams, items []store.ListPopulationRow) error {
	if err := q.InsertCampaign(ctx, c); err != nil {
		return err
	}
	in := store.InsertCampaignItemsParams{CampaignID: c.CampaignID}
	space := uuid.MustParse(c.CampaignID)
	for _, row := range items {
		kind := kindsOfRow(row)[0]
		in.Items = append(in.Items, uuid.NewSHA1(space, []byte(row.ResourceID)).String())
		in.Resources, in.Allocations = append(in.Resources, row.ResourceID), append(in.Allocations, row.AllocationID)
		in.Holders, in.Kinds = append(in.Holders, row.HolderID), append(in.Kinds, kind)
		in.Operators, in.Inspectors = append(in.Operators, row.AccessOperatorID), append(in.Inspectors, "ca-"+row.AccessProvince)
	}
	return q.InsertCampaignItems(ctx, in)
}

// GetCampaign returns a campaign, to those who inspect with its progress, and when asked with the sample drawn again.
func (s *Server) GetCampaign(ctx context.Context, req *ledgerv1.GetCampaignRequest) (*ledgerv1.GetCampaignResponse, error) {
	q := store.New(s.db)
	c, err := q.CampaignByID(ctx, req.GetCampaignId())
	if err != nil {
		return nil, errs.NotFound(err, "no such campaign")
	}
	resp := &ledgerv1.GetCampaignResponse{}
	if resp.Campaign, err = campaignProto(c); err != nil {
		return nil, err
	}
	if all, _, _ := standpoint(ctx); !all {
		resp.Campaign.CreatedBy = agencyOf(c.CreatedBy)
		return resp, nil
	}
	rows, err := q.CampaignProgress(ctx, store.CampaignProgressParams{CampaignID: c.CampaignID, Now: s.now()})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		resp.Progress = append(resp.Progress, &ledgerv1.CampaignProgress{
			AgencyId: r.InspectorAgencyID, Sampled: r.Sampled, Returned: r.Returned, Inspected: r.Inspected, Conforming: r.Conforming,
			Findings: r.Findings, Rectified: r.Rectified, Closed: r.Closed, Overdue: r.Overdue,
		})
	}
	if req.GetDrawAgain() {
		same, err := drawnAgain(ctx, q, c)
		if err != nil {
			return nil, err
		}
		resp.SameSample = &same
	}
	return resp, nil
}

// drawnAgain says whether population and sample are the same when they are drawn again.
func drawnAgain(ctx context.Context, q *store.Queries, c store.Campaign) (bool, error) {
	p := &ledgerv1.Population{}
	if err := protojson.Unmarshal(c.Population, p); err != nil {
		return false, fmt.Errorf("population: %w", err)
	}
	again, err := draw(ctx, q, p, store.InsertCampaignParams{
		Seed: c.Seed, SampleSize: c.SampleSize, SamplePercent: c.SamplePercent, AsOf: c.AsOf, KnownAt: c.KnownAt,
	})
	return again.population == c.PopulationCount && again.populationSum == c.PopulationSha256 && again.itemsSum == c.SampleSha256, err
}

// standpoint is whose items the caller sees: a holder's own, those of an operator's access, or all.
func standpoint(ctx context.Context) (all bool, agency, party string) {
	a := identity.ActorOf(ctx)
	for _, r := range []accessv1.Role{
		accessv1.Role_ROLE_CASEWORKER, accessv1.Role_ROLE_HEAD, accessv1.Role_ROLE_REGISTRAR, accessv1.Role_ROLE_LEAD,
	} {
		all = all || identity.HasRole(a, r)
	}
	if identity.HasRole(a, accessv1.Role_ROLE_OPERATOR) {
		agency = a.GetAgencyId()
	}
	if identity.HasRole(a, accessv1.Role_ROLE_PARTY) {
		party = a.GetParty()
	}
	return all, agency, party
}

// ListCampaigns lists campaigns, the newest first.
func (s *Server) ListCampaigns(ctx context.Context, req *ledgerv1.ListCampaignsRequest) (*ledgerv1.ListCampaignsResponse, error) {
	before, id, err := newestFirst(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ListCampaigns(ctx, store.ListCampaignsParams{BeforeTime: before, BeforeID: id, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.ListCampaignsResponse{}
	all, _, _ := standpoint(ctx)
	for _, c := range rows {
		p, err := campaignProto(c)
		if err != nil {
			return nil, err
		}
		if !all {
			p.CreatedBy = agencyOf(c.CreatedBy)
		}
		resp.Campaigns = append(resp.Campaigns, p)
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.TimeToken(rows[size-1].CreatedAt, rows[size-1].CampaignID)
	}
	return resp, nil
}

// CloseCampaign ends a campaign with what it came to.
func (s *Server) CloseCampaign(ctx context.Context, req *ledgerv1.CloseCampaignRequest) (*ledgerv1.CloseCampaignResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.CloseCampaignResponse, error) {
		q, a := store.New(tx), identity.ActorOf(ctx)
		c, err := q.LockCampaign(ctx, req.GetCampaignId())
		switch {
		case err != nil:
			return nil, errs.NotFound(err, "no such campaign")
		case c.State != campaignOpen:
			return nil, wrongState("the campaign is closed")
		case c.AgencyID != a.GetAgencyId() && a.GetAgencyId() != leadMinistry:
			return nil, otherAgency("the campaign is one of %s", c.AgencyID)
		}
		now := s.now()
		if err := q.SetCampaignClosed(ctx, store.SetCampaignClosedParams{
			CampaignID: c.CampaignID, ClosedAt: &now, ClosedBy: doneBy(a), Conclusion: req.GetConclusion(),
		}); err != nil {
			return nil, err
		}
		if c, err = q.CampaignByID(ctx, c.CampaignID); err != nil {
			return nil, err
		}
		p, err := campaignProto(c)
		return &ledgerv1.CloseCampaignResponse{Campaign: p}, err
	})
}

func campaignProto(c store.Campaign) (*ledgerv1.Campaign, error) {
	population := &ledgerv1.Population{}
	if err := protojson.Unmarshal(c.Population, population); err != nil {
		return nil, errors.Join(errors.New("population"), err)
	}
	return &ledgerv1.Campaign{
		CampaignId: c.CampaignID, Name: c.Name, Basis: c.Basis, AgencyId: c.AgencyID, Population: population,
		PopulationCount: c.PopulationCount, PopulationSha256: c.PopulationSha256, Seed: c.Seed, AsOf: timestamppb.New(c.AsOf),
		KnownAt: timestamppb.New(c.KnownAt), SampleCount: c.SampleCount, SampleSha256: c.SampleSha256,
		ReturnClock:     clockProto(c.ReturnBasis, c.ReturnStatutory, c.ReturnProof, c.ReturnProvisional),
		InspectionClock: clockProto(c.InspectBasis, c.InspectStatutory, c.InspectProof, c.InspectProvisional),
		State:           c.State, CreatedBy: c.CreatedBy, CreateTime: timestamppb.New(c.CreatedAt), CloseTime: timeProto(c.ClosedAt),
		Conclusion: c.Conclusion,
	}, nil
}

func clockProto(basis string, statutory time.Time, proof string, provisional bool) *commonv1.Clock {
	return &commonv1.Clock{Basis: basis, StatutoryDue: statutory.UTC().Format(time.RFC3339), Proof: proof, Provisional: provisional}
}
