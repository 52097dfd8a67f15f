package reporting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/pg"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// RecordClassification writes the class of reports, and the complaint's: the one given, or the weighted majority. The
// answer is the complaint's class as it is then.
func (s *Server) RecordClassification(ctx context.Context, req *reportingv1.RecordClassificationRequest) (*reportingv1.RecordClassificationResponse, error) {
	p, err := reportClasses(req)
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.RecordClassificationResponse, error) {
		c, err := lockRound(ctx, tx, req.GetComplaintId(), req.GetRound())
		if err != nil {
			return nil, err
		}
		return s.classify(ctx, tx, &c, req, p)
	})
}

// classify writes the classes of the reports of a locked complaint, and its own.
func (s *Server) classify(ctx context.Context, tx pgx.Tx, c *store.Complaint, req *reportingv1.RecordClassificationRequest,
	p store.ClassifyReportsParams,
) (resp *reportingv1.RecordClassificationResponse, err error) {
	q := store.New(tx)
	if len(p.ReportIds) > 0 {
		if err := q.ClassifyReports(ctx, p); err != nil {
			return nil, fmt.Errorf("classify reports: %w", err)
		}
	}
	now := class{category: req.GetCategory(), sector: req.GetSector(), confidence: 1}
	if now.category == "" && now.sector == "" {
		if now, err = weigh(ctx, q, c.ComplaintID); err != nil {
			return nil, err
		}
	}
	resp = &reportingv1.RecordClassificationResponse{
		Category: now.category, Sector: now.sector, Confidence: now.confidence, OtherSectors: now.others,
	}
	if err := reclassify(ctx, tx, *c, now, s.clock()); err != nil {
		return nil, err
	}
	c.Category, c.Sector = now.category, now.sector
	return resp, nil
}

// reportClasses holds the classes of a request to what a report may be.
func reportClasses(req *reportingv1.RecordClassificationRequest) (store.ClassifyReportsParams, error) {
	p := store.ClassifyReportsParams{ComplaintID: req.GetComplaintId()}
	for _, r := range req.GetReports() {
		if uuid.Validate(r.GetReportId()) != nil || !slices.Contains(categories, r.GetCategory()) {
			return p, errs.Field("reports", "each needs a report's ID and a category: commercial, malicious, criminal or empty")
		}
		p.ReportIds, p.Categories = append(p.ReportIds, r.GetReportId()), append(p.Categories, r.GetCategory())
		p.Sectors, p.Confidences = append(p.Sectors, r.GetSector()), append(p.Confidences, float32(r.GetConfidence()))
	}
	if !slices.Contains(categories, req.GetCategory()) {
		return p, errs.Field("category", "must be commercial, malicious, criminal or empty")
	}
	return p, nil
}

func reclassify(ctx context.Context, tx pgx.Tx, c store.Complaint, now class, at time.Time) error {
	if now.category == c.Category && now.sector == c.Sector {
		return nil
	}
	err := store.New(tx).ClassifyComplaint(ctx, store.ClassifyComplaintParams{
		ComplaintID: c.ComplaintID, Category: now.category, Sector: now.sector, At: at,
	})
	if err != nil {
		return fmt.Errorf("classify complaint: %w", err)
	}
	return record(ctx, tx, c.ComplaintID, c.Round, "classified", c.Category+"/"+c.Sector, now.category+"/"+now.sector, at)
}

// weigh is the weighted majority of a complaint's reports.
func weigh(ctx context.Context, q *store.Queries, complaintID string) (class, error) {
	rows, err := q.CategoryWeights(ctx, complaintID)
	if err != nil {
		return class{}, fmt.Errorf("weigh classes: %w", err)
	}
	weights := make([]weight, len(rows))
	for i, r := range rows {
		weights[i] = weight{r.Category, r.Sector, r.Weight, r.Squares}
	}
	return majority(weights), nil
}
