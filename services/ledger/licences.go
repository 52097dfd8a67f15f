package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/pg"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// ListLicences says which licences a firm holds at a time. Whom the ledger does not know holds none.
func (s *Server) ListLicences(ctx context.Context, req *ledgerv1.ListLicencesRequest) (*ledgerv1.ListLicencesResponse, error) {
	q, at := store.New(s.db), s.now()
	if t := timeOf(req.GetAt()); t != nil {
		at = *t
	}
	h, err := q.HolderByCreditCode(ctx, req.GetCreditCode())
	if errors.Is(err, pgx.ErrNoRows) {
		return &ledgerv1.ListLicencesResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	return licencesOf(ctx, q, h, at, req)
}

// licencesOf is a page of a firm's licences, by number. They are few: all are read.
func licencesOf(ctx context.Context, q *store.Queries, h store.Holder, at time.Time, req *ledgerv1.ListLicencesRequest) (*ledgerv1.ListLicencesResponse, error) {
	after := ""
	if parts, err := pg.DecodeToken(req.GetPageToken(), 1); err != nil {
		return nil, err
	} else if parts != nil {
		after = parts[0]
	}
	rows, err := q.LicencesOf(ctx, store.LicencesOfParams{HolderID: h.HolderID, At: at})
	if err != nil {
		return nil, err
	}
	resp, size := &ledgerv1.ListLicencesResponse{RegisteredNumber: h.Licence}, int(pg.PageSize(req.GetPageSize()))
	for _, l := range rows {
		if l.Number <= after {
			continue
		}
		if len(resp.GetLicences()) == size {
			resp.NextPageToken = pg.EncodeToken(resp.GetLicences()[size-1].GetNumber())
			break
		}
		resp.Licences = append(resp.Licences, licenceProto(l))
	}
	return resp, nil
}
