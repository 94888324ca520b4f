package region

import (
	"cmp"
	"crypto/x509"
	"net/mail"
	"regexp"
	"slices"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/api"
)

var (
	slugShape         = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	municipalityShape = regexp.MustCompile(`^[0-9]{4}$`)
	domainShape       = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	groupShape        = regexp.MustCompile(`^[a-zA-Z0-9./_-]{1,100}$`)
)

func (l *loader) loadHub() {
	hub, f := l.file.Hub, l.faults.at("hub")
	if !groupShape.MatchString(hub.GroupID) {
		f.add("groupId does not match %s", groupShape)
	}
	if !domainShape.MatchString(hub.Gateway) {
		f.add("gateway is not a domain name")
	}
	l.anchors = x509.NewCertPool()
	if len(hub.Anchors) == 0 {
		f.add("anchors: no trust anchor for contract certificates")
	}
	for i, name := range hub.Anchors {
		af := f.at("anchors[%d] %s", i, name)
		text, ok := l.read(name, af)
		if !ok {
			continue
		}
		certs, err := certificatesOf(text)
		if err != nil {
			af.add("%s", err)
		}
		for _, cert := range certs {
			if !cert.IsCA {
				af.add("not a certificate of an authority")
			}
			l.anchors.AddCert(cert)
		}
	}
}

func (l *loader) loadOrganisations() []api.Organisation {
	var out []api.Organisation
	for i := range l.file.Organisations {
		o := &l.file.Organisations[i]
		f := l.faults.at("organisations[%d] %s", i, o.Slug)
		l.checkOrganisation(o, f)
		l.orgs[o.Slug], l.byOIN[o.OIN] = o, o
		for j, name := range o.Certificates {
			if chain := l.signingChain(o, name, f.at("certificates[%d] %s", j, name)); chain != nil {
				l.certificates[o.OIN] = append(l.certificates[o.OIN], chain)
			}
		}
		out = append(out, api.Organisation{OIN: o.OIN, Slug: o.Slug, Name: o.Name})
	}
	if _, ok := l.orgs[l.file.Hub.Organisation]; !ok {
		l.faults.at("hub").add("organisation %q is not among the organisations", l.file.Hub.Organisation)
	}
	slices.SortFunc(out, func(a, b api.Organisation) int { return cmp.Compare(a.OIN, b.OIN) })
	return out
}

func (l *loader) checkOrganisation(o *Organisation, f faults) {
	if _, err := oin.Parse(o.OIN); err != nil {
		f.add("oin: %s", err)
	}
	if !slugShape.MatchString(o.Slug) {
		f.add("slug does not match %s", slugShape)
	}
	if _, twice := l.orgs[o.Slug]; twice {
		f.add("slug %s stands there twice", o.Slug)
	}
	if other, twice := l.byOIN[o.OIN]; twice {
		f.add("oin is that of %s too", other.Slug)
	}
	if o.Name == "" {
		f.add("name is missing")
	}
	if o.Municipality != "" && !municipalityShape.MatchString(o.Municipality) {
		f.add("municipality is not a CBS code of four digits")
	}
	for i, c := range o.Contacts {
		if _, err := mail.ParseAddress(c.Email); err != nil || c.Role == "" {
			f.at("contacts[%d]", i).add("needs a role and a mail address")
		}
	}
}

// signingChain reads the chain of a contract certificate. One that has expired stays welcome: old signatures name it.
func (l *loader) signingChain(o *Organisation, name string, f faults) []*x509.Certificate {
	text, ok := l.read(name, f)
	if !ok {
		return nil
	}
	chain, err := certificatesOf(text)
	if err != nil {
		f.add("%s", err)
		return nil
	}
	leaf := chain[0]
	if leaf.Subject.SerialNumber != o.OIN {
		f.add("the subject serial number of the certificate is not the organisation's OIN")
	}
	if err := contract.CheckKey(leaf.PublicKey); err != nil {
		f.add("weak key: %s", err)
	}
	if leaf.IsCA {
		f.add("a certificate of an authority cannot sign contracts")
	}
	return chain
}

var roles = []string{
	"administrator", "integrator", "approver", "operator", "privacy-officer", "finance", "auditor", "hub-operator",
}

func (l *loader) loadPeople() {
	seen := map[string]bool{}
	for i, p := range l.file.People {
		f := l.faults.at("people[%d] %s", i, p.ID)
		if !slugShape.MatchString(p.ID) {
			f.add("id does not match %s", slugShape)
		}
		if seen[p.ID] {
			f.add("id stands there twice")
		}
		seen[p.ID] = true
		if p.Name == "" {
			f.add("name is missing")
		}
		if _, ok := l.orgs[p.Organisation]; !ok {
			f.add("organisation %q is not in this region", p.Organisation)
		}
		if _, err := mail.ParseAddress(p.Email); p.Email != "" && err != nil {
			f.add("email is not a mail address")
		}
		if len(p.Roles) == 0 {
			f.add("has no role")
		}
		for _, role := range p.Roles {
			if !slices.Contains(roles, role) {
				f.add("role %q is unknown", role)
			}
			if role == "hub-operator" && p.Organisation != l.file.Hub.Organisation {
				f.add("only people of the hub's organisation can be hub-operator")
			}
		}
	}
}
