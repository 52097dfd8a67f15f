package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// TestMesh_forgedNumberLeavesItsHolderAlone files reports of a bank's 95 code in forged forms, and one of the regular number
// that its check proves forged. The bank has nothing to do with any of it: no complaint, finding, measure, listing,
// publication or score names it or its code's entry.
func TestMesh_forgedNumberLeavesItsHolderAlone(t *testing.T) {
	m := theMesh(t)
	bank, code := m.bankWithCode(t, "95566")
	proved := m.complaintOf(t, m.fileAsCentre(t, "95566"))
	matters := map[string]bool{proved: true} // some forms have the same normal form
	for _, displayed := range []string{"+8695566", "008695566", "0095566", "86-95566"} {
		matters[m.complaintOf(t, m.fileAsCentre(t, displayed))] = true
	}
	if len(matters) != 3 {
		t.Fatalf("%d matters", len(matters))
	}
	for complaint := range matters {
		m.playForged(t, complaint)
	}
	for _, w := range []identity.Workload{identity.Reporting, identity.Assignment, identity.Credit, identity.Enforcement, identity.Disclosure} {
		for _, id := range []string{bank.GetHolderId(), bank.GetCreditCode(), code.GetResourceId()} {
			m.nowhere(t, w, id, proved)
		}
	}
	m.holderIsClean(t, bank, code)
}

func (m *testMesh) bankWithCode(t *testing.T, number string) (*ledgerv1.Holder, *ledgerv1.Resource) {
	t.Helper()
	ledger := ledgerv1.NewLedgerServiceClient(m.as(t, "REGISTRAR@ca-11"))
	holder, err := ledger.RegisterHolder(t.Context(), &ledgerv1.RegisterHolderRequest{
		RequestId: uuid.NewString(), Holder: &ledgerv1.Holder{Name: "静线样例银行", CreditCode: "91000000DEMNDEMN95", Sector: "loans"},
	})
	if err != nil {
		t.Fatal(err)
	}
	resource, err := ledger.AllocateResource(t.Context(), &ledgerv1.AllocateResourceRequest{
		RequestId: uuid.NewString(), HolderId: holder.GetHolder().GetHolderId(), Scheme: "national", FirstNumber: number, AccessProvince: "11",
		Purpose: "customer_service", AccessOperatorId: "ctcc-11", PermittedCallers: []string{number}, Basis: "批准文件 2024-1",
		Evidence: []string{"核验材料 2024-1"}, ValidFrom: timestamppb.New(time.Now().AddDate(-1, 0, 0)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return holder.GetHolder(), resource.GetResource()
}

// playForged decides the tasks of a complaint, whose number its check proves forged, until it is closed.
func (m *testMesh) playForged(t *testing.T, complaint string) {
	t.Helper()
	tasks := assignmentv1.NewAssignmentServiceClient(m.as(t, "LEAD@miit"))
	reports := reportingv1.NewReportingServiceClient(m.as(t, "LEAD@miit"))
	steps := map[string]bool{}
	await(t, "the end of a forged matter", time.Minute, func() (bool, error) {
		open, err := tasks.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint})
		if err != nil {
			return false, err
		}
		for _, task := range open.GetTasks() {
			steps[task.GetStep()] = true
			m.decideForged(t, task)
		}
		c, err := reports.GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: complaint})
		return c.GetComplaint().GetState() == "CLOSED" && len(open.GetTasks()) == 0, err
	})
	if !steps["traceback"] || steps["fact_check"] || steps["handle"] {
		t.Errorf("steps of a forged matter: %v", steps)
	}
}

func (m *testMesh) decideForged(t *testing.T, task *assignmentv1.Task) {
	t.Helper()
	req := people{}.decide(task, 1)
	if task.GetStep() == "number_check" {
		req.Outcome, req.ReasonCode, req.Detail = "forged", "no_such_call", nil
	}
	account := strings.TrimPrefix(task.GetRole().String(), "ROLE_") + "@" + task.GetAgencyId()
	if _, err := caseworkv1.NewCaseworkServiceClient(m.as(t, account)).Decide(t.Context(), req); err != nil {
		t.Fatalf("%s by %s: %v", task.GetStep(), account, err)
	}
}

// nowhere looks for a name in every table of an owner's database. What was asked about the regular number before its check
// proved it forged is history: tasks of that one complaint say which entry was looked up.
func (m *testMesh) nowhere(t *testing.T, w identity.Workload, name, proved string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), m.stack.OwnerURL(string(w)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(t.Context()) }()
	rows, err := db.Query(t.Context(), `SELECT quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) == 0 {
		t.Fatalf("%d tables of %s, %v", len(tables), w, err)
	}
	for _, table := range tables {
		if table == "request" { // answers kept for repeated requests
			continue
		}
		var found int
		query := fmt.Sprintf("SELECT count(*) FROM %s x WHERE position($1 IN x::text) > 0 AND position($2 IN x::text) = 0", table)
		if err := db.QueryRow(t.Context(), query, name, proved).Scan(&found); err != nil {
			t.Fatalf("%s.%s: %v", w, table, err)
		}
		if found > 0 {
			t.Errorf("%d rows of %s.%s name the true holder or its code", found, w, table)
		}
	}
}

// holderIsClean asks the owners what stands against the holder and its code.
func (m *testMesh) holderIsClean(t *testing.T, bank *ledgerv1.Holder, code *ledgerv1.Resource) {
	t.Helper()
	ledger := ledgerv1.NewLedgerServiceClient(m.as(t, "REGISTRAR@ca-11"))
	resource, err := ledger.GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: code.GetResourceId()})
	if err != nil {
		t.Fatal(err)
	}
	if e := resource.GetEvents(); resource.GetResource().GetState() != "ACTIVE" || len(e) != 1 || e[0].GetEvent() != "allocated" {
		t.Errorf("the code's history: %s, %v", resource.GetResource().GetState(), e)
	}
	findings, err := ledger.ListFindings(t.Context(), &ledgerv1.ListFindingsRequest{ResourceId: code.GetResourceId()})
	if err != nil || len(findings.GetFindings()) > 0 {
		t.Errorf("findings %v, %v", findings.GetFindings(), err)
	}
	listed, err := creditv1.NewCreditServiceClient(m.as(t, "OPERATOR@cmcc")).CheckParty(t.Context(), &creditv1.CheckPartyRequest{CreditCode: bank.GetCreditCode()})
	if err != nil || len(listed.GetListings()) > 0 {
		t.Errorf("listings %v, %v", listed.GetListings(), err)
	}
	complaints := reportingv1.NewReportingServiceClient(m.as(t, "LEAD@miit"))
	mine, err := complaints.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{PageSize: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range mine.GetComplaints() {
		if c.GetHolderId() == bank.GetHolderId() {
			t.Errorf("complaint %s is the bank's", c.GetComplaintId())
		}
	}
}
