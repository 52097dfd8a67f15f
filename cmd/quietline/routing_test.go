package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// TestMesh_routingTable edits the table in force as a person does: show, edit, try on what was routed, load. The next
// complaint goes by it, nothing is started anew, and each route says why.
func TestMesh_routingTable(t *testing.T) {
	m := theMesh(t)
	as := routingAs{m.remote, "LEAD@miit"}
	before := m.complaintOf(t, m.fileAsCentre(t, "17000000851"))
	m.awaitTasks(t, before, 1)
	first := m.routingOf(t, before)
	if first.GetRoute().GetLeadAgencyId() != "nfra-11" || first.GetRoute().GetRuleId() != "finance" ||
		!strings.Contains(first.GetRoute().GetWhy(), "由国家金融监督管理总局北京监管局主办(规则 finance,路由表 "+first.GetRoute().GetVersion()+")") {
		t.Errorf("route: %v", first)
	}

	file := filepath.Join(t.TempDir(), "table.yaml")
	original := printed(t, func() error { return routingShowCmd{routingAs: as, Format: "yaml"}.Run(t.Context()) })
	_, rules, found := strings.Cut(original, "\nrules:\n")
	if !found {
		t.Fatalf("shown: %s", original)
	}
	write := func(version, rules string) {
		t.Helper()
		if err := os.WriteFile(file, []byte("version: "+version+"\nreason: 试验\nrules:\n"+rules), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	head, tail, _ := strings.Cut(rules, "rule: finance")
	edited := head + "rule: finance" + strings.Replace(tail, "lead: sector", "lead: samr", 1)
	write("trial-1", edited)
	differences := filepath.Join(t.TempDir(), "differences.csv")
	said := printed(t, func() error {
		return routingTryCmd{routingAs: as, routingFile: routingFile{File: file}, Out: differences}.Run(t.Context())
	})
	if !strings.Contains(said, "nfra-11 → samr-11 by finance") {
		t.Errorf("tried: %s", said)
	}
	if rows, err := os.ReadFile(differences); err != nil || !strings.Contains(string(rows), before) {
		t.Errorf("differences: %s, %v", rows, err)
	}
	said = printed(t, func() error {
		return routingLoadCmd{routingAs: as, routingFile: routingFile{File: file}}.Run(t.Context())
	})
	defer func() { // for the tests after this one
		write("trial-2", rules)
		printed(t, func() error {
			return routingLoadCmd{routingAs: as, routingFile: routingFile{File: file}}.Run(t.Context())
		})
	}()
	if !strings.Contains(said, "changed  finance lead") {
		t.Errorf("loaded: %s", said)
	}
	after := m.complaintOf(t, m.fileAsCentre(t, "17000000852"))
	m.awaitTasks(t, after, 1)
	if now := m.routingOf(t, after); now.GetRoute().GetLeadAgencyId() != "samr-11" || now.GetRoute().GetVersion() != "trial-1" {
		t.Errorf("the next complaint: %v", now)
	}
	if said := printed(t, func() error { return routingLogCmd{as}.Run(t.Context()) }); !strings.Contains(said, "trial-1") || !strings.Contains(said, "试验") {
		t.Errorf("log: %s", said)
	}
	m.play(t, before)
	m.play(t, after)
	if said := printed(t, func() error { return routingBouncesCmd{routingAs: as, By: "agency"}.Run(t.Context()) }); !strings.Contains(said, "bounces") {
		t.Errorf("bounces: %s", said)
	}
	m.checkFsck(t)
}

// routingOf is the only route of a complaint.
func (m *testMesh) routingOf(t *testing.T, complaint string) *assignmentv1.Routing {
	t.Helper()
	resp, err := assignmentv1.NewAssignmentServiceClient(m.as(t, "CENTRE@centre-12321")).ListRoutings(t.Context(),
		&assignmentv1.ListRoutingsRequest{ComplaintId: complaint})
	if err != nil || len(resp.GetRoutings()) != 1 {
		t.Fatalf("routes of %s: %v, %v", complaint, resp, err)
	}
	return resp.GetRoutings()[0]
}

// printed is what a command writes to the standard output.
func printed(t *testing.T, run func() error) string {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	usual := os.Stdout
	os.Stdout = out
	err = run()
	os.Stdout = usual
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
