package embedded

import (
	"context"
	"crypto/tls"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"

	"quietline/internal/identity"
)

// temporalWorkload is the server's name in the mesh. No access rule names it, so
// its certificate opens no service.
const temporalWorkload identity.Workload = "temporal"

// temporalServerName is what Temporal's own clients check: they know DNS names,
// not SPIFFE IDs.
const temporalServerName = "temporal." + identity.TrustDomain

// renewEvery is well within the 30 days that a written certificate lives; the
// server looks for new files every minute.
const renewEvery = 24 * time.Hour

// certificate keeps the server's certificate files fresh.
type certificate struct {
	ca  *identity.CA
	dir string
}

func newCertificate(ca *identity.CA, dir string) (*certificate, error) {
	c := &certificate{ca: ca, dir: filepath.Join(dir, "identity")}
	return c, c.renew()
}

func (c *certificate) certificate() string { return filepath.Join(c.dir, "svid.pem") }
func (c *certificate) key() string         { return filepath.Join(c.dir, "key.pem") }
func (c *certificate) authority() string   { return filepath.Join(c.dir, "bundle.pem") }

func (c *certificate) renew() error {
	return c.ca.WriteFiles(temporalWorkload, c.dir, temporalServerName)
}

// keepFresh renews until ctx ends.
func (c *certificate) keepFresh(ctx context.Context) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := c.renew(); err != nil {
				slog.ErrorContext(ctx, "renew Temporal's certificate", slog.String("error", err.Error()))
			}
		}
	}
}

// temporalTLS is how a workload talks to the private server: with its own
// certificate, and with nobody but that server.
func temporalTLS(src identity.Source) *tls.Config {
	return tlsconfig.MTLSClientConfig(src, src, tlsconfig.AuthorizeID(identity.ID(temporalWorkload)))
}
