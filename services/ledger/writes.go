package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// RegisterHolder enters a holder, or returns the one with the same credit code as it is already known.
func (s *Server) RegisterHolder(ctx context.Context, req *ledgerv1.RegisterHolderRequest) (*ledgerv1.RegisterHolderResponse, error) {
	in := req.GetHolder()
	if err := checkHolder(in); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.RegisterHolderResponse, error) {
		q := store.New(tx)
		if code := in.GetCreditCode(); code != "" {
			if err := q.LockKey(ctx, "holder/"+code); err != nil {
				return nil, err
			}
			h, err := q.HolderByCreditCode(ctx, code)
			if err == nil {
				return &ledgerv1.RegisterHolderResponse{Holder: holderProto(h)}, nil
			}
			if !errors.Is(err, pgx.ErrNoRows) {
				return nil, err
			}
		}
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		h := store.Holder{
			HolderID: id.String(), Name: in.GetName(), CreditCode: in.GetCreditCode(), Licence: in.GetLicence(),
			Sector: in.GetSector(), AgencyID: in.GetAgencyId(), CreatedBy: doneBy(identity.ActorOf(ctx)),
		}
		err = q.InsertHolder(ctx, store.InsertHolderParams{
			HolderID: h.HolderID, Name: h.Name, CreditCode: h.CreditCode, Licence: h.Licence,
			Sector: h.Sector, AgencyID: h.AgencyID, CreatedBy: h.CreatedBy,
		})
		if err != nil {
			return nil, err
		}
		return &ledgerv1.RegisterHolderResponse{Holder: holderProto(h)}, nil
	})
}

// get is a resource as it is at a time.
func get(ctx context.Context, q *store.Queries, resource string, at time.Time) (*ledgerv1.Resource, error) {
	row, err := q.GetResource(ctx, store.GetResourceParams{ResourceID: resource, At: at, SeesAll: true})
	if err != nil {
		return nil, errs.NotFound(err, "no such resource")
	}
	return resourceOf(row.Allocation, row.Holder, principal(row.Allocation, row.PrincipalName, row.PrincipalCode), row.State), nil
}
