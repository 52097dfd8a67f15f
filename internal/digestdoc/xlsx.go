package digestdoc

import (
	"fmt"
	"io"
	"strconv"

	"github.com/xuri/excelize/v2"

	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// XLSX writes a digest as a workbook: a sheet of notes, then one for each table.
func XLSX(out io.Writer, d *disclosurev1.Digest) (err error) {
	f := excelize.NewFile()
	defer func() {
		if failed := f.Close(); err == nil {
			err = failed
		}
	}()
	if err := f.SetSheetName("Sheet1", "说明"); err != nil {
		return err
	}
	b := &book{f: f}
	b.row("说明", 1, d.GetTitle())
	for i, note := range Notes(d) {
		b.row("说明", i+2, note)
	}
	b.goals(d, len(Notes(d))+3)
	for i, t := range d.GetTables() {
		b.table(fmt.Sprintf("%d %s", i+1, t.GetAxis()), t)
	}
	if b.err != nil {
		return b.err
	}
	return f.Write(out)
}

// book writes rows until the first error.
type book struct {
	f   *excelize.File
	err error
}

func (b *book) row(sheet string, n int, cells ...any) {
	if b.err == nil {
		b.err = b.f.SetSheetRow(sheet, "A"+strconv.Itoa(n), &cells)
	}
}

func (b *book) goals(d *disclosurev1.Digest, n int) {
	b.row("说明", n, "方案目标", "口径", "数值(%)", "件次", "环比(%)", "同比(%)")
	for i, g := range d.GetIndicators() {
		var share, reports any
		if g.PerMille != nil {
			share = float64(g.GetPerMille()) / 10
		}
		if g.Reports != nil {
			reports = g.GetReports()
		}
		b.row("说明", n+1+i, g.GetTitle(), g.GetMethod(), share, reports, percent(g.ChangePrevious), percent(g.ChangeYear))
	}
}

func percent(perMille *int32) any {
	if perMille == nil {
		return nil
	}
	return float64(*perMille) / 10
}

func (b *book) table(sheet string, t *disclosurev1.DigestTable) {
	if b.err == nil {
		_, b.err = b.f.NewSheet(sheet)
	}
	b.row(sheet, 1, t.GetTitle())
	about := []any{"计量单位:" + t.GetUnitName(), "日期口径:" + t.GetDateBasis(), "统计方式:" + Span(t), ShareKind(t)}
	if region := RegionKind(t); region != "" {
		about = append(about, "地区口径:"+region)
	}
	if of := ThresholdUnit(t); of != "" {
		about = append(about, "公开下限按"+of+"计")
	}
	b.row(sheet, 2, about...)
	head := []any{"代码", "项目", "数量", "占比(%)", "环比(%)", "同比(%)"}
	for _, c := range t.GetColumns() {
		head = append(head, c.GetTitle())
	}
	b.row(sheet, 3, head...)
	n := 4
	for _, r := range t.GetRows() {
		var share any
		if t.GetShareKind() == "exclusive" {
			share = float64(r.GetPerMille()) / 10
		}
		cells := []any{r.GetKey(), r.GetLabel(), r.GetReports(), share, percent(r.ChangePrevious), percent(r.ChangeYear)}
		for i, c := range t.GetColumns() {
			cells = append(cells, figure(c, r.GetValues()[i]))
		}
		b.row(sheet, n, cells...)
		n++
	}
	if t.Total != nil {
		b.row(sheet, n, "", "合计", t.GetTotal())
	}
}

func figure(c *disclosurev1.DigestColumn, v *disclosurev1.DigestValue) any {
	switch {
	case v.GetHidden():
		return notTold
	case v.Value == nil:
		return nil
	}
	n := float64(v.GetValue())
	for range c.GetDecimals() {
		n /= 10
	}
	return n
}
