package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// TestMesh_agencies puts versions of agencies from a file: twice is once, and the line that is refused is named.
func TestMesh_agencies(t *testing.T) {
	m := theMesh(t)
	as := routingAs{m.remote, "LEAD@miit"}
	file := filepath.Join(t.TempDir(), "agencies.csv")
	write := func(rows string) {
		t.Helper()
		if err := os.WriteFile(file, []byte("agency_id,name,kind,valid_from,source,sectors,assignable\n"+rows), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const good = "trial-body,试验协会,association,2099-01-01,试验,,false\n"
	write(good)
	for range 2 {
		said := printed(t, func() error { return routingAgencyCmd{as, file, "试验"}.Run(t.Context()) })
		if !strings.Contains(said, "trial-body  试验协会  from 2099-01-01") {
			t.Errorf("said: %s", said)
		}
	}
	write(good + "trial-ministry,试验部,ministry,2099-01-01,试验,travel,true\n")
	if err := (routingAgencyCmd{as, file, "试验"}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "line 3, trial-ministry") ||
		!strings.Contains(err.Error(), "mct and trial-ministry are both competent for travel") || !strings.Contains(err.Error(), "1 of 2 versions are put") {
		t.Errorf("two for one sector: %v", err)
	}
	got, err := assignmentv1.NewAssignmentServiceClient(m.as(t, "LEAD@miit")).GetAgencyHistory(t.Context(),
		&assignmentv1.GetAgencyHistoryRequest{AgencyId: "trial-body"})
	if err != nil || len(got.GetVersions()) != 1 || got.GetChanges()[0].GetReason() != "试验" {
		t.Errorf("history: %v, %v", got, err)
	}
}

func TestReadAgencies_refusesBadFiles(t *testing.T) {
	const head = "agency_id,name,kind,valid_from,source,assignable\n"
	for name, bad := range map[string]string{
		"empty": "\n", "cut off": strings.TrimSuffix(head+"a,甲,body,2099-01-01,x,tr", "\n"), "no source": "agency_id,name,kind,valid_from\n",
		"a column nobody knows": "agency_id,name,kind,valid_from,source,colour\n", "a column twice": "agency_id,name,kind,valid_from,source,name\n",
		"no time": head + "a,甲,body,,x,true\n", "no such time": head + "a,甲,body,soon,x,true\n", "neither": head + "a,甲,body,2099-01-01,x,maybe\n",
		"a cell too few": head + "a,甲,body,2099-01-01,x\n",
	} {
		if lines, err := readAgencies([]byte(bad)); err == nil {
			t.Errorf("%s: %v", name, lines)
		}
	}
}
