package region_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/region"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

func load(r *regiontest.Region) (*region.Region, error) {
	return region.Load(context.Background(), r.File(), region.Options{Now: func() time.Time { return regiontest.Now }})
}

func mustLoad(t testing.TB, r *regiontest.Region) *region.Region {
	t.Helper()
	loaded, err := load(r)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestARegionIsCompiled(t *testing.T) {
	fixture := regiontest.Default(t)
	s := mustLoad(t, fixture).Snapshot(regiontest.Now)

	if s.HubOIN != regiontest.HubOIN || s.GroupID != "noorderhub-test" || len(s.Organisations) != 3 {
		t.Errorf("got hub %s, group %s, %d organisations", s.HubOIN, s.GroupID, len(s.Organisations))
	}
	wantOperations := []api.Operation{
		{ID: "bevragenAdressen", Method: "GET", Path: "/bag/individuelebevragingen/v2/adressen", Scope: "bag.lezen"},
		{ID: "haalAdres", Method: "GET", Path: "/bag/individuelebevragingen/v2/adressen/{id}", Scope: "bag.detail"},
		{ID: "meldTerug", Method: "POST", Path: "/bag/individuelebevragingen/v2/adressen/{id}", Scope: "bag.schrijven"},
	}
	if diff := cmp.Diff(wantOperations, s.Services[0].Operations); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	if got, want := s.Services[0].Public, []string{"/bag/individuelebevragingen/v2/openapi.json"}; !cmp.Equal(got, want) {
		t.Errorf("got public paths %v, want %v", got, want)
	}
	g := s.Grants[0]
	d := regiontest.Draft()
	if g.Consumer != regiontest.AssenOIN || g.Provider != regiontest.HubOIN || g.Service != "bag" ||
		!g.NotBefore.Equal(d.NotBefore) || !g.NotAfter.Equal(d.NotAfter) || g.Outway.DomainName != "gateway.hub.internal" {
		t.Errorf("got grant %+v", g)
	}
	wantTerms := api.Terms{
		Purpose: "adressen controleren", Scopes: []string{"bag.lezen"}, Binding: "none", Logging: "required", Tariff: "bag-2026",
	}
	if diff := cmp.Diff(wantTerms, g.Terms); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	assen := s.Clients[0]
	if diff := cmp.Diff([]api.Assignment{{Name: "assen-demo", GrantHash: g.Hash}}, assen.Assignments); diff != "" {
		t.Errorf("assignments (-want +got):\n%s", diff)
	}
	if got, want := assen.Certificates, []string{contract.Thumbprint(fixture.Signers["assen"].Certificate)}; !cmp.Equal(got, want) {
		t.Errorf("got certificates %v, want %v", got, want)
	}
	if keys := string(assen.JWKS); !strings.Contains(keys, `"alg":"ES256"`) || !strings.Contains(keys, `"kid"`) || strings.Contains(keys, `"d"`) {
		t.Errorf("got keys %s", keys)
	}
}

func TestAContractWithEachProviderOfAServicePerOrganisation(t *testing.T) {
	r := regiontest.Default(t)
	r.Replace(t, "published: true", "perOrganisation: true")
	r.Replace(t, "service: bag, notBefore", "service: bag, provider: emmen, rate: 5, quota: 7, notBefore")
	d := regiontest.Draft()
	d.Connections[0].Provider = regiontest.EmmenOIN
	d.Connections[0].Terms.Rate, d.Connections[0].Terms.Quota = 5, 7
	r.Sign(t, "assen-bag", d, "assen", "emmen")
	own := d
	own.Connections = []contract.Connection{d.Connections[0]}
	own.Connections[0].Provider = regiontest.AssenOIN
	r.Sign(t, "own-use", own, "assen")
	s := mustLoad(t, r).Snapshot(regiontest.Now)
	got := map[string]api.Terms{}
	for _, g := range s.Grants {
		got[g.Provider] = g.Terms
	}
	if len(got) != 2 || got[regiontest.EmmenOIN].Rate != 5 || got[regiontest.EmmenOIN].Quota != 7 || got[regiontest.AssenOIN].Purpose == "" {
		t.Errorf("got %+v, want a grant of emmen with rate and quota, and one of assen itself", s.Grants)
	}
	if !s.Services[0].PerOrganisation {
		t.Error("the snapshot does not say that the service is one per organisation")
	}
}

func TestAPathIsPublicWhenDescriptionAndRegionSaySo(t *testing.T) {
	r := regiontest.Default(t)
	r.Replace(t, "published: true", "public: [/bag/individuelebevragingen/v2/sleutels]")
	r.Write(t, "bag.yaml", regiontest.OpenAPI+"  /sleutels:\n    get: {operationId: lijstSleutels, security: [], responses: {'200': {description: ok}}}\n")
	s := mustLoad(t, r).Snapshot(regiontest.Now).Services[0]
	if want := []string{"/bag/individuelebevragingen/v2/sleutels"}; !cmp.Equal(s.Public, want) || len(s.Operations) != 3 {
		t.Errorf("got public %v and operations %v, want public %v", s.Public, s.Operations, want)
	}
	r.Replace(t, "public: [/bag/individuelebevragingen/v2/sleutels]", "published: true")
	for _, o := range mustLoad(t, r).Snapshot(regiontest.Now).Services[0].Operations {
		if o.ID == "lijstSleutels" && o.Scope == "bag.lezen" {
			return
		}
	}
	t.Error("without the region's word the operation has no scope")
}

func TestTheSameFilesCompileToTheSameBytes(t *testing.T) {
	r := regiontest.Default(t)
	var first string
	for range 20 {
		text, err := json.Marshal(mustLoad(t, r).Snapshot(regiontest.Now))
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(text)
		} else if string(text) != first {
			t.Fatalf("got %s, want %s", text, first)
		}
	}
}

func TestARegionIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, r *regiontest.Region)
		want  string // in the list of faults
	}{
		{"with an unknown key", replace("published: true", "publishd: true"), "field publishd not found"},
		{"with a wrong type", replace("timeout: 5s", "timeout: soon"), "line "},
		{"that is not YAML", replace("hub:", "hub: ["), "region.yaml: yaml"},
		{"that is empty", write("region.yaml", ""), "region.yaml: empty"},
		{"without anchors", replace("anchors: [anchor.pem]", "anchors: []"), "hub: anchors"},
		{"whose hub is no organisation", replace("organisation: noorderhub", "organisation: hub"), `organisation "hub" is not among`},
		{"with an OIN that is none", replace(`"00000099000000003000"`, `"123"`), "organisations[2] emmen: oin"},
		{"with a duplicate organisation slug", replace("slug: emmen", "slug: assen"), "slug assen stands there twice"},
		{"with an OIN twice", replace(`"00000099000000003000"`, `"00000099000000002000"`), "oin is that of assen too"},
		{"with a certificate of another organisation", replace("certificates: [emmen.pem]", "certificates: [assen.pem]"), "not the organisation's OIN"},
		{"with a missing file", replace("certificates: [emmen.pem]", "certificates: [gone.pem]"), "no such file"},
		{"with a private key as contract certificate", func(t *testing.T, r *regiontest.Region) {
			r.Write(t, "emmen.pem", regiontest.PrivatePEM(t, r.Signers["emmen"].Key))
		}, "organisations[2] emmen: certificates[0] emmen.pem: holds a private key"},
		{"with a private key as client key", func(t *testing.T, r *regiontest.Region) {
			r.Write(t, "emmen-client.pem", regiontest.PrivatePEM(t, r.Signers["emmen"].Key))
		}, "keys[0] emmen-client.pem: holds a private key"},
		{"with a private JWK as client key", write("emmen-client.pem", `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}`), "holds a private key"},
		{"with a shared secret as client key", write("emmen-client.pem", `{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQ"}`), "shared secret"},
		{"with a weak RSA key", func(t *testing.T, r *regiontest.Region) {
			key, err := rsa.GenerateKey(rand.Reader, 1024)
			if err != nil {
				t.Fatal(err)
			}
			r.Write(t, "emmen-client.pem", regiontest.PublicPEM(t, key.Public()))
			r.Replace(t, "emmen, profile: nlgov, alg: ES256", "emmen, profile: nlgov, alg: PS256")
		}, "better 3072"},
		{"with a key that does not suit the algorithm", replace("assen, profile: nlgov, alg: ES256", "assen, profile: nlgov, alg: PS256"), "does not suit alg"},
		{"with RS256 under the profile fapi2", replace("emmen, profile: nlgov, alg: ES256", "emmen, profile: fapi2, alg: RS256"), "does not suit profile fapi2"},
		{"with one key for two clients", replace("keys: [emmen-client.pem]", "keys: [assen-client.pem]"), "already one of client assen-demo"},
		{"with a duplicate client id", replace("id: emmen-demo", "id: assen-demo"), "id stands there twice"},
		{"with an assignment of nothing", replace("emmen-client.pem], assignments: []", "emmen-client.pem], assignments: [{name: x1, contract: gone}]"), "there is no contract gone.json"},
		{"with an assignment of another's contract", replace("emmen-client.pem], assignments: []", "emmen-client.pem], assignments: [{name: x1, contract: assen-bag}]"), "has 0 grants for this organisation"},
		{"with an unknown admin scope", replace("adminScopes: [beheer.lezen]", "adminScopes: [beheer.alles]"), `adminScopes: "beheer.alles"`},
		{"with a foreign hub operator", replace("adminScopes: [beheer.lezen]", "hubOperator: true"), "can be hubOperator"},
		{"with an unknown role", replace("roles: [administrator]", "roles: [boss]"), `role "boss" is unknown`},
		{"with a reserved base path", replace("basePath: /bag/individuelebevragingen/v2", "basePath: /oauth2/v2"), "basePath is reserved"},
		{"with a plain HTTP upstream", replace("https://127.0.0.1:9001", "http://127.0.0.1:9001"), "neither https"},
		{"with overlapping base paths", replace("apis: [{basePath", "apis: [{basePath: /bag, openapi: bag.yaml}, {basePath"), "overlaps"},
		{"with the same operations twice", replace("apis: [{basePath", "apis: [{basePath: /b2, openapi: bag.yaml}, {basePath"), "operationId haalAdres stands there twice"},
		{"with a broken OpenAPI file", write("bag.yaml", "openapi: ["), "not an OpenAPI file"},
		{"with an OpenAPI file that refers to another", write("bag.yaml", strings.Replace(regiontest.OpenAPI, "responses: {'200': {description: ok}}}", "responses: {'200': {$ref: '/etc/passwd'}}}", 1)), "not an OpenAPI file"},
		{"with an operation without id", write("bag.yaml", strings.Replace(regiontest.OpenAPI, "operationId: haalAdres, ", "", 1)), "operationId is missing"},
		{"with an operation with two scopes", write("bag.yaml", strings.Replace(regiontest.OpenAPI, "[bag.detail]", "[bag.detail, bag.meer]", 1)), "names 2 scopes"},
		{"with a path with a trailing slash", write("bag.yaml", strings.Replace(regiontest.OpenAPI, "/adressen:", "/adressen/:", 1)), "cannot be routed"},
		{"with a path with two parameters in one segment", path("/adressen/{id}-{nr}:"), "cannot be routed"},
		{"with a path with a parameter in part of a segment", path("/adressen/{id}.json:"), "cannot be routed"},
		{"with a path with a star", path("/adressen/*:"), "cannot be routed"},
		{"with a path with a star in a segment", path("/adressen/a*b:"), "cannot be routed"},
		{"with a path with a dot segment", path("/adressen/./x:"), "cannot be routed"},
		{"with a path that ends in two dots", path("/adressen/..:"), "cannot be routed"},
		{"with a scope of another service", scope("adressen.detail"), `scope "adressen.detail" does not begin with bag.`},
		{"with a scope that only begins like the slug", scope("bagger.detail"), "does not begin with bag."},
		{"with a scope of an administration API", scope("beheer.lezen"), `scope "beheer.lezen" does not begin with bag.`},
		{"with terms that state fields", replace("tariff: bag-2026", "fields: {haalAdres: [id]}"), "fields cannot be enforced by this version"},
		{"with a contract that states fields", signed(func(c *contract.Connection) {
			c.Terms.Fields = map[string][]string{"haalAdres": {"id"}}
		}), "grants[0]: fields cannot be enforced by this version of the hub"},
		{"with a public path whose description demands a token", replace("published: true", "public: [/bag/individuelebevragingen/v2/adressen]"), "does not say security: [] for GET /bag/individuelebevragingen/v2/adressen"},
		{"with a public path that the description lacks", replace("published: true", "public: [/bag/individuelebevragingen/v2/niets]"), "does not say security: [] for GET /bag/individuelebevragingen/v2/niets"},
		{"with a public path of another service", replace("published: true", "public: [/oauth2/token]"), "not a path without parameters below a base path"},
		{"with a public path with a parameter", replace("published: true", "public: ['/bag/individuelebevragingen/v2/adressen/{id}']"), "not a path without parameters"},
		{"with a provider that is not the owner", replace("service: bag, notBefore", "service: bag, provider: emmen, notBefore"), "provider is for services per organisation"},
		{"without the provider of a service per organisation", replace("published: true", "perOrganisation: true"), `provider "" is not among the organisations`},
		{"with a service whose name is that of one per organisation", replace("contracts:\n", `  - slug: bag2
    owner: emmen
    fscName: bag
    perOrganisation: true
    title: Adressen
    apis: [{basePath: /bag2, openapi: bag.yaml}]
    upstream: {addresses: ["https://127.0.0.1:9001"], part: address}
contracts:
`), "fscName is that of bag too"},
		{"with an outway identified by key thumbprint", signed(func(c *contract.Connection) {
			c.Gateway, c.Thumbprint = "", strings.Repeat("0a", 32)
		}), "identified by key thumbprint are not supported yet"},
		{"with terms that nobody signed", replace("    - {name: assen-bag", "    - {name: assen-nieuw, consumer: assen, service: bag, notBefore: FROM, notAfter: TILL, purpose: x, scopes: [bag.lezen]}\n    - {name: assen-bag"), "there is no signed contract assen-nieuw.json"},
		{"with terms that differ from the contract", replace("tariff: bag-2026", "tariff: bag-2027"), "states other terms"},
		{"with a window that differs from the contract", replace("notBefore: FROM", "notBefore: 2020-01-01T00:00:00Z"), "has another window"},
		{"with terms for another organisation", replace("consumer: assen", "consumer: emmen"), "between other organisations"},
		{"with a scope that no operation asks", replace("scopes: [bag.lezen]", "scopes: [bag.alles]"), "no operation of bag asks scope bag.alles"},
		{"with terms that do not suit personal data", replace("published: true", "published: true\n    personal: true"), "legal_basis: missing"},
		{"with a contract that is no JSON", write("contracts/assen-bag.json", "{"), "contracts/assen-bag.json"},
		{"with a missing signature", func(t *testing.T, r *regiontest.Region) {
			r.Sign(t, "assen-bag", regiontest.Draft(), "assen")
		}, "signature missing: accept of " + regiontest.HubOIN},
		{"with a foreign signature", func(t *testing.T, r *regiontest.Region) {
			c := r.Sign(t, "assen-bag", regiontest.Draft(), "assen")
			c.Accept[regiontest.HubOIN] = c.Accept[regiontest.AssenOIN]
			r.WriteContract(t, "assen-bag", c)
		}, "signature accept of " + regiontest.HubOIN},
		{"with a changed contract", func(t *testing.T, r *regiontest.Region) {
			text, err := os.ReadFile(filepath.Join(r.Dir, "contracts", "assen-bag.json"))
			if err != nil {
				t.Fatal(err)
			}
			r.Write(t, "contracts/assen-bag.json", strings.Replace(string(text), `"noorderhub.tariff":"bag-2026"`, `"noorderhub.tariff":"bag-2027"`, 1))
		}, "is of another content"},
		{"with an expired contract", func(t *testing.T, r *regiontest.Region) {
			d := regiontest.Draft()
			d.NotAfter = regiontest.Now.Add(-time.Second)
			r.Sign(t, "assen-bag", d, "assen", "noorderhub")
		}, "expired on"},
		{"with a contract signed under an authority that is no anchor", func(t *testing.T, r *regiontest.Region) {
			other, err := pki.NewCA("other")
			if err != nil {
				t.Fatal(err)
			}
			r.CA = other
			r.Signers["assen"] = r.Signer(t, "assen.pem", regiontest.AssenOIN, time.Hour)
			r.Sign(t, "assen-bag", regiontest.Draft(), "assen", "noorderhub")
		}, "certificate"},
		{"with a contract of an unknown organisation", func(t *testing.T, r *regiontest.Region) {
			d := regiontest.Draft()
			d.Connections[0].Provider = "00000099000000009000"
			r.Sign(t, "x", d, "assen")
		}, "organisation 00000099000000009000 is not in this region"},
		{"with a contract for a service that does not exist", func(t *testing.T, r *regiontest.Region) {
			d := regiontest.Draft()
			d.Connections[0].Service = "zaken"
			r.Sign(t, "x", d, "assen", "noorderhub")
		}, "there is no service zaken"},
		{"with a contract for another gateway", func(t *testing.T, r *regiontest.Region) {
			d := regiontest.Draft()
			d.Connections[0].Gateway = "evil.example.nl"
			r.Sign(t, "x", d, "assen", "noorderhub")
		}, "is not the gateway"},
		{"with one contract in two files", func(t *testing.T, r *regiontest.Region) {
			c := r.Sign(t, "assen-bag", regiontest.Draft(), "assen", "noorderhub")
			r.WriteContract(t, "copy", c)
		}, "is the same contract as"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := regiontest.Default(t)
			tt.spoil(t, r)
			_, err := load(r)
			var faults region.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("got error %v, want faults", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %s\nwant %q in it", err, tt.want)
			}
		})
	}
}

// path gives the operations under /adressen/{id} another path.
func path(with string) func(*testing.T, *regiontest.Region) {
	text := strings.Replace(regiontest.OpenAPI, "parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n    ", "", 1)
	return write("bag.yaml", strings.Replace(text, "/adressen/{id}:", with, 1))
}

func scope(with string) func(*testing.T, *regiontest.Region) {
	return write("bag.yaml", strings.Replace(regiontest.OpenAPI, "bag.detail", with, 1))
}

// signed has both sides sign a contract that differs from what the terms ask for.
func signed(change func(*contract.Connection)) func(*testing.T, *regiontest.Region) {
	return func(t *testing.T, r *regiontest.Region) {
		d := regiontest.Draft()
		change(&d.Connections[0])
		r.Sign(t, "assen-bag", d, "assen", "noorderhub")
	}
}

func replace(old, with string) func(*testing.T, *regiontest.Region) {
	return func(t *testing.T, r *regiontest.Region) {
		if old == "notBefore: FROM" {
			old = "notBefore: " + regiontest.Draft().NotBefore.Format(time.RFC3339)
		}
		r.Replace(t, old, with)
	}
}

func write(name, text string) func(*testing.T, *regiontest.Region) {
	return func(t *testing.T, r *regiontest.Region) { r.Write(t, name, text) }
}

func TestAllFaultsComeAtOnce(t *testing.T) {
	r := regiontest.Default(t)
	r.Replace(t, "published: true", "publishd: true")
	r.Replace(t, "roles: [administrator]", "roles: [boss]")
	r.Replace(t, "https://127.0.0.1:9001", "ftp://x")
	r.Sign(t, "assen-bag", regiontest.Draft(), "assen")
	_, err := load(r)
	for _, want := range []string{"publishd", "boss", "ftp://x", "signature missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %q in it", err, want)
		}
	}
}

func TestARevokedOrRejectedContractGivesNothingAndBlocksNothing(t *testing.T) {
	for _, kind := range []contract.SignatureType{contract.Revoke, contract.Reject} {
		r := regiontest.Default(t)
		d := regiontest.Draft()
		d.Connections[0].Terms = contract.Terms{Scopes: []string{"bag.gone"}, Rate: 5}
		d.Connections[0].Gateway = "gone.example.nl"
		c := r.Sign(t, "assen-bag", d, "assen", "noorderhub")
		jws, err := contract.Sign(r.Signers["noorderhub"], c.Content, kind, regiontest.Now)
		if err != nil {
			t.Fatal(err)
		}
		c.Reject = map[string]string{}
		map[contract.SignatureType]map[string]string{contract.Revoke: c.Revoke, contract.Reject: c.Reject}[kind][regiontest.HubOIN] = jws
		r.WriteContract(t, "assen-bag", c)
		r.Replace(t, "assen, service: bag", "assen, service: gone")
		s := mustLoad(t, r).Snapshot(regiontest.Now)
		if len(s.Grants) != 0 || len(s.Clients[0].Assignments) != 0 {
			t.Errorf("%s: got %d grants and %d assignments, want none", kind, len(s.Grants), len(s.Clients[0].Assignments))
		}
	}
}

func TestAContractThatExpiresWhileInForceDropsOut(t *testing.T) {
	r := regiontest.Default(t)
	inForce := mustLoad(t, r).Snapshot(regiontest.Now).Contracts
	later := region.Options{Now: func() time.Time { return regiontest.Draft().NotAfter }}
	if _, err := region.Load(t.Context(), r.File(), later); err == nil || !strings.Contains(err.Error(), "expired on") {
		t.Errorf("got %v for a contract that was never in force, want the fault", err)
	}
	later.InForce = inForce
	for range 2 { // it stays known after it dropped out
		loaded, err := region.Load(t.Context(), r.File(), later)
		if err != nil {
			t.Fatal(err)
		}
		s := loaded.Snapshot(later.Now())
		if len(s.Grants) != 0 || len(s.Clients[0].Assignments) != 0 {
			t.Errorf("got %d grants and %d assignments, want none", len(s.Grants), len(s.Clients[0].Assignments))
		}
		if got := loaded.Expired(later.Now()); !cmp.Equal(got, []string{"assen-bag.json"}) {
			t.Errorf("got %v as expired", got)
		}
		later.InForce = s.Contracts
	}
}

func TestADescriptionThatTheHubServesIsNoOperation(t *testing.T) {
	r := regiontest.Default(t)
	r.Write(t, "bag.yaml", regiontest.OpenAPI+"  /openapi.json:\n    get: {responses: {'200': {description: ok}}}\n")
	if got := len(mustLoad(t, r).Snapshot(regiontest.Now).Services[0].Operations); got != 3 {
		t.Errorf("got %d operations, want 3", got)
	}
	r.Replace(t, "published: true", "published: false")
	if _, err := load(r); err == nil || !strings.Contains(err.Error(), "GET /openapi.json: operationId") {
		t.Errorf("got %v, want the fault of an operation like any other", err)
	}
}

func TestAGrantEndsWithTheCertificateOfASigner(t *testing.T) {
	r := regiontest.Default(t)
	r.Signers["assen"] = r.Signer(t, "assen.pem", regiontest.AssenOIN, 24*time.Hour)
	r.Sign(t, "assen-bag", regiontest.Draft(), "assen", "noorderhub")
	got := mustLoad(t, r).Snapshot(regiontest.Now).Grants[0].NotAfter
	if want := r.Signers["assen"].Certificate.NotAfter; !got.Equal(want) {
		t.Errorf("got end %v, want %v", got, want)
	}
}

func TestDraftsAreWhatTheTermsAskFor(t *testing.T) {
	r := regiontest.Default(t)
	if err := os.RemoveAll(filepath.Join(r.Dir, "contracts")); err != nil {
		t.Fatal(err)
	}
	loaded, err := region.Load(context.Background(), r.File(), region.Options{
		Now: func() time.Time { return regiontest.Now }, WithoutContracts: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []region.Draft{{Name: "assen-bag", Draft: regiontest.Draft()}}
	if diff := cmp.Diff(want, loaded.Drafts(regiontest.Now)); diff != "" {
		t.Errorf("drafts (-want +got):\n%s", diff)
	}
}
