package region

import (
	"cmp"
	"regexp"
	"slices"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/api"
)

var (
	clientIDShape   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{2,99}$`)
	thumbprintShape = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
)

var (
	adminScopes = []string{"journaal.lezen", "journaal.schrijven", "beheer.lezen"}
	profiles    = map[string][]string{"nlgov": {"RS256", "PS256", "ES256"}, "fapi2": {"PS256", "ES256"}}
)

func (l *loader) loadClients(unsigned bool) []api.Client {
	out := make([]api.Client, 0, len(l.file.Clients))
	seen, kids := map[string]bool{}, map[string]string{}
	for i, c := range l.file.Clients {
		f := l.faults.at("clients[%d] %s", i, c.ID)
		if seen[c.ID] {
			f.add("id stands there twice")
		}
		seen[c.ID] = true
		out = append(out, l.client(c, kids, unsigned, f))
	}
	slices.SortFunc(out, func(a, b api.Client) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (l *loader) client(c Client, thumbprints map[string]string, unsigned bool, f faults) api.Client {
	out := api.Client{
		ID: c.ID, Name: cmp.Or(c.Name, c.ID), Profile: c.Profile, SigningAlg: c.Alg, Disabled: c.Disabled,
		AdminScopes: c.AdminScopes, HubOperator: c.HubOperator, Assignments: []api.Assignment{},
	}
	if !clientIDShape.MatchString(c.ID) {
		f.add("id does not match %s", clientIDShape)
	}
	org, known := l.orgs[c.Organisation]
	if known {
		out.Organisation = org.OIN
	} else {
		f.add("organisation %q is not among the organisations", c.Organisation)
	}
	if algs, ok := profiles[c.Profile]; !ok {
		f.add("profile is not nlgov or fapi2")
	} else if !slices.Contains(algs, c.Alg) {
		f.add("alg %q does not suit profile %s: %v", c.Alg, c.Profile, algs)
	}
	out.JWKS = l.keys(c, thumbprints, f)
	for i, given := range c.Certificates {
		if t := l.thumbprint(given, f.at("certificates[%d]", i)); t != "" {
			out.Certificates = append(out.Certificates, t)
		}
	}
	for _, scope := range c.AdminScopes {
		if !slices.Contains(adminScopes, scope) {
			f.add("adminScopes: %q is not one of %v", scope, adminScopes)
		}
	}
	if c.HubOperator && c.Organisation != l.file.Hub.Organisation {
		f.add("only a client of the hub's organisation can be hubOperator")
	}
	if !unsigned && known {
		out.Assignments = l.assignments(c.Assignments, org.OIN, f)
	}
	return out
}

// thumbprint takes an x5t#S256 as it is, or makes it of a certificate file.
func (l *loader) thumbprint(given string, f faults) string {
	if thumbprintShape.MatchString(given) {
		return given
	}
	text, ok := l.read(given, f)
	if !ok {
		return ""
	}
	certs, err := certificatesOf(text)
	if err != nil {
		f.add("%s %s", given, err)
		return ""
	}
	return contract.Thumbprint(certs[0])
}

// assignments resolves contract names to grant hashes. A contract that is over gives none: the client then lacks the
// grant.
func (l *loader) assignments(list []Assignment, consumer string, f faults) []api.Assignment {
	out := []api.Assignment{}
	names := map[string]bool{}
	for i, a := range list {
		af := f.at("assignments[%d] %s", i, a.Name)
		if !slugShape.MatchString(a.Name) || names[a.Name] {
			af.add("name stands there twice or does not match %s", slugShape)
		}
		names[a.Name] = true
		signed, ok := l.contracts[a.Contract]
		if !ok {
			if !l.hasFault(a.Contract + ".json") {
				af.add("there is no contract %s.json", a.Contract)
			}
			continue
		}
		if l.over(signed) {
			continue
		}
		var hashes []string
		for _, g := range signed.Content.Grants {
			service := l.serviceOf(g)
			if g.Outway.PeerID == consumer && service != nil && (a.Service == "" || a.Service == service.Slug) {
				hashes = append(hashes, g.Hash)
			}
		}
		if len(hashes) != 1 {
			af.add("contract %s has %d grants for this organisation; name a service that only one is about", a.Contract, len(hashes))
			continue
		}
		out = append(out, api.Assignment{Name: a.Name, GrantHash: hashes[0]})
	}
	return out
}
