package disclosure

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// digestRow is what every query of digests returns; the rows of the others convert to it.
type digestRow store.GetDigestRow

// GetDigest returns a version of a month's digest.
func (s *Server) GetDigest(ctx context.Context, req *disclosurev1.GetDigestRequest) (*disclosurev1.GetDigestResponse, error) {
	q, edition := store.New(s.db), publicEdition
	sees, err := s.sees(ctx, q)
	if err != nil {
		return nil, err
	}
	if sees && req.GetEdition() != publicEdition {
		edition = internalEdition
	}
	row, err := q.GetDigest(ctx, store.GetDigestParams{
		Month: req.GetMonth(), Version: req.GetVersion(), Released: !sees,
	})
	if err != nil {
		return nil, errs.NotFound(err, "no such digest")
	}
	out, err := readDigest(ctx, s.db, digestRow(row), edition)
	if err != nil {
		return nil, err
	}
	return &disclosurev1.GetDigestResponse{Digest: out}, nil
}

// readDigest is an edition of a digest as it is served. The public learns of no reporters and of nothing that a row joins.
func readDigest(ctx context.Context, db store.DBTX, row digestRow, edition string) (*disclosurev1.Digest, error) {
	d, err := readTables(ctx, store.New(db), row.Digest.DigestID, edition)
	if err != nil {
		return nil, err
	}
	row.head(d, edition)
	if edition == publicEdition {
		for _, t := range d.GetTables() {
			for _, r := range t.GetRows() {
				r.Reporters, r.Members = 0, nil
			}
		}
	}
	return d, nil
}

// head fills in what a digest says of itself.
func (r digestRow) head(out *disclosurev1.Digest, edition string) {
	d := r.Digest
	out.DigestId, out.Month, out.Version, out.Title, out.Total = d.DigestID, d.Month, d.Version, d.Title, d.Total
	out.CutHash, out.Rounding, out.BuildTime, out.Note = d.CutHash, d.Rounding, timestamppb.New(d.BuildTime), d.Note
	out.State, out.Edition, out.MinReporters = "draft", edition, d.MinReporters
	out.Previous, out.PreviousYear = d.Previous, d.PreviousYear
	if d.CutTime != nil {
		out.CutTime = timestamppb.New(*d.CutTime)
	}
	if r.ReleaseTime != nil {
		out.State, out.ReleaseTime, out.ReleasedByAgency = "released", timestamppb.New(*r.ReleaseTime), *r.ReleasedByAgency
	}
	if edition == publicEdition && d.TotalHidden {
		out.Total, out.TotalHidden = 0, true
	}
}

// ListDigests lists digests, the newest first.
func (s *Server) ListDigests(ctx context.Context, req *disclosurev1.ListDigestsRequest) (*disclosurev1.ListDigestsResponse, error) {
	after, err := pg.DecodeToken(req.GetPageToken(), 2)
	if err != nil {
		return nil, err
	}
	q := store.New(s.db)
	sees, err := s.sees(ctx, q)
	if err != nil {
		return nil, err
	}
	p := store.ListDigestsParams{Released: !sees, PageSize: pg.PageSize(req.GetPageSize()) + 1}
	if after != nil {
		version, err := strconv.ParseInt(after[1], 10, 32)
		if err != nil {
			return nil, errs.Field("page_token", "was not made here")
		}
		p.BeforeMonth, p.BeforeVersion = after[0], int32(version)
	}
	rows, err := q.ListDigests(ctx, p)
	if err != nil {
		return nil, err
	}
	resp := &disclosurev1.ListDigestsResponse{}
	if len(rows) == int(p.PageSize) {
		rows = rows[:len(rows)-1]
		last := rows[len(rows)-1].Digest
		resp.NextPageToken = pg.EncodeToken(last.Month, strconv.Itoa(int(last.Version)))
	}
	edition := publicEdition
	if sees {
		edition = internalEdition
	}
	for _, r := range rows {
		d := &disclosurev1.Digest{}
		digestRow(r).head(d, edition)
		resp.Digests = append(resp.Digests, d)
	}
	return resp, nil
}

// ListDigestCounts lists what a digest was made from, without the pseudonyms of reporters.
func (s *Server) ListDigestCounts(ctx context.Context, req *disclosurev1.ListDigestCountsRequest) (*disclosurev1.ListDigestCountsResponse, error) {
	const usual, most, parts = 500, 5000, 3
	q := store.New(s.db)
	if sees, err := s.sees(ctx, q); err != nil || !sees {
		return nil, errors.Join(err, s.mayKeepDigests(ctx, q))
	}
	d, err := q.GetDigest(ctx, store.GetDigestParams{Month: req.GetMonth(), Version: req.GetVersion()})
	if err != nil {
		return nil, errs.NotFound(err, "no such digest")
	}
	after, err := pg.DecodeToken(req.GetPageToken(), parts)
	if err != nil {
		return nil, err
	}
	if after == nil {
		after = []string{"", "0", "0"}
	}
	number, err1 := strconv.ParseInt(after[1], 10, 32)
	skip, err2 := strconv.ParseUint(after[2], 10, 16)
	if err1 != nil || err2 != nil {
		return nil, errs.Field("page_token", "was not made here")
	}
	page, err := q.FrozenPage(ctx, store.FrozenPageParams{DigestID: d.Digest.DigestID, Owner: after[0], Page: int32(number)})
	if errors.Is(err, pgx.ErrNoRows) {
		return &disclosurev1.ListDigestCountsResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	var frozen disclosurev1.FreezeCountsRequest
	if err := proto.Unmarshal(page.Body, &frozen); err != nil {
		return nil, fmt.Errorf("frozen page: %w", err)
	}
	if page.Owner != after[0] || page.Page != int32(number) {
		skip = 0
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = usual
	}
	counts := frozen.GetCounts()[min(int(skip), len(frozen.GetCounts())):]
	next := pg.EncodeToken(page.Owner, strconv.Itoa(int(page.Page)+1), "0")
	if size = min(size, most); len(counts) > size {
		counts, next = counts[:size], pg.EncodeToken(page.Owner, strconv.Itoa(int(page.Page)), strconv.Itoa(int(skip)+size))
	}
	resp := &disclosurev1.ListDigestCountsResponse{NextPageToken: next} // the page behind the last is empty
	for _, c := range counts {
		c.Witnesses = nil
		resp.Counts = append(resp.Counts, &disclosurev1.OwnedCount{Owner: page.Owner, Count: c})
	}
	return resp, nil
}
