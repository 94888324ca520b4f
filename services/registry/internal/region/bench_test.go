package region_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

const (
	benchOrganisations = 40
	benchServices      = 100
	benchClients       = 400
)

// BenchmarkLoad reads, verifies and compiles a region of 400 clients, 100 services and 4000 contracts.
func BenchmarkLoad(b *testing.B) {
	r := large(b)
	loaded := mustLoad(b, r)
	text, err := json.Marshal(loaded.Snapshot(regiontest.Now))
	if err != nil {
		b.Fatal(err)
	}
	if got := len(loaded.Snapshot(regiontest.Now).Grants); got != benchOrganisations*benchServices {
		b.Fatalf("got %d grants", got)
	}
	b.ReportMetric(float64(len(text)), "snapshot-bytes")
	for b.Loop() {
		mustLoad(b, r)
	}
}

func large(b *testing.B) *regiontest.Region {
	r := regiontest.Default(b)
	var y strings.Builder
	fmt.Fprint(&y, "hub: {organisation: noorderhub, groupId: noorderhub-test, gateway: gateway.hub.internal, anchors: [anchor.pem]}\n"+
		"organisations:\n  - {oin: \"00000099000000001000\", slug: noorderhub, name: Noorderhub, certificates: [noorderhub.pem]}\n")
	oin := func(i int) string { return fmt.Sprintf("000000990%08d000", i+50000) }
	for i := range benchOrganisations {
		slug := fmt.Sprintf("gemeente-%d", i)
		r.Signers[slug] = r.Signer(b, slug+".pem", oin(i), 365*24*time.Hour)
		fmt.Fprintf(&y, "  - {oin: %q, slug: %s, name: Gemeente, certificates: [%s.pem]}\n", oin(i), slug, slug)
	}
	fmt.Fprint(&y, "clients:\n")
	for i := range benchClients {
		name := fmt.Sprintf("client-%d", i)
		r.Write(b, name+".pem", regiontest.PublicPEM(b, r.Pair(b, pki.Request{CommonName: name}).Key().Public()))
		o := i % benchOrganisations
		fmt.Fprintf(&y, "  - {id: %s, organisation: gemeente-%d, profile: nlgov, alg: ES256, keys: [%s.pem], assignments: [", name, o, name)
		for s := range benchServices {
			fmt.Fprintf(&y, "{name: dienst-%d, contract: c-%d-%d},", s, o, s)
		}
		fmt.Fprint(&y, "]}\n")
	}
	fmt.Fprint(&y, "services:\n")
	for s := range benchServices {
		fmt.Fprintf(&y, "  - {slug: dienst-%d, owner: noorderhub, title: Dienst, apis: [{basePath: /dienst-%d/v1, openapi: dienst.yaml}], "+
			"upstream: {addresses: [\"https://127.0.0.1:9001\"]}}\n", s, s)
	}
	fmt.Fprint(&y, "contracts: {directory: contracts}\n")
	r.Write(b, "dienst.yaml", strings.ReplaceAll(regiontest.OpenAPI, "bag.detail", "dienst.detail"))
	r.WriteYAML(b, y.String())
	r.Remove(b, "contracts/assen-bag.json")
	for o := range benchOrganisations {
		for s := range benchServices {
			d := regiontest.Draft()
			d.Connections[0].Consumer, d.Connections[0].Service = oin(o), fmt.Sprintf("dienst-%d", s)
			d.Connections[0].Terms.Scopes = []string{fmt.Sprintf("dienst-%d.lezen", s)}
			r.Sign(b, fmt.Sprintf("c-%d-%d", o, s), d, fmt.Sprintf("gemeente-%d", o), "noorderhub")
		}
	}
	return r
}
