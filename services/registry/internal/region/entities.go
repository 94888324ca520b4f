package region

import (
	"fmt"
	"slices"

	"noorderhub.nl/hub/services/registry/internal/directory"
)

// The steps of this file turn what the region file says into entities that name no file any more.

func (l *loader) hub() {
	h, f := l.file.Hub, l.faults.at("hub")
	e := &directory.Hub{GroupID: h.GroupID, Gateway: h.Gateway, Organisation: l.oin(h.Organisation)}
	fields := map[string]string{}
	for i, name := range h.Anchors {
		e.Anchors = append(e.Anchors, l.inline(name, "anchors", i, fields, f))
	}
	for i, d := range h.Documents {
		fields[fmt.Sprintf("documents[%d]", i)] = fmt.Sprintf("documents[%d] %s", i, d.File)
	}
	e.Documents = l.documents
	l.put(e, f, fields)
}

// texts reads the documents that organisations accept.
func (l *loader) texts() {
	for i, d := range l.file.Hub.Documents {
		f := l.faults.at("hub").at("documents[%d] %s", i, d.File)
		l.documents = append(l.documents, directory.Document{Kind: d.Kind, Version: d.Version, Text: l.read(d.File, f)})
	}
}

// oin gives the OIN of an organisation of the file. An unknown slug is given as it is: the directory has none such, and
// its fault then names what the file says.
func (l *loader) oin(slug string) string {
	if o, ok := l.orgs[slug]; ok {
		return o.OIN
	}
	return slug
}

// inline reads the file that element i of a list names, and notes its name for faults.
func (l *loader) inline(name, list string, i int, fields map[string]string, f faults) string {
	at := fmt.Sprintf("%s[%d]", list, i)
	fields[at] = at + " " + name
	return l.read(name, f.at("%s", fields[at]))
}

func (l *loader) organisations() {
	byOIN := map[string]string{}
	for i := range l.file.Organisations {
		o := &l.file.Organisations[i]
		f := l.faults.at("organisations[%d] %s", i, o.Slug)
		if _, twice := l.orgs[o.Slug]; twice {
			f.add("slug %s stands there twice", o.Slug)
		}
		if other, twice := byOIN[o.OIN]; twice {
			f.add("oin is that of %s too", other)
		}
		l.orgs[o.Slug], byOIN[o.OIN] = o, o.Slug
		e := &directory.Organisation{OIN: o.OIN, Slug: o.Slug, Name: o.Name, Municipality: o.Municipality, Networks: o.Networks}
		fields := map[string]string{}
		for j, name := range o.Certificates {
			e.Certificates = append(e.Certificates, l.inline(name, "certificates", j, fields, f))
		}
		for _, c := range o.Contacts {
			e.Contacts = append(e.Contacts, directory.Contact(c))
		}
		for j, a := range o.Accepted {
			place := slices.IndexFunc(l.documents, func(d directory.Document) bool { return d.Kind == a.Kind })
			if place < 0 {
				f.at("accepted[%d]", j).add("the hub has no document %s", a.Kind)
				continue
			}
			d := l.documents[place]
			e.Accepted = append(e.Accepted, directory.Acceptance{Kind: d.Kind, Version: d.Version, Digest: d.Digest(), Person: a.Person, At: a.At})
		}
		l.put(e, f, fields)
	}
}

func (l *loader) people() {
	seen := map[string]bool{}
	for i, p := range l.file.People {
		f := l.faults.at("people[%d] %s", i, p.ID)
		if seen[p.ID] {
			f.add("id stands there twice")
		}
		seen[p.ID] = true
		l.put(&directory.Person{ID: p.ID, Name: p.Name, Organisation: l.oin(p.Organisation), Email: p.Email, Roles: p.Roles}, f, nil)
	}
}

func (l *loader) services() {
	seen := map[string]bool{}
	for i, s := range l.file.Services {
		f := l.faults.at("services[%d] %s", i, s.Slug)
		if seen[s.Slug] {
			f.add("slug stands there twice")
		}
		seen[s.Slug] = true
		e := &directory.Service{
			Slug: s.Slug, Owner: l.oin(s.Owner), FSCName: s.FSCName, Title: s.Title, Personal: s.Personal, Published: s.Published,
			PerOrganisation: s.PerOrganisation, Public: s.Public,
			Upstream: directory.Upstream{
				Addresses: s.Upstream.Addresses, Part: s.Upstream.Part, Auth: s.Upstream.Auth, Timeout: s.Upstream.Timeout,
				MaxBody: s.Upstream.MaxBody, Idempotent: s.Upstream.Idempotent,
			},
		}
		fields := map[string]string{}
		for j, a := range s.APIs {
			at := fmt.Sprintf("apis[%d]", j)
			fields[at+".openapi"] = fmt.Sprintf("%s %s: openapi %s", at, a.BasePath, a.OpenAPI)
			e.APIs = append(e.APIs, directory.API{
				BasePath: a.BasePath, OpenAPI: l.read(a.OpenAPI, f.at("%s", fields[at+".openapi"])),
				Deprecated: a.Deprecated, Sunset: a.Sunset, Successor: a.Successor,
			})
		}
		if cas := s.Upstream.CAs; cas != "" {
			fields["upstream.cas"] = "upstream: cas " + cas
			e.Upstream.CAs = l.read(cas, f.at("%s", fields["upstream.cas"]))
		}
		l.put(e, f, fields)
	}
}

func (l *loader) clients() {
	seen := map[string]bool{}
	for i, c := range l.file.Clients {
		f := l.faults.at("clients[%d] %s", i, c.ID)
		if seen[c.ID] {
			f.add("id stands there twice")
		}
		seen[c.ID] = true
		e := &directory.Client{
			ID: c.ID, Name: c.Name, Organisation: l.oin(c.Organisation), Profile: c.Profile, Alg: c.Alg, Disabled: c.Disabled,
			AdminScopes: c.AdminScopes, HubOperator: c.HubOperator, Person: c.Person,
		}
		fields := map[string]string{}
		for j, name := range c.Keys {
			e.Keys = append(e.Keys, directory.ClientKey{Public: l.inline(name, "keys", j, fields, f)})
		}
		for j, given := range c.Certificates {
			if !directory.IsThumbprint(given) {
				given = l.inline(given, "certificates", j, fields, f)
			}
			e.Certificates = append(e.Certificates, given)
		}
		e.Assignments = l.assignments(c.Assignments, e.Organisation, f)
		l.put(e, f, fields)
	}
}

// assignments resolves contract names to grant hashes.
func (l *loader) assignments(list []Assignment, consumer string, f faults) []directory.Assignment {
	var out []directory.Assignment
	for i, a := range list {
		af := f.at("assignments[%d] %s", i, a.Name)
		signed, ok := l.contracts[a.Contract]
		if !ok {
			if l.contractsRead() && !l.hasFault(a.Contract+".json") {
				af.add("there is no contract %s.json", a.Contract)
			}
			continue
		}
		var hashes []string
		for _, g := range signed.Content.Grants {
			if g.Outway.PeerID == consumer && (a.Service == "" || l.serviceNamed(a.Service) == g.Service.Name) {
				hashes = append(hashes, g.Hash)
			}
		}
		if len(hashes) != 1 {
			af.add("contract %s has %d grants for this organisation; name a service that only one is about", a.Contract, len(hashes))
			continue
		}
		out = append(out, directory.Assignment{Name: a.Name, Grant: hashes[0]})
	}
	return out
}

// serviceNamed gives the name in contracts of a service of the file.
func (l *loader) serviceNamed(slug string) string {
	for _, s := range l.file.Services {
		if s.Slug == slug && s.FSCName != "" {
			return s.FSCName
		}
	}
	return slug
}
