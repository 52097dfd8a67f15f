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
		at := s.clock()
		c, err := lockRound(ctx, tx, req.GetComplaintId(), req.GetRound())
		if err != nil {
			return nil, err
		}
		stage, office, due := req.GetStage(), req.GetOffice(), timeOf(req.GetDueTime())
		if c.State == stateWatching {
			stage, office, due = c.Stage, c.Office, c.DueTime
		} else if err := reach(ctx, tx, c.ComplaintID, c.Round, stage, office, due, at); err != nil {
			return nil, err
		}
		err = store.New(tx).AdvanceComplaint(ctx, store.AdvanceComplaintParams{
			ComplaintID: c.ComplaintID, Stage: stage, Office: office, DueTime: due, Result: req.GetResult(),
			RegionSource: req.GetRegionSource(), Disclosure: req.GetDisclosure(), At: at,
		})
		if err != nil {
			return nil, fmt.Errorf("advance complaint: %w", err)
		}
		if r := req.GetResult(); r != "" && r != c.Result {
			if err := record(ctx, tx, c.ComplaintID, c.Round, "result", c.Result, r, at); err != nil {
				return nil, err
			}
		}
		if req.GetForged() && !c.Forged {
			if err := detach(ctx, tx, c, at); err != nil {
				return nil, err
			}
		}
		return &reportingv1.AdvanceComplaintResponse{}, addParties(ctx, tx, c.ComplaintID, req.GetParticipations(), at)
	})
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
	return record(ctx, tx, c.ComplaintID, c.Round, "forged", "false", "true", at)
}

func addParties(ctx context.Context, tx pgx.Tx, complaintID string, list []*reportingv1.Participation, at time.Time) error {
	if len(list) == 0 {
		return nil
	}
	p := store.AddPartiesParams{ComplaintID: complaintID}
	for _, x := range list {
		since := at
		if x.GetSinceTime() != nil {
			since = x.GetSinceTime().AsTime()
		}
		p.Agencies, p.Parts, p.Since = append(p.Agencies, x.GetAgencyId()), append(p.Parts, x.GetPart()), append(p.Since, since)
	}
	if err := store.New(tx).AddParties(ctx, p); err != nil {
		return fmt.Errorf("participation: %w", err)
	}
	return nil
}

// RecordClassification writes the class of reports, and the complaint's: the one given, or the weighted majority.
func (s *Server) RecordClassification(ctx context.Context, req *reportingv1.RecordClassificationRequest) (*reportingv1.RecordClassificationResponse, error) {
	p := store.ClassifyReportsParams{ComplaintID: req.GetComplaintId()}
	for _, r := range req.GetReports() {
		if uuid.Validate(r.GetReportId()) != nil || !slices.Contains(categories, r.GetCategory()) {
			return nil, errs.Field("reports", "each needs a report's ID and a category: commercial, malicious, criminal or empty")
		}
		p.ReportIds, p.Categories = append(p.ReportIds, r.GetReportId()), append(p.Categories, r.GetCategory())
		p.Sectors, p.Confidences = append(p.Sectors, r.GetSector()), append(p.Confidences, float32(r.GetConfidence()))
	}
	if !slices.Contains(categories, req.GetCategory()) {
		return nil, errs.Field("category", "must be commercial, malicious, criminal or empty")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.RecordClassificationResponse, error) {
		at := s.clock()
		c, err := lockRound(ctx, tx, req.GetComplaintId(), req.GetRound())
		if err != nil {
			return nil, err
		}
		q := store.New(tx)
		if len(p.ReportIds) > 0 {
			if err := q.ClassifyReports(ctx, p); err != nil {
				return nil, fmt.Errorf("classify reports: %w", err)
			}
		}
		category, sector := req.GetCategory(), req.GetSector()
		if category == "" && sector == "" {
			if category, sector, err = weigh(ctx, q, c.ComplaintID); err != nil {
				return nil, err
			}
		}
		if category == c.Category && sector == c.Sector {
			return &reportingv1.RecordClassificationResponse{}, nil
		}
		if err := q.ClassifyComplaint(ctx, store.ClassifyComplaintParams{ComplaintID: c.ComplaintID, Category: category, Sector: sector, At: at}); err != nil {
			return nil, fmt.Errorf("classify complaint: %w", err)
		}
		return &reportingv1.RecordClassificationResponse{}, record(ctx, tx, c.ComplaintID, c.Round, "classified",
			c.Category+"/"+c.Sector, category+"/"+sector, at)
	})
}

func weigh(ctx context.Context, q *store.Queries, complaintID string) (category, sector string, err error) {
	rows, err := q.CategoryWeights(ctx, complaintID)
	if err != nil {
		return "", "", fmt.Errorf("weigh classes: %w", err)
	}
	weights := make([]weight, len(rows))
	for i, r := range rows {
		weights[i] = weight{r.Category, r.Sector, r.Weight}
	}
	category, sector = majority(weights)
	return category, sector, nil
}

// RecordFindings writes the findings of a fact check. Named reports get theirs even when they had one before, as after a
// re-check; without names it is all of the round that have none.
func (s *Server) RecordFindings(ctx context.Context, req *reportingv1.RecordFindingsRequest) (*reportingv1.RecordFindingsResponse, error) {
	for _, f := range req.GetFindings() {
		if !slices.Contains(findingResults, f.GetResult()) {
			return nil, errs.Field("findings.result", "must be substantiated, not_substantiated or no_evidence")
		}
		for _, id := range f.GetReportIds() {
			if uuid.Validate(id) != nil {
				return nil, errs.Field("findings.report_ids", "must be UUIDs")
			}
		}
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.RecordFindingsResponse, error) {
		c, err := lockRound(ctx, tx, req.GetComplaintId(), req.GetRound())
		if err != nil {
			return nil, err
		}
		q := store.New(tx)
		for _, f := range req.GetFindings() {
			n, err := q.RecordFinding(ctx, store.RecordFindingParams{
				ComplaintID: c.ComplaintID, Round: c.Round, Finding: f.GetResult(), Reason: f.GetReasonCode(), Task: req.GetTaskId(),
				Chosen: len(f.GetReportIds()) > 0, ReportIds: f.GetReportIds(),
			})
			if err != nil {
				return nil, fmt.Errorf("record finding: %w", err)
			}
			if err := record(ctx, tx, c.ComplaintID, c.Round, "findings", "", fmt.Sprintf("%s: %d", f.GetResult(), n), s.clock()); err != nil {
				return nil, err
			}
		}
		counts, err := q.FindingCounts(ctx, store.FindingCountsParams{ComplaintID: c.ComplaintID, Round: c.Round})
		if err != nil {
			return nil, fmt.Errorf("count findings: %w", err)
		}
		return &reportingv1.RecordFindingsResponse{Substantiated: int32(counts.Substantiated), Checked: int32(counts.Checked)}, nil
	})
}

// GiveFeedback gives every report of the round one feedback of a stage. A report whose own finding differs from what the
// complaint came to is told its own.
func (s *Server) GiveFeedback(ctx context.Context, req *reportingv1.GiveFeedbackRequest) (*reportingv1.GiveFeedbackResponse, error) {
	stage, code := req.GetStage(), req.GetCode()
	if !slices.Contains(feedbackStages, stage) {
		return nil, errs.Field("stage", "must be one of %s", strings.Join(feedbackStages, ", "))
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.GiveFeedbackResponse, error) {
		c, err := lockRound(ctx, tx, req.GetComplaintId(), req.GetRound())
		if err != nil {
			return nil, err
		}
		n, err := store.New(tx).GiveFeedback(ctx, store.GiveFeedbackParams{
			ComplaintID: c.ComplaintID, Round: c.Round, Stage: stage, Code: code, Sentence: sentence(stage, code, req.GetOffice()), At: s.clock(),
			ByFinding:        stage == feedbackResult && (code == "measures" || code == "case" || code == "no_measure"),
			NotSubstantiated: sentence(stage, "not_substantiated", ""), NoEvidence: sentence(stage, "no_evidence", ""),
		})
		if err != nil {
			return nil, fmt.Errorf("give feedback: %w", err)
		}
		if n > 0 && stage == feedbackResult && c.State == stateOpen {
			if err := reach(ctx, tx, c.ComplaintID, c.Round, "feedback", req.GetOffice(), nil, s.clock()); err != nil {
				return nil, err
			}
		}
		return &reportingv1.GiveFeedbackResponse{Given: int32(n)}, nil
	})
}

func timeOf(t *timestamppb.Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	v := t.AsTime()
	return &v
}
