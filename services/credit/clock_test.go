package credit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
)

func (w *world) forecast(t *testing.T, c creditv1.CreditServiceClient, days int32) *creditv1.ForecastTermsResponse {
	t.Helper()
	resp, err := c.ForecastTerms(t.Context(), &creditv1.ForecastTermsRequest{Days: days})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func kinds(terms []*commonv1.RunningTerm) string {
	var out []string
	for _, r := range terms {
		word := r.GetKind() + "@" + r.GetAgencyId()
		if r.GetOverdue() {
			word += "!"
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

// The 30 days of an entry, the decision on a repair, the lifting of measures and the end of a publication are forecast for
// the agency that has to act; the party's own term is not.
func TestForecastTerms(t *testing.T) {
	w := newWorld(t)
	boss, other := w.as("b", "miit", "", lead), w.as("c", "ca-31", "", worker)
	l, err := w.propose(t, "chen", "ca-11", firm) // the ground arose on 2026-04-20
	if err != nil {
		t.Fatal(err)
	}
	w.set(at("2026-05-18 09:00")) // a Monday; the entry is due on the Wednesday
	if err := w.notify(t, l.GetListingId()); err != nil {
		t.Fatal(err)
	}
	got := w.forecast(t, boss, 0)
	if kinds(got.GetTerms()) != "entry@ca-11" || got.GetAgencies()[0].GetDue() != 1 || got.GetAgencies()[0].GetOverdue() != 0 {
		t.Fatalf("%v", got)
	}
	if k := got.GetTerms()[0].GetClock(); !strings.HasPrefix(k.GetProof(), "30 cd from 2026-04-20") || !strings.Contains(k.GetSource(), "许可管理办法") {
		t.Errorf("%v", k)
	}
	w.set(at("2026-05-21 09:00"))
	if got := w.forecast(t, w.head, 1); kinds(got.GetTerms()) != "entry@ca-11!" || got.GetAgencies()[0].GetOverdue() != 1 {
		t.Errorf("too late: %v", got)
	}
	if got := w.forecast(t, other, 60); len(got.GetTerms())+len(got.GetAgencies()) != 0 {
		t.Errorf("another agency sees %v", got)
	}
	w.set(at("2026-05-25 09:00"))
	if err := w.sign(t, l.GetListingId(), "li@ca-11", "zhao@ca-11"); err != nil {
		t.Fatal(err)
	}
	r, err := w.apply(t, w.as("gs", "", firm, party), l.GetListingId())
	if err != nil {
		t.Fatal(err)
	}
	due := at("2026-06-08 23:59")
	if _, err := w.flows.AdvanceRepair(t.Context(), &creditv1.AdvanceRepairRequest{
		RequestId: uuid.NewString(), RepairId: r.GetRepairId(), DueTime: timestamppb.New(due),
		Clock: &commonv1.Clock{Basis: "repair_decide_10wd", StatutoryDue: due.Format(time.RFC3339), Proof: "10 wd"},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.as("x", "samr-11", "", worker).RecordJointMeasure(t.Context(), &creditv1.RecordJointMeasureRequest{
		RequestId: uuid.NewString(), ListingId: l.GetListingId(), Measure: "不予奖励", Basis: "通知",
	}); err != nil {
		t.Fatal(err)
	}
	if got := w.forecast(t, boss, 20); kinds(got.GetTerms()) != "repair@ca-11" {
		t.Errorf("the repair: %v", got)
	}
	if _, err := w.decideRepair(t, r.GetRepairId(), "sun@ca-11", true); err != nil {
		t.Fatal(err)
	}
	w.set(at("2026-05-29 09:00"))
	if got := w.forecast(t, boss, 0); kinds(got.GetTerms()) != "lift@samr-11!" {
		t.Errorf("the measure: %v", got)
	}
}

// publish makes an entry a public one, as the flow records it.
func (w *world) publish(t *testing.T, id string) {
	t.Helper()
	if _, err := w.flows.RecordListingPublication(t.Context(), &creditv1.RecordListingPublicationRequest{
		RequestId: uuid.NewString(), ListingId: id, PublicationId: uuid.NewString(),
	}); err != nil {
		t.Fatal(err)
	}
}

func TestForecastTerms_takeDown(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.publish(t, l.GetListingId())
	w.set(at("2027-04-19 09:00"))
	if got := w.forecast(t, w.head, 7); kinds(got.GetTerms()) != "take_down@ca-11" || !got.GetTerms()[0].GetDueTime().AsTime().Equal(at("2027-04-20 00:00")) {
		t.Errorf("%v", got)
	}
}

// notices is a policy folder; what is put into it is the notice of 2027.
func notices(t *testing.T) func() {
	t.Helper()
	dir := t.TempDir()
	if err := calendar.Load(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = calendar.Load("") })
	return func() {
		tmp := filepath.Join(t.TempDir(), "new")
		text := "year,from,to,kind,name,valid_from,valid_to,source\n2027,2027-01-01,2027-01-05,off,元旦,2026-12-20,,notice of 2027\n"
		if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(dir, "holidays.csv")); err != nil {
			t.Fatal(err)
		}
		for !calendar.Noticed(2027, at("2027-01-01 00:00")) { // the folder is watched
			if t.Context().Err() != nil {
				t.Fatal("the notice does not take effect")
			}
		}
	}
}

func lastDay(t *timestamppb.Timestamp) string {
	return t.AsTime().In(calendar.Shanghai).Format(time.DateOnly)
}

// Dates beyond the loaded notices are provisional, and settled once, on record, when the notice comes.
func TestSettleProvisionalTerms(t *testing.T) {
	arrives, w := notices(t), newWorld(t)
	boss := w.as("b", "miit", "", lead)
	w.set(at("2026-12-28 09:00"))
	l, err := w.propose(t, "chen", "ca-11", firm)
	if err != nil {
		t.Fatal(err)
	}
	d, err := calendar.Due("listing_statement_5wd", at("2026-12-28 09:00"), calendar.Statutory)
	if err != nil || !d.Provisional {
		t.Fatal(d, err)
	}
	if _, err := w.flows.AdvanceListing(t.Context(), &creditv1.AdvanceListingRequest{
		RequestId: uuid.NewString(), ListingId: l.GetListingId(), State: notified, NoticeTime: timestamppb.New(d.Start),
		ObjectionUntil: timestamppb.New(d.Due), Clock: &commonv1.Clock{
			Basis: d.Basis, StatutoryDue: d.Statutory.Format(time.RFC3339), Proof: d.Proof, Provisional: d.Provisional,
		},
	}); err != nil {
		t.Fatal(err)
	}
	gone, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.as("x", "samr-11", "", worker).RecordJointMeasure(t.Context(), &creditv1.RecordJointMeasureRequest{
		RequestId: uuid.NewString(), ListingId: gone.GetListingId(), Measure: "不予奖励", Basis: "通知",
	}); err != nil {
		t.Fatal(err)
	}
	w.set(at("2026-12-30 09:00"))
	if _, err := w.head.WithdrawListing(t.Context(), &creditv1.WithdrawListingRequest{RequestId: uuid.NewString(), ListingId: gone.GetListingId(), Reason: "x"}); err != nil {
		t.Fatal(err)
	}
	list, err := boss.ListProvisionalTerms(t.Context(), &creditv1.ListProvisionalTermsRequest{})
	if err != nil || len(list.GetTerms()) != 2 || list.GetTerms()[0].GetCanSettle() || list.GetTerms()[0].GetYears()[0] != 2027 {
		t.Fatalf("%v, %v", list, err)
	}
	settle := func() (*creditv1.SettleProvisionalTermsResponse, error) {
		return boss.SettleProvisionalTerms(t.Context(), &creditv1.SettleProvisionalTermsRequest{RequestId: uuid.NewString(), Year: 2027})
	}
	_, err = settle()
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	arrives()
	done, err := settle()
	if err != nil || len(done.GetSettled()) != 2 || done.GetStillProvisional() != 0 {
		t.Fatalf("%v, %v", done, err)
	}
	for _, s := range done.GetSettled() {
		if was, is := lastDay(s.GetOldDueTime()), lastDay(s.GetNewDueTime()); was != "2027-01-05" && was != "2027-01-06" || is <= was {
			t.Errorf("%s: %s to %s", s.GetKind(), was, is)
		}
	}
	if done, err = settle(); err != nil || len(done.GetSettled()) != 0 {
		t.Errorf("settled twice: %v, %v", done, err)
	}
	view, err := w.flows.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: l.GetListingId()})
	if err != nil || lastDay(view.GetListing().GetObjectionUntil()) != "2027-01-07" {
		t.Errorf("the party speaks until %v, %v", view, err)
	}
	// nobody writes a date a second time but by a settlement
	_, err = testkit.Owner(t, w.db).Exec(t.Context(), `UPDATE listing SET objection_until = objection_until - interval '1 day'`)
	if err == nil || !strings.Contains(err.Error(), "written once") {
		t.Errorf("a date was moved by hand: %v", err)
	}
	if v := w.violations(t); len(v) != 0 {
		t.Errorf("violations: %v", v)
	}
	if _, err := w.as("o", "cmcc-11", "", accessv1.Role_ROLE_OPERATOR).ForecastTerms(t.Context(), &creditv1.ForecastTermsRequest{}); err == nil {
		t.Error("an operator reads the forecast")
	}
}
