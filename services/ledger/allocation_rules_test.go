package ledger

import (
	"strings"
	"testing"
	"time"

	"quietline/internal/errs"
	"quietline/internal/testkit"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/ledger/store"
)

// TestThePolicyOfAllocation holds applications against the rows that the ledger is delivered with: each refusal says why and
// names its article.
func TestThePolicyOfAllocation(t *testing.T) {
	policy, err := store.New(testkit.DB(t, "ledger", store.Migrations)).ListPolicy(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	callCentre := func(provinces, kinds string, outbound bool) []store.Licence {
		return []store.Licence{{Number: "B2-1", Kinds: strings.Fields(kinds), Provinces: strings.Fields(provinces), Outbound: outbound}}
	}
	for _, c := range []struct {
		name    string
		a       application
		refusal string // part of it; empty: allowed
	}{
		{"a bank's own service code", application{numberKinds: []string{"code95_enterprise"}, purpose: "customer_service"}, ""},
		{"a mobile for calls out", application{numberKinds: []string{"mobile"}, purpose: "outbound_consented"}, "严禁为经营性呼叫中心外呼核配用户号码"},
		{"a landline for marketing", application{numberKinds: []string{"landline"}, purpose: "outbound_marketing"}, "subscriber_outbound"},
		{"a block that ends in a mobile", application{numberKinds: []string{"code400", "mobile"}, purpose: "callback"}, "subscriber_outbound"},
		{"a landline of a call centre", application{numberKinds: []string{"landline"}, purpose: "inbound", operation: inHouse}, "不得使用用户号码作为业务号码"},
		{"a firm's own line", application{numberKinds: []string{"landline"}, purpose: "customer_service"}, ""},
		{"a call-centre code without licence", application{numberKinds: []string{"code95_callcentre"}, purpose: "inbound"}, "no licence of kind"},
		{"with a licence", application{numberKinds: []string{"code95_callcentre"}, purpose: "inbound", province: "11", licences: callCentre("11 31", "B24-1", false)}, ""},
		{"for the whole country", application{numberKinds: []string{"code95_callcentre"}, purpose: "inbound", province: "44", licences: callCentre("00", "B24", false)}, ""},
		{"out of its provinces", application{numberKinds: []string{"code95_callcentre"}, purpose: "inbound", province: "44", licences: callCentre("11", "B24", false)}, "does not cover province 44"},
		{"another kind of business", application{numberKinds: []string{"code95_callcentre"}, purpose: "inbound", province: "11", licences: callCentre("00", "B11", false)}, "超范围经营"},
		{"consented calls without commitment", application{numberKinds: []string{"code95_callcentre"}, purpose: "outbound_consented", province: "11", licences: callCentre("00", "B24", false)}, "信管〔2020〕81号"},
		{"consented calls with it", application{numberKinds: []string{"code95_callcentre"}, purpose: "outbound_consented", province: "11", licences: callCentre("00", "B24", true)}, ""},
		{"marketing by a call centre", application{numberKinds: []string{"code95_callcentre"}, purpose: "outbound_marketing", province: "11", licences: callCentre("00", "B24", true)}, "不得开展商业营销类外呼"},
		{"outsourced without licence", application{numberKinds: []string{"code400"}, purpose: "customer_service", operation: outsourced}, "licence_outsourced"},
		{"on the bad list", application{numberKinds: []string{"code400"}, purpose: "inbound", lists: lists{bad: true}}, "不良名单"},
		{"with a reasoned approval", application{numberKinds: []string{"code400"}, purpose: "inbound", lists: lists{bad: true}, approved: true}, ""},
		{"on the dishonest list, approved or not", application{numberKinds: []string{"code400"}, purpose: "inbound", lists: lists{dishonest: true}, approved: true}, "失信名单"},
		{"a new user", application{numberKinds: []string{"code400"}, purpose: "inbound", newHolder: true}, "严格审查新用户资质"},
		{"a vetted one", application{numberKinds: []string{"code400"}, purpose: "inbound", newHolder: true, evidenced: true}, ""},
	} {
		err := judge(c.a, policy)
		if c.refusal == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES || !strings.Contains(errs.Text(err), c.refusal) {
			t.Errorf("%s: %v, want %s", c.name, err, c.refusal)
		}
	}
}

func TestKindsOf(t *testing.T) {
	for _, c := range []struct{ scheme, first, last, want string }{
		{National, "95202101", "95202101", "code95_callcentre"},
		{National, "95588", "95588", "code95_enterprise"},
		{National, "4008000000", "4008000999", "code400"},
		{National, "13800000000", "13800000000", "mobile"},
		{"53", "96123", "96123", "code96"},
		{"010", "62345678", "62345678", "landline"},
		{National, "01062345678", "01062345679", "landline"},
	} {
		if got := kindsOf(c.scheme, c.first, c.last); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s %s: %v, want %s", c.scheme, c.first, got, c.want)
		}
	}
}

// TestGrows: a correction that gives nothing more passes whatever list its holder is on by now.
func TestGrows(t *testing.T) {
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	old := store.Allocation{
		HolderID: "h", Scheme: National, Digits: 5, FirstNumber: 95588, LastNumber: 95589, AccessProvince: "11", Purpose: "inbound",
		ValidFrom: from, ValidTo: &to,
	}
	for _, c := range []struct {
		name   string
		change func(*draft)
		grows  bool
	}{
		{"nothing", func(*draft) {}, false},
		{"other callers", func(d *draft) { d.Callers = []string{"95588"} }, false},
		{"fewer numbers", func(d *draft) { d.Last = "95588" }, false},
		{"a shorter time", func(d *draft) { d.ValidFrom = from.AddDate(0, 0, 1) }, false},
		{"more numbers", func(d *draft) { d.Last = "95590" }, true},
		{"an earlier beginning", func(d *draft) { d.ValidFrom = from.AddDate(0, 0, -1) }, true},
		{"no end", func(d *draft) { d.ValidTo = nil }, true},
		{"another holder", func(d *draft) { d.HolderID = "i" }, true},
		{"another place", func(d *draft) { d.Province = "31" }, true},
		{"outsourced", func(d *draft) { d.Operation = outsourced }, true},
	} {
		d := draftOf(old)
		if c.change(&d); grows(old, d) != c.grows {
			t.Errorf("%s: %v", c.name, !c.grows)
		}
	}
}
