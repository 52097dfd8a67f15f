package ledger

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// AttachSeat connects a seat to a line, or replaces such a row. The seat is entered with its first line.
func (s *Server) AttachSeat(ctx context.Context, req *ledgerv1.AttachSeatRequest) (*ledgerv1.AttachSeatResponse, error) {
	in := req.GetSeat()
	e, err := s.entry(ctx, req, in.GetValidFrom(), in.GetValidTo())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.AttachSeatResponse, error) {
		q := store.New(tx)
		if _, err := allocatedAt(ctx, q, in.GetResourceId(), e.from); err != nil {
			return nil, err
		}
		if err := lasting(ctx, q, in.GetResourceId(), &e); err != nil {
			return nil, err
		}
		seat, err := seatOf(ctx, q, in)
		if err != nil {
			return nil, err
		}
		if e.corrects != nil {
			if old, err := q.CloseSeatLine(ctx, *e.corrects); err != nil {
				return nil, replaced(err)
			} else if old.SeatID != seat.SeatID {
				return nil, other("seat")
			}
		}
		row, err := q.InsertSeatLine(ctx, store.InsertSeatLineParams{
			SeatLineID: e.id, SeatID: seat.SeatID, ResourceID: in.GetResourceId(), ValidFrom: e.from, ValidTo: e.to,
			Corrects: e.corrects, Reason: e.reason, CreatedBy: e.by,
		})
		if err != nil {
			return nil, recorded(err, "this seat on this line")
		}
		return &ledgerv1.AttachSeatResponse{Seat: seatProto(row, seat)}, nil
	})
}

// seatOf is a call centre's seat by its own code, entered when it is new.
func seatOf(ctx context.Context, q *store.Queries, in *ledgerv1.Seat) (store.Seat, error) {
	if _, err := q.HolderByID(ctx, in.GetHolderId()); err != nil {
		return store.Seat{}, errs.NotFound(err, "no such call centre")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return store.Seat{}, err
	}
	seat, err := q.UpsertSeat(ctx, store.UpsertSeatParams{
		SeatID: id.String(), HolderID: in.GetHolderId(), Code: in.GetCode(), Province: in.GetProvince(),
		CreatedBy: doneBy(identity.ActorOf(ctx)),
	})
	if !errors.Is(err, pgx.ErrNoRows) {
		return seat, err
	}
	if seat, err = q.SeatByCode(ctx, store.SeatByCodeParams{HolderID: in.GetHolderId(), Code: in.GetCode()}); err != nil {
		return seat, err
	}
	if seat.Province != in.GetProvince() {
		return seat, errs.Field("seat.province", "this seat stands in province %s; one that moves gets a code of its own", seat.Province)
	}
	return seat, nil
}

// ListSeats lists the seats on a line, or the lines of a call centre's seats.
func (s *Server) ListSeats(ctx context.Context, req *ledgerv1.ListSeatsRequest) (*ledgerv1.ListSeatsResponse, error) {
	after, err := afterID(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	resource, err := optionalID("resource_id", req.GetResourceId())
	if err != nil {
		return nil, err
	}
	holder, err := optionalID("holder_id", req.GetHolderId())
	if err != nil {
		return nil, err
	}
	if resource == nil && holder == nil {
		return nil, errs.Field("resource_id", "name a line or a call centre")
	}
	at := s.now()
	if t := timeOf(req.GetAt()); t != nil {
		at = *t
	}
	all, agency := sees(ctx)
	size := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ListSeats(ctx, store.ListSeatsParams{
		At: at, After: after, ResourceID: resource, HolderID: holder, SeesAll: all, AgencyID: agency, PageSize: size,
	})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.ListSeatsResponse{}
	for _, r := range rows {
		resp.Seats = append(resp.Seats, seatProto(r.SeatLine, r.Seat))
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[size-1].SeatLine.SeatLineID)
	}
	return resp, nil
}

func seatProto(l store.SeatLine, seat store.Seat) *ledgerv1.Seat {
	return &ledgerv1.Seat{
		SeatLineId: l.SeatLineID, SeatId: seat.SeatID, HolderId: seat.HolderID, Code: seat.Code, Province: seat.Province,
		ResourceId: l.ResourceID, ValidFrom: timestamppb.New(l.ValidFrom), ValidTo: timeProto(l.ValidTo),
	}
}
