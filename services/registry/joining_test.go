package registry_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/regiontest"
)

const (
	joinerOIN = "00000099000000004000"
	kvkOIN    = "00000003123456780000"
)

// withDocuments gives the hub documents, which Assen accepted and Emmen did not.
func withDocuments(w *world) {
	w.region.Write(w.t, "terms.md", "# Voorwaarden\n")
	w.region.Replace(w.t, "anchors: [anchor.pem]", "anchors: [anchor.pem]\n  documents: [{kind: voorwaarden, version: \"1\", file: terms.md}]")
	w.region.Replace(w.t, "certificates: [assen.pem], contacts", "certificates: [assen.pem], accepted: [{kind: voorwaarden, person: anna, at: 2026-01-05T09:00:00Z}], contacts")
}

// joiner is somebody who will be a person of the hub.
type joiner struct {
	id    string
	roles []string
	key   *ecdsa.PrivateKey
}

func newJoiner(t *testing.T, id string, roles ...string) joiner {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return joiner{id, roles, key}
}

// fill puts contacts and people into a form.
func fill(t *testing.T, form *api.ApplicationForm, people ...joiner) {
	t.Helper()
	form.Slug, form.Made, form.Contacts = "nieuwstad", time.Now(), nil
	for _, role := range []string{"technical", "functional", "privacy", "security"} {
		form.Contacts = append(form.Contacts, api.Contact{Role: role, Email: role + "@nieuwstad.example", Phone: "0591 123456", Hours: "werkdagen 9-17"})
	}
	for _, p := range people {
		jwk, err := json.Marshal(jose.JSONWebKey{Key: p.key.Public()})
		if err != nil {
			t.Fatal(err)
		}
		form.People = append(form.People, api.Applicant{ID: p.id, Name: strings.ToUpper(p.id), Email: p.id + "@nieuwstad.example", Roles: p.roles, Key: jwk})
	}
}

// signForm gives a form with the signatures of these people.
func signForm(t *testing.T, form *api.ApplicationForm, by ...joiner) api.ApplicationBody {
	t.Helper()
	payload, err := json.Marshal(form)
	if err != nil {
		t.Fatal(err)
	}
	var body api.ApplicationBody
	for _, p := range by {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: crypto.Signer(p.key), KeyID: p.id}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		jws, err := signer.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := jws.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(compact, ".")
		body.Payload = parts[1]
		body.Signatures = append(body.Signatures, api.ApplicantSignature{Protected: parts[0], Signature: parts[2]})
	}
	return body
}

func applicationOf(t *testing.T, r reply) api.ApplicationView {
	t.Helper()
	var v api.ApplicationView
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAnOrganisationJoinsByInvitation(t *testing.T) {
	o := newOffice(t, withDocuments)
	nina, niek := newJoiner(t, "nina", "administrator", "integrator"), newJoiner(t, "niek", "approver")
	v := applicationOf(t, o.must(201, hilda, "POST", "/uitnodigingen", "", api.InvitationBody{Name: "Gemeente Nieuwstad", OIN: joinerOIN}))
	if v.State != "uitgenodigd" || v.Form == nil || v.Form.OIN != joinerOIN || len(v.Form.Accepted) != 1 || v.Steps[0].Who != "aanvrager" {
		t.Fatalf("got %+v", v)
	}
	fill(t, v.Form, nina, niek)
	signed := signForm(t, v.Form, nina, niek)
	applied := applicationOf(t, o.must(201, hilda, "POST", "/aanmeldingen", "", signed))
	if applied.ID != v.ID || applied.State != "aangevraagd" || applied.Steps[2].Who != "hubbeheer" || o.ask(eefje, "GET", "/aanmeldingen/"+v.ID, "", nil).status != 404 {
		t.Errorf("got %+v", applied)
	}
	if got := o.ask(hilda, "POST", "/aanmeldingen/"+v.ID+"/toelating", "", nil); got.status != 403 || !strings.Contains(got.body, "four-eyes") {
		t.Errorf("admitted by who invited: got %d %s", got.status, got.body)
	}
	if got := o.ask(aad, "POST", "/aanmeldingen/"+v.ID+"/toelating", "", nil); got.status != 404 {
		t.Errorf("admitted by another organisation: got %d %s", got.status, got.body)
	}
	o.must(200, henk, "POST", "/aanmeldingen/"+v.ID+"/toelating", "", nil)
	if got := o.ask(henk, "POST", "/aanmeldingen/"+v.ID+"/toelating", "", nil); got.status != 409 || !strings.Contains(got.body, "application-decided") {
		t.Errorf("admitted twice: got %d %s", got.status, got.body)
	}
	s := o.snapshot(api.Version{}, 0)
	if !slices.ContainsFunc(s.Clients, func(c api.Client) bool {
		return c.ID == "nina-hubctl" && c.Organisation == joinerOIN && c.Person != nil
	}) {
		t.Errorf("got no client of the administrator in the snapshot: %+v", s.Clients)
	}
	admin := person{"nina", joinerOIN, nina.roles}
	steps := o.must(200, admin, "GET", "/organisaties/"+joinerOIN+"/stappen", "", nil).body
	for _, want := range []string{`"stap":"documenten","gereed":true`, `"stap":"tweedePersoon","gereed":true`, `"stap":"handtekening","gereed":false,"aanZet":"hubbeheer"`, `"stap":"client","gereed":false,"aanZet":"organisatie"`} {
		if !strings.Contains(steps, want) {
			t.Errorf("got steps %s, want %s", steps, want)
		}
	}
	if got := o.ask(anna, "GET", "/organisaties/"+joinerOIN+"/stappen", "", nil).status; got != 404 {
		t.Errorf("got %d for the steps of another organisation", got)
	}
	o.stop()
	o.start() // the proof of what was signed is read again
	if got := applicationOf(t, o.must(200, henk, "GET", "/aanmeldingen/"+v.ID, "", nil)); got.State != "toegelaten" || got.Form.People[0].ID != "nina" {
		t.Errorf("got %+v after a restart", got)
	}
}

func TestAnApplicationWithFaultsIsRefused(t *testing.T) {
	o := newOffice(t, withDocuments)
	nina, niek, evil := newJoiner(t, "nina", "administrator"), newJoiner(t, "niek", "approver"), newJoiner(t, "nina", "administrator")
	form := func(change func(*api.ApplicationForm)) *api.ApplicationForm {
		f := &api.ApplicationForm{Group: "noorderhub-test", Name: "Noordsoft", KvK: "12345678"}
		fill(t, f, nina, niek)
		change(f)
		return f
	}
	same := func(*api.ApplicationForm) {}
	for _, tt := range []struct {
		name string
		body api.ApplicationBody
		code int
		want string
	}{
		{"somebody in it did not sign", signForm(t, form(same), nina), 400, "niek did not sign"},
		{"signed with another key", signForm(t, form(same), evil, niek), 400, "nina did not sign"},
		{"for another hub", signForm(t, form(func(f *api.ApplicationForm) { f.Group = "elders" }), nina, niek), 400, "/groep"},
		{"too old", signForm(t, form(func(f *api.ApplicationForm) { f.Made = f.Made.AddDate(-1, 0, 0) }), nina, niek), 400, "/opgesteld"},
		{"nobody to approve", signForm(t, form(func(f *api.ApplicationForm) { f.People = f.People[:1] }), nina), 400, "/personen"},
		{"no privacy contact", signForm(t, form(func(f *api.ApplicationForm) { f.Contacts = f.Contacts[:2] }), nina, niek), 400, "privacy contact"},
		{"a hub operator", signForm(t, form(func(f *api.ApplicationForm) { f.People[0].Roles = []string{"administrator", "hub-operator"} }), nina, niek), 400, "hub-operator"},
		{"the id of somebody else", signForm(t, form(func(f *api.ApplicationForm) { f.People[0].ID = "anna" }), niek), 409, "exists-already"},
		{"the short name of another", signForm(t, form(func(f *api.ApplicationForm) { f.Slug = "assen" }), nina, niek), 409, "exists-already"},
		{"an organisation that is there", signForm(t, form(func(f *api.ApplicationForm) { f.KvK, f.OIN = "", regiontest.EmmenOIN }), nina, niek), 409, "exists-already"},
		{"two numbers", signForm(t, form(func(f *api.ApplicationForm) { f.OIN = joinerOIN }), nina, niek), 400, "/oin"},
		{"no JWS", api.ApplicationBody{Payload: "e30", Signatures: []api.ApplicantSignature{{Protected: "x", Signature: "y"}}}, 400, "no JWS"},
		{"somebody else's invitation", signForm(t, form(func(f *api.ApplicationForm) { f.Invitation = "0199" }), nina, niek), 404, "not-in-directory"},
	} {
		before := o.snapshot(api.Version{}, 0).Version
		if got := o.ask(hilda, "POST", "/aanmeldingen", "", tt.body); got.status != tt.code || !strings.Contains(got.body, tt.want) {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, got.status, got.body, tt.code, tt.want)
		}
		if after := o.snapshot(api.Version{}, 0).Version; after != before {
			t.Errorf("%s: something was stored", tt.name)
		}
	}
	// A supplier that a municipality brings in, which did not accept what is to be accepted, is not admitted.
	v := applicationOf(t, o.must(201, anna, "POST", "/aanmeldingen", "", signForm(t, form(same), nina, niek)))
	if v.OIN != kvkOIN || v.Sponsor != regiontest.AssenOIN {
		t.Errorf("got %+v", v)
	}
	if got := o.ask(henk, "POST", "/aanmeldingen/"+v.ID+"/toelating", "", nil); got.status != 409 || !strings.Contains(got.body, "documents-not-accepted") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := o.ask(henk, "POST", "/aanmeldingen/"+v.ID+"/afwijzing", "", api.DecisionBody{}); got.status != 400 {
		t.Errorf("rejected without a reason: got %d %s", got.status, got.body)
	}
	o.must(200, henk, "POST", "/aanmeldingen/"+v.ID+"/afwijzing", "", api.DecisionBody{Reason: "voorwaarden ontbreken"})
	if got := o.must(200, anna, "GET", "/aanmeldingen", "", nil); !strings.Contains(got.body, "voorwaarden ontbreken") {
		t.Errorf("got %s; who brought it in reads why", got.body)
	}
}

func TestDocumentsAreAcceptedBeforeContractsAreSigned(t *testing.T) {
	o := newOffice(t, withDocuments)
	d := draft()
	d.Grants[0].Consumer = regiontest.EmmenOIN
	var c api.AgreementDetail
	if err := json.Unmarshal([]byte(o.must(201, robotOf(regiontest.EmmenOIN), "POST", "/afspraken", "", d).body), &c); err != nil {
		t.Fatal(err)
	}
	sign := func() reply {
		return o.ask(eefje, "POST", "/afspraken/"+c.Hash+"/handtekeningen", "", api.SignatureBody{Kind: "accept"})
	}
	if got := sign(); got.status != 409 || !strings.Contains(got.body, "documents-not-accepted") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	var all struct {
		Documents []api.DocumentView   `json:"documenten"`
		Accepted  []api.AcceptanceView `json:"aanvaard"`
	}
	list := func() {
		if err := json.Unmarshal([]byte(o.must(200, eefje, "GET", "/documenten", "", nil).body), &all); err != nil {
			t.Fatal(err)
		}
	}
	list()
	if len(all.Documents) != 1 || len(all.Accepted) != 0 {
		t.Fatalf("got %+v", all)
	}
	other := all.Documents[0].AcceptanceBody
	other.Digest = strings.Repeat("0", 64)
	if got := o.ask(eefje, "PUT", "/documenten/voorwaarden/aanvaarding", "", other); got.status != 412 {
		t.Errorf("accepted a text that nobody showed: got %d %s", got.status, got.body)
	}
	if got := o.ask(aad, "PUT", "/documenten/voorwaarden/aanvaarding", "", all.Documents[0].AcceptanceBody); got.status != 403 {
		t.Errorf("accepted by an approver: got %d %s", got.status, got.body)
	}
	o.must(204, eefje, "PUT", "/documenten/voorwaarden/aanvaarding", "", all.Documents[0].AcceptanceBody)
	list()
	if len(all.Accepted) != 1 || all.Accepted[0].By != "eefje" {
		t.Errorf("got %+v", all.Accepted)
	}
	if got := sign(); got.status != http.StatusOK {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func robotOf(oin string) person { return person{"", oin, nil} }

func TestAMergerKeepsWhatWasAgreed(t *testing.T) {
	o := newOffice(t)
	if got := o.must(200, eefje, "GET", "/afspraken", "", nil); strings.Contains(got.body, regiontest.AssenOIN) {
		t.Fatalf("got %s before the merger", got.body)
	}
	etag := o.must(200, hilda, "GET", "/organisaties/"+regiontest.AssenOIN, "", nil).header.Get("ETag")
	yesterday := time.Now().Add(-24 * time.Hour)
	body := api.PartBody{Of: regiontest.EmmenOIN, Ended: &yesterday, Reason: "herindeling"}
	if got := o.ask(anna, "PUT", "/organisaties/"+regiontest.AssenOIN+"/onderdeel", etag, body); got.status != 403 {
		t.Errorf("merged by itself: got %d %s", got.status, got.body)
	}
	wrong := body
	wrong.Of = regiontest.AssenOIN
	if got := o.ask(hilda, "PUT", "/organisaties/"+regiontest.AssenOIN+"/onderdeel", etag, wrong); got.status != 400 || !strings.Contains(got.body, "/onder") {
		t.Errorf("merged into itself: got %d %s", got.status, got.body)
	}
	proposal := o.must(202, hilda, "PUT", "/organisaties/"+regiontest.AssenOIN+"/onderdeel", etag, body).header.Get("Location")
	o.must(204, henk, "POST", strings.TrimPrefix(proposal, "/beheer/v1")+"/goedkeuring", "", nil)
	if got := o.must(200, eefje, "GET", "/afspraken", "", nil); !strings.Contains(got.body, regiontest.AssenOIN) {
		t.Errorf("got %s; the people of the whole see what the part agreed", got.body)
	}
	if s := o.snapshot(api.Version{}, 0); len(s.Grants) != 1 {
		t.Errorf("got %d grants; what was agreed goes on", len(s.Grants))
	}
	if got := o.ask(anna, "POST", "/afspraken", "", draft()); got.status != 400 || !strings.Contains(got.body, "merged into") {
		t.Errorf("got %d %s; who is merged agrees nothing new", got.status, got.body)
	}
}
