package digestdoc

import (
	_ "embed"
	"html/template"
	"io"
	"strconv"

	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

//go:embed digest.html
var source string

// page is the digest to read and to print; html/template escapes what stands in it.
var page = template.Must(template.New("digest").Funcs(template.FuncMap{
	"share":     Share,
	"change":    Change,
	"span":      Span,
	"shareKind": ShareKind,
	"region":    RegionKind,
	"threshold": ThresholdUnit,
	"percent": func(perMille *int32) string {
		if perMille == nil {
			return "—"
		}
		return tenths(int64(*perMille)) + "%"
	},
	"count": func(n *int64) string {
		if n == nil {
			return "—"
		}
		return strconv.FormatInt(*n, 10)
	},
	"total": func(t *disclosurev1.DigestTable) string {
		if t.Total == nil || t.GetTotal() == 0 {
			return ""
		}
		return strconv.FormatInt(t.GetTotal(), 10)
	},
	"values": func(t *disclosurev1.DigestTable, r *disclosurev1.DigestRow) []string {
		var out []string
		for i, c := range t.GetColumns() {
			out = append(out, Value(c, r.GetValues()[i]))
		}
		return out
	},
}).Parse(source))

// HTML writes a digest as a page to read and to print.
func HTML(out io.Writer, d *disclosurev1.Digest) error {
	return page.Execute(out, struct {
		D     *disclosurev1.Digest
		Notes []string
	}{d, Notes(d)})
}
