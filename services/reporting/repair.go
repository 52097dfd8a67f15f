package reporting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/format"
	"quietline/services/reporting/store"
)

// ListQuarantined lists rows that wait for a person, oldest first; those of all senders to the centre and the lead ministry. Their contents stay sealed.
func (s *Server) ListQuarantined(ctx context.Context, req *reportingv1.ListQuarantinedRequest) (*reportingv1.ListQuarantinedResponse, error) {
	state := req.GetState()
	if state == "" {
		state = "open"
	}
	if !slices.Contains([]string{"open", "repaired", "dismissed"}, state) {
		return nil, errs.Field("state", "must be open, repaired, dismissed or empty")
	}
	after, err := idToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if after == "" {
		after = beginningOfIDs
	}
	size := pg.PageSize(req.GetPageSize())
	r := readerOf(ctx)
	rows, err := store.New(s.db).ListQuarantined(ctx, store.ListQuarantinedParams{
		State: state, After: after, SeesAll: r.seesAll, AgencyID: r.agency, PageSize: size + 1,
	})
	if err != nil {
		return nil, fmt.Errorf("list quarantined: %w", err)
	}
	resp := &reportingv1.ListQuarantinedResponse{}
	if len(rows) > int(size) {
		rows = rows[:size]
		resp.NextPageToken = pg.EncodeToken(rows[size-1].QuarantineID)
	}
	for _, r := range rows {
		resp.Entries = append(resp.Entries, quarantinedOf(store.EntryByIDRow(r)))
	}
	return resp, nil
}

// RepairQuarantined files the row as a person corrected it, or opens a complaint without number from it, or dismisses
// the entry. The report goes in under the sender's name and number; sent corrected later by the sender himself it is a
// duplicate.
func (s *Server) RepairQuarantined(ctx context.Context, req *reportingv1.RepairQuarantinedRequest) (*reportingv1.RepairQuarantinedResponse, error) {
	if req.GetDismiss() && (len(req.GetRaw()) > 0 || req.GetWithoutNumber()) {
		return nil, errs.Field("dismiss", "goes with neither raw nor without_number")
	}
	if !req.GetDismiss() && !req.GetWithoutNumber() && len(req.GetRaw()) == 0 {
		return nil, errs.Field("raw", "the corrected row is missing")
	}
	at := s.clock()
	policy, err := s.policy(ctx, at)
	if err != nil {
		return nil, err
	}
	same := proto.CloneOf(req) // pg.Once remembers a hash of it: keyed, for the numbers in the row
	same.Raw = s.keys.Index(indexContent, string(req.GetRaw()))
	var begun []round
	resp, err := pg.Once(ctx, s.db, same, func(tx pgx.Tx) (*reportingv1.RepairQuarantinedResponse, error) {
		begun = nil
		q := store.New(tx)
		e, err := q.LockEntry(ctx, req.GetQuarantineId())
		if r := readerOf(ctx); err == nil && !r.seesAll && e.Sender != r.agency {
			err = pgx.ErrNoRows // another sender's rows are not there
		}
		if err != nil {
			return nil, errs.NotFound(err, "quarantine entry %s", req.GetQuarantineId())
		}
		if e.State != "open" {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "the entry is %s", e.State)
		}
		resp, p := &reportingv1.RepairQuarantinedResponse{}, store.ResolveEntryParams{
			QuarantineID: e.QuarantineID, State: "dismissed", ResolvedBy: identity.ActorOf(ctx).GetSubject(), ResolvedWhy: req.GetReason(), At: &at,
		}
		if !req.GetDismiss() {
			var id string
			if resp.Result, id, begun, err = s.repair(ctx, tx, req, e, policy, at); err != nil {
				return nil, err
			}
			p.State, p.ReportID = "repaired", &id
		}
		if err := q.ResolveEntry(ctx, p); err != nil {
			return nil, fmt.Errorf("resolve entry: %w", err)
		}
		after, err := q.EntryByID(ctx, e.QuarantineID)
		resp.Entry = quarantinedOf(after)
		return resp, err
	})
	if err != nil {
		return nil, err
	}
	s.starter.start(begun...)
	if r := resp.GetResult(); r.GetReceipt() != "" {
		r.Secret = s.keys.Secret(r.GetReceipt())
	}
	return resp, nil
}

// repair files the corrected row and returns the report that resolves the entry.
func (s *Server) repair(ctx context.Context, tx pgx.Tx, req *reportingv1.RepairQuarantinedRequest, e store.LockEntryRow, policy figures, at time.Time,
) (*reportingv1.RowResult, string, []round, error) {
	f, ok := s.formats[e.Format]
	if !ok {
		return nil, "", nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"the entry is of a typed report: dismiss it, or let the sender file it under another number")
	}
	header, err := f.Header(e.Header)
	if err != nil {
		return nil, "", nil, fmt.Errorf("kept header: %w", err)
	}
	b := &batch{
		keys: s.keys, receipt: s.receipt, header: header, rawHeader: e.Header, sender: e.Sender,
		by: identity.ActorOf(ctx).GetSubject(), at: at, policy: policy,
	}
	r, err := s.corrected(b, req, e)
	if err != nil {
		return nil, "", nil, err
	}
	k, err := b.lookUp(ctx, tx, []row{r})
	if err != nil {
		return nil, "", nil, err
	}
	if r.report.key == nil { // the row itself is the entry that is being resolved
		k.entries = nil
	}
	d, err := b.decide([]row{r}, k)
	if err != nil {
		return nil, "", nil, err
	}
	result := d.results[0]
	if result.GetFate() != reportingv1.Fate_FATE_ACCEPTED && result.GetFate() != reportingv1.Fate_FATE_DUPLICATE {
		return nil, "", nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"the corrected row is a %s itself: %s", d.results[0].GetFate(), result.GetReason())
	}
	begun, err := fileReports(ctx, tx, d.accepted, d.of, policy, at)
	if err != nil {
		return nil, "", nil, err
	}
	return result, k.reports[r.senderNo].id.String(), begun, nil
}

// corrected reads the row as a person corrected it. Without number, it is the row as it came or as corrected but for its
// number, and that must be all that is wrong with it.
func (s *Server) corrected(b *batch, req *reportingv1.RepairQuarantinedRequest, e store.LockEntryRow) (row, error) {
	raw := req.GetRaw()
	if len(raw) == 0 {
		return s.asItCame(b, e)
	}
	report := store.NewReport{ReportID: newID()}
	if req.GetWithoutNumber() {
		sent, problem := b.header.Parse(raw, b.at)
		return b.numberless(sent, problem, report, e)
	}
	r := b.readRow(&reportingv1.RawRow{Line: e.Line, Raw: raw}, report)
	if r.problem != nil {
		return row{}, errs.Field("raw", "%s: %s", r.problem.Field, r.problem.Reason)
	}
	return r, b.sameNumber(r.senderNo, e)
}

// asItCame reads an entry's own row again.
func (s *Server) asItCame(b *batch, e store.LockEntryRow) (row, error) {
	plain, err := s.keys.Unseal(e.Sealed, entryPlace(e.QuarantineID))
	if err != nil {
		return row{}, err
	}
	sent, problem := b.header.Parse(plain, b.at)
	return b.numberless(sent, problem, store.NewReport{ReportID: newID()}, e)
}

func (b *batch) numberless(sent format.Row, problem *format.Problem, report store.NewReport, e store.LockEntryRow) (row, error) {
	number := phone.ParseIn(sent.Displayed, b.header.Format().Country)
	if problem != nil && problem.Reason != format.ReasonNumber || problem == nil && phone.Usable(number) || sent.CallTime.IsZero() || sent.SenderNo == "" {
		return row{}, errs.Field("without_number", "is for rows whose number, and nothing else, is unusable")
	}
	number.Normal = "" // nothing to keep a complaint under
	in := &incoming{NewReport: report, number: number}
	if bad := b.fill(in, sent); bad != nil {
		return row{}, errs.Field("raw", "%s: %s", b.header.Format().NameOf(bad.field), bad.reason)
	}
	r := row{line: e.Line, senderNo: sent.SenderNo, hash: in.ContentHash, report: in}
	return r, b.sameNumber(r.senderNo, e)
}

// sameNumber refuses a correction that would file the row under another number than the sender gave it. Where the number
// is the hash of the cells it changes with them.
func (b *batch) sameNumber(senderNo string, e store.LockEntryRow) error {
	if e.SenderNo != "" && e.SenderNo != senderNo && len(b.header.Format().SenderNoFrom) == 0 {
		return errs.Field("raw", "%s must stay as the sender gave it", b.header.Format().NameOf("sender_no"))
	}
	return nil
}
