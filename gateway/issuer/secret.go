package issuer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-jose/go-jose/v3"
)

// SecretFile is where the demo client's secret lies in the data directory.
func SecretFile(dataDir string) string { return filepath.Join(dataDir, "secrets", "demo-secret") }

func keyFile(dataDir string) string { return filepath.Join(dataDir, "secrets", "issuer-key.json") }

func openSecret(dataDir string) (string, error) {
	raw, err := readOrMake(SecretFile(dataDir), func() ([]byte, error) {
		secret := make([]byte, 32)
		if _, err := rand.Read(secret); err != nil {
			return nil, err
		}
		return []byte(base64.RawURLEncoding.EncodeToString(secret) + "\n"), nil
	})
	return strings.TrimSpace(string(raw)), err
}

func openKey(dataDir string) (*jose.JSONWebKey, error) {
	raw, err := readOrMake(keyFile(dataDir), newKey)
	if err != nil {
		return nil, err
	}
	var key jose.JSONWebKey
	if err := json.Unmarshal(raw, &key); err != nil {
		return nil, fmt.Errorf("read %s: not a signing key", keyFile(dataDir))
	}
	if _, ok := key.Key.(*ecdsa.PrivateKey); !ok {
		return nil, fmt.Errorf("read %s: want an EC private key", keyFile(dataDir))
	}
	return &key, nil
}

func newKey() ([]byte, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key := jose.JSONWebKey{Key: private, Algorithm: string(jose.ES256), Use: "sig"}
	thumb, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumb)
	return key.MarshalJSON()
}

// readOrMake reads a secret file, making it when there is none. A new file is written aside and linked into
// place, so that of two processes that start at once both use the same.
func readOrMake(path string, mint func() ([]byte, error)) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return raw, err
	}
	if raw, err = mint(); err != nil {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	aside, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(aside.Name()) }()
	_, err = aside.Write(raw)
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Link(aside.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}

// digest compares client secrets by SHA-256. The secret is 256 random bits, so a slow password hash would only
// make tokens slow.
type digest struct{}

func digestOf(secret []byte) []byte {
	sum := sha256.Sum256(secret)
	return sum[:]
}

// Hash returns the digest of a secret.
func (digest) Hash(_ context.Context, data []byte) ([]byte, error) { return digestOf(data), nil }

// Compare refuses a secret whose digest is another.
func (digest) Compare(_ context.Context, hash, data []byte) error {
	if subtle.ConstantTimeCompare(hash, digestOf(data)) != 1 {
		return errors.New("wrong secret")
	}
	return nil
}
