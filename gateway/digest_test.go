package gateway

import (
	"net/http"
	"strings"
	"testing"
)

// A browser that asks for what no digest is gets a page, a program JSON.
func TestDigest_notFound(t *testing.T) {
	m := mesh(t, Config{})
	for path, contentType := range map[string]string{
		"/digest/nonsense": "text/html", "/digest/2026-13": "text/html", "/digest/2026-10?version=x": "text/html", "/digest/2026-13.json": "application/json",
	} {
		got := m.fetch(t, path)
		if got.status != http.StatusNotFound || !strings.HasPrefix(got.header.Get("Content-Type"), contentType) {
			t.Errorf("%s: %d %s", path, got.status, got.header.Get("Content-Type"))
		}
		if got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %s", path, got.header.Get("Cache-Control"))
		}
		if contentType == "text/html" && (!strings.Contains(got.body, "没有这一期盘点") || !strings.Contains(got.body, `href="/digest"`)) {
			t.Errorf("%s: %s", path, got.body)
		}
	}
}
