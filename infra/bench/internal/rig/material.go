package rig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"

	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/workload"
	authserver "noorderhub.nl/hub/services/authserver/api"
)

// material is the keys and certificates of one run, in a folder that ends with it.
type material struct {
	dir       string
	workloads *pki.CA // of the hub's parts and the service
	region    *pki.CA // of what organisations and clients see
}

func newMaterial(dir string) (*material, error) {
	workloads, err := pki.NewCA("bench workloads")
	if err != nil {
		return nil, err
	}
	region, err := pki.NewCA("bench region")
	if err != nil {
		return nil, err
	}
	m := &material{dir: dir, workloads: workloads, region: region}
	if err := m.write("region.pem", region.CertPEM); err != nil {
		return nil, err
	}
	for _, name := range []string{"envelope", "pseudonyms"} {
		var b [32]byte
		_, _ = rand.Read(b[:]) // never fails
		if err := m.write(name, []byte(base64.StdEncoding.EncodeToString(b[:]))); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *material) path(name string) string { return filepath.Join(m.dir, name) }

func (m *material) write(name string, content []byte) error {
	return os.WriteFile(m.path(name), content, 0o600)
}

// part issues a workload certificate.
func (m *material) part(name string) (workload.Files, error) {
	pair, err := m.workloads.Issue(pki.Part(name))
	if err != nil {
		return workload.Files{}, err
	}
	return pair.WriteFiles(m.dir, name)
}

// outside issues the certificate that clients see on the loopback address.
func (m *material) outside() (workload.Files, error) {
	pair, err := m.region.Issue(pki.Request{
		CommonName: "bench", DNSNames: []string{"localhost"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Server: true,
	})
	if err != nil {
		return workload.Files{}, err
	}
	return pair.WriteFiles(m.dir, "outside")
}

// clientKey makes the key of a client and writes its public half where the region file says.
func (m *material) clientKey(alg, file string) (authserver.Key, error) {
	var signer crypto.Signer
	var err error
	if alg == authserver.ES256 {
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		signer, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return authserver.Key{}, err
	}
	return authserver.Key{Alg: alg, Signer: signer}, m.writePublic(file, signer.Public())
}

// snapshotKey makes the key that signs snapshots.
func (m *material) snapshotKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := m.write("snapshot.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return err
	}
	return m.writePublic("snapshot.pem", key.Public())
}

func (m *material) writePublic(file string, key crypto.PublicKey) error {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return err
	}
	return m.write(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// config writes a configuration file; JSON is YAML too.
func (m *material) config(name string, content map[string]any) (string, error) {
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return "", err
	}
	return m.path(name + ".yaml"), m.write(name+".yaml", text)
}
