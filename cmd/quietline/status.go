package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"quietline/internal/access"
	"quietline/internal/identity"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// statusCmd says what runs, where, and how far the complaints are.
type statusCmd struct {
	remote
	As   string `help:"Account that may count." default:"LEAD@miit"`
	JSON bool   `help:"Print one JSON object." name:"json"`
}

type complaintCounts struct {
	Received int64 `json:"received"`
	Open     int64 `json:"open"`
	Watching int64 `json:"watching"`
	Closed   int64 `json:"closed"`
}

func (c complaintCounts) live() int64 { return c.Received + c.Open + c.Watching }

type meshStatus struct {
	Gateway     string          `json:"gateway"`
	Serving     bool            `json:"serving"`
	NotServing  json.RawMessage `json:"not_serving,omitempty"`
	Profile     string          `json:"profile,omitempty"`
	Reports     int64           `json:"reports"`
	Complaints  complaintCounts `json:"complaints"`
	Quarantined int64           `json:"quarantined"`
	Clues       int64           `json:"clues"` // of the complaints, known from marks alone
	TasksOpen   int64           `json:"tasks_open"`
	TasksLate   int64           `json:"tasks_overdue"`
	Undisposed  int64           `json:"undisposed"` // substantiated findings that nothing followed from yet
	Services    []serviceState  `json:"services"`

	StillPunished int64 `json:"still_punished"` // measures that nobody lifted in time after their entry ended

	byStage, byStep map[string]int64
}

// Run prints the status; it fails when the mesh does not answer, or something of it does not serve.
func (c statusCmd) Run(ctx context.Context) error {
	conn, err := c.dial(c.As)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	s, err := readStatus(ctx, conn)
	if err != nil {
		return err
	}
	s.Gateway = c.url()
	s.Services = servicesOf(ctx, conn, readWhere(c.Data), s.Gateway)
	if s.Serving, s.NotServing, err = healthz(ctx, s.Gateway); err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(os.Stdout).Encode(s)
	} else {
		s.print()
	}
	if err == nil && !s.Serving {
		return errBroken
	}
	return err
}

// readStatus asks the owners for their counts.
func readStatus(ctx context.Context, conn grpc.ClientConnInterface) (*meshStatus, error) {
	counts, err := reportingv1.NewReportingServiceClient(conn).CountComplaints(ctx, &reportingv1.CountComplaintsRequest{})
	if err != nil {
		return nil, fmt.Errorf("count complaints: %w", err)
	}
	tasks, err := assignmentv1.NewAssignmentServiceClient(conn).CountTasks(ctx, &assignmentv1.CountTasksRequest{})
	if err != nil {
		return nil, fmt.Errorf("count tasks: %w", err)
	}
	undisposed, err := enforcementv1.NewEnforcementServiceClient(conn).ListUndisposed(ctx, &enforcementv1.ListUndisposedRequest{PageSize: 1})
	if err != nil && status.Code(err) != codes.PermissionDenied { // an account may count tasks and not these
		return nil, fmt.Errorf("count findings without a disposition: %w", err)
	}
	punished, err := stillPunished(ctx, conn)
	if err != nil {
		return nil, err
	}
	engine, err := caseworkv1.NewCaseworkServiceClient(conn).GetStatus(ctx, &caseworkv1.GetStatusRequest{})
	if err != nil {
		return nil, fmt.Errorf("status of the workflows: %w", err)
	}
	return &meshStatus{
		Profile: engine.GetProfile(),
		Reports: counts.GetReports(),
		Complaints: complaintCounts{
			Received: counts.GetReceived(), Open: counts.GetOpen(),
			Watching: counts.GetWatching(), Closed: counts.GetClosed(),
		},
		Quarantined: counts.GetQuarantined(), Clues: counts.GetClues(),
		TasksOpen: tasks.GetOpen(), TasksLate: tasks.GetOverdue(), Undisposed: undisposed.GetCount(), StillPunished: punished,
		byStage: counts.GetByStage(), byStep: tasks.GetByStep(),
	}, nil
}

// stillPunished counts the measures that nobody lifted in time, for an account that may know.
func stillPunished(ctx context.Context, conn grpc.ClientConnInterface) (n int64, err error) {
	r, err := creditv1.NewCreditServiceClient(conn).ListStillPunished(ctx, &creditv1.ListStillPunishedRequest{PageSize: 1})
	if err != nil && status.Code(err) != codes.PermissionDenied {
		return 0, fmt.Errorf("count measures still in force: %w", err)
	}
	for _, of := range r.GetByAgency() {
		n += int64(of)
	}
	return n, nil
}

// serviceState is one service as the gateway sees it, and where it answers, when that is on this machine.
type serviceState struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Address string `json:"address,omitempty"`
}

// servicesOf asks the gateway for the health of each service.
func servicesOf(ctx context.Context, conn grpc.ClientConnInterface, at where, gateway string) []serviceState {
	if at.Gateway != gateway {
		at = where{} // another mesh than the data directory's
	}
	names := map[string]string{}
	for _, row := range access.Matrix() {
		short := strings.TrimSuffix(row.Service[strings.LastIndex(row.Service, ".")+1:], "Service")
		names[strings.ToLower(short)] = row.Service
	}
	var states []serviceState
	for _, name := range slices.Sorted(maps.Keys(names)) {
		state := serviceState{Name: name, State: "UNREACHABLE", Address: at.Services[name]}
		if name == "casework" {
			state.Address = at.Services[string(identity.Workflows)]
		}
		if r, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{Service: names[name]}); err == nil {
			state.State = r.GetStatus().String()
		}
		states = append(states, state)
	}
	return states
}

// healthz asks a gateway for its health; not lists what does not serve.
func healthz(ctx context.Context, gateway string) (serving bool, not json.RawMessage, err error) {
	return healthOf(ctx, http.DefaultClient, gateway)
}

func healthOf(ctx context.Context, via *http.Client, gateway string) (serving bool, not json.RawMessage, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(gateway, "/")+"/healthz", nil)
	if err != nil {
		return false, nil, fmt.Errorf("--gateway: %w", err)
	}
	res, err := via.Do(req)
	if err != nil {
		return false, nil, fmt.Errorf("no mesh answers: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusOK {
		return true, nil, nil
	}
	if err := json.NewDecoder(res.Body).Decode(&not); err != nil {
		return false, nil, fmt.Errorf("healthz answered %s", res.Status)
	}
	return false, not, nil
}

func (s *meshStatus) print() {
	state := "serving"
	if !s.Serving {
		state = "NOT serving " + string(s.NotServing)
	}
	fmt.Printf("%s  %s, profile %s\n\n", s.Gateway, state, s.Profile)
	fmt.Printf("reports      %7d   quarantined %d\n", s.Reports, s.Quarantined)
	if s.Clues > 0 {
		fmt.Printf("clues        %7d   live, from marks; nobody has reported them\n", s.Clues)
	}
	fmt.Printf("complaints   received %d, open %d, watching %d, closed %d\n",
		s.Complaints.Received, s.Complaints.Open, s.Complaints.Watching, s.Complaints.Closed)
	fmt.Printf("tasks open   %7d   overdue %d\n", s.TasksOpen, s.TasksLate)
	if s.Undisposed > 0 {
		fmt.Printf("undisposed   %7d   substantiated, and nothing followed yet (查实未处置)\n", s.Undisposed)
	}
	if s.StillPunished > 0 {
		fmt.Printf("punished on  %7d   measures not lifted in time after their entry ended (修复后仍受惩戒)\n", s.StillPunished)
	}
	fmt.Println("\nservices")
	for _, service := range s.Services {
		fmt.Printf("  %-12s %-12s %s\n", service.Name, service.State, service.Address)
	}
	printCounts("by stage", s.byStage)
	printCounts("tasks by step", s.byStep)
}

func printCounts(title string, counts map[string]int64) {
	if len(counts) == 0 {
		return
	}
	fmt.Printf("\n%s\n", title)
	for _, key := range sortedKeys(counts) {
		fmt.Printf("  %-14s %6d\n", key, counts[key])
	}
}

func sortedKeys(counts map[string]int64) []string {
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
