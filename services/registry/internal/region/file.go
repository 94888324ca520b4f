package region

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"go.yaml.in/yaml/v3"
)

// File is the region file as written. Paths in it are relative to its folder; organisations are named by slug.
type File struct {
	Hub           Hub            `yaml:"hub"`
	Organisations []Organisation `yaml:"organisations"`
	People        []Person       `yaml:"people"`
	Clients       []Client       `yaml:"clients"`
	Services      []Service      `yaml:"services"`
	Contracts     Contracts      `yaml:"contracts"`
}

// Hub is what holds for the whole region.
type Hub struct {
	Organisation string   `yaml:"organisation"` // slug of the organisation that runs the hub
	GroupID      string   `yaml:"groupId"`      // FSC group
	Gateway      string   `yaml:"gateway"`      // domain name that identifies the outway of hosted organisations
	Anchors      []string `yaml:"anchors"`      // PEM files: trust anchors of contract certificates

	Documents []Document `yaml:"documents"` // what every organisation accepts
}

// Document is a text that every organisation accepts, such as the terms of the hub.
type Document struct {
	Kind    string `yaml:"kind"` // voorwaarden or verwerkersovereenkomst
	Version string `yaml:"version"`
	File    string `yaml:"file"` // Markdown
}

// Organisation is a party of contracts.
type Organisation struct {
	OIN          string    `yaml:"oin"`
	Slug         string    `yaml:"slug"`
	Name         string    `yaml:"name"`
	Municipality string    `yaml:"municipality"` // CBS code, four digits; empty: no municipality
	Certificates []string  `yaml:"certificates"` // PEM files, leaf first: what it signs contracts with, old ones too
	Contacts     []Contact `yaml:"contacts"`
	Networks     []string  `yaml:"networks"` // CIDR: private networks in which its services may be

	Accepted []Acceptance `yaml:"accepted"` // documents of the hub that were accepted on paper
}

// Acceptance says who accepted the document of a kind, as it is in this file, for an organisation.
type Acceptance struct {
	Kind   string    `yaml:"kind"`
	Person string    `yaml:"person"` // id
	At     time.Time `yaml:"at"`
}

// Contact is a role of an organisation with an address.
type Contact struct {
	Role  string `yaml:"role"`
	Email string `yaml:"email"`
	Phone string `yaml:"phone"`
	Hours string `yaml:"hours"` // when it is there, in words
}

// Person works at an organisation. How people sign in is not the region file's matter.
type Person struct {
	ID           string   `yaml:"id"`
	Name         string   `yaml:"name"`
	Organisation string   `yaml:"organisation"`
	Email        string   `yaml:"email"`
	Roles        []string `yaml:"roles"`
}

// Client is an OAuth client.
type Client struct {
	ID           string       `yaml:"id"`
	Name         string       `yaml:"name"`
	Organisation string       `yaml:"organisation"`
	Profile      string       `yaml:"profile"`      // nlgov or fapi2
	Alg          string       `yaml:"alg"`          // RS256, PS256 or ES256
	Keys         []string     `yaml:"keys"`         // files: JWK, JWK Set, PEM public key or certificate
	Certificates []string     `yaml:"certificates"` // PEM files or x5t#S256 thumbprints it may bind tokens to
	Disabled     bool         `yaml:"disabled"`
	AdminScopes  []string     `yaml:"adminScopes"`
	HubOperator  bool         `yaml:"hubOperator"`
	Person       string       `yaml:"person"` // id of the person whose key it is; empty: a program
	Assignments  []Assignment `yaml:"assignments"`
}

// Assignment lets the client use a contract of its organisation.
type Assignment struct {
	Name     string `yaml:"name"`     // short name, survives successors of the contract
	Contract string `yaml:"contract"` // file name in the contract folder, without .json
	Service  string `yaml:"service"`  // slug; needed where the contract has several grants for the organisation
}

// Service is a shared service.
type Service struct {
	Slug     string   `yaml:"slug"`
	Owner    string   `yaml:"owner"`
	FSCName  string   `yaml:"fscName"` // default: the slug
	Title    string   `yaml:"title"`
	APIs     []API    `yaml:"apis"`
	Upstream Upstream `yaml:"upstream"`
	Personal bool     `yaml:"personal"` // it answers with personal data
	// PerOrganisation: each organisation has one of its own and is the provider in its contracts; owner runs them all
	PerOrganisation bool `yaml:"perOrganisation"`
	Published       bool `yaml:"published"` // in the public catalogue, its OpenAPI files open to all
	// Public are paths open to all; the description must say so too, by security: [] on their GET.
	Public []string `yaml:"public"`
}

// API is one base path of a service with its description.
type API struct {
	BasePath string `yaml:"basePath"`
	OpenAPI  string `yaml:"openapi"` // file, YAML or JSON

	Deprecated *time.Time `yaml:"deprecated"` // since when a newer version should be used
	Sunset     *time.Time `yaml:"sunset"`     // when this one may stop answering
	Successor  string     `yaml:"successor"`  // base path of the newer one
}

// Upstream says where the service runs.
type Upstream struct {
	Addresses  []string      `yaml:"addresses"` // https://host:port or consul:name
	Part       string        `yaml:"part"`      // workload name of a part of the hub
	CAs        string        `yaml:"cas"`       // PEM file of an outside service with a CA of its own
	Auth       string        `yaml:"auth"`      // default call-token
	Timeout    time.Duration `yaml:"timeout"`   // to the first byte; default 10s
	MaxBody    int64         `yaml:"maxBody"`   // bytes; default 1 MiB
	Idempotent []string      `yaml:"idempotent"`
}

// Contracts says where the signed contracts lie and what is to be agreed.
type Contracts struct {
	Directory string  `yaml:"directory"` // FSC JSON, one contract a file
	Terms     []Terms `yaml:"terms"`
}

// Terms states one agreement; its signed contract is the file <name>.json in the contract folder.
type Terms struct {
	Name               string              `yaml:"name"`
	Consumer           string              `yaml:"consumer"` // slug
	Provider           string              `yaml:"provider"` // slug; only for a service per organisation, else its owner
	Service            string              `yaml:"service"`
	NotBefore          time.Time           `yaml:"notBefore"`
	NotAfter           time.Time           `yaml:"notAfter"`
	Purpose            string              `yaml:"purpose"`
	LegalBasis         string              `yaml:"legalBasis"`
	ProcessingActivity string              `yaml:"processingActivity"` // URI
	Scopes             []string            `yaml:"scopes"`
	Fields             map[string][]string `yaml:"fields"`
	Binding            string              `yaml:"binding"`
	Rate               int                 `yaml:"rate"`
	Quota              int                 `yaml:"quota"`
	Cache              int                 `yaml:"cache"` // seconds
	Logging            string              `yaml:"logging"`
	Tariff             string              `yaml:"tariff"`
}

// parseFile reads the YAML strictly. Unknown keys and wrong types are faults with their line; what could be read is given
// all the same, so that the other checks can add theirs.
func parseFile(text []byte, f faults) *File {
	file := &File{}
	if err := decodeStrict(text, file); err != nil {
		var wrong *yaml.TypeError
		switch {
		case errors.Is(err, io.EOF):
			f.add("empty")
			return file
		case !errors.As(err, &wrong):
			f.add("%s", err)
			return file
		}
		for _, reason := range wrong.Errors {
			f.add("%s", reason)
		}
	}
	return file
}

func decodeStrict(text []byte, dst any) (err error) {
	// The YAML library panics on some hostile anchors; a region file must not end the registry.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not readable: %v", r)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	return dec.Decode(dst)
}
