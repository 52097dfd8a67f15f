package disclosure

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// ReleaseDigest makes a draft public, under the name of the person who does it. Whoever drafted it asks another.
func (s *Server) ReleaseDigest(ctx context.Context, req *disclosurev1.ReleaseDigestRequest) (*disclosurev1.ReleaseDigestResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.ReleaseDigestResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "digest/"+req.GetMonth()); err != nil {
			return nil, err
		}
		row, err := q.GetDigest(ctx, store.GetDigestParams{Month: req.GetMonth(), Version: req.GetVersion()})
		if err != nil {
			return nil, errs.NotFound(err, "no such digest")
		}
		if row.ReleaseTime == nil {
			if err := s.release(ctx, q, &row); err != nil {
				return nil, err
			}
			if row, err = q.GetDigest(ctx, store.GetDigestParams{Month: req.GetMonth(), Version: req.GetVersion()}); err != nil {
				return nil, err
			}
		}
		out, err := readDigest(ctx, tx, digestRow(row), publicEdition)
		if err != nil {
			return nil, err
		}
		return &disclosurev1.ReleaseDigestResponse{Digest: out}, nil
	})
}

func (s *Server) release(ctx context.Context, q *store.Queries, row *store.GetDigestRow) error {
	actor := identity.ActorOf(ctx)
	if err := s.mayKeepDigests(ctx, q); err != nil {
		return err
	}
	switch {
	case row.Digest.CutTime == nil:
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"the digest was made before counts were frozen and has no public edition; draft a new version")
	case actor.GetSubject() == row.Digest.DraftedBy:
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON, "who drafted a digest does not release it")
	}
	if err := s.mayBeOf(row.Digest.Month, *row.Digest.CutTime); err != nil {
		return err
	}
	versions, err := q.ReleasedVersions(ctx, row.Digest.Month)
	if err != nil {
		return err
	}
	if n := len(versions); n > 0 && versions[n-1].Version > row.Digest.Version {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "version %d is public already", versions[n-1].Version)
	}
	// What another version told meanwhile, this one was not held against.
	before, err := earlierVersions(ctx, q, row.Digest.Month)
	if err != nil {
		return err
	}
	own, err := readTables(ctx, q, row.Digest.DigestID, publicEdition)
	if err != nil {
		return err
	}
	if !before.keptBy(own) {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"a version that was released meanwhile hides what this one tells; draft a new version")
	}
	if err := q.InsertRelease(ctx, store.InsertReleaseParams{
		DigestID: row.Digest.DigestID, ReleasedBy: actor.GetSubject(), ReleasedByAgency: actor.GetAgencyId(), ReleaseTime: s.now(),
	}); err != nil {
		return err
	}
	return s.register(ctx, q, &row.Digest)
}

// keptBy says whether a digest tells nothing that public versions of its month do not: figures that they told in one sum are
// in one row of it, and what they hid it hides.
func (e *earlier) keptBy(d *disclosurev1.Digest) bool {
	for _, t := range d.GetTables() {
		rowOf := map[string]string{}
		for _, r := range t.GetRows() {
			for _, m := range r.GetMembers() {
				rowOf[m] = r.GetKey()
			}
			for i, c := range t.GetColumns() {
				untold := e.untold[rowKey(t.GetAxis(), []string{c.GetCode()})]
				if r.GetValues()[i].Value != nil && slices.ContainsFunc(r.GetMembers(), func(m string) bool { return untold[m] }) {
					return false
				}
			}
		}
		for _, members := range e.joined[t.GetAxis()] {
			at := ""
			for _, m := range members {
				row, ok := rowOf[m]
				if !ok {
					continue
				}
				if at != "" && row != at {
					return false
				}
				at = row
			}
		}
	}
	return true
}

// LoadUserFigures loads how many users operators had.
func (s *Server) LoadUserFigures(ctx context.Context, req *disclosurev1.LoadUserFiguresRequest) (*disclosurev1.LoadUserFiguresResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.LoadUserFiguresResponse, error) {
		q := store.New(tx)
		if err := s.mayKeepDigests(ctx, q); err != nil {
			return nil, err
		}
		for _, f := range req.GetFigures() {
			if err := q.InsertUserFigure(ctx, store.InsertUserFigureParams{
				OperatorID: f.GetOperatorId(), Month: f.GetMonth(), Users: f.GetUsers(), Source: f.GetSource(), LoadedBy: doneBy(ctx),
			}); err != nil {
				return nil, err
			}
		}
		return &disclosurev1.LoadUserFiguresResponse{Loaded: int32(len(req.GetFigures()))}, nil //nolint:gosec // at most 500
	})
}
