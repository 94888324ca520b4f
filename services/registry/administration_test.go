package registry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

// person is somebody, or a program, at an organisation.
type person struct {
	id, oin string // no id: a program
	roles   []string
}

var (
	anna  = person{"anna", regiontest.AssenOIN, []string{"administrator", "integrator"}}
	aad   = person{"aad", regiontest.AssenOIN, []string{"approver"}}
	hilda = person{"hilda", regiontest.HubOIN, []string{"hub-operator", "approver", "integrator"}}
	henk  = person{"henk", regiontest.HubOIN, []string{"approver"}}
	eefje = person{"eefje", regiontest.EmmenOIN, []string{"administrator", "integrator", "approver", "operator", "privacy-officer"}}
	robot = person{"", regiontest.AssenOIN, nil}
)

// office is a registry with whom to ask it as.
type office struct {
	*world
	signer *token.Signer
}

func newOffice(t *testing.T, changes ...func(*world)) *office {
	t.Helper()
	w := newWorld(t)
	for _, change := range changes {
		change(w)
	}
	for slug, oin := range map[string]string{"assen": regiontest.AssenOIN, "noorderhub": regiontest.HubOIN, "emmen": regiontest.EmmenOIN} {
		w.region.Write(t, slug+".key", regiontest.PrivatePEM(t, w.region.Signers[slug].Key))
		in := func(name string) string { return filepath.Join(w.region.Dir, name) }
		w.cfg.Hosted = append(w.cfg.Hosted, registry.Hosted{OIN: oin, Key: in(slug + ".key"), Certificate: in(slug + ".pem"), Anchor: in("anchor.pem")})
	}
	w.start()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := token.NewSigner(key, token.TypeCall)
	if err != nil {
		t.Fatal(err)
	}
	set, err := token.PublicSet(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.remote("gateway").PublishKeys(t.Context(), api.PartKeys{Part: "gateway", Instance: "gw-1", JWKS: set}); err != nil {
		t.Fatal(err)
	}
	return &office{world: w, signer: signer}
}

type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends a request as somebody. match is an ETag, "*" for something new, or "".
func (o *office) ask(who person, method, path, match string, body any) reply {
	o.t.Helper()
	var text io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			o.t.Fatal(err)
		}
		text = strings.NewReader(string(encoded))
	}
	req, err := http.NewRequestWithContext(o.t.Context(), method, "https://"+o.svc.Addr()+"/beheer/v1"+path, text)
	if err != nil {
		o.t.Fatal(err)
	}
	now := time.Now()
	claims := &token.Claims{
		Issuer: hubURL, Subject: "client-of-" + who.id, ClientID: "client-of-" + who.id, AuthorizedParty: "c", Audience: hubURL + "/beheer", PeerID: who.oin,
		Issued: token.Date(now), NotBefore: token.Date(now), Expires: token.Date(now.Add(30 * time.Second)),
		ID: token.NewID(), Scope: "beheer.lezen beheer.schrijven", GroupID: "noorderhub-test", Roles: who.roles,
	}
	if who.id != "" {
		claims.Subject = who.id
	}
	raw, err := o.signer.Sign(claims)
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	switch match {
	case "":
	case "*":
		req.Header.Set("If-None-Match", "*")
	default:
		req.Header.Set("If-Match", match)
	}
	resp, err := o.http("gateway").Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(answer)}
}

// must is ask for what has to succeed with a status.
func (o *office) must(status int, who person, method, path, match string, body any) reply {
	o.t.Helper()
	r := o.ask(who, method, path, match, body)
	if r.status != status {
		o.t.Fatalf("%s %s as %s: got %d %s, want %d", method, path, who.id, r.status, r.body, status)
	}
	return r
}

func (o *office) publicKey() string {
	o.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		o.t.Fatal(err)
	}
	return regiontest.PublicPEM(o.t, key.Public())
}

func (o *office) clientBody() api.ClientBody {
	return api.ClientBody{Name: "Vergunningen", Profile: "nlgov", Alg: "ES256", Keys: []api.KeyBody{{Public: o.publicKey()}}}
}

func draft() api.ContractDraft {
	return api.ContractDraft{
		Name: "emmen-bag", From: time.Now().Add(-time.Hour), Till: time.Now().AddDate(0, 3, 0),
		Grants: []api.GrantDraft{{
			Consumer: regiontest.AssenOIN, Provider: regiontest.HubOIN, Service: "bag", Purpose: "adressen controleren", Scopes: []string{"bag.lezen", "bag.detail"}, Rate: 50,
		}},
	}
}

func TestAContractFromProposalToItsEnd(t *testing.T) {
	o := newOffice(t)
	made := o.must(http.StatusCreated, anna, "POST", "/afspraken", "", draft())
	var c api.AgreementDetail
	if err := json.Unmarshal([]byte(made.body), &c); err != nil {
		t.Fatal(err)
	}
	if c.State != "PROPOSED" || len(c.Missing) != 2 || c.Since == nil || made.header.Get("Location") != "/beheer/v1/afspraken/"+c.Hash {
		t.Errorf("got %+v at %s", c.AgreementView, made.header.Get("Location"))
	}
	path := "/afspraken/" + c.Hash
	accept := api.SignatureBody{Kind: "accept"}
	for _, tt := range []struct {
		name   string
		who    person
		status int
		code   string
	}{
		{"by who proposed it", person{"anna", anna.oin, []string{"approver"}}, 403, "four-eyes"},
		{"by somebody without the role", anna, 403, "role-missing"},
		{"by a program", robot, 403, "role-missing"},
		{"by a stranger", eefje, 404, "not-in-directory"},
		{"by a colleague", aad, 200, ""},
		{"twice", aad, 409, "signed-already"},
		{"by the provider", henk, 200, ""},
		{"when all signed", henk, 409, "signed-already"},
	} {
		if got := o.ask(tt.who, "POST", path+"/handtekeningen", "", accept); got.status != tt.status || !strings.Contains(got.body, tt.code) {
			t.Errorf("accepted %s: got %d %s, want %d %s", tt.name, got.status, got.body, tt.status, tt.code)
		}
	}
	s := o.snapshot(api.Version{}, 0)
	grant := grantOf(s, c.Hash)
	if grant == nil || grant.Terms.Rate != 50 {
		t.Fatalf("got no grant of %s in force: %+v", c.Hash, s.Grants)
	}
	narrowing := "/toestemmingen/" + grant.Hash + "/beperking"
	o.must(200, aad, "PUT", narrowing, "", api.NarrowingBody{Rate: 5, BlockedScopes: []string{"bag.detail"}, Reason: "onderhoud"})
	o.must(200, hilda, "PUT", narrowing, "", api.NarrowingBody{Suspended: true, Reason: "storing"})
	if n := grantOf(o.snapshot(api.Version{}, 0), c.Hash).Narrowing; n == nil || !n.Suspended || n.Rate != 5 || len(n.BlockedScopes) != 1 || n.By != regiontest.HubOIN {
		t.Errorf("got narrowing %+v, want what both took", n)
	}
	for body, want := range map[*api.NarrowingBody]string{
		{Rate: 51, Reason: "meer"}:                      "/perSeconde",
		{BlockedScopes: []string{"bag.x"}, Reason: "x"}: "/geblokkeerdeScopes",
		{Suspended: true}:                               "/reden",
		{Reason: "niets"}:                               "takes nothing away",
	} {
		if got := o.ask(aad, "PUT", narrowing, "", body); got.status != 400 || !strings.Contains(got.body, want) {
			t.Errorf("got %d %s, want %q", got.status, got.body, want)
		}
	}
	o.must(204, hilda, "DELETE", narrowing, "", nil)
	if n := grantOf(o.snapshot(api.Version{}, 0), c.Hash).Narrowing; n == nil || n.Suspended || n.Rate != 5 {
		t.Errorf("got narrowing %+v, want what the other side still takes", n)
	}
	o.must(200, anna, "PUT", "/clients/assen-demo/toewijzingen/nieuw", "", api.AssignmentBody{Grant: grant.Hash})
	o.must(200, aad, "POST", path+"/handtekeningen", "", api.SignatureBody{Kind: "revoke"})
	s = o.snapshot(api.Version{}, 0)
	if grantOf(s, c.Hash) != nil || len(s.Clients[0].Assignments) != 1 {
		t.Errorf("got a grant after its contract was revoked, assignments %+v", s.Clients[0].Assignments)
	}
	o.stop()
	o.start() // what was agreed and revoked is still so
	if got := o.must(200, anna, "GET", path, "", nil).body; !strings.Contains(got, `"REVOKED"`) || !strings.Contains(got, "onderhoud") {
		t.Errorf("got %s after a restart", got)
	}
}

func grantOf(s *api.Snapshot, contractHash string) *api.Grant {
	for i := range s.Grants {
		if s.Grants[i].ContractHash == contractHash {
			return &s.Grants[i]
		}
	}
	return nil
}

func TestAContractThatCannotBeKeptIsRefusedWithAllFaults(t *testing.T) {
	o := newOffice(t)
	for name, tt := range map[string]struct {
		change func(*api.ContractDraft)
		want   []string
	}{
		"for a service that does not exist": {func(d *api.ContractDraft) { d.Grants[0].Service = "zaken" }, []string{"there is no service zaken"}},
		"that ends in the past": {func(d *api.ContractDraft) {
			d.From, d.Till = time.Now().AddDate(-1, 0, 0), time.Now().Add(-time.Minute)
		}, []string{"ends in the past"}},
		"with two faults": {func(d *api.ContractDraft) {
			d.Grants[0].Scopes, d.Grants[0].Provider = []string{"bag.niets"}, "00000099000000009000"
		}, []string{"no service bag of 00000099000000009000", "00000099000000009000 is not in this region"}},
		"between others": {func(d *api.ContractDraft) { d.Grants[0].Consumer = regiontest.EmmenOIN }, []string{"no party"}},
		"with a foreign signature": {func(d *api.ContractDraft) {
			content, err := contract.Build(regiontest.Draft())
			if err != nil {
				t.Fatal(err)
			}
			jws, err := contract.Sign(o.region.Signers["assen"], content, contract.Accept, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			d.Contract, err = json.Marshal(&contract.Contract{Content: content, Accept: map[string]string{regiontest.HubOIN: jws}})
			if err != nil {
				t.Fatal(err)
			}
		}, []string{"signature accept of " + regiontest.HubOIN}},
		"without grants": {func(d *api.ContractDraft) { d.Grants = nil }, []string{"grants"}},
	} {
		d := draft()
		tt.change(&d)
		got := o.ask(anna, "POST", "/afspraken", "", d)
		if got.status/100 != 4 {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
		for _, want := range tt.want {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s: got %s, want %q", name, got.body, want)
			}
		}
	}
}

func TestAKeyIsReplacedWithoutAPause(t *testing.T) {
	o := newOffice(t)
	keys := func() string {
		for _, c := range o.snapshot(api.Version{}, 0).Clients {
			if c.ID == "assen-app" {
				return string(c.JWKS)
			}
		}
		return ""
	}
	o.must(200, anna, "PUT", "/clients/assen-app", "*", o.clientBody())
	later := time.Now().Add(time.Hour)
	r := o.must(200, anna, "POST", "/clients/assen-app/sleutels", "", api.KeyBody{Public: o.publicKey()})
	o.must(200, anna, "POST", "/clients/assen-app/sleutels", "", api.KeyBody{Public: o.publicKey(), From: &later})
	if got := strings.Count(keys(), `"kid"`); got != 2 {
		t.Errorf("got %d keys in force, want the old and the new one, and not the one of later", got)
	}
	var view api.ClientView
	if err := json.Unmarshal([]byte(r.body), &view); err != nil {
		t.Fatal(err)
	}
	o.must(204, anna, "DELETE", "/clients/assen-app/sleutels/"+view.Keys[0].ID, "", nil)
	if got := keys(); strings.Count(got, `"kid"`) != 1 || strings.Contains(got, view.Keys[0].ID) {
		t.Errorf("got keys %s after the old one was taken out", got)
	}
	private := regiontest.PrivatePEM(t, o.region.Signers["assen"].Key)
	got := o.ask(anna, "POST", "/clients/assen-app/sleutels", "", api.KeyBody{Public: private})
	if got.status != 400 || !strings.Contains(got.body, "must be considered known") || !strings.Contains(got.body, "/sleutels/2") {
		t.Errorf("got %d %s for a private key", got.status, got.body)
	}
}

func TestTwoAtOnceOverwriteNothingUnseen(t *testing.T) {
	o := newOffice(t)
	first := o.must(200, anna, "PUT", "/clients/assen-app", "*", o.clientBody())
	etag := first.header.Get("ETag")
	second := o.must(200, anna, "PUT", "/clients/assen-app", etag, o.clientBody())
	for match, want := range map[string]string{
		etag: "changed-since-read", "*": "exists-already", "": "if-match-missing", "W/" + etag: "if-match-missing", `"x"`: "if-match-missing",
	} {
		if got := o.ask(anna, "PUT", "/clients/assen-app", match, o.clientBody()); got.status/100 != 4 || !strings.Contains(got.body, want) {
			t.Errorf("If-Match %s: got %d %s, want %s", match, got.status, got.body, want)
		}
	}
	if got := o.ask(anna, "PUT", "/clients/assen-app", etag, o.clientBody()).status; got != http.StatusPreconditionFailed {
		t.Errorf("got %d for an old ETag, want 412", got)
	}
	o.must(204, anna, "DELETE", "/clients/assen-app", second.header.Get("ETag"), nil)
}

func TestPublishingNeedsASecondPerson(t *testing.T) {
	o := newOffice(t)
	body := api.ServiceBody{
		Title: "Zaken", APIs: []api.APIBody{{BasePath: "/assenzaken/v1", OpenAPI: strings.ReplaceAll(regiontest.OpenAPI, "bag.", "assenzaken.")}},
		Upstream: api.UpstreamBody{Addresses: []string{"https://zaken.assen.example:443"}, Timeout: "3s"},
	}
	made := o.must(200, anna, "PUT", "/diensten/assenzaken", "*", body)
	body.Published, body.Reason = true, "eerste versie"
	proposed := o.must(202, anna, "PUT", "/diensten/assenzaken", made.header.Get("ETag"), body)
	published := func() bool {
		for _, s := range o.snapshot(api.Version{}, 0).Services {
			if s.Slug == "assenzaken" {
				return s.Published
			}
		}
		return false
	}
	if published() {
		t.Error("a service is published that nobody approved")
	}
	path := strings.TrimPrefix(proposed.header.Get("Location"), "/beheer/v1")
	for _, tt := range []struct {
		who    person
		status int
	}{{person{"anna", anna.oin, []string{"approver"}}, 403}, {eefje, 404}, {robot, 403}, {aad, 204}, {aad, 404}} {
		if got := o.ask(tt.who, "POST", path+"/goedkeuring", "", nil); got.status != tt.status {
			t.Errorf("approved by %s: got %d %s, want %d", tt.who.id, got.status, got.body, tt.status)
		}
	}
	if !published() {
		t.Error("an approved service is not published")
	}
	if got := o.ask(anna, "DELETE", "/diensten/assenzaken", o.must(200, anna, "GET", "/diensten/assenzaken", "", nil).header.Get("ETag"), nil); got.status != 403 {
		t.Errorf("got %d for the removal of a published service", got.status)
	}
	// A proposal about what has changed since is void.
	etag := o.must(200, anna, "GET", "/diensten/assenzaken", "", nil).header.Get("ETag")
	body.Title = "A"
	a := o.must(202, anna, "PUT", "/diensten/assenzaken", etag, body)
	body.Title = "B"
	b := o.must(202, anna, "PUT", "/diensten/assenzaken", etag, body)
	o.must(204, aad, "POST", strings.TrimPrefix(a.header.Get("Location"), "/beheer/v1")+"/goedkeuring", "", nil)
	o.must(412, aad, "POST", strings.TrimPrefix(b.header.Get("Location"), "/beheer/v1")+"/goedkeuring", "", nil)
	o.must(204, anna, "DELETE", strings.TrimPrefix(b.header.Get("Location"), "/beheer/v1"), "", nil)
}

func TestRightsDoNotGrowByThemselves(t *testing.T) {
	o := newOffice(t, func(w *world) {
		w.region.Write(t, "anna.pem", regiontest.PublicPEM(t, w.region.Pair(t, pki.Request{CommonName: "anna"}).Key().Public()))
		w.region.Replace(t, "services:\n", "  - {id: anna-hubctl, person: anna, organisation: assen, profile: nlgov, alg: ES256, keys: [anna.pem]}\nservices:\n")
	})
	etag := o.must(200, anna, "GET", "/personen/anna", "", nil).header.Get("ETag")
	o.must(403, anna, "PUT", "/personen/anna", etag, api.PersonBody{Name: "Anna", Roles: []string{"approver"}})
	o.must(200, anna, "PUT", "/personen/bram", "*", api.PersonBody{Name: "Bram", Roles: []string{"approver"}})
	o.must(403, anna, "PUT", "/personen/boef", "*", api.PersonBody{Name: "Boef", Roles: []string{"hub-operator"}})
	body := o.clientBody()
	body.AdminScopes = []string{"beheer.schrijven"}
	o.must(403, person{"ines", anna.oin, []string{"integrator"}}, "PUT", "/clients/assen-app", "*", body)
	o.must(200, anna, "PUT", "/clients/assen-app", "*", body)
	o.must(403, robot, "PUT", "/clients/assen-app2", "*", o.clientBody())
	// A colleague's own client: with another key in it anna would be aad, and sign what she proposed.
	key := o.must(200, anna, "GET", "/clients/anna-hubctl", "", nil).header.Get("ETag")
	o.must(403, person{"ines", anna.oin, []string{"integrator", "administrator"}}, "PUT", "/clients/anna-hubctl", key, o.clientBody())
	o.must(403, person{"ines", anna.oin, []string{"integrator"}}, "POST", "/clients/anna-hubctl/sleutels", "", api.KeyBody{Public: o.publicKey()})
	o.must(200, anna, "POST", "/clients/anna-hubctl/sleutels", "", api.KeyBody{Public: o.publicKey()})
	s := o.must(200, anna, "GET", "/organisaties/"+anna.oin, "", nil)
	o.must(200, anna, "PUT", "/organisaties/"+anna.oin, s.header.Get("ETag"), api.OrganisationBody{Slug: "gekaapt", Name: "Assen", Contacts: []api.Contact{}})
	if got := o.must(200, anna, "GET", "/organisaties/"+anna.oin, "", nil).body; !strings.Contains(got, `"slug":"assen"`) {
		t.Errorf("got %s: an administrator changed the short name", got)
	}
}

func TestTheEndOfAVersionIsAnnouncedInTime(t *testing.T) {
	o := newOffice(t)
	description := strings.ReplaceAll(regiontest.OpenAPI, "bag.", "assenzaken.")
	since := time.Now().UTC().Truncate(time.Second)
	soon, later := since.AddDate(0, 1, 0), since.AddDate(0, 7, 0)
	body := api.ServiceBody{
		Title: "Zaken", Upstream: api.UpstreamBody{Addresses: []string{"https://zaken.assen.example"}},
		APIs: []api.APIBody{
			{BasePath: "/assenzaken/v1", OpenAPI: description, Deprecated: &since, Sunset: &soon, Successor: "/assenzaken/v3"},
			{BasePath: "/assenzaken/v2", OpenAPI: strings.NewReplacer("bevragenAdressen", "a2", "haalAdres", "b2", "meldTerug", "c2").Replace(description)},
		},
	}
	got := o.ask(anna, "PUT", "/diensten/assenzaken", "*", body)
	for _, want := range []string{"/apis/0/eindigtOp", "less than 180 days", "/apis/0/opvolger"} {
		if got.status != 400 || !strings.Contains(got.body, want) {
			t.Errorf("got %d %s, want %q", got.status, got.body, want)
		}
	}
	body.APIs[0].Sunset, body.APIs[0].Successor = &later, "/assenzaken/v2"
	o.must(200, anna, "PUT", "/diensten/assenzaken", "*", body)
	var ending []api.Ending
	for _, s := range o.snapshot(api.Version{}, 0).Services {
		ending = append(ending, s.Ending...)
	}
	if len(ending) != 1 || !ending[0].Deprecated.Equal(since) || !ending[0].Sunset.Equal(later) || ending[0].Successor != "/assenzaken/v2" {
		t.Errorf("got %+v in the snapshot", ending)
	}
}

func TestADescriptionIsAssessedBeforeItIsTaken(t *testing.T) {
	o := newOffice(t)
	swagger := `{"swagger":"2.0","info":{"title":"Oud","version":"1.0.0"},"paths":{"/dingen":{"get":{"produces":["application/json"],"responses":{"200":{"description":"ok","schema":{"type":"object","properties":{"naam":{"type":"string"}}}}}}}}}`
	body := api.ServiceBody{Title: "Oud", APIs: []api.APIBody{{BasePath: "/oud/v1", OpenAPI: swagger}}, Upstream: api.UpstreamBody{Addresses: []string{"https://oud.assen.example"}}}
	assess := func() (all struct {
		Assessments []api.AssessmentView `json:"keuringen"`
	}) {
		if err := json.Unmarshal([]byte(o.must(200, robot, "POST", "/diensten/oud/keuring", "", api.AssessmentBody{APIs: body.APIs}).body), &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	x := assess().Assessments[0]
	if len(x.Faults) > 0 || len(x.Findings) == 0 || len(x.Operations) != 1 || !x.Operations[0].ProposedID || x.Operations[0].Scope != "oud.lezen" || !slices.Equal(x.Operations[0].Fields, []string{"naam"}) {
		t.Fatalf("got %+v", x)
	}
	made := o.must(200, anna, "PUT", "/diensten/oud", "*", body)
	if !strings.Contains(made.body, x.Operations[0].ID) {
		t.Errorf("got %s, want the operation with the proposed id", made.body)
	}
	body.APIs[0].OpenAPI = strings.Replace(swagger, "/dingen", "/zaken", 1)
	if changes := assess().Assessments[0].Changes; len(changes) == 0 || !changes[0].Breaking {
		t.Errorf("got changes %+v for a path that went away", changes)
	}
	body.APIs[0].OpenAPI = strings.Replace(regiontest.OpenAPI, "{description: ok}", "{$ref: 'http://169.254.169.254/x'}", 1)
	got := o.ask(anna, "PUT", "/diensten/oud", made.header.Get("ETag"), body)
	if got.status != 400 || !strings.Contains(got.body, "/apis/0/openapi") || !strings.Contains(got.body, "intake:") {
		t.Errorf("got %d %s for a reference to another file", got.status, got.body)
	}
}

func TestTheCatalogueIsSearchedAndPaged(t *testing.T) {
	o := newOffice(t)
	for _, slug := range []string{"alfa", "beta", "gamma"} {
		o.must(200, anna, "PUT", "/diensten/"+slug, "*", api.ServiceBody{
			Title: "Dienst " + slug, APIs: []api.APIBody{{BasePath: "/" + slug + "/v1", OpenAPI: strings.ReplaceAll(regiontest.OpenAPI, "bag.", slug+".")}},
			Upstream: api.UpstreamBody{Addresses: []string{"https://x.assen.example"}},
		})
	}
	type page struct {
		Services []api.ServiceView `json:"diensten"`
		Next     string            `json:"volgende"`
	}
	find := func(query string) (slugs []string) {
		for path := "/diensten" + query; path != ""; {
			var p page
			if err := json.Unmarshal([]byte(o.must(200, anna, "GET", path, "", nil).body), &p); err != nil {
				t.Fatal(err)
			}
			for _, s := range p.Services {
				slugs = append(slugs, s.Slug)
			}
			path = strings.TrimPrefix(p.Next, "/beheer/v1")
		}
		return slugs
	}
	for query, want := range map[string]string{
		"": "alfa bag beta gamma", "?aantal=1": "alfa bag beta gamma", "?zoek=MM": "gamma", "?gepubliceerd=true": "bag",
		"?gepubliceerd=false&aantal=2": "alfa beta gamma", "?aanbieder=" + regiontest.HubOIN: "bag",
	} {
		if got := strings.Join(find(query), " "); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	o.must(400, anna, "GET", "/diensten?aantal=201", "", nil)
	if got := o.must(200, hilda, "GET", "/diensten/bag/afnemers", "", nil).body; !strings.Contains(got, "Gemeente Assen") || !strings.Contains(got, "techniek@assen.example") {
		t.Errorf("got %s, want the consumer with its contact", got)
	}
}

func TestEveryActIsInTheAuditLogOfThoseItConcerns(t *testing.T) {
	o := newOffice(t)
	var c api.AgreementDetail
	if err := json.Unmarshal([]byte(o.must(201, anna, "POST", "/afspraken", "", draft()).body), &c); err != nil {
		t.Fatal(err)
	}
	o.must(200, aad, "POST", "/afspraken/"+c.Hash+"/handtekeningen", "", api.SignatureBody{Kind: "accept"})
	o.must(200, anna, "PUT", "/clients/assen-app", "*", o.clientBody())
	auditor := person{"aart", regiontest.AssenOIN, []string{"auditor"}}
	list := func(who person, query string) string {
		return o.must(200, who, "GET", "/auditrecords"+query, "", nil).body
	}
	own := list(auditor, "")
	for _, want := range []string{`"act":"contract.propose"`, `"act":"contract.accept"`, `"person":"aad"`, `"act":"client.put"`, `"hosted":true`, `"after":"`} {
		if !strings.Contains(own, want) {
			t.Errorf("got %s, want %s", own, want)
		}
	}
	// The other party learns that Assen signed, not who; and nothing of Assen's clients.
	other := list(person{"hugo", regiontest.HubOIN, []string{"auditor"}}, "")
	if !strings.Contains(other, `"act":"contract.accept"`) || strings.Contains(other, `"aad"`) || strings.Contains(other, "client.put") {
		t.Errorf("got %s", other)
	}
	if got := list(eefje, ""); strings.Contains(got, "assen") || strings.Contains(got, c.Hash) {
		t.Errorf("a stranger reads %s", got)
	}
	if got := list(auditor, "?handeling=client.put"); strings.Contains(got, "contract.") || !strings.Contains(got, "assen-app") {
		t.Errorf("got %s for one act", got)
	}
	o.must(400, auditor, "GET", "/auditrecords?handeling=alles", "", nil)
	o.must(403, person{"ines", regiontest.AssenOIN, []string{"integrator"}}, "GET", "/auditrecords", "", nil)
	o.must(403, robot, "GET", "/auditlog/controle", "", nil)
	if got := o.must(200, auditor, "GET", "/auditlog/controle", "", nil).body; strings.Contains(got, "fout") || strings.Contains(got, `"omvang":0`) {
		t.Errorf("got %s from a log that nobody touched", got)
	}
}

func TestWhoIsConcernedIsToldOfAnAct(t *testing.T) {
	o := newOffice(t)
	types := func(who person) (all []string) {
		var feed struct {
			Events []struct {
				Type    string `json:"type"`
				DataRef string `json:"dataref"`
			} `json:"gebeurtenissen"`
		}
		if err := json.Unmarshal([]byte(o.must(200, who, "GET", "/gebeurtenissen", "", nil).body), &feed); err != nil {
			t.Fatal(err)
		}
		for _, e := range feed.Events {
			all = append(all, strings.TrimPrefix(e.Type, "nl.noorderhub.beheer."))
			if !strings.HasPrefix(e.DataRef, hubURL+"/beheer/v1/") {
				t.Errorf("got dataref %q", e.DataRef)
			}
		}
		return all
	}
	var c api.AgreementDetail
	if err := json.Unmarshal([]byte(o.must(201, anna, "POST", "/afspraken", "", draft()).body), &c); err != nil {
		t.Fatal(err)
	}
	sign := func(who person, kind string) {
		t.Helper()
		o.must(200, who, "POST", "/afspraken/"+c.Hash+"/handtekeningen", "", api.SignatureBody{Kind: kind})
	}
	sign(aad, "accept")
	sign(henk, "accept")
	narrowing := "/toestemmingen/" + c.Grants[0].Hash + "/beperking"
	o.must(200, hilda, "PUT", narrowing, "", api.NarrowingBody{Suspended: true, Reason: "x"})
	o.must(204, hilda, "DELETE", narrowing, "", nil)
	sign(aad, "revoke")
	o.must(200, anna, "PUT", "/clients/assen-app", "*", o.clientBody())
	for who, want := range map[*person]string{
		&anna:  "contract.in-force contract.narrowed contract.restored client.registered",
		&hilda: "contract.offered contract.signed contract.in-force contract.terminated",
		&eefje: "",
	} {
		if got := strings.Join(types(*who), " "); got != want {
			t.Errorf("%s is told %q, want %q", who.id, got, want)
		}
	}
	if got := o.ask(anna, "GET", "/gebeurtenissen?na=99", "", nil); got.status != 410 {
		t.Errorf("got %d %s for a number that is not there", got.status, got.body)
	}
}

func TestAnActivityKeepsItsVersions(t *testing.T) {
	o := newOffice(t)
	body := api.ActivityBody{Name: "Vergunningen", Purpose: "aanvragen beoordelen", LegalBasis: "Omgevingswet", Retention: "P7Y"}
	put := func() (v api.ActivityView) {
		if err := json.Unmarshal([]byte(o.must(200, anna, "PUT", "/verwerkingen/vergunningen", "", body).body), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := put()
	if again := put(); again.URI != first.URI || again.Version != 1 {
		t.Errorf("got %+v for the same once more, want %+v", again, first)
	}
	body.Retention = "P10Y"
	second := put()
	if second.Version != 2 || second.URI == first.URI {
		t.Errorf("got %+v after a change of %+v", second, first)
	}
	path := func(v api.ActivityView) string { return strings.TrimPrefix(v.URI, hubURL+"/beheer/v1") }
	if got := o.must(200, eefje, "GET", path(first), "", nil).body; !strings.Contains(got, "P7Y") {
		t.Errorf("got %s for the first version", got)
	}
	got := o.ask(anna, "PUT", "/verwerkingen/Fout", "", api.ActivityBody{Retention: "7 jaar"})
	for _, want := range []string{"id does not match", "/naam", "/doel", "/grondslag", "/bewaartermijn"} {
		if got.status != 400 || !strings.Contains(got.body, want) {
			t.Errorf("got %d %s, want %q", got.status, got.body, want)
		}
	}
	o.must(403, aad, "PUT", "/verwerkingen/vergunningen", "", body)
}

// TestTenantsAreKeptApart walks every operation of the description as a person of another organisation with every role
// there. What is Assen's must be refused, and stand in no list.
func TestTenantsAreKeptApart(t *testing.T) {
	o := newOffice(t)
	var c api.AgreementDetail
	if err := json.Unmarshal([]byte(o.must(201, anna, "POST", "/afspraken", "", draft()).body), &c); err != nil {
		t.Fatal(err)
	}
	service := api.ServiceBody{
		Title: "Geheim", APIs: []api.APIBody{{BasePath: "/geheim/v1", OpenAPI: strings.ReplaceAll(regiontest.OpenAPI, "bag.", "geheim.")}},
		Upstream: api.UpstreamBody{Addresses: []string{"https://geheim.assen.example"}},
	}
	etag := o.must(200, anna, "PUT", "/diensten/geheim", "*", service).header.Get("ETag")
	service.Published, service.Reason = true, "publiceren"
	proposal := o.must(202, anna, "PUT", "/diensten/geheim", etag, service).header.Get("Location")
	client := o.must(200, anna, "PUT", "/clients/assen-geheim", "*", o.clientBody())
	var view api.ClientView
	if err := json.Unmarshal([]byte(client.body), &view); err != nil {
		t.Fatal(err)
	}
	of := map[string]string{"/organisaties/": regiontest.AssenOIN, "/personen/": "anna", "/clients/": "assen-geheim", "/diensten/": "geheim",
		"/afspraken/": c.Hash, "/toestemmingen/": c.Grants[0].Hash, "/kanalen/": "geheim-kanaal", "/sjablonen/": "geheim", "/aanbiedingen/": "geheim", "/dempingen/": "geheim-demping", "/voorstellen/": proposal[strings.LastIndexByte(proposal, '/')+1:]}
	bodies := map[string]any{
		"wijzigOrganisatie": api.OrganisationBody{Slug: "assen", Name: "x", Contacts: []api.Contact{}}, "wijzigPersoon": api.PersonBody{Name: "x", Roles: []string{"auditor"}},
		"wijzigClient": o.clientBody(), "voegSleutelToe": api.KeyBody{Public: o.publicKey()}, "wijsToe": api.AssignmentBody{Grant: c.Grants[0].Hash},
		"voegKanaalToe": api.ChannelBody{Kind: "x"}, "wijzigKanaal": api.ChannelBody{Kind: "x"}, "herhaalBezorging": api.RetryBody{}, "demp": api.MuteBody{},
		"vervang": api.StandInBody{Person: "eefje"}, "wijzigSjabloon": api.TemplateBody{Title: "x"}, "biedAan": api.OfferBody{Template: "geheim"},
		"voegSamen": api.PartBody{Of: regiontest.HubOIN, Reason: "x"}, "aanvaardDocument": api.AcceptanceBody{Kind: "x"},
		"maakBewaarsleutel": api.HostedKeyBody{}, "plaatsCertificaat": api.CertificateBody{Chain: "x"},
		"meldAan": api.ApplicationBody{}, "nodigUit": api.InvitationBody{}, "wijsAanmeldingAf": api.DecisionBody{Reason: "x"},
		"legVerwerkingVast": api.ActivityBody{Name: "x"},
		"keurDienst":        api.AssessmentBody{APIs: service.APIs},
		"wijzigDienst":      service, "stelAfspraakVoor": draft(), "tekenAfspraak": api.SignatureBody{Kind: "reject"}, "beperk": api.NarrowingBody{Suspended: true, Reason: "x"},
	}
	o.must(200, anna, "PUT", "/verwerkingen/geheim", "", api.ActivityBody{Name: "Geheim", Purpose: "x", LegalBasis: "x", Retention: "P1Y", Confidential: true})
	kept := o.hostedKey(o.must(201, anna, "POST", "/organisaties/"+regiontest.AssenOIN+"/bewaarsleutels", "", api.HostedKeyBody{}))
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	before := o.snapshot(api.Version{}, 0).Version
	seen := 0
	for template, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			seen++
			path := strings.NewReplacer("{naam}", "x", "{soort}", "x", "/bewaarsleutels/{id}", "/bewaarsleutels/"+kept.ID, "{kid}", view.Keys[0].ID, "{oin}/{id}/{versie}", regiontest.AssenOIN+"/geheim/1").Replace(template)
			for prefix, id := range of {
				if head, tail, ok := strings.Cut(path, "{"); ok && head == prefix {
					path = head + id + tail[strings.IndexByte(tail, '}')+1:]
				}
			}
			match := ""
			if method == http.MethodPut || method == http.MethodDelete {
				match = client.header.Get("ETag")
			}
			if op.RequestBody != nil && bodies[op.OperationID] == nil {
				t.Fatalf("operation %s has no body in this test", op.OperationID)
			}
			got := o.ask(eefje, method, path, match, bodies[op.OperationID])
			told := fmt.Sprintf("%s %s as a stranger: got %d %s", method, path, got.status, got.body)
			switch {
			case op.OperationID == "controleerAuditlog": // sizes and a root, nothing of what is in it
			case op.OperationID == "leesOrganisatie" || op.OperationID == "lijstOrganisaties": // whom one can agree with is no secret
			case got.status == http.StatusOK && !strings.Contains(template, "{"): // a list
				for _, secret := range []string{"anna", "assen-geheim", "geheim", c.Hash, "emmen-bag"} {
					if strings.Contains(got.body, secret) {
						t.Errorf("%s: %q is not for strangers", told, secret)
					}
				}
			case slices.Contains([]string{"legVerwerkingVast", "meldAan", "nodigUit", "voegKanaalToe", "demp", "wijzigSjabloon"}, op.OperationID) && got.status == http.StatusBadRequest: // of its own, and a body with faults
			case got.status != http.StatusForbidden && got.status != http.StatusNotFound:
				t.Error(told)
			case strings.Contains(got.body, `"not-found"`):
				t.Errorf("%s: the operation is not served", told)
			}
		}
	}
	if after := o.snapshot(api.Version{}, 0).Version; after != before || seen < 25 {
		t.Errorf("got version %s after %s and %d operations", after, before, seen)
	}
}
