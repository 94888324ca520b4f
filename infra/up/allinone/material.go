package allinone

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/infra/demo"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
)

// files are the paths in the data folder of what parts and people need to prove who they are.
type files struct{ dir string }

func (f files) path(elements ...string) string {
	return filepath.Join(append([]string{f.dir}, elements...)...)
}

func (f files) ca() string          { return f.path("pki", "ca.pem") }
func (f files) snapshotKey() string { return f.path("registry", "snapshot.key") }
func (f files) snapshotPub() string { return f.path("registry", "snapshot.pub.pem") }

func (f files) secret(name string) string { return f.path("secrets", name) }

func (f files) pair(name string) workload.Files {
	return workload.Files{Cert: f.path("pki", name+".pem"), Key: f.path("pki", name+".key"), CA: f.path("pki", name+".ca.pem")}
}

// certificateLife outlives the demo contracts: a contract expires with the certificate of a signer.
const certificateLife = 2 * contractLife

// makeMaterial makes all keys and certificates of the demo hub, once per data folder: contracts are signed with them, so
// new ones would make every contract foreign. Parts have an authority of their own: no organisation's certificate opens the
// door to them. The keys of the authorities are not kept.
func makeMaterial(f files, r *region) error {
	workloads, err := pki.NewCA("Noorderhub demo workloads")
	if err != nil {
		return err
	}
	region, err := pki.NewCA("Noorderhub demo CA")
	if err != nil {
		return err
	}
	m := maker{files: f, ca: workloads}
	for _, part := range parts {
		m.issue(pki.Part(part), "pki", part)
	}
	m.ca = region // from here on: what people and organisations see
	m.write(f.ca(), region.CertPEM)
	m.issue(pki.Request{
		CommonName: "Noorderhub demo", DNSNames: []string{"localhost"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Server: true,
	}, "pki", outside)
	m.secret("envelope")
	m.secret("pseudonyms")
	m.snapshotKeys()
	for _, o := range r.Organisations {
		m.issue(pki.Request{CommonName: o.Name, Organisation: o.Name, OIN: o.OIN}, "organisations/"+o.Slug, "contract")
	}
	for _, c := range r.Clients {
		m.client(c, r.organisation(c.Organisation))
	}
	return m.err
}

// outside is the name of the outside listener's certificate.
const outside = "outside"

// maker keeps the first fault, so that the list of what is made reads as a list.
type maker struct {
	files
	ca  *pki.CA
	err error
}

func (m *maker) issue(r pki.Request, folder, name string) {
	if m.err != nil {
		return
	}
	r.Validity = certificateLife
	pair, err := m.ca.Issue(r)
	if err == nil {
		_, err = pair.WriteFiles(m.path(folder), name)
	}
	m.err = err
}

func (m *maker) client(c client, o organisation) {
	folder := m.path("organisations", o.Slug)
	key := m.key(filepath.Join(folder, "client.key"))
	if m.err != nil {
		return
	}
	kid, err := token.KeyID(&key.PublicKey)
	if err != nil {
		m.err = err
		return
	}
	public, err := json.Marshal(jose.JSONWebKey{Key: &key.PublicKey, KeyID: kid, Algorithm: c.Alg, Use: "sig"})
	if err != nil {
		m.err = err
		return
	}
	m.write(filepath.Join(folder, "client.jwk"), public)
	if len(c.Certificates) > 0 {
		m.issue(pki.Request{CommonName: c.ID, Organisation: o.Name, OIN: o.OIN, Client: true}, "organisations/"+o.Slug, "tls")
	}
}

func (m *maker) snapshotKeys() {
	key := m.key(m.snapshotKey())
	if m.err != nil {
		return
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		m.err = err
		return
	}
	m.write(m.snapshotPub(), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
}

func (m *maker) key(path string) *ecdsa.PrivateKey {
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
	m.write(m.files.secret(name), []byte(base64.StdEncoding.EncodeToString(b[:])+"\n"))
}

// write puts a file that only the owner can read.
func (m *maker) write(path string, content []byte) {
	if m.err != nil {
		return
	}
	if m.err = os.MkdirAll(filepath.Dir(path), 0o700); m.err == nil {
		m.err = os.WriteFile(path, content, 0o600)
	}
}

// demoFile describes the hub for hubctl.
func demoFile(f files, r *region, hub, hubMTLS string, made time.Time) (demo.File, error) {
	d := demo.File{Made: made, Hub: hub, HubMTLS: hubMTLS, CA: f.ca(), Organisations: map[string]demo.Organisation{}}
	for _, c := range r.Clients {
		o := r.organisation(c.Organisation)
		text, err := os.ReadFile(f.path("organisations", o.Slug, "client.jwk"))
		if err != nil {
			return d, err
		}
		var jwk jose.JSONWebKey
		if err := json.Unmarshal(text, &jwk); err != nil {
			return d, fmt.Errorf("%s: %w", o.Slug, err)
		}
		entry := demo.Organisation{
			OIN: o.OIN, Name: o.Name, ClientID: c.ID, Alg: c.Alg, KeyID: jwk.KeyID, Key: f.path("organisations", o.Slug, "client.key"),
		}
		if len(c.Certificates) > 0 {
			entry.Certificate = f.path("organisations", o.Slug, "tls.pem")
			entry.CertificateKey = f.path("organisations", o.Slug, "tls.key")
		}
		d.Organisations[o.Slug] = entry
	}
	return d, nil
}
