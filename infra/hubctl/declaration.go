package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	registry "noorderhub.nl/hub/services/registry/api"
)

// declaration is what an organisation has at the hub, as a file that can be kept under version control. Paths in it are
// relative to its folder.
type declaration struct {
	Organisation string                  `yaml:"organisation"` // short name
	Activities   map[string]activityFile `yaml:"activities,omitempty"`
	Services     map[string]serviceFile  `yaml:"services,omitempty"`
	Clients      map[string]clientFile   `yaml:"clients,omitempty"`
	Contracts    map[string]contractFile `yaml:"contracts,omitempty"` // those that the organisation proposes, by name

	dir string
}

type activityFile struct {
	Name         string `yaml:"name"`
	Purpose      string `yaml:"purpose"`
	LegalBasis   string `yaml:"legalBasis"`
	Retention    string `yaml:"retention"`
	Confidential bool   `yaml:"confidential,omitempty"`
}

type clientFile struct {
	Name         string            `yaml:"name"`
	Profile      string            `yaml:"profile"`
	Alg          string            `yaml:"alg"`
	Keys         []keyFile         `yaml:"keys,omitempty"`
	JWKSURI      string            `yaml:"jwksUri,omitempty"`      // where the keys are, instead
	Certificates []string          `yaml:"certificates,omitempty"` // x5t#S256, or files
	Disabled     bool              `yaml:"disabled,omitempty"`
	AdminScopes  []string          `yaml:"adminScopes,omitempty"`
	Uses         map[string]string `yaml:"uses,omitempty"` // short name → contract or grant hash
}

type keyFile struct {
	File  string     `yaml:"file"`
	From  *time.Time `yaml:"from,omitempty"`
	Until *time.Time `yaml:"until,omitempty"`
}

type contractFile struct {
	From   time.Time   `yaml:"from"`
	Until  time.Time   `yaml:"until"`
	Grants []grantFile `yaml:"grants"`
}

// grantFile names organisations by their short name or OIN.
type grantFile struct {
	Consumer     string              `yaml:"consumer"`
	Provider     string              `yaml:"provider"`
	OnBehalfOf   string              `yaml:"onBehalfOf,omitempty"`
	Service      string              `yaml:"service"`
	Purpose      string              `yaml:"purpose"`
	LegalBasis   string              `yaml:"legalBasis,omitempty"`
	Activity     string              `yaml:"activity,omitempty"` // id in the own register, or URI
	Scopes       []string            `yaml:"scopes"`
	Fields       map[string][]string `yaml:"fields,omitempty"`
	Binding      string              `yaml:"binding,omitempty"`
	Rate         int                 `yaml:"rate,omitempty"`
	Quota        int                 `yaml:"quota,omitempty"`
	CacheSeconds int                 `yaml:"cache,omitempty"`
	Logging      string              `yaml:"logging,omitempty"`
	Tariff       string              `yaml:"tariff,omitempty"`
}

// declarationFile is its name in the folder.
const declarationFile = "organisation.yaml"

// readDeclaration reads a file, or the one in a folder.
func readDeclaration(path string) (*declaration, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, declarationFile)
	}
	d := &declaration{dir: filepath.Dir(path)}
	return d, readYAML(path, d)
}

// present is what the hub has of the organisation now.
type present struct {
	clients    []registry.ClientView
	services   []registry.ServiceView // the own ones, with their bodies
	activities []registry.ActivityView
	agreements []registry.AgreementView
	slugs      map[string]string // OIN → short name
}

func (o *office) present(ctx context.Context) (*present, error) {
	var p present
	var clients struct {
		Clients []registry.ClientView `json:"clients"`
	}
	var services struct {
		Services []registry.ServiceView `json:"diensten"`
	}
	var organisations struct {
		Organisations []registry.OrganisationView `json:"organisaties"`
	}
	var register activities
	var contracts agreements
	for path, into := range map[string]any{
		"/clients": &clients, "/diensten?aantal=200": &services, "/organisaties": &organisations, "/verwerkingen": &register, "/afspraken": &contracts,
	} {
		if _, err := o.api.Do(ctx, http.MethodGet, path, "", nil, into); err != nil {
			return nil, err
		}
	}
	p.activities, p.agreements, p.slugs = register.Activities, contracts.Agreements, map[string]string{}
	for _, v := range organisations.Organisations {
		p.slugs[v.OIN] = v.Slug
	}
	for _, c := range clients.Clients {
		if c.Person == "" { // a person's key is the person's
			p.clients = append(p.clients, c)
		}
	}
	for _, s := range services.Services {
		if s.Owner != o.client.OIN {
			continue
		}
		var whole registry.ServiceView
		if _, err := o.api.Do(ctx, http.MethodGet, "/diensten/"+s.Slug, "", nil, &whole); err != nil {
			return nil, err
		}
		p.services = append(p.services, whole)
	}
	return &p, nil
}

// export writes what is there into a folder: the declaration, and a file for every key and description.
func (o *office) export(ctx context.Context, dir string) error {
	p, err := o.present(ctx)
	if err != nil {
		return err
	}
	w := &folder{dir: dir}
	d := declaration{
		Organisation: p.slugs[o.client.OIN], Activities: map[string]activityFile{}, Services: map[string]serviceFile{},
		Clients: map[string]clientFile{}, Contracts: map[string]contractFile{},
	}
	for _, a := range p.activities {
		d.Activities[a.ID] = activityFile{a.Name, a.Purpose, a.LegalBasis, a.Retention, a.Confidential}
	}
	for _, c := range p.clients {
		d.Clients[c.ID] = w.client(c, p)
	}
	for _, s := range p.services {
		d.Services[s.Slug] = w.service(s)
	}
	for _, a := range p.agreements {
		if c, ok := contractOf(a, p); ok {
			d.Contracts[a.Name] = c
		}
	}
	text, err := yaml.Marshal(d)
	w.write(declarationFile, text)
	return errors.Join(err, w.err)
}

// folder collects the first fault of many files.
type folder struct {
	dir string
	err error
}

// write puts a file into the folder and gives its name.
func (w *folder) write(name string, text []byte) string {
	path := filepath.Join(w.dir, name)
	w.err = errors.Join(w.err, os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, text, 0o600))
	return name
}

func (w *folder) client(c registry.ClientView, p *present) clientFile {
	f := clientFile{
		Name: c.Name, Profile: c.Profile, Alg: c.Alg, Certificates: c.Certificates, Disabled: c.Disabled, AdminScopes: c.AdminScopes, Uses: map[string]string{},
	}
	if f.JWKSURI = c.JWKSURI; f.JWKSURI != "" {
		c.Keys = nil // the address has them
	}
	for _, k := range c.Keys {
		name := w.write(filepath.Join("keys", c.ID+"-"+plain(k.ID)+".jwk"), append(k.JWK, '\n'))
		f.Keys = append(f.Keys, keyFile{File: name, From: k.From, Until: k.Till})
	}
	for _, a := range c.Assignments {
		f.Uses[a.Name] = p.contractName(a.Grant)
	}
	return f
}

// plain makes a name of a key fit for a file.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, name)
}

func (w *folder) service(s registry.ServiceView) serviceFile {
	f := serviceFile{Title: s.Body.Title, FSCName: s.Body.FSCName, Personal: s.Body.Personal, Published: s.Body.Published, Public: s.Body.Public}
	f.Facts = factsFile(s.Body.Facts)
	u := s.Body.Upstream
	f.Upstream.Addresses, f.Upstream.Timeout, f.Upstream.MaxBody, f.Upstream.Idempotent = u.Addresses, u.Timeout, u.MaxBody, u.Idempotent
	f.Upstream.Auth, f.Upstream.AuthName = u.Auth, u.AuthName // the secret stays at the hub
	if u.CAs != "" {
		f.Upstream.CA = w.write(filepath.Join("services", s.Slug+"-ca.pem"), []byte(u.CAs))
	}
	for i, a := range s.Body.APIs {
		name := w.write(filepath.Join("services", fmt.Sprintf("%s-%d.openapi.yaml", s.Slug, i+1)), []byte(a.OpenAPI))
		f.APIs = append(f.APIs, apiFile{BasePath: a.BasePath, OpenAPI: name, Deprecated: a.Deprecated, Sunset: a.Sunset, Successor: a.Successor, URL: a.Source})
	}
	return f
}

// contractName gives the name of the contract that a grant is of, where that says which grant is meant; else the grant's hash.
func (p *present) contractName(grant string) string {
	for _, a := range p.agreements {
		if len(a.Grants) == 1 && a.Grants[0].Hash == grant && a.Name != "" && p.named(a.Name) == 1 {
			return a.Name
		}
	}
	return grant
}

func (p *present) named(name string) (n int) {
	for _, a := range p.agreements {
		if a.Name == name && live(a) {
			n++
		}
	}
	return n
}

// live tells that a contract waits for signatures or is agreed.
func live(a registry.AgreementView) bool { return a.State == "PROPOSED" || a.State == "VALID" }

// contractOf gives a contract as it stands in a file; false for one that is over, or that has no name.
func contractOf(a registry.AgreementView, p *present) (contractFile, bool) {
	if !live(a) || a.Name == "" || p.named(a.Name) != 1 {
		return contractFile{}, false
	}
	c := contractFile{From: a.NotBefore, Until: a.NotAfter}
	for _, g := range a.Grants {
		if g.Type != "GRANT_TYPE_SERVICE_CONNECTION" && g.Type != "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION" {
			return contractFile{}, false
		}
		scopes := slices.Sorted(slices.Values(g.Scopes))
		c.Grants = append(c.Grants, grantFile{
			Consumer: p.slugs[g.Consumer], Provider: p.slugs[g.Provider], OnBehalfOf: p.slugs[g.Delegator], Service: g.Service, Purpose: g.Purpose,
			LegalBasis: g.LegalBasis, Activity: g.ProcessingActivity, Scopes: scopes, Fields: g.Fields, Binding: g.Binding, Rate: g.Rate, Quota: g.Quota,
			CacheSeconds: g.CacheSeconds, Logging: g.Logging, Tariff: g.Tariff,
		})
	}
	return c, true
}
