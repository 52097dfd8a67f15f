package gateway

import (
	"net/http"
	"testing"
)

// TestGateway_publicLookup: anybody may ask whose a code is, by POST only, so that no number stands in a URL, and not often.
func TestGateway_publicLookup(t *testing.T) {
	const lookUp = "/quietline.ledger.v1.LedgerService/LookupCode"
	m := mesh(t, Config{PublicRate: 0.001, PublicBurst: 3, SecretRate: 1, SecretBurst: 1})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.url+lookUp+"?connect=v1&encoding=json&message=%7B%22code%22%3A%2295588%22%7D", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := do(t, request); got.status != http.StatusMethodNotAllowed {
		t.Errorf("by GET: %d %s", got.status, got.body)
	}
	limited := 0
	for range 5 {
		if got := m.post(t, lookUp, `{"code":"95588"}`); got.status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < 2 || limited > 3 {
		t.Errorf("%d of 5 calls were too many", limited)
	}
}
