package assignment

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/testkit"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// What is planned ahead holds on every later day, whatever else is planned; and a directory that does not hold on some later
// day anyhow can still be changed, and mended.
func TestPutAgency_plannedAhead(t *testing.T) {
	w := newWorld(t)
	put := func(id, superior string, from, until int, sectors ...string) ([]string, error) {
		kind := kindMinistry
		if superior != "" {
			kind = kindBody
		}
		a := &assignmentv1.Agency{
			AgencyId: id, Name: id, Kind: kind, SuperiorId: superior, Sectors: sectors, Assignable: true, Source: "试验",
			ValidFrom: timestamppb.New(w.clock().AddDate(0, 0, from)),
		}
		if until > 0 {
			a.ValidTo = timestamppb.New(w.clock().AddDate(0, 0, until))
		}
		resp, err := w.as(lead).PutAgency(t.Context(), &assignmentv1.PutAgencyRequest{RequestId: newID(), Agency: a, Reason: "机构改革"})
		return resp.GetBroken(), err
	}
	does := func(broken []string, err error) {
		t.Helper()
		if err != nil || len(broken) != 0 {
			t.Fatalf("%q, %v", broken, err)
		}
	}
	refuses := func(what string) func([]string, error) {
		return func(_ []string, err error) {
			t.Helper()
			refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
			if err != nil && !strings.Contains(err.Error(), what) {
				t.Errorf("%v, want %q", err, what)
			}
		}
	}
	does(put("mct", "", 10, 0))                                                            // it gives travel up,
	does(put("aaa", "", 200, 0, "travel"))                                                 // which another takes over later
	refuses("aaa and bbb are both competent for travel")(put("bbb", "", 100, 0, "travel")) // nobody may hold it over that day
	does(put("bbb", "", 100, 200, "travel"))                                               // but until then
	does(put("aaa-44", "aaa", 210, 0))
	refuses("the superior aaa of aaa-44 is not in the directory")(put("aaa", "", 205, 208, "travel")) // it would be gone by then

	// Somebody has broken a later day past the service.
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), `INSERT INTO agency (agency_id, valid, name, name_en, kind, sectors, assignable, source)
		VALUES ('ccc', tstzrange($1, NULL), 'ccc', '', 'ministry', '{travel}', true, 'x')`, w.clock().AddDate(0, 0, 300)); err != nil {
		t.Fatal(err)
	}
	broken, err := put("ddd", "", 1, 0)
	if err != nil || len(broken) != 1 || !strings.HasSuffix(broken[0], "aaa and ccc are both competent for travel") {
		t.Errorf("what has nothing to do with it: %q, %v", broken, err)
	}
	refuses("aaa and bbb are both competent for travel")(put("bbb", "", 301, 0, "travel")) // worse
	does(put("ccc", "", 301, 0))                                                           // mended

	w.pass(400 * 24 * time.Hour)
	d, err := readDirectory(t.Context(), store.New(w.db))
	if err != nil {
		t.Fatal(err)
	}
	if v := d.at(w.clock()); v.check() != nil || v.competent("travel") != "aaa" {
		t.Errorf("a year later: %v, travel is of %q", v.check(), v.competent("travel"))
	}
}
