package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

const (
	loadOpen      = "OPEN"
	loadCompared  = "COMPARED"
	loadApplied   = "APPLIED"
	loadDiscarded = "DISCARDED"
)

// builtInFormats are the mapping files that come with the program.
var builtInFormats = sync.OnceValue(func() map[string]*format.Format {
	m, err := format.Load()
	if err != nil { // our own files
		panic(err)
	}
	return m
})

// LoadLedger begins a load, or returns the one that the sender has begun with the same file.
func (s *Server) LoadLedger(ctx context.Context, req *ledgerv1.LoadLedgerRequest) (*ledgerv1.LoadLedgerResponse, error) {
	f, ok := s.formats[req.GetFormat()]
	if !ok {
		return nil, errs.Field("format", "there is no mapping file of that name")
	}
	if _, err := f.Header(req.GetHeader()); err != nil {
		return nil, errs.Field("header", "%v", err)
	}
	operator, err := loadsFor(ctx, req.GetAccessOperatorId())
	if err != nil {
		return nil, err
	}
	now := s.now()
	asOf := now
	if t := timeOf(req.GetAsOf()); t != nil && (t.After(now) || registrar(identity.ActorOf(ctx))) {
		asOf = *t // an operator's file holds from when it is sent at the earliest
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.LoadLedgerResponse, error) {
		q := store.New(tx)
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		a := identity.ActorOf(ctx)
		_, err = q.InsertLoad(ctx, store.InsertLoadParams{
			LoadID: id.String(), AgencyID: a.GetAgencyId(), AccessOperatorID: operator, Format: req.GetFormat(),
			Header: req.GetHeader(), FileName: req.GetFileName(), FileSha256: req.GetFileSha256(), AsOf: asOf, CreatedBy: doneBy(a), CreatedAt: now,
		})
		if err != nil {
			return nil, err
		}
		row, err := q.LoadOfFile(ctx, store.LoadOfFileParams{
			AgencyID: a.GetAgencyId(), FileSha256: req.GetFileSha256(), Format: req.GetFormat(), AccessOperatorID: operator,
		})
		if err != nil {
			return nil, err
		}
		l, err := loadProto(ctx, q, row)
		return &ledgerv1.LoadLedgerResponse{Load: l}, err
	})
}

// loadsFor is the operator whose part of the ledger a file states. An operator states its own part or that of a branch.
func loadsFor(ctx context.Context, operator string) (string, error) {
	a := identity.ActorOf(ctx)
	switch {
	case registrar(a):
		return operator, nil
	case operator == "":
		return a.GetAgencyId(), nil
	case branchOf(a.GetAgencyId(), operator):
		return operator, nil
	}
	return "", errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
		"an operator loads what it gives access to itself (谁接入谁负责)")
}

// branchOf says whether an access is that of an agency or of a branch of it. A branch does not speak for its head office.
func branchOf(agency, operator string) bool {
	return agency != "" && (operator == agency || strings.HasPrefix(operator, agency+"-"))
}

func registrar(a *commonv1.Actor) bool { return identity.HasRole(a, accessv1.Role_ROLE_REGISTRAR) }

// AddLoadRows stages rows. A load that was compared is open again: its report is no longer that of the file.
func (s *Server) AddLoadRows(ctx context.Context, req *ledgerv1.AddLoadRowsRequest) (*ledgerv1.AddLoadRowsResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.AddLoadRowsResponse, error) {
		q := store.New(tx)
		l, err := lockLoad(ctx, q, req.GetLoadId(), loadOpen, loadCompared)
		if err != nil {
			return nil, err
		}
		h, err := s.headerOf(l)
		if err != nil {
			return nil, err
		}
		staged := store.StageRowsParams{LoadID: l.LoadID}
		resp := &ledgerv1.AddLoadRowsResponse{}
		for _, raw := range lastOfEach(req.GetRows()) {
			if d := stage(&staged, h, raw); d != nil {
				resp.Rejected = append(resp.Rejected, d)
			}
		}
		n, err := q.StageRows(ctx, staged)
		if err != nil {
			return nil, err
		}
		resp.Staged = int32(n)
		return resp, q.ReopenLoad(ctx, l.LoadID)
	})
}

// headerOf reads the header row again, by the format that the load was begun with.
func (s *Server) headerOf(l store.Load) (*format.Header, error) {
	f, ok := s.formats[l.Format]
	if !ok {
		return nil, wrongState("the mapping file %s is not there any more", l.Format)
	}
	return f.Header(l.Header)
}

// lastOfEach keeps the last row of each line, in order.
func lastOfEach(rows []*ledgerv1.LoadRow) []*ledgerv1.LoadRow {
	last := map[int32]int{}
	for i, r := range rows {
		last[r.GetLine()] = i
	}
	out := make([]*ledgerv1.LoadRow, 0, len(last))
	for i, r := range rows {
		if last[r.GetLine()] == i {
			out = append(out, r)
		}
	}
	return out
}

// stage reads a row into the statement that stages it; the difference tells why it cannot be used.
func stage(to *store.StageRowsParams, h *format.Header, raw *ledgerv1.LoadRow) *ledgerv1.LoadDifference {
	row, problem := h.Parse(raw.GetRaw())
	if row == nil {
		row = format.Row{} // nothing of it could be read
	}
	fate, field, reason := fateStaged, "", ""
	var key, last numberKey
	if problem != nil {
		fate, field, reason = fateRejected, problem.Field, problem.Reason
	} else if row[format.About] == format.AboutLicence {
		row[format.First], row[format.Last] = "", "" // it has no numbers
	} else if _, _, err := block(row[format.First], row[format.Last]); err != nil {
		fate, field, reason = fateRejected, h.Format().NameOf(format.First), format.ReasonNumber
	} else if n, err := canonical(row[format.Scheme], row[format.First], row[format.Last]); err != nil {
		fate, field, reason = fateRejected, h.Format().NameOf(format.Scheme), format.ReasonScheme
	} else {
		row[format.Scheme], row[format.First], row[format.Last] = n.scheme, n.first(), n.last()
		key, last = n.from, n.to
	}
	said, err := json.Marshal(row)
	if err != nil { // a map of texts
		said = []byte("{}")
	}
	about := row[format.About]
	if fate == fateRejected {
		about = format.AboutNumber // it is about nothing yet
	}
	to.Abouts = append(to.Abouts, about)
	to.Lines, to.Raws, to.Saids = append(to.Lines, raw.GetLine()), append(to.Raws, raw.GetRaw()), append(to.Saids, string(said))
	to.Schemes, to.Digits = append(to.Schemes, row[format.Scheme]), append(to.Digits, key.digits)
	to.Firsts, to.Lasts = append(to.Firsts, key.value), append(to.Lasts, last.value)
	to.Froms, to.Tos = append(to.Froms, row[format.From]), append(to.Tos, row[format.To])
	to.Fates, to.Fields, to.Reasons = append(to.Fates, fate), append(to.Fields, field), append(to.Reasons, reason)
	if fate == fateStaged {
		return nil
	}
	return &ledgerv1.LoadDifference{Line: raw.GetLine(), Fate: fate, Field: field, Reason: reason}
}

// lockLoad locks a load of the caller's agency that is in one of the states.
func lockLoad(ctx context.Context, q *store.Queries, id string, states ...string) (store.Load, error) {
	a := identity.ActorOf(ctx)
	l, err := q.LockLoad(ctx, store.LockLoadParams{LoadID: id, SeesAll: registrar(a), AgencyID: a.GetAgencyId()})
	if err != nil {
		return l, errs.NotFound(err, "no such load")
	}
	if slices.Contains(states, l.State) {
		return l, nil
	}
	return l, wrongState("the load is %s", l.State)
}

// DiscardLoad gives a load up; what was staged is forgotten.
func (s *Server) DiscardLoad(ctx context.Context, req *ledgerv1.DiscardLoadRequest) (*ledgerv1.DiscardLoadResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.DiscardLoadResponse, error) {
		q := store.New(tx)
		l, err := lockLoad(ctx, q, req.GetLoadId(), loadOpen, loadCompared, loadDiscarded)
		if err != nil {
			return nil, err
		}
		for _, clear := range []func(context.Context, string) error{q.ClearLoadPieces, q.ClearLoadMissing, q.ClearLoadFirms, q.ClearLoadHolders, q.ClearLoadRows, q.SetDiscarded} {
			if err := clear(ctx, l.LoadID); err != nil {
				return nil, err
			}
		}
		l.State = loadDiscarded
		p, err := loadProto(ctx, q, l)
		return &ledgerv1.DiscardLoadResponse{Load: p}, err
	})
}

// GetLoad returns a load with its counts.
func (s *Server) GetLoad(ctx context.Context, req *ledgerv1.GetLoadRequest) (*ledgerv1.GetLoadResponse, error) {
	q := store.New(s.db)
	l, err := seenLoad(ctx, q, req.GetLoadId())
	if err != nil {
		return nil, err
	}
	p, err := loadProto(ctx, q, l)
	return &ledgerv1.GetLoadResponse{Load: p}, err
}

func seenLoad(ctx context.Context, q *store.Queries, id string) (store.Load, error) {
	all, agency := sees(ctx)
	l, err := q.LoadByID(ctx, store.LoadByIDParams{LoadID: id, SeesAll: all, AgencyID: agency})
	return l, errs.NotFound(err, "no such load")
}

// ListLoads lists loads, the newest first.
func (s *Server) ListLoads(ctx context.Context, req *ledgerv1.ListLoadsRequest) (*ledgerv1.ListLoadsResponse, error) {
	before, id, err := newestFirst(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	all, agency := sees(ctx)
	q, size := store.New(s.db), pg.PageSize(req.GetPageSize())
	rows, err := q.ListLoads(ctx, store.ListLoadsParams{BeforeTime: before, BeforeID: id, SeesAll: all, AgencyID: agency, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.ListLoadsResponse{}
	for _, l := range rows {
		p, err := loadProto(ctx, q, l)
		if err != nil {
			return nil, err
		}
		resp.Loads = append(resp.Loads, p)
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.TimeToken(rows[size-1].CreatedAt, rows[size-1].LoadID)
	}
	return resp, nil
}

// newestFirst reads the token of a list that begins with the newest.
func newestFirst(token string) (time.Time, string, error) {
	t, id, ok, err := pg.DecodeTimeToken(token)
	if err != nil {
		return t, id, err
	}
	if !ok {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), firstID, nil
	}
	if uuid.Validate(id) != nil {
		return t, id, errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is not one of this list")
	}
	return t, id, nil
}

func loadProto(ctx context.Context, q *store.Queries, l store.Load) (*ledgerv1.Load, error) {
	counts, err := countsOf(ctx, q, l)
	if err != nil {
		return nil, err
	}
	p := &ledgerv1.Load{
		LoadId: l.LoadID, AgencyId: l.AgencyID, AccessOperatorId: l.AccessOperatorID, Format: l.Format, FileName: l.FileName,
		FileSha256: l.FileSha256, AsOf: timestamppb.New(l.AsOf), State: l.State, Counts: counts, CreatedBy: l.CreatedBy,
		CreateTime: timestamppb.New(l.CreatedAt), CompareTime: timeProto(l.ComparedAt), ApplyTime: timeProto(l.AppliedAt), ClearTime: timeProto(l.ClearedAt),
	}
	if l.Version != nil {
		p.Version = *l.Version
	}
	return p, nil
}

// countsOf counts the rows of a load by fate; of one that was cleared it is on record.
func countsOf(ctx context.Context, q *store.Queries, l store.Load) (*ledgerv1.LoadCounts, error) {
	n := map[string]int64{}
	if err := json.Unmarshal(l.Counts, &n); err != nil {
		return nil, err
	}
	if len(n) == 0 {
		rows, err := q.CountLoadRows(ctx, l.LoadID)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			n[r.Fate] = r.Rows
		}
	}
	c := &ledgerv1.LoadCounts{
		Rejected: n[fateRejected], New: n[fateNew], Changed: n[fateChanged], Unchanged: n[fateUnchanged], Conflict: n[fateConflict], Missing: n[fateMissing],
	}
	c.Rows = c.GetRejected() + c.GetNew() + c.GetChanged() + c.GetUnchanged() + c.GetConflict() + n[fateStaged]
	return c, nil
}
