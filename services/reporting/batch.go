package reporting

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/phone"
	"quietline/internal/seal"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/format"
	"quietline/services/reporting/store"
)

// BatchFileReports files raw rows, each by itself: a bad row never costs the others.
//
// It does not go through pg.Once: what becomes of a row follows from its sender, number and content, so the same batch
// sent twice is answered from the rows themselves. All rows of a batch are written in one transaction or none is.
func (s *Server) BatchFileReports(ctx context.Context, req *reportingv1.BatchFileReportsRequest) (*reportingv1.BatchFileReportsResponse, error) {
	_, sender := who(ctx)
	if sender == "" || sender == senderPublic {
		return nil, errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
			"only an agency sends reports in batches, and the account belongs to none")
	}
	f, ok := s.formats[req.GetFormat()]
	if !ok {
		return nil, errs.Field("format", "is not a format that this mesh knows")
	}
	header, err := f.Header(req.GetHeader())
	if err != nil {
		return nil, errs.Field("header", "%s", err.Error())
	}
	at := s.clock()
	policy, err := s.policy(ctx, at)
	if err != nil {
		return nil, err
	}
	b := &batch{
		keys: s.keys, receipt: s.receipt, header: header, rawHeader: req.GetHeader(), sender: sender,
		by: identity.ActorOf(ctx).GetSubject(), at: at, policy: policy,
	}
	rows := b.read(req.GetRows())
	var results []*reportingv1.RowResult
	var begun []round
	err = pg.Tx(ctx, s.db, func(tx pgx.Tx) error {
		var err error
		results, begun, err = b.file(ctx, tx, rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.starter.start(begun...)
	for _, r := range results {
		if r.GetReceipt() != "" {
			r.Secret = s.keys.Secret(r.GetReceipt())
		}
	}
	return &reportingv1.BatchFileReportsResponse{Results: results}, nil
}

// batch is what the rows of one request share.
type batch struct {
	keys      *seal.Keys
	receipt   func(time.Time) string
	header    *format.Header
	rawHeader []byte
	sender    string
	by        string
	at        time.Time
	policy    figures
}

// row is one raw row as read: a report or a problem.
type row struct {
	line     int32
	senderNo string
	hash     []byte
	raw      []byte // sealed when it goes into quarantine
	report   *incoming
	problem  *format.Problem
}

// read parses and seals all rows on all processors, before the transaction and its locks.
func (b *batch) read(raw []*reportingv1.RawRow) []row {
	poolRandom()
	rows := make([]row, len(raw))
	ids := make([]store.NewReport, len(raw)) // identifiers in the order of the rows
	for i := range ids {
		ids[i].ReportID = newID()
	}
	var wg sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), len(raw))
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(raw); i += workers {
				rows[i] = b.readRow(raw[i], ids[i])
			}
		})
	}
	wg.Wait()
	return rows
}

func (b *batch) readRow(raw *reportingv1.RawRow, report store.NewReport) row {
	sent, problem := b.header.Parse(raw.GetRaw(), b.at)
	if problem != nil {
		return b.unusable(raw, problem)
	}
	if sent.SenderNo == "" {
		return b.unusable(raw, &format.Problem{
			Field: b.header.Format().NameOf("sender_no"), Reason: format.ReasonMissing, Canonical: sent.Canonical,
		})
	}
	in, bad := b.incoming(sent, report)
	if bad != nil {
		return b.unusable(raw, &format.Problem{
			Field: b.header.Format().NameOf(bad.field), Reason: bad.reason, SenderNo: sent.SenderNo, Canonical: sent.Canonical,
		})
	}
	return row{line: raw.GetLine(), senderNo: sent.SenderNo, hash: in.ContentHash, raw: raw.GetRaw(), report: in}
}

func (b *batch) unusable(raw *reportingv1.RawRow, p *format.Problem) row {
	return row{
		line: raw.GetLine(), senderNo: p.SenderNo, raw: raw.GetRaw(), problem: p,
		hash: b.keys.Index(indexContent, string(p.Canonical)),
	}
}

// incoming makes a report of a parsed row, or says what is unusable. An unusable number is no obstacle when the row is
// to open a complaint without one.
func (b *batch) incoming(sent format.Row, report store.NewReport) (*incoming, *fault) {
	number := phone.ParseIn(sent.Displayed, b.header.Format().Country)
	if !phone.Usable(number) {
		return nil, &fault{"displayed", format.ReasonNumber}
	}
	in := &incoming{NewReport: report, number: number}
	key := keyOf(number, sent.Province)
	in.key = &key
	return in, b.fill(in, sent)
}

// fill takes over what a row says and seals what must not be read.
func (b *batch) fill(in *incoming, sent format.Row) *fault {
	if bad := checkNumbers(sent); bad != nil {
		return bad
	}
	filed := sent.FiledTime
	if filed.IsZero() {
		filed = b.at
	}
	if bad := checkTimes(sent.CallTime, filed, b.at, b.policy.limits()); bad != nil {
		return bad
	}
	r := &in.NewReport
	r.Sender, r.SenderNo = b.sender, sent.SenderNo
	r.Channel, r.Displayed = sent.Channel, in.number.GetDisplayed()
	r.CallTime, r.FiledTime, r.CreatedAt = sent.CallTime, filed, b.at
	r.DurationSeconds, r.Method, r.ReportedType, r.Company = sent.DurationSeconds, sent.Method, sent.ReportedType, sent.Company
	r.ReporterProvince, r.Consent, r.Verified = sent.Province, int16(sent.Consent), sent.Verified
	r.ContentHash = b.keys.Index(indexContent, string(sent.Canonical))
	in.reporter(b.keys, sent.ReporterNumber)
	if !clean(r.SenderNo, r.Channel, r.Displayed, r.Method, r.ReportedType, r.Company, r.ReporterProvince) {
		return &fault{"row", format.ReasonControl}
	}
	plain := sealedReport{Reporter: sent.ReporterNumber, Called: sent.CalledNumber, Text: sent.Text, Raw: string(sent.Canonical)}
	sealed, err := b.keys.Seal(plain.pack(), reportPlace(r.ReportID.String()))
	if err != nil { // encryption of bytes in memory fails only with broken keys
		panic(fmt.Sprintf("reporting: %v", err))
	}
	r.Sealed = sealed
	return nil
}
