package reporting

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// relating are the changes whose values are complaints.
var relating = []string{linkSplit, linkMerged, "linked", "unlinked"}

// ListComplaintHistory lists what became of a complaint, oldest first, to those who may see it. Who acted is named where it
// was a person of an agency; a reporter never is. Who acted, why, and which other complaints it has to do with, is for
// those who conduct the matter: an operator that keeps records may be the one reported.
func (s *Server) ListComplaintHistory(ctx context.Context, req *reportingv1.ListComplaintHistoryRequest) (*reportingv1.ListComplaintHistoryResponse, error) {
	r, q := readerOf(ctx), store.New(s.db)
	c, err := q.VisibleComplaint(ctx, store.VisibleComplaintParams{
		ComplaintID: req.GetComplaintId(), SeesAll: r.seesAll, Sent: r.sends, AgencyID: r.agency,
	})
	if err != nil {
		return nil, errs.NotFound(err, "complaint %s", req.GetComplaintId())
	}
	parties, err := q.PartiesOf(ctx, []string{c.ComplaintID})
	if err != nil {
		return nil, fmt.Errorf("participations: %w", err)
	}
	after, err := numberToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := pg.PageSize(req.GetPageSize())
	rows, err := q.HistoryOf(ctx, store.HistoryOfParams{ComplaintID: c.ComplaintID, After: after, PageSize: size + 1})
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	resp := &reportingv1.ListComplaintHistoryResponse{}
	if len(rows) > int(size) {
		rows = rows[:size]
		resp.NextPageToken = pg.EncodeToken(strconv.FormatInt(rows[size-1].HistoryID, 10))
	}
	conducts := r.conducts(parties, c.ComplaintID)
	hidden, err := hiddenFrom(ctx, q, r, conducts, rows)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		resp.Entries = append(resp.Entries, historyOf(&rows[i], conducts, hidden))
	}
	return resp, nil
}

func historyOf(h *store.ComplaintHistory, conducts bool, hidden func(id string) bool) *reportingv1.ComplaintHistory {
	e := &reportingv1.ComplaintHistory{
		Round: h.Round, What: h.What, From: h.Old, To: h.New, AgencyId: h.AgencyID, Time: timestamppb.New(h.CreatedAt),
	}
	if conducts {
		e.Why = h.Why
	}
	if conducts && h.AgencyID != "" {
		e.Actor = h.Actor
	}
	if slices.Contains(relating, h.What) {
		if hidden(h.Old) {
			e.From = ""
		}
		if hidden(h.New) {
			e.To = ""
		}
	}
	return e
}

// hiddenFrom says which complaints that a history names are kept from a reader.
func hiddenFrom(ctx context.Context, q *store.Queries, r reader, conducts bool, rows []store.ComplaintHistory) (func(id string) bool, error) {
	switch {
	case r.seesAll:
		return func(string) bool { return false }, nil
	case !conducts:
		return func(string) bool { return true }, nil
	}
	p := store.VisibleAmongParams{Sent: r.sends, AgencyID: r.agency}
	for _, h := range rows {
		if !slices.Contains(relating, h.What) {
			continue
		}
		for _, id := range []string{h.Old, h.New} {
			if id != "" {
				p.ComplaintIds = append(p.ComplaintIds, id)
			}
		}
	}
	if len(p.ComplaintIds) == 0 {
		return func(string) bool { return false }, nil
	}
	seen, err := q.VisibleAmong(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return func(id string) bool { return !slices.Contains(seen, id) }, nil
}

// numberToken reads a page token that is the last row's number.
func numberToken(token string) (int64, error) {
	parts, err := pg.DecodeToken(token, 1)
	if err != nil || parts == nil {
		return 0, err
	}
	n, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		_, err = pg.DecodeToken("?", 1) // the refusal of a token that is not ours
	}
	return n, err
}
