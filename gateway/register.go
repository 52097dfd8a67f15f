package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"connectrpc.com/connect/v2"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"quietline/internal/identity"
	"quietline/internal/rpc"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// register serves the public register of publications (公示登记簿) to browsers, programs and feed readers: by GET, with
// addresses that stay. What is asked for stands in the address, so only what is public may be asked for: firms, credit
// codes, published codes.
type register struct {
	disclosure disclosurev1.DisclosureServiceClient
	url        string // where clients reach the gateway; empty: links are relative
}

func newRegister(conn grpc.ClientConnInterface, publicURL string) *register {
	return &register{disclosure: disclosurev1.NewDisclosureServiceClient(conn), url: strings.TrimRight(publicURL, "/")}
}

// mount adds the register's addresses, all under the public limit.
func (r *register) mount(mux *http.ServeMux, g *gateway) {
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /register":      r.searchPage,
		"GET /register.json": r.searchJSON,
		"GET /register.atom": r.searchAtom,
		"GET /register/{id}": r.item,
	} {
		mux.Handle(pattern, g.limited(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			ctx, cancel := context.WithTimeout(req.Context(), g.cfg.CallTimeout)
			defer cancel()
			// The one form there is sends to this page itself.
			policy := strings.Replace(w.Header().Get("Content-Security-Policy"), "form-action 'none'", "form-action 'self'", 1)
			w.Header().Set("Content-Security-Policy", policy)
			h(w, req.WithContext(identity.WithActor(ctx, public)))
		})))
	}
}

// words are the names of what may be asked for, in the address and in the request.
var words = map[string]func(*disclosurev1.SearchPublicationsRequest, string){
	"name":        func(q *disclosurev1.SearchPublicationsRequest, v string) { q.Name = v },
	"credit_code": func(q *disclosurev1.SearchPublicationsRequest, v string) { q.CreditCode = strings.ToUpper(v) },
	"code":        func(q *disclosurev1.SearchPublicationsRequest, v string) { q.Code = v },
	"region":      func(q *disclosurev1.SearchPublicationsRequest, v string) { q.RegionCode = v },
	"kind":        func(q *disclosurev1.SearchPublicationsRequest, v string) { q.Kind = v },
	"from":        func(q *disclosurev1.SearchPublicationsRequest, v string) { q.FromDate = v },
	"until":       func(q *disclosurev1.SearchPublicationsRequest, v string) { q.UntilDate = v },
	"page":        func(q *disclosurev1.SearchPublicationsRequest, v string) { q.PageToken = v },
}

// asked reads what is asked for. Anything else is refused, without being repeated: a misspelt word would find everything.
func asked(req *http.Request, size int32) (*disclosurev1.SearchPublicationsRequest, error) {
	q := &disclosurev1.SearchPublicationsRequest{PageSize: size}
	values, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return q, invalid("the address is not well formed")
	}
	for name := range values {
		if words[name] == nil {
			return q, invalid("there is a word in the address that this search does not know; it knows name, credit_code, code, region, kind, from, until, page")
		}
	}
	for name, set := range words {
		set(q, strings.TrimSpace(values.Get(name)))
	}
	if !strings.ContainsFunc(q.GetName(), func(r rune) bool { return r < '0' || r > '9' }) && q.GetName() != "" {
		return q, invalid("field name: a name is not a number")
	}
	if err := rpc.Validate(q); err != nil {
		return q, invalid("the search is not valid: name, credit_code, code, region, kind, from, until (days as YYYY-MM-DD)")
	}
	return q, nil
}

// address is the search again, at another page or in another form.
func address(path string, q *disclosurev1.SearchPublicationsRequest, page string) string {
	values := url.Values{}
	for name, value := range map[string]string{
		"name": q.GetName(), "credit_code": q.GetCreditCode(), "code": q.GetCode(), "region": q.GetRegionCode(), "kind": q.GetKind(),
		"from": q.GetFromDate(), "until": q.GetUntilDate(), "page": page,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

const (
	pageOfHTML = 20
	pageOfJSON = 100
	pageOfAtom = 50
	// How long an answer is taken as it is: a search for a minute; an item is asked for again every time, so that what was
	// withdrawn is gone at once.
	cacheSearch = "public, max-age=60"
	cacheItem   = "public, no-cache"
)

func (r *register) search(req *http.Request, q *disclosurev1.SearchPublicationsRequest) (*disclosurev1.SearchPublicationsResponse, error) {
	resp, err := r.disclosure.SearchPublications(req.Context(), q)
	if err != nil {
		return nil, relay(req.Context(), disclosurev1.DisclosureService_SearchPublications_FullMethodName, err)
	}
	return resp, nil
}

func (r *register) searchPage(w http.ResponseWriter, req *http.Request) {
	q, err := asked(req, pageOfHTML)
	page := newSearchPage(q)
	if err == nil {
		var resp *disclosurev1.SearchPublicationsResponse
		if resp, err = r.search(req, q); err == nil {
			page.Items = resp.GetPublications()
			if token := resp.GetNextPageToken(); token != "" {
				page.Next = address("/register", q, token)
			}
		}
	}
	if err != nil { // the form stands again, but nothing of what was wrong in it
		page = newSearchPage(&disclosurev1.SearchPublicationsRequest{})
		page.Problem = problem(err)
		writeBody(w, req, statusOf(err), "", htmlType, page.render("search"))
		return
	}
	writeBody(w, req, http.StatusOK, cacheSearch, htmlType, page.render("search"))
}

func (r *register) searchJSON(w http.ResponseWriter, req *http.Request) {
	q, err := asked(req, pageOfJSON)
	if err == nil {
		var resp *disclosurev1.SearchPublicationsResponse
		if resp, err = r.search(req, q); err == nil {
			writeJSON(w, req, cacheSearch, resp)
			return
		}
	}
	failJSON(w, req, err)
}

func (r *register) searchAtom(w http.ResponseWriter, req *http.Request) {
	q, err := asked(req, pageOfAtom)
	if err == nil {
		q.ByChange = true
		var resp *disclosurev1.SearchPublicationsResponse
		if resp, err = r.search(req, q); err == nil {
			writeBody(w, req, http.StatusOK, cacheSearch, atomType, r.feed(q, resp))
			return
		}
	}
	failJSON(w, req, err)
}

var publicationID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// item is one publication at its permanent address, in HTML or, with .json behind it, in JSON. What ended is still there:
// that it was, and why it went.
func (r *register) item(w http.ResponseWriter, req *http.Request) {
	id, asJSON := strings.CutSuffix(req.PathValue("id"), ".json")
	var resp *disclosurev1.GetPublicationResponse
	err := error(refuseUnknown)
	if publicationID.MatchString(id) {
		if resp, err = r.disclosure.GetPublication(req.Context(), &disclosurev1.GetPublicationRequest{PublicationId: id}); err != nil {
			err = relay(req.Context(), disclosurev1.DisclosureService_GetPublication_FullMethodName, err)
		}
	}
	switch {
	case err != nil && asJSON:
		failJSON(w, req, err)
	case err != nil:
		page := newSearchPage(&disclosurev1.SearchPublicationsRequest{})
		page.Title, page.Problem = "没有这一公示", problem(err)
		writeBody(w, req, statusOf(err), "", htmlType, page.render("problem"))
	case asJSON:
		writeJSON(w, req, cacheItem, resp.GetPublication())
	default:
		writeBody(w, req, http.StatusOK, cacheItem, htmlType, newItemPage(resp.GetPublication()).render("item"))
	}
}

const (
	htmlType = "text/html; charset=utf-8"
	jsonType = "application/json"
	atomType = "application/atom+xml; charset=utf-8"
)

// writeBody sends a body with its tag, or says that the reader has it already. Without cache it is not kept.
func writeBody(w http.ResponseWriter, req *http.Request, status int, cache, contentType string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	if cache == "" {
		header.Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return
	}
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
	header.Set("Cache-Control", cache)
	header.Set("ETag", tag)
	if has(req.Header.Values("If-None-Match"), tag) {
		header.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(status)
	if req.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// has says whether a reader has the body of a tag; weak tags, as proxies that compress make of ours, count.
func has(fields []string, tag string) bool {
	for known := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		if known = strings.TrimPrefix(strings.TrimSpace(known), "W/"); known == tag || known == "*" {
			return true
		}
	}
	return false
}

// writeJSON writes a message. Its blanks, which the library makes different from build to build, are taken out.
func writeJSON(w http.ResponseWriter, req *http.Request, cache string, m proto.Message) {
	raw, err := protojson.Marshal(m)
	var body bytes.Buffer
	if err == nil {
		err = json.Compact(&body, raw)
	}
	if err != nil {
		failJSON(w, req, unexpected(req.Context(), "register", err))
		return
	}
	writeBody(w, req, http.StatusOK, cache, jsonType, body.Bytes())
}

func failJSON(w http.ResponseWriter, req *http.Request, err error) {
	body, _ := json.Marshal(map[string]string{"code": connect.CodeOf(err).String(), "message": messageOf(err)})
	writeBody(w, req, statusOf(err), "", jsonType, body)
}
