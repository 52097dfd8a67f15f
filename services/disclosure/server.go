package disclosure

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// Server implements disclosurev1.DisclosureServiceServer.
type Server struct {
	disclosurev1.UnsafeDisclosureServiceServer // a missing RPC does not compile
	db                                         *pgxpool.Pool
	now                                        func() time.Time
	kinds                                      vocabulary
	rehearsal                                  bool // the digest of a running month may be shown
}

// New makes a server on a migrated database.
func New(db *pgxpool.Pool, now func() time.Time) *Server {
	return &Server{db: db, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
}

// GetPublication returns a publication, or its tombstone, by its identifier or by what it is of.
func (s *Server) GetPublication(ctx context.Context, req *disclosurev1.GetPublicationRequest) (*disclosurev1.GetPublicationResponse, error) {
	q := store.New(s.db)
	id, err := s.named(ctx, q, req.GetPublicationId(), req.GetKind(), req.GetCaseId())
	if err != nil {
		return nil, err
	}
	p, err := s.get(ctx, q, id)
	if err != nil {
		return nil, err
	}
	return &disclosurev1.GetPublicationResponse{Publication: p}, nil
}

// named is the identifier of a publication that is named by it, or by its kind and case.
func (s *Server) named(ctx context.Context, q *store.Queries, id, kind, caseID string) (string, error) {
	switch {
	case (id == "") != (kind != "" && caseID != ""), id != "" && kind+caseID != "":
		return "", errs.Field("publication_id", "name the publication, or its kind and case")
	case id != "":
		return id, nil
	}
	id, err := q.PublicationOfCase(ctx, store.PublicationOfCaseParams{Kind: kind, CaseID: &caseID})
	if err != nil {
		return "", errs.NotFound(err, "nothing of that kind was published of it")
	}
	return id, nil
}

// ListPublications lists live publications, newest first.
func (s *Server) ListPublications(ctx context.Context, req *disclosurev1.ListPublicationsRequest) (*disclosurev1.ListPublicationsResponse, error) {
	out, next, err := s.page(ctx, req.GetKind(), pg.PageSize(req.GetPageSize()), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &disclosurev1.ListPublicationsResponse{Publications: out, NextPageToken: next}, nil
}

func (s *Server) page(ctx context.Context, kind string, size int32, token string) ([]*disclosurev1.Publication, string, error) {
	q := store.New(s.db)
	known, err := s.kinds.read(ctx, q)
	if err != nil {
		return nil, "", err
	}
	arg := store.SearchLiveParams{At: s.now(), PageSize: size, Grams: []string{}}
	if arg.Kinds, err = kindsNamed(known, kind); err != nil {
		return nil, "", err
	}
	before, id, ok, err := pg.DecodeTimeToken(token)
	if err != nil {
		return nil, "", err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	return s.live(ctx, q, arg)
}

// Audit returns live publications, what should not be, or what came late.
func (s *Server) Audit(ctx context.Context, req *disclosurev1.AuditRequest) (*disclosurev1.AuditResponse, error) {
	size := int32(pg.MaxPageSize)
	if req.GetPageSize() > 0 {
		size = pg.PageSize(req.GetPageSize())
	}
	if req.GetWhat() != "publications" {
		return s.sentences(ctx, req.GetWhat(), req.GetPageToken(), size)
	}
	out, next, err := s.page(ctx, "", size, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &disclosurev1.AuditResponse{Publications: out, NextPageToken: next}, nil
}

// sentences are paged by what they say too: one row may break several rules.
func (s *Server) sentences(ctx context.Context, what, token string, size int32) (*disclosurev1.AuditResponse, error) {
	parts, err := pg.DecodeToken(token, 2)
	if err != nil {
		return nil, err
	}
	if parts == nil {
		parts = []string{uuid.Nil.String(), ""}
	}
	if uuid.Validate(parts[0]) != nil {
		return nil, badToken()
	}
	var rows []store.AuditViolationsRow
	if q := store.New(s.db); what == "late" {
		var late []store.AuditLateRow
		late, err = q.AuditLate(ctx, store.AuditLateParams{After: parts[0], AfterWhat: parts[1], PageSize: size})
		for _, r := range late {
			rows = append(rows, store.AuditViolationsRow(r))
		}
	} else {
		rows, err = q.AuditViolations(ctx, store.AuditViolationsParams{After: parts[0], AfterWhat: parts[1], At: s.now(), PageSize: size})
	}
	if err != nil {
		return nil, err
	}
	resp := &disclosurev1.AuditResponse{}
	for _, r := range rows {
		resp.Violations = append(resp.Violations, r.ID+": "+r.What)
	}
	if len(rows) == int(size) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.EncodeToken(last.ID, last.What)
	}
	return resp, nil
}

func badToken() error {
	return errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is not one of this list")
}

const (
	endsEvery = time.Minute
	endsBatch = 500
)

// AnnounceEnds tells those who follow the register what came down by its time.
func (s *Server) AnnounceEnds(ctx context.Context) error {
	for {
		n, err := store.New(s.db).AnnounceEnds(ctx, store.AnnounceEndsParams{At: s.now(), N: endsBatch})
		if err != nil || n < endsBatch {
			return err
		}
	}
}

// announceEnds does so every minute until ctx ends.
func (s *Server) announceEnds(ctx context.Context) {
	tick := time.NewTicker(endsEvery)
	defer tick.Stop()
	for {
		if err := s.AnnounceEnds(ctx); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "ends of publications are not announced; tried again in a minute", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
