package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

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
	return licencesOf(ctx, q, h, at)
}

func licencesOf(ctx context.Context, q *store.Queries, h store.Holder, at time.Time) (*ledgerv1.ListLicencesResponse, error) {
	const most = 100
	rows, err := q.LicencesOf(ctx, store.LicencesOfParams{HolderID: h.HolderID, At: at})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.ListLicencesResponse{RegisteredNumber: h.Licence}
	for _, l := range rows[:min(len(rows), most)] {
		resp.Licences = append(resp.Licences, licenceProto(l))
	}
	return resp, nil
}
