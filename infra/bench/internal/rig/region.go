package rig

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/pki"
)

// The services of the region. Each has the one server behind all lines as its upstream; they differ in the terms of the
// contract only.
const (
	Required = "verplicht" // logging required: no call leaves without its durable record
	Open     = "open"      // logging open: recorded without waiting
	Limited  = "begrensd"  // like Open, with a rate limit that all gateways share
)

// rate is the limit of Limited in calls per second: more than any line brings, so that it is counted and never reached.
const rate = 100_000

// Path is the operation that is called, below the slug of a service.
const Path = "/v1/gegevens"

const (
	group    = "noorderhub-bench"
	outway   = "gateway.noorderhub.example"
	hubOIN   = "00000099000000000000"
	assenOIN = "00000099000000106000"
)

const description = `openapi: 3.0.3
info: {title: Proef, version: "1"}
paths:
  /gegevens:
    get: {operationId: haalGegevens, responses: {"200": {description: OK}}}
`

// terms of the contracts, by service.
func terms(slug string) contract.Terms {
	t := contract.Terms{
		Purpose: "Meten", LegalBasis: "Geen persoonsgegevens", ProcessingActivity: "https://noorderhub.example/verwerkingen/meten/1",
		Scopes: []string{slug + ".lezen"}, Binding: contract.BindingNone, Logging: contract.LoggingRequired,
	}
	if slug != Required {
		t.Logging = contract.LoggingOpen
	}
	if slug == Limited {
		t.Rate = rate
	}
	return t
}

// writeRegion writes the region file with its contracts, signed by both organisations.
func (m *material) writeRegion(upstream string, clients map[string]string) error {
	signers, err := m.organisations()
	if err != nil {
		return err
	}
	if err := m.write("openapi.yaml", []byte(description)); err != nil {
		return err
	}
	var services, assignments []map[string]any
	for _, slug := range []string{Required, Open, Limited} {
		if err := m.contract(slug, signers); err != nil {
			return err
		}
		services = append(services, map[string]any{
			"slug": slug, "owner": "noorderhub", "title": "Proef",
			"apis":     []any{map[string]any{"basePath": "/" + slug + "/v1", "openapi": "openapi.yaml"}},
			"upstream": map[string]any{"addresses": []string{upstream}, "part": ServicePart},
		})
		assignments = append(assignments, map[string]any{"name": "assen-" + slug, "contract": slug})
	}
	var registered []map[string]any
	for id, alg := range clients {
		registered = append(registered, map[string]any{
			"id": id, "organisation": "assen", "profile": "nlgov", "alg": alg, "keys": []string{id + ".pem"}, "assignments": assignments,
		})
	}
	_, err = m.config("region", map[string]any{
		"hub": map[string]any{"organisation": "noorderhub", "groupId": group, "gateway": outway, "anchors": []string{"region.pem"}},
		"organisations": []any{
			map[string]any{"slug": "noorderhub", "oin": hubOIN, "name": "Noorderhub", "certificates": []string{hubOIN + ".pem"}},
			map[string]any{"slug": "assen", "oin": assenOIN, "name": "Gemeente Assen", "certificates": []string{assenOIN + ".pem"}},
		},
		"clients": registered, "services": services,
		"contracts": map[string]any{"directory": "contracts"},
	})
	return err
}

func (m *material) organisations() (map[string]contract.Signer, error) {
	signers := map[string]contract.Signer{}
	for _, oin := range []string{hubOIN, assenOIN} {
		pair, err := m.region.Issue(pki.Request{CommonName: oin, Organisation: oin, OIN: oin})
		if err != nil {
			return nil, err
		}
		if _, err := pair.WriteFiles(m.dir, oin); err != nil {
			return nil, err
		}
		signers[oin] = contract.Signer{Key: pair.Key(), Certificate: pair.Certificate()}
	}
	return signers, nil
}

func (m *material) contract(slug string, signers map[string]contract.Signer) error {
	now := time.Now()
	content, err := contract.Build(contract.Draft{
		GroupID: group, CreatedAt: now, NotBefore: now.Add(-time.Minute), NotAfter: now.Add(24 * time.Hour),
		Connections: []contract.Connection{{Consumer: assenOIN, Provider: hubOIN, Service: slug, Gateway: outway, Terms: terms(slug)}},
	})
	if err != nil {
		return err
	}
	signed := contract.Contract{Content: content, Accept: map[string]string{}}
	for _, oin := range content.Signers() {
		if signed.Accept[oin], err = contract.Sign(signers[oin], content, contract.Accept, now); err != nil {
			return err
		}
	}
	text, err := json.Marshal(&signed)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(m.path("contracts"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(m.path("contracts"), slug+".json"), text, 0o600)
}
