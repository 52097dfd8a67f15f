package ledger

import (
	"strings"
	"testing"
	"time"

	accessv1 "quietline/proto/quietline/access/v1"
)

// A file ends nothing whose recall is announced, neither by a row nor by silence.
func TestLoad_notUnderNotice(t *testing.T) {
	m := newMatterWorld(t)
	m.announce(t, m.propose(t).GetRecallId())
	registrar := as(t.Context(), accessv1.Role_ROLE_REGISTRAR, "ca-11", "desk")
	ending := "全国,95588,95588,甲," + holderCode + ",,loans,11,客户服务,95588,cmcc,," + time.Now().AddDate(0, 0, 1).Format(time.DateOnly) + ",test approval,test vetting"
	l := m.loaded(registrar, t, loadHead+"\n"+ending, "", time.Now())
	if report := m.report(registrar, t, l); l.GetCounts().GetConflict() != 1 || !strings.Contains(report, "announced") {
		t.Errorf("by a row: %v\n%s", l.GetCounts(), report)
	}
	l = m.loaded(registrar, t, loadHead+"\n"+line("4008000100", "乙", "91000000DEMNDEMN01", "cmcc"), "cmcc", time.Now())
	if l.GetCounts().GetMissing() != 0 {
		t.Errorf("by silence: %v\n%s", l.GetCounts(), m.report(registrar, t, l))
	}
	if _, err := m.apply(registrar, l, true); err != nil || m.state(t) != stateNotice {
		t.Errorf("applied: %v, the resource is %s", err, m.state(t))
	}
	m.audited(t)
}
