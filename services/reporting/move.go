package reporting

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/reporting/store"
)

const feedbackMoved = "moved"

// mayRelate: whoever leads a complaint decides what belongs to it, and the national centre.
func mayRelate(ctx context.Context, q *store.Queries, complaints ...*store.Complaint) error {
	a := identity.ActorOf(ctx)
	if identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS || isCentre(a) {
		return nil
	}
	r := readerOf(ctx)
	for _, c := range complaints {
		parties, err := q.PartiesOf(ctx, []string{c.ComplaintID})
		switch {
		case err != nil:
			return fmt.Errorf("participations: %w", err)
		case r.takesPart(parties, c.ComplaintID, "lead") && identity.HasRole(a, accessv1.Role_ROLE_CASEWORKER):
			continue
		case r.seesAll || r.takesPart(parties, c.ComplaintID, parts...):
			return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
				"another agency leads complaint %s (非本单位主办)", c.ComplaintID)
		}
		return errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "complaint %s: not found", c.ComplaintID)
	}
	return nil
}

// mayDivide: who may say what belongs to a complaint may split it by person until it is assigned. From then on clocks run
// against its lead, and a part has clocks and bounces of its own: the national centre and the lead ministry split it.
func mayDivide(ctx context.Context, q *store.Queries, c *store.Complaint) error {
	a := identity.ActorOf(ctx)
	if identity.HasRole(a, accessv1.Role_ROLE_LEAD) && a.GetAgencyId() == leadAgency {
		return nil
	}
	if err := mayRelate(ctx, q, c); err != nil {
		return err
	}
	if identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS || isCentre(a) || c.State != stateOpen || c.Stage == stageAccept {
		return nil
	}
	return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
		"complaint %s has been assigned: the centre or the lead ministry splits it (已交办, 由举报中心或牵头单位拆分)", c.ComplaintID)
}

// movable are the reports of a locked complaint that may go elsewhere.
func (m *moving) movable(ctx context.Context, c *store.Complaint) ([]movable, error) {
	rows, err := m.q.MovableReports(ctx, store.MovableReportsParams{ComplaintID: c.ComplaintID, Round: c.Round})
	if err != nil {
		return nil, fmt.Errorf("movable reports: %w", err)
	}
	m.received = make(map[string]time.Time, len(rows))
	out := make([]movable, len(rows))
	for i, r := range rows {
		out[i] = movable{id: r.ReportID, call: r.CallTime, foreign: r.NumberNormal != ""}
		if r.SameCallAs != nil {
			out[i].twinOf = *r.SameCallAs
		}
		m.received[r.ReportID] = r.CreatedAt
	}
	return out, nil
}

// move gives reports to another locked complaint, with what their reporters added and handed in. What they were told stays,
// and they are told that they moved.
func (m *moving) move(ctx context.Context, from, to *store.Complaint, reports []string) error {
	n, err := m.q.RelocateReports(ctx, store.RelocateReportsParams{
		MovedTo: to.ComplaintID, ToRound: to.Round, FromNumber: from.NumberNormal, ToNumber: to.NumberNormal, ReportIds: reports,
		MovedFrom: from.ComplaintID, FromRound: from.Round, What: m.what, At: m.at,
	})
	if err != nil {
		return fmt.Errorf("move reports: %w", err)
	}
	if n != int64(len(reports)) { // they were read under the lock that is still held
		return fmt.Errorf("move reports: %d of %d were there", n, len(reports))
	}
	err = m.q.RelocateSupplements(ctx, store.RelocateSupplementsParams{
		MovedTo: to.ComplaintID, ToRound: to.Round, MovedFrom: from.ComplaintID, ReportIds: reports,
	})
	if err != nil {
		return fmt.Errorf("move supplements: %w", err)
	}
	err = m.q.RelocateEvidence(ctx, store.RelocateEvidenceParams{MovedTo: to.ComplaintID, MovedFrom: from.ComplaintID, ReportIds: reports})
	if err != nil {
		return fmt.Errorf("move evidence: %w", err)
	}
	for _, c := range []*store.Complaint{from, to} {
		if err := m.q.Touch(ctx, store.TouchParams{ComplaintID: c.ComplaintID, At: m.at}); err != nil {
			return fmt.Errorf("move reports: %w", err)
		}
	}
	return tell(ctx, m.tx, reports, feedbackMoved, m.what, m.at)
}

// settle does what joining means for reports that moved to a complaint that lived already: as for those just filed.
func (m *moving) settle(ctx context.Context, to *store.Complaint, reports []string) error {
	j := store.Joined{ComplaintID: uuid.MustParse(to.ComplaintID), Key: to.Key, State: to.State, Stage: to.Stage, Round: to.Round}
	reopened, err := settle(ctx, m.tx, j, reports, m.rules, m.at)
	if err != nil {
		return err
	}
	if reopened != nil {
		m.begun = append(m.begun, *reopened)
	} else if to.State == stateOpen {
		m.told = append(m.told, round{complaintID: to.ComplaintID, number: to.Round})
	}
	return nil
}

// weighAnew works out what a complaint is about with the reports that it has now, while it is not assigned: what it was
// routed by stands, and what was said to be a crime stays one until it is classified anew.
func (m *moving) weighAnew(ctx context.Context, c *store.Complaint) error {
	if c.State != stateOpen || c.Stage != stageAccept {
		return nil
	}
	now, err := weigh(ctx, m.q, c.ComplaintID)
	if err != nil || now.category == "" || isCriminal(c) && now.category != criminal {
		return err
	}
	return reclassify(ctx, m.tx, *c, now, m.at)
}

// record adds a line to a complaint's history: reports went from one to another, and why.
func (m *moving) record(ctx context.Context, of, from, to *store.Complaint) error {
	return m.remember(ctx, of, m.what, from.ComplaintID, to.ComplaintID)
}

func (m *moving) remember(ctx context.Context, of *store.Complaint, what, before, after string) error {
	subject, agency := who(ctx)
	err := m.q.AddRelation(ctx, store.AddRelationParams{
		ComplaintID: of.ComplaintID, Round: of.Round, Actor: subject, AgencyID: agency, What: what, Old: before, New: after,
		Why: m.why, CreatedAt: m.at,
	})
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

func (m *moving) link(ctx context.Context, from, to *store.Complaint, kind string) error {
	subject, agency := who(ctx)
	_, err := m.q.AddLink(ctx, store.AddLinkParams{
		ComplaintID: from.ComplaintID, OtherComplaintID: to.ComplaintID, Kind: kind, Reason: m.why, Actor: subject, AgencyID: agency, CreatedAt: m.at,
	})
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	return nil
}

// alias has reports under the key, of calls in the time, join a complaint from now on.
func (m *moving) alias(ctx context.Context, key string, from, until *time.Time, to string) error {
	err := m.q.ClearAliases(ctx, store.ClearAliasesParams{At: m.at, Key: key, HeldFrom: from, HeldUntil: until})
	if err == nil {
		err = m.q.AddAlias(ctx, store.AddAliasParams{Key: key, HeldFrom: from, HeldUntil: until, ComplaintID: to, At: m.at})
	}
	if err != nil {
		return fmt.Errorf("alias: %w", err)
	}
	return nil
}
