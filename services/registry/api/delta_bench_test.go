package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"noorderhub.nl/hub/services/registry/api"
)

// large is the snapshot of a region of 40 organisations, 400 clients, 100 services and 4000 contracts.
func large() *api.Snapshot {
	s := &api.Snapshot{Version: api.Version{Epoch: 1, Number: 1}, HubOIN: "00000099000000001000", GroupID: "noorderhub"}
	hash := func(kind string, o, d int) string { return fmt.Sprintf("%s%0128x", kind, o*1000+d) }
	for d := range 100 {
		slug := fmt.Sprintf("dienst-%d", d)
		service := api.Service{Slug: slug, Owner: s.HubOIN, FSCName: slug, Title: "Dienst", BasePaths: []string{"/" + slug + "/v1"},
			Upstream: api.Upstream{Addresses: []string{"consul:" + slug}, Auth: "call-token", Timeout: api.Duration(30 * time.Second), MaxBody: 1 << 20}}
		for i := range 20 {
			service.Operations = append(service.Operations, api.Operation{
				ID: fmt.Sprintf("operatie%d", i), Method: "GET", Path: fmt.Sprintf("/%s/v1/dingen%d/{id}", slug, i), Scope: slug + ".lezen",
			})
		}
		s.Services = append(s.Services, service)
	}
	for o := range 40 {
		oin := fmt.Sprintf("000000990%08d000", o+50000)
		s.Organisations = append(s.Organisations, api.Organisation{OIN: oin, Slug: fmt.Sprintf("gemeente-%d", o), Name: "Gemeente"})
		for c := range 10 {
			client := api.Client{ID: fmt.Sprintf("client-%d-%d", o, c), Organisation: oin, Profile: "nlgov", SigningAlg: "ES256",
				JWKS: json.RawMessage(`{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1","alg":"ES256"}]}`)}
			for d := range 100 {
				client.Assignments = append(client.Assignments, api.Assignment{Name: fmt.Sprintf("dienst-%d", d), GrantHash: hash("$1$3$", o, d)})
			}
			s.Clients = append(s.Clients, client)
		}
		for d := range 100 {
			slug := fmt.Sprintf("dienst-%d", d)
			s.Contracts = append(s.Contracts, hash("$1$1$", o, d))
			s.Grants = append(s.Grants, api.Grant{Hash: hash("$1$3$", o, d), ContractHash: hash("$1$1$", o, d), Consumer: oin, Provider: s.HubOIN,
				Outway: api.Outway{DomainName: "gateway.hub.internal"}, Service: slug, NotBefore: time.Unix(1.7e9, 0), NotAfter: time.Unix(1.8e9, 0),
				Terms: api.Terms{Purpose: "gegevens controleren", LegalBasis: "wettelijke taak", ProcessingActivity: "https://register.example/v/1",
					Scopes: []string{slug + ".lezen"}, Binding: "any", Logging: "required"}})
		}
	}
	return s
}

// BenchmarkOneChange measures what one suspended grant costs on its way: making the delta, applying it, verifying and
// decoding what it leads to; and how many bytes travel of how many.
func BenchmarkOneChange(b *testing.B) {
	key, s := newKey(b), large()
	old, err := api.Seal(s, key)
	if err != nil {
		b.Fatal(err)
	}
	s.Version.Number++
	s.Grants[2000].Narrowing = &api.Narrowing{Suspended: true, By: s.HubOIN, Reason: "onderzoek"}
	next, err := api.Seal(s, key)
	if err != nil {
		b.Fatal(err)
	}
	step := api.Diff(old.Body, next.Body)
	text, err := json.Marshal(api.Delta{Steps: []api.Step{step}})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("make", func(b *testing.B) {
		for b.Loop() {
			api.Diff(old.Body, next.Body)
		}
		b.ReportMetric(float64(len(text)), "delta-bytes")
		b.ReportMetric(float64(len(next.Body)), "whole-bytes")
	})
	b.Run("apply", func(b *testing.B) {
		for b.Loop() {
			body, err := api.Delta{Steps: []api.Step{step}}.Apply(old.Body)
			if err != nil || !bytes.Equal(body, next.Body) {
				b.Fatal("another body")
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if _, err := next.Open(&key.PublicKey); err != nil {
				b.Fatal(err)
			}
		}
	})
}
