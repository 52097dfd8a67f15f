package disclosure

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

func tallied(day, unit, key, column string, bucket, count int64) *commonv1.DayCount {
	axis := map[string]string{inAccess: "access_operator"}[unit]
	if axis == "" {
		axis = "operator_step"
	}
	return &commonv1.DayCount{Day: day, Unit: unit, Axis: axis, Key: key, Column: column, Bucket: bucket, Count: count}
}

// monthOfCards drafts a digest of a month from counts of operators, and freezes appeals.
func (w *world) monthOfCards(t *testing.T, month, note string, reporting, assignment []*commonv1.DayCount, appeals ...*disclosurev1.CountedAppeal) string {
	t.Helper()
	id := uuid.NewString()
	for owner, counts := range map[string][]*commonv1.DayCount{"reporting": reporting, "assignment": assignment, "enforcement": nil} {
		if _, err := w.flows.FreezeCounts(t.Context(), &disclosurev1.FreezeCountsRequest{
			RequestId: uuid.NewString(), DigestId: id, Owner: owner, Cut: 1, CutTime: timestamppb.New(w.cutTime()), Counts: counts,
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.flows.RecordDigest(t.Context(), &disclosurev1.RecordDigestRequest{
		RequestId: uuid.NewString(), DigestId: id, Month: month, Note: note, DraftedBy: "someone else", DraftedByAgency: "miit",
	}); err != nil {
		t.Fatal(err)
	}
	if len(appeals) > 0 {
		if _, err := w.flows.FreezeAppeals(t.Context(), &disclosurev1.FreezeAppealsRequest{RequestId: uuid.NewString(), DigestId: id, Appeals: appeals}); err != nil {
			t.Fatal(err)
		}
	}
	w.recordCards(t, id)
	return id
}

func (w *world) recordCards(t *testing.T, digest string) int32 {
	t.Helper()
	resp, err := w.flows.RecordScorecards(t.Context(), &disclosurev1.RecordScorecardsRequest{
		RequestId: uuid.NewString(), DigestId: digest, Operators: []*disclosurev1.ScoredOperator{
			{OperatorId: "cmcc-11", Name: "北京移动", AdministrationId: "ca-11"}, {OperatorId: "ctcc-31", Name: "上海电信", AdministrationId: "ca-31"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetCards()
}

func octoberOf(appeal, deduction string) (reporting, assignment []*commonv1.DayCount, appeals []*disclosurev1.CountedAppeal) {
	reporting = []*commonv1.DayCount{
		tallied("2026-10-05", inAccess, "cmcc-11", "", 0, 4), tallied("2026-10-05", inAccess, "cmcc-11", "checked", 0, 3),
		tallied("2026-10-05", inAccess, "cmcc-11", "substantiated", 0, 2), tallied("2026-10-06", inAccess, "cmcc-11", "", 0, 2),
		tallied("2026-10-06", inAccess, "cmcc-11", "handled", 0, 2), tallied("2026-10-06", inAccess, "cmcc-11", "repeated", 0, 1),
		tallied("2026-10-06", inAccess, "ctcc-31", "", 0, 1),
	}
	assignment = []*commonv1.DayCount{
		tallied("2026-10-05", inOperatorMinutes, "cmcc-11/execute", "", 1440, 1), tallied("2026-10-05", inOperatorMinutes, "cmcc-11/number_check", "", 0, 1),
		tallied("2026-10-05", inOperatorMinutes, "cmcc-11/number_check", "", 120, 2), tallied("2026-10-05", inOperatorMinutes, "cmcc-11/traceback", "", 0, 9),
		tallied("2026-10-05", inOperatorTasks, "cmcc-11/execute", "answered", 0, 1), tallied("2026-10-05", inOperatorTasks, "cmcc-11/execute", "asked", 0, 2),
		tallied("2026-10-05", inOperatorTasks, "cmcc-11/number_check", "answered", 0, 3), tallied("2026-10-05", inOperatorTasks, "cmcc-11/number_check", "asked", 0, 4),
		tallied("2026-10-05", inOperatorTasks, "cmcc-11/number_check", "overdue", 0, 1), tallied("2026-10-05", inOperatorTasks, "cmcc-11/traceback", "asked", 0, 9),
	}
	appeals = []*disclosurev1.CountedAppeal{
		{AppealId: appeal, OperatorId: "cmcc-11", FileTime: timestamppb.New(at("2026-10-07 09:00")), State: "DISMISSED", Filed: true,
			DeductionId: deduction, DeductionState: "GRANTED", Effect: 1, DecidedTime: timestamppb.New(at("2026-10-20 09:00"))},
		{AppealId: uuid.NewString(), OperatorId: "cmcc-11", FileTime: timestamppb.New(at("2026-10-08 09:00")), State: "UPHELD", Filed: true},
	}
	return reporting, assignment, appeals
}

func (w *world) cardOf(t *testing.T, c disclosurev1.DisclosureServiceClient, operator, period string, version int32) (*disclosurev1.Scorecard, error) {
	t.Helper()
	resp, err := c.GetScorecard(t.Context(), &disclosurev1.GetScorecardRequest{OperatorId: operator, Period: period, Version: version})
	return resp.GetScorecard(), err
}

func (w *world) soundCards(t *testing.T) {
	t.Helper()
	a, err := w.au.Audit(t.Context(), &disclosurev1.AuditRequest{What: "violations"})
	if err != nil || len(a.GetViolations()) != 0 {
		t.Errorf("violations %v, %v", a.GetViolations(), err)
	}
}

// A card adds up what was frozen; tracing is shown and no score; a later version leaves the earlier as it was, and what
// is frozen again gives the same hash but for the digest it is of.
func TestScorecard(t *testing.T) {
	w := newWorld(t)
	w.set(at("2026-12-01 10:00"))
	reporting, assignment, appeals := octoberOf(uuid.NewString(), uuid.NewString())
	id := w.monthOfCards(t, "2026-10", "", reporting, assignment, appeals...)
	c, err := w.cardOf(t, w.stat, "cmcc-11", "2026-10", 0)
	if err != nil {
		t.Fatal(err)
	}
	mins := func(n int64) *int64 { return &n }
	share := func(n int32) *int32 { return &n }
	want := &disclosurev1.Scorecard{
		OperatorId: "cmcc-11", Name: "北京移动", AdministrationId: "ca-11", Period: "2026-10", Version: 1,
		Complaints: 6, Checked: 3, Substantiated: 2, SubstantiatedPerMille: share(667), Handled: 2, Repeated: 1, RepeatedPerMille: share(500),
		Appeals: 2, Upheld: 1, Deducted: 1, AppealsCounted: 1,
		Steps: []*disclosurev1.ScorecardStep{
			{Step: "all", Scored: true, Asked: 6, Answered: 4, Overdue: 1, MedianMinutes: mins(120)},
			{Step: "execute", Scored: true, Asked: 2, Answered: 1, MedianMinutes: mins(1440)},
			{Step: "number_check", Scored: true, Asked: 4, Answered: 3, Overdue: 1, MedianMinutes: mins(120)},
			{Step: "traceback", Asked: 9, MedianMinutes: mins(0)},
		},
	}
	if diff := cmp.Diff(want, c, protocmp.Transform(), protocmp.IgnoreFields(c, "hash", "build_time", "sources", "counted_appeals")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(c.GetHash()) != 64 || len(c.GetSources()) != 1 || c.GetSources()[0].GetDigestId() != id || len(c.GetCountedAppeals()) != 2 {
		t.Errorf("made from %v: %v", c.GetSources(), c.GetCountedAppeals())
	}
	if w.recordCards(t, id); c.GetVersion() != 1 {
		t.Error("made twice")
	}
	frozen, err := w.flows.FreezeAppeals(t.Context(), &disclosurev1.FreezeAppealsRequest{RequestId: uuid.NewString(), DigestId: id, Appeals: appeals})
	if err != nil || !frozen.GetMade() {
		t.Errorf("appeals were frozen after the cards were made: %v, %v", frozen, err)
	}

	w.monthOfCards(t, "2026-10", "一件后证实为伪造", reporting[:6], assignment, appeals...)
	again, err := w.cardOf(t, w.stat, "cmcc-11", "2026-10", 0)
	if err != nil || again.GetVersion() != 2 || again.GetNote() != "一件后证实为伪造" || again.GetComplaints() != 6 || again.GetHash() == c.GetHash() {
		t.Errorf("%v, %v", again, err)
	}
	if _, err := w.cardOf(t, w.stat, "ctcc-31", "2026-10", 0); err == nil {
		t.Error("an operator of whom nothing is left has a card")
	}
	first, err := w.cardOf(t, w.stat, "cmcc-11", "2026-10", 1)
	if err != nil || first.GetHash() != c.GetHash() {
		t.Errorf("the first version is now %v, %v", first, err)
	}
	w.soundCards(t)
}

// The hash says the same of the same counts, and nothing else of others.
func TestScorecard_hash(t *testing.T) {
	reporting, assignment, _ := octoberOf("a", "b")
	make1 := func(change func(*commonv1.DayCount)) string {
		m := scoring{period: "2026-10", sources: []string{"2026-10 cut"}, cards: map[string]*card{}}
		for _, c := range reporting {
			m.count("reporting", c)
		}
		for n, c := range assignment {
			if n == 0 && change != nil {
				c = tallied(c.GetDay(), c.GetUnit(), c.GetKey(), c.GetColumn(), c.GetBucket(), c.GetCount())
				change(c)
			}
			m.count("assignment", c)
		}
		_, hash := m.finish()
		return hash
	}
	if first, again := make1(nil), make1(nil); first != again {
		t.Error("the same counts have two hashes")
	}
	if make1(nil) == make1(func(c *commonv1.DayCount) { c.Bucket = 0 }) {
		t.Error("other counts have the same hash")
	}
}

// A quarter's card is made when its last month is, adds the months up and has the median of all.
func TestScorecard_ofAQuarter(t *testing.T) {
	w := newWorld(t)
	w.set(at("2027-01-05 10:00"))
	appeal, deduction := uuid.NewString(), uuid.NewString()
	reporting, assignment, appeals := octoberOf(appeal, deduction)
	w.monthOfCards(t, "2026-10", "", reporting, assignment, appeals...)
	w.monthOfCards(t, "2026-12", "", []*commonv1.DayCount{tallied("2026-12-05", inAccess, "cmcc-11", "", 0, 1)}, nil)
	if _, err := w.cardOf(t, w.stat, "cmcc-11", "2026-Q4", 0); err == nil {
		t.Error("a quarter has a card before its months have")
	}
	w.monthOfCards(t, "2026-11", "", nil, nil, &disclosurev1.CountedAppeal{
		AppealId: appeal, OperatorId: "cmcc-11", FileTime: timestamppb.New(at("2026-10-07 09:00")), State: "DISMISSED",
		DeductionId: deduction, DeductionState: "REFUSED", Effect: -1, DecidedTime: timestamppb.New(at("2026-11-20 09:00")),
	})
	november, err := w.cardOf(t, w.stat, "cmcc-11", "2026-11", 0)
	if err != nil || november.GetDeducted() != -1 || november.GetAppealsCounted() != 1 {
		t.Errorf("a deduction taken back: %v, %v", november, err)
	}
	q, err := w.cardOf(t, w.stat, "cmcc-11", "2026-Q4", 0)
	if err != nil || q.GetComplaints() != 7 || q.GetAppeals() != 2 || q.GetDeducted() != 0 || len(q.GetSources()) != 3 || q.GetSteps()[0].GetMedianMinutes() != 120 {
		t.Errorf("%v, %v", q, err)
	}
	w.soundCards(t)
}

// An operator sees its own cards, an administration those it decides on, the public none.
func TestScorecard_whoSees(t *testing.T) {
	w := newWorld(t)
	w.set(at("2026-12-01 10:00"))
	reporting, assignment, _ := octoberOf("", "")
	w.monthOfCards(t, "2026-10", "", reporting, assignment)
	dial := testkit.Serve(t, identity.Disclosure, func(s *grpc.Server) {
		disclosurev1.RegisterDisclosureServiceServer(s, New(w.db, func() time.Time { return *w.clock.Load() }))
	})
	for _, c := range []struct {
		agency string
		role   accessv1.Role
		sees   int
	}{
		{"cmcc-11", accessv1.Role_ROLE_OPERATOR, 1}, {"cmcc", accessv1.Role_ROLE_OPERATOR, 1}, {"cmcc-1", accessv1.Role_ROLE_OPERATOR, 0},
		{"ctcc-31", accessv1.Role_ROLE_OPERATOR, 1}, {"ctcc-11", accessv1.Role_ROLE_OPERATOR, 0}, {"", accessv1.Role_ROLE_OPERATOR, 0},
		{"ca-11", accessv1.Role_ROLE_HEAD, 1}, {"ca-44", accessv1.Role_ROLE_CASEWORKER, 0}, {"cmcc-11", accessv1.Role_ROLE_CASEWORKER, 0},
		{"ca-11", accessv1.Role_ROLE_STATISTICIAN, 1}, {"cmcc", accessv1.Role_ROLE_STATISTICIAN, 1}, {"samr-44", accessv1.Role_ROLE_STATISTICIAN, 0},
		{"", accessv1.Role_ROLE_STATISTICIAN, 0}, {"samr", accessv1.Role_ROLE_LEAD, 0}, {"centre-12321", accessv1.Role_ROLE_STATISTICIAN, 2},
		{"miit", accessv1.Role_ROLE_LEAD, 2}, {"", accessv1.Role_ROLE_AUDITOR, 2},
	} {
		client := disclosurev1.NewDisclosureServiceClient(dial(identity.Gateway, &commonv1.Actor{
			Subject: "x", AgencyId: c.agency, Roles: []accessv1.Role{c.role}}))
		resp, err := client.ListScorecards(t.Context(), &disclosurev1.ListScorecardsRequest{Period: "2026-10"})
		if err != nil || len(resp.GetScorecards()) != c.sees {
			t.Errorf("%s of %q sees %v, %v", c.role, c.agency, resp, err)
		}
	}
	_, err := w.cardOf(t, w.head, "ctcc-31", "2026-10", 0)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = w.cardOf(t, w.public, "cmcc-11", "2026-10", 0)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
}
