package registry_test

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

// site is a server of an organisation in the region, with a certificate of the region's authority.
func site(t *testing.T, o *office, h http.HandlerFunc) string {
	t.Helper()
	pair, err := o.region.CA.Issue(pki.Request{CommonName: "site", IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Server: true})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair.TLS()}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func inAssen(w *world) {
	w.region.Replace(w.t, "certificates: [assen.pem], contacts", `networks: ["127.0.0.0/8"], certificates: [assen.pem], contacts`)
}

func TestADescriptionIsReadFromItsAddress(t *testing.T) {
	o := newOffice(t, inAssen)
	text := strings.ReplaceAll(regiontest.OpenAPI, "bag.", "melding.")
	at := site(t, o, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/weg" {
			http.Redirect(w, r, "https://169.254.169.254/latest", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte(text))
	})
	body := api.ServiceBody{
		Title: "Meldingen", APIs: []api.APIBody{{BasePath: "/melding/v1", Source: at + "/openapi.yaml"}},
		Upstream: api.UpstreamBody{Addresses: []string{"https://melding.assen.example"}},
		Facts: api.ServiceFacts{Purpose: "meldingen", DataClass: "intern", Health: "/gezond", Availability: "99.5",
			Changelog: []api.Release{{Version: "1.0", Date: "2026-11-24", Text: "eerste"}}},
	}
	o.must(200, anna, "PUT", "/diensten/melding", "*", body)
	got := o.must(200, anna, "GET", "/diensten/melding", "", nil).body
	for _, want := range []string{"haalAdres", at + "/openapi.yaml", `"gegevensklasse":"intern"`, `"tekst":"eerste"`, `"advies":{"aantal":`} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if events := o.must(200, anna, "GET", "/gebeurtenissen", "", nil).body; !strings.Contains(events, "service.findings") {
		t.Errorf("got %s; advice with a date is told", events)
	}
	o.must(200, anna, "POST", "/diensten/melding/keuring", "", api.AssessmentBody{APIs: body.APIs})
	for name, tt := range map[string]struct {
		who  person
		url  string
		code int
	}{
		"a redirect to the metadata of the machine": {anna, at + "/weg", 400},
		"without TLS":           {anna, "http://127.0.0.1/", 400},
		"outside its networks":  {eefje, at + "/openapi.yaml", 400},
		"somebody without role": {aad, at + "/openapi.yaml", 403},
	} {
		wrong := body
		wrong.APIs = []api.APIBody{{BasePath: "/melding2/v1", Source: tt.url}}
		if got := o.ask(tt.who, "PUT", "/diensten/melding2", "*", wrong); got.status != tt.code {
			t.Errorf("%s: got %d %s, want %d", name, got.status, got.body, tt.code)
		}
	}
	wrong := body
	wrong.APIs = []api.APIBody{{BasePath: "/melding3/v1", OpenAPI: strings.ReplaceAll(regiontest.OpenAPI, "bag.", "melding3.")}}
	wrong.Facts = api.ServiceFacts{DataClass: "geheim", Health: "gezond", Availability: "veel", Activity: "x", Changelog: []api.Release{{}}}
	got = o.ask(anna, "PUT", "/diensten/melding3", "*", wrong).body
	for _, want := range []string{"/gegevens/gegevensklasse", "/gegevens/gezondheidspad", "/gegevens/beschikbaarheid", "/gegevens/verwerkingsactiviteit", "/gegevens/wijzigingen/0"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want the fault of %s", got, want)
		}
	}
}

func TestKeysAreReadFromTheAddressOfAClient(t *testing.T) {
	o := newOffice(t, inAssen)
	var set atomic.Value
	fresh := func(kid string) string {
		text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: newJoiner(t, "x").key.Public(), KeyID: kid}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	set.Store(fresh("een"))
	at := site(t, o, func(w http.ResponseWriter, _ *http.Request) {
		if set.Load() == "" {
			http.Error(w, "weg", http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(set.Load().(string)))
	})
	body := api.ClientBody{Name: "Zaken", Profile: "nlgov", Alg: "ES256", JWKSURI: at + "/jwks"}
	etag := o.must(200, anna, "PUT", "/clients/assen-zaken", "*", body).header.Get("ETag")
	kid := func() string {
		for _, c := range o.snapshot(api.Version{}, 0).Clients {
			if c.ID == "assen-zaken" {
				return string(c.JWKS)
			}
		}
		return ""
	}
	if !strings.Contains(kid(), `"een"`) {
		t.Errorf("got %s", kid())
	}
	set.Store(fresh("twee"))
	o.must(200, anna, "POST", "/clients/assen-zaken/sleutelverversing", "", nil)
	if got := kid(); !strings.Contains(got, `"twee"`) || strings.Contains(got, `"een"`) {
		t.Errorf("got %s", got)
	}
	for _, broken := range []string{"", "geen json", `{"keys":[]}`} {
		set.Store(broken)
		if got := o.ask(anna, "POST", "/clients/assen-zaken/sleutelverversing", "", nil); got.status < 400 || got.status == 500 {
			t.Errorf("%q: got %d %s", broken, got.status, got.body)
		}
		if !strings.Contains(kid(), `"twee"`) {
			t.Errorf("%q: the keys are gone", broken)
		}
	}
	both := body
	both.Keys = []api.KeyBody{{Public: o.publicKey()}}
	if got := o.ask(anna, "PUT", "/clients/assen-zaken", etag, both); got.status != 400 || !strings.Contains(got.body, "jwksUri") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := o.ask(eefje, "POST", "/clients/assen-zaken/sleutelverversing", "", nil); got.status != 404 {
		t.Errorf("refreshed by a stranger: got %d", got.status)
	}
}

func TestAServiceLimitsWhatContractsMaySay(t *testing.T) {
	o := newOffice(t)
	most := 60
	body := api.ServiceBody{
		Title: "Meldingen", APIs: []api.APIBody{{BasePath: "/melding/v1", OpenAPI: strings.ReplaceAll(regiontest.OpenAPI, "bag.", "melding.")}},
		Upstream: api.UpstreamBody{Addresses: []string{"https://melding.assen.example"}}, Facts: api.ServiceFacts{CacheSeconds: &most, Logging: "required"},
	}
	o.must(200, anna, "PUT", "/diensten/melding", "*", body)
	d := draft()
	d.Grants[0] = api.GrantDraft{Consumer: regiontest.AssenOIN, Provider: regiontest.AssenOIN, Service: "melding", Purpose: "x", Scopes: []string{"melding.lezen"}, CacheSeconds: 600, Logging: "open"}
	got := o.ask(anna, "POST", "/afspraken", "", d)
	if got.status != 400 || !strings.Contains(got.body, "at most 60 seconds") || !strings.Contains(got.body, "durable record") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	d.Grants[0].CacheSeconds, d.Grants[0].Logging = 60, "required"
	o.must(201, anna, "POST", "/afspraken", "", d)
}

func TestASecretOfAServiceIsNeverGivenBack(t *testing.T) {
	const secret = "zeer-geheim-en-lang-genoeg"
	o := newOffice(t, func(w *world) {
		w.cfg.UpstreamKey = config.Secret(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("u", 32))))
	})
	body := api.ServiceBody{
		Title: "Meldingen", APIs: []api.APIBody{{BasePath: "/melding/v1", OpenAPI: strings.ReplaceAll(regiontest.OpenAPI, "bag.", "melding.")}},
		Upstream: api.UpstreamBody{Addresses: []string{"https://melding.assen.example"}, Auth: "header", AuthName: "X-Api-Key", Secret: secret},
	}
	for name, change := range map[string]func(*api.UpstreamBody){
		"/achterkant/aanmeldgeheim": func(u *api.UpstreamBody) { u.Secret = "kort" },
		"secret is missing":         func(u *api.UpstreamBody) { u.Secret = "" },
		"header for a secret":       func(u *api.UpstreamBody) { u.AuthName = "Host" },
		"belongs to header":         func(u *api.UpstreamBody) { u.Auth = "call-token" },
		"not one of":                func(u *api.UpstreamBody) { u.Auth, u.Secret = "wachtwoord", "" },
	} {
		wrong := body
		change(&wrong.Upstream)
		if got := o.ask(anna, "PUT", "/diensten/melding", "*", wrong); got.status != 400 || !strings.Contains(got.body, name) || strings.Contains(got.body, secret) {
			t.Errorf("got %d %s, want %q", got.status, got.body, name)
		}
	}
	put := o.must(200, anna, "PUT", "/diensten/melding", "*", body)
	sealed := func() string {
		for _, s := range o.snapshot(api.Version{}, 0).Services {
			if s.Slug == "melding" {
				return s.Upstream.Secret
			}
		}
		return ""
	}
	before := sealed()
	if before == "" || strings.Contains(before, secret) {
		t.Errorf("got %q in the snapshot, want it sealed", before)
	}
	read := o.must(200, anna, "GET", "/diensten/melding", "", nil)
	if strings.Contains(put.body+read.body, secret) || strings.Contains(put.body+read.body, before) || !strings.Contains(read.body, "X-Api-Key") {
		t.Errorf("got %s", read.body)
	}
	body.Upstream.Secret, body.Title = "", "Anders"
	o.must(200, anna, "PUT", "/diensten/melding", read.header.Get("ETag"), body)
	if sealed() != before {
		t.Error("the secret did not stay")
	}
}
