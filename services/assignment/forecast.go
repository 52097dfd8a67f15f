package assignment

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// ForecastBreaches says what is overdue and what will be late this week or within some days. The clocks of cases are in it
// with the tasks that carry them.
func (s *Server) ForecastBreaches(ctx context.Context, req *assignmentv1.ForecastBreachesRequest) (*assignmentv1.ForecastBreachesResponse, error) {
	r, err := rightsOf(ctx)
	if err != nil {
		return nil, err
	}
	agency, err := r.narrow(req.GetAgencyId())
	if err != nil {
		return nil, err
	}
	due, id, err := afterTask(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	now, n := s.now(), pg.PageSize(req.GetPageSize())
	until := calendar.Ahead(now, int(req.GetDays()))
	q := store.New(s.db)
	counts, err := q.ForecastByAgency(ctx, store.ForecastByAgencyParams{At: now, Until: until, AgencyID: agency})
	if err != nil {
		return nil, fmt.Errorf("forecast by agency: %w", err)
	}
	var rows []store.Task
	if agency == "" {
		rows, err = q.ForecastOfAll(ctx, store.ForecastOfAllParams{AfterDue: due, AfterID: id, Until: until, N: n})
	} else {
		rows, err = q.ForecastOfAgency(ctx, store.ForecastOfAgencyParams{AgencyID: agency, AfterDue: due, AfterID: id, Until: until, N: n})
	}
	if err != nil {
		return nil, fmt.Errorf("forecast: %w", err)
	}
	resp := &assignmentv1.ForecastBreachesResponse{UntilTime: timestamppb.New(until), NextPageToken: nextTask(rows, n)}
	for _, c := range counts {
		resp.Agencies = append(resp.Agencies, &assignmentv1.AgencyForecast{
			AgencyId: c.AgencyID, Overdue: c.Overdue, Due: c.Due, Provisional: c.Provisional, Paused: c.Paused,
		})
	}
	resp.Tasks, err = allWithChanges(ctx, q, rows, now)
	return resp, err
}
