// Package seal keeps personal data unreadable at rest, and still findable by who holds the keys.
//
//   - Seal and Unseal encrypt a value. Its place (table, column, row ID) goes in as associated data, so that a
//     ciphertext moved to another row does not open.
//   - Index is a keyed MAC for look-up by equality. The space of telephone numbers is small: without the key an index
//     value says nothing, with it every number can be found, so the key MUST NOT lie with the database.
//   - Secret is what a reporter proves a receipt with. It is derived, never stored.
//
// The keysets are Tink's, one file each, readable by the owner only. Losing them loses the data: back them up apart.
package seal

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/streamingaead"
	"github.com/tink-crypto/tink-go/v2/tink"
)

const (
	indexSize  = 16
	secretSize = 10 // characters of 5 bits
)

// crockford leaves out I, L, O and U, so that a secret can be read aloud and typed.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// Keys holds the keysets, ready for use by many goroutines.
type Keys struct {
	aead   tink.AEAD
	stream tink.StreamingAEAD
	index  tink.MAC
	secret tink.MAC
}

// Open reads the keysets in dir and makes those that are absent.
func Open(dir string) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("key directory: %w", err)
	}
	k := &Keys{}
	// XChaCha20-Poly1305: random nonces of 192 bits, so a key never wears out.
	h, err := open(dir, "seal.json", aead.XChaCha20Poly1305KeyTemplate())
	if err != nil {
		return nil, err
	}
	if k.aead, err = aead.New(h); err != nil {
		return nil, fmt.Errorf("seal.json: %w", err)
	}
	if h, err = open(dir, "evidence.json", streamingaead.AES256GCMHKDF1MBKeyTemplate()); err != nil {
		return nil, err
	}
	if k.stream, err = streamingaead.New(h); err != nil {
		return nil, fmt.Errorf("evidence.json: %w", err)
	}
	if k.index, err = openMAC(dir, "index.json"); err != nil {
		return nil, err
	}
	if k.secret, err = openMAC(dir, "receipt.json"); err != nil {
		return nil, err
	}
	return k, nil
}

func openMAC(dir, name string) (tink.MAC, error) {
	template := mac.HMACSHA256Tag256KeyTemplate()
	template.OutputPrefixType = tinkpb.OutputPrefixType_RAW // a key ID in front would eat into the truncated tag
	h, err := open(dir, name, template)
	if err != nil {
		return nil, err
	}
	m, err := mac.New(h)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func open(dir, name string, template *tinkpb.KeyTemplate) (*keyset.Handle, error) {
	path := filepath.Join(dir, name)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path, template); err != nil {
			return nil, fmt.Errorf("make %s: %w", name, err)
		}
		raw, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, fmt.Errorf("keyset %s: %w", name, err)
	}
	return h, nil
}

// create makes a keyset file in one step that fails for all but one of several processes; the others then read it.
func create(path string, template *tinkpb.KeyTemplate) error {
	h, err := keyset.NewHandle(template)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	err = insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(tmp))
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Seal encrypts a value for the place that ad names.
func (k *Keys) Seal(plain, ad []byte) ([]byte, error) {
	sealed, err := k.aead.Encrypt(plain, ad)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// Unseal decrypts what Seal made for the same place.
func (k *Keys) Unseal(sealed, ad []byte) ([]byte, error) {
	plain, err := k.aead.Decrypt(sealed, ad)
	if err != nil {
		return nil, fmt.Errorf("unseal: %w", err)
	}
	return plain, nil
}

// SealStream encrypts a file of any size; the caller closes the writer to finish it.
func (k *Keys) SealStream(w io.Writer, ad []byte) (io.WriteCloser, error) {
	out, err := k.stream.NewEncryptingWriter(w, ad)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return out, nil
}

// UnsealStream decrypts what SealStream made for the same place. A changed or cut file is an error of the read.
func (k *Keys) UnsealStream(r io.Reader, ad []byte) (io.Reader, error) {
	in, err := k.stream.NewDecryptingReader(r, ad)
	if err != nil {
		return nil, fmt.Errorf("unseal: %w", err)
	}
	return in, nil
}

// Index is the look-up value of a text: equal for equal kind and value, and telling nothing without the key.
func (k *Keys) Index(kind, value string) []byte {
	return k.mac(k.index, kind, value)[:indexSize]
}

// Secret is what goes with a receipt: ten characters of Crockford's base 32.
func (k *Keys) Secret(receipt string) string {
	return crockford.EncodeToString(k.mac(k.secret, "receipt", receipt))[:secretSize]
}

func (k *Keys) mac(m tink.MAC, kind, value string) []byte {
	data := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(kind)+len(value)), uint32(len(kind)))
	data = append(append(data, kind...), value...)
	tag, err := m.ComputeMAC(data)
	if err != nil { // HMAC of bytes in memory cannot fail
		panic(fmt.Sprintf("seal: %v", err))
	}
	return tag
}
