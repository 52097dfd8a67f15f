package reporting

import (
	"context"

	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/pg"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// WriteRound does what a round's workflow has to write, in order: one transaction, one lock, one key that makes it done
// once. Each write is what the RPC of its name does; when one is refused nothing is written.
func (s *Server) WriteRound(ctx context.Context, req *reportingv1.WriteRoundRequest) (*reportingv1.WriteRoundResponse, error) {
	for _, w := range req.GetWrites() {
		if err := checkWrite(req, w); err != nil {
			return nil, err
		}
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.WriteRoundResponse, error) {
		c, err := lockRound(ctx, tx, req.GetComplaintId(), req.GetRound())
		if err != nil {
			return nil, err
		}
		resp := &reportingv1.WriteRoundResponse{}
		for _, w := range req.GetWrites() {
			if err := s.write(ctx, tx, &c, w, resp); err != nil {
				return nil, err
			}
		}
		resp.AllWithdrawn, err = allWithdrawn(ctx, tx, c)
		return resp, err
	})
}

// checkWrite refuses what can be told without looking, and writes to another complaint or round.
func checkWrite(req *reportingv1.WriteRoundRequest, w *reportingv1.RoundWrite) error {
	named, err := named(w)
	if err != nil {
		return err
	}
	if named.GetComplaintId() != req.GetComplaintId() || named.GetRound() != req.GetRound() {
		return errs.Field("writes", "must all name the complaint and the round of the request")
	}
	return nil
}

// ofRound is what every write names.
type ofRound interface {
	GetComplaintId() string
	GetRound() int32
}

// named is a write, held to what its RPC refuses beforehand.
func named(w *reportingv1.RoundWrite) (ofRound, error) {
	switch m := w.GetWrite().(type) {
	case *reportingv1.RoundWrite_Advance:
		return m.Advance, checkAdvance(m.Advance)
	case *reportingv1.RoundWrite_Feedback:
		return m.Feedback, checkFeedback(m.Feedback)
	case *reportingv1.RoundWrite_Classification:
		_, err := reportClasses(m.Classification)
		return m.Classification, err
	case *reportingv1.RoundWrite_Findings:
		return m.Findings, checkFindings(m.Findings)
	case *reportingv1.RoundWrite_Watching:
		return m.Watching, nil
	}
	return nil, errs.Field("writes", "holds a write that this version does not know")
}

func (s *Server) write(ctx context.Context, tx pgx.Tx, c *store.Complaint, w *reportingv1.RoundWrite, resp *reportingv1.WriteRoundResponse) (err error) {
	switch m := w.GetWrite().(type) {
	case *reportingv1.RoundWrite_Advance:
		return s.advance(ctx, tx, c, m.Advance)
	case *reportingv1.RoundWrite_Feedback:
		_, err = s.tellRound(ctx, tx, c, m.Feedback)
	case *reportingv1.RoundWrite_Classification:
		var p store.ClassifyReportsParams
		if p, err = reportClasses(m.Classification); err == nil {
			_, err = s.classify(ctx, tx, c, m.Classification, p)
		}
	case *reportingv1.RoundWrite_Findings:
		_, err = s.find(ctx, tx, c, m.Findings)
	case *reportingv1.RoundWrite_Watching:
		resp.Watching, err = s.watch(ctx, tx, c, m.Watching)
	}
	return err
}
