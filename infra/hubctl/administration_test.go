package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.yaml.in/yaml/v3"

	"noorderhub.nl/hub/infra/up/allinone"
	"noorderhub.nl/hub/libs/pki"
	authserver "noorderhub.nl/hub/services/authserver/api"
	registry "noorderhub.nl/hub/services/registry/api"
)

// adminHub is a running hub that is administered with hubctl only.
type adminHub struct {
	t    *testing.T
	hub  *allinone.Hub
	data string
	dir  string // for files of the test
}

func startAdminHub(t *testing.T) *adminHub {
	t.Helper()
	h := &adminHub{t: t, data: filepath.Join(t.TempDir(), "data"), dir: t.TempDir()}
	var err error
	if h.hub, err = allinone.Start(t.Context(), allinone.Options{Data: h.data, Listen: "127.0.0.1:0", ListenTLS: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.hub.Stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// does runs a verb that has to succeed.
func (h *adminHub) does(line string, more ...string) string {
	h.t.Helper()
	out, errOut, err := hubctl(h.t, h.data, append(strings.Fields(line), more...)...)
	if err != nil {
		h.t.Fatalf("hubctl %s %q: %v\n%s", line, more, err, errOut)
	}
	return out
}

// refuses runs a verb that has to be refused with a text.
func (h *adminHub) refuses(want, line string, more ...string) {
	h.t.Helper()
	out, _, err := hubctl(h.t, h.data, append(strings.Fields(line), more...)...)
	if err == nil || !strings.Contains(err.Error(), want) {
		h.t.Errorf("hubctl %s %q: got %q, %v; want a refusal with %q", line, more, out, err, want)
	}
}

func (h *adminHub) write(name, text string) string {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// application is a client of an organisation outside the demo: it has a key of its own.
type application struct {
	key  *ecdsa.PrivateKey
	file string // public half
}

func (h *adminHub) application(name string) application {
	h.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		h.t.Fatal(err)
	}
	return application{key, h.write(name+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))}
}

// calls gets a token with the application's key and calls; it gives status and body, of the token endpoint if that refused.
func (h *adminHub) calls(a application, clientID, slug, path string) (int, string) {
	h.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		h.t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	key, err := authserver.ParseKey(private, "", "ES256")
	if err != nil {
		h.t.Fatal(err)
	}
	metadata, err := authserver.Discover(h.t.Context(), http.DefaultClient, h.hub.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	client := authserver.Client{HTTP: http.DefaultClient, Metadata: metadata, ID: clientID, Key: key}
	token, err := client.Token(h.t.Context(), authserver.Request{Resource: h.hub.URL + "/" + slug})
	if err != nil {
		return 0, err.Error()
	}
	resp, body := h.get(path, token.AccessToken)
	return resp.StatusCode, body
}

func (h *adminHub) get(path, token string) (*http.Response, string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.hub.URL+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var text strings.Builder
	if _, err := bufio.NewReader(resp.Body).WriteTo(&text); err != nil {
		h.t.Fatal(err)
	}
	return resp, text.String()
}

// soon polls until a call gives what is wanted: a change is in force within a second.
func (h *adminHub) soon(what string, holds func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			h.t.Fatalf("not in time: %s", what)
		}
		select {
		case <-h.t.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestAMunicipalityGetsAccessAndLosesIt(t *testing.T) {
	h := startAdminHub(t)
	app := h.application("emmen")
	const path = "/bag/individuelebevragingen/v2/adressen?postcode=9990AA&huisnummer=1"
	call := func() (int, string) { return h.calls(app, "emmen-vergunningen", "bag", path) }

	h.refuses("role", "client register emmen-vergunningen --by evert --key", app.file)
	h.does("client register emmen-vergunningen --by emma --name Vergunningen --key", app.file)
	register := h.write("register.csv", "id,naam,doel,grondslag,bewaartermijn,vertrouwelijk\nvergunningen,Vergunningen,Aanvragen beoordelen,Omgevingswet,P7Y,nee\nfraude,Onderzoek,Fraude opsporen,Participatiewet,P5Y,ja\n")
	if got := h.does("activity import --by emma", register); !strings.Contains(got, "2 activities taken, 0 refused") {
		t.Errorf("got %q", got)
	}
	h.refuses("line 2, fout", "activity import --by emma", h.write("fout.csv", "id,naam,doel,grondslag,bewaartermijn,vertrouwelijk\nfout,x,x,x,zeven jaar,nee\n"))
	propose := []string{"--purpose", "adressen controleren", "--legal-basis", "Wet BAG", "--activity", "vergunningen"}
	h.refuses("no operation of bag asks scope bag.alles", "contract propose --by emma --provider noorderhub --service bag --scope bag.alles --name x", propose...)
	h.does("contract propose --by emma --name emmen-bag --provider noorderhub --service bag --scope bag.lezen", propose...)
	if got := h.does("contract list --by evert"); !strings.Contains(got, "PROPOSED") || !strings.Contains(got, "waits for 00000099000000") {
		t.Errorf("got %q, want whom it waits for", got)
	}
	if got := h.does("contract show emmen-bag --by henk --json"); !strings.Contains(got, "/vergunningen/1\"") {
		t.Errorf("got %s, want the URI of the activity", got)
	}
	h.refuses("role", "contract accept emmen-bag --by emma")
	h.refuses("beheer.schrijven", "contract accept emmen-bag --as emmen")
	h.does("contract accept emmen-bag --by evert")
	h.refuses("no contract", "contract accept emmen-bag --by aad")
	h.does("contract accept emmen-bag --by henk")
	h.does("client assign emmen-vergunningen vergunningen emmen-bag --by emma")
	h.soon("a call under the new contract", func() bool { status, body := call(); return status == 200 && strings.Contains(body, "9990AA") })

	h.does("contract narrow emmen-bag --by hilda --suspend --reason", "onderzoek naar misbruik")
	h.soon("a suspended contract", func() bool { status, _ := call(); return status != 200 })
	if got := h.does("contract show emmen-bag --by emma"); !strings.Contains(got, "onderzoek naar misbruik") {
		t.Errorf("got %q, want the reason", got)
	}
	h.does("contract widen emmen-bag --by hilda")
	h.soon("a contract that is open again", func() bool { status, _ := call(); return status == 200 })

	fresh := h.application("emmen-2")
	h.does("key add emmen-vergunningen --by emma", fresh.file)
	h.soon("the new key", func() bool { status, _ := h.calls(fresh, "emmen-vergunningen", "bag", path); return status == 200 })
	if status, body := call(); status != 200 {
		t.Errorf("got %d %s with the old key during the overlap", status, body)
	}
	kid := regexp.MustCompile(`key\s+(\S+)`).FindStringSubmatch(h.does("key list emmen-vergunningen --by emma"))[1]
	h.does("key remove emmen-vergunningen --by emma", kid)
	h.soon("the old key is out", func() bool { status, _ := call(); return status != 200 })

	if got := h.does("events --as emmen"); !strings.Contains(got, "contract.in-force") || !strings.Contains(got, "key.added") {
		t.Errorf("got %q, want what happened to the contract and the keys", got)
	}
	if got := h.does("audit list --by emma --act contract.accept"); !strings.Contains(got, "evert") || strings.Contains(got, "henk") {
		t.Errorf("got %q, want the own colleague and nobody of the other side by name", got)
	}
	if got := h.does("audit verify --by emma"); !strings.Contains(got, "signed, root") {
		t.Errorf("got %q", got)
	}
	h.does("contract revoke emmen-bag --by evert")
	h.soon("the end", func() bool { status, _ := h.calls(fresh, "emmen-vergunningen", "bag", path); return status != 200 })
}

func TestASupplierCallsForAMunicipalityThatCanStopItAtOnce(t *testing.T) {
	h := startAdminHub(t)
	app := h.application("noordsoft")
	call := func() (int, string) {
		return h.calls(app, "noordsoft-app", "bag", "/bag/individuelebevragingen/v2/adressen?postcode=9990AA&huisnummer=1")
	}
	h.does("client register noordsoft-app --by sanne --key", app.file)
	h.does("contract propose --by sanne --name voor-emmen --provider noorderhub --on-behalf-of emmen --service bag --scope bag.lezen --purpose", "adressen in het zaaksysteem van Emmen")
	// All three see it, and for whom it waits.
	for _, who := range []string{"simon", "evert", "henk"} {
		if got := h.does("contract list --by " + who); !strings.Contains(got, "voor-emmen") || !strings.Contains(got, "waits for") {
			t.Errorf("%s: got %q", who, got)
		}
	}
	h.does("contract accept voor-emmen --by simon")
	h.does("contract accept voor-emmen --by henk")
	h.refuses("no grant", "client assign noordsoft-app adressen $1$3$"+strings.Repeat("A", 86)+" --by sanne")
	h.does("client assign noordsoft-app adressen voor-emmen --by sanne")
	if status, body := call(); status == 200 {
		t.Errorf("got %d %s before the municipality signed", status, body)
	}
	h.does("contract accept voor-emmen --by evert")
	h.soon("a call of the supplier", func() bool { status, _ := call(); return status == 200 })
	h.does("contract narrow voor-emmen --by evert --suspend --reason", "opgezegd")
	h.soon("the supplier is stopped", func() bool { status, _ := call(); return status != 200 })
	h.does("contract revoke voor-emmen --by evert")
	if got := h.does("contract list --by simon"); !strings.Contains(got, "REVOKED") {
		t.Errorf("got %q", got)
	}
}

func TestAnOrganisationIsDeclared(t *testing.T) {
	h := startAdminHub(t)
	dir := filepath.Join(h.dir, "assen")
	h.does("activity set klachten --by anna --name Klachten --purpose afhandelen --legal-basis Awb --retention P5Y")
	h.does("export --by anna", dir)
	if got := h.does("plan --by anna", dir); !strings.Contains(got, "nothing to do") {
		t.Fatalf("got %q for what was just written", got)
	}
	file := filepath.Join(dir, declarationFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hubctl") {
		t.Errorf("the keys of people are in the file:\n%s", text)
	}
	app := h.application("assen-nieuw")
	api := "openapi: 3.0.3\ninfo: {title: x, version: 1.0.0}\npaths:\n  /x:\n    get: {operationId: x, responses: {'200': {description: ok}}}\n"
	h.write("assen/x.yaml", api)
	var d declaration
	if err := readYAML(file, &d); err != nil {
		t.Fatal(err)
	}
	demo := d.Clients["assen-demo"]
	demo.Name = "Anders"
	d.Clients["assen-demo"] = demo
	d.Clients["assen-nieuw"] = clientFile{Name: "Nieuw", Profile: "nlgov", Alg: "ES256", Keys: []keyFile{{File: app.file}}, Uses: map[string]string{"adressen": "assen-bag"}}
	d.Activities["meldingen"] = activityFile{Name: "Meldingen", Purpose: "afhandelen", LegalBasis: "Awb", Retention: "P1Y"}
	service := serviceFile{Title: "X", APIs: []apiFile{{BasePath: "/assenx/v1", OpenAPI: "x.yaml"}}, Published: true}
	service.Upstream.Addresses = []string{"https://x.assen.example"}
	d.Services = map[string]serviceFile{"assenx": service}
	d.Contracts["assen-meldingen"] = contractFile{From: time.Now().UTC().Truncate(time.Second), Until: time.Now().AddDate(1, 0, 0).UTC().Truncate(time.Second), Grants: []grantFile{{
		Consumer: "assen", Provider: "noorderhub", Service: "bag", Purpose: "meldingen", Activity: "meldingen", Scopes: []string{"bag.lezen"},
	}}}
	edited, err := yaml.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	h.write("assen/"+declarationFile, string(edited))
	want := []string{"+ activity meldingen", "+ service assenx (waits for a second person)", "+ contract assen-meldingen (is proposed", "~ client assen-demo (name)", "+ client assen-nieuw"}
	for _, verb := range []string{"plan", "apply"} {
		got := h.does(verb+" --by anna", dir)
		for _, line := range want {
			if !strings.Contains(got, line) {
				t.Errorf("%s: got\n%s\nwant %q", verb, got, line)
			}
		}
	}
	if got := h.does("contract list --by aad"); !strings.Contains(got, "assen-meldingen") || !strings.Contains(got, "PROPOSED") {
		t.Errorf("got %q: apply proposes and never signs", got)
	}
	id := strings.Fields(h.does("approval list --by aad"))[0]
	h.does("approval approve --by aad", id)
	if got := h.does("plan --by anna", dir); !strings.Contains(got, "nothing to do") {
		t.Errorf("got %q after everything was applied", got)
	}
	h.soon("the new client", func() bool {
		status, _ := h.calls(app, "assen-nieuw", "bag", "/bag/individuelebevragingen/v2/adressen?postcode=9990AA&huisnummer=1")
		return status == 200
	})
	delete(d.Clients, "assen-nieuw")
	if edited, err = yaml.Marshal(d); err != nil {
		t.Fatal(err)
	}
	h.write("assen/"+declarationFile, string(edited))
	if got := h.does("plan --by anna", dir); !strings.Contains(got, "nothing to do") {
		t.Errorf("got %q: without --prune nothing goes", got)
	}
	if got := h.does("apply --prune --by anna", dir); !strings.Contains(got, "- client assen-nieuw") {
		t.Errorf("got %q", got)
	}
	h.refuses("you act for", "plan --by emma", dir)
}

func TestATeamPutsAServiceInAnotherLanguageOnTheHub(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not here; infra/test.sh installs it")
	}
	h := startAdminHub(t)
	port, ca := h.python(python)
	h.write("meldingen.yaml", `openapi: 3.0.3
info: {title: Meldingen, version: 1.0.0}
paths:
  /meldingen/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: leesMelding, responses: {'200': {description: ok}}}
`)
	h.write("ca.pem", ca)
	service := `title: Meldingen openbare ruimte
apis: [{basePath: /meldingen/v1, openapi: meldingen.yaml}]
upstream: {addresses: ["https://localhost:` + port + `"], ca: ca.pem, timeout: 5s}
`
	file := h.write("service.yaml", service+"published: true\n")
	h.refuses("reason", "service put meldingen --by anna -f", file)
	waits := h.does("service put meldingen --by anna --reason eerste -f", file)
	id := regexp.MustCompile(`approve (\S+)`).FindStringSubmatch(waits)
	if id == nil {
		t.Fatalf("got %q, want what waits for a second person", waits)
	}
	h.refuses("role", "approval approve --by anna", id[1])
	h.does("approval approve --by aad", id[1])
	if got := h.does("service list --by emma"); !strings.Contains(got, "Meldingen openbare ruimte") {
		t.Errorf("got %q, want the published service", got)
	}

	if got := h.does("service test meldingen --by anna"); !strings.Contains(got, "ok    localhost:"+port+" tls: certificate good until") || !strings.Contains(got, "GET /: 200") {
		t.Errorf("got %q", got)
	}
	h.refuses("no service", "service test meldingen --by emma")
	reach := h.does("service gateways --by emma")
	if block, _ := pem.Decode([]byte(reach[strings.Index(reach+"-----", "-----"):])); block == nil || block.Type != "CERTIFICATE" {
		t.Errorf("got %q, want the certificate that the gateway shows", reach)
	}
	if !strings.Contains(reach, "seen 20") || !strings.Contains(reach, "for a trust store:\n-----BEGIN CERTIFICATE") || strings.Contains(reach, "KEY") {
		t.Errorf("got %q, want who issues it, when it was seen, and no key", reach)
	}
	bare := h.write("bare.yaml", strings.Replace(strings.Replace(service, ", ca: ca.pem", "", 1), "/meldingen/v1", "/kaal/v1", 1))
	h.does("service put kaal --by anna -f", bare)
	out, _, err := hubctl(t, h.data, "service", "test", "kaal", "--by", "anna")
	if err == nil || !strings.Contains(out, "FAULT localhost:"+port+" tls") || !strings.Contains(out, "give the authority in ca") {
		t.Errorf("got %q, %v; want the fault and its next step", out, err)
	}

	app := h.application("groningen-meldingen")
	h.does("client register groningen-meldingen --by geesje --key", app.file)
	h.does("contract propose --by geesje --name meldingen --provider assen --service meldingen --scope meldingen.lezen --purpose", "meldingen doorgeven")
	h.does("contract accept meldingen --by gerrit")
	h.does("contract accept meldingen --by aad")
	h.does("client assign groningen-meldingen meldingen meldingen --by geesje")
	var body string
	h.soon("a call of the Python service", func() bool {
		var status int
		status, body = h.calls(app, "groningen-meldingen", "meldingen", "/meldingen/v1/meldingen/7")
		return status == 200
	})
	var seen struct{ Path, Type, Organisation string }
	if err := json.Unmarshal([]byte(body), &seen); err != nil {
		t.Fatal(err)
	}
	if seen.Path != "/meldingen/v1/meldingen/7" || seen.Type != "hub-call+jwt" || seen.Organisation != h.hub.Demo.Organisations["groningen"].OIN {
		t.Errorf("the service was told %+v", seen)
	}
}

// python starts the small service with a certificate of an authority of its own.
func (h *adminHub) python(python string) (port, ca string) {
	h.t.Helper()
	authority, err := pki.NewCA("supplier")
	if err != nil {
		h.t.Fatal(err)
	}
	pair, err := authority.Issue(pki.Request{CommonName: "localhost", DNSNames: []string{"localhost"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Server: true})
	if err != nil {
		h.t.Fatal(err)
	}
	files, err := pair.WriteFiles(h.dir, "service")
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.CommandContext(h.t.Context(), python, "testdata/service.py", files.Cert, files.Key)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	port, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimSpace(port), string(authority.CertPEM)
}

func TestAMunicipalityJoins(t *testing.T) {
	h := startAdminHub(t)
	form := filepath.Join(h.dir, "aanmelding.json")
	h.does("organisation invite --by hilda --oin 00000099000000118000 --out "+form, "Gemeente Hoogeveen")
	text, err := os.ReadFile(form)
	if err != nil {
		t.Fatal(err)
	}
	var f registry.ApplicationForm
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	f.Slug, f.Municipality = "hoogeveen", "0118"
	for i := range f.Contacts {
		f.Contacts[i].Email, f.Contacts[i].Phone, f.Contacts[i].Hours = f.Contacts[i].Role+"@hoogeveen.example", "0528 123456", "werkdagen"
	}
	keys := map[string]string{}
	for _, p := range []struct{ id, role string }{{"hanna", "administrator"}, {"harm", "approver"}} {
		a := h.application(p.id)
		der, err := x509.MarshalPKCS8PrivateKey(a.key)
		if err != nil {
			t.Fatal(err)
		}
		keys[p.id] = h.write(p.id+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
		jwk, err := json.Marshal(jose.JSONWebKey{Key: a.key.Public()})
		if err != nil {
			t.Fatal(err)
		}
		f.People = append(f.People, registry.Applicant{ID: p.id, Name: p.id, Email: p.id + "@hoogeveen.example", Roles: []string{p.role}, Key: jwk})
	}
	if text, err = json.Marshal(f); err != nil {
		t.Fatal(err)
	}
	h.write("aanmelding.json", string(text))
	h.refuses("nobody in the form", "organisation sign --person piet --key "+keys["hanna"], form)
	h.does("organisation sign --person hanna --key "+keys["hanna"], form)
	h.refuses("harm did not sign", "organisation apply --by hilda", form)
	h.does("organisation sign --person harm --key "+keys["harm"], form)
	h.does("organisation apply --by hilda", form)
	id, waits, _ := strings.Cut(h.does("organisation applications --by henk"), " ")
	if !strings.Contains(waits, "waits for hubbeheer") {
		t.Errorf("got %q", waits)
	}
	h.refuses("brought this application in", "organisation admit --by hilda", id)
	h.does("organisation admit --by henk", id)
	hanna := " --by hanna --own-key " + keys["hanna"]
	h.soon("the new administrator", func() bool {
		out, _, err := hubctl(t, h.data, strings.Fields("organisation steps hoogeveen"+hanna)...)
		return err == nil && strings.Contains(out, "documenten") && strings.Contains(out, "handtekening")
	})
	if got := h.does("document list" + hanna); !strings.Contains(got, "accepted by hanna") {
		t.Errorf("got %q", got)
	}
	app := h.application("hoogeveen")
	h.does("client register hoogeveen-zaken"+hanna+" --key", app.file)
	h.refuses("no organisation", "organisation steps nergens"+hanna)
}

func TestATeamIsToldOfItsAffairs(t *testing.T) {
	h := startAdminHub(t)
	got := make(chan string, 10)
	hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.Header().Set("WebHook-Allowed-Origin", r.Header.Get("WebHook-Request-Origin"))
			return
		}
		got <- r.Header.Get("Ce-Type") + r.Header.Get("Content-Type")
	}))
	defer hook.Close()
	ca := h.write("hook.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw})))
	h.refuses("may not call", "channel add --by emma --ca "+ca, hook.URL) // Emmen has no network of its own
	id := strings.TrimSpace(h.does("channel add --by anna --ca "+ca, hook.URL))
	if out := h.does("channel test --by anna", id); !strings.Contains(out, "delivered") {
		t.Errorf("got %q", out)
	}
	<-got
	mute := strings.TrimSpace(h.does("channel mute --by anna --type client.registered"))
	if out := h.does("channel mutes --by anna"); !strings.Contains(out, "client.registered") {
		t.Errorf("got %q", out)
	}
	h.does("channel unmute --by anna", mute)
	h.does("client register assen-nieuw --by anna --key", h.application("nieuw").file)
	<-got
	if out := h.does("channel list --by aad"); !strings.Contains(out, hook.URL) || !strings.Contains(out, "active") {
		t.Errorf("got %q", out)
	}
	if out := h.does("channel parked --by anna"); strings.TrimSpace(out) != "" {
		t.Errorf("got %q", out)
	}
	h.refuses("parked", "channel retry --by anna", id)
	h.does("channel remove --by anna", id)
}

func TestKeysAndRightsOfAnOrganisation(t *testing.T) {
	h := startAdminHub(t)
	if out := h.does("audit rights --by emma --csv"); !strings.HasPrefix(out, "soort,id,naam") || !strings.Contains(out, "persoon,emma,") {
		t.Errorf("got %q", out)
	}
	if out := h.does("audit rights --by emma"); !strings.Contains(out, "administrator") {
		t.Errorf("got %q", out)
	}
	if out := h.does("key hosted touches assen --by anna"); !strings.Contains(out, "signed with the active key") {
		t.Errorf("got %q, want the contracts of Assen", out)
	}
	var k registry.HostedKeyView
	if err := json.Unmarshal([]byte(h.does("key hosted propose emmen --by emma --json")), &k); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(h.does("key hosted request emmen " + k.ID + " --by emma")))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		t.Fatalf("got %+v, want a certificate request", block)
	}
	if request, err := x509.ParseCertificateRequest(block.Bytes); err != nil || request.CheckSignature() != nil || request.Subject.SerialNumber == "" {
		t.Errorf("got %+v, %v", request, err)
	}
	stranger, err := pki.NewCA("nobody")
	if err != nil {
		t.Fatal(err)
	}
	h.refuses("of another key", "key hosted install emmen "+k.ID+" --by emma", h.write("other.pem", string(stranger.CertPEM)))
	h.refuses("no certificate yet", "key hosted confirm emmen "+k.ID+" --by evert")
	h.refuses("not-in-directory", "key hosted list emmen --by anna")
	if out := h.does("key hosted retire emmen " + k.ID + " --by emma"); !strings.Contains(out, "is destroyed") {
		t.Errorf("got %q", out)
	}
	if out := h.does("key hosted list emmen --by emma"); !strings.Contains(out, "destroyed") || !strings.Contains(out, "active") {
		t.Errorf("got %q", out)
	}
}

func TestAProviderOffersToManyAndASuccessorFollows(t *testing.T) {
	h := startAdminHub(t)
	h.does("contract template set adressen --by hilda --title Adressen --service bag --scope bag.lezen --rate 10 --purpose", "adressen controleren")
	if got := h.does("contract template list --by emma"); !strings.Contains(got, "adressen") {
		t.Errorf("got %q", got)
	}
	id := strings.TrimSpace(h.does("contract offer to emmen noordsoft --by hilda --template adressen --title", "Adressen voor iedereen"))
	h.refuses("lacks a role", "contract offer accept --by hilda", id)
	if got := h.does("contract offer accept --by henk", id); !strings.Contains(got, "2 signed") {
		t.Errorf("got %q", got)
	}
	h.does("contract reject noordsoft-adressen --by simon --reason", "te duur")
	board := h.does("contract offer board --by henk", id)
	if !strings.Contains(board, "waits for Gemeente Emmen") || !strings.Contains(board, "te duur") {
		t.Errorf("got %q", board)
	}
	h.does("contract offer remind --by hilda", id)
	h.refuses("reminded", "contract remind emmen-adressen --by henk")
	h.does("person stand-in evert emma --by evert")
	h.does("contract accept emmen-adressen --by emma") // stands in for Evert; did not propose it
	if got := h.does("contract offer list --by henk"); !strings.Contains(got, "signed 1") || !strings.Contains(got, "declined 1") {
		t.Errorf("got %q", got)
	}
	h.does("person stand-in evert --by evert")
	app := h.application("emmen")
	h.does("client register emmen-zaken --by emma --key", app.file)
	h.does("client assign emmen-zaken adressen emmen-adressen --by emma")
	h.does("contract renew emmen-adressen --by emma --name emmen-2 --until 2030-01-01")
	if got := h.does("contract compare emmen-2 --by evert"); !strings.Contains(got, "wider") || !strings.Contains(got, "valid until 2030-01-01") {
		t.Errorf("got %q", got)
	}
	h.does("contract accept emmen-2 --by evert")
	h.does("contract accept emmen-2 --by henk")
	h.does("contract revoke emmen-adressen --by evert --reason", "opgevolgd")
	h.soon("a call under the successor", func() bool {
		status, _ := h.calls(app, "emmen-zaken", "bag", "/bag/individuelebevragingen/v2/adressen?postcode=9990AA&huisnummer=1")
		return status == 200
	})
}
