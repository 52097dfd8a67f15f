package ledger

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// deduct keeps what an appeal was caused by and, when it was dismissed over a true report, proposes the deduction. An
// appeal without a complaint behind it has no cause.
func (s *Server) deduct(ctx context.Context, q *store.Queries, p store.Appeal, to string, c *ledgerv1.AppealCause) error {
	if c == nil {
		return nil
	}
	if c.GetSubstantiated() > c.GetChecked() {
		return errs.Field("cause.substantiated", "must not be more than were checked")
	}
	now := s.now()
	excluded := append([]string{}, c.GetExcluded()...)
	if err := q.InsertAppealCause(ctx, store.InsertAppealCauseParams{
		AppealID: p.AppealID, ComplaintID: c.GetComplaintId(), Round: c.GetRound(), Forged: c.GetForged(), Substantiated: c.GetSubstantiated(),
		Checked: c.GetChecked(), OperatorID: c.GetOperatorId(), AdministrationID: c.GetAdministrationId(), AnsweredBy: c.GetAnsweredBy(),
		Excluded: excluded, StatedTime: now,
	}); err != nil {
		return err
	}
	if !deductible(to, c) {
		return nil
	}
	if _, err := q.CorrectionOf(ctx, p.EventID); !errors.Is(err, pgx.ErrNoRows) {
		return err // the disposition was found wrong on another's appeal: nothing to deduct
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	if err := q.InsertDeduction(ctx, store.InsertDeductionParams{
		DeductionID: id.String(), AppealID: p.AppealID, EventID: p.EventID, OperatorID: c.GetOperatorId(),
		AdministrationID: c.GetAdministrationId(), ProposedTime: now,
	}); err != nil {
		return err
	}
	return q.InsertDeductionAct(ctx, store.InsertDeductionActParams{
		DeductionID: id.String(), Act: "proposed", Side: sideMesh, DoneBy: mesh, Reason: "申诉不成立,且起因举报属实",
		Evidence: []string{}, ActTime: now,
	})
}

// lapse ends the deductions of other appeals against an act that is found wrong: that remedy of an appellant stays open
// whatever was deducted.
func (s *Server) lapse(ctx context.Context, q *store.Queries, event int64) error {
	rows, err := q.DeductionsOfEvent(ctx, event)
	if err != nil {
		return err
	}
	for _, d := range rows {
		if err := q.MoveDeduction(ctx, store.MoveDeductionParams{DeductionID: d.DeductionID, State: deductionLapsed, Effect: 0}); err != nil {
			return err
		}
		if err := q.InsertDeductionAct(ctx, store.InsertDeductionActParams{
			DeductionID: d.DeductionID, Act: "lapsed", Side: sideMesh, DoneBy: mesh, Reason: "处置经申诉认定不当", Evidence: []string{},
			Effect: -d.Effect, ActTime: s.now(),
		}); err != nil {
			return err
		}
	}
	return nil
}

// ListDeductions lists deductions, newest first.
func (s *Server) ListDeductions(ctx context.Context, req *ledgerv1.ListDeductionsRequest) (*ledgerv1.ListDeductionsResponse, error) {
	arg := deductionsSeen(ctx)
	arg.DeductionID, arg.State, arg.Operator = orNil(req.GetDeductionId()), req.GetState(), req.GetOperatorId()
	arg.PageSize = pg.PageSize(req.GetPageSize())
	before, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	q, resp := store.New(s.db), &ledgerv1.ListDeductionsResponse{}
	rows, err := q.ListDeductions(ctx, arg)
	if err != nil {
		return nil, err
	}
	if resp.Deductions, err = deductionProtos(ctx, q, rows); err != nil {
		return nil, err
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1].Deduction
		resp.NextPageToken = pg.TimeToken(last.ProposedTime, last.DeductionID)
	}
	return resp, nil
}

// deductionsSeen is what the caller may see of deductions.
func deductionsSeen(ctx context.Context) store.ListDeductionsParams {
	v, a := viewerOf(ctx), identity.ActorOf(ctx)
	return store.ListDeductionsParams{
		SeesAll: v.all, AgencyID: a.GetAgencyId(), IsOperator: identity.HasRole(a, accessv1.Role_ROLE_OPERATOR),
	}
}

// sideOf is for whom the caller speaks about a deduction; empty for nobody.
func sideOf(ctx context.Context, d store.Deduction) string {
	a := identity.ActorOf(ctx)
	agency := a.GetAgencyId()
	switch {
	case agency == "":
		return ""
	case identity.HasRole(a, accessv1.Role_ROLE_OPERATOR) && (agency == d.OperatorID || strings.HasPrefix(d.OperatorID, agency+"-")):
		return sideOperator
	case agency == d.AdministrationID && identity.HasRole(a, accessv1.Role_ROLE_CASEWORKER, accessv1.Role_ROLE_REVIEWER, accessv1.Role_ROLE_HEAD):
		return sideAdministration
	}
	return ""
}

// lockDeduction is a deduction until the end of the transaction, for a side of it. For others there is no such deduction.
func lockDeduction(ctx context.Context, q *store.Queries, id string) (store.LockDeductionRow, string, error) {
	row, err := q.LockDeduction(ctx, id)
	if err != nil {
		return row, "", errs.NotFound(err, "no such deduction")
	}
	side := sideOf(ctx, row.Deduction)
	if side == "" {
		return row, "", errs.NotFound(pgx.ErrNoRows, "no such deduction")
	}
	return row, side, nil
}

// ContestDeduction writes why a side thinks a deduction, proposed or decided, wrong. What counts stays until it is decided.
func (s *Server) ContestDeduction(ctx context.Context, req *ledgerv1.ContestDeductionRequest) (*ledgerv1.ContestDeductionResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.ContestDeductionResponse, error) {
		q := store.New(tx)
		row, side, err := lockDeduction(ctx, q, req.GetDeductionId())
		if err != nil {
			return nil, err
		}
		acts, err := q.DeductionActs(ctx, []string{row.Deduction.DeductionID})
		if err != nil {
			return nil, err
		}
		if err := mayContest(row.Deduction.State, side, acts); err != nil {
			return nil, err
		}
		err = s.enterDeduction(ctx, q, row.Deduction, "contested", side, req.GetReason(), req.GetEvidenceIds(), row.Deduction.Effect)
		if err != nil {
			return nil, err
		}
		out, err := oneDeduction(ctx, q, row.Deduction.DeductionID)
		return &ledgerv1.ContestDeductionResponse{Deduction: out}, err
	})
}

// DecideDeduction grants or refuses a deduction.
func (s *Server) DecideDeduction(ctx context.Context, req *ledgerv1.DecideDeductionRequest) (*ledgerv1.DecideDeductionResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.DecideDeductionResponse, error) {
		q := store.New(tx)
		row, side, err := lockDeduction(ctx, q, req.GetDeductionId())
		if err != nil {
			return nil, err
		}
		if side != sideAdministration {
			return nil, otherAgency("its administration %s decides on a deduction", row.Deduction.AdministrationID)
		}
		acts, err := q.DeductionActs(ctx, []string{row.Deduction.DeductionID})
		if err != nil {
			return nil, err
		}
		if err := mayDecide(row, identity.ActorOf(ctx).GetSubject(), acts); err != nil {
			return nil, err
		}
		act, effect := "refused", int16(0)
		if req.GetGranted() {
			act, effect = "granted", 1
		}
		if err := s.enterDeduction(ctx, q, row.Deduction, act, side, req.GetReason(), req.GetEvidenceIds(), effect); err != nil {
			return nil, err
		}
		out, err := oneDeduction(ctx, q, row.Deduction.DeductionID)
		return &ledgerv1.DecideDeductionResponse{Deduction: out}, err
	})
}

// enterDeduction moves a deduction on and writes its history.
func (s *Server) enterDeduction(
	ctx context.Context, q *store.Queries, d store.Deduction, act, side, reason string, evidence []string, effect int16,
) error {
	a := identity.ActorOf(ctx)
	if evidence == nil {
		evidence = []string{}
	}
	if err := q.InsertDeductionAct(ctx, store.InsertDeductionActParams{
		DeductionID: d.DeductionID, Act: act, Side: side, DoneBy: a.GetSubject(), AgencyID: a.GetAgencyId(), Reason: reason,
		Evidence: evidence, Effect: effect - d.Effect, ActTime: s.now(),
	}); err != nil {
		return err
	}
	return q.MoveDeduction(ctx, store.MoveDeductionParams{DeductionID: d.DeductionID, State: strings.ToUpper(act), Effect: effect})
}

// ListScoredAppeals lists what a month's scorecards count.
func (s *Server) ListScoredAppeals(ctx context.Context, req *ledgerv1.ListScoredAppealsRequest) (*ledgerv1.ListScoredAppealsResponse, error) {
	month, err := time.ParseInLocation("2006-01", req.GetMonth(), calendar.Shanghai)
	if err != nil {
		return nil, errs.Field("month", "must be YYYY-MM")
	}
	after, err := afterID(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size, resp := pg.PageSize(req.GetPageSize()), &ledgerv1.ListScoredAppealsResponse{}
	rows, err := store.New(s.db).ListScoredAppeals(ctx, store.ListScoredAppealsParams{
		Since: month, Until: month.AddDate(0, 1, 0), After: after, PageSize: size,
	})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		resp.Appeals = append(resp.Appeals, scoredProto(r))
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[size-1].AppealID)
	}
	return resp, nil
}
