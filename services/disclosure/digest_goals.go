package disclosure

import (
	"slices"
	"strings"
)

// indicator is one of the programme's goals, measured (方案目标: 商业营销类电话规范拨打, 恶意骚扰和违法犯罪类电话明显减少).
type indicator struct {
	code, title, method string
	perMille            *int32
	reports             *int64
}

// Codes of the goals.
const (
	goalCompliance = "marketing_compliance"
	goalDecline    = "malicious_criminal"
)

// goals measures the two goals. For the public only figures that nothing small can be told from are shown: those that have a
// row of their own in a table that may be public.
func (m *making) goals(public bool) []indicator {
	return []indicator{m.compliance(public), m.decline(public)}
}

// compliance is how many of the checked reports of marketing calls were not found true.
func (m *making) compliance(public bool) indicator {
	out := indicator{
		code: goalCompliance, title: "商业营销类电话规范拨打率",
		method: "当月收到的商业营销类举报中,经事实核查不属实的件次占已核查(属实、不属实)件次的比例",
	}
	sub, not, rest := &cell{key: "substantiated"}, &cell{key: "not_substantiated"}, &cell{key: "rest"}
	for key, c := range m.sums[source{"reporting", inReports, "category_finding"}] {
		into := map[string]*cell{"commercial/substantiated": sub, "commercial/not_substantiated": not}[key]
		if into == nil && strings.HasPrefix(key, "commercial/") {
			into = rest
		}
		if into != nil {
			into.count += c.count
			into.people.join(&c.people)
		}
	}
	if public && (!m.told("category", "commercial") || !m.apart([]*cell{sub, not, rest})) {
		return out
	}
	if n := sub.count + not.count; n > 0 {
		share := int32(roundedDiv(not.count*1000, n)) //nolint:gosec // at most 1,000
		out.perMille, out.reports = &share, &n
	}
	return out
}

// apart says whether each of some figures that add to a known one may be told.
func (m *making) apart(cells []*cell) bool {
	rows, ok := grouped(cells, m.least)
	return ok && !slices.ContainsFunc(rows, func(g group) bool { return len(g) > 1 })
}

// decline is how many reports were of malicious or criminal calls.
func (m *making) decline(public bool) indicator {
	out := indicator{
		code: goalDecline, title: "恶意骚扰和违法犯罪类电话举报量", method: "当月收到的恶意骚扰类与违法犯罪类举报件次之和,及其环比、同比",
	}
	var n int64
	for _, key := range []string{"malicious", "criminal"} {
		c := m.sums[source{"reporting", inReports, "category"}][key]
		if c == nil {
			continue
		}
		if public && !m.told("category", key) {
			return out
		}
		n += c.count
	}
	out.reports = &n
	return out
}
