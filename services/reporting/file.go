package reporting

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"quietline/internal/errs"
	"quietline/internal/pg"
	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/format"
	"quietline/services/reporting/store"
)

// FileReport files one typed report. What is unusable is refused with the field named; nothing goes into quarantine but a
// conflict.
//
// It does not go through pg.Once: the report's own row keeps the request's key, and sender, number and content say the
// rest. So what is nearly always so, a new report that opens a complaint or joins one whose round has not begun, is one
// statement and one round trip. A repeat, and what has consequences, takes a transaction.
func (s *Server) FileReport(ctx context.Context, req *reportingv1.FileReportRequest) (*reportingv1.FileReportResponse, error) {
	at := s.clock()
	policy, err := s.policy(ctx, at)
	if err != nil {
		return nil, err
	}
	in, err := s.typed(ctx, req, at, policy)
	if err != nil {
		return nil, err
	}
	if in.RequestKey, err = pg.RequestKey(ctx, req); err != nil {
		return nil, err
	}
	resp, begun, err := s.fileAtOnce(ctx, req, in, policy)
	if err == nil && resp == nil {
		resp, begun, err = s.fileWithCare(ctx, req, in, policy, at)
	}
	if err != nil {
		return nil, err
	}
	s.starter.start(begun...)
	if resp.GetReceipt() != "" {
		resp.Secret = s.keys.Secret(resp.GetReceipt())
	}
	resp.Advice = advice(req.GetReportedType(), req.GetText())
	return resp, nil
}

// fileAtOnce files a report that has no consequences beyond its rows. It answers nothing where it filed nothing.
func (s *Server) fileAtOnce(ctx context.Context, req *reportingv1.FileReportRequest, in *incoming, policy figures,
) (*reportingv1.FileReportResponse, []round, error) {
	if len(req.GetEvidenceIds()) > 0 {
		return nil, nil, nil
	}
	j, err := store.FileTyped(ctx, s.db, s.filing(in, policy, stateReceived))
	switch {
	case pg.Lost(raced(err)):
		return nil, nil, nil
	case err != nil || j == nil:
		return nil, nil, err
	case j.Opened:
		return accepted(in, false), []round{{complaintID: j.ComplaintID.String(), number: j.Round}}, nil
	}
	return accepted(in, true), nil, nil
}

// fileWithCare looks first whether the report is on record, and does with it all that follows, in one transaction.
func (s *Server) fileWithCare(ctx context.Context, req *reportingv1.FileReportRequest, in *incoming, policy figures, at time.Time,
) (resp *reportingv1.FileReportResponse, begun []round, err error) {
	err = pg.Tx(ctx, s.db, func(tx pgx.Tx) error {
		sent, err := store.FindSent(ctx, tx, &in.NewReport)
		if err != nil {
			return err
		}
		if sent != nil {
			resp, err = s.sentBefore(ctx, tx, req, in, sent, at)
			return err
		}
		j, err := store.FileTyped(ctx, tx, s.filing(in, policy, stateReceived, stateOpen, stateWatching))
		switch {
		case err != nil:
			return raced(err)
		case j == nil:
			return errRaced
		}
		joined, next, err := s.filed(ctx, tx, req, in, *j, policy, at)
		resp, begun = accepted(in, joined), next
		return err
	})
	return resp, begun, err
}

// filing is what is written, with another receipt and complaint ID each time it is tried.
func (s *Server) filing(in *incoming, policy figures, states ...string) *store.Filing {
	in.Receipt = s.receipt(in.CreatedAt)
	return &store.Filing{
		Complaint: in.complaint(newID()), Report: &in.NewReport, Link: in.known, Window: policy.seconds("same_call_seconds"), States: states,
	}
}

func accepted(in *incoming, joined bool) *reportingv1.FileReportResponse {
	return &reportingv1.FileReportResponse{
		Fate: reportingv1.Fate_FATE_ACCEPTED, Receipt: in.Receipt, ReportId: in.ReportID.String(), Joined: joined,
	}
}

// filed does what follows the written row: evidence, and joining a complaint in progress.
func (s *Server) filed(ctx context.Context, tx pgx.Tx, req *reportingv1.FileReportRequest, in *incoming, j store.Joined, policy figures, at time.Time,
) (joined bool, begun []round, err error) {
	if len(req.GetEvidenceIds()) > 0 {
		if err := attach(ctx, tx, in.ReportID.String(), j.ComplaintID.String(), req.GetEvidenceIds(), req.GetRequestId(), at); err != nil {
			return false, nil, err
		}
	}
	if j.Opened {
		return false, []round{{complaintID: j.ComplaintID.String(), number: j.Round}}, nil
	}
	reopened, err := settle(ctx, tx, j, []string{in.ReportID.String()}, policy.relapses(), at)
	if reopened != nil {
		begun = []round{*reopened}
	}
	return true, append(begun, ordinary(j)...), err
}

// typed checks a request and makes a report of it.
func (s *Server) typed(ctx context.Context, req *reportingv1.FileReportRequest, at time.Time, policy figures) (*incoming, error) {
	_, agency := who(ctx)
	sender, senderNo := agency, req.GetSenderNo()
	if sender == "" {
		sender, senderNo = senderPublic, req.GetRequestId() // a citizen's report has no number of a sender
	}
	if senderNo == "" {
		senderNo = req.GetRequestId()
	}
	province := req.GetReporterProvince()
	if code := phone.ProvinceCode(province); code != "" {
		province = code
	}
	number := phone.Parse(req.GetDisplayedNumber())
	call := req.GetCallTime().AsTime().Truncate(time.Microsecond)
	if err := checkTyped(req, number, call, at, policy.limits()); err != nil {
		return nil, err
	}
	key := keyOf(number, province)
	in := &incoming{number: number, key: &key}
	in.NewReport = store.NewReport{
		ReportID: newID(), Sender: sender, SenderNo: senderNo, ContentHash: s.contentOf(req),
		Channel: req.GetChannel(), Displayed: number.GetDisplayed(), CallTime: call, DurationSeconds: req.GetDurationSeconds(),
		Method: req.GetMethod(), ReportedType: req.GetReportedType(), Company: req.GetCompany(), ReporterProvince: province,
		Consent: int16(req.GetConsent()), Verified: agency != "", PrivacyNotice: req.GetPrivacyNotice(), FiledTime: at, CreatedAt: at,
	}
	in.reporter(s.keys, req.GetReporterNumber())
	called := req.GetCalledNumber()
	if called == "" {
		called = req.GetReporterNumber()
	}
	plain := sealedReport{Reporter: req.GetReporterNumber(), Called: called, Text: req.GetText()}
	var err error
	in.Sealed, err = s.keys.Seal(plain.pack(), reportPlace(in.ReportID.String()))
	return in, err
}

// contentOf is the MAC of what a typed report says: everything but the request's own ID.
func (s *Server) contentOf(req *reportingv1.FileReportRequest) []byte {
	said := proto.CloneOf(req)
	said.RequestId = ""
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(said)
	if err != nil { // a message that came over the wire marshals
		panic(fmt.Sprintf("reporting: %v", err))
	}
	return s.keys.Index(indexContent, string(raw))
}

var methods = map[string]bool{"": true, "manual": true, "recorded": true, "bombing": true, "one_ring": true}

// checkTyped refuses what a row would be quarantined for, with the field named and its value not repeated.
func checkTyped(req *reportingv1.FileReportRequest, number *commonv1.Number, call, at time.Time, l limits) error {
	switch {
	case !phone.Usable(number):
		return errs.Field("displayed_number", "%s", format.ReasonNumber)
	case !clean(req.GetDisplayedNumber()):
		return errs.Field("displayed_number", "%s", format.ReasonControl)
	case !phone.Usable(phone.Parse(req.GetReporterNumber())):
		return errs.Field("reporter_number", "must be a telephone number that can be called back (须为可回拨的电话号码)")
	case req.GetCalledNumber() != "" && !phone.Usable(phone.Parse(req.GetCalledNumber())):
		return errs.Field("called_number", "must be a telephone number (须为电话号码)")
	case !slices.Contains(channels, req.GetChannel()):
		return errs.Field("channel", "must be one of %s", strings.Join(channels, ", "))
	case req.GetReporterProvince() != "" && phone.ProvinceName(req.GetReporterProvince()) == "" && phone.ProvinceCode(req.GetReporterProvince()) == "":
		return errs.Field("reporter_province", "must be a province of GB/T 2260, by code or name, or empty (须为省级行政区划代码或名称)")
	case !methods[req.GetMethod()]:
		return errs.Field("method", "must be manual, recorded, bombing, one_ring or empty")
	}
	for field, text := range map[string]string{
		"sender_no": req.GetSenderNo(), "channel": req.GetChannel(), "reported_type": req.GetReportedType(),
		"company": req.GetCompany(), "reporter_province": req.GetReporterProvince(), "privacy_notice": req.GetPrivacyNotice(),
	} {
		if !clean(text) {
			return errs.Field(field, "%s", format.ReasonControl)
		}
	}
	if bad := checkTimes(call, at, at, l); bad != nil {
		return errs.Field(bad.field, "%s", bad.reason)
	}
	return nil
}

// sentBefore answers what is on record: the first answer to the same request, the first receipt to the same content under
// the same number; other content is a conflict, kept for a person.
func (s *Server) sentBefore(ctx context.Context, tx pgx.Tx, req *reportingv1.FileReportRequest, in *incoming, sent *store.Sent, at time.Time,
) (*reportingv1.FileReportResponse, error) {
	same := bytes.Equal(sent.ContentHash, in.ContentHash)
	if sent.SameRequest && !same {
		return nil, pg.Reused(req.GetRequestId())
	}
	if same {
		resp := &reportingv1.FileReportResponse{Fate: reportingv1.Fate_FATE_DUPLICATE, Receipt: sent.Receipt, ReportId: sent.ReportID.String()}
		if sent.SameRequest {
			resp.Fate, resp.Joined = reportingv1.Fate_FATE_ACCEPTED, sent.Joined
		}
		return resp, nil
	}
	raw, err := proto.Marshal(req)
	if err != nil {
		return nil, err
	}
	e := &store.NewEntry{
		QuarantineID: newID(), SenderNo: in.SenderNo, ContentHash: in.ContentHash, Fate: "conflict", Field: conflictField,
		Reason: conflictReason, FirstID: &sent.ReportID,
	}
	if e.Sealed, err = s.keys.Seal(raw, entryPlace(e.QuarantineID.String())); err != nil {
		return nil, err
	}
	subject, _ := who(ctx)
	if _, err := store.AddEntries(ctx, tx, in.Sender, "", nil, subject, at, []*store.NewEntry{e}); err != nil {
		return nil, err
	}
	return &reportingv1.FileReportResponse{Fate: reportingv1.Fate_FATE_CONFLICT}, nil
}

// attach hands in evidence that the same person put before.
func attach(ctx context.Context, tx pgx.Tx, reportID, complaintID string, evidence []string, requestID string, at time.Time) error {
	subject, agency := who(ctx)
	q := store.New(tx)
	n, err := q.AttachEvidence(ctx, store.AttachEvidenceParams{ReportID: reportID, EvidenceIds: evidence, PutBy: subject})
	if err != nil {
		return fmt.Errorf("attach evidence: %w", err)
	}
	if n != int64(len(evidence)) {
		return errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD,
			"evidence_ids: each must be evidence that you put before and that belongs to no other report")
	}
	if err := q.BindEvidence(ctx, store.BindEvidenceParams{ComplaintID: &complaintID, EvidenceIds: evidence}); err != nil {
		return fmt.Errorf("attach evidence: %w", err)
	}
	err = q.LogEvidence(ctx, store.LogEvidenceParams{
		EvidenceIds: evidence, Deed: "attached", Actor: subject, AgencyID: agency, Purpose: "report", RequestID: requestID, At: at,
	})
	if err != nil {
		return fmt.Errorf("custody log: %w", err)
	}
	return nil
}
