package disclosure

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/testkit"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// group of people, first to last.
func crowdOf(first, last int) (out []int) {
	for i := first; i <= last; i++ {
		out = append(out, i)
	}
	return out
}

// month is a month with something of everything; more of it the larger n.
func aMonth(month string, n int) *madeUp {
	m := &madeUp{}
	reports := func(axis string) source { return source{"reporting", inReports, axis} }
	m.add(reports("total"), "verified", "", int64(n), crowdOf(1, n))
	m.add(reports("total"), "unverified", "", 5, crowdOf(1, 5))
	m.add(reports("category"), "commercial", "", int64(n-30), crowdOf(1, n-30))
	m.add(reports("category"), "malicious", "", 18, crowdOf(n-29, n-12))
	m.add(reports("category"), "criminal", "", 12, crowdOf(n-11, n))
	m.add(reports("category_finding"), "commercial/substantiated", "", int64(n-60), crowdOf(1, n-60))
	m.add(reports("category_finding"), "commercial/not_substantiated", "", 30, crowdOf(n-59, n-30))
	m.add(reports("sector"), "loans", "", int64(n-3), crowdOf(1, n-3)) // and one of three people, which nothing may tell
	m.add(reports("sector"), "travel", "", 3, crowdOf(n-2, n))
	m.add(reports("number_kind"), "mobile/170", "", int64(n-20), crowdOf(1, n-20))
	m.add(reports("number_kind"), "mobile/171", "", 20, crowdOf(n-19, n))
	m.add(reports("operator_serving"), "cmcc", "", int64(n), crowdOf(1, n))
	agency := source{"reporting", inComplaints, "agency"}
	m.add(agency, "ca-11", "", 40, crowdOf(1, 40))
	m.add(agency, "ca-11", "handled", 12, crowdOf(1, 12))
	m.add(agency, "ca-31", "", 50, crowdOf(1, 50))
	m.add(agency, "ca-31", "handled", 2, crowdOf(1, 2))
	tasks := source{"assignment", inTasks, "agency"}
	m.add(tasks, "ca-11", "opened", 30, crowdOf(1, 30))
	m.add(tasks, "ca-11", "decided", 21, crowdOf(1, 21))
	for _, r := range []struct{ minutes, n int64 }{{0, 10}, {1440, 11}} {
		m.add(source{"assignment", "minutes", "agency"}, "ca-11", "", r.n, nil)
		m.rows[len(m.rows)-1].Bucket = r.minutes
	}
	m.add(source{"enforcement", inPenalties, "penalty"}, "fine", "", 12, crowdOf(1, 12))
	m.add(source{"enforcement", "fen", "penalty"}, "fine", "", 1_200_000_00, crowdOf(1, 12))
	for _, r := range m.rows {
		r.Day = month + "-15"
	}
	return m
}

// cutTime is when owners counted: an hour ago.
func (w *world) cutTime() time.Time { return w.clock.Load().Add(-time.Hour) }

// draft freezes a month and has its digest drafted.
func (w *world) draft(t *testing.T, month string, m *madeUp, change func(*disclosurev1.RecordDigestRequest)) (*disclosurev1.Digest, error) {
	t.Helper()
	id := uuid.NewString()
	for _, owner := range []string{"reporting", "assignment", "enforcement"} {
		req := &disclosurev1.FreezeCountsRequest{RequestId: uuid.NewString(), DigestId: id, Owner: owner, Cut: 3, CutTime: timestamppb.New(w.cutTime())}
		for _, r := range m.rows {
			if r.owner == owner {
				req.Counts = append(req.Counts, r.DayCount)
			}
		}
		if _, err := w.flows.FreezeCounts(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	req := &disclosurev1.RecordDigestRequest{
		RequestId: uuid.NewString(), DigestId: id, Month: month, DraftedBy: "drafter", DraftedByAgency: "miit",
		Names: []*disclosurev1.DigestName{{Key: "ca-11", Name: "北京市通信管理局"}},
	}
	if change != nil {
		change(req)
	}
	resp, err := w.flows.RecordDigest(t.Context(), req)
	return resp.GetDigest(), err
}

func (w *world) release(t *testing.T, d *disclosurev1.Digest) {
	t.Helper()
	_, err := w.stat.ReleaseDigest(t.Context(), &disclosurev1.ReleaseDigestRequest{RequestId: uuid.NewString(), Month: d.GetMonth(), Version: d.GetVersion()})
	if err != nil {
		t.Fatal(err)
	}
}

func rowOf(d *disclosurev1.Digest, axis, key string) *disclosurev1.DigestRow {
	for _, t := range d.GetTables() {
		for _, r := range t.GetRows() {
			if t.GetAxis() == axis && r.GetKey() == key {
				return r
			}
		}
	}
	return nil
}

func (w *world) read(t *testing.T, c disclosurev1.DisclosureServiceClient, month string, version int32) *disclosurev1.Digest {
	t.Helper()
	r, err := c.GetDigest(t.Context(), &disclosurev1.GetDigestRequest{Month: month, Version: version})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetDigest()
}

// A draft is complete inside and not there for the public, until a person other than the one who asked for it releases it.
func TestDigest_draftedAndReleased(t *testing.T) {
	w := newWorld(t)
	d, err := w.draft(t, "2026-04", aMonth("2026-04", 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.GetVersion() != 1 || d.GetTotal() != 100 || d.GetState() != "draft" || len(d.GetCutHash()) != 64 || d.GetTitle() != "2026年4月骚扰电话举报情况盘点" {
		t.Errorf("draft: %v", d)
	}
	if r := rowOf(d, "sector", "travel"); r.GetReports() != 3 || r.GetPerMille() != 30 || r.GetReporters() != 3 || r.GetLabel() != "旅游签证" {
		t.Errorf("inside: %v", r)
	}
	if r := rowOf(d, "agency_tasks", "ca-11"); r.GetLabel() != "北京市通信管理局" || r.GetValues()[3].GetValue() != 10 {
		t.Errorf("a median of one day: %v", r)
	}
	if r := rowOf(d, "segment", "171"); r.GetReports() != 20 || r.GetPerMille() != 200 {
		t.Errorf("segment: %v", r)
	}
	_, err = w.public.GetDigest(t.Context(), &disclosurev1.GetDigestRequest{Month: "2026-04"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	w.release(t, d)
	public := w.read(t, w.public, "2026-04", 0)
	if public.GetState() != "released" || public.GetReleasedByAgency() != "miit" || public.GetEdition() != "public" {
		t.Errorf("released: %v", public)
	}
	r := rowOf(public, "sector", "loans+others")
	if r.GetReports() != 100 || r.GetLabel() != "贷款理财及其他(少于10人)" || r.GetReporters() != 0 || len(r.GetMembers()) != 0 || rowOf(public, "sector", "travel") != nil {
		t.Errorf("three people's sector: %v", r)
	}
	if rowOf(public, "total", "unverified") != nil || rowOf(public, "total", "verified").GetReports() != 100 {
		t.Error("five unverified reporters are told of")
	}
	handled := func(key string) *disclosurev1.DigestValue { return rowOf(public, "agency", key).GetValues()[3] }
	if !handled("ca-31").GetHidden() || !handled("ca-11").GetHidden() { // the other one too: the sum may be known
		t.Errorf("two people's complaints: %v, %v", handled("ca-31"), handled("ca-11"))
	}
	if g := public.GetIndicators(); g[0].GetCode() != goalCompliance || g[0].GetPerMille() != 429 || g[0].GetReports() != 70 || g[1].GetReports() != 30 {
		t.Errorf("goals: %v", g)
	}
}

// A digest is drafted, read inside, released and fed by the agencies that publish digests, of months that are over; released,
// it stands in the register, all versions of a month at one address.
func TestDigest_keepersAndRegister(t *testing.T) {
	w := newWorld(t)
	month := "2026-04"
	w.set(at("2026-04-30 10:00"))
	_, err := w.draft(t, month, aMonth(month, 100), nil)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	w.set(at("2026-05-05 10:00"))
	d, err := w.draft(t, month, aMonth(month, 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.opstat.GetDigest(t.Context(), &disclosurev1.GetDigestRequest{Month: month})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = w.opstat.ListDigestCounts(t.Context(), &disclosurev1.ListDigestCountsRequest{Month: month})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	_, err = w.opstat.ReleaseDigest(t.Context(), &disclosurev1.ReleaseDigestRequest{RequestId: uuid.NewString(), Month: month, Version: 1})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	_, err = w.opstat.LoadUserFigures(t.Context(), &disclosurev1.LoadUserFiguresRequest{RequestId: uuid.NewString(), Figures: []*disclosurev1.UserFigure{
		{OperatorId: "ctcc", Month: "2026-03", Users: 1, Source: "x"},
	}})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	item := func() *disclosurev1.Publication {
		got, err := w.public.GetPublication(t.Context(), &disclosurev1.GetPublicationRequest{Kind: digestKind, CaseId: digestItem(month)})
		if err != nil {
			t.Fatal(err)
		}
		return got.GetPublication()
	}
	w.release(t, d)
	first := item()
	if first.GetAgencyId() != "miit" || first.GetVersion() != 1 || first.GetState() != live {
		t.Errorf("registered: %v", first)
	}
	second, err := w.draft(t, month, aMonth(month, 110), func(r *disclosurev1.RecordDigestRequest) { r.Note = "补录" })
	if err != nil {
		t.Fatal(err)
	}
	w.release(t, second)
	if got := item(); got.GetPublicationId() != first.GetPublicationId() || got.GetVersion() != 2 || got.GetVersions()[1].GetNote() != "补录" {
		t.Errorf("corrected: %v", got)
	}
	if _, err := w.opstat.GetDigest(t.Context(), &disclosurev1.GetDigestRequest{Month: month, Edition: internalEdition}); err != nil {
		t.Error(err)
	} else if got := w.read(t, w.opstat, month, 0); got.GetEdition() != publicEdition {
		t.Errorf("an operator reads the %s edition", got.GetEdition())
	}
	w.clean(t)
}

// A draft from before the month's end, as rehearsals have them, does not keep the schedule from drafting the month.
func TestDigest_earlyDraft(t *testing.T) {
	if over("2026-04", at("2026-04-30 23:59")) || !over("2026-04", at("2026-05-01 00:00")) || over("2026-06", at("2026-05-01 00:00")) {
		t.Error("months end at midnight in Shanghai")
	}
	w := newWorld(t)
	month := "2026-04"
	d, err := w.draft(t, month, aMonth(month, 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), "UPDATE digest SET cut_time = '2026-04-10T10:00:00Z'"); err != nil {
		t.Fatal(err)
	}
	_, err = w.stat.ReleaseDigest(t.Context(), &disclosurev1.ReleaseDigestRequest{RequestId: uuid.NewString(), Month: month, Version: d.GetVersion()})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	again, err := w.draft(t, month, aMonth(month, 100), func(r *disclosurev1.RecordDigestRequest) { r.DraftedBy = "" })
	if err != nil || again.GetVersion() != 2 || again.GetNote() == "" {
		t.Errorf("the schedule: %v, %v", again.GetVersion(), err)
	}
}

// Whoever drafted does not release; a later version needs to say what it corrects; an earlier one is not released any more.
func TestDigest_versions(t *testing.T) {
	w := newWorld(t)
	month := "2026-04"
	mine := func(r *disclosurev1.RecordDigestRequest) { r.DraftedBy, r.Note = "someone", "更正" }
	first, err := w.draft(t, month, aMonth(month, 100), mine)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.stat.ReleaseDigest(t.Context(), &disclosurev1.ReleaseDigestRequest{RequestId: uuid.NewString(), Month: month, Version: 1})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON)
	if _, err = w.draft(t, month, aMonth(month, 100), nil); err == nil {
		t.Error("a later version without a note")
	}
	if d, err := w.draft(t, month, aMonth(month, 100), func(r *disclosurev1.RecordDigestRequest) { r.DraftedBy = "" }); err != nil || d.GetDigestId() != first.GetDigestId() {
		t.Errorf("the schedule drafts a month again: %v, %v", d.GetVersion(), err)
	}
	second, err := w.draft(t, month, aMonth(month, 110), func(r *disclosurev1.RecordDigestRequest) { r.Note = "补录" })
	if err != nil || second.GetVersion() != 2 || second.GetNote() != "补录" || second.GetCutHash() == first.GetCutHash() {
		t.Fatalf("second: %v, %v", second, err)
	}
	w.release(t, second)
	_, err = w.stat.ReleaseDigest(t.Context(), &disclosurev1.ReleaseDigestRequest{RequestId: uuid.NewString(), Month: month, Version: 1})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON) // and if it were another person's: behind a later one
	third, err := w.draft(t, month, aMonth(month, 110), func(r *disclosurev1.RecordDigestRequest) { r.Note = "再次统计" })
	if err != nil || third.GetCutHash() != second.GetCutHash() {
		t.Errorf("the same counts have another hash: %v", err)
	}
	if got := w.read(t, w.public, month, 0); got.GetVersion() != 2 || got.GetTotal() != 110 {
		t.Errorf("public: version %d", got.GetVersion())
	}
	list, err := w.stat.ListDigests(t.Context(), &disclosurev1.ListDigestsRequest{PageSize: 2})
	if err != nil || len(list.GetDigests()) != 2 || list.GetDigests()[0].GetVersion() != 3 {
		t.Fatalf("inside: %v, %v", list, err)
	}
	rest, err := w.stat.ListDigests(t.Context(), &disclosurev1.ListDigestsRequest{PageSize: 2, PageToken: list.GetNextPageToken()})
	if err != nil || len(rest.GetDigests()) != 1 || rest.GetNextPageToken() != "" {
		t.Errorf("the rest: %v, %v", rest, err)
	}
	if list, err := w.public.ListDigests(t.Context(), &disclosurev1.ListDigestsRequest{}); err != nil || len(list.GetDigests()) != 1 {
		t.Errorf("public list: %v, %v", list, err)
	}
}

// Changes are on what is public of the month before and of the year before, row by row.
func TestDigest_changes(t *testing.T) {
	w := newWorld(t)
	for month, n := range map[string]int{"2026-03": 200, "2025-04": 80} {
		d, err := w.draft(t, month, aMonth(month, n), nil)
		if err != nil {
			t.Fatal(err)
		}
		if month == "2026-03" {
			w.release(t, d)
		}
	}
	d, err := w.draft(t, "2026-04", aMonth("2026-04", 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := rowOf(d, "category", "commercial"); r.GetChangePrevious() != -588 || r.ChangeYear != nil { // 170, and a draft
		t.Errorf("inside: %v", r)
	}
	w.release(t, d)
	public := w.read(t, w.public, "2026-04", 0)
	if r := rowOf(public, "category", "commercial"); r.GetChangePrevious() != -588 || r.ChangeYear != nil {
		t.Errorf("a change on what is not public: %v", r)
	}
	if public.GetPrevious() != "2026-03 第1版" || public.GetPreviousYear() != "" {
		t.Errorf("compared with %q and %q", public.GetPrevious(), public.GetPreviousYear())
	}
	if r := rowOf(public, "sector", "loans+others"); r.GetChangePrevious() != -500 {
		t.Errorf("rows that join the same: %v", r)
	}
	march := w.read(t, w.public, "2026-03", 0)
	for _, table := range public.GetTables() { // a change is of two figures that are public both, and tells no third
		for _, r := range table.GetRows() {
			before := rowOf(march, table.GetAxis(), r.GetKey())
			if want := change(r.GetReports(), before.GetReports()); (r.ChangePrevious == nil) != (want == nil) || r.GetChangePrevious() != *orZero(want) {
				t.Errorf("%s %s: change %v of %d and %d", table.GetAxis(), r.GetKey(), r.GetChangePrevious(), r.GetReports(), before.GetReports())
			}
		}
	}
}

func orZero(n *int32) *int32 {
	if n == nil {
		return new(int32)
	}
	return n
}

// Figures for 10,000 users are there when the users are.
func TestDigest_userFigures(t *testing.T) {
	w := newWorld(t)
	for _, f := range []*disclosurev1.UserFigure{
		{OperatorId: "cmcc", Month: "2026-03", Users: 999, Source: "误"}, {OperatorId: "cmcc", Month: "2026-03", Users: 400_000, Source: "月报"},
		{OperatorId: "cmcc", Month: "2026-05", Users: 1, Source: "以后的"},
	} {
		if _, err := w.stat.LoadUserFigures(t.Context(), &disclosurev1.LoadUserFiguresRequest{RequestId: uuid.NewString(), Figures: []*disclosurev1.UserFigure{f}}); err != nil {
			t.Fatal(err)
		}
	}
	d, err := w.draft(t, "2026-04", aMonth("2026-04", 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := rowOf(d, "operator_serving", "cmcc"); r.GetValues()[0].GetValue() != 250 { // 2.50
		t.Errorf("per 10,000 users: %v", r)
	}
}

// What was frozen stays as it is and can be had again, without pseudonyms; of a month of few people nothing is public.
func TestDigest_frozen(t *testing.T) {
	w := newWorld(t)
	m := aMonth("2026-04", 100)
	d, err := w.draft(t, "2026-04", m, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.flows.FreezeCounts(t.Context(), &disclosurev1.FreezeCountsRequest{
		RequestId: uuid.NewString(), DigestId: d.GetDigestId(), Owner: "reporting", Cut: 3, CutTime: timestamppb.New(at("2026-04-30 09:00")), Page: 1,
	})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	var got []string
	for token := ""; ; {
		page, err := w.stat.ListDigestCounts(t.Context(), &disclosurev1.ListDigestCountsRequest{Month: "2026-04", PageSize: 4, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.GetCounts() {
			if len(c.GetCount().GetWitnesses()) > 0 {
				t.Error("pseudonyms leave the service")
			}
			got = append(got, fmt.Sprint(c.GetOwner(), c.GetCount().GetUnit(), c.GetCount().GetAxis(), c.GetCount().GetKey(), c.GetCount().GetColumn(), c.GetCount().GetBucket()))
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != len(m.rows) {
		t.Errorf("%d counts come back of %d", len(got), len(m.rows))
	}

	few := &madeUp{}
	few.add(source{"reporting", inReports, "total"}, "verified", "", 40, crowdOf(1, 9))
	few.add(source{"reporting", inReports, "sector"}, "loans", "", 40, crowdOf(1, 9))
	d, err = w.draft(t, "2026-02", few, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.release(t, d)
	public := w.read(t, w.public, "2026-02", 0)
	if !public.GetTotalHidden() || public.GetTotal() != 0 || rowOf(public, "sector", "loans") != nil || rowOf(public, "total", "verified") != nil {
		t.Errorf("nine people's month is public: %v", public)
	}
	audit, err := w.au.Audit(t.Context(), &disclosurev1.AuditRequest{What: "violations"})
	if err != nil || len(audit.GetViolations()) > 0 {
		t.Errorf("fsck: %v, %v", audit.GetViolations(), err)
	}
}
