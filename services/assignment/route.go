package assignment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// Route says by the decision table who leads, takes part and verifies, and by which row. Nothing is kept of it.
func (s *Server) Route(ctx context.Context, req *assignmentv1.RouteRequest) (*assignmentv1.RouteResponse, error) {
	t, v, err := s.table(ctx, s.at(req.GetAt()))
	if err != nil {
		return nil, err
	}
	if !v.assignable(leadMinistry) {
		return nil, errs.Field("at", "is before the programme began")
	}
	return t.route(v, req)
}

// RouteComplaint routes a complaint by what is in force now, and keeps facts, row and outcome.
func (s *Server) RouteComplaint(ctx context.Context, req *assignmentv1.RouteComplaintRequest) (*assignmentv1.RouteComplaintResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.RouteComplaintResponse, error) {
		now := s.now()
		t, v, err := s.table(ctx, now)
		if err != nil {
			return nil, err
		}
		facts := proto.CloneOf(req.GetFacts())
		facts.At = nil
		route, err := t.route(v, facts)
		if err != nil {
			return nil, err
		}
		if req.GetNamedLeadId() != "" {
			route.Why = v.explainNamed(req, route.GetWhy())
		}
		row, err := routingRow(req, facts, route, now)
		if err != nil {
			return nil, err
		}
		if err := store.New(tx).InsertRouting(ctx, row); err != nil {
			return nil, fmt.Errorf("keep route: %w", err)
		}
		return &assignmentv1.RouteComplaintResponse{Route: route, RoutingId: row.RoutingID}, nil
	})
}

func routingRow(
	req *assignmentv1.RouteComplaintRequest, facts *assignmentv1.RouteRequest, route *assignmentv1.RouteResponse, now time.Time,
) (store.InsertRoutingParams, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return store.InsertRoutingParams{}, fmt.Errorf("routing ID: %w", err)
	}
	p := store.InsertRoutingParams{
		RoutingID: id.String(), ComplaintID: req.GetComplaintId(), Round: req.GetRound(), RoutedTime: now, Version: route.GetVersion(),
		RuleID: route.GetRuleId(), LeadID: route.GetLeadAgencyId(), NamedLead: req.GetNamedLeadId(),
	}
	if p.Facts, err = protojson.Marshal(facts); err != nil {
		return p, fmt.Errorf("facts of route: %w", err)
	}
	if p.Route, err = protojson.Marshal(route); err != nil {
		return p, fmt.Errorf("route: %w", err)
	}
	return p, nil
}

// ListRoutings lists how a complaint was routed, for the centre, the lead ministry, auditors, and agencies that have or had a
// task in it. For others there is no such complaint.
func (s *Server) ListRoutings(ctx context.Context, req *assignmentv1.ListRoutingsRequest) (*assignmentv1.ListRoutingsResponse, error) {
	q := store.New(s.db)
	if a := identity.ActorOf(ctx); seesRoutes(ctx, a) {
	} else if has, err := q.HasTaskIn(ctx, store.HasTaskInParams{SubjectID: req.GetComplaintId(), AgencyID: a.GetAgencyId()}); err != nil {
		return nil, fmt.Errorf("tasks of complaint: %w", err)
	} else if !has {
		return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "there is no such complaint")
	}
	after, id, more, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !more {
		id = uuid.Nil.String()
	}
	n := pg.PageSize(req.GetPageSize())
	rows, err := q.RoutingsOf(ctx, store.RoutingsOfParams{ComplaintID: req.GetComplaintId(), AfterTime: after, AfterID: id, N: n})
	if err != nil {
		return nil, fmt.Errorf("routes of complaint: %w", err)
	}
	resp := &assignmentv1.ListRoutingsResponse{}
	for i := range rows {
		r, err := routingOf(&rows[i])
		if err != nil {
			return nil, err
		}
		resp.Routings = append(resp.Routings, r)
	}
	if len(rows) == int(n) {
		resp.NextPageToken = pg.TimeToken(rows[n-1].RoutedTime, rows[n-1].RoutingID)
	}
	return resp, nil
}

// seesRoutes says whether somebody sees the routes of every complaint: codes only, no number and no text.
func seesRoutes(ctx context.Context, a *commonv1.Actor) bool {
	system := identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS && !identity.HasActor(ctx)
	return system || isLead(a) || identity.HasRole(a, accessv1.Role_ROLE_CENTRE, accessv1.Role_ROLE_AUDITOR)
}

func routingOf(r *store.Routing) (*assignmentv1.Routing, error) {
	out := &assignmentv1.Routing{
		RoutingId: r.RoutingID, ComplaintId: r.ComplaintID, Round: r.Round, NamedLeadId: r.NamedLead, RoutedTime: timestamppb.New(r.RoutedTime),
		Facts: &assignmentv1.RouteRequest{}, Route: &assignmentv1.RouteResponse{},
	}
	if err := kept.Unmarshal(r.Facts, out.Facts); err != nil {
		return nil, fmt.Errorf("facts of route %s: %w", r.RoutingID, err)
	}
	if err := kept.Unmarshal(r.Route, out.Route); err != nil {
		return nil, fmt.Errorf("route %s: %w", r.RoutingID, err)
	}
	return out, nil
}

// kept reads what was kept, by this version of the mesh or another.
var kept = protojson.UnmarshalOptions{DiscardUnknown: true}

// differing are the things in which two routes differ, of those that anybody has to act on.
func differing(a, b *assignmentv1.RouteResponse) []string {
	var fields []string
	add := func(name string, differs bool) {
		if differs {
			fields = append(fields, name)
		}
	}
	add("lead", a.GetLeadAgencyId() != b.GetLeadAgencyId())
	add("co", !slices.Equal(slices.Sorted(slices.Values(a.GetCoAgencyIds())), slices.Sorted(slices.Values(b.GetCoAgencyIds()))))
	add("verifier", a.GetVerifierAgencyId() != b.GetVerifierAgencyId())
	add("settled", a.GetSettled() != b.GetSettled())
	add("check_basis", a.GetCheckBasis() != b.GetCheckBasis())
	add("handle_basis", a.GetHandleBasis() != b.GetHandleBasis())
	return fields
}
