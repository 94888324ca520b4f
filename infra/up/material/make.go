package material

import (
	"encoding/json"
	"fmt"
	"net"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/token"
)

// certificateLife outlives the demo contracts: a contract expires with the certificate of a signer.
const certificateLife = 2 * ContractLife

// Options say what Make makes.
type Options struct {
	Instances map[string]int // parts that run more than once: "gateway": 3 gives gateway-1 to gateway-3; others have one
	Names     []string       // DNS names of the outside listener
	IPs       []net.IP       // its addresses
	Life      time.Duration  // of certificates of parts and outside; default two years
	Renew     time.Duration  // those with less left are renewed, for the same key; 0: never
	// KeepAuthorities writes the keys of the authorities to the folder, so that Make can be run again for more, and for
	// renewal. A demo hub makes everything at once and forgets them.
	KeepAuthorities bool
}

// Make makes what is not in the folder yet, the clients and signing certificates of the organisations of r among it, and
// names the files it wrote. r is nil for a hub without demo region. Parts have an authority of their own: no organisation's
// certificate opens the door to them.
func Make(f Files, r *Region, o Options) ([]string, error) {
	if o.Life == 0 {
		o.Life = certificateLife
	}
	m := &maker{Files: f, life: o.Life, renew: o.Renew}
	m.ca = m.authority("workloads", "Noorderhub workloads", o.KeepAuthorities)
	for _, part := range Parts() {
		for _, name := range Instances(part, o.Instances) {
			m.issue(pki.Part(part), "pki", name)
		}
	}
	m.ca = m.authority("ca", "Noorderhub CA", o.KeepAuthorities) // from here on: what people and organisations see
	m.issue(pki.Request{CommonName: "Noorderhub", DNSNames: o.Names, IPs: o.IPs, Server: true}, "pki", Outside)
	m.secret("envelope")
	m.secret("pseudonyms")
	m.secret("answers")
	m.secret("custody")
	m.secret("upstreams")
	m.snapshotKeys()
	if r != nil {
		m.organisations(r)
	}
	return m.made, m.err
}

// Instances are the names of a part's processes.
func Instances(part string, counts map[string]int) []string {
	if counts[part] == 0 {
		return []string{part}
	}
	names := make([]string, counts[part])
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", part, i+1)
	}
	return names
}

// organisations makes the demo's signing certificates and clients. They are never renewed here: contracts name the one,
// the region file the other.
func (m *maker) organisations(r *Region) {
	m.renew, m.life = 0, certificateLife
	for _, o := range r.Organisations {
		m.issue(pki.Request{CommonName: o.Name, Organisation: o.Name, OIN: o.OIN}, "organisations/"+o.Slug, "contract")
		m.receiptKey(o)
	}
	for _, c := range r.Clients {
		m.client(c, r.Organisation(c.Organisation))
	}
}

func (m *maker) client(c Client, o Organisation) {
	key := m.key(m.ClientKey(c))
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
	m.write(m.Path(c.Keys[0]), public)
	if len(c.Certificates) > 0 {
		m.issue(pki.Request{CommonName: c.ID, Organisation: o.Name, OIN: o.OIN, Client: true}, "organisations/"+o.Slug, "tls")
	}
}
