package assignment

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"quietline/internal/pg"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Names of natural persons are unreadable at rest and shown to who works for the deciding agency only.
func TestPeopleAreSealed(t *testing.T) {
	w := newWorld(t)
	const name, firm = "王某某测试", "甲公司"
	anna := caseworker("anna", "nfra-44")
	task := w.open(t, w.newTask("nfra-44")).GetTaskId()
	req := decide(task, "concluded")
	req.Decision.Detail = &assignmentv1.DecisionDetail{Parties: []*assignmentv1.PartyDetail{
		{Role: "advertiser", Name: firm, CreditCode: "91110000000000000A"}, {Role: "caller", Name: name, Person: true},
	}}
	if _, err := w.workflows(anna).RecordDecision(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if got := req.GetDecision().GetDetail().GetParties()[1].GetName(); got != name {
		t.Errorf("the request was changed: %s", got)
	}
	w.pass(25 * time.Hour)
	if _, err := w.workflows(nil).EscalateTask(t.Context(), &assignmentv1.EscalateTaskRequest{RequestId: newID(), TaskId: task, Level: 1}); err != nil {
		t.Fatal(err)
	}
	for who, tc := range map[string]struct {
		client assignmentv1.AssignmentServiceClient
		want   string
	}{
		"who decided":         {w.as(anna), name},
		"a colleague":         {w.as(person("r", "nfra-44", accessv1.Role_ROLE_REVIEWER)), name},
		"the lead":            {w.as(lead), masked},
		"a history":           {w.workflows(anna), masked},
		"the workflow itself": {w.workflows(nil), masked},
	} {
		got, err := tc.client.GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: task})
		parties := got.GetDecision().GetDetail().GetParties()
		if err != nil || len(parties) != 2 || parties[0].GetName() != firm || parties[1].GetName() != tc.want || !parties[1].GetPerson() {
			t.Errorf("%s reads %v, %v, want %s", who, parties, err, tc.want)
		}
	}
	var dump strings.Builder
	for _, table := range []string{"decision", "task", "task_change", "request"} {
		var rows string
		if err := testkit.Owner(t, w.db).QueryRow(t.Context(), fmt.Sprintf(
			"SELECT coalesce(string_agg(x::text, E'\\n'), '') FROM %s x", table)).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		dump.WriteString(rows)
	}
	if !strings.Contains(dump.String(), firm) || strings.Contains(dump.String(), name) || strings.Contains(dump.String(), fmt.Sprintf("%x", name)) {
		t.Error("the name stands in the database, or the firm's does not")
	}
	_, err := testkit.Owner(t, w.db).Exec(t.Context(), `UPDATE decision SET detail = jsonb_set(detail, '{parties,1,name}', '"王"')`)
	if pg.Code(err) != "23514" {
		t.Errorf("a name in clear: %v", err)
	}
}

// The address of a party in a proposal is sealed too, and one that was kept in clear before is sealed when the service starts.
func TestAddressesAreSealed(t *testing.T) {
	w := newWorld(t)
	const address, person = "某市某路一号", "王某某测试"
	anna := caseworker("anna", "nfra-44")
	task := w.open(t, w.newTask("nfra-44")).GetTaskId()
	req := decide(task, "concluded")
	req.Decision.Detail = &assignmentv1.DecisionDetail{
		Parties:  []*assignmentv1.PartyDetail{{Role: "caller", Name: person, Person: true}},
		CaseStep: &assignmentv1.CaseStepDetail{Proposal: &assignmentv1.CaseProposal{PartyAddress: address, Findings: "经查"}},
	}
	if _, err := w.workflows(anna).RecordDecision(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	owner := testkit.Owner(t, w.db)
	clear := func() (in int) {
		err := owner.QueryRow(t.Context(), "SELECT count(*) FROM decision x WHERE x::text LIKE '%' || $1 || '%'", address).Scan(&in)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	reads := func(when string) {
		t.Helper()
		for who, want := range map[assignmentv1.AssignmentServiceClient]string{w.as(anna): address, w.as(lead): masked, w.workflows(nil): masked} {
			got, err := who.GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: task})
			d := got.GetDecision().GetDetail()
			if p := d.GetCaseStep().GetProposal(); err != nil || p.GetPartyAddress() != want || p.GetFindings() != "经查" || len(d.GetParties()) != 1 {
				t.Errorf("%s: reads %v, %v, want %s", when, d, err, want)
			}
		}
	}
	if n := clear(); n != 0 {
		t.Errorf("%d addresses in clear", n)
	}
	reads("as recorded")
	if _, err := owner.Exec(t.Context(), `ALTER TABLE decision DROP CONSTRAINT decision_address_sealed;
		UPDATE decision SET detail = jsonb_set(detail, '{caseStep,proposal,partyAddress}', to_jsonb('`+address+`'::text))`); err != nil {
		t.Fatal(err)
	}
	if n := clear(); n != 1 {
		t.Fatalf("%d addresses of before", n)
	}
	for range 2 { // every start looks
		if err := sealAddresses(t.Context(), owner.Config().ConnString(), w.server.keys); err != nil {
			t.Fatal(err)
		}
	}
	if n := clear(); n != 0 {
		t.Errorf("%d addresses in clear after the start", n)
	}
	reads("after the start")
}

// A request decides one task, one way.
func TestRecordDecision_aRequestDecidesOnce(t *testing.T) {
	w := newWorld(t)
	anna := w.workflows(caseworker("anna", "nfra-44"))
	send := func(task, outcome, hash string) error {
		req := decide(task, outcome)
		req.Decision.RequestKey, req.Decision.RequestHash = "anna/1", []byte(hash)
		_, err := anna.RecordDecision(t.Context(), req)
		return err
	}
	task, other := w.open(t, w.newTask("nfra-44")).GetTaskId(), w.open(t, w.newTask("nfra-44")).GetTaskId()
	for range 2 {
		if err := send(task, "concluded", "hash"); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, send(task, "concluded", "another"), commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)
	refused(t, send(task, "bounced", "hash"), commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)
	refused(t, send(other, "concluded", "hash"), commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)
	got, err := w.workflows(nil).GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: task})
	if err != nil || string(got.GetDecision().GetRequestHash()) != "hash" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err = w.workflows(nil).GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: other}); err != nil || got.GetTask().GetState() != stateOpen {
		t.Errorf("the other task: %v, %v", got, err)
	}
	for range 2 { // without a key nothing is compared
		if _, err := anna.RecordDecision(t.Context(), decide(w.open(t, w.newTask("nfra-44")).GetTaskId(), "concluded")); err != nil {
			t.Error(err)
		}
	}
}

func TestTrimChanges(t *testing.T) {
	w := newWorld(t)
	w.open(t, w.newTask("nfra-44"))
	kept := w.open(t, w.newTask("nfra-44")).GetTaskId()
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), "UPDATE task_change SET created_at = $1 WHERE task_id <> $2",
		time.Now().AddDate(0, 0, -91), kept); err != nil {
		t.Fatal(err)
	}
	if err := w.server.trimChanges(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := w.changes(t, caseworker("a", "nfra-44"))
	if len(got) != 1 || got[0].GetTask().GetTaskId() != kept {
		t.Errorf("%v", got)
	}
	if _, err := w.db.Exec(t.Context(), "DELETE FROM task_change"); pg.Code(err) != "42501" {
		t.Errorf("the service's role may delete changes: %v", err)
	}
}
