package material

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/infra/demo"
)

// DemoFile describes a hub for hubctl. hub and hubMTLS are its outside addresses.
func DemoFile(f Files, r *Region, hub, hubMTLS string, made time.Time) (demo.File, error) {
	d := demo.File{
		Made: made, Hub: hub, HubMTLS: hubMTLS, CA: f.CA(), Organisations: map[string]demo.Organisation{}, People: map[string]demo.Person{},
	}
	for _, c := range r.Clients {
		entry, err := r.entry(f, c)
		if err != nil {
			return d, err
		}
		slug := r.Organisation(c.Organisation).Slug
		if c.Person != "" {
			d.People[c.Person] = demo.Person{Organisation: slug, Client: entry}
			continue
		}
		if _, has := d.Organisations[slug]; !has { // the first is for people, others are a part's
			d.Organisations[slug] = entry
		}
	}
	return d, nil
}

func (r *Region) entry(f Files, c Client) (demo.Organisation, error) {
	text, err := os.ReadFile(f.Path(c.Keys[0]))
	if err != nil {
		return demo.Organisation{}, err
	}
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(text, &jwk); err != nil {
		return demo.Organisation{}, fmt.Errorf("%s: %w", c.ID, err)
	}
	o := r.Organisation(c.Organisation)
	entry := demo.Organisation{
		OIN: o.OIN, Name: o.Name, ClientID: c.ID, Alg: c.Alg, KeyID: jwk.KeyID, Key: f.ClientKey(c), Agreements: r.agreements(c),
	}
	if len(c.Certificates) > 0 {
		entry.Certificate = f.Path("organisations", o.Slug, "tls.pem")
		entry.CertificateKey = f.Path("organisations", o.Slug, "tls.key")
	}
	return entry, nil
}

// agreements are the contracts that a client may use.
func (r *Region) agreements(c Client) []demo.Agreement {
	var out []demo.Agreement
	for _, a := range c.Assignments {
		for _, t := range r.Contracts.Terms {
			if t.Name == a.Contract {
				out = append(out, demo.Agreement{Name: a.Name, Service: t.Service, Provider: cmp.Or(t.Provider, r.Hub.Organisation)})
			}
		}
	}
	return out
}
