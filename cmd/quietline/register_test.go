package main

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// checkRegister reads a penalty as the public does, by plain GET: found by part of the firm's name, at its address with both
// bases of its take-down date, and in the feed.
func (m *testMesh) checkRegister(t *testing.T, p *disclosurev1.Publication) {
	t.Helper()
	address := "/register/" + p.GetPublicationId()
	for path, want := range map[string][]string{
		"/register?name=" + url.QueryEscape("己电话营销"): {address, p.GetPartyName()},
		"/register?credit_code=" + p.GetCreditCode(): {address},
		address:           {p.GetTitle(), "国家市场监督管理总局", "信用修复管理办法", "市场监督管理行政处罚信息公示规定", "以此为准"},
		address + ".json": {p.GetPublicationId(), "order_36", "samr_disclosure", "publish_20wd"},
		"/register.atom":  {"urn:uuid:" + p.GetPublicationId()},
	} {
		status, body := m.read(t, path)
		for _, text := range want {
			if status != http.StatusOK || !strings.Contains(body, text) {
				t.Errorf("%s: %d, lacks %s: %s", path, status, text, body)
			}
		}
		if strings.Contains(body, "17000000781") {
			t.Errorf("%s shows a number of a person", path)
		}
	}
	_, body := m.read(t, "/register.atom")
	var feed struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	}
	if err := xml.Unmarshal([]byte(body), &feed); err != nil {
		t.Errorf("the feed: %v", err)
	}
	if status, _ := m.read(t, "/register?code=13800138000"); status != http.StatusBadRequest {
		t.Errorf("a mobile is searched for: %d", status)
	}
}

func (m *testMesh) read(t *testing.T, path string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(raw)
}
