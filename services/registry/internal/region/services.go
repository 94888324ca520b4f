package region

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/services/registry/api"
)

const (
	defaultTimeout = 10 * time.Second
	maxTimeout     = 5 * time.Minute
	defaultBody    = 1 << 20
	maxBody        = 1 << 30
)

// reserved are first path segments that the hub keeps for itself.
var reserved = []string{
	"oauth2", ".well-known", "beheer", "journaal", "portaal", "status", "healthz", "readyz", "intern", "metrics",
}

var (
	fscNameShape  = regexp.MustCompile(`^[a-zA-Z0-9._-]{3,100}$`)
	basePathShape = regexp.MustCompile(`^(/[a-z0-9._~-]+)+$`)
	consulShape   = regexp.MustCompile(`^consul:[a-z0-9][a-z0-9-]{0,62}$`)
)

func (l *loader) loadServices() []api.Service {
	out := make([]api.Service, 0, len(l.file.Services))
	basePaths := map[string]string{}
	for i, s := range l.file.Services {
		f := l.faults.at("services[%d] %s", i, s.Slug)
		service := l.service(s, f)
		if _, twice := l.services[s.Slug]; twice {
			f.add("slug stands there twice")
		}
		for _, other := range l.services {
			if service.FSCName == other.FSCName && (service.Owner == other.Owner || service.PerOrganisation || other.PerOrganisation) {
				f.add("fscName is that of %s too", other.Slug)
			}
		}
		for _, base := range service.BasePaths {
			for taken, by := range basePaths {
				if within(base, taken) || within(taken, base) {
					f.add("base path %s overlaps with %s of %s", base, taken, by)
				}
			}
			basePaths[base] = s.Slug
		}
		l.services[s.Slug] = &service
		out = append(out, service)
	}
	slices.SortFunc(out, func(a, b api.Service) int { return cmp.Compare(a.Slug, b.Slug) })
	return out
}

func (l *loader) service(s Service, f faults) api.Service {
	out := api.Service{
		Slug: s.Slug, FSCName: cmp.Or(s.FSCName, s.Slug), Title: s.Title, Personal: s.Personal, Published: s.Published,
		PerOrganisation: s.PerOrganisation,
		Operations:      []api.Operation{}, BasePaths: []string{},
	}
	if !slugShape.MatchString(s.Slug) || slices.Contains(reserved, s.Slug) {
		f.add("slug is reserved or does not match %s", slugShape)
	}
	if owner, ok := l.orgs[s.Owner]; ok {
		out.Owner = owner.OIN
	} else {
		f.add("owner %q is not among the organisations", s.Owner)
	}
	if !fscNameShape.MatchString(out.FSCName) {
		f.add("fscName does not match %s", fscNameShape)
	}
	if s.Title == "" {
		f.add("title is missing")
	}
	if len(s.APIs) == 0 {
		f.add("has no apis")
	}
	for i, a := range s.APIs {
		af := f.at("apis[%d] %s", i, a.BasePath)
		first, _, _ := strings.Cut(strings.TrimPrefix(a.BasePath, "/"), "/")
		if !basePathShape.MatchString(a.BasePath) || slices.Contains(reserved, first) || strings.Contains(a.BasePath, "/.") {
			af.add("basePath is reserved or does not match %s", basePathShape)
		}
		out.BasePaths = append(out.BasePaths, a.BasePath)
		out.Operations = append(out.Operations, l.operations(s, a, af.at("openapi %s", a.OpenAPI))...)
		if s.Published {
			out.Public = append(out.Public, a.BasePath+descriptionPath)
		}
	}
	out.Public = append(out.Public, s.Public...)
	for _, path := range s.Public {
		below := slices.ContainsFunc(out.BasePaths, func(base string) bool { return strings.HasPrefix(path, base+"/") })
		if !below || !pathShape.MatchString(path) || strings.Contains(path, "{") {
			f.add("public: %q is not a path without parameters below a base path", path)
		}
		if !l.open[path] {
			f.add("public: the description does not say security: [] for GET %s", path)
		}
	}
	checkOperations(out.Operations, f)
	out.Upstream = l.upstream(s.Upstream, out.Operations, f.at("upstream"))
	return out
}

func (l *loader) upstream(u Upstream, operations []api.Operation, f faults) api.Upstream {
	out := api.Upstream{
		Addresses: u.Addresses, Part: u.Part, Auth: cmp.Or(u.Auth, "call-token"), Idempotent: u.Idempotent,
		Timeout: api.Duration(cmp.Or(u.Timeout, defaultTimeout)), MaxBody: cmp.Or(u.MaxBody, defaultBody),
	}
	if len(u.Addresses) == 0 {
		f.add("has no addresses")
	}
	for i, address := range u.Addresses {
		if slices.Contains(u.Addresses[:i], address) {
			f.add("address %s stands there twice", address)
		}
		if !validAddress(address) {
			f.add("address %q is neither https://host[:port] nor consul:name", address)
		}
	}
	if out.Auth != "call-token" {
		f.add("auth %q is not supported; call-token is", u.Auth)
	}
	if u.Timeout < 0 || u.Timeout > maxTimeout || u.MaxBody < 0 || u.MaxBody > maxBody {
		f.add("timeout is at most %s and maxBody at most %d bytes", maxTimeout, int64(maxBody))
	}
	if u.Part != "" && (u.CAs != "" || !slugShape.MatchString(u.Part)) {
		f.add("part is a workload name, and a part of the hub needs no cas")
	}
	if u.CAs != "" {
		if text, ok := l.read(u.CAs, f.at("cas %s", u.CAs)); ok {
			if _, err := certificatesOf(text); err != nil {
				f.at("cas %s", u.CAs).add("%s", err)
			}
			out.CAs = string(text)
		}
	}
	for _, id := range u.Idempotent {
		if !slices.ContainsFunc(operations, func(o api.Operation) bool { return o.ID == id }) {
			f.add("idempotent: there is no operation %s", id)
		}
	}
	return out
}

func validAddress(address string) bool {
	if strings.HasPrefix(address, "consul:") {
		return consulShape.MatchString(address)
	}
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.Path == "" &&
		u.RawQuery == "" && u.Fragment == ""
}

// within tells whether path is base or lies below it.
func within(path, base string) bool { return path == base || strings.HasPrefix(path, base+"/") }
