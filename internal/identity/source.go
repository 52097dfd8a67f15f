package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

// The files of an identity directory; cert-manager's CSI driver and SPIFFE helpers can be told these names.
const (
	svidFile   = "svid.pem"
	keyFile    = "key.pem"
	bundleFile = "bundle.pem"

	// checkEvery bounds how often handshakes look at the files.
	checkEvery = time.Second
)

// FromFiles is the identity kept in dir as svid.pem, key.pem and bundle.pem, read again when they change. What cannot be
// read is an error of the first use; later the last good identity stays in use and the trouble is logged.
func FromFiles(dir string) Source { return &files{dir: dir} }

type files struct {
	dir string

	mu      sync.Mutex
	checked time.Time
	stamp   [3]fileStamp
	svid    *x509svid.SVID
	bundle  *x509bundle.Bundle
}

// fileStamp follows symlinks: Kubernetes swaps a directory link when a secret changes.
type fileStamp struct {
	mod  time.Time
	size int64
}

// GetX509SVID implements x509svid.Source.
func (f *files) GetX509SVID() (*x509svid.SVID, error) {
	svid, _, err := f.load()
	return svid, err
}

// GetX509BundleForTrustDomain implements x509bundle.Source.
func (f *files) GetX509BundleForTrustDomain(td spiffeid.TrustDomain) (*x509bundle.Bundle, error) {
	_, bundle, err := f.load()
	if err != nil {
		return nil, err
	}
	return bundle.GetX509BundleForTrustDomain(td)
}

func (f *files) load() (*x509svid.SVID, *x509bundle.Bundle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.svid != nil && time.Since(f.checked) < checkEvery {
		return f.svid, f.bundle, nil
	}
	f.checked = time.Now()
	if err := f.reload(); err != nil {
		if f.svid == nil {
			return nil, nil, err
		}
		slog.Warn("identity files cannot be read, the last good ones stay in use", slog.Any("error", err))
	}
	return f.svid, f.bundle, nil
}

func (f *files) reload() error {
	var stamp [3]fileStamp
	for i, name := range []string{svidFile, keyFile, bundleFile} {
		st, err := os.Stat(filepath.Join(f.dir, name))
		if err != nil {
			return fmt.Errorf("identity: %w", err)
		}
		stamp[i] = fileStamp{st.ModTime(), st.Size()}
	}
	if f.svid != nil && stamp == f.stamp {
		return nil
	}
	// Load checks that the key belongs to the certificate, so a half-done change fails and is tried again.
	svid, err := x509svid.Load(filepath.Join(f.dir, svidFile), filepath.Join(f.dir, keyFile))
	if err != nil {
		return fmt.Errorf("identity in %s: %w", f.dir, err)
	}
	if _, err := WorkloadOf(svid.ID); err != nil {
		return fmt.Errorf("identity in %s: %w", f.dir, err)
	}
	bundle, err := x509bundle.Load(Domain(), filepath.Join(f.dir, bundleFile))
	if err != nil {
		return fmt.Errorf("identity in %s: %w", f.dir, err)
	}
	if bundle.Empty() {
		return errors.New("identity in " + f.dir + ": " + bundleFile + " holds no authority")
	}
	f.svid, f.bundle, f.stamp = svid, bundle, stamp
	return nil
}

// FromWorkloadAPI is the identity given by a SPIFFE Workload API, such as SPIRE's agent, at addr
// (unix:///run/spire/agent.sock; empty: SPIFFE_ENDPOINT_SOCKET). It waits for the first identity and follows renewals
// until ctx ends.
func FromWorkloadAPI(ctx context.Context, addr string) (Source, error) {
	var opts []workloadapi.X509SourceOption
	if addr != "" {
		opts = append(opts, workloadapi.WithClientOptions(workloadapi.WithAddr(addr)))
	}
	src, err := workloadapi.NewX509Source(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("workload API: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = src.Close() })
	return src, nil
}
