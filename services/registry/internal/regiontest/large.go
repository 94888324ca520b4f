package regiontest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/pki"
)

const (
	largeOrganisations = 40
	largeClients       = 400
)

// Large writes a region of 40 organisations, 100 services, 400 clients that use all of them, and 4000 contracts; times is
// how often as many services, and with them contracts, there are.
func Large(b testing.TB, times int) *Region {
	r := Default(b)
	services := 100 * times
	var y strings.Builder
	fmt.Fprint(&y, "hub: {organisation: noorderhub, groupId: noorderhub-test, gateway: gateway.hub.internal, anchors: [anchor.pem]}\n"+
		"organisations:\n  - {oin: \"00000099000000001000\", slug: noorderhub, name: Noorderhub, certificates: [noorderhub.pem]}\n")
	oin := func(i int) string { return fmt.Sprintf("000000990%08d000", i+50000) }
	for i := range largeOrganisations {
		slug := fmt.Sprintf("gemeente-%d", i)
		r.Signers[slug] = r.Signer(b, slug+".pem", oin(i), 365*24*time.Hour)
		fmt.Fprintf(&y, "  - {oin: %q, slug: %s, name: Gemeente, certificates: [%s.pem]}\n", oin(i), slug, slug)
	}
	fmt.Fprint(&y, "clients:\n")
	for i := range largeClients {
		name := fmt.Sprintf("client-%d", i)
		r.Write(b, name+".pem", PublicPEM(b, r.Pair(b, pki.Request{CommonName: name}).Key().Public()))
		o := i % largeOrganisations
		fmt.Fprintf(&y, "  - {id: %s, organisation: gemeente-%d, profile: nlgov, alg: ES256, keys: [%s.pem], assignments: [", name, o, name)
		for s := range services {
			fmt.Fprintf(&y, "{name: dienst-%d, contract: c-%d-%d},", s, o, s)
		}
		fmt.Fprint(&y, "]}\n")
	}
	fmt.Fprint(&y, "services:\n")
	for s := range services {
		fmt.Fprintf(&y, "  - {slug: dienst-%d, owner: noorderhub, title: Dienst, apis: [{basePath: /dienst-%d/v1, openapi: dienst-%d.yaml}], "+
			"upstream: {addresses: [\"https://127.0.0.1:9001\"]}}\n", s, s, s)
		r.Write(b, fmt.Sprintf("dienst-%d.yaml", s), strings.ReplaceAll(OpenAPI, "bag.detail", fmt.Sprintf("dienst-%d.detail", s)))
	}
	fmt.Fprint(&y, "contracts: {directory: contracts}\n")
	r.WriteYAML(b, y.String())
	r.Remove(b, "contracts/assen-bag.json")
	for o := range largeOrganisations {
		for s := range services {
			d := Draft()
			d.Connections[0].Consumer, d.Connections[0].Service = oin(o), fmt.Sprintf("dienst-%d", s)
			d.Connections[0].Terms.Scopes = []string{fmt.Sprintf("dienst-%d.lezen", s)}
			r.Sign(b, fmt.Sprintf("c-%d-%d", o, s), d, fmt.Sprintf("gemeente-%d", o), "noorderhub")
		}
	}
	return r
}
