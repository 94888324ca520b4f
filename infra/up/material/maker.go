package material

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/pki"
)

// maker keeps the first fault, so that the list of what is made reads as a list.
type maker struct {
	Files
	ca          *pki.CA
	life, renew time.Duration
	made        []string
	err         error
}

// authority takes an authority from the folder, or makes it. One whose key was not kept can issue nothing any more.
func (m *maker) authority(name, title string, keep bool) *pki.CA {
	if m.err != nil {
		return nil
	}
	certFile, keyFile := m.Path("pki", name+".pem"), m.Path("pki", name+".key")
	cert, err := os.ReadFile(certFile)
	if err == nil {
		key, err := os.ReadFile(keyFile)
		if err != nil {
			m.err = fmt.Errorf("the key of the authority %q is gone: %w", title, err)
			return nil
		}
		ca, err := pki.LoadCA(cert, key)
		if err != nil {
			m.err = fmt.Errorf("%s: %w", certFile, err)
		}
		return ca
	}
	if !errors.Is(err, fs.ErrNotExist) {
		m.err = err
		return nil
	}
	ca, err := pki.NewCA(title)
	if err != nil {
		m.err = err
		return nil
	}
	if keep {
		key, err := ca.KeyPEM()
		if err != nil {
			m.err = err
			return nil
		}
		m.write(keyFile, key)
	}
	m.write(certFile, ca.CertPEM)
	return ca
}

// issue makes a key with its certificate, or renews the certificate of the key that is there when its end is near or it
// lacks a name.
func (m *maker) issue(r pki.Request, folder, name string) {
	if m.err != nil {
		return
	}
	r.Validity = m.life
	certFile, keyFile := m.Path(folder, name+".pem"), m.Path(folder, name+".key")
	text, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		pair, err := m.ca.Issue(r)
		m.put(pair, err, folder, name)
		return
	}
	if err != nil {
		m.err = err
		return
	}
	key, err := pki.ParseKey(text)
	if err != nil {
		m.err = fmt.Errorf("%s: %w", keyFile, err)
		return
	}
	if m.good(certFile, r) {
		return
	}
	pair, err := m.ca.IssueFor(key, r)
	m.put(pair, err, folder, name)
}

// good tells whether a certificate can stay: it has time left and every name that is wanted.
func (m *maker) good(file string, r pki.Request) bool {
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || m.renew > 0 && time.Until(cert.NotAfter) < m.renew {
		return false
	}
	for _, name := range r.DNSNames {
		if !slices.Contains(cert.DNSNames, name) {
			return false
		}
	}
	for _, ip := range r.IPs {
		if !slices.ContainsFunc(cert.IPAddresses, ip.Equal) {
			return false
		}
	}
	return true
}

func (m *maker) put(pair *pki.Pair, err error, folder, name string) {
	if err == nil {
		_, err = pair.WriteFiles(m.Path(folder), name)
	}
	if m.err = err; err == nil {
		m.made = append(m.made, m.Path(folder, name+".pem"))
	}
}

func (m *maker) snapshotKeys() {
	key := m.key(m.SnapshotKey())
	if m.err != nil {
		return
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		m.err = err
		return
	}
	m.write(m.SnapshotPub(), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
}

// key gives the key in the file, a new one when there is none.
func (m *maker) key(path string) *ecdsa.PrivateKey {
	if m.err != nil {
		return nil
	}
	text, err := os.ReadFile(path)
	if err == nil {
		key, err := pki.ParseKey(text)
		if err != nil {
			m.err = fmt.Errorf("%s: %w", path, err)
		}
		return key
	}
	if !errors.Is(err, fs.ErrNotExist) {
		m.err = err
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		m.err = err
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		m.err = err
		return nil
	}
	m.write(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return key
}

func (m *maker) secret(name string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	m.write(m.Secret(name), []byte(base64.StdEncoding.EncodeToString(b[:])+"\n"))
}

// write puts a file that only the owner can read, unless it is there. It appears whole or not at all: half a secret that
// is never overwritten would stay.
func (m *maker) write(path string, content []byte) {
	if m.err != nil {
		return
	}
	if _, err := os.Stat(path); err == nil {
		return
	}
	if m.err = os.MkdirAll(filepath.Dir(path), 0o700); m.err != nil {
		return
	}
	if m.err = os.WriteFile(path+".new", content, 0o600); m.err != nil {
		return
	}
	if m.err = os.Rename(path+".new", path); m.err == nil {
		m.made = append(m.made, path)
	}
}
