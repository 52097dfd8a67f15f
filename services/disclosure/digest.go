package disclosure

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// RecordDigest writes the next version of a month's digest. A digest that is known by its identifier is returned as it is.
func (s *Server) RecordDigest(ctx context.Context, req *disclosurev1.RecordDigestRequest) (*disclosurev1.RecordDigestResponse, error) {
	if req.GetTotal() < 0 || req.GetTotal() > maxReports {
		return nil, errs.Field("total", "must be a number of reports")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.RecordDigestResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "digest/"+req.GetMonth()); err != nil {
			return nil, err
		}
		d, err := q.DigestByID(ctx, req.GetDigestId())
		if errors.Is(err, pgx.ErrNoRows) {
			d, err = s.build(ctx, q, req)
		}
		if err != nil {
			return nil, err
		}
		out, err := digestProto(ctx, q, d, true)
		if err != nil {
			return nil, err
		}
		return &disclosurev1.RecordDigestResponse{Digest: out}, nil
	})
}

func (s *Server) build(ctx context.Context, q *store.Queries, req *disclosurev1.RecordDigestRequest) (store.Digest, error) {
	now := s.now()
	policy, err := q.DigestPolicy(ctx, now)
	if err != nil {
		return store.Digest{}, fmt.Errorf("policy of digests: %w", err)
	}
	rows, err := rowsOf(req, int64(policy.MinReporters))
	if err != nil {
		return store.Digest{}, err
	}
	last, err := q.LastVersion(ctx, req.GetMonth())
	if err != nil {
		return store.Digest{}, err
	}
	d := store.InsertDigestParams{
		DigestID: req.GetDigestId(), Month: req.GetMonth(), Version: last + 1, Title: titleOf(policy.Title, req.GetMonth()),
		Total: req.GetTotal(), CutHash: req.GetCutHash(), Rounding: rounding, MinReporters: policy.MinReporters, BuildTime: now,
	}
	if err := q.InsertDigest(ctx, d); err != nil {
		return store.Digest{}, err
	}
	if _, err := q.InsertDigestRows(ctx, rows); err != nil {
		return store.Digest{}, err
	}
	return q.DigestByID(ctx, d.DigestID)
}

func rowsOf(req *disclosurev1.RecordDigestRequest, minReporters int64) ([]store.InsertDigestRowsParams, error) {
	var out []store.InsertDigestRowsParams
	seen := map[string]bool{}
	for _, t := range req.GetTables() {
		if t.GetAxis() == "" || len(t.GetAxis()) > 60 || seen[t.GetAxis()] {
			return nil, errs.Field("tables", "each must have an axis of its own")
		}
		seen[t.GetAxis()] = true
		figures, err := table(t, req.GetTotal(), minReporters)
		if err != nil {
			return nil, err
		}
		for _, f := range figures {
			out = append(out, store.InsertDigestRowsParams{
				DigestID: req.GetDigestId(), Axis: t.GetAxis(), Key: f.key, Reports: f.reports, Reporters: f.reporters,
				PerMille: f.perMille, Suppressed: f.hidden,
			})
		}
	}
	return out, nil
}

// GetDigest returns a version of a month's digest. Only statisticians and the lead see what is hidden from the public.
func (s *Server) GetDigest(ctx context.Context, req *disclosurev1.GetDigestRequest) (*disclosurev1.GetDigestResponse, error) {
	q := store.New(s.db)
	d, err := q.GetDigest(ctx, store.GetDigestParams{Month: req.GetMonth(), Version: req.GetVersion()})
	if err != nil {
		return nil, errs.NotFound(err, "no such digest")
	}
	inside := slices.ContainsFunc(identity.ActorOf(ctx).GetRoles(), func(r accessv1.Role) bool {
		return r == accessv1.Role_ROLE_STATISTICIAN || r == accessv1.Role_ROLE_LEAD
	})
	out, err := digestProto(ctx, q, d, inside)
	if err != nil {
		return nil, err
	}
	return &disclosurev1.GetDigestResponse{Digest: out}, nil
}
