package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"quietline/gateway/issuer"
)

// Config is the gateway's configuration: flags, QUIETLINE_* variables and defaults.
type Config struct {
	Listen      string            `help:"Address to serve on; one that others can reach needs TLS or --behind-proxy." env:"QUIETLINE_GATEWAY_LISTEN" default:"127.0.0.1:8080"`
	TLSCert     string            `help:"PEM certificate chain to serve TLS with; read again when it changes." env:"QUIETLINE_GATEWAY_TLS_CERT" type:"path"`
	TLSKey      string            `help:"PEM private key of the certificate." env:"QUIETLINE_GATEWAY_TLS_KEY" type:"path"`
	BehindProxy bool              `help:"A proxy in front ends TLS and appends the client's address to X-Forwarded-For." env:"QUIETLINE_GATEWAY_BEHIND_PROXY"`
	Backends    map[string]string `help:"Where each service answers, as reporting=dns:///reporting:7101;ledger=..." env:"QUIETLINE_GATEWAY_BACKENDS" mapsep:";"`
	Issuers     string            `help:"JSON file with the identity providers whose tokens count." env:"QUIETLINE_GATEWAY_ISSUERS" type:"path"`
	Demo        string            `help:"Data directory for demo accounts of an own identity provider; plain loopback only." env:"QUIETLINE_GATEWAY_DEMO" type:"path"`
	PublicURL   string            `help:"Where clients reach the gateway; default from the listen address." env:"QUIETLINE_GATEWAY_PUBLIC_URL"`
	Metrics     string            `help:"Address for GET /metrics on a listener of its own; otherwise the main port answers it to loopback, unless behind a proxy." env:"QUIETLINE_GATEWAY_METRICS"`

	CallTimeout time.Duration `help:"Longest time a call may take, long polls included." env:"QUIETLINE_GATEWAY_CALL_TIMEOUT" default:"60s"`
	Drain       time.Duration `help:"How long running calls may finish after the signal to stop." env:"QUIETLINE_GATEWAY_DRAIN" default:"8s"`
	MaxMessage  int           `help:"Largest message in bytes, after decompression." env:"QUIETLINE_GATEWAY_MAX_MESSAGE" default:"8388608"`

	PublicRate  float64 `help:"Calls a second from one address without a token." env:"QUIETLINE_GATEWAY_PUBLIC_RATE" default:"5"`
	PublicBurst int     `help:"Calls at once from one address without a token." env:"QUIETLINE_GATEWAY_PUBLIC_BURST" default:"40"`
	SecretRate  float64 `help:"Calls a second from one address that present a receipt's secret." env:"QUIETLINE_GATEWAY_SECRET_RATE" default:"0.5"`
	SecretBurst int     `help:"Calls at once from one address that present a receipt's secret." env:"QUIETLINE_GATEWAY_SECRET_BURST" default:"20"`
	TokenRate   float64 `help:"Calls a second of one subject." env:"QUIETLINE_GATEWAY_TOKEN_RATE" default:"5000"`
	TokenBurst  int     `help:"Calls at once of one subject." env:"QUIETLINE_GATEWAY_TOKEN_BURST" default:"10000"`

	// MoreIssuers are trusted beside those of the file: what the embedded default passes by hand.
	MoreIssuers []Issuer `kong:"-"`
}

// withDefaults fills what a caller other than kong has left zero.
func (c Config) withDefaults() Config {
	fill(&c.CallTimeout, 60*time.Second)
	fill(&c.Drain, 8*time.Second)
	fill(&c.MaxMessage, 8<<20)
	fill(&c.PublicRate, 5)
	fill(&c.PublicBurst, 40)
	fill(&c.SecretRate, 0.5)
	fill(&c.SecretBurst, 20)
	fill(&c.TokenRate, 5000)
	fill(&c.TokenBurst, 10000)
	return c
}

func fill[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}

// Check refuses a configuration that would be unsafe on addr.
func (c Config) Check(addr net.Addr) error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	if !isLoopback(addr.String()) && c.TLSCert == "" && !c.BehindProxy {
		return fmt.Errorf("listening on %s, which others can reach, needs --tls-cert and --tls-key, or --behind-proxy", addr)
	}
	return nil
}

// demo says whether demo accounts are on: asked for, and nobody but this machine's users can reach them.
func (c Config) demo(addr net.Addr) bool {
	return c.Demo != "" && isLoopback(addr.String()) && c.TLSCert == "" && !c.BehindProxy
}

// url is where clients reach the gateway.
func (c Config) url(addr net.Addr) string {
	switch {
	case c.PublicURL != "":
		return c.PublicURL
	case c.TLSCert != "":
		return "https://" + addr.String()
	}
	return "http://" + addr.String()
}

// issuers returns all that are trusted on addr.
func (c Config) issuers(addr net.Addr) ([]Issuer, error) {
	all := append([]Issuer(nil), c.MoreIssuers...)
	if c.Issuers != "" {
		more, err := readIssuers(c.Issuers)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	if c.demo(addr) {
		all = append(all, demoIssuer(c.url(addr)+issuer.Path))
	}
	return all, checkIssuers(all)
}

// isLoopback says whether only this machine reaches an address such as 127.0.0.1:8080.
func isLoopback(address string) bool {
	ap, err := netip.ParseAddrPort(address)
	return err == nil && ap.Addr().Unmap().IsLoopback()
}
