package credit

import (
	"context"
	"encoding/csv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

var firstID = uuid.Nil.String()

// ListQuarter is what a quarter publishes: entries of that quarter that still stand, in the six fields of the notice.
func (s *Server) ListQuarter(ctx context.Context, req *creditv1.ListQuarterRequest) (*creditv1.ListQuarterResponse, error) {
	after, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	now, q := s.now(), store.New(s.db)
	from, to := quarterOf(int(req.GetYear()), int(req.GetQuarter())), quarterOf(int(req.GetYear()), int(req.GetQuarter())+1)
	arg := store.QuarterRowsParams{List: req.GetList(), FromTime: &from, ToTime: &to, At: &now, PageSize: pg.PageSize(req.GetPageSize())}
	if ok {
		arg.AfterTime, arg.AfterID = &after, &id
	}
	if now.Before(to) && !readsAhead(ctx) {
		arg.ToTime = &from
	}
	rows, err := q.QuarterRows(ctx, arg)
	if err != nil {
		return nil, err
	}
	until := to
	if now.Before(to) {
		until = now
	}
	standing, err := q.Standing(ctx, store.StandingParams{List: req.GetList(), At: &until})
	if err != nil {
		return nil, err
	}
	resp := &creditv1.ListQuarterResponse{PublishFrom: stamp(&to), Standing: standing}
	for _, l := range rows {
		resp.Rows = append(resp.Rows, &creditv1.QuarterRow{
			ListingId: l.ListingID, PartyName: l.PartyName, CreditCode: l.CreditCode, Licence: l.Licence, DecidedDate: day(*l.DecidedTime),
			Ground: l.GroundName, AgencyId: l.AgencyID,
		})
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(*last.DecidedTime, last.ListingID)
	}
	resp.Csv, err = table(resp.GetRows())
	return resp, err
}

// readsAhead says whether the caller reads what a quarter has not published yet: the mesh and officials do. An operator does
// not, and neither does a statistician, who may be an operator's.
func readsAhead(ctx context.Context) bool {
	v, a := viewerOf(ctx), identity.ActorOf(ctx)
	return v.all || !v.operator && identity.HasRole(a, accessv1.Role_ROLE_CASEWORKER, accessv1.Role_ROLE_REVIEWER, accessv1.Role_ROLE_HEAD,
		accessv1.Role_ROLE_REGISTRAR)
}

// table is the six fields as CSV.
func table(rows []*creditv1.QuarterRow) (string, error) {
	var out strings.Builder
	w := csv.NewWriter(&out)
	if err := w.Write([]string{"经营者名称", "统一社会信用代码", "许可证编号", "处理日期", "列入事由", "列入单位"}); err != nil {
		return "", err
	}
	for _, r := range rows {
		cells := []string{r.GetPartyName(), r.GetCreditCode(), r.GetLicence(), r.GetDecidedDate(), r.GetGround(), r.GetAgencyId()}
		for i, c := range cells {
			if strings.ContainsAny(c[:min(len(c), 1)], "=+-@\t\r") { // a spreadsheet must not take a name for a formula
				cells[i] = "'" + c
			}
		}
		if err := w.Write(cells); err != nil {
			return "", err
		}
	}
	w.Flush()
	return out.String(), w.Error()
}

// ListPublicationWork lists what is due to be published, and what is published and has ended.
func (s *Server) ListPublicationWork(ctx context.Context, req *creditv1.ListPublicationWorkRequest) (*creditv1.ListPublicationWorkResponse, error) {
	after, err := idToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := pg.PageSize(req.GetPageSize())
	now := s.now()
	rows, err := store.New(s.db).PublicationWork(ctx, store.PublicationWorkParams{At: &now, After: after, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &creditv1.ListPublicationWorkResponse{}
	for _, l := range rows {
		resp.Listings = append(resp.Listings, proto(l, now, viewerOf(ctx)))
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[size-1].ListingID)
	}
	return resp, nil
}

// RecordListingPublication writes what became of a publication, each once.
func (s *Server) RecordListingPublication(ctx context.Context, req *creditv1.RecordListingPublicationRequest) (*creditv1.RecordListingPublicationResponse, error) {
	if err := checkBecame(req); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.RecordListingPublicationResponse, error) {
		q := store.New(tx)
		if _, err := q.LockListing(ctx, req.GetListingId()); err != nil {
			return nil, noListing(err)
		}
		resp := &creditv1.RecordListingPublicationResponse{}
		switch {
		case req.GetWithdrawn():
			return resp, q.SetUnpublished(ctx, store.SetUnpublishedParams{ListingID: req.GetListingId(), At: new(s.now())})
		case req.GetPenaltyWithdrawn():
			return resp, q.SetPenaltyUnpublished(ctx, store.SetPenaltyUnpublishedParams{ListingID: req.GetListingId(), At: new(s.now())})
		case req.GetPenaltyPublicBecause() != "":
			return resp, q.SetPenaltyKept(ctx, store.SetPenaltyKeptParams{
				ListingID: req.GetListingId(), Because: &req.PenaltyPublicBecause, Until: new(req.GetPenaltyPublicUntil().AsTime()),
			})
		}
		return resp, q.SetPublished(ctx, store.SetPublishedParams{
			ListingID: req.GetListingId(), PublicationID: some(req.GetPublicationId()), Because: some(req.GetNotPublishedBecause()),
		})
	})
}

// checkBecame refuses what does not say one thing of one publication.
func checkBecame(req *creditv1.RecordListingPublicationRequest) error {
	kept := req.GetPenaltyPublicBecause() != ""
	if kept != (req.GetPenaltyPublicUntil() != nil) || kept && req.GetPenaltyWithdrawn() {
		return errs.Field("penalty_public_until", "goes with penalty_public_because, of a penalty that was not withdrawn")
	}
	if !req.GetWithdrawn() && !req.GetPenaltyWithdrawn() && !kept && (req.GetPublicationId() == "") == (req.GetNotPublishedBecause() == "") {
		return errs.Field("publication_id", "names the publication, or not_published_because says why there is none")
	}
	return nil
}

// idToken is the last ID of the page before.
func idToken(token string) (string, error) {
	parts, err := pg.DecodeToken(token, 1)
	if err != nil || parts == nil {
		return firstID, err
	}
	if uuid.Validate(parts[0]) != nil {
		return "", badToken()
	}
	return parts[0], nil
}

func badToken() error {
	return errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is not one of this list")
}
