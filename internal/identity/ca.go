package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

const (
	caLife = 10 * 365 * 24 * time.Hour
	// svidLife is short so that a stolen key is of little use; sources renew at half of it.
	svidLife = time.Hour
	// fileLife is longer: whoever writes files renews them by running the command again.
	fileLife = 30 * 24 * time.Hour
	skew     = time.Minute

	caCertFile = "ca.pem"
	caKeyFile  = "ca-key.pem"
)

// CA is the certificate authority of a mesh on one machine. Past one machine SPIRE or cert-manager takes its place.
type CA struct {
	cert   *x509.Certificate
	key    crypto.Signer
	bundle *x509bundle.Bundle
	now    func() time.Time
}

// NewCA makes an authority that lives in memory only.
func NewCA() (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make CA key: %w", err)
	}
	now := time.Now()
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"Quietline"}, CommonName: "Quietline local CA"},
		URIs:                  []*url.URL{Domain().ID().URL()},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(caLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make CA certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back CA certificate: %w", err)
	}
	return newCA(cert, key), nil
}

func newCA(cert *x509.Certificate, key crypto.Signer) *CA {
	return &CA{
		cert: cert, key: key, now: time.Now,
		bundle: x509bundle.FromX509Authorities(Domain(), []*x509.Certificate{cert}),
	}
}

// LoadOrCreateCA reads the authority kept in dir, or makes one there. Its key is readable by the owner only.
func LoadOrCreateCA(dir string) (*CA, error) {
	ca, err := loadCA(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return ca, err
	}
	if ca, err = NewCA(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make CA directory: %w", err)
	}
	keyPEM, err := encodeKey(ca.key)
	if err != nil {
		return nil, err
	}
	// The certificate goes last: without it the next start makes a new pair.
	if err := writeFile(filepath.Join(dir, caKeyFile), keyPEM, 0o600); err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, caCertFile), encodeCerts(ca.cert), 0o644); err != nil {
		return nil, err
	}
	return ca, nil
}

func loadCA(dir string) (*CA, error) {
	certPEM, err := os.ReadFile(filepath.Join(dir, caCertFile))
	if err != nil {
		return nil, fmt.Errorf("read CA certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(filepath.Join(dir, caKeyFile))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) { // not wrapped: a lost key must not make a new authority silently
			return nil, fmt.Errorf("%s has %s but not %s; restore the key, or remove both to start a new authority", dir, caCertFile, caKeyFile)
		}
		return nil, fmt.Errorf("read CA key: %w", err)
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return nil, fmt.Errorf("%s: %s or %s is not PEM", dir, caCertFile, caKeyFile)
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse CA certificate: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse CA key: %w", err)
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("%s: %s is not the key of %s", dir, caKeyFile, caCertFile)
	}
	if time.Now().After(cert.NotAfter) {
		return nil, fmt.Errorf("%s: the authority expired on %s; remove both files to start a new one", dir, cert.NotAfter.Format(time.DateOnly))
	}
	return newCA(cert, signer), nil
}

// Source is a workload's identity, minted now and renewed when half of its life is over.
func (ca *CA) Source(w Workload) (Source, error) {
	s := &minted{ca: ca, id: ID(w)}
	if _, err := s.GetX509SVID(); err != nil {
		return nil, err
	}
	return s, nil
}

// WriteFiles writes a workload's identity as the files that FromFiles reads, valid for 30 days. DNS names are for
// programs that are not ours and check a name instead of a SPIFFE ID.
func (ca *CA) WriteFiles(w Workload, dir string, dnsNames ...string) error {
	svid, err := ca.mint(ID(w), fileLife, dnsNames...)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make identity directory: %w", err)
	}
	keyPEM, err := encodeKey(svid.PrivateKey)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
		mode fs.FileMode
	}{
		{bundleFile, encodeCerts(ca.cert), 0o644},
		{keyFile, keyPEM, 0o600},
		{svidFile, encodeCerts(svid.Certificates...), 0o644},
	} {
		if err := writeFile(filepath.Join(dir, f.name), f.data, f.mode); err != nil {
			return err
		}
	}
	return nil
}

func (ca *CA) mint(id spiffeid.ID, life time.Duration, dnsNames ...string) (*x509svid.SVID, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key of %s: %w", id, err)
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	now := ca.now()
	tmpl := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"Quietline"}},
		URIs:                  []*url.URL{id.URL()},
		DNSNames:              dnsNames,
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(life),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.cert, key.Public(), ca.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of %s: %w", id, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back certificate of %s: %w", id, err)
	}
	return &x509svid.SVID{ID: id, Certificates: []*x509.Certificate{cert}, PrivateKey: key}, nil
}

// minted renews itself when it is asked: every handshake asks, so no goroutine has to live and be stopped.
type minted struct {
	ca *CA
	id spiffeid.ID

	mu    sync.Mutex
	svid  *x509svid.SVID
	renew time.Time
}

// GetX509SVID implements x509svid.Source.
func (m *minted) GetX509SVID() (*x509svid.SVID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.ca.now(); m.svid == nil || !now.Before(m.renew) {
		svid, err := m.ca.mint(m.id, svidLife)
		if err != nil {
			return nil, err
		}
		m.svid, m.renew = svid, now.Add(svidLife/2)
	}
	return m.svid, nil
}

// GetX509BundleForTrustDomain implements x509bundle.Source.
func (m *minted) GetX509BundleForTrustDomain(td spiffeid.TrustDomain) (*x509bundle.Bundle, error) {
	return m.ca.bundle.GetX509BundleForTrustDomain(td)
}

func serialNumber() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}

func encodeCerts(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// writeFile replaces a file in one step, so that a reader never sees half of it.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(tmp.Name()) // fails after the rename, as it should
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
