package ledger

import (
	"context"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// States of a deduction:
//
//	PROPOSED ──┬── contested by the operator or the administration, once each ──> CONTESTED
//	           └──> GRANTED or REFUSED <── another officer of the administration ──┘ (contested again: CONTESTED)
//	any of them ──> LAPSED, when the disposition is found wrong on another's appeal
const (
	deductionProposed  = "PROPOSED"
	deductionContested = "CONTESTED"
	deductionLapsed    = "LAPSED"
)

// Sides of a deduction.
const (
	sideMesh           = "mesh"
	sideOperator       = "operator"
	sideAdministration = "administration"
)

// mesh is who proposes.
const mesh = "quietline"

// deductible says whether an appeal is to be deducted: dismissed, over a report that was true, of a number that was real.
func deductible(state string, c *ledgerv1.AppealCause) bool {
	return state == appealDismissed && c.GetSubstantiated() > 0 && !c.GetForged()
}

// mayContest refuses a side that has contested, and what is over.
func mayContest(state, side string, acts []store.DeductionAct) error {
	if state == deductionLapsed {
		return wrongState("the disposition was found wrong: nothing is deducted any more")
	}
	if slices.ContainsFunc(acts, func(a store.DeductionAct) bool { return a.Act == "contested" && a.Side == side }) {
		return wrongState("the %s has contested this deduction already; each side does once", side)
	}
	return nil
}

// mayDecide refuses who answered the appeal, had a part in the disposition, or contested or decided before.
func mayDecide(row store.LockDeductionRow, subject string, acts []store.DeductionAct) error {
	if s := row.Deduction.State; s != deductionProposed && s != deductionContested {
		return wrongState("a deduction that is %s is decided again only when it is contested", s)
	}
	if subject == row.AppealCause.AnsweredBy || slices.Contains(row.AppealCause.Excluded, subject) ||
		slices.ContainsFunc(acts, func(a store.DeductionAct) bool { return a.DoneBy == subject }) {
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON,
			"who answered the appeal, had a part in the disposition, contested or decided before does not decide (回避)")
	}
	return nil
}

// deductionProtos are deductions with their histories.
func deductionProtos(ctx context.Context, q *store.Queries, rows []store.ListDeductionsRow) ([]*ledgerv1.Deduction, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.Deduction.DeductionID
	}
	acts, err := q.DeductionActs(ctx, ids)
	if err != nil {
		return nil, err
	}
	of := map[string][]*ledgerv1.DeductionAct{}
	v := viewerOf(ctx)
	for _, a := range acts {
		by := a.DoneBy
		if !v.inside(a.AgencyID) {
			by = ""
		}
		of[a.DeductionID] = append(of[a.DeductionID], &ledgerv1.DeductionAct{
			Act: a.Act, Side: a.Side, DoneBy: by, AgencyId: a.AgencyID, Reason: a.Reason, EvidenceIds: a.Evidence,
			Effect: int32(a.Effect), ActTime: timestamppb.New(a.ActTime),
		})
	}
	var out []*ledgerv1.Deduction
	for _, r := range rows {
		d, c := r.Deduction, r.AppealCause
		out = append(out, &ledgerv1.Deduction{
			DeductionId: d.DeductionID, AppealId: d.AppealID, EventId: d.EventID, Restriction: r.Restriction,
			DispositionTaskId: text(r.DispositionTaskID), DecidingTaskId: text(r.DecidingTaskID), ComplaintId: c.ComplaintID, Round: c.Round,
			Substantiated: c.Substantiated, Checked: c.Checked, OperatorId: d.OperatorID, AdministrationId: d.AdministrationID,
			State: d.State, Deducted: d.Effect == 1, ProposedTime: timestamppb.New(d.ProposedTime), Acts: of[d.DeductionID],
		})
	}
	return out, nil
}

// oneDeduction is a deduction that the caller was found to see.
func oneDeduction(ctx context.Context, q *store.Queries, id string) (*ledgerv1.Deduction, error) {
	rows, err := q.ListDeductions(ctx, store.ListDeductionsParams{DeductionID: &id, SeesAll: true, PageSize: 1})
	if err != nil {
		return nil, err
	}
	all, err := deductionProtos(ctx, q, rows)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

func scoredProto(r store.ListScoredAppealsRow) *ledgerv1.ScoredAppeal {
	out := &ledgerv1.ScoredAppeal{
		AppealId: r.AppealID, OperatorId: r.OperatorID, FileTime: timestamppb.New(r.FileTime), State: r.State, Filed: r.Filed,
		DeductionId: text(r.DeductionID), DeductionState: r.DeductionState, Effect: r.Effect,
	}
	if r.DecidedTime.Unix() != 0 {
		out.DecidedTime = timestamppb.New(r.DecidedTime)
	}
	return out
}
