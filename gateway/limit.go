package gateway

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// rememberCallers bounds how many addresses or subjects have a bucket; who was idle longest loses it, and starts
// again with a full one.
const rememberCallers = 20_000

// buckets is one token bucket per caller.
type buckets struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu   sync.Mutex
	each *lru[string, *rate.Limiter]
}

func newBuckets(perSecond float64, burst int, now func() time.Time) *buckets {
	return &buckets{
		rate: rate.Limit(perSecond), burst: burst, now: now,
		each: newLRU[string, *rate.Limiter](rememberCallers),
	}
}

func (b *buckets) of(caller string) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	limiter, ok := b.each.get(caller)
	if !ok {
		limiter = rate.NewLimiter(b.rate, b.burst)
		b.each.put(caller, limiter)
	}
	return limiter
}

// take spends one call of a caller, or says how long to wait for it.
func (b *buckets) take(caller string) (wait time.Duration, ok bool) {
	now := b.now()
	reservation := b.of(caller).ReserveN(now, 1)
	wait = reservation.DelayFrom(now)
	if wait == 0 {
		return 0, true
	}
	reservation.CancelAt(now)
	return wait, false
}

// empty says whether a caller has nothing left, without spending.
func (b *buckets) empty(caller string) bool {
	now := b.now()
	return b.of(caller).TokensAt(now) < 1
}

// addressOf is the network address a request counts against: the client's, an IPv6 client's /64. Behind a proxy
// it is the last entry of X-Forwarded-For, which the proxy wrote; the ones before it are the client's to invent.
func addressOf(remote string, forwarded []string, behindProxy bool) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	if behindProxy && len(forwarded) > 0 {
		chain := strings.Split(forwarded[len(forwarded)-1], ",")
		host = strings.TrimSpace(chain[len(chain)-1])
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if addr = addr.Unmap(); addr.Is6() {
		if prefix, err := addr.WithZone("").Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return addr.String()
}

// limited puts an HTTP handler that is not an RPC under the public limit.
func (g *gateway) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := addressOf(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), g.cfg.BehindProxy)
		if wait, ok := g.publicCalls.take(address); !ok {
			w.Header().Set("Retry-After", seconds(wait))
			http.Error(w, "too many calls from this address; try again later", http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// lru is a map that forgets what was used longest ago. It is not safe for concurrent use.
type lru[K comparable, V any] struct {
	max   int
	order *list.List
	items map[K]*list.Element
}

type lruItem[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](limit int) *lru[K, V] {
	return &lru[K, V]{max: limit, order: list.New(), items: map[K]*list.Element{}}
}

func (l *lru[K, V]) get(key K) (V, bool) {
	element, ok := l.items[key]
	if !ok {
		var zero V
		return zero, false
	}
	l.order.MoveToFront(element)
	return element.Value.(*lruItem[K, V]).value, true
}

func (l *lru[K, V]) put(key K, value V) {
	if element, ok := l.items[key]; ok {
		element.Value.(*lruItem[K, V]).value = value
		l.order.MoveToFront(element)
		return
	}
	l.items[key] = l.order.PushFront(&lruItem[K, V]{key: key, value: value})
	if l.order.Len() > l.max {
		oldest := l.order.Back()
		l.order.Remove(oldest)
		delete(l.items, oldest.Value.(*lruItem[K, V]).key)
	}
}
