package gateway

import (
	"bytes"
	"context"
	"html/template"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/grpc"

	"quietline/internal/digestdoc"
	"quietline/internal/identity"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// digests serves the released digests (举报情况盘点) to browsers and programs: /digest lists them, /digest/2026-10 is a page to
// read and to print, and with .json, .csv or .xlsx behind it a file. Earlier versions are asked for by ?version=.
type digests struct {
	disclosure disclosurev1.DisclosureServiceClient
}

func newDigests(conn grpc.ClientConnInterface) *digests {
	return &digests{disclosure: disclosurev1.NewDisclosureServiceClient(conn)}
}

// mount adds the addresses, all under the public limit. Whoever asks is the public here: the internal edition is had by RPC.
func (d *digests) mount(mux *http.ServeMux, g *gateway) {
	for pattern, h := range map[string]http.HandlerFunc{"GET /digest": d.list, "GET /digest/{name}": d.one} {
		mux.Handle(pattern, g.limited(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			ctx, cancel := context.WithTimeout(req.Context(), g.cfg.CallTimeout)
			defer cancel()
			h(w, req.WithContext(identity.WithActor(ctx, public)))
		})))
	}
}

var digestName = regexp.MustCompile(`^(20[0-9]{2}-(?:0[1-9]|1[0-2]))(\.json|\.csv|\.xlsx)?$`)

// forms are how a digest is had, by what stands behind its month.
var forms = map[string]struct {
	contentType string
	write       func(*bytes.Buffer, *disclosurev1.Digest) error
}{
	"":      {htmlType, func(b *bytes.Buffer, d *disclosurev1.Digest) error { return digestdoc.HTML(b, d) }},
	".csv":  {"text/csv; charset=utf-8", func(b *bytes.Buffer, d *disclosurev1.Digest) error { return digestdoc.CSV(b, d) }},
	".xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", func(b *bytes.Buffer, d *disclosurev1.Digest) error { return digestdoc.XLSX(b, d) }},
}

func (d *digests) one(w http.ResponseWriter, req *http.Request) {
	name := digestName.FindStringSubmatch(req.PathValue("name"))
	version, err := versionOf(req)
	if name == nil || err != nil {
		failDigest(w, req, refuseUnknown)
		return
	}
	resp, err := d.disclosure.GetDigest(req.Context(), &disclosurev1.GetDigestRequest{Month: name[1], Version: version, Edition: "public"})
	if err != nil {
		failDigest(w, req, relay(req.Context(), disclosurev1.DisclosureService_GetDigest_FullMethodName, err))
		return
	}
	if name[2] == ".json" {
		writeJSON(w, req, cacheItem, resp.GetDigest())
		return
	}
	form := forms[name[2]]
	var body bytes.Buffer
	if err := form.write(&body, resp.GetDigest()); err != nil {
		failJSON(w, req, relay(req.Context(), disclosurev1.DisclosureService_GetDigest_FullMethodName, err))
		return
	}
	if name[2] != "" {
		w.Header().Set("Content-Disposition", `attachment; filename="digest-`+name[1]+`-v`+strconv.Itoa(int(resp.GetDigest().GetVersion()))+name[2]+`"`)
	}
	writeBody(w, req, http.StatusOK, cacheItem, form.contentType, body.Bytes())
}

// failDigest answers a browser with a page and a program with JSON, as the register does.
func failDigest(w http.ResponseWriter, req *http.Request, err error) {
	if ext := path.Ext(req.URL.Path); ext != "" {
		failJSON(w, req, err)
		return
	}
	words := "盘点暂时不能查询,请稍后再试。"
	switch statusOf(err) {
	case http.StatusNotFound:
		words = "没有这一期盘点,或者尚未发布。"
	case http.StatusBadRequest:
		words = "地址不正确:盘点按月编制,如 /digest/2026-10。"
	case http.StatusTooManyRequests:
		words = "查询过于频繁,请稍后再试。"
	}
	var body bytes.Buffer
	if err := digestProblem.Execute(&body, words); err != nil { // the template fits a text
		failJSON(w, req, err)
		return
	}
	writeBody(w, req, statusOf(err), "", htmlType, body.Bytes())
}

var digestProblem = template.Must(template.New("digest problem").Parse(`<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>举报情况盘点</title><link rel="stylesheet" href="/static/style.css"></head>
<body><header><nav aria-label="主导航"><a href="/">静线 Quietline</a></nav></header>
<main><h1>举报情况盘点</h1><p role="alert">{{.}}</p><p><a href="/digest">已发布的盘点</a></p></main></body></html>
`))

func versionOf(req *http.Request) (int32, error) {
	asked := strings.TrimSpace(req.URL.Query().Get("version"))
	if asked == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(asked, 10, 32)
	if err != nil || n < 1 {
		return 0, refuseUnknown
	}
	return int32(n), nil
}

var digestList = template.Must(template.New("digests").Parse(`<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>举报情况盘点</title><link rel="stylesheet" href="/static/style.css"><link rel="stylesheet" href="/static/digest.css"></head>
<body><header><nav aria-label="主导航"><a href="/">静线 Quietline</a></nav></header>
<main><h1>举报情况盘点</h1>
<ul>{{range .Digests}}<li><a href="/digest/{{.Month}}?version={{.Version}}">{{.Title}}</a> 第{{.Version}}版{{with .Note}}(更正:{{.}}){{end}}</li>
{{else}}<li>尚无已发布的盘点</li>{{end}}</ul>{{with .NextPageToken}}<p><a href="/digest?page={{.}}">更早</a></p>{{end}}</main></body></html>
`))

func (d *digests) list(w http.ResponseWriter, req *http.Request) {
	resp, err := d.disclosure.ListDigests(req.Context(), &disclosurev1.ListDigestsRequest{PageToken: req.URL.Query().Get("page")})
	if err != nil {
		failDigest(w, req, relay(req.Context(), disclosurev1.DisclosureService_ListDigests_FullMethodName, err))
		return
	}
	var body bytes.Buffer
	if err := digestList.Execute(&body, resp); err != nil {
		failJSON(w, req, relay(req.Context(), disclosurev1.DisclosureService_ListDigests_FullMethodName, err))
		return
	}
	writeBody(w, req, http.StatusOK, cacheSearch, htmlType, body.Bytes())
}
