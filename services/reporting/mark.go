package reporting

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/phone"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

const (
	defaultMarkDays = 30
	mostMarkDays    = 400
)

// ImportMarks takes in what a source counts. All usable rows of a request are written in one transaction; what is past a
// threshold then opens its clues in another one, which sees what others have written meanwhile: of two requests that
// together are past it at least the later one finds that out. A repeat of the request looks again.
func (s *Server) ImportMarks(ctx context.Context, req *reportingv1.ImportMarksRequest) (*reportingv1.ImportMarksResponse, error) {
	at := s.clock()
	policy, err := s.policy(ctx, at)
	if err != nil {
		return nil, err
	}
	source, err := s.markSource(ctx, req.GetSource(), at)
	if err != nil {
		return nil, err
	}
	asOf, err := statedAt(req.GetAsOf(), at, policy)
	if err != nil {
		return nil, err
	}
	in := readMarks(req.GetRows(), policy.markLimits(at))
	if err := s.months.make(ctx, s.db, in.marks); err != nil {
		return nil, err
	}
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.ImportMarksResponse, error) {
		stored, err := store.MergeMarks(ctx, tx, source, asOf, in.marks)
		if err != nil {
			return nil, err
		}
		return &reportingv1.ImportMarksResponse{
			Source: source, Stored: int32(stored), Outdated: int32(len(in.marks)) - int32(stored), Repeated: in.repeated, Rejected: in.rejected,
		}, nil
	})
	if err != nil {
		return nil, err
	}
	clues, err := s.discover(ctx, in.numbers(), policy, at)
	if err != nil {
		return nil, err
	}
	resp.Clues = int32(clues)
	return resp, nil
}

// markSource is under whose name marks are stored: the actor's agency, or a source on record that it speaks for.
func (s *Server) markSource(ctx context.Context, asked string, at time.Time) (string, error) {
	_, agency := who(ctx)
	switch {
	case agency == "":
		return "", errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
			"only an agency states marks, and the account belongs to none")
	case asked == "" || asked == agency:
		return agency, nil
	}
	speaks, err := store.New(s.db).SpeaksFor(ctx, store.SpeaksForParams{Source: asked, Speaker: agency, At: at})
	switch {
	case err != nil:
		return "", fmt.Errorf("mark source: %w", err)
	case !speaks:
		return "", errs.Field("source", "is none that your agency speaks for (本单位无权代报该来源)")
	}
	return asked, nil
}

// statedAt is as of when a source counted.
func statedAt(asOf *timestamppb.Timestamp, at time.Time, policy figures) (time.Time, error) {
	if asOf == nil {
		return at, nil
	}
	t := asOf.AsTime().Truncate(time.Microsecond)
	switch {
	case !asOf.IsValid():
		return at, errs.Field("as_of", "is no time")
	case t.After(at.Add(policy.seconds("clock_skew_seconds"))):
		return at, errs.Field("as_of", "is in the future (统计截至时间晚于当前时间)")
	case t.Before(at.Add(-policy.days("mark_age_days"))):
		return at, errs.Field("as_of", "is older than marks are taken in (统计截至时间过早)")
	}
	return t, nil
}

// markLimits: nothing is taken in that would be dropped again at once.
func (f figures) markLimits(at time.Time) markLimits {
	today := dayOf(at)
	return markLimits{first: today.Add(-min(f.days("mark_age_days"), f.days("mark_keep_days"))), last: today}
}

// statedMarks are the rows of a request as read: statements in the order of their key, and what is unusable.
type statedMarks struct {
	marks    []store.NewMark
	repeated int32
	rejected []*reportingv1.RejectedMark
}

func readMarks(rows []*reportingv1.MarkRow, limits markLimits) *statedMarks {
	in := &statedMarks{marks: make([]store.NewMark, 0, len(rows))}
	r := &markReader{limits: limits}
	for i, row := range rows {
		m, bad := r.read(row)
		if bad != nil {
			in.rejected = append(in.rejected, &reportingv1.RejectedMark{Index: int32(i), Field: bad.field, Reason: bad.reason})
			continue
		}
		in.marks = append(in.marks, m)
	}
	usable := len(in.marks)
	in.marks = settleMarks(in.marks)
	in.repeated = int32(usable - len(in.marks))
	return in
}

// numbers are those that were marked, each once.
func (in *statedMarks) numbers() []string {
	out := make([]string, 0, len(in.marks))
	for i := range in.marks {
		if i == 0 || in.marks[i].Number != in.marks[i-1].Number {
			out = append(out, in.marks[i].Number)
		}
	}
	return out
}

// markMonths are the months whose partitions are known to be there.
type markMonths struct {
	mu   sync.Mutex
	made map[time.Time]bool
}

// make sees that there is a partition for each month of the marks. It is made outside the transaction that writes them.
func (m *markMonths) make(ctx context.Context, db store.DBTX, marks []store.NewMark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last time.Time
	for i := range marks {
		if marks[i].Day.Equal(last) {
			continue
		}
		last = marks[i].Day
		month := last.AddDate(0, 0, 1-last.Day())
		if m.made[month] {
			continue
		}
		if err := store.New(db).MarkMonth(ctx, last); err != nil {
			return fmt.Errorf("partition of marks: %w", err)
		}
		if m.made == nil {
			m.made = map[time.Time]bool{}
		}
		m.made[month] = true
	}
	return nil
}

// ListMarks looks a number's marks up. An operator sees what it stated itself.
func (s *Server) ListMarks(ctx context.Context, req *reportingv1.ListMarksRequest) (*reportingv1.ListMarksResponse, error) {
	number := phone.Parse(req.GetNumber())
	if !phone.Usable(number) {
		return nil, errs.Field("number", "must be a telephone number (须为电话号码)")
	}
	at := s.clock()
	since, until, err := markSpan(req, dayOf(at))
	if err != nil {
		return nil, err
	}
	actor := identity.ActorOf(ctx)
	p := store.ListMarksParams{
		At: at, Number: number.GetNormal(), Since: since, Until: until, AgencyID: actor.GetAgencyId(), PageSize: pg.PageSize(req.GetPageSize()) + 1,
		SeesAll: identity.HasRole(actor, accessv1.Role_ROLE_CENTRE, accessv1.Role_ROLE_CASEWORKER, accessv1.Role_ROLE_LEAD, accessv1.Role_ROLE_STATISTICIAN),
	}
	if p.AgencyID == "" && !p.SeesAll {
		return nil, errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY, "the account belongs to no agency")
	}
	if err := afterMark(req.GetPageToken(), &p); err != nil {
		return nil, err
	}
	q := store.New(s.db)
	rows, err := q.ListMarks(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list marks: %w", err)
	}
	resp := &reportingv1.ListMarksResponse{Number: number}
	if size := int(p.PageSize) - 1; len(rows) > size {
		rows = rows[:size]
		last := rows[size-1]
		resp.NextPageToken = pg.EncodeToken(last.Day.Format(dayForm), last.Source, last.Label)
	}
	for _, m := range rows {
		resp.Marks = append(resp.Marks, &reportingv1.Mark{
			Day: m.Day.Format(dayForm), Source: m.Source, Label: m.Label, Code: m.Code, Category: m.Category, Count: m.Count,
			AsOf: timestamppb.New(m.StatedAt),
		})
	}
	if req.GetPageToken() == "" {
		resp.Totals, err = s.markTotals(ctx, q, p)
	}
	return resp, err
}

// markSpan is the days that are asked for.
func markSpan(req *reportingv1.ListMarksRequest, today time.Time) (since, until time.Time, err error) {
	until = today
	if d := req.GetUntil(); d != "" {
		var ok bool
		if until, ok = readDay(d); !ok {
			return since, until, errs.Field("until", "must be a day, YYYY-MM-DD (日期格式须为年-月-日)")
		}
	}
	since = until.AddDate(0, 0, -defaultMarkDays)
	if d := req.GetSince(); d != "" {
		var ok bool
		if since, ok = readDay(d); !ok {
			return since, until, errs.Field("since", "must be a day, YYYY-MM-DD (日期格式须为年-月-日)")
		}
	}
	switch {
	case until.Before(since):
		return since, until, errs.Field("until", "must not be before since (截止日期早于起始日期)")
	case until.Sub(since) > mostMarkDays*24*time.Hour:
		return since, until, errs.Field("since", "must be at most %d days before until (时间跨度过长)", mostMarkDays)
	}
	return since, until, nil
}

func afterMark(token string, p *store.ListMarksParams) error {
	parts, err := pg.DecodeToken(token, 3)
	if err != nil || parts == nil {
		return err
	}
	day, ok := readDay(parts[0])
	if !ok {
		return errs.Field("page_token", "is not one that this list gave out")
	}
	p.AfterDay, p.AfterSource, p.AfterLabel = &day, parts[1], parts[2]
	return nil
}

func (s *Server) markTotals(ctx context.Context, q *store.Queries, p store.ListMarksParams) (*reportingv1.MarkTotals, error) {
	policy, err := s.policy(ctx, p.At)
	if err != nil {
		return nil, err
	}
	span, err := q.SpanOfMarks(ctx, store.SpanOfMarksParams{Number: p.Number, Since: p.Since, Until: p.Until, SeesAll: p.SeesAll, AgencyID: p.AgencyID})
	if err != nil {
		return nil, fmt.Errorf("marks in all: %w", err)
	}
	rows, err := q.TallyMarks(ctx, store.TallyMarksParams{
		UnknownCounts: policy["mark_unknown_counts"] > 0, At: p.At, Number: p.Number, Since: p.Since, Until: p.Until,
		SeesAll: p.SeesAll, AgencyID: p.AgencyID,
	})
	if err != nil {
		return nil, fmt.Errorf("marks in all: %w", err)
	}
	t := &reportingv1.MarkTotals{Days: span.Days, Sources: span.Sources}
	for _, r := range rows {
		t.Marks += r.Marks
		if r.Counts {
			t.Counting += r.Marks
		}
		t.ByCode = append(t.ByCode, &reportingv1.MarkTally{Code: r.Code, Marks: r.Marks})
	}
	return t, nil
}

// MaintainMarks makes the partitions of this month and the next, drops the months that are kept no longer, and looks whether a number is past the threshold that has no
// clue: the figures of the policy may have changed, and a service may have ended between marks and clue.
func (s *Server) MaintainMarks(ctx context.Context) error {
	today := dayOf(s.clock())
	first := today.AddDate(0, 0, 1-today.Day())
	if err := s.months.make(ctx, s.db, []store.NewMark{{Day: first}, {Day: first.AddDate(0, 1, 0)}}); err != nil {
		return err
	}
	if err := store.New(s.db).MarkRetire(ctx); err != nil {
		return fmt.Errorf("drop old marks: %w", err)
	}
	opened, err := s.discoverAll(ctx)
	if opened > 0 {
		slog.InfoContext(ctx, "marks opened clues that had been missed", slog.Int("clues", opened))
	}
	return err
}
