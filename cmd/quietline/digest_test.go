package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/xuri/excelize/v2"

	caseworkv1 "quietline/proto/quietline/casework/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// checkDigest drafts the digest of the month, holds every figure against SQL that shares nothing with the program, has
// another person release it, and reads it as the public.
func (m *testMesh) checkDigest(t *testing.T) {
	t.Helper()
	month := time.Now().In(time.FixedZone("CST", 8*3600)).Format("2006-01")
	statistician := m.as(t, "STATISTICIAN@miit")
	service := disclosurev1.NewDisclosureServiceClient(statistician)
	var d *disclosurev1.Digest
	await(t, "a digest that SQL agrees with", time.Minute, func() (bool, error) { // tasks of other tests may fall due meanwhile
		_, err := caseworkv1.NewCaseworkServiceClient(statistician).BuildDigest(t.Context(),
			&caseworkv1.BuildDigestRequest{RequestId: uuid.NewString(), Month: month, Note: "重新统计"})
		if err != nil {
			return false, err
		}
		r, err := service.GetDigest(t.Context(), &disclosurev1.GetDigestRequest{Month: month})
		if err != nil {
			return false, err
		}
		d = r.GetDigest()
		if differs := m.recompute(t, d); differs != "" {
			return false, fmt.Errorf("%s", differs)
		}
		return true, nil
	})
	if d.GetTotal() == 0 || len(d.GetTables()) < 20 || d.GetEdition() != "internal" || d.GetState() != "draft" {
		t.Fatalf("digest: total %d, %d tables, %s %s", d.GetTotal(), len(d.GetTables()), d.GetEdition(), d.GetState())
	}
	for axis, columns := range map[string][]string{ // what is never counted agrees with itself
		"agency": {"accepted", "verified", "substantiated", "handled", "fed_back", "disclosed"}, "agency_tasks": {"decided"},
		"measure": {"done"}, "penalty": {"amount"},
	} {
		for _, column := range columns {
			if sumOf(d, axis, column) == 0 {
				t.Errorf("%s: nothing is %s", axis, column)
			}
		}
	}
	m.checkNames(t, d)
	m.checkNotPublicYet(t, month)
	release := &disclosurev1.ReleaseDigestRequest{RequestId: uuid.NewString(), Month: month, Version: d.GetVersion()}
	if _, err := service.ReleaseDigest(t.Context(), release); err == nil || !strings.Contains(err.Error(), "drafted") {
		t.Errorf("released by who drafted it: %v", err)
	}
	release.RequestId = uuid.NewString()
	if _, err := disclosurev1.NewDisclosureServiceClient(m.as(t, "LEAD@miit")).ReleaseDigest(t.Context(), release); err != nil {
		t.Fatal(err)
	}
	m.checkPublicDigest(t, month, d)
}

// checkNames: every table says what it counts, by which date and of what its public figures must be many, and every row is
// called by a name and not by its code.
func (m *testMesh) checkNames(t *testing.T, d *disclosurev1.Digest) {
	t.Helper()
	inChinese := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	for _, table := range d.GetTables() {
		if table.GetTitle() == "" || table.GetUnitName() == "" || table.GetDateBasis() == "" || table.GetSpan() == "" || table.GetThresholdUnit() == "" ||
			strings.HasSuffix(table.GetAxis(), "_region") != (table.GetRegionKind() != "") {
			t.Errorf("table %s does not say what it is: %v", table.GetAxis(), table)
		}
		for _, r := range table.GetRows() {
			if !inChinese(r.GetLabel()) && table.GetAxis() != "mark_source" { // sources have names of their own
				t.Errorf("%s: %s is called %s", table.GetAxis(), r.GetKey(), r.GetLabel())
			}
		}
	}
}

func (m *testMesh) checkNotPublicYet(t *testing.T, month string) {
	t.Helper()
	if status, _ := m.page(t, "/digest/"+month+".json"); status != http.StatusNotFound {
		t.Errorf("a draft is public: %d", status)
	}
}

func (m *testMesh) page(t *testing.T, path string) (int, []byte) {
	t.Helper()
	res, err := http.Get(m.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, raw
}

// checkPublicDigest reads the public edition in all its forms: they say the same, no row is of too few people, no party and
// no reporter stands there.
func (m *testMesh) checkPublicDigest(t *testing.T, month string, internal *disclosurev1.Digest) {
	t.Helper()
	for _, form := range []string{"", ".json", ".csv", ".xlsx"} {
		status, raw := m.page(t, "/digest/"+month+form)
		if status != http.StatusOK {
			t.Fatalf("digest%s: %d %.200s", form, status, raw)
		}
		switch form {
		case ".csv":
			m.checkPublicCSV(t, raw, internal)
		case ".xlsx":
			book, err := excelize.OpenReader(bytes.NewReader(raw))
			if err != nil || len(book.GetSheetList()) != len(internal.GetTables())+1 {
				t.Errorf("workbook: %v", err)
			}
		default:
			if bytes.Contains(raw, []byte(`"reporters":`)) || bytes.Contains(raw, []byte(`"members"`)) || !bytes.Contains(raw, []byte(month)) {
				t.Errorf("digest%s says who reported, or nothing: %.300s", form, raw)
			}
		}
	}
}

func (m *testMesh) checkPublicCSV(t *testing.T, raw []byte, internal *disclosurev1.Digest) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	people := m.people(t, internal.GetMonth())
	shown := 0
	for _, l := range lines[1:] {
		axis, row, column := l[3], l[10], l[12]
		if n, ok := people[axis+"/"+row]; ok && column == "count" {
			shown++
			if n < 10 {
				t.Errorf("%s %s is public and of %d people", axis, row, n)
			}
		}
	}
	if shown == 0 {
		t.Error("the public edition shows no row")
	}
}

// ask asks an owner's database as its owner.
func (m *testMesh) ask(t *testing.T, owner, sql string, args ...any) map[string]int64 {
	t.Helper()
	db, err := pgx.Connect(t.Context(), m.stack.OwnerURL(owner))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(t.Context())) }()
	rows, err := db.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	out := map[string]int64{}
	var key string
	var n *int64
	if _, err := pgx.ForEachRow(rows, []any{&key, &n}, func() error {
		if n != nil {
			out[key] = *n
		}
		return nil
	}); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return out
}

// people are who stands behind each row of the reports, asked without the program.
func (m *testMesh) people(t *testing.T, month string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for axis, expression := range reportAxes {
		for key, n := range m.ask(t, "reporting", fmt.Sprintf(`SELECT %s AS key, count(DISTINCT reporter_index) FROM (%s) r
			WHERE counts GROUP BY 1`, expression, monthReports), month) {
			out[axis+"/"+key] = n
		}
	}
	return out
}

// recompute counts everything again and says what differs.
func (m *testMesh) recompute(t *testing.T, d *disclosurev1.Digest) string {
	t.Helper()
	month := d.GetMonth()
	want := map[string]map[string]int64{} // by table: row, or row/column
	for axis, expression := range reportAxes {
		want[axis] = m.ask(t, "reporting", fmt.Sprintf(`SELECT %s, count(*) FROM (%s) r WHERE counts GROUP BY 1`, expression, monthReports), month)
	}
	delete(want["segment"], "")
	for axis, q := range otherTables {
		want[axis] = map[string]int64{}
		for _, sql := range q.sql {
			maps.Copy(want[axis], m.ask(t, q.owner, sql, month))
		}
	}
	maps.Copy(want["agency"], m.stepsOf(t, month))
	got := map[string]map[string]int64{}
	for _, table := range d.GetTables() {
		figures := map[string]int64{}
		for _, r := range table.GetRows() {
			if r.GetReports() > 0 {
				figures[r.GetKey()] = r.GetReports()
			}
			for i, c := range table.GetColumns() {
				if v := r.GetValues()[i]; v.Value != nil && v.GetValue() > 0 {
					figures[r.GetKey()+"/"+c.GetCode()] = v.GetValue()
				}
			}
		}
		got[table.GetAxis()] = figures
	}
	var differs []string
	for axis := range got {
		for key := range want[axis] {
			if want[axis][key] == 0 {
				delete(want[axis], key)
			}
		}
		if !maps.Equal(got[axis], want[axis]) {
			differs = append(differs, fmt.Sprintf("%s: digest %v, SQL %v", axis, got[axis], want[axis]))
		}
	}
	differs = append(differs, m.reshare(t, d)...)
	goals := m.ask(t, "reporting", monthGoals, month)
	for _, g := range d.GetIndicators() {
		if g.GetReports() != goals[g.GetCode()] || int64(g.GetPerMille()) != goals[g.GetCode()+"/per_mille"] {
			differs = append(differs, fmt.Sprintf("goal %v, SQL %v", g, goals))
		}
	}
	slices.Sort(differs)
	return strings.Join(differs, "\n")
}

// checkCounted: of each report its reporter learns in which month and under which category it was counted, and that is what
// SQL says and what the released digest has a figure for.
func (m *testMesh) checkCounted(t *testing.T, results []*reportingv1.RowResult) {
	t.Helper()
	month := time.Now().In(time.FixedZone("CST", 8*3600)).Format("2006-01")
	d, err := disclosurev1.NewDisclosureServiceClient(m.as(t, "STATISTICIAN@miit")).GetDigest(t.Context(), &disclosurev1.GetDigestRequest{Month: month})
	if err != nil || d.GetDigest().GetState() != "released" {
		t.Fatalf("digest %s: %v", d.GetDigest().GetState(), err)
	}
	categories := m.ask(t, "reporting", `SELECT receipt || '/' || `+categoryOfReport+`, 1 FROM (`+monthReports+`) r WHERE counts`, month)
	public, counted := reportingv1.NewReportingServiceClient(m.as(t, "")), map[string]int64{}
	for _, r := range results {
		if r.GetFate() != reportingv1.Fate_FATE_ACCEPTED {
			continue
		}
		track, err := public.TrackReport(t.Context(), &reportingv1.TrackReportRequest{Receipt: r.GetReceipt(), Secret: r.GetSecret()})
		if err != nil {
			t.Fatal(err)
		}
		if track.GetCountedMonth() == "" && track.GetCountedNote() != "" { // the same call told twice
			continue
		}
		if track.GetCountedMonth() != month || categories[r.GetReceipt()+"/"+track.GetCountedCategory()] == 0 {
			t.Errorf("line %d: counted in %q as %q", r.GetLine(), track.GetCountedMonth(), track.GetCountedCategory())
		}
		counted[track.GetCountedCategory()]++
	}
	for _, table := range d.GetDigest().GetTables() {
		for _, row := range table.GetRows() {
			if table.GetAxis() == "category" && counted[row.GetKey()] > row.GetReports() {
				t.Errorf("%d reporters were told %s, the digest has %d", counted[row.GetKey()], row.GetKey(), row.GetReports())
			}
		}
	}
	if len(counted) < 2 {
		t.Errorf("counted: %v", counted)
	}
}

// stepsOf are how far the complaints of each agency came.
func (m *testMesh) stepsOf(t *testing.T, month string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	count := func(column string, complaints map[string]int64) {
		for agency, n := range m.ask(t, "reporting", led, month, slices.Sorted(maps.Keys(complaints))) {
			out[agency+"/"+column] = n
		}
	}
	for column, q := range steps {
		count(column, m.ask(t, q.owner, q.sql, month))
	}
	cases := m.ask(t, "disclosure", penaltyCases, month)
	count("disclosed", m.ask(t, "enforcement", casesOf, month, slices.Sorted(maps.Keys(cases))))
	return out
}

// sumOf adds a column of a table up.
func sumOf(d *disclosurev1.Digest, axis, code string) (sum int64) {
	for _, table := range d.GetTables() {
		for i, c := range table.GetColumns() {
			for _, r := range table.GetRows() {
				if table.GetAxis() == axis && c.GetCode() == code {
					sum += r.GetValues()[i].GetValue()
				}
			}
		}
	}
	return sum
}

// reshare shares each exclusive table out again, in SQL: whole parts, then the largest remainders.
func (m *testMesh) reshare(t *testing.T, d *disclosurev1.Digest) (differs []string) {
	t.Helper()
	shares := m.ask(t, "disclosure", `WITH c AS (
		SELECT axis, key, count, sum(count) OVER w AS all_of_it, floor(count * 1000 / sum(count) OVER w) AS whole, mod(count * 1000, sum(count) OVER w) AS rest
		FROM digest_cell JOIN digest USING (digest_id) JOIN digest_table t USING (digest_id, edition, axis)
		WHERE month = $1 AND edition = 'internal' AND t.share_kind = 'exclusive' AND version = (SELECT max(version) FROM digest WHERE month = $1)
		WINDOW w AS (PARTITION BY axis)), r AS (
		SELECT *, row_number() OVER (PARTITION BY axis ORDER BY rest DESC, count DESC, key COLLATE "C") AS place, 1000 - sum(whole) OVER (PARTITION BY axis) AS left_over FROM c
		WHERE all_of_it > 0)
		SELECT axis || '/' || key, (whole + CASE WHEN place <= left_over THEN 1 ELSE 0 END)::bigint FROM r`, d.GetMonth())
	for _, table := range d.GetTables() {
		if table.GetShareKind() != "exclusive" {
			continue
		}
		for _, r := range table.GetRows() {
			if want := shares[table.GetAxis()+"/"+r.GetKey()]; want != int64(r.GetPerMille()) {
				differs = append(differs, fmt.Sprintf("%s %s: share %d, SQL %d", table.GetAxis(), r.GetKey(), r.GetPerMille(), want))
			}
		}
	}
	return differs
}
