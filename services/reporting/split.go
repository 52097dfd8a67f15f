package reporting

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// SplitComplaint takes reports that nothing was found on yet into complaints of their own, each with its own round, which
// began when theirs did, and workflow. By holder they join that holder's complaint of the number while it lives, and so do later reports of calls in
// his time. A split by holder that has become needless changes nothing and is not refused.
func (s *Server) SplitComplaint(ctx context.Context, req *reportingv1.SplitComplaintRequest) (*reportingv1.SplitComplaintResponse, error) {
	if err := checkSplit(ctx, req); err != nil {
		return nil, err
	}
	at := s.clock()
	policy, err := s.policy(ctx, at)
	if err != nil {
		return nil, err
	}
	var sp *splitting
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.SplitComplaintResponse, error) {
		sp = &splitting{moving: moving{tx: tx, q: store.New(tx), at: at, rules: policy.relapses(), what: linkSplit, why: req.GetReason()}}
		sp.byHolder = identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS
		return sp.run(ctx, req)
	})
	if err == nil && sp != nil {
		s.starter.start(sp.begun...)
		for _, r := range sp.told {
			s.starter.nudge(r)
		}
	}
	return resp, err
}

// checkSplit: who held a number is what the ledger says, and the workflows ask it.
func checkSplit(ctx context.Context, req *reportingv1.SplitComplaintRequest) error {
	if identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS {
		for _, g := range req.GetGroups() {
			from, until := timeOf(g.GetHeldFromTime()), timeOf(g.GetHeldUntilTime())
			if g.GetHolderId() == "" || from != nil && until != nil && !from.Before(*until) {
				return errs.Field("groups", "each needs its holder, and a time that begins before it ends")
			}
		}
		return nil
	}
	if req.GetKeptHolderId() != "" {
		return errs.Field("kept_holder_id", "is for the workflows, which ask the ledger")
	}
	for _, g := range req.GetGroups() {
		if g.GetHolderId() != "" || g.GetHeldFromTime() != nil || g.GetHeldUntilTime() != nil {
			return errs.Field("groups", "holders are for the workflows, which ask the ledger: name the reports")
		}
		if len(g.GetReportIds()) == 0 {
			return errs.Field("groups.report_ids", "must name at least one report")
		}
	}
	return nil
}

// splitting is one split, inside its transaction.
type splitting struct {
	moving
	byHolder bool
	c        store.Complaint
	live     map[string]*store.Complaint // by key: what reports may join, locked
}

func (sp *splitting) run(ctx context.Context, req *reportingv1.SplitComplaintRequest) (*reportingv1.SplitComplaintResponse, error) {
	if err := sp.lock(ctx, req); err != nil {
		return nil, err
	}
	if err := mayDivide(ctx, sp.q, &sp.c); err != nil {
		return nil, err
	}
	switch sp.c.State {
	case stateClosed:
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_CLOSED, "complaint %s is closed", sp.c.ComplaintID)
	case stateWatching:
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"complaint %s has been handled and is being watched: all its reports have their result (已办理, 处于回访期)", sp.c.ComplaintID)
	}
	groups, err := sp.divide(ctx, req)
	if err != nil || groups == nil {
		return &reportingv1.SplitComplaintResponse{Kept: sp.kept}, err
	}
	resp := &reportingv1.SplitComplaintResponse{Kept: sp.kept}
	for i, reports := range groups {
		if len(reports) == 0 {
			continue
		}
		off, err := sp.takeOff(ctx, req.GetGroups()[i], reports)
		if err != nil {
			return nil, err
		}
		if off != nil {
			resp.Parts = append(resp.Parts, off)
		}
	}
	if len(resp.GetParts()) == 0 {
		return resp, nil
	}
	if h := req.GetKeptHolderId(); h != "" && h != sp.c.Holder {
		if err := sp.q.HoldBy(ctx, store.HoldByParams{ComplaintID: sp.c.ComplaintID, Holder: h, At: sp.at}); err != nil {
			return nil, fmt.Errorf("split: %w", err)
		}
	}
	return resp, sp.weighAnew(ctx, &sp.c)
}

// lock locks the complaint and those that its reports may join, in the order of their keys.
func (sp *splitting) lock(ctx context.Context, req *reportingv1.SplitComplaintRequest) error {
	seen, err := sp.q.ComplaintFacts(ctx, req.GetComplaintId())
	if err != nil {
		return errs.NotFound(err, "complaint %s", req.GetComplaintId())
	}
	p := store.LockForSplitParams{ComplaintID: seen.ComplaintID}
	var led []store.AliasedToRow
	if base := baseOf(&seen); base != nil && sp.byHolder {
		p.Keys = append(p.Keys, *base)
		for _, g := range req.GetGroups() {
			p.Keys = append(p.Keys, *keyOfPart(base, g.GetHolderId()))
		}
		if led, err = sp.q.AliasedTo(ctx, p.Keys); err != nil {
			return fmt.Errorf("split: %w", err)
		}
		for _, l := range led {
			p.Joinable = append(p.Joinable, l.ComplaintID)
		}
	}
	rows, err := sp.q.LockForSplit(ctx, p)
	if err != nil {
		return fmt.Errorf("split: %w", err)
	}
	sp.live = make(map[string]*store.Complaint, len(rows))
	for i := range rows {
		c := &rows[i]
		if c.ComplaintID == seen.ComplaintID {
			sp.c = *c
			continue
		}
		if c.Key != nil {
			sp.live[*c.Key] = c
		}
		for _, l := range led {
			if l.ComplaintID == c.ComplaintID {
				sp.live[l.Key] = c
			}
		}
	}
	if sp.c.ComplaintID == "" || !same(sp.c.Key, seen.Key) {
		return errRaced
	}
	return nil
}

func same(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// divide finds the reports of each group; nil when there is nothing to do. One at least stays.
func (sp *splitting) divide(ctx context.Context, req *reportingv1.SplitComplaintRequest) ([][]string, error) {
	reports, err := sp.movable(ctx, &sp.c)
	if err != nil {
		return nil, err
	}
	wanted := make([]wantedGroup, len(req.GetGroups()))
	for i, g := range req.GetGroups() {
		wanted[i] = wantedGroup{named: g.GetReportIds(), from: timeOf(g.GetHeldFromTime()), until: timeOf(g.GetHeldUntilTime())}
	}
	groups, stuck := divide(reports, wanted, sp.byHolder)
	if len(stuck) > 0 && !sp.byHolder {
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"these reports are not of complaint %s, were withdrawn, or have their findings or result already: %s",
			sp.c.ComplaintID, strings.Join(stuck, ", "))
	}
	total, err := sp.q.CountOfRound(ctx, store.CountOfRoundParams{ComplaintID: sp.c.ComplaintID, Round: sp.c.Round})
	if err != nil {
		return nil, fmt.Errorf("split: %w", err)
	}
	moved := 0
	for _, g := range groups {
		moved += len(g)
	}
	sp.kept = int32(total) - int32(moved)
	switch {
	case moved == 0:
		return nil, nil
	case sp.kept > 0:
		return groups, nil
	case sp.byHolder: // the one that would have stayed was withdrawn meanwhile: it is one holder's matter now
		sp.kept = int32(total)
		return nil, nil
	}
	return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
		"at least one report stays with complaint %s (至少保留一件举报)", sp.c.ComplaintID)
}

// takeOff moves one group. It answers nothing when the group has to stay: the complaint it belongs to is not as far.
func (sp *splitting) takeOff(ctx context.Context, g *reportingv1.SplitGroup, reports []string) (*reportingv1.SplitOff, error) {
	to, err := sp.target(ctx, g, reports)
	if err != nil {
		return nil, err
	}
	if to.complaint.Round < sp.c.Round {
		sp.kept += int32(len(reports))
		return nil, nil
	}
	if err := sp.move(ctx, &sp.c, to.complaint, reports); err != nil {
		return nil, err
	}
	if to.joined {
		err = sp.settle(ctx, to.complaint, reports)
	} else {
		sp.begun = append(sp.begun, round{complaintID: to.complaint.ComplaintID, number: to.complaint.Round})
		err = sp.link(ctx, &sp.c, to.complaint, linkSplit)
	}
	if err != nil {
		return nil, err
	}
	if err := sp.record(ctx, &sp.c, &sp.c, to.complaint); err != nil {
		return nil, err
	}
	if err := sp.record(ctx, to.complaint, &sp.c, to.complaint); err != nil {
		return nil, err
	}
	if err := sp.lead(ctx, g, to.complaint); err != nil {
		return nil, err
	}
	return &reportingv1.SplitOff{
		ComplaintId: to.complaint.ComplaintID, Round: to.complaint.Round, Moved: int32(len(reports)), Joined: to.joined,
	}, nil
}

// destination is where reports go.
type destination struct {
	complaint *store.Complaint
	joined    bool // it lived already
}

// target is the holder's complaint of the number while it lives, else a new one. By person it is always a new one.
func (sp *splitting) target(ctx context.Context, g *reportingv1.SplitGroup, reports []string) (destination, error) {
	base, holder, part := baseOf(&sp.c), sp.c.Holder, g.GetHolderId()
	if part != "" {
		holder = part
		if base != nil {
			c := sp.live[*base]
			if c == nil || c.Holder != holder {
				c = sp.live[*keyOfPart(base, part)]
			}
			switch {
			case c == nil:
			case isCriminal(&sp.c) && !isCriminal(c): // what is said to be a crime stays apart
				part = ""
			default:
				return destination{c, true}, nil
			}
		}
	}
	if part == "" {
		next, err := sp.q.NextPart(ctx, sp.c.NumberNormal)
		if err != nil {
			return destination{}, fmt.Errorf("split: %w", err)
		}
		part = strconv.Itoa(int(next))
	}
	if base == nil {
		part = ""
	}
	c, err := sp.open(ctx, keyOfPart(base, part), part, holder, reports)
	if err == nil && c.Key != nil {
		sp.live[*c.Key] = c
	}
	return destination{complaint: c}, err
}

func (sp *splitting) open(ctx context.Context, key *string, part, holder string, reports []string) (*store.Complaint, error) {
	received := sp.at
	for _, id := range reports {
		if t := sp.received[id]; t.Before(received) {
			received = t
		}
	}
	id := newID().String()
	err := sp.q.OpenPart(ctx, store.OpenPartParams{
		PartID: id, Key: key, Part: part, Holder: holder, CreatedAt: received, At: sp.at, ComplaintID: sp.c.ComplaintID,
	})
	if pg.Constraint(err) == "complaint_one_live" {
		return nil, errors.Join(errRaced, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open part: %w", err)
	}
	c, err := sp.q.ComplaintFacts(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("open part: %w", err)
	}
	return &c, nil
}

// lead has later reports of calls in the holder's time join his complaint.
func (sp *splitting) lead(ctx context.Context, g *reportingv1.SplitGroup, to *store.Complaint) error {
	base, from, until := baseOf(&sp.c), timeOf(g.GetHeldFromTime()), timeOf(g.GetHeldUntilTime())
	if base == nil || same(base, to.Key) || from == nil && until == nil || to.Part != g.GetHolderId() {
		return nil
	}
	return sp.alias(ctx, *base, from, until, to.ComplaintID)
}

// moving is what splitting and merging share.
type moving struct {
	tx    pgx.Tx
	q     *store.Queries
	at    time.Time
	rules relapsePolicy
	what  string // split, merged, forged
	why   string

	kept     int32
	received map[string]time.Time // of the reports that may move
	begun    []round              // to be started after the commit
	told     []round              // whose workflows are told that something changed
}
