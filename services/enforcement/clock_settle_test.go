package enforcement

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// A case shows from its first day by when it must be decided, and the forecast names it when that is near; no other agency
// sees it, and parties' terms are in none.
func TestForecastClocks(t *testing.T) {
	f := newFile(t, nil) // opened on 2026-03-02
	var decision *enforcementv1.CaseClock
	for _, c := range f.get().GetClocks() {
		if c.GetClock().GetBasis() == "case_90d" {
			decision = c
		}
	}
	if got := decision.GetDueTime().AsTime().In(calendar.Shanghai).Format(time.DateOnly); got != "2026-05-31" || !strings.HasSuffix(decision.GetClock().GetProof(), "90 cd from 2026-03-02: 5-31") {
		t.Errorf("to be decided by %s: %s", got, decision.GetClock().GetProof())
	}
	of := "" // all that somebody may see
	ask := func(agency string, role accessv1.Role, days int32) []*enforcementv1.RunningClock {
		resp, err := f.as("somebody", agency, role).ForecastClocks(t.Context(), &enforcementv1.ForecastClocksRequest{Days: days, AgencyId: of})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetClocks()
	}
	if got := ask("samr-11", accessv1.Role_ROLE_CASEWORKER, 60); len(got) != 0 {
		t.Errorf("90 days are within 60: %v", got)
	}
	f.later(40 * 24 * time.Hour)
	for agency, want := range map[string]int{"samr-11": 1, "samr-44": 0} {
		if got := ask(agency, accessv1.Role_ROLE_HEAD, 60); len(got) != want {
			t.Errorf("%s sees %d clocks, want %d", agency, len(got), want)
		}
	}
	f.later(60 * 24 * time.Hour)
	late := ask("miit", accessv1.Role_ROLE_LEAD, 0)
	if len(late) != 1 || !late[0].GetOverdue() || late[0].GetCaseId() != f.id || late[0].GetAgencyId() != "samr-11" || late[0].GetClock().GetClock().GetProof() == "" {
		t.Errorf("overdue: %v", late)
	}
	for _, of = range []string{"samr-11", "samr-44"} {
		want := map[string]int{"samr-11": 1}[of]
		if got := ask("miit", accessv1.Role_ROLE_LEAD, 0); len(got) != want {
			t.Errorf("of %s alone: %v", of, got)
		}
		if got := ask("samr-44", accessv1.Role_ROLE_HEAD, 0); len(got) != 0 {
			t.Errorf("another agency asks for %s: %v", of, got)
		}
	}
}

func TestSettleProvisionalClocks(t *testing.T) {
	dir := t.TempDir()
	if err := calendar.Load(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = calendar.Load("") })
	f := newFile(t, nil)
	f.now = time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)
	f.open(func(req *enforcementv1.OpenCaseRequest) { // to be decided by 2027-01-31, which no notice can move
		req.Party = &enforcementv1.Party{Role: "caller", Name: "乙公司", CreditCode: "91000000DEMNDEMN77"}
	})
	f.now = time.Date(2026, 12, 25, 2, 0, 0, 0, time.UTC)
	if err := f.server.start(t.Context(), store.New(f.db), f.id, "deliver_7wd", 1, "", f.now, calendar.Statutory); err != nil {
		t.Fatal(err)
	}
	admin := f.as("root", "", accessv1.Role_ROLE_ADMIN)
	list := func() []*enforcementv1.ProvisionalClock {
		resp, err := admin.ListProvisionalClocks(t.Context(), &enforcementv1.ListProvisionalClocksRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetClocks()
	}
	settle := func() (*enforcementv1.SettleProvisionalClocksResponse, error) {
		return admin.SettleProvisionalClocks(t.Context(), &enforcementv1.SettleProvisionalClocksRequest{RequestId: uuid.NewString(), Year: 2027})
	}
	before := list()
	if len(before) != 1 || before[0].GetCanSettle() || before[0].GetYears()[0] != 2027 {
		t.Fatalf("provisional %v", before)
	}
	if _, err := settle(); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) {
		t.Errorf("settled without a notice: %v", err)
	}
	notice := "year,from,to,kind,name,valid_from,valid_to,source\n2027,2027-01-01,2027-01-03,off,元旦,2026-12-26,,notice of 2027\n" +
		"2027,2027-01-02,2027-01-03,work,x,2026-01-01,2026-01-02,withdrawn\n2027,2027-01-04,2027-01-04,off,x,2026-12-26,,notice of 2027\n"
	tmp := filepath.Join(t.TempDir(), "new")
	if err := os.WriteFile(tmp, []byte(notice), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, "holidays.csv")); err != nil {
		t.Fatal(err)
	}
	f.later(10 * 24 * time.Hour)
	if now := list(); len(now) != len(before) || !now[0].GetCanSettle() {
		t.Errorf("with the notice: %v", now)
	}
	resp, err := settle()
	if err != nil || len(resp.GetSettled()) != len(before) || resp.GetStillProvisional() != 0 {
		t.Fatalf("settled %v, %v", resp, err)
	}
	if left := list(); len(left) != 0 {
		t.Errorf("still provisional: %v", left)
	}
	for _, c := range f.get().GetClocks() {
		if c.GetClock().GetBasis() == "case_90d" && c.GetClock().GetProvisional() {
			t.Errorf("no notice can move this: %s", c.GetClock().GetProof())
		}
		if c.GetClock().GetBasis() != "deliver_7wd" {
			continue
		}
		if c.GetClock().GetProvisional() || !strings.HasSuffix(c.GetClock().GetProof(), "; settled (was 2027-01-06): 2027-01-07") {
			t.Errorf("%s", c.GetClock().GetProof())
		}
	}
	var by string
	if err := f.db.QueryRow(t.Context(), `SELECT signed_by FROM case_clock_act WHERE kind = 'settled' LIMIT 1`).Scan(&by); err != nil || by != "root@" {
		t.Errorf("settled by %q, %v", by, err)
	}
	if resp, err := settle(); err != nil || len(resp.GetSettled()) != 0 {
		t.Errorf("settled twice: %v, %v", resp, err)
	}
	f.sound()
}
