package reporting

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// MergeComplaints puts complaints about the same conduct of the same party into one. Their reports move, and with them
// their receipts; they close as merged and their workflows end; later reports of their numbers join the one while it lives.
// Its round began when the oldest of theirs did.
func (s *Server) MergeComplaints(ctx context.Context, req *reportingv1.MergeComplaintsRequest) (*reportingv1.MergeComplaintsResponse, error) {
	from := slices.Compact(slices.Sorted(slices.Values(req.GetFromComplaintIds())))
	if len(from) < len(req.GetFromComplaintIds()) || slices.Contains(from, req.GetIntoComplaintId()) {
		return nil, errs.Field("from_complaint_ids", "must name each complaint once, and not the one that they are merged into")
	}
	at := s.clock()
	var mg *merging
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.MergeComplaintsResponse, error) {
		mg = &merging{moving: moving{tx: tx, q: store.New(tx), at: at, what: linkMerged, why: req.GetReason()}}
		return mg.run(ctx, req)
	})
	if err == nil && mg != nil {
		for _, r := range mg.told {
			s.starter.nudge(r)
		}
	}
	return resp, err
}

// merging is one merger, inside its transaction.
type merging struct {
	moving
	into *store.Complaint
	from []*store.Complaint
}

func (mg *merging) run(ctx context.Context, req *reportingv1.MergeComplaintsRequest) (*reportingv1.MergeComplaintsResponse, error) {
	if err := mg.lock(ctx, req); err != nil {
		return nil, err
	}
	if err := mayRelate(ctx, mg.q, append([]*store.Complaint{mg.into}, mg.from...)...); err != nil {
		return nil, err
	}
	resp := &reportingv1.MergeComplaintsResponse{Merged: int32(len(mg.from))}
	for _, c := range mg.from {
		if err := mg.mayMerge(ctx, c); err != nil {
			return nil, err
		}
		moved, err := mg.merge(ctx, c)
		if err != nil {
			return nil, err
		}
		resp.Moved += moved
	}
	if mg.into.State == stateOpen {
		mg.told = append(mg.told, round{complaintID: mg.into.ComplaintID, number: mg.into.Round})
	}
	return resp, mg.weighAnew(ctx, mg.into)
}

// lock locks all complaints in the order of their keys.
func (mg *merging) lock(ctx context.Context, req *reportingv1.MergeComplaintsRequest) error {
	rows, err := mg.q.LockComplaints(ctx, append([]string{req.GetIntoComplaintId()}, req.GetFromComplaintIds()...))
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	find := func(id string) (*store.Complaint, error) {
		if i := slices.IndexFunc(rows, func(c store.Complaint) bool { return c.ComplaintID == id }); i >= 0 {
			return &rows[i], nil
		}
		return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "complaint %s: not found", id)
	}
	if mg.into, err = find(req.GetIntoComplaintId()); err != nil {
		return err
	}
	for _, id := range req.GetFromComplaintIds() {
		c, err := find(id)
		if err != nil {
			return err
		}
		mg.from = append(mg.from, c)
	}
	return nil
}

// mayMerge refuses what is not open, what was found on already, and what never goes together.
func (mg *merging) mayMerge(ctx context.Context, c *store.Complaint) error {
	for _, x := range []*store.Complaint{mg.into, c} {
		switch x.State {
		case stateClosed:
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_CLOSED, "complaint %s is closed", x.ComplaintID)
		case stateWatching:
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
				"complaint %s has been handled and is being watched: link it instead (已办理, 处于回访期, 请改用关联)", x.ComplaintID)
		}
	}
	if err := mayMix(c, mg.into); err != nil {
		return err
	}
	if c.Round > mg.into.Round || c.Key != nil && mg.into.Key == nil {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"complaint %s was re-opened more often, or has a number where the other has none: merge %s into it (请调整并案方向)",
			c.ComplaintID, mg.into.ComplaintID)
	}
	counts, err := mg.q.FindingCounts(ctx, store.FindingCountsParams{ComplaintID: c.ComplaintID, Round: c.Round})
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	if counts.Checked > 0 {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"the findings of complaint %s are recorded: link it instead (核查结论已记录, 请改用关联)", c.ComplaintID)
	}
	return nil
}

// mayMix refuses complaints that stay apart whoever wants them together: forged and genuine numbers, crimes and what is
// none, and two holders of one number, whom the workflow would part again.
func mayMix(a, b *store.Complaint) error {
	of := func(is func(*store.Complaint) bool) string {
		if is(a) {
			return a.ComplaintID
		}
		return b.ComplaintID
	}
	switch {
	case isForged(a) != isForged(b):
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"a forged number never counts against a true holder: complaint %s is about a forged number and the other is not (伪造主叫不得与真实号码并案)",
			of(isForged))
	case isCriminal(a) != isCriminal(b):
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"complaint %s is about a suspected crime and the other is not: link it instead (涉嫌违法犯罪的事项不与其他事项并案, 请改用关联)", of(isCriminal))
	case a.NumberNormal == b.NumberNormal && a.Holder != "" && b.Holder != "" && a.Holder != b.Holder:
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"the number had different holders at the calls of complaint %s and of the other: link it instead (通话时使用主体不同, 请改用关联)",
			a.ComplaintID)
	}
	return nil
}

// merge moves the reports of one complaint and closes it. Those that were told their result, or withdrawn, stay with it.
func (mg *merging) merge(ctx context.Context, c *store.Complaint) (int32, error) {
	reports, err := mg.movable(ctx, c)
	if err != nil {
		return 0, err
	}
	if len(reports) == 0 {
		return 0, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"complaint %s has no report left that is to be decided on", c.ComplaintID)
	}
	ids := idsOf(reports, func(r movable) string { return r.id })
	if err := mg.move(ctx, c, mg.into, ids); err != nil {
		return 0, err
	}
	if mg.into.State == stateOpen {
		if err := tellJoined(ctx, mg.tx, ids, mg.at); err != nil {
			return 0, err
		}
	}
	if c.RoundTime.Before(mg.into.RoundTime) { // nobody's clock starts anew
		mg.into.RoundTime = c.RoundTime
		if err := mg.q.BeganBefore(ctx, store.BeganBeforeParams{ComplaintID: mg.into.ComplaintID, RoundTime: c.RoundTime}); err != nil {
			return 0, fmt.Errorf("merge: %w", err)
		}
	}
	if err := mg.handOn(ctx, c); err != nil {
		return 0, err
	}
	if err := mg.close(ctx, c); err != nil {
		return 0, err
	}
	for _, x := range []*store.Complaint{c, mg.into} {
		if err := mg.record(ctx, x, c, mg.into); err != nil {
			return 0, err
		}
	}
	mg.told = append(mg.told, round{complaintID: c.ComplaintID, number: c.Round})
	return int32(len(ids)), mg.link(ctx, c, mg.into, linkMerged)
}

// handOn gives the complaint that goes on what the merged one had: the files that agencies put to it, its key and what
// leads to it, and who led it as co-agencies.
func (mg *merging) handOn(ctx context.Context, c *store.Complaint) error {
	err := mg.q.HandOnEvidence(ctx, store.HandOnEvidenceParams{MovedTo: mg.into.ComplaintID, MovedFrom: c.ComplaintID})
	if err == nil {
		err = mg.q.HandOnAliases(ctx, store.HandOnAliasesParams{At: mg.at, MovedFrom: c.ComplaintID, MovedTo: mg.into.ComplaintID})
	}
	if err == nil {
		err = mg.q.FollowMerged(ctx, store.FollowMergedParams{MergedInto: mg.into.ComplaintID, ComplaintID: c.ComplaintID})
	}
	if err == nil && c.Key != nil {
		if err = mg.q.EndDeadAliases(ctx, store.EndDeadAliasesParams{At: &mg.at, Key: *c.Key}); err == nil {
			err = mg.q.AddAlias(ctx, store.AddAliasParams{Key: *c.Key, ComplaintID: mg.into.ComplaintID, At: mg.at})
		}
	}
	if err != nil {
		return fmt.Errorf("hand on: %w", err)
	}
	leads, err := mg.q.LeadsOf(ctx, c.ComplaintID)
	if err != nil {
		return fmt.Errorf("hand on: %w", err)
	}
	if len(leads) == 0 {
		return nil
	}
	mine, err := mg.q.LeadsOf(ctx, mg.into.ComplaintID)
	if err != nil {
		return fmt.Errorf("hand on: %w", err)
	}
	p := store.AddPartiesParams{ComplaintID: mg.into.ComplaintID}
	for _, agency := range without(leads, mine) {
		p.Agencies, p.Parts, p.Since = append(p.Agencies, agency), append(p.Parts, "co"), append(p.Since, mg.at)
	}
	if err := mg.q.AddParties(ctx, p); err != nil {
		return fmt.Errorf("hand on: %w", err)
	}
	return nil
}

func (mg *merging) close(ctx context.Context, c *store.Complaint) error {
	missing, err := lacking(ctx, mg.tx, c.ComplaintID)
	if err != nil {
		return err
	}
	if missing > 0 {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"%d reports of complaint %s have a finding and await their result", missing, c.ComplaintID)
	}
	err = mg.q.CloseMerged(ctx, store.CloseMergedParams{ComplaintID: c.ComplaintID, MergedInto: &mg.into.ComplaintID, At: &mg.at})
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	if err := reach(ctx, mg.tx, c.ComplaintID, c.Round, stageClosed, "", nil, mg.at); err != nil {
		return err
	}
	return mg.remember(ctx, c, "state", c.State, stateClosed)
}
