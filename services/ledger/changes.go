package ledger

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

// Parts of a month's changes, in their order.
const (
	partStatements  = "s"
	partWithdrawals = "w"
	partActs        = "e"
)

// parts are all of them: numbers, and then licences, contracts and sublets.
var parts = []string{partStatements, partWithdrawals, partActs, "ls", "lw", "cs", "cw", "ts", "tw"}

// monthChange is a change before its fields are read.
type monthChange struct {
	change, row, reason string
	about               string
	effect, known       time.Time
	next                string // of the page token
}

// ListLedgerChanges returns what the ledger came to know in a month: what it states, what it withdrew, what was done.
func (s *Server) ListLedgerChanges(ctx context.Context, req *ledgerv1.ListLedgerChangesRequest) (*ledgerv1.ListLedgerChangesResponse, error) {
	m, err := monthOf(req.GetMonth())
	if err != nil {
		return nil, err
	}
	part, after, err := changeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	l := changeLister{q: store.New(s.db), from: m, to: m.AddDate(0, 1, 0), operator: req.GetAccessOperatorId(), size: pg.PageSize(req.GetPageSize())}
	l.all, l.agency = sees(ctx)
	var page []monthChange
	resp := &ledgerv1.ListLedgerChangesResponse{}
	for ; part != ""; part, after = nextPart(part), nil {
		rows, err := l.list(ctx, part, after, l.size-int32(len(page)))
		if err != nil {
			return nil, err
		}
		if page = append(page, rows...); len(page) == int(l.size) {
			resp.NextPageToken = pg.EncodeToken(part, stampOf(&page[len(page)-1].known), page[len(page)-1].next)
			break
		}
	}
	resp.Changes, err = l.told(ctx, page)
	return resp, err
}

func monthOf(text string) (time.Time, error) {
	m, err := time.ParseInLocation("2006-01", text, shanghai)
	if err != nil {
		return m, errs.Field("month", "must be a month such as 2026-10")
	}
	return m, nil
}

func nextPart(part string) string {
	if i := slices.Index(parts, part); i+1 < len(parts) {
		return parts[i+1]
	}
	return ""
}

// behind is where a page ends.
type behind struct {
	at time.Time
	id string
}

func changeToken(token string) (string, *behind, error) {
	said, err := pg.DecodeToken(token, 3)
	if err != nil || said == nil {
		return partStatements, nil, err
	}
	at, err := time.Parse(time.RFC3339, said[1])
	_, number := strconv.ParseInt(said[2], 10, 64)
	known := said[0] == partActs && number == nil || said[0] != partActs && slices.Contains(parts, said[0]) && uuid.Validate(said[2]) == nil
	if err != nil || !known {
		return "", nil, errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is not one of this list")
	}
	return said[0], &behind{at, said[2]}, nil
}

type changeLister struct {
	q                *store.Queries
	from, to         time.Time
	operator, agency string
	all              bool
	size             int32
}

func (l changeLister) list(ctx context.Context, part string, after *behind, size int32) ([]monthChange, error) {
	if after == nil {
		after = &behind{id: firstID}
		if part == partActs {
			after.id = "0"
		}
	}
	switch part {
	case partStatements:
		return l.statements(ctx, after, size)
	case partWithdrawals:
		return l.withdrawals(ctx, after, size)
	case partActs:
		return l.acts(ctx, after, size)
	}
	return l.beside(ctx, part, after, size)
}

func (l changeLister) statements(ctx context.Context, after *behind, size int32) ([]monthChange, error) {
	rows, err := l.q.ListStatements(ctx, store.ListStatementsParams{
		MonthFrom: l.from, MonthTo: l.to, AfterTime: after.at, AfterID: after.id, AccessOperatorID: l.operator, SeesAll: l.all,
		AgencyID: l.agency, PageSize: size,
	})
	var out []monthChange
	for _, r := range rows {
		c := monthChange{change: changeChanged, row: r.AllocationID, effect: r.ValidFrom, known: r.KnownFrom, next: r.AllocationID}
		switch {
		case r.FirstKnown:
			c.change = changeAllocated
		case r.Shortened:
			c.change, c.effect = changeEnded, *r.ValidTo
		}
		out = append(out, c)
	}
	return out, err
}

func (l changeLister) withdrawals(ctx context.Context, after *behind, size int32) ([]monthChange, error) {
	rows, err := l.q.ListWithdrawals(ctx, store.ListWithdrawalsParams{
		MonthFrom: l.from, MonthTo: l.to, AfterTime: after.at, AfterID: after.id, AccessOperatorID: l.operator, SeesAll: l.all,
		AgencyID: l.agency, PageSize: size,
	})
	var out []monthChange
	for _, r := range rows {
		out = append(out, monthChange{change: changeWithdrawn, row: r.AllocationID, effect: r.ValidFrom, known: *r.KnownTo, next: r.AllocationID})
	}
	return out, err
}

func (l changeLister) acts(ctx context.Context, after *behind, size int32) ([]monthChange, error) {
	id, err := strconv.ParseInt(after.id, 10, 64)
	if err != nil {
		return nil, err
	}
	rows, err := l.q.ListActs(ctx, store.ListActsParams{
		MonthFrom: l.from, MonthTo: l.to, AfterTime: after.at, AfterID: id, AccessOperatorID: l.operator, SeesAll: l.all,
		AgencyID: l.agency, PageSize: size,
	})
	var out []monthChange
	for _, r := range rows {
		out = append(out, monthChange{
			change: r.Event, row: r.AllocationID, reason: r.ReasonCode, effect: r.EffectTime, known: r.RecordedTime,
			next: strconv.FormatInt(r.EventID, 10),
		})
	}
	return out, err
}

// told reads what the ledger states with each change, in the columns that a load takes.
func (l changeLister) told(ctx context.Context, page []monthChange) ([]*ledgerv1.LedgerChange, error) {
	ids := map[string][]string{}
	for _, c := range page {
		ids[c.about] = append(ids[c.about], c.row)
	}
	said, err := l.stated(ctx, ids[format.AboutNumber])
	if err != nil {
		return nil, err
	}
	if err := l.statedBeside(ctx, ids, said); err != nil {
		return nil, err
	}
	out := make([]*ledgerv1.LedgerChange, len(page))
	for i, c := range page {
		fields := maps.Clone(said[c.row].fields)
		fields[format.Change], fields[format.Reason] = c.change, c.reason
		fields[format.Effect], fields[format.Known] = stampOf(&c.effect), stampOf(&c.known)
		out[i] = &ledgerv1.LedgerChange{
			Change: c.change, ResourceId: said[c.row].resource, Fields: fields, EffectTime: timestamppb.New(c.effect), KnownTime: timestamppb.New(c.known),
		}
	}
	return out, nil
}

// statement is what a row of the ledger states.
type statement struct {
	fields   format.Row
	resource string
}

// stated are allocations in the columns of a load.
func (l changeLister) stated(ctx context.Context, ids []string) (map[string]statement, error) {
	rows, err := l.q.AllocationsToJudge(ctx, list(ids))
	if err != nil {
		return nil, err
	}
	out := map[string]statement{}
	for _, r := range rows {
		h := heldRow{Allocation: r.Allocation, holder: r.Holder, principal: r.PrincipalCode}
		fields := stated(h)
		fields[format.PrincipalName] = r.PrincipalName
		out[r.Allocation.AllocationID] = statement{fields, h.ResourceID}
	}
	return out, nil
}
