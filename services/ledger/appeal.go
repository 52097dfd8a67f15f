package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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

// ListRestrictions lists warnings and suspensions, newest first.
func (s *Server) ListRestrictions(ctx context.Context, req *ledgerv1.ListRestrictionsRequest) (*ledgerv1.ListRestrictionsResponse, error) {
	before, err := beforeEvent(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	v, size := viewerOf(ctx), pg.PageSize(req.GetPageSize())
	rows, err := restrictions(ctx, store.New(s.db), v, store.ListRestrictionsParams{
		Before: before, ResourceID: orNil(req.GetResourceId()), SeesAll: v.all || v.centre, AgencyID: v.agency, LeadMinistry: leadMinistry, PageSize: size,
	})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.ListRestrictionsResponse{}
	for _, r := range rows {
		resp.Restrictions = append(resp.Restrictions, restrictionProto(r, v.inside(agencyOf(r.DoneBy))))
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(fmt.Sprint(rows[size-1].EventID))
	}
	return resp, nil
}

// restrictions are those that a viewer may see.
func restrictions(ctx context.Context, q *store.Queries, v viewer, arg store.ListRestrictionsParams) ([]store.ListRestrictionsRow, error) {
	if v.party == "" {
		return q.ListRestrictions(ctx, arg)
	}
	h, err := q.HolderByCreditCode(ctx, v.party)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil // the ledger knows no such holder
	}
	if err != nil {
		return nil, err
	}
	own, err := q.ListRestrictionsOf(ctx, store.ListRestrictionsOfParams{
		HolderID: h.HolderID, Before: arg.Before, ResourceID: arg.ResourceID, PageSize: arg.PageSize,
	})
	var rows []store.ListRestrictionsRow
	for _, r := range own {
		rows = append(rows, store.ListRestrictionsRow(r))
	}
	return rows, err
}

// AppealRestriction takes an appeal against a warning or suspension, or returns the appellant's that is open.
func (s *Server) AppealRestriction(ctx context.Context, req *ledgerv1.AppealRestrictionRequest) (*ledgerv1.AppealRestrictionResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.AppealRestrictionResponse, error) {
		q := store.New(tx)
		e, held, err := appealable(ctx, q, req)
		if err != nil {
			return nil, err
		}
		if err := q.LockKey(ctx, fmt.Sprintf("appeal/%d", e.EventID)); err != nil {
			return nil, err
		}
		v := viewerOf(ctx)
		by := appellantOf(ctx, req, held)
		last, err := q.LastAppealOf(ctx, store.LastAppealOfParams{
			EventID: e.EventID, Appellant: by.Appellant, HolderID: by.HolderID, FiledAgencyID: by.FiledAgencyID, Reference: by.Reference,
		})
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			err = standing(ctx, q, e.EventID)
		case err == nil && last.DecidingTaskID == nil:
			return &ledgerv1.AppealRestrictionResponse{Appeal: appealProto(last, held.CreditCode, v)}, nil
		case err == nil:
			err = answered(last)
		}
		if err != nil {
			return nil, err
		}
		filed, err := s.file(ctx, q, req, e, by)
		if err != nil {
			return nil, err
		}
		return &ledgerv1.AppealRestrictionResponse{Appeal: appealProto(filed, held.CreditCode, v), Filed: true}, nil
	})
	if err == nil && resp.GetAppeal().GetState() == appealFiled {
		s.tell.Start(kindAppeal, resp.GetAppeal().GetAppealId())
	}
	return resp, err
}

// appealable is the restriction that an appeal is about, and who held its resource then: a holder appeals for itself, the
// centre for a subscriber.
func appealable(ctx context.Context, q *store.Queries, req *ledgerv1.AppealRestrictionRequest) (e store.ResourceEvent, held store.HeldAtRow, err error) {
	const none = "no such restriction"
	if e, err = q.GetEvent(ctx, req.GetEventId()); err != nil {
		return e, held, errs.NotFound(err, none)
	}
	if held, err = q.HeldAt(ctx, store.HeldAtParams{ResourceID: e.ResourceID, At: e.EffectTime}); err != nil {
		return e, held, errs.NotFound(err, none)
	}
	party := isParty(ctx)
	if party && (!held.InForce || held.CreditCode != identity.ActorOf(ctx).GetParty()) {
		return e, held, errs.NotFound(pgx.ErrNoRows, none)
	}
	if e.Event != warned && e.Event != suspended && e.Event != closed {
		return e, held, wrongState("an appeal is against a warning, a suspension or the closing of a line; against the notice of a recall there is the objection")
	}
	if !party && req.GetReference() == "" {
		return e, held, errs.Field("reference", "must be the centre's own number of the subscriber's appeal")
	}
	return e, held, nil
}

func isParty(ctx context.Context) bool {
	return identity.HasRole(identity.ActorOf(ctx), accessv1.Role_ROLE_PARTY)
}

// appellantOf is who appeals, in the terms of the table. Each has a right of its own: a subscriber's appeal, known by the
// centre and its number for it, uses up neither the holder's nor another subscriber's.
func appellantOf(ctx context.Context, req *ledgerv1.AppealRestrictionRequest, held store.HeldAtRow) store.InsertAppealParams {
	by := store.InsertAppealParams{Appellant: "holder", HolderID: held.HolderID, AccessOperatorID: held.AccessOperatorID}
	if !isParty(ctx) {
		by.Appellant, by.Reference, by.FiledAgencyID = "subscriber", req.GetReference(), identity.ActorOf(ctx).GetAgencyId()
	}
	return by
}

// standing refuses an appeal against what fell on another's.
func standing(ctx context.Context, q *store.Queries, event int64) error {
	_, err := q.CorrectionOf(ctx, event)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return cmp.Or(err, fallen())
}

func fallen() error { return wrongState("the restriction was found wrong on appeal already") }

// answered refuses a second appeal of the same appellant against the same act: other remedies are open then.
func answered(last store.Appeal) error {
	switch {
	case last.State != appealDismissed:
		return fallen()
	case last.Nature == byContract:
		return wrongState("the operator has answered; its administration takes the matter as a user's appeal (电信用户申诉处理办法)")
	}
	return wrongState("the appeal is answered; what is left is reconsideration within 60 days (行政复议法 20) or suit within six months (行政诉讼法 46)")
}

// remedyOf is what is open to who appealed in vain: nobody decides twice here.
func remedyOf(p store.Appeal) string {
	switch {
	case p.State != appealDismissed:
		return ""
	case p.Nature == byContract:
		return "对企业的答复不服的,可以向通信管理局的电信用户申诉受理机构申诉(电信条例 39、电信用户申诉处理办法)。"
	}
	return "对答复不服的,可以自知道之日起六十日内申请行政复议(行政复议法 20),或者在六个月内提起行政诉讼(行政诉讼法 46)。"
}

// basisOfAppeal is the term for the answer by who restricted.
func basisOfAppeal(nature string) string {
	if nature == byContract {
		return "appeal_operator_15d"
	}
	return "appeal_30d" // 电信条例 39
}

func (s *Server) file(ctx context.Context, q *store.Queries, req *ledgerv1.AppealRestrictionRequest, e store.ResourceEvent, arg store.InsertAppealParams) (store.Appeal, error) {
	now := s.now()
	due, err := calendar.Due(basisOfAppeal(e.Nature), now, calendar.Statutory)
	if err != nil {
		return store.Appeal{}, fmt.Errorf("term of the answer: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return store.Appeal{}, err
	}
	arg.AppealID, arg.EventID, arg.ResourceID, arg.Restriction, arg.Nature = id.String(), e.EventID, e.ResourceID, e.Event, e.Nature
	arg.FiledBy, arg.Statement, arg.FileTime, arg.DispositionTaskID = identity.ActorOf(ctx).GetSubject(), req.GetStatement(), now, e.TaskID
	arg.ClockBasis, arg.ClockStatutoryDue = basisOfAppeal(e.Nature), due.Statutory.Format(time.RFC3339)
	arg.ClockProof, arg.ClockProvisional = due.Proof, due.Provisional
	if err := q.InsertAppeal(ctx, arg); err != nil {
		return store.Appeal{}, err
	}
	return q.LockAppeal(ctx, arg.AppealID)
}

// GetAppeal returns an appeal to who filed it, who decides it and who restores.
func (s *Server) GetAppeal(ctx context.Context, req *ledgerv1.GetAppealRequest) (*ledgerv1.GetAppealResponse, error) {
	q, v, id := store.New(s.db), viewerOf(ctx), req.GetAppealId()
	rows, err := q.ListAppeals(ctx, store.ListAppealsParams{
		AppealID: &id, SeesAll: v.all, Party: v.party, AgencyID: v.agency, PageSize: 1,
	})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errs.NotFound(pgx.ErrNoRows, "no such appeal")
	}
	resp := &ledgerv1.GetAppealResponse{Appeal: appealProto(rows[0].Appeal, rows[0].CreditCode, v)}
	if v.engine {
		e, err := q.GetEvent(ctx, rows[0].Appeal.EventID)
		if err != nil {
			return nil, err
		}
		resp.AccessOperatorId, resp.OrderedBy = rows[0].Appeal.AccessOperatorID, e.DoneBy
	}
	return resp, nil
}

// ListAppeals lists appeals, newest first.
func (s *Server) ListAppeals(ctx context.Context, req *ledgerv1.ListAppealsRequest) (*ledgerv1.ListAppealsResponse, error) {
	v := viewerOf(ctx)
	appeals, next, err := s.appeals(ctx, store.ListAppealsParams{
		State: req.GetState(), SeesAll: v.all, Party: v.party, AgencyID: v.agency, PageSize: pg.PageSize(req.GetPageSize()),
	}, req.GetPageToken(), v)
	return &ledgerv1.ListAppealsResponse{Appeals: appeals, NextPageToken: next}, err
}

func (s *Server) appeals(ctx context.Context, arg store.ListAppealsParams, token string, v viewer) ([]*ledgerv1.Appeal, string, error) {
	before, id, ok, err := pg.DecodeTimeToken(token)
	if err != nil {
		return nil, "", err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := store.New(s.db).ListAppeals(ctx, arg)
	if err != nil {
		return nil, "", err
	}
	var out []*ledgerv1.Appeal
	for _, r := range rows {
		out = append(out, appealProto(r.Appeal, r.CreditCode, v))
	}
	next := ""
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1].Appeal
		next = pg.TimeToken(last.FileTime, last.AppealID)
	}
	return out, next, nil
}
