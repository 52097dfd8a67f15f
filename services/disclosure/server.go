package disclosure

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

var creditCode = regexp.MustCompile(`^[0-9A-Z]{18}$`)

// Server implements disclosurev1.DisclosureServiceServer.
type Server struct {
	disclosurev1.UnsafeDisclosureServiceServer // a missing RPC does not compile
	db                                         *pgxpool.Pool
	now                                        func() time.Time
}

// New makes a server on a migrated database.
func New(db *pgxpool.Pool, now func() time.Time) *Server {
	return &Server{db: db, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
}

// Publish publishes an item that passes the gate of its kind, once per case, or says why not.
func (s *Server) Publish(ctx context.Context, req *disclosurev1.PublishRequest) (*disclosurev1.PublishResponse, error) {
	p, g, now := req.GetPublication(), req.GetGate(), s.now()
	if err := checkKind(p); err != nil {
		return nil, err
	}
	because, err := gate(p.GetKind(), g, now)
	if err != nil {
		return nil, err
	}
	if because != "" { // nothing is written
		return &disclosurev1.PublishResponse{NotPublishedBecause: because}, nil
	}
	if err := checkWords(p); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.PublishResponse, error) {
		q := store.New(tx)
		id, err := s.published(ctx, q, p)
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = s.enter(ctx, q, p, g, now)
		}
		if err != nil {
			return nil, err
		}
		out, err := get(ctx, q, id, now)
		if err != nil {
			return nil, err
		}
		return &disclosurev1.PublishResponse{Publication: out}, nil
	})
}

// published finds what was published of the same case already.
func (s *Server) published(ctx context.Context, q *store.Queries, p *disclosurev1.Publication) (string, error) {
	if p.GetCaseId() == "" {
		return "", pgx.ErrNoRows
	}
	if err := q.LockKey(ctx, "publication/"+p.GetKind()+"/"+p.GetCaseId()); err != nil {
		return "", err
	}
	return q.PublicationOfCase(ctx, store.PublicationOfCaseParams{Kind: p.GetKind(), CaseID: optional(p.GetCaseId())})
}

func (s *Server) enter(ctx context.Context, q *store.Queries, p *disclosurev1.Publication, g *disclosurev1.Gate, now time.Time) (string, error) {
	of := ""
	if p.GetKind() == penalty {
		of = g.GetPenaltyKind()
	}
	months, err := q.TakeDownMonths(ctx, store.TakeDownMonthsParams{Kind: p.GetKind(), PenaltyKind: of, At: now})
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"the policy does not say when such an item is taken down")
	}
	if err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return id.String(), q.InsertPublication(ctx, store.InsertPublicationParams{
		PublicationID: id.String(), Kind: p.GetKind(), Title: p.GetTitle(), PartyName: p.GetPartyName(), CreditCode: p.GetCreditCode(),
		AgencyID: p.GetAgencyId(), Summary: p.GetSummary(), CaseID: optional(p.GetCaseId()), PenaltyKind: of,
		SocialImpact: g.GetSocialImpact(), NoticeTime: timeOf(g.GetNoticeTime()), DecidedTime: timeOf(g.GetDecidedTime()),
		DeliveredTime: timeOf(g.GetDeliveredTime()), WarnedTime: timeOf(g.GetWarnedTime()),
		PublishTime: now, TakeDownTime: takeDown(now, int(months)), PublishedBy: doneBy(ctx),
	})
}

func checkKind(p *disclosurev1.Publication) error {
	switch p.GetKind() {
	case penalty, listing, recallNotice, recall:
		if uuid.Validate(p.GetCaseId()) != nil {
			return errs.Field("publication.case_id", "must name the case, or the recall")
		}
	case exposure:
		if p.GetCaseId() != "" && uuid.Validate(p.GetCaseId()) != nil {
			return errs.Field("publication.case_id", "must be a UUID")
		}
	default:
		return errs.Field("publication.kind", "must be penalty, listing, exposure, recall_notice or recall")
	}
	return nil
}

func checkWords(p *disclosurev1.Publication) error {
	for _, f := range []struct {
		path, text string
		least, max int
	}{
		{"publication.title", p.GetTitle(), 1, 200},
		{"publication.party_name", p.GetPartyName(), 1, 200},
		{"publication.agency_id", p.GetAgencyId(), 1, 60},
		{"publication.summary", p.GetSummary(), 0, 4000},
	} {
		if n := len([]rune(f.text)); n < f.least || n > f.max {
			return errs.Field(f.path, "must have %d to %d characters", f.least, f.max)
		}
	}
	if p.GetCreditCode() != "" && !creditCode.MatchString(p.GetCreditCode()) {
		return errs.Field("publication.credit_code", "must be 18 digits and capital letters")
	}
	return nil
}

// WithdrawPublication takes a publication back; a tombstone stays. Withdrawing again keeps the first reason.
func (s *Server) WithdrawPublication(ctx context.Context, req *disclosurev1.WithdrawPublicationRequest) (*disclosurev1.WithdrawPublicationResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.WithdrawPublicationResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "withdrawal/"+req.GetPublicationId()); err != nil {
			return nil, err
		}
		now := s.now()
		p, err := get(ctx, q, req.GetPublicationId(), now)
		if err != nil {
			return nil, err
		}
		if identity.CallerOf(ctx) != accessv1.Caller_CALLER_WORKFLOWS && identity.ActorOf(ctx).GetAgencyId() != p.GetAgencyId() {
			return nil, errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
				"only %s, which published the item, may withdraw it", p.GetAgencyId())
		}
		if p.GetState() != withdrawn {
			err := q.InsertWithdrawal(ctx, store.InsertWithdrawalParams{
				PublicationID: p.GetPublicationId(), Reason: req.GetReason(), WithdrawnBy: doneBy(ctx), WithdrawnTime: now,
			})
			if err != nil {
				return nil, err
			}
			if p, err = get(ctx, q, req.GetPublicationId(), now); err != nil {
				return nil, err
			}
		}
		return &disclosurev1.WithdrawPublicationResponse{Publication: p}, nil
	})
}

// GetPublication returns a publication, or its tombstone, by its identifier or by what it is of.
func (s *Server) GetPublication(ctx context.Context, req *disclosurev1.GetPublicationRequest) (*disclosurev1.GetPublicationResponse, error) {
	q, id := store.New(s.db), req.GetPublicationId()
	if named := req.GetKind() != "" && req.GetCaseId() != ""; named == (id != "") {
		return nil, errs.Field("publication_id", "must name the publication, or kind and case_id what it is of")
	}
	if id == "" {
		var err error
		id, err = q.PublicationOfCase(ctx, store.PublicationOfCaseParams{Kind: req.GetKind(), CaseID: optional(req.GetCaseId())})
		if err != nil {
			return nil, errs.NotFound(err, "no such publication")
		}
	}
	p, err := get(ctx, q, id, s.now())
	if err != nil {
		return nil, err
	}
	return &disclosurev1.GetPublicationResponse{Publication: p}, nil
}

// ListPublications lists live publications, newest first.
func (s *Server) ListPublications(ctx context.Context, req *disclosurev1.ListPublicationsRequest) (*disclosurev1.ListPublicationsResponse, error) {
	switch req.GetKind() {
	case "", penalty, listing, exposure, recallNotice, recall:
	default:
		return nil, errs.Field("kind", "must be penalty, listing, exposure, recall_notice or recall")
	}
	out, next, err := s.page(ctx, req.GetKind(), pg.PageSize(req.GetPageSize()), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &disclosurev1.ListPublicationsResponse{Publications: out, NextPageToken: next}, nil
}

func (s *Server) page(ctx context.Context, kind string, size int32, token string) ([]*disclosurev1.Publication, string, error) {
	now := s.now()
	arg := store.ListPublicationsParams{At: now, Kind: kind, PageSize: size}
	before, id, ok, err := pg.DecodeTimeToken(token)
	if err != nil {
		return nil, "", err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := store.New(s.db).ListPublications(ctx, arg)
	if err != nil {
		return nil, "", err
	}
	out := make([]*disclosurev1.Publication, 0, len(rows))
	for _, r := range rows {
		out = append(out, publicationRow(r).proto(now))
	}
	next := ""
	if len(rows) == int(size) {
		last := rows[len(rows)-1].Publication
		next = pg.TimeToken(last.PublishTime, last.PublicationID)
	}
	return out, next, nil
}

// Audit returns live publications, or what should not be.
func (s *Server) Audit(ctx context.Context, req *disclosurev1.AuditRequest) (*disclosurev1.AuditResponse, error) {
	size := int32(pg.MaxPageSize)
	if req.GetPageSize() > 0 {
		size = pg.PageSize(req.GetPageSize())
	}
	if req.GetWhat() == "violations" {
		return s.violations(ctx, req.GetPageToken(), size)
	}
	out, next, err := s.page(ctx, "", size, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &disclosurev1.AuditResponse{Publications: out, NextPageToken: next}, nil
}

func (s *Server) violations(ctx context.Context, token string, size int32) (*disclosurev1.AuditResponse, error) {
	after := uuid.Nil.String()
	parts, err := pg.DecodeToken(token, 1)
	if err != nil {
		return nil, err
	}
	if parts != nil {
		if after = parts[0]; uuid.Validate(after) != nil {
			return nil, errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR,
				"the page token is not one of this list")
		}
	}
	rows, err := store.New(s.db).AuditViolations(ctx, store.AuditViolationsParams{After: after, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &disclosurev1.AuditResponse{}
	for _, r := range rows {
		resp.Violations = append(resp.Violations, r.ID+": "+r.What)
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[size-1].ID)
	}
	return resp, nil
}
