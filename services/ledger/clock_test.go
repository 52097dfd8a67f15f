package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"quietline/internal/calendar"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

func running(terms []*commonv1.RunningTerm) string {
	var out []string
	for _, r := range terms {
		word := r.GetKind() + "@" + r.GetAgencyId()
		if r.GetOverdue() {
			word += "!"
		}
		out = append(out, word)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// A recall is due when its notice ends, the answer to an appeal after its term: both are forecast for the agency that has to act.
func TestForecastTerms(t *testing.T) {
	m := newMatterWorld(t)
	forecast := func(c ledgerv1.LedgerServiceClient, days int32) *ledgerv1.ForecastTermsResponse {
		t.Helper()
		resp, err := c.ForecastTerms(t.Context(), &ledgerv1.ForecastTermsRequest{Days: days})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	if _, err := m.operator.SuspendResource(t.Context(), m.suspension(byContract, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.appeal(t, m.party, m.restriction(t).GetEvent().GetEventId(), ""); err != nil {
		t.Fatal(err)
	}
	m.announce(t, m.propose(t).GetRecallId())
	if got := forecast(m.lead, 10); len(got.GetTerms())+len(got.GetAgencies()) != 0 {
		t.Errorf("nothing is due in ten days: %v", got)
	}
	got := forecast(m.lead, 35)
	if n := strings.Count(running(got.GetTerms()), "recall@ca-11"); n != 1 || len(got.GetTerms()) != 2 {
		t.Fatalf("%v", got)
	}
	for _, r := range got.GetTerms() {
		if r.GetKind() == clockAppeal && (r.GetClock().GetBasis() != "appeal_operator_15d" || !strings.HasPrefix(r.GetClock().GetProof(), "15 cd from")) {
			t.Errorf("%v", r)
		}
	}
	m.pass(31 * 24 * time.Hour)
	if got := forecast(m.official, 1); !strings.Contains(running(got.GetTerms()), "recall@ca-11!") || got.GetAgencies()[0].GetOverdue() == 0 {
		t.Errorf("overdue: %v", got)
	}
	if got := forecast(m.other, 60); len(got.GetTerms())+len(got.GetAgencies()) != 0 {
		t.Errorf("another agency sees %v", got)
	}
}

// The terms of a campaign that end in a year without a notice are provisional, and settled once when it comes.
func TestSettleProvisionalTerms(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		tmp := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	// so long that the last day lies beyond all notices, whenever the test runs
	put("deadlines.csv", "code,amount,unit,start,roll,rehearsal_seconds,escalate_days,valid_from,valid_to,source\n"+
		"audit_inspection_60d,3600,cd,next_day,next,10,5,2018-11-01,,test\n")
	if err := calendar.Load(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = calendar.Load("") })
	a := newAudited(t, nil)
	due, err := time.Parse(time.RFC3339, a.campaign.GetInspectionClock().GetStatutoryDue())
	if due = due.In(calendar.Shanghai); err != nil || !a.campaign.GetInspectionClock().GetProvisional() {
		t.Fatalf("%v", a.campaign)
	}
	lead := as(t.Context(), accessv1.Role_ROLE_LEAD, "miit", "lead")
	list, err := a.registrar.ListProvisionalTerms(lead, &ledgerv1.ListProvisionalTermsRequest{})
	if err != nil || len(list.GetTerms()) < 2 || list.GetTerms()[0].GetCanSettle() { // one for each agency that inspects
		t.Fatalf("%v, %v", list, err)
	}
	settle := func() (*ledgerv1.SettleProvisionalTermsResponse, error) {
		return a.registrar.SettleProvisionalTerms(lead, &ledgerv1.SettleProvisionalTermsRequest{RequestId: uuid.NewString(), Year: int32(due.Year())})
	}
	_, err = settle()
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
	notice := fmt.Sprintf("year,from,to,kind,name,valid_from,valid_to,source\n%d,%s,%[2]s,off,x,2018-01-01,,notice\n%d,%[3]d-01-01,%[3]d-01-01,off,x,2018-01-01,,next\n",
		due.Year(), due.Format(time.DateOnly), due.Year()+1)
	put("holidays.csv", notice)
	for !calendar.Noticed(due.Year(), a.now()) { // the folder is watched
		if t.Context().Err() != nil {
			t.Fatal("the notice does not take effect")
		}
	}
	done, err := settle()
	if err != nil || len(done.GetSettled()) != 1 || done.GetSettled()[0].GetKind() != clockInspection ||
		!done.GetSettled()[0].GetNewDueTime().AsTime().After(due) {
		t.Fatalf("%v, %v", done, err)
	}
	if done, err = settle(); err != nil || len(done.GetSettled()) != 0 {
		t.Errorf("settled twice: %v, %v", done, err)
	}
	if list, err = a.registrar.ListProvisionalTerms(lead, &ledgerv1.ListProvisionalTermsRequest{}); err != nil || len(list.GetTerms()) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	var by string
	if err := a.db.QueryRow(t.Context(), `SELECT settled_by FROM clock_settlement WHERE id = $1`, a.campaign.GetCampaignId()).Scan(&by); err != nil || by == "" {
		t.Errorf("settled by %q, %v", by, err)
	}
}
