package region

import (
	"cmp"
	"regexp"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/internal/directory"
)

// Draft is a contract that the terms of the region ask for.
type Draft struct {
	Name  string // the signed contract belongs in <contract folder>/<name>.json
	Draft contract.Draft
}

// Drafts gives what the terms of the region ask for, ready for contract.Build.
func (r *Region) Drafts(now time.Time) []Draft {
	oins := map[string]string{}
	for _, o := range r.File.Organisations {
		oins[o.Slug] = o.OIN
	}
	services := map[string]Service{}
	for _, s := range r.File.Services {
		services[s.Slug] = s
	}
	var out []Draft
	for _, t := range r.File.Contracts.Terms {
		s := services[t.Service]
		name := s.FSCName
		if name == "" {
			name = s.Slug
		}
		out = append(out, Draft{Name: t.Name, Draft: contract.Draft{
			GroupID: r.File.Hub.GroupID, CreatedAt: now, NotBefore: t.NotBefore, NotAfter: t.NotAfter,
			Connections: []contract.Connection{{
				Consumer: oins[t.Consumer], Provider: oins[cmp.Or(t.Provider, s.Owner)], Service: name, Gateway: r.File.Hub.Gateway,
				Terms: t.terms(),
			}},
		}})
	}
	return out
}

func (t Terms) terms() contract.Terms {
	return contract.Terms{
		Purpose: t.Purpose, LegalBasis: t.LegalBasis, ProcessingActivity: t.ProcessingActivity, Scopes: t.Scopes,
		Fields: t.Fields, Binding: t.Binding, Rate: t.Rate, Quota: t.Quota, CacheSeconds: t.Cache, Logging: t.Logging,
		Tariff: t.Tariff,
	}
}

var slugShape = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)

// checkTerms checks what the terms ask for and, unless the contracts are yet to be signed, that their contracts say
// the same. Of a contract that is over nothing is asked.
func (l *loader) checkTerms(unsigned bool) {
	seen := map[string]bool{}
	for i, t := range l.file.Contracts.Terms {
		f := l.faults.at("contracts.terms[%d] %s", i, t.Name)
		if !slugShape.MatchString(t.Name) {
			f.add("name does not match %s", slugShape)
		}
		if seen[t.Name] {
			f.add("name stands there twice")
		}
		seen[t.Name] = true
		if v := l.verified[t.Name]; v != nil && l.over(v) {
			continue
		}
		_, known := l.orgs[t.Consumer]
		if !known {
			f.add("consumer %q is not among the organisations", t.Consumer)
		}
		service := l.state.Service(t.Service)
		var provider string
		if service == nil {
			f.add("there is no service %q", t.Service)
		} else {
			provider = l.provider(t, service, f)
			_, err := t.terms().CompleteFor(service.Personal)
			f.join(err)
			f.join(service.Offers(t.terms()))
		}
		if !t.NotAfter.After(t.NotBefore) {
			f.add("notAfter is not after notBefore")
		}
		if unsigned || !known || service == nil {
			continue
		}
		signed, ok := l.contracts[t.Name]
		if !ok {
			if !l.hasFault(t.Name + ".json") {
				f.add("there is no signed contract %s.json", t.Name)
			}
			continue
		}
		l.compare(t, l.oin(t.Consumer), provider, service.Compiled().FSCName, signed, f)
	}
}

// provider gives the OIN of who provides: the owner, or where the service has one per organisation the one that is named.
func (l *loader) provider(t Terms, service *directory.Service, f faults) string {
	if !service.PerOrganisation {
		if t.Provider != "" {
			f.add("provider is for services per organisation; %s has its owner", service.Slug)
		}
		return service.Owner
	}
	if _, known := l.orgs[t.Provider]; !known {
		f.add("provider %q is not among the organisations", t.Provider)
		return ""
	}
	return l.oin(t.Provider)
}

func (l *loader) compare(t Terms, consumer, provider, service string, signed *contract.Contract, f faults) {
	grants := signed.Content.Grants
	if len(grants) != 1 || grants[0].Type != contract.ServiceConnection || grants[0].Outway.PeerID != consumer ||
		grants[0].Service.PeerID != provider || grants[0].Service.Name != service {
		f.add("the signed contract is between other organisations or about another service")
		return
	}
	if !grants[0].Terms.Equal(t.terms()) {
		f.add("the signed contract states other terms; a change of terms needs a new contract")
	}
	if !signed.Content.NotBefore.Equal(t.NotBefore.Truncate(time.Second)) ||
		!signed.Content.NotAfter.Equal(t.NotAfter.Truncate(time.Second)) {
		f.add("the signed contract has another window")
	}
}

// hasFault tells whether a file already has a fault, so that one cause is not told twice.
func (l *loader) hasFault(file string) bool {
	for _, fault := range *l.faults.list {
		if strings.HasSuffix(fault.File, "/"+file) || fault.File == file {
			return true
		}
	}
	return false
}
