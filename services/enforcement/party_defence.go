package enforcement

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// Acts of the party that the log of the case has.
const (
	actStatement        = logStatement
	actWaiver           = logWaiver
	actHearingRequest   = logHearingRequest
	actHearingWaiver    = logHearingWaiver
	actHearingWithdrawn = logHearingWithdrawn
)

// SubmitStatement takes a statement and defence. One that comes after its term is kept and marked: the agency may still
// consider it, but need not wait for it (行政处罚法 44, 45).
func (s *Server) SubmitStatement(ctx context.Context, req *enforcementv1.SubmitStatementRequest) (*enforcementv1.SubmitStatementResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.SubmitStatementResponse, error) {
		q := store.New(tx)
		f, err := s.filer(ctx, q, req.GetCaseId(), req.GetPaper())
		if err != nil {
			return nil, err
		}
		id, sealed, err := s.newFiling(req.GetText())
		if err != nil {
			return nil, err
		}
		arg := store.InsertStatementParams{
			StatementID: id, CaseID: f.c.CaseID, ReceivedTime: f.at, TextSealed: sealed, Channel: f.channel, ReceivedBy: f.by,
		}
		if n := f.notice(); n != nil {
			term, err := termOf(ctx, q, f, "statement_5wd", *n)
			if err != nil {
				return nil, err
			}
			arg.NoticeTime, arg.Due, arg.DueProof, arg.Late = n, &term.due, term.proof, f.at.After(term.due)
		}
		if err := q.InsertStatement(ctx, arg); err != nil {
			return nil, err
		}
		if err := attach(ctx, q, f, id, req.GetFileIds()); err != nil {
			return nil, err
		}
		if err := s.enterStatement(ctx, tx, f, id, arg.Late); err != nil {
			return nil, err
		}
		out, err := s.filed(ctx, q, f.c.CaseID, "statement", id)
		return &enforcementv1.SubmitStatementResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}

// enterStatement writes a statement into the log of the case. Where the procedure takes none any more, or none yet, it is on
// file all the same.
func (s *Server) enterStatement(ctx context.Context, tx pgx.Tx, f filer, id string, late bool) error {
	sub, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	err = s.partyActs(ctx, store.New(sub), f.c.CaseID, actStatement, f.at, id)
	if err == nil {
		return sub.Commit(ctx)
	}
	refused := errs.Is(err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) || errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	if refused && (late || f.notice() == nil || !takesStatements[f.c.State]) {
		return sub.Rollback(ctx)
	}
	return errors.Join(err, sub.Rollback(ctx))
}

// takesStatements are the states in which a statement belongs to the procedure.
var takesStatements = map[string]bool{"NOTICE_SERVED": true, "STATEMENT": true, "HEARING": true, "LEGAL_REVIEW": true, "DISCUSSION": true}

// notice is when the last notice was served, as far as the writer could know of it.
func (f filer) notice() *time.Time {
	if f.c.NoticeTime == nil || f.at.Before(*f.c.NoticeTime) {
		return nil
	}
	return f.c.NoticeTime
}

// term is a term of the party.
type term struct {
	due   time.Time
	proof string
}

// termOf is the party's term from the notice: the clock of the case, or before there was one, what the calendar says.
func termOf(ctx context.Context, q *store.Queries, f filer, basis string, notice time.Time) (term, error) {
	row, err := q.TermOfParty(ctx, store.TermOfPartyParams{CaseID: f.c.CaseID, Basis: basis, Start: notice})
	if err == nil {
		return term{row.DueTime, row.Proof}, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return term{}, err
	}
	d, err := calendar.Due(basis, notice, calendar.Statutory)
	return term{d.Due, d.Proof}, err
}

// WaiveStatement gives up the statement, or the hearing, that the last notice offered.
func (s *Server) WaiveStatement(ctx context.Context, req *enforcementv1.WaiveStatementRequest) (*enforcementv1.WaiveStatementResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.WaiveStatementResponse, error) {
		q := store.New(tx)
		f, err := s.filer(ctx, q, req.GetCaseId(), req.GetPaper())
		if err != nil {
			return nil, err
		}
		n := f.notice()
		if n == nil {
			return nil, wrongState("nothing is to be waived before a notice is served (行政处罚法 第四十四条)")
		}
		id, err := q.WaiverOf(ctx, store.WaiverOfParams{CaseID: f.c.CaseID, Waived: req.GetWaived(), NoticeTime: *n})
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = s.waive(ctx, q, f, req, *n)
		}
		if err != nil {
			return nil, err
		}
		out, err := s.filed(ctx, q, f.c.CaseID, "waiver", id)
		return &enforcementv1.WaiveStatementResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}

func (s *Server) waive(ctx context.Context, q *store.Queries, f filer, req *enforcementv1.WaiveStatementRequest, notice time.Time) (string, error) {
	waived := req.GetWaived()
	if err := waivable(ctx, q, f, req.GetFileIds()); err != nil {
		return "", err
	}
	id, _, err := s.newFiling("")
	if err != nil {
		return "", err
	}
	err = q.InsertWaiver(ctx, store.InsertWaiverParams{
		WaiverID: id, CaseID: f.c.CaseID, Waived: waived, NoticeTime: notice, WaivedTime: f.at, Channel: f.channel, ReceivedBy: f.by,
	})
	if err != nil {
		return "", err
	}
	if err := attach(ctx, q, f, id, req.GetFileIds()); err != nil {
		return "", err
	}
	act := actWaiver
	if waived == "hearing" {
		act = actHearingWaiver
	}
	return id, f.plainly(s.partyActs(ctx, q, f.c.CaseID, act, f.at, id))
}

// waivable: what the party gives up on paper it signed, and no officer of the case enters it: the time that it ends is one
// that the investigators would have to wait for (行政处罚法 44, 45).
func waivable(ctx context.Context, q *store.Queries, f filer, files []string) error {
	if f.party {
		return nil
	}
	if len(files) == 0 {
		return errs.Field("file_ids", "must name the scan of the waiver that the party signed (行政处罚法 第四十五条)")
	}
	officers, err := q.OfficersOf(ctx, f.c.CaseID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(officers, func(o store.OfficersOfRow) bool { return o.Subject == subjectOfSignature(f.by) }) {
		return samePerson("行政处罚法 第四十五条: who investigates the case does not enter the waiver of its party")
	}
	return nil
}

// plainly keeps from a party why the procedure takes nothing from it now: that the police have a case is not for it to know.
func (f filer) plainly(err error) error {
	if f.party && !takesStatements[f.c.State] && (errs.Is(err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) ||
		errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)) {
		return wrongState("there is nothing now that the party may ask for or give up (行政处罚法 第四十四条、第四十五条、第六十四条)")
	}
	return err
}

// RequestHearing asks for a hearing: where the notice offered one (63), within five working days of it (64).
func (s *Server) RequestHearing(ctx context.Context, req *enforcementv1.RequestHearingRequest) (*enforcementv1.RequestHearingResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RequestHearingResponse, error) {
		q := store.New(tx)
		f, err := s.filer(ctx, q, req.GetCaseId(), req.GetPaper())
		if err != nil {
			return nil, err
		}
		open, err := q.OpenHearingRequest(ctx, f.c.CaseID)
		id := open.HearingRequestID
		known := err == nil && f.c.NoticeTime != nil && !open.AskedTime.Before(*f.c.NoticeTime)
		if err == nil || errors.Is(err, pgx.ErrNoRows) {
			err = nil
			if !known {
				id, err = s.askHearing(ctx, q, f, req)
			}
		}
		if err != nil {
			return nil, err
		}
		out, err := s.filed(ctx, q, f.c.CaseID, "hearing_request", id)
		return &enforcementv1.RequestHearingResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}

func (s *Server) askHearing(ctx context.Context, q *store.Queries, f filer, req *enforcementv1.RequestHearingRequest) (string, error) {
	n := f.notice()
	if n == nil {
		return "", wrongState("a hearing is asked for after the notice (行政处罚法 第六十三条、第六十四条)")
	}
	id, sealed, err := s.newFiling(req.GetText())
	if err != nil {
		return "", err
	}
	if err := f.plainly(s.partyActs(ctx, q, f.c.CaseID, actHearingRequest, f.at, id)); err != nil { // with the article, when it is none
		return "", err
	}
	t, err := termOf(ctx, q, f, "hearing_request_5wd", *n)
	if err != nil {
		return "", err
	}
	err = q.InsertHearingRequest(ctx, store.InsertHearingRequestParams{
		HearingRequestID: id, CaseID: f.c.CaseID, NoticeTime: *n, Due: t.due, DueProof: t.proof, AskedTime: f.at, ReasonSealed: sealed,
		Channel: f.channel, ReceivedBy: f.by,
	})
	if err != nil {
		return "", err
	}
	return id, attach(ctx, q, f, id, req.GetFileIds())
}

// WithdrawHearingRequest takes the request back.
func (s *Server) WithdrawHearingRequest(ctx context.Context, req *enforcementv1.WithdrawHearingRequestRequest) (*enforcementv1.WithdrawHearingRequestResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.WithdrawHearingRequestResponse, error) {
		q := store.New(tx)
		f, err := s.filer(ctx, q, req.GetCaseId(), req.GetPaper())
		if err != nil {
			return nil, err
		}
		open, err := q.OpenHearingRequest(ctx, f.c.CaseID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, wrongState("there is no request for a hearing to withdraw")
		}
		if err != nil {
			return nil, err
		}
		if f.at.Before(open.AskedTime) {
			return nil, errs.Field("paper.received_time", "must not be before the request")
		}
		if err := f.plainly(s.partyActs(ctx, q, f.c.CaseID, actHearingWithdrawn, f.at, open.HearingRequestID)); err != nil {
			return nil, err
		}
		err = q.WithdrawHearingRequest(ctx, store.WithdrawHearingRequestParams{
			HearingRequestID: open.HearingRequestID, WithdrawnTime: &f.at, WithdrawnChannel: &f.channel, WithdrawnBy: &f.by,
		})
		if err != nil {
			return nil, err
		}
		out, err := s.filed(ctx, q, f.c.CaseID, "hearing_request", open.HearingRequestID)
		return &enforcementv1.WithdrawHearingRequestResponse{Filing: out}, err
	})
	return resp, s.follow(resp.GetFiling(), err)
}
