// Package regiontest writes whole regions for tests: authority, signing certificates, client keys, OpenAPI file, region
// file and signed contracts.
package regiontest

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/pki"
)

// OINs of the organisations of Default.
const (
	HubOIN   = "00000099000000001000"
	AssenOIN = "00000099000000002000"
	EmmenOIN = "00000099000000003000"
)

// Now is the moment that regions are made for: the certificates of libs/pki are valid from the wall clock's now.
var Now = time.Now().UTC().Truncate(time.Second)

// OpenAPI is the description of the service bag.
const OpenAPI = `openapi: 3.0.3
info: {title: bag, version: 1.0.0}
paths:
  /adressen:
    get: {operationId: bevragenAdressen, responses: {'200': {description: ok}}}
  /adressen/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: haalAdres, security: [{oauth: [bag.detail]}], responses: {'200': {description: ok}}}
    post: {operationId: meldTerug, responses: {'200': {description: ok}}}
`

// YAML is the region file of Default.
const YAML = `hub:
  organisation: noorderhub
  groupId: noorderhub-test
  gateway: gateway.hub.internal
  anchors: [anchor.pem]
organisations:
  - {oin: "00000099000000001000", slug: noorderhub, name: Noorderhub, certificates: [noorderhub.pem]}
  - {oin: "00000099000000002000", slug: assen, name: Gemeente Assen, municipality: "0106", certificates: [assen.pem], contacts: [{role: techniek, email: techniek@assen.example}]}
  - {oin: "00000099000000003000", slug: emmen, name: Gemeente Emmen, municipality: "0114", certificates: [emmen.pem]}
people:
  - {id: anna, name: Anna, organisation: assen, email: anna@assen.example, roles: [administrator]}
clients:
  - {id: assen-demo, organisation: assen, profile: nlgov, alg: ES256, keys: [assen-client.pem], certificates: [assen.pem], adminScopes: [beheer.lezen], assignments: [{name: assen-demo, contract: assen-bag}]}
  - {id: emmen-demo, organisation: emmen, profile: nlgov, alg: ES256, keys: [emmen-client.pem], assignments: []}
services:
  - slug: bag
    owner: noorderhub
    title: Adressen
    published: true
    apis: [{basePath: /bag/individuelebevragingen/v2, openapi: bag.yaml}]
    upstream: {addresses: ["https://127.0.0.1:9001"], part: address, timeout: 5s}
contracts:
  directory: contracts
  terms:
    - {name: assen-bag, consumer: assen, service: bag, notBefore: FROM, notAfter: TILL, purpose: adressen controleren, scopes: [bag.lezen], tariff: bag-2026}
`

// Region is a folder with a region.
type Region struct {
	Dir     string
	CA      *pki.CA
	Signers map[string]contract.Signer // by organisation slug
}

// File is the region file.
func (r *Region) File() string { return filepath.Join(r.Dir, "region.yaml") }

// Default writes a region without faults.
func Default(t testing.TB) *Region {
	t.Helper()
	r := &Region{Dir: t.TempDir(), Signers: map[string]contract.Signer{}}
	ca, err := pki.NewCA("test region")
	check(t, err)
	r.CA = ca
	r.Write(t, "anchor.pem", string(ca.CertPEM))
	for slug, oin := range map[string]string{"noorderhub": HubOIN, "assen": AssenOIN, "emmen": EmmenOIN} {
		r.Signers[slug] = r.Signer(t, slug+".pem", oin, 365*24*time.Hour)
	}
	for _, slug := range []string{"assen", "emmen"} {
		r.Write(t, slug+"-client.pem", PublicPEM(t, r.Pair(t, pki.Request{CommonName: slug}).Key().Public()))
	}
	r.Write(t, "bag.yaml", OpenAPI)
	r.WriteYAML(t, YAML)
	check(t, os.Mkdir(filepath.Join(r.Dir, "contracts"), 0o700))
	r.Sign(t, "assen-bag", Draft(), "assen", "noorderhub")
	return r
}

// Draft is the contract that the terms of YAML ask for.
func Draft() contract.Draft {
	return contract.Draft{
		GroupID: "noorderhub-test", CreatedAt: Now, NotBefore: Now.AddDate(0, -1, 0), NotAfter: Now.AddDate(0, 6, 0),
		Connections: []contract.Connection{{
			Consumer: AssenOIN, Provider: HubOIN, Service: "bag", Gateway: "gateway.hub.internal",
			Terms: contract.Terms{Purpose: "adressen controleren", Scopes: []string{"bag.lezen"}, Tariff: "bag-2026"},
		}},
	}
}

// WriteYAML writes the region file with the window of Draft filled in.
func (r *Region) WriteYAML(t testing.TB, text string) {
	t.Helper()
	d := Draft()
	r.Write(t, "region.yaml", strings.NewReplacer(
		"FROM", d.NotBefore.Format(time.RFC3339), "TILL", d.NotAfter.Format(time.RFC3339)).Replace(text))
}

// Replace changes the region file; the text to change must be there.
func (r *Region) Replace(t testing.TB, old, with string) {
	t.Helper()
	text, err := os.ReadFile(r.File())
	check(t, err)
	if !strings.Contains(string(text), old) {
		t.Fatalf("%q is not in the region file", old)
	}
	r.WriteYAML(t, strings.Replace(string(text), old, with, 1))
}

// Write puts a file into the region's folder.
func (r *Region) Write(t testing.TB, name, text string) {
	t.Helper()
	check(t, os.WriteFile(filepath.Join(r.Dir, name), []byte(text), 0o600))
}

// Remove takes a file out of the region's folder.
func (r *Region) Remove(t testing.TB, name string) {
	t.Helper()
	check(t, os.Remove(filepath.Join(r.Dir, name)))
}

// Pair issues a certificate of the region's authority.
func (r *Region) Pair(t testing.TB, request pki.Request) *pki.Pair {
	t.Helper()
	pair, err := r.CA.Issue(request)
	check(t, err)
	return pair
}

// Signer issues a signing certificate and writes it.
func (r *Region) Signer(t testing.TB, file, oin string, validity time.Duration) contract.Signer {
	t.Helper()
	pair := r.Pair(t, pki.Request{CommonName: file, OIN: oin, Client: true, Validity: validity})
	r.Write(t, file, string(pair.CertPEM))
	return contract.Signer{Key: pair.Key(), Certificate: pair.Certificate()}
}

// Sign builds a contract, has the organisations accept it and writes it into the contract folder.
func (r *Region) Sign(t testing.TB, name string, d contract.Draft, slugs ...string) *contract.Contract {
	t.Helper()
	content, err := contract.Build(d)
	check(t, err)
	c := &contract.Contract{Content: content, Accept: map[string]string{}, Revoke: map[string]string{}}
	for _, slug := range slugs {
		signer := r.Signers[slug]
		jws, err := contract.Sign(signer, content, contract.Accept, Now)
		check(t, err)
		c.Accept[signer.Certificate.Subject.SerialNumber] = jws
	}
	r.WriteContract(t, name, c)
	return c
}

// WriteContract writes a contract into the contract folder.
func (r *Region) WriteContract(t testing.TB, name string, c *contract.Contract) {
	t.Helper()
	text, err := json.Marshal(c)
	check(t, err)
	r.Write(t, filepath.Join("contracts", name+".json"), string(text))
}

// PublicPEM is a public key in PEM.
func PublicPEM(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	check(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// PrivatePEM is a private key in PEM.
func PrivatePEM(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(fmt.Errorf("region fixture: %w", err))
	}
}
