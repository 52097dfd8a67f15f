package gateway

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

//go:embed template/register.html
var templates embed.FS

// pages are the register's pages; html/template escapes whatever stands in a publication.
var pages = template.Must(template.New("register").Funcs(template.FuncMap{
	"day":     func(t *timestamppb.Timestamp) string { return inShanghai(t, "2006年1月2日") },
	"minute":  func(t *timestamppb.Timestamp) string { return inShanghai(t, "2006年1月2日 15:04") },
	"iso":     func(t *timestamppb.Timestamp) string { return inShanghai(t, time.RFC3339) },
	"join":    func(list []string) string { return strings.Join(list, "、") },
	"regions": regionNames,
	"cause":   func(code string) string { return named(causes, code) },
	"keeper":  func(id string) string { return named(keepers, id) },
	"due":     dueDay,
}).ParseFS(templates, "template/register.html"))

func inShanghai(t *timestamppb.Timestamp, layout string) string {
	if t == nil {
		return ""
	}
	return t.AsTime().In(calendar.Shanghai).Format(layout)
}

// dueDay is the last day of a clock, whose due time is text; empty when there is none.
func dueDay(due string) string {
	at, err := time.Parse(time.RFC3339, due)
	if err != nil {
		return ""
	}
	return at.In(calendar.Shanghai).Format(time.DateOnly)
}

// choice is a code with its name.
type choice struct{ Code, Name string }

var (
	kindChoices = []choice{
		{"penalty", "行政处罚公示"}, {"listing", "名单公布"}, {"exposure", "曝光"}, {"circular", "通报"}, {"notice", "公告"}, {"digest", "盘点"},
	}
	causes = []choice{
		{"revoked", "决定已撤销"}, {"changed", "决定已变更"}, {"illegal", "决定被确认违法"}, {"repaired", "信用已修复"}, {"moot", "事项已终止"}, {"error", "公示有误"},
	}
	keepers       = []choice{{"samr", "国家市场监督管理总局"}}
	regionChoices = provinces()
)

func named(list []choice, code string) string {
	if i := slices.IndexFunc(list, func(c choice) bool { return c.Code == code }); i >= 0 {
		return list[i].Name
	}
	return code
}

// provinces are the provinces by their codes, GB/T 2260.
func provinces() []choice {
	var out []choice
	for code := 11; code <= 82; code++ {
		if name := phone.ProvinceName(strconv.Itoa(code)); name != "" {
			out = append(out, choice{strconv.Itoa(code), name})
		}
	}
	return out
}

func regionNames(codes []string) string {
	var out []string
	for _, c := range codes {
		name := named(regionChoices, c[:min(2, len(c))])
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, "、")
}

// page is what the templates show.
type page struct {
	Title, Atom, JSON, Next, Problem string
	Q                                *disclosurev1.SearchPublicationsRequest
	Kinds, Regions                   []choice
	Items                            []*disclosurev1.Publication
	Item                             *disclosurev1.Publication
}

func newSearchPage(q *disclosurev1.SearchPublicationsRequest) *page {
	return &page{
		Title: "公示登记簿", Q: q, Kinds: kindChoices, Regions: regionChoices,
		Atom: address("/register.atom", q, ""), JSON: address("/register.json", q, ""),
	}
}

func newItemPage(p *disclosurev1.Publication) *page {
	title := p.GetTitle()
	if title == "" {
		title = "公示已撤下"
	}
	return &page{Title: title, Item: p, Atom: "/register.atom", JSON: "/register/" + p.GetPublicationId() + ".json"}
}

func (p *page) render(name string) []byte {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name, p); err != nil { // the templates fit their page; tests see each
		return []byte("公示登记簿暂时不能显示。")
	}
	return body.Bytes()
}

// refuseUnknown is the answer to an address that no publication ever had.
var refuseUnknown = refuse(connect.CodeNotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "there is no such publication")

// statusOf is the HTTP status of a refusal.
func statusOf(err error) int {
	switch connect.CodeOf(err) {
	case connect.CodeInvalidArgument, connect.CodeFailedPrecondition, connect.CodeOutOfRange:
		return http.StatusBadRequest
	case connect.CodeNotFound:
		return http.StatusNotFound
	case connect.CodeResourceExhausted:
		return http.StatusTooManyRequests
	case connect.CodeUnavailable, connect.CodeAborted, connect.CodeCanceled:
		return http.StatusServiceUnavailable
	case connect.CodeDeadlineExceeded:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// problem is a refusal as the public reads it. What was typed is not repeated.
func problem(err error) string {
	switch statusOf(err) {
	case http.StatusBadRequest:
		return "查询条件不正确。可以按企业名称、统一社会信用代码、95/96/400/1010 码号、地区、类别和日期查询;手机号码、固定电话号码和身份证号码不公示,请勿填写。"
	case http.StatusNotFound:
		return "没有这一公示,请检查地址。"
	case http.StatusTooManyRequests:
		return "查询过于频繁,请稍后再试。"
	}
	return "公示登记簿暂时不能查询,请稍后再试。"
}

func messageOf(err error) string {
	if refusal, ok := errors.AsType[*connect.Error](err); ok {
		return refusal.Message()
	}
	return "the request is not valid"
}
