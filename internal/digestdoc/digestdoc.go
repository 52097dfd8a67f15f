// Package digestdoc writes a digest (举报情况盘点) as a file or a page: CSV, XLSX and HTML to print. It shows what it is given
// and computes nothing.
package digestdoc

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"quietline/internal/calendar"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// bom makes spreadsheets read the file as UTF-8.
const bom = "\ufeff"

// header is the first line of the CSV: one figure a line, with all that says what it is.
var header = []string{
	"month", "version", "edition", "table", "title", "unit", "date_basis", "region_kind", "span", "share_kind", "row", "label", "column", "value",
	"share_percent", "change_previous_percent", "change_year_percent", "threshold_unit",
}

// The words of a figure that is not told, and of a column that is the count itself.
const (
	notTold = "<不公开>"
	count   = "count"
)

// CSV writes a digest as lines of figures.
func CSV(out io.Writer, d *disclosurev1.Digest) error {
	if _, err := io.WriteString(out, bom); err != nil {
		return err
	}
	w := csv.NewWriter(out)
	if err := w.Write(header); err != nil {
		return err
	}
	for _, line := range lines(d) {
		if err := w.Write(line); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func lines(d *disclosurev1.Digest) [][]string {
	var out [][]string
	for _, t := range d.GetTables() {
		head := []string{
			d.GetMonth(), strconv.Itoa(int(d.GetVersion())), d.GetEdition(), t.GetAxis(), t.GetTitle(), t.GetUnitName(), t.GetDateBasis(),
			RegionKind(t), Span(t), ShareKind(t),
		}
		add := func(cells ...string) {
			line := append([]string{}, head...)
			for _, c := range cells {
				line = append(line, harmless(c))
			}
			out = append(out, append(line, ThresholdUnit(t)))
		}
		for _, r := range t.GetRows() {
			add(r.GetKey(), r.GetLabel(), count, strconv.FormatInt(r.GetReports(), 10), Share(t, r), Change(r.ChangePrevious), Change(r.ChangeYear))
			for i, c := range t.GetColumns() {
				add(r.GetKey(), r.GetLabel(), c.GetCode(), Value(c, r.GetValues()[i]), "", "", "")
			}
		}
		if t.Total != nil {
			add("total", "合计", count, strconv.FormatInt(t.GetTotal(), 10), "", "", "")
		}
	}
	for _, g := range d.GetIndicators() {
		value := ""
		if g.PerMille != nil {
			value = tenths(int64(g.GetPerMille()))
		}
		reports := ""
		if g.Reports != nil {
			reports = strconv.FormatInt(g.GetReports(), 10)
		}
		head := []string{d.GetMonth(), strconv.Itoa(int(d.GetVersion())), d.GetEdition(), "goals", "方案目标", "件次(举报)", "", "", "", "", g.GetCode(), g.GetTitle()}
		out = append(out, append(append([]string{}, head...), count, reports, "", Change(g.ChangePrevious), Change(g.ChangeYear), thresholds["reporters"]))
		if value != "" {
			out = append(out, append(append([]string{}, head...), "percent", value, "", "", "", thresholds["reporters"]))
		}
	}
	return out
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// Share is a share in percent with one decimal; empty where rows add to nothing.
func Share(t *disclosurev1.DigestTable, r *disclosurev1.DigestRow) string {
	if t.GetShareKind() != "exclusive" {
		return ""
	}
	return tenths(int64(r.GetPerMille()))
}

// Change is a change in percent with its sign; empty where there is nothing to compare with.
func Change(perMille *int32) string {
	switch {
	case perMille == nil:
		return ""
	case *perMille > 0:
		return "+" + tenths(int64(*perMille))
	default:
		return tenths(int64(*perMille))
	}
}

func tenths(v int64) string { return fixed(v, 1) }

// Value is a figure of a further column.
func Value(c *disclosurev1.DigestColumn, v *disclosurev1.DigestValue) string {
	switch {
	case v.GetHidden():
		return notTold
	case v.Value == nil:
		return ""
	default:
		return fixed(v.GetValue(), int(c.GetDecimals()))
	}
}

// fixed writes a number with some of its digits behind the point.
func fixed(v int64, decimals int) string {
	if decimals <= 0 {
		return strconv.FormatInt(v, 10)
	}
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	s := fmt.Sprintf("%0*d", decimals+1, v)
	return sign + s[:len(s)-decimals] + "." + s[len(s)-decimals:]
}

// RegionKind is whose region a table is by.
func RegionKind(t *disclosurev1.DigestTable) string {
	return map[string]string{"reporter": "举报人所在地", "number": "号码归属地"}[t.GetRegionKind()]
}

// Span is what of the month a table counts.
func Span(t *disclosurev1.DigestTable) string {
	return map[string]string{"cohort": "当月形成、截至统计时的情况", "period": "当月发生"}[t.GetSpan()]
}

// ShareKind is what shares of a table mean.
func ShareKind(t *disclosurev1.DigestTable) string {
	return map[string]string{"exclusive": "单选(合计100.0%)", "multi": "可多选(合计可超过100%)"}[t.GetShareKind()]
}

// thresholds are what there must be enough of behind a public figure.
var thresholds = map[string]string{"reporters": "举报人", "matters": "事项(含案件)", "marks": "标记"}

// ThresholdUnit is of what there must be enough behind a public figure of a table; empty in digests from before it was said.
func ThresholdUnit(t *disclosurev1.DigestTable) string { return thresholds[t.GetThresholdUnit()] }

// base is what changes are on.
func base(change, version, month string) string {
	if version == "" {
		return change + ":" + month + "没有已发布的盘点,不作比较"
	}
	return change + "基数:" + version
}

// Notes are what a reader must know of the digest as a whole.
func Notes(d *disclosurev1.Digest) []string {
	out := []string{fmt.Sprintf("%s 第%d版(%s)", d.GetMonth(), d.GetVersion(), map[bool]string{true: "公开版", false: "内部版"}[d.GetEdition() == "public"])}
	if d.GetCutTime() != nil {
		out = append(out, "数据截止:"+d.GetCutTime().AsTime().In(calendar.Shanghai).Format("2006-01-02 15:04")+"(北京时间);数据截面SHA-256:"+d.GetCutHash())
	}
	switch {
	case d.GetReleaseTime() != nil:
		out = append(out, "发布:"+d.GetReleasedByAgency()+" "+d.GetReleaseTime().AsTime().In(calendar.Shanghai).Format("2006-01-02 15:04"))
	default:
		out = append(out, "草稿,未发布")
	}
	if d.GetNote() != "" {
		out = append(out, "更正说明:"+d.GetNote())
	}
	if d.GetEdition() == "public" {
		out = append(out, fmt.Sprintf("举报人不足%d人的数据不单独公开,并入其他项;由合计、占比或其他版本均不能推出。各表注明公开下限以何计数:任务、措施、处罚类数据以所涉事项(含案件)计,标记以次计。", d.GetMinReporters()))
	}
	if d.GetTotalHidden() {
		out = append(out, fmt.Sprintf("本月举报人不足%d人,举报数据不公开。", d.GetMinReporters()))
	}
	return append(out, base("环比", d.GetPrevious(), "上月"), base("同比", d.GetPreviousYear(), "上年同月"),
		"占比按最大余额法舍入,保留一位小数;同一来电的重复举报计一次,未经验证的举报另计。")
}
