package reporting

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	"quietline/internal/phone"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// AdvanceComplaint writes the step a complaint is at and who takes part. While it is watched only the facts are written:
// its stage stays watch.
func (s *Server) AdvanceComplaint(ctx context.Context, req *reportingv1.AdvanceComplaintRequest) (*reportingv1.AdvanceComplaintResponse, error) {
	if err := checkAdvance(req); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.AdvanceComplaintResponse, error) {
		c, err := lockRound(ctx, tx, req.GetComplaintId(), req.GetRound())
		if err != nil {
			return nil, err
		}
		if err := s.advance(ctx, tx, &c, req); err != nil {
			return nil, err
		}
		withdrawn, err := allWithdrawn(ctx, tx, c)
		return &reportingv1.AdvanceComplaintResponse{AllWithdrawn: withdrawn}, err
	})
}

// advance moves a locked complaint on.
func (s *Server) advance(ctx context.Context, tx pgx.Tx, c *store.Complaint, req *reportingv1.AdvanceComplaintRequest) error {
	at := s.clock()
	stage, office, due := req.GetStage(), req.GetOffice(), timeOf(req.GetDueTime())
	if c.State == stateWatching {
		stage, office, due = c.Stage, c.Office, c.DueTime
	} else if err := reach(ctx, tx, c.ComplaintID, c.Round, stage, office, due, at); err != nil {
		return err
	}
	err := store.New(tx).AdvanceComplaint(ctx, store.AdvanceComplaintParams{
		ComplaintID: c.ComplaintID, Stage: stage, Office: office, DueTime: due, Result: req.GetResult(),
		RegionSource: req.GetRegionSource(), Disclosure: req.GetDisclosure(), At: at,
	})
	if err != nil {
		return fmt.Errorf("advance complaint: %w", err)
	}
	if r := req.GetResult(); r != "" && r != c.Result {
		if err := record(ctx, tx, c.ComplaintID, c.Round, "result", c.Result, r, at); err != nil {
			return err
		}
		c.Result = r
	}
	c.Stage, c.Office, c.DueTime = stage, office, due
	if req.GetForged() && !c.Forged {
		if err := detach(ctx, tx, *c, at); err != nil {
			return err
		}
		c.Forged = true
	}
	if err := keepAccess(ctx, tx, c, req, at); err != nil {
		return err
	}
	return takePart(ctx, tx, req, at)
}

// allWithdrawn says whether everybody who reported a complaint took that back; a clue, which nobody reported, is no such.
func allWithdrawn(ctx context.Context, tx pgx.Tx, c store.Complaint) (bool, error) {
	q := store.New(tx)
	left, err := q.HasReports(ctx, c.ComplaintID)
	if err == nil && !left && c.Origin == originMarks {
		reported, err := q.Reported(ctx, c.ComplaintID)
		return reported, err
	}
	if err != nil {
		return false, fmt.Errorf("reports left: %w", err)
	}
	return !left, nil
}

func checkAdvance(req *reportingv1.AdvanceComplaintRequest) error {
	if !slices.Contains(stages, req.GetStage()) || req.GetStage() == stageWatch || req.GetStage() == stageClosed {
		return errs.Field("stage", "must be a step of an open complaint; watch and closed have their own RPCs")
	}
	for _, p := range req.GetParticipations() {
		if !slices.Contains(parts, p.GetPart()) || p.GetAgencyId() == "" {
			return errs.Field("participations", "each needs an agency and a part: %s", strings.Join(parts, ", "))
		}
	}
	return nil
}

// detach takes a complaint away from the true holder of a number that proved forged: what is reported of that number from
// now on opens a complaint of its own. A number forged by its very form has no true holder and keeps its key.
func detach(ctx context.Context, tx pgx.Tx, c store.Complaint, at time.Time) error {
	q := store.New(tx)
	key := c.Key
	if key != nil && !phone.Forged(c.NumberKind) {
		forged := forgedKey(c.NumberNormal, c.ComplaintID, false)
		taken, err := q.LiveWithKey(ctx, &forged)
		if err != nil {
			return fmt.Errorf("detach: %w", err)
		}
		forged = forgedKey(c.NumberNormal, c.ComplaintID, taken)
		key = &forged
	}
	if err := q.DetachForged(ctx, store.DetachForgedParams{ComplaintID: c.ComplaintID, Key: key, At: at}); err != nil {
		return fmt.Errorf("detach: %w", err)
	}
	if err := record(ctx, tx, c.ComplaintID, c.Round, "forged", "false", "true", at); err != nil {
		return err
	}
	return separate(ctx, tx, c, at)
}

// takePart ends the part of leads that are lead no more, with the rights that follow from it, and adds who takes part from
// now on. An agency that leads again gets a part anew.
func takePart(ctx context.Context, tx pgx.Tx, req *reportingv1.AdvanceComplaintRequest, at time.Time) error {
	q := store.New(tx)
	if ended := req.GetEndedAgencyIds(); len(ended) > 0 {
		if err := q.EndLeads(ctx, store.EndLeadsParams{ComplaintID: req.GetComplaintId(), Agencies: ended, At: &at}); err != nil {
			return fmt.Errorf("end participation: %w", err)
		}
	}
	if len(req.GetParticipations()) == 0 {
		return nil
	}
	p := store.AddPartiesParams{ComplaintID: req.GetComplaintId()}
	for _, x := range req.GetParticipations() {
		since := at
		if x.GetSinceTime() != nil {
			since = x.GetSinceTime().AsTime()
		}
		p.Agencies, p.Parts, p.Since = append(p.Agencies, x.GetAgencyId()), append(p.Parts, x.GetPart()), append(p.Since, since)
	}
	if err := q.AddParties(ctx, p); err != nil {
		return fmt.Errorf("participation: %w", err)
	}
	return nil
}

// RecordFindings writes the findings of a fact check. Named reports get theirs even when they had one before, as after a
// re-check; without names it is all of the round that have none.
func (s *Server) RecordFindings(ctx context.Context, req *reportingv1.RecordFindingsRequest) (*reportingv1.RecordFindingsResponse, error) {
	if err := checkFindings(req); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.RecordFindingsResponse, error) {
		c, err := lockRound(ctx, tx, req.GetComplaintId(), req.GetRound())
		if err != nil {
			return nil, err
		}
		return s.find(ctx, tx, &c, req)
	})
}

func checkFindings(req *reportingv1.RecordFindingsRequest) error {
	for _, f := range req.GetFindings() {
		if !slices.Contains(findingResults, f.GetResult()) {
			return errs.Field("findings.result", "must be substantiated, not_substantiated or no_evidence")
		}
		for _, id := range f.GetReportIds() {
			if uuid.Validate(id) != nil {
				return errs.Field("findings.report_ids", "must be UUIDs")
			}
		}
	}
	return nil
}

// find writes findings to the reports of a locked complaint.
func (s *Server) find(ctx context.Context, tx pgx.Tx, c *store.Complaint, req *reportingv1.RecordFindingsRequest) (*reportingv1.RecordFindingsResponse, error) {
	q, at := store.New(tx), s.clock()
	for _, f := range req.GetFindings() {
		n, err := q.RecordFinding(ctx, store.RecordFindingParams{
			ComplaintID: c.ComplaintID, Round: c.Round, Finding: f.GetResult(), Reason: f.GetReasonCode(), Task: req.GetTaskId(),
			Chosen: len(f.GetReportIds()) > 0, ReportIds: f.GetReportIds(),
		})
		if err != nil {
			return nil, fmt.Errorf("record finding: %w", err)
		}
		if err := record(ctx, tx, c.ComplaintID, c.Round, "findings", "", fmt.Sprintf("%s: %d", f.GetResult(), n), at); err != nil {
			return nil, err
		}
	}
	if err := q.Touch(ctx, store.TouchParams{ComplaintID: c.ComplaintID, At: at}); err != nil {
		return nil, fmt.Errorf("record finding: %w", err)
	}
	counts, err := q.FindingCounts(ctx, store.FindingCountsParams{ComplaintID: c.ComplaintID, Round: c.Round})
	if err != nil {
		return nil, fmt.Errorf("count findings: %w", err)
	}
	return &reportingv1.RecordFindingsResponse{Substantiated: int32(counts.Substantiated), Checked: int32(counts.Checked)}, nil
}

// GiveFeedback gives every report of the round one feedback of a stage, and keeps it for those that join later. A report
// whose own finding differs from what the complaint came to is told its own; one that was not accepted is told no more.
func (s *Server) GiveFeedback(ctx context.Context, req *reportingv1.GiveFeedbackRequest) (*reportingv1.GiveFeedbackResponse, error) {
	if err := checkFeedback(req); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.GiveFeedbackResponse, error) {
		c, err := lockRound(ctx, tx, req.GetComplaintId(), req.GetRound())
		if err != nil {
			return nil, err
		}
		return s.tellRound(ctx, tx, &c, req)
	})
}

func checkFeedback(req *reportingv1.GiveFeedbackRequest) error {
	if !slices.Contains(feedbackStages, req.GetStage()) {
		return errs.Field("stage", "must be one of %s", strings.Join(feedbackStages, ", "))
	}
	return nil
}

// tellRound gives the reports of a locked complaint a feedback.
func (s *Server) tellRound(ctx context.Context, tx pgx.Tx, c *store.Complaint, req *reportingv1.GiveFeedbackRequest) (*reportingv1.GiveFeedbackResponse, error) {
	stage, code := req.GetStage(), req.GetCode()
	q, at, said := store.New(tx), s.clock(), sentence(stage, code, req.GetOffice())
	n, err := q.GiveFeedback(ctx, store.GiveFeedbackParams{
		ComplaintID: c.ComplaintID, Round: c.Round, Stage: stage, Code: code, Sentence: said, At: at,
		ByFinding:        stage == feedbackResult && slices.Contains(substantiatedResults, code),
		NotSubstantiated: sentence(stage, "not_substantiated", ""), NoEvidence: sentence(stage, "no_evidence", ""),
	})
	if err != nil {
		return nil, fmt.Errorf("give feedback: %w", err)
	}
	if slices.Contains(feedbackOfRound, stage) {
		err := q.KeepRoundFeedback(ctx, store.KeepRoundFeedbackParams{
			ComplaintID: c.ComplaintID, Round: c.Round, Stage: stage, Code: code, Text: said, CreatedAt: at,
		})
		if err != nil {
			return nil, fmt.Errorf("keep feedback: %w", err)
		}
	}
	if err := q.Touch(ctx, store.TouchParams{ComplaintID: c.ComplaintID, At: at}); err != nil {
		return nil, fmt.Errorf("give feedback: %w", err)
	}
	if n > 0 && stage == feedbackResult && c.State == stateOpen {
		if err := reach(ctx, tx, c.ComplaintID, c.Round, "feedback", req.GetOffice(), nil, at); err != nil {
			return nil, err
		}
	}
	if n > 0 && stage == feedbackResult {
		if _, err := tellReversed(ctx, q, *c, c.Round, false, at); err != nil {
			return nil, err
		}
	}
	return &reportingv1.GiveFeedbackResponse{Given: int32(n)}, nil
}

func timeOf(t *timestamppb.Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	v := t.AsTime()
	return &v
}
