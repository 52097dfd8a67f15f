package gateway

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// hostile stands in every word of an item: it must never be markup.
const hostile = `<script>alert("x")</script>&'`

const (
	liveID      = "0195a1de-0000-7000-8000-000000000001"
	withdrawnID = "0195a1de-0000-7000-8000-000000000002"
	endedID     = "0195a1de-0000-7000-8000-000000000003"
)

func stamp(text string) *timestamppb.Timestamp {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return timestamppb.New(t)
}

var register1 = map[string]*disclosurev1.Publication{
	liveID: {
		PublicationId: liveID, Kind: "penalty", KindName: "行政处罚公示", State: "LIVE", Title: "北京市通信管理局行政处罚决定 " + hostile,
		PartyName: "甲公司" + hostile, Summary: "罚款" + hostile, CreditCode: "91110000000000000A", AgencyId: "ca-11", AgencyName: "北京市通信管理局",
		PublishClock: &commonv1.Clock{StatutoryDue: "2026-05-20T15:59:59Z", Proof: "20 wd from 2026-04-15"}, RegisterAgencyId: "samr", RegionCodes: []string{"11"}, Codes: []string{"95013123"}, DecisionNo: "京通罚字〔2026〕1号",
		PublishTime: stamp("2026-05-01T02:00:00Z"), TakeDownTime: stamp("2027-04-14T16:00:00Z"), UpdateTime: stamp("2026-05-02T02:00:00Z"), Version: 2,
		Versions: []*disclosurev1.PublicationVersion{
			{Version: 1, Title: "旧标题", Summary: "旧内容", VersionTime: stamp("2026-05-01T02:00:00Z")},
			{Version: 2, Title: "新标题", Summary: hostile, Note: "更正" + hostile, VersionTime: stamp("2026-05-02T02:00:00Z")},
		},
		Terms: []*disclosurev1.TakeDownTerm{
			{Basis: "order_36", Source: "信用修复管理办法", Proof: "自文书作出之日2026-04-15起12个月", EndTime: stamp("2027-04-14T16:00:00Z"), Holds: true},
			{Basis: "samr_disclosure", Source: "市场监督管理行政处罚信息公示规定", Proof: "自公示之日2026-05-01起36个月", EndTime: stamp("2029-04-30T16:00:00Z"), ToConfirm: true},
		},
	},
	withdrawnID: {
		PublicationId: withdrawnID, Kind: "penalty", KindName: "行政处罚公示", State: "WITHDRAWN", AgencyId: "ca-31", AgencyName: "上海市通信管理局",
		WithdrawnCause: "revoked", WithdrawnReason: "复议撤销" + hostile, WithdrawnTime: stamp("2026-06-01T02:00:00Z"),
		Terms:       []*disclosurev1.TakeDownTerm{{Basis: "order_36", Source: "信用修复管理办法", EndTime: stamp("2027-04-14T16:00:00Z"), Holds: true}},
		PublishTime: stamp("2026-05-01T02:00:00Z"), TakeDownTime: stamp("2027-04-14T16:00:00Z"), UpdateTime: stamp("2026-06-01T02:00:00Z"),
	},
	endedID: {
		PublicationId: endedID, Kind: "exposure", KindName: "曝光", State: "TAKEN_DOWN", AgencyId: "ca-31", AgencyName: "上海市通信管理局",
		PublishTime: stamp("2026-01-01T02:00:00Z"), TakeDownTime: stamp("2026-04-01T02:00:00Z"), UpdateTime: stamp("2026-04-01T02:00:00Z"),
	},
}

// disclosure is a backend with three items.
type disclosure struct {
	disclosurev1.UnimplementedDisclosureServiceServer
}

// SearchPublications finds the live item by part of its party's name, and all of them by change.
func (disclosure) SearchPublications(_ context.Context, req *disclosurev1.SearchPublicationsRequest) (*disclosurev1.SearchPublicationsResponse, error) {
	if req.GetCode() != "" && !strings.HasPrefix(req.GetCode(), "95") {
		return nil, errs.Field("code", "no other numbers are published")
	}
	resp := &disclosurev1.SearchPublicationsResponse{}
	if strings.Contains(register1[liveID].GetPartyName(), req.GetName()) {
		resp.Publications = append(resp.Publications, register1[liveID])
	}
	if req.GetByChange() {
		resp.Publications = append(resp.Publications, register1[withdrawnID], register1[endedID])
	}
	if req.GetKind() == "penalty" {
		resp.NextPageToken = "tok+en"
	}
	return resp, nil
}

// GetPublication finds an item.
func (disclosure) GetPublication(_ context.Context, req *disclosurev1.GetPublicationRequest) (*disclosurev1.GetPublicationResponse, error) {
	if p := register1[req.GetPublicationId()]; p != nil {
		return &disclosurev1.GetPublicationResponse{Publication: p}, nil
	}
	return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no such publication")
}

func (m *meshOf) fetch(t *testing.T, path string, headers ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return do(t, request)
}

func TestRegister_searchPage(t *testing.T) {
	m := mesh(t, Config{})
	got := m.fetch(t, "/register?name="+url.QueryEscape("甲公司")+"&kind=penalty")
	if got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", got.status, got.header)
	}
	for _, want := range []string{
		`lang="zh-CN"`, `<label for="name">`, `href="/register/` + liveID + `"`, "2026年5月1日", "2027年4月15日", `rel="next"`, "page=tok%2Ben",
		`value="甲公司"`, `<option value="penalty" selected>`, `type="application/atom+xml"`, "&lt;script&gt;",
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("lacks %s", want)
		}
	}
	if strings.Contains(got.body, "<script") {
		t.Error("an item's words became markup")
	}
	for _, want := range []string{"default-src 'none'", "form-action 'self'"} {
		if !strings.Contains(got.header.Get("Content-Security-Policy"), want) {
			t.Errorf("policy lacks %s", want)
		}
	}
	empty := m.fetch(t, "/register?name="+url.QueryEscape("乙公司"))
	if empty.status != http.StatusOK || !strings.Contains(empty.body, "没有符合条件的公示") {
		t.Errorf("nothing found: %d %s", empty.status, empty.body)
	}
}

// What was typed by mistake is refused and never repeated; numbers of persons in an address find nothing.
func TestRegister_refusals(t *testing.T) {
	m := mesh(t, Config{})
	for path, want := range map[string]int{
		"/register?code=" + canary:                                      http.StatusBadRequest,
		"/register?name=" + canary:                                      http.StatusBadRequest,
		"/register?credit_code=123":                                     http.StatusBadRequest,
		"/register?from=yesterday":                                      http.StatusBadRequest,
		"/register.json?region_code=44":                                 http.StatusBadRequest,
		"/register?phone=" + canary:                                     http.StatusBadRequest,
		"/register?name=" + url.QueryEscape(strings.Repeat("长", 61)):    http.StatusBadRequest,
		"/register.json?code=" + canary:                                 http.StatusBadRequest,
		"/register.atom?code=" + canary:                                 http.StatusBadRequest,
		"/register?name=%zz":                                            http.StatusBadRequest,
		"/register/0195a1de-0000-7000-8000-000000000009":                http.StatusNotFound,
		"/register/0195a1de-0000-7000-8000-000000000009.json":           http.StatusNotFound,
		"/register/nonsense":                                            http.StatusNotFound,
		"/register/" + url.PathEscape(`<script>alert(1)</script>.json`): http.StatusNotFound,
	} {
		got := m.fetch(t, path)
		if got.status != want || strings.Contains(got.body, canary) || strings.Contains(got.body, "<script") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		if got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s is kept: %s", path, got.header.Get("Cache-Control"))
		}
	}
	if got := m.post(t, "/register", "name=x", "Content-Type", "application/x-www-form-urlencoded"); got.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got.status)
	}
}

func TestRegister_item(t *testing.T) {
	m := mesh(t, Config{})
	got := m.fetch(t, "/register/"+liveID)
	for _, want := range []string{
		"甲公司", "北京市通信管理局", "国家市场监督管理总局", "95013123", "历次版本", "旧标题", "新标题", "更正说明", "以此为准", "数值待确认", "应于2026-05-20前公示",
		"市场监督管理行政处罚信息公示规定", "信用修复管理办法", "&lt;script&gt;",
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("lacks %s", want)
		}
	}
	if got.status != http.StatusOK || strings.Contains(got.body, "<script") || got.header.Get("Cache-Control") != cacheItem {
		t.Errorf("%d %v", got.status, got.header)
	}
	again := m.fetch(t, "/register/"+liveID, "If-None-Match", `W/`+got.header.Get("ETag"))
	if again.status != http.StatusNotModified || again.body != "" {
		t.Errorf("again: %d %q", again.status, again.body)
	}
	raw := m.fetch(t, "/register/"+liveID+".json")
	var item struct {
		PublicationID string `json:"publicationId"`
		Title         string
		Versions      []struct{ Title string }
	}
	if err := json.Unmarshal([]byte(raw.body), &item); err != nil || item.PublicationID != liveID || len(item.Versions) != 2 {
		t.Errorf("JSON: %v %s", err, raw.body)
	}
}

// What was withdrawn or has ended keeps its address and says so; nothing of the party is there.
func TestRegister_tombstones(t *testing.T) {
	m := mesh(t, Config{})
	for id, want := range map[string]string{withdrawnID: "本公示已撤回", endedID: "本公示期限已满"} {
		got := m.fetch(t, "/register/"+id)
		if got.status != http.StatusOK || !strings.Contains(got.body, want) || strings.Contains(got.body, "甲公司") || strings.Contains(got.body, "<script") {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if got := m.fetch(t, "/register/"+withdrawnID); !strings.Contains(got.body, "决定已撤销") || !strings.Contains(got.body, "复议撤销") || strings.Contains(got.body, "以此为准") {
		t.Errorf("why it went: %s", got.body)
	}
}

func TestRegister_json(t *testing.T) {
	m := mesh(t, Config{})
	got := m.fetch(t, "/register.json?kind=penalty")
	var list struct {
		Publications  []struct{ PublicationID, PartyName string }
		NextPageToken string
	}
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.header.Get("Content-Type") != jsonType || len(list.Publications) != 1 ||
		list.Publications[0].PartyName != "甲公司"+hostile || list.NextPageToken != "tok+en" {
		t.Errorf("%v %s", err, got.body)
	}
	if again := m.fetch(t, "/register.json?kind=penalty", "If-None-Match", got.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("again: %d", again.status)
	}
}

// TestRegister_atom reads the feed as a reader does: strictly, every element that RFC 4287 demands, no markup in words.
func TestRegister_atom(t *testing.T) {
	m := mesh(t, Config{})
	got := m.fetch(t, "/register.atom?kind=penalty")
	if got.header.Get("Content-Type") != atomType {
		t.Fatalf("%v", got.header)
	}
	decoder := xml.NewDecoder(strings.NewReader(got.body))
	decoder.Strict = true
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well formed: %v\n%s", err, got.body)
		}
		if start, ok := token.(xml.StartElement); ok && (start.Name.Space != "http://www.w3.org/2005/Atom" || start.Name.Local == "script") {
			t.Errorf("element %v", start.Name)
		}
	}
	var feed struct {
		ID      string `xml:"id"`
		Title   string `xml:"title"`
		Updated string `xml:"updated"`
		Author  struct {
			Name string `xml:"name"`
		} `xml:"author"`
		Links []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"link"`
		Entries []struct {
			ID         string `xml:"id"`
			Title      string `xml:"title"`
			Updated    string `xml:"updated"`
			Summary    string `xml:"summary"`
			Categories []struct {
				Term string `xml:"term,attr"`
			} `xml:"category"`
			Links []struct {
				Href string `xml:"href,attr"`
			} `xml:"link"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal([]byte(got.body), &feed); err != nil {
		t.Fatal(err)
	}
	if feed.ID == "" || feed.Title == "" || feed.Author.Name == "" || feed.Updated != "2026-06-01T02:00:00Z" {
		t.Errorf("feed: %+v", feed)
	}
	rels := map[string]string{}
	for _, l := range feed.Links {
		rels[l.Rel] = l.Href
	}
	if diff := cmp.Diff(map[string]string{
		"self": "/register.atom?kind=penalty", "alternate": "/register?kind=penalty",
		"next": "/register.atom?kind=penalty&page=tok%2Ben",
	}, rels); diff != "" {
		t.Error(diff)
	}
	if len(feed.Entries) != 3 {
		t.Fatalf("%d entries", len(feed.Entries))
	}
	for i, want := range []string{liveID, withdrawnID, endedID} {
		e := feed.Entries[i]
		if _, err := time.Parse(time.RFC3339, e.Updated); err != nil || e.ID != "urn:uuid:"+want || e.Links[0].Href != "/register/"+want {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
	if e := feed.Entries[0]; !strings.Contains(e.Title, hostile) {
		t.Errorf("the words changed: %q", e.Title)
	}
	if e := feed.Entries[1]; !strings.Contains(e.Title, "已撤回") || !strings.Contains(e.Summary, "决定已撤销") || e.Categories[1].Term != "withdrawn" {
		t.Errorf("tombstone: %+v", e)
	}
}

// With an address of its own the register says where it is.
func TestRegister_atomAtItsAddress(t *testing.T) {
	r := newRegister(nil, "https://register.example/")
	body := string(r.feed(&disclosurev1.SearchPublicationsRequest{}, &disclosurev1.SearchPublicationsResponse{
		Publications: []*disclosurev1.Publication{register1[liveID]},
	}))
	for _, want := range []string{`href="https://register.example/register.atom"`, `href="https://register.example/register/` + liveID + `"`} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %s: %s", want, body)
		}
	}
}

func TestRegister_isLimited(t *testing.T) {
	m := mesh(t, Config{PublicRate: 0.001, PublicBurst: 3, SecretRate: 1, SecretBurst: 1})
	limited := 0
	for range 6 {
		if got := m.fetch(t, "/register"); got.status == http.StatusTooManyRequests && got.header.Get("Retry-After") != "" {
			limited++
		}
	}
	if limited < 3 {
		t.Errorf("%d of 6 calls were too many", limited)
	}
}
