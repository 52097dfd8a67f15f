package disclosure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// owners are who must have counted before there is a digest.
const owners = 3

// earlyNote is what the schedule says of a version that replaces one from before the month's end.
const earlyNote = "月份终了后重新统计"

// FreezeCounts keeps a page of an owner's counts. All pages of an owner are of one cut.
func (s *Server) FreezeCounts(ctx context.Context, req *disclosurev1.FreezeCountsRequest) (*disclosurev1.FreezeCountsResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.FreezeCountsResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "digest/"+req.GetDigestId()); err != nil {
			return nil, err
		}
		if _, err := q.DigestByID(ctx, req.GetDigestId()); !errors.Is(err, pgx.ErrNoRows) {
			if err != nil {
				return nil, err
			}
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
				"the digest has been drafted: what it was made from stays as it is")
		}
		if _, err := q.FreezeCut(ctx, store.FreezeCutParams{
			DigestID: req.GetDigestId(), Owner: req.GetOwner(), Cut: req.GetCut(), CutTime: req.GetCutTime().AsTime(),
		}); err != nil {
			return nil, err
		}
		cut, err := q.CutOf(ctx, store.CutOfParams{DigestID: req.GetDigestId(), Owner: req.GetOwner()})
		if err != nil {
			return nil, err
		}
		if cut != req.GetCut() {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
				"%s counted for this digest as of cut %d", req.GetOwner(), cut)
		}
		body, err := proto.MarshalOptions{Deterministic: true}.Marshal(&disclosurev1.FreezeCountsRequest{Counts: req.GetCounts()})
		if err != nil {
			return nil, err
		}
		n := int32(len(req.GetCounts())) //nolint:gosec // at most a page
		err = q.FreezePage(ctx, store.FreezePageParams{DigestID: req.GetDigestId(), Owner: req.GetOwner(), Page: req.GetPage(), Counts: n, Body: body})
		if pg.Constraint(err) == "digest_page_pkey" {
			return nil, errs.Field("page", "is frozen already")
		}
		return &disclosurev1.FreezeCountsResponse{Frozen: n}, err
	})
}

// RecordDigest drafts the next version of a month's digest from what was frozen for it. A digest that is known by its
// identifier is returned as it is; so is the month's, when the schedule asks for a month that has one.
func (s *Server) RecordDigest(ctx context.Context, req *disclosurev1.RecordDigestRequest) (*disclosurev1.RecordDigestResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.RecordDigestResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "digest/"+req.GetMonth()); err != nil {
			return nil, err
		}
		row, err := q.DigestByID(ctx, req.GetDigestId())
		d := digestRow(row)
		if errors.Is(err, pgx.ErrNoRows) {
			d, err = s.draft(ctx, tx, req)
		}
		if err != nil {
			return nil, err
		}
		out, err := readDigest(ctx, tx, d, internalEdition)
		if err != nil {
			return nil, err
		}
		return &disclosurev1.RecordDigestResponse{Digest: out}, nil
	})
}

func (s *Server) draft(ctx context.Context, tx pgx.Tx, req *disclosurev1.RecordDigestRequest) (digestRow, error) {
	q := store.New(tx)
	if req.GetDraftedBy() != "" {
		if err := s.isKeeper(ctx, q, req.GetDraftedByAgency()); err != nil {
			return digestRow{}, err
		}
	}
	last, err := q.LastVersion(ctx, req.GetMonth())
	if err != nil {
		return digestRow{}, err
	}
	if last > 0 && req.GetDraftedBy() == "" {
		row, err := q.GetDigest(ctx, store.GetDigestParams{Month: req.GetMonth()})
		if err != nil || row.Digest.CutTime != nil && over(req.GetMonth(), *row.Digest.CutTime) {
			return digestRow(row), err
		}
		req.Note = earlyNote // what was drafted before the month was over is not the month's
	}
	if last > 0 && req.GetNote() == "" {
		return digestRow{}, errs.Field("note", "must say what version %d corrects", last+1)
	}
	b, err := s.building(ctx, q, req)
	if err != nil {
		return digestRow{}, err
	}
	if err := s.mayBeOf(req.GetMonth(), *b.digest.CutTime); err != nil {
		return digestRow{}, err
	}
	b.digest.Version = last + 1
	if err := b.write(ctx, tx); err != nil {
		return digestRow{}, err
	}
	row, err := q.DigestByID(ctx, req.GetDigestId())
	return digestRow(row), err
}

// building is a digest on its way to the tables.
type building struct {
	making
	digest         store.InsertDigestParams
	previous, year map[string]*compared // by edition
}

// building gathers all that a draft is made from.
func (s *Server) building(ctx context.Context, q *store.Queries, req *disclosurev1.RecordDigestRequest) (*building, error) {
	now := s.now()
	month, err := time.ParseInLocation("2006-01", req.GetMonth(), calendar.Shanghai)
	if err != nil {
		return nil, errs.Field("month", "must be YYYY-MM")
	}
	policy, err := q.DigestPolicy(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("policy of digests: %w", err)
	}
	cut, err := q.OldestCut(ctx, req.GetDigestId())
	if err != nil || cut.Owners != owners {
		return nil, errors.Join(err, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"not everybody's counts are frozen for this digest"))
	}
	pages, err := q.FrozenPages(ctx, req.GetDigestId())
	if err != nil {
		return nil, err
	}
	b := &building{making: making{names: map[string]string{}, users: map[string]int64{}, least: int64(policy.MinReporters)}}
	for _, n := range req.GetNames() {
		b.names[n.GetKey()] = n.GetName()
	}
	counted := newMonth()
	for _, p := range pages {
		if err := counted.page(p.Owner, p.Body); err != nil {
			return nil, err
		}
	}
	b.sums = counted.sums
	b.digest = store.InsertDigestParams{
		DigestID: req.GetDigestId(), Month: req.GetMonth(), Title: titleOf(policy.Title, req.GetMonth()), CutHash: counted.hash(), Rounding: rounding,
		MinReporters: policy.MinReporters, BuildTime: now, Note: req.GetNote(), DraftedBy: req.GetDraftedBy(), DraftedByAgency: req.GetDraftedByAgency(), CutTime: &cut.CutTime,
	}
	if all := b.sums[source{"reporting", inReports, "total"}]["verified"]; all != nil {
		b.digest.Total = all.count
		b.digest.TotalHidden = all.people.size() < b.least
	} else {
		b.digest.TotalHidden = true
	}
	return b, b.besides(ctx, q, month)
}

// besides reads what the counts themselves do not say: users, earlier versions, the months to compare with.
func (b *building) besides(ctx context.Context, q *store.Queries, month time.Time) error {
	figures, err := q.UserFigures(ctx, store.UserFiguresParams{Month: b.digest.Month, Since: month.AddDate(-1, 0, 0).Format("2006-01")})
	if err != nil {
		return err
	}
	for _, f := range figures {
		b.users[f.OperatorID] = f.Users
	}
	e, err := earlierVersions(ctx, q, b.digest.Month)
	if err != nil {
		return err
	}
	b.before, b.untold = e.joined, e.untold
	if b.previous, err = comparisons(ctx, q, month.AddDate(0, -1, 0)); err != nil {
		return err
	}
	if b.year, err = comparisons(ctx, q, month.AddDate(-1, 0, 0)); err != nil {
		return err
	}
	b.digest.Previous, b.digest.PreviousYear = b.previous[publicEdition].name(), b.year[publicEdition].name()
	return nil
}
