package workload

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// recheck is how often at most the files are looked at; a renewed certificate is in use within this time.
const recheck = time.Second

// Files are the paths of a part's certificate (PEM, leaf first), its private key (PEM) and the anchors of its peers (PEM).
type Files struct {
	Cert string `yaml:"cert"` // PEM file, leaf first
	Key  string `yaml:"key"`  // PEM file
	CA   string `yaml:"ca"`   // PEM file with the anchors of its peers
}

// Identity is the certificate of this part and the anchors it trusts, as they stand in the files.
type Identity struct {
	files Files
	held  atomic.Pointer[material]
	mu    sync.Mutex // one reader of the files at a time; the others go on with what is held
}

type material struct {
	cert    tls.Certificate
	anchors *x509.CertPool
	pem     []byte // of anchors
	stamps  [3]stamp
	looked  time.Time
}

// stamp tells one version of a file from another without reading it.
type stamp struct {
	modified time.Time
	size     int64
}

// Load reads the files. It refuses a key that does not belong to the certificate, a certificate that expired, one without
// exactly one part name, and a CA file without certificates.
func Load(files Files) (*Identity, error) {
	m, err := read(files)
	if err != nil {
		return nil, fmt.Errorf("workload certificate: %w", err)
	}
	id := &Identity{files: files}
	id.held.Store(m)
	return id, nil
}

// Part is the name of this part by its certificate.
func (id *Identity) Part() string { return leafPart(id.current().cert.Leaf) }

// Expires is the end of the certificate in use.
func (id *Identity) Expires() time.Time { return id.current().cert.Leaf.NotAfter }

// Public gives in PEM what a peer outside the hub needs to know this part by: its certificate with its chain, leaf first, and
// the anchors that the chain ends at.
func (id *Identity) Public() (chain, anchors string) {
	m := id.current()
	var text []byte
	for _, der := range m.cert.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return string(text), string(m.pem)
}

// current is the material in use, read anew when a file changed. A file that cannot be read or does not fit the others
// changes nothing: renewal writes several files, and the moment between two of them must not break a handshake.
func (id *Identity) current() *material {
	m := id.held.Load()
	if time.Since(m.looked) < recheck || !id.mu.TryLock() {
		return m
	}
	defer id.mu.Unlock()
	next := *id.held.Load()
	next.looked = time.Now()
	if stamps, err := stat(id.files); err == nil && stamps != next.stamps {
		if fresh, err := read(id.files); err == nil {
			next = *fresh
		}
	}
	id.held.Store(&next)
	return &next
}

func read(files Files) (*material, error) {
	// Stamps first: a file replaced while it is read shows a newer stamp at the next look and is read again.
	stamps, err := stat(files)
	if err != nil {
		return nil, err
	}
	cert, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return nil, err
	}
	if time.Now().After(cert.Leaf.NotAfter) {
		return nil, fmt.Errorf("%s expired at %s", files.Cert, cert.Leaf.NotAfter.Format(time.RFC3339))
	}
	if leafPart(cert.Leaf) == "" {
		return nil, fmt.Errorf("%s does not name exactly one part under %s", files.Cert, suffix)
	}
	text, err := os.ReadFile(files.CA)
	if err != nil {
		return nil, err
	}
	anchors := x509.NewCertPool()
	if !anchors.AppendCertsFromPEM(text) {
		return nil, errors.New(files.CA + " holds no certificate")
	}
	return &material{cert: cert, anchors: anchors, pem: text, stamps: stamps, looked: time.Now()}, nil
}

func stat(files Files) ([3]stamp, error) {
	var stamps [3]stamp
	for i, path := range []string{files.Cert, files.Key, files.CA} {
		info, err := os.Stat(path)
		if err != nil {
			return stamps, err
		}
		stamps[i] = stamp{modified: info.ModTime(), size: info.Size()}
	}
	return stamps, nil
}
