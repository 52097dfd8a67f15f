package assignment

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"quietline/internal/errs"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// The bounds of one page of a dry run.
const (
	dryRunRoutes = 5000 // looked at
	dryRunBatch  = 1000 // read at a time
	dryRunPage   = 100  // differences, unless told otherwise
)

// triedVersion is the name that a tried table has in what it says.
const triedVersion = "试运行"

// DryRunRoutingTable routes past complaints anew, by their kept facts, by rules that are not in force. Nothing is changed.
func (s *Server) DryRunRoutingTable(ctx context.Context, req *assignmentv1.DryRunRoutingTableRequest) (*assignmentv1.DryRunRoutingTableResponse, error) {
	v, err := s.directory(ctx, s.at(req.GetValidFrom()))
	if err != nil {
		return nil, err
	}
	if !v.assignable(leadMinistry) {
		return nil, errs.Field("valid_from", "is before the programme began")
	}
	t, err := tried(ctx, triedVersion, req.GetRules(), v)
	if err != nil {
		return nil, err
	}
	run := &dryRun{table: t, view: v, most: int(req.GetPageSize()), resp: &assignmentv1.DryRunRoutingTableResponse{}, flows: map[flow]int32{}}
	if run.most == 0 {
		run.most = dryRunPage
	}
	after, id, more, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !more {
		id = uuid.Nil.String()
	}
	p := store.RoutingsBetweenParams{Since: req.GetSinceTime().AsTime(), Until: s.at(req.GetUntilTime()), AfterTime: after, AfterID: id, N: dryRunBatch}
	if err := run.over(ctx, store.New(s.db), p); err != nil {
		return nil, err
	}
	return run.answer(), nil
}

// dryRun is one page of a dry run.
type dryRun struct {
	table *table
	view  view
	most  int
	resp  *assignmentv1.DryRunRoutingTableResponse
	flows map[flow]int32
}

// flow is a pair of leads, and the row that leads to the second.
type flow struct{ from, to, rule string }

// over looks at routes until the page is full or there are none left.
func (d *dryRun) over(ctx context.Context, q *store.Queries, p store.RoutingsBetweenParams) error {
	for {
		rows, err := q.RoutingsBetween(ctx, p)
		if err != nil {
			return fmt.Errorf("routes of the period: %w", err)
		}
		for i := range rows {
			if err := d.look(ctx, &rows[i]); err != nil {
				return err
			}
			p.AfterTime, p.AfterID = rows[i].RoutedTime, rows[i].RoutingID
			if len(d.resp.GetDifferences()) == d.most || d.resp.GetExamined() == dryRunRoutes {
				d.resp.NextPageToken = pg.TimeToken(p.AfterTime, p.AfterID)
				return nil
			}
		}
		if len(rows) < int(p.N) {
			return nil
		}
	}
}

// look routes one matter anew; it ends when nobody waits for it any more.
func (d *dryRun) look(ctx context.Context, row *store.Routing) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("dry run: %w", err)
	}
	was, err := routingOf(row)
	if err != nil {
		return err
	}
	d.resp.Examined++
	if was.GetNamedLeadId() != "" { // what a person said stands whatever a table says
		d.resp.Named++
		return nil
	}
	would, err := d.table.route(d.view, was.GetFacts())
	if err != nil {
		return err
	}
	fields := differing(was.GetRoute(), would)
	if len(fields) == 0 {
		d.resp.Unchanged++
		return nil
	}
	if slices.Contains(fields, "lead") {
		d.resp.Moved++
		d.flows[flow{was.GetRoute().GetLeadAgencyId(), would.GetLeadAgencyId(), would.GetRuleId()}]++
	}
	d.resp.Differences = append(d.resp.Differences, &assignmentv1.RouteDifference{
		ComplaintId: was.GetComplaintId(), Round: was.GetRound(), RoutedTime: was.GetRoutedTime(),
		Fields: fields, Before: was.GetRoute(), After: would,
	})
	return nil
}

func (d *dryRun) answer() *assignmentv1.DryRunRoutingTableResponse {
	for f, n := range d.flows {
		d.resp.Flows = append(d.resp.Flows, &assignmentv1.RouteFlow{FromAgencyId: f.from, ToAgencyId: f.to, RuleId: f.rule, Count: n})
	}
	slices.SortFunc(d.resp.Flows, func(a, b *assignmentv1.RouteFlow) int {
		return cmp.Or(-cmp.Compare(a.GetCount(), b.GetCount()), cmp.Compare(a.GetFromAgencyId(), b.GetFromAgencyId()),
			cmp.Compare(a.GetToAgencyId(), b.GetToAgencyId()), cmp.Compare(a.GetRuleId(), b.GetRuleId()))
	})
	return d.resp
}
