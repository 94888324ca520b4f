package directory

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/contract"
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

// Service is a shared service.
type Service struct {
	Slug      string   `json:"slug"`
	Owner     string   `json:"owner"`             // OIN
	FSCName   string   `json:"fscName,omitempty"` // default: the slug
	Title     string   `json:"title"`
	APIs      []API    `json:"apis"`
	Upstream  Upstream `json:"upstream"`
	Personal  bool     `json:"personal,omitempty"`  // it answers with personal data
	Published bool     `json:"published,omitempty"` // in the public catalogue, its OpenAPI files open to all
	// PerOrganisation: each organisation has one of its own and is the provider in its contracts; owner runs them all.
	PerOrganisation bool     `json:"perOrganisation,omitempty"`
	Public          []string `json:"public,omitempty"` // paths open to all; the description must say so too, by security: [] on their GET

	Facts  Facts   `json:"facts,omitzero"`
	Advice *Advice `json:"advice,omitempty"` // findings of the design rules that are to be mended

	compiled api.Service
}

// API is one base path of a service with its description.
type API struct {
	BasePath string `json:"basePath"`
	OpenAPI  string `json:"openapi"` // the text, YAML or JSON
	// Deprecated is since when a newer version should be used; Sunset when this one may stop answering; Successor the base
	// path of the newer one. Callers read them in the headers of every answer.
	Deprecated *time.Time `json:"deprecated,omitempty"`
	Sunset     *time.Time `json:"sunset,omitempty"`
	Successor  string     `json:"successor,omitempty"`

	Source string `json:"source,omitempty"` // URL it was fetched from; it is not followed
}

// noticeLeast is the least time between the announcement of an end and the end itself, by the NL API Design Rules
// (/core/deprecation-schedule leaves it to the provider; half a year is the hub's own promise to its integrators).
const noticeLeast = 180 * 24 * time.Hour

// ending checks what is said of the end of a version.
func (s *Service) ending(a API, f faults) []api.Ending {
	if a.Deprecated == nil {
		if a.Sunset != nil || a.Successor != "" {
			f.at("deprecated").add("is missing, while sunset or successor is there")
		}
		return nil
	}
	if a.Sunset != nil && a.Sunset.Before(a.Deprecated.Add(noticeLeast)) {
		f.at("sunset").add("is less than 180 days after deprecated")
	}
	if a.Successor != "" && (a.Successor == a.BasePath || !slices.ContainsFunc(s.APIs, func(o API) bool { return o.BasePath == a.Successor })) {
		f.at("successor").add("%q is no other base path of the service", a.Successor)
	}
	return []api.Ending{{BasePath: a.BasePath, Deprecated: *a.Deprecated, Sunset: a.Sunset, Successor: a.Successor}}
}

// Upstream says where the service runs.
type Upstream struct {
	Addresses  []string      `json:"addresses"`          // https://host:port or consul:name
	Part       string        `json:"part,omitempty"`     // workload name of a part of the hub
	CAs        string        `json:"cas,omitempty"`      // PEM, of an outside service with a CA of its own
	Auth       string        `json:"auth,omitempty"`     // one of the api.Auth constants; default call-token
	AuthName   string        `json:"authName,omitempty"` // name of the header, or client id of ZGW
	Secret     string        `json:"secret,omitempty"`   // sealed: nobody but a gateway opens it
	Timeout    time.Duration `json:"timeout,omitempty"`  // to the first byte; default 10s
	MaxBody    int64         `json:"maxBody,omitempty"`  // bytes; default 1 MiB
	Idempotent []string      `json:"idempotent,omitempty"`
}

// Key has the slug.
func (s *Service) Key() Key { return Key{KindService, s.Slug} }

func (s *Service) prepare(f faults) {
	out := api.Service{
		Slug: s.Slug, Owner: s.Owner, FSCName: cmp.Or(s.FSCName, s.Slug), Title: s.Title, Personal: s.Personal, Published: s.Published,
		PerOrganisation: s.PerOrganisation,
		Operations:      []api.Operation{}, BasePaths: []string{},
	}
	if !slugShape.MatchString(s.Slug) || slices.Contains(reserved, s.Slug) {
		f.add("slug is reserved or does not match %s", slugShape)
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
	open := map[string]bool{} // paths of Public that a description leaves open to all
	for i, a := range s.APIs {
		af := f.at("apis[%d]", i)
		first, _, _ := strings.Cut(strings.TrimPrefix(a.BasePath, "/"), "/")
		if !basePathShape.MatchString(a.BasePath) || slices.Contains(reserved, first) || strings.Contains(a.BasePath, "/.") {
			af.add("basePath is reserved or does not match %s", basePathShape)
		}
		for _, other := range out.BasePaths {
			if within(a.BasePath, other) || within(other, a.BasePath) {
				af.add("base path %s overlaps with %s", a.BasePath, other)
			}
		}
		out.BasePaths = append(out.BasePaths, a.BasePath)
		out.Ending = append(out.Ending, s.ending(a, af)...)
		out.Operations = append(out.Operations, s.operations(a, open, af.at("openapi"))...)
		if s.Published {
			out.Public = append(out.Public, a.BasePath+descriptionPath)
		}
	}
	s.preparePublic(&out, open, f)
	checkOperations(out.Operations, f)
	s.Facts.prepare(f.at("facts"))
	out.Upstream = s.Upstream.prepare(out.Operations, f.at("upstream"))
	out.Upstream.Health = s.Facts.Health
	s.compiled = out
}

func (s *Service) preparePublic(out *api.Service, open map[string]bool, f faults) {
	out.Public = append(out.Public, s.Public...)
	for _, path := range s.Public {
		below := slices.ContainsFunc(out.BasePaths, func(base string) bool { return strings.HasPrefix(path, base+"/") })
		if !below || !pathShape.MatchString(path) || strings.Contains(path, "{") {
			f.add("public: %q is not a path without parameters below a base path", path)
		}
		if !open[path] {
			f.add("public: the description does not say security: [] for GET %s", path)
		}
	}
}

func (s *Service) check(state *State, f faults) {
	if state.Organisation(s.Owner) == nil {
		f.add("owner %q is not among the organisations", s.Owner)
	}
	for _, other := range state.index.names[s.compiled.FSCName] {
		if other.Slug != s.Slug && (other.Owner == s.Owner || s.PerOrganisation || other.PerOrganisation) {
			f.add("fscName is that of %s too", other.Slug)
		}
	}
	for _, base := range s.compiled.BasePaths {
		for taken, by := range state.index.paths {
			if by != s && (within(base, taken) || within(taken, base)) {
				f.add("base path %s overlaps with %s of %s", base, taken, by.Slug)
			}
		}
	}
}

func (u Upstream) prepare(operations []api.Operation, f faults) api.Upstream {
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
	out.AuthName, out.Secret = u.AuthName, u.Secret
	u.prepareAuth(out.Auth, f)
	if u.Timeout < 0 || u.Timeout > maxTimeout || u.MaxBody < 0 || u.MaxBody > maxBody {
		f.add("timeout is at most %s and maxBody at most %d bytes", maxTimeout, int64(maxBody))
	}
	if u.Part != "" && (u.CAs != "" || !slugShape.MatchString(u.Part)) {
		f.add("part is a workload name, and a part of the hub needs no cas")
	}
	if u.CAs != "" {
		if _, err := certificatesOf(u.CAs); err != nil {
			f.at("cas").add("%s", err)
		}
		out.CAs = u.CAs
	}
	for _, id := range u.Idempotent {
		if !slices.ContainsFunc(operations, func(o api.Operation) bool { return o.ID == id }) {
			f.add("idempotent: there is no operation %s", id)
		}
	}
	return out
}

var (
	headerShape    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)
	zgwClientShape = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	// headersOfHTTP mean something else than who calls.
	headersOfHTTP = []string{"host", "connection", "content-length", "content-type", "transfer-encoding", "accept", "cookie", "forwarded", "traceparent", "te", "upgrade", "expect"}
)

func (u Upstream) prepareAuth(auth string, f faults) {
	switch auth {
	case api.AuthCallToken, api.AuthCertificate:
		if u.AuthName != "" || u.Secret != "" {
			f.at("auth").add("%s needs no name and no secret", auth)
		}
		return
	case api.AuthHeader:
		if !headerShape.MatchString(u.AuthName) || slices.Contains(headersOfHTTP, strings.ToLower(u.AuthName)) {
			f.at("auth").add("name is not that of a header for a secret, such as X-Api-Key")
		}
	case api.AuthZGW:
		if !zgwClientShape.MatchString(u.AuthName) {
			f.at("auth").add("name is not a client id of ZGW")
		}
	default:
		f.at("auth").add("%q is not one of call-token, certificate, header, zgw", u.Auth)
		return
	}
	if u.Secret == "" {
		f.at("auth").add("the secret is missing")
	}
	if u.Part != "" {
		f.at("auth").add("a part of the hub takes the call token")
	}
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

// Compiled gives the service as the data plane has it.
func (s *Service) Compiled() api.Service { return s.compiled }

// Offers refuses terms that the service or this version of the hub cannot keep.
func (s *Service) Offers(t contract.Terms) error {
	var faults []error
	for _, scope := range t.Scopes {
		if !slices.ContainsFunc(s.compiled.Operations, func(o api.Operation) bool { return o.Scope == scope }) {
			faults = append(faults, fmt.Errorf("no operation of %s asks scope %s", s.Slug, scope))
		}
	}
	if most := s.Facts.CacheSeconds; most != nil && t.CacheSeconds > *most {
		faults = append(faults, fmt.Errorf("answers of %s may be kept at most %d seconds", s.Slug, *most))
	}
	if s.Facts.Logging == contract.LoggingRequired && t.Logging == contract.LoggingOpen {
		faults = append(faults, fmt.Errorf("%s is not called without a durable record: logging open is not offered", s.Slug))
	}
	if len(t.Fields) > 0 {
		faults = append(faults, errors.New("fields cannot be enforced by this version of the hub"))
	}
	return errors.Join(faults...)
}
