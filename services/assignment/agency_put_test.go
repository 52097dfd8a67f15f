package assignment

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// A new version takes effect at its time, on every replica; the one before and who changed it stay on record.
func TestPutAgency(t *testing.T) {
	w := newWorld(t)
	other := &Server{db: w.db, now: w.clock}
	from := w.clock().Add(24 * time.Hour)
	put := func(a *assignmentv1.Agency) error {
		_, err := w.as(lead).PutAgency(t.Context(), &assignmentv1.PutAgencyRequest{RequestId: newID(), Agency: a, Reason: "机构改革"})
		return err
	}
	get := func(id string, at time.Time) *assignmentv1.Agency {
		t.Helper()
		one, err := w.as(nil).GetAgency(t.Context(), &assignmentv1.GetAgencyRequest{AgencyId: id, At: timestamppb.New(at)})
		two, err2 := other.GetAgency(t.Context(), &assignmentv1.GetAgencyRequest{AgencyId: id, At: timestamppb.New(at)})
		if (err == nil) != (err2 == nil) || !proto.Equal(one, two) {
			t.Fatalf("the replicas say %v (%v) and %v (%v)", one, err, two, err2)
		}
		return one.GetAgency()
	}
	renamed := proto.CloneOf(get("mct-46", w.clock()))
	renamed.Name, renamed.ValidFrom, renamed.Source = "海南省文化和旅游厅", timestamppb.New(from), "机构改革方案"
	if err := put(renamed); err != nil {
		t.Fatal(err)
	}
	if was, is := get("mct-46", from.Add(-time.Second)), get("mct-46", from); was.GetName() != "海南省旅游和文化广电体育厅" || is.GetName() != "海南省文化和旅游厅" ||
		!was.GetValidTo().AsTime().Equal(from) {
		t.Errorf("before: %v, after: %v", was, is)
	}
	// Somebody new, and a body that ends with a successor.
	if err := put(&assignmentv1.Agency{
		AgencyId: "nfga", Name: "国家粮食和物资储备局", Kind: kindMinistry, Assignable: true, ValidFrom: timestamppb.New(w.clock()), Source: "试验",
	}); err != nil {
		t.Error(err)
	}
	w.pass(time.Hour)
	ended := proto.CloneOf(get("isc", w.clock()))
	ended.ValidFrom, ended.ValidTo, ended.SuccessorId = timestamppb.New(w.clock()), timestamppb.New(from), "centre-12321"
	if err := put(ended); err != nil {
		t.Fatal(err)
	}
	if got := get("isc", from); got != nil {
		t.Errorf("it has not ended: %v", got)
	}
	history, err := w.as(lead).GetAgencyHistory(t.Context(), &assignmentv1.GetAgencyHistoryRequest{AgencyId: "isc"})
	if err != nil {
		t.Fatal(err)
	}
	if len(history.GetVersions()) != 2 || history.GetVersions()[1].GetSuccessorId() != "centre-12321" || len(history.GetChanges()) != 1 {
		t.Fatalf("history: %v", history)
	}
	if c := history.GetChanges()[0]; c.GetChangedBy() != "lead" || c.GetChangedAgencyId() != leadMinistry || c.GetReason() != "机构改革" ||
		c.GetBefore().GetValidTo() != nil || !proto.Equal(c.GetAfter(), ended) || !c.GetChangeTime().AsTime().Equal(w.clock()) {
		t.Errorf("change: %v", c)
	}

	edit := func(id string, change func(*assignmentv1.Agency)) *assignmentv1.Agency {
		a := proto.CloneOf(get(id, w.clock()))
		a.ValidFrom, a.ValidTo = timestamppb.New(w.clock()), nil
		change(a)
		return a
	}
	for name, tc := range map[string]struct {
		agency *assignmentv1.Agency
		want   commonv1.ErrorReason
	}{
		"the past":                 {edit("moe", func(a *assignmentv1.Agency) { a.ValidFrom = timestamppb.New(w.clock().AddDate(-1, 0, 0)) }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"before a later version":   {edit("mct-46", func(*assignmentv1.Agency) {}), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE},
		"two for one sector":       {edit("mofcom", func(a *assignmentv1.Agency) { a.Sectors = []string{"travel"} }), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		"no police":                {edit("mps", func(a *assignmentv1.Agency) { a.Assignable = false }), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		"the lead ministry ends":   {edit("miit", func(a *assignmentv1.Agency) { a.ValidTo = timestamppb.New(from) }), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		"a superior nobody knows":  {edit("moe-44", func(a *assignmentv1.Agency) { a.SuperiorId = "nobody" }), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		"a successor nobody knows": {edit("moe-44", func(a *assignmentv1.Agency) { a.SuccessorId = "nobody" }), commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		"above itself":             {edit("moe-44", func(a *assignmentv1.Agency) { a.SuperiorId = "moe-44" }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"no such province":         {edit("moe-44", func(a *assignmentv1.Agency) { a.Province = "99" }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"no such kind":             {edit("moe-44", func(a *assignmentv1.Agency) { a.Kind = "office" }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"no such sector":           {edit("moe-44", func(a *assignmentv1.Agency) { a.Sectors = []string{"x"} }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"no source":                {edit("moe-44", func(a *assignmentv1.Agency) { a.Source = "" }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"a bad identifier":         {edit("moe-44", func(a *assignmentv1.Agency) { a.AgencyId = "MOE 44" }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
	} {
		if err := put(tc.agency); !errs.Is(err, tc.want) {
			t.Errorf("%s: %v, want %s", name, err, errs.Name(tc.want))
		}
	}
	_, err = w.as(caseworker("c", "moe")).PutAgency(t.Context(), &assignmentv1.PutAgencyRequest{})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
}
